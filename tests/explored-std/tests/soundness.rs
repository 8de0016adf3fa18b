//! The reduced search finds every outcome that the plain one finds, on random small programs, and counts schedules right on
//! programs that one can count by hand.

#[macro_use]
extern crate explored_std as std;

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::explored::{Config, Timeouts, every_outcome, explore};
use std::fmt::Write;
use std::raw::{Arm, Deadline, RawChannel, Refusal, Selection};
use std::real::sync::{Arc, Mutex as RealMutex, atomic as real_atomic};
use std::sync::atomic::{AtomicUsize, Ordering, Ordering::SeqCst, fence};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel, sync_channel};
use std::sync::{Barrier, Condvar, Mutex, Once, OnceLock, RwLock, RwLockWriteGuard};
use std::thread;
use std::time::Duration;

use support::{config, in_a_process, passes, passes_with};
use verdict::{Ask, Question};

/// What one thread of a random program can do.
#[derive(Clone, Copy, Debug)]
enum Act {
    Add(usize),
    AddTwo,
    Load(usize),
    Store(usize, usize),
    FetchAdd(usize),
    CompareExchange(usize),
    TryLock(usize),
    Read,
    TryRead,
    Write,
    WriteAndRead,
    ReadAndAdd,
    Wait,
    WaitTimeout,
    NotifyOne,
    NotifyAll,
    Send,
    SyncSend,
    Receive,
    TryReceive,
    HangUp,
    StopListening,
    Post(usize),
    TryPost(usize),
    Take(usize),
    TryTake(usize),
    TakeTimeout(usize),
    Leave(usize),
    StopTaking(usize),
    SelectSend,
    CallOnce,
    TryWrite,
    WaitWhile,
    Select,
    TrySelect,
    SelectTimeout,
    Park,
    UnparkMain,
    Yield,
    Sleep,
    HandOver,
    TakeOver,
    TryHandOver,
    GetOrInit(usize),
    Get,
    Meet,
    ReadTwice,
    ParkTimeout,
    ReceiveTimeout,
    LoadAs(usize, Ordering),
    StoreAs(usize, usize, Ordering),
    FetchAddAs(usize, Ordering),
    CompareExchangeAs(usize, Ordering),
    Fence(Ordering),
}

/// A generator of programs: any will do, as long as it is the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn act(&mut self, acts: &[Act]) -> Act {
        acts[self.roll(acts.len() as u64) as usize]
    }
}

/// What the threads of a program meet at.
struct World {
    mutexes: [Mutex<usize>; 2],
    atomics: [AtomicUsize; 2],
    shared: RwLock<usize>,
    changed: Condvar,
    out: Mutex<Option<Sender<usize>>>,
    bounded: Mutex<std::sync::mpsc::SyncSender<usize>>,
    inbox: Mutex<Option<Receiver<usize>>>,
    /// Without a lock around them: each thread that sends has a sender. How many messages of each were sent and taken is all there is to know.
    channels: [RawChannel; CHANNELS_IN_ALL],
    begun: Once,
    main: thread::Thread,
    cell: OnceLock<usize>,
    meeting: Barrier,
    over: Mutex<std::sync::mpsc::SyncSender<usize>>,
    across: Mutex<Receiver<usize>>,
}

