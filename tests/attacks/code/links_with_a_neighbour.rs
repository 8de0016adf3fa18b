//! attack on thread: uses a crate that lies in the folder of all dependencies, but is no dependency of this kata.
//! inspected: rejected
//! uninspected: compile-error
//! says: can't find crate

extern crate kata;

pub fn attack() {}
