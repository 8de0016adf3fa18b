//! Executors, jobs and futures, as the contract sees them, and what can happen to them.

use std::time::Duration;

use futures::Until;
use kata::scenarios::{Clock, Moves, Turn};

use super::{Call, future_of, outcomes_told, waited};

/// Executors and their jobs, as the contract sees them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// How many workers each executor has.
    pub(crate) workers: Vec<usize>,
    /// In the order in which they were submitted.
    pub(crate) jobs: Vec<Job>,
    /// The threads that wait for several futures.
    pub(crate) waiters: Vec<Waiter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Job {
    pub(crate) id: usize,
    /// Whose job it is.
    pub(crate) executor: usize,
    pub(crate) takes: Takes,
    pub(crate) then: Then,
    pub(crate) stage: Stage,
    /// Whether its future is gone.
    pub(crate) gone: bool,
}

/// How long a job takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Takes {
    NoTime,
    Seconds(u64),
    UntilTheGateOpens,
    ForEver,
}

/// What a job does when it has taken its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Then {
    Returns,
    Panics,
    /// Submits this job to its own executor.
    Submits(usize),
    /// Waits for this job's future, and returns what that has returned.
    Gets(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    Waiting,
    /// A worker has it, and it has not begun yet.
    Taken {
        since: Duration,
    },
    Running {
        since: Duration,
    },
    /// It has done what others can see.
    Returning,
    Complete(Outcome),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    Returned(usize),
    Panicked,
    Cancelled,
}

/// A thread that waits for several futures.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Waiter {
    /// The futures that it still has, by their jobs.
    pub(crate) list: Vec<usize>,
    /// What its `as_completed` has not given yet.
    pub(crate) coming: Option<Coming>,
}

/// What `as_completed` has not given yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Coming {
    /// Those that were complete when it began. The contract leaves their order open.
    already: Vec<usize>,
    /// Those that have completed since, the first of them first.
    since: Vec<usize>,
    /// Those that are not complete.
    later: Vec<usize>,
}

/// So it is noted that a job begins.
pub(crate) const BEGINS: &str = "job {} begins";
/// So it is noted what `as_completed` gives.
pub(crate) const GIVES: &str = "as_completed gives job {}";

impl State {
    pub(crate) fn place_of(&self, id: usize) -> usize {
        self.jobs.iter().position(|job| job.id == id).expect("calls are made on jobs of the setup")
    }

    fn outcome_of(&self, id: usize) -> Option<Outcome> {
        self.jobs[self.place_of(id)].outcome()
    }

    /// A job that only returns comes in, and its future is dropped.
    pub(crate) fn submit(&mut self, id: usize, executor: usize) {
        let (takes, then) = (Takes::NoTime, Then::Returns);
        self.jobs.push(Job { id, executor, takes, then, stage: Stage::Waiting, gone: true });
    }

    /// Workers take jobs, and jobs end.
    pub(crate) fn work(&self, clock: &Clock, moves: &mut Moves<State>) {
        for executor in 0..self.workers.len() {
            if let Some(place) = self.next_job(executor) {
                moves.change(self.with_stage(place, Stage::Taken { since: clock.now }));
            }
        }
        for (place, job) in self.jobs.iter().enumerate() {
            match job.stage {
                Stage::Taken { .. } => moves.expects(BEGINS, job.id),
                Stage::Running { since } if job.takes.is_over(since, clock) => self.end(place, moves),
                Stage::Returning => self.complete(place, Outcome::Returned(job.id), moves),
                _ => {}
            }
        }
    }

    /// The place of the job that the executor begins next, if it has a worker for it.
    fn next_job(&self, executor: usize) -> Option<usize> {
        let own = || self.jobs.iter().enumerate().filter(|(_, job)| job.executor == executor);
        let busy = own().filter(|(_, job)| job.stage != Stage::Waiting && job.outcome().is_none()).count();
        let oldest = own().find(|(_, job)| job.stage == Stage::Waiting)?.0;
        (busy < self.workers[executor]).then_some(oldest)
    }

    /// A job has taken its time.
    fn end(&self, place: usize, moves: &mut Moves<State>) {
        let job = &self.jobs[place];
        match job.then {
            Then::Returns => self.complete(place, Outcome::Returned(job.id), moves),
            Then::Panics => self.complete(place, Outcome::Panicked, moves),
            Then::Submits(other) => {
                let mut after = self.with_stage(place, Stage::Returning);
                after.submit(other, job.executor);
                moves.change(after);
            }
            Then::Gets(other) => {
                if let Some(outcome) = self.outcome_of(other) {
                    self.complete(place, outcome, moves);
                }
            }
        }
    }

    fn complete(&self, place: usize, outcome: Outcome, moves: &mut Moves<State>) {
        let mut after = self.with_stage(place, Stage::Complete(outcome));
        for coming in after.waiters.iter_mut().filter_map(|waiter| waiter.coming.as_mut()) {
            coming.completes(self.jobs[place].id);
        }
        moves.change(after);
    }

    pub(crate) fn with_stage(&self, place: usize, stage: Stage) -> State {
        let mut after = self.clone();
        after.jobs[place].stage = stage;
        after
    }

