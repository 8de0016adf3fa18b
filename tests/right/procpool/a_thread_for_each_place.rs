//! accepted
//!
//! As in a pool of threads: one for each place, which takes chunks from a queue, and owns the worker of that place. It talks to it as
//! one talks to a friend: asks, waits for each answer. All that may happen meanwhile arrives at one condition variable.

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind, Read, Write};
use std::num::NonZeroUsize;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub const LONGEST: usize = 0x10_0000;

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

/// Runs something that may panic.
fn guarded<R>(act: impl FnOnce() -> R) -> Result<R, String> {
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act));
    caught.map_err(|payload| match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast::<&'static str>().map_or_else(|_| "?".to_string(), |text| text.to_string()),
    })
}

pub fn serve<S>(
    mut input: impl Read,
    mut output: impl Write,
    initialise: impl FnOnce() -> Result<S, String>,
    mut work: impl FnMut(&mut S, Vec<u8>) -> Vec<u8>,
) -> io::Result<()> {
    let mut state = match guarded(initialise).flatten() {
        Ok(state) => state,
        Err(why) => {
            Said::Unable(why.clone()).send(&mut output)?;
            output.flush()?;
            return Err(io::Error::other(why));
        }
    };
    let mut said = Said::Ready;
    loop {
        said.send(&mut output)?;
        output.flush()?;
        let Some(job) = Job::receive(&mut input)? else { break Ok(()) };
        said = Said::Done(job.number, guarded(|| work(&mut state, job.input)));
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub workers: NonZeroUsize,
    pub jobs_each: Option<NonZeroUsize>,
    pub limit: Duration,
}

pub type Outcome = Result<Vec<u8>, Failure>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    Panicked(String),
    Lost,
    TimedOut,
    NoWorker(String),
    Dropped,
}

pub struct Pool {
    shared: Arc<Shared>,
    places: Vec<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    news: Condvar,
    settings: Settings,
}

struct State {
    command: Command,
    waiting: VecDeque<Vec<Task>>,
    places: usize,
    talking: usize,
    why: String,
    numbers: u64,
    closing: bool,
    dropped: bool,
    /// What workers have said. `None`: no more will come.
    heard: HashMap<u64, VecDeque<Option<Said>>>,
}

struct Task {
    input: Vec<u8>,
    reply: mpsc::SyncSender<Outcome>,
}

pub struct Handle(mpsc::Receiver<Outcome>);

impl Handle {
    pub fn wait(self) -> Outcome {
        self.0.recv().unwrap_or(Err(Failure::Dropped))
    }
}

impl Pool {
    pub fn start(mut command: Command, settings: Settings) -> io::Result<Pool> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // To see whether it can be started at all.
        let mut first = Some(command.spawn()?);
        let state = State {
            command,
            waiting: VecDeque::new(),
            places: settings.workers.get(),
            talking: 0,
            why: String::new(),
            numbers: 0,
            closing: false,
            dropped: false,
            heard: HashMap::new(),
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), news: Condvar::new(), settings });
        let places = (0..settings.workers.get()).map(|_| {
            let (shared, child) = (shared.clone(), first.take());
            thread::Builder::new().name("place".into()).spawn(move || shared.place(child)).unwrap()
        });
        let places = places.collect();
        Ok(Pool { shared, places })
    }

    pub fn submit(&self, input: Vec<u8>) -> Handle {
        let (tasks, mut handles) = tasks(vec![input]);
        self.shared.enqueue(tasks);
        handles.remove(0)
    }

    pub fn map(&self, inputs: impl IntoIterator<Item = Vec<u8>>, chunk: NonZeroUsize) -> Vec<Outcome> {
        let (mut tasks, handles) = tasks(inputs.into_iter().collect());
        while !tasks.is_empty() {
            let rest = tasks.split_off(chunk.get().min(tasks.len()));
            self.shared.enqueue(tasks);
            tasks = rest;
        }
        handles.into_iter().map(Handle::wait).collect()
    }

    pub fn shutdown(mut self) {
        self.shared.state.lock().unwrap().closing = true;
        self.shared.news.notify_all();
        for place in self.places.drain(..) {
            place.join().unwrap();
        }
    }
}

fn tasks(inputs: Vec<Vec<u8>>) -> (Vec<Task>, Vec<Handle>) {
    assert!(inputs.iter().all(|input| input.len() <= LONGEST));
    let pair = |input| {
        let (reply, outcome) = mpsc::sync_channel(1);
        (Task { input, reply }, Handle(outcome))
    };
    inputs.into_iter().map(pair).unzip()
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap().dropped = true;
        self.shared.news.notify_all();
        self.places.drain(..).for_each(|place| drop(place.join()));
        self.shared.state.lock().unwrap().waiting.clear();
    }
}

impl Shared {
    fn enqueue(&self, tasks: Vec<Task>) {
        let mut state = self.state.lock().unwrap();
        state.waiting.push_back(tasks);
        state.no_hope();
        drop(state);
        self.news.notify_all();
    }

