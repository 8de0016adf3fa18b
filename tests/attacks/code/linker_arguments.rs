//! attack on thread: names a library to the linker that is none of its own.
//! inspected: rejected
//! uninspected: compile-error
#![allow(unsafe_code)]

#[link(name = "secret", kind = "static")]
unsafe extern "C" {}

pub fn attack() {}
