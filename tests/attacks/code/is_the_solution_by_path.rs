//! attack on thread: hands in the reference solution as a module of its own.
//! inspected: rejected
//! uninspected: compile-error
//! says: couldn't read
//! needs: confined

#[path = "@REPOSITORY@/solutions/thread/src/lib.rs"]
mod solution;

pub use solution::*;
