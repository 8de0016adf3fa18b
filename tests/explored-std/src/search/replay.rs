//! Follows a given schedule, to its end or to a position on its way.

use std::cell::RefCell;
use std::rc::Rc;

use verdict::schedule::Schedule;
use verdict::{Move, Position, Step};

use super::preemptions::default_choice;
use crate::engine::access::accesses;
use crate::engine::happens_before::HappensBefore;
use crate::engine::names::thread_name;
use crate::engine::operation::{Choice, How};
use crate::engine::record::possible_step;
use crate::engine::run::Ending;
use crate::engine::state::State;
use crate::engine::strategy::Strategy;

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
    order: Rc<RefCell<HappensBefore>>,
    /// Whether the marks are judged in the very order in which they come, so that nobody needs to know that.
    as_it_comes: bool,
    /// After how many choices it ends, if it does not follow the schedule to its end.
    pauses: Option<usize>,
    /// What could be done there.
    position: Position,
}

impl Replay {
    /// Follows a schedule that was just run.
    pub(crate) fn own(choices: Vec<Choice>) -> Replay {
        Replay { own: true, ..Replay::given(choices) }
    }

    /// Follows a schedule that somebody gives.
    pub(crate) fn given(choices: Vec<Choice>) -> Replay {
        let position = Position { of: choices.len(), ..Position::default() };
        let order = Rc::default();
        Replay { choices, next: 0, own: false, misfit: None, order, as_it_comes: false, pauses: None, position }
    }

    /// Follows a schedule in which what is noted is judged in the very order in which it comes. It is followed as far as it fits.
    pub(crate) fn as_it_comes(choices: Vec<Choice>) -> Replay {
        Replay { as_it_comes: true, ..Replay::given(choices) }
    }

    /// Follows a schedule that somebody gives up to the position after so many choices: all of them, if it has no more.
    pub(crate) fn up_to(choices: Vec<Choice>, after: usize) -> Replay {
        let pauses = Some(after.min(choices.len()));
        Replay { pauses, ..Replay::given(choices) }
    }

    /// How many of its choices fitted the program.
    pub(crate) fn fitted(&self) -> usize {
        self.next
    }

    /// The position that was reached. Nothing may come next if the schedule ended there.
    pub(crate) fn position(&self) -> &Position {
        &self.position
    }

    /// The order of the schedule that runs, for the engine to keep.
    pub(crate) fn order(&self) -> Rc<RefCell<HappensBefore>> {
        Rc::clone(&self.order)
    }

    /// Why the schedule did not fit, asked when it has been run: also one of which choices are left over does not.
    pub(crate) fn misfit(&self, failed: bool) -> Option<String> {
        let longer = || "the schedule does not fit this test: it is longer than the test runs".to_string();
        let wanted = self.pauses.unwrap_or(self.choices.len());
        self.misfit.clone().or_else(|| (!failed && self.next < wanted).then(longer))
    }
}

impl Strategy for Replay {
    fn pick(&mut self, state: &State, choices: &[Choice]) -> Result<usize, Ending> {
        if self.pauses == Some(self.next) {
            self.position.moves = moves(state, &self.choices, self.next, choices);
            self.position.clock = state.now;
            return Err(Ending::Paused);
        }
        let index = self.follow(state, choices)?;
        (self.position.after, self.position.clock) = (self.next, state.now);
        if !self.as_it_comes {
            self.order.borrow_mut().make(state, choices[index], &accesses(state, choices[index]), None);
        }
        Ok(index)
    }

    fn passes(&mut self, state: &State) {
        if self.as_it_comes {
            return;
        }
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
            None if self.as_it_comes => {
                self.next -= 1;
                self.choices.truncate(self.next);
                Ok(default_choice(state, choices))
            }
            None => {
                let message = misfit(state, wanted, self.next);
                self.misfit = Some(message.clone());
                Err(Ending::Misfit(message))
            }
        }
    }
}

/// What may come next: those choices, where so many of this schedule's were made.
fn moves(state: &State, schedule: &[Choice], after: usize, choices: &[Choice]) -> Vec<Move> {
    let (made, next) = (&schedule[..after], schedule.get(after));
    let usual = default_choice(state, choices);
    let continuing = state.continuing(choices);
    let manner = state.settings.manner();
    let one = |(index, &choice): (usize, &Choice)| Move {
        schedule: Schedule { manner, choices: [made, &[choice]].concat() }.to_string(),
        step: Step {
            preemption: continuing.is_some_and(|continuing| choices[continuing].thread != choice.thread),
            ..possible_step(state, choice)
        },
        older: if let How::Old(back) = choice.how { back } else { 0 },
        way: if let How::Way(way) = choice.how { way } else { 0 },
        usual: index == usual,
        follows: next == Some(&choice),
    };
    choices.iter().enumerate().map(one).collect()
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
