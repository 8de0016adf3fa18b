//! attack on process: signals its parents up to the grader. Only those called `grader`, lest a broken guard end anybody else.
//! inspected: failed panic
//! says: kept out of 2
//! needs: confined

use std::fs;
use std::os::unix::process::parent_id;
use std::process::Command;

fn parent(id: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn is_grader(id: u32) -> bool {
    let command = fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
    command.split('\0').next().is_some_and(|program| program.ends_with("grader"))
}

pub fn attack() {
    let mut tried = 0;
    let mut id = Some(parent_id());
    while let Some(grader) = id.filter(|id| is_grader(*id)) {
        for signal in ["-TERM", "-KILL"] {
            let status = Command::new("sh").args(["-c", "kill $0 $1", signal, &grader.to_string()]).status().unwrap();
            if status.success() {
                panic!("got in");
            }
        }
        tried += 1;
        id = parent(grader);
    }
    panic!("kept out of {tried}");
}
