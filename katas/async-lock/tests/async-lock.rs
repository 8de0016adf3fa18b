//! The contract of the kata `async-lock`, sentence by sentence. `README.md` has the same list.

// The stub's types have nothing to drop; the learner's have.
#![allow(clippy::drop_non_drop)]

#[path = "async-lock/contract.rs"]
mod contract;
#[path = "async-lock/sequences.rs"]
mod sequences;

use std::cell::Cell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Future, Ready, pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use async_lock::{Acquire, Cache, Lock, LockGuard, Permit, Semaphore};
use kata::scenarios::every_small_program;
use kata::{Check, EXPLORED, boxed, check, panic_on_purpose};
use tokio::runtime::Builder;
use tokio::sync::{Barrier, oneshot};
use tokio::task::{JoinHandle, yield_now};

use contract::{Shared, Waiting};

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is
/// compared with.
async fn _signatures(lock: Lock<u8>, cache: Cache<u8>, fetch: Ready<Result<u8, u16>>) {
    let _: fn(usize) -> Semaphore = Semaphore::new;
    let _: fn(&Semaphore) -> usize = Semaphore::available;
    let _: fn(&Semaphore) -> Option<Permit<'_>> = Semaphore::try_acquire;
    let _: fn(&Semaphore) -> Acquire<'_> = Semaphore::acquire;
    type Polls<'s> = fn(Pin<&mut Acquire<'s>>, &mut Context<'_>) -> Poll<Permit<'s>>;
    let _: Polls<'_> = Acquire::poll;
    let _: fn(u8) -> Lock<u8> = Lock::new;
    let _: fn(&Lock<u8>) -> Option<LockGuard<'_, u8>> = Lock::try_lock;
    let mut guard: LockGuard<'_, u8> = is_sent(lock.lock()).await;
    let _: &u8 = &guard;
    let _: &mut u8 = &mut guard;
    let _: fn() -> Cache<u8> = Cache::empty;
    let _: fn(&Cache<u8>, &str) -> Option<u8> = Cache::known;
    let _: Result<u8, u16> = is_sent(cache.get("key", fetch)).await;
    fn is_sent<T: Send>(value: T) -> T {
        value
    }
    fn is_shared<T: Send + Sync>() {}
    let _ = [is_shared::<Semaphore>, is_shared::<Lock<u8>>, is_shared::<Cache<u8>>];
    let _ = (is_sent::<Acquire<'_>>, is_sent::<Permit<'_>>, is_sent::<LockGuard<'_, u8>>);
}

// --------------------------------------------------------------------------------------------------------- semaphore

#[test]
fn permits_are_taken_and_go_back_when_they_are_dropped() {
    check(|| {
        for permits in [0, 1, 2, 300, usize::MAX] {
            let semaphore = Semaphore::new(permits);
            let mut held = Vec::new();
            for taken in 0..permits.min(300) {
                assert_eq!(semaphore.available(), permits - taken, "{taken} of {permits} are taken");
                let permit = if taken == 0 { ready_now(&semaphore) } else { semaphore.try_acquire() };
                held.push(permit.expect("one is free"));
            }
            if permits <= 300 {
                assert_eq!(semaphore.available(), 0, "all {permits} are taken");
                assert!(semaphore.try_acquire().is_none(), "all {permits} are taken");
                assert!(ready_now(&semaphore).is_none(), "all {permits} are taken");
            }
            drop(held);
            assert_eq!(semaphore.available(), permits, "all have come back");
        }
    });
}

#[test]
fn a_future_does_nothing_until_it_is_polled() {
    check(|| {
        // Are the futures made while a permit is free, or while it is taken?
        for (lock, free) in [(false, true), (false, false), (true, true), (true, false)] {
            let shared = Shared::for_ever(lock, 1);
            let held = (!free).then(|| shared.try_acquire());
            let [unpolled, mut second, mut first] = [(); 3].map(|()| Waiter::new(shared.acquire()));
            assert_eq!(shared.available(), usize::from(free), "nobody was polled yet");
            let held = held.unwrap_or_else(|| shared.try_acquire());
            assert!(first.poll().is_none() && second.poll().is_none(), "it is taken");
            drop(held);
            assert!(second.poll().is_none() && first.poll().is_some(), "the first poll decides who came first");
            drop(unpolled);
            assert!(second.poll().is_some(), "it is the next");
        }
    });
}

#[test]
fn first_come_first_served_and_nobody_else_is_woken() {
    check(|| {
        let semaphore = Semaphore::new(1);
        let held = semaphore.try_acquire();
        let mut line = [(); 3].map(|()| Waiter::new(semaphore.acquire()));
        assert!(line.iter_mut().all(|future| future.poll().is_none()), "it is taken");
        let woken = |line: &[Waiter<Acquire<'_>>; 3]| line.each_ref().map(Waiter::is_woken);
        drop(held);
        assert_eq!(woken(&line), [true, false, false], "who is woken when a permit comes back");
        // It was given to the first, who has not been polled yet.
        assert_eq!(semaphore.available(), 0, "it was given to the first");
        assert!(semaphore.try_acquire().is_none(), "it was given to the first");
        assert!(ready_now(&semaphore).is_none(), "it was given to the first");
        assert!(line[1].poll().is_none(), "it was given to the first");
        drop(line[0].poll().expect("it was given a permit"));
        assert_eq!(woken(&line), [true, true, false], "who is woken when it comes back again");
        let second = line[1].poll();
        assert!(second.is_some() && line[2].poll().is_none());
        drop(second);
        assert!(line[2].poll().is_some(), "it is the next");
        long_lines_at_once();
        // One thread alone, so schedules would show nothing more.
        if !EXPLORED {
            [false, true].into_iter().for_each(a_line_that_is_never_empty);
        }
    });
}

/// Two semaphores and two locks at once, for each of which more wait than a byte counts. Every third leaves the line, and the
/// others come in their order.
fn long_lines_at_once() {
    let shared = [false, false, true, true].map(|lock| Shared::for_ever(lock, 1));
    let mut held = shared.map(Shared::try_acquire);
    let mut lines = shared.map(|shared| {
        let mut line = VecDeque::from_iter((0..300).map(|_| Waiter::new(shared.acquire())));
        assert!(line.iter_mut().all(|future| future.poll().is_none()), "it is taken");
        let mut places = 0..;
        line.retain(|_| places.next().is_none_or(|place| place % 3 != 1));
        line
    });
    while !lines[0].is_empty() {
        let mut next = lines.each_mut().map(|line| line.pop_front().expect("all are of one length"));
        for (next, held) in next.iter_mut().zip(&mut held) {
            assert!(next.poll().is_none(), "what has come back is not of this semaphore, or not of this lock");
            drop(held.take());
            assert!(next.is_woken(), "300 wait, and every third is dropped: the first of the others is the next");
        }
        held = next.map(|mut next| next.poll());
        assert!(held.iter().all(Option::is_some), "each was given what has come back");
    }
    drop(held);
    assert_eq!(shared.map(Shared::available), [1; 4], "nobody holds anything");
}

/// A semaphore or a lock for which somebody waits all the time, until more have come than two bytes count.
fn a_line_that_is_never_empty(lock: bool) {
    let shared = Shared::for_ever(lock, 1);
    let mut held = shared.try_acquire();
    let mut first = Waiter::new(shared.acquire());
    assert!(first.poll().is_none(), "it is taken");
    for number in 0..VERY_MANY {
        let mut next = Waiter::new(shared.acquire());
        assert!(next.poll().is_none() && !first.is_woken(), "it is taken, after {number} others");
        drop(held.take());
        assert!(first.is_woken(), "it is the first who waits, after {number} others");
        held = first.poll();
        assert!(held.is_some(), "it was given what has come back, after {number} others");
        first = next;
    }
}

#[test]
fn the_waker_of_the_last_poll_is_woken() {
    check(|| {
        let semaphore = Semaphore::new(1);
        let held = semaphore.try_acquire();
        let mut future = Waiter::new(semaphore.acquire());
        let bells = [(); 3].map(|()| {
            let bell = Arc::clone(&future.bell);
            assert!(future.poll().is_none(), "it is taken");
            // The future has moved to another task.
            future.bell = Arc::default();
            bell
        });
        drop(held);
        assert_eq!(bells.map(|bell| bell.rang()), [false, false, true], "which waker is woken, of three polls");
        assert!(future.poll().is_some());
    });
}

#[test]
fn whoever_is_dropped_passes_its_turn_on() {
    check(|| {
        // Two futures of one task have the same waker.
        for (given, same_task) in [(false, false), (true, false), (false, true), (true, true)] {
            let semaphore = Semaphore::new(1);
            let mut held = semaphore.try_acquire();
            let [mut first, mut second] = [(); 2].map(|()| Waiter::new(semaphore.acquire()));
            if same_task {
                second.bell = Arc::clone(&first.bell);
            }
            assert!(first.poll().is_none() && second.poll().is_none(), "it is taken");
            let when = if given { "after it was given a permit" } else { "while it waits" };
            if given {
                held = None;
            }
            // What has rung until now was for the first.
            second.bell.0.store(0, Ordering::SeqCst);
            drop(first);
            assert_eq!(second.is_woken(), given, "the first is dropped {when}: is the second woken?");
            drop(held);
            assert!(second.is_woken(), "the first was dropped {when}, and the permit is for the second");
            assert!(second.poll().is_some(), "the first was dropped {when}, and the permit is for the second");
            drop(second);
            assert_eq!(semaphore.available(), 1, "the first was dropped {when}, and nobody holds anything");
        }
    });
}

#[test]
fn a_future_that_was_ready_panics_when_it_is_polled_again() {
    check(|| {
        for (waits, keeps) in [(false, false), (false, true), (true, false), (true, true)] {
            let semaphore = Semaphore::new(1);
            let held = waits.then(|| semaphore.try_acquire());
            let mut future = Waiter::new(semaphore.acquire());
            if waits {
                assert!(future.poll().is_none(), "it is taken");
            }
            drop(held);
            let permit = future.poll();
            assert!(permit.is_some());
            // Is nothing free when it is polled again?
            let kept = permit.filter(|_| keeps);
            for _ in 0..2 {
                let again = catch_unwind(AssertUnwindSafe(|| future.poll().is_some()));
                assert!(again.is_err(), "it was ready before");
            }
            drop(future);
            drop(kept);
            assert_eq!(semaphore.available(), 1, "nobody holds anything");
            assert!(ready_now(&semaphore).is_some(), "the semaphore can still be used");
        }
    });
}

#[test]
fn a_waker_may_use_the_semaphore() {
    check(|| {
        for (lock, drops) in [(false, false), (false, true), (true, false), (true, true)] {
            let shared = Shared::for_ever(lock, 1);
            let held = shared.try_acquire();
            let mut first = Waiter::new(shared.acquire());
            assert!(first.poll().is_none(), "it is taken");
            let served = Arc::default();
            for name in ["roast", GIVES_UP, "soup"] {
                AtOnce::begin(name, shared, &served);
            }
            if drops {
                drop(held);
                drop(first);
            } else {
                drop(first);
                drop(held);
            }
            assert_eq!(*served.lock().unwrap(), ["roast", "soup"], "each has its turn where it is woken");
            assert_eq!(shared.available(), 1, "nobody holds anything");
        }
    });
}

#[test]
fn every_sequence_of_polls_and_drops_keeps_the_contract() {
    // One thread alone has one schedule only.
    Check::new().threads_only().run(sequences::try_all);
}

#[test]
#[ignore = "needs schedules: cargo xtask check async-lock every_small_program_of_calls_keeps_the_contract"]
fn every_small_program_of_calls_keeps_the_contract() {
    every_small_program(contract::SemaphoreContract);
}

#[test]
fn a_task_that_is_cancelled_loses_no_permit() {
    check(|| {
        on_two_workers(async {
            let semaphore = Arc::new(Semaphore::new(1));
            let held = semaphore.acquire().await;
            let waits = || {
                let semaphore = Arc::clone(&semaphore);
                tokio::spawn(async move { drop(semaphore.acquire().await) })
            };
            let (cancelled, other) = (waits(), waits());
            drop(held);
            cancelled.abort();
            other.await.expect("nobody cancels this one");
            drop(cancelled.await);
            assert_eq!(semaphore.available(), 1, "nobody holds anything");
        });
    });
}

// -------------------------------------------------------------------------------------------------------------- lock

#[test]
fn a_lock_is_held_across_an_await() {
    check(|| {
        on_two_workers(async {
            let lock = Arc::new(Lock::new(0));
            let tasks = [(); 2].map(|()| {
                let lock = Arc::clone(&lock);
                tokio::spawn(async move {
                    let mut number = lock.lock().await;
                    let seen = *number;
                    yield_now().await;
                    *number = seen + 1;
                })
            });
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(lock.try_lock().as_deref(), Some(&2), "two tasks have added 1 to 0");
        });
    });
}

#[test]
fn what_a_task_holds_that_panics_goes_back() {
    check(|| {
        on_one_worker(async {
            let (semaphore, lock) = (Arc::new(Semaphore::new(1)), Arc::new(Lock::new("as it was")));
            let own = (Arc::clone(&semaphore), Arc::clone(&lock));
            let (holds, held) = oneshot::channel();
            let task: JoinHandle<()> = tokio::spawn(async move {
                let _permit = own.0.acquire().await;
                let mut value = own.1.lock().await;
                holds.send(()).unwrap();
                yield_now().await;
                *value = "changed";
                panic_on_purpose("the dish is burnt")
            });
            held.await.unwrap();
            drop(semaphore.acquire().await);
            assert_eq!(*lock.lock().await, "changed");
            assert!(task.await.is_err());
            assert_eq!(semaphore.available(), 1, "nobody holds anything");
            assert_eq!(lock.try_lock().as_deref(), Some(&"changed"), "nobody holds it");
        });
    });
}

// ------------------------------------------------------------------------------------------------------------- cache

#[test]
fn a_value_is_fetched_once() {
    check(|| {
        on_two_workers(async {
            let (cache, fetched) = (Arc::new(Cache::empty()), Arc::new(AtomicUsize::new(0)));
            assert_eq!(cache.known("soup"), None, "nobody has fetched it");
            let get = || {
                let (cache, fetched) = (Arc::clone(&cache), Arc::clone(&fetched));
                async move {
                    let fetch = async { Ok::<_, Infallible>(fetched.fetch_add(1, Ordering::SeqCst)) };
                    assert_eq!(cache.get("soup", fetch).await, Ok(0), "the value of the only fetch");
                    assert_eq!(cache.known("soup"), Some(0), "it is there");
                }
            };
            let other = tokio::spawn(get());
            get().await;
            other.await.unwrap();
            assert_eq!(fetched.load(Ordering::SeqCst), 1, "fetches");
        });
    });
}

#[test]
fn a_fetch_holds_up_nobody_who_wants_something_else() {
    check(|| {
        fetch_many_at_once();
        on_one_worker(async {
            let (cache, both) = (Arc::new(Cache::empty()), Arc::new(Barrier::new(2)));
            assert_eq!(cache.get("salad", ready(Ok::<_, Infallible>(3))).await, Ok(3));
            let gets = [("soup", 1), ("roast", 2)].map(|(key, value)| {
                let (cache, both) = (Arc::clone(&cache), Arc::clone(&both));
                tokio::spawn(async move {
                    let fetch = async {
                        assert_eq!((cache.known(key), cache.known("salad")), (None, Some(3)));
                        // Nobody comes through before both are here.
                        both.wait().await;
                        Ok::<_, Infallible>(value)
                    };
                    cache.get(key, fetch).await
                })
            });
            for (get, value) in gets.into_iter().zip([1, 2]) {
                assert_eq!(get.await.unwrap(), Ok(value));
            }
            assert_eq!(["soup", "roast", "salad"].map(|key| cache.known(key)), [1, 2, 3].map(Some));
        });
    });
}

/// Caches with the same keys, of which there are more than a byte counts, and some that look alike. No two may have anything in
/// common.
fn fetch_many_at_once() {
    let mut keys = Vec::from_iter((0..300).map(|key| format!("dish {key}")));
    let alike =
        ["", " ", "soup", " soup", "soup ", "soup\0", "Soup", "SOUP", "opus", "so", "süße", "su\u{308}ße", "suesse"];
    keys.extend(alike.map(str::to_owned));
    let long = "soup ".repeat(60);
    keys.extend([format!("1{long}"), format!("2{long}"), format!("{long}1"), format!("{long}2")]);
    let (caches, begun) = ([(); 3].map(|()| Cache::empty()), AtomicUsize::new(0));
    let fetch = async || {
        begun.fetch_add(1, Ordering::SeqCst);
        pending::<Result<usize, Infallible>>().await
    };
    let in_first = |count| caches.iter().take(count).flat_map(|cache| keys.iter().map(move |key| (cache, key)));
    let mut gets = Vec::new();
    for (cache, key) in in_first(2) {
        let mut get = Waiter::new(cache.get(key, fetch()));
        assert_eq!(get.poll(), None, "it is fetched");
        gets.push(get);
        assert_eq!(begun.load(Ordering::SeqCst), gets.len(), "fetches at the same time, of different things");
    }
    // All are dropped half way, and fetched once more, also into a cache that knew nothing of them. Now each has a value of its own, and
    // all are kept.
    drop(gets);
    for (value, (cache, key)) in in_first(3).enumerate() {
        let got = Waiter::new(cache.get(key, ready(Ok::<_, Infallible>(value)))).poll();
        assert_eq!(got, Some(Ok(value)), "the value of {key:?}, which was not there");
    }
    for (value, (cache, key)) in in_first(3).enumerate() {
        assert_eq!(cache.known(key), Some(value), "the value of {key:?}, among {} that were fetched", keys.len());
    }
}

#[test]
fn whoever_waits_for_a_fetch_sleeps_until_it_has_ended() {
    check(|| {
        many_wait_for_a_fetch();
        let cache = Cache::empty();
        let [(first_ends, mut first), (second_ends, mut second)] = [(); 2].map(|()| {
            let (ends, end) = oneshot::channel();
            (ends, Waiter::new(cache.get("soup", async { end.await.unwrap() })))
        });
        assert_eq!([first.poll(), second.poll()], [None, None], "the first fetches");
        assert!(!second.is_woken(), "the first fetches, and whoever waits for it is woken");
        first_ends.send(Err("sold out")).unwrap();
        assert_eq!(first.poll(), Some(Err("sold out")));
        drop(first);
        assert!(second.is_woken(), "it is the turn of the second, and it is not woken");
        assert_eq!(second.poll(), None, "the second fetches");
        let mut third = Waiter::new(cache.get("soup", async { panic!("two fetch at the same time") }));
        assert_eq!(third.poll(), None, "the second fetches");
        assert!(!third.is_woken(), "the second fetches, and whoever waits for it is woken");
        second_ends.send(Ok(1)).unwrap();
        assert_eq!(second.poll(), Some(Ok(1)));
        drop(second);
        assert!(third.is_woken(), "the value is there, and whoever waits for it is not woken");
        assert_eq!(third.poll(), Some(Ok::<_, Infallible>(1)));
    });
}

/// More wait for one fetch than a byte counts. When it has brought the value, each is woken, at the latest by the one before it.
fn many_wait_for_a_fetch() {
    let (cache, (ends, end)) = (Cache::empty(), oneshot::channel());
    let mut first = Waiter::new(cache.get("soup", async { end.await.unwrap() }));
    assert_eq!(first.poll(), None, "the first fetches");
    let other = || async { panic!("two fetch at the same time") };
    let mut line = Vec::from_iter((0..300).map(|_| Waiter::new(cache.get::<Infallible>("soup", other()))));
    assert!(line.iter_mut().all(|waits| waits.poll().is_none()), "the first fetches");
    assert!(!line.iter().any(Waiter::is_woken), "the first fetches, and whoever waits for it is woken");
    ends.send(Ok::<_, Infallible>(1)).unwrap();
    assert_eq!(first.poll(), Some(Ok(1)));
    drop(first);
    while !line.is_empty() {
        let before = line.len();
        line.retain_mut(|waits| !waits.is_woken() || waits.poll() != Some(Ok(1)));
        assert!(line.len() < before, "the value is there, and {before} of 300 who wait for it are not woken");
    }
}

#[test]
fn a_fetch_without_a_value_leaves_its_turn_to_the_next() {
    check(|| {
        for end in ["fails", "panics", "is dropped"] {
            for (gives_up, when) in [(0, "nobody gives up"), (1, "one gives up before"), (2, "one gives up after that")]
            {
                without_a_value(end, gives_up, &format!("the first fetch {end}, {when}"));
            }
        }
        ["fails", "is dropped"].into_iter().for_each(ends_while_another_one_comes);
    });
}

/// Another one comes at the moment at which a fetch ends like this. It is the only one that fetches then.
fn ends_while_another_one_comes(end: &'static str) {
    let cache = Cache::empty();
    let (ends, goes) = oneshot::channel();
    let mut other = Waiter::new(cache.get("soup", async { Ok::<_, Infallible>(goes.await.unwrap()) }));
    thread::scope(|scope| {
        scope.spawn(|| {
            let fetch = async { if end == "fails" { Err("sold out") } else { pending().await } };
            let first = Waiter::new(cache.get("soup", fetch)).poll();
            assert!(first.is_none_or(|result| result == Err("sold out")), "its own fetch {end}");
        });
        assert_eq!(other.poll(), None, "nobody has brought a value");
    });
    assert_eq!(other.poll(), None, "it fetches: the first one is gone");
    let mut third = Waiter::new(cache.get("soup", async { panic!("two fetch at the same time") }));
    assert_eq!(third.poll(), None, "the other one fetches");
    ends.send(2).unwrap();
    assert_eq!([other.poll(), third.poll()], [Some(Ok(2)); 2], "the value of the only fetch that brings one");
}

/// The first fetch ends like this, while two others wait. One of them may be dropped before that, or after it.
fn without_a_value(end: &'static str, gives_up: usize, told: &str) {
    let cache = Cache::empty();
    let (ends, goes) = oneshot::channel();
    let mut first = Waiter::new(cache.get("soup", async {
        goes.await.unwrap();
        if end == "panics" { panic_on_purpose("the dish is burnt") } else { Err("sold out") }
    }));
    let (begun, may_end) = (Cell::new(0), Cell::new(false));
    let fetch = async || {
        begun.set(begun.get() + 1);
        poll_fn(|_| if may_end.get() { Poll::Ready(()) } else { Poll::Pending }).await;
        Ok::<_, &str>(2)
    };
    let mut others = Vec::from([(); 2].map(|()| Waiter::new(cache.get("soup", fetch()))));
    assert_eq!(first.poll(), None);
    assert!(others.iter_mut().all(|other| other.poll().is_none()), "they wait for the first");
    if gives_up == 1 {
        others.remove(0);
    }
    if end != "is dropped" {
        ends.send(()).unwrap();
        let ended = catch_unwind(AssertUnwindSafe(|| first.poll()));
        assert_eq!(ended.ok(), (end == "fails").then_some(Some(Err("sold out"))), "{told}");
    }
    drop(first);
    assert_eq!(cache.known("soup"), None, "{told}");
    if gives_up == 2 {
        others.remove(0);
    }
    let mut fetches = None;
    for (place, other) in others.iter_mut().enumerate().filter(|(_, other)| other.is_woken()) {
        other.bell = Arc::default();
        assert_eq!(other.poll(), None, "{told}, and nobody has brought a value yet");
        if fetches.is_none() && begun.get() > 0 {
            fetches = Some(place);
        }
    }
    assert_eq!(begun.get(), 1, "{told}: fetches at the same time after that");
    may_end.set(true);
    let mut fetches = others.remove(fetches.expect("one has begun"));
    assert_eq!(fetches.poll(), Some(Ok(2)), "{told}");
    drop(fetches);
    // One after the other is woken, in whichever order.
    while !others.is_empty() {
        let next = others.iter().position(Waiter::is_woken).expect("the next one is woken");
        assert_eq!(others.remove(next).poll(), Some(Ok(2)), "{told}");
    }
    assert_eq!(begun.get(), 1, "{told}: all but one take the value of the one");
}

#[test]
fn a_task_that_fetches_may_be_cancelled() {
    check(|| {
        on_two_workers(async {
            let cache = Arc::new(Cache::empty());
            let own = Arc::clone(&cache);
            let never = tokio::spawn(async move { own.get("soup", pending::<Result<u8, Infallible>>()).await });
            never.abort();
            assert_eq!(cache.get("soup", ready(Ok::<_, Infallible>(2))).await, Ok(2), "the other one is cancelled");
            assert_eq!(cache.known("soup"), Some(2));
        });
    });
}

// ------------------------------------------------------------------------------------------------------------- tools

fn on_one_worker(body: impl Future<Output = ()>) {
    Builder::new_current_thread().build().unwrap().block_on(boxed(body));
}

fn on_two_workers(body: impl Future<Output = ()>) {
    Builder::new_multi_thread().worker_threads(2).build().unwrap().block_on(boxed(body));
}

/// What a new future gives at its first poll.
fn ready_now(semaphore: &Semaphore) -> Option<Permit<'_>> {
    Waiter::new(semaphore.acquire()).poll()
}

/// A future, and the bell that its waker rings.
struct Waiter<F> {
    future: Pin<Box<F>>,
    bell: Arc<Bell>,
}

impl<F: Future> Waiter<F> {
    fn new(future: F) -> Waiter<F> {
        Waiter { future: Box::pin(future), bell: Arc::default() }
    }

    fn poll(&mut self) -> Option<F::Output> {
        let waker = Waker::from(Arc::clone(&self.bell));
        match self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    #[track_caller]
    fn is_woken(&self) -> bool {
        self.bell.rang()
    }
}

/// A waker that rings.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Bell {
    #[track_caller]
    fn rang(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        let Bell(rings) = &*self;
        rings.fetch_add(1, Ordering::SeqCst);
    }
}

/// A task that goes on where it is woken, at once: it notes its name, and ends. One of this name is cancelled instead.
struct AtOnce {
    name: &'static str,
    shared: Shared<'static>,
    future: Mutex<Option<Waiting<'static>>>,
    served: Arc<Mutex<Vec<&'static str>>>,
}

const GIVES_UP: &str = "gives up";
/// One more than two bytes count.
const VERY_MANY: usize = 65_537;

impl AtOnce {
    /// It waits, in the line.
    fn begin(name: &'static str, shared: Shared<'static>, served: &Arc<Mutex<Vec<&'static str>>>) {
        let served = Arc::clone(served);
        let task = Arc::new(AtOnce { name, shared, future: Mutex::new(None), served });
        let mut future = shared.acquire();
        let waker = Waker::from(Arc::clone(&task));
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending(), "it is taken");
        *task.future.lock().unwrap() = Some(future);
    }
}

impl Wake for AtOnce {
    fn wake(self: Arc<Self>) {
        let future = self.future.lock().unwrap().take();
        let mut future = future.expect("it is woken once");
        assert_eq!(self.shared.available(), 0, "it was given to whoever is woken");
        if self.name == GIVES_UP {
            return;
        }
        let held = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(held.is_ready(), "it was given to whoever is woken");
        self.served.lock().unwrap().push(self.name);
    }
}
