//! What only a faithful model can run: initialisation, time, panics, parking, and the end of `main`.

use super::Program;
use super::model::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use super::model::sync::mpsc::channel;
use super::model::sync::{Arc, Condvar, LazyLock, Mutex, OnceLock};
use super::model::thread;
use super::model::time::Duration;
use verdict::Kind::{Assertion, Deadlock, Leak, Livelock, LostWakeup, Panic, Race};

const HOUR: Duration = Duration::from_secs(3600);

/// Every program of this file.
pub(crate) fn programs() -> Vec<Program> {
    vec![
        Program::fails("if for while around wait", Race, || woken(false)),
        Program::passes("while around wait", || woken(true)),
        Program::fails("OnceLock re-entry", Deadlock, once_in_once),
        Program::passes("OnceLock filled by many", once_by_many),
        Program::fails("LazyLock that panics", Panic, lazy_panics),
        Program::fails("park token lost", LostWakeup, || park(true)),
        Program::passes("park token kept", || park(false)),
        Program::fails("poisoned lock unwrapped", Panic, || poisoned(false)),
        Program::passes("poisoned lock, recovered", || poisoned(true)),
        Program::fails("panicking thread never joined", Panic, || unjoined(false)),
        Program::passes("panicking thread joined", || unjoined(true)),
        Program::fails("permit lost on panic", LostWakeup, || permit(false)),
        Program::passes("permit given back by drop", || permit(true)),
        Program::fails("daemon's write lost at exit", Assertion, || daemon(false)).with_daemons(),
        Program::passes("daemon's write waited for", || daemon(true)).with_daemons(),
        Program::fails("thread left behind", Leak, left_behind),
        Program::fails("timeouts that lie", Race, || patience(false)).with_hostile_timeouts(),
        Program::passes("timeouts, looked at again", || patience(true)).with_hostile_timeouts(),
        Program::fails("spinning on a flag that nobody raises", Livelock, || spin(false)),
        Program::passes("spinning on a flag that somebody raises", || spin(true)),
        Program::fails("nested pool submit", Deadlock, || nested(1)),
        Program::passes("nested pool submit, with a worker to spare", || nested(2)),
    ]
}

fn woken(looks_again: bool) {
    let flag: Arc<(Mutex<bool>, Condvar)> = Arc::default();
    let waiter = {
        let flag = Arc::clone(&flag);
        thread::spawn(move || {
            let mut set = flag.0.lock().unwrap();
            if looks_again {
                while !*set {
                    set = flag.1.wait(set).unwrap();
                }
            } else if !*set {
                set = flag.1.wait(set).unwrap();
            }
            *set
        })
    };
    *flag.0.lock().unwrap() = true;
    flag.1.notify_one();
    assert!(waiter.join().unwrap(), "woken, but not by us");
}

fn once_in_once() {
    let cell: Arc<OnceLock<u8>> = Arc::default();
    let inner = Arc::clone(&cell);
    cell.get_or_init(|| *inner.get_or_init(|| 1));
}

fn once_by_many() {
    let (cell, made) = (Arc::new(OnceLock::new()), Arc::new(AtomicUsize::new(0)));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| cell.get_or_init(|| made.fetch_add(1, SeqCst)));
        }
    });
    assert_eq!(made.load(SeqCst), 1);
}

fn lazy_panics() {
    let lazy: LazyLock<u8> = LazyLock::new(|| "x".parse().unwrap());
    assert_eq!(*lazy, 1);
}

/// The token of an `unpark` is taken by a lock that parks inside of itself.
fn park(wasted: bool) {
    let ready = Arc::new(AtomicBool::new(false));
    let sleeper = {
        let ready = Arc::clone(&ready);
        thread::spawn(move || {
            if wasted {
                // Waits for something else with the same token.
                thread::park_timeout(HOUR);
                if !ready.load(SeqCst) {
                    thread::park();
                    return;
                }
                thread::park();
            }
            while !ready.load(SeqCst) {
                thread::park();
            }
        })
    };
    ready.store(true, SeqCst);
    sleeper.thread().unpark();
    sleeper.join().unwrap();
}

fn poisoned(recovers: bool) {
    let value = Arc::new(Mutex::new(0));
    let worker = {
        let value = Arc::clone(&value);
        thread::spawn(move || {
            let _guard = value.lock().unwrap();
            panic!("deliberate");
        })
    };
    assert!(worker.join().is_err());
    if recovers {
        *value.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) += 1;
    } else {
        *value.lock().unwrap() += 1;
    }
}

