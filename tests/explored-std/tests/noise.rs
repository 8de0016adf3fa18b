//! Steps that mean nothing hide no mistake, and break no right program: a search that can't decide at each step decides where
//! it matters.

#[macro_use]
extern crate explored_std as std;

mod support;

use std::explored::{Config, Exploration};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use support::{config, fails, fails_with, passes, passes_with, run};
use verdict::Kind;

/// What is done over and over.
const NOISES: [fn(); 4] = [
    || _ = NOISE.fetch_add(1, SeqCst),
    || drop(LOCK.lock()),
    || thread::yield_now(),
    || CHANNEL.with(|(to, from)| to.send(()).and_then(|()| from.recv().map_err(|_| unreachable!())).unwrap()),
];

static NOISE: AtomicUsize = AtomicUsize::new(0);
static LOCK: Mutex<()> = Mutex::new(());
thread_local!(static CHANNEL: (std::sync::mpsc::Sender<()>, std::sync::mpsc::Receiver<()>) = channel());

fn make(noise: fn()) {
    for _ in 0..2_000 {
        noise();
    }
}

/// Two accounts. `in_order` says whether everybody locks the lower one first.
struct Bank {
    accounts: [Mutex<u64>; 2],
    noise: fn(),
    in_order: bool,
}

impl Bank {
    fn transfer(&self, from: usize, to: usize) {
        make(self.noise);
        let first = if self.in_order { from.min(to) } else { from };
        let (mut first, mut second) = (self.accounts[first].lock().unwrap(), self.accounts[1 - first].lock().unwrap());
        let up = (from == 0) == self.in_order || from == 0;
        let (from, to) = if up { (&mut *first, &mut *second) } else { (&mut *second, &mut *first) };
        *from -= 1;
        *to += 1;
    }

    fn total(&self, at_once: bool) -> u64 {
        make(self.noise);
        let first = self.accounts[0].lock().unwrap();
        let sum = *first;
        if at_once {
            return sum + *self.accounts[1].lock().unwrap();
        }
        drop(first);
        sum + *self.accounts[1].lock().unwrap()
    }
}

/// Transfers in both directions, and an audit meanwhile.
fn bank(noise: fn(), in_order: bool, at_once: bool) -> impl Fn() + Send + Sync + 'static {
    move || {
        let bank = Bank { accounts: [Mutex::new(10), Mutex::new(10)], noise, in_order };
        thread::scope(|s| {
            s.spawn(|| bank.transfer(0, 1));
            s.spawn(|| bank.transfer(1, 0));
            assert_eq!(bank.total(at_once), 20);
        });
    }
}

#[test]
fn a_deadlock_is_found_behind_noise() {
    for noise in NOISES {
        fails(Kind::Deadlock, bank(noise, false, true));
    }
}

#[test]
fn a_thread_that_waits_for_itself_behind_noise_is_in_a_deadlock() {
    for noise in NOISES {
        fails(Kind::Deadlock, move || {
            let lock = Mutex::new(0);
            make(noise);
            let _held = lock.lock().unwrap();
            make(noise);
            drop(lock.lock());
        });
    }
}

#[test]
fn a_torn_audit_is_found_behind_noise() {
    for noise in NOISES {
        fails(Kind::Race, bank(noise, true, false));
    }
}

