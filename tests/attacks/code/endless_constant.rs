//! attack on process: a constant that takes the compiler 10 minutes or more.
//! inspected: rejected
//! uninspected: compile-error
#![allow(long_running_const_eval)]

const COUNTED: u64 = {
    let mut number = 0;
    while number < 30_000_000_000 {
        number += 1;
    }
    number
};

pub fn attack() {
    println!("{COUNTED}");
}
