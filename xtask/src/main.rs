//! `cargo xtask`: teaches, and keeps the katas right. The grammar is in `cli`, each command in `commands`; the steps from a subject to a
//! verdict are the library `pipeline`, and what only instructors need is a program of its own, `grader`.

mod cli;
mod commands;
mod lesson;
mod mutants;
mod noise;
mod play;
mod progress;
mod render;
mod saves;
#[cfg(unix)]
mod screen;
mod skeleton;
mod stub;
mod unfinished;

use std::process::ExitCode;

use clap::Parser;
use pipeline::error::Result;
use pipeline::exit;
use pipeline::repository::Repository;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    exit::code(dispatch(Cli::parse().command))
}

/// Runs the command; says whether everything passed.
fn dispatch(command: Option<Command>) -> Result<bool> {
    let repository = Repository::here()?;
    match command {
        None => commands::map::run(&repository),
        Some(Command::List { json }) => commands::list::run(&repository, json),
        Some(Command::Check(args)) => commands::check::run(&repository, args),
        Some(Command::Watch { kata }) => commands::watch::run(&repository, kata.as_deref()),
        Some(Command::Hint { kata, shown }) => commands::hint::run(&repository, kata.as_deref(), shown),
        Some(Command::Explain { kata }) => commands::explain::run(&repository, kata.as_deref()),
        Some(Command::Reset { kata }) => commands::reset::run(&repository, kata.as_deref()),
        Some(Command::Play(args)) => commands::play::run(&repository, args),
        Some(Command::Replay(args)) => commands::replay::run(&repository, args),
        Some(Command::Grader(grader)) => commands::grader::run(&repository, grader),
        Some(Command::New { kata }) => commands::new::run(&repository, &kata),
        Some(Command::Verify(args)) if args.mutants.is_some() => commands::mutants::run(&repository, args),
        Some(Command::Verify(args)) if args.noise => commands::noise::run(&repository, &args),
        Some(Command::Verify(args)) => commands::verify::run(&repository, args),
    }
}
