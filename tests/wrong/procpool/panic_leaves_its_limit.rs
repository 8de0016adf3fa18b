//! rejected: assertion
//! by: a_worker_that_takes_too_long_is_killed_and_replaced
//!
//! Breaks `a_worker_that_takes_too_long_is_killed_and_replaced` ("a worker without a job has no limit") and
//! `a_panic_ends_its_job_and_no_worker`: the limit is taken back only after a result. Shows when the last job that a worker has panics, and
//! the next job comes after the limit: the idle worker has been killed, and another one does it.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
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
    input: impl Read,
    output: impl Write,
    initialise: impl FnOnce() -> Result<S, String>,
    work: impl FnMut(&mut S, Vec<u8>) -> Vec<u8>,
) -> io::Result<()> {
    let (mut input, mut output, mut work) = (input, output, work);
    let initialised = catch_unwind(AssertUnwindSafe(initialise)).unwrap_or_else(|payload| Err(text(payload)));
    let mut state = match initialised {
        Ok(state) => state,
        Err(why) => {
            say(&mut output, Said::Unable(short(&why)))?;
            return Err(io::Error::other(why));
        }
    };
    say(&mut output, Said::Ready)?;
    while let Some(Job { number, input }) = Job::receive(&mut input)? {
        let result = catch_unwind(AssertUnwindSafe(|| work(&mut state, input)));
        say(&mut output, Said::Done(number, result.map_err(|payload| short(&text(payload)))))?;
    }
    Ok(())
}

/// Says it, and waits until it has gone.
fn say(output: &mut impl Write, said: Said) -> io::Result<()> {
    said.send(output)?;
    output.flush()
}

/// What a panic had to say.
fn text(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload
            .downcast_ref::<&str>()
            .map_or_else(|| "a panic without a text".to_owned(), |text| (*text).to_owned()),
    }
}

/// As much of a text as fits into a message.
fn short(text: &str) -> String {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
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
    inbox: Sender<News>,
    clerk: Option<JoinHandle<()>>,
    numbers: AtomicU64,
}

impl Pool {
    /// Starts workers with this command, each with pipes as its standard input and output. They call [`serve`]. They need not be
    /// ready when this returns, and those that no job needs yet need not have been started.
    ///
    /// # Errors
    /// The operating system's, if the program can't be started. No process is left then.
    pub fn start(command: Command, settings: Settings) -> io::Result<Pool> {
        let (inbox, news) = mpsc::channel();
        let mut clerk = Clerk::new(command, settings, inbox.clone());
        for _ in 0..settings.workers.get() {
            if let Err(error) = clerk.hire() {
                clerk.give_up();
                return Err(error);
            }
        }
        let clerk = thread::spawn(move || clerk.run(&news));
        Ok(Pool { inbox, clerk: Some(clerk), numbers: AtomicU64::new(0) })
    }

    /// A job with a number of its own.
    fn task(&self, input: Vec<u8>, tell: impl FnOnce(Outcome) + Send + 'static) -> Task {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        Task { job: Arc::new(Job { number, input }), tell: Box::new(tell) }
    }

    fn say(&self, news: News) {
        // The clerk is there as long as the pool is.
        let _ = self.inbox.send(news);
    }

    /// Hands over one job, and goes on at once. Jobs are begun in the order in which they came.
    ///
    /// # Panics
    /// If the input is longer than [`LONGEST`].
    pub fn submit(&self, input: Vec<u8>) -> Handle {
        assert!(input.len() <= LONGEST, "{} bytes are more than {LONGEST}", input.len());
        let (tell, outcome) = mpsc::channel();
        let task = self.task(input, move |outcome| drop(tell.send(outcome)));
        self.say(News::Jobs(VecDeque::from([task])));
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
        let inputs: Vec<Vec<u8>> = inputs.into_iter().collect();
        for input in &inputs {
            assert!(input.len() <= LONGEST, "{} bytes are more than {LONGEST}", input.len());
        }
        let mut outcomes: Vec<Outcome> = inputs.iter().map(|_| Err(Failure::Dropped)).collect();
        let (tell, told) = mpsc::channel();
        let mut inputs = inputs.into_iter().enumerate().peekable();
        while inputs.peek().is_some() {
            let jobs = inputs.by_ref().take(chunk.get()).map(|(place, input)| {
                let tell = tell.clone();
                self.task(input, move |outcome| drop(tell.send((place, outcome))))
            });
            self.say(News::Jobs(jobs.collect()));
        }
        drop(tell);
        for (place, outcome) in told {
            outcomes[place] = outcome;
        }
        outcomes
    }

    /// Waits until all jobs have an outcome, lets the workers end by closing their inputs, and waits for them.
    pub fn shutdown(mut self) {
        self.end(News::Shutdown);
    }

    fn end(&mut self, how: News) {
        if let Some(clerk) = self.clerk.take() {
            self.say(how);
            let _ = clerk.join();
        }
    }
}

impl Drop for Pool {
    /// Kills the workers, and waits until they are gone.
    fn drop(&mut self) {
        self.end(News::Drop);
    }
}

