//! Classic mistakes, each beside its correct twin.

#[macro_use]
extern crate explored_std as std;

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Barrier, Condvar, Mutex, RwLock};
use std::thread;
use std::time::Duration;

use support::{fails, passes};
use verdict::Kind;

struct Account(u32);

fn transfers(second_backwards: bool) -> impl Fn() + Send + Sync {
    move || {
        let a = Arc::new(Mutex::new(Account(10)));
        let b = Arc::new(Mutex::new(Account(10)));
        thread::scope(|s| {
            s.spawn(|| {
                let mut from = a.lock().unwrap();
                let mut to = b.lock().unwrap();
                from.0 -= 1;
                to.0 += 1;
            });
            s.spawn(|| {
                let (first, second) = if second_backwards { (&b, &a) } else { (&a, &b) };
                let mut from = first.lock().unwrap();
                let mut to = second.lock().unwrap();
                from.0 -= 2;
                to.0 += 2;
            });
        });
    }
}

#[test]
fn locks_in_opposite_orders_deadlock() {
    let message = fails(Kind::Deadlock, transfers(true));
    assert!(
        message.starts_with("thread 1 and thread 2 wait for each other: thread 1 waits for account#2"),
        "{message}"
    );
}

#[test]
fn locks_in_one_order_do_not() {
    assert!(passes(transfers(false)).coverage.complete);
}

#[test]
fn a_cycle_of_three_philosophers_is_found() {
    fails(Kind::Deadlock, || {
        let forks: Arc<Vec<Mutex<()>>> = Arc::new((0..3).map(|_| Mutex::new(())).collect());
        let diners: Vec<_> = (0..3)
            .map(|i| {
                let forks = Arc::clone(&forks);
                thread::spawn(move || {
                    let _left = forks[i].lock().unwrap();
                    let _right = forks[(i + 1) % 3].lock().unwrap();
                })
            })
            .collect();
        for diner in diners {
            diner.join().unwrap();
        }
    });
}

#[test]
fn a_lost_update_is_a_race() {
    let message = fails(Kind::Race, || {
        let count = AtomicUsize::new(0);
        thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| count.store(count.load(SeqCst) + 1, SeqCst));
            }
        });
        assert_eq!(count.load(SeqCst), 2);
    });
    assert!(message.contains("schedules fail"), "{message}");
}

#[test]
fn fetch_add_is_no_race() {
    passes(|| {
        let count = AtomicUsize::new(0);
        thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| count.fetch_add(1, SeqCst));
            }
        });
        assert_eq!(count.load(SeqCst), 2);
    });
}

#[test]
fn an_assertion_that_always_fails_is_no_race() {
    fails(Kind::Assertion, || {
        let count = Arc::new(Mutex::new(0));
        let theirs = count.clone();
        thread::spawn(move || *theirs.lock().unwrap() += 1).join().unwrap();
        assert_eq!(*count.lock().unwrap(), 2);
    });
}

#[test]
fn a_lock_that_is_dropped_at_once_protects_nothing() {
    fails(Kind::Race, || {
        let (lock, count) = (Mutex::new(()), AtomicUsize::new(0));
        thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| {
                    let _ = lock.lock().unwrap();
                    count.store(count.load(SeqCst) + 1, SeqCst);
                });
            }
        });
        assert_eq!(count.load(SeqCst), 2);
    });
}

#[test]
fn check_then_act_is_a_race() {
    fails(Kind::Race, || {
        let seats = Arc::new(Mutex::new(1_i32));
        thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| {
                    if *seats.lock().unwrap() > 0 {
                        *seats.lock().unwrap() -= 1;
                    }
                });
            }
        });
        assert!(*seats.lock().unwrap() >= 0, "sold twice");
    });
}

#[test]
fn a_torn_pair_is_a_race() {
    fails(Kind::Race, || {
        let (x, y) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|s| {
            s.spawn(|| {
                x.store(1, SeqCst);
                y.store(1, SeqCst);
            });
            let (a, b) = (x.load(SeqCst), y.load(SeqCst));
            assert_eq!(a, b, "torn");
        });
    });
}

#[test]
fn a_lock_taken_twice_waits_for_itself() {
    let message = fails(Kind::Deadlock, || {
        let lock = Mutex::new(0);
        let _first = lock.lock().unwrap();
        let _second = lock.lock().unwrap();
    });
    assert!(message.starts_with("main waits for itself: waits for mutex#1 (classics.rs:"), "{message}");
}

#[test]
fn a_guard_that_is_leaked_blocks_for_ever() {
    fails(Kind::Deadlock, || {
        let lock = Arc::new(Mutex::new(0));
        let theirs = Arc::clone(&lock);
        thread::spawn(move || std::mem::forget(theirs.lock().unwrap())).join().unwrap();
        let _mine = lock.lock().unwrap();
    });
}

fn waits_for_ready(wait: impl Fn(&Mutex<bool>, &Condvar) + Send + Sync + Copy) -> impl Fn() + Send + Sync {
    move || {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|s| {
            s.spawn(|| wait(&ready, &changed));
            *ready.lock().unwrap() = true;
            changed.notify_one();
        });
    }
}

#[test]
fn a_wait_without_a_look_first_loses_the_wakeup() {
    fails(
        Kind::LostWakeup,
        waits_for_ready(|ready, changed| {
            let guard = ready.lock().unwrap();
            drop(changed.wait(guard).unwrap());
        }),
    );
}

#[test]
fn an_if_around_a_wait_is_caught_by_a_spurious_wakeup() {
    let message = fails(
        Kind::Race,
        waits_for_ready(|ready, changed| {
            let mut guard = ready.lock().unwrap();
            if !*guard {
                guard = changed.wait(guard).unwrap();
            }
            assert!(*guard, "woken too early");
        }),
    );
    assert!(message.contains("woken too early"), "{message}");
}

