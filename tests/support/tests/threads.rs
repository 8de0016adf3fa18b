//! What `check` makes of a body on threads: the kinds, the words, and that one stuck test leaves the others alone.

use std::hint::{self, black_box};
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use kata::{
    Check, Gate, Rendezvous, check, is_done_at_once, keeps_to_limit, on_schedules, on_threads, situation,
    until_blocked, until_still,
};
use verdict::{Failure, Kind, Mode, Outcome, RECORD_FILE, Record};

/// The text with which this check fails.
fn failure_of(check: impl FnOnce()) -> String {
    let payload = panic::catch_unwind(AssertUnwindSafe(check)).expect_err("the check passed");
    *payload.downcast::<String>().expect("a check fails with a text")
}

#[test]
fn a_body_that_keeps_the_contract_passes() {
    check(|| assert_eq!(1 + 1, 2));
    Check::new().threads_only().run(|| assert_eq!(thread::current().name(), Some("main")));
}

#[test]
fn a_deadlock_names_the_stuck_threads() {
    let text = failure_of(|| Check::new().deadline(Duration::from_secs(600)).run(deadlock));
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    assert_eq!(lines[0], "timeout: nothing moves any more");
    let line_of = |code: &str| include_str!("threads.rs").lines().position(|line| line.trim() == code).unwrap() + 1;
    let (joins, locks) = (line_of("left.join().unwrap();"), line_of("let _second = second.lock().unwrap();"));
    let stands = |thread: &str, line| format!("{thread}: asleep, waits for another thread (threads.rs:{line})");
    assert_eq!(lines[1..], [stands("main", joins), stands("left", locks), stands("right", locks)]);
}

#[test]
fn of_a_stuck_crowd_the_same_is_said_once_and_no_more_than_is_read() {
    let told = |named: usize, nameless: usize| {
        let text = failure_of(|| {
            check(move || {
                let all = Rendezvous::of(named + nameless + 2);
                for number in 0..named + nameless {
                    let (thread, all) = (thread::Builder::new(), all.clone());
                    let thread = if number < named { thread.name(format!("number {number}")) } else { thread };
                    thread.spawn(move || all.meet()).unwrap();
                }
                all.meet();
            });
        });
        text.lines().skip(1).map(str::trim).map(str::to_owned).collect::<Vec<_>>()
    };
    let crowd = told(0, 40);
    assert_eq!(crowd.len(), 2, "{crowd:#?}");
    assert!(crowd[0].starts_with("main: ") && crowd[1].ends_with(", and 39 more like it"), "{crowd:#?}");
    let many = told(30, 0);
    assert_eq!((many.len(), many[20].as_str()), (21, "and 11 more"), "{many:#?}");
}

#[test]
fn a_stuck_test_leaves_the_others_alone() {
    let serialised = failure_of(|| check(|| Rendezvous::of(2).meet()));
    assert!(serialised.starts_with("serialised: "), "{serialised}");
    let stuck = failure_of(|| check(deadlock));
    assert!(stuck.starts_with("timeout: "), "{stuck}");
    check(|| thread::spawn(|| ()).join().unwrap());
    assert!(failure_of(|| check(|| panic!("the second"))).contains("the second"));
}

#[test]
fn the_first_input_that_fails_is_named_however_it_fails() {
    let failure = |body: fn(&i32)| failure_of(|| Check::new().each([1, 2, 3, 4], body));
    let panics = failure(|number| assert!(*number < 3, "too much"));
    assert!(panics.starts_with("assertion: for 3: too much"), "{panics}");
    let stuck = failure(|number| Rendezvous::of(if *number < 3 { 1 } else { 2 }).meet());
    assert!(stuck.starts_with("serialised: for 3: nothing moves any more"), "{stuck}");
    let unsolved = failure(|number| {
        if *number == 2 {
            todo!()
        }
    });
    assert!(unsolved.starts_with("unsolved: for 2: "), "{unsolved}");
    Check::new().each([1, 2], |number| assert!(*number < 3));
    assert!(failure_of(|| check(|| panic!("no input"))).starts_with("assertion: no input"), "an earlier test's input");
}

/// Two threads that each hold what the other wants.
fn deadlock() {
    let locks = Arc::new((Mutex::new(()), Mutex::new(())));
    let both_hold_one = Arc::new(Barrier::new(2));
    let start = |name: &str, left_first: bool| {
        let locks = Arc::clone(&locks);
        let both_hold_one = Arc::clone(&both_hold_one);
        let body = move || {
            let (first, second) = if left_first { (&locks.0, &locks.1) } else { (&locks.1, &locks.0) };
            let _first = first.lock().unwrap();
            both_hold_one.wait();
            let _second = second.lock().unwrap();
        };
        thread::Builder::new().name(name.to_owned()).spawn(body).unwrap()
    };
    let (left, right) = (start("left", true), start("right", false));
    left.join().unwrap();
    right.join().unwrap();
}

