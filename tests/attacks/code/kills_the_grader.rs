//! attack on process: signals its parents up to the grader, from inside and by a child. Only those called `xtask`.
//! inspected: failed panic
//! says: kept out

use std::fs;
use std::process::Command;

/// The parent of a process, and the process's name.
fn parent(id: u32) -> Option<(u32, String)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
    Some((rest.split_whitespace().nth(1)?.parse().ok()?, name.to_owned()))
}

pub fn attack() {
    let mut id = parent(std::process::id()).expect("a parent").0;
    let mut tried = 0;
    while let Some((next, name)) = parent(id) {
        if !name.starts_with("xtask") {
            break;
        }
        for signal in ["-TERM", "-KILL"] {
            let status = Command::new("sh").args(["-c", "kill $0 $1", signal, &id.to_string()]).status().unwrap();
            if status.success() {
                panic!("got in: {name}");
            }
        }
        tried += 1;
        id = next;
    }
    if tried == 0 {
        panic!("found no grader");
    }
    panic!("kept out");
}
