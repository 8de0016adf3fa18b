//! Memory orderings, held to what C++20 says of small programs, *litmus tests*: each is run on all its schedules, by the reduced
//! search and by the plain one, and must show exactly the outcomes that are allowed.
//!
//! Rust has the memory model of C++20 without `consume` (std's documentation of `std::sync::atomic`). Beside each test stands who
//! says what is allowed: a paragraph of the C++20 standard (N4861), or a paper:
//! - *RC11*: Lahav, Vafeiadis, Kang, Hur, Dreyer: Repairing sequential consistency in C/C++11, PLDI 2017; C++20 took it up (P0668).
//! - *Herding cats*: Alglave, Maranget, Tautschnig, TOPLAS 2014, for the names of the tests.
//!
//! What is allowed and not found stands beside the test that shows it, and in `README.md`.

extern crate explored_std as std;

mod support;

use std::collections::BTreeSet;
use std::explored::{Config, every_outcome};
use std::real::sync::{Arc, Mutex as RealMutex};
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicUsize, fence};
use std::sync::{Condvar, Mutex, Once};
use std::thread;

use support::config;

/// What the threads of a test share.
#[derive(Default)]
struct Shared {
    x: AtomicUsize,
    y: AtomicUsize,
    z: AtomicUsize,
    lock: Mutex<()>,
}

/// What one thread does; it gives what it has read.
type Part = Arc<dyn Fn(&Shared) -> Vec<usize> + Send + Sync>;

fn part(part: impl Fn(&Shared) -> Vec<usize> + Send + Sync + 'static) -> Part {
    Arc::new(part)
}

/// The outcomes of a body on all its schedules.
#[track_caller]
fn outcomes_of(body: impl Fn() -> String + Send + Sync + 'static) -> BTreeSet<String> {
    let body = Arc::new(body);
    let outcomes = |reduced| {
        let seen = Arc::new(RealMutex::new(String::new()));
        let (written, body) = (Arc::clone(&seen), Arc::clone(&body));
        let config = Config { schedules: 200_000, spurious: 0, ..config() };
        let all = every_outcome(
            &config,
            reduced,
            false,
            move || std::mem::take(&mut *seen.lock().unwrap()),
            move || {
                let outcome = body();
                *written.lock().unwrap() = outcome;
            },
        );
        let all = all.expect("a litmus test is small");
        all.into_keys().map(|end| end.strip_suffix(" passed").map(str::to_string).unwrap_or(end)).collect()
    };
    let (reduced, plain): (BTreeSet<String>, BTreeSet<String>) = (outcomes(true), outcomes(false));
    assert_eq!(reduced, plain, "the reduced search must find what the plain one does");
    reduced
}

