//! rejected: timeout
//! by: an_input_or_result_that_is_too_long_costs_its_caller_or_its_job
//!
//! Breaks `an_input_or_result_that_is_too_long_costs_its_caller_or_its_job`: "its caller's panic, and the pool goes on." The job has its
//! number before its input is checked, and `shutdown` waits for as many outcomes as there are numbers. It shows after a panic of `submit`
//! or `map` because of a long input that is caught: all jobs before and after it are done, and then `shutdown` never returns.

use std::io::{self, ErrorKind, Read, Write};
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use clerk::{Chunk, Clerk, Task};
use hands::{Letter, Processes};
use promise::{Promise, Slot};

/// The bytes of the longest input, and of the longest result.
pub const LONGEST: usize = 1024 * 1024;

/// A job on its way to a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The answer names it. No two jobs of a pool have the same.
    pub number: u64,
    /// What the work is to be done with.
    pub input: Vec<u8>,
}

/// What a worker says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It is initialised, and waits for jobs. A worker says this once, before everything else.
    Ready,
    /// It could not be initialised, and this is why. A worker says this instead of [`Ready`](Said::Ready), and then no more.
    Unable(String),
    /// The job of this number has this result, or has panicked with this text.
    Done(u64, Result<Vec<u8>, String>),
}

impl Job {
    /// Writes the job, and does not flush. Given.
    ///
    /// # Errors
    /// `InvalidInput` if the input is longer than [`LONGEST`]: nothing is written then. Else what the writer reports.
    pub fn send(&self, writer: &mut impl Write) -> io::Result<()> {
        send(writer, &self.number.to_be_bytes(), &self.input)
    }

    /// Reads a job. `None` if the stream ends where a job would begin. Given.
    ///
    /// # Errors
    /// `UnexpectedEof` if the stream ends within the job, `InvalidData` if that is no job. Else what the reader reports.
    pub fn receive(reader: &mut impl Read) -> io::Result<Option<Job>> {
        let Some(message) = receive(reader)? else { return Ok(None) };
        let (number, input) = message.split_first_chunk().ok_or(ErrorKind::InvalidData)?;
        Ok(Some(Job { number: u64::from_be_bytes(*number), input: input.to_vec() }))
    }
}

impl Said {
    /// Writes it, and does not flush. Given.
    ///
    /// # Errors
    /// `InvalidInput` if a result or a text is longer than [`LONGEST`]: nothing is written then. Else what the writer reports.
    pub fn send(&self, writer: &mut impl Write) -> io::Result<()> {
        match self {
            Said::Ready => send(writer, &[0], &[]),
            Said::Unable(why) => send(writer, &[1], why.as_bytes()),
            Said::Done(number, Ok(result)) => send(writer, &[&[2][..], &number.to_be_bytes()].concat(), result),
            Said::Done(number, Err(text)) => send(writer, &[&[3][..], &number.to_be_bytes()].concat(), text.as_bytes()),
        }
    }

    /// Reads what a worker says. `None` if the stream ends where something would begin. Given.
    ///
    /// # Errors
    /// `UnexpectedEof` if the stream ends within it, `InvalidData` if a worker says no such thing. Else what the reader reports.
    pub fn receive(reader: &mut impl Read) -> io::Result<Option<Said>> {
        let Some(message) = receive(reader)? else { return Ok(None) };
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        let said = match &message[..] {
            [0] => Some(Said::Ready),
            [1, why @ ..] => text(why).map(Said::Unable),
            [tag @ (2 | 3), rest @ ..] => rest.split_first_chunk().and_then(|(number, rest)| {
                let outcome = if *tag == 2 { Ok(rest.to_vec()) } else { Err(text(rest)?) };
                Some(Said::Done(u64::from_be_bytes(*number), outcome))
            }),
            _ => None,
        };
        Ok(Some(said.ok_or(ErrorKind::InvalidData)?))
    }
}

/// Writes one message in one piece. Given.
fn send(writer: &mut impl Write, head: &[u8], body: &[u8]) -> io::Result<()> {
    if body.len() > LONGEST {
        return Err(io::Error::new(ErrorKind::InvalidInput, format!("{} bytes are more than {LONGEST}", body.len())));
    }
    writer.write_all(&[&((head.len() + body.len()) as u32).to_be_bytes(), head, body].concat())
}

