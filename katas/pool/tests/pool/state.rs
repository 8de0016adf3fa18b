//! A pool, as the contract sees it, and what may become of it.

use std::collections::VecDeque;

use kata::scenarios::{Clock, Moves};

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
pub(crate) enum Elsewhere {
    Submits,
    Maps,
    ShutsDown,
    Drops,
}

impl Act {
    pub(crate) fn uses_its_pool(self) -> bool {
        matches!(self, Act::Submits | Act::Maps | Act::ShutsDown | Act::ShutsDownNow)
    }
}

/// The two jobs that a job submits, and the items that it maps.
pub(crate) const CHILDREN: [Act; 2] = [Act::Returns, Act::Panics];

/// A job, or the work on an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Job {
    pub(crate) id: usize,
    pub(crate) act: Act,
    pub(crate) is_item: bool,
}

/// A job that was taken out of the backlog and has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Running {
    pub(crate) job: Job,
    pub(crate) step: Step,
    /// The job that waits on the same worker until this one has ended.
    pub(crate) under: Option<usize>,
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
    pub(crate) id: usize,
    pub(crate) asked: usize,
    pub(crate) handed: usize,
}

/// A pool, as the contract sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) workers: usize,
    pub(crate) room: usize,
    pub(crate) is_shut_down: bool,
    /// Somebody has seen that all workers have ended.
    pub(crate) is_over: bool,
    pub(crate) handles: usize,
    /// The oldest first.
    pub(crate) backlog: VecDeque<Job>,
    pub(crate) running: Vec<Running>,
    /// Refused, or dropped out of the backlog; that is still to be noted.
    pub(crate) dropped: Vec<Job>,
    /// Items that have no result.
    pub(crate) lost: Vec<usize>,
    pub(crate) maps: Vec<Mapping>,
    /// How many calls of `shutdown_now` wait for the end, and how many dropped jobs none of them has told of.
    pub(crate) ending_now: usize,
    pub(crate) untold: usize,
    /// How many workers have run a job, and how many of these have not ended.
    pub(crate) known_workers: usize,
    pub(crate) living_workers: usize,
}

impl State {
    pub(crate) fn new(workers: usize, room: usize, jobs: &[Act]) -> State {
        let job = |(index, &act)| Job { id: index + 1, act, is_item: false };
        let handles = 1 + jobs.iter().filter(|act| act.uses_its_pool()).count();
        State { workers, room, handles, backlog: jobs.iter().enumerate().map(job).collect(), ..State::default() }
    }

    pub(crate) fn has_room(&self) -> bool {
        self.backlog.len() < self.room && !self.is_over
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.backlog.is_empty() && self.running.is_empty()
    }

    pub(crate) fn busy_workers(&self) -> usize {
        self.running.iter().filter(|running| running.under.is_none()).count()
    }

    /// Whether the job was handed over and has ended, with a result or without.
    pub(crate) fn is_settled(&self, id: usize) -> bool {
        self.backlog.iter().all(|job| job.id != id) && self.running.iter().all(|running| running.job.id != id)
    }

    pub(crate) fn runs(mut self, job: Job, under: Option<usize>) -> State {
        self.running.push(Running { job, step: Step::Taken, under });
        self.running.sort_by_key(|running| running.job.id);
        self
    }

    pub(crate) fn queues(mut self, job: Job) -> State {
        self.backlog.push_back(job);
        self
    }

    pub(crate) fn drops(mut self, job: Job) -> State {
        self.dropped.push(job);
        self.dropped.sort_by_key(|job| job.id);
        self.lost.extend(job.is_item.then_some(job.id));
        self.lost.sort_unstable();
        self
    }

    pub(crate) fn steps(mut self, job: Job, step: Step) -> State {
        self.running.iter_mut().filter(|running| running.job == job).for_each(|running| running.step = step);
        self
    }

    pub(crate) fn shuts_down(self) -> State {
        State { is_shut_down: true, ..self }
    }

    /// A handle is dropped. Without any, the pool is.
    pub(crate) fn loses_a_handle(self) -> State {
        let handles = self.handles - 1;
        State { handles, is_shut_down: self.is_shut_down || handles == 0, ..self }
    }

