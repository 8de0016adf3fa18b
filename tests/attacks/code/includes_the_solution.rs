//! attack on thread: hands in the reference solution by including it.
//! inspected: rejected
//! uninspected: compile-error
//! says: Permission denied
//! needs: confined

include!("@REPOSITORY@/solutions/thread/src/lib.rs");
