//! attack on thread: opens its own memory for writing. Whoever has that needs no `unsafe`.
//! inspected: failed panic
//! says: kept out
//! needs: confined

use std::fs::OpenOptions;

pub fn attack() {
    for path in ["/proc/self/mem", "/proc/thread-self/mem"] {
        let opened = OpenOptions::new().read(true).write(true).open(path);
        assert!(opened.is_err(), "got in: {path}");
    }
    panic!("kept out");
}
