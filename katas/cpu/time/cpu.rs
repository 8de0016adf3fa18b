//! What `cargo xtask time cpu` times: sums and products, in all the ways of the kata. `black_box` keeps the compiler from finding
//! the closed form; otherwise there would be no loop left to time.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::process::Command;
use std::{env, io};

use kata::time::{Bound, Job, Run, Workload, cores, workload};

/// The work is cut into so many parts, which workers share.
const PARTS: u64 = 64;
/// Uneven work: the first part is as long as so many others.
const LONG_PART: u64 = 32;

fn main() -> io::Result<()> {
    // A worker process is this program again.
    let mut arguments = env::args().skip(1);
    if let (Some("worker"), Some(task)) = (arguments.next().as_deref(), arguments.next()) {
        let task = Task::from_name(&task);
        return cpu::serve(io::stdin().lock(), io::stdout().lock(), |part| task.work(&part));
    }
    workload(|job| {
        let task = Task::from_name(job.word("task"));
        let workers = u32::try_from(cores()).expect("a number of cores");
        let limit = move |workers| task.limit(workers);
        Workload::new(task.in_words(job.number("size")))
            .alone(
                "one by one",
                || Bound::Nothing,
                way(job, |task, parts, _| cpu::one_by_one(parts, |part| task.work(part))),
            )
            .with_workers(
                "chunks",
                workers,
                limit,
                way(job, |task, parts, workers| cpu::in_chunks(parts, workers, |part| task.work(part))),
            )
            .with_workers(
                "balanced",
                workers,
                limit,
                way(job, |task, parts, workers| cpu::balanced(parts, workers, |part| task.work(part))),
            )
            .with_workers(
                "rayon",
                workers,
                limit,
                way(job, |task, parts, workers| cpu::with_rayon(parts, workers, |part| task.work(part))),
            )
            .with_workers(
                "processes",
                workers,
                limit,
                way(job, |task, parts, workers| {
                    // Starting them is part of the price.
                    cpu::by_processes(parts, workers, || task.worker()).expect("no worker fails")
                }),
            )
    });
    Ok(())
}

/// The notes' two computations, and one whose parts are not alike.
#[derive(Clone, Copy)]
enum Task {
    /// The sum of the numbers of the range.
    Sum,
    /// For each number of the range all products of three numbers below 30, summed up.
    TripleLoop,
    /// A sum, most of which is in the first part.
    Uneven,
}

impl Task {
    fn from_name(name: &str) -> Task {
        match name {
            "sum" => Task::Sum,
            "triple-loop" => Task::TripleLoop,
            "uneven" => Task::Uneven,
            other => panic!("there is no task {other}"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Task::Sum => "sum",
            Task::TripleLoop => "triple-loop",
            Task::Uneven => "uneven",
        }
    }

    /// How much work so many millions of steps are, for people.
    fn in_words(self, millions: u64) -> String {
        match self {
            Task::Sum => format!("the sum of {millions} million numbers in {PARTS} parts"),
            Task::TripleLoop => {
                format!("{} million products in {PARTS} parts", repetitions(millions) * 24_389 / 1_000_000)
            }
            Task::Uneven => format!("the sum of {millions} million numbers, a third of them in one of {PARTS} parts"),
        }
    }

    // Not inlined: every way must run the same machine code, or the compiler's luck would be measured.
    #[inline(never)]
    fn work(self, part: &Range<u64>) -> u64 {
        match self {
            Task::Sum | Task::Uneven => part.clone().map(black_box).sum(),
            Task::TripleLoop => part.clone().map(|_| products()).sum(),
        }
    }

    /// The parts of so many millions of steps.
    fn parts(self, millions: u64, round: u64) -> Vec<Range<u64>> {
        let even = |range, parts: u64| cpu::split(range, NonZeroUsize::new(parts as usize).expect("not 0"));
        let (begin, end) = (round + 1, round + 1 + millions * 1_000_000);
        match self {
            Task::Sum => even(begin..end, PARTS),
            Task::TripleLoop => even(0..repetitions(millions), PARTS),
            Task::Uneven => {
                let border = begin + (end - begin) * LONG_PART / (LONG_PART + PARTS - 1);
                let mut parts = vec![begin..border];
                parts.extend(even(border..end, PARTS - 1));
                parts
            }
        }
    }

    /// What the parts' results must add up to.
    fn result(self, millions: u64, round: u64) -> u64 {
        let n = millions * 1_000_000;
        match self {
            Task::Sum | Task::Uneven => n * (n + 1) / 2 + n * round,
            // The sum of the numbers below 30 is 435, so these products add up to its third power.
            Task::TripleLoop => repetitions(millions) * 435_u64.pow(3),
        }
    }

    /// Parts are not divided any further, so the longest one is a limit as well as the number of cores.
    fn limit(self, workers: u32) -> Bound {
        let at_once = cores().min(workers as usize).max(1) as f64;
        let longest = match self {
            Task::Sum | Task::TripleLoop => 1.0 / PARTS as f64,
            Task::Uneven => LONG_PART as f64 / (LONG_PART + PARTS - 1) as f64,
        };
        Bound::Share { of: "one by one".to_owned(), share: f64::max(1.0 / at_once, longest) }
    }

    /// The command of a worker process.
    fn worker(self) -> Command {
        let mut command = Command::new(env::current_exe().expect("this program is a file"));
        command.args(["worker", self.name()]);
        command
    }
}

/// How many triple loops are so many millions of products.
fn repetitions(millions: u64) -> u64 {
    (millions * 1_000_000).div_ceil(24_389)
}

fn products() -> u64 {
    let below_30 = || (1..30_u64).map(black_box);
    below_30().flat_map(|i| below_30().flat_map(move |j| below_30().map(move |k| i * j * k))).sum()
}

/// Does the work of a round, and makes sure that the result is right.
fn way(job: &Job, work: fn(Task, &[Range<u64>], NonZeroUsize) -> Vec<u64>) -> impl Fn(&Run) + 'static {
    let (task, millions) = (Task::from_name(job.word("task")), job.number("size"));
    move |run| {
        let parts = task.parts(millions, run.round.into());
        let workers = NonZeroUsize::new(run.workers as usize).expect("at least one worker");
        let results = run.time(|| work(task, &parts, workers));
        assert_eq!(results.len(), parts.len(), "a result for each part");
        assert_eq!(results.into_iter().sum::<u64>(), task.result(millions, run.round.into()), "the sum of the results");
    }
}
