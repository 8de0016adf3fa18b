//! attack on thread: reads keys and passwords of whoever runs the grader.
//! inspected: failed panic
//! says: kept out
//! needs: confined

use std::fs::{self, File};
use std::io::ErrorKind;

const PATHS: [&str; 4] = ["@HOME@/.ssh/id_ed25519", "@HOME@/.ssh", "@HOME@", "@HOME@/.netrc"];

pub fn attack() {
    for path in PATHS {
        for tried in [File::open(path).map(drop), fs::read_dir(path).map(drop)] {
            match tried {
                Ok(()) => panic!("got in: {path}"),
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
                // `read_dir` of a file, where even that much can be known.
                Err(error) if error.kind() == ErrorKind::NotADirectory => {}
                Err(error) => panic!("no attack: {path}: {error}"),
            }
        }
    }
    panic!("kept out");
}
