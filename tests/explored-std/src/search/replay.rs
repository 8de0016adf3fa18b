//! Follows a given schedule.

use std::cell::RefCell;
use std::rc::Rc;

use super::Strategy;
use super::order::{Order, accesses};
use super::preemptions::default_choice;
use crate::engine::names::thread_name;
use crate::engine::operation::{Choice, How};
use crate::engine::run::Ending;
use crate::engine::state::State;

/// A schedule to follow.
#[derive(Debug)]
pub(crate) struct Replay {
    choices: Vec<Choice>,
    next: usize,
    /// Whether the program is known to fit, so that another way means that it is not deterministic.
    own: bool,
    /// Why the schedule does not fit the program, once that is known.
    misfit: Option<String>,
    /// What happens before what, for the harness's marks.
    order: Rc<RefCell<Order>>,
}

impl Replay {
    /// Follows a schedule that was just run.
    pub(crate) fn own(choices: Vec<Choice>) -> Replay {
        Replay { choices, next: 0, own: true, misfit: None, order: Rc::default() }
    }

    /// Follows a schedule that somebody gives.
    pub(crate) fn given(choices: Vec<Choice>) -> Replay {
        Replay { choices, next: 0, own: false, misfit: None, order: Rc::default() }
    }

    /// The order of the schedule that runs, for the engine to keep.
    pub(crate) fn order(&self) -> Rc<RefCell<Order>> {
        Rc::clone(&self.order)
    }

    /// Why the schedule did not fit, asked when it has been run: also one of which choices are left over does not.
    pub(crate) fn misfit(&self, failed: bool) -> Option<String> {
        let longer = || "the schedule does not fit this test: it is longer than the test runs".to_string();
        self.misfit.clone().or_else(|| (!failed && self.next < self.choices.len()).then(longer))
    }
}

impl Strategy for Replay {
    fn pick(&mut self, state: &State, choices: &[Choice]) -> Result<usize, Ending> {
        let index = self.follow(state, choices)?;
        self.order.borrow_mut().make(state, choices[index], &accesses(state, choices[index]));
        Ok(index)
    }

    fn passes(&mut self, state: &State) {
        let mut order = self.order.borrow_mut();
        let new = order.goes_on(&accesses(state, Choice::step(state.current)));
        for access in new.iter() {
            order.extend(access);
        }
    }
}

impl Replay {
    fn follow(&mut self, state: &State, choices: &[Choice]) -> Result<usize, Ending> {
        let Some(&wanted) = self.choices.get(self.next) else {
            // A schedule that was cut short goes on as it likes.
            return Ok(default_choice(state, choices));
        };
        self.next += 1;
        match choices.iter().position(|choice| *choice == wanted) {
            Some(index) => Ok(index),
            None if self.own => Err(super::nondeterministic(state, wanted.thread)),
            None => {
                let message = misfit(state, wanted, self.next);
                self.misfit = Some(message.clone());
                Err(Ending::Misfit(message))
            }
        }
    }
}

fn misfit(state: &State, wanted: Choice, step: usize) -> String {
    let who = match state.threads.get(wanted.thread) {
        Some(_) => thread_name(&state.threads, wanted.thread),
        None => format!("thread {}", wanted.thread),
    };
    let what = match wanted.how {
        How::Step => "go on",
        How::Timeout => "time out",
        How::Spurious => "wake up",
        How::Old(_) => "read an old value",
        How::Way(_) => "go another way",
    };
    format!("the schedule does not fit this test: at its step {step} {who} should {what}, and cannot")
}
