//! Remembers what a contract has said: thousands of programs ask the same of it.

use std::cell::RefCell;
use std::rc::Rc;

use super::erased::{Specification, Subject};
use super::quick;
use super::{Clock, Moves, Turn};

/// The specification of one setup, for all programs of it.
pub(super) type Shared = Rc<RefCell<Memo>>;

/// A specification that is asked everything once.
pub(super) struct Memo {
    specification: Box<dyn Specification>,
    may: quick::Map<(u32, usize, Turn), Rc<Moves<u32>>>,
    by_itself: quick::Map<(u32, Clock), Rc<Moves<u32>>>,
    hears: quick::Map<(u32, &'static str, usize, Clock), Option<u32>>,
}

/// The specifications of all setups.
pub(super) fn of_all_setups(subject: &dyn Subject) -> Vec<Shared> {
    (0..subject.setups().len()).map(|setup| Rc::new(RefCell::new(Memo::new(subject.specification(setup))))).collect()
}

impl Memo {
    fn new(specification: Box<dyn Specification>) -> Memo {
        Memo {
            specification,
            may: quick::Map::default(),
            by_itself: quick::Map::default(),
            hears: quick::Map::default(),
        }
    }

    pub(super) fn may(&mut self, state: u32, call: usize, turn: Turn) -> Rc<Moves<u32>> {
        let known = self.may.entry((state, call, turn));
        Rc::clone(known.or_insert_with(|| Rc::new(self.specification.may(state, call, &turn))))
    }

    pub(super) fn by_itself(&mut self, state: u32, clock: Clock) -> Rc<Moves<u32>> {
        let known = self.by_itself.entry((state, clock));
        Rc::clone(known.or_insert_with(|| Rc::new(self.specification.by_itself(state, &clock))))
    }

    pub(super) fn hears(&mut self, state: u32, what: &'static str, id: usize, clock: Clock) -> Option<u32> {
        let known = self.hears.entry((state, what, id, clock));
        *known.or_insert_with(|| self.specification.hears(state, what, id, &clock))
    }
}
