//! The contract of [`Executor`] and [`Future`] as a program: what may each call do now? All small programs of calls are tried
//! against it: those on single futures, and those that wait for several.

use std::collections::BTreeMap;
use std::iter;
use std::mem;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures::{Executor, Failure, Future, Until, Waited, Within, as_completed, wait};
use kata::scenarios::{Clock, Contract, Moves, Scene, Setup, Turn};
use kata::{Gate, panic_on_purpose};

mod setups;
mod state;

use state::{BEGINS, GIVES, Outcome, Stage, State, Takes, Then};

/// A call that a thread makes. Futures are known by their jobs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    IsDone(usize),
    Cancel(usize),
    Result(usize),
    ResultWithin(usize, Duration),
    DropFuture(usize),
    Submit,
    SubmitMany,
    DropExecutor,
    Wait(Until, Option<Duration>),
    AsCompleted,
    /// The results of all futures that are left, one after the other.
    Results,
}

/// What a thread has.
#[derive(Default)]
pub(crate) struct Hand {
    /// The first of the executors.
    executor: Option<Arc<Executor>>,
    futures: BTreeMap<usize, Future<usize>>,
    /// Those that it waits for together.
    list: Vec<Future<usize>>,
    /// Stands for a future that was cancelled, and has no number.
    cancelled: usize,
}

/// The programs of calls that are tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum FuturesContract {
    /// Those on single futures, and on the executor.
    Single,
    /// Those that wait for several futures.
    Several,
}

const LIMIT: Duration = Duration::from_secs(2);
/// More than any bound that somebody would give a queue.
const MANY: usize = 1_030;

impl Contract for FuturesContract {
    type Hand = Hand;
    type Call = Call;
    type State = State;

    const CALLS: usize = 2;
    const TELLING: usize = 3;

    fn setups(&self) -> Vec<Setup<State>> {
        self.starts().iter().map(|start| Setup { name: start.name, state: start.state() }).collect()
    }

    /// Each list belongs to a thread of its own.
    fn parts(&self, setup: usize) -> usize {
        let lists = self.starts()[setup].lists.len();
        if lists > 1 { lists } else { 0 }
    }

    fn calls(&self) -> Vec<Call> {
        use Call::*;
        let limits = [Duration::ZERO, LIMIT, Duration::MAX];
        if *self == FuturesContract::Single {
            let of_one = |n| {
                let limited = limits.map(|limit| ResultWithin(n, limit));
                [IsDone(n), Cancel(n), Result(n), DropFuture(n)].into_iter().chain(limited)
            };
            return [1, 2].into_iter().flat_map(of_one).chain([Submit, SubmitMany, DropExecutor]).collect();
        }
        let untils = [Until::FirstCompleted, Until::FirstFailure, Until::AllCompleted];
        let limits = || iter::once(None).chain(limits.map(Some));
        let waits = untils.into_iter().flat_map(|until| limits().map(move |limit| Wait(until, limit)));
        waits.chain([AsCompleted, Results]).collect()
    }

    fn is_for(&self, call: Call, setup: usize) -> bool {
        let start = self.starts().swap_remove(setup);
        let has_future = |n| start.lists[0].contains(&n);
        match call {
            // Submitting many takes many steps, unless they are never run.
            Call::SubmitMany => start.is_busy_for_ever(),
            _ if start.is_busy_for_ever() => false,
            Call::DropExecutor => !start.has_a_job_that_submits(),
            _ => future_of(call).is_none_or(has_future),
        }
    }