#[test]
fn a_while_around_a_wait_is_right() {
    let exploration = passes(waits_for_ready(|ready, changed| {
        let mut guard = ready.lock().unwrap();
        while !*guard {
            guard = changed.wait(guard).unwrap();
        }
    }));
    assert!(exploration.coverage.complete);
    passes(waits_for_ready(|ready, changed| {
        drop(changed.wait_while(ready.lock().unwrap(), |ready| !*ready).unwrap());
    }));
}

#[test]
fn notify_before_the_change_loses_the_wakeup() {
    fails(Kind::LostWakeup, || {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|s| {
            s.spawn(|| drop(changed.wait_while(ready.lock().unwrap(), |ready| !*ready).unwrap()));
            changed.notify_one();
            *ready.lock().unwrap() = true;
        });
    });
}

#[test]
fn notify_one_for_many_leaves_some_asleep() {
    fails(Kind::LostWakeup, || {
        let (open, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| drop(changed.wait_while(open.lock().unwrap(), |open| !*open).unwrap()));
            }
            *open.lock().unwrap() = true;
            changed.notify_one();
        });
    });
}

#[test]
fn a_sender_kept_alive_keeps_the_receiver_waiting() {
    fails(Kind::Deadlock, || {
        let (sender, receiver) = channel();
        let theirs = sender.clone();
        thread::spawn(move || theirs.send(1).unwrap()).join().unwrap();
        assert_eq!(receiver.iter().sum::<i32>(), 1);
        drop(sender);
    });
}

#[test]
fn a_receiver_dropped_early_fails_the_sender_in_some_schedules() {
    let dropped = |sent: fn(bool)| {
        move || {
            let (sender, receiver) = channel();
            let worker = thread::spawn(move || drop(receiver));
            sent(sender.send(1).is_ok());
            worker.join().unwrap();
        }
    };
    fails(Kind::Race, dropped(|sent| assert!(sent, "it comes too late")));
    fails(Kind::Race, dropped(|sent| assert!(!sent, "it comes in time")));
    passes(|| {
        let (sender, receiver) = sync_channel(0);
        let worker = thread::spawn(move || drop(receiver));
        assert_eq!(sender.send(1).unwrap_err().0, 1);
        worker.join().unwrap();
    });
}

#[test]
fn a_bounded_send_to_oneself_deadlocks() {
    fails(Kind::Deadlock, || {
        let (sender, receiver) = sync_channel(1);
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        drop(receiver);
    });
}

#[test]
fn a_handshake_hands_over_from_hand_to_hand() {
    passes(|| {
        let (sender, receiver) = sync_channel(0);
        let (offered, taken) = (AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|s| {
            s.spawn(|| {
                offered.store(true, SeqCst);
                sender.send(7).unwrap();
                assert!(taken.load(SeqCst), "sent before anybody came");
            });
            taken.store(true, SeqCst);
            assert_eq!(receiver.recv(), Ok(7));
            assert!(offered.load(SeqCst));
        });
    });
}

#[test]
fn a_park_token_that_another_wait_takes_is_lost() {
    fails(Kind::LostWakeup, || {
        let main = thread::current();
        let worker = thread::spawn(move || main.unpark());
        thread::park_timeout(Duration::from_millis(1));
        thread::park();
        worker.join().unwrap();
    });
}

#[test]
fn a_barrier_meets_and_has_one_leader() {
    passes(|| {
        let barrier = Barrier::new(2);
        let leaders = AtomicUsize::new(0);
        thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| {
                    if barrier.wait().is_leader() {
                        leaders.fetch_add(1, SeqCst);
                    }
                });
            }
        });
        assert_eq!(leaders.load(SeqCst), 1);
    });
    fails(Kind::Deadlock, || {
        Barrier::new(2).wait();
    });
}

#[test]
fn a_reader_that_comes_again_may_deadlock_with_a_writer() {
    fails(Kind::Deadlock, || {
        let lock = RwLock::new(0);
        thread::scope(|s| {
            s.spawn(|| *lock.write().unwrap() += 1);
            let _first = lock.read().unwrap();
            let _second = lock.read().unwrap();
        });
    });
    passes(|| {
        let lock = RwLock::new(0);
        let _first = lock.read().unwrap();
        let _second = lock.read().unwrap();
    });
}

#[test]
fn two_readers_that_both_want_to_write_deadlock() {
    fails(Kind::Deadlock, || {
        let lock = RwLock::new(0);
        thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| {
                    let _seen = lock.read().unwrap();
                    *lock.write().unwrap() += 1;
                });
            }
        });
    });
}

#[test]
fn spinning_for_ever_is_a_livelock() {
    fails(Kind::Livelock, || {
        let stop = AtomicBool::new(false);
        while !stop.load(SeqCst) {}
    });
}

#[test]
fn spinning_until_another_thread_acts_is_none() {
    for polite in [false, true] {
        passes(move || {
            let stop = AtomicBool::new(false);
            thread::scope(|s| {
                s.spawn(|| {
                    while !stop.load(SeqCst) {
                        if polite {
                            thread::yield_now();
                        }
                    }
                });
                stop.store(true, SeqCst);
            });
        });
    }
}

#[test]
fn a_worker_that_counts_until_it_is_stopped_passes() {
    passes(|| {
        let (stop, count) = (AtomicBool::new(false), AtomicUsize::new(0));
        thread::scope(|s| {
            s.spawn(|| {
                while !stop.load(SeqCst) {
                    count.fetch_add(1, SeqCst);
                }
            });
            thread::sleep(Duration::from_millis(50));
            stop.store(true, SeqCst);
        });
    });
}
