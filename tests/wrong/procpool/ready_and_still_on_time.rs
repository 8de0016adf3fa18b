//! rejected: assertion
//! by: a_worker_that_takes_too_long_is_killed_and_replaced
//!
//! Breaks "A worker without a job has no limit": a worker becomes ready and has nothing to do for longer than the limit, counted from its
//! start: it is killed, and the next job needs a new process. After its first job it is left alone. The deadline for being ready is not
//! cleared when the worker is ready; only a job's is.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::mem;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc;
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

// ------------------------------------------------------------------------------------------------------- the worker

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
    let initialised = panic::catch_unwind(AssertUnwindSafe(initialise)).unwrap_or_else(|payload| Err(text_of(payload)));
    let mut state = match initialised {
        Ok(state) => state,
        Err(why) => {
            // Whether or not anybody hears it, this is why we end.
            let _ = say(&mut output, &Said::Unable(shortened(why.clone())));
            return Err(io::Error::other(why));
        }
    };
    say(&mut output, &Said::Ready)?;
    while let Some(Job { number, input: what }) = Job::receive(&mut input)? {
        let done = panic::catch_unwind(AssertUnwindSafe(|| work(&mut state, what)));
        let done = done.map_err(|payload| shortened(text_of(payload)));
        say(&mut output, &Said::Done(number, done))?;
    }
    Ok(())
}

fn say(output: &mut impl Write, said: &Said) -> io::Result<()> {
    said.send(output)?;
    output.flush()
}

/// What somebody panicked with.
fn text_of(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => match payload.downcast_ref::<&str>() {
            Some(text) => (*text).to_owned(),
            None => "a panic without a text".to_owned(),
        },
    }
}

/// As much of a text as a message can have.
fn shortened(mut text: String) -> String {
    if text.len() > LONGEST {
        let mut end = LONGEST;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    text
}

// --------------------------------------------------------------------------------------------------------- the pool

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
    mail: mpsc::Sender<Mail>,
    /// Taken when it has ended.
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
        let (mail, inbox) = mpsc::channel();
        let mut clerk = Clerk {
            command,
            settings,
            mail: mail.clone(),
            inbox,
            queue: VecDeque::new(),
            workers: BTreeMap::new(),
            places: settings.workers.get(),
            why: String::new(),
            next_worker: 0,
            next_job: 0,
            closing: false,
        };
        // The first one shows whether the program can be started at all.
        clerk.hire()?;
        let clerk = thread::spawn(move || clerk.run());
        Ok(Pool { mail, clerk: Some(clerk) })
    }

    /// Hands over one job, and goes on at once. Jobs are begun in the order in which they came.
    ///
    /// # Panics
    /// If the input is longer than [`LONGEST`].
    pub fn submit(&self, input: Vec<u8>) -> Handle {
        check(&input);
        let (to, outcome) = mpsc::channel();
        self.tell(Mail::New(vec![(input, Reply { place: 0, to })]));
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
        let inputs: Vec<Vec<u8>> = inputs.into_iter().inspect(|input| check(input)).collect();
        let mut outcomes = vec![Err(Failure::Dropped); inputs.len()];
        let (to, told) = mpsc::channel();
        let mut piece = Vec::new();
        for (place, input) in inputs.into_iter().enumerate() {
            piece.push((input, Reply { place, to: to.clone() }));
            if piece.len() == chunk.get() {
                self.tell(Mail::New(mem::take(&mut piece)));
            }
        }
        if !piece.is_empty() {
            self.tell(Mail::New(piece));
        }
        drop(to);
        // This ends when each of the replies is gone.
        for (place, outcome) in told {
            outcomes[place] = outcome;
        }
        outcomes
    }

    /// Waits until all jobs have an outcome, lets the workers end by closing their inputs, and waits for them.
    pub fn shutdown(mut self) {
        self.end(Mail::Shutdown);
    }

    fn tell(&self, mail: Mail) {
        // The clerk is there as long as the pool is.
        let _ = self.mail.send(mail);
    }

    fn end(&mut self, mail: Mail) {
        if let Some(clerk) = self.clerk.take() {
            self.tell(mail);
            let _ = clerk.join();
        }
    }
}

