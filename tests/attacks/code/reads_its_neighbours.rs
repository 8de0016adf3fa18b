//! attack on process: reads what the others have handed in, where they did and where the grader has put it.
//! inspected: failed panic
//! says: kept out
//! needs: confined

use std::fs::{self, File};
use std::io::ErrorKind;

const PATHS: [&str; 5] =
    ["@CLASS@/honest-solution/thread/src/lib.rs", "@CLASS@", "@STAGED@/src/lib.rs", "@OUT@/results.jsonl", "@OUT@"];

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
