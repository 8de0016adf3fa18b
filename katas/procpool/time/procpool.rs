//! What `cargo xtask time procpool` times: many short jobs, each with an input and a result of some bytes. To threads it costs nothing
//! to hand these over. To processes they have to travel, and a message for each is dearer than a message for many.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::process::Command;
use std::time::Duration;
use std::{env, io, thread};

use kata::time::{Bound, Job, Run, Workload, cores, share_of, workload};
use procpool::{Pool, Settings, serve};

fn main() -> io::Result<()> {
    // A worker process is this program again.
    let mut arguments = env::args().skip(1);
    if let (Some("worker"), Some(steps)) = (arguments.next().as_deref(), arguments.next()) {
        let steps = Steps(steps.parse().expect("a number of steps"));
        return serve(io::stdin(), io::stdout(), || Ok(steps), |steps, input| steps.work(&input));
    }
    workload(|job| {
        let (jobs, steps, bytes) = (job.number("jobs"), job.number("steps"), job.number("bytes"));
        let workers = u32::try_from(cores()).expect("a number of cores");
        let limit = |workers| share_of("one by one", workers);
        let one_by_one = |inputs: &[Vec<u8>], steps: Steps, _| inputs.iter().map(|input| steps.work(input)).collect();
        let about = format!("{jobs} jobs of {steps} steps each, with inputs and results of {bytes} bytes");
        Workload::new(about)
            .pieces(jobs)
            .alone("one by one", || Bound::Nothing, way(job, one_by_one))
            .with_workers("threads", workers, limit, way(job, threads))
            .with_workers("chunk 1", workers, limit, way(job, processes::<1>))
            .with_workers("chunk 10", workers, limit, way(job, processes::<10>))
            .with_workers("chunk 100", workers, limit, way(job, processes::<100>))
    });
    Ok(())
}

/// A job: so much arithmetic that nothing but doing it leads to its result.
#[derive(Clone, Copy)]
struct Steps(u64);

impl Steps {
    // Not inlined: every way must run the same machine code, or the compiler's luck would be measured.
    #[inline(never)]
    fn work(self, input: &[u8]) -> Vec<u8> {
        let seed = input.iter().fold(0, |x, byte| x * 31 % 1_000_007 + u64::from(*byte));
        let found =
            (0..self.0).fold(seed, |x, step| black_box(x ^ step).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31));
        found.to_be_bytes().into_iter().cycle().take(input.len()).collect()
    }
}

/// Does the jobs of a round, and makes sure that each has its own result.
fn way(
    job: &Job,
    run_jobs: impl Fn(&[Vec<u8>], Steps, NonZeroUsize) -> Vec<Vec<u8>> + 'static,
) -> impl Fn(&Run) + 'static {
    let (jobs, steps, bytes) = (job.number("jobs"), Steps(job.number("steps")), job.number("bytes"));
    move |run| {
        let first = u64::from(run.round) * jobs;
        let input = |seed: u64| seed.to_be_bytes().into_iter().cycle().take(bytes as usize).collect();
        let inputs: Vec<Vec<u8>> = (first..first + jobs).map(input).collect();
        let workers = NonZeroUsize::new(run.workers as usize).expect("at least one worker");
        let results = run.time(|| run_jobs(&inputs, steps, workers));
        // All of them would take as long again. Each hundredth, and all places, are enough to see a wrong order.
        assert_eq!(results.len(), inputs.len(), "a result for each job");
        for (place, input) in inputs.iter().enumerate().step_by(100) {
            assert!(results[place] == steps.work(input), "the result of job {place}");
        }
    }
}

fn threads(inputs: &[Vec<u8>], steps: Steps, workers: NonZeroUsize) -> Vec<Vec<u8>> {
    thread::scope(|scope| {
        let shares = inputs.chunks(inputs.len().div_ceil(workers.get()).max(1));
        let work = |share: &[Vec<u8>]| share.iter().map(|input| steps.work(input)).collect::<Vec<_>>();
        let threads: Vec<_> = shares.map(|share| scope.spawn(move || work(share))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no job panics")).collect()
    })
}

/// By a pool, in chunks of so many jobs. Starting the workers and waiting for their end is part of the price.
fn processes<const CHUNK: usize>(inputs: &[Vec<u8>], Steps(steps): Steps, workers: NonZeroUsize) -> Vec<Vec<u8>> {
    let mut command = Command::new(env::current_exe().expect("this program is a file"));
    command.args(["worker", &steps.to_string()]);
    let pool = Pool::start(command, Settings { workers, jobs_each: None, limit: Duration::MAX });
    let pool = pool.expect("this program can be started");
    let outcomes = pool.map(inputs.iter().cloned(), NonZeroUsize::new(CHUNK).expect("not 0"));
    pool.shutdown();
    outcomes.into_iter().map(|outcome| outcome.expect("no worker fails")).collect()
}
