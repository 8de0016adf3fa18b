//! What the contract can be in, given what was seen so far: sets of positions, computed once and looked up from then on.
//!
//! A *position* is a state of the specification and how far each call has come. After some events several positions are
//! possible, because the contract leaves something open or because the order of calls at the same time is not known.
//! Thousands of schedules have few histories, these have few sets in common, and the sets few positions: all of them are numbers.

use std::collections::BTreeSet;
use std::hash::Hash;
use std::rc::Rc;
use std::time::Duration;

use super::erased::Limits;
use super::memo::Shared;
use super::program::Placed;
use super::quick;
use super::{Clock, Next, Rest, Turn};

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

/// Something that was seen. Answers and times stand for their places in the table.
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

/// What may come next, of a call or by itself.
#[derive(Debug)]
struct Steps {
    /// The state after each step, and how far the call is then.
    steps: Vec<(u32, Progress)>,
    /// What has to be noted first.
    expected: Vec<(&'static str, usize)>,
    rest: Rest,
}

/// A set of positions, by its place.
pub(super) type Set = usize;

/// The set of no position: nothing explains what was seen.
pub(super) const NOTHING: Set = 0;

/// Lists, each of which has a number: its place.
struct Numbered<T> {
    lists: Vec<Rc<[T]>>,
    numbers: quick::Map<Rc<[T]>, usize>,
}

impl<T: Eq + Hash> Numbered<T> {
    /// These, numbered from 0. No two are equal.
    fn of<const N: usize>(lists: [Rc<[T]>; N]) -> Numbered<T> {
        let mut numbered = Numbered { lists: Vec::new(), numbers: quick::Map::default() };
        for list in lists {
            numbered.number(list);
        }
        numbered
    }

    /// The number of a list, which is added if it is not there.
    fn number(&mut self, list: Rc<[T]>) -> usize {
        if let Some(&known) = self.numbers.get(&list) {
            return known;
        }
        self.lists.push(Rc::clone(&list));
        self.numbers.insert(list, self.lists.len() - 1);
        self.lists.len() - 1
    }
}

/// The table of one scenario.
pub(super) struct Table {
    specification: Shared,
    pub(super) calls: Vec<Placed>,
    limits: Limits,
    hostile: bool,
    answers: Vec<String>,
    times: Vec<Duration>,
    /// Whether what is expected to be noted happens by itself: for looking ahead, when nothing runs.
    pub(super) looks_ahead: bool,
    moves: quick::Map<(u32, Option<Mover>, usize), Rc<Steps>>,
    standings: Numbered<Progress>,
    changes: quick::Map<(u32, usize, Progress), u32>,
    successors: quick::Map<(Position, usize), Successors>,
    sets: Numbered<Position>,
    closures: quick::Map<(Set, usize), Set>,
    effects: quick::Map<(Set, Seen, usize), Set>,
    /// Why the specification itself is no good, if it is not.
    pub(super) broken: Option<String>,
}

impl Table {
    pub(super) fn new(specification: Shared, calls: Vec<Placed>, limits: Limits, hostile: bool) -> Table {
        let ahead = calls.iter().map(|_| Progress::Ahead).collect();
        let start = Position { state: 0, standing: 0 };
        Table {
            specification,
            calls,
            limits,
            hostile,
            answers: Vec::new(),
            times: vec![Duration::ZERO],
            looks_ahead: false,
            moves: quick::Map::default(),
            standings: Numbered::of([ahead]),
            changes: quick::Map::default(),
            successors: quick::Map::default(),
            sets: Numbered::of([Rc::new([]), Rc::new([start])]),
            closures: quick::Map::default(),
            effects: quick::Map::default(),
            broken: None,
        }
    }

    /// Where every scenario begins.
    pub(super) fn start(&self) -> Set {
        1
    }

    /// The place of an answer.
    pub(super) fn answer(&mut self, answer: &str) -> usize {
        place_of(&mut self.answers, answer, str::to_owned)
    }

    /// The place of a time.
    pub(super) fn time(&mut self, time: Duration) -> usize {
        place_of(&mut self.times, &time, |time| *time)
    }

    /// The time of that place.
    pub(super) fn moment(&self, time: usize) -> Duration {
        self.times[time]
    }

    /// The last moment before `next` at which nobody may have been let go on, if that is after `now`.
    pub(super) fn last_moment(&mut self, now: usize, next: usize) -> Option<usize> {
        let moment = self.times[next].checked_sub(self.limits.pause + Duration::from_nanos(1))?;
        (moment > self.times[now]).then(|| self.time(moment))
    }

