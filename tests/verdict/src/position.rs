//! A position in the game of schedules: where threads stand after the first choices, and what may come next.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Step;
use crate::schedule::Case;

/// Environment variable: what is asked about a position of the schedule to replay, as an [`Ask`] is written. The answer is in the
/// record.
pub const ASK: &str = "INTERLEAVE_ASK";

/// What is asked about the position that the first choices of a schedule lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The question.
    pub question: Question,
    /// How many choices of the schedule are made; all of them if it has no more.
    pub after: usize,
}

/// A question about a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// What may come next? The answer is the [`Position`], and the trace up to there. Without a schedule, the whole test is explored
    /// first: then the trace is the failing schedule, and the position its beginning.
    Next,
    /// How do the schedules end that go on from here? The answer is the coverage, and as the trace the one that fails after the
    /// fewest further preemptions.
    Future,
    /// At which position of the schedule could it still go either way for the last time? The answer is that [`Position`], and
    /// coverage and outcome of what comes after its next choice; no position if nothing mattered from the beginning.
    Turn,
}

impl Question {
    /// Each question and its name.
    const NAMES: [(Question, &str); 3] =
        [(Question::Next, "next"), (Question::Future, "future"), (Question::Turn, "turn")];
}

impl fmt::Display for Ask {
    /// `next 3`: what may come next, after three choices.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Question::NAMES.iter().find(|(question, _)| *question == self.question);
        write!(f, "{} {}", named.map_or("", |(_, name)| name), self.after)
    }
}

impl FromStr for Ask {
    type Err = String;

    fn from_str(text: &str) -> Result<Ask, String> {
        let none = || format!("{text:?} is no question (they are like `next 3`)");
        let (name, after) = text.split_once(' ').ok_or_else(none)?;
        let (question, _) = Question::NAMES.into_iter().find(|(_, known)| *known == name).ok_or_else(none)?;
        Ok(Ask { question, after: after.parse().map_err(|_| none())? })
    }
}

/// Where a schedule stands after its first choices. Who holds what and waits for whom is in the trace that comes with it
/// ([`Trace::waiting`](crate::Trace::waiting)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// How many choices of the schedule were made.
    pub after: usize,
    /// How many choices the schedule has in all.
    pub of: usize,
    /// Virtual time since the schedule's start, in nanoseconds.
    pub clock: u64,
    /// What may come next; nothing if the schedule is over.
    pub moves: Vec<Move>,
}

/// One way to go on from a position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The choices that were made, and this one: the schedule that goes on so.
    pub schedule: String,
    /// What would be done. Its effect says whether the operation would be done, time out, or wake or fail for no reason; its locks
    /// are those that the thread holds now.
    pub step: Step,
    /// How many newer values the atomic has than the one that would be read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub older: u8,
    /// Which of several ways of the same operation it is, counted from 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub way: u8,
    /// Whether it is what comes next where nobody asks for anything else: the thread that runs goes on.
    #[serde(default)]
    pub usual: bool,
    /// Whether the schedule that was given goes on so.
    #[serde(default)]
    pub follows: bool,
}

fn is_zero(number: &u8) -> bool {
    *number == 0
}

impl Position {
    /// Says of each schedule which input or scenario it is of.
    pub fn is_of(&mut self, case: Case) {
        for next in &mut self.moves {
            next.schedule = case.before(&next.schedule);
        }
    }

    /// Renames every file that it names, say from where it was staged to where its owner keeps it.
    pub fn for_each_file(&mut self, rename: impl Fn(&str) -> String) {
        for next in &mut self.moves {
            next.step.at.file = rename(&next.step.at.file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_read_as_it_is_written() {
        for (question, _) in Question::NAMES {
            let ask = Ask { question, after: 17 };
            assert_eq!(ask.to_string().parse(), Ok(ask));
        }
        for text in ["", "next", "next x", "what 3", "next -1"] {
            assert!(text.parse::<Ask>().is_err(), "{text:?}");
        }
    }
}
