//! The grader: what `cargo xtask grade`, `merge` and `time` hand on. The grammar is in `cli`, each command in `commands`; the steps from a
//! submission to a verdict are the library `pipeline`, and here is what keeps strangers' code apart, the class, and its reports.

mod class;
mod cli;
mod commands;
mod kernel;
mod plain;
mod render;
mod sandbox;
mod timing;

use std::process::ExitCode;

use clap::Parser;
use pipeline::error::Result;
use pipeline::exit;
use pipeline::repository::Repository;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    // Started by a grader as a supervisor or as a compiler's wrapper: nothing of what follows concerns it.
    if let Some(code) = sandbox::main_if_asked() {
        return code;
    }
    exit::code(dispatch(Cli::parse().command))
}

/// Runs the command; says whether everything passed.
fn dispatch(command: Command) -> Result<bool> {
    let repository = Repository::here()?;
    match command {
        Command::Grade(args) => commands::grade::run(&repository, args),
        Command::Merge(args) => commands::merge::run(&args),
        Command::Time(args) => commands::time::run(&repository, args),
    }
}
