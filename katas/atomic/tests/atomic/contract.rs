//! The contract of the five types as a program: what may each call do now? All small programs of calls are tried against it.
//!
//! What changes something does so in one order that all threads agree on. What only looks may see an older moment, but none that
//! is older than what its thread has seen or done.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use atomic::{Bridge, Counter, SetOnce, Side, SpinLock, Statistics};
use kata::scenarios::{Contract, Moves, Scene, Setup, Turn};

/// How many threads a scenario has at most.
const THREADS: usize = 3;

/// The one object of a scenario, as the contract sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// What was to be seen, from the first moment to now.
    moments: Vec<[u64; 2]>,
    /// The newest moment that each thread knows.
    known: [usize; THREADS],
    /// Which thread has ever had the lock, and which side has ever tried to enter: others may still see that.
    tried: [bool; THREADS],
    /// Somebody sets the numbers, or has.
    claimed: bool,
    /// Somebody is on the bridge.
    crossed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    Next,
    NextUpTo(u64),
    Given,
    Set,
    Get,
    /// Adds 1 to what is under the lock, in two steps.
    AddLocked,
    AddIfFree,
    /// Takes the lock, and tries to take it again.
    LockTwice,
    Record,
    Snapshot,
    TryEnter(Side),
    /// Enters if it may, and leaves.
    Cross(Side),
}

pub(crate) struct AtomicContract;

/// One of each. A scenario uses one.
#[derive(Debug)]
pub(crate) struct Things {
    counter: Counter,
    cell: SetOnce,
    lock: SpinLock<AtomicU64>,
    statistics: Statistics,
    bridge: Bridge,
}

impl Contract for AtomicContract {
    type Hand = Arc<Things>;
    type Call = Call;
    type State = State;

    const THREADS: usize = THREADS;

    fn setups(&self) -> Vec<Setup<State>> {
        let state =
            |moments| State { moments, known: [0; THREADS], tried: [false; THREADS], claimed: false, crossed: false };
        let setup = |name| Setup { name, state: state(vec![[0, 0]]) };
        let names = ["a counter", "numbers that are set once", "a spin lock around 0", "statistics", "a bridge"];
        names.map(setup).into()
    }

    fn calls(&self) -> Vec<Call> {
        use Call::*;
        use Side::{East, West};
        let sides = [TryEnter(West), TryEnter(East), Cross(West), Cross(East)];
        let others =
            [Next, NextUpTo(1), NextUpTo(2), Given, Set, Get, AddLocked, AddIfFree, LockTwice, Record, Snapshot];
        others.into_iter().chain(sides).collect()
    }

    fn is_for(&self, call: Call, setup: usize) -> bool {
        setup
            == match call {
                Call::Next | Call::NextUpTo(_) | Call::Given => 0,
                Call::Set | Call::Get => 1,
                Call::AddLocked | Call::AddIfFree | Call::LockTwice => 2,
                Call::Record | Call::Snapshot => 3,
                Call::TryEnter(_) | Call::Cross(_) => 4,
            }
    }

    /// Each side of the bridge is one thread's, which does not enter twice.
    fn makes_sense(&self, _setup: usize, program: &[Vec<Call>]) -> bool {
        let side = |call: &Call| match *call {
            Call::TryEnter(side) | Call::Cross(side) => Some(side),
            _ => None,
        };
        let is_free = |side_of: Side| {
            let threads = program.iter().filter(|calls| calls.iter().any(|call| side(call) == Some(side_of)));
            threads.count() < 2
        };
        let enters_last = |calls: &Vec<Call>| {
            calls.iter().enumerate().all(|(place, call)| match *call {
                Call::TryEnter(entered) => calls[place + 1..].iter().all(|later| side(later) != Some(entered)),
                _ => true,
            })
        };
        is_free(Side::West) && is_free(Side::East) && program.iter().all(enters_last)
    }

    fn name(&self, call: Call, id: usize) -> String {
        match call {
            Call::Next => "next()".to_owned(),
            Call::NextUpTo(limit) => format!("next_up_to({limit})"),
            Call::Given => "given()".to_owned(),
            Call::Set => format!("set({:?})", numbers(id)),
            Call::Get => "get()".to_owned(),
            Call::AddLocked => "lock(), add 1".to_owned(),
            Call::AddIfFree => "try_lock(), add 1".to_owned(),
            Call::LockTwice => "lock(), try_lock()".to_owned(),
            Call::Record => format!("record({id})"),
            Call::Snapshot => "snapshot()".to_owned(),
            Call::TryEnter(side) => format!("try_enter({side:?})"),
            Call::Cross(side) => format!("try_enter({side:?}), leave"),
        }
    }

    fn hands(&self, _setup: usize, threads: usize, _scene: &Scene) -> Vec<Arc<Things>> {
        let things = Arc::new(Things {
            counter: Counter::zero(),
            cell: SetOnce::empty(),
            lock: SpinLock::new(AtomicU64::new(0)),
            statistics: Statistics::empty(),
            bridge: Bridge::empty(),
        });
        vec![things; threads]
    }

