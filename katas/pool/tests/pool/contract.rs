//! The contract of [`Pool`] as a program: what may each call, each worker and each job do now? All small programs of calls
//! are tried against it.
//!
//! Jobs note when they begin and end, or that they are dropped without having begun; threads note when they become workers
//! and when they end. A worker takes a job out of the backlog a moment before the job's first line runs: that step is silent,
//! as is all that only shows in what comes later.

use std::mem;
use std::sync::Arc;

use kata::scenarios::{Clock, Contract, Moves, Scene, Setup, Turn};
use pool::{Lost, Pool};

mod jobs;
mod state;

use jobs::{Handle, RealJob, enter_as_caller, size, submit};
use state::{Act, Elsewhere, Job, Mapping, Running, State, Step, go_on, inner};

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

pub(crate) struct PoolContract;

/// The answer of a call that has none.
const DONE: &str = "()";
const THREE_ITEMS: &[Act] = &[Act::Waits, Act::Panics, Act::Returns];
const NO_ITEMS: &[Act] = &[];

/// Workers, room, jobs, and how that is told.
const SETUPS: [(usize, usize, &[Act], &str); 6] = [
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
    (
        1,
        2,
        &[Act::Waits, Act::Submits, Act::Returns],
        "1 worker, room for 2: job 1 waits at the gate, jobs 2, which submits 21 and 22, and 3 are in the backlog",
    ),
];

/// In which setup a job submits while an older one is in the backlog. One plain call is enough there.
const OLDER_WAITS: usize = 5;

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
        use Act::{Maps, Panics, Returns, ShutsDown, ShutsDownNow, Submits, Waits};
        let jobs = [Returns, Panics, Waits, Submits, Maps, ShutsDown, ShutsDownNow].map(Call::Submit);
        let elsewhere = [Elsewhere::Submits, Elsewhere::Maps, Elsewhere::ShutsDown, Elsewhere::Drops]
            .map(Act::Elsewhere)
            .map(Call::Submit);
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
            Call::Submit(Act::Returns) | Call::Shutdown => true,
            _ if setup == OLDER_WAITS => false,
            Call::Map(THREE_ITEMS) | Call::ShutdownNow | Call::Drop => true,
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
        let is_plain = |call: &Call| self.is_for(*call, 3);
        match calls.len() {
            1 => true,
            _ if setup == OLDER_WAITS => false,
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
        Act::Elsewhere(Elsewhere::Drops) => format!("{id} drops another pool, whose job waits at the gate"),
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
