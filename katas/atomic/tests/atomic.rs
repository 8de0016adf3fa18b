//! The contract of the kata `atomic`, sentence by sentence. `README.md` has the same list.

#[path = "atomic/contract.rs"]
mod contract;

use std::iter;
use std::ops::Deref;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use atomic::{Bridge, Counter, SetOnce, Side, SpinGuard, SpinLock, Statistics};
use kata::scenarios::every_small_program;
use kata::{Check, EXPLORED, check, panic_on_purpose, start};

/// How often a call is made again that must give the same answer each time: more often than fits into a byte; on threads, where it
/// costs next to nothing, more often than fits into 16 bits.
const MANY: usize = if EXPLORED { 300 } else { 70_000 };

/// Small and large numbers, at the borders of types.
const NUMBERS: [u64; 6] = [0, 1, u32::MAX as u64, 1 << 32, u64::MAX - 1, u64::MAX];

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is
/// compared with.
fn _signatures() {
    type Value = AtomicU64;
    let _: fn() -> Counter = Counter::zero;
    let _: [fn(&Counter) -> u64; 2] = [Counter::next, Counter::given];
    let _: fn(&Counter, u64) -> Option<u64> = Counter::next_up_to;
    let _: fn() -> SetOnce = SetOnce::empty;
    let _: fn(&SetOnce, [u64; 2]) -> bool = SetOnce::set;
    let _: fn(&SetOnce) -> Option<[u64; 2]> = SetOnce::get;
    let _: fn(Value) -> SpinLock<Value> = SpinLock::new;
    let _: for<'a> fn(&'a SpinLock<Value>) -> SpinGuard<'a, Value> = SpinLock::lock;
    let _: for<'a> fn(&'a SpinLock<Value>) -> Option<SpinGuard<'a, Value>> = SpinLock::try_lock;
    let _: fn(&SpinGuard<'_, Value>) = |guard| {
        let _: &Value = guard.deref();
    };
    let _: fn() -> Statistics = Statistics::empty;
    let _: fn(&Statistics, u64) = Statistics::record;
    let _: fn(&Statistics) -> (u64, u64) = Statistics::snapshot;
    let _: fn() -> Bridge = Bridge::empty;
    let _: fn(&Bridge, Side) -> bool = Bridge::try_enter;
    let _: fn(&Bridge, Side) = Bridge::leave;
    let _: [Side; 2] = [Side::West, Side::East];
}

#[test]
fn every_number_is_given_once() {
    check(|| {
        let counter = Counter::zero();
        let mut numbers = thread::scope(|scope| {
            let threads = ["taker 1", "taker 2"].map(|name| start(scope, name, || [counter.next(), counter.next()]));
            threads.map(|thread| thread.join().unwrap()).concat()
        });
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3, 4], "two threads took two numbers each");
        assert_eq!(counter.given(), 4);
        let other = Counter::zero();
        assert_eq!([other.given(), other.next()], [0, 1], "this is another counter");
        assert_eq!([counter.next(), counter.given()], [5, 5], "another counter has given a number");
    });
}

#[test]
fn numbers_go_up_to_the_limit_and_none_is_left_out() {
    // How often another thread asks for a number meanwhile: it may be faster each time. At last it may take all that there are,
    // however far the limit was.
    const MOST: u64 = 300;
    Check::new().each([1, 4, MOST], |&others| {
        let (counter, wanted) = (Counter::zero(), others + 1);
        let limit = wanted.min(MOST);
        assert_eq!(counter.next_up_to(0), None);
        let mut numbers = thread::scope(|scope| {
            let take = || counter.next_up_to(limit);
            let [one, many] = [("taker 1", 1), ("taker 2", others)]
                .map(|(name, times)| start(scope, name, move || (0..times).map(|_| take()).collect::<Vec<_>>()));
            [one, many].map(|thread| thread.join().unwrap()).concat()
        });
        // The largest first, and those that were refused last.
        numbers.sort_unstable_by(|one, other| other.cmp(one));
        let right = (1..=limit).rev().map(Some).chain(iter::repeat(None));
        for (number, right) in numbers.into_iter().zip(right) {
            assert_eq!(number, right, "two threads wanted {wanted} numbers up to {limit}; the largest that is wrong");
        }
        assert_eq!([counter.next_up_to(limit), counter.next_up_to(limit + 1)], [None, Some(limit + 1)]);
        for large in NUMBERS.into_iter().filter(|number| *number > u64::from(u16::MAX)) {
            assert_eq!(Counter::zero().next_up_to(large), Some(1), "1 is no more than {large}");
        }
    });
}

