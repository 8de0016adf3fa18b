//! Whether the contract explains a schedule: all orders in which what was noted could have come, against all orders in
//! which the calls could have taken effect.
//!
//! The marks of a schedule are ordered only where something in the schedule orders them. Any order that keeps to this is
//! that of a schedule which is the same to every thread, so the contract has to explain each of them. A return as early as
//! possible leaves the least room for explanations: wherever one could come next, no other order needs to be tried.

use std::collections::BTreeSet;
use std::explored::{Mark, Marked};
use std::rc::Rc;

use super::quick;
use super::table::{NOTHING, Position, Progress, Seen, Set, Table};

/// How many events of a stretch are tried in all orders: their places are bits of a number.
const LONGEST: usize = 60;

/// What the contract does not explain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Violation {
    /// What was seen that can't be; [`Seen::StandsStill`] if somebody waits who need not.
    pub(super) seen: Seen,
    /// What is possible instead, right before.
    pub(super) instead: Set,
    /// What happened until then, in an order in which it can have happened.
    pub(super) before: Vec<Seen>,
    /// The same order, with what can't be, if that is an event: stretches, and places in them.
    order: Vec<(usize, usize)>,
    /// At what time.
    pub(super) now: usize,
}

/// A stretch of a history in which time stands still.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Stretch {
    now: usize,
    events: Vec<Event>,
    /// Whether nobody could go on at the end.
    still: bool,
    /// The last moment for which they stood still, if time moved then.
    until: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Event {
    seen: Seen,
    /// Those of the stretch that come before it in any case, as bits.
    after: u64,
}

/// Judges the histories of one scenario.
pub(super) struct Judge {
    pub(super) table: Table,
    known: quick::Map<Vec<Stretch>, Option<Rc<Violation>>>,
}

impl Judge {
    pub(super) fn new(table: Table) -> Judge {
        Judge { table, known: quick::Map::default() }
    }

    /// What the contract does not explain in these marks of a schedule in which nobody can go on, and the order in which it does
    /// not: the marks' places.
    pub(super) fn judge(&mut self, marks: &[Mark]) -> Option<(Rc<Violation>, Vec<usize>)> {
        let (stretches, starts) = self.stretches(marks);
        let found = match self.known.get(&stretches) {
            Some(known) => known.clone(),
            None => {
                let mut search = Search { table: &mut self.table, stretches: &stretches, tried: BTreeSet::new() };
                let start = search.table.start();
                let found = search.go(0, 0, start, &mut Vec::new()).map(Rc::new);
                self.known.insert(stretches, found.clone());
                found
            }
        }?;
        let order = found.order.iter().map(|(stretch, place)| starts[*stretch] + place).collect();
        Some((found, order))
    }

    /// The stretches, and where each begins among the marks.
    fn stretches(&mut self, marks: &[Mark]) -> (Vec<Stretch>, Vec<usize>) {
        let (mut stretches, mut starts) = (Vec::new(), Vec::new());
        let mut now = self.table.time(std::time::Duration::ZERO);
        let mut rest = marks;
        loop {
            let ends = |mark: &Mark| matches!(mark.what, Marked::StandsStill | Marked::TimeMoves { .. });
            let end = rest.iter().position(ends);
            let stretch = &rest[..end.unwrap_or(rest.len())];
            starts.push(marks.len() - rest.len());
            if stretch.len() > LONGEST {
                // Nobody looks at all orders of so many: their own will do at this point.
                let events = (0..LONGEST).map(|place| self.event(stretch, place)).collect();
                stretches.push(Stretch { now, events, still: false, until: None });
                rest = &rest[LONGEST..];
                continue;
            }
            let events = (0..stretch.len()).map(|place| self.event(stretch, place)).collect();
            let Some(end) = end else {
                stretches.push(Stretch { now, events, still: true, until: None });
                return (stretches, starts);
            };
            let next = self.table.time(rest[end].now);
            let still = match rest[end].what {
                Marked::TimeMoves { still } => still && !self.table.is_a_pause(now, next),
                _ => true,
            };
            let until = if still { self.table.last_moment(now, next) } else { None };
            stretches.push(Stretch { now, events, still, until });
            now = next;
            rest = &rest[end + 1..];
        }
    }

    fn event(&mut self, stretch: &[Mark], place: usize) -> Event {
        let mark = &stretch[place];
        let seen = match &mark.what {
            Marked::Begins(call) => Seen::Begins(*call),
            Marked::Returns(call, answer) => Seen::Returns(*call, self.table.answer(answer)),
            Marked::Notes(what, id) => Seen::Notes(what, *id),
            Marked::StandsStill | Marked::TimeMoves { .. } => unreachable!("it ends a stretch"),
        };
        let earlier = stretch[..place].iter().enumerate().filter(|(_, other)| other.is_before(mark));
        Event { seen, after: earlier.fold(0, |bits, (place, _)| bits | (1 << place)) }
    }
}