/// Whoever locks in a function of its own does two different things at one place.
#[test]
fn who_looks_and_then_acts_by_one_function_is_seen_behind_noise() {
    struct Job(Mutex<&'static str>);
    impl Job {
        fn state(&self) -> std::sync::MutexGuard<'_, &'static str> {
            self.0.lock().unwrap()
        }
    }
    for noise in NOISES {
        fails(Kind::Race, move || {
            let job = Job(Mutex::new("waits"));
            let (runs, cancelled) = thread::scope(|s| {
                let worker = s.spawn(|| {
                    let mut state = job.state();
                    let runs = *state == "waits";
                    *state = if runs { "runs" } else { *state };
                    runs
                });
                make(noise);
                let waits = *job.state() == "waits";
                if waits {
                    *job.state() = "cancelled";
                }
                (worker.join().unwrap(), waits)
            });
            assert!(runs != cancelled, "a job is run or cancelled");
        });
    }
}

/// It was too much to decide at each step, and that is said.
#[track_caller]
fn is_no_proof(exploration: &Exploration) {
    let coverage = exploration.coverage;
    assert!(!coverage.complete && coverage.coarse, "{coverage:?}");
    assert!(coverage.to_string().ends_with("with repeated steps taken together"), "{coverage}");
}

#[test]
fn what_is_right_passes_with_noise_and_is_not_called_proven() {
    for noise in NOISES {
        is_no_proof(&passes(bank(noise, true, true)));
    }
}

#[test]
fn a_lost_wakeup_is_found_behind_noise() {
    for noise in NOISES {
        fails(Kind::LostWakeup, move || {
            let (ready, changed) = (Mutex::new(false), Condvar::new());
            thread::scope(|s| {
                s.spawn(|| {
                    make(noise);
                    changed.notify_one();
                    *ready.lock().unwrap() = true;
                });
                make(noise);
                drop(changed.wait_while(ready.lock().unwrap(), |ready| !*ready).unwrap());
            });
        });
    }
}

#[test]
fn noise_takes_no_time() {
    for noise in NOISES {
        passes(move || {
            let (sender, receiver) = channel();
            thread::scope(|s| {
                s.spawn(move || {
                    for message in 0..5 {
                        make(noise);
                        sender.send(message).unwrap();
                    }
                });
                for message in 0..5 {
                    assert_eq!(receiver.recv_timeout(Duration::from_millis(1)), Ok(message));
                }
            });
        });
    }
}

/// Short enough to decide at each step, and too long to look like waiting.
#[test]
fn a_loop_that_changes_nothing_takes_no_time() {
    for times in [50, 150, 300, 1_000, 1_990] {
        for noise in NOISES {
            passes(move || {
                let waits = thread::spawn(|| thread::park_timeout(Duration::from_secs(1)));
                let start = std::time::Instant::now();
                for _ in 0..4 {
                    (0..times).for_each(|_| noise());
                    assert_eq!(start.elapsed(), Duration::ZERO, "in between, after {times} times");
                }
                thread::spawn(|| ()).join().unwrap();
                assert_eq!(start.elapsed(), Duration::ZERO, "after {times} times");
                waits.thread().unpark();
                waits.join().unwrap();
            });
        }
    }
}

#[test]
fn preemptions_at_locks_come_before_those_at_atomics() {
    let few = Config { schedules: 20, ..config() };
    fails_with(&few, Kind::Deadlock, || {
        let (a, b) = (Mutex::new(0), Mutex::new(0));
        let atomics = [const { AtomicUsize::new(0) }; 40];
        let lock_and_count = |first: &Mutex<u8>, second: &Mutex<u8>| {
            atomics[..20].iter().for_each(|atomic| _ = atomic.swap(1, SeqCst));
            drop((first.lock().unwrap(), second.lock().unwrap()));
            atomics[20..].iter().for_each(|atomic| _ = atomic.swap(1, SeqCst));
        };
        thread::scope(|s| {
            s.spawn(|| lock_and_count(&a, &b));
            s.spawn(|| lock_and_count(&b, &a));
        });
    });
}

#[test]
fn a_mistake_in_the_noise_itself_is_found() {
    fails(Kind::Race, || {
        let count = AtomicUsize::new(0);
        thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| (0..1_000).for_each(|_| count.store(count.load(SeqCst) + 1, SeqCst)));
            }
        });
        assert_eq!(count.into_inner(), 2_000);
    });
}

#[test]
fn a_million_steps_of_one_thread_are_one_schedule() {
    for work in [|count: &mut u64| *count += 1, |count: &mut u64| assert_eq!(*count, 0)] {
        let explored = passes(move || {
            let count = Mutex::new(0);
            (0..1_000_000).for_each(|_| work(&mut count.lock().unwrap()));
        });
        assert_eq!(explored.coverage.to_string(), "the only schedule");
    }
}

