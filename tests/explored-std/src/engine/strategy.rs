//! Who decides, as the engine sees it.

use std::cell::RefCell;
use std::rc::Rc;

use super::operation::Choice;
use super::run::Ending;
use super::state::State;

/// Chooses who goes on. The engine asks; a search, a sample or a replay answers.
pub(crate) trait Strategy {
    /// Picks one of the choices, of which there is at least one, or ends the schedule.
    fn pick(&mut self, state: &State, choices: &[Choice]) -> Result<usize, Ending>;

    /// Nobody can go on at this time: the schedule ends, or time moves on.
    fn stands_still(&mut self, _state: &State) {}

    /// What was decided so far is given: nothing else is tried there.
    fn takes_as_given(&mut self) {}

    /// The thread that was picked last has announced another step, which it makes at once, if that is possible.
    fn passes(&mut self, _state: &State) {}
}

impl<S: Strategy> Strategy for Rc<RefCell<S>> {
    fn pick(&mut self, state: &State, choices: &[Choice]) -> Result<usize, Ending> {
        self.borrow_mut().pick(state, choices)
    }

    fn stands_still(&mut self, state: &State) {
        self.borrow_mut().stands_still(state);
    }

    fn takes_as_given(&mut self) {
        self.borrow_mut().takes_as_given();
    }

    fn passes(&mut self, state: &State) {
        self.borrow_mut().passes(state);
    }
}
