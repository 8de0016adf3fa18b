//! An initialisation that happens once.

use std::panic::Location;

use crate::engine::kind::Kind;
use crate::engine::object::{Age, Identity, Model, Once, What};
use crate::engine::operation::{ObjectIndex, Operation};
use crate::engine::run::{step, try_with, with};
use crate::engine::state::State;

/// What a `Once`, a `OnceLock` and a `LazyLock` have in common.
#[derive(Debug)]
pub struct RawOnce {
    identity: Identity,
    what: What,
}

/// What somebody finds who enters an initialisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entered {
    /// It is for the caller to do.
    Begins,
    /// It is for the caller to do again, since it panicked.
    BeginsPoisoned,
    /// It is complete.
    Done,
}

impl RawOnce {
    /// One that has not begun. `what` is its type's name in a trace; `T` is what it makes.
    #[track_caller]
    pub const fn new<T: ?Sized>(what: &'static str) -> RawOnce {
        RawOnce { identity: Identity::new(), what: What::holding::<T>(what) }
    }

    fn register(&self, state: &mut State) -> (ObjectIndex, Age) {
        self.identity.register(state, self.what, || Model::Once(Once::Fresh))
    }

    /// Registers with the schedule. True if this is left from an earlier schedule, so that its value has to go.
    #[inline]
    pub fn is_stale(&self) -> bool {
        with(|state| self.register(state).1 == Age::Stale)
    }

    /// Declares it complete: for a value that was there from the beginning.
    pub fn complete_at_once(&self) {
        try_with(|state| {
            let object = self.register(state).0;
            *state.once(object) = Once::Done;
        });
    }

    /// Enters the initialisation, waiting while somebody else is inside. After `Begins` the caller must call
    /// [`RawOnce::leave`].
    #[track_caller]
    pub fn enter(&self, name: &'static str) -> Entered {
        let object = with(|state| self.register(state).0);
        step(Operation::new(Kind::Enter, name, object, Location::caller()));
        with(|state| {
            let me = state.current;
            let once = state.once(object);
            let found = *once;
            if found != Once::Done {
                *once = Once::Running(me);
            }
            match found {
                Once::Done => Entered::Done,
                Once::Poisoned => Entered::BeginsPoisoned,
                Once::Fresh | Once::Running(_) => Entered::Begins,
            }
        })
    }

    /// Leaves the initialisation: complete, or poisoned, or (for a `OnceLock`) as if it had not begun.
    pub fn leave(&self, outcome: Left) {
        let Some(object) = try_with(|state| self.register(state).0) else { return };
        let at = with(|state| state.here());
        step(Operation::new(Kind::Release, "initialised", object, at));
        with(|state| {
            *state.once(object) = match outcome {
                Left::Done => Once::Done,
                Left::Poisoned => Once::Poisoned,
                Left::Fresh => Once::Fresh,
            };
            state.changed();
            state.released(object, false);
        });
    }

    /// Waits until it is complete. False if it was poisoned instead.
    #[track_caller]
    pub fn wait(&self) -> bool {
        let object = with(|state| self.register(state).0);
        step(Operation::new(Kind::Completed, "wait", object, Location::caller()));
        with(|state| *state.once(object) == Once::Done)
    }

    /// Whether it is complete.
    #[track_caller]
    pub fn is_done(&self, name: &'static str) -> bool {
        self.progress(name) == Progress::Done
    }

    /// How far it is.
    #[track_caller]
    pub fn progress(&self, name: &'static str) -> Progress {
        let Some(object) = try_with(|state| self.register(state).0) else { return Progress::Fresh };
        step(Operation::new(Kind::Look, name, object, Location::caller()));
        with(|state| match *state.once(object) {
            Once::Fresh => Progress::Fresh,
            Once::Running(_) => Progress::Running,
            Once::Done => Progress::Done,
            Once::Poisoned => Progress::Poisoned,
        })
    }
}

/// How far an initialisation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It has not begun.
    Fresh,
    /// Somebody is inside.
    Running,
    /// It is complete.
    Done,
    /// It panicked.
    Poisoned,
}

/// How an initialisation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// It is complete.
    Done,
    /// It panicked, and the next to come is told so.
    Poisoned,
    /// It panicked, and the next to come begins afresh.
    Fresh,
}

impl State {
    fn once(&mut self, object: ObjectIndex) -> &mut Once {
        match &mut self.objects[object as usize].model {
            Model::Once(once) => once,
            other => unreachable!("an initialisation, not {other:?}"),
        }
    }
}