/// `ends` says which ends of channels the thread has.
fn perform(act: Act, world: &World, ends: &mut Ends, log: &mut String) {
    let seen = match act {
        Act::Add(i) => {
            let mut held = world.mutexes[i].lock().unwrap();
            *held += 1;
            *held
        }
        Act::AddTwo => {
            let mut first = world.mutexes[1].lock().unwrap();
            *first += *world.mutexes[0].lock().unwrap();
            *first
        }
        Act::Load(i) => world.atomics[i].load(SeqCst),
        Act::Store(i, value) => {
            world.atomics[i].store(value, SeqCst);
            return;
        }
        Act::FetchAdd(i) => world.atomics[i].fetch_add(1, SeqCst),
        Act::CompareExchange(i) => {
            world.atomics[i].compare_exchange(0, 5, SeqCst, SeqCst).unwrap_or_else(|value| value + 10)
        }
        Act::TryLock(i) => world.mutexes[i].try_lock().map_or(99, |mut held| {
            *held += 1;
            *held
        }),
        Act::Read => *world.shared.read().unwrap(),
        Act::Write => {
            let mut held = world.shared.write().unwrap();
            *held += 1;
            *held
        }
        Act::TryRead => world.shared.try_read().map_or(98, |held| *held),
        Act::WriteAndRead => {
            let mut held = world.shared.write().unwrap();
            *held += 1;
            let before = world.atomics[0].load(SeqCst);
            let held = RwLockWriteGuard::downgrade(held);
            10 * before + *held + 2 * world.atomics[0].load(SeqCst)
        }
        Act::ReadAndAdd => {
            let held = world.shared.read().unwrap();
            10 * world.atomics[0].fetch_add(1, SeqCst) + *held
        }
        Act::Wait => *world.changed.wait(world.mutexes[0].lock().unwrap()).unwrap(),
        Act::WaitTimeout => {
            let held = world.mutexes[0].lock().unwrap();
            let (held, result) = world.changed.wait_timeout(held, Duration::from_millis(5)).unwrap();
            *held + if result.timed_out() { 100 } else { 0 }
        }
        Act::NotifyOne => return world.changed.notify_one(),
        Act::NotifyAll => return world.changed.notify_all(),
        Act::Send => world.out.lock().unwrap().as_ref().map_or(2, |out| out.send(7).map_or(1, |()| 0)),
        Act::SyncSend => world.bounded.lock().unwrap().send(8).map_or(1, |()| 0),
        Act::Receive => received(world, |inbox| inbox.recv().unwrap_or(50)),
        Act::TryReceive => received(world, |inbox| {
            inbox.try_recv().unwrap_or_else(|error| if error == TryRecvError::Empty { 51 } else { 55 })
        }),
        Act::HangUp => {
            let out = world.out.lock().unwrap().take();
            return drop(out);
        }
        Act::StopListening => {
            let inbox = world.inbox.lock().unwrap().take();
            return drop(inbox);
        }
        Act::Post(i) | Act::TryPost(i) if !ends.sends[i] => 90,
        Act::Post(i) => usize::from(world.channels[i].send(Deadline::NEVER, || (), |_| ()).is_err()),
        Act::TryPost(i) => taken(world.channels[i].try_send(|| ())),
        Act::Take(i) | Act::TryTake(i) | Act::TakeTimeout(i) if !ends.takes[i] => 91,
        Act::Select | Act::TrySelect | Act::SelectTimeout if !ends.takes[0] || !ends.takes[1] => 92,
        Act::SelectSend if !ends.takes[0] || !ends.sends[2] => 93,
        Act::SelectSend => {
            let arms = [Arm::Receive(&world.channels[0]), Arm::Send(&world.channels[2])];
            match std::raw::select(&arms, Selection { biased: false, deadline: Deadline::NEVER, try_only: false }) {
                Some(0) => 71 + usize::from(world.channels[0].take_selected().is_err()),
                _ => 75 + usize::from(world.channels[2].put_selected().is_err()),
            }
        }
        Act::CallOnce => {
            let mut mine = false;
            world.begun.call_once(|| mine = true);
            usize::from(mine)
        }
        Act::TryWrite => world.shared.try_write().map_or(97, |mut held| {
            *held += 1;
            *held
        }),
        Act::WaitWhile => *world.changed.wait_while(world.mutexes[0].lock().unwrap(), |count| *count == 0).unwrap(),
        Act::Take(i) => taken(world.channels[i].receive("take", Deadline::NEVER)),
        Act::TryTake(i) => taken(world.channels[i].try_receive()),
        Act::TakeTimeout(i) => taken(world.channels[i].receive("take", Deadline::after(Duration::from_millis(2)))),
        Act::Leave(i) => return leave(world, i, ends),
        Act::StopTaking(i) => return stop_taking(world, i, ends),
        Act::Select => selected(world, Deadline::NEVER, false),
        Act::TrySelect => selected(world, Deadline::NEVER, true),
        Act::SelectTimeout => selected(world, Deadline::after(Duration::from_millis(2)), false),
        Act::Park => return thread::park(),
        Act::UnparkMain => return world.main.unpark(),
        Act::Yield => return thread::yield_now(),
        Act::Sleep => return thread::sleep(Duration::from_millis(3)),
        Act::HandOver => sender(&world.over).send(9).map_or(1, |()| 0),
        Act::TryHandOver => sender(&world.over).try_send(9).map_or(1, |()| 0),
        Act::TakeOver => world.across.lock().unwrap().recv().unwrap_or(52),
        Act::GetOrInit(value) => *world.cell.get_or_init(|| value),
        Act::Get => world.cell.get().copied().unwrap_or(53),
        Act::Meet => usize::from(world.meeting.wait().is_leader()),
        Act::ReadTwice => {
            let first = world.shared.read().unwrap();
            *first + *world.shared.read().unwrap()
        }
        Act::ParkTimeout => return thread::park_timeout(Duration::from_millis(4)),
        Act::LoadAs(i, order) => world.atomics[i].load(order),
        Act::StoreAs(i, value, order) => {
            world.atomics[i].store(value, order);
            return;
        }
        Act::FetchAddAs(i, order) => world.atomics[i].fetch_add(1, order),
        Act::CompareExchangeAs(i, order) => {
            world.atomics[i].compare_exchange(3, 5, SeqCst, order).unwrap_or_else(|value| value + 10)
        }
        Act::Fence(order) => return fence(order),
        Act::ReceiveTimeout => received(world, |inbox| {
            inbox.recv_timeout(Duration::from_millis(2)).unwrap_or_else(|error| error as usize + 60)
        }),
    };
    write!(log, "{seen},").unwrap();
}

