//! The contract of [`Pool`] as a program: what may each call, each worker and each job do now? All small programs of calls
//! are tried against it.
//!
//! Jobs note when they begin and end, or that they are dropped without having begun; threads note when they become workers
//! and when they end. A worker takes a job out of the backlog a moment before the job's first line runs: that step is silent,
//! as is all that only shows in what comes later.

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::mem;
use std::num::NonZeroUsize;
use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kata::scenarios::{Clock, Contract, Moves, Scene, Setup, Turn};
use pool::{Lost, Pool, ShutDown};

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    /// Submits a job that does this.
    Submit(Act),
    /// Maps items whose work is this.
    Map(&'static [Act]),
    Shutdown,
    ShutdownNow,
    /// Drops the only handle that is not a job's.
    Drop,
}

/// What a job does. Those that use their own pool hold a handle to it until they end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Act {
    Returns,
    Panics,
    /// Waits for the gate.
    Waits,
    /// Submits two jobs to its own pool.
    Submits,
    /// Maps two items on its own pool.
    Maps,
    ShutsDown,
    ShutsDownNow,
    /// Makes a pool of its own, whose worker waits at the gate and whose backlog is full, and calls that one.
    Elsewhere(Elsewhere),
}

/// A call to another pool, in a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Elsewhere {
    Submits,
    Maps,
    ShutsDown,
}

impl Act {
    fn uses_its_pool(self) -> bool {
        matches!(self, Act::Submits | Act::Maps | Act::ShutsDown | Act::ShutsDownNow)
    }
}

/// The two jobs that a job submits, and the items that it maps.
const CHILDREN: [Act; 2] = [Act::Returns, Act::Panics];

/// A job, or the work on an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Job {
    id: usize,
    act: Act,
    is_item: bool,
}

/// A job that was taken out of the backlog and has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Running {
    job: Job,
    step: Step,
    /// The job that waits on the same worker until this one has ended.
    under: Option<usize>,
}

/// How far a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// A worker has it. It has not begun.
    Taken,
    /// It is about to do its next thing.
    Next(usize),
    /// It is about to note this, of whatever has this number, and does its next thing then.
    Notes(&'static str, usize, usize),
    Ends,
}

/// A map on its way: how many of its items it has asked for, and how many of these it has handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Mapping {
    id: usize,
    asked: usize,
    handed: usize,
}

/// A pool, as the contract sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    workers: usize,
    room: usize,
    is_shut_down: bool,
    /// Somebody has seen that all workers have ended.
    is_over: bool,
    handles: usize,
    /// The oldest first.
    backlog: VecDeque<Job>,
    running: Vec<Running>,
    /// Refused, or dropped out of the backlog; that is still to be noted.
    dropped: Vec<Job>,
    /// Items that have no result.
    lost: Vec<usize>,
    maps: Vec<Mapping>,
    /// How many calls of `shutdown_now` wait for the end, and how many dropped jobs none of them has told of.
    ending_now: usize,
    untold: usize,
    /// How many workers have run a job, and how many of these have not ended.
    known_workers: usize,
    living_workers: usize,
}

impl State {
    fn new(workers: usize, room: usize, jobs: &[Act]) -> State {
        let job = |(index, &act)| Job { id: index + 1, act, is_item: false };
        State { workers, room, handles: 1, backlog: jobs.iter().enumerate().map(job).collect(), ..State::default() }
    }

    fn has_room(&self) -> bool {
        self.backlog.len() < self.room && !self.is_over
    }

    fn is_finished(&self) -> bool {
        self.backlog.is_empty() && self.running.is_empty()
    }

    fn busy_workers(&self) -> usize {
        self.running.iter().filter(|running| running.under.is_none()).count()
    }

    /// Whether the job was handed over and has ended, with a result or without.
    fn is_settled(&self, id: usize) -> bool {
        self.backlog.iter().all(|job| job.id != id) && self.running.iter().all(|running| running.job.id != id)
    }

    fn runs(mut self, job: Job, under: Option<usize>) -> State {
        self.running.push(Running { job, step: Step::Taken, under });
        self.running.sort_by_key(|running| running.job.id);
        self
    }

    fn queues(mut self, job: Job) -> State {
        self.backlog.push_back(job);
        self
    }

