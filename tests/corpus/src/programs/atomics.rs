//! Atomics: each step is atomic, two of them are not.

use super::Program;
use super::model::sync::Arc;
use super::model::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use super::model::thread;
use verdict::Kind::Race;

/// Every program of this file.
pub(crate) fn programs() -> Vec<Program> {
    vec![
        Program::fails("lost update", Race, || count(|n| n.store(n.load(SeqCst) + 1, SeqCst))),
        Program::passes("lost update, with fetch_add", || {
            count(|n| {
                n.fetch_add(1, SeqCst);
            });
        }),
        Program::passes("lost update, with compare_exchange", || {
            count(|n| {
                let mut seen = n.load(SeqCst);
                while let Err(now) = n.compare_exchange(seen, seen + 1, SeqCst, SeqCst) {
                    seen = now;
                }
            });
        }),
        Program::fails("flag raised before the value", Race, || publish(true)),
        Program::passes("flag raised after the value", || publish(false)),
        Program::fails("claim by look and raise", Race, || claim(false)),
        Program::passes("claim by swap", || claim(true)),
    ]
}

fn count(add: fn(&AtomicUsize)) {
    let n = Arc::new(AtomicUsize::new(0));
    let adders: Vec<_> = (0..2)
        .map(|_| {
            let n = Arc::clone(&n);
            thread::spawn(move || add(&n))
        })
        .collect();
    adders.into_iter().for_each(|adder| adder.join().unwrap());
    assert_eq!(n.load(SeqCst), 2);
}

fn publish(too_early: bool) {
    let (value, ready) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let writer = {
        let (value, ready) = (Arc::clone(&value), Arc::clone(&ready));
        thread::spawn(move || {
            if too_early {
                ready.store(true, SeqCst);
                value.store(42, SeqCst);
            } else {
                value.store(42, SeqCst);
                ready.store(true, SeqCst);
            }
        })
    };
    if ready.load(SeqCst) {
        assert_eq!(value.load(SeqCst), 42, "ready, but not there");
    }
    writer.join().unwrap();
}

fn claim(by_swap: bool) {
    let (taken, owners) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let claimers: Vec<_> = (0..2)
        .map(|_| {
            let (taken, owners) = (Arc::clone(&taken), Arc::clone(&owners));
            thread::spawn(move || {
                let mine = if by_swap {
                    !taken.swap(true, SeqCst)
                } else {
                    let free = !taken.load(SeqCst);
                    if free {
                        taken.store(true, SeqCst);
                    }
                    free
                };
                if mine {
                    owners.fetch_add(1, SeqCst);
                }
            })
        })
        .collect();
    claimers.into_iter().for_each(|claimer| claimer.join().unwrap());
    assert_eq!(owners.load(SeqCst), 1, "one owner");
}
