//! attack on thread: has the compiler say the grader's environment.
//! inspected: rejected
//! uninspected: compile-error
//! says: Permission denied
//! needs: confined

compile_error!(include_str!("/proc/self/environ"));

pub fn attack() {}
