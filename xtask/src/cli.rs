//! The grammar of the command line. The doc comments are the help.

use std::ffi::OsString;
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
    /// Check a kata: build, run every test on schedules and threads, and say what is wrong
    Check(CheckArgs),
    /// The learner's screen: checks on every save, keys for everything else
    Watch {
        /// The kata to begin with; the one at hand if none is named
        kata: Option<String>,
    },
    /// Reveal the next hint
    Hint {
        /// The kata; the one at hand if none is named
        kata: Option<String>,
        /// Show the hints that were revealed before, and no new one
        #[arg(long)]
        shown: bool,
    },
    /// Show the lesson
    Explain {
        /// The kata; the one at hand if none is named
        kata: Option<String>,
    },
    /// Bring the stub back; what it replaces is kept
    Reset {
        /// The kata; the one at hand if none is named
        kata: Option<String>,
    },
    /// You are the scheduler: choose who goes on, step by step, and back
    Play(PlayArgs),
    /// Run one schedule of one test again and show it step by step
    Replay(ReplayArgs),
    #[command(flatten)]
    Grader(Grader),
    /// For maintainers: write the skeleton of a kata, from which `verify` leads to a finished one
    New {
        /// The new kata's name
        kata: String,
    },
    /// For maintainers: stubs fail, solutions pass, wrong submissions are rejected for their reason, right ones accepted
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The kata, or several; or a kata and one of its tests. Without a kata, the one at hand: that whose files changed last
    #[arg(value_name = "KATA [TEST]")]
    pub(crate) names: Vec<String>,
    /// Check every kata of the course
    #[arg(long, conflicts_with = "names")]
    pub(crate) course: bool,
    /// Explain every failing test, and not only the first
    #[arg(long)]
    pub(crate) all: bool,
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

impl WhoseArgs {
    /// The same arguments as text, for commands that are shown.
    pub(crate) fn shown(&self) -> String {
        match &self.submission {
            Some(folder) => format!(" --submission {}", quoted(&folder.display().to_string())),
            None if self.solution => " --solution".to_string(),
            None => String::new(),
        }
    }
}

/// A path as shells take it for one word, whatever is in it.
fn quoted(path: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "/\\._-:".contains(letter);
    if !path.is_empty() && path.chars().all(plain) {
        path.to_string()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The kata
    pub(crate) kata: String,
    /// The test
    pub(crate) test: String,
    /// The schedule, as a failed check prints it; none if the test has only one
    #[arg(long, value_name = "S")]
    pub(crate) schedule: Option<String>,
    #[command(flatten)]
    pub(crate) whose: WhoseArgs,
    /// Write the schedule to a file: its record (.json), a picture (.svg) or a page to step through (.html)
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct PlayArgs {
    /// The kata
    pub(crate) kata: String,
    /// The test
    pub(crate) test: String,
    /// Begin after these choices: a schedule, as a failed check prints it, or the beginning of one
    #[arg(long, value_name = "S")]
    pub(crate) schedule: Option<String>,
    #[command(flatten)]
    pub(crate) whose: WhoseArgs,
    /// Play a wrong submission of the repository's, by its name in tests/wrong/KATA: to show what is wrong with it
    #[arg(long, value_name = "NAME", conflicts_with_all = ["solution", "submission"])]
    pub(crate) wrong: Option<String>,
    /// Write a page to play in a browser, with the positions of the test
    #[arg(long, value_name = "FILE.html")]
    pub(crate) html: Option<PathBuf>,
    /// How many positions the page has at most
    #[arg(long, value_name = "N", default_value_t = 500, requires = "html", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) positions: u32,
}

/// Commands of the grader, a program of its own, which has their grammar.
#[derive(Debug, Subcommand)]
pub(crate) enum Grader {
    /// Time a kata: each approach beside the reference solution and beside its limit
    #[command(disable_help_flag = true)]
    Time(AsGiven),
    /// Grade a class: a folder with one entry per learner
    #[command(disable_help_flag = true)]
    Grade(AsGiven),
    /// Put the shards of a class together
    #[command(disable_help_flag = true)]
    Merge(AsGiven),
}

/// All that follows, as it is.
#[derive(Debug, Args)]
pub(crate) struct AsGiven {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub(crate) args: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The katas to verify; all of them if none is named
    pub(crate) katas: Vec<String>,
    /// Run everything that many times: each verdict must be the same each time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeat: u32,
    /// Try all scenarios of what must pass up to their bound, which takes minutes an answer, and run all tests of what must fail
    #[arg(long)]
    pub(crate) deep: bool,
    /// Judge mutants of the solutions, each with one small mistake: every one must be rejected, or be listed as equivalent;
    /// with TEXT, only those whose names have it
    #[arg(
        long,
        value_name = "TEXT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        conflicts_with = "repeat"
    )]
    pub(crate) mutants: Option<String>,
    /// Write how many mutants were made and rejected into README.md
    #[arg(long, requires = "mutants")]
    pub(crate) readme: bool,
    /// Judge the same answers with thousands of steps that mean nothing in every public function
    #[arg(long, conflicts_with_all = ["mutants", "repeat", "deep"])]
    pub(crate) noise: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_to_a_shell() {
        assert_eq!(quoted("/home/ada/katas-1.0/lock"), "/home/ada/katas-1.0/lock");
        assert_eq!(quoted("a b$(c)"), "'a b$(c)'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
