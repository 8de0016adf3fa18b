//! attack on process: a constant that recurses 5 million calls deep, which some 2.5 GB remember.
//! inspected: rejected
//! uninspected: compile-error
#![recursion_limit = "20000000"]
#![allow(long_running_const_eval)]

const fn deeper(left: u32) -> u32 {
    if left == 0 { 0 } else { deeper(left - 1) + 1 }
}

pub const DEPTH: u32 = deeper(5_000_000);

pub fn attack() {
    println!("{DEPTH}");
}