/// What comes of receiving, unless nobody listens any more.
fn received(world: &World, receive: impl FnOnce(&Receiver<usize>) -> usize) -> usize {
    world.inbox.lock().unwrap().as_ref().map_or(56, receive)
}

/// What comes of taking a message.
fn taken(result: Result<(), Refusal>) -> usize {
    result.map_or_else(|refusal| 80 + refusal as usize, |()| 0)
}

/// From which channel a message was taken, and whether it was its end instead.
fn selected(world: &World, deadline: Deadline, try_only: bool) -> usize {
    let arms = [&world.channels[0], &world.channels[1]].map(Arm::Receive);
    let place = std::raw::select(&arms, Selection { biased: false, deadline, try_only });
    place.map_or(70, |place| 71 + 2 * place + usize::from(world.channels[place].take_selected().is_err()))
}

/// A sender of one's own.
fn sender(shared: &Mutex<std::sync::mpsc::SyncSender<usize>>) -> std::sync::mpsc::SyncSender<usize> {
    shared.lock().unwrap().clone()
}

/// Runs a program: main does the first part, threads the others. Each thread's log is what it saw.
fn run(program: &[Vec<Act>], joins: bool, logs: &Arc<RealMutex<Vec<String>>>) {
    let (out, inbox) = channel();
    let (bounded, _rest) = sync_channel(1);
    let (over, across) = sync_channel(0);
    let world = Arc::new(World {
        mutexes: [Mutex::new(0), Mutex::new(0)],
        atomics: Default::default(),
        shared: RwLock::new(0),
        changed: Condvar::new(),
        out: Mutex::new(Some(out)),
        bounded: Mutex::new(bounded),
        inbox: Mutex::new(Some(inbox)),
        channels: [None, None, Some(1), Some(0)].map(RawChannel::new::<()>),
        begun: Once::new(),
        main: thread::current(),
        cell: OnceLock::new(),
        meeting: Barrier::new(2),
        over: Mutex::new(over),
        across: Mutex::new(across),
    });
    // Names count objects in the order of their first use: let that not depend on the schedule.
    for mutex in &world.mutexes {
        drop(mutex.lock());
    }
    drop((world.over.lock(), world.across.lock(), world.cell.get()));
    drop((world.out.lock(), world.bounded.lock(), world.inbox.lock(), world.shared.read()));
    world.changed.notify_all();
    for (i, channel) in world.channels.iter().enumerate() {
        let count = |has: fn(&Ends) -> &[bool]| program.iter().filter(|acts| has(&Ends::of(acts))[i]).count();
        (1..count(|ends| &ends.sends)).for_each(|_| channel.add_sender());
        (1..count(|ends| &ends.takes)).for_each(|_| channel.add_receiver());
    }
    *logs.lock().unwrap() = vec![String::new(); program.len()];
    let threads: Vec<_> = (1..program.len())
        .map(|index| {
            let (world, logs, acts) = (Arc::clone(&world), Arc::clone(logs), program[index].clone());
            thread::spawn(move || act_all(&acts, &world, &logs, index))
        })
        .collect();
    act_all(&program[0], &world, logs, 0);
    for thread in threads {
        if joins {
            thread.join().unwrap();
        }
    }
}

fn act_all(acts: &[Act], world: &World, logs: &RealMutex<Vec<String>>, index: usize) {
    let mut ends = Ends::of(acts);
    for &act in acts {
        let mut log = String::new();
        perform(act, world, &mut ends, &mut log);
        logs.lock().unwrap()[index] += &log;
    }
    for channel in 0..CHANNELS_IN_ALL {
        leave(world, channel, &mut ends);
        stop_taking(world, channel, &mut ends);
    }
}