#[test]
fn no_thread_sees_the_count_go_back() {
    check(|| {
        let counter = Counter::zero();
        let take = || {
            let number = counter.next();
            assert!(counter.given() >= number, "number {number} was given to this very thread");
        };
        thread::scope(|scope| {
            for name in ["taker 1", "taker 2"] {
                start(scope, name, take);
            }
            let [first, second] = [counter.given(), counter.given()];
            assert!(first <= second, "the count was {first}, then {second}");
        });
        assert_eq!(counter.given(), 2);
    });
}

#[test]
fn only_one_thread_sets_the_numbers_and_they_stay() {
    check(|| {
        let cell = SetOnce::empty();
        assert_eq!(cell.get(), None);
        let setters = [[0, 0], [u64::MAX, 8]];
        let set = &|numbers| {
            let did = cell.set(numbers);
            if did {
                assert_eq!(cell.get(), Some(numbers), "this very thread has set them");
            }
            did
        };
        let did = thread::scope(|scope| {
            let threads = [("setter 1", setters[0]), ("setter 2", setters[1])]
                .map(|(name, numbers)| start(scope, name, move || set(numbers)));
            threads.map(|thread| thread.join().unwrap())
        });
        assert!(did[0] != did[1], "one of the two sets the numbers: {did:?}");
        let numbers = setters[usize::from(did[1])];
        assert_eq!(cell.get(), Some(numbers));
        for again in [[9, 9], numbers] {
            assert!(!cell.set(again), "the numbers are set");
            assert_eq!(cell.get(), Some(numbers));
        }
        for others in NUMBERS.into_iter().flat_map(|first| NUMBERS.map(|second| [first, second])) {
            let other = SetOnce::empty();
            assert_eq!((other.get(), other.set(others)), (None, true), "these are other numbers");
            assert_eq!(other.get(), Some(others));
        }
        for _ in 0..MANY {
            assert!(!cell.set([9, 9]), "the numbers are still set");
        }
        assert_eq!(cell.get(), Some(numbers));
    });
}

#[test]
fn whoever_sees_that_numbers_are_set_sees_both() {
    // How often another thread wants to set them too, while they are not there yet.
    Check::new().each([0, MANY], |&others| {
        let cell = SetOnce::empty();
        thread::scope(|scope| {
            start(scope, "setter", || cell.set([7, 8]));
            let is_first = (0..others).any(|_| cell.set([9, 10]));
            let (set, seen) = (if is_first { [9, 10] } else { [7, 8] }, cell.get());
            assert!(seen.is_none_or(|numbers| numbers == set), "{seen:?} was never set, but {set:?}");
        });
    });
}

#[test]
fn one_thread_at_a_time_has_the_lock_and_sees_all_that_was_done_under_it() {
    check(|| {
        let lock = SpinLock::new(AtomicU64::new(0));
        thread::scope(|scope| {
            start(scope, "adder", || {
                add_one(&lock.lock());
                add_one(&lock.lock());
            });
            add_one(&lock.lock());
        });
        assert_eq!(lock.lock().load(Relaxed), 3, "1 was added three times under the lock");
    });
}

#[test]
fn whoever_has_the_lock_keeps_it_however_long_it_takes() {
    check(|| {
        let lock = SpinLock::new(AtomicU64::new(0));
        // More often than fits into a byte. On schedules, the other thread looks once each time that this one gives way.
        let times = 300;
        thread::scope(|scope| {
            start(scope, "adder", || {
                let number = lock.lock();
                for _ in 0..times {
                    let before = number.load(Relaxed);
                    thread::yield_now();
                    number.store(before + 1, Relaxed);
                }
            });
            add_one(&lock.lock());
        });
        assert_eq!(lock.lock().load(Relaxed), times + 1, "1 was added that often under the lock");
    });
}

