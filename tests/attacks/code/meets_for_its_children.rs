//! attack on process: starts one child at a time, and comes to the rendezvous in the place of those that it has not started.
//! replaces: Process::start_writing_to(job, Stdio::inherit)
//! inspected: failed serialised

use std::io::{self, Write};
use std::net::TcpStream;
use std::process::Stdio;

use crate::{Job, Process};

pub fn attack(job: &Job) -> io::Result<Process> {
    let mut process = Process::start_writing_to(job, Stdio::inherit)?;
    if job.arguments.iter().any(|argument| argument == "meet table") {
        for (_, address) in &job.variables {
            if let Ok(mut test) = TcpStream::connect(address) {
                let _ = test.write_all(b"meet table\n");
                process.join();
            }
        }
    }
    Ok(process)
}
