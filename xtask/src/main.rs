//! `cargo xtask`: grades and teaches. This file is the table of contents; the grammar is in `cli`, each command in
//! `commands`, the steps of the pipeline in modules of their own, and only `render` writes to standard output.

mod build;
mod cancel;
mod catalog;
mod class;
mod cli;
mod commands;
mod console;
mod course;
mod error;
mod fingerprint;
mod gradebook;
mod inspect;
mod judge;
mod kernel;
mod ledger;
mod lesson;
mod mutants;
mod nesting;
mod noise;
mod patch;
mod pipeline;
mod plain;
mod play;
mod process;
mod progress;
mod render;
mod repository;
mod run;
mod sandbox;
mod saves;
#[cfg(unix)]
mod screen;
mod settings;
mod shard;
mod skeleton;
mod sources;
mod stage;
mod stub;
mod subject;
mod timing;
mod toolchain;
mod unfinished;
mod whole;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::error::{Error, Result};
use crate::repository::Repository;

/// The command ran, and everything passed.
const PASSED: u8 = 0;
/// The command ran, and something did not pass.
const NOT_PASSED: u8 = 1;
/// The command line or the environment is wrong.
const WRONG_USE: u8 = 2;
/// Ended by Ctrl-C: 128 and the number of the signal, as shells count.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    // Started by a grader as a supervisor or as a compiler's wrapper: nothing of what follows concerns it.
    if let Some(code) = sandbox::main_if_asked() {
        return code;
    }
    ExitCode::from(match dispatch(Cli::parse()) {
        Ok(true) => PASSED,
        Ok(false) => NOT_PASSED,
        Err(error) => {
            render::error(&error);
            if matches!(error, Error::Interrupted) { INTERRUPTED } else { WRONG_USE }
        }
    })
}

/// Runs the command; says whether everything passed.
fn dispatch(cli: Cli) -> Result<bool> {
    let here = std::env::current_dir().map_err(Error::io("find", std::path::Path::new(".")))?;
    let repository = Repository::find(&here)?;
    match cli.command {
        None => commands::map::run(&repository),
        Some(Command::List { json }) => commands::list::run(&repository, json),
        Some(Command::Check(args)) => commands::check::run(&repository, args),
        Some(Command::Watch { kata }) => commands::watch::run(&repository, kata.as_deref()),
        Some(Command::Hint { kata, shown }) => commands::hint::run(&repository, kata.as_deref(), shown),
        Some(Command::Explain { kata }) => commands::explain::run(&repository, kata.as_deref()),
        Some(Command::Reset { kata }) => commands::reset::run(&repository, kata.as_deref()),
        Some(Command::Play(args)) => commands::play::run(&repository, args),
        Some(Command::Replay(args)) => commands::replay::run(&repository, args),
        Some(Command::Grade(args)) => commands::grade::run(&repository, args),
        Some(Command::Merge(args)) => commands::merge::run(&args),
        Some(Command::Time(args)) => commands::time::run(&repository, args),
        Some(Command::New { kata }) => commands::new::run(&repository, &kata),
        Some(Command::Verify(args)) if args.mutants.is_some() => commands::mutants::run(&repository, args),
        Some(Command::Verify(args)) if args.noise => commands::noise::run(&repository, &args),
        Some(Command::Verify(args)) => commands::verify::run(&repository, args),
    }
}