const CHANNELS_IN_ALL: usize = 4;

/// Of which channels a thread has a sender, and of which a receiver.
struct Ends {
    sends: [bool; CHANNELS_IN_ALL],
    takes: [bool; CHANNELS_IN_ALL],
}

impl Ends {
    /// Those that a thread needs that does this.
    fn of(acts: &[Act]) -> Ends {
        let mut ends = Ends { sends: Default::default(), takes: Default::default() };
        for act in acts {
            match *act {
                Act::Post(i) | Act::TryPost(i) | Act::Leave(i) => ends.sends[i] = true,
                Act::Take(i) | Act::TryTake(i) | Act::TakeTimeout(i) | Act::StopTaking(i) => ends.takes[i] = true,
                Act::Select | Act::TrySelect | Act::SelectTimeout => ends.takes[..2].fill(true),
                Act::SelectSend => (ends.takes[0], ends.sends[2]) = (true, true),
                _ => {}
            }
        }
        ends
    }
}

/// A thread drops its sender of a channel, if it has one.
fn leave(world: &World, channel: usize, ends: &mut Ends) {
    if std::mem::take(&mut ends.sends[channel]) {
        world.channels[channel].drop_sender();
    }
}

/// A thread drops its receiver of a channel, if it has one.
fn stop_taking(world: &World, channel: usize, ends: &mut Ends) {
    if std::mem::take(&mut ends.takes[channel]) {
        world.channels[channel].drop_receiver();
    }
}

/// Compares both searches on programs of these acts. Returns how many were compared, and how many schedules each ran.
fn compare(seed: u64, programs: usize, threads: usize, acts: &[Act], config: &Config) -> (usize, u64, u64) {
    // For a longer hunt: other programs.
    let more: u64 = std::env::var(verdict::SEED).ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let mut dice = Dice(seed + 1_000 * more);
    let (mut compared, mut plain_runs, mut reduced_runs) = (0, 0, 0);
    for number in 0..programs {
        let length = |dice: &mut Dice| 1 + dice.roll(3) as usize;
        let program: Vec<Vec<Act>> =
            (0..threads).map(|_| (0..length(&mut dice)).map(|_| dice.act(acts)).collect()).collect();
        if let Some((plain, reduced)) = compare_one(&program, config, false) {
            compared += 1;
            plain_runs += plain;
            reduced_runs += reduced;
        }
        // Coarsely: what is done three times in a row is decided once.
        if number % 2 == 0 {
            let again = |acts: &Vec<Act>| acts.iter().flat_map(|&act| [act; 3]).collect();
            compare_one(&program.iter().map(again).collect::<Vec<_>>(), config, true);
        }
    }
    (compared, plain_runs, reduced_runs)
}

/// Compares both searches on one program. Returns how many schedules each ran; nothing if it is too large for the plain one.
fn compare_one(program: &[Vec<Act>], config: &Config, coarse: bool) -> Option<(u64, u64)> {
    let joins = !config.daemons;
    let outcomes = |reduced| {
        let logs = Arc::new(RealMutex::new(Vec::new()));
        let (written, program) = (Arc::clone(&logs), program.to_vec());
        let log = move || logs.lock().unwrap().join("|");
        every_outcome(config, reduced, coarse, log, move || run(&program, joins, &written))
    };
    let plain = outcomes(false)?;
    let reduced = outcomes(true).expect("the reduced search runs no more schedules than the plain one");
    let keys = |outcomes: &BTreeMap<String, u64>| outcomes.keys().cloned().collect::<BTreeSet<_>>();
    let (all, found) = (keys(&plain), keys(&reduced));
    let (missing, strange) = (all.difference(&found).collect::<Vec<_>>(), found.difference(&all).collect::<Vec<_>>());
    assert!(missing.is_empty() && strange.is_empty(), "{program:?}: {missing:?} not found, {strange:?} made up");
    Some((plain.values().sum(), reduced.values().sum()))
}

/// A position of a program after so many moves at random, as a schedule; nothing if the program is over before.
fn wander(program: &[Vec<Act>], config: &Config, moves: u64, dice: &mut Dice) -> Option<String> {
    let stand = |replay: Option<String>, after| {
        let (program, joins) = (program.to_vec(), !config.daemons);
        let config = Config { replay, ask: Some(Ask { question: Question::Next, after }), ..config.clone() };
        explore(&config, move || run(&program, joins, &Arc::default()))
    };
    let known = stand(None, 0).trace?.schedule;
    let mut position = stand(Some(known), 0).position?;
    let mut schedule = None;
    for _ in 0..moves {
        let next = dice.roll(position.moves.len().max(1) as u64) as usize;
        let chosen = position.moves.get(next)?.schedule.clone();
        position = stand(Some(chosen.clone()), usize::MAX).position?;
        schedule = Some(chosen);
    }
    schedule
}

