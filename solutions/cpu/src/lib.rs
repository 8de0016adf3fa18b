//! Work for all cores: one by one, on threads, with rayon, in processes.
//!
//! Work that only computes gets faster with more cores, and with nothing else: a thread that has no core of its own waits for
//! one. So the questions are the same for every way below:
//!
//! - **Who does what?** Shares that are equal in number are fair while the items are. Where they are not, whoever is free
//!   takes the next one.
//! - **Where do the results go?** They come in any order, and belong into the order of the items.
//! - **What if it goes wrong?** A sum that misses a part looks like any other sum. So a panic goes to the caller, and a
//!   process that gave no good answer is an error.

use std::io::{self, BufRead, BufReader, Write};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Scope, ScopedJoinHandle};

use rayon::ThreadPoolBuilder;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

/// Works on one item after the other, on the caller's thread, and returns the results in the items' order.
///
/// This is what all other ways are compared with.
pub fn one_by_one<T, R>(items: &[T], work: impl Fn(&T) -> R) -> Vec<R> {
    items.iter().map(work).collect()
}

/// Cuts a range into parts: without gaps, in order, none of them empty, and none longer than another by more than 1.
///
/// There are as many as asked for, or fewer if the range has not so many numbers. An empty range has no parts.
pub fn split(range: Range<u64>, parts: NonZeroUsize) -> Vec<Range<u64>> {
    let length = range.end.saturating_sub(range.start);
    let parts = length.min(parts.get() as u64);
    if parts == 0 {
        return Vec::new();
    }
    // 10 numbers in 4 parts: 2 for each, and the first 2 parts get one more. To round 10 / 4 up instead would make 3, 3, 3
    // and 1, and 6 numbers in 4 parts would be only 3 parts. `length * part / parts` would be fair too, but the product may
    // overflow.
    let (size, longer) = (length / parts, length % parts);
    let mut start = range.start;
    let next_part = |part| {
        let end = start + size + u64::from(part < longer);
        let part = start..end;
        start = end;
        part
    };
    (0..parts).map(next_part).collect()
}

/// Cuts the items into one chunk of neighbours for each worker, lets each worker `work` on its chunk, and returns the results
/// in the items' order.
///
/// No two workers' chunks differ in length by more than 1, and with fewer items than workers each item is a chunk. The
/// workers run at the same time, and none outlives the call. The caller's thread may be one of them.
///
/// # Panics
/// With the work's own payload, if the work panics. Also if the system has no room for so many threads.
pub fn in_chunks<T: Sync, R: Send>(items: &[T], workers: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let work = &work;
    // A scope ends when its threads have ended. That is why they may borrow the items and the work: no `Arc`, no clones.
    thread::scope(|scope| {
        let chunks = split(0..items.len() as u64, workers).into_iter().map(|places| {
            let chunk = &items[places.start as usize..places.end as usize];
            spawn(scope, move || one_by_one(chunk, work))
        });
        // Iterators are lazy. Without this `collect` each thread would be started when it is joined, one after the other.
        let chunks: Vec<_> = chunks.collect();
        // Each thread has collected its own results, so no two of them write to the same memory. In order of the chunks, they
        // are in order of the items.
        chunks.into_iter().flat_map(joined).collect()
    })
}

/// Like [`in_chunks`], but no worker has a share of its own: whoever is free takes the next item. However long one item
/// takes, the others don't wait for it.
///
/// # Panics
/// As in [`in_chunks`].
pub fn balanced<T: Sync, R: Send>(items: &[T], workers: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let queue = Queue::new(items);
    let worker = || {
        let mut done = Vec::new();
        while let Some((place, item)) = queue.next() {
            done.push((place, work(item)));
        }
        done
    };
    let done = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers.get().min(items.len())).map(|_| spawn(scope, worker)).collect();
        threads.into_iter().flat_map(joined).collect()
    });
    in_order(done)
}

/// Items that wait for a worker.
struct Queue<'items, T> {
    items: &'items [T],
    /// The place of the next item: all that changes. Beyond the last one, there is none.
    next: AtomicUsize,
}

impl<'items, T> Queue<'items, T> {
    fn new(items: &'items [T]) -> Queue<'items, T> {
        Queue { items, next: AtomicUsize::new(0) }
    }

    /// Takes the next item, and says where its result belongs.
    fn next(&self) -> Option<(usize, &'items T)> {
        // This reads and adds in one step, so no two workers get the same place. `Relaxed` is enough: nothing but the number
        // is passed on by it.
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        Some((place, self.items.get(place)?))
    }

    /// Takes all items that are left, and forgets them.
    fn clear(&self) {
        self.next.store(self.items.len(), Ordering::Relaxed);
    }
}

/// Who did which item differs from run to run. The results must not.
fn in_order<R>(mut done: Vec<(usize, R)>) -> Vec<R> {
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Starts a worker.
fn spawn<'scope, R: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    worker: impl FnOnce() -> R + Send + 'scope,
) -> ScopedJoinHandle<'scope, R> {
    let thread = thread::Builder::new().name("worker".to_owned());
    thread.spawn_scoped(scope, worker).expect("the system has room for as many threads as workers were asked for")
}

/// Waits for a worker. If it panicked, so does this thread, with the same payload: to the caller it looks as if there were no
/// threads.
///
/// The scope waits for the others, also then.
fn joined<R>(worker: ScopedJoinHandle<'_, R>) -> R {
    worker.join().unwrap_or_else(|payload| panic::resume_unwind(payload))
}

