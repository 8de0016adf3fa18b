//! attack on process: makes a world of its own, in which it is root.
//! inspected: failed panic
//! says: kept out
//! needs: confined

use std::process::Command;

pub fn attack() {
    for command in
        ["unshare --user --map-root-user true", "unshare --mount true", "unshare --net true", "chroot / true"]
    {
        if Command::new("sh").args(["-c", command]).status().unwrap().success() {
            panic!("got in: {command}");
        }
    }
    panic!("kept out");
}
