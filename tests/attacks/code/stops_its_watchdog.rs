//! attack on process: stops its own process, and with it the watchdog inside. A helper wakes it up after a minute.
//! inspected: failed timeout

use std::process::Command;

pub fn attack() {
    let script = "(sleep 60; kill -CONT $PPID) & kill -STOP $PPID; wait";
    Command::new("sh").args(["-c", script]).status().unwrap();
}