    fn drops(mut self, job: Job) -> State {
        self.dropped.push(job);
        self.dropped.sort_by_key(|job| job.id);
        self.lost.extend(job.is_item.then_some(job.id));
        self.lost.sort_unstable();
        self
    }

    fn steps(mut self, job: Job, step: Step) -> State {
        self.running.iter_mut().filter(|running| running.job == job).for_each(|running| running.step = step);
        self
    }

    fn shuts_down(self) -> State {
        State { is_shut_down: true, ..self }
    }

    /// A handle is dropped. Without any, the pool is.
    fn loses_a_handle(self) -> State {
        let handles = self.handles - 1;
        State { handles, is_shut_down: self.is_shut_down || handles == 0, ..self }
    }

    /// What may become of a job that a thread hands over that is no worker: whether it goes in, if that is settled. Whoever has
    /// found the pool open may still get in after a shutdown, or be refused.
    fn hands_over(&self, job: Job, has_looked: bool) -> Vec<(State, Option<bool>)> {
        let mut all = Vec::new();
        if !has_looked && !self.is_shut_down {
            all.push((self.clone(), None));
        }
        if has_looked && self.has_room() {
            all.push((self.clone().queues(job), Some(true)));
        }
        if self.is_shut_down {
            all.push((self.clone().drops(job), Some(false)));
        }
        all
    }

    /// A call of `shutdown_now` begins. Where the pool is shut down already, it may leave the backlog to the other call.
    fn ends_now(&self) -> State {
        State { ending_now: self.ending_now + 1, ..self.clone().shuts_down() }
    }

    /// It drops the oldest job, or one that a worker has taken and not begun. Until then workers may take them.
    fn drops_one(&self) -> Vec<State> {
        let has_not_begun = |running: &&Running| running.step == Step::Taken && running.under.is_none();
        let jobs = self.running.iter().filter(has_not_begun).map(|running| running.job);
        let without = |job| {
            let mut after = State { untold: self.untold + 1, ..self.clone().drops(job) };
            after.backlog.retain(|other| *other != job);
            after.running.retain(|running| running.job != job);
            after
        };
        self.backlog.front().copied().into_iter().chain(jobs).map(without).collect()
    }

    /// How many jobs it may say that it has dropped. Where another such call waits, that one may count some of them.
    fn tells_of_dropped(&self) -> impl Iterator<Item = (State, usize)> {
        let ending_now = self.ending_now - 1;
        let least = if ending_now > 0 { 0 } else { self.untold };
        (least..=self.untold).map(move |told| (State { untold: self.untold - told, ending_now, ..self.clone() }, told))
    }

    /// The oldest job of the backlog is taken: by a worker that is idle, or by one that waits in a job.
    fn takes(&self, under: Option<usize>, moves: &mut Moves<State>) {
        let mut after = self.clone();
        let Some(job) = after.backlog.pop_front() else { return };
        moves.change(after.runs(job, under));
    }

    /// What a worker may do with a job that its own job hands over. It never waits: it can run this job, or the oldest, itself.
    fn hands_over_in_a_job(self, child: Job, parent: usize) -> Vec<State> {
        let mut with_room = self.clone().queues(child);
        if !self.has_room() {
            let oldest = with_room.backlog.pop_front().expect("it is full");
            with_room = with_room.runs(oldest, Some(parent));
        }
        vec![self.runs(child, Some(parent)), with_room]
    }
}

pub(crate) struct PoolContract;

/// The answer of a call that has none.
const DONE: &str = "()";
const THREE_ITEMS: &[Act] = &[Act::Waits, Act::Panics, Act::Returns];
const NO_ITEMS: &[Act] = &[];

/// Workers, room, jobs, and how that is told.
const SETUPS: [(usize, usize, &[Act], &str); 5] = [
    (1, 1, &[], "1 worker, room for 1"),
    (2, 1, &[], "2 workers, room for 1"),
    (1, 1, &[Act::Waits, Act::Returns], "1 worker, room for 1: job 1 waits at the gate, job 2 is in the backlog"),
    (
        1,
        2,
        &[Act::Waits, Act::Returns, Act::Returns],
        "1 worker, room for 2: job 1 waits at the gate, jobs 2 and 3 are in the backlog",
    ),
    (
        2,
        1,
        &[Act::Waits, Act::Waits, Act::Returns],
        "2 workers, room for 1: jobs 1 and 2 wait at the gate, job 3 is in the backlog",
    ),
];

