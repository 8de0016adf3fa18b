//! attack on process: leaves a process behind that belongs to nobody any more and has closed all that it could be known by.
//! inspected: failed leak

use std::process::Command;

pub fn attack() {
    let script =
        "(cd /; setsid sleep @NAP@ </dev/null >/dev/null 2>&1 || exec sleep @NAP@ </dev/null >/dev/null 2>&1) & exit 0";
    Command::new("sh").args(["-c", script]).status().unwrap();
}
