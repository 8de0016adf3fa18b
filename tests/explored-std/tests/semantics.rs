//! What the model promises: virtual time, daemons, panics, statics, thread-locals, wakers, and what it says of each.

#[macro_use]
extern crate explored_std as std;

mod support;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::explored::{self, Config, Timeouts, explore};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use support::{config, fails, fails_with, failure, passes, passes_with, results, run};
use verdict::{Did, Kind, Outcome};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn timeouts_fire_in_virtual_time_and_the_clock_agrees() {
    let begun = std::real::time::Instant::now();
    passes(|| {
        let start = Instant::now();
        thread::sleep(HOUR);
        assert_eq!(start.elapsed(), HOUR);
        thread::park_timeout(HOUR);
        let (sender, receiver) = channel::<u8>();
        assert_eq!(receiver.recv_timeout(HOUR), Err(RecvTimeoutError::Timeout));
        drop(sender);
    });
    assert!(begun.elapsed() < Duration::from_secs(60), "it took real time");
}

#[test]
fn what_was_done_before_makes_nobody_impatient() {
    // Time moves on although somebody still runs, where somebody waits for it very long. What was done before anybody waited is no part
    // of that.
    passes_with(&Config { schedules: 10, ..config() }, || {
        let (lock, changed) = (Mutex::new(0), Condvar::new());
        for _ in 0..500 {
            *lock.lock().unwrap() += 1;
            changed.notify_all();
        }
        let goes_on = AtomicBool::new(true);
        thread::scope(|scope| {
            scope.spawn(|| {
                (0..20).for_each(|_| *lock.lock().unwrap() += 1);
                goes_on.store(false, SeqCst);
            });
            thread::sleep(HOUR);
            assert!(!goes_on.load(SeqCst), "time went by while a thread could go on");
        });
    });
}

#[test]
fn a_limit_may_be_kept_by_the_clock_on_the_wall() {
    let first_begin = std::real::sync::OnceLock::new();
    passes(move || {
        let begin = SystemTime::now();
        let since_epoch = begin.duration_since(UNIX_EPOCH).unwrap();
        assert_eq!(*first_begin.get_or_init(|| since_epoch), since_epoch, "all schedules begin at the same moment");
        let (lock, changed) = (Mutex::new(()), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_secs(3));
                changed.notify_all();
            });
            let deadline = begin + HOUR;
            let mut held = lock.lock().unwrap();
            while SystemTime::now() < deadline {
                let left = deadline.duration_since(SystemTime::now()).unwrap();
                held = changed.wait_timeout(held, left).unwrap().0;
            }
            assert_eq!(begin.elapsed().unwrap(), HOUR);
        });
        while begin.elapsed().unwrap() < 2 * HOUR {}
        assert!((begin + 3 * HOUR).elapsed().is_err(), "that is still to come");
    });
}

#[test]
fn a_timeout_fires_only_when_nobody_else_can_go_on() {
    let body = || {
        let (sender, receiver) = channel();
        let worker = thread::spawn(move || sender.send(1).unwrap());
        assert_eq!(receiver.recv_timeout(Duration::from_nanos(1)), Ok(1), "too early");
        worker.join().unwrap();
    };
    passes(body);
    // Unless the test asks for the worst.
    fails_with(&Config { timeouts: Timeouts::Hostile, ..config() }, Kind::Race, body);
}

#[test]
fn who_does_not_wait_sees_that_a_channel_is_still_open() {
    let look = |limit| {
        move || {
            let (sender, receiver) = channel::<()>();
            let has_gone = Arc::new(AtomicBool::new(false));
            let theirs = Arc::clone(&has_gone);
            let worker = thread::spawn(move || {
                theirs.store(true, SeqCst);
                drop(sender);
            });
            if has_gone.load(SeqCst) {
                assert_eq!(receiver.recv_timeout(limit), Err(RecvTimeoutError::Disconnected), "it is not closed yet");
            }
            worker.join().unwrap();
        }
    };
    fails(Kind::Race, look(Duration::ZERO));
    passes(look(HOUR));
    fails_with(&Config { timeouts: Timeouts::Hostile, ..config() }, Kind::Race, look(HOUR));
}

#[test]
fn sleepers_wake_in_the_order_of_their_deadlines() {
    passes(|| {
        let order = Mutex::new(Vec::new());
        thread::scope(|s| {
            for hours in [3, 1, 2] {
                let order = &order;
                s.spawn(move || {
                    thread::sleep(HOUR * hours);
                    order.lock().unwrap().push(hours);
                });
            }
        });
        assert_eq!(*order.lock().unwrap(), [1, 2, 3]);
    });
}