impl Contract for PoolContract {
    type Hand = Option<Handle>;
    type Call = Call;
    type State = State;

    const TELLING: usize = 3;

    fn setups(&self) -> Vec<Setup<State>> {
        let setup = |(workers, room, jobs, name)| Setup { name, state: State::new(workers, room, jobs) };
        SETUPS.into_iter().map(setup).collect()
    }

    fn calls(&self) -> Vec<Call> {
        use Act::*;
        let jobs = [Returns, Panics, Waits, Submits, Maps, ShutsDown, ShutsDownNow].map(Call::Submit);
        let elsewhere =
            [Elsewhere::Submits, Elsewhere::Maps, Elsewhere::ShutsDown].map(Act::Elsewhere).map(Call::Submit);
        let others = [Call::Map(THREE_ITEMS), Call::Map(NO_ITEMS), Call::Shutdown, Call::ShutdownNow, Call::Drop];
        jobs.into_iter().chain(others).chain(elsewhere).collect()
    }

    fn name(&self, call: Call, id: usize) -> String {
        match call {
            Call::Submit(act) => format!("submit({})", told(act, id)),
            Call::Map(acts) => {
                let items: Vec<String> = acts.iter().enumerate().map(|(k, &act)| told(act, inner(id, k))).collect();
                format!("map([{}])", items.join(", "))
            }
            Call::Shutdown => "shutdown()".to_owned(),
            Call::ShutdownNow => "shutdown_now()".to_owned(),
            Call::Drop => "drop(pool)".to_owned(),
        }
    }

    fn is_for(&self, call: Call, setup: usize) -> bool {
        match call {
            _ if setup == 0 => true,
            Call::Submit(Act::Returns) | Call::Map(THREE_ITEMS) | Call::Shutdown | Call::ShutdownNow | Call::Drop => {
                true
            }
            Call::Submit(Act::Panics | Act::Elsewhere(_)) | Call::Map(_) => false,
            Call::Submit(Act::ShutsDown | Act::ShutsDownNow) => setup <= 2,
            Call::Submit(_) => setup == 1,
        }
    }

    fn makes_sense(&self, setup: usize, program: &[Vec<Call>]) -> bool {
        let calls: Vec<Call> = program.iter().flatten().copied().collect();
        // Whoever drops a pool is alone with it.
        let drop = calls.iter().position(|call| *call == Call::Drop);
        if drop.is_some_and(|place| program.len() > 1 || place + 1 < calls.len()) {
            return false;
        }
        let is_plain = |call: &Call| self.is_for(*call, SETUPS.len() - 1);
        match calls.len() {
            1 => true,
            2 => !calls.iter().any(|call| matches!(call, Call::Map(NO_ITEMS) | Call::Submit(Act::Elsewhere(_)))),
            // Two wait for room, and somebody makes some, or ends the pool.
            _ => (2..=3).contains(&setup) && program.len() > 1 && calls.iter().all(is_plain),
        }
    }

    fn hands(&self, setup: usize, threads: usize, scene: &Scene) -> Vec<Option<Handle>> {
        enter_as_caller();
        let (workers, room, jobs, _) = SETUPS[setup];
        let handle = Handle { pool: Arc::new(Pool::new(size(workers), size(room))), gone: Arc::default() };
        for (index, &act) in jobs.iter().enumerate() {
            assert_eq!(submit(&handle, act, index + 1, scene), Ok(()), "nobody has shut the pool down");
        }
        if setup > 0 {
            scene.settle();
        }
        vec![Some(handle); threads]
    }

    fn perform(&self, hand: &mut Option<Handle>, call: Call, id: usize, scene: &Scene) -> String {
        enter_as_caller();
        let handle = hand.as_ref().expect("a pool that was dropped is not used");
        match call {
            Call::Submit(act) => submit(handle, act, id, scene).map_or("ShutDown", |()| "Ok").to_owned(),
            Call::Map(acts) => {
                let items = acts.iter().enumerate().map(|(k, &act)| {
                    scene.note("item {} is asked for", inner(id, k));
                    RealJob::new(act, inner(id, k), handle, scene)
                });
                results(handle.pool.map(items, RealJob::run))
            }
            Call::Shutdown => {
                handle.pool.shutdown();
                DONE.to_owned()
            }
            Call::ShutdownNow => handle.pool.shutdown_now().to_string(),
            Call::Drop => {
                *hand = None;
                DONE.to_owned()
            }
        }
    }

