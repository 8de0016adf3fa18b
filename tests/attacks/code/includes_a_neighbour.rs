//! attack on thread: hands in what a neighbour has handed in.
//! inspected: rejected
//! uninspected: compile-error
//! says: Permission denied
//! needs: confined

include!("@CLASS@/honest-solution/thread/src/lib.rs");
