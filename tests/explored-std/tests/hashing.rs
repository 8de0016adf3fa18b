//! The order of a `HashMap` is the same whenever a schedule is run, and the maps have all that std's have.

#[macro_use]
extern crate explored_std as std;

mod support;

use std::collections::{HashMap, HashSet, hash_map};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, RandomState};
use std::real::collections::BTreeSet;
use std::real::sync::{Arc, Mutex as RealMutex};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use support::passes;

#[test]
fn parked_threads_may_be_woken_in_the_order_of_a_map() {
    let explored = passes(|| {
        let (parked, open) = (Mutex::new(HashMap::new()), AtomicUsize::new(0));
        thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| {
                    let me = thread::current();
                    parked.lock().unwrap().insert(me.id(), me);
                    while open.load(SeqCst) == 0 {
                        thread::park();
                    }
                });
            }
            open.store(1, SeqCst);
            for (_, thread) in parked.lock().unwrap().drain() {
                thread.unpark();
            }
        });
    });
    assert!(explored.coverage.complete, "{}", explored.coverage);
}

#[test]
fn the_order_of_a_map_does_not_depend_on_the_schedule() {
    let orders = Arc::new(RealMutex::new(BTreeSet::new()));
    let seen = Arc::clone(&orders);
    let order = || HashSet::from(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']).into_iter().collect::<String>();
    let explored = passes(move || {
        let turn = Mutex::new(0);
        thread::scope(|s| {
            let work = |_| {
                *turn.lock().unwrap() += 1;
                (order(), order())
            };
            let threads = [0, 1].map(|n| s.spawn(move || work(n)));
            seen.lock().unwrap().insert(threads.map(|thread| thread.join().unwrap()));
        });
    });
    assert_eq!(explored.coverage.schedules, 2);
    let orders = orders.lock().unwrap();
    let [[first, second]] = &orders.iter().collect::<Vec<_>>()[..] else { panic!("{orders:?}") };
    assert!(first.0 != first.1 && first != second, "maps of one program have different orders, as std's have");
}

#[test]
fn numbers_from_a_random_state_are_the_same_in_every_schedule() {
    passes(|| {
        let even = RandomState::new().hash_one(7) < u64::MAX / 2;
        let lock = Mutex::new(());
        thread::scope(|s| {
            s.spawn(|| drop(lock.lock()));
            s.spawn(|| {
                if even {
                    drop(lock.lock())
                }
            });
        });
    });
}

static EMPTY: Mutex<HashMap<u8, u8, BuildHasherDefault<DefaultHasher>>> =
    Mutex::new(HashMap::with_hasher(BuildHasherDefault::new()));

#[test]
fn a_map_is_used_as_stds_is() {
    passes(|| {
        let mut map: HashMap<String, usize> = [("a".to_string(), 1)].into();
        map.insert("b".to_string(), map.len());
        map.extend(HashMap::from([("c".to_string(), 3)]));
        map.entry("c".to_string()).and_modify(|n| *n += 1).or_default();
        assert_eq!((map.remove("b"), map["a"], map.get("c"), map.len()), (Some(1), 1, Some(&4), 2));
        for (_, n) in &mut map {
            *n *= 2;
        }
        assert!(map == map.clone() && map.iter().map(|(_, n)| n).sum::<usize>() == 10);
        assert_eq!(format!("{:?}", HashMap::from([(1, 2)])), "{1: 2}");
        assert_eq!([HashMap::from([(1, 2)])].iter().map(HashMap::len).sum::<usize>(), 1);
        assert!(matches!(HashMap::<u8, u8>::with_capacity(9).entry(1), hash_map::Entry::Vacant(_)));
        let of_words: HashMap<&str, Vec<u8>> = ["x", "y"].map(|word| (word, Vec::new())).into_iter().collect();
        assert_eq!(of_words.into_values().map(|list| list.len()).max(), Some(0));
        assert_eq!(EMPTY.lock().unwrap().insert(1, 1), None);
        let taken = std::mem::take(&mut *EMPTY.lock().unwrap());
        assert_eq!(taken.get(&1), Some(&1));
    });
}

#[test]
fn a_set_is_used_as_stds_is() {
    passes(|| {
        let (a, b) = (HashSet::from([1, 2, 3]), [3, 4].into_iter().collect::<HashSet<_>>());
        assert_eq!((&a & &b, &a - &b, (&a | &b).len()), ([3].into(), [1, 2].into(), 4));
        assert_eq!(&a ^ &b, a.symmetric_difference(&b).copied().collect());
        assert!(HashSet::intersection(&a, &b).eq([&3]) && a.is_superset(&HashSet::from([1])));
        let mut c = a.clone();
        c.extend(&b);
        c.retain(|n| n % 2 == 0);
        assert_eq!(c, HashSet::from([2, 4]));
        println!("{c:?}");
    });
}