/// The outcomes of some threads: what each has read, in order.
#[track_caller]
fn outcomes(parts: &[Part]) -> BTreeSet<String> {
    let parts = parts.to_vec();
    outcomes_of(move || {
        let shared = Shared::default();
        let read: Vec<usize> = thread::scope(|scope| {
            let threads: Vec<_> = parts.iter().map(|part| scope.spawn(|| part(&shared))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        read.iter().map(usize::to_string).collect::<Vec<_>>().join(" ")
    })
}

/// Holds a test to what is allowed.
#[track_caller]
fn allows(parts: &[Part], allowed: &[&str]) {
    let allowed: BTreeSet<String> = allowed.iter().map(ToString::to_string).collect();
    assert_eq!(outcomes(parts), allowed);
}

fn nothing() -> Vec<usize> {
    Vec::new()
}

fn fences(ordering: Option<Ordering>) {
    if let Some(ordering) = ordering {
        fence(ordering);
    }
}

const STORES: [Ordering; 3] = [Relaxed, Release, SeqCst];
const LOADS: [Ordering; 3] = [Relaxed, Acquire, SeqCst];
const FENCES: [Option<Ordering>; 5] = [None, Some(Acquire), Some(Release), Some(AcqRel), Some(SeqCst)];

fn releases(ordering: Option<Ordering>) -> bool {
    matches!(ordering, Some(Release | AcqRel | SeqCst))
}

fn acquires(ordering: Option<Ordering>) -> bool {
    matches!(ordering, Some(Acquire | AcqRel | SeqCst))
}

/// MP: the flag is seen and the message is not, unless the flag is released (by its store, or by a fence between) and acquired
/// (by its load, or by a fence between). [atomics.order]/2, [atomics.fences]/2 to 4.
#[test]
fn message_passing_with_every_ordering_and_a_fence_at_every_place() {
    let places = |fences: &[Option<Ordering>]| -> Vec<[Option<Ordering>; 3]> {
        let at = |place: usize, fence| std::array::from_fn(|here| if here == place { fence } else { None });
        (0..3).flat_map(|place| fences.iter().map(move |&fence| at(place, fence))).collect()
    };
    let mut tried = 0;
    for store in STORES {
        for load in LOADS {
            for written in places(&FENCES) {
                for read in places(&FENCES) {
                    let writer = part(move |s| {
                        fences(written[0]);
                        s.x.store(1, Relaxed);
                        fences(written[1]);
                        s.y.store(1, store);
                        fences(written[2]);
                        nothing()
                    });
                    let reader = part(move |s| {
                        fences(read[0]);
                        let flag = s.y.load(load);
                        fences(read[1]);
                        let message = s.x.load(Relaxed);
                        fences(read[2]);
                        vec![flag, message]
                    });
                    let released = releases(Some(store)) || releases(written[1]);
                    let acquired = acquires(Some(load)) || acquires(read[1]);
                    let mut allowed = BTreeSet::from(["0 0", "0 1", "1 1"].map(str::to_string));
                    if !(released && acquired) {
                        allowed.insert("1 0".to_string());
                    }
                    let what = format!("{store:?} {written:?}, {load:?} {read:?}");
                    assert_eq!(outcomes(&[writer, reader]), allowed, "{what}");
                    tried += 1;
                }
            }
        }
    }
    assert_eq!(tried, 9 * 15 * 15);
}

/// SB: neither thread sees the other's store, unless on either side both are `SeqCst`, or a fence between is.
/// [atomics.order]/4, where B is coherence-ordered before A in all four combinations.
#[test]
fn store_buffering_with_every_ordering_and_fence() {
    let mut sides = Vec::new();
    for store in STORES {
        for load in LOADS {
            sides.extend(FENCES.map(|fence| (store, fence, load)));
        }
    }
    for (number, &a) in sides.iter().enumerate() {
        for &b in &sides[number..] {
            let first = part(move |s| {
                s.x.store(1, a.0);
                fences(a.1);
                vec![s.y.load(a.2)]
            });
            let second = part(move |s| {
                s.y.store(1, b.0);
                fences(b.1);
                vec![s.x.load(b.2)]
            });
            let is_strong = |side: (Ordering, Option<Ordering>, Ordering)| {
                side.0 == SeqCst && side.2 == SeqCst || side.1 == Some(SeqCst)
            };
            let mut allowed = BTreeSet::from(["0 1", "1 0", "1 1"].map(str::to_string));
            if !(is_strong(a) && is_strong(b)) {
                allowed.insert("0 0".to_string());
            }
            assert_eq!(outcomes(&[first, second]), allowed, "{a:?} {b:?}");
        }
    }
}

/// SB with exchanges in the stores' place: `AcqRel` is not enough. [atomics.order]/4.
#[test]
fn store_buffering_with_exchanges() {
    let side = |write: Ordering, read: Ordering| {
        let first = part(move |s| vec![s.x.swap(1, write), s.y.load(read)]);
        let second = part(move |s| vec![s.y.swap(1, write), s.x.load(read)]);
        [first, second]
    };
    allows(&side(AcqRel, Acquire), &["0 0 0 0", "0 0 0 1", "0 1 0 0", "0 1 0 1"]);
    allows(&side(SeqCst, SeqCst), &["0 0 0 1", "0 1 0 0", "0 1 0 1"]);
}

/// Read by an exchange that changes nothing, the newest value is seen: "Atomic read-modify-write operations shall always read the
/// last value". [atomics.order]/10.
#[test]
fn store_buffering_where_an_exchange_reads() {
    let first = part(|s| {
        s.x.store(1, Relaxed);
        vec![s.y.fetch_add(0, Relaxed)]
    });
    let second = part(|s| {
        s.y.store(1, Relaxed);
        vec![s.x.fetch_add(0, Relaxed)]
    });
    // Both may read 0: each exchange comes before the other's store in the order of its own atomic, and the stores after it in
    // the program's. That is load buffering's kind, see there: here one of them is made first.
    let found = outcomes(&[first, second]);
    assert!(found.is_superset(&["0 1", "1 0", "1 1"].map(str::to_string).into()), "{found:?}");
}

/// IRIW: two readers see two stores in different orders, unless all is `SeqCst`, or the readers have fences that are.
/// RC11, section 3; [atomics.order]/4.
#[test]
fn independent_reads_of_independent_writes() {
    let test = |store: Ordering, load: Ordering, between: Option<Ordering>| {
        let both = [
            part(move |s| {
                s.x.store(1, store);
                nothing()
            }),
            part(move |s| {
                s.y.store(1, store);
                nothing()
            }),
            part(move |s| {
                let first = s.x.load(load);
                fences(between);
                vec![first, s.y.load(load)]
            }),
            part(move |s| {
                let first = s.y.load(load);
                fences(between);
                vec![first, s.x.load(load)]
            }),
        ];
        let found = outcomes(&both);
        assert!(found.len() >= 15, "{found:?}");
        found.contains("1 0 1 0")
    };
    assert!(test(Relaxed, Relaxed, None));
    assert!(test(Release, Acquire, None));
    assert!(test(SeqCst, Acquire, None));
    assert!(test(Release, Acquire, Some(AcqRel)));
    assert!(!test(SeqCst, SeqCst, None));
    // The loads are in one order by themselves.
    assert!(!test(Release, SeqCst, None));
    assert!(!test(Relaxed, Relaxed, Some(SeqCst)));
    assert!(!test(Release, Acquire, Some(SeqCst)));
}

/// CoRR: two reads of one thread do not go back. [intro.races]/16.
#[test]
fn coherence_of_reads() {
    let writer = part(|s| {
        s.x.store(1, Relaxed);
        s.x.store(2, Relaxed);
        nothing()
    });
    let reader = part(|s| vec![s.x.load(Relaxed), s.x.load(Relaxed)]);
    allows(&[writer, reader], &["0 0", "0 1", "0 2", "1 1", "1 2", "2 2"]);
}

/// CoRR across threads: what a thread has read is old for whoever it tells. [intro.races]/16.
#[test]
fn coherence_of_reads_across_threads() {
    let writer = part(|s| {
        s.x.store(1, Relaxed);
        nothing()
    });
    let teller = part(|s| {
        let read = s.x.load(Relaxed);
        s.y.store(1, Release);
        vec![read]
    });
    let told = part(|s| vec![s.y.load(Acquire), s.x.load(Relaxed)]);
    allows(&[writer, teller, told], &["0 0 0", "0 0 1", "0 1 0", "0 1 1", "1 0 0", "1 0 1", "1 1 1"]);
}

/// CoWR: a thread does not read what is older than its own store. [intro.races]/18.
#[test]
fn coherence_of_a_write_and_a_read() {
    let first = part(|s| {
        s.x.store(1, Relaxed);
        vec![s.x.load(Relaxed)]
    });
    let second = part(|s| {
        s.x.store(2, Relaxed);
        vec![s.x.load(Relaxed)]
    });
    allows(&[first, second], &["1 2", "1 1", "2 2"]);
}

/// CoRW: a thread's store comes after what it has read. [intro.races]/17. So nobody reads its own store's successor before it.
#[test]
fn coherence_of_a_read_and_a_write() {
    let first = part(|s| {
        let read = s.x.load(Relaxed);
        s.x.store(1, Relaxed);
        vec![read]
    });
    let second = part(|s| {
        s.x.store(2, Relaxed);
        nothing()
    });
    let both = part(|s| vec![s.x.load(Relaxed), s.x.load(Relaxed)]);
    let found = outcomes(&[first, second, both]);
    // The first thread has read 2, so 1 comes after it.
    assert!(found.contains("2 2 1") && !found.contains("2 1 2"), "{found:?}");
}

/// CoWW: two stores of one thread have its order for everybody. [intro.races]/15.
#[test]
fn coherence_of_writes() {
    let writer = part(|s| {
        s.x.store(1, Relaxed);
        s.x.store(2, Relaxed);
        nothing()
    });
    let found = outcomes_of({
        let writer = writer.clone();
        move || {
            let shared = Shared::default();
            thread::scope(|scope| {
                scope.spawn(|| writer(&shared));
            });
            shared.x.load(Relaxed).to_string()
        }
    });
    assert_eq!(found, BTreeSet::from(["2".to_string()]));
}

/// Exchanges are in one order and lose nothing. [atomics.order]/10.
#[test]
fn exchanges_lose_nothing() {
    let add = || part(|s| vec![s.x.fetch_add(1, Relaxed)]);
    allows(&[add(), add(), add()], &["0 1 2", "0 2 1", "1 0 2", "1 2 0", "2 0 1", "2 1 0"]);
}

/// A load that reads an exchange of another thread, which has read the release store, still synchronizes with that; a plain
/// store in its place ends the release sequence, also one of the thread that released (that is new in C++20). [intro.races]/5,
/// P0982.
#[test]
fn release_sequences() {
    let reader = || {
        part(|s| {
            let flag = s.y.load(Acquire);
            vec![flag, s.x.load(Relaxed)]
        })
    };
    let writer = || {
        part(|s| {
            s.x.store(1, Relaxed);
            s.y.store(1, Release);
            nothing()
        })
    };
    let exchange = part(|s| {
        let _ = s.y.compare_exchange(1, 2, Relaxed, Relaxed);
        nothing()
    });
    allows(&[writer(), exchange, reader()], &["0 0", "0 1", "1 1", "2 1"]);
    let stores = part(|s| {
        if s.y.load(Relaxed) == 1 {
            s.y.store(2, Relaxed);
        }
        nothing()
    });
    allows(&[writer(), stores, reader()], &["0 0", "0 1", "1 1", "2 0", "2 1"]);
    let releases_and_stores = part(|s| {
        s.x.store(1, Relaxed);
        s.y.store(1, Release);
        s.y.store(2, Relaxed);
        nothing()
    });
    allows(&[releases_and_stores, reader()], &["0 0", "0 1", "1 1", "2 0", "2 1"]);
    // Headed by a fence: [atomics.fences]/2.
    let fences = part(|s| {
        s.x.store(1, Relaxed);
        fence(Release);
        s.y.store(1, Relaxed);
        s.y.fetch_add(1, Relaxed);
        nothing()
    });
    allows(&[fences, reader()], &["0 0", "0 1", "1 1", "2 1"]);
}

/// Synchronization is transitive. [intro.races]/10.
#[test]
fn messages_passed_on() {
    let test = |last: Ordering| {
        let first = part(|s| {
            s.x.store(1, Relaxed);
            s.y.store(1, Release);
            nothing()
        });
        let second = part(|s| {
            let read = s.y.load(Acquire);
            s.z.store(1, Release);
            vec![read]
        });
        let third = part(move |s| vec![s.z.load(last), s.x.load(Relaxed)]);
        let found = outcomes(&[first, second, third]);
        (found.contains("1 1 1"), found.contains("1 1 0"))
    };
    assert_eq!(test(Acquire), (true, false));
    assert_eq!(test(Relaxed), (true, true));
}

/// A lock that both take carries the rest, whatever its ordering. [thread.mutex.requirements.mutex]/11, /25.
#[test]
fn locks_carry_relaxed_values() {
    let writer = part(|s| {
        s.x.store(1, Relaxed);
        let _held = s.lock.lock().unwrap();
        s.y.store(1, Relaxed);
        nothing()
    });
    let reader = part(|s| {
        let held = s.lock.lock().unwrap();
        let flag = s.y.load(Relaxed);
        drop(held);
        vec![flag, s.x.load(Relaxed)]
    });
    allows(&[writer, reader], &["0 0", "0 1", "1 1"]);
}

/// So do the start of a thread, its end, messages, condition variables, tokens and initialisations: nothing old is read.
#[test]
fn all_that_threads_meet_at_carries_relaxed_values() {
    let started = outcomes_of(|| {
        let shared = Arc::new(Shared::default());
        shared.x.store(1, Relaxed);
        let there = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            let read = there.x.load(Relaxed);
            there.y.store(1, Relaxed);
            read
        });
        let started = thread.join().unwrap();
        format!("{started} {}", shared.y.load(Relaxed))
    });
    assert_eq!(started, BTreeSet::from(["1 1".to_string()]));

    let sent = outcomes_of(|| {
        let shared = Arc::new(Shared::default());
        let (sender, receiver) = std::sync::mpsc::channel();
        let there = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            there.x.store(1, Relaxed);
            sender.send(()).unwrap();
            there.y.store(1, Relaxed);
        });
        receiver.recv().unwrap();
        let sent = shared.x.load(Relaxed);
        assert!(receiver.recv().is_err());
        let closed = shared.y.load(Relaxed);
        thread.join().unwrap();
        format!("{sent} {closed}")
    });
    assert_eq!(sent, BTreeSet::from(["1 1".to_string()]));

    let called = outcomes_of(|| {
        let shared = Arc::new((Shared::default(), Mutex::new(false), Condvar::new()));
        let there = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            there.0.x.store(1, Relaxed);
            *there.1.lock().unwrap() = true;
            there.2.notify_one();
        });
        drop(shared.2.wait_while(shared.1.lock().unwrap(), |ready| !*ready).unwrap());
        let called = shared.0.x.load(Relaxed);
        thread.join().unwrap();
        called.to_string()
    });
    assert_eq!(called, BTreeSet::from(["1".to_string()]));

    let unparked = outcomes_of(|| {
        let shared = Arc::new(Shared::default());
        let (there, main) = (Arc::clone(&shared), thread::current());
        let thread = thread::spawn(move || {
            there.x.store(1, Relaxed);
            main.unpark();
        });
        thread::park();
        let unparked = shared.x.load(Relaxed);
        thread.join().unwrap();
        unparked.to_string()
    });
    assert_eq!(unparked, BTreeSet::from(["1".to_string()]));

    let initialised = outcomes_of(|| {
        let shared = Arc::new((Shared::default(), Once::new()));
        let there = Arc::clone(&shared);
        let initialise = |shared: &(Shared, Once)| shared.1.call_once(|| shared.0.x.store(1, Relaxed));
        let thread = thread::spawn(move || initialise(&there));
        initialise(&shared);
        let initialised = shared.0.x.load(Relaxed);
        thread.join().unwrap();
        initialised.to_string()
    });
    assert_eq!(initialised, BTreeSet::from(["1".to_string()]));
}

