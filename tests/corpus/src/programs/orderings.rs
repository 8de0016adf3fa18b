//! Memory orderings: what is right where all threads agree on one order, and wrong where they need not.

use super::Program;
use super::model::sync::atomic::{AtomicBool, AtomicUsize, Ordering, Ordering::*, fence};
use super::model::thread;
use verdict::Kind::Race;

/// Every program of this file.
pub(crate) fn programs() -> Vec<Program> {
    vec![
        Program::fails("published over a relaxed flag", Race, || publish(Relaxed, Relaxed)),
        Program::passes("published by release and acquire", || publish(Release, Acquire)),
        Program::fails("Peterson's lock by release and acquire", Race, || peterson(Release, Acquire)),
        Program::passes("Peterson's lock, sequentially consistent", || peterson(SeqCst, SeqCst)),
        Program::fails("Dekker's entry by AcqRel", Race, || dekker(AcqRel, AcqRel, Acquire)),
        Program::passes("Dekker's entry by fences", || dekker(Relaxed, SeqCst, Relaxed)),
        Program::fails("spin lock that is given back relaxed", Race, || spin_lock(Relaxed)),
        Program::passes("spin lock", || spin_lock(Release)),
    ]
}

fn publish(store: Ordering, load: Ordering) {
    let (value, ready) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            value.store(42, Relaxed);
            ready.store(true, store);
        });
        if ready.load(load) {
            assert_eq!(value.load(Relaxed), 42, "ready, but not there");
        }
    });
}

/// Two threads that add to a count, each between its `enter` and `leave`.
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
    assert_eq!(count.load(Relaxed), 2, "lost update");
}

fn peterson(store: Ordering, load: Ordering) {
    let wants = [AtomicBool::new(false), AtomicBool::new(false)];
    let turn = AtomicUsize::new(0);
    two_inside(
        |me| {
            wants[me].store(true, store);
            turn.store(1 - me, store);
            while wants[1 - me].load(load) && turn.load(load) == 1 - me {
                thread::yield_now();
            }
        },
        |me| wants[me].store(false, store),
    );
}

fn dekker(announce: Ordering, between: Ordering, look: Ordering) {
    let wants = [AtomicBool::new(false), AtomicBool::new(false)];
    let inside = AtomicUsize::new(0);
    thread::scope(|scope| {
        for me in 0..2 {
            let (wants, inside) = (&wants, &inside);
            scope.spawn(move || {
                wants[me].swap(true, announce);
                fence(between);
                if !wants[1 - me].load(look) {
                    inside.fetch_add(1, Relaxed);
                }
            });
        }
    });
    assert!(inside.load(Relaxed) <= 1, "both are inside");
}

fn spin_lock(give_back: Ordering) {
    let taken = AtomicBool::new(false);
    two_inside(
        |_| {
            while taken.swap(true, Acquire) {
                thread::yield_now();
            }
        },
        |_| taken.store(false, give_back),
    );
}
