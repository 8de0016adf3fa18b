//! The contract of [`Semaphore`] as a program: what may each call do now? All small programs of calls are tried against it.

use std::thread;
use std::time::Duration;

use kata::panic_on_purpose;
use kata::scenarios::{Contract, Moves, PANICS, PANICS_ON_PURPOSE, Scene, Setup, Turn};
use semaphore::{Permits, Refused, Semaphore};

/// A semaphore, as the contract sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    permits: usize,
    free: usize,
    closed: bool,
    /// The calls that wait and how many permits each wants, the first in front.
    line: Vec<(usize, usize)>,
    /// What each thread holds, the oldest first.
    held: [Vec<usize>; 3],
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    /// Drops the oldest permits of the thread.
    Release,
    Acquire(usize),
    Try(usize),
    Timeout(usize, Duration),
    /// Panics as soon as it has its permits.
    AcquireAndPanic(usize),
    Free,
    /// `try_acquire`, then `free`: whether somebody waits, and for what is free.
    TryAndFree(usize),
    Close,
    /// After [`PAUSE`], when it is known who waits.
    Later(Late),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Late {
    Acquire(usize),
    Try(usize),
    Close,
}

const PAUSE: Duration = Duration::from_secs(1);
const LIMIT: Duration = Duration::from_secs(2);
/// The answer of a call that has none.
const DONE: &str = "()";
/// The answer of a thread that holds nothing.
const NOTHING: &str = "nothing to drop";

/// What a thread has: a semaphore that lives as long as the process, so that permits can be kept from call to call.
pub(crate) struct Holder {
    semaphore: &'static Semaphore,
    permits: Vec<Permits<'static>>,
}

pub(crate) struct SemaphoreContract;

impl Contract for SemaphoreContract {
    type Hand = Holder;
    type Call = Call;
    type State = State;

    const TELLING: usize = 3;

    fn setups(&self) -> Vec<Setup<State>> {
        let setup = |name, permits, with_a: usize| {
            let a: Vec<usize> = (with_a > 0).then_some(with_a).into_iter().collect();
            let held = [a, Vec::new(), Vec::new()];
            Setup { name, state: State { permits, free: permits - with_a, closed: false, line: Vec::new(), held } }
        };
        vec![
            setup("1 permit, free", 1, 0),
            setup("2 permits, A holds 1", 2, 1),
            setup("2 permits, A holds both", 2, 2),
            setup("no permits", 0, 0),
        ]
    }

    /// A holds the permits.
    fn parts(&self, setup: usize) -> usize {
        usize::from(matches!(setup, 1 | 2))
    }

    fn calls(&self) -> Vec<Call> {
        use Call::*;
        let later = [Late::Acquire(1), Late::Try(1), Late::Close].map(Later);
        let timed = [(1, Duration::ZERO), (1, LIMIT), (2, LIMIT), (1, Duration::MAX)];
        let acquire = [Acquire(1), Acquire(2), Acquire(0), Try(1), Try(2), Try(0), AcquireAndPanic(1)];
        let timed = timed.map(|(many, limit)| Timeout(many, limit));
        [Release].into_iter().chain(acquire).chain(timed).chain([Free, TryAndFree(1), Close]).chain(later).collect()
    }

    fn is_for(&self, call: Call, setup: usize) -> bool {
        use Call::*;
        match setup {
            0 => matches!(call, Acquire(_) | Try(_) | Timeout(1, _) | AcquireAndPanic(_) | Free | Release | Close),
            1 => {
                let takes = matches!(call, Acquire(_) | Try(1) | TryAndFree(_) | Timeout(2, _) | Timeout(1, LIMIT));
                takes || matches!(call, Free | Release | Later(_))
            }
            2 => matches!(call, Acquire(1 | 2) | Timeout(1, LIMIT) | Free | Release | Close),
            _ => matches!(call, Acquire(_) | Try(_) | Close | Free),
        }
    }

