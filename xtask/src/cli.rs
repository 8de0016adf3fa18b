//! The grammar of the command line. The doc comments are the help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use verdict::Tier;

use crate::render::class;
use crate::shard;
use crate::timing::load::Sweep;

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
    /// Time a kata: each approach beside the reference solution and beside its limit
    Time(TimeArgs),
    /// Grade a class: a folder with one entry per learner
    Grade(GradeArgs),
    /// Put the shards of a class together
    Merge(MergeArgs),
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

#[derive(Debug, Args)]
pub(crate) struct TimeArgs {
    /// The kata; only a right answer is timed
    pub(crate) kata: String,
    #[command(flatten)]
    pub(crate) whose: WhoseArgs,
    /// Print one JSON document on standard output, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    /// Write a chart
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) plot: Option<PathBuf>,
    /// Time over the number of workers, without the reference: workers=1,2,4,8
    #[arg(long, value_name = "workers=N,…")]
    pub(crate) sweep: Option<Sweep>,
    /// How much work; for fetch: requests=100,latency=50 (ms),in-flight=100,profile=fixed, or jittered, slow-tail, stalls
    #[arg(long, value_name = "NAME=VALUE,…", value_delimiter = ',')]
    pub(crate) load: Vec<String>,
    /// Time this approach only, however long it takes; may be given several times
    #[arg(long = "approach", value_name = "NAME")]
    pub(crate) approaches: Vec<String>,
    /// How many rounds; otherwise as many as it takes to be sure, and 3 in a sweep
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The katas to verify; all of them if none is named
    pub(crate) katas: Vec<String>,
    /// Run everything that many times: each verdict must be the same each time. With more than one, wrong answers that fail on
    /// schedules as declared are also run on threads
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeat: u32,
    /// Try all scenarios of what must pass up to their bound, which takes minutes an answer
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

#[derive(Debug, Args)]
#[command(after_help = reports())]
pub(crate) struct GradeArgs {
    /// The class: a folder with one checkout, kata folder, .zip or .tar.gz per learner
    pub(crate) class: PathBuf,
    /// Where the record and the reports go; the same folder again goes on where the last run stopped
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Grade this kata only; may be given several times
    #[arg(long = "kata", value_name = "KATA", conflicts_with = "course")]
    pub(crate) katas: Vec<String>,
    /// Which katas count, their weights, the deadline; CLASS/course.toml if it is there
    #[arg(long, value_name = "FILE")]
    pub(crate) course: Option<PathBuf>,
    /// Grade only part K of N, or the part that the machine's variables name (`auto`)
    #[arg(long, value_name = "K/N")]
    pub(crate) shard: Option<shard::Wanted>,
    /// Refuse to grade with less isolation than this: limits, confined or isolated
    #[arg(long, value_name = "TIER", value_parser = parse_tier)]
    pub(crate) require_isolation: Option<Tier>,
    /// Memory that a test may use, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 512, value_parser = clap::value_parser!(u64).range(16..))]
    pub(crate) memory: u64,
    /// Seconds on the clock that compiling one crate may take
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) compile_seconds: u64,
    /// Seconds on the clock that a test may take, if the kata gives it more
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) test_seconds: u64,
    /// The seed of sampled schedules
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// How many schedules a test may explore
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) schedules: Option<u64>,
    /// Try all scenarios up to their bound, which takes minutes an answer, and not only what a budget allows for
    #[arg(long)]
    pub(crate) deep: bool,
    /// Leave out the rules on the syntax tree: isolation must hold without them, and the attack suite shows that it does
    #[arg(long, hide = true)]
    pub(crate) without_inspection: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// The folders that the shards were written to
    #[arg(required = true, value_name = "DIR")]
    pub(crate) shards: Vec<PathBuf>,
    /// Where the whole record and its reports go
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

/// A tier by its name.
fn parse_tier(text: &str) -> Result<Tier, String> {
    match text {
        "limits" => Ok(Tier::Limits),
        "confined" => Ok(Tier::Confined),
        "isolated" => Ok(Tier::Isolated),
        _ => Err("the tiers are limits, confined and isolated".to_string()),
    }
}

/// What `grade --help` says of the files that it writes.
fn reports() -> String {
    let lines: String = class::list().lines().map(|line| format!("  {line}\n")).collect();
    format!("Reports:\n{lines}")
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
