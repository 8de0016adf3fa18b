//! Proof of overlap.

// For the note only, which is asked for from outside the test's threads: `core` is never modelled, so that asking is no
// step.
use core::sync::atomic::{AtomicUsize, Ordering};
use std::panic::Location;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use verdict::Kind;

use super::locked;
use super::waiting::waiting_at;

/// Opens when enough threads are inside at once: proof that they overlap.
///
/// If they can't, because the code under test runs one after the other, the test fails as `serialised`. Once open it
/// stays open, so more threads may come later. Clones are the same rendezvous.
///
/// ```
/// use kata::Rendezvous;
/// use std::thread;
///
/// let rendezvous = Rendezvous::of(2);
/// let other = rendezvous.clone();
/// let thread = thread::spawn(move || other.meet());
/// rendezvous.meet();
/// thread.join().unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Rendezvous(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    needed: usize,
    made_at: &'static Location<'static>,
    here: Mutex<usize>,
    changed: Condvar,
    seen: AtomicUsize,
}

impl Rendezvous {
    /// A rendezvous that opens when so many threads are inside.
    #[track_caller]
    pub fn of(threads: usize) -> Rendezvous {
        Rendezvous(Arc::new(Inside {
            needed: threads,
            made_at: Location::caller(),
            here: Mutex::new(0),
            changed: Condvar::new(),
            seen: AtomicUsize::new(0),
        }))
    }

    /// Goes in and waits until enough threads are inside.
    #[track_caller]
    pub fn meet(&self) {
        let Inside { needed, here, changed, seen, .. } = &*self.0;
        let mut inside = locked(here);
        *inside += 1;
        seen.store(*inside, Ordering::Relaxed);
        if *inside >= *needed {
            changed.notify_all();
            return;
        }
        let this = self.clone();
        waiting_at(
            Some(Kind::Serialised),
            move || this.note(),
            || {
                while *inside < *needed {
                    inside = changed.wait(inside).unwrap_or_else(PoisonError::into_inner);
                }
            },
        );
    }

    fn note(&self) -> String {
        let Inside { needed, made_at, seen, .. } = &*self.0;
        let file = made_at.file().rsplit(['/', '\\']).next().unwrap_or_default();
        let here = seen.load(Ordering::Relaxed);
        format!("the rendezvous of {file}:{} ({here} of {needed} are here)", made_at.line())
    }
}