impl Drop for Pool {
    /// Kills the workers, and waits until they are gone.
    fn drop(&mut self) {
        self.end(Mail::Drop);
    }
}

fn check(input: &[u8]) {
    assert!(input.len() <= LONGEST, "an input of {} bytes is longer than {LONGEST}", input.len());
}

/// What will become of a job that was submitted. Dropping it changes nothing for the job.
pub struct Handle {
    outcome: mpsc::Receiver<(usize, Outcome)>,
}

impl Handle {
    /// Waits for the job's outcome.
    pub fn wait(self) -> Outcome {
        self.outcome.recv().map_or(Err(Failure::Dropped), |(_, outcome)| outcome)
    }
}

/// Who wants to know what becomes of a job. If it is dropped, the job was.
struct Reply {
    place: usize,
    to: mpsc::Sender<(usize, Outcome)>,
}

impl Reply {
    fn tell(self, outcome: Outcome) {
        let _ = self.to.send((self.place, outcome));
    }
}

struct Task {
    job: Arc<Job>,
    reply: Reply,
}

/// What the clerk gets.
enum Mail {
    New(Vec<(Vec<u8>, Reply)>),
    /// What a worker said, and when.
    Heard(u64, Instant, io::Result<Option<Said>>),
    Shutdown,
    Drop,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Starting,
    Serving,
    /// It has all that it will get. Has it said that it is ready?
    Ending {
        ready: bool,
    },
}

struct Worker {
    child: Child,
    /// Taken when its input is to be closed.
    orders: Option<mpsc::Sender<Vec<Arc<Job>>>>,
    threads: Vec<JoinHandle<()>>,
    stage: Stage,
    /// What it has not answered.
    to_do: VecDeque<Task>,
    /// How many more it may be given.
    may_do: Option<usize>,
    /// When it is too late for whatever it is to say or do next.
    deadline: Option<Instant>,
    /// When to look whether it has ended, and how long to wait until the next look.
    look: Instant,
    pause: Duration,
}

