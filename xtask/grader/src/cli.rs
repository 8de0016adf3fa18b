//! The grammar of what `cargo xtask` hands on to this program. The doc comments are the help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use verdict::Tier;

use crate::class::shard;
use crate::render::class;
use crate::timing::load::Sweep;

/// The grader behind `cargo xtask grade`, `merge` and `time`.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true, max_term_width = 80)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Time a kata: each approach beside the reference solution and beside its limit
    Time(TimeArgs),
    /// Grade a class: a folder with one entry per learner
    Grade(GradeArgs),
    /// Put the shards of a class together
    Merge(MergeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TimeArgs {
    /// The kata; only a right answer is timed
    pub(crate) kata: String,
    /// Time the reference solution instead of your own answer
    #[arg(long, conflicts_with = "submission")]
    pub(crate) solution: bool,
    /// Time a submission: a kata's folder, or a checkout that has `katas/KATA/src`
    #[arg(long, value_name = "DIR")]
    pub(crate) submission: Option<PathBuf>,
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
