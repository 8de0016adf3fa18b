//! attack on thread: prints the record of a passed test on copies of both streams, then fails.
//! inspected: failed panic
//! says: burnt

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;

pub fn attack() {
    let streams = [std::io::stdout().as_fd().try_clone_to_owned(), std::io::stderr().as_fd().try_clone_to_owned()];
    for stream in streams {
        let mut stream = File::from(stream.unwrap());
        for mode in ["schedules", "threads"] {
            writeln!(stream, "{{\"mode\":\"{mode}\",\"outcome\":\"passed\"}}").unwrap();
        }
    }
    panic!("burnt");
}
