//! Algorithms that stand or fall with their memory orderings, each with the weakest that are right and with one that is not; and
//! how a failure of theirs is found, replayed and told.

extern crate explored_std as std;

mod support;

use std::explored::{Config, explore};
use std::real::sync::Arc;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, fence};
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::Duration;

use support::{fails, fails_with, passes, passes_with, results, run};
use verdict::Kind::{Livelock, Race};

/// Two threads that are never inside at once: what is inside is a count that is read and written.
fn two_inside(enter: impl Fn(usize) + Sync, leave: impl Fn(usize) + Sync) {
    let count = AtomicUsize::new(0);
    thread::scope(|scope| {
        for me in 0..2 {
            let (enter, leave, count) = (&enter, &leave, &count);
            scope.spawn(move || {
                enter(me);
                count.store(count.load(Relaxed) + 1, Relaxed);
                leave(me);
            });
        }
    });
    assert_eq!(count.load(Relaxed), 2, "both were inside");
}

/// Peterson's lock. The stores that announce a thread and give way must not be passed by the loads that look at the other one.
fn peterson(all: Ordering, load: Ordering, store: Ordering) {
    let wants = [AtomicBool::new(false), AtomicBool::new(false)];
    let turn = AtomicUsize::new(0);
    two_inside(
        |me| {
            wants[me].store(true, store);
            turn.swap(1 - me, all);
            while wants[1 - me].load(load) && turn.load(load) == 1 - me {
                thread::yield_now();
            }
        },
        |me| wants[me].store(false, store),
    );
}

#[test]
fn petersons_lock_needs_sequential_consistency() {
    passes(|| peterson(SeqCst, SeqCst, SeqCst));
    // With an exchange for the turn, the one that comes second there has seen all of the first one: Acquire and Release do.
    passes(|| peterson(AcqRel, Acquire, Release));
    fails(Race, || peterson(Relaxed, Relaxed, Relaxed));
    fails(Race, || {
        let wants = [AtomicBool::new(false), AtomicBool::new(false)];
        let turn = AtomicUsize::new(0);
        two_inside(
            |me| {
                wants[me].store(true, Release);
                turn.store(1 - me, Release);
                while wants[1 - me].load(Acquire) && turn.load(Acquire) == 1 - me {
                    thread::yield_now();
                }
            },
            |me| wants[me].store(false, Release),
        );
    });
}

/// Dekker's entry: each announces itself and enters if the other one has not.
fn dekker(store: Ordering, between: Option<Ordering>, load: Ordering) {
    let wants = [AtomicBool::new(false), AtomicBool::new(false)];
    let inside = AtomicUsize::new(0);
    thread::scope(|scope| {
        for me in 0..2 {
            let (wants, inside) = (&wants, &inside);
            scope.spawn(move || {
                wants[me].swap(true, store);
                if let Some(ordering) = between {
                    fence(ordering);
                }
                if !wants[1 - me].load(load) {
                    inside.fetch_add(1, Relaxed);
                }
            });
        }
    });
    assert!(inside.load(Relaxed) <= 1, "both are inside");
}

#[test]
fn dekkers_entry_needs_sequential_consistency() {
    passes(|| dekker(SeqCst, None, SeqCst));
    passes(|| dekker(Relaxed, Some(SeqCst), Relaxed));
    fails(Race, || dekker(AcqRel, None, Acquire));
    fails(Race, || dekker(AcqRel, Some(AcqRel), Acquire));
    fails(Race, || dekker(SeqCst, None, Acquire));
}

/// A sequence lock (Boehm: Can seqlocks get along with programming language memory models?, MSPC 2012).
fn seqlock(writes: Option<Ordering>, reads: Option<Ordering>, publish: Ordering) {
    let sequence = AtomicUsize::new(0);
    let data = [AtomicUsize::new(0), AtomicUsize::new(0)];
    thread::scope(|scope| {
        scope.spawn(|| {
            sequence.store(1, Relaxed);
            if let Some(ordering) = writes {
                fence(ordering);
            }
            data.iter().for_each(|half| half.store(7, Relaxed));
            sequence.store(2, publish);
        });
        let before = sequence.load(Acquire);
        let [first, second] = [0, 1].map(|half: usize| data[half].load(Relaxed));
        if let Some(ordering) = reads {
            fence(ordering);
        }
        if before.is_multiple_of(2) && sequence.load(Relaxed) == before {
            assert_eq!(first, second, "torn");
            assert_eq!(first == 7, before == 2, "not of this time");
        }
    });
}

#[test]
fn a_sequence_lock_needs_both_fences_and_a_release() {
    passes(|| seqlock(Some(Release), Some(Acquire), Release));
    passes(|| seqlock(Some(SeqCst), Some(SeqCst), SeqCst));
    fails(Race, || seqlock(None, Some(Acquire), Release));
    fails(Race, || seqlock(Some(Release), None, Release));
    fails(Race, || seqlock(Some(Release), Some(Acquire), Relaxed));
    fails(Race, || seqlock(Some(Acquire), Some(Release), Release));
}

