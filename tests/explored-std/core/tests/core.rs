//! Who writes `core::` or `alloc::` meets the same model as who writes `std::`.

#![allow(unused_imports, clippy::std_instead_of_core)]

#[macro_use]
extern crate explored_std as std;
extern crate alloc;
extern crate explored_core as core;

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::cell::Cell;
use core::fmt::{self, Write as _};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::explored::{Config, explore};
use std::thread;

use verdict::{Kind, Outcome};

/// Derives and macros expand to paths of core's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Derived(u8);

impl fmt::Display for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        core::write!(f, "<{}>", self.0)
    }
}

#[test]
fn a_lost_update_with_atomics_of_core_is_found() {
    let found = explore(&Config::default(), || {
        let count = Arc::new(AtomicUsize::new(0));
        let adders = [0, 1].map(|_| {
            let count = Arc::clone(&count);
            thread::spawn(move || count.store(count.load(SeqCst) + 1, SeqCst))
        });
        adders.into_iter().for_each(|adder| adder.join().unwrap());
        core::assert_eq!(count.load(SeqCst), 2);
    });
    assert!(matches!(found.outcome, Outcome::Failed(failure) if failure.kind == Kind::Race));
}

#[test]
fn a_spin_lock_of_core_comes_to_an_end() {
    let found = explore(&Config::default(), || {
        let (locked, sum) = (AtomicBool::new(false), AtomicUsize::new(0));
        thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| {
                    while locked.swap(true, SeqCst) {
                        core::hint::spin_loop();
                    }
                    sum.store(sum.load(SeqCst) + 1, SeqCst);
                    locked.store(false, SeqCst);
                });
            }
        });
        assert_eq!(sum.into_inner(), 2);
    });
    assert_eq!(found.outcome, Outcome::Passed);
    assert!(found.coverage.complete, "{}", found.coverage);
}

#[test]
fn an_atomic_of_core_is_an_atomic_of_std() {
    fn same(atomic: &core::sync::atomic::AtomicUsize) -> &std::sync::atomic::AtomicUsize {
        atomic
    }
    let found = explore(&Config::default(), || assert_eq!(same(&AtomicUsize::new(1)).load(SeqCst), 1));
    assert_eq!(found.outcome, Outcome::Passed);
}

#[test]
fn everything_else_is_cores_own() {
    let mut text = alloc::string::String::new();
    core::write!(text, "{} {:?}", Derived(1), core::cmp::max(Derived(1), Derived::default())).unwrap();
    assert_eq!((text.as_str(), Cell::new(3).get()), ("<1> Derived(1)", 3));
    assert!(core::matches!(core::panic::Location::caller().file(), file if file.ends_with("core.rs")));
    let future = core::pin::pin!(async { core::time::Duration::ZERO });
    let mut context = core::task::Context::from_waker(core::task::Waker::noop());
    assert!(future.poll(&mut context).is_ready());
    assert_eq!(alloc::vec![1; 2], core::array::from_fn::<_, 2, _>(|_| 1));
    assert!(BTreeMap::from([(core::hint::black_box(1), alloc::format!("{}", 1))]).contains_key(&1));
}