fn unjoined(joined: bool) {
    let (sender, receiver) = channel::<u8>();
    let worker = thread::spawn(move || {
        let _sender = sender;
        panic!("deliberate");
    });
    // The channel closes when the worker is at its end.
    assert!(receiver.recv().is_err());
    if joined {
        assert!(worker.join().is_err());
    }
}

struct Permits {
    free: Mutex<u32>,
    changed: Condvar,
}

impl Permits {
    fn take(&self) {
        let mut free = self.free.lock().unwrap();
        while *free == 0 {
            free = self.changed.wait(free).unwrap();
        }
        *free -= 1;
    }

    fn give_back(&self) {
        *self.free.lock().unwrap() += 1;
        self.changed.notify_one();
    }
}

struct GivesBack<'a>(&'a Permits);

impl Drop for GivesBack<'_> {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

fn permit(by_drop: bool) {
    let permits = Arc::new(Permits { free: Mutex::new(1), changed: Condvar::new() });
    let worker = {
        let permits = Arc::clone(&permits);
        thread::spawn(move || {
            permits.take();
            let guard = by_drop.then(|| GivesBack(&permits));
            if by_drop || !permits.free.is_poisoned() {
                panic!("deliberate");
            }
            drop(guard);
            permits.give_back();
        })
    };
    assert!(worker.join().is_err());
    permits.take();
}

fn daemon(waited: bool) {
    let written = Arc::new(AtomicBool::new(false));
    let daemon = {
        let written = Arc::clone(&written);
        thread::spawn(move || {
            thread::sleep(HOUR);
            written.store(true, SeqCst);
        })
    };
    if waited {
        daemon.join().unwrap();
    }
    assert!(written.load(SeqCst), "the program ended first");
}

fn left_behind() {
    let (_keep, room): (Arc<()>, Arc<(Mutex<bool>, Condvar)>) = Default::default();
    let _forgotten = thread::spawn(move || drop(room.1.wait(room.0.lock().unwrap())));
}

/// A timeout may fire although the value has come at the same moment: the last look decides.
fn patience(looks_again: bool) {
    let value: Arc<(Mutex<Option<u8>>, Condvar)> = Arc::default();
    let giver = {
        let value = Arc::clone(&value);
        thread::spawn(move || {
            *value.0.lock().unwrap() = Some(1);
            value.1.notify_one();
        })
    };
    let guard = value.0.lock().unwrap();
    let (guard, timed_out) = value.1.wait_timeout_while(guard, HOUR, |value| value.is_none()).unwrap();
    let got = *guard;
    drop(guard);
    giver.join().unwrap();
    let late = value.0.lock().unwrap().is_some();
    if looks_again {
        assert!(got.is_some() || timed_out.timed_out());
    } else {
        assert!(late && got.is_some(), "an hour is surely enough");
    }
}

fn spin(raised: bool) {
    let flag = Arc::new(AtomicBool::new(false));
    let spinner = {
        let flag = Arc::clone(&flag);
        thread::spawn(move || while !flag.load(SeqCst) {})
    };
    if raised {
        flag.store(true, SeqCst);
    }
    spinner.join().unwrap();
}

type Job = Box<dyn FnOnce() + Send>;

/// A job that submits another one to its own pool and waits for it: with every worker waiting, nobody is left to do it.
fn nested(workers: usize) {
    let (submit, jobs) = channel::<Job>();
    let jobs = Arc::new(Mutex::new(jobs));
    let pool: Vec<_> = (0..workers)
        .map(|_| {
            let jobs = Arc::clone(&jobs);
            thread::spawn(move || {
                loop {
                    let job = jobs.lock().unwrap().recv();
                    match job {
                        Ok(job) => job(),
                        Err(_) => return,
                    }
                }
            })
        })
        .collect();
    let (done, finished) = channel();
    let inner = submit.clone();
    submit
        .send(Box::new(move || {
            let (told, tell) = channel();
            inner.send(Box::new(move || told.send(()).unwrap())).unwrap();
            drop(inner);
            tell.recv().unwrap();
            done.send(()).unwrap();
        }))
        .unwrap();
    finished.recv().unwrap();
    drop(submit);
    pool.into_iter().for_each(|worker| worker.join().unwrap());
}
