//! `OnceLock`.

use std::cell::UnsafeCell;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

use super::once::initialise;
use crate::raw::{Left, RawOnce};

/// The model of [`std::sync::OnceLock`](::std::sync::OnceLock). A static one is empty again in every schedule.
pub struct OnceLock<T> {
    raw: RawOnce,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: as for std's: the value is written by one thread, before anybody reads it.
unsafe impl<T: Sync + Send> Sync for OnceLock<T> {}
impl<T: RefUnwindSafe + UnwindSafe> RefUnwindSafe for OnceLock<T> {}
impl<T: UnwindSafe> UnwindSafe for OnceLock<T> {}

impl<T> OnceLock<T> {
    /// An empty cell.
    #[track_caller]
    pub const fn new() -> OnceLock<T> {
        OnceLock { raw: RawOnce::new::<T>("OnceLock"), value: UnsafeCell::new(None) }
    }

    /// The value, if there is one.
    #[track_caller]
    pub fn get(&self) -> Option<&T> {
        self.prepare();
        if self.raw.is_done("get") { self.stored() } else { None }
    }

    /// The value, if there is one.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut().as_mut()
    }

    /// The value, once there is one.
    #[track_caller]
    pub fn wait(&self) -> &T {
        self.prepare();
        self.raw.wait();
        self.stored().expect("a complete cell has a value")
    }

    /// Stores the value in an empty cell.
    ///
    /// # Errors
    /// Gives the value back if the cell was full.
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.initialise("set", || value.take().expect("it is called once"));
        value.map_or(Ok(()), Err)
    }

    /// The value; makes it first if the cell is empty. Others wait meanwhile.
    #[track_caller]
    pub fn get_or_init<F: FnOnce() -> T>(&self, f: F) -> &T {
        self.initialise("get_or_init", f);
        self.stored().expect("a complete cell has a value")
    }

    #[track_caller]
    fn initialise(&self, name: &'static str, f: impl FnOnce() -> T) {
        self.prepare();
        let slot = self.value.get();
        initialise(&self.raw, name, Left::Fresh, f, |value| {
            // SAFETY: the one inside the initialisation is alone with the slot until it leaves.
            unsafe { *slot = Some(value) };
        });
    }

    /// The value, which must be complete or absent.
    fn stored(&self) -> Option<&T> {
        // SAFETY: nobody writes to a complete cell.
        unsafe { (*self.value.get()).as_ref() }
    }

    /// Takes the value out.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Takes the value out and leaves the cell empty.
    pub fn take(&mut self) -> Option<T> {
        std::mem::take(self).into_inner()
    }

    /// Makes a cell that is left from an earlier schedule empty.
    fn prepare(&self) {
        if self.raw.is_stale() {
            // SAFETY: the schedule in which the value was made is over, and with it every reference to the value; none takes its place.
            unsafe {
                crate::engine::left::drop_later(self.value.get());
                self.value.get().write(None);
            }
        }
    }
}

impl<T> Default for OnceLock<T> {
    #[track_caller]
    fn default() -> OnceLock<T> {
        OnceLock::new()
    }
}

impl<T> From<T> for OnceLock<T> {
    #[track_caller]
    fn from(value: T) -> OnceLock<T> {
        let cell = OnceLock { raw: RawOnce::new::<T>("OnceLock"), value: UnsafeCell::new(Some(value)) };
        cell.raw.complete_at_once();
        cell
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    #[track_caller]
    fn clone(&self) -> OnceLock<T> {
        self.get().cloned().map_or_else(OnceLock::new, OnceLock::from)
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    fn eq(&self, other: &OnceLock<T>) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceLock<T> {}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_tuple("OnceLock");
        match self.get() {
            Some(value) => text.field(value).finish(),
            None => text.field(&format_args!("<uninit>")).finish(),
        }
    }
}
