//! attack on thread: hands in the reference solution as a module of its own.
//! inspected: rejected
//! uninspected: compile-error
//! needs: confined

#[path = "@REPOSITORY@/solutions/thread/src/lib.rs"]
mod solution;

pub use solution::*;
