//! What `cargo xtask time queue` times: small items on their way from a producer through workers. Each costs a lock, and sometimes
//! a wake-up; whether that pays depends on how much work an item is.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use kata::time::{Bound, Job, Run, Workload, cores, share_of, workload};
use queue::{Queue, pipeline};

fn main() {
    workload(|job| {
        let (items, steps) = (job.number("items"), job.number("steps"));
        let workers = u32::try_from(cores()).expect("a number of cores");
        let limit = |workers| share_of("one by one", workers);
        Workload::new(format!("{items} items of {steps} hundred steps each"))
            .pieces(items)
            .alone(
                "one by one",
                || Bound::Nothing,
                way(job, |task, _| task.items.clone().map(|item| task.work(item)).fold(0, add)),
            )
            .with_workers("queue", workers, limit, way(job, through_a_queue))
            .with_workers("pipeline", workers, limit, way(job, through_a_pipeline))
    });
}

/// Items, and how much work each of them is.
struct Task {
    items: Range<u64>,
    steps: u64,
    capacity: NonZeroUsize,
}

impl Task {
    /// So much arithmetic that nothing but doing it leads to its result.
    // Not inlined: every way must run the same machine code, or the compiler's luck would be measured.
    #[inline(never)]
    fn work(&self, item: u64) -> u64 {
        (0..self.steps).fold(item, |x, step| black_box(x ^ step).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31))
    }
}

/// Sums must not depend on the order of the items, nor overflow.
fn add(sum: u64, result: u64) -> u64 {
    sum.wrapping_add(result)
}

/// Does the work of a round, and makes sure that no item was lost or taken twice.
fn way(job: &Job, sum_up: fn(&Task, NonZeroUsize) -> u64) -> impl Fn(&Run) + 'static {
    let (items, steps) = (job.number("items"), job.number("steps") * 100);
    let capacity = NonZeroUsize::new(job.workers("capacity") as usize).expect("room for one item at least");
    move |run| {
        let first = u64::from(run.round) * items;
        let task = Task { items: first..first + items, steps, capacity };
        let workers = NonZeroUsize::new(run.workers as usize).expect("at least one worker");
        let sum = run.time(|| sum_up(&task, workers));
        assert_eq!(sum, task.items.clone().map(|item| task.work(item)).fold(0, add), "the sum of all results");
    }
}

/// One thread puts items in, the workers take them out.
fn through_a_queue(task: &Task, workers: NonZeroUsize) -> u64 {
    let (queue, sum) = (Queue::bounded(task.capacity), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..workers.get() {
            scope.spawn(|| {
                while let Ok(item) = queue.get() {
                    // Addition of atomics wraps.
                    sum.fetch_add(task.work(item), Ordering::Relaxed);
                    queue.task_done();
                }
            });
        }
        for item in task.items.clone() {
            queue.put(item).expect("nobody has closed the queue");
        }
        queue.join();
        queue.close();
    });
    sum.into_inner()
}

fn through_a_pipeline(task: &Task, workers: NonZeroUsize) -> u64 {
    let mut sum = 0;
    pipeline(
        task.items.clone(),
        workers,
        task.capacity,
        |item| task.work(item),
        |result| {
            sum = add(sum, result);
            ControlFlow::Continue(())
        },
    );
    sum
}