    /// The life of a place.
    fn place(self: Arc<Self>, child: Option<Child>) {
        let most = self.settings.jobs_each.map_or(usize::MAX, NonZeroUsize::get);
        let mut worker = child.map(|child| Worker::new(child, &self));
        let mut greeted = false;
        let mut done = 0;
        loop {
            if let Some(asked) = &worker
                && !greeted
            {
                match self.hear(asked.id) {
                    Ok(Said::Ready) => greeted = true,
                    other => {
                        let why = match other {
                            Ok(Said::Unable(why)) => why,
                            Ok(_) => "it lies".to_owned(),
                            Err(failure) => format!("{failure:?}"),
                        };
                        drop(worker);
                        let mut state = self.state.lock().unwrap();
                        state.why = why;
                        state.places -= 1;
                        state.no_hope();
                        return;
                    }
                }
            }
            if done == most {
                self.finish(worker.take());
                done = 0;
            }
            let id = worker.as_ref().map(|worker| worker.id);
            let state = self.news.wait_while(self.state.lock().unwrap(), |state| {
                let news = id.is_some_and(|id| !state.heard[&id].is_empty());
                state.waiting.is_empty() && !news && !state.dropped && !(state.closing && state.talking == 0)
            });
            let mut state = state.unwrap();
            if state.dropped {
                return;
            }
            if id.is_some_and(|id| !state.heard[&id].is_empty()) {
                drop(state);
                worker = None;
                done = 0;
                continue;
            }
            if state.waiting.is_empty() {
                drop(state);
                return self.finish(worker);
            }
            let Some(asked) = &worker else {
                match state.command.spawn() {
                    Ok(child) => {
                        drop(state);
                        (worker, greeted, done) = (Some(Worker::new(child, &self)), false, 0);
                        continue;
                    }
                    Err(error) => {
                        state.why = error.to_string();
                        state.places -= 1;
                        return state.no_hope();
                    }
                }
            };
            let mut tasks = state.waiting.pop_front().unwrap();
            if tasks.len() > most - done {
                let rest = tasks.split_off(most - done);
                state.waiting.push_front(rest);
            }
            state.talking += 1;
            let first = state.numbers;
            state.numbers += tasks.len() as u64;
            drop(state);
            done += tasks.len();
            let jobs = (first..).zip(&tasks).map(|(number, task)| Job { number, input: task.input.clone() }).collect();
            asked.jobs.as_ref().unwrap().send(jobs).ok();
            let mut tasks = tasks.into_iter();
            for (number, task) in (first..).zip(tasks.by_ref()) {
                let failure = match self.hear(asked.id) {
                    Ok(Said::Done(answered, outcome)) if answered == number => {
                        let _ = task.reply.send(outcome.map_err(Failure::Panicked));
                        continue;
                    }
                    Ok(_) => Failure::Lost,
                    Err(failure) => failure,
                };
                worker = None;
                let _ = task.reply.send(Err(failure));
                break;
            }
            if worker.is_none() {
                done = 0;
            }
            let rest: Vec<Task> = tasks.collect();
            let mut state = self.state.lock().unwrap();
            state.talking -= 1;
            if !rest.is_empty() {
                state.waiting.push_front(rest);
            }
            drop(state);
            self.news.notify_all();
        }
    }

    /// The next thing that this worker says, if it is in time.
    fn hear(&self, id: u64) -> Result<Said, Failure> {
        let end = Instant::now().checked_add(self.settings.limit);
        let mut state = self.state.lock().unwrap();
        loop {
            if state.dropped {
                return Err(Failure::Dropped);
            }
            if let Some(said) = state.heard.get_mut(&id).unwrap().pop_front() {
                return said.ok_or(Failure::Lost);
            }
            state = match end.map(|end| end.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return Err(Failure::TimedOut),
                Some(rest) => self.news.wait_timeout(state, rest).unwrap().0,
                None => self.news.wait(state).unwrap(),
            };
        }
    }

    /// Lets a worker end. That it says nothing any more is the sign.
    fn finish(&self, worker: Option<Worker>) {
        let Some(mut worker) = worker else { return };
        worker.jobs = None;
        while self.hear(worker.id).is_ok() {}
    }
}

impl State {
    fn no_hope(&mut self) {
        if self.places == 0 {
            for task in self.waiting.drain(..).flatten() {
                let _ = task.reply.send(Err(Failure::NoWorker(self.why.clone())));
            }
        }
    }
}

struct Worker {
    id: u64,
    child: Child,
    jobs: Option<mpsc::Sender<Vec<Job>>>,
    threads: [Option<JoinHandle<()>>; 2],
    shared: Arc<Shared>,
}

impl Worker {
    fn new(mut child: Child, shared: &Arc<Shared>) -> Worker {
        let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let id = u64::from(child.id()) << 32 | shared.locked().heard.len() as u64;
        shared.locked().heard.insert(id, VecDeque::new());
        let listener = Arc::clone(shared);
        let listen = thread::spawn(move || {
            loop {
                let said = Said::receive(&mut stdout).unwrap_or(None);
                let last = said.is_none();
                listener.locked().heard.get_mut(&id).unwrap().push_back(said);
                listener.news.notify_all();
                if last {
                    return;
                }
            }
        });
        let (jobs, chunks) = mpsc::channel::<Vec<Job>>();
        let feed = thread::spawn(move || {
            chunks.iter().flatten().take_while(|job| job.send(&mut stdin).is_ok()).for_each(drop)
        });
        Worker { id, child, jobs: Some(jobs), threads: [Some(listen), Some(feed)], shared: Arc::clone(shared) }
    }
}

impl Shared {
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs.take();
        let _ = self.child.kill();
        let _ = self.child.wait();
        for thread in self.threads.iter_mut().filter_map(Option::take) {
            let _ = thread.join();
        }
        let mut state = self.shared.locked();
        state.heard.get_mut(&self.id).unwrap().clear();
    }
}