    fn perform(&self, things: &mut Arc<Things>, call: Call, id: usize, _scene: &Scene) -> String {
        let Things { counter, cell, lock, statistics, bridge } = &**things;
        match call {
            Call::Next => counter.next().to_string(),
            Call::NextUpTo(limit) => format!("{:?}", counter.next_up_to(limit)),
            Call::Given => counter.given().to_string(),
            Call::Set => cell.set(numbers(id)).to_string(),
            Call::Get => format!("{:?}", cell.get()),
            Call::AddLocked => add_one(&lock.lock()).to_string(),
            Call::AddIfFree => format!("{:?}", lock.try_lock().map(|guard| add_one(&guard))),
            Call::LockTwice => {
                let _guard = lock.lock();
                lock.try_lock().is_some().to_string()
            }
            Call::Record => {
                let () = statistics.record(id as u64);
                DONE.to_owned()
            }
            Call::Snapshot => {
                let (count, sum) = statistics.snapshot();
                format!("{:?}", [count, sum])
            }
            Call::TryEnter(side) => bridge.try_enter(side).to_string(),
            Call::Cross(side) => {
                let entered = bridge.try_enter(side);
                if entered {
                    let () = bridge.leave(side);
                }
                entered.to_string()
            }
        }
    }

    fn may(&self, state: &State, call: Call, turn: &Turn, moves: &mut Moves<State>) {
        let mut after = state.clone();
        let [number, sum] = state.now();
        match call {
            Call::Next => {
                after.becomes([number + 1, 0], turn);
                moves.answer(after, (number + 1).to_string());
            }
            Call::NextUpTo(limit) if number < limit => {
                after.becomes([number + 1, 0], turn);
                moves.answer(after, format!("{:?}", Some(number + 1)));
            }
            Call::NextUpTo(limit) => {
                // Whoever is refused knows that so many were given. There is one more at each moment.
                after.known[turn.thread] = after.known[turn.thread].max(limit as usize);
                moves.answer(after, "None");
            }
            Call::Given => state.looks(turn, moves, |[number, _]| number.to_string()),
            Call::Set if turn.phase == 0 && state.claimed => moves.answer(after, "false"),
            Call::Set if turn.phase == 0 => {
                after.claimed = true;
                moves.go_on(after, 1);
            }
            Call::Set => {
                after.becomes(numbers(turn.id), turn);
                moves.answer(after, "true");
            }
            Call::Get => state.looks(turn, moves, |numbers| format!("{:?}", (numbers != [0, 0]).then_some(numbers))),
            Call::AddLocked => {
                after.becomes([number + 1, 0], turn);
                moves.answer(after, (number + 1).to_string());
            }
            Call::AddIfFree => {
                after.becomes([number + 1, 0], turn);
                moves.answer(after, format!("{:?}", Some(number + 1)));
                if state.others_tried(turn) {
                    moves.answer(state.clone(), "None");
                }
            }
            Call::LockTwice => {
                after.tried[turn.thread] = true;
                moves.answer(after, "false");
            }
            Call::Record => {
                after.becomes([number + 1, sum + turn.id as u64], turn);
                moves.answer(after, DONE);
            }
            Call::Snapshot => state.looks(turn, moves, |moment| format!("{moment:?}")),
            Call::TryEnter(side) | Call::Cross(side) => state.enters(call, side, turn, moves),
        }
    }
}

impl State {
    fn now(&self) -> [u64; 2] {
        self.moments[self.moments.len() - 1]
    }

    /// A thread changes what there is to see.
    fn becomes(&mut self, now: [u64; 2], turn: &Turn) {
        self.tried[turn.thread] = true;
        self.known[turn.thread] = self.moments.len();
        self.moments.push(now);
    }

    /// A thread looks: at any moment that is not older than what it knows.
    fn looks(&self, turn: &Turn, moves: &mut Moves<State>, answer: impl Fn([u64; 2]) -> String) {
        for moment in self.known[turn.thread]..self.moments.len() {
            let mut after = self.clone();
            after.known[turn.thread] = moment;
            moves.answer(after, answer(self.moments[moment]));
        }
    }

    fn others_tried(&self, turn: &Turn) -> bool {
        self.tried.iter().enumerate().any(|(thread, tried)| *tried && thread != turn.thread)
    }

    /// First it is seen that this side tries. Then it enters unless the other one is there, and may give up if the other one
    /// has ever tried.
    fn enters(&self, call: Call, side: Side, turn: &Turn, moves: &mut Moves<State>) {
        let mut after = self.clone();
        match turn.phase {
            0 => {
                after.tried[side as usize] = true;
                moves.go_on(after, 1);
            }
            1 => {
                if self.tried[1 - side as usize] {
                    moves.answer(after.clone(), "false");
                }
                if !self.crossed {
                    after.crossed = true;
                    match call {
                        Call::Cross(_) => moves.go_on(after, 2),
                        _ => moves.answer(after, "true"),
                    }
                }
            }
            _ => {
                after.crossed = false;
                moves.answer(after, "true");
            }
        }
    }
}

/// The answer of a call that has none.
const DONE: &str = "()";

/// What the call of this number sets. Never zeros, which stand for nothing here.
fn numbers(id: usize) -> [u64; 2] {
    [id as u64 + 1; 2]
}

/// Adds 1 in two steps, and says what there is now.
fn add_one(number: &AtomicU64) -> u64 {
    let before = number.load(Relaxed);
    number.store(before + 1, Relaxed);
    before + 1
}
