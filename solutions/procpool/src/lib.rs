//! A pool of worker processes.
//!
//! A process shares nothing, so everything that it shall work on has to travel, and all results have to travel back. In return it may
//! panic, crash, hang or be killed, and the pool goes on.
//!
//! One thread, the **clerk**, decides everything: who gets which job, who has failed, who is to be killed. It owns the workers and the
//! jobs, so there is no lock. It never waits for a worker, but for its inbox alone. Each worker has two threads that only wait: the
//! *feeder* for a full pipe, the *listener* for an empty one.
//!
//! Jobs travel to a worker on its standard input, and what it says comes back on its standard output. Each message is its length in
//! 4 bytes, the highest first, and then so many bytes. [`Job`] and [`Said`] are the messages; how they become bytes is given.

use std::any::Any;
use std::collections::VecDeque;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::mem;
use std::num::NonZeroUsize;
use std::ops::RangeFrom;
use std::panic::{self, AssertUnwindSafe};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

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
    let mut say = |said: Said| said.send(&mut output).and_then(|()| output.flush());
    // Failed or panicked, the pool has to hear of it. If the process just ended, it would be one more that ended for no known reason.
    let initialised = panic::catch_unwind(AssertUnwindSafe(initialise)).unwrap_or_else(|payload| Err(text_of(payload)));
    let mut state = match initialised {
        Ok(state) => state,
        Err(why) => {
            say(Said::Unable(why.clone()))?;
            return Err(io::Error::other(why));
        }
    };
    say(Said::Ready)?;
    while let Some(Job { number, input }) = Job::receive(&mut input)? {
        let result = panic::catch_unwind(AssertUnwindSafe(|| work(&mut state, input)));
        // Out, before the next one is begun. From the answers that have arrived, the pool knows at which job a worker has died.
        say(Said::Done(number, result.map_err(text_of)))?;
    }
    Ok(())
}

/// What a panic said. `panic!` makes a `&str` or a `String`; other payloads are rare.
fn text_of(payload: Box<dyn Any + Send>) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a text".to_owned())
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
    inbox: Sender<Event>,
    clerk: Option<JoinHandle<()>>,
}

impl Pool {
    /// Starts workers with this command, each with pipes as its standard input and output. They call [`serve`]. They need not be
    /// ready when this returns, and those that no job needs yet need not have been started.
    ///
    /// # Errors
    /// The operating system's, if the program can't be started. No process is left then.
    pub fn start(mut command: Command, settings: Settings) -> io::Result<Pool> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let (inbox, events) = channel();
        let mut clerk = Clerk {
            command,
            settings,
            room: settings.workers.get(),
            why: String::new(),
            inbox: inbox.clone(),
            chunks: VecDeque::new(),
            workers: Vec::new(),
            numbers: 0..,
            closing: false,
        };
        // Here, and not by the clerk: a program that does not exist is the caller's mistake, and no fate of a job. If it is the third that
        // can't be started, the clerk is dropped with the first two.
        for _ in 0..settings.workers.get() {
            clerk.hire()?;
        }
        let clerk = thread::spawn(move || clerk.run(events));
        Ok(Pool { inbox, clerk: Some(clerk) })
    }

    /// Hands over one job, and goes on at once. Jobs are begun in the order in which they came.
    ///
    /// # Panics
    /// If the input is longer than [`LONGEST`].
    pub fn submit(&self, input: Vec<u8>) -> Handle {
        let (reply, outcome) = channel();
        self.tell(Event::Chunk(VecDeque::from([Task::new(0, input, &reply)])));
        Handle { outcome }
    }

    /// Hands over many jobs, waits until all of them have an outcome, and returns these in the order of the inputs.
    ///
    /// So many neighbours are a chunk (the last one may be shorter). A worker gets a whole chunk at once, or as much of it as it may
    /// still do: so neither has to wait for the other after each job. Large inputs and large results are no exception.
    ///
    /// # Panics
    /// If an input is longer than [`LONGEST`].
    pub fn map(&self, inputs: impl IntoIterator<Item = Vec<u8>>, chunk: NonZeroUsize) -> Vec<Outcome> {
        let (reply, outcomes) = channel();
        // An outcome carries its place, since whoever is done first need not be the first.
        let mut tasks = inputs.into_iter().enumerate().map(|(place, input)| Task::new(place, input, &reply));
        let mut results = Vec::new();
        loop {
            let chunk: VecDeque<Task> = tasks.by_ref().take(chunk.get()).collect();
            if chunk.is_empty() {
                break;
            }
            results.resize(results.len() + chunk.len(), Err(Failure::Dropped));
            self.tell(Event::Chunk(chunk));
        }
        // The tasks have clones of it. The last one that is answered ends the loop.
        drop(reply);
        for (place, outcome) in outcomes {
            results[place] = outcome;
        }
        results
    }

    /// Waits until all jobs have an outcome, lets the workers end by closing their inputs, and waits for them.
    pub fn shutdown(mut self) {
        self.end(Event::Close);
    }

    fn tell(&self, event: Event) {
        // It fails if there is no clerk any more. Then the tasks are dropped here, as they would have been there.
        let _ = self.inbox.send(event);
    }

    fn end(&mut self, how: Event) {
        self.tell(how);
        if let Some(clerk) = self.clerk.take() {
            let _ = clerk.join();
        }
    }
}