/// Reads one message. `None` if the stream ends before it. Given.
fn receive(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = Vec::new();
    if reader.take(4).read_to_end(&mut length)? == 0 {
        return Ok(None);
    }
    let length: [u8; 4] = length.try_into().map_err(|_| ErrorKind::UnexpectedEof)?;
    let length = u32::from_be_bytes(length) as usize;
    // The longest head is a tag and a number.
    if length > 9 + LONGEST {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length];
    reader.read_exact(&mut message)?;
    Ok(Some(message))
}

/// All that a worker process does: initialises itself, says that it is ready, and does one job after the other, with what the
/// initialiser made, until the input ends.
///
/// Each answer has left the writer's buffer before the next job is begun. A job that panics is answered with the panic's text, if
/// that is a `&str` or a `String`, and the worker goes on. If the initialiser fails or panics, the worker says why, and reads no job.
///
/// # Errors
/// - `Other`, with the initialiser's text, if that has failed or panicked.
/// - `InvalidInput` if a result is longer than [`LONGEST`].
/// - Whatever [`Job::receive`] and the writer report.
pub fn serve<S>(
    mut input: impl Read,
    mut output: impl Write,
    initialise: impl FnOnce() -> Result<S, String>,
    mut work: impl FnMut(&mut S, Vec<u8>) -> Vec<u8>,
) -> io::Result<()> {
    let mut say = |said: Said| -> io::Result<()> {
        said.send(&mut output)?;
        output.flush()
    };
    let made = worker::without_panic(initialise);
    let mut state = match made {
        Ok(Ok(state)) => state,
        Ok(Err(why)) | Err(why) => {
            say(Said::Unable(worker::beginning(&why)))?;
            return Err(io::Error::new(ErrorKind::Other, why));
        }
    };
    say(Said::Ready)?;
    std::iter::from_fn(|| Job::receive(&mut input).transpose()).try_for_each(|job| {
        let Job { number, input } = job?;
        let outcome = worker::without_panic(|| work(&mut state, input));
        say(Said::Done(number, outcome.map_err(|text| worker::beginning(&text))))
    })
}

mod worker {
    use super::LONGEST;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// What a closure makes, or the text with which it has panicked.
    pub(super) fn without_panic<T>(closure: impl FnOnce() -> T) -> Result<T, String> {
        let payload = match catch_unwind(AssertUnwindSafe(closure)) {
            Ok(made) => return Ok(made),
            Err(payload) => payload,
        };
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        if text.is_none() {
            // What this is nobody knows, nor whether its destructor panics.
            std::mem::forget(payload);
        }
        Err(text.unwrap_or_else(|| "panicked".to_owned()))
    }

    /// As much of the text as one may say.
    pub(super) fn beginning(text: &str) -> String {
        let mut end = text.len().min(LONGEST);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text[..end].to_owned()
    }
}

/// How a pool works.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How many workers there are at the same time.
    pub workers: NonZeroUsize,
    /// How many jobs a worker does before it has to end, and another one takes its place. `None`: there is no such number.
    pub jobs_each: Option<NonZeroUsize>,
    /// How long the pool waits for a worker: until it is ready, for each of its answers, and until it has ended. Whoever takes longer
    /// is killed. Anything from zero to [`Duration::MAX`].
    pub limit: Duration,
}

/// What becomes of a job: its result, or why there is none.
pub type Outcome = Result<Vec<u8>, Failure>;

/// Why a job has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It panicked with this text. Its worker goes on.
    Panicked(String),
    /// Its worker has ended, or said something that is no answer to it. How far the job came, nobody knows.
    Lost,
    /// It took longer than the limit, and its worker was killed.
    TimedOut,
    /// There is no worker, and this is why: the initialiser's text, or something else.
    NoWorker(String),
    /// The pool was dropped before.
    Dropped,
}

mod promise {
    use super::{Failure, Outcome};
    use std::sync::{Arc, Condvar, Mutex, PoisonError};

