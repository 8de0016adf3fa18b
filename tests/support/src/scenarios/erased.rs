//! A contract without its types, so that the machinery is compiled once and not with each kata.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::quick;
use super::{Clock, Contract, Moves, Scene, Turn};

/// What the machinery needs of a contract. Calls are known by their place in the list, states by their place in a table.
pub(super) trait Subject: Send + Sync {
    fn setups(&self) -> Vec<&'static str>;
    /// The calls of a setup.
    fn calls(&self, setup: usize) -> Vec<usize>;
    fn name(&self, call: usize, id: usize) -> String;
    fn makes_sense(&self, setup: usize, program: &[Vec<usize>]) -> bool;
    fn parts(&self, setup: usize) -> usize;
    fn limit(&self, call: usize) -> Option<Duration>;
    fn limits(&self) -> Limits;
    /// A specification that knows no state yet but that of the setup, which is 0.
    fn specification(&self, setup: usize) -> Box<dyn Specification>;
    /// Code that can be moved to the threads of a schedule.
    fn actors(&self) -> Arc<dyn Actors>;
}

/// The contract's constants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) opening: Duration,
    pub(super) pause: Duration,
    pub(super) calls: usize,
    pub(super) telling: usize,
    pub(super) threads: usize,
}

/// What may be done in a state.
pub(super) trait Specification {
    fn may(&mut self, state: u32, call: usize, turn: &Turn) -> Moves<u32>;
    fn by_itself(&mut self, state: u32, clock: &Clock) -> Moves<u32>;
    fn hears(&mut self, state: u32, what: &str, id: usize, clock: &Clock) -> Option<u32>;
}

/// Makes objects, and calls.
pub(super) trait Actors: Send + Sync {
    fn hands(&self, setup: usize, program: &[Vec<usize>], scene: &Scene) -> Vec<Box<dyn Hand>>;
}

/// What a thread has in its hands.
pub(super) trait Hand: Send {
    fn arrive(&mut self, scene: &Scene);
    fn perform(&mut self, call: usize, id: usize, scene: &Scene) -> String;
    fn leave(self: Box<Self>);
}

/// A contract, and its calls.
pub(super) struct Erased<C: Contract>(Arc<Known<C>>);

struct Known<C: Contract> {
    contract: C,
    calls: Vec<C::Call>,
}

impl<C: Contract> Erased<C> {
    pub(super) fn new(contract: C) -> Erased<C> {
        let calls = contract.calls();
        Erased(Arc::new(Known { contract, calls }))
    }
}

impl<C: Contract> Erased<C> {
    fn program(&self, program: &[Vec<usize>]) -> Vec<Vec<C::Call>> {
        program.iter().map(|thread| thread.iter().map(|&call| self.0.calls[call]).collect()).collect()
    }
}

impl<C: Contract> Subject for Erased<C> {
    fn setups(&self) -> Vec<&'static str> {
        self.0.contract.setups().iter().map(|setup| setup.name).collect()
    }

    fn calls(&self, setup: usize) -> Vec<usize> {
        let is_for = |&call: &usize| self.0.contract.is_for(self.0.calls[call], setup);
        (0..self.0.calls.len()).filter(is_for).collect()
    }

    fn name(&self, call: usize, id: usize) -> String {
        self.0.contract.name(self.0.calls[call], id)
    }

    fn makes_sense(&self, setup: usize, program: &[Vec<usize>]) -> bool {
        self.0.contract.makes_sense(setup, &self.program(program))
    }

    fn parts(&self, setup: usize) -> usize {
        self.0.contract.parts(setup)
    }

    fn limit(&self, call: usize) -> Option<Duration> {
        self.0.contract.limit(self.0.calls[call])
    }

    fn limits(&self) -> Limits {
        Limits { opening: C::OPENING, pause: C::PAUSE, calls: C::CALLS, telling: C::TELLING, threads: C::THREADS }
    }

    fn specification(&self, setup: usize) -> Box<dyn Specification> {
        let mut states = States { known: Arc::clone(&self.0), states: Vec::new(), places: quick::Map::default() };
        states.place_of(self.0.contract.setups().swap_remove(setup).state);
        Box::new(states)
    }

    fn actors(&self) -> Arc<dyn Actors> {
        Arc::new(Erased(Arc::clone(&self.0)))
    }
}

/// The states that were met so far.
struct States<C: Contract> {
    known: Arc<Known<C>>,
    states: Vec<C::State>,
    /// By hash, and by number where several have the same: a table of states themselves would be compiled with each kata.
    places: quick::Map<(u64, u32), u32>,
}

impl<C: Contract> States<C> {
    fn place_of(&mut self, state: C::State) -> u32 {
        let mut key = (quick::hash_of(&state), 0);
        while let Some(&place) = self.places.get(&key) {
            if self.states[place as usize] == state {
                return place;
            }
            key.1 += 1;
        }
        let place = self.states.len() as u32;
        self.places.insert(key, place);
        self.states.push(state);
        place
    }

    fn places_of(&mut self, moves: Moves<C::State>) -> Moves<u32> {
        // Not collected: what that is made of would be compiled with each kata, and not optimised.
        let mut steps = Vec::with_capacity(moves.steps.len());
        for (state, next) in moves.steps {
            steps.push((self.place_of(state), next));
        }
        Moves { steps, expected: moves.expected, rest: moves.rest }
    }
}

impl<C: Contract> Specification for States<C> {
    fn may(&mut self, state: u32, call: usize, turn: &Turn) -> Moves<u32> {
        let mut moves = Moves::default();
        self.known.contract.may(&self.states[state as usize], self.known.calls[call], turn, &mut moves);
        self.places_of(moves)
    }

    fn by_itself(&mut self, state: u32, clock: &Clock) -> Moves<u32> {
        let mut moves = Moves::default();
        self.known.contract.by_itself(&self.states[state as usize], clock, &mut moves);
        self.places_of(moves)
    }

    fn hears(&mut self, state: u32, what: &str, id: usize, clock: &Clock) -> Option<u32> {
        let heard = self.known.contract.hears(&self.states[state as usize], what, id, clock)?;
        Some(self.place_of(heard))
    }
}

impl<C: Contract> Actors for Erased<C> {
    fn hands(&self, setup: usize, program: &[Vec<usize>], scene: &Scene) -> Vec<Box<dyn Hand>> {
        let mut hands = self.0.contract.hands(setup, program.len(), scene);
        self.0.contract.deal(&mut hands, &self.program(program));
        hands.into_iter().map(|hand| Box::new(Held { known: Arc::clone(&self.0), hand }) as Box<dyn Hand>).collect()
    }
}

struct Held<C: Contract> {
    known: Arc<Known<C>>,
    hand: C::Hand,
}

impl<C: Contract> Hand for Held<C> {
    fn arrive(&mut self, scene: &Scene) {
        self.known.contract.arrive(&mut self.hand, scene);
    }

    fn perform(&mut self, call: usize, id: usize, scene: &Scene) -> String {
        self.known.contract.perform(&mut self.hand, self.known.calls[call], id, scene)
    }

    fn leave(self: Box<Self>) {
        let Held { known, hand } = *self;
        known.contract.leave(hand);
    }
}

/// Runs what uses the contract's own code. If that panics, it is the contract that is no good: its message.
pub(super) fn caught<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it panics".to_owned())
    })
}
