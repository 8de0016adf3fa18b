//! A lock without its data: who holds it, alone or with others.

use std::panic::Location;

use crate::engine::access::Key;
use crate::engine::kind::Kind;
use crate::engine::object::{Age, Identity, Lock, Model, What};
use crate::engine::operation::{How, NOBODY, ObjectIndex, Operation, SHARED, Site};
use crate::engine::run::{step, try_with, with};
use crate::engine::state::State;
use crate::raw::{Deadline, release_is_a_step, step_if_seen};

/// How a lock is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// By one holder, once.
    Alone,
    /// By one holder, who may take it again.
    Again,
    /// By many holders.
    Shared,
}

impl Sharing {
    fn kind(self) -> Kind {
        match self {
            Sharing::Alone => Kind::Acquire,
            Sharing::Again => Kind::AcquireAgain,
            Sharing::Shared => Kind::AcquireShared,
        }
    }
}

/// A mutex, a re-entrant mutex or a reader-writer lock without the data.
#[derive(Debug)]
pub struct RawLock {
    pub(super) identity: Identity,
    pub(super) what: What,
}

impl RawLock {
    /// A free lock. `what` is its type's name in a trace; `T` is what it protects.
    #[track_caller]
    pub const fn new<T: ?Sized>(what: &'static str) -> RawLock {
        RawLock { identity: Identity::new(), what: What::holding::<T>(what) }
    }

    /// Registers with the schedule, and makes the data fresh if the lock is left from an earlier one.
    #[inline]
    pub fn refresh<T: ?Sized>(&self, data: &std::cell::UnsafeCell<T>) {
        let age = with(|state| self.register(state).1);
        if age != Age::Known {
            crate::data::prepare(data, age, self.what.what);
        }
    }

    fn register(&self, state: &mut State) -> (ObjectIndex, Age) {
        self.identity.register(state, self.what, || Model::Lock(Lock::free()))
    }

    pub(crate) fn index(&self) -> ObjectIndex {
        with(|state| self.register(state).0)
    }

    /// Takes the lock. False if the time was up first.
    #[track_caller]
    pub fn acquire(&self, sharing: Sharing, name: &'static str, deadline: Deadline) -> bool {
        let at = Location::caller();
        let operation = Operation::new(sharing.kind(), name, self.index(), at).until(deadline.0);
        if deadline != Deadline::NEVER {
            with(State::observe);
        }
        let queues = self.what.what == "RwLock" && sharing == Sharing::Alone && with(|state| state.settings.observed);
        if queues {
            step(Operation::new(Kind::Queue, "queue", operation.object, at));
            with(|state| state.lock(operation.object).0.waiting += 1);
        }
        let done = step(operation) == How::Step;
        with(|state| {
            if queues {
                let waiting = &mut state.lock(operation.object).0.waiting;
                *waiting = waiting.saturating_sub(1);
            }
            if done {
                state.take(operation.object, sharing, at);
            }
        });
        done
    }

    /// Takes the lock if that is possible at once.
    #[track_caller]
    pub fn try_acquire(&self, sharing: Sharing, name: &'static str) -> bool {
        let at = Location::caller();
        let object = self.index();
        with(State::observe);
        step(Operation::new(Kind::Change, name, object, at));
        with(|state| {
            let me = state.current;
            let held = &*state.lock(object).0;
            let possible = match sharing {
                Sharing::Alone => held.is_free(),
                Sharing::Again => held.is_free() || held.writer == me,
                Sharing::Shared => held.lets_readers_in(),
            };
            if possible {
                state.take(object, sharing, at);
            } else {
                state.record_refusal();
            }
            possible
        })
    }

    /// Gives the lock back. `written` says whether the holder may have changed what it protects.
    pub fn release(&self, sharing: Sharing, written: bool) {
        let announced = try_with(|state| {
            let object = self.identity.known(state)?;
            let at = taken_at(state, object);
            let number = if sharing == Sharing::Shared { SHARED } else { 0 };
            let operation = Operation { number, ..Operation::new(Kind::Release, "unlock", object, at) };
            if release_is_a_step(state) {
                return Some(operation);
            }
            state.record_passively(&operation);
            state.give_back(object, sharing, written);
            None
        });
        if let Some(Some(operation)) = announced {
            step(operation);
            with(|state| state.give_back(operation.object, sharing, written));
        }
    }

    /// Turns a lock held alone into one held together with others.
    pub fn downgrade(&self) {
        let object = self.index();
        step_if_seen(|state| Operation::new(Kind::Release, "downgrade", object, taken_at(state, object)));
        with(|state| {
            let me = state.current;
            let lock = state.lock(object).0;
            let at = lock.taken_at.take();
            lock.writer = NOBODY;
            lock.depth = 0;
            if let Some(at) = at {
                lock.readers.push((me, at));
                state.threads[me].reads += 1;
            }
            state.changed();
            state.released(object, false);
        });
    }