    /// The place of one outcome.
    #[derive(Default)]
    pub(super) struct Slot {
        outcome: Mutex<Option<Outcome>>,
        told: Condvar,
    }

    impl Slot {
        pub(super) fn wait(&self) -> Outcome {
            let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
            let told = self.told.wait_while(outcome, |outcome| outcome.is_none());
            told.unwrap_or_else(PoisonError::into_inner).take().unwrap_or(Err(Failure::Dropped))
        }

        fn tell(&self, outcome: Outcome) {
            *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
            self.told.notify_all();
        }
    }

    /// The right and the duty to tell one outcome.
    pub(super) struct Promise {
        slot: Option<Arc<Slot>>,
    }

    impl Promise {
        pub(super) fn new(slot: Arc<Slot>) -> Promise {
            Promise { slot: Some(slot) }
        }

        pub(super) fn tell(mut self, outcome: Outcome) {
            if let Some(slot) = self.slot.take() {
                slot.tell(outcome);
            }
        }
    }

    impl Drop for Promise {
        fn drop(&mut self) {
            if let Some(slot) = self.slot.take() {
                slot.tell(Err(Failure::Dropped));
            }
        }
    }
}

mod clerk {
    use super::promise::Promise;
    use super::{Failure, Job, Outcome, Said, Settings};
    use std::collections::{BTreeMap, VecDeque};
    use std::io;
    use std::num::NonZeroUsize;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    pub(super) struct Task {
        pub(super) job: Arc<Job>,
        pub(super) promise: Promise,
    }

    pub(super) type Chunk = VecDeque<Task>;

    /// What the clerk can have done with the process that has this number. None of it takes long.
    pub(super) trait Hands {
        /// Starts it.
        fn start(&mut self, id: u64) -> io::Result<()>;
        /// Has these jobs written to it.
        fn give(&mut self, id: u64, jobs: Vec<Arc<Job>>);
        /// Closes its input.
        fn close(&mut self, id: u64);
        /// Kills it, if it has not ended, and waits for it.
        fn kill(&mut self, id: u64);
        /// Whether it has ended. If so, it was waited for.
        fn has_ended(&mut self, id: u64) -> bool;
    }

    /// In case that workers hang before they are ready, so many more are started than there are chunks for.
    const MORE: usize = 15;

    /// How often one looks whether a process that was let go has ended.
    const PAUSE: Duration = Duration::from_millis(2);

    enum Stage {
        Starting,
        Free,
        /// This is what it has not answered.
        Busy(Chunk),
        /// Its input is closed.
        Leaving,
    }

    struct Worker {
        stage: Stage,
        /// How many jobs it may still do.
        left: usize,
        /// When it has to be ready, to have answered, or to have ended.
        deadline: Option<Instant>,
    }

    /// What a word means.
    enum Turn {
        Ready,
        Unfit(String),
        Answer(Result<Vec<u8>, String>),
        Late,
        Wrong,
    }

    pub(super) struct Clerk<H> {
        hands: H,
        settings: Settings,
        queue: VecDeque<Chunk>,
        workers: BTreeMap<u64, Worker>,
        hired: u64,
        /// How many were never ready, and why the last one was not.
        failed: usize,
        why: String,
        /// How many outcomes were told.
        told: u64,
        /// So many jobs there are, and there will be no more.
        total: Option<u64>,
        /// All workers are leaving for good.
        closed: bool,
    }

    impl<H: Hands> Clerk<H> {
        /// A clerk with one worker.
        pub(super) fn new(hands: H, settings: Settings) -> io::Result<Clerk<H>> {
            let mut clerk = Clerk {
                hands,
                settings,
                queue: VecDeque::new(),
                workers: BTreeMap::new(),
                hired: 0,
                failed: 0,
                why: String::new(),
                told: 0,
                total: None,
                closed: false,
            };
            clerk.hire()?;
            Ok(clerk)
        }

        /// More jobs have come.
        pub(super) fn jobs(&mut self, chunks: Vec<Chunk>) {
            self.queue.extend(chunks);
            self.manage();
        }

        /// So many have come altogether, and these were the last ones.
        pub(super) fn last(&mut self, total: u64) {
            self.total = Some(total);
            self.manage();
        }