#[test]
fn a_body_that_never_ends_fails_at_its_deadline() {
    let gate = Gate::closed();
    let busy = gate.clone();
    let text = failure_of(|| {
        Check::new().deadline(Duration::from_millis(300)).run(move || while !busy.is_open() {});
    });
    gate.open();
    assert!(text.starts_with("timeout: not done after 300ms\n    main: "), "{text}");
}

#[test]
fn each_input_has_time_of_its_own() {
    let pause = |_: &i32| thread::sleep(Duration::from_millis(60));
    Check::new().deadline(Duration::from_secs(1)).each(0..20, pause);
}

#[test]
fn a_patient_check_may_stand_still_until_its_deadline() {
    let (sender, receiver) = channel::<()>();
    // The body's thread waits on after this test: it must not wake up in another.
    mem::forget(sender);
    let receiver = Mutex::new(receiver);
    let text = failure_of(|| {
        let body = move || receiver.lock().unwrap().recv().unwrap();
        Check::new().patient().deadline(Duration::from_millis(1500)).run(body);
    });
    assert!(text.starts_with("timeout: not done after 1.5s"), "{text}");
}

#[test]
fn a_rendezvous_that_cannot_open_is_serialised() {
    let text = failure_of(|| {
        check(|| {
            let rendezvous = Rendezvous::of(2);
            rendezvous.meet();
        });
    });
    let place = "the rendezvous of threads.rs:";
    assert!(text.starts_with("serialised: nothing moves any more, and "), "{text}");
    assert!(text.contains(&format!("main: asleep, waits at {place}")), "{text}");
    assert!(text.contains("(1 of 2 are here)"), "{text}");
}

#[test]
fn a_gate_that_nobody_opens_is_named() {
    let text = failure_of(|| check(|| Gate::closed().pass()));
    assert!(text.contains("main: asleep, waits at the closed gate of threads.rs:"), "{text}");
    assert!(text.starts_with("timeout: "), "{text}");
}

#[test]
fn a_todo_is_unsolved_whatever_comes_of_it() {
    let direct = failure_of(|| check(|| todo!("transfer")));
    assert!(direct.starts_with("unsolved: not yet implemented: transfer ("), "{direct}");
    let in_a_thread = failure_of(|| {
        check(|| {
            let outcome = thread::spawn(|| todo!()).join();
            assert!(outcome.is_ok(), "no answer");
        });
    });
    assert!(in_a_thread.starts_with("unsolved: "), "{in_a_thread}");
    let while_stuck = failure_of(|| {
        check(|| {
            let rendezvous = Rendezvous::of(2);
            thread::scope(|scope| {
                scope.spawn(|| rendezvous.meet());
                scope.spawn(|| todo!());
            });
        });
    });
    assert!(while_stuck.starts_with("unsolved: "), "{while_stuck}");
}

#[test]
fn a_panic_in_the_test_file_is_an_assertion() {
    let text = failure_of(|| check(|| assert_eq!(1, 2, "one and two")));
    assert!(text.starts_with("assertion: assertion `left == right` failed: one and two\n"), "{text}");
    assert!(text.contains("(threads.rs:"), "{text}");
    let text = failure_of(|| check(|| assert_eq!("".chars().next().unwrap(), 'a')));
    assert!(text.starts_with("assertion: called `Option::unwrap()` on a `None` value"), "{text}");
}

#[test]
fn a_panic_elsewhere_is_a_panic() {
    // The panic comes from the standard library's own file.
    let text = failure_of(|| check(|| drop([0_u64; 4].repeat(black_box(usize::MAX)))));
    assert!(text.starts_with("panic: "), "{text}");
}

#[test]
fn a_panic_is_reported_where_it_began() {
    let joined = failure_of(|| {
        check(|| {
            thread::Builder::new().name("worker".into()).spawn(|| panic!("the root")).unwrap().join().unwrap();
        });
    });
    assert!(joined.contains(": the root (") && joined.contains("in worker"), "{joined}");
    let scoped = failure_of(|| {
        check(|| {
            thread::scope(|scope| {
                scope.spawn(|| panic!("the root"));
            });
        });
    });
    assert!(scoped.contains(": the root ("), "{scoped}");
    let passed_on = failure_of(|| {
        check(|| {
            let root = || -> () { panic!("the root") };
            if let Err(payload) = thread::spawn(root).join() {
                panic::resume_unwind(payload);
            }
        });
    });
    assert!(passed_on.contains(": the root ("), "{passed_on}");
    let poisoned = failure_of(|| {
        check(|| {
            let lock = Arc::new(Mutex::new(()));
            let holder = Arc::clone(&lock);
            let holding = thread::spawn(move || {
                let _guard = holder.lock().unwrap();
                panic!("the root");
            });
            assert!(holding.join().is_err());
            drop(lock.lock().unwrap());
        });
    });
    assert!(poisoned.contains(": the root ("), "{poisoned}");
}