impl Worker {
    fn end(&mut self, deadline: Option<Instant>) {
        self.orders = None;
        self.stage = Stage::Ending { ready: self.stage == Stage::Serving };
        self.deadline = deadline;
        self.look = Instant::now();
        self.pause = Duration::from_millis(1);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.orders = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Writes what the worker gets, chunk by chunk. Its end closes the worker's input.
fn write_orders(input: ChildStdin, orders: mpsc::Receiver<Vec<Arc<Job>>>) {
    let mut input = BufWriter::new(input);
    for chunk in orders {
        let written = chunk.iter().try_for_each(|job| job.send(&mut input)).and_then(|()| input.flush());
        if written.is_err() {
            // Whoever does not read any more will not answer either.
            return;
        }
    }
}

/// Reads what the worker says, up to its end, or to the first thing that makes no sense.
fn read_answers(worker: u64, output: ChildStdout, mail: mpsc::Sender<Mail>) {
    let mut output = BufReader::new(output);
    loop {
        let said = Said::receive(&mut output);
        let more = matches!(said, Ok(Some(_)));
        if mail.send(Mail::Heard(worker, Instant::now(), said)).is_err() || !more {
            return;
        }
    }
}

struct Clerk {
    command: Command,
    settings: Settings,
    mail: mpsc::Sender<Mail>,
    inbox: mpsc::Receiver<Mail>,
    /// Chunks that nobody has.
    queue: VecDeque<VecDeque<Task>>,
    workers: BTreeMap<u64, Worker>,
    /// How many workers there may be. Each that was never ready takes its place with it.
    places: usize,
    /// Why there is one less.
    why: String,
    next_worker: u64,
    next_job: u64,
    closing: bool,
}

impl Clerk {
    fn run(mut self) {
        loop {
            let mail = match self.alarm() {
                None => self.inbox.recv().ok(),
                Some(time) => self.inbox.recv_timeout(time.saturating_duration_since(Instant::now())).ok(),
            };
            // Whatever arrived up to now is read before anybody is told that he is late.
            let now = Instant::now();
            let mut next = mail;
            while let Some(mail) = next {
                if let Mail::Drop = mail {
                    return self.kill_all();
                }
                self.handle(mail);
                self.assign();
                next = self.inbox.try_recv().ok();
            }
            self.expire(now);
            self.look_after(now);
            self.assign();
            if self.closing && self.close() {
                return;
            }
        }
    }

    fn handle(&mut self, mail: Mail) {
        match mail {
            Mail::New(inputs) => {
                let mut chunk = VecDeque::with_capacity(inputs.len());
                for (input, reply) in inputs {
                    let number = self.next_job;
                    self.next_job += 1;
                    chunk.push_back(Task { job: Arc::new(Job { number, input }), reply });
                }
                self.queue.push_back(chunk);
            }
            Mail::Heard(worker, at, said) => self.heard(worker, at, said),
            Mail::Shutdown => self.closing = true,
            Mail::Drop => {}
        }
    }

    /// The next moment at which there is something to do, even if no mail comes.
    fn alarm(&self) -> Option<Instant> {
        let looks = self
            .workers
            .values()
            .filter(|worker| matches!(worker.stage, Stage::Ending { .. }))
            .map(|worker| worker.look);
        self.workers.values().filter_map(|worker| worker.deadline).chain(looks).min()
    }

    fn deadline(&self) -> Option<Instant> {
        Instant::now().checked_add(self.settings.limit)
    }

    fn hire(&mut self) -> io::Result<()> {
        let began = Instant::now();
        let mut child = self.command.spawn()?;
        let (input, output) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        let number = self.next_worker;
        self.next_worker += 1;
        let (orders, chunks) = mpsc::channel();
        let mail = self.mail.clone();
        let threads = vec![
            thread::spawn(move || write_orders(input, chunks)),
            thread::spawn(move || read_answers(number, output, mail)),
        ];
        let worker = Worker {
            child,
            orders: Some(orders),
            threads,
            stage: Stage::Starting,
            to_do: VecDeque::new(),
            may_do: self.settings.jobs_each.map(NonZeroUsize::get),
            deadline: began.checked_add(self.settings.limit),
            look: began,
            pause: Duration::from_millis(1),
        };
        self.workers.insert(number, worker);
        Ok(())
    }

    fn heard(&mut self, number: u64, at: Instant, said: io::Result<Option<Said>>) {
        let deadline = self.deadline();
        let Some(worker) = self.workers.get_mut(&number) else { return };
        if worker.deadline.is_some_and(|deadline| at >= deadline) {
            return self.too_late(number);
        }
        match (worker.stage, said) {
            (Stage::Starting, Ok(Some(Said::Ready))) => {
                worker.stage = Stage::Serving;
            }
            (Stage::Starting, Ok(Some(Said::Unable(why)))) => self.never_ready(number, why),
            (Stage::Starting, _) => self.never_ready(number, "a worker ended before it was ready".to_owned()),
            (Stage::Serving, Ok(Some(Said::Done(job, outcome))))
                if worker.to_do.front().is_some_and(|task| task.job.number == job) =>
            {
                if let Some(task) = worker.to_do.pop_front() {
                    task.reply.tell(outcome.map_err(Failure::Panicked));
                }
                if !worker.to_do.is_empty() {
                    worker.deadline = deadline;
                } else if worker.may_do == Some(0) {
                    worker.end(deadline);
                } else {
                    worker.deadline = None;
                }
            }
            (Stage::Serving, _) => self.dismiss(number, Failure::Lost),
            (Stage::Ending { ready: false }, Ok(Some(Said::Ready))) => worker.stage = Stage::Ending { ready: true },
            // It goes by itself.
            (Stage::Ending { ready: false }, Ok(Some(Said::Unable(_)))) | (Stage::Ending { .. }, Ok(None)) => {}
            (Stage::Ending { .. }, _) => drop(self.workers.remove(&number)),
        }
    }

    fn never_ready(&mut self, number: u64, why: String) {
        drop(self.workers.remove(&number));
        self.places -= 1;
        self.why = why;
    }

    /// It is gone, and with it the job that it was to answer next. The others go on elsewhere, before all that came later.
    fn dismiss(&mut self, number: u64, failure: Failure) {
        let Some(mut worker) = self.workers.remove(&number) else { return };
        let mut rest = mem::take(&mut worker.to_do);
        drop(worker);
        if let Some(task) = rest.pop_front() {
            task.reply.tell(Err(failure));
        }
        if !rest.is_empty() {
            self.queue.push_front(rest);
        }
    }

    fn too_late(&mut self, number: u64) {
        match self.workers.get(&number).map(|worker| worker.stage) {
            Some(Stage::Starting) => self.never_ready(number, "a worker was not ready in time".to_owned()),
            Some(Stage::Serving) => self.dismiss(number, Failure::TimedOut),
            Some(Stage::Ending { .. }) => drop(self.workers.remove(&number)),
            None => {}
        }
    }

    fn expire(&mut self, now: Instant) {
        let mut late = Vec::new();
        for (number, worker) in &self.workers {
            if worker.deadline.is_some_and(|deadline| deadline <= now) {
                late.push(*number);
            }
        }
        for number in late {
            self.too_late(number);
        }
    }

    /// Those that are to end: have they?
    fn look_after(&mut self, now: Instant) {
        self.workers.retain(|_, worker| {
            if !matches!(worker.stage, Stage::Ending { .. }) || worker.look > now {
                return true;
            }
            worker.look = now + worker.pause;
            worker.pause = (worker.pause * 2).min(Duration::from_millis(16));
            matches!(worker.child.try_wait(), Ok(None))
        });
    }

    fn assign(&mut self) {
        let deadline = self.deadline();
        for worker in self.workers.values_mut() {
            if worker.stage != Stage::Serving || !worker.to_do.is_empty() {
                continue;
            }
            let Some(mut chunk) = self.queue.pop_front() else { return };
            if let Some(may_do) = &mut worker.may_do {
                if chunk.len() > *may_do {
                    self.queue.push_front(chunk.split_off(*may_do));
                }
                *may_do -= chunk.len();
            }
            if let Some(orders) = &worker.orders {
                let _ = orders.send(chunk.iter().map(|task| Arc::clone(&task.job)).collect());
            }
            worker.to_do = chunk;
            worker.deadline = deadline;
        }
        let starting = self.workers.values().filter(|worker| worker.stage == Stage::Starting).count();
        let mut missing = self.queue.len().saturating_sub(starting);
        while missing > 0 && self.workers.len() < self.places {
            if let Err(error) = self.hire() {
                self.places -= 1;
                self.why = error.to_string();
            } else {
                missing -= 1;
            }
        }
        if self.places == 0 {
            for task in self.queue.drain(..).flatten() {
                task.reply.tell(Err(Failure::NoWorker(self.why.clone())));
            }
        }
    }

    /// If all jobs are done, lets all workers end. Are they gone?
    fn close(&mut self) -> bool {
        if !self.queue.is_empty() || self.workers.values().any(|worker| !worker.to_do.is_empty()) {
            return false;
        }
        let deadline = self.deadline();
        for worker in self.workers.values_mut() {
            if !matches!(worker.stage, Stage::Ending { .. }) {
                worker.end(deadline);
            }
        }
        self.workers.is_empty()
    }

    fn kill_all(mut self) {
        for worker in self.workers.values_mut() {
            let _ = worker.child.kill();
        }
        // The replies go with the tasks: whoever waits is told `Dropped`.
        self.workers.clear();
        self.queue.clear();
    }
}
