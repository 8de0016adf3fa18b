//! rejected: assertion
//! by: a_worker_process_that_has_gone_is_an_error_or_not_needed
//!
//! Breaks `a_worker_process_that_has_gone_is_an_error_or_not_needed` (and sums become wrong): a part that could not be written to a process
//! that has gone is given back for the others. Shows when all others have left by then, since nothing was to be done: three processes, two
//! of which have answered their parts before the third finds that its process hears nothing. The result is one too short.

use std::any::Any;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::thread;

use rayon::prelude::*;

/// Works on one item after the other, on the caller's thread, and returns the results in the items' order.
///
/// This is what all other ways are compared with.
pub fn one_by_one<T, R>(items: &[T], work: impl Fn(&T) -> R) -> Vec<R> {
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        results.push(work(item));
    }
    results
}

/// Cuts a range into parts: without gaps, in order, none of them empty, and none longer than another by more than 1.
///
/// There are as many as asked for, or fewer if the range has not so many numbers. An empty range has no parts.
pub fn split(range: Range<u64>, parts: NonZeroUsize) -> Vec<Range<u64>> {
    let mut parts = parts.get() as u64;
    let mut rest = range;
    let mut cut = Vec::new();
    // Each takes its fair share of what those before it have left.
    while rest.start < rest.end {
        let length = (rest.end - rest.start).div_ceil(parts);
        let end = rest.start + length;
        cut.push(rest.start..end);
        rest.start = end;
        parts -= 1;
    }
    cut
}

/// What the first panic had to say.
#[derive(Default)]
struct Trouble(Mutex<Option<Box<dyn Any + Send>>>);

impl Trouble {
    fn guard(&self, job: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(job)) {
            let mut first = self.0.lock().unwrap();
            if first.is_none() {
                *first = Some(payload);
            }
        }
    }

    fn out(self) {
        if let Some(payload) = self.0.into_inner().unwrap() {
            resume_unwind(payload);
        }
    }
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
    let mut slots: Vec<Option<R>> = items.iter().map(|_| None).collect();
    let trouble = Trouble::default();
    thread::scope(|scope| {
        let mut rest = (items, &mut slots[..]);
        for left in (1..=workers.get().min(items.len())).rev() {
            let (items, slots) = rest;
            let length = items.len().div_ceil(left);
            let (chunk, items) = items.split_at(length);
            let (places, slots) = slots.split_at_mut(length);
            rest = (items, slots);
            let (work, trouble) = (&work, &trouble);
            let job = move || {
                trouble.guard(|| {
                    for (item, place) in chunk.iter().zip(places) {
                        *place = Some(work(item));
                    }
                });
            };
            // The last chunk is the caller's.
            if left == 1 {
                job();
            } else {
                scope.spawn(job);
            }
        }
    });
    trouble.out();
    slots.into_iter().map(|slot| slot.expect("its worker has done it")).collect()
}

/// Like [`in_chunks`], but no worker has a share of its own: whoever is free takes the next item. However long one item
/// takes, the others don't wait for it.
///
/// # Panics
/// As in [`in_chunks`].
pub fn balanced<T: Sync, R: Send>(items: &[T], workers: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let slots: Mutex<Vec<Option<R>>> = Mutex::new(items.iter().map(|_| None).collect());
    let queue = Mutex::new(items.iter().enumerate());
    let trouble = Trouble::default();
    let turns = || {
        trouble.guard(|| {
            loop {
                let Some((place, item)) = queue.lock().unwrap().next() else { return };
                let result = work(item);
                slots.lock().unwrap()[place] = Some(result);
            }
        });
    };
    thread::scope(|scope| {
        for _ in 1..workers.get().min(items.len()) {
            scope.spawn(turns);
        }
        turns();
    });
    trouble.out();
    let slots = slots.into_inner().unwrap();
    slots.into_iter().map(|slot| slot.expect("somebody has done it")).collect()
}