impl Drop for Pool {
    /// Kills the workers, and waits until they are gone. After a shutdown there are none.
    fn drop(&mut self) {
        self.end(Event::Drop);
    }
}

/// What will become of a job that was submitted. Dropping it changes nothing for the job.
pub struct Handle {
    outcome: Receiver<(usize, Outcome)>,
}

impl Handle {
    /// Waits for the job's outcome.
    pub fn wait(self) -> Outcome {
        // Nobody has the other end any more: whoever had the job was dropped with it.
        self.outcome.recv().map_or(Err(Failure::Dropped), |(_, outcome)| outcome)
    }
}

/// A job that waits for its outcome. There is one way to answer it, and that uses it up: so no result comes twice.
struct Task {
    place: usize,
    input: Vec<u8>,
    reply: Sender<(usize, Outcome)>,
}

impl Task {
    fn new(place: usize, input: Vec<u8>, reply: &Sender<(usize, Outcome)>) -> Task {
        assert!(input.len() <= LONGEST, "an input of {} bytes is longer than {LONGEST}", input.len());
        Task { place, input, reply: reply.clone() }
    }

    fn answer(self, outcome: Outcome) {
        // Whoever asked may not wait any more.
        let _ = self.reply.send((self.place, outcome));
    }
}

/// What the clerk is told.
enum Event {
    /// By a caller: these are to be done, by one worker if possible.
    Chunk(VecDeque<Task>),
    /// By a listener: the worker of this number says something.
    Said(u64, Said),
    /// By a listener: the worker of this number will never again say anything that could be understood.
    Silent(u64),
    /// By the owner: no more chunks will come.
    Close,
    /// By the owner: never mind the rest.
    Drop,
}

/// Who decides.
struct Clerk {
    command: Command,
    settings: Settings,
    /// How many workers there may be: one less after each that failed before it was ready.
    room: usize,
    /// Why the last of these failed.
    why: String,
    /// For new listeners.
    inbox: Sender<Event>,
    chunks: VecDeque<VecDeque<Task>>,
    workers: Vec<Worker>,
    /// For workers and for jobs. None is used twice, so an answer can't be taken for that of another job.
    numbers: RangeFrom<u64>,
    closing: bool,
}

impl Clerk {
    fn run(mut self, events: Receiver<Event>) {
        loop {
            self.hand_out();
            if self.closing && self.workers.is_empty() {
                return;
            }
            match self.next(&events) {
                Some(Event::Chunk(chunk)) => self.chunks.push_back(chunk),
                Some(Event::Said(number, said)) => self.hear(number, said),
                Some(Event::Silent(number)) => self.bury(number),
                Some(Event::Close) => self.closing = true,
                // Workers and tasks are dropped with the clerk. The first are killed, the others answered.
                Some(Event::Drop) => return,
                None => self.kill_who_is_late(),
            }
        }
    }