/// What was stored is seen in a finite period of time, [intro.progress]/18: by who sleeps until nobody else can go on.
#[test]
fn time_that_passes_shows_what_was_stored() {
    let found = outcomes_of(|| {
        let shared = Arc::new(Shared::default());
        let there = Arc::clone(&shared);
        let thread = thread::spawn(move || there.x.store(1, Relaxed));
        let early = shared.x.load(Relaxed);
        thread::sleep(std::time::Duration::from_secs(1));
        let late = shared.x.load(Relaxed);
        thread.join().unwrap();
        format!("{early} {late}")
    });
    assert_eq!(found, BTreeSet::from(["0 1", "1 1"].map(str::to_string)));
}

/// A look at whether a thread has ended orders nothing, and its `join` does.
#[test]
fn is_finished_carries_nothing() {
    let found = outcomes_of(|| {
        let shared = Arc::new(Shared::default());
        let there = Arc::clone(&shared);
        let thread = thread::spawn(move || there.x.store(1, Relaxed));
        let finished = thread.is_finished();
        let seen = shared.x.load(Relaxed);
        thread.join().unwrap();
        format!("{finished} {seen} {}", shared.x.load(Relaxed))
    });
    let expected = ["false 0 1", "false 1 1", "true 0 1", "true 1 1"];
    assert_eq!(found, BTreeSet::from(expected.map(str::to_string)));
}