#[test]
fn what_comes_before_settle_is_done_in_one_order() {
    let body = |settles: bool| {
        move || {
            let order = Arc::new(Mutex::new(Vec::new()));
            for name in ["a", "b", "c"] {
                let order = Arc::clone(&order);
                thread::spawn(move || order.lock().unwrap().push(name));
            }
            // Who waits for ever could also have been the other one.
            let stuck: &'static Mutex<()> = Box::leak(Box::default());
            for _ in 0..2 {
                thread::spawn(|| std::mem::forget(stuck.lock()));
            }
            if settles {
                explored::settle();
                assert_eq!(*order.lock().unwrap(), ["a", "b", "c"]);
            }
            let added = ["d", "e"].map(|name| {
                let order = Arc::clone(&order);
                thread::spawn(move || order.lock().unwrap().push(name))
            });
            let _ = added.map(|thread| thread.join().unwrap());
        }
    };
    let config = Config { daemons: true, ..config() };
    let settled = explore(&config, body(true));
    assert_eq!((settled.outcome, settled.coverage.schedules), (Outcome::Passed, 2), "d and e in both orders");
    assert!(explore(&config, body(false)).coverage.schedules > 100);
    let hostile = Config { timeouts: Timeouts::Hostile, ..config };
    assert_eq!(explore(&hostile, body(true)).coverage.schedules, 2);
}

#[test]
fn polling_the_clock_comes_to_an_end() {
    passes(|| {
        let start = Instant::now();
        while start.elapsed() < HOUR {
            thread::yield_now();
        }
    });
}

#[test]
fn a_loop_around_the_clock_alone_comes_to_an_end() {
    passes(|| {
        let (ready, theirs) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (seen, is_there) = (Arc::clone(&ready), Arc::clone(&theirs));
        let worker = thread::spawn(move || {
            let (start, limit) = (Instant::now(), Duration::from_secs(1));
            while start.elapsed() < limit {}
            assert!(start.elapsed() <= limit + limit / 8, "{:?}", start.elapsed());
            is_there.store(true, SeqCst);
            let start = SystemTime::now();
            while start.elapsed().unwrap() < limit {}
            seen.load(SeqCst)
        });
        while !theirs.load(SeqCst) {
            thread::sleep(Duration::from_millis(300));
        }
        ready.store(true, SeqCst);
        assert!(worker.join().unwrap(), "others go on in the meantime");
    });
}

#[test]
fn polling_the_clock_is_late_by_an_eighth_at_most() {
    passes(|| {
        let sleeper = thread::spawn(|| thread::sleep(HOUR));
        let (start, limit) = (Instant::now(), Duration::from_millis(40));
        while start.elapsed() < limit {
            thread::yield_now();
        }
        assert!(start.elapsed() <= limit + limit / 8, "{:?}", start.elapsed());
        sleeper.join().unwrap();
    });
}

#[test]
fn a_loop_that_yields_goes_round_before_time_moves() {
    passes(|| {
        let sleeper = thread::spawn(|| thread::sleep(HOUR));
        let numbers = Arc::new([Mutex::new(0), Mutex::new(0), Mutex::new(0)]);
        let theirs = Arc::clone(&numbers);
        let counter = thread::spawn(move || theirs.iter().for_each(|number| *number.lock().unwrap() += 1));
        let sum = || numbers.iter().map(|number| *number.lock().unwrap()).sum::<i32>();
        let begin = Instant::now();
        while sum() != sum() {
            thread::yield_now();
        }
        assert_eq!(begin.elapsed(), Duration::ZERO);
        counter.join().unwrap();
        sleeper.join().unwrap();
    });
}

#[test]
fn who_yields_in_vain_counts_as_blocked() {
    passes(|| {
        let open = Arc::new(Mutex::new(false));
        let theirs = Arc::clone(&open);
        let spinner = thread::spawn(move || {
            while !*theirs.lock().unwrap() {
                thread::yield_now();
            }
        });
        explored::until_blocked(spinner.thread());
        *open.lock().unwrap() = true;
        spinner.join().unwrap();
    });
}

#[test]
fn two_that_give_way_to_each_other_take_no_time() {
    let exploration = passes(|| {
        let sleeper = thread::spawn(|| thread::sleep(HOUR));
        let locks = Arc::new([Mutex::new(0), Mutex::new(0)]);
        let begin = Instant::now();
        let both = move |locks: &[Mutex<i32>; 2], first: usize| {
            loop {
                let held = locks[first].lock().unwrap();
                if let Ok(mut other) = locks[1 - first].try_lock() {
                    *other += 1;
                    break;
                }
                drop(held);
                thread::yield_now();
            }
            assert_eq!(begin.elapsed(), Duration::ZERO);
        };
        let theirs = Arc::clone(&locks);
        let other = thread::spawn(move || both(&theirs, 1));
        both(&locks, 0);
        other.join().unwrap();
        sleeper.join().unwrap();
    });
    assert!(exploration.coverage.complete, "{:?}", exploration.coverage);
}