/// A spin lock by an exchange.
fn spin_lock(take: Ordering, give: Ordering) {
    let taken = AtomicBool::new(false);
    two_inside(
        |_| {
            while taken.compare_exchange(false, true, take, Relaxed).is_err() {
                std::hint::spin_loop();
            }
        },
        |_| taken.store(false, give),
    );
}

#[test]
fn a_spin_lock_needs_acquire_and_release() {
    passes(|| spin_lock(Acquire, Release));
    fails(Race, || spin_lock(Acquire, Relaxed));
    fails(Race, || spin_lock(Relaxed, Release));
}

/// A pointer to what is made once; who comes later looks without the lock.
fn double_checked(look: Ordering, publish: Ordering) {
    struct Made {
        word: AtomicUsize,
    }
    let made = Made { word: AtomicUsize::new(0) };
    let (place, lock) = (AtomicPtr::new(std::ptr::null_mut::<Made>()), Mutex::new(()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                if place.load(look).is_null() {
                    let _held = lock.lock().unwrap();
                    if place.load(Relaxed).is_null() {
                        made.word.store(7, Relaxed);
                        place.store(std::ptr::dangling_mut(), publish);
                    }
                }
                assert_eq!(made.word.load(Relaxed), 7, "not initialised");
            });
        }
    });
}

#[test]
fn double_checked_initialisation_needs_acquire_and_release() {
    passes(|| double_checked(Acquire, Release));
    fails(Race, || double_checked(Relaxed, Release));
    fails(Race, || double_checked(Acquire, Relaxed));
}

/// The last one of a counted reference drops what all have used.
fn counted(decrement: Ordering, last: Option<Ordering>) {
    let (count, used) = (AtomicUsize::new(2), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mine = used.fetch_add(1, Relaxed) + 1;
                if count.fetch_sub(1, decrement) == 1 {
                    if let Some(ordering) = last {
                        fence(ordering);
                    }
                    assert!(used.load(Relaxed) == 2 && mine <= 2, "dropped while it is used");
                }
            });
        }
    });
}

#[test]
fn the_last_of_a_counted_reference_acquires() {
    passes(|| counted(Release, Some(Acquire)));
    passes(|| counted(AcqRel, None));
    fails(Race, || counted(Release, None));
    fails(Race, || counted(Relaxed, Some(Acquire)));
}

/// Raises a relaxed flag, and waits for it.
fn waits_for_a_flag(wait: fn()) {
    let (flag, ready) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            flag.store(true, Relaxed);
            ready.store(true, Relaxed);
        });
        while !ready.load(Relaxed) {
            wait();
        }
        // The flag may be old for a while, and not for ever.
        while !flag.load(Relaxed) {
            wait();
        }
    });
}

#[test]
fn a_loop_that_waits_for_a_relaxed_flag_ends() {
    assert!(passes(|| waits_for_a_flag(thread::yield_now)).coverage.complete);
    passes(|| waits_for_a_flag(std::hint::spin_loop));
    passes(|| waits_for_a_flag(|| ()));
    passes(|| waits_for_a_flag(|| thread::sleep(Duration::from_millis(1))));
    fails(Livelock, || {
        let flag = AtomicBool::new(false);
        while !flag.load(Relaxed) {
            std::hint::spin_loop();
        }
    });
}

/// What is published over a relaxed flag.
fn publish(store: Ordering, load: Ordering) {
    let (value, ready) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let writer = {
        let (value, ready) = (Arc::clone(&value), Arc::clone(&ready));
        thread::Builder::new().name("writer".to_string()).spawn(move || {
            value.store(42, Relaxed);
            ready.store(true, store);
        })
    };
    if ready.load(load) {
        assert_eq!(value.load(Relaxed), 42, "ready, but not there");
    }
    writer.unwrap().join().unwrap();
}

#[test]
fn an_old_value_is_told_with_the_newer_one_and_what_does_not_order_them() {
    passes(|| publish(Release, Acquire));
    for (store, load) in [(Relaxed, Relaxed), (Release, Relaxed), (Relaxed, Acquire)] {
        let message = fails(Race, move || publish(store, load));
        assert!(message.contains("the shortest has no preemption and reads 1 old value"), "{message}");
    }
    let trace = run(|| publish(Relaxed, Relaxed)).trace.unwrap();
    assert_eq!(trace.old_reads, 1);
    assert!(trace.schedule.starts_with("w.") && trace.schedule.contains("0r1"), "{}", trace.schedule);
    let read = trace.steps.iter().find(|step| step.missed.is_some()).unwrap();
    let missed = read.missed.as_ref().unwrap();
    assert_eq!((read.value.as_deref(), &missed.value[..], &missed.ordering[..]), (Some("0"), "42", "Relaxed"));
    let stored = &trace.steps[missed.step.unwrap()];
    assert_eq!((&trace.threads[missed.by].name[..], stored.value.as_deref()), ("writer", Some("42")));
    assert_eq!((stored.thread, stored.object), (missed.by, read.object));
}