/// Compares both searches from positions of programs of these acts. Returns how many were compared.
fn compare_positions(seed: u64, acts: &[Act], config: &Config) -> usize {
    let mut dice = Dice(seed);
    let mut compared = 0;
    for number in 0..44 {
        let mut acts = |_| (0..1 + dice.roll(3)).map(|_| dice.act(acts)).collect::<Vec<Act>>();
        let program: Vec<Vec<Act>> = (0..2 + number % 2).map(&mut acts).collect();
        // Main prepares its world in some ten steps before anything else can happen.
        let moves = 8 + dice.roll(12);
        if let Some(schedule) = wander(&program, config, moves, &mut dice) {
            compared += usize::from(compare_one(&program, &from(config, schedule), false).is_some());
        }
    }
    compared
}

fn from(config: &Config, schedule: String) -> Config {
    Config { replay: Some(schedule), ..config.clone() }
}

const LOCKS_AND_ATOMICS: &[Act] = &[
    Act::Add(0),
    Act::Add(1),
    Act::AddTwo,
    Act::Load(0),
    Act::Load(1),
    Act::Store(0, 3),
    Act::Store(1, 4),
    Act::FetchAdd(0),
    Act::FetchAdd(1),
    Act::CompareExchange(0),
    Act::Read,
    Act::Write,
    Act::Yield,
];

const ORDERINGS: &[Act] = &[
    Act::LoadAs(0, Ordering::Relaxed),
    Act::LoadAs(1, Ordering::Relaxed),
    Act::LoadAs(0, Ordering::Acquire),
    Act::LoadAs(1, SeqCst),
    Act::StoreAs(0, 3, Ordering::Relaxed),
    Act::StoreAs(1, 4, Ordering::Relaxed),
    Act::StoreAs(0, 5, Ordering::Release),
    Act::StoreAs(1, 6, SeqCst),
    Act::FetchAddAs(1, Ordering::Relaxed),
    Act::CompareExchangeAs(0, Ordering::Relaxed),
    Act::Fence(Ordering::Acquire),
    Act::Fence(Ordering::Release),
    Act::Fence(SeqCst),
];

const ORDERINGS_AND_WAITING: &[Act] = &[
    Act::LoadAs(0, Ordering::Relaxed),
    Act::LoadAs(1, Ordering::Acquire),
    Act::StoreAs(0, 3, Ordering::Relaxed),
    Act::StoreAs(1, 4, Ordering::Release),
    Act::Add(0),
    Act::Read,
    Act::Write,
    Act::Send,
    Act::Receive,
    Act::Park,
    Act::UnparkMain,
    Act::NotifyAll,
    Act::Wait,
    Act::Sleep,
    Act::GetOrInit(1),
];

const LOOKING: &[Act] = &[
    Act::Add(0),
    Act::Add(1),
    Act::AddTwo,
    Act::TryLock(0),
    Act::TryLock(1),
    Act::Load(0),
    Act::FetchAdd(0),
    Act::TryReceive,
    Act::Send,
];

const READING: &[Act] =
    &[Act::Read, Act::ReadAndAdd, Act::WriteAndRead, Act::Write, Act::FetchAdd(0), Act::Store(0, 3)];

const READING_OR_NOT: &[Act] = &[
    Act::Read,
    Act::ReadAndAdd,
    Act::TryRead,
    Act::WriteAndRead,
    Act::Write,
    Act::FetchAdd(0),
    Act::Store(0, 3),
    Act::Load(0),
];

const WAITING: &[Act] = &[
    Act::Add(0),
    Act::Wait,
    Act::NotifyOne,
    Act::NotifyAll,
    Act::Load(0),
    Act::FetchAdd(0),
    Act::Park,
    Act::UnparkMain,
];

const MESSAGES: &[Act] = &[Act::Send, Act::SyncSend, Act::Receive, Act::Add(0), Act::FetchAdd(0)];

const CHANNELS: &[Act] = &[
    Act::Post(0),
    Act::Post(0),
    Act::Take(0),
    Act::Take(0),
    Act::TryTake(0),
    Act::Leave(0),
    Act::Add(0),
    Act::FetchAdd(0),
];