    /// What happens next. `None` if a limit is up before anything happens: whoever has answered in time is not late, even if the
    /// clerk is.
    fn next(&self, events: &Receiver<Event>) -> Option<Event> {
        let Some(first) = self.workers.iter().filter_map(|worker| worker.deadline).min() else {
            return Some(events.recv().expect("the clerk has a sender of its own"));
        };
        match events.recv_timeout(first.saturating_duration_since(Instant::now())) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => unreachable!("the clerk has a sender of its own"),
        }
    }

    /// Gives chunks to workers, for as long as there are both.
    fn hand_out(&mut self) {
        while !self.chunks.is_empty() {
            if let Some(worker) = self.workers.iter().position(Worker::is_free) {
                self.give(worker);
            } else if self.workers.len() < self.room {
                // Not before a job needs one: else a program that ends as soon as it is ready would be started again and again.
                if let Err(error) = self.hire() {
                    self.room -= 1;
                    self.why = error.to_string();
                }
            } else if self.room == 0 {
                let hopeless = self.chunks.drain(..).flatten();
                hopeless.for_each(|task| task.answer(Err(Failure::NoWorker(self.why.clone()))));
            } else {
                break;
            }
        }
        let closing = self.closing && self.chunks.is_empty();
        let deadline = self.deadline();
        for worker in &mut self.workers {
            if worker.doing.is_empty() && (closing || worker.left == 0) && worker.feeder.take().is_some() {
                worker.deadline = deadline;
            }
        }
    }

    /// Starts a worker.
    fn hire(&mut self) -> io::Result<()> {
        let number = self.numbers.next().expect("64 bits are enough");
        let mut worker = Worker::start(number, &mut self.command, self.inbox.clone())?;
        worker.left = self.settings.jobs_each.map_or(usize::MAX, NonZeroUsize::get);
        worker.deadline = self.deadline();
        self.workers.push(worker);
        Ok(())
    }

    /// Gives the next chunk to a worker, or as much of it as that may still do.
    fn give(&mut self, worker: usize) {
        let deadline = self.deadline();
        let worker = &mut self.workers[worker];
        let chunk = self.chunks.front_mut().expect("there is a chunk to give");
        let mut jobs = Vec::new();
        for task in chunk.drain(..chunk.len().min(worker.left)) {
            let number = self.numbers.next().expect("64 bits are enough");
            // A copy: if the worker dies before it begins this one, somebody else will need the input.
            jobs.push(Job { number, input: task.input.clone() });
            worker.doing.push_back((number, task));
        }
        if chunk.is_empty() {
            self.chunks.pop_front();
        }
        worker.left -= jobs.len();
        worker.deadline = deadline;
        let feeder = worker.feeder.as_ref().expect("who is free has a feeder");
        // If the feeder has ended, the worker doesn't read any more. The listener hears of that, or the limit will be up.
        let _ = feeder.send(jobs);
    }

    fn hear(&mut self, number: u64, said: Said) {
        let deadline = self.deadline();
        // Not one that was told to end, or was killed: what it said before that may still be on its way.
        let mut workers = self.workers.iter_mut();
        let Some(worker) = workers.find(|worker| worker.number == number && worker.feeder.is_some()) else { return };
        match said {
            Said::Ready if !worker.ready => worker.ready = true,
            Said::Unable(why) if !worker.ready => return worker.kill(Failure::NoWorker(why)),
            Said::Done(number, outcome) if worker.doing.front().is_some_and(|(first, _)| *first == number) => {
                let (_, task) = worker.doing.pop_front().expect("it has just been looked at");
                task.answer(outcome.map_err(Failure::Panicked));
            }
            // Whoever says the wrong thing once can't be believed the next time.
            _ => return worker.kill(Failure::Lost),
        }
        worker.deadline = if worker.doing.is_empty() { None } else { deadline };
    }

    /// A worker says nothing more. It may even be alive, but it is of no use.
    fn bury(&mut self, number: u64) {
        let place = self.workers.iter().position(|worker| worker.number == number);
        let mut worker = self.workers.swap_remove(place.expect("it is buried once"));
        let (mut doing, ready, fate) = (mem::take(&mut worker.doing), worker.ready, worker.fate.clone());
        // Killed and waited for, before anybody is told.
        drop(worker);
        if !ready {
            // Not tried again: whatever keeps one worker from being ready will keep the next one, too, and so on without end.
            self.room -= 1;
            self.why = match fate {
                Failure::NoWorker(why) => why,
                Failure::TimedOut => "a worker was not ready in time".to_owned(),
                _ => "a worker ended before it was ready".to_owned(),
            };
        } else if let Some((_, task)) = doing.pop_front() {
            task.answer(Err(fate));
            if !doing.is_empty() {
                // These were not begun: the answer to the one before them never left the worker.
                self.chunks.push_front(doing.into_iter().map(|(_, task)| task).collect());
            }
        }
    }

    fn kill_who_is_late(&mut self) {
        let now = Instant::now();
        for worker in &mut self.workers {
            if worker.deadline.is_some_and(|deadline| deadline <= now) {
                worker.kill(Failure::TimedOut);
            }
        }
    }

    /// When the limit is up that begins now. `None`: later than the clock can say.
    fn deadline(&self) -> Option<Instant> {
        Instant::now().checked_add(self.settings.limit)
    }
}

