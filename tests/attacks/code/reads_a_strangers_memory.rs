//! attack on process: opens the memory and the files of its parent and of a stranger.
//! inspected: failed panic
//! says: kept out
//! needs: confined

use std::fs::{self, File};
use std::os::unix::process::parent_id;

pub fn attack() {
    for id in [parent_id(), "@VICTIM@".parse().unwrap()] {
        if !fs::exists(format!("/proc/{id}/stat")).unwrap() {
            panic!("no attack: {id}");
        }
        for file in ["mem", "environ", "maps", "fd/0", "root/etc/hostname", "cwd/Cargo.toml", "exe"] {
            if File::open(format!("/proc/{id}/{file}")).is_ok() {
                panic!("got in: {id}/{file}");
            }
        }
    }
    panic!("kept out");
}