    /// What may become of a job that a thread hands over that is no worker: whether it goes in, if that is settled. Whoever has
    /// found the pool open may still get in after a shutdown, or be refused.
    pub(crate) fn hands_over(&self, job: Job, has_looked: bool) -> Vec<(State, Option<bool>)> {
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
    pub(crate) fn ends_now(&self) -> State {
        State { ending_now: self.ending_now + 1, ..self.clone().shuts_down() }
    }

    /// It drops the oldest job, or one that a worker has taken and not begun. Until then workers may take them.
    pub(crate) fn drops_one(&self) -> Vec<State> {
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
    pub(crate) fn tells_of_dropped(&self) -> impl Iterator<Item = (State, usize)> {
        let ending_now = self.ending_now - 1;
        let least = if ending_now > 0 { 0 } else { self.untold };
        (least..=self.untold).map(move |told| (State { untold: self.untold - told, ending_now, ..self.clone() }, told))
    }

    /// The oldest job of the backlog is taken: by a worker that is idle, or by one that waits in a job.
    pub(crate) fn takes(&self, under: Option<usize>, moves: &mut Moves<State>) {
        let mut after = self.clone();
        let Some(job) = after.backlog.pop_front() else { return };
        moves.change(after.runs(job, under));
    }
}

/// What a job does next that nobody sees.
pub(crate) fn go_on(state: &State, job: Job, next: usize, clock: &Clock, moves: &mut Moves<State>) {
    let then = |step| state.clone().steps(job, step);
    match (job.act, next) {
        (Act::Waits | Act::Elsewhere(_), _) if !clock.gate_is_open => {}
        (Act::Elsewhere(_), 0) => moves.change(then(Step::Notes(DONE_ELSEWHERE, job.id, 1))),
        (Act::Submits | Act::Maps, 0..4) => hand_over(state, job, next, moves),
        (Act::Maps, 4 | 5) => gather(state, job, next, moves),
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

/// A job hands over one of its two: it looks whether the pool is open, and acts. Its worker never waits for room, but runs the
/// new job or the oldest itself.
fn hand_over(state: &State, job: Job, next: usize, moves: &mut Moves<State>) {
    let then = |step| state.clone().steps(job, step);
    let (place, has_looked, maps) = (next / 2, next % 2 == 1, job.act == Act::Maps);
    let child = Job { id: inner(job.id, place), act: CHILDREN[place], is_item: maps };
    let answered = |answer| if maps { Step::Next(2 * place + 2) } else { Step::Notes(answer, child.id, 2 * place + 2) };
    if state.is_shut_down {
        moves.change(then(answered(REFUSED_IN_A_JOB)).drops(child));
    } else if !has_looked {
        moves.change(then(Step::Next(next + 1)));
    }
    if has_looked || maps {
        moves.change(then(answered(ACCEPTED_IN_A_JOB)).runs(child, Some(job.id)));
    }
    if has_looked {
        let mut after = then(answered(ACCEPTED_IN_A_JOB)).queues(child);
        if !state.has_room() {
            let oldest = after.backlog.pop_front().expect("it is full");
            after = after.runs(oldest, Some(job.id));
        }
        moves.change(after);
    }
    if maps {
        state.takes(Some(job.id), moves);
    }
}

/// A job that maps has handed its items over, and sees what has become of them. Meanwhile its worker runs what it finds.
fn gather(state: &State, job: Job, next: usize, moves: &mut Moves<State>) {
    let place = next - 4;
    let id = inner(job.id, place);
    if !state.is_settled(id) {
        return state.takes(Some(job.id), moves);
    }
    let outcome = match CHILDREN[place] {
        _ if state.lost.contains(&id) => DROPPED_IN_A_JOB,
        Act::Panics => PANICKED_IN_A_JOB,
        _ => RESULT_IN_A_JOB,
    };
    let mut after = state.clone().steps(job, Step::Notes(outcome, id, next + 1));
    after.lost.retain(|lost| *lost != id);
    moves.change(after);
}

pub(crate) const ACCEPTED_IN_A_JOB: &str = "submit({}) in a job answers Ok";
pub(crate) const REFUSED_IN_A_JOB: &str = "submit({}) in a job answers ShutDown";
pub(crate) const RESULT_IN_A_JOB: &str = "map in a job has the result of {}";
pub(crate) const PANICKED_IN_A_JOB: &str = "map in a job has the panic of {}";
pub(crate) const DROPPED_IN_A_JOB: &str = "map in a job has Dropped for {}";
pub(crate) const DONE_ELSEWHERE: &str = "the call to another pool returns in job {}";
pub(crate) const SHUT_DOWN_IN_A_JOB: &str = "shutdown() in job {} returns";
pub(crate) const SHUT_DOWN_NOW_IN_A_JOB: [&str; 5] = [
    "shutdown_now() in job {} answers 0",
    "shutdown_now() in job {} answers 1",
    "shutdown_now() in job {} answers 2",
    "shutdown_now() in job {} answers 3",
    "shutdown_now() in job {} answers more than there were",
];

/// The number of an item, or of a job that a job submits.
pub(crate) fn inner(id: usize, place: usize) -> usize {
    10 * id + place + 1
}
