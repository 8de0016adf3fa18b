//! The contract of [`Semaphore`] and [`Lock`] as a program: what may each call do now? All small programs of calls are tried
//! against it.

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use async_lock::{Lock, Semaphore};
use kata::moving;
use kata::scenarios::{Contract, Moves, Scene, Setup, Turn};

/// A semaphore, as the contract sees it. A lock is one with a single permit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    free: usize,
    /// The threads whose futures wait, the first in front.
    line: Vec<usize>,
    /// What each thread has.
    threads: [Owned; 3],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Owned {
    permits: usize,
    /// Its future was given a permit, and was not polled since.
    given: bool,
}

/// A thread has one future. If a call needs it and it is not there, the call makes one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    /// Drops a permit of the thread.
    Release,
    /// Drops its future.
    Drop,
    /// Polls its future, once.
    Poll,
    /// Polls its future until it is ready, and sleeps in between until it is woken.
    Await,
    Try,
    Available,
}

/// What is shared.
#[derive(Clone, Copy)]
pub(crate) enum Shared<'s> {
    Semaphore(&'s Semaphore),
    Lock(&'s Lock<()>),
}

/// A permit, or the guard of a lock.
pub(crate) type Held<'s> = Box<dyn Send + 's>;
pub(crate) type Waiting<'s> = Pin<Box<dyn Future<Output = Held<'s>> + Send + 's>>;

/// What a thread has. What it shares lives as long as the process, so that permits can be kept from call to call.
pub(crate) struct Hand {
    shared: Shared<'static>,
    held: Vec<Held<'static>>,
    future: Option<Waiting<'static>>,
}

/// The answer of a call that has none.
const DONE: &str = "()";
const NOTHING: &str = "nothing to drop";
const PENDING: &str = "Pending";
const READY: &str = "Ready";

pub(crate) struct SemaphoreContract;

/// What a setup is: its name, what is shared, who holds permits, who waits.
struct Begin {
    name: &'static str,
    lock: bool,
    permits: usize,
    /// A holds so many.
    held: usize,
    line: &'static [usize],
}

#[rustfmt::skip]
const BEGINS: [Begin; 7] = [
    Begin { name: "1 permit, free", lock: false, permits: 1, held: 0, line: &[] },
    Begin { name: "1 permit, A holds it", lock: false, permits: 1, held: 1, line: &[] },
    Begin { name: "1 permit, A holds it, B waits, and behind it C", lock: false, permits: 1, held: 1, line: &[1, 2] },
    Begin { name: "2 permits, A holds both, B waits", lock: false, permits: 2, held: 2, line: &[1] },
    Begin { name: "no permits", lock: false, permits: 0, held: 0, line: &[] },
    Begin { name: "a lock, free", lock: true, permits: 1, held: 0, line: &[] },
    Begin { name: "a lock, A holds it, B waits, and behind it C", lock: true, permits: 1, held: 1, line: &[1, 2] },
];

impl Contract for SemaphoreContract {
    type Hand = Hand;
    type Call = Call;
    type State = State;

    fn setups(&self) -> Vec<Setup<State>> {
        let setup = |begin: &Begin| {
            let mut threads = [Owned::default(); 3];
            threads[0].permits = begin.held;
            let state = State { free: begin.permits - begin.held, line: begin.line.to_vec(), threads };
            Setup { name: begin.name, state }
        };
        BEGINS.iter().map(setup).collect()
    }

    /// A holds the permits, and others stand in the line.
    fn parts(&self, setup: usize) -> usize {
        let begin = &BEGINS[setup];
        begin.line.iter().map(|thread| thread + 1).max().unwrap_or(usize::from(begin.held > 0))
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Release, Call::Drop, Call::Poll, Call::Await, Call::Try, Call::Available]
    }

    fn is_for(&self, call: Call, setup: usize) -> bool {
        let begin = &BEGINS[setup];
        match call {
            Call::Release => begin.permits > 0,
            Call::Try => begin.permits > 0 && begin.line.len() < 2,
            Call::Available => begin.permits > 0 && !begin.lock && begin.line.len() < 2,
            _ => true,
        }
    }

    /// All that one thread can do alone is tried by `sequences.rs`. Where nothing comes back, two calls show all.
    fn makes_sense(&self, setup: usize, program: &[Vec<Call>]) -> bool {
        let count = |is: fn(&Call) -> bool| program.iter().flatten().filter(|call| is(call)).count();
        let looks = count(|call| matches!(call, Call::Try | Call::Available));
        let who_holds = if BEGINS[setup].held > 0 { &program[..1] } else { program };
        let comes_back = who_holds.iter().any(|calls| calls.contains(&Call::Release));
        match count(|_| true) {
            1 => true,
            2 => program.len() > 1,
            _ => program.len() > 1 && looks <= 1 && comes_back,
        }
    }

    fn name(&self, call: Call, _id: usize) -> String {
        let name = match call {
            Call::Release => "drop(permit)",
            Call::Drop => "drop(future)",
            Call::Poll => "future.poll()",
            Call::Await => "future.await",
            Call::Try => "try_acquire()",
            Call::Available => "available()",
        };
        name.to_owned()
    }

    fn hands(&self, setup: usize, threads: usize, _scene: &Scene) -> Vec<Hand> {
        let begin = &BEGINS[setup];
        let shared = Shared::for_ever(begin.lock, begin.permits);
        let mut hands: Vec<Hand> = (0..3).map(|_| Hand { shared, held: Vec::new(), future: None }).collect();
        hands[0].held.extend((0..begin.held).map(|_| shared.try_acquire().expect("it is free")));
        for &thread in begin.line {
            assert!(hands[thread].poll(Waker::noop()).is_pending(), "all permits are held");
        }
        // A thread that is not there keeps its place in the line.
        mem::forget(hands.split_off(threads));
        hands
    }

    fn perform(&self, hand: &mut Hand, call: Call, _id: usize, _scene: &Scene) -> String {
        match call {
            Call::Release => told(hand.held.pop().is_some(), DONE, NOTHING),
            Call::Drop => told(hand.future.take().is_some(), DONE, NOTHING),
            Call::Poll => told(hand.poll(Waker::noop()).is_ready(), READY, PENDING),
            Call::Await => {
                let waker = Waker::from(Arc::new(Unparks(thread::current())));
                while hand.poll(&waker).is_pending() {
                    thread::park();
                }
                READY.to_owned()
            }
            Call::Try => {
                let held = hand.shared.try_acquire();
                let some = held.is_some();
                hand.held.extend(held);
                told(some, "Some", "None")
            }
            Call::Available => hand.shared.available().to_string(),
        }
    }

    /// A thread that ends keeps what it has: to drop it is a call.
    fn leave(&self, hand: Hand) {
        mem::forget(hand);
    }

    fn may(&self, state: &State, call: Call, turn: &Turn, moves: &mut Moves<State>) {
        let mut after = state.clone();
        let thread = turn.thread;
        let mine = &mut after.threads[thread];
        let place = state.line.iter().position(|waits| *waits == thread);
        match call {
            Call::Release if mine.permits == 0 => moves.answer(after, NOTHING),
            Call::Release => {
                mine.permits -= 1;
                after.comes_back();
                moves.answer(after, DONE);
            }
            Call::Drop => {
                let given = mem::take(&mut mine.given);
                if let Some(place) = place {
                    after.line.remove(place);
                } else if given {
                    after.comes_back();
                }
                moves.answer(after, if given || place.is_some() { DONE } else { NOTHING });
            }
            Call::Poll | Call::Await => {
                if mem::take(&mut mine.given) {
                    mine.permits += 1;
                    moves.answer(after, READY);
                } else if place.is_none() && state.free > 0 {
                    mine.permits += 1;
                    after.free -= 1;
                    moves.answer(after, READY);
                } else if place.is_none() {
                    // It may be given a permit before the same poll is over.
                    after.line.push(thread);
                    moves.go_on(after, 1);
                }
                if call == Call::Poll && (turn.phase == 1 || place.is_some()) {
                    moves.answer(state.clone(), PENDING);
                }
            }
            Call::Try if state.free == 0 => moves.answer(after, "None"),
            Call::Try => {
                mine.permits += 1;
                after.free -= 1;
                moves.answer(after, "Some");
            }
            Call::Available => moves.answer(after, state.free.to_string()),
        }
    }
}

