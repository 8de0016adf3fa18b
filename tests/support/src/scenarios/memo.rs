//! Remembers what a contract has said: thousands of programs ask the same of it. Answers and times have numbers, the same in all
//! programs, so that a question is a few of them.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::erased::{Specification, Subject};
use super::numbered::Numbered;
use super::quick;
use super::{Clock, Moves, Next, Rest, Turn};

/// The specification of one setup, for all programs of it.
pub(super) type Shared = Rc<RefCell<Memo>>;

/// A specification that is asked everything once.
pub(super) struct Memo {
    specification: Box<dyn Specification>,
    /// When the gate opens.
    opening: Duration,
    answers: Numbered<str>,
    times: Numbered<Duration>,
    may: quick::Map<Question, Rc<Steps>>,
    by_itself: quick::Map<(u32, Moment), Rc<Steps>>,
    hears: quick::Map<(u32, &'static str, usize, Moment), Option<u32>>,
}

/// When something is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Moment {
    /// The number of the time.
    pub(super) now: usize,
    /// Whether any limit may be over at any time.
    pub(super) hostile: bool,
}

/// What a call may do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub(super) state: u32,
    /// Which call it is, by its place in the contract's list.
    pub(super) call: usize,
    /// The call's number in its program.
    pub(super) id: usize,
    pub(super) thread: usize,
    pub(super) phase: usize,
    /// The number of the time when it began.
    pub(super) since: usize,
    /// Whether no other call has begun and not returned.
    pub(super) alone: bool,
    pub(super) moment: Moment,
}

/// What may come next, of a call or by itself: [`Moves`] in which answers have numbers.
#[derive(Debug)]
pub(super) struct Steps {
    /// The state after each step, and what it is.
    pub(super) steps: Vec<(u32, Step)>,
    /// What has to be noted first.
    pub(super) expected: Vec<(&'static str, usize)>,
    pub(super) rest: Rest,
}

/// What a step is to the call that does it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// It goes on in this phase.
    Phase(usize),
    /// It has found the answer of this number.
    Answer(usize),
    /// It was no call's step.
    Nothing,
}

/// The specifications of all setups.
pub(super) fn of_all_setups(subject: &dyn Subject) -> Vec<Shared> {
    let opening = subject.limits().opening;
    let of_setup = |setup| Rc::new(RefCell::new(Memo::new(subject.specification(setup), opening)));
    (0..subject.setups().len()).map(of_setup).collect()
}

impl Memo {
    fn new(specification: Box<dyn Specification>, opening: Duration) -> Memo {
        Memo {
            specification,
            opening,
            answers: Numbered::of([""; 0]),
            times: Numbered::of([Duration::ZERO]),
            may: quick::Map::default(),
            by_itself: quick::Map::default(),
            hears: quick::Map::default(),
        }
    }

    /// The number of an answer.
    pub(super) fn answer(&mut self, answer: &str) -> usize {
        self.answers.number(answer)
    }

    /// The answer of that number.
    pub(super) fn answer_text(&self, answer: usize) -> Rc<str> {
        Rc::clone(self.answers.thing(answer))
    }

    /// The number of a time. That of the beginning is 0.
    pub(super) fn time(&mut self, time: Duration) -> usize {
        self.times.number(time)
    }

    /// The time of that number.
    pub(super) fn duration(&self, time: usize) -> Duration {
        **self.times.thing(time)
    }

    pub(super) fn may(&mut self, question: Question) -> Rc<Steps> {
        if let Some(known) = self.may.get(&question) {
            return Rc::clone(known);
        }
        let Question { state, call, id, thread, phase, since, alone, moment } = question;
        let turn = Turn { id, thread, phase, since: self.duration(since), alone, clock: self.clock(moment) };
        let moves = self.specification.may(state, call, &turn);
        let steps = self.steps(moves);
        self.may.insert(question, Rc::clone(&steps));
        steps
    }

    pub(super) fn by_itself(&mut self, state: u32, moment: Moment) -> Rc<Steps> {
        if let Some(known) = self.by_itself.get(&(state, moment)) {
            return Rc::clone(known);
        }
        let clock = self.clock(moment);
        let moves = self.specification.by_itself(state, &clock);
        let steps = self.steps(moves);
        self.by_itself.insert((state, moment), Rc::clone(&steps));
        steps
    }

    pub(super) fn hears(&mut self, state: u32, what: &'static str, id: usize, moment: Moment) -> Option<u32> {
        let clock = self.clock(moment);
        let known = self.hears.entry((state, what, id, moment));
        *known.or_insert_with(|| self.specification.hears(state, what, id, &clock))
    }

    fn clock(&self, Moment { now, hostile }: Moment) -> Clock {
        let now = self.duration(now);
        Clock { now, gate_is_open: now >= self.opening, hostile }
    }

    fn steps(&mut self, moves: Moves<u32>) -> Rc<Steps> {
        let Moves { steps, expected, rest } = moves;
        let step = |(state, next)| match next {
            Next::Phase(phase) => (state, Step::Phase(phase)),
            Next::Answer(answer) => (state, Step::Answer(self.answer(&answer))),
            Next::Nothing => (state, Step::Nothing),
        };
        Rc::new(Steps { steps: steps.into_iter().map(step).collect(), expected, rest })
    }
}
