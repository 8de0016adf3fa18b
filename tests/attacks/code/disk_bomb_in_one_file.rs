//! attack on thread: writes one file of 200 MB.
//! inspected: failed crash

use std::fs::File;
use std::io::Write;

pub fn attack() {
    let mut file = File::create("large").unwrap();
    let block = vec![1_u8; 1024 * 1024];
    for _ in 0..200 {
        let _ = file.write_all(&block);
    }
}
