//! attack on thread: calls the C library's own `_exit`.
//! inspected: rejected
//! uninspected: compile-error
#![allow(unsafe_code)]

unsafe extern "C" {
    fn _exit(code: i32) -> !;
}

pub fn attack() {
    unsafe { _exit(0) }
}
