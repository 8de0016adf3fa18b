//! Locks taken in the wrong order, twice, or not long enough.

use super::Program;
use super::model::sync::{Arc, Mutex, RwLock};
use super::model::thread;
use verdict::Kind::{Deadlock, Race};

/// Every program of this file.
pub(crate) fn programs() -> Vec<Program> {
    vec![
        Program::fails("abba", Deadlock, || transfer(false)),
        Program::passes("abba, in one order", || transfer(true)),
        Program::fails("dining cycle of three", Deadlock, || dine(false)),
        Program::passes("dining cycle of three, one left-handed", || dine(true)),
        Program::fails("self-deadlock in a match scrutinee", Deadlock, scrutinee),
        Program::passes("self-deadlock in a match scrutinee, value copied first", copied_first),
        Program::fails("let _ = lock()", Race, || unnamed_guard(true)),
        Program::passes("let _ = lock(), with a name", || unnamed_guard(false)),
        Program::fails("guard dropped in the middle", Race, dropped_in_the_middle),
        Program::passes("guard dropped in the middle, kept", kept),
        Program::fails("check, then act", Race, || withdraw(false)),
        Program::passes("check and act under one guard", || withdraw(true)),
        Program::fails("torn pair of fields", Race, || pair(false)),
        Program::passes("pair of fields under one lock", || pair(true)),
        Program::fails("readers that both upgrade", Deadlock, || upgrade(false)),
        Program::passes("readers that let go before they write", || upgrade(true)),
        Program::fails("lock held over a join", Deadlock, || join_holding(true)),
        Program::passes("lock freed before a join", || join_holding(false)),
        Program::fails("double-checked initialisation", Race, || double_checked(false)),
        Program::passes("double-checked initialisation, checked twice", || double_checked(true)),
    ]
}

fn transfer(ordered: bool) {
    let (a, b) = (Arc::new(Mutex::new(1)), Arc::new(Mutex::new(1)));
    let (a2, b2) = (Arc::clone(&a), Arc::clone(&b));
    let there = thread::spawn(move || {
        let mut from = a.lock().unwrap();
        let mut to = b.lock().unwrap();
        *from -= 1;
        *to += 1;
    });
    let back = thread::spawn(move || {
        let (first, second) = if ordered { (a2, b2) } else { (b2, a2) };
        let mut from = first.lock().unwrap();
        let mut to = second.lock().unwrap();
        *from -= 1;
        *to += 1;
    });
    there.join().unwrap();
    back.join().unwrap();
}

fn dine(left_handed: bool) {
    let forks: Vec<_> = (0..3).map(|_| Arc::new(Mutex::new(()))).collect();
    let diners: Vec<_> = (0..3)
        .map(|seat| {
            let (left, right) = (Arc::clone(&forks[seat]), Arc::clone(&forks[(seat + 1) % 3]));
            thread::spawn(move || {
                let (first, second) = if left_handed && seat == 2 { (right, left) } else { (left, right) };
                let _first = first.lock().unwrap();
                let _second = second.lock().unwrap();
            })
        })
        .collect();
    diners.into_iter().for_each(|diner| diner.join().unwrap());
}

fn scrutinee() {
    let state = Mutex::new(1);
    // The guard lives to the end of the match.
    match *state.lock().unwrap() {
        1 => *state.lock().unwrap() = 2,
        2 => *state.lock().unwrap() = 3,
        _ => {}
    }
}

fn copied_first() {
    let state = Mutex::new(1);
    let now = *state.lock().unwrap();
    match now {
        1 => *state.lock().unwrap() = 2,
        2 => *state.lock().unwrap() = 3,
        _ => {}
    }
}

/// Two threads that add 1, each under a lock that guards nothing if the guard has no name.
fn unnamed_guard(unnamed: bool) {
    let gate = Arc::new(Mutex::new(()));
    let count = Arc::new(Mutex::new(0));
    let adders: Vec<_> = (0..2)
        .map(|_| {
            let (gate, count) = (Arc::clone(&gate), Arc::clone(&count));
            thread::spawn(move || {
                let _guard;
                if unnamed {
                    let _ = gate.lock().unwrap();
                } else {
                    _guard = gate.lock().unwrap();
                }
                let before = *count.lock().unwrap();
                *count.lock().unwrap() = before + 1;
            })
        })
        .collect();
    adders.into_iter().for_each(|adder| adder.join().unwrap());
    assert_eq!(*count.lock().unwrap(), 2);
}

