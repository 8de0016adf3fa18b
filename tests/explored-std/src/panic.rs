//! `std::panic`, for modelled threads: each has its own count of panics, and each schedule its own hook.

use std::any::Any;

#[allow(deprecated)]
pub use ::std::panic::PanicInfo;
pub use ::std::panic::{AssertUnwindSafe, Location, PanicHookInfo, RefUnwindSafe, UnwindSafe};

pub use crate::engine::panics::{set_hook, take_hook};

/// Calls the closure and catches its panic.
///
/// # Errors
/// If it panicked: with the payload.
pub fn catch_unwind<F: FnOnce() -> R + UnwindSafe, R>(f: F) -> crate::thread::Result<R> {
    crate::engine::panics::catch(f)
}

/// Goes on with a panic that was caught. The panic hook is not called.
pub fn resume_unwind(payload: Box<dyn Any + Send>) -> ! {
    crate::engine::panics::resume(payload)
}

/// Panics with this payload.
#[track_caller]
pub fn panic_any<M: 'static + Any + Send>(msg: M) -> ! {
    ::std::panic::panic_any(msg)
}
