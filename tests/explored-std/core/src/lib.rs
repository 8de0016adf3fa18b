//! A model of `core`, for those who write `core::sync::atomic` or `core::hint::spin_loop`: what threads meet at is the model
//! of std's, everything else is core's own. (`alloc` has nothing that threads meet at but `Arc`, so it needs no model.)

#![no_std]

#[doc(no_inline)]
pub use ::core::*;

pub mod sync {
    //! `core::sync`.

    pub use explored_std::sync::atomic;
}

pub use explored_std::cell;
pub use explored_std::hint;
