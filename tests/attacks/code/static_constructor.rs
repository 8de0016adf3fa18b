//! attack on thread: runs before `main`, where no test watches it, and ends the process with success.
//! inspected: rejected
//! uninspected: compile-error
#![allow(unsafe_code)]

#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = leave;

extern "C" fn leave() {
    std::process::exit(0);
}

pub fn attack() {}
