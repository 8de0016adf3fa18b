//! Condition variables: waits without a look, notifications too early, too few, or for the wrong predicate.

use super::Program;
use super::model::sync::{Arc, Condvar, Mutex};
use super::model::thread;
use verdict::Kind::{LostWakeup, Race};

/// Every program of this file.
pub(crate) fn programs() -> Vec<Program> {
    vec![
        Program::fails("missed notification before wait", LostWakeup, || one_flag(Look::Never, Tell::AfterTheChange)),
        Program::passes("look before wait", || one_flag(Look::Again, Tell::AfterTheChange)),
        Program::fails("notify before the change", LostWakeup, || one_flag(Look::Again, Tell::BeforeTheChange)),
        Program::fails("flag beside the lock", LostWakeup, || flag_beside(false)),
        Program::passes("flag under the lock", || flag_beside(true)),
        Program::fails("notify_one for many", LostWakeup, || many(false)),
        Program::passes("notify_all for many", || many(true)),
        Program::fails("two predicates on one condvar", LostWakeup, || slot(false)),
        Program::passes("two predicates on one condvar, notify_all", || slot(true)),
        Program::fails("barrier without a generation", LostWakeup, || barrier(false)),
        Program::passes("barrier with a generation", || barrier(true)),
        Program::fails("semaphore overshoot", Race, || semaphore(false)),
        Program::passes("semaphore under one lock", || semaphore(true)),
        Program::fails("lost stop flag", LostWakeup, || stop(false)),
        Program::passes("stop flag told", || stop(true)),
    ]
}

enum Look {
    Never,
    Again,
}

enum Tell {
    BeforeTheChange,
    AfterTheChange,
}

type Flag = Arc<(Mutex<bool>, Condvar)>;

fn one_flag(look: Look, tell: Tell) {
    let flag: Flag = Arc::default();
    let waiter = {
        let flag = Arc::clone(&flag);
        thread::spawn(move || {
            let mut set = flag.0.lock().unwrap();
            match look {
                Look::Never => drop(flag.1.wait(set).unwrap()),
                Look::Again => {
                    while !*set {
                        set = flag.1.wait(set).unwrap();
                    }
                }
            }
        })
    };
    match tell {
        Tell::BeforeTheChange => {
            flag.1.notify_all();
            *flag.0.lock().unwrap() = true;
        }
        Tell::AfterTheChange => {
            *flag.0.lock().unwrap() = true;
            flag.1.notify_all();
        }
    }
    waiter.join().unwrap();
}

/// The waiter looks at a flag that another lock protects, so the change falls between its look and its wait.
fn flag_beside(under: bool) {
    let (flag, room): (Arc<Mutex<bool>>, Flag) = Default::default();
    let waiter = {
        let (flag, room) = (Arc::clone(&flag), Arc::clone(&room));
        thread::spawn(move || {
            let mut guard = room.0.lock().unwrap();
            while !(if under { *guard } else { *flag.lock().unwrap() }) {
                guard = room.1.wait(guard).unwrap();
            }
        })
    };
    if under {
        *room.0.lock().unwrap() = true;
    } else {
        *flag.lock().unwrap() = true;
    }
    room.1.notify_one();
    waiter.join().unwrap();
}

fn many(all: bool) {
    let flag: Flag = Arc::default();
    let waiters: Vec<_> = (0..2)
        .map(|_| {
            let flag = Arc::clone(&flag);
            thread::spawn(move || {
                let mut set = flag.0.lock().unwrap();
                while !*set {
                    set = flag.1.wait(set).unwrap();
                }
            })
        })
        .collect();
    *flag.0.lock().unwrap() = true;
    if all {
        flag.1.notify_all()
    } else {
        flag.1.notify_one()
    };
    waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
}

/// One slot, two producers and two consumers: a notification for a consumer may wake a producer.
fn slot(all: bool) {
    let slot: Arc<(Mutex<Option<u8>>, Condvar)> = Arc::default();
    let tell = move |room: &Condvar| if all { room.notify_all() } else { room.notify_one() };
    let mut threads = Vec::new();
    for item in 0..2 {
        let (putting, taking) = (Arc::clone(&slot), Arc::clone(&slot));
        threads.push(thread::spawn(move || {
            let mut full = putting.0.lock().unwrap();
            while full.is_some() {
                full = putting.1.wait(full).unwrap();
            }
            *full = Some(item);
            tell(&putting.1);
        }));
        threads.push(thread::spawn(move || {
            let mut full = taking.0.lock().unwrap();
            while full.is_none() {
                full = taking.1.wait(full).unwrap();
            }
            *full = None;
            tell(&taking.1);
        }));
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// A barrier of two that is used twice. Without a generation, the fast one counts itself into the slow one's round.
fn barrier(generations: bool) {
    let barrier: Arc<(Mutex<(u32, u32)>, Condvar)> = Arc::default();
    let wait = move |(state, room): &(Mutex<(u32, u32)>, Condvar)| {
        let mut here = state.lock().unwrap();
        let generation = here.1;
        here.0 += 1;
        if here.0 == 2 {
            *here = (0, generation + 1);
            room.notify_all();
            return;
        }
        while if generations { here.1 == generation } else { here.0 != 0 } {
            here = room.wait(here).unwrap();
        }
    };
    let other = {
        let barrier = Arc::clone(&barrier);
        thread::spawn(move || {
            wait(&barrier);
            wait(&barrier);
        })
    };
    wait(&barrier);
    wait(&barrier);
    other.join().unwrap();
}

/// One permit, two users: whoever looks first and takes later may find it gone.
fn semaphore(at_once: bool) {
    let permits: Arc<(Mutex<i32>, Condvar)> = Arc::new((Mutex::new(1), Condvar::new()));
    let users: Vec<_> = (0..2)
        .map(|_| {
            let permits = Arc::clone(&permits);
            thread::spawn(move || {
                let mut free = permits.0.lock().unwrap();
                while *free < 1 {
                    free = permits.1.wait(free).unwrap();
                }
                if !at_once {
                    drop(free);
                    free = permits.0.lock().unwrap();
                }
                *free -= 1;
                assert!(*free >= 0, "more inside than permits");
                drop(free);
                *permits.0.lock().unwrap() += 1;
                permits.1.notify_one();
            })
        })
        .collect();
    users.into_iter().for_each(|user| user.join().unwrap());
}

/// A worker that sleeps on its queue is told to stop, but nobody wakes it.
fn stop(told: bool) {
    let state: Arc<(Mutex<bool>, Condvar)> = Arc::default();
    let worker = {
        let state = Arc::clone(&state);
        thread::spawn(move || {
            let mut stopped = state.0.lock().unwrap();
            while !*stopped {
                stopped = state.1.wait(stopped).unwrap();
            }
        })
    };
    *state.0.lock().unwrap() = true;
    if told {
        state.1.notify_one();
    }
    worker.join().unwrap();
}
