//! What the engine knows of a modelled thread.

use std::any::Any;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::grain::{Habits, Passed};
use super::object::Awaits;
use super::operation::{How, NOBODY, ObjectIndex, Operation, Site, ThreadIndex};
use super::run::{STACK_SIZE, Suspender};

/// The work of a thread: its result is kept by whoever made the job.
pub(crate) type Job = Box<dyn FnOnce()>;

/// Where a thread is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It was spawned and has not run yet.
    New,
    /// It has announced an operation, or runs.
    Live,
    /// It is done.
    Finished,
}

/// A panic, as the hook saw it.
#[derive(Clone, Debug)]
pub(crate) struct PanicNote {
    /// The message, or a stand-in for a payload that is no text.
    pub(crate) message: String,
    /// The file of the `panic!`.
    pub(crate) file: String,
    /// Counted from 1; 0 where it is not known.
    pub(crate) line: u32,
    /// The thread whose end in panic this thread had seen last: the cause, where this panic only passes it on.
    pub(crate) after: ThreadIndex,
    /// Its place in the order of panics.
    pub(crate) order: u32,
    /// Whether the test wants it: see `explored::panics_on_purpose`.
    pub(crate) on_purpose: bool,
}

impl PanicNote {
    /// Whether it is the panic of a `todo!()`.
    pub(crate) fn is_of_a_stub(&self) -> bool {
        self.message.starts_with("not yet implemented")
    }
}

/// Text that says what a test tool waits for, made when it is needed.
pub(crate) type Note = Rc<dyn Fn() -> String>;

/// A modelled thread.
pub(crate) struct ThreadState {
    /// Its own name.
    pub(crate) name: Option<Arc<str>>,
    pub(crate) status: Status,
    /// The operation that it announced.
    pub(crate) pending: Operation,
    /// How it goes on when it is next resumed.
    pub(crate) resumed: How,
    /// How to suspend it, once it has run.
    pub(crate) suspender: Option<Suspender>,
    /// How much stack it asked for, in bytes.
    pub(crate) stack_size: usize,
    /// The addresses of its stack, once it has one. Those that can't be used are at the beginning.
    pub(crate) stack: Range<usize>,
    /// The job, until it begins.
    pub(crate) job: Option<Job>,
    /// Whether a notification has reached it.
    pub(crate) notified: bool,
    /// The channels of which it takes one.
    pub(crate) awaits: Vec<Awaits>,
    /// Its park token.
    pub(crate) token: bool,
    /// Whether somebody has woken it since it last began to poll a future.
    pub(crate) woken: bool,
    /// Whether it is in the middle of polling a future.
    pub(crate) polls: bool,
    /// Whether it is a part of a model, of which no report speaks.
    pub(crate) serves: bool,
    /// How many parts of a model's operation it is inside that are one step for all others.
    pub(crate) whole: u32,
    /// How often it has chosen among several ways, by place.
    pub(crate) chosen: Vec<(Site, u32)>,
    /// How many panics it is unwinding from.
    pub(crate) panicking: u32,
    /// The panic that it unwinds from, or ended with.
    pub(crate) panic: Option<PanicNote>,
    /// Whether its next panic is one that the test wants.
    pub(crate) panics_on_purpose: bool,
    /// Whether a harness wants it to go on: see `explored::has_to_go_on`.
    pub(crate) has_to_go_on: bool,
    /// Whether its job is done: what is left are the destructors of its thread-locals.
    pub(crate) returned: bool,
    /// Whether its end was to be seen before the destructors of its thread-locals.
    pub(super) left: bool,
    /// Whether its job ended in a panic.
    pub(crate) panicked: bool,
    /// Whether its end was seen: joined.
    pub(crate) seen: bool,
    /// The thread whose panic it saw last in a join.
    pub(crate) saw_panic_of: ThreadIndex,
    /// The test tools that it is inside.
    pub(crate) waits_at: Vec<(Option<verdict::Kind>, Note)>,
    /// Thread-locals, by the address of their key; the value is none when it was destroyed.
    pub(crate) locals: Vec<(usize, Option<Rc<dyn Any>>)>,
    /// What it does again and again, where that matters.
    pub(super) habits: Habits,
    /// How many guards it holds that readers of a lock share.
    pub(crate) reads: u32,
    /// How often it has looked at the clock since its last operation.
    pub(super) looks: u32,
    /// How many keys for hashing it has made.
    pub(crate) hash_keys: u64,
    /// What it did since the last change anywhere.
    pub(super) streak: Streak,
}