    fn name(&self, call: Call, id: usize) -> String {
        let shown = |limit| if limit == Duration::MAX { "MAX".to_owned() } else { format!("{limit:?}") };
        match call {
            Call::IsDone(n) => format!("is_done({n})"),
            Call::Cancel(n) => format!("cancel({n})"),
            Call::Result(n) => format!("result({n})"),
            Call::ResultWithin(n, limit) => format!("result_within({n}, {})", shown(limit)),
            Call::DropFuture(n) => format!("drop(future {n})"),
            Call::Submit => format!("submit(job {id})"),
            Call::SubmitMany => format!("submit, {MANY} times"),
            Call::DropExecutor => "drop(executor)".to_owned(),
            Call::Wait(until, None) => format!("wait({until:?})"),
            Call::Wait(until, Some(limit)) => format!("wait({until:?}, {})", shown(limit)),
            Call::AsCompleted => "as_completed, to its end".to_owned(),
            Call::Results => "result of each that is left".to_owned(),
        }
    }

    fn makes_sense(&self, setup: usize, program: &[Vec<Call>]) -> bool {
        let calls: Vec<Call> = program.iter().flatten().copied().collect();
        // Where limits run out at any time, one without an end would, too.
        let endless = calls.iter().any(|call| limit_of(*call) == Some(Duration::MAX));
        let fits = match self {
            FuturesContract::Single => nobody_takes_what_others_have(program),
            FuturesContract::Several => {
                let lists = self.starts()[setup].lists.len();
                program.len() == lists && program.iter().all(|calls| leaves_something_to_wait_for(calls))
            }
        };
        fits && (calls.len() == 1 || !endless)
    }

    fn limit(&self, call: Call) -> Option<Duration> {
        limit_of(call).filter(|limit| *limit == LIMIT)
    }

    fn hands(&self, setup: usize, threads: usize, scene: &Scene) -> Vec<Hand> {
        let start = self.starts().swap_remove(setup);
        let size = |workers: usize| NonZeroUsize::new(workers).expect("a worker at least");
        let mut executors: Vec<Arc<Executor>> =
            start.workers.iter().map(|workers| Arc::new(Executor::new(size(*workers)))).collect();
        let mut futures = BTreeMap::new();
        for (id, &(executor, takes, then)) in (1..).zip(&start.jobs) {
            let executor = &executors[executor];
            let ending: Ending = match then {
                Then::Returns => Box::new(move || id),
                // What is thrown need not be a text.
                Then::Panics => Box::new(move || panic_on_purpose(id)),
                Then::Submits(other) => {
                    let (executor, job) =
                        (Arc::clone(executor), job(other, Takes::NoTime, scene, Box::new(move || other)));
                    Box::new(move || {
                        drop(executor.submit(job));
                        id
                    })
                }
                Then::Gets(other) => {
                    let other: Future<usize> = futures.remove(&other).expect("the other job came first");
                    Box::new(move || other.result().expect("the other job returns"))
                }
            };
            futures.insert(id, executor.submit(job(id, takes, scene, ending)));
        }
        if start.settled {
            scene.settle();
        }
        if let Some(n) = start.cancelled {
            assert!(futures[&n].cancel(), "cancel({n}) says false, though the job waits for a worker");
            scene.settle();
        }
        let mut hands: Vec<Hand> = iter::repeat_with(Hand::default).take(threads).collect();
        if *self == FuturesContract::Several {
            for (hand, list) in hands.iter_mut().zip(&start.lists) {
                hand.list = list.iter().filter_map(|n| futures.remove(n)).collect();
                hand.cancelled = start.cancelled.unwrap_or_default();
            }
        }
        hands[0].futures = futures;
        executors.drain(1..).for_each(mem::forget);
        hands[0].executor = executors.pop();
        hands
    }

    fn deal(&self, hands: &mut [Hand], program: &[Vec<Call>]) {
        let executor = hands[0].executor.take();
        let mut futures = mem::take(&mut hands[0].futures);
        for (hand, calls) in hands.iter_mut().zip(program) {
            for &call in calls {
                hand.futures.extend(future_of(call).and_then(|n| futures.remove_entry(&n)));
                if is_on_executor(call) {
                    hand.executor.clone_from(&executor);
                }
            }
        }
        // What nobody calls is left as it is.
        mem::forget(futures);
        if hands.iter().all(|hand| hand.executor.is_none()) {
            mem::forget(executor);
        }
    }

