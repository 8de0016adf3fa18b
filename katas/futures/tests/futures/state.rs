//! Executors, jobs and futures, as the contract sees them, and what can happen to them.

use std::time::Duration;

use futures::Until;
use kata::scenarios::{Clock, Moves, Turn};

use super::{Call, future_of, shown_list};

/// Executors and their jobs, as the contract sees them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// How many workers each executor has.
    pub(crate) workers: Vec<usize>,
    /// In the order in which they were submitted.
    pub(crate) jobs: Vec<Job>,
    /// The futures that are waited for together, by their jobs.
    pub(crate) list: Vec<usize>,
    /// What `as_completed` has not given yet.
    pub(crate) coming: Option<Coming>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Job {
    pub(crate) id: usize,
    /// Whose job it is.
    pub(crate) executor: usize,
    pub(crate) work: Work,
    pub(crate) stage: Stage,
    /// Whether its future is gone.
    pub(crate) gone: bool,
}

/// What a job does: how long it takes, and what it does then.
pub(crate) type Work = (Takes, Then);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Takes {
    NoTime,
    Seconds(u64),
    UntilTheGateOpens,
    ForEver,
}

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

/// What `as_completed` has not given yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Coming {
    /// Those that were complete when it began. The contract leaves their order open.
    pub(crate) already: Vec<usize>,
    /// Those that have completed since, the first of them first.
    pub(crate) since: Vec<usize>,
    /// Those that are not complete.
    pub(crate) later: Vec<usize>,
}

/// A job that only returns.
pub(crate) const SHORT: Work = (Takes::NoTime, Then::Returns);

/// A job's begin is noted so.
pub(crate) const BEGINS: &str = "start of job";
/// What `as_completed` gives is noted so.
pub(crate) const GIVES: &str = "as_completed gives job";

impl State {
    pub(crate) fn job(&self, n: usize) -> &Job {
        self.jobs.iter().find(|job| job.id == n).expect("calls are made on jobs of the setup")
    }

    pub(crate) fn submit(&mut self, id: usize, executor: usize, work: Work) {
        self.jobs.push(Job { id, executor, work, stage: Stage::Waiting, gone: true });
    }

    /// The place of the job that the executor begins next, if it has a worker for it.
    pub(crate) fn next_job(&self, executor: usize) -> Option<usize> {
        let own = || self.jobs.iter().enumerate().filter(|(_, job)| job.executor == executor);
        let busy = own().filter(|(_, job)| job.stage != Stage::Waiting && job.outcome().is_none()).count();
        let next = own().find(|(_, job)| job.stage == Stage::Waiting)?.0;
        (busy < self.workers[executor]).then_some(next)
    }

    /// A job has taken its time.
    pub(crate) fn end(&self, place: usize, moves: &mut Moves<State>) {
        let job = &self.jobs[place];
        match job.work.1 {
            Then::Returns => self.complete(place, Outcome::Returned(job.id), moves),
            Then::Panics => self.complete(place, Outcome::Panicked, moves),
            Then::Submits(other) => {
                let mut after = self.clone();
                after.submit(other, job.executor, SHORT);
                after.jobs[place].stage = Stage::Returning;
                moves.change(after);
            }
            Then::Gets(other) => {
                if let Some(Outcome::Returned(value)) = self.job(other).outcome() {
                    self.complete(place, Outcome::Returned(value), moves);
                }
            }
        }
    }

    pub(crate) fn complete(&self, place: usize, outcome: Outcome, moves: &mut Moves<State>) {
        let mut after = self.clone();
        after.jobs[place].stage = Stage::Complete(outcome);
        if let Some(coming) = &mut after.coming {
            coming.completes(after.jobs[place].id);
        }
        moves.change(after);
    }

