//! The contract of the kata `rlock`, sentence by sentence. `README.md` has the same list.

#[path = "rlock/contract.rs"]
mod contract;

use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::{self, AssertUnwindSafe};
use std::thread;
use std::time::{Duration, Instant};

use kata::scenarios::every_small_program;
use kata::{
    AEONS, AGES, Check, ENDLESS, EXPLORED, Peak, a_while_passes, check, on_schedules, panic_on_purpose, start,
    until_still, when_dropped,
};
use rlock::{Guard, RLock};

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is
/// compared with. Only to read and write the value does it have to be `Copy`.
fn _signatures<T, C: Copy>(lock: &RLock<T>, copies: &Guard<'_, C>) {
    let _: fn(T) -> RLock<T> = RLock::new;
    let _: Guard<'_, T> = lock.lock();
    let _: [Option<Guard<'_, T>>; 2] = [lock.try_lock(), lock.lock_timeout(Duration::ZERO)];
    let _: fn(&RLock<T>) -> usize = RLock::depth;
    let _: C = copies.get();
    let () = copies.set(copies.get());
}

#[test]
fn the_thread_that_has_it_takes_it_again_without_waiting() {
    check(|| {
        let lock = RLock::new(0);
        assert_eq!(lock.depth(), 0, "nobody has it");
        let _first = lock.lock();
        let _second = lock.lock();
        let _third = lock.try_lock().expect("this thread has it");
        let _fourth = lock.lock_timeout(Duration::ZERO).expect("this thread has it");
        let _fifth = lock.lock_timeout(Duration::MAX).expect("this thread has it");
        assert_eq!(lock.depth(), 5);
        let _many: Vec<_> = (5..MANY).map(|_| lock.lock()).collect();
        assert_eq!(lock.depth(), MANY, "as often as one likes");
        if !EXPLORED {
            // Whoever looks for the guard that is dropped would look for long among so many.
            let _more: Vec<_> = (MANY..VERY_MANY).map(|_| ManuallyDrop::new(lock.lock())).collect();
            assert_eq!(lock.depth(), VERY_MANY, "as often as one likes");
        }
    });
}

#[test]
fn all_guards_and_all_owners_see_one_value() {
    check(|| {
        let lock = RLock::new(1);
        let outer = lock.lock();
        {
            let inner = lock.lock();
            assert_eq!(inner.get(), 1, "what it was made with");
            inner.set(2);
            assert_eq!((outer.get(), inner.get()), (2, 2), "set by the inner guard");
            outer.set(3);
            assert_eq!((outer.get(), inner.get()), (3, 3), "set by the outer guard");
        }
        assert_eq!(outer.get(), 3, "the inner guard is gone");
        drop(outer);
        thread::scope(|scope| {
            let next = start(scope, "next owner", || lock.lock().get());
            assert_eq!(next.join().unwrap(), 3);
        });
    });
}

#[test]
fn one_thread_at_a_time_has_it() {
    check(|| {
        let (lock, inside) = (RLock::new(0), Peak::new());
        let add = || {
            let value = lock.lock();
            value.set(value.get() + 1);
        };
        thread::scope(|scope| {
            for name in ["worker 1", "worker 2"] {
                start(scope, name, || {
                    let value = lock.lock();
                    let _inside = inside.enter();
                    let before = value.get();
                    add();
                    add();
                    assert_eq!(value.get(), before + 2, "what the other thread does in between");
                });
            }
        });
        assert_eq!((lock.lock().get(), inside.highest()), (4, 1), "the sum, and how many were inside at once");
    });
}

#[test]
fn it_is_free_when_the_last_guard_is_dropped_whichever_that_is() {
    check(|| {
        for oldest_first in [false, true] {
            let lock = RLock::new(0);
            let another_can_have_it =
                || thread::scope(|scope| start(scope, "other", || lock.try_lock().is_some()).join().unwrap());
            let mut guards = vec![lock.lock(), lock.lock(), lock.lock()];
            while !guards.is_empty() {
                let left = guards.len();
                assert_eq!(lock.depth(), left);
                assert!(!another_can_have_it(), "guards left: {left}, the oldest first: {oldest_first}");
                drop(guards.remove(if oldest_first { 0 } else { left - 1 }));
            }
            assert_eq!(lock.depth(), 0);
            assert!(another_can_have_it(), "no guard is left, the oldest first: {oldest_first}");
        }
    });
}

#[test]
fn whoever_waits_gets_it_when_it_is_free() {
    check(|| {
        let lock = RLock::new(0);
        // Two show all that is special about schedules.
        let waiters = if EXPLORED { 2 } else { CROWD };
        thread::scope(|scope| {
            let held = [lock.lock(), lock.lock()];
            for number in 1..=waiters {
                start(scope, &format!("waiter {number}"), || {
                    let value = lock.lock();
                    let again = lock.lock();
                    again.set(value.get() + 1);
                });
            }
            all_wait();
            drop(held);
        });
        assert_eq!(lock.lock().get(), waiters, "how many of {waiters} waiters had it");
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check rlock try_lock_says_none_while_another_thread_has_it"]
fn try_lock_says_none_while_another_thread_has_it() {
    on_schedules(|| {
        let lock = RLock::new(0);
        thread::scope(|scope| {
            let held = lock.lock();
            let waiter = start(scope, "waiter", || lock.lock_timeout(Duration::MAX).is_some());
            // Time passes when nobody can go on: the other waits now.
            a_while_passes();
            assert!(start(scope, "tries", || lock.try_lock().is_none()).join().unwrap(), "it would have to wait");
            assert!(lock.try_lock().is_some(), "its owner, although somebody waits for it");
            drop(held);
            assert!(waiter.join().unwrap());
        });
        thread::scope(|scope| {
            let looks = start(scope, "looks", || lock.depth());
            assert!(lock.try_lock().is_some(), "nobody has it: the other only looks");
            assert_eq!(looks.join().unwrap(), 0);
        });
    });
}

/// A wait with this limit, and when the lock becomes free.
struct Wait {
    limit: Duration,
    freed: Freed,
}

#[derive(Clone, Copy, PartialEq)]
enum Freed {
    Early,
    /// For a moment: the owner takes it again.
    EarlyAndTaken,
    AtTheLimit,
    Late,
}

impl Wait {
    /// When the lock becomes free. Seconds before or after the limit, and a bit.
    fn moment(&self) -> Duration {
        let bit = Duration::new(1, 1);
        match self.freed {
            Freed::Early | Freed::EarlyAndTaken => self.limit - bit,
            Freed::AtTheLimit => self.limit,
            Freed::Late => self.limit + bit,
        }
    }
}

impl Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let for_a_moment = if self.freed == Freed::EarlyAndTaken { " for a moment" } else { "" };
        write!(f, "a limit of {:?}, and a lock that is free{for_a_moment} after {:?}", self.limit, self.moment())
    }
}

/// The time is the model's: sleeping costs nothing, and limits are met to the nanosecond.
#[test]
#[ignore = "needs schedules: cargo xtask check rlock a_wait_with_a_limit_ends_with_the_lock_or_with_the_limit"]
fn a_wait_with_a_limit_ends_with_the_lock_or_with_the_limit() {
    // Seconds and a bit: a limit that is cut to whole units is another one.
    let short = [Freed::Early, Freed::Late, Freed::AtTheLimit, Freed::EarlyAndTaken]
        .map(|freed| Wait { limit: Duration::new(3, 1), freed });
    let long = [Freed::Early, Freed::EarlyAndTaken].map(|freed| Wait { limit: AGES, freed });
    Check::new().schedules_only().each(short.into_iter().chain(long), |wait| {
        let (limit, moment) = (wait.limit, wait.moment());
        let lock = RLock::new(0);
        let waits = || {
            let begin = Instant::now();
            (lock.lock_timeout(limit).is_some(), begin.elapsed())
        };
        thread::scope(|scope| {
            let held = lock.lock();
            let waiter = start(scope, "waiter", waits);
            // Who gives up, even at the moment at which the lock is free, leaves it to the other who waits.
            if matches!(wait.freed, Freed::AtTheLimit | Freed::Late) {
                start(scope, "waits without end", || drop(lock.lock()));
            }
            thread::sleep(moment);
            drop(held);
            let _taken = (wait.freed == Freed::EarlyAndTaken).then(|| {
                let again = lock.lock();
                thread::sleep(Duration::from_secs(2));
                again
            });
            let outcome = waiter.join().unwrap();
            let right: &[_] = match wait.freed {
                Freed::Early => &[(true, moment)],
                // The waiter was faster, or has to give up.
                Freed::EarlyAndTaken => &[(true, moment), (false, limit)],
                Freed::AtTheLimit | Freed::Late => &[(true, limit), (false, limit)],
            };
            assert!(right.contains(&outcome), "(got it, waited) = {outcome:?}");
        });
        assert!(lock.try_lock().is_some(), "the waiter has given it back, or has never got it");
    });
}

#[test]
fn a_limit_may_be_zero_or_have_no_end() {
    check(|| {
        for endless in [ENDLESS[0], ENDLESS[1], AEONS] {
            let lock = RLock::new(0);
            drop(lock.lock_timeout(endless).expect("it is free"));
            let held = lock.lock_timeout(Duration::ZERO).expect("it is free");
            thread::scope(|scope| {
                let at_once = start(scope, "does not wait", || lock.lock_timeout(Duration::ZERO).is_none());
                assert!(at_once.join().unwrap(), "another thread has it");
                let waiter = start(scope, "waiter", || lock.lock_timeout(endless).is_some());
                drop(held);
                assert!(waiter.join().unwrap(), "it is free again, with a limit of {endless:?}");
            });
        }
    });
}

#[test]
fn a_panic_gives_back_what_it_drops_and_no_more() {
    check(|| {
        for drops_the_first in [false, true] {
            let lock = RLock::new(1);
            let (first, second) = (lock.lock(), lock.lock());
            let (outside, inside) = if drops_the_first { (second, first) } else { (first, second) };
            let burns = || {
                let inside = inside;
                inside.set(2);
                let _innermost = lock.lock();
                panic_on_purpose("burnt")
            };
            assert!(panic::catch_unwind(AssertUnwindSafe(burns)).is_err());
            let found = (lock.depth(), outside.get());
            assert_eq!(found, (1, 2), "depth and value after a panic that drops the first guard: {drops_the_first}");
            let other = || thread::scope(|scope| start(scope, "other", || lock.try_lock().is_some()).join().unwrap());
            assert!(!other(), "a guard is left, and the panic has dropped the first one: {drops_the_first}");
            assert!(lock.try_lock().is_some(), "its owner can still take it");
            drop(outside);
            assert!(other(), "nobody has it any more");
        }
    });
}

#[test]
fn whoever_panics_leaves_the_lock_free_and_the_value_as_it_is() {
    check(|| {
        let lock = RLock::new(1);
        thread::scope(|scope| {
            let owner = start(scope, "owner", || {
                let outer = lock.lock();
                let _inner = lock.lock();
                outer.set(2);
                panic_on_purpose("burnt")
            });
            let waiter = start(scope, "waiter", || drop(lock.lock()));
            assert!(owner.join().is_err(), "it panics");
            assert!(waiter.join().is_ok(), "it gets the lock, before or after");
        });
        assert_eq!((lock.depth(), lock.lock().get()), (0, 2));
        assert!(lock.try_lock().is_some(), "nobody has it");
        // What a panic drops may itself need the lock.
        thread::scope(|scope| {
            let held = lock.lock();
            let burns = start(scope, "burns", || {
                let _cleans_up = when_dropped(|| {
                    let outer = lock.lock_timeout(AGES);
                    let inner = lock.lock();
                    inner.set(inner.get() + lock.depth());
                    drop((outer, inner));
                });
                panic_on_purpose("burnt")
            });
            drop(held);
            assert!(burns.join().is_err(), "it panics");
        });
        assert_eq!(lock.lock().get(), 4, "a destructor in a panic had it twice");
        assert!(lock.try_lock().is_some(), "nobody has it");
    });
}

/// Asks the compiler whether a type is `Send` and `Sync`: a method of the type itself comes before one of a trait, and these are
/// there only if it is.
struct Probe<T>(PhantomData<T>);

impl<T: Send> Probe<T> {
    fn may_go_to_another_thread(&self) -> bool {
        true
    }
}

impl<T: Sync> Probe<T> {
    fn may_be_lent_to_another_thread(&self) -> bool {
        true
    }
}

trait Otherwise {
    fn may_go_to_another_thread(&self) -> bool {
        false
    }

    fn may_be_lent_to_another_thread(&self) -> bool {
        false
    }
}

impl<T> Otherwise for Probe<T> {}

#[test]
fn a_guard_stays_on_its_thread() {
    check(|| {
        let lock = RLock::new(0);
        let guard = lock.lock();
        assert_eq!(guard.get(), 0);
        let probe = Probe::<Guard<'static, i32>>(PhantomData);
        assert!(!probe.may_go_to_another_thread(), "Guard is Send: another thread could drop it");
        assert!(!probe.may_be_lent_to_another_thread(), "Guard is Sync: another thread could use it meanwhile");
        // The questions can be answered in both ways.
        let (number, pointer) = (Probe::<i32>(PhantomData), Probe::<*const i32>(PhantomData));
        assert!(number.may_go_to_another_thread() && number.may_be_lent_to_another_thread());
        assert!(!pointer.may_go_to_another_thread() && !pointer.may_be_lent_to_another_thread());
    });
}

#[test]
fn two_threads_of_one_name_are_two_threads() {
    check(|| {
        let lock = RLock::new(0);
        let _held = lock.lock();
        // Neither name nor address makes a thread: two have the same name, and one comes when another one is gone.
        thread::scope(|scope| {
            for name in ["twin", "twin", thread::current().name().unwrap_or("main")] {
                let twin = start(scope, name, || (lock.depth(), lock.try_lock().is_some()));
                assert_eq!(twin.join().unwrap(), (0, false), "depth and try_lock of a thread that has nothing");
            }
            let nameless = scope.spawn(|| (lock.depth(), lock.try_lock().is_some()));
            assert_eq!(nameless.join().unwrap(), (0, false), "depth and try_lock of a thread that has nothing");
            // One after another, so schedules would show nothing more.
            for number in 0..if EXPLORED { 0 } else { MANY } {
                let late = scope.spawn(|| (lock.depth(), lock.try_lock().is_some()));
                assert_eq!(late.join().unwrap(), (0, false), "depth and try_lock, after {number} other threads");
            }
        });
    });
}

#[test]
fn each_lock_has_an_owner_and_a_depth_of_its_own() {
    check(|| {
        let (mine, yours) = (RLock::new('m'), RLock::new('y'));
        let first = mine.lock();
        assert_eq!((mine.depth(), yours.depth()), (1, 0));
        // Hand over hand: the first one goes before the second one does, and then this thread has neither.
        drop((first, yours.lock()));
        thread::scope(|scope| {
            let _mine = [mine.lock(), mine.lock()];
            assert_eq!((mine.depth(), yours.depth()), (2, 0));
            let _yours = yours.lock();
            assert_eq!((mine.depth(), yours.depth()), (2, 1));
            let other = start(scope, "other", || (mine.try_lock().is_some(), yours.try_lock().is_some()));
            assert_eq!(other.join().unwrap(), (false, false), "this thread has both");
            drop(_yours);
            let other = start(scope, "other", || {
                let held = yours.lock();
                (mine.try_lock().is_some(), mine.depth(), yours.depth(), held.get())
            });
            assert_eq!(other.join().unwrap(), (false, 0, 1, 'y'), "who has one lock does not have the other");
        });
        thread::scope(|scope| {
            let held = (mine.lock(), yours.lock());
            start(scope, "waits for mine", || drop(mine.lock()));
            let waiter = start(scope, "waits for yours", || drop(yours.lock()));
            drop(held.1);
            assert!(waiter.join().is_ok(), "it gets the lock that it waits for, although somebody waits for another");
        });
        // Nobody has a new one, wherever it stands: here, in the place of another one that was never given back.
        let mut lock = RLock::new('m');
        let _ = ManuallyDrop::new(lock.lock());
        lock = RLock::new('y');
        assert_eq!(lock.depth(), 0, "nobody has taken it yet");
        assert_eq!(lock.lock().get(), 'y');
        let is_free = thread::scope(|scope| start(scope, "other", || lock.try_lock().is_some()).join().unwrap());
        assert!(is_free, "it was given back");
        // One thread alone, so schedules would show nothing more.
        let locks: Vec<_> = (0..if EXPLORED { 0 } else { MANY }).map(RLock::new).collect();
        let taken = |lock| {
            assert_eq!(RLock::depth(lock), 0, "who has some locks does not have the next one");
            lock.lock()
        };
        let guards: Vec<_> = locks.iter().map(taken).collect();
        assert!(locks.iter().all(|lock| lock.depth() == 1), "this thread has {MANY} locks, each of them once");
        assert!(guards.iter().map(Guard::get).eq(0..locks.len()), "each has a value of its own");
        thread::scope(|scope| {
            let waits = |(held, lock)| (held, start(scope, "waiter", move || drop(RLock::lock(lock))));
            let waiters: Vec<_> = guards.into_iter().zip(&locks).take(CROWD).map(waits).collect();
            all_wait();
            // The last one first: if some wait in one place, others have come there before it.
            for (held, waiter) in waiters.into_iter().rev() {
                drop(held);
                assert!(waiter.join().is_ok(), "it gets the lock that it waits for, although {CROWD} wait for others");
            }
        });
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check rlock every_small_program_of_calls_keeps_the_contract"]
fn every_small_program_of_calls_keeps_the_contract() {
    every_small_program(contract::RLockContract);
}

/// Whoever has to wait does so now. On schedules that is one of them anyway.
fn all_wait() {
    if !EXPLORED {
        until_still();
    }
}

/// More guards, threads or locks than a byte counts, or a list of fixed length holds.
const MANY: usize = 300;
/// More than anybody would have places to wait in.
const CROWD: usize = 70;
/// One more than two bytes count.
const VERY_MANY: usize = 65_537;