    /// Calls end a pool, and nothing else does.
    fn leave(&self, hand: Option<Handle>) {
        mem::forget(hand);
    }

    fn may(&self, state: &State, call: Call, turn: &Turn, moves: &mut Moves<State>) {
        match (call, turn.phase) {
            (Call::Submit(act), phase) => {
                let job = Job { id: turn.id, act, is_item: false };
                let comes = phase == 0 && act.uses_its_pool();
                let state = State { handles: state.handles + usize::from(comes), ..state.clone() };
                may_hand_over(&state, job, phase == 1, moves, |moves, after, accepted| match accepted {
                    Some(accepted) => moves.answer(after, if accepted { "Ok" } else { "ShutDown" }),
                    None => moves.go_on(after, 1),
                });
            }
            (Call::Map(acts), phase) => may_map(state, acts, turn.id, phase, moves),
            (Call::Drop, 0) => {
                let after = state.clone().loses_a_handle();
                if after.handles == 0 { moves.go_on(after, 1) } else { moves.answer(after, "()") }
            }
            (Call::Shutdown, 0) => moves.go_on(state.clone().shuts_down(), 1),
            (Call::ShutdownNow, 0) => {
                moves.go_on(state.ends_now(), 1);
                if state.is_shut_down {
                    moves.go_on(state.ends_now(), 2);
                }
            }
            (Call::ShutdownNow, 1) => {
                state.drops_one().into_iter().for_each(|after| moves.go_on(after, 1));
                if state.backlog.is_empty() {
                    moves.go_on(state.clone(), 2);
                }
            }
            (_, _) if !state.is_finished() => {}
            (Call::ShutdownNow, _) => {
                for (after, dropped) in state.tells_of_dropped() {
                    moves.answer(State { is_over: true, ..after }, dropped.to_string());
                }
            }
            (_, _) => moves.answer(State { is_over: true, ..state.clone() }, "()"),
        }
    }

    fn by_itself(&self, state: &State, clock: &Clock, moves: &mut Moves<State>) {
        if state.busy_workers() < state.workers {
            state.takes(None, moves);
        }
        for &Running { job, step, .. } in &state.running {
            let is_alone = state.running.iter().all(|other| other.under != Some(job.id));
            match step {
                Step::Taken => moves.expects("job {} begins", job.id),
                Step::Next(next) if is_alone => go_on(state, job, next, clock, moves),
                Step::Notes(what, id, _) if is_alone => moves.expects(what, id),
                Step::Next(_) | Step::Notes(..) => {}
                Step::Ends => moves.expects("job {} ends", job.id),
            }
        }
        for job in &state.dropped {
            moves.expects("job {} is dropped", job.id);
        }
        if state.is_shut_down && state.backlog.is_empty() && state.living_workers > state.busy_workers() {
            moves.must_go_on("a worker has nothing left to do, and should end");
        }
    }

    fn hears(&self, state: &State, what: &str, id: usize, _clock: &Clock) -> Option<State> {
        let mut after = state.clone();
        let running = state.running.iter().find(|running| running.job.id == id);
        match what {
            "worker {} begins" if state.known_workers < state.workers => {
                after.known_workers += 1;
                after.living_workers += 1;
            }
            "worker {} ends" if state.is_shut_down => after.living_workers -= 1,
            "job {} begins" if running?.step == Step::Taken => {
                let job = running?.job;
                let has_no_more_to_do = matches!(job.act, Act::Returns | Act::Panics);
                return Some(after.steps(job, if has_no_more_to_do { Step::Ends } else { Step::Next(0) }));
            }
            "job {} ends" if running?.step == Step::Ends => after.running.retain(|running| running.job.id != id),
            "job {} is dropped" => {
                let job = after.dropped.remove(state.dropped.iter().position(|job| job.id == id)?);
                return Some(if job.act.uses_its_pool() { after.loses_a_handle() } else { after });
            }
            "item {} is asked for" => {
                let map =
                    after.maps.iter_mut().find(|map| inner(map.id, map.asked) == id && map.asked == map.handed)?;
                map.asked += 1;
            }
            _ => {
                let notes =
                    |running: &&Running| matches!(running.step, Step::Notes(now, of, _) if (now, of) == (what, id));
                let Running { job, step: Step::Notes(_, _, next), .. } = *state.running.iter().find(notes)? else {
                    return None;
                };
                return Some(after.steps(job, Step::Next(next)));
            }
        }
        Some(after)
    }
}