        /// A worker has said something, which was here at that time. `None`: it has ended, closed its output, or talks rubbish.
        pub(super) fn word(&mut self, id: u64, at: Instant, said: Option<Said>) {
            let Some(worker) = self.workers.get_mut(&id) else { return };
            let late = worker.deadline.is_some_and(|deadline| at > deadline);
            let turn = match (&worker.stage, said) {
                // It is looked after until it has ended, whatever it says.
                (Stage::Leaving, _) => return,
                (_, _) if late => Turn::Late,
                (Stage::Starting, Some(Said::Ready)) => Turn::Ready,
                (Stage::Starting, Some(Said::Unable(why))) => Turn::Unfit(why),
                (Stage::Busy(chunk), Some(Said::Done(number, outcome))) if is_next(chunk, number) => {
                    Turn::Answer(outcome)
                }
                _ => Turn::Wrong,
            };
            match turn {
                Turn::Ready => {
                    worker.stage = Stage::Free;
                    worker.deadline = None;
                }
                Turn::Unfit(why) => self.lose(id, Failure::Lost, &why),
                Turn::Answer(outcome) => self.answer(id, outcome.map_err(Failure::Panicked)),
                Turn::Late => self.lose(id, Failure::TimedOut, "a worker was not ready soon enough"),
                Turn::Wrong => self.lose(id, Failure::Lost, "a worker was no worker any more before it was ready"),
            }
            self.manage();
        }

        /// Time has passed.
        pub(super) fn look(&mut self) {
            let now = Instant::now();
            let late = |worker: &Worker| worker.deadline.is_some_and(|deadline| deadline <= now);
            let mut those: Vec<u64> = Vec::new();
            for (&id, worker) in &self.workers {
                if late(worker) || matches!(worker.stage, Stage::Leaving) && self.hands.has_ended(id) {
                    those.push(id);
                }
            }
            for id in those {
                self.lose(id, Failure::TimedOut, "a worker was not ready soon enough");
            }
            self.manage();
        }

        /// When one has to look again, if nothing happens before.
        pub(super) fn next_look(&self) -> Option<Instant> {
            let leaving = self.workers.values().any(|worker| matches!(worker.stage, Stage::Leaving));
            let pause = leaving.then(|| Instant::now() + PAUSE);
            self.workers.values().filter_map(|worker| worker.deadline).chain(pause).min()
        }

        /// Whether there is nothing left to do, ever.
        pub(super) fn is_done(&self) -> bool {
            self.closed && self.workers.is_empty()
        }

        fn deadline(&self) -> Option<Instant> {
            Instant::now().checked_add(self.settings.limit)
        }

        fn tell(&mut self, task: Task, outcome: Outcome) {
            self.told += 1;
            task.promise.tell(outcome);
        }

        /// The next job of a worker has an outcome.
        fn answer(&mut self, id: u64, outcome: Outcome) {
            let deadline = self.deadline();
            let Some(worker) = self.workers.get_mut(&id) else { return };
            let Stage::Busy(chunk) = &mut worker.stage else { return };
            let Some(task) = chunk.pop_front() else { return };
            worker.left -= 1;
            worker.deadline = deadline;
            if chunk.is_empty() {
                if worker.left == 0 {
                    worker.stage = Stage::Leaving;
                    self.hands.close(id);
                } else {
                    worker.stage = Stage::Free;
                    worker.deadline = None;
                }
            }
            self.tell(task, outcome);
        }

        /// This is the end of a worker. It costs the job that it was to answer next, if there is one.
        fn lose(&mut self, id: u64, failure: Failure, why: &str) {
            self.hands.kill(id);
            let Some(worker) = self.workers.remove(&id) else { return };
            match worker.stage {
                Stage::Starting => {
                    self.failed += 1;
                    self.why = why.to_owned();
                }
                Stage::Busy(mut chunk) => {
                    if let Some(task) = chunk.pop_front() {
                        self.tell(task, Err(failure));
                    }
                    if !chunk.is_empty() {
                        self.queue.push_front(chunk);
                    }
                }
                Stage::Free | Stage::Leaving => {}
            }
        }

