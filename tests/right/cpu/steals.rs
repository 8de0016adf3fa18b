//! accepted
//!
//! Everybody has a queue of his own and steals from the others' ends, as rayon does. The caller's thread is one of the
//! workers. One thread talks to all processes, and others only listen to them.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::resume_unwind;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

pub fn one_by_one<T, R>(items: &[T], work: impl Fn(&T) -> R) -> Vec<R> {
    items.iter().map(work).collect()
}

pub fn split(range: Range<u64>, parts: NonZeroUsize) -> Vec<Range<u64>> {
    // Halves of halves, where a half may be larger by one part.
    fn cut(range: Range<u64>, parts: u64, into: &mut Vec<Range<u64>>) {
        if parts == 1 {
            return into.push(range);
        }
        let length = range.end - range.start;
        let (left, extra) = (parts / 2, length % parts);
        let middle = range.start + length / parts * left + extra.min(left);
        cut(range.start..middle, left, into);
        cut(middle..range.end, parts - left, into);
    }
    let mut into = Vec::new();
    if !range.is_empty() {
        let parts = (range.end - range.start).min(parts.get() as u64);
        cut(range, parts, &mut into);
    }
    into
}

pub fn in_chunks<T: Sync, R: Send>(items: &[T], workers: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let mut chunks = split(0..items.len() as u64, workers).into_iter().map(|places| {
        let (start, end) = (places.start as usize, places.end as usize);
        &items[start..end]
    });
    let Some(own) = chunks.next() else { return Vec::new() };
    let work = &work;
    thread::scope(|scope| {
        let others: Vec<_> = chunks.map(|chunk| scope.spawn(move || one_by_one(chunk, work))).collect();
        let mut results = one_by_one(own, work);
        for other in others {
            results.extend(other.join().unwrap_or_else(|payload| resume_unwind(payload)));
        }
        results
    })
}

pub fn balanced<T: Sync, R: Send>(items: &[T], workers: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let shares = split(0..items.len() as u64, workers);
    let queues: Vec<Mutex<VecDeque<u64>>> = shares.into_iter().map(|share| Mutex::new(share.collect())).collect();
    let (queues, work, slots) = (&queues, &work, Mutex::new(Vec::new()));
    let slots = &slots;
    let worker = |own: usize| {
        let steal = || queues.iter().find_map(|queue| locked(queue).pop_back());
        let next = || {
            let mine = queues.get(own).and_then(|queue| locked(queue).pop_front());
            mine.or_else(steal)
        };
        while let Some(place) = next() {
            let result = work(&items[place as usize]);
            locked(slots).push((place, result));
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..queues.len()).map(|own| scope.spawn(move || worker(own))).collect();
        worker(0);
        for other in others {
            other.join().unwrap_or_else(|payload| resume_unwind(payload));
        }
    });
    let mut results = std::mem::take(&mut *locked(slots));
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}

pub fn with_rayon<T: Sync, R: Send>(items: &[T], workers: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    // Rayon could do without this thread, but it may as well be counted.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(workers.get()).build().expect("there is room for threads");
    pool.install(|| (0..items.len()).into_par_iter().with_max_len(1).map(|place| work(&items[place])).collect())
}

/// All processes. They are killed and waited for when this is dropped.
struct Crew(Vec<Child>);

impl Drop for Crew {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub fn by_processes(
    parts: &[Range<u64>],
    workers: NonZeroUsize,
    worker: impl Fn() -> Command + Sync,
) -> io::Result<Vec<u64>> {
    let mut crew = Crew(Vec::new());
    for _ in 0..workers.get().min(parts.len()) {
        crew.0.push(worker().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?);
    }
    let (sender, heard) = mpsc::channel();
    let mut listeners = Vec::new();
    for (number, child) in crew.0.iter_mut().enumerate() {
        let (stdout, sender) = (child.stdout.take().expect("it was piped"), sender.clone());
        listeners.push(thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            loop {
                let answer = listen(&mut stdout);
                let failed = answer.is_err();
                if sender.send((number, answer)).is_err() || failed {
                    return;
                }
            }
        }));
    }
    let outcome = converse(parts, &mut crew, &heard);
    drop((heard, crew));
    listeners.into_iter().for_each(|listener| listener.join().expect("nothing in there panics"));
    outcome
}

/// Keeps every process busy until all parts are answered.
fn converse(
    parts: &[Range<u64>],
    crew: &mut Crew,
    heard: &mpsc::Receiver<(usize, io::Result<u64>)>,
) -> io::Result<Vec<u64>> {
    let (mut rest, mut asked) = (parts.iter().enumerate(), vec![0; crew.0.len()]);
    let mut answers = vec![0; parts.len()];
    let mut ask = |number: usize, asked: &mut [usize], crew: &mut Crew| {
        let Some((place, part)) = rest.next() else { return Ok(()) };
        asked[number] = place;
        let stdin = crew.0[number].stdin.as_mut().expect("it was piped");
        stdin.write_all(format!("{} {}\n", part.start, part.end).as_bytes())
    };
    for number in 0..crew.0.len() {
        ask(number, &mut asked, crew)?;
    }
    for _ in parts {
        let (number, answer) = heard.recv().expect("who listens answers");
        answers[asked[number]] = answer?;
        ask(number, &mut asked, crew)?;
    }
    Ok(answers)
}

fn listen(stdout: &mut impl BufRead) -> io::Result<u64> {
    let mut answer = String::new();
    stdout.read_line(&mut answer)?;
    let number = answer.strip_suffix('\n').ok_or(ErrorKind::UnexpectedEof)?;
    number.parse().map_err(|_| ErrorKind::InvalidData.into())
}

pub fn serve(input: impl BufRead, mut output: impl Write, work: impl Fn(Range<u64>) -> u64) -> io::Result<()> {
    let number = |text: &str| text.parse().map_err(|_| io::Error::from(ErrorKind::InvalidData));
    input.lines().try_for_each(|line| {
        let line = line?;
        let (start, end) = line.split_once(' ').ok_or(ErrorKind::InvalidData)?;
        let answer = work(number(start)?..number(end)?);
        output.write_all(format!("{answer}\n").as_bytes())?;
        output.flush()
    })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