    /// Marks the lock as poisoned: its holder panics.
    pub fn poison(&self) {
        step_if_seen(|state| {
            let object = self.register(state).0;
            Operation::new(Kind::Change, "poison", object, taken_at(state, object))
        });
        self.set_poisoned(true);
    }

    /// Forgets that a holder panicked.
    #[track_caller]
    pub fn clear_poison(&self) {
        let object = self.index();
        with(State::observe);
        step(Operation::new(Kind::Change, "clear_poison", object, Location::caller()));
        self.set_poisoned(false);
    }

    fn set_poisoned(&self, poisoned: bool) {
        try_with(|state| {
            let object = self.register(state).0;
            state.lock(object).0.poisoned = poisoned;
        });
    }

    /// Whether a holder panicked in this schedule, for others who hold nothing.
    #[track_caller]
    pub fn look_for_poison(&self) -> bool {
        self.look("is_poisoned", 0, |lock| lock.poisoned)
    }

    /// Whether a holder panicked in this schedule, for whoever has the lock.
    pub fn is_poisoned(&self) -> bool {
        let known = try_with(|state| self.identity.known(state).map(|object| state.lock(object).0.poisoned));
        known.flatten().unwrap_or(false)
    }

    /// Whether somebody holds it.
    #[track_caller]
    pub fn is_held(&self, name: &'static str) -> bool {
        let number = if self.what.what == "RwLock" { SHARED } else { 0 };
        self.look(name, number, |lock| !lock.is_free())
    }

    /// Whether somebody holds it alone.
    #[track_caller]
    pub fn is_held_alone(&self, name: &'static str) -> bool {
        self.look(name, 0, |lock| lock.writer != NOBODY)
    }

    #[track_caller]
    fn look(&self, name: &'static str, number: u64, seen: impl FnOnce(&Lock) -> bool) -> bool {
        let object = self.index();
        with(State::observe);
        step(Operation { number, ..Operation::new(Kind::Look, name, object, Location::caller()) });
        with(|state| seen(state.lock(object).0))
    }

    /// Whether the thread that runs holds it.
    pub fn is_mine(&self) -> bool {
        with(|state| {
            let me = state.current;
            let object = self.register(state).0;
            state.lock(object).0.is_held_by(me)
        })
    }
}

impl Default for RawLock {
    #[track_caller]
    fn default() -> RawLock {
        RawLock::new::<()>("Mutex")
    }
}

/// A lock, and the thread that runs.
type LockAndMe<'a> = (&'a mut Lock, usize);

/// Where the thread that runs took the lock.
fn taken_at(state: &mut State, object: ObjectIndex) -> Site {
    let made_at = state.objects[object as usize].made_at;
    let (lock, me) = state.lock(object);
    let read_at = lock.readers.iter().rev().find(|reader| reader.0 == me).map(|reader| reader.1);
    if lock.writer == me { lock.taken_at.unwrap_or(made_at) } else { read_at.unwrap_or(made_at) }
}

impl State {
    /// A lock, and the thread that runs.
    pub(crate) fn lock(&mut self, object: ObjectIndex) -> LockAndMe<'_> {
        match &mut self.objects[object as usize].model {
            Model::Lock(lock) => (lock, self.current),
            other => unreachable!("a lock, not {other:?}"),
        }
    }

    /// The thread that runs takes a lock.
    fn take(&mut self, object: ObjectIndex, sharing: Sharing, at: Site) {
        let (lock, me) = self.lock(object);
        if sharing == Sharing::Shared {
            lock.readers.push((me, at));
            self.threads[me].reads += 1;
            return;
        }
        lock.writer = me;
        if lock.depth == 0 {
            lock.taken_at = Some(at);
        }
        lock.depth += 1;
    }

    /// The thread that runs gives a lock back.
    pub(crate) fn give_back(&mut self, object: ObjectIndex, sharing: Sharing, written: bool) {
        let (lock, me) = self.lock(object);
        if sharing == Sharing::Shared {
            let mine = lock.readers.iter().rposition(|reader| reader.0 == me);
            // A guard may be dropped on another thread than took it.
            if let Some(guard) = mine.or(lock.readers.len().checked_sub(1)) {
                let reader = lock.readers.remove(guard).0;
                self.threads[reader].reads -= 1;
            }
        } else if lock.writer == me {
            lock.depth = lock.depth.saturating_sub(1);
            if lock.depth == 0 {
                lock.writer = NOBODY;
                lock.taken_at = None;
            }
        }
        // A reader's end lets a writer in, which is progress only if somebody waits for it; the same for a mutex that was
        // only looked at. Who polls under a lock spins. Somebody who polls this lock goes on at the latest when all are held
        // back.
        if written {
            self.changed();
        }
        self.released(object, sharing == Sharing::Shared);
    }

    /// The thread that runs has let something go that others may wait for.
    pub(crate) fn released(&mut self, object: ObjectIndex, shared: bool) {
        let me = self.current;
        if let Some(order) = &self.order {
            order.borrow_mut().released(me, object, shared);
        }
        self.memory.released(me, Key::Object(object), shared);
    }
}