#[test]
fn a_panic_of_a_thread_that_an_earlier_test_left_behind_is_none_of_this_test() {
    let (earlier, panicked) = (Gate::closed(), Gate::closed());
    let (start, done) = (earlier.clone(), panicked.clone());
    on_threads(move || {
        let (start, done) = (start.clone(), done.clone());
        thread::spawn(move || {
            let _done = done.open_when_dropped();
            start.pass();
            panic!("of the earlier test");
        });
    });
    let text = failure_of(move || {
        let (earlier, panicked) = (earlier.clone(), panicked.clone());
        check(move || {
            earlier.open();
            panicked.pass();
            // Nobody notes what is passed on, so the last panic that was noted would be told in its place.
            panic::resume_unwind(Box::new("passed on"));
        });
    });
    assert!(text.ends_with(": passed on"), "{text}");
}

#[test]
fn a_panic_that_the_body_expects_is_no_failure() {
    check(|| assert!(thread::spawn(|| panic!("expected")).join().is_err()));
}

#[test]
fn a_thread_that_outlives_the_body_is_a_leak_unless_it_may() {
    let body = |gate: Gate| {
        move || {
            let gate = gate.clone();
            thread::Builder::new().name("left behind".into()).spawn(move || gate.pass()).unwrap();
        }
    };
    let gate = Gate::closed();
    let text = failure_of(|| check(body(gate.clone())));
    assert_eq!(text, "leak: 1 thread outlives the test\n    left behind: asleep");
    Check::new().daemons().run(body(gate.clone()));
    on_threads(body(gate.clone()));
    gate.open();
}

#[test]
fn a_thread_that_is_about_to_end_is_no_leak() {
    check(|| {
        thread::spawn(|| (0..1000).for_each(|_| thread::yield_now()));
    });
}

#[test]
fn a_process_that_nobody_waited_for_is_a_leak() {
    let text = failure_of(|| {
        on_threads(|| {
            // The zombie is the point of the test.
            #[expect(clippy::zombie_processes)]
            let _child = Command::new("true").spawn().unwrap();
        });
    });
    assert!(text.starts_with("leak: 1 process outlives the test\n"), "{text}");
    assert!(text.ends_with("): ended, but nobody has waited for it"), "{text}");
}

#[test]
fn a_body_for_schedules_is_skipped() {
    on_schedules(|| panic!("was run"));
    let text = failure_of(|| check(|| until_blocked(&thread::current())));
    assert!(text.contains("needs the scheduler"), "{text}");
}

#[test]
fn each_outcome_is_recorded_before_the_test_fails() {
    assert_eq!(recorded("fixture_passes"), Outcome::Passed);
    assert_eq!(recorded("fixture_is_skipped"), Outcome::Skipped);
    let Outcome::Failed(Failure { kind, message }) = recorded("fixture_fails") else { panic!("it failed") };
    assert_eq!(kind, Kind::Assertion);
    assert!(message.starts_with("assertion failed: money is lost"), "{message}");
    let Outcome::Broken(why) = recorded("fixture_checks_twice") else { panic!("half of it would count") };
    assert!(why.starts_with("it is checked twice"), "{why}");
}

/// Runs a fixture in a process of its own, as the grader does, and reads what it records.
fn recorded(fixture: &str) -> Outcome {
    let file = env::temp_dir().join(format!("kata-support-{}-{fixture}.json", std::process::id()));
    let mut command = Command::new(env::current_exe().unwrap());
    let output = command.args(["--exact", fixture, "--ignored"]).env(RECORD_FILE, &file).output().unwrap();
    let record: Record = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(record.mode, Mode::Threads);
    assert_eq!(output.status.success(), !matches!(record.outcome, Outcome::Failed(_) | Outcome::Broken(_)));
    record.outcome
}

#[test]
#[ignore = "a fixture"]
fn fixture_passes() {
    check(|| ());
}

#[test]
#[ignore = "a fixture"]
fn fixture_is_skipped() {
    on_schedules(|| ());
}

#[test]
#[ignore = "a fixture"]
fn fixture_checks_twice() {
    check(|| ());
    check(|| ());
}

#[test]
#[ignore = "a fixture"]
fn fixture_fails() {
    check(|| panic!("assertion failed: money is lost"));
}

#[test]
fn a_panic_that_a_destructor_makes_an_abort_is_told() {
    let mut command = Command::new(env::current_exe().unwrap());
    let output = command.args(["--exact", "fixture_aborts", "--ignored"]).output().unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{words}");
    assert!(words.contains("cook panicked: too many ("), "{words}");
    assert!(words.contains("A destructor panicked while that panic unwound, so the process aborts."), "{words}");
}

