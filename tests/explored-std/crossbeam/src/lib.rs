//! A model of `crossbeam` for explored runs: channels and helpers on the same scheduler as `std`'s model.
//!
//! What is missing here does not compile in an explored run: `crossbeam::thread` and `crossbeam::scope` (use
//! `std::thread::scope`), `deque`, `epoch`, `queue`, `atomic`, `sync`. `select!` is refused with a message.

pub mod channel;
pub mod utils;

/// `select!` is not modelled.
#[macro_export]
macro_rules! select {
    ($($anything:tt)*) => {
        compile_error!(
            "`select!` is not modelled in explored runs: receive from one channel of an enum, or mark the test as one for threads only"
        )
    };
}
