//! The contract of [`RLock`] as a program: what may each call do now? All small programs of calls are tried against it.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::thread;
use std::time::Duration;

use kata::scenarios::{Contract, Moves, PANICS_ON_PURPOSE, Scene, Setup, Turn};
use kata::{Gate, panic_on_purpose};
use rlock::{Guard, RLock};

/// A lock, as the contract sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// How many guards each thread has. Only one of them has any.
    guards: [usize; 3],
    value: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    /// Drops the thread's newest guard.
    Drop,
    /// Drops the thread's oldest guard.
    DropOldest,
    /// Drops the newest guard after [`PAUSE`], when it is known who waits.
    DropLater,
    /// Adds 1 to the value, and says what it is then.
    Add,
    Lock,
    Try,
    Timeout(Duration),
    /// Panics as soon as it has the lock.
    LockAndPanic,
    Depth,
}

const PAUSE: Duration = Duration::from_secs(1);
const LIMIT: Duration = Duration::from_secs(2);
/// The answers of calls that have none of their own.
const DONE: &str = "()";
const TAKEN: &str = "guard";
const NOT_TAKEN: &str = "None";
/// The answer of a thread that has no guard.
const NO_GUARD: &str = "no guard";

/// What a thread brings along: a lock that lives as long as the process, so that guards can be kept from call to call.
pub(crate) struct Hand {
    lock: &'static RLock<u32>,
    arrives: Arrives,
}

/// What a thread does before its first call. A guard is taken on the thread that has it, so the others wait for that one.
enum Arrives {
    AtOnce,
    /// Takes so many guards, and opens the gates of the others.
    WithGuards(usize, Vec<Gate>),
    After(Gate),
}

thread_local! {
    /// The guards of a thread, which can't be in its hand: a hand comes from another thread. To drop one is a call, and a
    /// thread that ends keeps what it has.
    static GUARDS: RefCell<Vec<ManuallyDrop<Guard<'static, u32>>>> = const { RefCell::new(Vec::new()) };
}

pub(crate) struct RLockContract;

impl Contract for RLockContract {
    type Hand = Hand;
    type Call = Call;
    type State = State;

    fn setups(&self) -> Vec<Setup<State>> {
        let setup = |name, with_a| Setup { name, state: State { guards: [with_a, 0, 0], value: 0 } };
        vec![setup("free", 0), setup("A has it", 1), setup("A has it twice", 2)]
    }

    /// A has the guards.
    fn parts(&self, setup: usize) -> usize {
        usize::from(setup > 0)
    }

    fn calls(&self) -> Vec<Call> {
        use Call::*;
        let timed = [Duration::ZERO, LIMIT, Duration::MAX].map(Timeout);
        [Drop, DropOldest, DropLater, Add, Lock, Try, LockAndPanic, Depth].into_iter().chain(timed).collect()
    }

    fn makes_sense(&self, setup: usize, program: &[Vec<Call>]) -> bool {
        let State { guards, .. } = self.setups().swap_remove(setup).state;
        // Nobody drops or uses what it can't have, and the oldest guard is another one only if there are two.
        let has_guards = |(calls, mut guards): (&Vec<Call>, usize)| {
            calls.iter().all(|call| {
                let needed = match call {
                    Call::Drop | Call::DropLater | Call::Add => 1,
                    Call::DropOldest => 2,
                    _ => 0,
                };
                let enough = guards >= needed;
                match call {
                    Call::Drop | Call::DropLater | Call::DropOldest => guards = guards.saturating_sub(1),
                    Call::Lock | Call::Try | Call::Timeout(_) => guards += 1,
                    Call::Add | Call::LockAndPanic | Call::Depth => {}
                }
                enough
            })
        };
        // Two calls show all that is special about some, and two threads about others.
        let (threads, calls) = (program.len(), || program.iter().flatten());
        let small = calls().count() <= 2
            || calls().all(|call| match call {
                Call::Timeout(Duration::MAX) | Call::Depth => false,
                Call::Timeout(Duration::ZERO) | Call::Add | Call::DropOldest => threads <= 2,
                _ => true,
            });
        small && program.iter().zip(guards).all(has_guards)
    }

    fn name(&self, call: Call, _id: usize) -> String {
        match call {
            Call::Drop => "drop(newest guard)".to_owned(),
            Call::DropOldest => "drop(oldest guard)".to_owned(),
            Call::DropLater => format!("after {PAUSE:?}: drop(newest guard)"),
            Call::Add => "guard.set(guard.get() + 1), guard.get()".to_owned(),
            Call::Lock => "lock()".to_owned(),
            Call::Try => "try_lock()".to_owned(),
            Call::Timeout(Duration::MAX) => "lock_timeout(Duration::MAX)".to_owned(),
            Call::Timeout(LIMIT) => format!("lock_timeout({LIMIT:?}), depth()"),
            Call::Timeout(limit) => format!("lock_timeout({limit:?})"),
            Call::LockAndPanic => "lock(), panic!()".to_owned(),
            Call::Depth => "depth()".to_owned(),
        }
    }

