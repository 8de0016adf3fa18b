//! The contract of the kata `pool`, sentence by sentence. `README.md` has the same list.

#[path = "pool/contract.rs"]
mod contract;

use std::any::Any;
use std::collections::HashSet;
use std::fmt;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use kata::scenarios::every_small_program;
use kata::{
    Check, Gate, Log, Rendezvous, check, on_schedules, on_threads, panic_on_purpose, until_blocked, until_still,
    when_dropped,
};
use pool::{Lost, Pool, ShutDown, map_with_rayon};

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is
/// compared with. And only an enum has variants to import.
fn _signatures(pool: &Pool, job: impl FnOnce() + Send + 'static) {
    use Lost::{Dropped, Panicked};
    let _: fn(NonZeroUsize, NonZeroUsize) -> Pool = Pool::new;
    let _: Result<(), ShutDown> = pool.submit(job);
    let _: fn(&Pool) = Pool::shutdown;
    let _: fn(&Pool) -> usize = Pool::shutdown_now;
    let _: fn(Box<dyn Any + Send>) -> Lost = Panicked;
    let _ = |lost| match lost {
        Panicked(_) | Dropped => (),
    };
}

/// Never called, either.
fn _signature_of_map<T: Send + 'static, R: Send + 'static>(
    pool: &Pool,
    items: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> R + Send + Sync + 'static,
) {
    let _: Vec<Result<R, Lost>> = pool.map(items, work);
}

/// Never called, either.
fn _signature_of_map_with_rayon<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) {
    let _: Vec<Result<R, Lost>> = map_with_rayon(size(1), items, work);
}

#[test]
fn a_fixed_number_of_workers_runs_all_jobs() {
    check(|| {
        let (pool, runs) = (Pool::new(size(1), size(2)), Arc::new(Mutex::new(Vec::new())));
        for job in 1..=2 {
            let runs = Arc::clone(&runs);
            let run = move || runs.lock().unwrap().push((job, thread::current().id()));
            assert_eq!(pool.submit(run), Ok(()));
        }
        pool.shutdown();
        let (mut jobs, threads): (Vec<_>, HashSet<_>) = runs.lock().unwrap().iter().copied().unzip();
        jobs.sort_unstable();
        assert_eq!(jobs, [1, 2], "each job runs once");
        assert!(!threads.contains(&thread::current().id()), "a worker runs the jobs, not who submits them");
        assert_eq!(threads.len(), 1, "1 worker is 1 thread, however many jobs it runs");
    });
}

#[test]
fn all_workers_work_at_once() {
    each([
        ("two jobs of one thread", || {
            let (pool, both) = (Pool::new(size(2), size(2)), Rendezvous::of(2));
            for _ in 0..2 {
                let both = both.clone();
                assert_eq!(pool.submit(move || both.meet()), Ok(()));
            }
            pool.shutdown();
        }),
        ("a job that goes on, and the one that it submits", || {
            let (pool, began, leave) = (Arc::new(Pool::new(size(2), size(2))), Gate::closed(), Gate::closed());
            let _leave = leave.open_when_dropped();
            let job = {
                let (pool, began, leave) = (Arc::clone(&pool), began.clone(), leave.clone());
                move || {
                    assert_eq!(pool.submit(move || began.open()), Ok(()), "nobody has shut the pool down");
                    leave.pass();
                }
            };
            assert_eq!(pool.submit(job), Ok(()));
            // It was run in the call itself, or is run by the worker that is idle.
            began.pass();
            leave.open();
            pool.shutdown();
        }),
    ]);
}

