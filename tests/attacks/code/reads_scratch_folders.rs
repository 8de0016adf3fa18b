//! attack on process: looks at the working folders of other tests, which run at the same time.
//! inspected: failed panic
//! says: kept out
//! needs: confined

use std::fs::{self, File};
use std::io::ErrorKind;

const PATHS: [&str; 3] = ["@SCRATCH@", "@SCRATCH@/..", "/tmp"];

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
