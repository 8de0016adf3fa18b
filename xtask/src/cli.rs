//! The grammar of the command line. The doc comments are the help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Concurrency katas that nobody passes by luck.
///
/// Fill in the stub in `katas/KATA/src/lib.rs`, then run `cargo xtask check KATA`. Without a command, the course map is shown.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true, max_term_width = 80)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the katas
    List {
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Check katas: build, run every test on schedules and threads, and say what is wrong
    Check(CheckArgs),
    /// Check on every save; `q` and Enter, or Ctrl-C, ends it
    Watch {
        /// The kata to watch; without one, whichever kata is saved
        kata: Option<String>,
    },
    /// Reveal the next hint
    Hint {
        /// The kata
        kata: String,
        /// Show the hints that were revealed before, and no new one
        #[arg(long)]
        shown: bool,
    },
    /// Show the lesson
    Explain {
        /// The kata
        kata: String,
    },
    /// Bring the stub back; what it replaces is kept
    Reset {
        /// The kata
        kata: String,
    },
    /// Run one schedule of one test again and show it step by step
    Replay(ReplayArgs),
    /// For maintainers: stubs fail, solutions pass, wrong submissions are rejected for their reason, right ones accepted
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The katas to check; all of them if none is named
    pub(crate) katas: Vec<String>,
    #[command(flatten)]
    pub(crate) whose: WhoseArgs,
    /// Print one JSON document on standard output, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    /// The seed of sampled schedules
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// How many schedules a test may explore
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) schedules: Option<u64>,
    /// Write the first failing schedule to a file: its record (.json), a picture (.svg) or a page to step through (.html)
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct WhoseArgs {
    /// Judge the reference solution instead of your own
    #[arg(long, conflicts_with = "submission")]
    pub(crate) solution: bool,
    /// Judge a submission: a kata's folder, or a checkout that has `katas/KATA/src`
    #[arg(long, value_name = "DIR")]
    pub(crate) submission: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The kata
    pub(crate) kata: String,
    /// The test
    pub(crate) test: String,
    /// The schedule, as a failed check prints it
    #[arg(long, value_name = "S")]
    pub(crate) schedule: String,
    #[command(flatten)]
    pub(crate) whose: WhoseArgs,
    /// Write the schedule to a file: its record (.json), a picture (.svg) or a page to step through (.html)
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The katas to verify; all of them if none is named
    pub(crate) katas: Vec<String>,
    /// Run everything that many times: each verdict must be the same each time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeat: u32,
}