const FULL_CHANNELS: &[Act] = &[
    Act::Post(2),
    Act::TryPost(2),
    Act::Take(2),
    Act::TryTake(2),
    Act::StopTaking(2),
    Act::Leave(2),
    Act::FetchAdd(0),
    Act::Add(0),
];

const RENDEZVOUS: &[Act] = &[
    Act::Post(3),
    Act::TryPost(3),
    Act::Take(3),
    Act::TryTake(3),
    Act::TakeTimeout(3),
    Act::StopTaking(3),
    Act::FetchAdd(0),
];

const ALL: &[Act] = &[
    Act::Add(0),
    Act::AddTwo,
    Act::Load(0),
    Act::Store(0, 3),
    Act::FetchAdd(1),
    Act::CompareExchange(0),
    Act::TryLock(0),
    Act::Read,
    Act::ReadTwice,
    Act::ReadAndAdd,
    Act::TryRead,
    Act::Write,
    Act::TryWrite,
    Act::WriteAndRead,
    Act::Wait,
    Act::WaitWhile,
    Act::WaitTimeout,
    Act::NotifyOne,
    Act::NotifyAll,
    Act::Send,
    Act::SyncSend,
    Act::Receive,
    Act::TryReceive,
    Act::HangUp,
    Act::StopListening,
    Act::Post(0),
    Act::Post(2),
    Act::Post(3),
    Act::TryPost(2),
    Act::TryPost(3),
    Act::Take(0),
    Act::Take(2),
    Act::Take(3),
    Act::TryTake(2),
    Act::TakeTimeout(0),
    Act::Leave(0),
    Act::StopTaking(2),
    Act::Select,
    Act::TrySelect,
    Act::SelectTimeout,
    Act::SelectSend,
    Act::Park,
    Act::ParkTimeout,
    Act::UnparkMain,
    Act::Yield,
    Act::Sleep,
    Act::HandOver,
    Act::TakeOver,
    Act::TryHandOver,
    Act::GetOrInit(1),
    Act::GetOrInit(2),
    Act::Get,
    Act::CallOnce,
    Act::Meet,
    Act::ReceiveTimeout,
];

const CHANNELS_FOR_A_WHILE: &[Act] =
    &[Act::Post(0), Act::Take(0), Act::TakeTimeout(0), Act::Leave(0), Act::FetchAdd(0), Act::Sleep];

const ENDS_OF_CHANNELS: &[Act] = &[
    Act::Send,
    Act::Receive,
    Act::ReceiveTimeout,
    Act::TryReceive,
    Act::HangUp,
    Act::StopListening,
    Act::Add(0),
    Act::FetchAdd(0),
];

const SELECTING: &[Act] = &[
    Act::Post(0),
    Act::Post(1),
    Act::Leave(0),
    Act::Leave(1),
    Act::Select,
    Act::SelectSend,
    Act::Take(2),
    Act::FetchAdd(0),
    Act::Add(0),
];

const SELECTING_OR_NOT: &[Act] = &[
    Act::Post(0),
    Act::Post(1),
    Act::Leave(0),
    Act::TrySelect,
    Act::Select,
    Act::SelectTimeout,
    Act::FetchAdd(0),
    Act::Sleep,
];

const TIMED: &[Act] = &[Act::Add(0), Act::WaitTimeout, Act::NotifyOne, Act::Sleep, Act::FetchAdd(0), Act::Load(0)];

const HAND_TO_HAND: &[Act] = &[Act::HandOver, Act::TakeOver, Act::TryHandOver, Act::Add(0), Act::FetchAdd(0)];

const ONCE_AND_MEETING: &[Act] =
    &[Act::GetOrInit(1), Act::GetOrInit(2), Act::Get, Act::Meet, Act::ReadTwice, Act::Write, Act::FetchAdd(0)];

const MORE_TIMED: &[Act] =
    &[Act::ParkTimeout, Act::UnparkMain, Act::ReceiveTimeout, Act::Send, Act::Sleep, Act::FetchAdd(0)];

#[track_caller]
fn check(seed: u64, acts: &[Act], config: &Config) {
    check_so_many([66, 36], seed, acts, config);
}

/// A third as many: for what other sets have most of, too.
#[track_caller]
fn check_some(seed: u64, acts: &[Act], config: &Config) {
    check_so_many([22, 12], seed, acts, config);
}

#[track_caller]
fn check_so_many([of_two, of_three]: [usize; 2], seed: u64, acts: &[Act], config: &Config) {
    let two = compare(seed, of_two, 2, acts, config);
    let three = compare(seed + 1, of_three, 3, acts, config);
    let (compared, plain, reduced) = (two.0 + three.0, two.1 + three.1, two.2 + three.2);
    println!("{compared} programs, {plain} plain schedules, {reduced} reduced");
    assert!(2 * compared >= of_two + of_three - 2, "only {compared} programs were small enough");
    assert!(reduced < plain);
}

