//! On random small programs of tasks the reduced search finds every outcome that the plain one finds.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::explored::{Config, every_outcome};
use std::fmt::Write;
use std::real::sync::{Arc, Mutex as RealMutex};
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use support::config;
use tokio::runtime::Builder;
use tokio::sync::{Mutex, Notify, Semaphore, mpsc};
use tokio::task::yield_now;

/// What one task of a random program can do.
#[derive(Clone, Copy, Debug)]
enum Act {
    Load(usize),
    FetchAdd(usize),
    Lock(usize),
    LockOverAwait(usize),
    TryLock(usize),
    StdLock,
    Send,
    TrySend,
    Receive,
    NotifyOne,
    NotifyWaiters,
    Notified,
    Acquire,
    Yield,
    Sleep(u64),
    SelectAtomics,
    SelectLockOrSleep,
    SelectReceiveOrNotified,
    AbortFirst,
    Blocking,
}

/// A generator of programs: any will do, as long as it is the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % sides) as usize
    }
}

struct World {
    atomics: [AtomicUsize; 2],
    locks: [Mutex<usize>; 2],
    std_lock: StdMutex<usize>,
    sender: mpsc::Sender<usize>,
    receiver: Mutex<mpsc::Receiver<usize>>,
    notify: Notify,
    semaphore: Semaphore,
    first: StdMutex<Option<tokio::task::AbortHandle>>,
}

async fn act(world: &Arc<World>, act: Act, log: &mut String) {
    let mut note = |text: &str, value: usize| write!(log, "{text}{value} ").unwrap();
    match act {
        Act::Load(i) => note("l", world.atomics[i].load(SeqCst)),
        Act::FetchAdd(i) => note("f", world.atomics[i].fetch_add(1, SeqCst)),
        Act::Lock(i) => {
            let mut guard = world.locks[i].lock().await;
            *guard += 1;
            note("L", *guard);
        }
        Act::LockOverAwait(i) => {
            let mut guard = world.locks[i].lock().await;
            *guard += 1;
            yield_now().await;
            note("A", *guard);
        }
        Act::TryLock(i) => note("t", world.locks[i].try_lock().map_or(99, |guard| *guard)),
        Act::StdLock => {
            let mut guard = world.std_lock.lock().unwrap();
            *guard += 1;
            note("s", *guard);
        }
        Act::Send => note("S", usize::from(world.sender.send(1).await.is_ok())),
        Act::TrySend => note("T", usize::from(world.sender.try_send(2).is_ok())),
        Act::Receive => note("R", world.receiver.lock().await.recv().await.unwrap_or(99)),
        Act::NotifyOne => world.notify.notify_one(),
        Act::NotifyWaiters => world.notify.notify_waiters(),
        Act::Notified => {
            world.notify.notified().await;
            note("N", world.atomics[0].load(SeqCst));
        }
        Act::Acquire => {
            let _permit = world.semaphore.acquire().await.unwrap();
            note("P", world.atomics[0].fetch_add(1, SeqCst));
            yield_now().await;
        }
        Act::Yield => yield_now().await,
        Act::Sleep(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
        Act::SelectAtomics => tokio::select! {
            value = async { world.atomics[0].fetch_add(1, SeqCst) } => note("0:", value),
            value = async { world.atomics[1].fetch_add(1, SeqCst) } => note("1:", value),
        },
        Act::SelectLockOrSleep => tokio::select! {
            guard = world.locks[0].lock() => note("W", *guard),
            () = tokio::time::sleep(Duration::from_millis(1)) => note("w", 0),
        },
        Act::SelectReceiveOrNotified => tokio::select! {
            value = async { world.receiver.lock().await.recv().await } => note("V", value.unwrap_or(99)),
            () = world.notify.notified() => note("v", 0),
        },
        Act::AbortFirst => {
            let first = world.first.lock().unwrap().clone();
            if let Some(first) = first {
                first.abort();
            }
        }
        Act::Blocking => {
            let other = Arc::clone(world);
            let value = tokio::task::spawn_blocking(move || other.atomics[0].fetch_add(1, SeqCst)).await;
            note("B", value.unwrap_or(99));
        }
    }
}

/// No workers are a current-thread runtime.
fn run(workers: usize, program: &[Vec<Act>], logs: &RealMutex<Vec<String>>) {
    *logs.lock().unwrap() = vec![String::new(); program.len()];
    let mut builder = if workers == 0 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    let runtime = builder.worker_threads(workers.max(1)).enable_all().build().unwrap();
    let (sender, receiver) = mpsc::channel(1);
    let world = Arc::new(World {
        atomics: Default::default(),
        locks: Default::default(),
        std_lock: Default::default(),
        sender,
        receiver: Mutex::new(receiver),
        notify: Notify::new(),
        semaphore: Semaphore::new(1),
        first: StdMutex::new(None),
    });
    runtime.block_on(async {
        // Objects are named in the order of their first use.
        drop((world.locks[0].lock().await, world.locks[1].lock().await, world.receiver.lock().await));
        drop((world.std_lock.lock(), world.sender.capacity(), world.semaphore.available_permits()));
        world.notify.notify_waiters();
        let tasks: Vec<_> = program
            .iter()
            .map(|acts| {
                let (world, acts) = (Arc::clone(&world), acts.clone());
                tokio::spawn(async move {
                    let mut log = String::new();
                    for one in acts {
                        act(&world, one, &mut log).await;
                    }
                    log
                })
            })
            .collect();
        *world.first.lock().unwrap() = Some(tasks[0].abort_handle());
        for (index, task) in tasks.into_iter().enumerate() {
            let log = task.await.unwrap_or_else(|_| "aborted".to_string());
            logs.lock().unwrap()[index] = log;
        }
    });
}

/// How many schedules each search needs for the same outcomes. Nothing if the plain one needs too many.
fn compare(config: &Config, workers: usize, program: &[Vec<Act>]) -> Option<(u64, u64)> {
    let outcomes = |reduced| {
        let logs = Arc::new(RealMutex::new(Vec::new()));
        let (written, program) = (Arc::clone(&logs), program.to_vec());
        let log = move || logs.lock().unwrap().join("|");
        every_outcome(config, reduced, false, log, move || run(workers, &program, &written))
    };
    let plain = outcomes(false)?;
    let reduced = outcomes(true).expect("the reduced search runs no more schedules than the plain one");
    let keys = |outcomes: &BTreeMap<String, u64>| outcomes.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(&plain), keys(&reduced), "{workers} {program:?}");
    Some((plain.values().sum(), reduced.values().sum()))
}

