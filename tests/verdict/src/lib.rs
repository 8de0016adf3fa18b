//! What is exchanged between a test process, the grader and every report, as plain data.
//!
//! A test process writes one [`Record`]. The grader turns the records of a subject into a [`KataVerdict`], the document
//! that `check --json` prints. A failing schedule travels in both as a [`Trace`].
//!
//! Field names are a contract with other people's scripts: additions are fine, renames are not.

pub mod abort;
mod class;
mod did;
pub mod patience;
mod position;
mod record;
pub mod schedule;
pub mod stack;
mod subject;
pub mod time;
mod trace;

pub use class::{Assignment, Graded, Inputs, Isolation, Late, Learner, Limits, Shard, Tier};
pub use did::Did;
pub use position::{ASK, Ask, Move, Position, Question};
pub use record::{
    Coverage, Failure, Kind, Mode, Outcome, RECORD_FILE, REPLAY, Record, SCHEDULES, SEED, STEPS, Scenarios,
    WITHOUT_LINES, thousands,
};
pub use subject::{Diagnostic, KataVerdict, SubjectVerdict, TestVerdict, Verdict};
pub use trace::{Effect, Held, Location, Missed, Object, Step, Trace, TracedThread, Waiting, WaitsFor};
