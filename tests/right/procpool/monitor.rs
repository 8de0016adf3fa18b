//! accepted
//!
//! No clerk: one lock, and whoever has news changes what is behind it, the caller who submits, the listener that hears, the alarm
//! clock that rings. Processes are started by whoever needs one, all at the beginning if there is room. A map waits at a condition variable.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind, Read, Write};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub const LONGEST: usize = 1 << 20;

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

fn words(payload: &(dyn std::any::Any + Send)) -> String {
    match (payload.downcast_ref::<String>(), payload.downcast_ref::<&'static str>()) {
        (Some(text), _) => text.clone(),
        (_, Some(text)) => (*text).into(),
        _ => String::new(),
    }
}

pub fn serve<S>(
    mut input: impl Read,
    mut output: impl Write,
    initialise: impl FnOnce() -> Result<S, String>,
    mut work: impl FnMut(&mut S, Vec<u8>) -> Vec<u8>,
) -> io::Result<()> {
    let made = match catch_unwind(AssertUnwindSafe(initialise)) {
        Ok(made) => made,
        Err(payload) => Err(words(&*payload)),
    };
    let mut state = match made {
        Err(why) => {
            Said::Unable(why.clone()).send(&mut output)?;
            output.flush()?;
            return Err(io::Error::new(ErrorKind::Other, why));
        }
        Ok(state) => state,
    };
    Said::Ready.send(&mut output)?;
    loop {
        output.flush()?;
        let Some(job) = Job::receive(&mut input)? else { return Ok(()) };
        let outcome = catch_unwind(AssertUnwindSafe(|| work(&mut state, job.input)));
        Said::Done(job.number, outcome.map_err(|payload| words(&*payload))).send(&mut output)?;
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

pub struct Pool(Arc<Monitor>, Option<JoinHandle<()>>);

struct Monitor {
    inner: Mutex<Inner>,
    news: Condvar,
}

struct Inner {
    command: Command,
    settings: Settings,
    room: usize,
    why: String,
    number: u64,
    waiting: VecDeque<Vec<Ticket>>,
    crew: BTreeMap<u64, Member>,
    threads: Vec<JoinHandle<()>>,
    closing: bool,
    over: bool,
}

struct Member {
    child: Child,
    pantry: Option<Arc<Pantry>>,
    ready: bool,
    left: Option<usize>,
    has: VecDeque<(u64, Ticket)>,
    until: Option<Instant>,
    fate: Failure,
}

/// Where a feeder finds jobs.
#[derive(Default)]
struct Pantry(Mutex<(Vec<Job>, bool)>, Condvar);

#[derive(Clone)]
struct Ticket {
    input: Arc<Vec<u8>>,
    cell: Arc<Cell>,
}

#[derive(Default)]
struct Cell(Mutex<Option<Outcome>>, Condvar);

impl Cell {
    fn fill(&self, outcome: Outcome) {
        self.0.lock().unwrap().get_or_insert(outcome);
        self.1.notify_all();
    }

    fn wait(&self) -> Outcome {
        let cell = self.1.wait_while(self.0.lock().unwrap(), |cell| cell.is_none()).unwrap();
        cell.clone().unwrap()
    }
}

pub struct Handle(Arc<Cell>);

impl Handle {
    pub fn wait(self) -> Outcome {
        self.0.wait()
    }
}

impl Pool {
    pub fn start(mut command: Command, settings: Settings) -> io::Result<Pool> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let inner = Inner {
            command,
            settings,
            room: settings.workers.get(),
            why: "none was started".into(),
            number: 0,
            waiting: VecDeque::new(),
            crew: BTreeMap::new(),
            threads: Vec::new(),
            closing: false,
            over: false,
        };
        let monitor = Arc::new(Monitor { inner: Mutex::new(inner), news: Condvar::new() });
        let mut pool = Pool(Arc::clone(&monitor), None);
        for _ in 0..settings.workers.get() {
            monitor.lock().recruit(&monitor)?;
        }
        pool.1 = Some(thread::spawn(move || monitor.ring()));
        Ok(pool)
    }

    pub fn submit(&self, input: Vec<u8>) -> Handle {
        let ticket = ticket(input);
        let cell = Arc::clone(&ticket.cell);
        let mut inner = self.0.lock();
        inner.waiting.push_back(vec![ticket]);
        inner.settle(&self.0);
        Handle(cell)
    }

    pub fn map(&self, inputs: impl IntoIterator<Item = Vec<u8>>, chunk: NonZeroUsize) -> Vec<Outcome> {
        let tickets: Vec<Ticket> = inputs.into_iter().map(ticket).collect();
        let mut inner = self.0.lock();
        inner.waiting.extend(tickets.chunks(chunk.get()).map(<[Ticket]>::to_vec));
        inner.settle(&self.0);
        drop(inner);
        tickets.iter().map(|ticket| ticket.cell.wait()).collect()
    }

    pub fn shutdown(self) {
        let mut inner = self.0.lock();
        inner.closing = true;
        inner.settle(&self.0);
        drop(self.0.news.wait_while(inner, |inner| !inner.crew.is_empty() || !inner.waiting.is_empty()).unwrap());
    }
}

fn ticket(input: Vec<u8>) -> Ticket {
    if input.len() > LONGEST {
        panic!("too long");
    }
    Ticket { input: Arc::new(input), cell: Arc::default() }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut inner = self.0.lock();
        inner.closing = true;
        inner.over = true;
        let waiting: Vec<Ticket> = inner.waiting.drain(..).flatten().collect();
        let has: Vec<Ticket> =
            inner.crew.values_mut().flat_map(|member| member.has.drain(..).map(|(_, ticket)| ticket)).collect();
        inner.crew.values_mut().for_each(|member| member.end(Failure::Dropped));
        let mut inner = self.0.news.wait_while(inner, |inner| !inner.crew.is_empty()).unwrap();
        let threads = std::mem::take(&mut inner.threads);
        drop(inner);
        self.0.news.notify_all();
        threads.into_iter().chain(self.1.take()).for_each(|thread| drop(thread.join()));
        waiting.iter().chain(&has).for_each(|ticket| ticket.cell.fill(Err(Failure::Dropped)));
    }
}