    /// A call on one future.
    pub(crate) fn single(&self, call: Call, turn: &Turn, moves: &mut Moves<State>) {
        let n = future_of(call).expect("a call on a future");
        let mut after = self.clone();
        let place = self.jobs.iter().position(|job| job.id == n).expect("calls are made on jobs of the setup");
        let job = &mut after.jobs[place];
        if job.gone {
            return moves.answer(after, "gone");
        }
        match (call, job.outcome()) {
            (Call::IsDone(_), outcome) => moves.answer(after, outcome.is_some().to_string()),
            (Call::Cancel(_), _) => {
                if job.stage == Stage::Waiting {
                    job.stage = Stage::Complete(Outcome::Cancelled);
                }
                let cancelled = job.outcome() == Some(Outcome::Cancelled);
                moves.answer(after, cancelled.to_string());
            }
            (Call::DropFuture(_), _) => {
                job.gone = true;
                moves.answer(after, "()");
            }
            (_, Some(outcome)) => {
                job.gone = true;
                moves.answer(after, outcome.told(n));
            }
            (Call::ResultWithin(_, limit), None) if turn.is_over(limit) => moves.answer(after, "TimeIsUp"),
            (_, None) => {}
        }
    }

    /// First it is found out that enough are complete, or that the time is up. Then each future is looked at: those that
    /// complete meanwhile may be seen or not.
    pub(crate) fn wait(&self, until: Until, limit: Option<Duration>, turn: &Turn, moves: &mut Moves<State>) {
        let outcomes: Vec<Option<Outcome>> = self.list.iter().map(|n| self.job(*n).outcome()).collect();
        let complete = |place: &usize| outcomes[*place].is_some();
        let all = 0..outcomes.len();
        if turn.phase == 0 {
            let enough = match until {
                Until::FirstCompleted => all.clone().any(|place| complete(&place)),
                Until::FirstFailure => outcomes.contains(&Some(Outcome::Panicked)),
                Until::AllCompleted => false,
            };
            if enough || all.clone().all(|place| complete(&place)) || limit.is_some_and(|limit| turn.is_over(limit)) {
                let seen: usize = all.filter(complete).map(|place| 1 << place).sum();
                moves.go_on(self.clone(), 1 + seen);
            }
            return;
        }
        let seen = turn.phase - 1;
        for done in 0..1_usize << outcomes.len() {
            let is_done = |place: &usize| done & 1 << place != 0;
            if seen & !done == 0 && all.clone().filter(is_done).all(|place| complete(&place)) {
                let told =
                    all.clone().filter(is_done).filter_map(|place| Some(outcomes[place]?.told(self.list[place])));
                let list: Vec<usize> =
                    all.clone().filter(|place| !is_done(place)).map(|place| self.list[place]).collect();
                let answer = format!("done {}, not done {}", shown_list(told), list.len());
                moves.answer(State { list, ..self.clone() }, answer);
            }
        }
    }

    pub(crate) fn as_completed(&self, moves: &mut Moves<State>) {
        let Some(coming) = &self.coming else {
            let (already, later) = self.list.iter().partition(|n| self.job(**n).outcome().is_some());
            let coming = Some(Coming { already, since: Vec::new(), later });
            moves.go_on(State { coming, list: Vec::new(), ..self.clone() }, 1);
            return;
        };
        if let Some(next) = coming.already.first().or(coming.since.first()) {
            moves.expects(GIVES, *next);
        } else if coming.later.is_empty() {
            moves.answer(State { coming: None, ..self.clone() }, "end");
        }
    }
}

impl Job {
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        if let Stage::Complete(outcome) = self.stage { Some(outcome) } else { None }
    }
}

impl Coming {
    pub(crate) fn completes(&mut self, n: usize) {
        if let Some(place) = self.later.iter().position(|later| *later == n) {
            self.later.remove(place);
            self.since.push(n);
        }
    }

    /// Nothing if this is not the one that comes next.
    pub(crate) fn gives(&mut self, n: usize) -> Option<()> {
        if self.already.is_empty() {
            let comes = self.since.first() == Some(&n);
            self.since.retain(|one| *one != n);
            return comes.then_some(());
        }
        let place = self.already.iter().position(|one| *one == n)?;
        self.already.remove(place);
        Some(())
    }
}

impl Takes {
    /// Whether a job that began then has taken its time.
    pub(crate) fn is_over(self, since: Duration, clock: &Clock) -> bool {
        match self {
            Takes::NoTime => true,
            Takes::Seconds(seconds) => clock.hostile || clock.now >= since + Duration::from_secs(seconds),
            Takes::UntilTheGateOpens => clock.gate_is_open,
            Takes::ForEver => false,
        }
    }
}
