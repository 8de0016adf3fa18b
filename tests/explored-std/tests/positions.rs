//! Positions of schedules: what may come next, how it may end from there, and which choice mattered.

#[macro_use]
extern crate explored_std as std;

mod support;

use std::explored::{Config, Exploration, explore, settle};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use support::config;
use verdict::{Ask, Effect, Outcome, Position, Question};

/// Two threads that take two locks in different orders.
fn crossed() {
    let locks = Arc::new((Mutex::new(1), Mutex::new(2)));
    let other = Arc::clone(&locks);
    let thread = thread::spawn(move || {
        let _second = other.1.lock().unwrap();
        let _first = other.0.lock().unwrap();
    });
    {
        let _first = locks.0.lock().unwrap();
        let _second = locks.1.lock().unwrap();
    }
    thread.join().unwrap();
}

fn ask(schedule: Option<&str>, question: Question, after: usize, body: fn()) -> Exploration {
    let (replay, ask) = (schedule.map(str::to_string), Some(Ask { question, after }));
    explore(&Config { replay, ask, ..config() }, body)
}

fn next(schedule: &str, after: usize, body: fn()) -> (Position, verdict::Trace) {
    let answer = ask(Some(schedule), Question::Next, after, body);
    (answer.position.expect("a position"), answer.trace.expect("a trace"))
}

/// Threads and names of the operations that may come next.
fn moves(position: &Position) -> Vec<(usize, &str)> {
    position.moves.iter().map(|next| (next.step.thread, next.step.operation.name())).collect()
}

#[test]
fn a_failing_test_begins_with_the_schedule_that_fails() {
    let begun = ask(None, Question::Next, 0, crossed);
    assert!(matches!(begun.outcome, Outcome::Failed(_)));
    assert_eq!(begun.position, None);
    let schedule = begun.trace.expect("a trace").schedule;
    let (position, trace) = next(&schedule, 0, crossed);
    assert_eq!((position.after, position.of, trace.schedule.as_str()), (0, 2, ""));
    assert_eq!(moves(&position), [(0, "lock"), (1, "lock")]);
    assert_eq!(position.moves.iter().filter(|next| next.follows).count(), 1);
}

#[test]
fn a_passing_test_begins_at_its_beginning() {
    let begun = ask(None, Question::Next, 0, || drop(thread::spawn(|| drop(Mutex::new(0).lock())).join()));
    assert_eq!(begun.outcome, Outcome::Passed);
    assert!(begun.coverage.complete);
    let position = begun.position.expect("a position");
    assert_eq!(moves(&position), [(1, "lock")]);
}

#[test]
fn a_position_says_who_holds_what_and_who_waits_for_whom() {
    let (position, trace) = next("0.1.0", usize::MAX, crossed);
    assert_eq!((position.after, position.of), (2, 3), "after two choices both are stuck");
    assert_eq!(moves(&position), []);
    let stuck = |thread: usize| {
        let waiting = trace.waiting.iter().find(|waiting| waiting.thread == thread).expect("it has not ended");
        (waiting.holds[0].object, waiting.waits_for.as_ref().map(|waits| waits.on.clone()))
    };
    assert_eq!((stuck(0), stuck(1)), ((0, Some(vec![1])), (1, Some(vec![0]))));
    assert_eq!(ask(Some("0.1.0"), Question::Next, 1, crossed).outcome, Outcome::Passed, "it is not over");
    let (position, _) = next("0.1.0", 1, crossed);
    assert_eq!(moves(&position), [(0, "lock"), (1, "lock")]);
    assert!(position.moves[0].usual && position.moves[1].follows);
    assert!(position.moves[1].step.preemption && !position.moves[0].step.preemption);
    assert_eq!((&position.moves[0].schedule[..], &position.moves[1].schedule[..]), ("0x2", "0.1"));
    assert_eq!(position.moves[0].step.holds, [0]);
}

#[test]
fn what_can_still_happen_is_counted_from_the_position() {
    let whole = ask(Some("0.1"), Question::Future, 0, crossed).coverage;
    let whole_again = explore(&config(), crossed).coverage;
    assert_eq!((whole.failing, whole.schedules, whole.complete), (1, whole_again.schedules, true));
    let open = ask(Some("0.1"), Question::Future, 1, crossed);
    assert_eq!((open.coverage.failing, open.coverage.schedules), (1, 2));
    assert_eq!(open.trace.expect("a failing schedule").schedule, "0.1");
    let lost = ask(Some("0.1"), Question::Future, 2, crossed).coverage;
    assert_eq!((lost.failing, lost.schedules, lost.complete), (1, 1, true));
    let safe = ask(Some("0x2"), Question::Future, 2, crossed);
    assert_eq!((safe.outcome, safe.coverage.failing, safe.coverage.complete), (Outcome::Passed, 0, true));
}

#[test]
fn what_was_chosen_after_a_settled_beginning_stays_chosen() {
    fn settled() {
        settle();
        crossed();
    }
    let coverage = ask(Some("0x2"), Question::Future, 2, settled).coverage;
    assert_eq!((coverage.failing, coverage.schedules, coverage.complete), (1, 2, true));
}

#[test]
fn the_choice_that_mattered_is_the_last_from_which_it_could_go_either_way() {
    let turn = ask(Some("0.1"), Question::Turn, 0, crossed);
    let position = turn.position.expect("it mattered");
    assert_eq!((position.after, turn.coverage.failing, turn.coverage.schedules), (1, 1, 1));
    let turn = ask(Some("0x2.1"), Question::Turn, 0, crossed);
    assert_eq!((turn.position.expect("it mattered").after, turn.coverage.failing), (1, 0));
    let undecided = ask(Some("0"), Question::Turn, 0, crossed).position.expect("a position");
    assert_eq!((undecided.after, undecided.of), (1, 1));
    let always = ask(Some("0"), Question::Turn, 0, || panic!("always"));
    assert_eq!((always.position, always.coverage.failing), (None, 1));
}

#[test]
fn what_was_made_old_on_the_way_may_still_be_read() {
    fn stale() {
        let flag = Arc::new(AtomicUsize::new(0));
        let other = Arc::clone(&flag);
        let reader = thread::spawn(move || other.load(Ordering::Relaxed));
        flag.store(1, Ordering::Relaxed);
        assert_eq!(reader.join().unwrap(), 1);
    }
    let (position, _) = next("w.0", usize::MAX, stale);
    let older: Vec<u8> = position.moves.iter().map(|next| next.older).collect();
    assert_eq!((moves(&position), older), (vec![(1, "load"), (1, "load")], vec![0, 1]));
    let coverage = ask(Some("w.0"), Question::Future, 1, stale).coverage;
    assert_eq!((coverage.failing, coverage.schedules, coverage.complete), (1, 2, true));
}

#[test]
fn the_clock_and_a_limit_that_is_over_are_seen() {
    fn sleeper() {
        thread::sleep(Duration::from_millis(20));
        drop(Mutex::new(0).lock());
    }
    let (position, _) = next("0", 0, sleeper);
    assert_eq!((moves(&position), position.clock), (vec![(0, "sleep")], 20_000_000));
    assert_eq!(position.moves[0].step.effect, Effect::Done);
}

#[test]
fn a_schedule_that_does_not_fit_is_told() {
    for (schedule, says) in [("5", "should go on, and cannot"), ("zz", "a part that is none")] {
        let outcome = ask(Some(schedule), Question::Next, usize::MAX, crossed).outcome;
        assert!(matches!(&outcome, Outcome::Misfit(why) if why.contains(says)), "{outcome:?}");
    }
}