/// What a thread does while nothing changes: a repetition is spinning.
#[derive(Debug, Default)]
pub(super) struct Streak {
    places: Vec<Place>,
    /// How many operations were repetitions.
    pub(super) repeats: u32,
    /// How many yields were repetitions: the thread says itself that it waits for others.
    pub(super) yields: u32,
    /// How many of them came after a look at something: between two of them it has gone round once.
    pub(super) rounds: u32,
    /// After how many repetitions the clock was last read.
    read_clock: Option<u32>,
    /// Whether that was soon after it had been read before.
    read_again: bool,
    /// Steps that were passed.
    pub(super) passed: Passed,
    /// The state of the world at its start.
    pub(super) version: u64,
}

/// What a thread has done, and where.
#[derive(Debug)]
struct Place {
    at: Site,
    object: ObjectIndex,
    /// Whether it was to let others go first.
    yields: bool,
}

/// A thread that reads the clock and then repeats more than so many operations does something else than to wait for a time.
const LONGEST_ROUND: u32 = 64;

impl Streak {
    /// Whether the thread reads the clock again and again.
    pub(super) fn looks_at_clock(&self) -> bool {
        self.read_again && self.has_just_read()
    }

    fn has_just_read(&self) -> bool {
        self.read_clock.is_some_and(|at| self.repeats - at <= LONGEST_ROUND)
    }

    /// The clock is read.
    pub(super) fn reads_clock(&mut self) {
        self.read_again = self.has_just_read();
        self.read_clock = Some(self.repeats);
    }

    /// Whether it is yields and nothing else: what it waits for, if for anything, nobody can see.
    pub(super) fn only_yields(&self) -> bool {
        self.places.iter().all(|place| place.yields) && self.read_clock.is_none()
    }

    /// Whether the operation is a repetition.
    pub(super) fn has(&self, operation: &Operation) -> bool {
        self.places.iter().any(|seen| std::ptr::eq(seen.at, operation.at) && seen.object == operation.object)
    }
}

impl ThreadState {
    /// A thread that has not run yet.
    pub(crate) fn new(name: Option<Arc<str>>, job: Job, spawn: Operation) -> ThreadState {
        ThreadState {
            name,
            status: Status::New,
            pending: spawn,
            resumed: How::Step,
            suspender: None,
            stack_size: STACK_SIZE,
            stack: 0..0,
            job: Some(job),
            notified: false,
            token: false,
            woken: false,
            polls: false,
            serves: false,
            whole: 0,
            chosen: Vec::new(),
            panicking: 0,
            panic: None,
            panics_on_purpose: false,
            has_to_go_on: false,
            returned: false,
            left: false,
            panicked: false,
            seen: false,
            saw_panic_of: NOBODY,
            awaits: Vec::new(),
            waits_at: Vec::new(),
            locals: Vec::new(),
            habits: Habits::default(),
            reads: 0,
            looks: 0,
            hash_keys: 0,
            streak: Streak::default(),
        }
    }

    /// Whether it has thread-locals that are not destroyed.
    pub(super) fn has_locals(&self) -> bool {
        self.locals.iter().any(|local| local.1.is_some())
    }

    /// Whether `is_finished` is true of it: in std it is already while thread-locals are destroyed.
    pub(crate) fn is_finished(&self) -> bool {
        self.left || self.status == Status::Finished
    }

    /// Notes a fruitless operation. `version` is the count of changes anywhere. Says whether it is a repetition.
    pub(super) fn note_fruitless(&mut self, operation: &Operation, version: u64) -> bool {
        if self.streak.version != version {
            self.forget_streak(version);
        }
        let streak = &mut self.streak;
        if streak.has(operation) {
            streak.repeats += 1;
            if operation.yields() {
                streak.yields += 1;
                streak.rounds += u32::from(!streak.only_yields());
            }
            return true;
        }
        if streak.places.len() < 64 {
            streak.places.push(Place { at: operation.at, object: operation.object, yields: operation.yields() });
        }
        false
    }

    /// Whether it is seen to wait for others: it looks round and round and yields, or looks at one thing in a single place, which nobody does
    /// but to wait.
    pub(super) fn is_seen_to_wait(&self) -> bool {
        let looks = self.streak.places.len() == 1 && self.pending.kind.looks();
        looks || self.waits_for_others() && !self.streak.only_yields()
    }

    /// Whether it says itself that it waits for others: it has gone round and yielded, and nothing has changed.
    pub(crate) fn waits_for_others(&self) -> bool {
        self.streak.yields > 0
    }

    /// Begins a new streak.
    pub(super) fn forget_streak(&mut self, version: u64) {
        let mut places = std::mem::take(&mut self.streak.places);
        places.clear();
        self.streak = Streak { places, version, ..Streak::default() };
    }
}
