//! What one test process says about its one test.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Position, Trace};

/// Environment variable: the file to which a test process writes its [`Record`]. Unset when tests are run by hand.
pub const RECORD_FILE: &str = "INTERLEAVE_RECORD";
/// Environment variable: how many schedules a test may explore.
pub const SCHEDULES: &str = "INTERLEAVE_SCHEDULES";
/// Environment variable: the seed of sampled schedules.
pub const SEED: &str = "INTERLEAVE_SEED";
/// Environment variable: run only this schedule (in [`Trace::schedule`]'s notation) and record it.
pub const REPLAY: &str = "INTERLEAVE_REPLAY";

/// Environment variable: how many steps the schedules of all scenarios may have together.
pub const STEPS: &str = "INTERLEAVE_STEPS";
/// Environment variable: set if the test's program has no line tables, so that nobody need look for lines on its stacks.
pub const WITHOUT_LINES: &str = "INTERLEAVE_WITHOUT_LINES";

/// How a test is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// On the operating system's threads, once, under a watchdog.
    Threads,
    /// On every schedule that the explorer finds within its budget.
    Schedules,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::Threads => "threads",
            Mode::Schedules => "schedules",
        })
    }
}

/// Why a test failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Reached a `todo!()`.
    Unsolved,
    /// An assertion fails, in every schedule.
    Assertion,
    /// An assertion fails, but only in some schedules.
    Race,
    /// Threads wait for each other in a circle, or for something that can't happen any more.
    Deadlock,
    /// A thread waits for a notification that nobody is left to send.
    LostWakeup,
    /// Threads run on for ever without progress.
    Livelock,
    /// The answer is right, but nothing overlapped where it had to.
    Serialised,
    /// Threads, processes or tasks are left behind.
    Leak,
    /// The code panicked.
    Panic,
    /// Not done when the time was up.
    Timeout,
    /// The process ended without finishing the test: a signal, an abort.
    Crash,
    /// More memory than allowed.
    OutOfMemory,
    /// More output than allowed.
    OutputLimit,
    /// The code does different things under one and the same schedule.
    Nondeterministic,
    /// The process exited successfully, but without the record of a finished test.
    Tampered,
}

impl Kind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Kind; 15] = [
        Kind::Unsolved,
        Kind::Assertion,
        Kind::Race,
        Kind::Deadlock,
        Kind::LostWakeup,
        Kind::Livelock,
        Kind::Serialised,
        Kind::Leak,
        Kind::Panic,
        Kind::Timeout,
        Kind::Crash,
        Kind::OutOfMemory,
        Kind::OutputLimit,
        Kind::Nondeterministic,
        Kind::Tampered,
    ];

    /// The kind's name as JSON, reports and the first line of a wrong submission spell it: `lost-wakeup`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Unsolved => "unsolved",
            Kind::Assertion => "assertion",
            Kind::Race => "race",
            Kind::Deadlock => "deadlock",
            Kind::LostWakeup => "lost-wakeup",
            Kind::Livelock => "livelock",
            Kind::Serialised => "serialised",
            Kind::Leak => "leak",
            Kind::Panic => "panic",
            Kind::Timeout => "timeout",
            Kind::Crash => "crash",
            Kind::OutOfMemory => "out-of-memory",
            Kind::OutputLimit => "output-limit",
            Kind::Nondeterministic => "nondeterministic",
            Kind::Tampered => "tampered",
        }
    }

    /// The kind of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a test process says about its test when it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// How the test was run.
    pub mode: Mode,
    /// How it ended.
    pub outcome: Outcome,
    /// What was explored, in [`Mode::Schedules`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    /// The failing schedule, or the replayed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// The position that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

impl Record {
    /// A record that says no more than how the test ended.
    pub fn new(mode: Mode, outcome: Outcome) -> Record {
        Record { mode, outcome, coverage: None, trace: None, position: None }
    }
}

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The contract held.
    Passed,
    /// The contract was broken.
    Failed(Failure),
    /// This test does not run in this mode: the other one judges it.
    Skipped,
    /// The test itself is no good, and why. Never the learner's fault.
    Broken(String),
    /// The schedule to replay does not fit this test, and why: it is another test's, or the code has changed.
    Misfit(String),
}