const ACTS: &[Act] = &[
    Act::Load(0),
    Act::Load(1),
    Act::FetchAdd(0),
    Act::FetchAdd(1),
    Act::Lock(0),
    Act::Lock(1),
    Act::LockOverAwait(0),
    Act::TryLock(0),
    Act::StdLock,
    Act::Send,
    Act::TrySend,
    Act::Receive,
    Act::NotifyOne,
    Act::NotifyWaiters,
    Act::Notified,
    Act::Acquire,
    Act::Yield,
    Act::Sleep(1),
    Act::Sleep(2),
    Act::SelectAtomics,
    Act::SelectLockOrSleep,
    Act::SelectReceiveOrNotified,
    Act::AbortFirst,
    Act::Blocking,
];

fn seed() -> u64 {
    std::env::var("INTERLEAVE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

/// Compares random programs until so many could be.
fn random_programs(workers: usize, spurious: u32, wanted: usize) {
    let config = Config { schedules: 2_000, spurious, ..config() };
    let mut dice = Dice(seed().wrapping_mul(1_000).wrapping_add(workers as u64 * 10 + u64::from(spurious)));
    let (mut compared, mut plain_runs, mut reduced_runs) = (0, 0, 0);
    for _ in 0..wanted * 20 {
        let tasks = 2 + dice.roll(2);
        let program: Vec<Vec<Act>> =
            (0..tasks).map(|_| (0..1 + dice.roll(2)).map(|_| ACTS[dice.roll(ACTS.len() as u64)]).collect()).collect();
        if let Some((plain, reduced)) = compare(&config, workers, &program) {
            compared += 1;
            plain_runs += plain;
            reduced_runs += reduced;
        }
        if compared == wanted {
            break;
        }
    }
    println!("{workers} workers: {compared} programs, {plain_runs} plain schedules, {reduced_runs} reduced");
    assert!(compared >= wanted / 2, "only {compared} programs were small enough");
}

#[test]
fn on_one_thread() {
    random_programs(0, 0, 40);
}

#[test]
fn on_one_thread_with_a_spurious_poll() {
    random_programs(0, 1, 20);
}

#[test]
fn on_one_worker() {
    random_programs(1, 0, 10);
}

#[test]
fn on_two_workers() {
    random_programs(2, 0, 10);
}

#[test]
fn what_random_programs_have_shown_once_stays_right() {
    use Act::{AbortFirst, FetchAdd, Load, Lock, SelectAtomics, SelectLockOrSleep, StdLock, TrySend};
    let agree = |spurious, program: &[&[Act]]| {
        let config = Config { schedules: 2_000, spurious, ..config() };
        let program: Vec<Vec<Act>> = program.iter().map(|acts| acts.to_vec()).collect();
        assert!(compare(&config, 0, &program).is_some(), "{program:?} is too large");
    };
    // A poll that ends by aborting a task can't begin before that task's poll and end after it.
    agree(1, &[&[SelectAtomics], &[SelectLockOrSleep, AbortFirst], &[Load(0)]]);
    // A poll whose end depends on another one can't come first where that one does, though its beginning could.
    agree(0, &[&[FetchAdd(0)], &[Lock(1), StdLock], &[StdLock, TrySend], &[FetchAdd(0), Lock(1)]]);
    agree(
        0,
        &[&[FetchAdd(1)], &[Lock(0), TrySend, StdLock], &[FetchAdd(1), Lock(0)], &[TrySend, Lock(1), FetchAdd(0)]],
    );
    agree(
        0,
        &[&[Lock(1), Lock(0)], &[Lock(1), TrySend], &[FetchAdd(1), FetchAdd(1), Lock(0)], &[TrySend, FetchAdd(1)]],
    );
}
