//! What an earlier schedule has left in statics.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::run::with;

/// A value that an earlier schedule has left in a static, moved out of it.
pub(crate) struct Left {
    value: *mut u8,
    layout: Layout,
    drop: unsafe fn(*mut u8),
}

/// Moves out a value that an earlier schedule has left.
///
/// # Safety
/// The value is valid, nobody refers to it, and nobody uses it in its old place any more.
pub(crate) unsafe fn drop_later<T: ?Sized>(value: *mut T) {
    // SAFETY: the value is valid, as the caller promises.
    let layout = Layout::for_value(unsafe { &*value });
    let is_thin = size_of::<*mut T>() == size_of::<*mut u8>();
    // std drops no statics, so it is no loss that what has no bytes, or is reached as a trait's object, is not dropped.
    if !std::mem::needs_drop::<T>() || layout.size() == 0 || !is_thin {
        return;
    }
    // SAFETY: it is not empty.
    let elsewhere = unsafe { alloc(layout) };
    if elsewhere.is_null() {
        handle_alloc_error(layout);
    }
    // SAFETY: both are valid for that many bytes, and the second one is new.
    unsafe { std::ptr::copy_nonoverlapping(value.cast::<u8>(), elsewhere, layout.size()) };
    with(|state| state.left.push(Left { value: elsewhere, layout, drop: drop_thin::<T> }));
}

/// Drops a value behind a pointer that is nothing but an address.
unsafe fn drop_thin<T: ?Sized>(value: *mut u8) {
    let mut thin = MaybeUninit::<*mut T>::uninit();
    // SAFETY: a pointer to this type is as large as that one, so it is an address only; the value there is of this type.
    unsafe {
        thin.as_mut_ptr().cast::<*mut u8>().write(value);
        std::ptr::drop_in_place(thin.assume_init());
    }
}

/// Drops what an earlier schedule has left, now that this one is over. Operations are no steps any more.
pub(crate) fn drop_what_is_left() {
    while let Some(Left { value, layout, drop }) = with(|state| state.left.pop()) {
        // A destructor that panics would have done so at a moment that std does not know.
        // SAFETY: the value was moved here, and nobody else has it.
        let _ = catch_unwind(AssertUnwindSafe(|| unsafe { drop(value) }));
        // SAFETY: it was made with this layout, and its value is gone.
        unsafe { dealloc(value, layout) };
    }
}