impl Member {
    fn end(&mut self, fate: Failure) {
        self.close();
        self.until = None;
        self.fate = fate;
        let _ = self.child.kill();
    }

    fn close(&mut self) {
        if let Some(pantry) = self.pantry.take() {
            pantry.0.lock().unwrap().1 = true;
            pantry.1.notify_all();
        }
    }
}

impl Inner {
    fn recruit(&mut self, monitor: &Arc<Monitor>) -> io::Result<()> {
        let mut child = self.command.spawn()?;
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let pantry = Arc::new(Pantry::default());
        let id = self.next();
        let until = self.until();
        let left = self.settings.jobs_each.map(NonZeroUsize::get);
        let (shelf, listens) = (Arc::clone(&pantry), Arc::clone(monitor));
        let member = Member {
            child,
            pantry: Some(pantry),
            ready: false,
            left,
            has: VecDeque::new(),
            until,
            fate: Failure::Lost,
        };
        self.crew.insert(id, member);
        self.threads.push(thread::spawn(move || shelf.carry(stdin)));
        self.threads.push(thread::spawn(move || listens.listen(id, stdout)));
        monitor.news.notify_all();
        Ok(())
    }

    fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    fn until(&self) -> Option<Instant> {
        Instant::now().checked_add(self.settings.limit)
    }

