//! What the contract can be in, given what was seen so far: sets of positions, computed once and looked up from then on.
//!
//! A *position* is a state of the specification and how far each call has come. After some events several positions are
//! possible, because the contract leaves something open or because the order of calls at the same time is not known.
//! Thousands of schedules have few histories, these have few sets in common, and the sets few positions: all of them are numbers.

use std::rc::Rc;
use std::time::Duration;

use super::Rest;
use super::erased::Limits;
use super::memo::{Moment, Question, Shared, Step, Steps};
use super::numbered::Numbered;
use super::program::Placed;
use super::quick;

/// How many positions a set may have. A contract that needs more does not come to an end.
const MOST_POSITIONS: usize = 20_000;

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Progress {
    /// It has not begun.
    Ahead,
    /// It has begun, at that time, and is in that phase.
    Inside { phase: usize, since: usize },
    /// Its answer is found; it has not returned.
    Found(usize),
    /// It has returned.
    Returned,
}

/// How far each call has come.
type Standing = Rc<[Progress]>;

/// One way in which the contract explains what was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Position {
    state: u32,
    /// The place of its standing.
    standing: u32,
}

/// What may be next at a position without anything being seen: a step of which call, if of one, and the position after it.
type Successors = Rc<[(Option<usize>, Position)]>;

/// Something that was seen. Answers stand for their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Seen {
    Begins(usize),
    Returns(usize, usize),
    Notes(&'static str, usize),
    /// Nobody can go on.
    StandsStill,
}

/// A call that may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Mover {
    call: usize,
    phase: usize,
    /// Since when it is inside.
    since: usize,
    /// Whether no other call is.
    alone: bool,
}

impl Mover {
    /// How far it has come after a step of its own.
    fn after(self, step: Step) -> Progress {
        match step {
            Step::Phase(phase) => Progress::Inside { phase, since: self.since },
            Step::Answer(answer) => Progress::Found(answer),
            Step::Nothing => Progress::Ahead,
        }
    }
}

/// A set of positions, by its place.
pub(super) type Set = usize;

/// The set of no position: nothing explains what was seen.
pub(super) const NOTHING: Set = 0;

/// The table of one scenario.
pub(super) struct Table {
    specification: Shared,
    pub(super) calls: Vec<Placed>,
    limits: Limits,
    hostile: bool,
    /// Whether what is expected to be noted happens by itself: for looking ahead, when nothing runs.
    pub(super) looks_ahead: bool,
    standings: Numbered<[Progress]>,
    changes: quick::Map<(u32, usize, Progress), u32>,
    successors: quick::Map<(Position, usize), Successors>,
    sets: Numbered<[Position]>,
    closures: quick::Map<(Set, usize), Set>,
    effects: quick::Map<(Set, Seen, usize), Set>,
    /// Why the specification itself is no good, if it is not.
    pub(super) broken: Option<String>,
}

impl Table {
    pub(super) fn new(specification: Shared, calls: Vec<Placed>, limits: Limits, hostile: bool) -> Table {
        let ahead = vec![Progress::Ahead; calls.len()];
        let start = Position { state: 0, standing: 0 };
        Table {
            specification,
            calls,
            limits,
            hostile,
            looks_ahead: false,
            standings: Numbered::of([ahead]),
            changes: quick::Map::default(),
            successors: quick::Map::default(),
            sets: Numbered::of([vec![], vec![start]]),
            closures: quick::Map::default(),
            effects: quick::Map::default(),
            broken: None,
        }
    }

    /// Where every scenario begins.
    pub(super) fn start(&self) -> Set {
        1
    }

    /// The number of an answer.
    pub(super) fn answer(&mut self, answer: &str) -> usize {
        self.specification.borrow_mut().answer(answer)
    }

    /// The number of a time.
    pub(super) fn time(&mut self, time: Duration) -> usize {
        self.specification.borrow_mut().time(time)
    }

    /// The time of that number.
    pub(super) fn moment(&self, time: usize) -> Duration {
        self.specification.borrow().duration(time)
    }

    /// The last moment before `next` at which nobody may have been let go on, if that is after `now`.
    pub(super) fn last_moment(&mut self, now: usize, next: usize) -> Option<usize> {
        let moment = self.moment(next).checked_sub(self.limits.pause + Duration::from_nanos(1))?;
        (moment > self.moment(now)).then(|| self.time(moment))
    }

    /// The answer of that number.
    pub(super) fn answer_text(&self, answer: usize) -> Rc<str> {
        self.specification.borrow().answer_text(answer)
    }

    /// The positions of a set.
    pub(super) fn positions(&self, set: Set) -> Rc<[Position]> {
        Rc::clone(self.sets.thing(set))
    }

    /// How far each call has come at a position.
    pub(super) fn standing(&self, position: Position) -> Standing {
        Rc::clone(self.standings.thing(position.standing as usize))
    }

    /// Whether standing still from one time to the other is too short to be more than a look now and then.
    pub(super) fn is_a_pause(&self, from: usize, to: usize) -> bool {
        self.moment(to).saturating_sub(self.moment(from)) <= self.limits.pause
    }

    /// What is possible after this was seen at that time.
    pub(super) fn after(&mut self, set: Set, seen: Seen, now: usize) -> Set {
        if let Some(&known) = self.effects.get(&(set, seen, now)) {
            return known;
        }
        let from = match seen {
            Seen::Begins(_) => set,
            _ => self.closure(set, now),
        };
        let positions = self.positions(from);
        let after = positions.iter().filter_map(|&position| self.position_after(position, seen, now)).collect();
        let place = self.set_of(after);
        self.effects.insert((set, seen, now), place);
        place
    }

