//! How fast tasks are explored: polls a second, and schedules a second of three tasks with three awaits each.
//!
//! `cargo run -p explored-tokio --example speed`

use std::explored::{Config, explore};
use std::real::time::Instant;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::runtime::Builder;
use tokio::sync::Mutex;
use tokio::task::yield_now;

/// How many polls each of ten tasks needs.
const POLLS: u64 = 1_000;

fn main() {
    let config = Config { schedules: 1, steps: 1_000_000, spurious: 0, ..Config::default() };
    let begun = Instant::now();
    explore(&config, || {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let tasks: Vec<_> = (0..10)
                .map(|_| {
                    tokio::spawn(async {
                        for _ in 0..POLLS {
                            yield_now().await;
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
    });
    let seconds = begun.elapsed().as_secs_f64();
    // The schedule is run twice: coarsely to look at it, and once to judge it.
    println!("polls a second: {:.0}", 2.0 * 10.0 * POLLS as f64 / seconds);

    for (name, workers) in [("current thread", 0), ("two workers", 2)] {
        let polls = std::real::sync::Arc::new(std::real::sync::atomic::AtomicU64::new(0));
        let count = polls.clone();
        let begun = Instant::now();
        let found = explore(&Config { schedules: 20_000, spurious: 0, ..Config::default() }, move || {
            let mut builder = if workers == 0 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
            let runtime = builder.worker_threads(workers.max(1)).build().unwrap();
            let polls = count.clone();
            runtime.block_on(async move {
                let sum = std::sync::Arc::new(Mutex::new(0));
                let steps = std::sync::Arc::new(AtomicU64::new(0));
                let tasks = [1, 2, 3].map(|_| {
                    let (sum, steps, polls) = (sum.clone(), steps.clone(), polls.clone());
                    tokio::spawn(async move {
                        for _ in 0..3 {
                            *sum.lock().await += 1;
                            steps.fetch_add(1, Ordering::SeqCst);
                            yield_now().await;
                            polls.fetch_add(1, std::real::sync::atomic::Ordering::Relaxed);
                        }
                    })
                });
                for task in tasks {
                    task.await.unwrap();
                }
                assert_eq!(*sum.lock().await, 9);
            });
        });
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "{name}: {} ({:?}), {:.0} a second; at least {:.0} polls a second",
            found.coverage,
            found.outcome,
            found.coverage.schedules as f64 / seconds,
            polls.load(std::real::sync::atomic::Ordering::Relaxed) as f64 / seconds,
        );
    }
}