#[test]
fn a_loop_over_a_few_things_does_not_move_the_clock() {
    passes(|| {
        let sleeper = thread::spawn(|| thread::sleep(HOUR));
        let (begin, seven) = (Instant::now(), Mutex::new(7));
        let sum: i32 = (0..20).map(|_| *seven.lock().unwrap()).sum();
        assert_eq!((sum, begin.elapsed()), (140, Duration::ZERO));
        sleeper.join().unwrap();
    });
}

#[test]
fn polling_a_lock_without_a_yield_is_not_called_complete() {
    let spins = |polite: bool| {
        move || {
            let (stop, seen) = (Mutex::new(false), AtomicUsize::new(0));
            thread::scope(|s| {
                s.spawn(|| {
                    while !*stop.lock().unwrap() {
                        if polite {
                            std::hint::spin_loop();
                        }
                    }
                    seen.store(1, SeqCst);
                });
                *stop.lock().unwrap() = true;
            });
            assert_eq!(seen.load(SeqCst), 1);
        }
    };
    assert!(passes(spins(true)).coverage.complete);
    assert!(!passes(spins(false)).coverage.complete);
}

#[test]
fn a_panic_reaches_join_and_poisons() {
    passes(|| {
        let lock = Arc::new(Mutex::new(1));
        let theirs = Arc::clone(&lock);
        let worker = thread::spawn(move || {
            let _held = theirs.lock().unwrap();
            panic!("on purpose");
        });
        let payload = worker.join().unwrap_err();
        assert_eq!(*payload.downcast_ref::<&str>().unwrap(), "on purpose");
        assert!(lock.is_poisoned());
        assert_eq!(*lock.lock().unwrap_err().into_inner(), 1);
        lock.clear_poison();
        assert!(lock.lock().is_ok());
    });
}

#[test]
fn a_panic_that_nobody_looks_at_fails_the_test() {
    let message = fails(Kind::Panic, || {
        let worker = thread::Builder::new().name("worker".into()).spawn(|| panic!("panic: nobody sees me")).unwrap();
        while !worker.is_finished() {
            thread::yield_now();
        }
    });
    assert!(message.starts_with("worker panicked: panic: nobody sees me (semantics.rs:"), "{message}");
}

#[test]
fn a_panic_that_is_passed_on_is_told_as_what_it_was() {
    let message = fails(Kind::Assertion, || {
        let outer = thread::spawn(|| thread::spawn(|| assert_eq!(1, 2)).join().unwrap());
        outer.join().unwrap();
    });
    assert!(message.starts_with("thread 2 panicked: assertion `left == right` failed"), "{message}");
    let message = fails(Kind::Assertion, || thread::scope(|s| drop(s.spawn(|| assert_eq!(1, 3)))));
    assert!(message.starts_with("thread 1 panicked: assertion `left == right` failed"), "{message}");
}

#[test]
fn a_stub_is_unsolved_wherever_it_stands() {
    fails(Kind::Unsolved, || todo!());
    fails(Kind::Unsolved, || thread::spawn(|| todo!()).join().unwrap());
    // Whoever looks for a panic, and expects another one.
    fails(Kind::Unsolved, || assert!(std::panic::catch_unwind(|| todo!()).is_ok()));
    // Main waits for a thread that is gone: the stub is the reason.
    fails(Kind::Unsolved, || {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|s| {
            s.spawn(|| todo!());
            drop(changed.wait_while(ready.lock().unwrap(), |ready| !*ready).unwrap());
        });
    });
}

#[test]
fn each_thread_has_its_own_count_of_panics() {
    struct Waits<'a>(&'a Mutex<bool>, &'a Condvar);
    impl Drop for Waits<'_> {
        fn drop(&mut self) {
            assert!(thread::panicking());
            drop(self.1.wait_while(self.0.lock().unwrap(), |calm| !*calm).unwrap());
        }
    }
    passes(|| {
        let (calm, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|s| {
            let worker = s.spawn(|| {
                let _waits = Waits(&calm, &changed);
                panic!("it waits for another thread while it unwinds");
            });
            assert!(!thread::panicking());
            assert!(std::panic::catch_unwind(|| panic!("caught")).is_err());
            *calm.lock().unwrap() = true;
            changed.notify_all();
            assert!(worker.join().is_err());
        });
    });
}

#[test]
fn main_returning_ends_daemons_or_is_a_leak() {
    let body = || {
        let lock = Arc::new(Mutex::new(0));
        thread::spawn(move || {
            loop {
                thread::sleep(HOUR);
                *lock.lock().unwrap() += 1;
            }
        });
    };
    passes_with(&Config { daemons: true, ..config() }, body);
    let message = fails(Kind::Leak, body);
    assert!(message.starts_with("1 thread outlives the test: thread 1"), "{message}");
}

#[test]
fn what_a_daemon_has_not_done_is_lost() {
    fails_with(&Config { daemons: true, ..config() }, Kind::Race, || {
        let (sender, receiver) = channel();
        let lost = AtomicBool::new(true);
        thread::spawn(move || sender.send(1));
        if receiver.try_recv().is_ok() {
            lost.store(false, SeqCst);
        }
        assert!(!lost.load(SeqCst));
    });
}

