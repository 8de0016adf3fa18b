//! The record of grading a class: `results.jsonl`. Its first line is [`Inputs`], every other line one [`Graded`].
//!
//! Every report is a picture of this one record, so it holds whatever a report may want to show.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::KataVerdict;

/// What was graded, and by what: two records can be compared, resumed or merged only if these agree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// What the course calls itself.
    pub title: String,
    /// When answers are due, in RFC 3339, if the course says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// The katas that count, in the order of the reports.
    pub assignments: Vec<Assignment>,
    /// Every learner of the class, sorted: those that other machines grade, too.
    pub learners: Vec<Learner>,
    /// A hash of every submission of the class, those that other machines grade, too.
    pub submissions: String,
    /// A hash of everything that judges: tests, test support, models, the grader itself, pinned versions.
    pub judge: String,
    /// The compiler, as `rustc --version` says it.
    pub toolchain: String,
    /// What each process of a submission may use.
    pub limits: Limits,
    /// How submissions were kept apart from the machine.
    pub isolation: Isolation,
    /// Whether the rules on the syntax tree were applied.
    pub inspection: bool,
    /// The seed of sampled schedules, if not the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// How many schedules a test may explore, if not the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedules: Option<u64>,
    /// Whether all scenarios up to their bound were tried.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deep: bool,
    /// The part of the class that is in this record; nothing if it is the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

/// A kata that counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// The kata.
    pub kata: String,
    /// Its title.
    pub title: String,
    /// How much it counts in the whole course, beside the others.
    pub weight: f64,
    /// Points to be had.
    pub max_score: u32,
    /// Its tests, in the order of the contract.
    pub tests: Vec<String>,
}

/// A learner of the class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Learner {
    /// The name of the entry in the class folder. Text of a stranger: never trusted as a path, markup or formula.
    pub name: String,
    /// What came in after the deadline, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<Late>,
}

/// A submission after its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Late {
    /// Seconds after the deadline.
    pub seconds: u64,
    /// What the course takes off the whole grade, in percent of it.
    pub percent_off: f64,
}

/// What each process of a submission may use. Sizes in bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Seconds on the clock for one test, if its kata gives it more.
    pub seconds: u64,
    /// Memory of a test with everything that it started.
    pub memory: u64,
    /// Output of a test, each stream.
    pub output: u64,
    /// Size of a file that a test writes.
    pub file: u64,
    /// Processes and threads of a test together.
    pub tasks: u32,
    /// Seconds on the clock for one `rustc`.
    pub compile_seconds: u64,
    /// Memory of one `rustc` with its linker.
    pub compile_memory: u64,
}

/// How far a submission was kept apart from the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// Time and output are limited; nothing else.
    None,
    /// Memory, tasks, files and processor time are limited too, and nothing outlives its test.
    Limits,
    /// Also: only its own folder can be written and little else read; no system calls that a kata doesn't need.
    Confined,
    /// Also: a user namespace and a network of its own.
    Isolated,
}

/// What isolation was to be had on the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Isolation {
    /// The tier.
    pub tier: Tier,
    /// What this machine lacks for more, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<String>,
}

/// A part of a class, for one of several machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// Which part, from 1.
    pub number: u32,
    /// Of how many parts.
    pub of: u32,
}

/// What one learner's answer to one kata came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Graded {
    /// Whose answer.
    pub learner: String,
    /// A hash of the answer and of everything that the verdict depends on: as long as it is the same, so is the verdict.
    pub key: String,
    /// The answer's own lines that its traces name, by file and line, for the reports' pictures.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lines: BTreeMap<String, BTreeMap<u32, String>>,
    /// When the verdict stood, in milliseconds since 1970. Records of earlier versions don't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
    /// The verdict.
    #[serde(flatten)]
    pub verdict: KataVerdict,
}