impl State {
    /// A permit goes to the first in the line, or is free.
    fn comes_back(&mut self) {
        if self.line.is_empty() {
            self.free += 1;
        } else {
            let first = self.line.remove(0);
            self.threads[first].given = true;
        }
    }
}

impl Shared<'static> {
    /// A lock, or a semaphore with so many permits. It is never dropped.
    pub(crate) fn for_ever(lock: bool, permits: usize) -> Shared<'static> {
        if lock {
            Shared::Lock(Box::leak(Box::new(Lock::new(()))))
        } else {
            Shared::Semaphore(Box::leak(Box::new(Semaphore::new(permits))))
        }
    }
}

impl<'s> Shared<'s> {
    /// The future is made here already, and not at its first poll.
    pub(crate) fn acquire(self) -> Waiting<'s> {
        fn held<'s>(future: impl Future<Output: Send> + Send + 's) -> Waiting<'s> {
            Box::pin(async move { Box::new(future.await) as Held<'s> })
        }
        match self {
            Shared::Semaphore(semaphore) => held(moving!(semaphore.acquire())),
            Shared::Lock(lock) => held(moving!(lock.lock())),
        }
    }

    pub(crate) fn try_acquire(self) -> Option<Held<'s>> {
        match self {
            Shared::Semaphore(semaphore) => semaphore.try_acquire().map(|permit| Box::new(permit) as Held<'s>),
            Shared::Lock(lock) => lock.try_lock().map(|guard| Box::new(guard) as Held<'s>),
        }
    }

    /// What is free. Of a lock only whoever takes it learns that.
    pub(crate) fn available(self) -> usize {
        match self {
            Shared::Semaphore(semaphore) => semaphore.available(),
            Shared::Lock(lock) => usize::from(lock.try_lock().is_some()),
        }
    }
}

impl Hand {
    fn poll(&mut self, waker: &Waker) -> Poll<()> {
        let future = self.future.get_or_insert_with(|| self.shared.acquire());
        let poll = future.as_mut().poll(&mut Context::from_waker(waker));
        poll.map(|held| {
            self.held.push(held);
            self.future = None;
        })
    }
}

fn told(is: bool, yes: &str, no: &str) -> String {
    (if is { yes } else { no }).to_owned()
}

/// Wakes a thread that sleeps until its future can go on.
struct Unparks(Thread);

impl Wake for Unparks {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
