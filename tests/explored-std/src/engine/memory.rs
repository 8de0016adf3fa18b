//! What each thread may still read of each atomic: the views of C++20's memory model as RC11 corrects it (Lahav, Vafeiadis, Kang,
//! Hur and Dreyer 2017), made to run as Kang, Hur, Lahav, Vafeiadis and Dreyer (2017) do, without promises.
//!
//! An atomic keeps its last stores. A *view* says for each atomic how many stores to it are old: its reader reads none of the
//! older ones any more. A thread has a view; a store with `Release` carries its thread's, and a load with `Acquire` that reads it
//! joins it. Locks, channels, the start and the end of threads and all else that threads meet at carry views always.
//!
//! The order of the stores to one atomic is the order in which they are made, and so is the order of what is `SeqCst`. The
//! model allows a little more; `README.md` says what.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use super::access::{Key, accesses};
use super::kind::Kind;
use super::operation::{Choice, How, NOTHING, ObjectIndex, Operation, RETURNED, Site, ThreadIndex};
use super::state::State;

/// How many stores an atomic keeps, the newest one among them.
const KEPT: usize = 8;
/// How often a thread reads one old store at one place: a loop that waits for a newer one comes to an end.
const READS_OF_ONE_OLD_STORE: u32 = 2;

/// For each object, how many stores to it were made before the oldest one that may be read.
type View = Vec<u32>;

fn join(into: &mut View, from: &[u32]) {
    if into.len() < from.len() {
        into.resize(from.len(), 0);
    }
    for (mine, its) in into.iter_mut().zip(from) {
        *mine = (*mine).max(*its);
    }
}

fn raise(view: &mut View, object: ObjectIndex, to: u32) {
    let object = object as usize;
    if view.len() <= object {
        view.resize(object + 1, 0);
    }
    view[object] = view[object].max(to);
}

fn at(view: &[u32], object: ObjectIndex) -> u32 {
    view.get(object as usize).copied().unwrap_or(0)
}

fn acquires(ordering: Ordering) -> bool {
    matches!(ordering, Ordering::Acquire | Ordering::AcqRel | Ordering::SeqCst)
}

fn releases(ordering: Ordering) -> bool {
    matches!(ordering, Ordering::Release | Ordering::AcqRel | Ordering::SeqCst)
}

/// How an operation reads that may read an older value than the newest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reads {
    pub(crate) ordering: Ordering,
    /// The value that it does not read in this way: an exchange that finds what it wants is made, on the newest value.
    pub(crate) not: Option<u64>,
}

/// One store to an atomic.
#[derive(Debug)]
pub(crate) struct Store {
    value: u64,
    /// The view that it carries.
    carries: View,
    /// Who made it.
    pub(crate) by: ThreadIndex,
    /// How many decisions came before the one that it belongs to.
    pub(crate) place: u32,
}

/// The last stores to an atomic.
#[derive(Debug, Default)]
struct History {
    stores: VecDeque<Store>,
    /// How many stores were made before the newest one.
    before_newest: u32,
    /// Of the stores that are not kept any more: how many were made before each, who made it, and its place.
    forgotten: Vec<(u32, ThreadIndex, u32)>,
}

impl History {
    fn add(&mut self, store: Store) {
        self.before_newest += 1;
        self.stores.push_back(store);
        if self.stores.len() > KEPT {
            let oldest = self.before_newest - KEPT as u32;
            self.forgotten.extend(self.stores.pop_front().map(|store| (oldest, store.by, store.place)));
        }
    }

    /// The store that has so many newer ones.
    fn back(&self, back: u8) -> Option<&Store> {
        let index = self.stores.len().checked_sub(1 + usize::from(back))?;
        self.stores.get(index)
    }

    /// How many stores were made before that one.
    fn before(&self, back: u8) -> u32 {
        self.before_newest - u32::from(back)
    }
}

/// What a thread may read, and what others will.
#[derive(Debug, Default)]
struct Views {
    now: View,
    /// Carried by all stores that it has read: a fence joins it.
    to_acquire: View,
    /// Its view at its last fence that releases: every later store carries it.
    to_release: View,
    /// Old stores that it has read: where, of which atomic, which, and how often.
    old_reads: Vec<(Site, ObjectIndex, u32, u32)>,
}

