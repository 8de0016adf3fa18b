//! What a thread announces before it acts, so that the scheduler knows what may run and what depends on what.

use std::panic::Location;

pub(crate) use verdict::schedule::{Choice, How};

use super::kind::Kind;
use super::memory::Reads;

/// A place in the learner's source.
pub(crate) type Site = &'static Location<'static>;

/// The index of a thread: `main` is 0, the others are counted in the order of their start.
pub(crate) type ThreadIndex = usize;

/// The index of an object in the schedule's table.
pub(crate) type ObjectIndex = u32;

/// Stands for "no object".
pub(crate) const NOTHING: ObjectIndex = u32::MAX;
/// Stands for "no thread".
pub(crate) const NOBODY: ThreadIndex = usize::MAX;
/// The number of a join that does not wait for the destructors of thread-locals.
pub(crate) const RETURNED: u64 = 1;
/// The number of a release that ends a reader's turn, and of a look that sees readers.
pub(crate) const SHARED: u64 = 1;
/// The number of a poll of a future that only lets others go first.
pub(crate) const YIELDED: u64 = 1;
/// Stands for "no deadline", in nanoseconds of virtual time.
pub(crate) const NEVER: u64 = u64::MAX;

/// An operation that a thread is about to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    /// What it means to the scheduler.
    pub(crate) kind: Kind,
    /// What a trace calls it: `lock`, `recv`, `fetch_add`.
    pub(crate) name: &'static str,
    /// The object it is done to.
    pub(crate) object: ObjectIndex,
    /// A second object: the mutex that goes with a condition variable.
    pub(crate) second: ObjectIndex,
    /// The thread it concerns: the one to join, to unpark.
    pub(crate) other: ThreadIndex,
    /// A number that the kind explains: a ticket, a generation.
    pub(crate) number: u64,
    /// Where the learner asked for it.
    pub(crate) at: Site,
    /// When to give up, in nanoseconds of virtual time.
    pub(crate) deadline: u64,
    /// How it reads, if it is one of an atomic that may read an older value than the newest.
    pub(crate) reads: Option<Reads>,
    /// Whether it is one of an atomic that has a place in the order of what is `SeqCst`.
    pub(crate) sequential: bool,
}

impl Operation {
    /// An operation on one object, without a deadline.
    pub(crate) fn new(kind: Kind, name: &'static str, object: ObjectIndex, at: Site) -> Operation {
        Operation {
            kind,
            name,
            object,
            second: NOTHING,
            other: NOBODY,
            number: 0,
            at,
            deadline: NEVER,
            reads: None,
            sequential: false,
        }
    }

    /// An operation that concerns a thread.
    pub(crate) fn on_thread(kind: Kind, name: &'static str, other: ThreadIndex, at: Site) -> Operation {
        Operation { other, ..Operation::new(kind, name, NOTHING, at) }
    }

    /// The same with a deadline.
    pub(crate) fn until(self, deadline: u64) -> Operation {
        Operation { deadline, ..self }
    }

    /// Whether its thread says that others may go first.
    pub(crate) fn yields(&self) -> bool {
        self.kind == Kind::Yield || self.kind == Kind::Poll && self.number == YIELDED
    }
}