#[test]
#[ignore = "a fixture"]
fn fixture_aborts() {
    struct Counted<'a>(&'a Mutex<u8>);
    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            *self.0.lock().expect("nobody panics under the lock") -= 1;
        }
    }
    check(|| {
        let cook = || {
            let count = Mutex::new(255);
            let _first = Counted(&count);
            let _count = count.lock();
            panic!("too many");
        };
        drop(thread::Builder::new().name("cook".to_owned()).spawn(cook).unwrap().join());
    });
}

#[test]
fn a_failure_tells_the_situation_and_only_its_own() {
    let rows = |last: u32| {
        move || {
            for row in 0..=last {
                situation(format!("row {row}"));
                assert!(row < 2, "too far");
            }
        }
    };
    let text = failure_of(|| Check::new().run(rows(3)));
    assert!(text.contains("too far") && text.ends_with("\nSituation: row 2"), "{text}");
    Check::new().run(rows(1));
    let text = failure_of(|| check(|| panic!("without a table")));
    assert!(!text.contains("Situation"), "{text}");
}

#[test]
#[cfg(target_os = "linux")]
fn until_still_waits_for_who_works_and_not_for_who_waits_or_spins() {
    check(|| {
        let (gate, stop, worked) = (Gate::closed(), AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                black_box((0..100_000_u64).fold(0, |sum, number| black_box(sum ^ number)));
                worked.store(true, Ordering::SeqCst);
                gate.pass();
            });
            until_still();
            assert!(worked.load(Ordering::SeqCst), "it was still at work");
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    thread::yield_now();
                }
            });
            until_still();
            stop.store(true, Ordering::SeqCst);
            gate.open();
        });
    });
}

#[test]
#[cfg(target_os = "linux")]
fn until_still_does_not_wait_for_who_spins_after_a_pause() {
    check(|| {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                // Time enough to be seen before the pause, and not so much that this alone were spinning.
                let begin = Instant::now();
                while begin.elapsed() < Duration::from_millis(30) {}
                thread::sleep(Duration::from_millis(1));
                while !stop.load(Ordering::SeqCst) {
                    hint::spin_loop();
                }
            });
            until_still();
            stop.store(true, Ordering::SeqCst);
        });
    });
}

#[test]
#[cfg(target_os = "linux")]
fn until_still_waits_for_those_who_hand_work_round_and_not_for_who_asks_again_and_again() {
    check(|| {
        const PLAYERS: usize = 4;
        const ROUNDS: u32 = 1_000;
        let (thrown, stop) = (AtomicU32::new(0), AtomicBool::new(false));
        let (throw, catch): (Vec<_>, Vec<_>) = (0..PLAYERS).map(|_| channel()).unzip();
        throw[0].send(()).unwrap();
        thread::scope(|scope| {
            for (player, catch) in catch.into_iter().enumerate() {
                let (thrown, next) = (&thrown, throw[(player + 1) % PLAYERS].clone());
                // The last ball is caught, and they wait for one more.
                scope.spawn(move || {
                    while catch.recv().is_ok() && thrown.fetch_add(1, Ordering::SeqCst) < ROUNDS {
                        next.send(()).unwrap();
                    }
                });
            }
            until_still();
            assert_eq!(thrown.load(Ordering::SeqCst), ROUNDS + 1, "the game was not over");
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_micros(20));
                }
            });
            until_still();
            stop.store(true, Ordering::SeqCst);
            // Who has caught the last ball is gone.
            for to in &throw {
                let _ = to.send(());
            }
        });
    });
}

#[test]
fn a_limit_is_kept_by_who_waits_for_it_and_not_for_less_or_more() {
    on_threads(|| keeps_to_limit(thread::sleep));
    let less = failure_of(|| on_threads(|| keeps_to_limit(|limit| thread::sleep(limit / 2))));
    assert!(less.starts_with("assertion: ") && less.contains("with a limit of 20ms"), "{less}");
    let more = failure_of(|| on_threads(|| keeps_to_limit(|limit| thread::sleep(2 * limit))));
    assert!(more.starts_with("assertion: it never keeps to its limit: with one of 320 ms"), "{more}");
}

#[test]
fn who_is_done_at_once_now_and_then_is_done_at_once() {
    let after = |milliseconds| thread::sleep(Duration::from_millis(milliseconds));
    on_threads(move || {
        let mut tries = [1_000, 0].into_iter();
        is_done_at_once(|| tries.next().unwrap(), after);
    });
    // What comes before is not counted.
    on_threads(move || is_done_at_once(|| after(1_000), |()| ()));
    let text = failure_of(|| on_threads(move || is_done_at_once(|| 900, after)));
    assert!(text.starts_with("assertion: each of 5 times"), "{text}");
}