static COUNT: AtomicUsize = AtomicUsize::new(7);
static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());
static TABLE: RwLock<(u8, bool)> = RwLock::new((1, true));
static CELL: OnceLock<String> = OnceLock::new();
static LAZY: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(|| Mutex::new(vec![1]));
static ONCE: Once = Once::new();

#[test]
fn statics_are_fresh_in_every_schedule() {
    let exploration = passes(|| {
        assert_eq!(COUNT.fetch_add(1, SeqCst), 7);
        assert!(LOG.lock().unwrap().is_empty());
        assert_eq!(*TABLE.read().unwrap(), (1, true));
        assert_eq!(CELL.get(), None);
        assert_eq!(*LAZY.lock().unwrap(), [1]);
        let called = Cell::new(false);
        ONCE.call_once(|| called.set(true));
        assert!(called.get());
        *TABLE.write().unwrap() = (2, false);
        CELL.set("set".to_string()).unwrap();
        LAZY.lock().unwrap().push(2);
        thread::scope(|s| {
            for name in ["a", "b"] {
                s.spawn(move || LOG.lock().unwrap().push(name.repeat(40)));
            }
        });
        assert_eq!(LOG.lock().unwrap().len(), 2);
    });
    assert!(exploration.coverage.schedules > 1);
}

/// What uses statics when it is dropped, and something that is none.
struct Guest(Arc<Mutex<u8>>);

impl Guest {
    fn new() -> Guest {
        let seen = Arc::new(Mutex::new(0));
        *seen.lock().unwrap() += 1;
        Guest(seen)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        GONE.fetch_add(1, SeqCst);
        *self.0.lock().unwrap() += 1;
        LOG_OF_GUESTS.lock().unwrap().push("gone");
        drop(GUESTS.lock().unwrap().as_mut().and_then(|guests| guests.remove("c")));
        assert!(FIRST_GUEST.get().is_none_or(|first| first.len() == 1));
    }
}

static GONE: AtomicUsize = AtomicUsize::new(0);
static LOG_OF_GUESTS: Mutex<Vec<&str>> = Mutex::new(Vec::new());
static GUESTS: Mutex<Option<HashMap<&str, Guest>>> = Mutex::new(None);
static FIRST_GUEST: OnceLock<Vec<Guest>> = OnceLock::new();
static LAST_GUEST: LazyLock<Vec<Guest>> = LazyLock::new(|| vec![Guest::new()]);

#[test]
fn what_is_left_in_a_static_may_use_statics_when_it_is_dropped() {
    let exploration = passes(|| {
        assert!(GUESTS.lock().unwrap().replace(HashMap::new()).is_none());
        assert!(FIRST_GUEST.set(vec![Guest::new()]).is_ok());
        assert_eq!(LAST_GUEST.len(), 1);
        thread::scope(|s| {
            for name in ["a", "b", "c"] {
                s.spawn(move || drop(GUESTS.lock().unwrap().as_mut().unwrap().insert(name, Guest::new())));
            }
        });
        assert_eq!(GUESTS.lock().unwrap().as_ref().map(HashMap::len), Some(3));
        assert_eq!(GONE.load(SeqCst), 0, "in this schedule nobody has gone");
        assert!(LOG_OF_GUESTS.lock().unwrap().is_empty());
    });
    assert!(exploration.coverage.schedules > 1);
}

#[test]
fn what_cannot_be_made_fresh_is_said() {
    let captured = Arc::new(Mutex::new(vec![1]));
    let exploration = run(move || {
        let other = Arc::clone(&captured);
        let worker = thread::spawn(move || other.lock().unwrap().push(1));
        captured.lock().unwrap().push(2);
        worker.join().unwrap();
    });
    let failure = failure(&exploration);
    assert_eq!(failure.kind, Kind::Nondeterministic);
    assert!(failure.message.contains("a Mutex outlives one schedule"), "{}", failure.message);
}

thread_local! {
    static OWN: Cell<u32> = const { Cell::new(1) };
    static LIST: RefCell<Vec<u32>> = RefCell::new(vec![1]);
}

#[test]
fn thread_locals_are_each_threads_own() {
    passes(|| {
        OWN.set(5);
        LIST.with_borrow_mut(|list| list.push(2));
        thread::spawn(|| {
            assert_eq!(OWN.replace(9), 1);
            assert_eq!(LIST.take(), [1]);
        })
        .join()
        .unwrap();
        assert_eq!(OWN.get(), 5);
        assert_eq!(LIST.with_borrow(Vec::len), 2);
    });
}

#[test]
fn a_thread_local_is_destroyed_at_its_threads_end() {
    struct Tells(Arc<AtomicBool>);
    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.store(true, SeqCst);
        }
    }
    thread_local!(static TELLS: RefCell<Option<Tells>> = const { RefCell::new(None) });
    passes(|| {
        let told = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&told);
        thread::spawn(move || TELLS.set(Some(Tells(theirs)))).join().unwrap();
        assert!(told.load(SeqCst));
    });
}