/// A view that waits at something that threads meet at.
#[derive(Debug)]
struct Meeting {
    key: Key,
    written: View,
    read: View,
}

/// What all threads may read of all atomics.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Whether any of this is kept. Where every ordering is `SeqCst`, all read the newest value.
    on: bool,
    histories: Vec<History>,
    threads: Vec<Views>,
    returns: Vec<View>,
    ends: Vec<View>,
    meetings: Vec<Meeting>,
    /// The order of what is `SeqCst`: how much of each atomic was seen by its `SeqCst` operations, and by `SeqCst` fences.
    sequential: View,
}

impl Memory {
    /// Forgets everything, and says whether anything is kept from now on.
    pub(crate) fn begin(&mut self, on: bool) {
        *self = Memory { on, ..Memory::default() };
    }

    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    fn thread(&mut self, thread: ThreadIndex) -> &mut Views {
        while self.threads.len() <= thread {
            self.threads.push(Views::default());
            self.returns.push(View::new());
            self.ends.push(View::new());
        }
        &mut self.threads[thread]
    }

    fn view_of(&self, thread: ThreadIndex) -> &[u32] {
        self.threads.get(thread).map_or(&[], |views| &views.now)
    }

    fn meeting(&mut self, key: Key) -> &mut Meeting {
        let found = self.meetings.iter().position(|meeting| meeting.key == key);
        let index = found.unwrap_or_else(|| {
            self.meetings.push(Meeting { key, written: View::new(), read: View::new() });
            self.meetings.len() - 1
        });
        &mut self.meetings[index]
    }

    /// A thread was started by another one.
    pub(crate) fn spawned(&mut self, by: ThreadIndex, new: ThreadIndex) {
        if self.on {
            let view = self.view_of(by).to_vec();
            self.thread(new).now = view;
        }
    }

    /// A thread's job is done.
    pub(crate) fn returned(&mut self, thread: ThreadIndex) {
        if self.on {
            self.returns[thread] = self.thread(thread).now.clone();
        }
    }

    /// A thread has ended.
    pub(crate) fn exited(&mut self, thread: ThreadIndex) {
        if self.on {
            self.ends[thread] = self.thread(thread).now.clone();
        }
    }

    /// A thread has let something go without a step, for whoever changes it next; for whoever looks at it, too, unless it had it
    /// together with others.
    pub(crate) fn released(&mut self, by: ThreadIndex, key: Key, shared: bool) {
        if self.on {
            let view = self.view_of(by).to_vec();
            let meeting = self.meeting(key);
            join(if shared { &mut meeting.read } else { &mut meeting.written }, &view);
        }
    }

    /// A thread has called another one, which waits.
    pub(crate) fn called(&mut self, by: ThreadIndex, waiter: ThreadIndex) {
        if self.on {
            let view = self.view_of(by).to_vec();
            join(&mut self.thread(waiter).now, &view);
        }
    }

    fn ended(&mut self, operation: &Operation, thread: ThreadIndex) {
        let ends = if operation.number == RETURNED { &self.returns } else { &self.ends };
        let view = ends.get(operation.other).cloned().unwrap_or_default();
        join(&mut self.thread(thread).now, &view);
    }

    /// A thread does something to what threads meet at.
    fn meets(&mut self, thread: ThreadIndex, key: Key, writes: bool) {
        let mut view = std::mem::take(&mut self.thread(thread).now);
        let meeting = self.meeting(key);
        join(&mut view, &meeting.written);
        if writes {
            join(&mut view, &meeting.read);
        }
        join(if writes { &mut meeting.written } else { &mut meeting.read }, &view);
        self.thread(thread).now = view;
    }

    /// A thread looks at what all others do.
    fn meets_everybody(&mut self, thread: ThreadIndex) {
        let mut view = std::mem::take(&mut self.thread(thread).now);
        self.threads.iter().for_each(|other| join(&mut view, &other.now));
        self.thread(thread).now = view;
    }

    /// Nobody could go on, and time passes: all that was stored is seen by everybody. "The last value … will become visible to all
    /// other threads in a finite period of time", [intro.progress]/18.
    pub(crate) fn everybody_sees_all(&mut self) {
        let newest: View = self.histories.iter().map(|history| history.before_newest).collect();
        self.threads.iter_mut().for_each(|views| join(&mut views.now, &newest));
    }