/// Like [`balanced`], on as many threads of rayon.
///
/// A pool for each call only shows how one is made. A program keeps one, or uses rayon's global pool: then `items.par_iter()`
/// is all that it takes.
///
/// # Panics
/// As in [`in_chunks`].
pub fn with_rayon<T: Sync, R: Send>(items: &[T], workers: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let pool = ThreadPoolBuilder::new().num_threads(workers.get()).build();
    let pool = pool.expect("the system has room for as many threads as workers were asked for");
    // Rayon halves the items again and again, and idle threads steal halves. It stops while there are still several items in
    // a piece, for tiny items' sake, and a piece can't be stolen in part: what follows a long item in it waits. These items
    // are large, so each may be a piece.
    pool.install(|| items.par_iter().with_max_len(1).map(&work).collect())
}

/// Lets so many processes work on the parts at the same time, and returns the results in the order of the parts. Whichever
/// process is free gets the next part.
///
/// `worker` makes the command for one process, which calls [`serve`] with its standard input and output. It is called once
/// for each worker, but not more often than there are parts. No process is left when this returns, not even a zombie.
///
/// # Errors
/// - `UnexpectedEof` if a worker ends without a whole answer to its part.
/// - `InvalidData` if an answer is no number. The worker is killed then.
/// - Whatever the system reports: a worker can't be started, a pipe is broken.
pub fn by_processes(
    parts: &[Range<u64>],
    workers: NonZeroUsize,
    worker: impl Fn() -> Command + Sync,
) -> io::Result<Vec<u64>> {
    // Started here rather than each by its thread. If one of them can't be, those before it are dropped, and that ends them.
    let processes = (0..workers.get().min(parts.len())).map(|_| Worker::start(worker()));
    let processes = processes.collect::<io::Result<Vec<Worker>>>()?;
    let queue = Queue::new(parts);
    // For each process a thread that mostly waits. The computing is done elsewhere.
    let converse = |mut worker: Worker| {
        let mut done = Vec::new();
        while let Some((place, part)) = queue.next() {
            // If this fails, there will be no sum. So nobody else shall begin with another part of it.
            done.push((place, worker.ask(part).inspect_err(|_| queue.clear())?));
        }
        worker.finish()?;
        Ok(done)
    };
    let done: io::Result<Vec<Vec<(usize, u64)>>> = thread::scope(|scope| {
        let threads: Vec<_> = processes.into_iter().map(|worker| spawn(scope, || converse(worker))).collect();
        threads.into_iter().map(joined).collect()
    });
    Ok(in_order(done?.into_iter().flatten().collect()))
}

/// A process that works. Its input, where the parts go, is in `process`.
struct Worker {
    process: Child,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    fn start(mut command: Command) -> io::Result<Worker> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let answers = BufReader::new(process.stdout.take().expect(PIPED));
        Ok(Worker { process, answers })
    }

    /// Waits for the result of a part.
    fn ask(&mut self, part: &Range<u64>) -> io::Result<u64> {
        // A process sees nothing of our memory. What crosses the border is bytes, and everything has to be put into them.
        let question = format!("{} {}\n", part.start, part.end);
        self.process.stdin.as_mut().expect(PIPED).write_all(question.as_bytes())?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        // A number without the end of its line may be the half of one: 50 of 5050.
        let Some(number) = answer.strip_suffix('\n') else {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a worker process ended without a whole answer"));
        };
        number.parse().map_err(|_| invalid("a worker process has to answer with a number", number))
    }

    /// Lets the process end by itself. It learns from the end of its input that there are no more parts, and `wait` closes
    /// that before it waits.
    fn finish(mut self) -> io::Result<()> {
        self.process.wait().map(drop)
    }
}

impl Drop for Worker {
    /// A worker that comes here alive has failed, or one that should have started after it. Who answers rubbish may also
    /// ignore the end of its input, so don't ask. For a process that has been waited for, both calls do nothing.
    fn drop(&mut self) {
        let _ = self.process.kill();
        // Killed is not gone: until somebody waits for it, it is a zombie.
        let _ = self.process.wait();
    }
}

/// What a worker process does: reads the parts, one in a line, and answers each with the result of the work, one in a line.
///
/// `1 101` asks for the part `1..101`, and 5050 is a good answer to it. An answer has left the writer's buffer before the
/// next part is read. Returns at the end of the input.
///
/// # Errors
/// - `InvalidData` if a line isn't a part. The parts before it are answered, those behind it are not.
/// - Whatever the reader or the writer reports.
pub fn serve(input: impl BufRead, mut output: impl Write, work: impl Fn(Range<u64>) -> u64) -> io::Result<()> {
    for line in input.lines() {
        let line = line?;
        let part = parsed(&line).ok_or_else(|| invalid("a part is two numbers", &line))?;
        writeln!(output, "{}", work(part))?;
        // There is no next part before this answer has arrived, so it must not stay in a buffer until more come.
        output.flush()?;
    }
    Ok(())
}

/// The part that a line asks for, if it is one.
fn parsed(line: &str) -> Option<Range<u64>> {
    let (start, end) = line.split_once(' ')?;
    Some(start.parse().ok()?..end.parse().ok()?)
}

/// An error about a line that makes no sense. It says which.
fn invalid(expected: &str, line: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{expected}, which {line:?} is not"))
}

/// `Child` has a pipe for each stream that was asked for as one.
const PIPED: &str = "the process was started with this stream as a pipe";
