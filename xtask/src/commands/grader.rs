//! `grade`, `merge` and `time`: handed on to the grader, a program of its own. A learner's first check does not wait for what only an
//! instructor needs; it is built on first use.

use std::env;
use std::process::Command;

use pipeline::error::{Error, Result};
use pipeline::repository::Repository;

use crate::cli::Grader;
use crate::render;

/// Goes on as the grader. It comes back only with an error.
///
/// # Errors
/// Cargo can't be started.
pub(crate) fn run(repository: &Repository, grader: Grader) -> Result<bool> {
    let (name, given) = match grader {
        Grader::Time(given) => ("time", given),
        Grader::Grade(given) => ("grade", given),
        Grader::Merge(given) => ("merge", given),
    };
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.arg("run");
    if repository.target().join("debug").join(format!("grader{}", env::consts::EXE_SUFFIX)).is_file() {
        command.arg("--quiet");
    } else {
        render::warning("the grader is built first; this happens once");
    }
    command.arg("--manifest-path").arg(repository.root().join("Cargo.toml"));
    command.args(["--package", "grader", "--", name]).args(given.args);
    let error = become_it(command);
    Err(Error::new(format!("cannot start cargo: {error}"), "Check that Rust is installed."))
}

/// In the same process: whoever signals or waits for us signals or waits for the grader.
#[cfg(unix)]
fn become_it(mut command: Command) -> std::io::Error {
    std::os::unix::process::CommandExt::exec(&mut command)
}

/// As near to that as there is. Ctrl-C reaches both, and is the grader's to handle.
#[cfg(not(unix))]
fn become_it(mut command: Command) -> std::io::Error {
    let _ = pipeline::cancel::Cancel::by_ctrl_c();
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(i32::from(u8::MAX))),
        Err(error) => error,
    }
}