/// What will become of a job that was submitted. Dropping it changes nothing for the job.
pub struct Handle {
    outcome: Receiver<Outcome>,
}

impl Handle {
    /// Waits for the job's outcome.
    pub fn wait(self) -> Outcome {
        self.outcome.recv().unwrap_or(Err(Failure::Dropped))
    }
}

/// A job, and whom to tell what becomes of it.
struct Task {
    job: Arc<Job>,
    tell: Box<dyn FnOnce(Outcome) + Send>,
}

/// What the clerk is told.
enum News {
    Jobs(VecDeque<Task>),
    /// What the worker with this number says. `None`: nothing more, or nothing that can be understood.
    Heard(usize, Option<Said>),
    Shutdown,
    Drop,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Starting,
    Ready,
    Ending,
}

struct Worker {
    child: Child,
    /// Its input, as long as it may get more.
    orders: Option<Sender<Vec<Arc<Job>>>>,
    state: State,
    /// How many jobs it may still get.
    left: Option<usize>,
    /// When it has to have done what is expected of it.
    deadline: Option<Instant>,
    tasks: VecDeque<Task>,
}

/// Decides everything. It waits for its inbox and for nothing else.
struct Clerk {
    command: Command,
    settings: Settings,
    inbox: Sender<News>,
    workers: BTreeMap<usize, Worker>,
    hired: usize,
    /// So many workers may be there.
    places: usize,
    why: String,
    queue: VecDeque<VecDeque<Task>>,
    threads: Vec<JoinHandle<()>>,
    shutting: bool,
    closed: bool,
}

impl Clerk {
    fn new(mut command: Command, settings: Settings, inbox: Sender<News>) -> Clerk {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Clerk {
            command,
            settings,
            inbox,
            workers: BTreeMap::new(),
            hired: 0,
            places: settings.workers.get(),
            why: String::new(),
            queue: VecDeque::new(),
            threads: Vec::new(),
            shutting: false,
            closed: false,
        }
    }

    /// The end of a wait that begins now, if it has one.
    fn limit(&self) -> Option<Instant> {
        Instant::now().checked_add(self.settings.limit)
    }

    fn hire(&mut self) -> io::Result<()> {
        let mut child = self.command.spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (input, output) = (input.expect("it is piped"), output.expect("it is piped"));
        let id = self.hired;
        self.hired += 1;
        let (orders, chunks) = mpsc::channel::<Vec<Arc<Job>>>();
        self.sweep();
        self.threads.push(thread::spawn(move || {
            let mut input = BufWriter::new(input);
            for chunk in chunks {
                if chunk.iter().any(|job| job.send(&mut input).is_err()) || input.flush().is_err() {
                    return;
                }
            }
        }));
        let inbox = self.inbox.clone();
        self.threads.push(thread::spawn(move || {
            let mut output = BufReader::new(output);
            loop {
                let said = Said::receive(&mut output).ok().flatten();
                let end = said.is_none();
                if inbox.send(News::Heard(id, said)).is_err() || end {
                    return;
                }
            }
        }));
        let worker = Worker {
            child,
            orders: Some(orders),
            state: State::Starting,
            left: self.settings.jobs_each.map(NonZeroUsize::get),
            deadline: self.limit(),
            tasks: VecDeque::new(),
        };
        self.workers.insert(id, worker);
        Ok(())
    }

    /// Joins threads that have nothing more to do.
    fn sweep(&mut self) {
        let mut at = 0;
        while at < self.threads.len() {
            if self.threads[at].is_finished() {
                let _ = self.threads.swap_remove(at).join();
            } else {
                at += 1;
            }
        }
    }

    fn run(mut self, news: &Receiver<News>) {
        let mut in_a_row = 0;
        loop {
            match self.wait(news) {
                Some(News::Drop) => break,
                Some(item) => {
                    self.hear(item);
                    in_a_row += 1;
                }
                None => in_a_row = 1000,
            }
            // What has come is looked at before anybody is told that it has not.
            if in_a_row >= 1000 {
                in_a_row = 0;
                self.expire();
            }
            self.reap();
            self.dispatch();
            self.close();
            if self.closed && self.workers.is_empty() {
                break;
            }
        }
        self.give_up();
    }

    fn wait(&self, news: &Receiver<News>) -> Option<News> {
        let now = Instant::now();
        let ending = self.workers.values().any(|worker| worker.state == State::Ending);
        let tick = ending.then(|| now + Duration::from_millis(1));
        match self.workers.values().filter_map(|worker| worker.deadline).chain(tick).min() {
            Some(end) => news.recv_timeout(end.saturating_duration_since(now)).ok(),
            None => news.recv().ok(),
        }
    }

    fn hear(&mut self, item: News) {
        match item {
            News::Jobs(tasks) => self.queue.push_back(tasks),
            News::Heard(id, said) => self.heard(id, said),
            News::Shutdown => self.shutting = true,
            News::Drop => {}
        }
    }

