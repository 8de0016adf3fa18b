//! attack on process: 64 threads take 16 MiB each.
//! inspected: failed out-of-memory

use std::thread;
use std::time::Duration;

pub fn attack() {
    thread::scope(|scope| {
        for byte in 0..64 {
            scope.spawn(move || {
                let taken = vec![byte + 1_u8; 16 * 1024 * 1024];
                thread::sleep(Duration::from_secs(30));
                std::hint::black_box(&taken);
            });
        }
    });
}
