//! accepted
//!
//! A thread for each place, which looks again and again: at its worker, at the clock, at what waits. A writer for each chunk, a reader for
//! each worker. Not elegant, and right. Jobs and outcomes are in one table, and whoever waits looks again and again, too.

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind, Read, Write};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

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

pub fn serve<S>(
    input: impl Read,
    output: impl Write,
    initialise: impl FnOnce() -> Result<S, String>,
    mut work: impl FnMut(&mut S, Vec<u8>) -> Vec<u8>,
) -> io::Result<()> {
    let (mut input, mut output) = (io::BufReader::new(input), io::BufWriter::new(output));
    let text = |payload: Box<dyn std::any::Any + Send>| match payload.downcast::<&str>() {
        Ok(text) => text.to_string(),
        Err(payload) => payload.downcast::<String>().map_or("no words".to_owned(), |text| *text),
    };
    let begun = catch_unwind(AssertUnwindSafe(initialise)).map_err(text).and_then(|result| result);
    let first = match &begun {
        Ok(_) => Said::Ready,
        Err(why) => Said::Unable(why.to_owned()),
    };
    first.send(&mut output).and_then(|()| output.flush())?;
    let mut state = begun.map_err(io::Error::other)?;
    while let Some(job) = Job::receive(&mut input)? {
        let result = catch_unwind(AssertUnwindSafe(|| work(&mut state, job.input))).map_err(text);
        Said::Done(job.number, result).send(&mut output).and_then(|()| output.flush())?;
    }
    Ok(())
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
    all: Arc<All>,
    places: Vec<JoinHandle<()>>,
}

struct All {
    table: Mutex<Table>,
    command: Mutex<Command>,
    settings: Settings,
    places: AtomicUsize,
    busy: AtomicUsize,
    closing: AtomicBool,
    over: AtomicBool,
}

#[derive(Default)]
struct Table {
    next: u64,
    inputs: HashMap<u64, Vec<u8>>,
    outcomes: HashMap<u64, Outcome>,
    waiting: VecDeque<VecDeque<u64>>,
    no_worker: String,
}

pub struct Handle(Arc<All>, u64);

const MOMENT: Duration = Duration::from_micros(300);

impl All {
    /// Numbers them, and puts them at the end.
    fn put(&self, inputs: Vec<Vec<u8>>) -> Vec<u64> {
        let mut table = self.table.lock().unwrap();
        let numbers: Vec<u64> = (table.next..).take(inputs.len()).collect();
        table.next += inputs.len() as u64;
        table.inputs.extend(numbers.iter().copied().zip(inputs));
        table.waiting.push_back(numbers.iter().copied().collect());
        numbers
    }

    fn take(&self, number: u64) -> Outcome {
        loop {
            let mut table = self.table.lock().unwrap();
            if let Some(outcome) = table.outcomes.remove(&number) {
                return outcome;
            }
            if self.over.load(SeqCst) {
                return Err(Failure::Dropped);
            }
            if self.places.load(SeqCst) == 0 {
                return Err(Failure::NoWorker(table.no_worker.clone()));
            }
            drop(table);
            thread::sleep(MOMENT);
        }
    }

    fn tell(&self, number: u64, outcome: Outcome) {
        let mut table = self.table.lock().unwrap();
        table.inputs.remove(&number);
        table.outcomes.insert(number, outcome);
    }
}

impl Pool {
    pub fn start(mut command: Command, settings: Settings) -> io::Result<Pool> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let first = command.spawn()?;
        let all = Arc::new(All {
            table: Mutex::default(),
            command: Mutex::new(command),
            settings,
            places: AtomicUsize::new(settings.workers.get()),
            busy: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            over: AtomicBool::new(false),
        });
        let mut first = Some(Live::of(first));
        let places = (0..settings.workers.get()).map(|_| {
            let (all, live) = (Arc::clone(&all), first.take());
            thread::spawn(move || all.place(live))
        });
        let places = places.collect();
        Ok(Pool { all, places })
    }

    pub fn submit(&self, input: Vec<u8>) -> Handle {
        assert!(input.len() <= LONGEST, "too long");
        let number = self.all.put(vec![input])[0];
        Handle(Arc::clone(&self.all), number)
    }

    pub fn map(&self, inputs: impl IntoIterator<Item = Vec<u8>>, chunk: NonZeroUsize) -> Vec<Outcome> {
        let (mut numbers, mut next) = (Vec::new(), Vec::new());
        for input in inputs {
            assert!(input.len() <= LONGEST, "too long");
            next.push(input);
            if next.len() == chunk.get() {
                numbers.extend(self.all.put(std::mem::take(&mut next)));
            }
        }
        numbers.extend(self.all.put(next));
        numbers.into_iter().map(|number| self.all.take(number)).collect()
    }

    pub fn shutdown(mut self) {
        self.all.closing.store(true, SeqCst);
        self.places.drain(..).for_each(|place| place.join().unwrap());
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.all.over.store(true, SeqCst);
        self.places.drain(..).for_each(|place| drop(place.join()));
    }
}

impl Handle {
    pub fn wait(self) -> Outcome {
        self.0.take(self.1)
    }
}

