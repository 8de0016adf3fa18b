//! attack on process: changes the mode and the time of its own program, through an open file that is only for reading.
//! inspected: failed panic
//! says: kept out
//! needs: confined

use std::fs::{File, Permissions};
use std::os::unix::fs::{PermissionsExt, fchown};
use std::time::SystemTime;

pub fn attack() {
    let program = File::open(std::env::current_exe().unwrap()).unwrap();
    let tries = [
        program.set_permissions(Permissions::from_mode(0o700)),
        fchown(&program, None, None),
        program.set_modified(SystemTime::UNIX_EPOCH),
    ];
    if let Some(number) = tries.iter().position(|tried| tried.is_ok()) {
        panic!("got in: try {number}");
    }
    panic!("kept out");
}