fn small() -> Config {
    Config { schedules: 10_000, ..config() }
}

/// Tests that take seconds each, in a process of their own.
macro_rules! long_tests {
    ($($name:ident $body:block)*) => {
        $(
            #[test]
            fn $name() {
                in_a_process(stringify!($name), || $body);
            }
        )*
    };
}

long_tests! {
    locks_and_atomics_are_reduced_soundly {
        check(1, LOCKS_AND_ATOMICS, &small());
    }

    programs_that_look_whether_a_lock_is_held_are_reduced_soundly {
        check(2, LOOKING, &small());
    }

    waiting_and_notifying_is_reduced_soundly {
        check(3, WAITING, &Config { spurious: 0, ..small() });
    }

    spurious_wakeups_are_reduced_soundly {
        check(4, WAITING, &small());
    }

    messages_are_reduced_soundly {
        check(5, MESSAGES, &small());
    }

    timeouts_are_reduced_soundly {
        check(6, TIMED, &Config { spurious: 0, ..small() });
    }

    hostile_timeouts_are_reduced_soundly {
        check(7, TIMED, &Config { spurious: 0, timeouts: Timeouts::Hostile, ..small() });
    }

    handing_over_is_reduced_soundly {
        check(8, HAND_TO_HAND, &small());
    }

    initialising_and_meeting_is_reduced_soundly {
        check(9, ONCE_AND_MEETING, &small());
    }

    more_timeouts_are_reduced_soundly {
        check(10, MORE_TIMED, &small());
        check(11, MORE_TIMED, &Config { spurious: 0, timeouts: Timeouts::Hostile, ..small() });
    }

    daemons_are_reduced_soundly {
        check(12, LOCKS_AND_ATOMICS, &Config { daemons: true, ..small() });
        check(13, WAITING, &Config { daemons: true, ..small() });
    }

    weaker_orderings_are_reduced_soundly {
        check(14, ORDERINGS, &small());
        check(16, ORDERINGS_AND_WAITING, &Config { spurious: 0, ..small() });
    }

    reading_is_reduced_soundly {
        check(33, READING, &small());
        check_some(35, READING_OR_NOT, &small());
    }

    channels_without_locks_are_reduced_soundly {
        check(27, CHANNELS, &small());
        check_some(37, FULL_CHANNELS, &small());
        check(39, RENDEZVOUS, &Config { spurious: 0, ..small() });
        check_some(29, CHANNELS_FOR_A_WHILE, &Config { spurious: 0, ..small() });
        check_some(31, CHANNELS_FOR_A_WHILE, &Config { spurious: 0, timeouts: Timeouts::Hostile, ..small() });
    }

    ends_of_channels_are_reduced_soundly {
        check_some(17, ENDS_OF_CHANNELS, &small());
        check_some(19, ENDS_OF_CHANNELS, &Config { spurious: 0, timeouts: Timeouts::Hostile, ..small() });
    }

    everything_together_is_reduced_soundly {
        check_some(41, ALL, &Config { spurious: 0, ..small() });
        check_some(43, ALL, &small());
        check_some(45, ALL, &Config { spurious: 0, timeouts: Timeouts::Hostile, ..small() });
        check_some(47, ALL, &Config { daemons: true, ..small() });
    }

    selecting_is_reduced_soundly {
        check(21, SELECTING, &small());
        check_some(23, SELECTING_OR_NOT, &small());
        check_some(25, SELECTING_OR_NOT, &Config { spurious: 0, timeouts: Timeouts::Hostile, ..small() });
    }

    what_random_programs_have_shown_once_stays_right {
        use Act::{Add, AddTwo, FetchAdd, Load, NotifyOne, Receive, Send, Store, SyncSend, WaitTimeout, Write, Yield};
        let quiet = Config { spurious: 0, ..small() };
        let hostile = Config { timeouts: Timeouts::Hostile, ..quiet.clone() };
        let daemons = Config { daemons: true, ..small() };
        let agree = |config: &Config, coarse, program: &[&[Act]]| {
            let program: Vec<Vec<Act>> = program.iter().map(|acts| acts.to_vec()).collect();
            assert!(compare_one(&program, config, coarse).is_some(), "{program:?} is too large");
        };
        // A thread that waits for a lock in a repeated schedule is not forgotten.
        let waits: &[&[Act]] = &[&[Receive, SyncSend, SyncSend], &[SyncSend, Add(0), Add(0)], &[Send, FetchAdd(0), Add(0)]];
        agree(&small(), false, waits);
        // Nor what a repeated step touches besides.
        agree(&small(), true, &[&[Load(1), FetchAdd(1)], &[Load(0), Load(0)], &[Store(0, 5), Load(1), Load(1), Store(0, 3)]]);
        // Who yields twice and has looked at nothing is not waiting.
        agree(&daemons, false, &[&[Store(0, 3), Load(0)], &[Yield, Yield, FetchAdd(0)]]);
        agree(&daemons, false, &[&[Yield, Yield], &[Store(0, 3), FetchAdd(0)]]);
        agree(&daemons, false, &[&[Store(0, 3), Load(0)], &[Yield, Yield, Load(1), Load(1), FetchAdd(0)]]);
        // Whether a repeated step is passed tells whether a lock is held.
        agree(&daemons, true, &[&[AddTwo], &[AddTwo, AddTwo, Write, AddTwo]]);
        agree(&quiet, true, &[&[WaitTimeout], &[Add(0), Add(0), Load(0), Add(0)], &[FetchAdd(0), Add(0)]]);
        agree(&hostile, true, &[&[Add(0), NotifyOne, Add(0)], &[WaitTimeout, WaitTimeout, WaitTimeout]]);
    }

    what_goes_on_from_a_position_is_reduced_soundly {
        let all = [LOCKS_AND_ATOMICS, LOOKING, WAITING, MESSAGES, HAND_TO_HAND, ONCE_AND_MEETING, TIMED, ORDERINGS];
        for (acts, seed) in all.into_iter().zip(20..) {
            let compared = compare_positions(seed, acts, &small());
            println!("{compared} positions");
            assert!(compared >= 10, "only {compared} positions could be compared");
        }
        let hostile = Config { timeouts: Timeouts::Hostile, ..small() };
        assert!(compare_positions(40, MORE_TIMED, &hostile) >= 10);
    }
}

