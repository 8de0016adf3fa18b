//! `Barrier`.

use std::fmt;
use std::panic::Location;

use crate::engine::kind::Kind;
use crate::engine::object::{Identity, Model, What};
use crate::engine::operation::Operation;
use crate::engine::run::{step, with};

/// The model of [`std::sync::Barrier`](::std::sync::Barrier). The last to come is the leader.
pub struct Barrier {
    identity: Identity,
    parties: usize,
}

impl std::panic::UnwindSafe for Barrier {}
impl std::panic::RefUnwindSafe for Barrier {}

/// Whether this thread is the one that opened the barrier.
#[derive(Debug)]
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// True for exactly one of the threads that met.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

impl Barrier {
    /// A barrier at which this many threads meet.
    #[track_caller]
    pub const fn new(n: usize) -> Barrier {
        Barrier { identity: Identity::new(), parties: n }
    }

    /// Waits until as many threads are here as the barrier asks for.
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        let at = Location::caller();
        let fresh = || Model::Barrier { arrived: 0, generation: 0 };
        let object = with(|state| self.identity.register(state, What::plain("Barrier"), fresh).0);
        step(Operation::new(Kind::Notify, "arrive", object, at));
        let opened = with(|state| {
            let Model::Barrier { arrived, generation } = &mut state.objects[object as usize].model else {
                unreachable!("a barrier")
            };
            *arrived += 1;
            let mine = *generation;
            if *arrived >= self.parties {
                *arrived = 0;
                *generation += 1;
                return Ok(());
            }
            Err(mine)
        });
        if let Err(mine) = opened {
            step(Operation { number: mine, ..Operation::new(Kind::Passed, "wait", object, at) });
        }
        BarrierWaitResult(opened.is_ok())
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").finish_non_exhaustive()
    }
}
