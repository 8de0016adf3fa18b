//! Where the model could be kinder, or stricter, than std is: each of these was told wrongly once.

extern crate explored_std as std;

mod support;

use std::cell::UnsafeCell;
use std::explored::{Config, explore};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::mpsc::{TrySendError, channel, sync_channel};
use std::sync::{Arc, Condvar, Mutex, RwLock, RwLockWriteGuard, TryLockError};
use std::thread;
use std::time::Duration;

use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use support::{config, fails, fails_with, failure, passes, passes_with, run};
use verdict::Kind;

/// How many schedules of the body say yes, of how many.
fn counts(body: impl Fn() -> bool + Send + Sync + 'static) -> (usize, usize) {
    use std::real::sync::atomic::AtomicUsize;
    let (yes, all) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (said, asked) = (Arc::clone(&yes), Arc::clone(&all));
    passes(move || {
        if body() {
            said.fetch_add(1, SeqCst);
        }
        asked.fetch_add(1, SeqCst);
    });
    (yes.load(SeqCst), all.load(SeqCst))
}

// Hooks.

#[test]
fn a_hook_changes_no_verdict() {
    let message = fails(Kind::Assertion, || {
        std::panic::set_hook(Box::new(|_| {}));
        assert_eq!(1 + 1, 3);
    });
    assert!(message.contains("faithful.rs"), "{message}");
    fails(Kind::Assertion, || {
        drop(std::panic::take_hook());
        let _ = thread::spawn(|| ()).join();
        assert_eq!(1 + 1, 3);
    });
    // Not those of later tests either.
    fails(Kind::Assertion, || assert_eq!(1 + 1, 3));
}

#[test]
fn a_hook_is_kept_and_given_back_in_its_own_schedule() {
    passes(|| {
        let dropped = Arc::new(());
        let held = Arc::clone(&dropped);
        std::panic::set_hook(Box::new(move |_| drop(Arc::clone(&held))));
        assert_eq!(Arc::strong_count(&dropped), 2);
        drop(std::panic::take_hook());
        assert_eq!(Arc::strong_count(&dropped), 1);
        // What is there first is no hook of an earlier schedule.
        std::panic::set_hook(std::panic::take_hook());
    });
}

// Orderings and names.

/// The message of a panic.
fn panic_of<R>(real: bool, f: impl FnOnce() -> R) -> Option<String> {
    let caught = match real {
        true => std::real::panic::catch_unwind(AssertUnwindSafe(f)),
        false => catch_unwind(AssertUnwindSafe(f)),
    };
    let payload = caught.err()?;
    let text = payload.downcast_ref::<&str>().map(|text| text.to_string());
    Some(text.or_else(|| payload.downcast_ref::<String>().cloned()).expect("a panic with a text"))
}

/// What each operation of an atomic says to each ordering.
macro_rules! answers {
    ($real:expr, $atomic:expr, $fence:path) => {{
        let mut answers = Vec::new();
        for order in [Relaxed, Acquire, Release, AcqRel, SeqCst] {
            answers.push(("load", order, panic_of($real, || $atomic.load(order))));
            answers.push(("store", order, panic_of($real, || $atomic.store(0, order))));
            answers.push(("swap", order, panic_of($real, || $atomic.swap(0, order))));
            answers.push(("fetch_add", order, panic_of($real, || $atomic.fetch_add(0, order))));
            answers.push(("failure", order, panic_of($real, || $atomic.compare_exchange(0, 0, SeqCst, order))));
            answers.push(("other", order, panic_of($real, || $atomic.compare_exchange(1, 0, SeqCst, order))));
            answers.push(("weak", order, panic_of($real, || $atomic.compare_exchange_weak(0, 0, SeqCst, order))));
            answers.push(("success", order, panic_of($real, || $atomic.compare_exchange(0, 0, order, Relaxed))));
            #[allow(deprecated)]
            answers.push(("swaps", order, panic_of($real, || $atomic.compare_and_swap(0, 0, order))));
            answers.push(("fetch", order, panic_of($real, || $atomic.fetch_update(SeqCst, order, Some))));
            answers.push(("set", order, panic_of($real, || $atomic.fetch_update(order, Relaxed, Some))));
            answers.push(("fence", order, panic_of($real, || $fence(order))));
        }
        answers
    }};
}