/// Like [`balanced`], on as many threads of rayon.
///
/// # Panics
/// As in [`in_chunks`].
pub fn with_rayon<T: Sync, R: Send>(items: &[T], workers: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    // No more threads than items, but at least one: 0 would be as many as rayon likes.
    let threads = workers.get().min(items.len()).max(1);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.unwrap_or_else(|error| panic!("no room for {threads} threads: {error}"));
    let mut results = Vec::new();
    pool.install(|| items.par_iter().map(|item| work(item)).with_max_len(1).collect_into_vec(&mut results));
    results
}

/// A process, killed and waited for when it goes.
struct Hired {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Hired {
    fn start(mut command: Command) -> io::Result<Hired> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        Ok(Hired { child, input, output })
    }

    fn ask(&mut self, part: &Range<u64>) -> io::Result<u64> {
        let input = self.input.as_mut().expect("it is piped");
        input.write_all(format!("{} {}\n", part.start, part.end).as_bytes())?;
        let mut line = String::new();
        // Longer than any number.
        if (&mut self.output).take(500).read_line(&mut line)? < 500 && !line.ends_with('\n') {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        line.trim().parse().map_err(|_| ErrorKind::InvalidData.into())
    }

    /// There is nothing more to do for it.
    fn dismiss(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
}

impl Drop for Hired {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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
    let mut hired = Vec::new();
    while hired.len() < workers.get().min(parts.len()) {
        hired.push(Hired::start(worker())?);
    }
    let results: Mutex<Vec<Option<u64>>> = Mutex::new(vec![None; parts.len()]);
    let queue = Mutex::new(parts.iter().enumerate());
    let failure: Mutex<Option<io::Error>> = Mutex::new(None);
    let given_back = Mutex::new(Vec::new());
    // So many processes can still be asked, or have done all that there was.
    let good = Mutex::new(hired.len());
    thread::scope(|scope| {
        for mut process in hired {
            let (results, queue, failure) = (&results, &queue, &failure);
            let (given_back, good) = (&given_back, &good);
            scope.spawn(move || {
                while failure.lock().unwrap().is_none() {
                    let again = given_back.lock().unwrap().pop();
                    let next = again.or_else(|| queue.lock().unwrap().next());
                    let Some((place, part)) = next else { return process.dismiss() };
                    match process.ask(part) {
                        Ok(result) => results.lock().unwrap()[place] = Some(result),
                        Err(error) if error.kind() == ErrorKind::BrokenPipe && *good.lock().unwrap() > 1 => {
                            // It has not heard of this part. Somebody else does it.
                            *good.lock().unwrap() -= 1;
                            given_back.lock().unwrap().push((place, part));
                            return;
                        }
                        Err(error) => {
                            let mut failure = failure.lock().unwrap();
                            if failure.is_none() {
                                *failure = Some(error);
                            }
                        }
                    }
                }
            });
        }
    });
    if let Some(error) = failure.into_inner().unwrap() {
        return Err(error);
    }
    let results = results.into_inner().unwrap();
    Ok(results.into_iter().flatten().collect())
}

/// What a worker process does: reads the parts, one in a line, and answers each with the result of the work, one in a line.
///
/// `1 101` asks for the part `1..101`, and 5050 is a good answer to it. An answer has left the writer's buffer before the
/// next part is read. Returns at the end of the input.
///
/// # Errors
/// - `InvalidData` if a line isn't a part. The parts before it are answered, those behind it are not.
/// - Whatever the reader or the writer reports.
pub fn serve(input: impl BufRead, output: impl Write, work: impl Fn(Range<u64>) -> u64) -> io::Result<()> {
    let mut output = output;
    for line in input.lines() {
        let line = line?;
        let numbers: Option<Vec<u64>> = line.split_whitespace().map(|word| word.parse().ok()).collect();
        let Some([start, end]) = numbers.as_deref() else {
            return Err(io::Error::new(ErrorKind::InvalidData, format!("{line:?} is no part")));
        };
        writeln!(output, "{}", work(*start..*end))?;
        output.flush()?;
    }
    Ok(())
}
