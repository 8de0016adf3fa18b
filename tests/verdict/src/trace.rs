//! One schedule, step by step: the source of every picture of a failure.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Did;

/// A place in the source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// The file, as the compiler named it.
    pub file: String,
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1.
    pub column: u32,
}

impl fmt::Display for Location {
    /// `lib.rs:14`: the file's name without its folders, and the line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.file.rsplit(['/', '\\']).next().unwrap_or(&self.file);
        write!(f, "{name}:{}", self.line)
    }
}

/// A recorded schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The schedule in the notation that `replay --schedule` takes; see [`crate::schedule`].
    pub schedule: String,
    /// That input, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<String>,
    /// How many times a thread was stopped although it could have gone on.
    pub preemptions: u32,
    /// How many times an atomic's old value was read although there was a newer one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub old_reads: u32,
    /// The threads in the order of their start; the first is `main`.
    pub threads: Vec<TracedThread>,
    /// The objects that threads met at, in the order of their making.
    pub objects: Vec<Object>,
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// The step whose panic failed the test, as an index into [`Trace::steps`]: what comes after it is only the end of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panicked: Option<usize>,
    /// Where each thread stood when the schedule ended, if it had not finished.
    pub waiting: Vec<Waiting>,
}

/// A thread of a recorded schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracedThread {
    /// Its own name, or `thread 2` counted in the order of starting.
    pub name: String,
}

/// Something that threads meet at: a mutex, a channel, an atomic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// What it is: `Mutex`, `Condvar`, `channel`, `AtomicBool`.
    pub what: String,
    /// Its name in tables: `account#1`, made of what it holds and counted by kind.
    pub name: String,
    /// Where it was made.
    pub made_at: Location,
    /// Whether that is where it was used first, since std made it for the learner (`Arc::<Mutex<_>>::default()`).
    #[serde(default, skip_serializing_if = "is_false")]
    pub only_used: bool,
}

/// One step of one thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Index into [`Trace::threads`].
    pub thread: usize,
    /// What it did.
    pub operation: Did,
    /// Index into [`Trace::objects`], if the step concerns one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<usize>,
    /// The thread that the step concerns (started, joined, woken), as an index into [`Trace::threads`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<usize>,
    /// Where the learner's code or the test asked for it: where a helper takes a lock, the line that called the helper.
    pub at: Location,
    /// How it went.
    pub effect: Effect,
    /// The value read, written, sent or received, if it is short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The newest store to the atomic, where an older value was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<Missed>,
    /// Whether another thread was stopped for this one although it could have gone on.
    #[serde(default)]
    pub preemption: bool,
    /// That other thread, as an index into [`Trace::threads`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<usize>,
    /// The locks that the thread holds after the step, as indices into [`Trace::objects`]. Who waits at a condition variable
    /// has given back the mutex that belongs to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<usize>,
    /// Virtual time since the schedule's start, in nanoseconds.
    #[serde(default, skip_serializing_if = "is_beginning")]
    pub now: u64,
}

/// A store that a thread could have read, and did not: nothing orders the two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// Who stored it, as an index into [`Trace::threads`].
    pub by: usize,
    /// The value, if it is short.
    pub value: String,
    /// The step that stored it, as an index into [`Trace::steps`], if it is among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// The ordering of the read: `Relaxed`.
    pub ordering: String,
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It was done.
    Done,
    /// It was tried and refused (`try_lock` on a lock that is held).
    Refused,
    /// The thread blocks here. A later step of the same thread says how it went on.
    Blocks,
    /// Its time was up.
    TimedOut,
    /// It woke although nobody called, failed for no reason, or called the one that came last.
    Spurious,
    /// The thread panicked here.
    Panicked,
}

/// Where an unfinished thread stood at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Index into [`Trace::threads`].
    pub thread: usize,
    /// The locks that it held.
    pub holds: Vec<Held>,
    /// What it waited for; nothing if it could have gone on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<WaitsFor>,
}

/// A lock that a thread holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Index into [`Trace::objects`].
    pub object: usize,
    /// Where it was taken.
    pub at: Location,
}

/// What a blocked thread waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitsFor {
    /// What it tried.
    pub operation: Did,
    /// Index into [`Trace::objects`], if it is an object that it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<usize>,
    /// Where it waits.
    pub at: Location,
    /// The threads that could have let it go on: the holders of the lock, the thread to join.
    pub on: Vec<usize>,
    /// In the test tool's words, where it is one that it waits at: `the rendezvous (1 of 2 are here)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn is_beginning(now: &u64) -> bool {
    *now == 0
}

fn is_false(is: &bool) -> bool {
    !is
}

impl Trace {
    /// Every place in the source that the trace names.
    pub fn locations(&self) -> impl Iterator<Item = &Location> {
        let waiting = self.waiting.iter().flat_map(|waiting| {
            let held = waiting.holds.iter().map(|held| &held.at);
            held.chain(waiting.waits_for.as_ref().map(|waits_for| &waits_for.at))
        });
        let objects = self.objects.iter().map(|object| &object.made_at);
        objects.chain(self.steps.iter().map(|step| &step.at)).chain(waiting)
    }

    /// Renames every file that the trace names, say from where it was staged to where its owner keeps it.
    pub fn for_each_file(&mut self, rename: impl Fn(&str) -> String) {
        let locations = self
            .objects
            .iter_mut()
            .map(|object| &mut object.made_at)
            .chain(self.steps.iter_mut().map(|step| &mut step.at))
            .chain(self.waiting.iter_mut().flat_map(|waiting| {
                let held = waiting.holds.iter_mut().map(|held| &mut held.at);
                held.chain(waiting.waits_for.as_mut().map(|waits_for| &mut waits_for.at))
            }));
        for location in locations {
            location.file = rename(&location.file);
        }
    }
}