/// Takes both locks, the one at the lower address first.
fn swap(one: &Mutex<u32>, other: &Mutex<u32>) {
    let in_order = (one as *const Mutex<u32>) < other;
    let (first, second) = if in_order { (one, other) } else { (other, one) };
    let mut first = first.lock().unwrap();
    let mut second = second.lock().unwrap();
    std::mem::swap(&mut *first, &mut *second);
}

#[test]
fn locks_may_be_taken_in_the_order_of_their_addresses() {
    // What a schedule leaves makes no difference: here a result, and a box that nobody drops.
    let results = Arc::new(std::real::sync::Mutex::new(Vec::new()));
    passes(move || {
        let locks: Vec<Box<Mutex<u32>>> = (0..4).map(|number| Box::new(Mutex::new(number))).collect();
        thread::scope(|scope| {
            for (one, other) in [(0, 1), (2, 1)] {
                let locks = &locks;
                scope.spawn(move || {
                    let own = Box::new(Mutex::new(10));
                    swap(&locks[one], &locks[other]);
                    swap(&locks[other], &own);
                });
            }
        });
        std::mem::forget(Box::new(Mutex::new(0)));
        results.lock().unwrap().push(Box::new(Mutex::new(*locks[1].lock().unwrap())));
    });
}

#[test]
fn values_lie_where_they_lay_in_the_schedule_before() {
    let seen = Arc::new(std::real::sync::Mutex::new(Vec::new()));
    let theirs = Arc::clone(&seen);
    passes(move || {
        let values = [Box::new([0_u8; 40]), Box::new([1; 40]), Box::new([2; 40])];
        let (come, locks) = (Arc::new(AtomicUsize::new(0)), Arc::new([Mutex::new(()), Mutex::new(())]));
        // They come in any order, all are there before one ends, and they end in this one.
        let held = locks.each_ref().map(|lock| lock.lock().unwrap());
        let workers = [0, 1].map(|number| {
            let (come, locks) = (Arc::clone(&come), Arc::clone(&locks));
            thread::spawn(move || {
                let on_a_stack = Cell::new(come.fetch_add(1, SeqCst) as u8);
                drop(locks[number].lock().unwrap());
                std::ptr::from_ref(&on_a_stack).addr()
            })
        });
        let mut held = held.into_iter();
        let on_stacks = workers.map(|worker| {
            drop(held.next());
            worker.join().unwrap()
        });
        let in_boxes = values.each_ref().map(|value| std::ptr::from_ref::<[u8; 40]>(value).addr());
        theirs.lock().unwrap().push((in_boxes, on_stacks));
    });
    let seen = seen.lock().unwrap();
    assert!(seen.len() > 1);
    assert!(seen.iter().all(|addresses| *addresses == seen[0]), "{seen:?}");
}

#[test]
fn a_value_of_any_size_and_alignment_has_its_place() {
    #[repr(align(256))]
    struct Apart(u8);
    #[repr(align(8192))]
    struct Far(u8);
    let kept = Arc::new(std::real::sync::Mutex::new(Vec::new()));
    let theirs = Arc::clone(&kept);
    passes(move || {
        let apart: Vec<Box<Apart>> = (0..3).map(|number| Box::new(Apart(number))).collect();
        assert!(apart.iter().zip(0..).all(|(value, number)| {
            value.0 == number && std::ptr::from_ref::<Apart>(value).addr().is_multiple_of(256)
        }));
        let far = Box::new(Far(7));
        assert!(far.0 == 7 && std::ptr::from_ref::<Far>(&far).addr().is_multiple_of(8192));
        // More of one size than there is room for, and one that grows through all sizes.
        let many: Vec<Box<[u8]>> = (0..3_000).map(|number| vec![number as u8; 3_000].into_boxed_slice()).collect();
        assert!(many.iter().zip(0..).all(|(value, number)| value.iter().all(|byte| *byte == number as u8)));
        let mut grown = Vec::new();
        (0..20_000_u32).for_each(|number| grown.push(number));
        assert!(grown.iter().copied().eq(0..20_000));
        grown.shrink_to(10);
        assert!(vec![0_u8; 400].iter().all(|byte| *byte == 0), "a place that was used before");
        theirs.lock().unwrap().extend(many.into_iter().step_by(100));
    });
    // Another OS thread drops them.
    assert!(kept.lock().unwrap().drain(..).zip(0..).all(|(value, number)| value[0] == (number % 30 * 100) as u8));
}