fn add_twice(add: impl Fn(&Mutex<i32>) + Send + Sync + Copy + 'static) {
    let count = Arc::new(Mutex::new(0));
    let adders: Vec<_> = (0..2)
        .map(|_| {
            let count = Arc::clone(&count);
            thread::spawn(move || add(&count))
        })
        .collect();
    adders.into_iter().for_each(|adder| adder.join().unwrap());
    assert_eq!(*count.lock().unwrap(), 2);
}

fn dropped_in_the_middle() {
    add_twice(|count| {
        let guard = count.lock().unwrap();
        let before = *guard;
        drop(guard);
        *count.lock().unwrap() = before + 1;
    });
}

fn kept() {
    add_twice(|count| {
        let mut guard = count.lock().unwrap();
        let before = *guard;
        *guard = before + 1;
    });
}

fn withdraw(at_once: bool) {
    let balance = Arc::new(Mutex::new(10));
    let customers: Vec<_> = (0..2)
        .map(|_| {
            let balance = Arc::clone(&balance);
            thread::spawn(move || {
                if at_once {
                    let mut balance = balance.lock().unwrap();
                    if *balance >= 10 {
                        *balance -= 10;
                    }
                } else {
                    let enough = *balance.lock().unwrap() >= 10;
                    if enough {
                        *balance.lock().unwrap() -= 10;
                    }
                }
            })
        })
        .collect();
    customers.into_iter().for_each(|customer| customer.join().unwrap());
    assert_eq!(*balance.lock().unwrap(), 0, "nobody overdraws");
}

fn pair(one_lock: bool) {
    let (both, x, y) = (Arc::new(Mutex::new((0, 0))), Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let writer = {
        let (both, x, y) = (Arc::clone(&both), Arc::clone(&x), Arc::clone(&y));
        thread::spawn(move || {
            if one_lock {
                *both.lock().unwrap() = (1, 1);
            } else {
                *x.lock().unwrap() = 1;
                *y.lock().unwrap() = 1;
            }
        })
    };
    let (seen_x, seen_y) = if one_lock {
        *both.lock().unwrap()
    } else {
        let x = *x.lock().unwrap();
        (x, *y.lock().unwrap())
    };
    writer.join().unwrap();
    assert_eq!(seen_x, seen_y, "half a change was seen");
}

fn upgrade(lets_go: bool) {
    let value = Arc::new(RwLock::new(0));
    let upgraders: Vec<_> = (0..2)
        .map(|_| {
            let value = Arc::clone(&value);
            thread::spawn(move || {
                let read = value.read().unwrap();
                let seen = *read;
                if lets_go {
                    drop(read);
                    *value.write().unwrap() += 1;
                } else {
                    // Each waits for the other to stop reading.
                    *value.write().unwrap() = seen + 1;
                    drop(read);
                }
            })
        })
        .collect();
    upgraders.into_iter().for_each(|upgrader| upgrader.join().unwrap());
}

fn join_holding(holding: bool) {
    let value = Arc::new(Mutex::new(0));
    let guard = value.lock().unwrap();
    let worker = {
        let value = Arc::clone(&value);
        thread::spawn(move || *value.lock().unwrap() += 1)
    };
    if holding {
        worker.join().unwrap();
        drop(guard);
    } else {
        drop(guard);
        worker.join().unwrap();
    }
}

fn double_checked(checked_twice: bool) {
    let (ready, made) = (Arc::new(Mutex::new(false)), Arc::new(Mutex::new(0)));
    let users: Vec<_> = (0..2)
        .map(|_| {
            let (ready, made) = (Arc::clone(&ready), Arc::clone(&made));
            thread::spawn(move || {
                let is_ready = *ready.lock().unwrap();
                if is_ready {
                    return;
                }
                let mut made = made.lock().unwrap();
                if checked_twice && *ready.lock().unwrap() {
                    return;
                }
                *made += 1;
                *ready.lock().unwrap() = true;
            })
        })
        .collect();
    users.into_iter().for_each(|user| user.join().unwrap());
    assert_eq!(*made.lock().unwrap(), 1, "made once");
}