    fn makes_sense(&self, setup: usize, program: &[Vec<Call>]) -> bool {
        let calls = || program.iter().flatten();
        // What comes later is there for those who wait.
        let later = calls().filter(|call| matches!(call, Call::Later(_))).count();
        let waits = calls().filter(|call| matches!(call, Call::Acquire(_) | Call::Timeout(..))).count();
        let plain = |call: &Call| match *call {
            // Behind somebody who takes all that is free, 0 are still free.
            Call::Acquire(0) => setup == 1,
            Call::Acquire(many) | Call::Try(many) => many > 0 && many <= self.setups()[setup].state.permits,
            Call::Timeout(_, limit) => limit == LIMIT,
            Call::AcquireAndPanic(_) | Call::Free => false,
            _ => true,
        };
        // Two calls of one thread show all that it leaves behind, and two calls all that is special.
        // What `TryAndFree` answers says nothing of a closed semaphore.
        let closes = calls().any(|call| matches!(call, Call::Close | Call::Later(Late::Close)));
        let looks = calls().any(|call| matches!(call, Call::TryAndFree(_)));
        let small = calls().count() <= 2 || program.len() > 1 && calls().all(plain);
        small && !(closes && looks) && (later == 0 || later == 1 && waits > 0)
    }

    fn name(&self, call: Call, _id: usize) -> String {
        match call {
            Call::Release => "drop(permits)".to_owned(),
            Call::Acquire(many) => format!("acquire({many})"),
            Call::Try(many) => format!("try_acquire({many})"),
            Call::Timeout(many, Duration::MAX) => format!("acquire_timeout({many}, Duration::MAX)"),
            Call::Timeout(many, limit) => format!("acquire_timeout({many}, {limit:?})"),
            Call::AcquireAndPanic(many) => format!("acquire({many}), panic!()"),
            Call::Free => "free()".to_owned(),
            Call::TryAndFree(many) => format!("try_acquire({many}), free()"),
            Call::Close => "close()".to_owned(),
            Call::Later(Late::Acquire(many)) => format!("after {PAUSE:?}: acquire({many})"),
            Call::Later(Late::Try(many)) => format!("after {PAUSE:?}: try_acquire({many})"),
            Call::Later(Late::Close) => format!("after {PAUSE:?}: close()"),
        }
    }

    fn limit(&self, call: Call) -> Option<Duration> {
        match call {
            Call::Timeout(_, LIMIT) => Some(LIMIT),
            Call::Later(_) => Some(PAUSE),
            _ => None,
        }
    }