        fn hire(&mut self) -> io::Result<()> {
            let id = self.hired;
            self.hired += 1;
            self.hands.start(id)?;
            let left = self.settings.jobs_each.map_or(usize::MAX, NonZeroUsize::get);
            let deadline = self.deadline();
            self.workers.insert(id, Worker { stage: Stage::Starting, left, deadline });
            Ok(())
        }

        /// Does what can be done after something has changed. It has to be called after each change: whoever is ready is given work
        /// before one hears of its death. Else a program that ends as soon as it is ready would be started for ever.
        fn manage(&mut self) {
            self.distribute();
            self.recruit();
            if self.failed == self.settings.workers.get() {
                while let Some(chunk) = self.queue.pop_front() {
                    for task in chunk {
                        let why = self.why.clone();
                        self.tell(task, Err(Failure::NoWorker(why)));
                    }
                }
            }
            if self.total == Some(self.told) && !self.closed {
                self.closed = true;
                let deadline = self.deadline();
                for (&id, worker) in &mut self.workers {
                    if !matches!(worker.stage, Stage::Leaving) {
                        self.hands.close(id);
                        worker.stage = Stage::Leaving;
                        worker.deadline = deadline;
                    }
                }
            }
        }

        fn distribute(&mut self) {
            let deadline = self.deadline();
            for (&id, worker) in &mut self.workers {
                if !matches!(worker.stage, Stage::Free) {
                    continue;
                }
                let Some(mut chunk) = self.queue.pop_front() else { return };
                if chunk.len() > worker.left {
                    let rest = chunk.split_off(worker.left);
                    self.queue.push_front(rest);
                }
                self.hands.give(id, chunk.iter().map(|task| Arc::clone(&task.job)).collect());
                worker.stage = Stage::Busy(chunk);
                worker.deadline = deadline;
            }
        }

        fn recruit(&mut self) {
            while !self.queue.is_empty() && self.failed + self.workers.len() < self.settings.workers.get() {
                let starting = self.workers.values().filter(|worker| matches!(worker.stage, Stage::Starting)).count();
                if starting >= self.queue.len().saturating_add(MORE) {
                    return;
                }
                if let Err(error) = self.hire() {
                    self.failed += 1;
                    self.why = error.to_string();
                }
            }
        }
    }

    fn is_next(chunk: &Chunk, number: u64) -> bool {
        chunk.front().is_some_and(|task| task.job.number == number)
    }
}

mod hands {
    use super::clerk::{Chunk, Clerk, Hands};
    use super::{Job, Said};
    use std::collections::BTreeMap;
    use std::io::{self, BufReader, BufWriter, ErrorKind, Write};
    use std::process::{Child, ChildStdin, ChildStdout, Command};
    use std::sync::Arc;
    use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
    use std::thread::{self, JoinHandle};
    use std::time::Instant;

    /// What arrives at the clerk.
    pub(super) enum Letter {
        Jobs(Vec<Chunk>),
        Word(u64, Instant, Option<Said>),
        /// There were so many jobs, and there will be no more.
        Last(u64),
        /// The pool is dropped.
        Stop,
    }

    /// Brings all letters to the clerk, until the pool is done or dropped. The clerk's processes end with it.
    pub(super) fn deliver(mut clerk: Clerk<Processes>, letters: Receiver<Letter>) {
        while !clerk.is_done() {
            let first = match clerk.next_look() {
                Some(then) => letters.recv_timeout(then.saturating_duration_since(Instant::now())),
                None => letters.recv().map_err(RecvTimeoutError::from),
            };
            if matches!(first, Err(RecvTimeoutError::Disconnected)) {
                return;
            }
            // Whatever has come in time is read before anybody is too late.
            for letter in first.into_iter().chain(letters.try_iter()) {
                match letter {
                    Letter::Jobs(chunks) => clerk.jobs(chunks),
                    Letter::Word(id, at, said) => clerk.word(id, at, said),
                    Letter::Last(total) => clerk.last(total),
                    Letter::Stop => return,
                }
            }
            clerk.look();
        }
    }

    struct Process {
        child: Child,
        /// To the thread that writes. `None`: its input is closed when all is written.
        orders: Option<Sender<Vec<Arc<Job>>>>,
    }

