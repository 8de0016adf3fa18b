//! attack on thread: becomes another program, which ends with success.
//! inspected: failed panic
//! says: kept out
//! needs: confined

use std::os::unix::process::CommandExt;
use std::process::Command;

pub fn attack() {
    panic!("kept out: {}", Command::new("/bin/true").exec());
}
