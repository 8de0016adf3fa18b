//! What `check` makes of a body on schedules: the kinds, the words, and what the environment asks for.

extern crate kata_explored as kata;

use std::panic::{self, AssertUnwindSafe};
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use kata::{Check, Gate, Log, Rendezvous, check, on_schedules, on_threads, until_blocked};
use verdict::{ASK, Failure, Kind, Mode, Outcome, RECORD_FILE, REPLAY, Record, SCHEDULES};

/// The text with which this check fails.
fn failure_of(check: impl FnOnce()) -> String {
    let payload = panic::catch_unwind(AssertUnwindSafe(check)).expect_err("the check passed");
    *payload.downcast::<String>().expect("a check fails with a text")
}

#[test]
fn the_standard_library_is_the_model() {
    let name = std::any::type_name::<Mutex<u8>>();
    assert!(name.starts_with("explored_std::"), "{name}");
}

#[test]
fn a_deadlock_that_needs_bad_luck_is_found() {
    let text = failure_of(|| {
        check(|| {
            let (left, right) = (Mutex::new(()), Mutex::new(()));
            thread::scope(|scope| {
                scope.spawn(|| {
                    let _left = left.lock().unwrap();
                    let _right = right.lock().unwrap();
                });
                scope.spawn(|| {
                    let _right = right.lock().unwrap();
                    let _left = left.lock().unwrap();
                });
            });
        });
    });
    assert!(text.starts_with("deadlock: "), "{text}");
    assert!(text.contains("\n  explored: ") && text.contains("\n  schedule: "), "{text}");
}

#[test]
fn an_assertion_that_only_some_schedules_break_is_a_race() {
    assert!(failure_of(|| check(lost_update)).starts_with("race: "));
    assert!(failure_of(|| check(|| assert_eq!(1, 2))).starts_with("assertion: "));
}

/// Two threads that each read and write, but not under one lock.
fn lost_update() {
    let balance = Mutex::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let read = *balance.lock().unwrap();
                *balance.lock().unwrap() = read + 1;
            });
        }
    });
    assert_eq!(*balance.lock().unwrap(), 2);
}

#[test]
fn a_rendezvous_that_cannot_open_is_serialised() {
    let text = failure_of(|| {
        check(|| {
            let rendezvous = Rendezvous::of(2);
            thread::scope(|scope| {
                // One after the other.
                scope.spawn(|| rendezvous.meet()).join().unwrap();
                scope.spawn(|| rendezvous.meet()).join().unwrap();
            });
        });
    });
    assert!(text.starts_with("serialised: "), "{text}");
    assert!(text.contains("the rendezvous of schedules.rs:"), "{text}");
}

#[test]
fn a_todo_is_unsolved_whatever_comes_of_it() {
    assert!(failure_of(|| check(|| todo!())).starts_with("unsolved: "));
    let while_stuck = failure_of(|| {
        check(|| {
            let gate = Gate::closed();
            thread::scope(|scope| {
                scope.spawn(|| gate.pass());
                todo!("open the gate");
            });
        });
    });
    assert!(while_stuck.starts_with("unsolved: "), "{while_stuck}");
}

#[test]
fn a_panic_is_reported_where_it_began() {
    let joined = failure_of(|| check(|| thread::spawn(|| panic!("the root")).join().unwrap()));
    assert!(joined.starts_with("assertion: ") && joined.contains("the root"), "{joined}");
}

#[test]
fn a_thread_that_outlives_the_body_is_a_leak_unless_it_may() {
    let body = || {
        thread::spawn(|| Gate::closed().pass());
    };
    let text = failure_of(|| check(body));
    assert!(text.starts_with("leak: "), "{text}");
    Check::new().daemons().run(body);
}

#[test]
fn a_blocked_thread_is_known_to_be_blocked() {
    on_schedules(|| {
        let (lock, log) = (Arc::new(Mutex::new(())), Log::new());
        let guard = lock.lock().unwrap();
        let waiter = thread::spawn({
            let (lock, log) = (Arc::clone(&lock), log.clone());
            move || {
                log.note("wants");
                drop(lock.lock());
                log.note("has");
            }
        });
        until_blocked(waiter.thread());
        assert_eq!(log.events(), ["wants"]);
        drop(guard);
        waiter.join().unwrap();
        assert_eq!(log.events(), ["wants", "has"]);
    });
}

#[test]
fn time_is_virtual_and_hostile_only_on_request() {
    let body = || {
        let gate = Gate::closed();
        let begin = Instant::now();
        let opener = thread::spawn({
            let gate = gate.clone();
            move || gate.open()
        });
        thread::sleep(Duration::from_secs(3600));
        assert!(begin.elapsed() >= Duration::from_secs(3600));
        assert!(gate.is_open(), "an hour is not enough");
        opener.join().unwrap();
    };
    check(body);
    assert!(failure_of(|| Check::new().hostile_timeouts().run(body)).starts_with("race: "));
}

#[test]
fn one_wakes_for_no_reason_and_more_on_request() {
    let forgives_once = || {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                *ready.lock().unwrap() = true;
                changed.notify_one();
            });
            let mut is_ready = ready.lock().unwrap();
            for _ in 0..2 {
                if !*is_ready {
                    is_ready = changed.wait(is_ready).unwrap();
                }
            }
            assert!(*is_ready, "twice is too often");
        });
    };
    check(forgives_once);
    assert!(failure_of(|| Check::new().spurious_wakeups(2).run(forgives_once)).starts_with("race: "));
}

#[test]
fn a_body_for_threads_is_skipped() {
    on_threads(|| panic!("was run"));
    Check::new().threads_only().run(|| panic!("was run"));
}

