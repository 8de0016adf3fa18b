//! Schedules a second, for three threads with three lock operations each, and memory after a million of them. With
//! `--features compare`, beside another model's random and depth-first schedulers in the same run.

use std::time::Instant;

use explored_std::explored::{Config, explore};

const SCHEDULES: u64 = 1_000_000;

fn main() {
    let before = resident();
    let start = Instant::now();
    let mut run = 0;
    let mut early = None;
    while run < SCHEDULES {
        let exploration = explore(&Config { schedules: SCHEDULES - run, ..Config::default() }, body);
        run += exploration.coverage.schedules;
        if run >= SCHEDULES / 10 && early.is_none() {
            early = Some(resident());
        }
    }
    report("ours, exhaustive with reduction", run, start);
    let shown = |kib: Option<u64>| kib.map_or_else(|| "unknown".to_string(), |kib| format!("{kib} KiB"));
    println!(
        "resident before: {}, after a tenth: {}, at the end: {}",
        shown(before),
        shown(early.flatten()),
        shown(resident())
    );
    compare();
}

/// Three threads that each take a lock three times.
fn body() {
    use explored_std::sync::{Arc, Mutex};
    use explored_std::thread;

    let count = Arc::new(Mutex::new(0));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let count = Arc::clone(&count);
            thread::spawn(move || (0..3).for_each(|_| *count.lock().unwrap() += 1))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(*count.lock().unwrap(), 9);
}

fn report(name: &str, schedules: u64, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    println!("{name:<34} {:>9.0} schedules a second ({schedules} in {seconds:.1} s)", schedules as f64 / seconds);
}

/// Resident memory in KiB, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
}

#[cfg(not(feature = "compare"))]
fn compare() {}

#[cfg(feature = "compare")]
fn compare() {
    use shuttle::scheduler::{DfsScheduler, RandomScheduler};

    fn other() {
        use shuttle::sync::{Arc, Mutex};
        use shuttle::thread;

        let count = Arc::new(Mutex::new(0));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let count = Arc::clone(&count);
                thread::spawn(move || (0..3).for_each(|_| *count.lock().unwrap() += 1))
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*count.lock().unwrap(), 9);
    }
    const LESS: u64 = SCHEDULES / 10;
    let start = Instant::now();
    shuttle::Runner::new(RandomScheduler::new_from_seed(0, LESS as usize), shuttle::Config::new()).run(other);
    report("the other, random", LESS, start);
    let start = Instant::now();
    shuttle::Runner::new(DfsScheduler::new(Some(LESS as usize), false), shuttle::Config::new()).run(other);
    report("the other, depth first", LESS, start);
}