struct Live {
    child: Child,
    stdin: Option<Arc<Mutex<ChildStdin>>>,
    said: Receiver<Said>,
    helpers: Vec<JoinHandle<()>>,
    done: usize,
    ready: bool,
}

impl Live {
    fn of(mut child: Child) -> Live {
        let (stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (tell, said) = channel();
        let reader = thread::spawn(move || {
            while let Ok(Some(words)) = Said::receive(&mut stdout) {
                if tell.send(words).is_err() {
                    return;
                }
            }
        });
        Live { child, stdin: Some(Arc::new(Mutex::new(stdin))), said, helpers: vec![reader], done: 0, ready: false }
    }

    fn write(&mut self, jobs: Vec<Job>) {
        let stdin = Arc::clone(self.stdin.as_ref().unwrap());
        self.helpers.push(thread::spawn(move || {
            let mut stdin = stdin.lock().unwrap();
            let _ = jobs.iter().try_for_each(|job| job.send(&mut *stdin));
        }));
    }

    fn end(mut self, limit: Duration, over: &AtomicBool) {
        self.stdin = None;
        let begin = Instant::now();
        while !over.load(SeqCst) && begin.elapsed() < limit && self.child.try_wait().unwrap().is_none() {
            thread::sleep(MOMENT);
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.stdin = None;
        self.helpers.drain(..).for_each(|helper| drop(helper.join()));
    }
}

impl All {
    fn place(&self, mut live: Option<Live>) {
        let most = self.settings.jobs_each.map_or(usize::MAX, NonZeroUsize::get);
        loop {
            if self.over.load(SeqCst) {
                return;
            }
            // A worker that has never been asked may have failed, too.
            if live.as_ref().is_some_and(|live| !live.ready) && !self.greets(live.as_mut().unwrap()) {
                drop(live.take());
                self.places.fetch_sub(1, SeqCst);
                return;
            }
            // Who says something now, or has gone, is of no use.
            if live.as_mut().is_some_and(|live| live.said.try_recv() != Err(TryRecvError::Empty)) {
                live = None;
            }
            if live.as_ref().is_some_and(|live| live.done == most) {
                live.take().unwrap().end(self.settings.limit, &self.over);
            }
            let waits = self.table.lock().unwrap().waiting.iter().any(|chunk| !chunk.is_empty());
            if !waits {
                if self.closing.load(SeqCst) && self.busy.load(SeqCst) == 0 {
                    if let Some(live) = live {
                        live.end(self.settings.limit, &self.over);
                    }
                    return;
                }
                thread::sleep(MOMENT);
                continue;
            }
            if live.is_none() {
                let child = self.command.lock().unwrap().spawn();
                match child {
                    Ok(child) => live = Some(Live::of(child)),
                    Err(error) => {
                        self.table.lock().unwrap().no_worker = error.to_string();
                        self.places.fetch_sub(1, SeqCst);
                        return;
                    }
                }
                continue;
            }
            let worker = live.as_mut().unwrap();
            let mut table = self.table.lock().unwrap();
            let Some(mut chunk) = table.waiting.pop_front() else { continue };
            self.busy.fetch_add(1, SeqCst);
            if chunk.len() > most - worker.done {
                let rest = chunk.split_off(most - worker.done);
                table.waiting.push_front(rest);
            }
            let jobs = chunk.iter().map(|&number| Job { number, input: table.inputs[&number].clone() }).collect();
            drop(table);
            worker.done += chunk.len();
            worker.write(jobs);
            if let Some(failure) = self.hears(worker, &mut chunk) {
                drop(live.take());
                if let Some(first) = chunk.pop_front() {
                    self.tell(first, Err(failure));
                    self.table.lock().unwrap().waiting.push_front(chunk);
                }
            }
            self.busy.fetch_sub(1, SeqCst);
        }
    }

    fn greets(&self, worker: &mut Live) -> bool {
        let why = match self.next(worker) {
            Ok(Said::Ready) => {
                worker.ready = true;
                return true;
            }
            Ok(Said::Unable(why)) => why,
            Ok(said) => format!("{said:?}"),
            Err(failure) => format!("{failure:?}"),
        };
        self.table.lock().unwrap().no_worker = why;
        false
    }

    fn hears(&self, worker: &mut Live, chunk: &mut VecDeque<u64>) -> Option<Failure> {
        while let Some(first) = chunk.front() {
            match self.next(worker) {
                Ok(Said::Done(number, outcome)) if number == *first => {
                    self.tell(number, outcome.map_err(Failure::Panicked))
                }
                Ok(_) => return Some(Failure::Lost),
                Err(failure) => return Some(failure),
            }
            chunk.pop_front();
        }
        None
    }

    fn next(&self, worker: &Live) -> Result<Said, Failure> {
        let begin = Instant::now();
        loop {
            match worker.said.try_recv() {
                Ok(said) => return Ok(said),
                Err(TryRecvError::Disconnected) => return Err(Failure::Lost),
                Err(TryRecvError::Empty) if self.over.load(SeqCst) => return Err(Failure::Dropped),
                Err(TryRecvError::Empty) if begin.elapsed() >= self.settings.limit => return Err(Failure::TimedOut),
                Err(TryRecvError::Empty) => thread::sleep(MOMENT),
            }
        }
    }
}