#[test]
fn code_that_is_not_deterministic_is_told_so() {
    let exploration = run(|| {
        let (a, b) = (Mutex::new(0), Mutex::new(0));
        let order: std::real::collections::HashMap<u32, &Mutex<u32>> =
            (0..8).map(|i| (i, if i % 2 == 0 { &a } else { &b })).collect();
        thread::scope(|s| {
            s.spawn(|| {
                for lock in order.values() {
                    *lock.lock().unwrap() += 1;
                }
            });
            *a.lock().unwrap() += 1;
            *b.lock().unwrap() += 1;
        });
    });
    assert_eq!(failure(&exploration).kind, Kind::Nondeterministic);
    assert!(failure(&exploration).message.contains("random number"));
}

/// Wakes the thread that polls.
struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// A value that another thread delivers. `looks_again`: whether it looks for the value after it has left its waker.
struct Delivery {
    value: Arc<AtomicUsize>,
    waker: Arc<Mutex<Option<Waker>>>,
    looks_again: bool,
}

impl Future for Delivery {
    type Output = usize;

    fn poll(self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        let value = self.value.load(SeqCst);
        if value != 0 {
            return Poll::Ready(value);
        }
        *self.waker.lock().unwrap() = Some(cx.waker().clone());
        match self.value.load(SeqCst) {
            value if value != 0 && self.looks_again => Poll::Ready(value),
            _ => Poll::Pending,
        }
    }
}

fn delivers(looks_again: bool) -> impl Fn() + Send + Sync {
    move || {
        let (value, waker) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(None::<Waker>)));
        let delivery = Delivery { value: Arc::clone(&value), waker: Arc::clone(&waker), looks_again };
        let sender = thread::spawn(move || {
            value.store(42, SeqCst);
            if let Some(waker) = waker.lock().unwrap().take() {
                waker.wake();
            }
        });
        assert_eq!(block_on(delivery), 42);
        sender.join().unwrap();
    }
}

#[test]
fn a_hand_written_future_works_and_a_lost_waker_is_a_lost_wakeup() {
    assert!(passes(delivers(true)).coverage.complete);
    fails(Kind::LostWakeup, delivers(false));
}

#[test]
fn a_test_tool_names_the_kind_of_a_schedule_that_stops_inside_it() {
    let config = Config { spurious: 0, ..config() };
    let message = fails_with(&config, Kind::Serialised, || {
        let (lock, inside) = (Mutex::new(()), Mutex::new(0));
        let changed = Condvar::new();
        thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| {
                    let _one_at_a_time = lock.lock().unwrap();
                    let mut here = inside.lock().unwrap();
                    *here += 1;
                    changed.notify_all();
                    let note = || "the rendezvous".to_string();
                    explored::waiting_at(Some(Kind::Serialised), note, || {
                        drop(changed.wait_while(here, |here| *here < 2).unwrap());
                    });
                });
            }
        });
    });
    assert!(message.contains("waits at the rendezvous"), "{message}");
}

#[test]
fn that_a_thread_is_blocked_is_a_fact() {
    let exploration = passes(|| {
        let lock = Arc::new(Mutex::new(0));
        let theirs = Arc::clone(&lock);
        let held = lock.lock().unwrap();
        let worker = thread::spawn(move || *theirs.lock().unwrap() += 1);
        explored::until_blocked(worker.thread());
        assert!(explored::is_blocked(worker.thread()));
        drop(held);
        worker.join().unwrap();
    });
    assert!(exploration.coverage.complete);
    assert!(!explored::exploring());
}

#[test]
fn a_test_tool_can_end_the_test() {
    let message = fails(Kind::Serialised, || {
        assert!(explored::exploring());
        explored::fail(Kind::Serialised, "never more than one at a time".to_string());
    });
    assert!(message.starts_with("never more than one at a time\n"), "{message}");
}

#[test]
fn no_destructor_of_a_daemon_runs_when_main_has_returned() {
    struct Fussy(Arc<AtomicUsize>);
    impl Drop for Fussy {
        fn drop(&mut self) {
            assert_eq!(self.0.load(SeqCst), 1, "dropped too early");
        }
    }
    passes_with(&Config { daemons: true, spurious: 0, ..config() }, || {
        let done = Arc::new(AtomicUsize::new(0));
        thread::spawn(move || {
            let _fussy = Fussy(Arc::clone(&done));
            thread::park();
            done.store(1, SeqCst);
        });
        thread::yield_now();
    });
}

#[test]
fn an_assertion_in_a_scope_is_told_although_its_threads_wait_for_ever() {
    let message = fails(Kind::Assertion, || {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|s| {
            s.spawn(|| drop(changed.wait_while(ready.lock().unwrap(), |ready| !*ready).unwrap()));
            assert_eq!(1, 2, "own words");
        });
    });
    assert!(message.starts_with("assertion `left == right` failed: own words"), "{message}");
}