    fn position_after(&mut self, position: Position, seen: Seen, now: usize) -> Option<Position> {
        match seen {
            Seen::Begins(call) => Some(self.with(position, call, Progress::Inside { phase: 0, since: now })),
            Seen::Returns(call, answer) => {
                let is_found = self.standing(position)[call] == Progress::Found(answer);
                is_found.then(|| self.with(position, call, Progress::Returned))
            }
            Seen::Notes(what, id) => {
                let state = self.hears(position.state, what, id, now)?;
                Some(Position { state, ..position })
            }
            // Whoever has an answer must return with it.
            Seen::StandsStill => {
                let rests = self.restless(position, now).is_empty() && self.expected(position, now).is_empty();
                (!self.is_answered(position) && rests).then_some(position)
            }
        }
    }

    /// All that is possible from this set on without anything being seen.
    pub(super) fn closure(&mut self, set: Set, now: usize) -> Set {
        if let Some(&known) = self.closures.get(&(set, now)) {
            return known;
        }
        let mut all = self.positions(set).to_vec();
        let mut known = quick::Set::from_iter(all.iter().copied());
        let mut done = 0;
        while let Some(&position) = all.get(done) {
            done += 1;
            let next = self.next(position, now);
            all.extend(next.iter().map(|step| step.1).filter(|&next| known.insert(next)));
            if all.len() > MOST_POSITIONS {
                self.broken = Some("it does not come to an end".to_owned());
                break;
            }
        }
        let place = self.set_of(all);
        self.closures.insert((set, now), place);
        place
    }

    /// The steps that are possible at a position.
    pub(super) fn next(&mut self, position: Position, now: usize) -> Successors {
        if let Some(known) = self.successors.get(&(position, now)) {
            return Rc::clone(known);
        }
        let mut steps = Vec::new();
        for mover in movers(&self.standing(position)) {
            let moves = self.moves(position.state, mover, now);
            for &(state, step) in &moves.steps {
                let after = Position { state, ..position };
                steps.push(match mover {
                    Some(mover) => (Some(mover.call), self.with(after, mover.call, mover.after(step))),
                    None => (None, after),
                });
            }
            let expected = if self.looks_ahead { &moves.expected[..] } else { &[] };
            for &(what, id) in expected {
                let heard = self.hears(position.state, what, id, now);
                steps.extend(heard.map(|state| (None, Position { state, ..position })));
            }
        }
        let steps: Successors = steps.into();
        self.successors.insert((position, now), Rc::clone(&steps));
        steps
    }

    /// Whether a call has an answer at a position, with which it has to return.
    pub(super) fn is_answered(&self, position: Position) -> bool {
        self.standing(position).iter().any(|progress| matches!(progress, Progress::Found(_)))
    }

    /// Who must not stand still at a position, call or not, and the reason if the contract gives one.
    pub(super) fn restless(&mut self, position: Position, now: usize) -> Vec<(Option<usize>, Option<&'static str>)> {
        let mut restless = Vec::new();
        for mover in movers(&self.standing(position)) {
            let moves = self.moves(position.state, mover, now);
            let call = mover.map(|mover| mover.call);
            match moves.rest {
                Rest::Always => {}
                Rest::WithoutSteps if moves.steps.is_empty() => {}
                Rest::WithoutSteps => restless.push((call, None)),
                Rest::Never(why) => restless.push((call, Some(why))),
            }
        }
        restless
    }

    /// What has to be noted before everything may stand still at a position.
    pub(super) fn expected(&mut self, position: Position, now: usize) -> Vec<(&'static str, usize)> {
        let standing = self.standing(position);
        movers(&standing).flat_map(|mover| self.moves(position.state, mover, now).expected.clone()).collect()
    }

    fn moment_of(&self, now: usize) -> Moment {
        Moment { now, hostile: self.hostile }
    }

    fn hears(&self, state: u32, what: &'static str, id: usize, now: usize) -> Option<u32> {
        self.specification.borrow_mut().hears(state, what, id, self.moment_of(now))
    }

    fn moves(&self, state: u32, mover: Option<Mover>, now: usize) -> Rc<Steps> {
        let moment = self.moment_of(now);
        let mut specification = self.specification.borrow_mut();
        let Some(Mover { call, phase, since, alone }) = mover else { return specification.by_itself(state, moment) };
        let Placed { thread, call, id } = self.calls[call];
        specification.may(Question { state, call, id, thread, phase, since, alone, moment })
    }

    /// The number of the set of these positions.
    fn set_of(&mut self, mut positions: Vec<Position>) -> Set {
        positions.sort_unstable();
        positions.dedup();
        self.sets.number(positions)
    }

    /// The position with one call's progress changed.
    fn with(&mut self, position: Position, call: usize, progress: Progress) -> Position {
        let change = (position.standing, call, progress);
        if let Some(&standing) = self.changes.get(&change) {
            return Position { standing, ..position };
        }
        let mut standing = self.standing(position).to_vec();
        standing[call] = progress;
        let standing = self.standings.number(standing) as u32;
        self.changes.insert(change, standing);
        Position { standing, ..position }
    }
}

/// Who may move where calls have come so far: those that are inside, and what happens by itself.
fn movers(standing: &[Progress]) -> impl Iterator<Item = Option<Mover>> + '_ {
    let under_way = |progress: &&Progress| matches!(progress, Progress::Inside { .. } | Progress::Found(_));
    let alone = standing.iter().filter(under_way).count() == 1;
    let inside = standing.iter().enumerate().filter_map(move |(call, progress)| match *progress {
        Progress::Inside { phase, since } => Some(Mover { call, phase, since, alone }),
        _ => None,
    });
    inside.map(Some).chain([None])
}