    /// The answer of that place.
    pub(super) fn answer_text(&self, answer: usize) -> &str {
        &self.answers[answer]
    }

    /// The positions of a set.
    pub(super) fn positions(&self, set: Set) -> Rc<[Position]> {
        Rc::clone(&self.sets.lists[set])
    }

    /// How far each call has come at a position.
    pub(super) fn standing(&self, position: Position) -> Standing {
        Rc::clone(&self.standings.lists[position.standing as usize])
    }

    /// Whether standing still from one time to the other is too short to be more than a look now and then.
    pub(super) fn is_a_pause(&self, from: usize, to: usize) -> bool {
        self.times[to].saturating_sub(self.times[from]) <= self.limits.pause
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
        let mut after = BTreeSet::new();
        for &position in self.positions(from).iter() {
            after.extend(self.position_after(position, seen, now));
        }
        let place = self.sets.number(after.into_iter().collect());
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
                let clock = self.clock(now);
                let state = self.specification.borrow_mut().hears(position.state, what, id, clock)?;
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
        let mut all: BTreeSet<Position> = self.positions(set).iter().copied().collect();
        let mut open: Vec<Position> = all.iter().copied().collect();
        while let Some(position) = open.pop() {
            let next = self.next(position, now);
            open.extend(next.iter().map(|step| step.1).filter(|&next| all.insert(next)));
            if all.len() > MOST_POSITIONS {
                self.broken = Some("it does not come to an end".to_owned());
                break;
            }
        }
        let place = self.sets.number(all.into_iter().collect());
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
            for &(state, progress) in &moves.steps {
                let after = Position { state, ..position };
                steps.push(match mover {
                    Some(Mover { call, .. }) => (Some(call), self.with(after, call, progress)),
                    None => (None, after),
                });
            }
            let expected = if self.looks_ahead { &moves.expected[..] } else { &[] };
            let clock = self.clock(now);
            for &(what, id) in expected {
                let heard = self.specification.borrow_mut().hears(position.state, what, id, clock);
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

    fn clock(&self, now: usize) -> Clock {
        let now = self.times[now];
        Clock { now, gate_is_open: now >= self.limits.opening, hostile: self.hostile }
    }

    fn moves(&mut self, state: u32, mover: Option<Mover>, now: usize) -> Rc<Steps> {
        if let Some(known) = self.moves.get(&(state, mover, now)) {
            return Rc::clone(known);
        }
        let clock = self.clock(now);
        let found = match mover {
            None => self.specification.borrow_mut().by_itself(state, clock),
            Some(Mover { call, phase, since, alone }) => {
                let Placed { thread, call, id } = self.calls[call];
                let since = self.times[since];
                let turn = Turn { id, thread, phase, since, alone, clock };
                self.specification.borrow_mut().may(state, call, turn)
            }
        };
        let since = mover.map_or(0, |mover| mover.since);
        let mut steps = Steps { steps: Vec::new(), expected: found.expected.clone(), rest: found.rest };
        for (state, next) in &found.steps {
            let progress = match next {
                Next::Phase(phase) => Progress::Inside { phase: *phase, since },
                Next::Answer(answer) => Progress::Found(place_of(&mut self.answers, answer.as_str(), str::to_owned)),
                Next::Nothing => Progress::Ahead,
            };
            steps.steps.push((*state, progress));
        }
        let steps = Rc::new(steps);
        self.moves.insert((state, mover, now), Rc::clone(&steps));
        steps
    }

    /// The position with one call's progress changed.
    fn with(&mut self, position: Position, call: usize, progress: Progress) -> Position {
        let change = (position.standing, call, progress);
        if let Some(&standing) = self.changes.get(&change) {
            return Position { standing, ..position };
        }
        let mut standing = self.standing(position).to_vec();
        standing[call] = progress;
        let standing = self.standings.number(standing.into()) as u32;
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

/// The place of something in a list, to which it is added if it is not there.
fn place_of<T, Q>(list: &mut Vec<T>, wanted: &Q, own: impl FnOnce(&Q) -> T) -> usize
where
    T: std::borrow::Borrow<Q>,
    Q: PartialEq + ?Sized,
{
    let known = list.iter().position(|one| one.borrow() == wanted);
    known.unwrap_or_else(|| {
        list.push(own(wanted));
        list.len() - 1
    })
}
