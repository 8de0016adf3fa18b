//! attack on process: waits for a child that ignores every polite request to end, for a minute.
//! inspected: failed timeout

use std::process::Command;

pub fn attack() {
    let script = "trap '' TERM INT HUP QUIT USR1 USR2; n=0; while [ $n -lt 60 ]; do sleep 1; n=$((n + 1)); done";
    Command::new("sh").args(["-c", script]).status().unwrap();
}
