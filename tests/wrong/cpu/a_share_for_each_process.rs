//! rejected: leak, serialised, timeout
//!
//! Each process gets its share of the parts at once. What is behind a long part waits, while the other processes have nothing
//! to do. `wait_with_output` waits also for one that answers rubbish and doesn't end, and after an error nobody waits for the
//! rest.

use std::io::{self, BufRead, ErrorKind, Write};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic;
use std::process::{Command, Stdio};
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

pub fn with_rayon<T: Sync, R: Send>(items: &[T], workers: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let pool = ThreadPoolBuilder::new().num_threads(workers.get()).build();
    let pool = pool.expect("the system has room for as many threads as workers were asked for");
    pool.install(|| items.par_iter().with_max_len(1).map(&work).collect())
}

pub fn by_processes(
    parts: &[Range<u64>],
    workers: NonZeroUsize,
    worker: impl Fn() -> Command + Sync,
) -> io::Result<Vec<u64>> {
    let mut processes = Vec::new();
    for places in split(0..parts.len() as u64, workers) {
        let share = &parts[places.start as usize..places.end as usize];
        let mut process = worker().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut questions = process.stdin.take().unwrap();
        for part in share {
            questions.write_all(format!("{} {}\n", part.start, part.end).as_bytes())?;
        }
        processes.push((process, share.len()));
    }
    let mut results = Vec::new();
    for (process, count) in processes {
        let output = process.wait_with_output()?;
        let text = String::from_utf8(output.stdout).map_err(|_| ErrorKind::InvalidData)?;
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let answers = whole.lines().map(|answer| answer.parse().map_err(|_| ErrorKind::InvalidData));
        let answers = answers.collect::<Result<Vec<u64>, _>>()?;
        if answers.len() != count {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        results.extend(answers);
    }
    Ok(results)
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
