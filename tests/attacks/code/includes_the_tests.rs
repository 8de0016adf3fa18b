//! attack on thread: has the compiler say the tests.
//! inspected: rejected
//! uninspected: compile-error
//! says: Permission denied
//! needs: confined

compile_error!(include_str!("@REPOSITORY@/katas/thread/tests/thread.rs"));

pub fn attack() {}
