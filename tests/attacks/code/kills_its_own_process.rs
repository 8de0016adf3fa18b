//! attack on process: kills the test from a child, before it can say that it failed.
//! inspected: failed crash

use std::process::Command;

pub fn attack() {
    Command::new("sh").args(["-c", "kill -9 $PPID; sleep 10"]).status().unwrap();
}