    fn hands(&self, setup: usize, threads: usize, _scene: &Scene) -> Vec<Holder> {
        let State { permits, held, .. } = self.setups().swap_remove(setup).state;
        let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new(permits)));
        let mut hands: Vec<Holder> = (0..threads).map(|_| Holder { semaphore, permits: Vec::new() }).collect();
        for (hand, held) in hands.iter_mut().zip(held) {
            hand.permits.extend(held.into_iter().map(|many| semaphore.acquire(many).expect("they are free")));
        }
        hands
    }

    fn perform(&self, holder: &mut Holder, call: Call, _id: usize, _scene: &Scene) -> String {
        let semaphore = holder.semaphore;
        if matches!(call, Call::Later(_)) {
            thread::sleep(PAUSE);
        }
        let got = match call {
            Call::Release if holder.permits.is_empty() => return NOTHING.to_owned(),
            Call::Release => {
                drop(holder.permits.remove(0));
                return DONE.to_owned();
            }
            Call::Close | Call::Later(Late::Close) => {
                let () = semaphore.close();
                return DONE.to_owned();
            }
            Call::Free => return semaphore.free().to_string(),
            Call::Acquire(many) | Call::Later(Late::Acquire(many)) => semaphore.acquire(many),
            Call::Try(many) | Call::TryAndFree(many) | Call::Later(Late::Try(many)) => semaphore.try_acquire(many),
            Call::Timeout(many, limit) => semaphore.acquire_timeout(many, limit),
            Call::AcquireAndPanic(many) => semaphore.acquire(many).map(|permits| {
                let _permits = permits;
                panic_on_purpose("burnt")
            }),
        };
        let answer = match got {
            Ok(permits) => {
                holder.permits.push(permits);
                "Ok"
            }
            Err(Refused::NotFree) => "NotFree",
            Err(Refused::Closed) => "Closed",
        };
        match call {
            Call::TryAndFree(_) => format!("{answer}, {}", semaphore.free()),
            _ => answer.to_owned(),
        }
    }

    /// A thread that ends keeps what it holds: to drop it is a call.
    fn leave(&self, holder: Holder) {
        std::mem::forget(holder);
    }

    fn may(&self, state: &State, call: Call, turn: &Turn, moves: &mut Moves<State>) {
        let mut after = state.clone();
        match call {
            Call::Later(_) if turn.phase == 0 => {
                if turn.is_over(PAUSE) {
                    moves.go_on(after, 1);
                }
            }
            Call::Later(Late::Close) => self.may(state, Call::Close, turn, moves),
            Call::Later(late) => state.acquire(late.now(), turn, turn.phase - 1, moves),
            Call::Release if state.held[turn.thread].is_empty() => moves.answer(after, NOTHING),
            Call::Release => {
                after.free += after.held[turn.thread].remove(0);
                moves.answer(after, DONE);
            }
            Call::Free => moves.answer(after, state.free.to_string()),
            Call::TryAndFree(many) if turn.phase == 0 => {
                let got = !state.closed && state.line.is_empty() && many <= state.free;
                if got {
                    after.free -= many;
                    after.held[turn.thread].push(many);
                }
                moves.go_on(after, if got { 1 } else { 2 });
            }
            // Nobody closes the semaphore in the programs of this call.
            Call::TryAndFree(_) if turn.phase == 1 => moves.answer(after, format!("Ok, {}", state.free)),
            Call::TryAndFree(_) => moves.answer(after, format!("NotFree, {}", state.free)),
            Call::Close => {
                after.closed = true;
                moves.answer(after, DONE);
            }
            _ => state.acquire(call, turn, turn.phase, moves),
        }
    }
}

impl Late {
    fn now(self) -> Call {
        match self {
            Late::Acquire(many) => Call::Acquire(many),
            Late::Try(many) => Call::Try(many),
            Late::Close => Call::Close,
        }
    }
}

impl State {
    /// A call that wants permits: it comes (0), stands in the line (1), or has them and panics (2).
    fn acquire(&self, call: Call, turn: &Turn, phase: usize, moves: &mut Moves<State>) {
        let (many, limit) = match call {
            Call::Timeout(many, limit) => (many, limit),
            Call::Acquire(many) | Call::Try(many) | Call::AcquireAndPanic(many) => (many, Duration::MAX),
            _ => unreachable!("{call:?} wants no permits"),
        };
        let mut after = self.clone();
        let place = self.line.iter().position(|(id, _)| *id == turn.id);
        if let Some(place) = place {
            after.line.remove(place);
        }
        let first = place.map_or(self.line.is_empty(), |place| place == 0);
        let next_phase = turn.phase + 1;
        if many > self.permits {
            moves.answer(after, PANICS);
        } else if phase == 2 {
            after.free += many;
            moves.answer(after, PANICS_ON_PURPOSE);
        } else if self.closed {
            moves.answer(after, "Closed");
        } else if first && many <= self.free {
            after.free -= many;
            if matches!(call, Call::AcquireAndPanic(_)) {
                moves.go_on(after, turn.phase - phase + 2);
            } else {
                after.held[turn.thread].push(many);
                moves.answer(after, "Ok");
            }
        } else if matches!(call, Call::Try(_)) || phase == 1 && limit < Duration::MAX && turn.is_over(limit) {
            moves.answer(after, "NotFree");
        } else if phase == 0 {
            after.line.push((turn.id, many));
            moves.go_on(after, next_phase);
        }
    }
}