    /// Brings together what waits and who is free.
    fn settle(&mut self, monitor: &Arc<Monitor>) {
        while let Some(mut chunk) = self.waiting.pop_front() {
            let free = self.crew.iter_mut().find(|(_, member)| {
                member.ready && member.pantry.is_some() && member.has.is_empty() && member.left != Some(0)
            });
            let Some(id) = free.map(|(id, _)| *id) else {
                self.waiting.push_front(chunk);
                if self.room == 0 {
                    for ticket in self.waiting.drain(..).flatten() {
                        ticket.cell.fill(Err(Failure::NoWorker(self.why.clone())));
                    }
                } else if self.crew.len() < self.room {
                    if let Err(error) = self.recruit(monitor) {
                        self.room -= 1;
                        self.why = error.to_string();
                    }
                    continue;
                }
                break;
            };
            let most = self.crew[&id].left.unwrap_or(usize::MAX);
            if chunk.len() > most {
                let rest = chunk.split_off(most);
                self.waiting.push_front(rest);
            }
            let until = self.until();
            let numbered: Vec<(u64, Ticket)> = chunk.into_iter().map(|ticket| (self.next(), ticket)).collect();
            let member = self.crew.get_mut(&id).unwrap();
            member.left = member.left.map(|left| left - numbered.len());
            member.until = until;
            let pantry = member.pantry.as_ref().unwrap();
            let jobs = numbered.iter().map(|(number, ticket)| Job { number: *number, input: ticket.input.to_vec() });
            pantry.0.lock().unwrap().0.extend(jobs);
            pantry.1.notify_all();
            member.has = numbered.into();
        }
        let (closing, until) = (self.closing && self.waiting.is_empty(), self.until());
        let busy = self.crew.values().any(|member| !member.has.is_empty());
        for member in self.crew.values_mut() {
            // The last ones stay as long as somebody else may lose its chunk.
            let done = member.has.is_empty() && (closing && !busy || member.left == Some(0));
            if done && member.pantry.is_some() {
                member.close();
                member.until = until;
            }
        }
        monitor.news.notify_all();
    }
}

impl Monitor {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    fn listen(self: Arc<Self>, id: u64, mut stdout: ChildStdout) {
        loop {
            let said = Said::receive(&mut stdout);
            let mut inner = self.lock();
            let until = inner.until();
            let member = inner.crew.get_mut(&id).unwrap();
            let trusted = member.pantry.is_some();
            match said {
                Ok(Some(_)) if !trusted => continue,
                Ok(Some(Said::Ready)) if !member.ready => {
                    member.ready = true;
                    member.until = None;
                }
                Ok(Some(Said::Unable(why))) if !member.ready => member.end(Failure::NoWorker(why)),
                Ok(Some(Said::Done(number, outcome)))
                    if member.has.front().is_some_and(|(first, _)| *first == number) =>
                {
                    let (_, ticket) = member.has.pop_front().unwrap();
                    ticket.cell.fill(outcome.map_err(Failure::Panicked));
                    member.until = until.filter(|_| !member.has.is_empty());
                }
                Ok(Some(_)) => member.end(Failure::Lost),
                Ok(None) | Err(_) => {
                    member.close();
                    let _ = member.child.kill();
                    let _ = member.child.wait();
                    let mut member = inner.crew.remove(&id).unwrap();
                    if !member.ready {
                        inner.room -= 1;
                        inner.why = match member.fate {
                            Failure::NoWorker(why) => why,
                            other => format!("{other:?}"),
                        };
                    } else if let Some((_, ticket)) = member.has.pop_front() {
                        ticket.cell.fill(Err(member.fate));
                        let rest: Vec<Ticket> = member.has.into_iter().map(|(_, ticket)| ticket).collect();
                        if !rest.is_empty() {
                            inner.waiting.push_front(rest);
                        }
                    }
                    return inner.settle(&self);
                }
            }
            inner.settle(&self);
        }
    }

    /// Kills who is late, until the pool is over.
    fn ring(&self) {
        let mut inner = self.lock();
        while !inner.over {
            let now = Instant::now();
            let mut next = None::<Instant>;
            for member in inner.crew.values_mut() {
                match member.until {
                    Some(until) if until <= now => member.end(Failure::TimedOut),
                    Some(until) => next = Some(next.map_or(until, |next| next.min(until))),
                    None => {}
                }
            }
            inner = match next {
                Some(next) => self.news.wait_timeout(inner, next - now).unwrap().0,
                None => self.news.wait(inner).unwrap(),
            };
        }
    }
}

impl Pantry {
    fn carry(&self, mut stdin: ChildStdin) {
        loop {
            let state = self.1.wait_while(self.0.lock().unwrap(), |state| state.0.is_empty() && !state.1);
            let jobs = std::mem::take(&mut state.unwrap().0);
            if jobs.is_empty() || jobs.iter().any(|job| job.send(&mut stdin).is_err()) {
                return;
            }
        }
    }
}
