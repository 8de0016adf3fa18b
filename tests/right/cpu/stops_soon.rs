//! accepted
//!
//! Everybody stops soon after a panic or an error, and the first one counts. The caller parks until the last one unparks it.

use std::any::Any;
use std::cell::RefCell;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::num::NonZeroUsize;
use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, OnceLock};
use std::thread::{self, Thread};

use rayon::iter::{ParallelBridge, ParallelIterator};

pub fn one_by_one<T, R>(items: &[T], work: impl Fn(&T) -> R) -> Vec<R> {
    let mut place = 0;
    std::iter::from_fn(|| {
        place += 1;
        items.get(place - 1).map(&work)
    })
    .collect()
}

pub fn split(range: Range<u64>, parts: NonZeroUsize) -> Vec<Range<u64>> {
    // Reversed ranges are parts of their own: that is open.
    if range.start > range.end {
        return vec![range];
    }
    let (mut rest, mut made) = (range, Vec::new());
    for left in (1..=parts.get() as u64).rev() {
        if rest.is_empty() {
            break;
        }
        // The longer ones come first, as each takes its share of what is left, rounded up.
        let end = rest.start + (rest.end - rest.start).div_ceil(left);
        made.push(rest.start..end);
        rest.start = end;
    }
    made
}

struct Team<P> {
    caller: Thread,
    left: AtomicUsize,
    stop: AtomicBool,
    first: Mutex<Option<P>>,
}

impl<P> Team<P> {
    fn new(members: usize) -> Self {
        Team {
            caller: thread::current(),
            left: AtomicUsize::new(members),
            stop: AtomicBool::new(false),
            first: Mutex::new(None),
        }
    }

    fn failed(&self, why: P) {
        self.stop.store(true, SeqCst);
        self.first.lock().unwrap().get_or_insert(why);
    }

    fn one_less(&self) {
        if self.left.fetch_sub(1, SeqCst) == 1 {
            self.caller.unpark();
        }
    }

    fn wait(&self) {
        while self.left.load(SeqCst) > 0 {
            thread::park();
        }
    }
}

type Payload = Box<dyn Any + Send>;

pub fn in_chunks<T: Sync, R: Send>(items: &[T], workers: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let count = workers.get().min(items.len());
    let team: Team<Payload> = Team::new(count);
    let slots: Vec<OnceLock<Mutex<Vec<R>>>> = (0..count).map(|_| OnceLock::new()).collect();
    thread::scope(|scope| {
        for (number, slot) in slots.iter().enumerate() {
            let (team, work) = (&team, &work);
            // From the end of the chunk to its beginning: the order in a chunk is open.
            let (from, to) = (items.len() * number / count, items.len() * (number + 1) / count);
            scope.spawn(move || {
                let chunk = items[from..to].iter().rev().try_fold(Vec::new(), |mut done, item| {
                    if team.stop.load(SeqCst) {
                        return ControlFlow::Break(());
                    }
                    match catch_unwind(AssertUnwindSafe(|| work(item))) {
                        Ok(result) => done.push(result),
                        Err(payload) => {
                            team.failed(payload);
                            return ControlFlow::Break(());
                        }
                    }
                    ControlFlow::Continue(done)
                });
                if let ControlFlow::Continue(mut done) = chunk {
                    done.reverse();
                    let _ = slot.set(Mutex::new(done));
                }
                team.one_less();
            });
        }
        team.wait();
    });
    if let Some(payload) = team.first.into_inner().unwrap() {
        resume_unwind(payload);
    }
    slots.into_iter().flat_map(|slot| slot.into_inner().unwrap().into_inner().unwrap()).collect()
}

pub fn balanced<T: Sync, R: Send>(items: &[T], workers: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let count = workers.get().min(items.len());
    let team: Team<Payload> = Team::new(count);
    let taken: Vec<AtomicBool> = items.iter().map(|_| AtomicBool::new(false)).collect();
    let slots: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::new(None)).collect();
    thread::scope(|scope| {
        for _ in 0..count {
            scope.spawn(|| {
                for (place, mine) in taken.iter().enumerate() {
                    if team.stop.load(SeqCst) {
                        break;
                    }
                    if mine.swap(true, SeqCst) {
                        continue;
                    }
                    match catch_unwind(AssertUnwindSafe(|| work(&items[place]))) {
                        Ok(result) => *slots[place].lock().unwrap() = Some(result),
                        Err(payload) => team.failed(payload),
                    }
                }
                team.one_less();
            });
        }
        team.wait();
    });
    if let Some(payload) = team.first.into_inner().unwrap() {
        resume_unwind(payload);
    }
    slots.into_iter().filter_map(|slot| slot.into_inner().unwrap()).collect()
}

