//! accepted
//!
//! Results go into slots that were made for them, or through channels. Each thread of `by_processes` starts its own process.
//! The caller's thread does nothing but collect.

use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::resume_unwind;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, mpsc};
use std::thread;

pub fn one_by_one<T, R>(items: &[T], work: impl Fn(&T) -> R) -> Vec<R> {
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        results.push(work(item));
    }
    results
}

pub fn split(range: Range<u64>, parts: NonZeroUsize) -> Vec<Range<u64>> {
    // Each part is its share of what is left, rounded up.
    let (mut rest, mut parts_left, mut parts) = (range, parts.get() as u64, Vec::new());
    while !rest.is_empty() {
        let length = (rest.end - rest.start).div_ceil(parts_left);
        parts.push(rest.start..rest.start + length);
        rest.start += length;
        parts_left -= 1;
    }
    parts
}

pub fn in_chunks<T: Sync, R: Send>(items: &[T], workers: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let mut slots: Vec<Option<R>> = items.iter().map(|_| None).collect();
    let (mut items, mut rest, work) = (items, slots.as_mut_slice(), &work);
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for workers_left in (1..=workers.get()).rev() {
            let length = items.len() / workers_left;
            let (chunk, items_left) = items.split_at(length);
            let (results, rest_left) = rest.split_at_mut(length);
            (items, rest) = (items_left, rest_left);
            if length > 0 {
                threads.push(scope.spawn(move || {
                    for (item, result) in chunk.iter().zip(results) {
                        *result = Some(work(item));
                    }
                }));
            }
        }
        for thread in threads {
            if let Err(payload) = thread.join() {
                resume_unwind(payload);
            }
        }
    });
    slots.into_iter().flatten().collect()
}

pub fn balanced<T: Sync, R: Send>(items: &[T], workers: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (giver, taker) = mpsc::channel();
    for place in items.iter().enumerate() {
        giver.send(place).expect("the taker is there");
    }
    drop(giver);
    let (taker, work) = (Mutex::new(taker), &work);
    let next = || taker.lock().expect("nobody panics with this lock").recv().ok();
    let (sender, receiver) = mpsc::channel();
    let mut slots: Vec<Option<R>> = items.iter().map(|_| None).collect();
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for _ in 0..workers.get() {
            let (next, sender) = (&next, sender.clone());
            threads.push(scope.spawn(move || {
                while let Some((place, item)) = next() {
                    sender.send((place, work(item))).expect("the receiver is there");
                }
            }));
        }
        drop(sender);
        for (place, result) in receiver {
            slots[place] = Some(result);
        }
        for thread in threads {
            if let Err(payload) = thread.join() {
                resume_unwind(payload);
            }
        }
    });
    slots.into_iter().flatten().collect()
}

pub fn with_rayon<T: Sync, R: Send>(items: &[T], workers: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(workers.get()).build().expect("there is room for threads");
    let slots: Vec<OnceLock<R>> = items.iter().map(|_| OnceLock::new()).collect();
    // `OnceLock<R>` is only shared by threads if `R` is. A lock makes up for it.
    let slots: Vec<Mutex<OnceLock<R>>> = slots.into_iter().map(Mutex::new).collect();
    let work = &work;
    pool.scope(|scope| {
        for (item, slot) in items.iter().zip(&slots) {
            scope.spawn(move |_| {
                let result = work(item);
                let _ = slot.lock().expect("nobody panics with this lock").set(result);
            });
        }
    });
    slots.into_iter().filter_map(|slot| slot.into_inner().ok()?.into_inner()).collect()
}

/// Is killed and waited for when it is dropped.
struct Reaped(Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn by_processes(
    parts: &[Range<u64>],
    workers: NonZeroUsize,
    worker: impl Fn() -> Command + Sync,
) -> io::Result<Vec<u64>> {
    let (rest, answers) = (Mutex::new(parts.iter().enumerate()), Mutex::new(vec![0; parts.len()]));
    let converse = || -> io::Result<()> {
        let mut process = Reaped(worker().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?);
        let mut question = process.0.stdin.take().expect("it was piped");
        let mut lines = BufReader::new(process.0.stdout.take().expect("it was piped"));
        loop {
            let next = rest.lock().expect("nobody panics with this lock").next();
            let Some((place, part)) = next else { break };
            writeln!(question, "{} {}", part.start, part.end)?;
            let mut answer = Vec::new();
            lines.read_until(b'\n', &mut answer)?;
            if answer.pop() != Some(b'\n') {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let number = str::from_utf8(&answer).ok().and_then(|text| text.parse().ok());
            answers.lock().expect("nobody panics with this lock")[place] = number.ok_or(ErrorKind::InvalidData)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers.get().min(parts.len())).map(|_| scope.spawn(converse)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("nothing in there panics"))
    })?;
    Ok(answers.into_inner().expect("nobody panics with this lock"))
}

pub fn serve(mut input: impl BufRead, mut output: impl Write, work: impl Fn(Range<u64>) -> u64) -> io::Result<()> {
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        let numbers = line.trim_end_matches('\n').split(' ').map(str::parse).collect::<Result<Vec<u64>, _>>();
        let numbers = numbers.map_err(|_| ErrorKind::InvalidData)?;
        let &[start, end] = numbers.as_slice() else { return Err(ErrorKind::InvalidData.into()) };
        output.write_all(format!("{}\n", work(start..end)).as_bytes())?;
        output.flush()?;
        line.clear();
    }
    Ok(())
}