    /// All processes that were not waited for, and two threads for each, one for each pipe.
    pub(super) struct Processes {
        command: Command,
        inbox: Sender<Letter>,
        alive: BTreeMap<u64, Process>,
        threads: Vec<JoinHandle<()>>,
    }

    impl Processes {
        pub(super) fn new(command: Command, inbox: Sender<Letter>) -> Processes {
            Processes { command, inbox, alive: BTreeMap::new(), threads: Vec::new() }
        }

        /// Starts the threads of a process.
        fn attach(&mut self, id: u64) -> io::Result<()> {
            let process = self.alive.get_mut(&id).ok_or(ErrorKind::NotFound)?;
            let stdin = process.child.stdin.take().ok_or(ErrorKind::BrokenPipe)?;
            let stdout = process.child.stdout.take().ok_or(ErrorKind::BrokenPipe)?;
            let (orders, chunks) = mpsc::channel();
            process.orders = Some(orders);
            self.threads.push(thread::Builder::new().spawn(move || write(stdin, chunks))?);
            let inbox = self.inbox.clone();
            self.threads.push(thread::Builder::new().spawn(move || read(stdout, id, inbox))?);
            Ok(())
        }
    }

    impl Hands for Processes {
        fn start(&mut self, id: u64) -> io::Result<()> {
            let mut index = 0;
            while index < self.threads.len() {
                if self.threads[index].is_finished() {
                    let _ = self.threads.swap_remove(index).join();
                } else {
                    index += 1;
                }
            }
            let child = self.command.spawn()?;
            self.alive.insert(id, Process { child, orders: None });
            let attached = self.attach(id);
            if attached.is_err() {
                self.kill(id);
            }
            attached
        }

        fn give(&mut self, id: u64, jobs: Vec<Arc<Job>>) {
            if let Some(Process { orders: Some(orders), .. }) = self.alive.get(&id) {
                let _ = orders.send(jobs);
            }
        }

        fn close(&mut self, id: u64) {
            if let Some(process) = self.alive.get_mut(&id) {
                process.orders = None;
            }
        }

        fn kill(&mut self, id: u64) {
            if let Some(mut process) = self.alive.remove(&id) {
                let _ = process.child.kill();
                let _ = process.child.wait();
            }
        }

        fn has_ended(&mut self, id: u64) -> bool {
            match self.alive.get_mut(&id) {
                Some(process) => !matches!(process.child.try_wait(), Ok(None)),
                None => true,
            }
        }
    }

    impl Drop for Processes {
        fn drop(&mut self) {
            for process in self.alive.values_mut() {
                let _ = process.child.kill();
            }
            for process in self.alive.values_mut() {
                let _ = process.child.wait();
            }
            self.alive.clear();
            for thread in self.threads.drain(..) {
                let _ = thread.join();
            }
        }
    }

    fn write(stdin: ChildStdin, chunks: Receiver<Vec<Arc<Job>>>) {
        let mut pipe = BufWriter::with_capacity(32 * 1024, stdin);
        for jobs in chunks {
            for job in &jobs {
                if job.send(&mut pipe).is_err() {
                    // Whatever that means, the reader will see it, or the clerk will lose patience.
                    return;
                }
            }
            if pipe.flush().is_err() {
                return;
            }
        }
    }

    fn read(stdout: ChildStdout, id: u64, inbox: Sender<Letter>) {
        let mut pipe = BufReader::new(stdout);
        while let Ok(Some(said)) = Said::receive(&mut pipe) {
            if inbox.send(Letter::Word(id, Instant::now(), Some(said))).is_err() {
                return;
            }
        }
        let _ = inbox.send(Letter::Word(id, Instant::now(), None));
    }
}

/// Processes that do jobs, one after the other. Threads share the pool by reference.
///
/// A job is begun once at most. A worker that ends, breaks the rules of [`Said`] or takes too long costs the job that it was to answer
/// next, and only that one: other jobs that it has not answered are given to other workers. What is left of it is killed and
/// waited for at once, also if it had no job. The next job that finds no worker free gets a new one, if there is room for one.
///
/// A worker that fails before it is ready is not replaced: the pool goes on with one less. If none is left, all jobs are told so.
///
/// No process outlives the pool, and none is a zombie. Dropping the pool kills its workers, also if they are busy.
pub struct Pool {
    /// How many jobs have a number, and the next one's number.
    numbers: AtomicU64,
    inbox: Sender<Letter>,
    /// `None` when it has ended.
    clerk: Option<JoinHandle<()>>,
}

