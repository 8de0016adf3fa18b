//! `LazyLock`.

use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};

use super::once::initialise;
use crate::raw::{Entered, Left, RawOnce};

/// The model of [`std::sync::LazyLock`](::std::sync::LazyLock). A static one is made anew in every schedule.
pub struct LazyLock<T, F = fn() -> T> {
    raw: RawOnce,
    value: UnsafeCell<Option<T>>,
    make: Cell<Option<F>>,
    /// The bytes of `make`, for the next schedule: a static's closure captures nothing, so a copy of it is as good.
    again: std::mem::MaybeUninit<F>,
}

// SAFETY: as for std's: the closure is called by one thread, and the value is written before anybody reads it.
unsafe impl<T: Sync + Send, F: Send> Sync for LazyLock<T, F> {}
impl<T: RefUnwindSafe + UnwindSafe, F: UnwindSafe> RefUnwindSafe for LazyLock<T, F> {}
impl<T: UnwindSafe, F: UnwindSafe> UnwindSafe for LazyLock<T, F> {}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// A value that is made when it is first needed.
    #[track_caller]
    pub const fn new(f: F) -> LazyLock<T, F> {
        // SAFETY: the copy is used only where dropping the closure does nothing, see `prepare`.
        let again = std::mem::MaybeUninit::new(unsafe { std::ptr::read(&f) });
        LazyLock { raw: RawOnce::new::<T>("LazyLock"), value: UnsafeCell::new(None), make: Cell::new(Some(f)), again }
    }

    /// The value; makes it first if nobody has. Others wait meanwhile.
    ///
    /// # Panics
    /// If making it panicked, now or earlier.
    #[track_caller]
    pub fn force(this: &LazyLock<T, F>) -> &T {
        this.prepare();
        let slot = this.value.get();
        let make = || (this.make.take().expect("it is made once"))();
        let entered = initialise(&this.raw, "force", Left::Poisoned, make, |value| {
            // SAFETY: the one inside the initialisation is alone with the slot until it leaves.
            unsafe { *slot = Some(value) };
        });
        assert!(entered != Entered::BeginsPoisoned, "LazyLock instance has previously been poisoned");
        this.stored().expect("a complete cell has a value")
    }

    /// The value; makes it first if nobody has.
    ///
    /// # Panics
    /// If making it panicked, now or earlier.
    #[track_caller]
    pub fn force_mut(this: &mut LazyLock<T, F>) -> &mut T {
        LazyLock::force(this);
        this.value.get_mut().as_mut().expect("a complete cell has a value")
    }
}

impl<T, F> LazyLock<T, F> {
    fn prepare(&self) {
        if !self.raw.is_stale() {
            return;
        }
        // SAFETY: the schedule in which the value was made is over, and with it every reference to the value; none takes its place.
        unsafe {
            crate::engine::left::drop_later(self.value.get());
            self.value.get().write(None);
        }
        if std::mem::needs_drop::<F>() {
            crate::data::refuse("LazyLock", "its closure owns something");
        }
        // SAFETY: the closure owns nothing, so a second copy of it can be called as well as the first.
        self.make.set(Some(unsafe { self.again.assume_init_read() }));
    }

    /// The value, if it was made.
    #[track_caller]
    pub fn get(this: &LazyLock<T, F>) -> Option<&T> {
        this.prepare();
        if this.raw.is_done("get") { this.stored() } else { None }
    }

    /// The value, if it was made.
    pub fn get_mut(this: &mut LazyLock<T, F>) -> Option<&mut T> {
        this.value.get_mut().as_mut()
    }

    /// The value, which must be complete or absent.
    fn stored(&self) -> Option<&T> {
        // SAFETY: nobody writes to a complete cell.
        unsafe { (*self.value.get()).as_ref() }
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[track_caller]
    fn deref(&self) -> &T {
        LazyLock::force(self)
    }
}

impl<T, F: FnOnce() -> T> DerefMut for LazyLock<T, F> {
    #[track_caller]
    fn deref_mut(&mut self) -> &mut T {
        LazyLock::force_mut(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    #[track_caller]
    fn default() -> LazyLock<T> {
        LazyLock::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_tuple("LazyLock");
        match LazyLock::get(self) {
            Some(value) => text.field(value).finish(),
            None => text.field(&format_args!("<uninit>")).finish(),
        }
    }
}