#[test]
fn a_failure_is_recorded_with_its_schedule_and_replays() {
    let record = recorded("fixture_race", &[]);
    let Outcome::Failed(Failure { kind, .. }) = &record.outcome else { panic!("it failed") };
    assert_eq!((*kind, record.mode), (Kind::Race, Mode::Schedules));
    let trace = record.trace.expect("a failure has a trace");
    assert!(record.coverage.expect("a failure has been explored").failing > 0);
    let replayed = recorded("fixture_race", &[(REPLAY, &trace.schedule)]);
    assert!(matches!(replayed.outcome, Outcome::Failed(_)));
    assert_eq!(replayed.trace, Some(trace));
    assert_eq!(replayed.coverage.expect("one schedule was run").schedules, 1);
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    assert_eq!(recorded("fixture_race", &[]), recorded("fixture_race", &[]));
}

#[test]
fn the_environment_limits_the_schedules_before_the_test_does() {
    let schedules = |variables: &[(&str, &str)]| {
        recorded("fixture_with_many_schedules", variables).coverage.expect("it was explored").schedules
    };
    assert_eq!(schedules(&[]), 30);
    assert_eq!(schedules(&[(SCHEDULES, "20")]), 20);
}

#[test]
fn each_input_is_explored_by_itself_and_the_first_that_fails_is_named() {
    let text = failure_of(|| Check::new().each([1, 2, 3], |threads| counting(*threads)));
    assert!(text.starts_with("race: for 2: "), "{text}");
    // Together in one body, they would have as many schedules as the product.
    let record = recorded("fixture_with_inputs", &[]);
    assert_eq!(record.coverage.map(|coverage| (coverage.schedules, coverage.complete)), Some((6 + 6, true)));
}

#[test]
fn a_failure_with_an_input_replays() {
    let record = recorded("fixture_race_with_inputs", &[]);
    let trace = record.trace.expect("a failure has a trace");
    assert!(trace.schedule.starts_with("i2."), "{}", trace.schedule);
    assert_eq!(trace.given.as_deref(), Some("2"));
    let replayed = recorded("fixture_race_with_inputs", &[(REPLAY, &trace.schedule)]);
    assert!(matches!(replayed.outcome, Outcome::Failed(_)));
    assert_eq!(replayed.trace, Some(trace));
    let first = recorded("fixture_race_with_inputs", &[(REPLAY, "i1.")]);
    assert_eq!(first.outcome, Outcome::Passed);
}

#[test]
fn a_position_belongs_to_an_input() {
    let ask = |schedule: &str, ask: &str| recorded("fixture_race_with_inputs", &[(REPLAY, schedule), (ASK, ask)]);
    let record = ask("i2.1", "next 1");
    let position = record.position.expect("a position");
    assert_eq!((record.trace.expect("a trace").schedule.as_str(), position.after), ("i2.1", 1));
    assert!(position.moves.iter().all(|next| next.schedule.starts_with("i2.1")), "{position:?}");
    let future = ask("i2.1", "future 1");
    assert!(future.trace.expect("a failing schedule").schedule.starts_with("i2.1"));
    let begun = recorded("fixture_with_inputs", &[(ASK, "next 0")]);
    assert!(begun.position.expect("a position").moves.iter().all(|next| next.schedule.starts_with("i1.")));
    assert_eq!(begun.coverage.expect("explored").schedules, 12);
}

#[test]
fn inputs_share_one_budget() {
    let covered = |budget: &str| recorded("fixture_with_inputs", &[(SCHEDULES, budget)]).coverage.expect("explored");
    let coverage = covered("12");
    assert_eq!((coverage.schedules, coverage.complete), (12, true));
    let coverage = covered("8");
    assert!(coverage.schedules <= 8 && !coverage.complete, "{coverage:?}");
    let coverage = covered("1");
    assert!(coverage.schedules <= 2 && !coverage.complete, "an input that was not tried is no proof: {coverage:?}");
}

/// Runs a fixture in a process of its own, as the grader does, and reads what it records.
fn recorded(fixture: &str, variables: &[(&str, &str)]) -> Record {
    let file =
        env::temp_dir().join(format!("kata-explored-{}-{fixture}-{:p}.json", std::process::id(), &raw const variables));
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", fixture, "--ignored"]).env(RECORD_FILE, &file).envs(variables.iter().copied());
    let output = command.output().unwrap();
    let record: Record = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(output.status.success(), !matches!(record.outcome, Outcome::Failed(_)));
    record
}

#[test]
#[ignore = "a fixture"]
fn fixture_race() {
    check(lost_update);
}

/// So many threads that each read and write, but not under one lock.
fn counting(threads: usize) {
    let balance = Mutex::new(0);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let read = *balance.lock().unwrap();
                *balance.lock().unwrap() = read + 1;
            });
        }
    });
    assert_eq!(*balance.lock().unwrap(), threads);
}

#[test]
#[ignore = "a fixture"]
fn fixture_race_with_inputs() {
    Check::new().each([1, 2], |threads| counting(*threads));
}

#[test]
#[ignore = "a fixture"]
fn fixture_with_inputs() {
    // Three threads take one lock once: in six orders.
    Check::new().each(["one", "other"], |_| {
        let lock = Mutex::new(0);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| *lock.lock().unwrap() += 1);
            }
        });
    });
}

#[test]
#[ignore = "a fixture"]
fn fixture_with_many_schedules() {
    Check::new().schedules(30).run(|| {
        let lock = Mutex::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..3).for_each(|_| *lock.lock().unwrap() += 1));
            }
        });
    });
}
