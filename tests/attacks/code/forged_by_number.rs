//! attack on thread: writes the record of a passed test to every open file, by its bare number.
//! inspected: rejected
//! uninspected: compile-error
#![allow(unsafe_code)]

use std::fs::File;
use std::io::Write;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;

pub fn attack() {
    for mode in ["schedules", "threads"] {
        for number in 1..64 {
            let mut file = ManuallyDrop::new(unsafe { File::from_raw_fd(number) });
            let _ = write!(file, "{{\"mode\":\"{mode}\",\"outcome\":\"passed\"}}");
        }
    }
    std::process::exit(0);
}