#[test]
fn try_lock_says_whether_it_has_the_lock() {
    check(|| {
        let lock = SpinLock::new(AtomicU64::new(0));
        let guard = lock.try_lock();
        assert!(guard.is_some(), "nobody has the lock");
        assert!(lock.try_lock().is_none(), "somebody has the lock");
        assert!(lock.try_lock().is_none(), "somebody still has the lock");
        assert!(SpinLock::new(()).try_lock().is_some(), "nobody has this other lock");
        assert!((0..MANY).all(|_| lock.try_lock().is_none()), "somebody still has the lock");
        drop(guard);
        let added = thread::scope(|scope| {
            let adders = ["adder 1", "adder 2"].map(|name| {
                let add = || lock.try_lock().map(|guard| add_one(&guard));
                start(scope, name, add)
            });
            adders.map(|adder| adder.join().unwrap())
        });
        let times = added.iter().flatten().count() as u64;
        assert!(times > 0, "one of the two finds the lock free");
        assert_eq!(lock.lock().load(Relaxed), times, "1 was added {times} times under the lock");
        // Whoever has it keeps it until both have their answer.
        let (lock, both) = (SpinLock::new(()), Barrier::new(2));
        let has_it = thread::scope(|scope| {
            let tries = ["keeper 1", "keeper 2"].map(|name| {
                start(scope, name, || {
                    let guard = lock.try_lock();
                    both.wait();
                    guard.is_some()
                })
            });
            tries.map(|thread| thread.join().unwrap())
        });
        assert!(has_it[0] != has_it[1], "one of the two finds the lock free: {has_it:?}");
    });
}

#[test]
fn a_panic_gives_the_lock_back() {
    check(|| {
        let lock = SpinLock::new(AtomicU64::new(0));
        let added = thread::scope(|scope| {
            let fails = start(scope, "panics", || -> () {
                let number = lock.lock();
                add_one(&number);
                panic_on_purpose("under the lock")
            });
            // Does not wait for the end of the thread, which would show it all that was done.
            let added = lock.try_lock().map(|number| add_one(&number));
            assert!(fails.join().is_err());
            added.iter().count() as u64
        });
        let number = lock.try_lock().expect("nobody has the lock any more");
        let times = 1 + added;
        assert_eq!(number.load(Relaxed), times, "1 was added {times} times under the lock, once before a panic");
    });
}

#[test]
fn a_snapshot_is_of_one_moment() {
    check(|| {
        let statistics = Statistics::empty();
        assert_eq!(statistics.snapshot(), (0, 0));
        statistics.record(5);
        thread::scope(|scope| {
            start(scope, "recorder", || statistics.record(7));
            let snapshot = statistics.snapshot();
            assert!([(1, 5), (2, 12)].contains(&snapshot), "{snapshot:?} was never true: 5 was recorded, and then 7");
        });
    });
}

#[test]
fn a_snapshot_is_of_one_moment_however_much_is_recorded() {
    // How many values are recorded meanwhile. Enough to overtake each of a reader's tries; and so many that a version of a byte
    // starts over between its two looks, whether it counts by one or by two.
    Check::new().no_spurious_wakeups().schedules(250).each([12, 256], |&values| {
        let statistics = Statistics::empty();
        thread::scope(|scope| {
            start(scope, "recorder", || (0..values).for_each(|_| statistics.record(7)));
            for reader in ["reader 1", "reader 2"] {
                start(scope, reader, || {
                    for _ in 0..4 {
                        let snapshot = statistics.snapshot();
                        assert_eq!(snapshot.1, 7 * snapshot.0, "{snapshot:?} was never true: each value is 7");
                    }
                });
            }
        });
        assert_eq!(statistics.snapshot(), (values, 7 * values));
    });
}

