//! attack on thread: writes another program into the test's own, for the tests that come after it.
//! inspected: failed panic
//! says: kept out
//! needs: confined

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;

pub fn attack() {
    let program = std::env::current_exe().unwrap();
    let beside = program.with_extension("fresh");
    let tries = [
        OpenOptions::new().append(true).open(&program).map(drop),
        fs::remove_file(&program),
        fs::write(&beside, "#!/bin/true\n"),
        fs::rename(&program, &beside),
        fs::hard_link(&program, &beside),
    ];
    for (number, tried) in tries.into_iter().enumerate() {
        let refused = [ErrorKind::PermissionDenied, ErrorKind::CrossesDevices, ErrorKind::ExecutableFileBusy];
        assert!(tried.is_err_and(|error| refused.contains(&error.kind())), "got in: try {number}");
    }
    panic!("kept out");
}