/// A process, and who waits for its pipes.
struct Worker {
    number: u64,
    child: Child,
    /// Takes jobs. `None` if there shall be no more: then the process' input is closed, which asks it to end.
    feeder: Option<Sender<Vec<Job>>>,
    threads: Vec<JoinHandle<()>>,
    ready: bool,
    /// How many jobs it may still be given.
    left: usize,
    /// What it has been given and has not answered, in order. If it ends, the first of these is lost, and none of the others is begun.
    doing: VecDeque<(u64, Task)>,
    /// When it is late, if the clerk waits for it.
    deadline: Option<Instant>,
    /// What becomes of its job if it ends.
    fate: Failure,
}

impl Worker {
    fn start(number: u64, command: &mut Command, inbox: Sender<Event>) -> io::Result<Worker> {
        let mut child = command.spawn()?;
        let (stdin, stdout) = (child.stdin.take().expect(PIPED), child.stdout.take().expect(PIPED));
        let (feeder, meals) = channel();
        // A pipe holds some 64 KiB. A worker reads no more of a large chunk while it is busy with its first job, so whoever writes
        // has to wait. That must not be the clerk.
        let feed = move || feed(meals, BufWriter::new(stdin));
        let listen = move || {
            let mut stdout = BufReader::new(stdout);
            // The end, half a message, rubbish: after any of them there is nothing to understand any more.
            while let Ok(Some(said)) = Said::receive(&mut stdout) {
                let _ = inbox.send(Event::Said(number, said));
            }
            let _ = inbox.send(Event::Silent(number));
        };
        Ok(Worker {
            number,
            child,
            feeder: Some(feeder),
            threads: vec![thread::spawn(feed), thread::spawn(listen)],
            ready: false,
            left: usize::MAX,
            doing: VecDeque::new(),
            deadline: None,
            fate: Failure::Lost,
        })
    }

    fn is_free(&self) -> bool {
        self.ready && self.feeder.is_some() && self.doing.is_empty() && self.left > 0
    }

    /// Ends the process. It is buried when the listener hears of it.
    fn kill(&mut self, fate: Failure) {
        self.feeder = None;
        self.deadline = None;
        self.fate = fate;
        let _ = self.child.kill();
    }
}

impl Drop for Worker {
    /// Here, so that no worker is forgotten, however its clerk ends.
    fn drop(&mut self) {
        self.feeder = None;
        let _ = self.child.kill();
        // Killed is not gone: until somebody waits for it, it is a zombie.
        let _ = self.child.wait();
        // Both pipes are broken now.
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

/// Writes jobs to a worker, until there are no more or it takes no more. Then its input is closed.
fn feed(meals: Receiver<Vec<Job>>, mut stdin: impl Write) {
    for jobs in meals {
        // Flushed once for a chunk: that is what makes it cheap.
        if jobs.iter().try_for_each(|job| job.send(&mut stdin)).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

/// `Child` has a pipe for each stream that was asked for as one.
const PIPED: &str = "the process was started with this stream as a pipe";