fn may_hand_over(
    state: &State,
    job: Job,
    has_looked: bool,
    moves: &mut Moves<State>,
    each: impl Fn(&mut Moves<State>, State, Option<bool>),
) {
    for (after, accepted) in state.hands_over(job, has_looked) {
        each(moves, after, accepted);
    }
    if has_looked && !state.has_room() && !state.is_over {
        moves.may_wait();
    }
}

/// Phases: 0 before it begins, 1 between two items, 2 when it has found the pool open.
fn may_map(state: &State, acts: &[Act], id: usize, phase: usize, moves: &mut Moves<State>) {
    let mut after = state.clone();
    if phase == 0 {
        after.maps.push(Mapping { id, asked: 0, handed: 0 });
        return moves.go_on(after, 1);
    }
    let place = state.maps.iter().position(|map| map.id == id).expect("it has begun");
    let Mapping { asked, handed, .. } = state.maps[place];
    if handed < asked {
        let job = Job { id: inner(id, handed), act: acts[handed], is_item: true };
        return may_hand_over(state, job, phase == 2, moves, |moves, mut after, accepted| {
            after.maps[place].handed += usize::from(accepted.is_some());
            moves.go_on(after, if accepted.is_some() { 1 } else { 2 });
        });
    }
    if handed < acts.len() {
        // It may ask for the next item and then wait for room, or the other way round.
        if state.has_room() || state.is_shut_down {
            moves.expects("item {} is asked for", inner(id, asked));
        }
        return;
    }
    let ids: Vec<usize> = (0..acts.len()).map(|k| inner(id, k)).collect();
    if ids.iter().all(|&id| state.is_settled(id)) {
        let outcome = |(&act, &id)| match act {
            _ if state.lost.contains(&id) => "Dropped".to_owned(),
            Act::Panics => format!("Panicked({id})"),
            _ => format!("Ok({id})"),
        };
        let outcomes: Vec<String> = acts.iter().zip(&ids).map(outcome).collect();
        after.maps.remove(place);
        after.lost.retain(|lost| !ids.contains(lost));
        moves.answer(after, format!("[{}]", outcomes.join(", ")));
    }
}

/// What a job does next that nobody sees.
fn go_on(state: &State, job: Job, next: usize, clock: &Clock, moves: &mut Moves<State>) {
    let then = |step| state.clone().steps(job, step);
    let child = Job { id: inner(job.id, next), act: CHILDREN[next % 2], is_item: job.act == Act::Maps };
    match (job.act, next) {
        (Act::Waits | Act::Elsewhere(_), _) if !clock.gate_is_open => {}
        (Act::Elsewhere(_), 0) => moves.change(then(Step::Notes(DONE_ELSEWHERE, job.id, 1))),
        (Act::Submits, 0 | 1) if state.is_shut_down => {
            moves.change(then(Step::Notes(REFUSED_IN_A_JOB, child.id, next + 1)).drops(child));
        }
        (Act::Submits, 0 | 1) => {
            let after = then(Step::Notes(ACCEPTED_IN_A_JOB, child.id, next + 1));
            after.hands_over_in_a_job(child, job.id).into_iter().for_each(|after| moves.change(after));
        }
        (Act::Maps, 0 | 1) => {
            let after = then(Step::Next(next + 1));
            if state.is_shut_down {
                moves.change(after.clone().drops(child));
                moves.change(after.runs(child, Some(job.id)));
            } else {
                after.hands_over_in_a_job(child, job.id).into_iter().for_each(|after| moves.change(after));
            }
            state.takes(Some(job.id), moves);
        }
        (Act::Maps, 2 | 3) => {
            let id = inner(job.id, next - 2);
            if !state.is_settled(id) {
                return state.takes(Some(job.id), moves);
            }
            let outcome = match child.act {
                _ if state.lost.contains(&id) => DROPPED_IN_A_JOB,
                Act::Panics => PANICKED_IN_A_JOB,
                _ => RESULT_IN_A_JOB,
            };
            let mut after = then(Step::Notes(outcome, id, next + 1));
            after.lost.retain(|lost| *lost != id);
            moves.change(after);
        }
        (Act::ShutsDown, 0) => moves.change(then(Step::Notes(SHUT_DOWN_IN_A_JOB, job.id, 1)).shuts_down()),
        (Act::ShutsDownNow, 0) => {
            moves.change(state.ends_now().steps(job, Step::Next(1)));
            if state.is_shut_down {
                moves.change(state.ends_now().steps(job, Step::Next(2)));
            }
        }
        (Act::ShutsDownNow, 1) => {
            state.drops_one().into_iter().for_each(|after| moves.change(after));
            if state.backlog.is_empty() {
                moves.change(then(Step::Next(2)));
            }
        }
        (Act::ShutsDownNow, 2) => {
            for (after, dropped) in state.tells_of_dropped() {
                moves.change(after.steps(job, Step::Notes(SHUT_DOWN_NOW_IN_A_JOB[dropped], job.id, 3)));
            }
        }
        _ if job.act.uses_its_pool() => moves.change(then(Step::Ends).loses_a_handle()),
        _ => moves.change(then(Step::Ends)),
    }
}