#[test]
fn a_schedule_that_reads_what_there_is_not_does_not_fit() {
    for schedule in ["w.0r1", "w.0r9", "w.0r0", "w.0r", "w.r1", "w.0r300"] {
        let config = Config { replay: Some(schedule.to_string()), ..support::config() };
        let found = explore(&config, || publish(Relaxed, Relaxed));
        assert!(matches!(found.outcome, verdict::Outcome::Misfit(_)), "{schedule}");
    }
}

#[test]
fn what_is_bound_to_fail_by_old_values_is_found_by_sampling_too() {
    let few = Config { schedules: 300, ..support::config() };
    fails_with(&few, Race, || {
        // Far more schedules than the budget has.
        let noise = RwLock::new(0);
        let (value, ready) = (AtomicUsize::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| (0..3).for_each(|_| *noise.write().unwrap() += 1));
            }
            scope.spawn(|| {
                value.store(1, Relaxed);
                ready.store(true, Relaxed);
            });
            assert!(!ready.load(Relaxed) || value.load(Relaxed) == 1, "ready, but not there");
        });
    });
}

/// Where a lock orders all, and where an old value is what an earlier load would have read, weaker orderings add no schedules.
#[test]
fn orderings_that_make_no_difference_add_no_schedules() {
    let count = |order: Ordering| {
        let exploration = passes(move || {
            let (count, lock) = (AtomicUsize::new(0), Mutex::new(0));
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        count.fetch_add(1, order);
                        *lock.lock().unwrap() += count.load(order).min(1);
                    });
                }
            });
            assert_eq!(count.load(order), 3);
        });
        assert!(exploration.coverage.complete);
        exploration.coverage.schedules
    };
    assert_eq!(count(SeqCst), count(Relaxed));
    let one = |order: Ordering| {
        passes(move || {
            let flag = AtomicBool::new(false);
            thread::scope(|scope| {
                scope.spawn(|| flag.store(true, order));
                scope.spawn(|| flag.load(if order == Release { Acquire } else { order }));
            });
        })
        .coverage
        .schedules
    };
    assert_eq!([one(SeqCst), one(Relaxed), one(Release)], [2, 2, 2]);
}

#[test]
fn fences_between_sequential_operations_are_no_steps() {
    let count = |fenced: bool| {
        passes_with(&support::config(), move || {
            let x = AtomicUsize::new(0);
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        x.fetch_add(1, SeqCst);
                        if fenced {
                            fence(SeqCst);
                        }
                        x.fetch_add(1, SeqCst);
                    });
                }
            });
        })
        .coverage
        .schedules
    };
    assert_eq!((count(true), count(false)), (6, 6));
}

/// An atomic keeps its last eight values. Where an older one could be read, nothing is proven.
#[test]
fn a_value_that_is_older_than_what_is_kept_is_told_as_not_proven() {
    let is_complete = |stores: usize, ordering: Ordering| {
        passes(move || {
            let (value, ready) = (AtomicUsize::new(0), AtomicBool::new(false));
            thread::scope(|scope| {
                scope.spawn(|| {
                    (1..=stores).for_each(|stored| value.store(stored, Relaxed));
                    ready.store(true, ordering);
                });
                if ready.load(Acquire) {
                    assert!(value.load(Relaxed) <= stores);
                }
            });
        })
        .coverage
        .complete
    };
    assert!(is_complete(7, Relaxed));
    assert!(!is_complete(8, Relaxed));
    assert!(is_complete(20, Release));
}

/// Who has a value alone writes it without an operation: nobody reads an older one after that.
#[test]
fn a_value_that_was_set_alone_is_no_old_one() {
    passes(|| {
        let mut x = AtomicUsize::new(0);
        thread::scope(|scope| {
            scope.spawn(|| x.store(1, Relaxed));
        });
        *x.get_mut() = 2;
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!(x.load(Relaxed), 2));
            assert_eq!(x.load(Relaxed), 2);
        });
    });
}

#[test]
fn an_atomic_is_shown_by_a_relaxed_load() {
    let (seen, _) = results(|| {
        let (data, ready) = (AtomicUsize::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                data.store(1, SeqCst);
                ready.store(true, SeqCst);
            });
            format!("{ready:?} {data:?}")
        })
    });
    assert_eq!(seen, ["false 0", "false 1", "true 0", "true 1"]);
}