    /// An atomic has this value, as far as it was not changed by atomic operations: at its first use, and after `get_mut`.
    pub(crate) fn knows(&mut self, object: ObjectIndex, value: u64) {
        if self.histories.len() <= object as usize {
            self.histories.resize_with(object as usize + 1, History::default);
        }
        let history = &mut self.histories[object as usize];
        if history.stores.back().is_none_or(|newest| newest.value != value) {
            history.before_newest += u32::from(!history.stores.is_empty());
            history.stores.clear();
            history.forgotten.clear();
            history.stores.push_back(Store { value, carries: View::new(), by: 0, place: 0 });
        }
    }

    /// The stores but the newest that a thread may read with the operation that it has announced: how many newer ones each has.
    fn old_reads(&self, thread: ThreadIndex, operation: &Operation) -> impl Iterator<Item = u8> {
        let history = || self.histories.get(operation.object as usize);
        let read = operation.reads.and_then(|reads| Some((reads, history()?)));
        read.into_iter().flat_map(move |(reads, history)| {
            let object = operation.object;
            let kept = history.stores.len().saturating_sub(1) as u32;
            let oldest = self.oldest(thread, object, reads.ordering);
            let seen = history.before_newest.saturating_sub(oldest);
            let was_read = move |before: u32| {
                let is_same = |old: &(Site, ObjectIndex, u32, u32)| {
                    std::ptr::eq(old.0, operation.at) && old.1 == object && old.2 == before
                };
                self.threads.get(thread).is_some_and(|views| {
                    views.old_reads.iter().any(|old| is_same(old) && old.3 >= READS_OF_ONE_OLD_STORE)
                })
            };
            (1..=kept.min(seen) as u8).filter(move |&back| {
                let is_wanted = history.back(back).is_some_and(|store| reads.not != Some(store.value));
                is_wanted && !was_read(history.before(back))
            })
        })
    }

    /// How many stores to an atomic were made before the oldest one that a thread may read.
    fn oldest(&self, thread: ThreadIndex, object: ObjectIndex, ordering: Ordering) -> u32 {
        let sequential = if ordering == Ordering::SeqCst { at(&self.sequential, object) } else { 0 };
        at(self.view_of(thread), object).max(sequential)
    }

    /// Whether a thread could read with the operation that it has announced, if it were still kept, a store that another one
    /// made old that `matters`.
    pub(crate) fn has_forgotten(
        &self,
        thread: ThreadIndex,
        operation: &Operation,
        matters: impl Fn(ThreadIndex, u32) -> bool,
    ) -> bool {
        let (Some(reads), Some(history)) = (operation.reads, self.histories.get(operation.object as usize)) else {
            return false;
        };
        let oldest = self.oldest(thread, operation.object, reads.ordering);
        let is_kept = history.forgotten.last().is_none_or(|forgotten| forgotten.0 < oldest);
        let newer = history.forgotten.iter().filter(|forgotten| forgotten.0 > oldest);
        let kept = history.stores.front().map(|store| (store.by, store.place));
        !is_kept && newer.map(|forgotten| (forgotten.1, forgotten.2)).chain(kept).any(|(by, place)| matters(by, place))
    }

    /// The first store that a thread misses if it reads the one that has so many newer ones.
    pub(crate) fn missed(&self, object: ObjectIndex, back: u8) -> Option<&Store> {
        self.histories.get(object as usize)?.back(back.checked_sub(1)?)
    }

    /// Whether a load that is `SeqCst` shows other loads that are that they come later.
    pub(crate) fn raises(&self, operation: &Operation, back: u8) -> bool {
        let history = self.histories.get(operation.object as usize);
        history.is_some_and(|history| history.before(back) > at(&self.sequential, operation.object))
    }

    /// The value of the store that has so many newer ones.
    pub(crate) fn value(&self, object: ObjectIndex, back: u8) -> u64 {
        let store = self.histories.get(object as usize).and_then(|history| history.back(back));
        store.expect("only what may be read is read").value
    }

