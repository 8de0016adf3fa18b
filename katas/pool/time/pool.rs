//! What `cargo xtask time pool` times: many short jobs that only compute. A thread for each of them pays for its start each time; a
//! pool pays once.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::thread;

use kata::time::{Bound, Job, Run, Workload, cores, share_of, workload};
use pool::Pool;

/// As many jobs wait for each worker at most.
const BACKLOG: usize = 16;

fn main() {
    workload(|job| {
        let (jobs, steps) = (job.number("jobs"), job.number("steps"));
        let workers = u32::try_from(cores()).expect("a number of cores");
        let limit = |workers| share_of("one by one", workers);
        Workload::new(format!("{jobs} jobs of {steps} thousand steps each"))
            .pieces(jobs)
            .alone("one by one", || Bound::Nothing, way(job, |seeds, work, _| seeds.into_iter().map(work).collect()))
            .alone("thread each", move || limit(workers), way(job, |seeds, work, _| thread_for_each(seeds, work)))
            .with_workers(
                "pool",
                workers,
                limit,
                way(job, |seeds, work, workers| {
                    let backlog = workers.saturating_mul(NonZeroUsize::new(BACKLOG).expect("not 0"));
                    // Starting the workers and waiting for their end is part of the price.
                    let pool = Pool::new(workers, backlog);
                    let results = pool.map(seeds, work);
                    pool.shutdown();
                    results.into_iter().map(|result| result.expect("no job panics or is dropped")).collect()
                }),
            )
            .with_workers(
                "rayon",
                workers,
                limit,
                way(job, |seeds, work, workers| {
                    let results = pool::map_with_rayon(workers, seeds, work);
                    results.into_iter().map(|result| result.expect("no job panics or is dropped")).collect()
                }),
            )
    });
}

/// A job: so much arithmetic that nothing but doing it leads to its result.
#[derive(Clone, Copy)]
struct Steps(u64);

impl Steps {
    // Not inlined: every way must run the same machine code, or the compiler's luck would be measured.
    #[inline(never)]
    fn work(self, seed: u64) -> u64 {
        (0..self.0).fold(seed, |x, step| black_box(x ^ step).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31))
    }
}

type Work = Box<dyn Fn(u64) -> u64 + Send + Sync>;

/// Does the jobs of a round, and makes sure that each has its own result.
fn way(job: &Job, run_jobs: fn(Vec<u64>, Work, NonZeroUsize) -> Vec<u64>) -> impl Fn(&Run) + 'static {
    let (jobs, steps) = (job.number("jobs"), Steps(job.number("steps") * 1000));
    move |run| {
        let first = u64::from(run.round) * jobs;
        let seeds: Vec<u64> = (first..first + jobs).collect();
        let workers = NonZeroUsize::new(run.workers as usize).expect("at least one worker");
        let work: Work = Box::new(move |seed| steps.work(seed));
        let results = run.time(|| run_jobs(seeds, work, workers));
        // All of them would take as long again. Each hundredth, and all places, are enough to see a wrong order.
        assert_eq!(results.len() as u64, jobs, "a result for each job");
        for (index, seed) in (first..first + jobs).enumerate().step_by(100) {
            assert_eq!(results[index], steps.work(seed), "the result of job {index}");
        }
    }
}

fn thread_for_each(seeds: Vec<u64>, work: Work) -> Vec<u64> {
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = seeds.into_iter().map(|seed| scope.spawn(move || work(seed))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no job panics")).collect()
    })
}