    fn heard(&mut self, id: usize, said: Option<Said>) {
        let limit = self.limit();
        // Who is gone may have said something before.
        let Some(worker) = self.workers.get_mut(&id) else { return };
        match (worker.state, said) {
            (State::Starting, Some(Said::Ready)) => {
                worker.state = State::Ready;
                worker.deadline = None;
            }
            (State::Starting, said) => {
                let why = match said {
                    Some(Said::Unable(why)) => why,
                    _ => "a worker was never ready".to_owned(),
                };
                self.never_ready(id, why);
            }
            (State::Ready, Some(Said::Done(number, result)))
                if worker.tasks.front().is_some_and(|task| task.job.number == number) =>
            {
                let task = worker.tasks.pop_front().expect("it is the first");
                if !worker.tasks.is_empty() {
                    worker.deadline = limit;
                } else if result.is_ok() {
                    worker.deadline = None;
                }
                if worker.tasks.is_empty() && worker.left == Some(0) {
                    worker.orders = None;
                    worker.state = State::Ending;
                    worker.deadline = limit;
                }
                (task.tell)(result.map_err(Failure::Panicked));
            }
            (State::Ready, _) => self.lose(id, Failure::Lost),
            (State::Ending, Some(Said::Done(..))) => drop(self.bury(id)),
            (State::Ending, _) => {}
        }
    }

    fn never_ready(&mut self, id: usize, why: String) {
        self.bury(id);
        self.places -= 1;
        self.why = why;
    }

    /// This costs one job. The others go to somebody else.
    fn lose(&mut self, id: usize, why: Failure) {
        let mut tasks = self.bury(id);
        if let Some(task) = tasks.pop_front() {
            (task.tell)(Err(why));
        }
        if !tasks.is_empty() {
            self.queue.push_front(tasks);
        }
    }

    /// Kills a worker, if it has not ended yet, and returns the jobs that it has not answered.
    fn bury(&mut self, id: usize) -> VecDeque<Task> {
        let Some(mut worker) = self.workers.remove(&id) else { return VecDeque::new() };
        let _ = worker.child.kill();
        let _ = worker.child.wait();
        worker.tasks
    }

    fn expire(&mut self) {
        let now = Instant::now();
        let late = |worker: &Worker| worker.deadline.is_some_and(|deadline| deadline <= now);
        let late = self.workers.iter().filter(|entry| late(entry.1)).map(|(id, worker)| (*id, worker.state));
        let late: Vec<(usize, State)> = late.collect();
        for (id, state) in late {
            match state {
                State::Starting => self.never_ready(id, "a worker was not ready in time".to_owned()),
                State::Ready => self.lose(id, Failure::TimedOut),
                State::Ending => drop(self.bury(id)),
            }
        }
    }

    /// Looks who has ended of those who should.
    fn reap(&mut self) {
        self.workers.retain(|_, worker| worker.state != State::Ending || matches!(worker.child.try_wait(), Ok(None)));
    }

    fn dispatch(&mut self) {
        let limit = self.limit();
        while let Some(chunk) = self.queue.front_mut() {
            let free = |worker: &&mut Worker| worker.state == State::Ready && worker.tasks.is_empty();
            if let Some(worker) = self.workers.values_mut().find(free) {
                let many = worker.left.map_or(chunk.len(), |left| left.min(chunk.len()));
                worker.left = worker.left.map(|left| left - many);
                worker.tasks = chunk.drain(..many).collect();
                worker.deadline = limit;
                if let Some(orders) = &worker.orders {
                    // If it is gone, its reader tells.
                    let _ = orders.send(worker.tasks.iter().map(|task| task.job.clone()).collect());
                }
                if chunk.is_empty() {
                    self.queue.pop_front();
                }
            } else if self.workers.len() < self.places {
                if let Err(error) = self.hire() {
                    self.places -= 1;
                    self.why = error.to_string();
                }
            } else if self.places == 0 {
                for task in self.queue.drain(..).flatten() {
                    (task.tell)(Err(Failure::NoWorker(self.why.clone())));
                }
            } else {
                break;
            }
        }
    }

    /// Lets all workers end, if it is time.
    fn close(&mut self) {
        let done = self.queue.is_empty() && self.workers.values().all(|worker| worker.tasks.is_empty());
        if !self.shutting || self.closed || !done {
            return;
        }
        self.closed = true;
        let limit = self.limit();
        for worker in self.workers.values_mut().filter(|worker| worker.state != State::Ending) {
            worker.orders = None;
            worker.state = State::Ending;
            worker.deadline = limit;
        }
    }

    /// Kills whoever is left, and waits until all processes and threads are gone.
    fn give_up(&mut self) {
        for worker in self.workers.values_mut() {
            let _ = worker.child.kill();
        }
        while let Some((id, _)) = self.workers.first_key_value() {
            let id = *id;
            let tasks = self.bury(id);
            self.queue.push_front(tasks);
        }
        for task in self.queue.drain(..).flatten() {
            (task.tell)(Err(Failure::Dropped));
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
