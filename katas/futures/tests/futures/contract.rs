//! The contract of [`Executor`] and [`Future`] as a program: what may each call do now? All small programs of calls are tried
//! against it, those on single futures and those that wait for several.

use std::collections::BTreeMap;
use std::iter;
use std::mem;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures::{Executor, Failure, Future, Until, Waited, Within, as_completed, wait};
use kata::Gate;
use kata::scenarios::{Clock, Contract, Moves, Scene, Setup, Turn};

mod setups;
mod state;

use state::{BEGINS, GIVES, Outcome, SHORT, Stage, State, Takes, Then, Work};

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
    /// Those that are waited for together.
    list: Vec<Future<usize>>,
    /// Stands for a cancelled future, which has no number.
    cancelled: usize,
}

/// The programs of calls that are tried.
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

    fn calls(&self) -> Vec<Call> {
        use Call::*;
        match self {
            FuturesContract::Single => {
                let limits = [Duration::ZERO, LIMIT, Duration::MAX];
                let of_one = |n| {
                    let limited = limits.map(|limit| ResultWithin(n, limit));
                    [IsDone(n), Cancel(n), Result(n), DropFuture(n)].into_iter().chain(limited)
                };
                [1, 2].into_iter().flat_map(of_one).chain([Submit, SubmitMany, DropExecutor]).collect()
            }
            FuturesContract::Several => {
                let limits = [None, Some(Duration::ZERO), Some(LIMIT), Some(Duration::MAX)];
                let untils = [Until::FirstCompleted, Until::FirstFailure, Until::AllCompleted];
                let waits = untils.into_iter().flat_map(|until| limits.map(|limit| Wait(until, limit)));
                waits.chain([AsCompleted, Results]).collect()
            }
        }
    }

    fn name(&self, call: Call, id: usize) -> String {
        match call {
            Call::IsDone(n) => format!("is_done({n})"),
            Call::Cancel(n) => format!("cancel({n})"),
            Call::Result(n) => format!("result({n})"),
            Call::ResultWithin(n, limit) => format!("result_within({n}, {})", shown(limit)),
            Call::DropFuture(n) => format!("drop(future {n})"),
            Call::Submit => format!("submit(job {id})"),
            Call::SubmitMany => format!("submit × {MANY}"),
            Call::DropExecutor => "drop(executor)".to_owned(),
            Call::Wait(until, None) => format!("wait({until:?})"),
            Call::Wait(until, Some(limit)) => format!("wait({until:?}, {})", shown(limit)),
            Call::AsCompleted => "as_completed".to_owned(),
            Call::Results => "results".to_owned(),
        }
    }

    fn makes_sense(&self, setup: usize, program: &[Vec<Call>]) -> bool {
        let start = self.starts().swap_remove(setup);
        let calls: Vec<Call> = program.iter().flatten().copied().collect();
        let alone = calls.len() == 1;
        let submits = |(_, work): &(usize, Work)| matches!(work.1, Then::Submits(_));
        // Submitting many takes many steps, and a limit without an end is none in programs where limits run out at any time.
        (alone || !calls.iter().any(|call| *call == Call::SubmitMany || limit_of(*call) == Some(Duration::MAX)))
            && calls.contains(&Call::SubmitMany) == start.is_busy_for_ever()
            && calls.iter().all(|call| future_of(*call).is_none_or(|n| start.futures.contains(&n)))
            && !(calls.contains(&Call::DropExecutor) && start.jobs.iter().any(submits))
            && nobody_takes_what_others_have(program)
    }

    fn has_limit(&self, call: Call) -> bool {
        limit_of(call) == Some(LIMIT)
    }

    fn hands(&self, setup: usize, threads: usize, scene: &Scene) -> Vec<Hand> {
        let start = self.starts().swap_remove(setup);
        let size = |workers: &usize| NonZeroUsize::new(*workers).expect("a worker at least");
        let executors: Vec<_> = start.workers.iter().map(|workers| Arc::new(Executor::new(size(workers)))).collect();
        let mut futures = BTreeMap::new();
        for (id, (executor, work)) in (1..).zip(&start.jobs) {
            let executor = &executors[*executor];
            let own = matches!(work.1, Then::Submits(_)).then(|| Arc::clone(executor));
            let other = if let Then::Gets(other) = work.1 { futures.remove(&other) } else { None };
            futures.insert(id, executor.submit(job(id, *work, scene, own, other)));
        }
        if start.settled {
            scene.settle();
        }
        if let Some(cancelled) = start.cancelled {
            assert!(futures[&cancelled].cancel(), "job {cancelled} waits for a worker, so it can be cancelled");
            scene.settle();
        }
        let mut all = Hand { cancelled: start.cancelled.unwrap_or_default(), ..Hand::default() };
        if matches!(self, FuturesContract::Several) {
            all.list = start.futures.iter().filter_map(|n| futures.remove(n)).collect();
        }
        all.futures = futures;
        let mut executors = executors.into_iter();
        all.executor = executors.next();
        executors.for_each(mem::forget);
        iter::once(all).chain(iter::repeat_with(Hand::default)).take(threads).collect()
    }

    fn deal(&self, hands: &mut [Hand], program: &[Vec<Call>]) {
        let mut all = mem::take(&mut hands[0]);
        let executor = all.executor.take();
        for (hand, calls) in hands.iter_mut().zip(program) {
            for call in calls {
                match call {
                    Call::Submit | Call::SubmitMany | Call::DropExecutor => hand.executor.clone_from(&executor),
                    Call::Wait(..) | Call::AsCompleted | Call::Results => {
                        hand.cancelled = all.cancelled;
                        hand.list.append(&mut all.list);
                    }
                    _ => hand.futures.extend(future_of(*call).and_then(|n| all.futures.remove_entry(&n))),
                }
            }
        }
        // What nobody asks for stays as it is.
        mem::forget(all);
        if hands.iter().all(|hand| hand.executor.is_none()) {
            mem::forget(executor);
        }
    }

    fn perform(&self, hand: &mut Hand, call: Call, id: usize, scene: &Scene) -> String {
        if let Some(n) = future_of(call) {
            let Some(future) = hand.futures.remove(&n) else { return "gone".to_owned() };
            let (answer, left) = perform_on(future, call);
            hand.futures.extend(left.map(|future| (n, future)));
            return answer;
        }
        match call {
            Call::Submit => drop(hand.executor().submit(job(id, SHORT, scene, None, None))),
            Call::SubmitMany => (0..MANY).for_each(|_| drop(hand.executor().submit(|| ()))),
            Call::DropExecutor => drop(hand.executor.take()),
            Call::Wait(until, limit) => {
                let Waited { done, not_done } = wait(mem::take(&mut hand.list), until, limit);
                let left = not_done.len();
                hand.list = not_done;
                let done = done
                    .into_iter()
                    .map(|future| result_now(future).map_or("not complete".to_owned(), |result| told(&result)));
                return format!("done {}, not done {left}", shown_list(done));
            }
            Call::AsCompleted => {
                let mut completed = as_completed(mem::take(&mut hand.list));
                for future in completed.by_ref() {
                    let Some(result) = result_now(future) else { return "a future that is not complete".to_owned() };
                    scene.note(GIVES, number(&result).unwrap_or(hand.cancelled));
                }
                return if completed.next().is_none() { "end" } else { "one more after the end" }.to_owned();
            }
            _ => return shown_list(mem::take(&mut hand.list).into_iter().map(|future| told(&future.result()))),
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
                after.submit(turn.id, 0, SHORT);
                moves.answer(after, "()");
            }
            Call::SubmitMany => moves.answer(after, "()"),
            Call::DropExecutor if state.jobs.iter().all(|job| job.executor != 0 || job.outcome().is_some()) => {
                moves.answer(after, "()");
            }
            Call::DropExecutor => {}
            Call::Wait(until, limit) => state.wait(until, limit, turn, moves),
            Call::AsCompleted => state.as_completed(moves),
            Call::Results => {
                let results = state.list.iter().map(|n| state.job(*n).outcome()).collect::<Option<Vec<_>>>();
                if let Some(results) = results {
                    let told = shown_list(results.iter().zip(&state.list).map(|(outcome, n)| outcome.told(*n)));
                    after.list.clear();
                    moves.answer(after, told);
                }
            }
            _ => state.single(call, turn, moves),
        }
    }

    fn by_itself(&self, state: &State, clock: &Clock, moves: &mut Moves<State>) {
        for executor in 0..state.workers.len() {
            if let Some(place) = state.next_job(executor) {
                let mut after = state.clone();
                after.jobs[place].stage = Stage::Taken { since: clock.now };
                moves.change(after);
            }
        }
        for (place, job) in state.jobs.iter().enumerate() {
            match job.stage {
                Stage::Taken { .. } => moves.expects(BEGINS, job.id),
                Stage::Running { since } if job.work.0.is_over(since, clock) => state.end(place, moves),
                Stage::Returning => state.complete(place, Outcome::Returned(job.id), moves),
                _ => {}
            }
        }
    }

    fn hears(&self, state: &State, what: &str, id: usize, _clock: &Clock) -> Option<State> {
        let mut after = state.clone();
        if what == GIVES {
            after.coming.as_mut()?.gives(id)?;
            return Some(after);
        }
        let job = after.jobs.iter_mut().find(|job| job.id == id)?;
        let Stage::Taken { since } = job.stage else { return None };
        job.stage = Stage::Running { since };
        Some(after)
    }
}

