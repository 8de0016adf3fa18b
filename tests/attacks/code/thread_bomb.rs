//! attack on process: 2,000 threads that stay for a minute.
//! inspected: failed crash
//! says: more processes and threads

use std::thread;
use std::time::Duration;

pub fn attack() {
    let threads: Vec<_> = (0..2_000)
        .map_while(|_| {
            thread::Builder::new().stack_size(64 * 1024).spawn(|| thread::sleep(Duration::from_secs(60))).ok()
        })
        .collect();
    threads.into_iter().for_each(|thread| drop(thread.join()));
}