#[test]
fn a_panic_keeps_its_place_when_it_is_resumed() {
    let message = fails(Kind::Assertion, || {
        let payload = std::panic::catch_unwind(|| assert_eq!(1, 2, "first")).unwrap_err();
        std::panic::resume_unwind(payload);
    });
    assert!(message.contains("(semantics.rs:"), "{message}");
    let message = fails(Kind::Assertion, || {
        std::panic::resume_unwind(thread::spawn(|| assert_eq!(1, 2, "theirs")).join().unwrap_err());
    });
    assert!(message.starts_with("thread 1 panicked") && message.contains("theirs"), "{message}");
}

#[test]
fn a_gate_that_nobody_is_left_to_open_is_a_deadlock() {
    fails_with(&Config { spurious: 0, ..config() }, Kind::Deadlock, || {
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let theirs = Arc::clone(&gate);
        let worker = thread::spawn(move || {
            explored::waiting_at(
                None,
                || "the gate".to_string(),
                || {
                    drop(theirs.1.wait_while(theirs.0.lock().unwrap(), |open| !*open).unwrap());
                },
            );
        });
        worker.join().unwrap();
        *gate.0.lock().unwrap() = true;
        gate.1.notify_all();
    });
}

#[test]
fn a_schedule_without_an_end_is_told_in_little_memory() {
    let exploration = run(|| {
        let turns = Mutex::new(0_u64);
        thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| {
                    loop {
                        *turns.lock().unwrap() += 1;
                        thread::yield_now();
                    }
                });
            }
        });
    });
    // Something changes all the time, so it is no livelock.
    assert_eq!(failure(&exploration).kind, Kind::Timeout);
    assert!(failure(&exploration).message.starts_with("too long"), "{}", failure(&exploration).message);
    assert_eq!(exploration.trace.expect("it fails").steps.len(), 2_000);
}

#[test]
fn a_step_says_which_locks_its_thread_holds() {
    let exploration = run(|| {
        let (a, b) = (Mutex::new(1), Mutex::new(2));
        thread::scope(|s| {
            s.spawn(|| *a.lock().unwrap() += *b.lock().unwrap());
            s.spawn(|| *b.lock().unwrap() += *a.lock().unwrap());
        });
    });
    let trace = exploration.trace.as_ref().expect("it fails");
    for waiting in &trace.waiting {
        let last = trace.steps.iter().rev().find(|step| step.thread == waiting.thread).expect("it has done something");
        assert_eq!(last.effect, verdict::Effect::Blocks);
        assert_eq!(last.holds, waiting.holds.iter().map(|held| held.object).collect::<Vec<_>>());
    }
    assert!(trace.steps.iter().any(|step| step.operation == Did::Lock && step.holds.len() == 1));
}

/// A counter whose methods take the lock by a helper.
#[derive(Default)]
struct Helped {
    count: Arc<Mutex<u32>>,
}

impl Helped {
    fn lock(&self) -> std::sync::MutexGuard<'_, u32> {
        self.count.lock().unwrap()
    }

    fn add(&self) {
        *self.lock() += 1;
    }

    fn fail(&self) {
        let count = self.lock();
        assert_eq!(*count, 1);
    }
}

fn uses_a_helper() {
    let helped = Helped::default();
    helped.add();
    helped.add();
    helped.fail();
}

#[test]
fn a_trace_names_the_lines_that_tell_most() {
    let source: Vec<&str> = include_str!("semantics.rs").lines().collect();
    let line = |at: &verdict::Location| source[at.line as usize - 1].trim();
    let without = explore(&Config { callers: false, ..config() }, uses_a_helper).trace.expect("it fails");
    assert_eq!(line(&without.steps[0].at), "self.count.lock().unwrap()", "nobody looked for the caller");
    if !std::real::backtrace::Backtrace::force_capture().to_string().contains("semantics.rs:") {
        eprintln!("skipped: this build has no line numbers");
        return;
    }
    let trace = run(uses_a_helper).trace.expect("it fails");
    // Where a lock is given back may be a call that the optimiser has left out of the stack.
    let told: Vec<&str> =
        trace.steps.iter().filter(|step| step.operation != Did::Unlock).map(|step| line(&step.at)).collect();
    let callers = ["*self.lock() += 1;", "*self.lock() += 1;", "let count = self.lock();", "assert_eq!(*count, 1);"];
    assert_eq!(told[..4], callers, "the helper's caller tells more than the helper");
    assert_eq!(trace.panicked, Some(5));
    // std made it, so it is known by where it was used.
    let object = &trace.objects[0];
    assert_eq!((line(&object.made_at), object.only_used), ("self.count.lock().unwrap()", true));
    assert!(object.made_at.file.ends_with("tests/semantics.rs"), "{}", object.made_at);
}