impl Pool {
    /// Starts workers with this command, each with pipes as its standard input and output. They call [`serve`]. They need not be
    /// ready when this returns, and those that no job needs yet need not have been started.
    ///
    /// # Errors
    /// The operating system's, if the program can't be started. No process is left then.
    pub fn start(mut command: Command, settings: Settings) -> io::Result<Pool> {
        command.stdin(Stdio::piped());
        command.stdout(Stdio::piped());
        let (inbox, letters) = mpsc::channel();
        let clerk = Clerk::new(Processes::new(command, inbox.clone()), settings)?;
        let clerk = thread::Builder::new().spawn(move || hands::deliver(clerk, letters))?;
        Ok(Pool { numbers: AtomicU64::new(0), inbox, clerk: Some(clerk) })
    }

    /// Hands over one job, and goes on at once. Jobs are begun in the order in which they came.
    ///
    /// # Panics
    /// If the input is longer than [`LONGEST`].
    pub fn submit(&self, input: Vec<u8>) -> Handle {
        let (task, handle) = self.task(input);
        let _ = self.inbox.send(Letter::Jobs(vec![Chunk::from([task])]));
        handle
    }

    /// Hands over many jobs, waits until all of them have an outcome, and returns these in the order of the inputs.
    ///
    /// So many neighbours are a chunk (the last one may be shorter). A worker gets a whole chunk at once, or as much of it as it may
    /// still do: so neither has to wait for the other after each job. Large inputs and large results are no exception.
    ///
    /// # Panics
    /// If an input is longer than [`LONGEST`].
    pub fn map(&self, inputs: impl IntoIterator<Item = Vec<u8>>, chunk: NonZeroUsize) -> Vec<Outcome> {
        let inputs: Vec<Vec<u8>> = inputs.into_iter().collect();
        let mut handles = Vec::with_capacity(inputs.len());
        let mut chunks: Vec<Chunk> = Vec::new();
        for (index, input) in inputs.into_iter().enumerate() {
            let (task, handle) = self.task(input);
            handles.push(handle);
            if index % chunk.get() == 0 {
                chunks.push(Chunk::new());
            }
            if let Some(last) = chunks.last_mut() {
                last.push_back(task);
            }
        }
        let _ = self.inbox.send(Letter::Jobs(chunks));
        handles.into_iter().map(Handle::wait).collect()
    }

    /// Gives a job its number. From then on it has to be handed over, or `shutdown` waits for it in vain.
    fn task(&self, input: Vec<u8>) -> (Task, Handle) {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        check(&input);
        let slot = Arc::new(Slot::default());
        let task = Task { job: Arc::new(Job { number, input }), promise: Promise::new(Arc::clone(&slot)) };
        (task, Handle { slot })
    }

    /// Waits until all jobs have an outcome, lets the workers end by closing their inputs, and waits for them.
    pub fn shutdown(mut self) {
        let total = self.numbers.load(Ordering::Relaxed);
        self.end(Letter::Last(total));
    }

    /// Sends the last letter, and waits until the clerk has done what it says.
    fn end(&mut self, letter: Letter) {
        if let Some(clerk) = self.clerk.take() {
            let _ = self.inbox.send(letter);
            let _ = clerk.join();
        }
    }
}

/// Panics if an input is too long.
fn check(input: &[u8]) {
    assert!(input.len() <= LONGEST, "{} bytes are more than an input may have", input.len());
}

impl Drop for Pool {
    /// Kills the workers, and waits until they are gone.
    fn drop(&mut self) {
        self.end(Letter::Stop);
    }
}

/// What will become of a job that was submitted. Dropping it changes nothing for the job.
pub struct Handle {
    slot: Arc<Slot>,
}

impl Handle {
    /// Waits for the job's outcome.
    pub fn wait(self) -> Outcome {
        self.slot.wait()
    }
}
