//! attack on process: signals a process of the same user that has nothing to do with it.
//! inspected: failed panic
//! says: kept out
//! needs: confined

use std::process::Command;

pub fn attack() {
    for signal in ["-TERM", "-KILL"] {
        let status = Command::new("sh").args(["-c", "kill $0 @VICTIM@", signal]).status().unwrap();
        if status.success() {
            panic!("got in");
        }
    }
    panic!("kept out");
}