    /// A thread reads the store that has so many newer ones.
    pub(crate) fn reads(&mut self, thread: ThreadIndex, object: ObjectIndex, back: u8, ordering: Ordering, at: Site) {
        let history = &self.histories[object as usize];
        let before = history.before(back);
        let carried = history.back(back).map(|store| store.carries.clone()).unwrap_or_default();
        let views = self.thread(thread);
        raise(&mut views.now, object, before);
        join(&mut views.to_acquire, &carried);
        if acquires(ordering) {
            join(&mut views.now, &carried);
        }
        if back > 0 {
            let is_same = |old: &&mut (Site, ObjectIndex, u32, u32)| {
                std::ptr::eq(old.0, at) && old.1 == object && old.2 == before
            };
            match views.old_reads.iter_mut().find(is_same) {
                Some(old) => old.3 += 1,
                None => views.old_reads.push((at, object, before, 1)),
            }
        }
        if ordering == Ordering::SeqCst {
            raise(&mut self.sequential, object, before);
        }
    }

    /// A thread stores a value; `again` if it has just read the newest one in the same step: then this one carries what that one
    /// does.
    pub(crate) fn stores(&mut self, by: ThreadIndex, place: u32, object: ObjectIndex, value: u64, how: Written) {
        let before = self.histories[object as usize].before_newest + 1;
        let views = self.thread(by);
        raise(&mut views.now, object, before);
        let mut carries = if releases(how.ordering) { views.now.clone() } else { views.to_release.clone() };
        let history = &mut self.histories[object as usize];
        if let Some(newest) = history.stores.back().filter(|_| how.again) {
            join(&mut carries, &newest.carries);
        }
        history.add(Store { value, carries, by, place });
        if how.ordering == Ordering::SeqCst {
            raise(&mut self.sequential, object, before);
        }
    }

    /// A fence of a thread.
    pub(crate) fn fence(&mut self, thread: ThreadIndex, ordering: Ordering) {
        let mut sequential = std::mem::take(&mut self.sequential);
        let views = self.thread(thread);
        if acquires(ordering) {
            join(&mut views.now, &views.to_acquire);
        }
        if ordering == Ordering::SeqCst {
            join(&mut views.now, &sequential);
            sequential.clone_from(&views.now);
        }
        if releases(ordering) {
            views.to_release.clone_from(&views.now);
        }
        self.sequential = sequential;
    }
}

/// How a value is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    pub(crate) ordering: Ordering,
    /// Whether the value before was read in the same step.
    pub(crate) again: bool,
}

impl State {
    /// Adds the choices in which a thread reads an older value than the newest.
    pub(super) fn collect_old_reads(&self, choices: &mut Vec<Choice>) {
        for index in 0..choices.len() {
            let Choice { thread, how: How::Step } = choices[index] else { continue };
            let pending = &self.threads[thread].pending;
            // Most operations read nothing, and this is done for each choice of each step.
            if pending.reads.is_none() {
                continue;
            }
            let old = self.memory.old_reads(thread, pending);
            choices.extend(old.map(|back| Choice { thread, how: How::Old(back) }));
        }
    }

    /// Whether a thread could read an older value than the newest.
    pub(super) fn could_read_an_old_value(&self, thread: ThreadIndex) -> bool {
        self.memory.is_on() && self.memory.old_reads(thread, &self.threads[thread].pending).next().is_some()
    }

    /// Views go along with a step that is made now, unless it is an atomic's: that says itself what it orders.
    pub(super) fn carry_views(&mut self, choice: Choice) {
        if !self.memory.is_on() {
            return;
        }
        let operation = self.threads[choice.thread].pending;
        // Who asks whether a thread has ended does not wait for it.
        let is_relaxed = self.is_at_atomic(choice.thread) || operation.kind == Kind::LookAtEnd;
        if is_relaxed || choice.how != How::Step {
            return;
        }
        let touched = accesses(self, choice);
        if operation.kind == Kind::Join {
            self.memory.ended(&operation, choice.thread);
        }
        if touched.is_everything() {
            self.memory.meets_everybody(choice.thread);
        }
        for access in touched.meetings() {
            self.memory.meets(choice.thread, access.key, access.writes);
        }
    }
}

/// A fence that is `SeqCst` is a step, since it has a place in the order of what is.
pub(crate) fn fence_is_a_step(state: &State, ordering: Ordering) -> bool {
    state.memory.is_on() && ordering == Ordering::SeqCst && state.phase == super::state::Phase::Running
}

/// The operation of a fence.
pub(crate) fn fence(at: Site) -> Operation {
    Operation::new(Kind::Fence, "fence", NOTHING, at)
}