#[test]
fn a_spin_lock_behind_noise_comes_to_an_end() {
    for noise in NOISES {
        passes(move || {
            let (locked, sum) = (AtomicUsize::new(0), AtomicUsize::new(0));
            thread::scope(|s| {
                for _ in 0..2 {
                    s.spawn(|| {
                        make(noise);
                        while locked.swap(1, SeqCst) == 1 {}
                        sum.store(sum.load(SeqCst) + 1, SeqCst);
                        locked.store(0, SeqCst);
                    });
                }
            });
            assert_eq!(sum.into_inner(), 2);
        });
    }
}

#[test]
fn a_worker_without_an_end_does_not_stop_the_clock() {
    passes(|| {
        let stop = Arc::new(AtomicUsize::new(0));
        let (seen, noise) = (Arc::clone(&stop), AtomicUsize::new(0));
        let worker = thread::spawn(move || {
            while seen.load(SeqCst) == 0 {
                make(NOISES[1]);
                noise.fetch_add(1, SeqCst);
            }
        });
        thread::sleep(Duration::from_secs(1));
        stop.store(1, SeqCst);
        worker.join().unwrap();
    });
}

#[test]
fn a_loop_that_changes_nothing_is_a_livelock_however_long_one_looks() {
    let exploration = run(|| {
        let stop = Mutex::new(false);
        make(NOISES[0]);
        while !*stop.lock().unwrap() {}
    });
    assert_eq!(support::failure(&exploration).kind, Kind::Livelock);
}

/// How many schedules of three threads are run while so many others wait.
fn schedules_beside(idle: usize) -> u64 {
    let coverage = passes(move || {
        let done = (Mutex::new(false), Condvar::new());
        thread::scope(|s| {
            for _ in 0..idle {
                s.spawn(|| drop(done.1.wait_while(done.0.lock().unwrap(), |done| !*done).unwrap()));
            }
            let counter = AtomicUsize::new(0);
            thread::scope(|s| {
                for _ in 0..3 {
                    s.spawn(|| (0..8).for_each(|_| _ = counter.fetch_add(1, SeqCst)));
                }
            });
            *done.0.lock().unwrap() = true;
            done.1.notify_all();
        });
    });
    coverage.coverage.schedules
}

/// A budget says how long a search may take, and each decision looks at all threads that live.
#[test]
fn what_takes_longer_beside_many_threads_is_done_less_often() {
    let (few, many) = (schedules_beside(0), schedules_beside(256));
    assert_eq!(few, 10_000);
    assert!((100..1_000).contains(&many), "{many}");
}

/// What the clock is patient for is a thread's way, and a crowd has many.
#[test]
fn the_clock_stands_still_until_each_of_a_crowd_has_gone_its_way() {
    passes_with(&Config { schedules: 2, ..config() }, || {
        let (arrived, done) = (Mutex::new(0), Condvar::new());
        thread::scope(|s| {
            for _ in 0..300 {
                s.spawn(|| {
                    for _ in 0..6 {
                        drop(arrived.lock());
                    }
                    let mut arrived = arrived.lock().unwrap();
                    *arrived += 1;
                    drop(done.wait_while(arrived, |arrived| *arrived != usize::MAX).unwrap());
                });
            }
            thread::sleep(Duration::from_secs(1));
            let arrived = std::mem::replace(&mut *arrived.lock().unwrap(), usize::MAX);
            done.notify_all();
            assert_eq!(arrived, 300, "who stands when time passes");
        });
    });
}

#[test]
fn of_a_crowd_the_first_few_are_named() {
    let told = |threads: usize| {
        fails(Kind::LostWakeup, move || {
            let (done, told) = (Mutex::new(false), Condvar::new());
            thread::scope(|s| {
                for _ in 0..threads {
                    s.spawn(|| drop(told.wait_while(done.lock().unwrap(), |done| !*done).unwrap()));
                }
            });
        })
    };
    let (all, few) = (told(8), told(300));
    assert_eq!(all.matches("waits for a notification").count(), 8, "{all}");
    assert!(few.matches("waits for a notification").count() == 7 && few.contains("; and 293 others wait\n"), "{few}");
}