#[test]
fn threads_of_one_name_are_told_apart_and_time_is_noted() {
    let exploration = run(|| {
        let start = |time| thread::Builder::new().name("twin".to_string()).spawn(move || thread::sleep(time)).unwrap();
        let twins = [start(HOUR), start(2 * HOUR)];
        twins.into_iter().for_each(|twin| twin.join().unwrap());
        panic!("to be told");
    });
    let trace = exploration.trace.expect("it fails");
    let names: Vec<&str> = trace.threads.iter().map(|thread| &thread.name[..]).collect();
    assert_eq!(names, ["main", "twin#1", "twin#2"]);
    let woke = |thread| {
        let slept = trace.steps.iter().filter(|step| step.thread == thread && step.effect == verdict::Effect::Done);
        slept.map(|step| Duration::from_nanos(step.now)).next_back()
    };
    assert_eq!((woke(1), woke(2)), (Some(HOUR), Some(2 * HOUR)));
}

#[test]
fn whoever_was_stopped_for_another_thread_is_named() {
    let exploration = run(|| {
        let (a, b) = (Mutex::new(1), Mutex::new(2));
        thread::scope(|s| {
            s.spawn(|| *a.lock().unwrap() += *b.lock().unwrap());
            s.spawn(|| *b.lock().unwrap() += *a.lock().unwrap());
        });
    });
    let trace = exploration.trace.expect("it fails");
    let stopped: Vec<_> =
        trace.steps.iter().filter(|step| step.preemption).map(|step| (step.thread, step.stopped)).collect();
    assert_eq!(stopped.len() as u32, trace.preemptions);
    assert!(
        stopped.iter().all(|(thread, stopped)| matches!((thread, stopped), (1, Some(2)) | (2, Some(1)))),
        "{stopped:?}"
    );
}

#[test]
fn a_schedule_that_does_not_fit_is_told_so() {
    for (schedule, says) in [("5x3", "does not fit"), ("0.x", "a part that is none"), ("0x500", "does not fit")] {
        let config = Config { replay: Some(schedule.to_string()), ..config() };
        let exploration = explore(&config, || {
            thread::spawn(|| ()).join().unwrap();
        });
        let verdict::Outcome::Misfit(why) = &exploration.outcome else { panic!("{:?}", exploration.outcome) };
        assert!(why.contains(says), "{schedule}: {why}");
    }
}

#[test]
fn what_is_used_outside_says_so() {
    let panic = std::panic::catch_unwind(|| drop(Mutex::new(0).lock())).unwrap_err();
    assert!(panic.downcast_ref::<String>().is_none_or(|text| text.contains("outside an explored test")));
    assert!(Instant::now().elapsed() < HOUR);
    thread::yield_now();
    assert_eq!(Mutex::new(3).into_inner().unwrap(), 3);
}

#[test]
fn a_once_lock_that_initialises_itself_deadlocks() {
    fails(Kind::Deadlock, || {
        let cell: Arc<OnceLock<u8>> = Arc::default();
        let inner = Arc::clone(&cell);
        cell.get_or_init(|| *inner.get_or_init(|| 1));
    });
}

#[test]
fn a_once_lock_is_made_once() {
    passes(|| {
        let (cell, made) = (OnceLock::new(), AtomicUsize::new(0));
        thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| {
                    assert_eq!(*cell.get_or_init(|| 10 + made.fetch_add(1, SeqCst)), 10);
                });
            }
            assert_eq!(*cell.wait(), 10);
        });
    });
}

static POISONED: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static LAZILY: LazyLock<Vec<u8>> = LazyLock::new(|| vec![1]);

#[test]
fn a_static_is_fresh_in_every_schedule_though_its_first_use_is_a_look() {
    passes(|| {
        POISONED.clear_poison();
        assert!(!POISONED.is_poisoned() && format!("{LAZILY:?}").contains("uninit"));
        POISONED.lock().unwrap().push(1);
        let other = thread::spawn(|| (POISONED.lock().unwrap().len(), LAZILY.len()));
        assert_eq!((POISONED.lock().unwrap().len(), LAZILY.len()), (1, 1));
        assert_eq!(other.join().unwrap(), (1, 1));
    });
}

#[test]
fn a_scope_is_silent_about_a_panic_that_one_of_its_threads_has_seen() {
    passes(|| {
        thread::scope(|s| {
            let panics = s.spawn(|| {
                explored::panics_on_purpose();
                panic!("on purpose");
            });
            s.spawn(move || assert!(panics.join().is_err()));
        });
    });
}

#[test]
fn a_thread_has_finished_before_its_thread_locals_are_destroyed() {
    struct Tells(Arc<AtomicBool>);
    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.store(true, SeqCst);
        }
    }
    thread_local!(static TELLS: RefCell<Option<Tells>> = const { RefCell::new(None) });
    let (seen, _) = results(|| {
        let told = Arc::new(AtomicBool::new(false));
        let tells = Tells(Arc::clone(&told));
        let thread = thread::spawn(move || TELLS.set(Some(tells)));
        let finished = thread.is_finished();
        let told_then = told.load(SeqCst);
        thread.join().unwrap();
        assert!(told.load(SeqCst), "a join waits for them");
        format!("{finished} {told_then}")
    });
    assert_eq!(seen, ["false false", "false true", "true false", "true true"]);
}
