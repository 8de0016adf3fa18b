//! attack on thread: opens all that is open once more through `/proc`, and writes the record of a passed test there.
//! inspected: rejected
//! uninspected: failed tampered

use std::fs::OpenOptions;
use std::io::Write;

macro_rules! call {
    ($name:ident) => {
        std::process::$name(0)
    };
}

pub fn attack() {
    for mode in ["schedules", "threads"] {
        for number in 0..64 {
            for folder in ["/proc/self/fd", "/proc/thread-self/fd", "/dev/fd"] {
                if let Ok(mut file) = OpenOptions::new().write(true).open(format!("{folder}/{number}")) {
                    let _ = write!(file, "{{\"mode\":\"{mode}\",\"outcome\":\"passed\"}}");
                }
            }
        }
    }
    call!(exit);
}