/// A failed exchange is a load of its failure ordering: it may read an old value, though not the one that it wants, and carries
/// only what that ordering does. [atomics.types.operations]/23.
#[test]
fn an_exchange_that_fails_may_read_an_old_value() {
    let writer = part(|s| {
        s.x.store(1, Relaxed);
        s.x.store(2, Relaxed);
        s.y.store(1, Relaxed);
        nothing()
    });
    let looks = part(|s| {
        let flag = s.y.load(Relaxed);
        vec![flag, s.x.compare_exchange(2, 3, AcqRel, Relaxed).unwrap_or_else(|old| old)]
    });
    allows(&[writer.clone(), looks], &["0 0", "0 1", "0 2", "1 0", "1 1", "1 2"]);
    // One that always stores reads the newest.
    let adds = part(|s| vec![s.y.load(Relaxed), s.x.fetch_add(1, Relaxed)]);
    allows(&[writer, adds], &["0 0", "0 1", "0 2", "1 2"]);

    let release = part(|s| {
        s.x.store(1, Relaxed);
        s.y.store(1, Release);
        nothing()
    });
    let fails = |failure: Ordering| {
        part(move |s| {
            let flag = s.y.compare_exchange(7, 8, Relaxed, failure).unwrap_err();
            vec![flag, s.x.load(Relaxed)]
        })
    };
    allows(&[release.clone(), fails(Acquire)], &["0 0", "0 1", "1 1"]);
    allows(&[release, fails(Relaxed)], &["0 0", "0 1", "1 0", "1 1"]);
}