    fn perform(&self, hand: &mut Hand, call: Call, id: usize, scene: &Scene) -> String {
        match call {
            Call::Submit => drop(hand.executor().submit(job(id, Takes::NoTime, scene, Box::new(move || id)))),
            Call::SubmitMany => (0..MANY).for_each(|_| drop(hand.executor().submit(|| ()))),
            Call::DropExecutor => drop(hand.executor.take()),
            Call::Wait(until, limit) => {
                let Waited { done, not_done } = wait(mem::take(&mut hand.list), until, limit);
                hand.list = not_done;
                let told = |future| result_now(future).map_or("not complete".to_owned(), |result| told(&result));
                return waited(done.into_iter().map(told), hand.list.len());
            }
            Call::AsCompleted => return all_completed(hand, scene),
            Call::Results => {
                return outcomes_told(mem::take(&mut hand.list).into_iter().map(|future| told(&future.result())));
            }
            _ => return hand.single(call),
        }
        "()".to_owned()
    }

    fn leave(&self, hand: Hand) {
        mem::forget(hand);
    }

    fn may(&self, state: &State, call: Call, turn: &Turn, moves: &mut Moves<State>) {
        let mut after = state.clone();
        match call {
            Call::Submit => {
                after.submit(turn.id, 0);
                moves.answer(after, "()");
            }
            Call::SubmitMany => moves.answer(after, "()"),
            Call::DropExecutor => {
                if state.jobs.iter().all(|job| job.executor != 0 || job.outcome().is_some()) {
                    moves.answer(after, "()");
                }
            }
            Call::Wait(until, limit) => state.wait(until, limit, turn, moves),
            Call::AsCompleted => state.as_completed(turn, moves),
            Call::Results => state.results(turn, moves),
            _ => state.single(call, turn, moves),
        }
    }

    fn by_itself(&self, state: &State, clock: &Clock, moves: &mut Moves<State>) {
        state.work(clock, moves);
    }

    fn hears(&self, state: &State, what: &str, id: usize, _clock: &Clock) -> Option<State> {
        let mut after = state.clone();
        if what == GIVES {
            let mut comings = after.waiters.iter_mut().filter_map(|waiter| waiter.coming.as_mut());
            return comings.any(|coming| coming.gives(id)).then_some(after);
        }
        assert_eq!(what, BEGINS);
        let job = after.jobs.iter_mut().find(|job| job.id == id)?;
        let Stage::Taken { since } = job.stage else { return None };
        job.stage = Stage::Running { since };
        Some(after)
    }
}

/// Whether each future is in the hands of one thread only, and so is an executor that somebody drops.
fn nobody_takes_what_others_have(program: &[Vec<Call>]) -> bool {
    let users =
        |uses: &dyn Fn(Call) -> bool| program.iter().filter(|calls| calls.iter().any(|call| uses(*call))).count();
    let drops = |calls: &Vec<Call>| calls.contains(&Call::DropExecutor);
    let drops_last = |calls: &Vec<Call>| {
        calls.iter().skip_while(|call| **call != Call::DropExecutor).skip(1).all(|call| !is_on_executor(*call))
    };
    [1, 2].into_iter().all(|n| users(&|call| future_of(call) == Some(n)) <= 1)
        && program.iter().all(drops_last)
        && (users(&is_on_executor) <= 1 || !program.iter().any(drops))
}

/// Whether each but the last of a thread's calls gives up or returns early, and the last one waits for what is left.
fn leaves_something_to_wait_for(calls: &[Call]) -> bool {
    let Some((last, earlier)) = calls.split_last() else { return true };
    let leaves = |call: &Call| match call {
        Call::Wait(until, limit) => *until != Until::AllCompleted || limit.is_some(),
        _ => false,
    };
    earlier.iter().all(leaves) && (earlier.is_empty() || limit_of(*last).is_none())
}

