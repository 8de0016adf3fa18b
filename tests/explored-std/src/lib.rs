//! A model of `std` for explored runs: `use std::sync::Mutex` in a kata is [`sync::Mutex`] here, its threads are switched by
//! a scheduler under control, and [`explored::explore`] runs a test on every schedule that it finds. See `README.md`.
//!
//! What is not modelled is std's own, by the one glob below. Every override is named: where two globs provide one name, the
//! real one can win silently.

#[doc(no_inline)]
pub use ::std::*;

#[doc(hidden)]
pub use ::std as real;

pub mod cell;
pub mod collections;
mod data;
mod engine;
pub mod explored;
pub mod hash;
pub mod hint;
mod macros;
pub mod panic;
pub mod prelude;
#[doc(hidden)]
pub mod raw;
mod search;
pub mod sync;
pub mod thread;
pub mod time;