pub fn with_rayon<T: Sync, R: Send>(items: &[T], workers: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    thread_local! {
        static KEPT: RefCell<Option<(usize, rayon::ThreadPool)>> = const { RefCell::new(None) };
    }
    // The pool of this thread's last call, if it is as large. Whoever calls within a call gets another one.
    let kept = KEPT.with(|kept| kept.take()).filter(|(size, _)| *size == workers.get());
    let (size, pool) = kept.unwrap_or_else(|| {
        (workers.get(), rayon::ThreadPoolBuilder::new().num_threads(workers.get()).build().expect("threads"))
    });
    let mut done: Vec<(usize, R)> =
        pool.install(|| items.iter().enumerate().par_bridge().map(|(place, item)| (place, work(item))).collect());
    KEPT.with(|kept| kept.replace(Some((size, pool))));
    done.sort_by(|a, b| a.0.cmp(&b.0));
    done.into_iter().map(|(_, result)| result).collect()
}

/// Ends all of them as soon as one has failed.
pub fn by_processes(
    parts: &[Range<u64>],
    workers: NonZeroUsize,
    worker: impl Fn() -> Command + Sync,
) -> io::Result<Vec<u64>> {
    struct All(Vec<Mutex<Child>>);
    impl All {
        fn kill(&self) {
            for child in &self.0 {
                let _ = child.lock().unwrap().kill();
            }
        }
    }
    impl Drop for All {
        fn drop(&mut self) {
            self.kill();
            for child in &self.0 {
                let _ = child.lock().unwrap().wait();
            }
        }
    }
    fn ask(input: &mut ChildStdin, output: &mut BufReader<ChildStdout>, part: &Range<u64>) -> io::Result<u64> {
        writeln!(input, "{} {}", part.start, part.end)?;
        let mut line = String::new();
        if output.read_line(&mut line)? == 0 || !line.ends_with('\n') {
            return Err(io::Error::from(ErrorKind::UnexpectedEof));
        }
        line.trim().parse().map_err(|why| io::Error::new(ErrorKind::InvalidData, format!("{line:?}: {why}")))
    }

    let mut all = All(Vec::new());
    let mut pipes = Vec::new();
    for _ in 0..workers.get().min(parts.len()) {
        let mut child = worker().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        pipes.push(child.stdin.take().zip(child.stdout.take()).unwrap());
        all.0.push(Mutex::new(child));
    }
    let team: Team<io::Error> = Team::new(pipes.len());
    let next = AtomicUsize::new(0);
    let sums: Vec<OnceLock<u64>> = parts.iter().map(|_| OnceLock::new()).collect();
    thread::scope(|scope| {
        for (mut input, output) in pipes {
            let (team, next, sums, all) = (&team, &next, &sums, &all);
            scope.spawn(move || {
                let mut output = BufReader::new(output);
                while !team.stop.load(SeqCst) {
                    let place = next.fetch_add(1, SeqCst);
                    let Some(part) = parts.get(place) else { break };
                    match ask(&mut input, &mut output, part) {
                        Ok(sum) => drop(sums[place].set(sum)),
                        Err(error) => {
                            team.failed(error);
                            all.kill();
                        }
                    }
                }
                team.one_less();
            });
        }
        team.wait();
    });
    match team.first.into_inner().unwrap() {
        Some(error) => Err(error),
        None => Ok(sums.into_iter().map(|sum| sum.into_inner().unwrap()).collect()),
    }
}

pub fn serve(input: impl BufRead, mut output: impl Write, work: impl Fn(Range<u64>) -> u64) -> io::Result<()> {
    for line in input.split(b'\n') {
        let line = line?;
        let text = std::str::from_utf8(&line).map_err(|_| ErrorKind::InvalidData)?;
        let mut words = text.split_ascii_whitespace();
        let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
        let (start, end) = (number(), number());
        match (start, end, words.next()) {
            (Some(start), Some(end), None) => output.write_all(format!("{}\n", work(start..end)).as_bytes())?,
            _ => return Err(io::Error::new(ErrorKind::InvalidData, text.to_owned())),
        }
        output.flush()?;
    }
    Ok(())
}