/// The future that the call is on, if on one.
fn future_of(call: Call) -> Option<usize> {
    match call {
        Call::IsDone(n) | Call::Cancel(n) | Call::Result(n) | Call::ResultWithin(n, _) | Call::DropFuture(n) => Some(n),
        _ => None,
    }
}

fn is_on_executor(call: Call) -> bool {
    matches!(call, Call::Submit | Call::SubmitMany | Call::DropExecutor)
}

fn limit_of(call: Call) -> Option<Duration> {
    match call {
        Call::ResultWithin(_, limit) => Some(limit),
        Call::Wait(_, limit) => limit,
        _ => None,
    }
}

impl Hand {
    fn executor(&self) -> &Executor {
        self.executor.as_ref().expect("the thread has not dropped it")
    }

    /// Makes a call on a single future.
    fn single(&mut self, call: Call) -> String {
        let n = future_of(call).expect("a call on a future");
        let Some(future) = self.futures.remove(&n) else { return "gone".to_owned() };
        let (answer, left) = match call {
            Call::IsDone(_) => (future.is_done().to_string(), Some(future)),
            Call::Cancel(_) => (future.cancel().to_string(), Some(future)),
            Call::ResultWithin(_, limit) => match future.result_within(limit) {
                Within::Complete(result) => (told(&result), None),
                Within::TimeIsUp(future) => ("TimeIsUp".to_owned(), Some(future)),
            },
            Call::Result(_) => (told(&future.result()), None),
            _ => {
                drop(future);
                ("()".to_owned(), None)
            }
        };
        self.futures.extend(left.map(|future| (n, future)));
        answer
    }
}

/// What a job does when it has taken its time.
type Ending = Box<dyn FnOnce() -> usize + Send>;

fn job(id: usize, takes: Takes, scene: &Scene, ending: Ending) -> impl FnOnce() -> usize + Send + use<> {
    let scene = scene.clone();
    move || {
        scene.note(BEGINS, id);
        match takes {
            Takes::NoTime => {}
            Takes::Seconds(seconds) => thread::sleep(Duration::from_secs(seconds)),
            Takes::UntilTheGateOpens => scene.gate().pass(),
            Takes::ForEver => Gate::closed().pass(),
        }
        ending()
    }
}

/// Notes which futures `as_completed` gives, and asks once more when it has come to its end.
fn all_completed(hand: &mut Hand, scene: &Scene) -> String {
    let mut completed = as_completed(mem::take(&mut hand.list));
    for future in completed.by_ref() {
        let Some(result) = result_now(future) else { return "a future that is not complete".to_owned() };
        let number = match &result {
            Ok(id) => Some(*id),
            Err(Failure::Panicked(payload)) => payload.downcast_ref().copied(),
            Err(Failure::Cancelled) => Some(hand.cancelled),
        };
        scene.note(GIVES, number.unwrap_or_default());
    }
    if completed.next().is_none() { "end" } else { "one more after the end" }.to_owned()
}

/// The result of a future that is complete; nothing if it is not.
fn result_now(future: Future<usize>) -> Option<Result<usize, Failure>> {
    future.is_done().then(|| future.result())
}

fn told(result: &Result<usize, Failure>) -> String {
    match result {
        Ok(id) => format!("Ok({id})"),
        Err(Failure::Cancelled) => "Cancelled".to_owned(),
        Err(Failure::Panicked(payload)) => match payload.downcast_ref::<usize>() {
            Some(id) => format!("Panicked({id})"),
            None => "Panicked(another payload)".to_owned(),
        },
    }
}

impl Outcome {
    fn told(self, id: usize) -> String {
        match self {
            Outcome::Returned(value) => format!("Ok({value})"),
            Outcome::Panicked => format!("Panicked({id})"),
            Outcome::Cancelled => "Cancelled".to_owned(),
        }
    }
}

fn outcomes_told(outcomes: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", outcomes.into_iter().collect::<Vec<_>>().join(", "))
}

fn waited(done: impl IntoIterator<Item = String>, left: usize) -> String {
    format!("done {}, {left} not done", outcomes_told(done))
}