/// How the contract was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of mistake it is.
    pub kind: Kind,
    /// What happened, for the learner. The first line says it all; more may follow.
    pub message: String,
}

/// What an exploration has covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// How many schedules were run, sampled ones included.
    pub schedules: u64,
    /// How many of them failed.
    pub failing: u64,
    /// Whether these are all schedules there are (up to the order of independent steps).
    pub complete: bool,
    /// Whether steps that a thread repeats were taken together, so that others did not come between them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub coarse: bool,
    /// All schedules with up to this many preemptions were run, when `complete` is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preemptions: Option<u32>,
    /// How many schedules were drawn at random, after the exhaustive part.
    #[serde(default)]
    pub sampled: u64,
    /// How many scenarios these are the schedules of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenarios: Option<Scenarios>,
}

/// How many small programs of calls were tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenarios {
    /// How many were tried.
    pub tried: u64,
    /// How many of these passed on all their schedules, in each way in which time can pass there.
    pub proven: u64,
    /// How many there are up to the contract's bound.
    pub planned: u64,
    /// How many of those come first, since they tell most: an honest answer gets through these.
    pub first: u64,
}

impl Coverage {
    /// Whether a pass rests on less than it should: some schedules were left out, or the budget for scenarios was used up by few
    /// of them.
    pub fn is_in_doubt(&self) -> bool {
        !self.complete && self.scenarios.is_none_or(|scenarios| scenarios.tried < scenarios.first)
    }
}

impl fmt::Display for Coverage {
    /// `all 2,184 schedules`, or `all schedules with up to 2 preemptions (9,310), then 10,000 sampled`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scenarios) = &self.scenarios {
            return scenarios.write(f, self.schedules);
        }
        if self.complete {
            return match self.schedules {
                1 => f.write_str("the only schedule"),
                n => write!(f, "all {} schedules", thousands(n)),
            };
        }
        let exhaustive = self.schedules - self.sampled;
        match self.preemptions {
            Some(1) => write!(f, "all schedules with up to 1 preemption ({})", thousands(exhaustive))?,
            Some(n) => write!(f, "all schedules with up to {n} preemptions ({})", thousands(exhaustive))?,
            None if self.schedules == 1 => f.write_str("1 schedule")?,
            None => write!(f, "{} schedules", thousands(exhaustive))?,
        }
        if self.sampled > 0 {
            write!(f, ", then {} sampled", thousands(self.sampled))?;
        }
        if self.coarse {
            f.write_str(", with repeated steps taken together")?;
        }
        Ok(())
    }
}

impl Scenarios {
    /// `all 1,204 scenarios on all 66,560 schedules`, or `800 of 1,204 scenarios, 750 of them on all schedules (40,112)`.
    fn write(&self, f: &mut fmt::Formatter<'_>, schedules: u64) -> fmt::Result {
        let Scenarios { tried, proven, planned, .. } = *self;
        let schedules = thousands(schedules);
        if proven == planned {
            return write!(f, "all {} scenarios on all {schedules} schedules", thousands(planned));
        }
        let of_them = thousands(proven);
        write!(
            f,
            "{} of {} scenarios, {of_them} of them on all schedules ({schedules})",
            thousands(tried),
            thousands(planned)
        )
    }
}

/// `1234567` as `1,234,567`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kinds_name_is_its_json() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
    }

    #[test]
    fn coverage_says_what_was_covered() {
        let complete = Coverage { schedules: 2184, complete: true, ..Coverage::default() };
        assert_eq!(complete.to_string(), "all 2,184 schedules");
        let bounded = Coverage { schedules: 19_310, preemptions: Some(2), sampled: 10_000, ..Coverage::default() };
        assert_eq!(bounded.to_string(), "all schedules with up to 2 preemptions (9,310), then 10,000 sampled");
    }
}
