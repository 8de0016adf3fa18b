//! attack on process: writes 280 MB in many files, and goes on to use them.
//! inspected: failed crash
//! says: disk

use std::fs;
use std::thread;
use std::time::Duration;

pub fn attack() {
    let block = vec![1_u8; 1024 * 1024];
    for number in 0..280 {
        let _ = fs::write(format!("file-{number}"), &block);
    }
    thread::sleep(Duration::from_secs(30));
}