/// A `SeqCst` load among weaker stores is an `Acquire` load, and two of them do not go back. [atomics.order]/4.
#[test]
fn sequential_loads_of_weaker_stores() {
    let test = |load: Ordering| {
        let store = part(|s| {
            s.x.store(1, Release);
            nothing()
        });
        let first = part(move |s| {
            let read = s.x.load(load);
            s.y.store(1, Relaxed);
            vec![read]
        });
        let second = part(move |s| vec![s.y.load(Relaxed), s.x.load(load)]);
        outcomes(&[store, first, second])
    };
    // Nothing but the order of what is SeqCst puts the second load after the first, and that order is free here.
    assert!(test(Acquire).contains("1 1 0"));
    let sequential = {
        let store = part(|s| {
            s.x.store(1, Release);
            nothing()
        });
        let first = part(|s| vec![s.x.load(SeqCst), s.y.swap(1, SeqCst)]);
        let second = part(|s| vec![s.y.swap(2, SeqCst), s.x.load(SeqCst)]);
        outcomes(&[store, first, second])
    };
    // The second exchange comes after the first one, and so does its load: it does not miss what the first load has read.
    assert!(sequential.contains("1 0 1 1") && !sequential.contains("1 0 1 0"), "{sequential:?}");
}

/// A `SeqCst` load that reads what is new bars others from what is old, if they come later: their order matters, though loads change
/// nothing. [atomics.order]/4.
#[test]
fn the_order_of_sequential_loads_matters() {
    let writer = part(|s| {
        s.x.store(1, Relaxed);
        s.y.store(1, Relaxed);
        nothing()
    });
    let one = part(|s| vec![s.x.load(SeqCst)]);
    let other = part(|s| vec![s.y.load(Relaxed), s.x.load(SeqCst)]);
    let all = ["0 0 0", "0 0 1", "0 1 0", "0 1 1", "1 0 0", "1 0 1", "1 1 0", "1 1 1"];
    allows(&[one.clone(), other.clone(), writer.clone()], &all);
    allows(&[writer.clone(), one.clone(), other.clone()], &all);
    // A load that comes after a fence in that order may read what is old, and show the fence's thread nothing.
    let writer = part(|s| {
        s.x.store(1, Relaxed);
        s.x.store(2, Relaxed);
        s.y.store(1, Relaxed);
        nothing()
    });
    let fenced = part(|s| {
        let flag = s.y.load(Relaxed);
        fence(SeqCst);
        vec![flag, s.x.load(Relaxed)]
    });
    let found = outcomes(&[writer.clone(), fenced.clone(), one.clone()]);
    assert!(found.contains("1 0 1"), "{found:?}");
    let found = outcomes(&[writer, one, fenced]);
    assert!(found.contains("1 1 0"), "{found:?}");
}

