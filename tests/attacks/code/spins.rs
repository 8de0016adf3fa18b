//! attack on process: keeps a processor busy for a minute.
//! inspected: failed timeout

use std::time::{Duration, Instant};

pub fn attack() {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        std::hint::spin_loop();
    }
}
