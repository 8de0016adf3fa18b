//! How many schedules a second, for three threads with three lock operations each, and how much memory after them:
//! `cargo run --release --package explored-std --example speed [SCHEDULES]`.

extern crate explored_std as std;

use std::explored::{Config, explore};
use std::sync::{Arc, Mutex};
use std::thread;

fn body() {
    let count = Arc::new(Mutex::new(0));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let count = Arc::clone(&count);
            thread::spawn(move || {
                for _ in 0..3 {
                    *count.lock().unwrap() += 1;
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(*count.lock().unwrap(), 9);
}

fn main() {
    let schedules = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(200_000);
    let begun = std::time::Instant::now();
    let exploration = explore(&Config { schedules, ..Config::default() }, body);
    let seconds = begun.elapsed().as_secs_f64();
    let resident = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = resident.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    println!("{}: {:?} in {seconds:.3} s", exploration.coverage, exploration.outcome);
    println!("{:.0} schedules a second, {} KiB resident", exploration.coverage.schedules as f64 / seconds, pages * 4);
}