/// Threads that add to one counter each so many times.
fn adders(threads: usize, times: usize) -> impl Fn() + Send + Sync {
    move || {
        let count = AtomicUsize::new(0);
        thread::scope(|s| {
            for _ in 0..threads {
                s.spawn(|| {
                    for _ in 0..times {
                        count.fetch_add(1, SeqCst);
                    }
                });
            }
        });
    }
}

#[test]
fn the_number_of_schedules_is_what_one_counts_by_hand() {
    // Orders of dependent steps: the multinomial coefficient.
    for (threads, times, schedules) in
        [(2, 1, 2), (2, 2, 6), (3, 1, 6), (2, 3, 20), (3, 2, 90), (4, 1, 24), (3, 3, 1680)]
    {
        let coverage = passes(adders(threads, times)).coverage;
        assert!(coverage.complete);
        assert_eq!(coverage.schedules, schedules, "{threads} threads with {times} steps");
    }
}

#[test]
fn a_search_is_given_up_early_only_if_it_would_not_end() {
    let coverage = passes_with(&Config { schedules: 40_000, ..config() }, adders(3, 4)).coverage;
    assert_eq!((coverage.schedules, coverage.complete), (34_650, true));
    let runs = Arc::new(real_atomic::AtomicU64::new(0));
    let (counted, add) = (Arc::clone(&runs), adders(8, 8));
    let schedules = 10_000;
    let coverage = passes_with(&Config { schedules, ..config() }, move || {
        counted.fetch_add(1, SeqCst);
        add();
    })
    .coverage;
    assert!(!coverage.complete);
    // Those that are told, with as many as it takes to see that the reduced search has no end.
    let runs = runs.load(SeqCst);
    assert!(runs < schedules + schedules / 2, "{runs} runs");
}

#[test]
fn independent_threads_have_one_schedule() {
    let coverage = passes(|| {
        thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(|| {
                    let own = Mutex::new(0);
                    for _ in 0..5 {
                        *own.lock().unwrap() += 1;
                    }
                });
            }
        });
    })
    .coverage;
    assert_eq!((coverage.schedules, coverage.complete), (1, true));
    assert_eq!(coverage.to_string(), "the only schedule");
}

#[test]
fn readers_do_not_disturb_each_other() {
    let coverage = passes(|| {
        let lock = RwLock::new(1);
        thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(|| assert_eq!(*lock.read().unwrap(), 1));
            }
        });
    })
    .coverage;
    assert_eq!((coverage.schedules, coverage.complete), (1, true));
}
