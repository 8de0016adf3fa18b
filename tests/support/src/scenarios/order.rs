//! Which programs come first: those that can tell most.
//!
//! Mistakes are mostly about waiting. So the programs in which a call has to wait and another thread's call lets it go on come
//! before the rest: each such pair, with one that waits and with two. Who waits and who helps says the specification. Within a
//! size, the order is a mixed one.

use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use super::erased::{Subject, caught};
use super::memo::Shared;
use super::program::{Program, of_size, sort_alike};
use super::table::{NOTHING, Progress, Seen, Set, Table};

/// Programs so small are tried first, whatever they can tell.
const SMALL: usize = 2;

/// All programs up to the contract's bound, each once.
pub(super) struct Order {
    pub(super) programs: Vec<Program>,
    /// Where each of the groups ends.
    ends: [usize; 3],
}

/// A part of the programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// The small ones.
    First,
    /// Larger ones in which a call waits and another one lets it go on.
    Telling,
    /// All others.
    Rest,
    /// Every one.
    All,
}

impl Order {
    /// The places of a group's programs.
    pub(super) fn group(&self, group: Group) -> Range<usize> {
        match group {
            Group::First => 0..self.ends[0],
            Group::Telling => self.ends[0]..self.ends[1],
            Group::Rest => self.ends[1]..self.ends[2],
            Group::All => 0..self.ends[2],
        }
    }
}

/// Puts the contract's programs in order.
pub(super) fn order(subject: &dyn Subject, specifications: &[Shared]) -> Order {
    let limits = subject.limits();
    let mut programs = Vec::new();
    for size in 1..=SMALL.min(limits.calls) {
        programs.extend(all_of_size(subject, size));
    }
    let first = programs.len();
    for size in SMALL + 1..=limits.telling {
        programs.extend(mixed(telling(subject, specifications, size)));
    }
    let telling = programs.len();
    let known: BTreeSet<Program> = programs.iter().cloned().collect();
    for size in SMALL + 1..=limits.calls {
        let mut others = all_of_size(subject, size);
        others.retain(|program| !known.contains(program));
        programs.extend(mixed(others));
    }
    let ends = [first, telling, programs.len()];
    Order { programs, ends }
}

/// The programs in an order in which neighbours have little in common, so that a budget for a part of them is not spent on one
/// setup: steps of the golden section spread evenly, wherever one stops.
fn mixed(programs: Vec<Program>) -> Vec<Program> {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut placed: Vec<(u64, Program)> =
        programs.into_iter().zip(0_u64..).map(|(program, place)| (place.wrapping_mul(GOLDEN), program)).collect();
    placed.sort();
    placed.into_iter().map(|(_, program)| program).collect()
}

fn all_of_size(subject: &dyn Subject, size: usize) -> Vec<Program> {
    let of_setup = |setup| {
        let makes_sense = |threads: &[Vec<usize>]| subject.makes_sense(setup, threads);
        let parts = subject.parts(setup);
        of_size(setup, &subject.calls(setup), size, subject.limits().threads, parts, makes_sense)
    };
    (0..subject.setups().len()).flat_map(of_setup).collect()
}

/// Programs in which one or two threads wait, and another one lets one of them go on.
fn telling(subject: &dyn Subject, specifications: &[Shared], size: usize) -> Vec<Program> {
    let mut found = BTreeSet::new();
    for setup in 0..subject.setups().len() {
        let (calls, parts) = (subject.calls(setup), subject.parts(setup));
        let waiters: Vec<usize> = calls
            .iter()
            .copied()
            // Where the contract itself fails, whoever tries the program says what is wrong with it.
            .filter(|&call| caught(|| has_to_wait(subject, specifications, setup, call)).unwrap_or(true))
            .collect();
        for many in 1..subject.limits().threads.min(size) {
            for waiting in of_size(setup, &waiters, many, many, parts, |threads| threads.len() == many) {
                for helper in of_size(setup, &calls, size - many, 1, 0, |_| true) {
                    for program in beside(&waiting, &helper, parts) {
                        if !subject.makes_sense(setup, &program.threads) {
                            continue;
                        }
                        let place = program.threads.iter().position(|calls| *calls == helper.threads[0]);
                        let place = place.unwrap_or_default();
                        if caught(|| lets_one_go_on(subject, specifications, &program, place)).unwrap_or(true) {
                            found.insert(program);
                        }
                    }
                }
            }
        }
    }
    found.into_iter().collect()
}

