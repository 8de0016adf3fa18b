//! How many schedules a second, for three threads with three lock operations each, and how much memory after them:
//! `cargo run --release --package explored-std --example speed [SCHEDULES]`.

extern crate explored_std as std;

use std::explored::{Config, Exploration, explore};
use std::sync::{Arc, Mutex};
use std::thread;

/// Threads that take one lock so many times each.
fn adders(threads: usize, times: usize) -> impl Fn() + Send + Sync {
    move || {
        let count = Arc::new(Mutex::new(0));
        let threads: Vec<_> = (0..threads)
            .map(|_| {
                let count = Arc::clone(&count);
                thread::spawn(move || {
                    for _ in 0..times {
                        *count.lock().unwrap() += 1;
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
    }
}

fn measure(what: &str, explore: impl FnOnce() -> Exploration) {
    let begun = std::time::Instant::now();
    let coverage = explore().coverage;
    let seconds = begun.elapsed().as_secs_f64();
    println!("{what}: {coverage} in {seconds:.3} s, {:.0} a second", coverage.schedules as f64 / seconds);
    let resident = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = resident.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    println!("  {} KiB resident", pages * 4);
}

fn main() {
    let schedules = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let config = Config { schedules, ..Config::default() };
    measure("3 threads, 3 locks each", || explore(&config, adders(3, 3)));
    measure("4 threads, 4 locks each", || explore(&config, adders(4, 4)));
    measure("10 threads, 10 locks each", || explore(&config, adders(10, 10)));
    measure("3 threads, 300 locks each", || explore(&config, adders(3, 300)));
}
