//! What threads meet at: each object registers with the schedule when it is first used in it.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{Location, RefUnwindSafe};

use super::operation::{NOBODY, ObjectIndex, Site, ThreadIndex};
use super::state::{Phase, State};

/// The part of a modelled object that knows its place in the schedule's table.
///
/// It is `const`-constructible, so that statics work. The entry is made at the first use in a schedule: an object that
/// outlives a schedule (a static, or something that the test captured) gets a fresh entry in the next one.
#[derive(Debug)]
pub(crate) struct Identity {
    epoch: Cell<u64>,
    index: Cell<ObjectIndex>,
    made_at: Site,
}

// A panic leaves nothing half done here.
impl RefUnwindSafe for Identity {}

// SAFETY: the cells are touched only through `State`, which lives in a thread-local of the one OS thread that explores,
// and explorations exclude each other by a process-wide lock (`run::EXPLORING`).
unsafe impl Sync for Identity {}

/// What an [`Identity`] finds when it registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// Known in this schedule.
    Known,
    /// First used in this schedule, and never before.
    New,
    /// First used in this schedule, but it is left from an earlier one.
    Stale,
}

impl Identity {
    /// An identity of an object that is made where the caller was called.
    #[track_caller]
    pub(crate) const fn new() -> Identity {
        Identity { epoch: Cell::new(0), index: Cell::new(0), made_at: Location::caller() }
    }

    /// An identity of an object that is made at this place.
    pub(crate) const fn made_at(made_at: Site) -> Identity {
        Identity { epoch: Cell::new(0), index: Cell::new(0), made_at }
    }

    /// The object's place in this schedule's table, if it was used in this schedule.
    pub(crate) fn known(&self, state: &State) -> Option<ObjectIndex> {
        (self.epoch.get() == state.epoch).then(|| self.index.get())
    }

    /// The object's place in this schedule's table. Registers it at first use.
    pub(crate) fn register(&self, state: &mut State, what: What, fresh: impl FnOnce() -> Model) -> (ObjectIndex, Age) {
        if self.epoch.get() == state.epoch {
            return (self.index.get(), Age::Known);
        }
        let age = match self.epoch.get() {
            0 => Age::New,
            // Destructors that run when a schedule is over find everything as it was left.
            _ if state.phase == Phase::Ended => Age::Known,
            _ => Age::Stale,
        };
        let index = state.objects.len() as ObjectIndex;
        state.objects.push(Object { what, made_at: self.made_at, model: fresh() });
        self.epoch.set(state.epoch);
        self.index.set(index);
        (index, age)
    }
}

/// What an object is, for names in a trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct What {
    /// `Mutex`, `Condvar`, `channel`, `AtomicBool`.
    pub(crate) what: &'static str,
    /// The full type name of what it holds, where that names it better.
    pub(crate) holds: fn() -> &'static str,
}

impl What {
    /// An object that is named by its own kind.
    pub(crate) const fn plain(what: &'static str) -> What {
        What { what, holds: || "" }
    }

    /// An object that is named by what it holds.
    pub(crate) const fn holding<T: ?Sized>(what: &'static str) -> What {
        What { what, holds: std::any::type_name::<T> }
    }
}

/// One entry of the schedule's table.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) what: What,
    pub(crate) made_at: Site,
    pub(crate) model: Model,
}

/// What the scheduler has to know of an object in order to say who can go on.
#[derive(Debug)]
pub(crate) enum Model {
    /// Nothing: an atomic.
    Plain,
    /// A mutex or a reader-writer lock.
    Lock(Lock),
    /// A condition variable: the waiters, in the order of their coming.
    Condvar(VecDeque<ThreadIndex>),
    /// A channel.
    Channel(Channel),
    /// A `Once`, a `OnceLock`, a `LazyLock`.
    Once(Once),
    /// A barrier.
    Barrier {
        /// How many are here.
        arrived: usize,
        /// How often it opened.
        generation: u64,
    },
}

/// A lock's holders.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Who has it alone.
    pub(crate) writer: ThreadIndex,
    /// Where it was taken.
    pub(crate) taken_at: Option<Site>,
    /// How often the holder has taken it.
    pub(crate) depth: u32,
    /// How many wait to have it alone and let no reader in; counted only where that makes a difference.
    pub(crate) waiting: u32,
    /// How many may have it together.
    pub(crate) room: usize,
    /// Who has it together, once for each guard.
    pub(crate) readers: Vec<(ThreadIndex, Site)>,
    /// Whether a holder panicked.
    pub(crate) poisoned: bool,
}

impl Lock {
    /// A free lock.
    pub(crate) fn free() -> Lock {
        Lock {
            writer: NOBODY,
            taken_at: None,
            depth: 0,
            waiting: 0,
            room: usize::MAX,
            readers: Vec::new(),
            poisoned: false,
        }
    }

    /// Whether nobody has it.
    pub(crate) fn is_free(&self) -> bool {
        self.writer == NOBODY && self.readers.is_empty()
    }

    /// Whether another reader may have it: a waiting writer holds all of them up, as on Linux.
    pub(crate) fn lets_readers_in(&self) -> bool {
        self.writer == NOBODY && self.waiting == 0 && self.readers.len() < self.room
    }

    /// Whether this thread has it, alone or with others.
    pub(crate) fn is_held_by(&self, thread: ThreadIndex) -> bool {
        self.writer == thread || self.readers.iter().any(|reader| reader.0 == thread)
    }
}

/// A channel's counters. The messages themselves are with the channel, in the same order as the tickets.
#[derive(Debug)]
pub(crate) struct Channel {
    /// How many messages fit in; none for no limit, 0 for hand to hand.
    pub(crate) capacity: Option<usize>,
    /// The tickets of the messages inside.
    pub(crate) inside: VecDeque<u64>,
    /// The next ticket.
    pub(crate) next: u64,
    /// Whether somebody can still send.
    pub(crate) senders: usize,
    /// Whether somebody can still receive.
    pub(crate) receivers: usize,
    /// How many wait for a message, hand to hand; counted only where somebody sees it.
    pub(crate) waiting: usize,
}

/// An arm of a thread that waits: its channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Awaits {
    pub(crate) object: ObjectIndex,
    /// Whether it waits for room, and not for a message.
    pub(crate) sends: bool,
}

impl Awaits {
    /// Whether the arm could be taken now.
    pub(crate) fn is_ready(&self, objects: &[Object]) -> bool {
        let Model::Channel(channel) = &objects[self.object as usize].model else { return false };
        if self.sends { channel.receivers == 0 || channel.has_room() } else { channel.has_message_or_end() }
    }
}

impl Channel {
    /// Whether a message could be let in without waiting.
    pub(crate) fn has_room(&self) -> bool {
        match self.capacity {
            None => true,
            Some(0) => self.waiting > self.inside.len(),
            Some(most) => self.inside.len() < most,
        }
    }

    /// Whether a receiver would not wait.
    pub(crate) fn has_message_or_end(&self) -> bool {
        !self.inside.is_empty() || self.senders == 0
    }
}

/// An initialisation's progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Once {
    /// Not begun.
    Fresh,
    /// Somebody is inside.
    Running(ThreadIndex),
    /// Complete.
    Done,
    /// It panicked.
    Poisoned,
}