#[test]
fn illegal_orderings_panic_as_those_of_std() {
    let real = std::real::sync::atomic::AtomicUsize::new(0);
    let expected = answers!(true, real, std::real::sync::atomic::fence);
    assert!(expected.iter().any(|(_, _, panic)| panic.is_some()));
    passes(move || {
        let modelled = AtomicUsize::new(0);
        assert_eq!(answers!(false, modelled, fence), expected);
    });
}

#[test]
fn a_name_with_a_nul_panics_as_that_of_std() {
    let named = "a\0b".to_string();
    let real = std::real::thread::Builder::new().name(named.clone());
    let expected = panic_of(true, || real.spawn(|| ())).expect("std refuses the name");
    passes(move || {
        let modelled = thread::Builder::new().name(named.clone());
        assert_eq!(panic_of(false, || modelled.spawn(|| ())), Some(expected.clone()));
    });
}

// compare_exchange_weak.

#[test]
fn a_weak_exchange_can_fail_for_no_reason_and_a_strong_one_can_not() {
    let message = fails(Kind::Race, || {
        let atomic = AtomicUsize::new(0);
        assert_eq!(atomic.compare_exchange_weak(0, 1, SeqCst, SeqCst), Ok(0), "failed");
    });
    assert!(message.contains("failed"), "{message}");
    let strong = passes(|| {
        let atomic = AtomicUsize::new(0);
        assert_eq!(atomic.compare_exchange(0, 1, SeqCst, SeqCst), Ok(0));
    });
    assert_eq!((strong.coverage.schedules, strong.coverage.complete), (1, true));
}

#[test]
fn a_weak_exchange_fails_as_often_as_a_schedule_has_spurious_wakeups() {
    let body = |most: usize| {
        move || {
            let atomic = AtomicUsize::new(0);
            let mut failures = 0;
            while atomic.compare_exchange_weak(0, 1, SeqCst, SeqCst).is_err() {
                failures += 1;
            }
            assert!(failures <= most, "{failures} failures");
        }
    };
    let with = |spurious: u32| Config { spurious, ..config() };
    for most in 0..4_u32 {
        let all = passes_with(&with(most), body(most as usize));
        assert_eq!((all.coverage.schedules, all.coverage.complete), (u64::from(most) + 1, true));
    }
    fails_with(&with(2), Kind::Race, body(1));
}

#[test]
fn a_loop_of_weak_exchanges_ends_in_every_schedule() {
    let counted = passes(|| {
        let atomic = AtomicUsize::new(0);
        let add = || {
            let mut before = atomic.load(Relaxed);
            while let Err(now) = atomic.compare_exchange_weak(before, before + 1, SeqCst, Relaxed) {
                before = now;
            }
        };
        thread::scope(|s| {
            s.spawn(add);
            s.spawn(add);
        });
        assert_eq!(atomic.load(Relaxed), 2);
    });
    assert!(counted.coverage.complete, "{}", counted.coverage);
}

// Notifications.

/// Two wait, and a third comes while the first goes on: whoever is let go on rings once for the next. Only if the bell is heard by those
/// that came first does it reach the second.
#[test]
fn who_is_called_of_several_is_open() {
    let chain = || {
        let (round, rung) = (Mutex::new((0, 0)), Condvar::new());
        let wait = |mine: u32| {
            let mut now = round.lock().unwrap();
            now.1 += 1;
            while now.0 < mine {
                now = rung.wait(now).unwrap();
            }
            now.1 -= 1;
            if now.1 > 0 {
                rung.notify_one();
            }
        };
        let go_on = || {
            round.lock().unwrap().0 += 1;
            rung.notify_one();
        };
        // Time passes when nobody can go on.
        let pause = || thread::sleep(Duration::from_secs(1));
        thread::scope(|s| {
            let first = [1, 1].map(|round| s.spawn(move || wait(round)));
            pause();
            go_on();
            s.spawn(|| wait(2));
            pause();
            assert!(first.iter().all(|thread| thread.is_finished()), "one of the first round sleeps on");
            go_on();
        });
    };
    let in_turn = Config { spurious: 0, ..config() };
    assert!(passes_with(&in_turn, chain).coverage.complete);
    let message = fails(Kind::Race, chain);
    assert!(message.contains("sleeps on"), "{message}");
}

// Hand to hand.