#[test]
#[ignore = "needs schedules: cargo xtask check pool submit_waits_while_the_backlog_is_full"]
fn submit_waits_while_the_backlog_is_full() {
    on_schedules(|| {
        let (pool, log, leave) = (Arc::new(Pool::new(size(1), size(2))), Log::new(), Gate::closed());
        let _leave = leave.open_when_dropped();
        occupy_worker(&pool, &leave);
        for job in ["1", "2"] {
            assert_eq!(pool.submit(note(&log, job)), Ok(()), "there is room for 2");
        }
        let submitter = spawn("submitter", &pool, {
            let job = note(&log, "3");
            |pool| pool.submit(job)
        });
        until_blocked(submitter.thread());
        assert!(!submitter.is_finished(), "a third job in a backlog for 2");
        leave.open();
        assert_eq!(submitter.join().unwrap(), Ok(()));
        pool.shutdown();
        assert_eq!(log.events(), ["1", "2", "3"], "jobs begin in the order in which they came");
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check pool whoever_waits_for_room_is_told_of_it"]
fn whoever_waits_for_room_is_told_of_it() {
    let bodies = [
        // Somebody has waited for longer at the other one.
        Body("who waits at one of two pools", || {
            let full = || {
                let (pool, leave) = (Arc::new(Pool::new(size(1), size(1))), Gate::closed());
                occupy_worker(&pool, &leave);
                assert_eq!(pool.submit(|| ()), Ok(()), "there is room for 1");
                (pool, leave)
            };
            let (other, leave_other) = full();
            let _leave_other = leave_other.open_when_dropped();
            let submitter = spawn("submitter", &other, |pool| pool.submit(|| ()));
            until_blocked(submitter.thread());
            let (pool, leave) = full();
            leave.open();
            assert_eq!(pool.submit(|| ()), Ok(()));
            leave_other.open();
            assert_eq!(submitter.join().unwrap(), Ok(()));
        }),
        Body("two who wait, and two places", || {
            let (pool, leave, last) = (Arc::new(Pool::new(size(1), size(2))), Gate::closed(), Gate::closed());
            let _leave = [leave.open_when_dropped(), last.open_when_dropped()];
            occupy_worker(&pool, &leave);
            let waits = {
                let last = last.clone();
                move || last.pass()
            };
            assert_eq!([pool.submit(|| ()), pool.submit(waits)], [Ok(()); 2], "there is room for 2");
            let submitters = ["first submitter", "second submitter"].map(|name| {
                let submitter = spawn(name, &pool, |pool| pool.submit(|| ()));
                until_blocked(submitter.thread());
                submitter
            });
            leave.open();
            // The worker comes to the last gate, and leaves nothing in the backlog but what these two submit.
            assert_eq!(submitters.map(|submitter| submitter.join().unwrap()), [Ok(()); 2]);
            last.open();
            pool.shutdown();
        }),
        // More of them than there will be jobs to take: one place becomes free, and no other.
        Body("three who wait when the pool is shut down", || {
            let (pool, log, leave) = (Arc::new(Pool::new(size(1), size(1))), Log::new(), Gate::closed());
            let _leave = leave.open_when_dropped();
            occupy_worker(&pool, &leave);
            assert_eq!(pool.submit(|| ()), Ok(()), "there is room for 1");
            let submitters = ["first submitter", "second submitter", "third submitter"].map(|name| {
                let job = note(&log, "late");
                let submitter = spawn(name, &pool, |pool| pool.submit(job));
                until_blocked(submitter.thread());
                submitter
            });
            leave.open();
            pool.shutdown();
            let answers = submitters.map(|submitter| submitter.join().unwrap());
            let accepted = answers.iter().filter(|answer| answer.is_ok()).count();
            assert_eq!(log.count("late"), accepted, "what was accepted has run when shutdown returns");
        }),
    ];
    Check::new().schedules_only().no_spurious_wakeups().schedules(3_000).each(bodies, Body::run);
}

#[test]
fn map_keeps_the_order_of_its_items_and_waits_for_the_slowest() {
    let bodies = named([
        ("two items that meet", || {
            let (pool, both) = (Pool::new(size(2), size(2)), Rendezvous::of(2));
            let results = pool.map([1, 2], move |n| {
                both.meet();
                n * 10
            });
            assert_eq!(all_there(results), [10, 20], "whichever was ready first");
        }),
        ("no items", || {
            let results = Pool::new(size(2), size(2)).map(Vec::<u8>::new(), |n| n);
            assert!(results.is_empty(), "no items, no results");
        }),
    ]);
    // More of them than a learner waits for.
    Check::new().schedules(3_000).each(bodies, Body::run);
}

/// What else there is does not come to its end before the gate is open.
#[test]
fn a_map_waits_for_no_items_but_its_own() {
    let bodies = named([
        ("another map, whose item is not done", || {
            let (pool, began, leave) = (Arc::new(Pool::new(size(2), size(2))), Gate::closed(), Gate::closed());
            let _leave = leave.open_when_dropped();
            let other = spawn("other mapper", &pool, {
                let (began, leave) = (began.clone(), leave.clone());
                move |pool| {
                    pool.map([1], move |n| {
                        began.open();
                        leave.pass();
                        n
                    })
                }
            });
            began.pass();
            assert_eq!(all_there(pool.map([2], |n| n)), [2], "the results of its own items");
            leave.open();
            assert_eq!(all_there(other.join().unwrap()), [1], "the results of its own items");
        }),
        ("another map, which is asked for its item", || {
            let (pool, asked, leave) = (Arc::new(Pool::new(size(1), size(1))), Gate::closed(), Gate::closed());
            let _leave = leave.open_when_dropped();
            let other = spawn("other mapper", &pool, {
                let (asked, leave) = (asked.clone(), leave.clone());
                move |pool| {
                    let items = [1].into_iter().inspect(|_| {
                        asked.open();
                        leave.pass();
                    });
                    pool.map(items, |n| n)
                }
            });
            asked.pass();
            assert_eq!(all_there(pool.map([2], |n| n)), [2], "the results of its own items");
            leave.open();
            assert_eq!(all_there(other.join().unwrap()), [1], "the results of its own items");
        }),
        ("jobs that came later", || {
            let (pool, began) = (Arc::new(Pool::new(size(1), size(2))), Gate::closed());
            let (go, leave) = (Gate::closed(), Gate::closed());
            let _leave = [go.open_when_dropped(), leave.open_when_dropped()];
            let mapper = spawn("mapper", &pool, {
                let (began, go) = (began.clone(), go.clone());
                move |pool| {
                    pool.map([1], move |n| {
                        began.open();
                        go.pass();
                        n
                    })
                }
            });
            began.pass();
            for _ in 0..2 {
                let leave = leave.clone();
                assert_eq!(pool.submit(move || leave.pass()), Ok(()), "there is room for 2");
            }
            go.open();
            assert_eq!(all_there(mapper.join().unwrap()), [1], "the results of its own items");
            leave.open();
            pool.shutdown();
        }),
    ]);
    // More of them than a learner waits for.
    Check::new().schedules(3_000).each(bodies, Body::run);
}

#[test]
#[ignore = "needs schedules: cargo xtask check pool map_asks_for_no_item_before_there_is_room"]
fn map_asks_for_no_item_before_there_is_room() {
    // Whoever reads ahead does so on each of them.
    Check::new().schedules_only().schedules(2_000).run(|| {
        let (pool, item, leave) = (Arc::new(Pool::new(size(1), size(1))), Arc::new(()), Gate::closed());
        let _leave = leave.open_when_dropped();
        occupy_worker(&pool, &leave);
        let mapper = spawn("mapper", &pool, {
            let source = Arc::downgrade(&item);
            move |pool| pool.map((0..3).map_while(move |_| source.upgrade()), drop)
        });
        until_blocked(mapper.thread());
        // One of them is the test's own.
        let items = Arc::strong_count(&item) - 1;
        assert!(items <= 2, "{items} items are in memory, where 1 is in the backlog and 1 waits for room");
        leave.open();
        assert_eq!(all_there(mapper.join().unwrap()).len(), 3);
    });
}

#[test]
fn a_panic_ends_its_job_and_no_worker() {
    each([
        ("a job that nobody waits for", || {
            let pool = Pool::new(size(1), size(2));
            assert_eq!(pool.submit(|| panic_on_purpose("nobody waits for it")), Ok(()));
            assert_eq!(all_there(pool.map([1], |n| n)), [1], "its worker goes on");
        }),
        ("an item of a map", || {
            let pool = Pool::new(size(1), size(4));
            let results = pool.map([1, 2, 3], |n| if n == 2 { panic_on_purpose("two is too much") } else { n * 10 });
            let results = <[_; 3]>::try_from(results).expect("one result for each of 3 items");
            let [Ok(10), Err(Lost::Panicked(payload)), Ok(30)] = results else {
                panic!("10, a panic and 30 were to be expected, not {results:?}")
            };
            assert_eq!(payload.downcast_ref(), Some(&"two is too much"));
        }),
        ("an item of a map that passes on what another panic had", || {
            let payload = || -> Box<dyn Any + Send> { Box::new("two is too much") };
            let results =
                Pool::new(size(1), size(2)).map([1, 2], move |n| if n == 2 { panic_on_purpose(payload()) } else { n });
            let [Ok(1), Err(Lost::Panicked(passed_on))] = &results[..] else {
                panic!("1 and a panic were to be expected, not {results:?}")
            };
            assert!(
                passed_on.is::<Box<dyn Any + Send>>(),
                "what it panicked with is a payload in a box, and not what is in it"
            );
        }),
        ("an iterator that `map` asks for its second item", || map_with_a_broken_iterator(|n| n)),
        // Nobody is there any more for what this has panicked with.
        ("an iterator that `map` asks for its second item, and the work on the first", || {
            map_with_a_broken_iterator(|_| panic_on_purpose("one is too much"));
        }),
        ("an iterator that a map in a job asks for its second item", || {
            let pool = Arc::new(Pool::new(size(1), size(1)));
            let job = {
                let pool = Arc::clone(&pool);
                move || drop(pool.map(broken_after_one(), |n| n))
            };
            assert_eq!(pool.submit(job), Ok(()));
            assert_eq!(all_there(pool.map([1], |n| n)), [1], "its worker goes on");
            pool.shutdown();
        }),
        // Whoever lets go of it last has the panic: a job of the map, or `map` itself.
        ("what the work of a map has captured, when it is dropped", || {
            let pool = Pool::new(size(1), size(1));
            let captured = when_dropped(|| panic_on_purpose("no work any more"));
            let work = move |n: usize| {
                let _captured = &captured;
                n
            };
            drop(panic::catch_unwind(AssertUnwindSafe(|| pool.map([1], work))));
            assert_eq!(all_there(pool.map([1], |n| n)), [1], "its worker goes on");
        }),
    ]);
}

#[test]
fn jobs_may_submit_to_their_own_pool_even_if_its_backlog_is_full() {
    each([
        ("a full backlog", || {
            let (pool, log) = (Arc::new(Pool::new(size(1), size(1))), Log::new());
            let other = Pool::new(size(1), size(1));
            let results = pool.map([()], {
                let (pool, log) = (Arc::clone(&pool), log.clone());
                move |()| {
                    // The last one submits a job itself, wherever it is run.
                    let last = {
                        let (pool, log) = (Arc::clone(&pool), log.clone());
                        move || {
                            log.note("3");
                            let _ = pool.submit(note(&log, "4"));
                        }
                    };
                    [pool.submit(note(&log, "1")), pool.submit(note(&log, "2")), pool.submit(last)]
                }
            });
            assert_eq!(all_there(results), [[Ok(()); 3]]);
            pool.shutdown();
            assert_eq!(["1", "2", "3"].map(|job| log.count(job)), [1; 3], "each job runs once");
            // The pool may be shut down before the last one submits.
            assert!(log.count("4") <= 1, "a job of a job runs once at most");
            assert_eq!(other.submit(note(&log, "5")), Ok(()), "another pool was shut down, and not this one");
            other.shutdown();
            assert!(log.happened("5"), "what was accepted has run when shutdown returns");
        }),
        ("an older job in the backlog", || {
            let (pool, log) = (Arc::new(Pool::new(size(1), size(2))), Log::new());
            let (leave, submitted) = (Gate::closed(), Gate::closed());
            let _leave = leave.open_when_dropped();
            let job = {
                let (pool, log) = (Arc::clone(&pool), log.clone());
                let (leave, submitted) = (leave.clone(), submitted.clone());
                move || {
                    leave.pass();
                    assert_eq!(pool.submit(note(&log, "new")), Ok(()), "nobody has shut the pool down");
                    log.note("submitted");
                    submitted.open();
                }
            };
            assert_eq!(pool.submit(job), Ok(()));
            assert_eq!(pool.submit(note(&log, "older")), Ok(()), "there is room for 2");
            leave.open();
            submitted.pass();
            pool.shutdown();
            // Unless its worker has run it in the call itself, it comes after what is in the backlog.
            let is_right = log.before("new", "submitted") || log.before("older", "new");
            assert!(is_right, "what a job submits must not overtake: {:?}", log.events());
        }),
    ]);
}

#[test]
fn jobs_may_map_on_their_own_pool() {
    check(|| {
        let pool = Arc::new(Pool::new(size(1), size(2)));
        let results = pool.map([1, 2], {
            let pool = Arc::clone(&pool);
            move |n| all_there(pool.map([n, n + 1], |n| n * n))
        });
        assert_eq!(all_there(results), [[1, 4], [4, 9]]);
        let results = pool.map([()], {
            let pool = Arc::clone(&pool);
            move |()| pool.map([1, 2, 3], |n| if n == 2 { panic_on_purpose("two is too much") } else { n * 10 })
        });
        let results = all_there(results).remove(0);
        assert!(matches!(results[..], [Ok(10), Err(Lost::Panicked(_)), Ok(30)]), "10, a panic and 30, not {results:?}");
        pool.shutdown();
    });
}

#[test]
fn shutdown_runs_what_is_left_and_refuses_what_comes_later() {
    check(|| {
        let (pool, log) = (Arc::new(Pool::new(size(1), size(1))), Log::new());
        assert_eq!(pool.submit(note(&log, "1")), Ok(()));
        let late = spawn("late submitter", &pool, {
            let job = note(&log, "2");
            |pool| pool.submit(job)
        });
        pool.shutdown();
        let events = log.events();
        let late = late.join().unwrap();
        let expected: &[_] = if late.is_ok() { &["1", "2"] } else { &["1"] };
        assert_eq!(events, expected, "what was accepted has run when shutdown returns (job 2: {late:?})");
        assert_eq!(pool.submit(note(&log, "3")), Err(ShutDown));
        pool.shutdown();
        assert_eq!(log.events(), expected);
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check pool shutdown_now_drops_what_has_not_begun"]
fn shutdown_now_drops_what_has_not_begun() {
    on_schedules(|| {
        let (pool, log, leave) = (Arc::new(Pool::new(size(1), size(2))), Log::new(), Gate::closed());
        let _leave = leave.open_when_dropped();
        occupy_worker(&pool, &leave);
        let dropped = ["1", "2"].map(|job| {
            let (note, dropped) = (note(&log, job), Gate::closed());
            let captured = dropped.open_when_dropped();
            let job = move || {
                note();
                drop(captured);
            };
            assert_eq!(pool.submit(job), Ok(()));
            dropped
        });
        let closer = spawn("closer", &pool, Pool::shutdown_now);
        // The jobs are dropped, with all that they captured, by whichever thread, and while the first one still runs.
        dropped.iter().for_each(Gate::pass);
        until_blocked(closer.thread());
        assert!(!closer.is_finished(), "a job that has begun has to be waited for");
        leave.open();
        assert_eq!(closer.join().unwrap(), 2, "two jobs were in the backlog");
        assert_eq!(log.events(), [""; 0]);
        assert_eq!(pool.submit(note(&log, "3")), Err(ShutDown));
    });
}

#[test]
fn a_map_ends_when_its_pool_is_shut_down() {
    check(|| {
        let pool = Arc::new(Pool::new(size(1), size(1)));
        let mapper = spawn("mapper", &pool, |pool| pool.map([1, 2], |n| n * 10));
        pool.shutdown_now();
        let results = mapper.join().unwrap();
        let as_expected = |(place, result): (usize, &Result<usize, Lost>)| match result {
            Ok(result) => *result == (place + 1) * 10,
            Err(lost) => matches!(lost, Lost::Dropped),
        };
        assert_eq!(results.len(), 2, "one result for each item");
        assert!(results.iter().enumerate().all(as_expected), "{results:?}");
        assert!(matches!(pool.map([1], |n| n)[..], [Err(Lost::Dropped)]), "once it is shut down");
    });
}

#[test]
fn a_job_may_shut_its_own_pool_down() {
    check(|| {
        let (pool, log) = (Arc::new(Pool::new(size(1), size(1))), Log::new());
        let job = {
            let (pool, log) = (Arc::clone(&pool), log.clone());
            move || {
                // Then the backlog is full, or this job was run at once, or the other shutdown was first.
                if pool.submit(note(&log, "before")).is_ok() {
                    log.note("accepted");
                }
                pool.shutdown();
                assert_eq!(pool.submit(note(&log, "after")), Err(ShutDown), "with room or without");
                log.note("shut down");
            }
        };
        assert_eq!(pool.submit(job), Ok(()));
        pool.shutdown();
        assert_eq!(["shut down", "after"].map(|event| log.count(event)), [1, 0]);
        assert_eq!(log.count("before"), log.count("accepted"), "what was accepted has run when shutdown returns");
    });
}

#[test]
fn dropping_the_pool_waits_for_its_jobs() {
    each([
        ("at the end of a scope", || {
            let log = Log::new();
            {
                let pool = Pool::new(size(2), size(2));
                assert_eq!(pool.submit(note(&log, "1")), Ok(()));
            }
            assert_eq!(log.events(), ["1"], "at the end of the pool's scope");
        }),
        ("when a job has called `shutdown`, and still runs", || dropped_when_a_job_has(Pool::shutdown)),
        ("when a job has called `shutdown_now`, and still runs", || {
            dropped_when_a_job_has(|pool| {
                pool.shutdown_now();
            });
        }),
        ("when its owner panics", || {
            let log = Log::new();
            let owner = AssertUnwindSafe(|| {
                let pool = Pool::new(size(1), size(1));
                assert_eq!(pool.submit(note(&log, "1")), Ok(()));
                panic_on_purpose("the owner of the pool")
            });
            assert!(panic::catch_unwind(owner).is_err(), "its owner panics");
            assert_eq!(log.events(), ["1"], "at the end of the pool's scope");
        }),
    ]);
}

#[test]
fn what_a_call_asks_or_drops_may_use_the_pool() {
    each([
        ("an iterator", || {
            let pool = Pool::new(size(1), size(2));
            let items = (1..=2).inspect(|_| assert_eq!(pool.submit(|| ()), Ok(()), "while `map` asks for an item"));
            assert_eq!(all_there(pool.map(items, |n| n)), [1, 2]);
        }),
        ("jobs that are dropped", || {
            let (pool, leave) = (Arc::new(Pool::new(size(1), size(2))), Gate::closed());
            let _leave = leave.open_when_dropped();
            occupy_worker(&pool, &leave);
            let calls_when_dropped = || {
                let (pool, leave) = (Arc::clone(&pool), leave.clone());
                when_dropped(move || {
                    assert_eq!(pool.submit(|| ()), Err(ShutDown), "while a job is dropped");
                    leave.open();
                    pool.shutdown();
                })
            };
            let captured = calls_when_dropped();
            assert_eq!(pool.submit(|| drop(captured)), Ok(()), "there is room");
            assert_eq!(pool.shutdown_now(), 1, "one job was in the backlog");
            let captured = calls_when_dropped();
            assert_eq!(pool.submit(|| drop(captured)), Err(ShutDown));
        }),
        ("a job that waits for room when the pool is shut down", || {
            dropped_while_it_waits_for_room(|pool, captured| {
                let _ = pool.submit(|| drop(captured));
            });
        }),
        ("an item that waits for room when the pool is shut down", || {
            dropped_while_it_waits_for_room(|pool, captured| drop(pool.map([captured], drop)));
        }),
    ]);
}

/// On threads only: so many workers and items have too many schedules. A bound that somebody puts in is met on any of them.
#[test]
fn large_numbers_are_nothing_special() {
    Check::new().threads_only().run(|| {
        let (pool, all) = (Pool::new(size(MANY_WORKERS), size(1)), Rendezvous::of(MANY_WORKERS));
        all_there(pool.map(0..MANY_WORKERS, move |_| all.meet()));
        pool.shutdown();

        let (pool, runs, leave) = (Pool::new(size(1), size(MANY_JOBS)), Arc::new(Mutex::new(0)), Gate::closed());
        let _leave = leave.open_when_dropped();
        occupy_worker(&pool, &leave);
        for _ in 0..MANY_JOBS {
            let runs = Arc::clone(&runs);
            assert_eq!(pool.submit(move || *runs.lock().unwrap() += 1), Ok(()), "there is room");
        }
        leave.open();
        pool.shutdown();
        assert_eq!(*runs.lock().unwrap(), MANY_JOBS, "each job runs once");

        // Rooms that are none for whoever counts them in fewer bits.
        for room in [1 << 8, 1 << 16] {
            let (pool, runs, leave) = (Pool::new(size(1), size(room)), Arc::new(Mutex::new(0)), Gate::closed());
            let _leave = leave.open_when_dropped();
            occupy_worker(&pool, &leave);
            for _ in 0..2 {
                let runs = Arc::clone(&runs);
                assert_eq!(pool.submit(move || *runs.lock().unwrap() += 1), Ok(()), "there is room for {room}");
            }
            leave.open();
            pool.shutdown();
            assert_eq!(*runs.lock().unwrap(), 2, "each job runs once");
        }

        // A job fills the backlog, and submits one that submits the next one, and so on.
        let (pool, runs, done) = (Arc::new(Pool::new(size(1), size(1))), Arc::new(Mutex::new(0)), Gate::closed());
        assert_eq!(pool.submit(submits_the_next(&pool, &runs, &done, MANY_INSIDE)), Ok(()));
        done.pass();
        pool.shutdown();
        assert_eq!(*runs.lock().unwrap(), MANY_INSIDE, "each job runs once");

        // Nobody knows how many items will come. Only that there are no more than a `usize` counts.
        let items = (0..usize::MAX).take_while(|n| *n < MANY_JOBS);
        let results = all_there(Pool::new(size(2), size(2)).map(items, |n| n));
        assert_eq!(results, Vec::from_iter(0..MANY_JOBS), "one result for each item, in the items' order");
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check pool every_small_program_of_calls_keeps_the_contract"]
fn every_small_program_of_calls_keeps_the_contract() {
    every_small_program(contract::PoolContract);
}

/// Rayon is not modelled, so this is for threads only. More workers than cores: else the global pool would do. So many items
/// that each worker has several, and whoever begins with the first of them does two others before its neighbours are done:
/// results in the order in which items are begun or ready are in disorder every time.
#[test]
fn rayon_does_the_same_on_as_many_threads_as_it_is_told() {
    on_threads(|| {
        let workers = thread::available_parallelism().map_or(2, |cores| cores.get() + 1);
        let items = 8 * workers;
        let alone = Mutex::new(HashSet::new());
        with_rayon(1, items, &|n| {
            if n == 0 {
                // All that others could do meanwhile they have done.
                until_still();
            }
            alone.lock().unwrap().insert(thread::current().id());
            n
        });
        let (all, overtaken, begun) = (Rendezvous::of(workers), Gate::closed(), Mutex::new(Vec::new()));
        let results = with_rayon(workers, items, &|n| {
            // Borrowed, not cloned.
            let me = thread::current().id();
            let place = {
                let mut begun = begun.lock().unwrap();
                begun.push((n, me));
                begun.len() - 1
            };
            all.meet();
            let so_far = begun.lock().unwrap().clone();
            let first = so_far[..workers].iter().find(|(n, _)| *n == 0).map(|(_, thread)| *thread);
            if first == Some(me) && so_far.iter().filter(|(_, thread)| *thread == me).count() == 3 {
                overtaken.open();
            } else if first.is_some_and(|first| first != me) && place < workers {
                overtaken.pass();
            }
            if n == 1 { panic_on_purpose("one is too much") } else { n * 10 }
        });
        assert_eq!(results.len(), items, "one result for each item");
        for (n, result) in results.into_iter().enumerate() {
            match result {
                Ok(result) => assert!(n != 1 && result == n * 10, "item {n} brought {result}"),
                Err(Lost::Panicked(payload)) if n == 1 => {
                    assert_eq!(payload.downcast_ref(), Some(&"one is too much"));
                }
                Err(lost) => panic!("item {n} has no result: {lost:?}"),
            }
        }
        let threads: HashSet<_> = begun.into_inner().unwrap().into_iter().map(|(_, thread)| thread).collect();
        assert_eq!(threads.len(), workers, "as many threads as it is told");
        assert_eq!(alone.into_inner().unwrap().len(), 1, "as many threads as the call before was told");
        assert!(with_rayon(1, 0, &|n| n).is_empty(), "no items, no results");
        // Three calls are under way, two of them in the first one's work. None of them works for another.
        let all = Rendezvous::of(4);
        let inner = |n| {
            all.meet();
            n
        };
        all_there(with_rayon(2, 2, &|n| all_there(with_rayon(2, 2, &inner)).len() + n));
        // Nor if two threads make them that have nothing to do with each other.
        let both = Rendezvous::of(2);
        let meets = |n| {
            both.meet();
            n
        };
        let call = || drop(all_there(with_rayon(1, 1, &meets)));
        thread::scope(|scope| {
            scope.spawn(call);
            call();
        });
        // What the work does with rayon itself is done on the same threads, also on those that have no item.
        let threads = all_there(with_rayon(workers, 1, &|_| rayon::current_num_threads()));
        assert_eq!(threads, [workers], "as many threads as it is told, though there are fewer items");
    });
}

/// [`map_with_rayon`] with work of one type: what rayon is made of is compiled once.
fn with_rayon(workers: usize, items: usize, work: &(dyn Fn(usize) -> usize + Sync)) -> Vec<Result<usize, Lost>> {
    map_with_rayon(size(workers), (0..items).collect(), work)
}

/// More than a byte counts, or somebody gives a pool who knows better.
const MANY_WORKERS: usize = 257;
/// More than a byte counts, and than the round numbers at which people stop.
const MANY_JOBS: usize = 1100;

/// More jobs inside each other than somebody allows who is afraid for the stack.
const MANY_INSIDE: usize = 130;

/// A number of workers, or the room of a backlog.
fn size(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).expect("a test's sizes are not zero")
}

/// A job that notes its name.
fn note(log: &Log, job: &'static str) -> impl FnOnce() + Send + 'static {
    let log = log.clone();
    move || log.note(job)
}

/// So many jobs, each of which is submitted by the one before it, while the backlog has no room. The last one opens the gate.
fn submits_the_next(pool: &Arc<Pool>, runs: &Arc<Mutex<usize>>, done: &Gate, left: usize) -> Box<dyn FnOnce() + Send> {
    let (pool, runs, done) = (Arc::clone(pool), Arc::clone(runs), done.clone());
    Box::new(move || {
        *runs.lock().unwrap() += 1;
        if left == 1 {
            return done.open();
        }
        let next = submits_the_next(&pool, &runs, &done, left - 1);
        assert_eq!([pool.submit(|| ()), pool.submit(next)], [Ok(()); 2], "nobody has shut the pool down");
    })
}

/// A job shuts the pool down, and still runs when the pool is dropped.
fn dropped_when_a_job_has(shut_down: fn(&Pool)) {
    let (pool, log, closed) = (Arc::new(Pool::new(size(1), size(1))), Log::new(), Gate::closed());
    let job = {
        let (pool, log, closed) = (Arc::downgrade(&pool), log.clone(), closed.clone());
        move || {
            shut_down(&pool.upgrade().expect("it is dropped after the gate"));
            closed.open();
            log.note("1");
        }
    };
    assert_eq!(pool.submit(job), Ok(()));
    closed.pass();
    drop(pool);
    assert_eq!(log.events(), ["1"], "when the pool is dropped");
}

/// Shuts the pool down while somebody waits for room, or has just got it. What is handed over then submits a job when it is dropped.
fn dropped_while_it_waits_for_room(hand_over: fn(&Pool, Captured)) {
    let (pool, log) = (Arc::new(Pool::new(size(1), size(1))), Log::new());
    assert_eq!(pool.submit(|| ()), Ok(()));
    let late = spawn("late submitter", &pool, {
        let (pool, log) = (Arc::clone(&pool), log.clone());
        move |this| {
            let captured = when_dropped(move || {
                // Whether it runs or is refused, this has an answer.
                let _ = pool.submit(|| ());
                drop(pool);
                log.note("dropped");
            });
            hand_over(this, Box::new(captured));
        }
    });
    pool.shutdown();
    late.join().unwrap();
    assert_eq!(log.count("dropped"), 1, "the job is dropped, whether it ran or not");
}

/// What a job has captured.
type Captured = Box<dyn Any + Send>;

/// An item, and a panic in the place of the second one.
fn broken_after_one() -> impl Iterator<Item = usize> {
    (1..=2).inspect(|n| {
        if *n == 2 {
            panic_on_purpose("there is no second item");
        }
    })
}

/// The panic is the caller's, who has asked for it: the worker runs the next job, whether `map` has seen the first item's end or not.
fn map_with_a_broken_iterator(work: fn(usize) -> usize) {
    let pool = Pool::new(size(1), size(1));
    drop(panic::catch_unwind(AssertUnwindSafe(|| pool.map(broken_after_one(), work))));
    assert_eq!(all_there(pool.map([1], |n| n)), [1], "its worker goes on");
}

/// Gives the only worker a job that ends when the gate is opened, and waits until it has begun.
fn occupy_worker(pool: &Pool, leave: &Gate) {
    let (began, leave) = (Gate::closed(), leave.clone());
    let job = {
        let began = began.clone();
        move || {
            began.open();
            leave.pass();
        }
    };
    assert_eq!(pool.submit(job), Ok(()));
    began.pass();
}

/// The results of a map in which nothing got lost.
fn all_there<R>(results: Vec<Result<R, Lost>>) -> Vec<R> {
    results.into_iter().map(|result| result.unwrap_or_else(|lost| panic!("a result is missing: {lost:?}"))).collect()
}

/// One of several bodies of a test, and what it is about.
struct Body(&'static str, fn());

impl Body {
    fn run(&self) {
        (self.1)();
    }
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Runs one body after the other. A test is checked once, since it tells once how it ended.
fn each<const N: usize>(bodies: [(&'static str, fn()); N]) {
    Check::new().each(named(bodies), Body::run);
}

fn named<const N: usize>(bodies: [(&'static str, fn()); N]) -> [Body; N] {
    bodies.map(|(what, run)| Body(what, run))
}

/// Starts a thread that shares the pool. Its name stands in the table of a failing schedule.
fn spawn<R: Send + 'static>(
    name: &str,
    pool: &Arc<Pool>,
    work: impl FnOnce(&Pool) -> R + Send + 'static,
) -> JoinHandle<R> {
    let pool = Arc::clone(pool);
    // In a box: then what starts a thread is compiled once for each result.
    let work: Box<dyn FnOnce() -> R + Send> = Box::new(move || work(&pool));
    thread::Builder::new().name(name.to_owned()).spawn(work).expect("the system has room for a thread")
}