/// Tries the orders of one history.
struct Search<'a> {
    table: &'a mut Table,
    stretches: &'a [Stretch],
    tried: BTreeSet<(usize, u64, Set)>,
}

impl Search<'_> {
    /// Goes on in a stretch, after these of its events, with this set.
    fn go(&mut self, stretch: usize, done: u64, set: Set, before: &mut Vec<(usize, usize)>) -> Option<Violation> {
        if !self.tried.insert((stretch, done, set)) {
            return None;
        }
        let Stretch { now, events, .. } = &self.stretches[stretch];
        let now = *now;
        let ready = |(place, event): &(usize, &Event)| done & (1 << *place) == 0 && event.after & !done == 0;
        let ready: Vec<(usize, Seen)> =
            events.iter().enumerate().filter(ready).map(|(place, event)| (place, event.seen)).collect();
        if ready.is_empty() {
            return self.end(stretch, set, before);
        }
        let first_return = ready.iter().find(|(_, seen)| matches!(seen, Seen::Returns(..)));
        let next = first_return.map_or(&ready[..], std::slice::from_ref);
        for &(place, seen) in next {
            let after = self.table.after(set, seen, now);
            if after == NOTHING {
                let violation = self.violation(seen, set, before, now);
                let order = before.iter().copied().chain([(stretch, place)]).collect();
                return Some(Violation { order, ..violation });
            }
            before.push((stretch, place));
            let found = self.go(stretch, done | (1 << place), after, before);
            before.pop();
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn violation(&mut self, seen: Seen, set: Set, before: &[(usize, usize)], now: usize) -> Violation {
        let instead = self.table.closure(set, now);
        let seen_before = before.iter().map(|(stretch, place)| self.stretches[*stretch].events[*place].seen);
        Violation { seen, instead, before: seen_before.collect(), order: before.to_vec(), now }
    }

    fn end(&mut self, stretch: usize, set: Set, before: &mut Vec<(usize, usize)>) -> Option<Violation> {
        let Stretch { now, still, until, .. } = self.stretches[stretch];
        let mut set = if still { set } else { self.table.closure(set, now) };
        // Who need not wait at some time must not wait until the next one.
        for now in still.then_some(now).into_iter().chain(until) {
            let after = self.table.after(set, Seen::StandsStill, now);
            if after == NOTHING {
                return Some(self.violation(Seen::StandsStill, set, before, now));
            }
            set = after;
        }
        if stretch + 1 == self.stretches.len() { None } else { self.go(stretch + 1, 0, set, before) }
    }
}

/// What should have happened.
#[derive(Debug, Default)]
pub(super) struct Missing {
    /// The calls of which one need not wait.
    pub(super) calls: Vec<usize>,
    /// Why, if the contract says it.
    pub(super) why: Option<&'static str>,
    /// What is expected to be noted.
    pub(super) notes: Vec<(&'static str, usize)>,
}

impl Violation {
    /// What should have happened, where everything stands still. As little as possible.
    pub(super) fn missing(&self, table: &mut Table) -> Missing {
        let mut missing = Vec::new();
        for &position in table.positions(self.instead).iter() {
            // Where something still happens by itself, that comes first.
            if !table.is_answered(position) && !table.next(position, self.now).iter().any(|(call, _)| call.is_none()) {
                let restless = table.restless(position, self.now);
                missing.push(Missing {
                    why: restless.iter().find_map(|(_, why)| *why),
                    calls: restless.into_iter().filter_map(|(call, _)| call).collect(),
                    notes: table.expected(position, self.now),
                });
            }
        }
        missing.into_iter().min_by_key(|missing| missing.calls.len() + missing.notes.len()).unwrap_or_default()
    }

    /// What a call may answer, and whether it may go on waiting.
    pub(super) fn allowed(&self, call: usize, table: &mut Table) -> (BTreeSet<Rc<str>>, bool) {
        let positions = table.positions(self.instead);
        let answer = |&position: &Position| match table.standing(position)[call] {
            Progress::Found(answer) => Some(table.answer_text(answer)),
            _ => None,
        };
        let answers = positions.iter().filter_map(answer).collect();
        let waits = positions.iter().any(|&position| {
            matches!(table.standing(position)[call], Progress::Inside { .. }) && {
                table.restless(position, self.now).iter().all(|(mover, _)| *mover != Some(call))
            }
        });
        (answers, waits)
    }
}