#[test]
fn a_hand_to_hand_try_send_is_full_until_a_receiver_waits() {
    let (full, all) = counts(|| {
        let (sender, receiver) = sync_channel(0);
        let taker = thread::spawn(move || receiver.recv());
        // The receiver can have announced that it receives, and not wait yet.
        let sent = sender.try_send(1);
        drop(sender);
        assert_eq!(taker.join().unwrap().is_ok(), sent.is_ok());
        sent == Err(TrySendError::Full(1))
    });
    assert!(full > 0 && full < all, "full {full} of {all}");
    // Without anything that the sender meets in between, too.
    let (full, all) = counts(|| {
        let (sender, receiver) = sync_channel(0);
        let reached = Arc::new(Mutex::new(false));
        let said = Arc::clone(&reached);
        let taker = thread::spawn(move || {
            *said.lock().unwrap() = true;
            receiver.recv()
        });
        while !*reached.lock().unwrap() {
            thread::yield_now();
        }
        let sent = sender.try_send(1);
        drop(sender);
        assert_eq!(taker.join().unwrap().is_ok(), sent.is_ok());
        sent.is_err()
    });
    assert!(full > 0 && full < all, "full {full} of {all}");
}

// Readers and writers.

#[test]
fn a_waiting_writer_holds_up_every_new_reader() {
    // The first reader waits for the second, which waits for the writer, which waits for the first.
    fails(Kind::Deadlock, || {
        let lock = RwLock::new(0);
        let (sender, receiver) = channel();
        thread::scope(|s| {
            s.spawn(|| *lock.write().unwrap() = 1);
            let lock = &lock;
            s.spawn(move || sender.send(*lock.read().unwrap()));
            let reads = lock.read().unwrap();
            receiver.recv().unwrap();
            drop(reads);
        });
    });
    // So it is where the first waits in a loop.
    fails(Kind::Livelock, || {
        let lock = RwLock::new(0);
        let done = AtomicUsize::new(0);
        thread::scope(|s| {
            s.spawn(|| *lock.write().unwrap() = 1);
            s.spawn(|| {
                drop(lock.read().unwrap());
                done.store(1, SeqCst);
            });
            let reads = lock.read().unwrap();
            while done.load(SeqCst) == 0 {
                thread::yield_now();
            }
            drop(reads);
        });
    });
}

#[test]
fn a_waiting_writer_holds_up_try_read_and_not_one_that_is_still_coming() {
    let (refused, all) = counts(|| {
        let lock = RwLock::new(0);
        let reads = lock.read().unwrap();
        thread::scope(|s| {
            s.spawn(|| *lock.write().unwrap() = 1);
            let refused = lock.try_read().is_err();
            drop(reads);
            refused
        })
    });
    assert!(refused > 0 && refused < all, "refused {refused} of {all}");
}

#[test]
fn a_lock_is_held_alone_until_its_holder_lets_readers_in() {
    let (refused, all) = counts(|| {
        let (lock, begun) = (RwLock::new(0), AtomicUsize::new(0));
        thread::scope(|s| {
            s.spawn(|| {
                let held = lock.write().unwrap();
                begun.store(1, SeqCst);
                drop(RwLockWriteGuard::downgrade(held));
            });
            begun.load(SeqCst) == 1 && lock.try_read().is_err()
        })
    });
    assert!(refused > 0 && refused < all, "refused {refused} of {all}");
}

