//! attack on process: the same, but it keeps the streams open, for whoever waits until they are closed.
//! inspected: failed leak

use std::process::Command;

pub fn attack() {
    let script = "(trap '' TERM HUP INT; sleep @NAP@; sleep @NAP@) & exit 0";
    Command::new("sh").args(["-c", script]).status().unwrap();
}
