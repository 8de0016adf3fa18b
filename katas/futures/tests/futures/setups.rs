//! What scenarios begin with.

use super::FuturesContract;
use super::state::{Job, Outcome, SHORT, Stage, State, Takes, Then, Work};

/// What a scenario begins with.
pub(crate) struct Start {
    pub(crate) name: &'static str,
    /// How many workers each executor has.
    pub(crate) workers: Vec<usize>,
    /// Each job's executor and what it does. They are numbered from 1.
    pub(crate) jobs: Vec<(usize, Work)>,
    /// Whether all has come to rest before the calls begin.
    pub(crate) settled: bool,
    /// The job that was cancelled, if one was.
    pub(crate) cancelled: Option<usize>,
    /// The jobs whose futures the threads have.
    pub(crate) futures: Vec<usize>,
}

impl Start {
    pub(crate) fn state(&self) -> State {
        let job = |(place, &(executor, work)): (usize, &(usize, Work))| {
            let id = place + 1;
            let cancelled = self.cancelled == Some(id);
            let stage = if cancelled { Stage::Complete(Outcome::Cancelled) } else { Stage::Waiting };
            Job { id, executor, work, stage, gone: false }
        };
        State {
            workers: self.workers.clone(),
            jobs: self.jobs.iter().enumerate().map(job).collect(),
            list: self.futures.clone(),
            coming: None,
        }
    }

    pub(crate) fn is_busy_for_ever(&self) -> bool {
        self.jobs.iter().any(|(_, work)| work.0 == Takes::ForEver)
    }
}

impl FuturesContract {
    pub(crate) fn starts(&self) -> Vec<Start> {
        use Takes::*;
        use Then::*;
        let start = |name, workers: &[usize], jobs: &[(usize, Work)]| {
            let taken = |n: &usize| jobs.iter().any(|(_, work)| work.1 == Gets(*n));
            let futures = (1..=jobs.len()).filter(|n| !taken(n)).collect();
            Start { name, workers: workers.to_vec(), jobs: jobs.to_vec(), settled: true, cancelled: None, futures }
        };
        match self {
            FuturesContract::Single => vec![
                Start {
                    settled: false,
                    ..start(
                        "1 worker; job 1 was just submitted, and then job 2, which panics",
                        &[1],
                        &[(0, SHORT), (0, (NoTime, Panics))],
                    )
                },
                start(
                    "1 worker, busy with job 1 for a second; job 2 waits",
                    &[1],
                    &[(0, (Seconds(1), Returns)), (0, SHORT)],
                ),
                start(
                    "1 worker, busy with job 1 until the gate opens; job 2 waits",
                    &[1],
                    &[(0, (UntilTheGateOpens, Returns)), (0, SHORT)],
                ),
                start(
                    "2 workers, busy with job 1 for a second and with job 2, which panics after two",
                    &[2],
                    &[(0, (Seconds(1), Returns)), (0, (Seconds(2), Panics))],
                ),
                start("1 worker; job 1 has returned, job 2 has panicked", &[1], &[(0, SHORT), (0, (NoTime, Panics))]),
                start(
                    "1 worker, busy with job 1, which submits job 3 when the gate opens; job 2 waits",
                    &[1],
                    &[(0, (UntilTheGateOpens, Submits(3))), (0, SHORT)],
                ),
                start(
                    "2 workers, busy with job 1 until the gate opens and with job 2, which waits for its result",
                    &[2],
                    &[(0, (UntilTheGateOpens, Returns)), (0, (NoTime, Gets(1)))],
                ),
                start("1 worker, busy with job 1 for ever", &[1], &[(0, (ForEver, Returns))]),
            ],
            FuturesContract::Several => vec![
                start("no futures", &[1], &[]),
                Start {
                    settled: false,
                    ..start(
                        "2 executors with 1 worker each; job 1 was just submitted to one, and job 2, which panics, to the other",
                        &[1, 1],
                        &[(0, SHORT), (1, (NoTime, Panics))],
                    )
                },
                start(
                    "2 executors with 1 worker each, busy with job 1 until the gate opens and with job 2 for a second",
                    &[1, 1],
                    &[(0, (UntilTheGateOpens, Returns)), (1, (Seconds(1), Returns))],
                ),
                start(
                    "2 workers, busy with job 1 until the gate opens and with job 2, which panics after a second",
                    &[2],
                    &[(0, (UntilTheGateOpens, Returns)), (0, (Seconds(1), Panics))],
                ),
                Start {
                    cancelled: Some(2),
                    ..start(
                        "1 worker, busy with job 1 until the gate opens; job 2 was cancelled",
                        &[1],
                        &[(0, (UntilTheGateOpens, Returns)), (0, SHORT)],
                    )
                },
                Start {
                    futures: vec![3, 2, 1],
                    ..start(
                        "1 worker; jobs 1, 2 and 3 take a second each; the futures are given in the order 3, 2, 1",
                        &[1],
                        &[(0, (Seconds(1), Returns)), (0, (Seconds(1), Returns)), (0, (Seconds(1), Returns))],
                    )
                },
                Start {
                    futures: vec![4, 2, 3, 1],
                    ..start(
                        "1 worker; job 1 has returned, job 2 has panicked, job 3 runs until the gate opens, job 4 waits; the \
                         futures are given in the order 4, 2, 3, 1",
                        &[1],
                        &[(0, SHORT), (0, (NoTime, Panics)), (0, (UntilTheGateOpens, Returns)), (0, SHORT)],
                    )
                },
            ],
        }
    }
}