const ACCEPTED_IN_A_JOB: &str = "submit({}) in a job answers Ok";
const REFUSED_IN_A_JOB: &str = "submit({}) in a job answers ShutDown";
const RESULT_IN_A_JOB: &str = "map in a job has the result of {}";
const PANICKED_IN_A_JOB: &str = "map in a job has the panic of {}";
const DROPPED_IN_A_JOB: &str = "map in a job has Dropped for {}";
const DONE_ELSEWHERE: &str = "the call to another pool returns in job {}";
const SHUT_DOWN_IN_A_JOB: &str = "shutdown() in job {} returns";
const SHUT_DOWN_NOW_IN_A_JOB: [&str; 5] = [
    "shutdown_now() in job {} answers 0",
    "shutdown_now() in job {} answers 1",
    "shutdown_now() in job {} answers 2",
    "shutdown_now() in job {} answers 3",
    "shutdown_now() in job {} answers more than there were",
];

/// The number of an item, or of a job that a job submits.
fn inner(id: usize, place: usize) -> usize {
    10 * id + place + 1
}

fn told(act: Act, id: usize) -> String {
    match act {
        Act::Returns => format!("{id}"),
        Act::Panics => format!("{id} panics"),
        Act::Waits => format!("{id} waits at the gate"),
        Act::Submits => format!("{id} submits {} and {}, which panics", inner(id, 0), inner(id, 1)),
        Act::Maps => format!("{id} maps {} and {}, which panics", inner(id, 0), inner(id, 1)),
        Act::Elsewhere(Elsewhere::Submits) => format!("{id} submits to another pool, which is full"),
        Act::Elsewhere(Elsewhere::Maps) => format!("{id} maps on another pool, which is full"),
        Act::Elsewhere(Elsewhere::ShutsDown) => format!("{id} shuts down another pool, whose job waits at the gate"),
        Act::ShutsDown => format!("{id} calls shutdown"),
        Act::ShutsDownNow => format!("{id} calls shutdown_now"),
    }
}

fn results(results: Vec<Result<usize, Lost>>) -> String {
    let text = |result: Result<usize, Lost>| match result {
        Ok(id) => format!("Ok({id})"),
        Err(Lost::Panicked(payload)) => match payload.downcast_ref::<usize>() {
            Some(id) => format!("Panicked({id})"),
            None => "Panicked with something else".to_owned(),
        },
        Err(Lost::Dropped) => "Dropped".to_owned(),
    };
    format!("[{}]", results.into_iter().map(text).collect::<Vec<_>>().join(", "))
}

fn size(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).expect("sizes are not zero")
}

/// Shares the pool. Which handle goes before which other one is an order that the scheduler sees.
#[derive(Clone)]
pub(crate) struct Handle {
    pool: Arc<Pool>,
    gone: Arc<AtomicUsize>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.gone.fetch_add(1, Ordering::SeqCst);
    }
}

fn submit(handle: &Handle, act: Act, id: usize, scene: &Scene) -> Result<(), ShutDown> {
    let job = RealJob::new(act, id, handle, scene);
    handle.pool.submit(move || {
        job.run();
    })
}

