//! Systems that have no supervisor: time and output are limited, and nothing else.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use pipeline::cancel::Cancel;
use pipeline::error::{Error, Result};
use pipeline::process;
use verdict::{Isolation, Limits, Tier};

use pipeline::judging::sandbox::{Channel, Compiler, Ended, Run};

/// What isolation is to be had.
///
/// # Errors
/// None here.
pub(crate) fn probe() -> Result<Isolation> {
    let lacks = [
        "isolation is only built for Linux: Landlock, seccomp and namespaces are its own",
        "a test's result goes through a file, which a submission can write",
    ];
    Ok(Isolation { tier: Tier::None, lacks: lacks.map(str::to_string).to_vec() })
}

/// Runs the program with a limit on time and output. The record goes through a file, which the program could write.
///
/// # Errors
/// The program can't be started, or `cancel` was raised.
pub(crate) fn run(_isolation: &Isolation, run: &Run<'_>, cancel: &Cancel) -> Result<Ended> {
    let record = run.work.with_extension("record");
    let mut command = Command::new(run.program);
    command.args(&run.args).env_clear().envs(run.environment.iter().cloned()).current_dir(run.work);
    command.env(verdict::RECORD_FILE, &record);
    let output = usize::try_from(run.limits.output).unwrap_or(usize::MAX);
    let finished = process::run(command, process::Limits { wall: run.wall, output }, cancel)?;
    let text = fs::read_to_string(&record).unwrap_or_default();
    if !text.is_empty() {
        fs::remove_file(&record).map_err(Error::io("remove", &record))?;
    }
    Ok(Ended {
        ending: finished.ending,
        stdout: String::from_utf8_lossy(&finished.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&finished.stderr).into_owned(),
        record: if text.is_empty() { Channel::Silent } else { Channel::Record(text) },
        peak_memory: 0,
        cpu: std::time::Duration::ZERO,
        took: finished.took,
        left_behind: 0,
    })
}

/// The compiler is not confined.
///
/// # Errors
/// None here.
pub(crate) fn compile_environment(
    _isolation: &Isolation,
    _limits: &Limits,
    _compiler: &Compiler,
    _tools: &Path,
) -> Result<Vec<(OsString, OsString)>> {
    Ok(Vec::new())
}

/// The command as it is.
pub(crate) fn guarded(command: Command) -> Command {
    command
}

/// This program is never started as a supervisor here.
pub(crate) fn main_if_asked() -> Option<ExitCode> {
    None
}
