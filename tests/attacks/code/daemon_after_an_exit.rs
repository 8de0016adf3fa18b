//! attack on process: leaves a process behind, and ends its own with success at once.
//! inspected: rejected
//! uninspected: failed tampered

use std::process::Command;

macro_rules! call {
    ($name:ident) => {
        std::process::$name(0)
    };
}

pub fn attack() {
    Command::new("sh").args(["-c", "(sleep @NAP@; sleep @NAP@) & exit 0"]).status().unwrap();
    call!(exit);
}
