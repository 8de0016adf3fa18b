//! attack on process: a shell starts 800 processes that stay for a minute.
//! inspected: failed crash
//! says: more processes

use std::process::Command;

pub fn attack() {
    let script = "n=0; while [ $n -lt 800 ]; do sleep 60 & n=$((n + 1)); done; wait";
    Command::new("sh").args(["-c", script]).status().unwrap();
}
