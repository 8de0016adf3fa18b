//! What `cargo xtask time` and a workload's process say to each other: one line of JSON in each direction.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The word that begins an answer's line. Whatever else a submission prints is ignored.
pub const ANSWER: &str = "interleave-time ";

/// How much work there is: named numbers and words, `requests` 100, `profile` fixed.
pub type Load = BTreeMap<String, Setting>;

/// One value of a [`Load`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// How many, or how long: the workload says in which unit.
    Number(u64),
    /// One of a few choices.
    Word(String),
}

/// What the command line asks a workload's process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Comes back with the answer, so that an answer can't have been printed before the question.
    pub token: u64,
    /// What to do.
    pub task: Task,
}

/// What a workload's process can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Be the mock site from now on.
    Serve {
        /// How much work there is: the site takes its latencies from it.
        load: Load,
    },
    /// Get ready, and say what there is to time.
    Describe {
        /// How much work there is.
        load: Load,
        /// Where the mock site listens, if there is one.
        site: Option<String>,
    },
    /// Say what limits an approach.
    Limit {
        /// The approach's name.
        approach: String,
        /// Threads, tasks or processes at once.
        workers: u32,
    },
    /// Do the whole work once.
    Run {
        /// The approach's name.
        approach: String,
        /// Threads, tasks or processes at once.
        workers: u32,
        /// The number of the round. The work differs a little from round to round, so that no answer can be kept.
        round: u32,
    },
    /// Say how many requests in a second the mock site can answer at all.
    Ceiling,
}

/// What a workload's process answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The question's.
    pub token: u64,
    /// What came of it.
    pub reply: Reply,
}

/// What came of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// The mock site is up.
    Serving {
        /// Where it listens: `127.0.0.1:8000`.
        site: String,
    },
    /// What there is to time.
    Described {
        /// The work, in one line for people.
        about: String,
        /// The ways to do it, in the order of the lesson.
        approaches: Vec<Approach>,
    },
    /// What limits an approach.
    Limited {
        /// The limit.
        limit: Bound,
    },
    /// The work is done, and its result was right.
    Ran {
        /// How long it took.
        seconds: f64,
    },
    /// What the mock site can do.
    Ceiling {
        /// Requests in a second, answered without any latency.
        per_second: f64,
    },
    /// The work failed, or its result was wrong.
    Failed {
        /// Why.
        message: String,
    },
}

/// A way to do the work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approach {
    /// What people call it: `one by one`, `threads`.
    pub name: String,
    /// How many workers it has if nobody says otherwise; nothing if that can't be chosen.
    pub workers: Option<u32>,
    /// How many pieces of work a run has, for rates; nothing if a rate would say nothing.
    pub pieces: Option<u64>,
    /// The approach that this is another way for: it is the workload's own, so it is compared with that one, and not with the
    /// reference's.
    pub instead_of: Option<String>,
}

/// What no implementation of an approach can beat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// Nothing that could be told in advance.
    Nothing,
    /// So long: it has to wait for others.
    Seconds(f64),
    /// A share of another approach's time: it has to compute, and so many can compute at once.
    Share {
        /// The other approach's name.
        of: String,
        /// The share: a half with two cores.
        share: f64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_one_line_and_comes_back_the_same() {
        let load = Load::from([
            ("requests".to_owned(), Setting::Number(100)),
            ("profile".to_owned(), Setting::Word("slow-tail".to_owned())),
        ]);
        let question = Question { token: 7, task: Task::Describe { load, site: Some("127.0.0.1:80".to_owned()) } };
        let line = serde_json::to_string(&question).expect("JSON");
        assert!(!line.contains('\n'), "{line}");
        assert_eq!(serde_json::from_str::<Question>(&line).expect("a question"), question);
    }
}
