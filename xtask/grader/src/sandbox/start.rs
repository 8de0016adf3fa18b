//! The grader's side: starts this program once more as a supervisor, and takes its answer.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use pipeline::cancel::Cancel;
use pipeline::error::{Error, Result};
use verdict::{Isolation, Limits};

use crate::sandbox::order::{Allowance, Answer, Order};
use crate::sandbox::supervise::{self, supervise};
use crate::sandbox::{compile, files, guard, probe};
use pipeline::judging::sandbox::{Ended, Run};

/// The first argument of a supervisor. `cargo xtask` has no such command.
const SUPERVISE: &str = "supervise-one-program";
/// This program, even if its file was replaced meanwhile.
pub(crate) const THIS_PROGRAM: &str = "/proc/self/exe";

/// All files of a run together may be so many times as large as one.
const FILES: u64 = 4;
/// How often a raised `cancel` is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// Runs the program under a supervisor of its own, and leaves no process of it behind.
///
/// # Errors
/// The program can't be started or confined, or `cancel` was raised.
pub(crate) fn run(isolation: &Isolation, run: &Run<'_>, cancel: &Cancel) -> Result<Ended> {
    let order = Order {
        program: run.program.to_path_buf(),
        args: run.args.clone(),
        environment: run.environment.clone(),
        folder: run.work.to_path_buf(),
        record: true,
        tier: isolation.tier,
        files: files::of_a_test(run.program, run.work, run.processes),
        network: run.network,
        processes: run.processes,
        allowance: allowance(run.limits, run.wall),
    };
    match ask(&order, cancel)? {
        Answer::Ended(ended) => Ok(ended),
        Answer::NotRun(why) => Err(Error::new(
            format!("cannot confine {}: {why}", run.program.display()),
            "The machine may have changed since the command started; run it again.",
        )),
    }
}

/// What a test may use.
pub(crate) fn allowance(limits: &Limits, wall: Duration) -> Allowance {
    Allowance {
        wall,
        memory: limits.memory,
        tasks: limits.tasks,
        output: limits.output,
        file: limits.file,
        disk: limits.file.saturating_mul(FILES),
    }
}

/// Has a supervisor carry out the order. It ends when this process does, and its program with it.
///
/// # Errors
/// No supervisor can be started, it ended without an answer, or `cancel` was raised.
pub(crate) fn ask(order: &Order, cancel: &Cancel) -> Result<Answer> {
    let trouble = |error: std::io::Error| {
        Error::new(
            format!("cannot start a supervisor: {error}"),
            "See how many processes and files this user may have.",
        )
    };
    let (ours, theirs) = UnixStream::pair().map_err(trouble)?;
    let mut supervisor = Command::new(THIS_PROGRAM);
    supervisor.arg0("grader").arg(SUPERVISE).env_clear().stdin(OwnedFd::from(theirs)).stdout(Stdio::null());
    // A group of its own: Ctrl-C is for the grader, which then ends its supervisors in order.
    let mut supervisor_process = supervisor.process_group(0).spawn().map_err(trouble)?;
    drop(supervisor);
    let answer = converse(order, ours, cancel);
    finish(&mut supervisor_process);
    match answer? {
        text if text.is_empty() => Err(Error::new(
            "a supervisor ended without an answer",
            "It was killed: see whether the machine has memory left, then run the command again.",
        )),
        text => serde_json::from_slice(&text).map_err(|error| {
            Error::new(format!("a supervisor's answer is not understood: {error}"), "Run the command again.")
        }),
    }
}

/// Tells the supervisor what to do and reads to the end what it says. When `cancel` is raised, hanging up is what ends it.
fn converse(order: &Order, mut supervisor: UnixStream, cancel: &Cancel) -> Result<Vec<u8>> {
    let failed =
        |error: std::io::Error| Error::new(format!("cannot talk to a supervisor: {error}"), "Run the command again.");
    let mut line = serde_json::to_vec(order).map_err(|error| {
        Error::new(format!("a path is not Unicode: {error}"), "Move the checkout to a folder with a plainer name.")
    })?;
    line.push(b'\n');
    supervisor.set_read_timeout(Some(LOOK)).map_err(failed)?;
    let mut answer = Vec::new();
    // If it is gone already, its silence says so.
    let _ = supervisor.write_all(&line);
    let mut buffer = [0; 64 * 1024];
    loop {
        match supervisor.read(&mut buffer) {
            Ok(0) => return Ok(answer),
            Ok(length) => answer.extend_from_slice(&buffer[..length]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if cancel.is_raised() {
                    return Err(Error::Interrupted);
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(answer),
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Waits for a supervisor that was told to end. It is never killed: it ends the confined program first.
fn finish(supervisor: &mut Child) {
    let _ = supervisor.wait();
}

/// Does the work of a supervisor, if this process was started as one. `main` asks before anything else.
pub(crate) fn main_if_asked() -> Option<ExitCode> {
    if let Some(code) = compile::main_if_asked() {
        return Some(code);
    }
    let mut args = std::env::args_os().skip(1);
    let first = args.next();
    match first.as_deref().and_then(OsStr::to_str) {
        Some(SUPERVISE) => Some(be_a_supervisor()),
        Some(guard::GUARD) => Some(guard::be_a_guard(args)),
        Some(probe::LOOK_AROUND) => Some(probe::look_around(args)),
        _ => None,
    }
}

/// Reads the order, carries it out, answers.
fn be_a_supervisor() -> ExitCode {
    let Ok(grader) = std::io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from) else {
        return ExitCode::FAILURE;
    };
    let mut line = Vec::new();
    let mut reader = BufReader::new(&grader);
    if reader.read_until(b'\n', &mut line).is_err() {
        return ExitCode::FAILURE;
    }
    let Ok(order) = serde_json::from_slice(&line) else { return ExitCode::FAILURE };
    if let Some(answer) = supervise(&order, grader.as_fd()) {
        supervise::answer(&grader, &answer);
    }
    ExitCode::SUCCESS
}
