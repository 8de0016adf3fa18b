//! attack on thread, where no programs may be started: starts one that signals a stranger.
//! inspected: failed panic
//! says: kept out
//! needs: confined

use std::process::Command;

pub fn attack() {
    match Command::new("sh").args(["-c", "kill -KILL @VICTIM@"]).status() {
        Ok(status) => panic!("got in: {status}"),
        Err(error) => panic!("kept out: {error}"),
    }
}
