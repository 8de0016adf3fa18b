//! The contract of [`Worker`] and [`StopSignal`] as a program: what may each call do now? The work of each setup is a small program,
//! too: what it is told is noted, and has to be right. All small programs of calls are tried against it.

use std::cell::RefCell;
use std::thread;
use std::time::Duration;

use daemon::{Joined, StopSignal, Worker};
use kata::scenarios::{Clock, Contract, Moves, Scene, Setup, Turn};

/// What work does, one after the other. Then it returns [`RESULT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Act {
    /// Asks whether it has been told to stop.
    Looks,
    Sleeps(Duration),
    /// Waits for the gate, which opens when all else has come to rest.
    Waits,
    Panics,
}

/// A worker, as the contract sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Working {
    acts: &'static [Act],
    /// How many acts are done.
    done: usize,
    /// Since when it does the next one.
    since: Duration,
    told: bool,
    /// What it was told, if it has asked, before it says so.
    answer: Option<bool>,
    /// Whether the work has come to an end.
    over: bool,
    /// Whether its thread has ended.
    ended: bool,
}

/// The workers of a setup. Calls are made on the first one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    workers: Vec<Working>,
    /// How many were started.
    started: usize,
    /// Whether the owner has still the first one in its hands.
    held: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    Stop,
    IsAlive,
    Join,
    JoinTimeout(Duration),
    Drop,
}

const RESULT: usize = 7;
const PAUSE: Duration = Duration::from_secs(4);
const LIMIT: Duration = Duration::from_secs(2);
/// What the workers note when they have been told something: 1 for "stop".
const NOTES: [&str; 2] = ["the worker is told {}", "the second worker is told {}"];
/// The answer of a call that has none.
const DONE: &str = "()";
/// The answer of a call that can't be made, since the worker has been joined.
const GONE: &str = "not made: the worker has been joined";

/// What is noted when `start` has returned.
const STARTED: &str = "worker {} is started";

/// Who starts the workers.
pub(crate) struct Owner {
    works: Vec<&'static [Act]>,
}

thread_local! {
    /// The first worker, in the hands of the thread that has started it, until it is joined or dropped. It need not be `Send`.
    static HELD: RefCell<Option<Worker<usize>>> = const { RefCell::new(None) };
}

pub(crate) struct DaemonContract;

impl Contract for DaemonContract {
    type Hand = Owner;
    type Call = Call;
    type State = State;

    const CALLS: usize = 4;
    /// The thread that started a worker has it in its hands.
    const THREADS: usize = 1;

    fn setups(&self) -> Vec<Setup<State>> {
        let setup = |name, works: &[&'static [Act]]| {
            let working = |&acts| Working {
                acts,
                done: 0,
                since: Duration::ZERO,
                told: false,
                answer: None,
                over: false,
                ended: false,
            };
            Setup { name, state: State { workers: works.iter().map(working).collect(), started: 0, held: true } }
        };
        vec![
            setup("the work returns at once", &[&[]]),
            setup("the work panics at once", &[&[Act::Panics]]),
            setup("the work sleeps for 4s", &[&[Act::Sleeps(PAUSE)]]),
            setup("the work waits at a gate", &[&[Act::Waits]]),
            setup("the work waits at a gate, then panics", &[&[Act::Waits, Act::Panics]]),
            setup("the work sleeps for 4s twice", &[&[Act::Sleeps(PAUSE), Act::Sleeps(PAUSE)]]),
            setup("the work looks, waits at a gate, looks", &[&[Act::Looks, Act::Waits, Act::Looks]]),
            setup("the work sleeps for 0s, then for 4s", &[&[Act::Sleeps(Duration::ZERO), Act::Sleeps(PAUSE)]]),
            setup("a worker waits at a gate, a second one returns at once", &[&[Act::Waits], &[]]),
            setup("two workers sleep for 4s", &[&[Act::Sleeps(PAUSE)], &[Act::Sleeps(PAUSE)]]),
        ]
    }

    fn calls(&self) -> Vec<Call> {
        use Call::*;
        vec![Stop, IsAlive, Join, JoinTimeout(LIMIT), JoinTimeout(Duration::ZERO), Drop]
    }

    fn name(&self, call: Call, _id: usize) -> String {
        match call {
            Call::Stop => "stop()".to_owned(),
            Call::IsAlive => "is_alive()".to_owned(),
            Call::Join => "join()".to_owned(),
            Call::JoinTimeout(limit) => format!("join_timeout({limit:?})"),
            Call::Drop => "drop(worker)".to_owned(),
        }
    }

    /// Whoever joins or drops a worker has it no more after that.
    fn makes_sense(&self, _setup: usize, program: &[Vec<Call>]) -> bool {
        let ends = |call: &Call| matches!(call, Call::Join | Call::Drop);
        program.iter().all(|calls| !calls.iter().rev().skip(1).any(ends))
    }

    fn limit(&self, call: Call) -> Option<Duration> {
        (call == Call::JoinTimeout(LIMIT)).then_some(LIMIT)
    }

    fn hands(&self, setup: usize, _threads: usize, _scene: &Scene) -> Vec<Owner> {
        let State { workers, .. } = self.setups().swap_remove(setup).state;
        vec![Owner { works: workers.into_iter().map(|worker| worker.acts).collect() }]
    }