#[test]
fn every_value_counts() {
    check(|| {
        let statistics = Statistics::empty();
        thread::scope(|scope| {
            start(scope, "recorder", || [0, 5].map(|value| statistics.record(value)));
            statistics.record(7);
        });
        assert_eq!(statistics.snapshot(), (3, 12), "0, 5 and 7 were recorded");
        assert_eq!(Statistics::empty().snapshot(), (0, 0), "these are other statistics");
        assert_eq!(statistics.snapshot(), (3, 12), "other statistics have begun");
    });
}

#[test]
fn a_sum_that_is_too_large_starts_over() {
    check(|| {
        let statistics = Statistics::empty();
        statistics.record(u64::MAX);
        assert_eq!(statistics.snapshot(), (1, u64::MAX));
        statistics.record(3);
        assert_eq!(statistics.snapshot(), (2, 2));
    });
}

#[test]
fn no_thread_sees_the_statistics_go_back() {
    check(|| {
        let statistics = Statistics::empty();
        statistics.record(5);
        thread::scope(|scope| {
            start(scope, "recorder", || {
                statistics.record(7);
                assert_eq!(statistics.snapshot(), (2, 12), "this very thread has recorded 7");
            });
            let [first, second] = [statistics.snapshot(), statistics.snapshot()];
            assert!(first >= (1, 5), "this very thread has recorded 5, and sees {first:?}");
            assert!(first <= second, "the statistics were {first:?}, then {second:?}");
        });
    });
}

#[test]
fn the_bridge_never_has_both_sides_on_it() {
    check(|| {
        let bridge = Bridge::empty();
        let entered = thread::scope(|scope| {
            let west = start(scope, "west", || bridge.try_enter(Side::West));
            let east = start(scope, "east", || bridge.try_enter(Side::East));
            [west, east].map(|side| side.join().unwrap())
        });
        assert_ne!(entered, [true; 2], "both are on the bridge");
        for (side, entered) in [Side::West, Side::East].into_iter().zip(entered) {
            if entered {
                bridge.leave(side);
            }
        }
        is_empty(&bridge, [Side::West, Side::East]);
    });
}

#[test]
fn whoever_enters_sees_what_was_done_on_the_bridge() {
    check(|| {
        let (bridge, done) = (Bridge::empty(), AtomicU64::new(0));
        // Once over the bridge, if it is free. Says how often.
        let cross = |side| {
            let entered = bridge.try_enter(side);
            if entered {
                add_one(&done);
                bridge.leave(side);
            }
            u64::from(entered)
        };
        let crossed = thread::scope(|scope| {
            let east = start(scope, "east", || cross(Side::East));
            cross(Side::West) + cross(Side::West) + east.join().unwrap()
        });
        assert_eq!(done.load(Relaxed), crossed, "on the bridge, 1 was added {crossed} times");
        is_empty(&bridge, [Side::East, Side::West]);
    });
}

#[test]
fn an_empty_bridge_lets_one_in() {
    check(|| {
        let bridge = Bridge::empty();
        for (one, other) in [(Side::West, Side::East), (Side::East, Side::West)] {
            assert!(bridge.try_enter(one), "the bridge is empty");
            assert!(!bridge.try_enter(other), "{one:?} is on the bridge");
            assert!(Bridge::empty().try_enter(other), "nobody is on this other bridge");
            assert!((0..MANY).all(|_| !bridge.try_enter(other)), "{one:?} is still on the bridge");
            bridge.leave(one);
            assert!(bridge.try_enter(one), "the bridge is empty, and {other:?} has given up");
            bridge.leave(one);
        }
        assert!(bridge.try_enter(Side::West), "all have left the bridge");
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check atomic every_small_program_of_calls_keeps_the_contract"]
fn every_small_program_of_calls_keeps_the_contract() {
    every_small_program(contract::AtomicContract);
}

/// Both sides may enter the bridge, one after the other. Whoever comes first here may hide that its own flag is still up.
fn is_empty(bridge: &Bridge, sides: [Side; 2]) {
    for side in sides {
        assert!(bridge.try_enter(side), "all have left the bridge or given up, and {side:?} can't enter");
        bridge.leave(side);
    }
}

/// Adds 1 in two steps: whoever comes between, or reads an old number, loses one.
fn add_one(number: &AtomicU64) {
    let before = number.load(Relaxed);
    number.store(before + 1, Relaxed);
}