/// A job that notes what happens to it.
struct RealJob {
    id: usize,
    act: Act,
    scene: Scene,
    has_begun: bool,
    handle: Option<Handle>,
}

impl RealJob {
    fn new(act: Act, id: usize, handle: &Handle, scene: &Scene) -> RealJob {
        let handle = act.uses_its_pool().then(|| handle.clone());
        RealJob { id, act, scene: scene.clone(), has_begun: false, handle }
    }

    fn run(mut self) -> usize {
        enter_as_worker(self.id, &self.scene);
        self.has_begun = true;
        self.scene.note("job {} begins", self.id);
        match (self.act, &self.handle) {
            (Act::Panics, _) => panic_any(self.id),
            (Act::Waits, _) => self.scene.gate().pass(),
            (Act::Elsewhere(call), _) => self.call_elsewhere(call),
            (_, Some(handle)) => self.use_its_pool(handle),
            (_, None) => {}
        }
        self.id
    }

    fn use_its_pool(&self, handle: &Handle) {
        let (children, note) = ([inner(self.id, 0), inner(self.id, 1)], |what, id| self.scene.note(what, id));
        match self.act {
            Act::Submits => {
                for (id, act) in children.into_iter().zip(CHILDREN) {
                    let answer = submit(handle, act, id, &self.scene);
                    note(answer.map_or(REFUSED_IN_A_JOB, |()| ACCEPTED_IN_A_JOB), id);
                }
            }
            Act::Maps => {
                let items = children.into_iter().zip(CHILDREN);
                let items = items.map(|(id, act)| RealJob::new(act, id, handle, &self.scene));
                for (place, result) in handle.pool.map(items, RealJob::run).into_iter().enumerate() {
                    let id = inner(self.id, place);
                    let what = match &result {
                        Ok(result) if *result == id => RESULT_IN_A_JOB,
                        Err(Lost::Panicked(payload)) if payload.downcast_ref() == Some(&id) => PANICKED_IN_A_JOB,
                        Err(Lost::Dropped) => DROPPED_IN_A_JOB,
                        _ => "map in a job has something else for {}",
                    };
                    note(what, id);
                }
            }
            Act::ShutsDown => {
                handle.pool.shutdown();
                note(SHUT_DOWN_IN_A_JOB, self.id);
            }
            Act::ShutsDownNow => {
                let dropped = handle.pool.shutdown_now();
                note(SHUT_DOWN_NOW_IN_A_JOB[dropped.min(SHUT_DOWN_NOW_IN_A_JOB.len() - 1)], self.id);
            }
            Act::Returns | Act::Panics | Act::Waits | Act::Elsewhere(_) => {}
        }
    }

    fn call_elsewhere(&self, call: Elsewhere) {
        let other = Pool::new(size(1), size(1));
        for _ in 0..2 {
            let gate = self.scene.gate().clone();
            assert_eq!(other.submit(move || gate.pass()), Ok(()), "nobody has shut it down");
        }
        match call {
            Elsewhere::Submits => drop(other.submit(|| ())),
            Elsewhere::Maps => drop(other.map([()], |()| ())),
            Elsewhere::ShutsDown => other.shutdown(),
        }
        self.scene.note(DONE_ELSEWHERE, self.id);
    }
}

impl Drop for RealJob {
    fn drop(&mut self) {
        drop(self.handle.take());
        self.scene.note(if self.has_begun { "job {} ends" } else { "job {} is dropped" }, self.id);
    }
}

/// Whose thread this is.
enum Role {
    /// It makes a scenario's calls, or prepares them.
    Caller,
    /// It runs jobs, of which the first has this number.
    Worker(usize, Scene),
}

thread_local! {
    static ROLE: OnceCell<Role> = const { OnceCell::new() };
}

fn enter_as_caller() {
    ROLE.with(|role| {
        role.get_or_init(|| Role::Caller);
    });
}

fn enter_as_worker(job: usize, scene: &Scene) {
    ROLE.with(|role| {
        let new = || {
            scene.note("worker {} begins", job);
            Role::Worker(job, scene.clone())
        };
        if let Role::Caller = role.get_or_init(new) {
            scene.note("job {} runs on a thread that is no worker", job);
        }
    });
}

impl Drop for Role {
    fn drop(&mut self) {
        if let Role::Worker(job, scene) = self {
            scene.note("worker {} ends", *job);
        }
    }
}
