//! `std::cell`: std's own, but for an `UnsafeCell` in a static, which has its first value again in every schedule.
//!
//! No two threads run at once, so a cell needs no other care; what is wrong with an `UnsafeCell` that nothing protects shows in what
//! the threads read from it.

use std::fmt;

#[doc(no_inline)]
pub use ::std::cell::{BorrowError, BorrowMutError, Cell, LazyCell, OnceCell, Ref, RefCell, RefMut};

use crate::data;

/// The model of `std::cell::UnsafeCell`.
#[repr(transparent)]
pub struct UnsafeCell<T: ?Sized>(::std::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    /// A cell with this value.
    pub const fn new(value: T) -> UnsafeCell<T> {
        UnsafeCell(::std::cell::UnsafeCell::new(value))
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> UnsafeCell<T> {
    /// A cell in the place of a value.
    pub const fn from_mut(value: &mut T) -> &mut UnsafeCell<T> {
        // SAFETY: the cell has the layout of its value, and nobody else has the value as long as the borrow lasts.
        unsafe { &mut *(::std::ptr::from_mut(value) as *mut UnsafeCell<T>) }
    }

    /// A pointer to the value.
    pub fn get(&self) -> *mut T {
        data::prepare_cell(self.0.get());
        self.0.get()
    }

    /// The value, which nobody else has.
    pub fn get_mut(&mut self) -> &mut T {
        data::prepare_cell(self.0.get());
        self.0.get_mut()
    }

    /// A pointer to the value of the cell behind a pointer.
    pub fn raw_get(this: *const UnsafeCell<T>) -> *mut T {
        // The cell has the layout of its value.
        let value = this as *const T as *mut T;
        data::prepare_cell(value);
        value
    }
}

impl<T: Default> Default for UnsafeCell<T> {
    fn default() -> UnsafeCell<T> {
        UnsafeCell::new(T::default())
    }
}

impl<T> From<T> for UnsafeCell<T> {
    fn from(value: T) -> UnsafeCell<T> {
        UnsafeCell::new(value)
    }
}

impl<T: ?Sized> fmt::Debug for UnsafeCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsafeCell").finish_non_exhaustive()
    }
}
