//! What a test harness notes in a schedule, so that it can judge the whole of it as a history.
//!
//! Marks are steps that touch nothing: they add no schedules to the reduced search. Two marks that nothing orders could
//! have come in the other order in a schedule that is the same to every thread. So a mark carries what happened before it.

use std::time::Duration;

use super::operation::ThreadIndex;

/// Something that was noted, and when.
#[derive(Clone, Debug)]
pub struct Mark {
    /// Who noted it.
    pub thread: ThreadIndex,
    /// What it is.
    pub what: Marked,
    /// Virtual time since the schedule's start.
    pub now: Duration,
    /// The step's place in the schedule.
    place: u32,
    /// For each thread, how many steps of the schedule up to its last one that happened before. Nothing where that was not
    /// kept: then the marks' own order counts.
    past: Option<Box<[u32]>>,
}

/// What a mark says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Marked {
    /// The call of this number begins.
    Begins(usize),
    /// The call of this number returns, with this answer.
    Returns(usize, String),
    /// This happened, to whatever has this number.
    Notes(&'static str, usize),
    /// Nobody else could go on, and time stays as it is. What is noted earlier and later is ordered as if time had moved.
    StandsStill,
    /// Time has moved; no thread could go on before if `still`. Whatever was noted earlier comes before it, and whatever is
    /// noted later comes after it.
    TimeMoves {
        /// Whether all threads stood still.
        still: bool,
    },
}

impl Mark {
    pub(super) fn new(thread: ThreadIndex, what: Marked, now: u64, past: Option<&[u32]>) -> Mark {
        let place = past.and_then(|past| past.get(thread)).map_or(0, |steps| steps.saturating_sub(1));
        Mark { thread, what, now: Duration::from_nanos(now), place, past: past.map(Box::from) }
    }

    /// For each thread, how many steps of the schedule up to its last one that happened before, or noted it; if that was kept.
    pub(crate) fn past(&self) -> Option<&[u32]> {
        self.past.as_deref()
    }

    /// Whether this mark comes before another one, that was noted later, in every schedule that is the same to all threads.
    pub fn is_before(&self, later: &Mark) -> bool {
        match &later.past {
            Some(past) if self.past.is_some() => {
                self.thread == later.thread || past.get(self.thread).is_some_and(|steps| *steps > self.place)
            }
            _ => true,
        }
    }
}
