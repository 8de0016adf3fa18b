//! What the grader says about one subject: the document of `check --json`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Coverage, Kind, Mode, Trace};

/// The verdict on one subject of one kata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KataVerdict {
    /// The kata's name.
    pub kata: String,
    /// Whose answer it is: a path or `solution`.
    pub subject: String,
    /// The verdict on the whole.
    pub verdict: SubjectVerdict,
    /// Points reached.
    pub score: u32,
    /// Points to be had.
    pub max_score: u32,
    /// From staging to verdict.
    pub seconds: f64,
    /// One entry a test and mode, in the contract's order.
    pub tests: Vec<TestVerdict>,
    /// What the compiler or the kata's rules object to.
    pub diagnostics: Vec<Diagnostic>,
}

/// The verdict on a subject as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectVerdict {
    /// Every test passed.
    Passed,
    /// A test failed.
    Failed,
    /// Nothing is wrong so far, but a `todo!()` is left.
    Unsolved,
    /// It does not compile.
    CompileError,
    /// It breaks a rule of the kata.
    Rejected,
    /// There is nothing to judge.
    Missing,
    /// The grader failed; never the learner's fault.
    GraderError,
}

impl SubjectVerdict {
    /// The name that JSON and reports use: `compile-error`.
    pub fn name(self) -> &'static str {
        match self {
            SubjectVerdict::Passed => "passed",
            SubjectVerdict::Failed => "failed",
            SubjectVerdict::Unsolved => "unsolved",
            SubjectVerdict::CompileError => "compile-error",
            SubjectVerdict::Rejected => "rejected",
            SubjectVerdict::Missing => "missing",
            SubjectVerdict::GraderError => "grader-error",
        }
    }
}

impl fmt::Display for SubjectVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The verdict on a test in one mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestVerdict {
    /// The test's name, which is its sentence in the contract.
    pub name: String,
    /// How it was run.
    pub mode: Mode,
    /// Passed or failed.
    pub verdict: Verdict,
    /// Why it failed.
    pub kind: Option<Kind>,
    /// What happened, for the learner; empty if it passed.
    pub message: String,
    /// How many schedules were run.
    pub schedules: Option<u64>,
    /// What the exploration covered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    /// How long the test process took.
    pub seconds: f64,
    /// Points that this test gave. A test that runs in both modes gives them in its last one.
    pub points: u32,
    /// What the learner's code printed, cut where it is long.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
    /// The failing schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
}

/// A test's verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The contract held.
    Passed,
    /// It was broken.
    Failed,
}

/// What the compiler or a rule objects to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// `error`, `warning`, or `rule`.
    pub level: String,
    /// The objection in one sentence.
    pub message: String,
    /// The file, as the learner knows it.
    pub file: Option<String>,
    /// Counted from 1.
    pub line: Option<u32>,
    /// The compiler's own picture of it, with the learner's paths.
    pub rendered: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdicts_name_is_its_json() {
        use SubjectVerdict::*;
        for verdict in [Passed, Failed, Unsolved, CompileError, Rejected, Missing, GraderError] {
            assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.name());
        }
    }
}
