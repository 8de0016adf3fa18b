//! attack on thread: reaches for the compiler's own crates.
//! inspected: rejected
//! uninspected: compile-error
#![feature(rustc_private)]

extern crate rustc_driver;