impl Hand {
    fn executor(&self) -> &Executor {
        self.executor.as_ref().expect("the thread has not dropped it")
    }
}

/// Whether each future, and an executor that somebody drops, is in the hands of one thread only; and so are those that are
/// waited for together.
fn nobody_takes_what_others_have(program: &[Vec<Call>]) -> bool {
    let used_by =
        |uses: &dyn Fn(Call) -> bool| program.iter().filter(|calls| calls.iter().any(|call| uses(*call))).count();
    let dropped = program.iter().any(|calls| calls.contains(&Call::DropExecutor));
    let drops_last = |calls: &Vec<Call>| {
        let after = calls.iter().skip_while(|call| **call != Call::DropExecutor).skip(1);
        after.copied().all(|call| !is_on_executor(call))
    };
    [1, 2].into_iter().all(|n| used_by(&|call| future_of(call) == Some(n)) <= 1)
        && used_by(&|call| matches!(call, Call::Wait(..) | Call::AsCompleted | Call::Results)) <= 1
        && (!dropped || used_by(&is_on_executor) == 1 && program.iter().all(drops_last))
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

/// Makes a call on a future. Gives the answer, and the future if it is still there.
fn perform_on(future: Future<usize>, call: Call) -> (String, Option<Future<usize>>) {
    match call {
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
    }
}

/// What a job does.
fn job(
    id: usize,
    (takes, then): Work,
    scene: &Scene,
    executor: Option<Arc<Executor>>,
    other: Option<Future<usize>>,
) -> impl FnOnce() -> usize + Send + use<> {
    let scene = scene.clone();
    move || {
        scene.note(BEGINS, id);
        match takes {
            Takes::NoTime => {}
            Takes::Seconds(seconds) => thread::sleep(Duration::from_secs(seconds)),
            Takes::UntilTheGateOpens => scene.gate().pass(),
            Takes::ForEver => Gate::closed().pass(),
        }
        match then {
            Then::Returns => {}
            Then::Panics => panic!("job {id}"),
            Then::Submits(next) => {
                drop(executor.expect("it has a handle").submit(job(next, SHORT, &scene, None, None)));
            }
            Then::Gets(_) => return other.expect("it has the future").result().expect("that one returns"),
        }
        id
    }
}

/// The result of a future that is complete; nothing if it is not.
fn result_now(future: Future<usize>) -> Option<Result<usize, Failure>> {
    future.is_done().then(|| future.result())
}

/// Whose result it is, if that can be told.
fn number(result: &Result<usize, Failure>) -> Option<usize> {
    match result {
        Ok(id) => Some(*id),
        Err(Failure::Panicked(payload)) => payload.downcast_ref::<String>()?.strip_prefix("job ")?.parse().ok(),
        Err(Failure::Cancelled) => None,
    }
}

fn told(result: &Result<usize, Failure>) -> String {
    match result {
        Ok(id) => format!("Ok({id})"),
        Err(Failure::Cancelled) => "Cancelled".to_owned(),
        Err(Failure::Panicked(payload)) => match payload.downcast_ref::<String>() {
            Some(message) => format!("Panicked({message})"),
            None => "Panicked(another payload)".to_owned(),
        },
    }
}

impl Outcome {
    fn told(self, id: usize) -> String {
        match self {
            Outcome::Returned(value) => format!("Ok({value})"),
            Outcome::Panicked => format!("Panicked(job {id})"),
            Outcome::Cancelled => "Cancelled".to_owned(),
        }
    }
}

fn shown(limit: Duration) -> String {
    if limit == Duration::MAX { "MAX".to_owned() } else { format!("{limit:?}") }
}

fn shown_list(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(", "))
}
