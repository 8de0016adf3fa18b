//! attack on process: 10 children take 100 MB each, none of them much by itself.
//! inspected: failed out-of-memory

use std::process::Command;

pub fn attack() {
    let script =
        "for n in 1 2 3 4 5 6 7 8 9 10; do (head -c 100000000 /dev/zero; sleep 30) | tail -c 100000001 & done; wait";
    Command::new("sh").args(["-c", script]).status().unwrap();
}
