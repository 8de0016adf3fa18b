//! Every bug of the corpus is caught as what it is, within the default budget; every correct twin passes every schedule.

use corpus::{Program, explore, programs};
use verdict::Outcome;

const BUDGET: u64 = 10_000;

/// What is wrong with what the explorer says of a program.
fn complaint(program: &Program) -> Option<String> {
    let found = explore(program, BUDGET);
    match (&found.outcome, program.bug) {
        (Outcome::Failed(failure), Some(kind)) if failure.kind == kind => None,
        (Outcome::Passed, None) if found.coverage.complete => None,
        (outcome, _) => Some(format!("{}: {outcome:?} after {}", program.name, found.coverage)),
    }
}

#[test]
fn bugs_are_caught_as_what_they_are_and_their_twins_pass_every_schedule() {
    let programs = programs();
    assert!(programs.iter().filter(|program| program.bug.is_some()).count() >= 30);
    let complaints: Vec<String> = programs.iter().filter_map(complaint).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn a_bug_is_told_with_the_same_bytes_every_time() {
    for program in programs().iter().filter(|program| program.bug.is_some()) {
        let (first, second) = (explore(program, BUDGET), explore(program, BUDGET));
        assert_eq!(first.outcome, second.outcome, "{}", program.name);
        assert_eq!(first.trace, second.trace, "{}", program.name);
    }
}

#[test]
fn names_are_unique() {
    let mut names: Vec<&str> = programs().iter().map(|program| program.name).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}