    fn limit(&self, call: Call) -> Option<Duration> {
        match call {
            Call::Timeout(LIMIT) => Some(LIMIT),
            Call::DropLater => Some(PAUSE),
            _ => None,
        }
    }

    fn hands(&self, setup: usize, threads: usize, _scene: &Scene) -> Vec<Hand> {
        let State { guards, value } = self.setups().swap_remove(setup).state;
        let lock: &'static RLock<u32> = Box::leak(Box::new(RLock::new(value)));
        let arrivals: Vec<Arrives> = if guards[0] > 0 {
            let gates: Vec<Gate> = (1..threads).map(|_| Gate::closed()).collect();
            let others = gates.clone().into_iter().map(Arrives::After);
            [Arrives::WithGuards(guards[0], gates)].into_iter().chain(others).collect()
        } else {
            (0..threads).map(|_| Arrives::AtOnce).collect()
        };
        arrivals.into_iter().map(|arrives| Hand { lock, arrives }).collect()
    }

    fn arrive(&self, hand: &mut Hand, scene: &Scene) {
        match &hand.arrives {
            Arrives::AtOnce => {}
            Arrives::WithGuards(many, gates) => {
                (0..*many).for_each(|_| keep(hand.lock.lock()));
                scene.settle();
                gates.iter().for_each(Gate::open);
            }
            Arrives::After(gate) => gate.pass(),
        }
    }

    fn perform(&self, hand: &mut Hand, call: Call, _id: usize, _scene: &Scene) -> String {
        let lock = hand.lock;
        let dropped = |guard: Option<Guard<'static, u32>>| guard.map_or(NO_GUARD, |_guard| DONE).to_owned();
        let got = match call {
            Call::Drop => return dropped(newest()),
            Call::DropOldest => return dropped(oldest()),
            Call::DropLater => {
                thread::sleep(PAUSE);
                return dropped(newest());
            }
            Call::Add => {
                let Some(guard) = newest() else { return NO_GUARD.to_owned() };
                guard.set(guard.get() + 1);
                let value = guard.get();
                keep(guard);
                return value.to_string();
            }
            Call::Depth => return lock.depth().to_string(),
            Call::LockAndPanic => {
                let _guard = lock.lock();
                panic_on_purpose("burnt")
            }
            Call::Lock => Some(lock.lock()),
            Call::Try => lock.try_lock(),
            Call::Timeout(limit) => lock.lock_timeout(limit),
        };
        let taken = if got.is_some() { TAKEN } else { NOT_TAKEN };
        got.into_iter().for_each(keep);
        let depth = if asks_for_depth(call) { lock.depth() } else { 0 };
        answer(call, taken, depth)
    }

    fn may(&self, state: &State, call: Call, turn: &Turn, moves: &mut Moves<State>) {
        let mut after = state.clone();
        let own = turn.thread;
        let another_has_it = (0..3).any(|thread| thread != own && state.guards[thread] > 0);
        match call {
            Call::DropLater if !turn.is_over(PAUSE) => {}
            Call::Drop | Call::DropOldest | Call::DropLater | Call::Add if state.guards[own] == 0 => {
                moves.answer(after, NO_GUARD);
            }
            Call::Drop | Call::DropOldest | Call::DropLater => {
                after.guards[own] -= 1;
                moves.answer(after, DONE);
            }
            Call::Add => {
                after.value += 1;
                let value = after.value.to_string();
                moves.answer(after, value);
            }
            Call::Depth => moves.answer(after, state.guards[own].to_string()),
            Call::LockAndPanic if turn.phase == 1 => {
                after.guards[own] -= 1;
                moves.answer(after, PANICS_ON_PURPOSE);
            }
            _ if another_has_it => match call {
                Call::Try => moves.answer(after, NOT_TAKEN),
                Call::Timeout(limit) if limit < Duration::MAX && turn.is_over(limit) => {
                    moves.answer(after, answer(call, NOT_TAKEN, 0));
                }
                _ => {}
            },
            _ => {
                after.guards[own] += 1;
                if call == Call::LockAndPanic {
                    moves.go_on(after, 1);
                } else {
                    let depth = after.guards[own];
                    moves.answer(after, answer(call, TAKEN, depth));
                }
            }
        }
    }
}

/// Whoever has waited for a while also says how many guards it has: none, if it has given up.
fn asks_for_depth(call: Call) -> bool {
    call == Call::Timeout(LIMIT)
}

fn answer(call: Call, taken: &str, depth: usize) -> String {
    if asks_for_depth(call) { format!("{taken}, {depth}") } else { taken.to_owned() }
}

fn keep(guard: Guard<'static, u32>) {
    GUARDS.with_borrow_mut(|guards| guards.push(ManuallyDrop::new(guard)));
}

fn newest() -> Option<Guard<'static, u32>> {
    GUARDS.with_borrow_mut(Vec::pop).map(ManuallyDrop::into_inner)
}

fn oldest() -> Option<Guard<'static, u32>> {
    let take = |guards: &mut Vec<_>| (!guards.is_empty()).then(|| guards.remove(0));
    GUARDS.with_borrow_mut(take).map(ManuallyDrop::into_inner)
}