#[test]
fn poison_is_seen_from_outside_as_soon_as_it_is_there() {
    // Says what another thread sees of a holder who panics.
    fn sees(look: impl Fn(&Mutex<i32>, bool) -> bool + Send + Sync + 'static) {
        let (seen, all) = counts(move || {
            let (lock, begun) = (Mutex::new(0), AtomicUsize::new(0));
            thread::scope(|s| {
                s.spawn(|| {
                    let _ = catch_unwind(AssertUnwindSafe(|| {
                        let _held = lock.lock();
                        begun.store(1, SeqCst);
                        std::explored::panics_on_purpose();
                        panic!("on purpose");
                    }));
                });
                look(&lock, begun.load(SeqCst) == 1)
            })
        });
        assert!(seen > 0 && seen < all, "seen in {seen} of {all}");
    }
    sees(|lock, _| lock.is_poisoned());
    sees(|lock, _| lock.is_poisoned() && matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
    sees(|lock, begun| begun && !lock.is_poisoned());
    sees(|lock, _| {
        let before = lock.is_poisoned();
        lock.clear_poison();
        let after = lock.lock().is_err();
        !before && !after
    });
}

#[test]
fn readers_that_wait_for_nobody_need_no_more_schedules() {
    let readers = passes(|| {
        let lock = RwLock::new(0);
        thread::scope(|s| {
            s.spawn(|| *lock.write().unwrap() += 1);
            s.spawn(|| assert!(*lock.read().unwrap() < 2));
            assert!(*lock.read().unwrap() < 2);
        });
    });
    // The writer comes before, between or behind the readers, whose own order does not matter.
    assert_eq!((readers.coverage.schedules, readers.coverage.complete), (4, true));
}

// Many threads.

#[test]
fn two_hundred_threads_can_run_at_once() {
    let many = explore(&Config { schedules: 3, ..config() }, || {
        let lock = Mutex::new(0);
        thread::scope(|s| {
            for _ in 0..200 {
                s.spawn(|| *lock.lock().unwrap() += 1);
            }
        });
        assert_eq!(*lock.lock().unwrap(), 200);
    });
    assert_eq!(many.outcome, verdict::Outcome::Passed, "{}", many.coverage);
    // Nothing was left out where all of them are independent.
    let alone = passes(|| {
        let threads: Vec<_> = (0..200).map(|number| thread::spawn(move || drop(Mutex::new(number).lock()))).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
    assert_eq!((alone.coverage.schedules, alone.coverage.complete), (1, true));
}

// Time.

#[test]
fn a_timer_that_fires_while_others_work_leaves_the_exploration_incomplete() {
    let after = |steps: usize| {
        passes(move || {
            let sleeper = thread::spawn(|| thread::sleep(Duration::from_secs(1)));
            let work = AtomicUsize::new(0);
            for _ in 0..steps {
                work.fetch_add(1, SeqCst);
            }
            sleeper.join().unwrap();
        })
    };
    assert!(after(500).coverage.complete, "{:?}", after(500).coverage);
    assert!(!after(1_500).coverage.complete);
}

// Thread-locals.

struct PanicsAtTheEnd;

impl Drop for PanicsAtTheEnd {
    fn drop(&mut self) {
        panic!("panic at the end");
    }
}

#[test]
fn a_panic_of_a_thread_locals_destructor_fails() {
    std::thread_local!(static LAST: PanicsAtTheEnd = const { PanicsAtTheEnd });
    for in_main in [false, true] {
        let message = fails(Kind::Panic, move || {
            match in_main {
                true => LAST.with(|_| ()),
                false => drop(thread::spawn(|| LAST.with(|_| ())).join()),
            };
        });
        assert!(message.contains("thread-local") && message.contains("panic at the end"), "{message}");
    }
}

#[test]
fn a_scope_may_end_before_the_destructors_of_its_threads_locals() {
    struct Counts(Arc<AtomicUsize>);
    impl Drop for Counts {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    std::thread_local!(static LAST: std::cell::OnceCell<Counts> = const { std::cell::OnceCell::new() });
    let body = |joins: bool| {
        move || {
            let dropped = Arc::new(AtomicUsize::new(0));
            thread::scope(|s| {
                let held = Arc::clone(&dropped);
                let thread = s.spawn(move || drop(LAST.with(|last| last.set(Counts(held)))));
                if joins {
                    thread.join().unwrap();
                }
            });
            dropped.load(SeqCst) == 1
        }
    };
    let (dropped, all) = counts(body(false));
    assert!(dropped > 0 && dropped < all, "dropped {dropped} of {all}");
    // Who joins waits for them.
    let (dropped, all) = counts(body(true));
    assert_eq!(dropped, all);
}

// Data.

/// A lock of one's own, as a static.
struct OwnLock {
    taken: AtomicUsize,
    value: UnsafeCell<usize>,
}

// SAFETY: the value is only touched by who has swapped a 1 into the flag.
unsafe impl Sync for OwnLock {}

impl OwnLock {
    fn add(&self, n: usize) -> usize {
        while self.taken.swap(1, SeqCst) == 1 {
            std::hint::spin_loop();
        }
        // SAFETY: see above.
        let value = unsafe { &mut *self.value.get() };
        *value += n;
        let value = *value;
        self.taken.store(0, SeqCst);
        value
    }
}

#[test]
fn a_cell_in_a_static_is_fresh_in_every_schedule() {
    static LOCK: OwnLock = OwnLock { taken: AtomicUsize::new(0), value: UnsafeCell::new(40) };
    passes(|| {
        let other = thread::spawn(|| LOCK.add(1));
        LOCK.add(1);
        other.join().unwrap();
        assert_eq!(LOCK.add(0), 42);
    });
}

#[test]
fn a_cell_in_a_schedule_is_as_it_was_made() {
    passes(|| {
        let mut cell = UnsafeCell::new(vec![1]);
        // SAFETY: nobody else has the cell.
        unsafe { (*cell.get()).push(2) };
        cell.get_mut().push(3);
        assert_eq!(cell.into_inner(), [1, 2, 3]);
    });
}

// Kinds.

#[test]
fn a_panic_on_purpose_is_not_why_a_test_hangs() {
    let body = |on_purpose: bool| {
        move || {
            let told = Arc::new((Mutex::new(false), Condvar::new()));
            let job = thread::spawn(move || {
                if on_purpose {
                    std::explored::panics_on_purpose();
                }
                panic!("a job that ends so")
            });
            let (lock, condvar) = &*told;
            let mut done = lock.lock().unwrap();
            while !*done {
                done = condvar.wait(done).unwrap();
            }
            drop(job);
        }
    };
    let message = fails(Kind::Assertion, body(false));
    assert!(message.contains("a job that ends so") && !message.contains("notification"), "{message}");
    let message = fails(Kind::LostWakeup, body(true));
    assert!(message.contains("a notification") && message.contains("a job that ends so"), "{message}");
}

#[test]
fn nobody_has_to_look_at_a_panic_on_purpose() {
    let body = |planned: [bool; 2]| {
        move || {
            let jobs = planned.map(|planned| {
                thread::spawn(move || {
                    if planned {
                        std::explored::panics_on_purpose();
                    }
                    panic!("{}", if planned { "a job that ends so" } else { "a mistake" })
                })
            });
            while !jobs.iter().all(thread::JoinHandle::is_finished) {
                thread::yield_now();
            }
        }
    };
    passes(body([true, true]));
    for planned in [[true, false], [false, true]] {
        let message = fails(Kind::Assertion, body(planned));
        assert!(message.contains("a mistake"), "whichever comes first: {message}");
    }
    // What main passes on is main's.
    let message = fails(Kind::Assertion, || {
        let job = thread::spawn(|| -> () {
            std::explored::panics_on_purpose();
            panic!("a job that ends so")
        });
        job.join().unwrap();
    });
    assert!(message.contains("a job that ends so"), "{message}");
}

#[test]
fn idle_workers_do_not_decide_what_kind_a_hang_is() {
    let body = |idle: bool| {
        move || {
            let (sender, answers) = channel::<u32>();
            let worker = thread::spawn(move || {
                let _sender = sender;
                if idle {
                    thread::park();
                }
                // Who is parked without a token is called by nobody; who waits for a message waits for a thread.
                let (_own, none) = channel::<u32>();
                let _ = none.recv();
            });
            let _ = answers.recv();
            drop(worker);
        }
    };
    for idle in [false, true] {
        fails(Kind::Deadlock, body(idle));
    }
}

#[test]
fn whom_main_waits_for_decides_what_kind_a_hang_is() {
    fails(Kind::LostWakeup, || {
        let (sender, receiver) = channel::<u32>();
        let idle = thread::spawn(move || receiver.recv());
        let waits = thread::spawn(thread::park);
        waits.join().unwrap();
        drop((idle, sender));
    });
}

#[test]
fn who_runs_for_ever_beside_a_test_tool_is_not_the_headline() {
    let message = fails(Kind::Serialised, || {
        let meets = thread::spawn(|| {
            std::explored::waiting_at(Some(Kind::Serialised), || "the rendezvous".to_string(), thread::park)
        });
        while !meets.is_finished() {
            thread::yield_now();
        }
    });
    assert!(message.starts_with("thread 1 waits at the rendezvous"), "{message}");
}

// Words.

#[test]
fn who_waits_until_another_blocks_is_told_so() {
    let exploration = run(|| {
        let busy = thread::spawn(|| {
            let lock = Mutex::new(());
            let _held = lock.lock().unwrap();
            std::explored::until_blocked(&thread::current());
        });
        busy.join().unwrap();
    });
    let message = &failure(&exploration).message;
    assert!(message.contains("to be blocked"), "{message}");
}
