//! attack on process: leaves links, a pipe, a folder that nobody may read, and names that are no text, for whoever clears up.
//! inspected: failed panic
//! says: littered

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::process::Command;

pub fn attack() {
    fs::create_dir("links").unwrap();
    for (number, target) in ["/", "@REPOSITORY@", "@CLASS@", "@HOME@", "..", "circle"].into_iter().enumerate() {
        symlink(target, format!("links/{number}")).unwrap();
    }
    symlink("circle", "circle").unwrap();
    fs::write(OsStr::from_bytes(b"\xff\xfe\n-rf"), b"").unwrap();
    fs::create_dir("closed").unwrap();
    fs::write("closed/file", b"").unwrap();
    let script = "mkfifo pipe; chmod 000 closed";
    Command::new("sh").args(["-c", script]).status().unwrap();
    panic!("littered");
}
