//! attack on thread: the same by `env!`, imported under another name.
//! inspected: rejected
//! uninspected: compile-error
//! says: not defined at compile time

use std::env as variable;

compile_error!(variable!("INTERLEAVE_ATTACK_SECRET"));

pub fn attack() {}