/// LB, allowed by C++20 and found by no model that runs a program in its order ([atomics.order]/8 asks for less). RC11 forbids it.
#[test]
fn load_buffering_is_not_found() {
    let first = part(|s| {
        let read = s.x.load(Relaxed);
        s.y.store(1, Relaxed);
        vec![read]
    });
    let second = part(|s| {
        let read = s.y.load(Relaxed);
        s.x.store(1, Relaxed);
        vec![read]
    });
    println!("LB: 1 1 is allowed by C++20, and not found");
    allows(&[first, second], &["0 0", "0 1", "1 0"]);
}

/// 2+2W, allowed by C++20 and RC11: both stores that are first in the program are last in their atomic's order.
#[test]
fn two_stores_each_in_opposite_orders_are_not_found() {
    let found = outcomes_of(|| {
        let shared = Shared::default();
        thread::scope(|scope| {
            scope.spawn(|| {
                shared.x.store(1, Relaxed);
                shared.y.store(2, Relaxed);
            });
            scope.spawn(|| {
                shared.y.store(1, Relaxed);
                shared.x.store(2, Relaxed);
            });
        });
        format!("{} {}", shared.x.load(Relaxed), shared.y.load(Relaxed))
    });
    println!("2+2W: 1 1 is allowed by C++20, and not found");
    assert_eq!(found, BTreeSet::from(["1 2", "2 1", "2 2"].map(str::to_string)));
}

/// Z6.U: what is `SeqCst` may be in another order than what happens before, where weaker accesses are between. RC11, section 3:
/// allowed since C++20; here both are the order of execution.
#[test]
fn an_order_of_what_is_sequential_against_happens_before_is_not_found() {
    let first = part(|s| {
        s.x.store(1, SeqCst);
        s.y.store(1, Release);
        nothing()
    });
    let second = part(|s| vec![s.y.fetch_add(1, SeqCst), s.y.load(Relaxed)]);
    let third = part(|s| {
        s.y.store(3, SeqCst);
        vec![s.x.load(SeqCst)]
    });
    println!("Z6.U: 1 3 0 is allowed by C++20, and not found");
    let found = outcomes(&[first, second, third]);
    assert!(found.contains("1 3 1") && !found.contains("1 3 0"), "{found:?}");
}