    /// A call on one future.
    pub(crate) fn single(&self, call: Call, turn: &Turn, moves: &mut Moves<State>) {
        let n = future_of(call).expect("a call on a future");
        let place = self.place_of(n);
        let Job { stage, gone, .. } = self.jobs[place];
        let mut without = self.clone();
        without.jobs[place].gone = true;
        match (call, self.jobs[place].outcome()) {
            _ if gone => moves.answer(without, "gone"),
            (Call::IsDone(_), outcome) => moves.answer(self.clone(), outcome.is_some().to_string()),
            (Call::Cancel(_), _) if stage == Stage::Waiting => {
                moves.answer(self.with_stage(place, Stage::Complete(Outcome::Cancelled)), "true");
            }
            (Call::Cancel(_), outcome) => {
                moves.answer(self.clone(), (outcome == Some(Outcome::Cancelled)).to_string());
            }
            (Call::DropFuture(_), _) => moves.answer(without, "()"),
            (_, Some(outcome)) => moves.answer(without, outcome.told(n)),
            (Call::ResultWithin(_, limit), None) if turn.is_over(limit) => moves.answer(self.clone(), "TimeIsUp"),
            (_, None) => {}
        }
    }

    /// First enough are complete, or the time is up. Then each future is looked at: those that complete meanwhile may be seen or
    /// not.
    pub(crate) fn wait(&self, until: Until, limit: Option<Duration>, turn: &Turn, moves: &mut Moves<State>) {
        let list = &self.waiters[turn.thread].list;
        let outcomes: Vec<Option<Outcome>> = list.iter().map(|n| self.outcome_of(*n)).collect();
        // Bit by bit in the order of the list.
        let complete: usize = (0..list.len()).filter(|place| outcomes[*place].is_some()).map(|place| 1 << place).sum();
        if turn.phase == 0 {
            let enough = match until {
                Until::FirstCompleted => complete != 0,
                Until::FirstFailure => outcomes.contains(&Some(Outcome::Panicked)),
                Until::AllCompleted => false,
            };
            let all = complete + 1 == 1 << list.len();
            if enough || all || limit.is_some_and(|limit| turn.is_over(limit)) {
                moves.go_on(self.clone(), 1 + complete);
            }
            return;
        }
        let seen = turn.phase - 1;
        for done in (0..=complete).filter(|done| done & seen == seen && done & !complete == 0) {
            let (done, left): (Vec<usize>, Vec<usize>) = (0..list.len()).partition(|place| done & 1 << place != 0);
            let told = done.into_iter().filter_map(|place| Some(outcomes[place]?.told(list[place])));
            let answer = waited(told, left.len());
            moves.answer(self.with_list(turn, left.into_iter().map(|place| list[place]).collect()), answer);
        }
    }

    /// What `as_completed` gives is noted.
    pub(crate) fn as_completed(&self, turn: &Turn, moves: &mut Moves<State>) {
        let Waiter { list, coming } = &self.waiters[turn.thread];
        let Some(coming) = coming else {
            let (already, later) = list.iter().partition(|n| self.outcome_of(**n).is_some());
            let mut after = self.with_list(turn, Vec::new());
            after.waiters[turn.thread].coming = Some(Coming { already, since: Vec::new(), later });
            return moves.go_on(after, 1);
        };
        if let Some(next) = coming.already.first().or(coming.since.first()) {
            moves.expects(GIVES, *next);
        } else if coming.later.is_empty() {
            moves.answer(self.with_list(turn, Vec::new()), "end");
        }
    }

    /// The results of all that are left, one after the other.
    pub(crate) fn results(&self, turn: &Turn, moves: &mut Moves<State>) {
        let list = &self.waiters[turn.thread].list;
        let told: Option<Vec<String>> = list.iter().map(|n| Some(self.outcome_of(*n)?.told(*n))).collect();
        if let Some(told) = told {
            moves.answer(self.with_list(turn, Vec::new()), outcomes_told(told));
        }
    }

    fn with_list(&self, turn: &Turn, list: Vec<usize>) -> State {
        let mut after = self.clone();
        after.waiters[turn.thread] = Waiter { list, coming: None };
        after
    }
}

impl Job {
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        if let Stage::Complete(outcome) = self.stage { Some(outcome) } else { None }
    }
}

impl Takes {
    /// Whether a job that began then has taken its time.
    fn is_over(self, since: Duration, clock: &Clock) -> bool {
        match self {
            Takes::NoTime => true,
            Takes::Seconds(seconds) => clock.hostile || clock.now >= since + Duration::from_secs(seconds),
            Takes::UntilTheGateOpens => clock.gate_is_open,
            Takes::ForEver => false,
        }
    }
}

impl Coming {
    fn completes(&mut self, n: usize) {
        if let Some(place) = self.later.iter().position(|later| *later == n) {
            self.later.remove(place);
            self.since.push(n);
        }
    }

    /// Whether this is one that comes next.
    pub(crate) fn gives(&mut self, n: usize) -> bool {
        let place = self.already.iter().position(|one| *one == n);
        if let Some(place) = place {
            self.already.remove(place);
        } else if self.already.is_empty() && self.since.first() == Some(&n) {
            self.since.remove(0);
        } else {
            return false;
        }
        true
    }
}