    fn arrive(&self, owner: &mut Owner, scene: &Scene) {
        for (number, &acts) in owner.works.iter().enumerate() {
            let theirs = scene.clone();
            let worker = Worker::start("worker", move |stop| work(acts, stop, NOTES[number], &theirs));
            scene.note(STARTED, number + 1);
            // The second one is nobody's: it goes on.
            HELD.with_borrow_mut(|held| _ = held.get_or_insert(worker));
        }
    }

    fn perform(&self, _owner: &mut Owner, call: Call, _id: usize, _scene: &Scene) -> String {
        let Some(worker) = HELD.take() else { return GONE.to_owned() };
        let (answer, worker) = match call {
            Call::Stop => {
                worker.stop();
                (DONE.to_owned(), Some(worker))
            }
            Call::IsAlive => (worker.is_alive().to_string(), Some(worker)),
            Call::Join => (result(worker.join()), None),
            Call::JoinTimeout(limit) => match worker.join_timeout(limit) {
                Joined::Ended(ended) => (result(ended), None),
                Joined::StillRunning(worker) => ("still running".to_owned(), Some(worker)),
            },
            Call::Drop => {
                drop(worker);
                (DONE.to_owned(), None)
            }
        };
        HELD.set(worker);
        answer
    }

    fn leave(&self, _owner: Owner) {
        drop(HELD.take());
    }

    fn may(&self, state: &State, call: Call, turn: &Turn, moves: &mut Moves<State>) {
        let (worker, mut after) = (&state.workers[0], state.clone());
        match call {
            _ if !state.held => moves.answer(after, GONE),
            Call::Stop => {
                after.workers[0].told = true;
                moves.answer(after, DONE);
            }
            Call::IsAlive => {
                if !worker.ended {
                    moves.answer(after.clone(), "true");
                }
                // When exactly a thread ends that has nothing left to do is nobody's business.
                if worker.over {
                    // Whoever has been told that it has ended will hear nothing else from then on.
                    after.workers[0].ended = true;
                    moves.answer(after, "false");
                }
            }
            Call::Join | Call::JoinTimeout(_) if worker.ended => {
                after.held = false;
                let panics = worker.acts.last() == Some(&Act::Panics);
                moves.answer(after, result(if panics { Err(Box::new(BURNT)) } else { Ok(RESULT) }));
            }
            Call::JoinTimeout(limit) if turn.is_over(limit) => moves.answer(after, "still running"),
            Call::Join | Call::JoinTimeout(_) => {}
            Call::Drop => {
                after.held = false;
                moves.answer(after, DONE);
            }
        }
    }

    fn by_itself(&self, state: &State, clock: &Clock, moves: &mut Moves<State>) {
        if state.started < state.workers.len() {
            moves.expects(STARTED, state.started + 1);
        }
        for (number, worker) in state.workers.iter().enumerate() {
            let mut after = state.clone();
            let next = &mut after.workers[number];
            match worker.acts.get(worker.done) {
                _ if worker.ended => continue,
                _ if worker.over => next.ended = true,
                None | Some(Act::Panics) => next.over = true,
                Some(Act::Waits) if clock.gate_is_open => next.goes_on(clock),
                Some(Act::Waits) => continue,
                Some(_) if worker.answer.is_some() => {
                    moves.expects(NOTES[number], usize::from(worker.answer == Some(true)));
                    continue;
                }
                Some(Act::Looks) => next.answer = Some(worker.told),
                Some(Act::Sleeps(_)) if worker.told => next.answer = Some(true),
                Some(&Act::Sleeps(pause)) if clock.hostile || clock.now >= worker.since + pause => {
                    next.answer = Some(false);
                }
                Some(Act::Sleeps(_)) => continue,
            }
            moves.change(after);
        }
    }

    fn hears(&self, state: &State, what: &str, told: usize, clock: &Clock) -> Option<State> {
        let mut after = state.clone();
        if what == STARTED {
            after.started += 1;
            return Some(after);
        }
        let number = NOTES.iter().position(|note| *note == what)?;
        let answer = after.workers[number].answer.take()?;
        after.workers[number].goes_on(clock);
        (usize::from(answer) == told).then_some(after)
    }
}

impl Working {
    fn goes_on(&mut self, clock: &Clock) {
        self.done += 1;
        self.since = clock.now;
    }
}

const BURNT: &str = "burnt";

/// The work of a worker.
fn work(acts: &[Act], stop: &StopSignal, note: &'static str, scene: &Scene) -> usize {
    for act in acts {
        match *act {
            Act::Looks => scene.note(note, usize::from(stop.is_set())),
            Act::Sleeps(pause) => scene.note(note, usize::from(stop.sleep(pause))),
            Act::Waits => scene.gate().pass(),
            Act::Panics => kata::panic_on_purpose(BURNT),
        }
    }
    RESULT
}

fn result(result: thread::Result<usize>) -> String {
    match result {
        Ok(number) => format!("Ok({number})"),
        Err(payload) => format!("Err({})", payload.downcast_ref::<&str>().unwrap_or(&"another payload")),
    }
}
