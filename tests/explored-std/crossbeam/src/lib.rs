//! A model of `crossbeam` for explored runs: channels and helpers on the same scheduler as `std`'s model.
//!
//! What is missing here does not compile in an explored run: `crossbeam::thread` and `crossbeam::scope` (use
//! `std::thread::scope`), `deque`, `epoch`, `queue`, `atomic`, and of `sync` all but
//! `WaitGroup`.

pub mod channel;
pub mod sync;
pub mod utils;
