//! What scenarios begin with.

use super::FuturesContract;
use super::state::Takes::{ForEver, NoTime, Seconds, UntilTheGateOpens};
use super::state::Then::{Gets, Panics, Returns, Submits};
use super::state::{Job, Outcome, Stage, State, Takes, Then, Waiter};

/// What a scenario begins with.
pub(crate) struct Start {
    pub(crate) name: &'static str,
    /// How many workers each executor has.
    pub(crate) workers: Vec<usize>,
    /// Each job's executor, and what it does. They are numbered from 1.
    pub(crate) jobs: Vec<(usize, Takes, Then)>,
    /// Whether everything has come to rest before the calls begin.
    pub(crate) settled: bool,
    /// The job that was cancelled, if one was.
    pub(crate) cancelled: Option<usize>,
    /// The futures that each thread waits for together, by their jobs. Calls on single futures are made on the first thread's.
    pub(crate) lists: Vec<Vec<usize>>,
}

impl Start {
    /// All has come to rest, and the first thread has all futures that are not in the hands of a job.
    fn new<const JOBS: usize>(name: &'static str, workers: &[usize], jobs: [(usize, Takes, Then); JOBS]) -> Start {
        let is_free = |n: &usize| jobs.iter().all(|(_, _, then)| *then != Gets(*n));
        let futures = (1..=JOBS).filter(is_free).collect();
        let (workers, jobs) = (workers.to_vec(), jobs.to_vec());
        Start { name, workers, jobs, settled: true, cancelled: None, lists: vec![futures] }
    }

    fn not_settled(self) -> Start {
        Start { settled: false, ..self }
    }

    fn cancelled(self, n: usize) -> Start {
        Start { cancelled: Some(n), ..self }
    }

    fn with_lists(self, lists: &[&[usize]]) -> Start {
        Start { lists: lists.iter().map(|list| list.to_vec()).collect(), ..self }
    }

    /// How the contract sees it, before anything has happened.
    pub(crate) fn state(&self) -> State {
        let job = |(place, &(executor, takes, then)): (usize, &(usize, Takes, Then))| {
            let id = place + 1;
            let cancelled = self.cancelled == Some(id);
            let stage = if cancelled { Stage::Complete(Outcome::Cancelled) } else { Stage::Waiting };
            Job { id, executor, takes, then, stage, gone: false }
        };
        State {
            workers: self.workers.clone(),
            jobs: self.jobs.iter().enumerate().map(job).collect(),
            waiters: self.lists.iter().map(|list| Waiter { list: list.clone(), coming: None }).collect(),
        }
    }

    /// Whether no worker will ever be free.
    pub(crate) fn is_busy_for_ever(&self) -> bool {
        self.jobs.iter().any(|(_, takes, _)| *takes == ForEver)
    }

    /// Whether a job has a handle to its executor.
    pub(crate) fn has_a_job_that_submits(&self) -> bool {
        self.jobs.iter().any(|(_, _, then)| matches!(then, Submits(_)))
    }
}

impl FuturesContract {
    pub(crate) fn starts(&self) -> Vec<Start> {
        match self {
            FuturesContract::Single => for_calls_on_single_futures(),
            FuturesContract::Several => for_waits(),
        }
    }
}

fn for_calls_on_single_futures() -> Vec<Start> {
    vec![
        Start::new(
            "1 worker; job 1 was just submitted, and then job 2, which panics",
            &[1],
            [(0, NoTime, Returns), (0, NoTime, Panics)],
        )
        .not_settled(),
        Start::new(
            "1 worker, busy with job 1 for a second; job 2 waits",
            &[1],
            [(0, Seconds(1), Returns), (0, NoTime, Returns)],
        ),
        Start::new(
            "1 worker, busy with job 1 until the gate opens; job 2 waits",
            &[1],
            [(0, UntilTheGateOpens, Returns), (0, NoTime, Returns)],
        ),
        Start::new(
            "2 workers, busy with job 1 for a second and with job 2, which panics after two",
            &[2],
            [(0, Seconds(1), Returns), (0, Seconds(2), Panics)],
        ),
        Start::new(
            "1 worker; job 1 has returned, job 2 has panicked",
            &[1],
            [(0, NoTime, Returns), (0, NoTime, Panics)],
        ),
        Start::new(
            "1 worker, busy with job 1, which submits job 3 when the gate opens; job 2 waits",
            &[1],
            [(0, UntilTheGateOpens, Submits(3)), (0, NoTime, Returns)],
        ),
        Start::new(
            "2 workers, busy with job 1 until the gate opens and with job 2, which waits for its result",
            &[2],
            [(0, UntilTheGateOpens, Returns), (0, NoTime, Gets(1))],
        ),
        Start::new("1 worker, busy with job 1 for ever", &[1], [(0, ForEver, Returns)]),
    ]
}

fn for_waits() -> Vec<Start> {
    vec![
        Start::new("no futures", &[1], []),
        Start::new(
            "2 executors with 1 worker each; job 1 was just submitted to one, and job 2, which panics, to the other",
            &[1, 1],
            [(0, NoTime, Returns), (1, NoTime, Panics)],
        )
        .not_settled(),
        Start::new(
            "2 executors with 1 worker each, busy with job 1 until the gate opens and with job 2 for a second",
            &[1, 1],
            [(0, UntilTheGateOpens, Returns), (1, Seconds(1), Returns)],
        ),
        Start::new(
            "2 workers, busy with job 1 until the gate opens and with job 2, which panics after a second",
            &[2],
            [(0, UntilTheGateOpens, Returns), (0, Seconds(1), Panics)],
        ),
        Start::new(
            "1 worker, busy with job 1 until the gate opens; job 2 was cancelled",
            &[1],
            [(0, UntilTheGateOpens, Returns), (0, NoTime, Returns)],
        )
        .cancelled(2),
        Start::new(
            "1 worker; jobs 1, 2 and 3 take a second each; the list is 3, 2, 1",
            &[1],
            [(0, Seconds(1), Returns), (0, Seconds(1), Returns), (0, Seconds(1), Returns)],
        )
        .with_lists(&[&[3, 2, 1]]),
        Start::new(
            "1 worker; job 1 has returned, job 2 has panicked, job 3 runs until the gate opens, job 4 waits; the list is 4, 2, 3, 1",
            &[1],
            [(0, NoTime, Returns), (0, NoTime, Panics), (0, UntilTheGateOpens, Returns), (0, NoTime, Returns)],
        )
        .with_lists(&[&[4, 2, 3, 1]]),
        Start::new(
            "2 workers, busy with job 1 for a second and with job 2 for two; A has future 1, B has future 2",
            &[2],
            [(0, Seconds(1), Returns), (0, Seconds(2), Returns)],
        )
        .with_lists(&[&[1], &[2]]),
        Start::new(
            "2 executors with 1 worker each; jobs 1 and 2 of one have returned, and jobs 3 and 4 of the other; A has futures 1 \
             and 3, B has futures 4 and 2",
            &[1, 1],
            [(0, NoTime, Returns), (0, NoTime, Returns), (1, NoTime, Returns), (1, NoTime, Returns)],
        )
        .with_lists(&[&[1, 3], &[4, 2]]),
    ]
}