/// One thread more, at each place where that is another program: in a setup with an owner, that is the first thread, and it may be the one
/// that helps.
fn beside(waiting: &Program, helper: &Program, parts: usize) -> BTreeSet<Program> {
    let with = |place: usize| {
        let mut threads = waiting.threads.clone();
        threads.insert(place, helper.threads[0].clone());
        sort_alike(&mut threads, parts);
        Program { setup: waiting.setup, threads }
    };
    (0..=waiting.threads.len()).map(with).collect()
}

fn table(subject: &dyn Subject, specifications: &[Shared], program: &Program) -> Table {
    let specification = Rc::clone(&specifications[program.setup]);
    let mut table = Table::new(specification, program.calls(), subject.limits(), false);
    table.looks_ahead = true;
    table
}

/// What the setup comes to before anybody calls.
fn at_rest(table: &mut Table) -> Set {
    let start = table.start();
    let still = table.after(start, Seen::StandsStill, 0);
    if still == NOTHING { start } else { still }
}

/// Whether the call may have to wait while nobody else calls: of the first thread, which may be an owner, or of another one.
fn has_to_wait(subject: &dyn Subject, specifications: &[Shared], setup: usize, call: usize) -> bool {
    [vec![vec![call]], vec![vec![], vec![call]]].into_iter().any(|threads| {
        if !subject.makes_sense(setup, &threads) {
            return false;
        }
        let mut table = table(subject, specifications, &Program { setup, threads });
        let start = at_rest(&mut table);
        let begun = table.after(start, Seen::Begins(0), 0);
        table.after(begun, Seen::StandsStill, 0) != NOTHING
    })
}

/// Whether the calls of a thread, one after the other, let one of the others go on, which all wait.
fn lets_one_go_on(subject: &dyn Subject, specifications: &[Shared], program: &Program, helper: usize) -> bool {
    let mut table = table(subject, specifications, program);
    let now = table.time(Duration::ZERO);
    let (helping, waiting): (Vec<usize>, Vec<usize>) =
        (0..table.calls.len()).partition(|&call| table.calls[call].thread == helper);
    let mut set = at_rest(&mut table);
    for &call in &waiting {
        set = table.after(set, Seen::Begins(call), now);
    }
    let still = table.after(set, Seen::StandsStill, now);
    // A contract that comes to no end can't be asked.
    still != NOTHING && helps(&mut table, still, &helping, &waiting) || table.broken.is_some()
}

/// Whether these calls, one after the other, let one of those go on that wait.
fn helps(table: &mut Table, set: Set, helping: &[usize], waiting: &[usize]) -> bool {
    let goes_on = |table: &mut Table, set| {
        let closure = table.closure(set, 0);
        let found = |call: &usize, calls: &[Progress]| matches!(calls[*call], Progress::Found(_));
        let positions = table.positions(closure);
        positions.iter().any(|&position| waiting.iter().any(|call| found(call, &table.standing(position))))
    };
    if goes_on(table, set) {
        return true;
    }
    let [next, rest @ ..] = helping else { return false };
    let begun = table.after(set, Seen::Begins(*next), 0);
    // It may have to wait itself.
    if goes_on(table, begun) {
        return true;
    }
    let closure = table.closure(begun, 0);
    let answers: BTreeSet<usize> = table
        .positions(closure)
        .iter()
        .filter_map(|&position| match table.standing(position)[*next] {
            Progress::Found(answer) => Some(answer),
            _ => None,
        })
        .collect();
    answers.into_iter().any(|answer| {
        let returned = table.after(begun, Seen::Returns(*next, answer), 0);
        helps(table, returned, rest, waiting)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setup_has_its_turn_soon() {
        let programs: Vec<Program> =
            (0..100).map(|number| Program { setup: number / 10, threads: vec![vec![number]] }).collect();
        let mixed = mixed(programs.clone());
        let soon: BTreeSet<usize> = mixed[..20].iter().map(|program| program.setup).collect();
        assert_eq!(soon.len(), 10);
        assert_eq!(BTreeSet::from_iter(mixed), BTreeSet::from_iter(programs), "the same programs");
    }

    #[test]
    fn whoever_helps_may_be_the_thread_that_has_a_part_of_its_own() {
        let program =
            |threads: &[usize]| Program { setup: 0, threads: threads.iter().map(|&call| vec![call]).collect() };
        let helped = |parts| Vec::from_iter(beside(&program(&[2, 2]), &program(&[1]), parts));
        assert_eq!(helped(0), [program(&[1, 2, 2])]);
        assert_eq!(helped(1), [program(&[1, 2, 2]), program(&[2, 1, 2])]);
        assert_eq!(helped(2), [program(&[1, 2, 2]), program(&[2, 1, 2]), program(&[2, 2, 1])]);
    }
}
