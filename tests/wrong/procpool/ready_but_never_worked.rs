//! rejected: assertion
//! by: a_worker_that_ends_without_a_job_costs_none
//!
//! Breaks "A worker that ends without a job leaves its place to the next one: as many jobs as before are done at the same time", for a
//! worker that was ready and is killed before it was given its first job: its place is lost, so of two workers only one is left, and of one
//! none: `NoWorker`. To be safe from programs that end as soon as they are ready, whoever has not done a job yet counts as never ready.

use std::collections::VecDeque;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::mem;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
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
    let mut state = match guarded(initialise).and_then(|initialised| initialised) {
        Ok(state) => state,
        Err(why) => {
            let _ = answer(&mut output, Said::Unable(why.clone()));
            return Err(io::Error::other(why));
        }
    };
    answer(&mut output, Said::Ready)?;
    while let Some(Job { number, input }) = Job::receive(&mut input)? {
        let outcome = guarded(|| work(&mut state, input));
        answer(&mut output, Said::Done(number, outcome))?;
    }
    Ok(())
}

fn guarded<T>(what: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(what)).map_err(|payload| {
        payload
            .downcast_ref::<&str>()
            .map(|text| String::from(*text))
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_default()
    })
}

/// Says it, and sees that it leaves. A text that is too long loses its end.
fn answer(output: &mut impl Write, mut said: Said) -> io::Result<()> {
    if let Said::Unable(text) | Said::Done(_, Err(text)) = &mut said
        && text.len() > LONGEST
    {
        let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
    }
    said.send(output)?;
    output.flush()
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
    office: mpsc::Sender<Mail>,
    /// Taken when it has ended.
    dispatcher: Option<JoinHandle<()>>,
}

impl Pool {
    /// Starts workers with this command, each with pipes as its standard input and output. They call [`serve`]. They need not be
    /// ready when this returns, and those that no job needs yet need not have been started.
    ///
    /// # Errors
    /// The operating system's, if the program can't be started. No process is left then.
    pub fn start(mut command: Command, settings: Settings) -> io::Result<Pool> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let first = (Instant::now(), command.spawn()?);
        let (office, inbox) = mpsc::channel();
        let mut dispatcher = Dispatcher {
            inbox,
            office: office.clone(),
            command: Arc::new(Mutex::new(command)),
            settings,
            queue: VecDeque::new(),
            places: Vec::new(),
            chunks_out: 0,
            lost_places: 0,
            why: String::new(),
            next_job: 0,
        };
        dispatcher.open_place(Some(first));
        let dispatcher = thread::spawn(move || dispatcher.run());
        Ok(Pool { office, dispatcher: Some(dispatcher) })
    }

    /// Hands over one job, and goes on at once. Jobs are begun in the order in which they came.
    ///
    /// # Panics
    /// If the input is longer than [`LONGEST`].
    pub fn submit(&self, input: Vec<u8>) -> Handle {
        must_fit(&input);
        let (outcome, told) = mpsc::sync_channel(1);
        let _ = self.office.send(Mail::New(vec![(input, outcome)]));
        Handle { told }
    }

    /// Hands over many jobs, waits until all of them have an outcome, and returns these in the order of the inputs.
    ///
    /// So many neighbours are a chunk (the last one may be shorter). A worker gets a whole chunk at once, or as much of it as it may
    /// still do: so neither has to wait for the other after each job. Large inputs and large results are no exception.
    ///
    /// # Panics
    /// If an input is longer than [`LONGEST`].
    pub fn map(&self, inputs: impl IntoIterator<Item = Vec<u8>>, chunk: NonZeroUsize) -> Vec<Outcome> {
        let mut jobs = Vec::new();
        let mut handles = Vec::new();
        for input in inputs {
            must_fit(&input);
            // Each has room for its outcome, so nobody who tells one ever waits.
            let (outcome, told) = mpsc::sync_channel(1);
            jobs.push((input, outcome));
            handles.push(Handle { told });
        }
        while !jobs.is_empty() {
            let later = jobs.split_off(chunk.get().min(jobs.len()));
            let _ = self.office.send(Mail::New(mem::replace(&mut jobs, later)));
        }
        handles.into_iter().map(Handle::wait).collect()
    }

    /// Waits until all jobs have an outcome, lets the workers end by closing their inputs, and waits for them.
    pub fn shutdown(mut self) {
        self.finish(Mail::Shutdown);
    }

    fn finish(&mut self, mail: Mail) {
        if let Some(dispatcher) = self.dispatcher.take() {
            let _ = self.office.send(mail);
            let _ = dispatcher.join();
        }
    }
}

impl Drop for Pool {
    /// Kills the workers, and waits until they are gone.
    fn drop(&mut self) {
        self.finish(Mail::Drop);
    }
}

fn must_fit(input: &[u8]) {
    assert!(input.len() <= LONGEST, "an input must not be longer than {LONGEST} bytes");
}

/// What will become of a job that was submitted. Dropping it changes nothing for the job.
pub struct Handle {
    told: mpsc::Receiver<Outcome>,
}

impl Handle {
    /// Waits for the job's outcome.
    pub fn wait(self) -> Outcome {
        self.told.recv().unwrap_or(Err(Failure::Dropped))
    }
}

struct Task {
    job: Arc<Job>,
    outcome: mpsc::SyncSender<Outcome>,
}

impl Task {
    fn tell(self, outcome: Outcome) {
        // If nobody wants to know it, that is none of our business.
        let _ = self.outcome.try_send(outcome);
    }
}

type Chunk = VecDeque<Task>;

/// What the dispatcher is told.
enum Mail {
    New(Vec<(Vec<u8>, mpsc::SyncSender<Outcome>)>),
    /// The worker at this place waits for a chunk of at most so many jobs.
    Free(usize, Option<usize>),
    /// The worker at this place has done all that it may do.
    Leaves(usize),
    /// There is no worker at this place any more.
    Vacant(usize),
    /// A chunk has come to its end. These of it were not begun.
    Settled(Chunk),
    /// This place never had a worker that was ready, and won't have one.
    Lost(usize, String),
    Shutdown,
    Drop,
}

/// What a foreman is told.
enum Note {
    Hire,
    Chunk(Chunk),
    /// No more jobs come: the worker is to end until then.
    Close(Option<Instant>),
    Stop,
    /// What the worker with this number said, and when.
    Said(u64, Instant, io::Result<Option<Said>>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Vacant,
    Starting,
    Free(Option<usize>),
    Busy,
    Leaving,
    Lost,
}

struct Place {
    status: Status,
    notes: mpsc::Sender<Note>,
    foreman: JoinHandle<()>,
}

struct Dispatcher {
    inbox: mpsc::Receiver<Mail>,
    office: mpsc::Sender<Mail>,
    command: Arc<Mutex<Command>>,
    settings: Settings,
    queue: VecDeque<Chunk>,
    places: Vec<Place>,
    /// Chunks that foremen have, and have not settled.
    chunks_out: usize,
    lost_places: usize,
    why: String,
    next_job: u64,
}

impl Dispatcher {
    fn run(mut self) {
        let mut closing = false;
        while !(closing && self.is_done()) {
            match self.inbox.recv() {
                Ok(Mail::New(jobs)) => self.number(jobs),
                Ok(Mail::Free(place, may_do)) => self.places[place].status = Status::Free(may_do),
                Ok(Mail::Leaves(place)) => self.places[place].status = Status::Leaving,
                Ok(Mail::Vacant(place)) => self.places[place].status = Status::Vacant,
                Ok(Mail::Settled(rest)) => {
                    self.chunks_out -= 1;
                    if !rest.is_empty() {
                        self.queue.push_front(rest);
                    }
                }
                Ok(Mail::Lost(place, why)) => {
                    self.places[place].status = Status::Lost;
                    self.lost_places += 1;
                    self.why = why;
                }
                Ok(Mail::Shutdown) => closing = true,
                Ok(Mail::Drop) | Err(_) => return self.end(|| Note::Stop),
            }
            self.dispatch();
        }
        let deadline = Instant::now().checked_add(self.settings.limit);
        self.end(|| Note::Close(deadline));
    }

    fn is_done(&self) -> bool {
        self.queue.is_empty() && self.chunks_out == 0
    }

    /// The same for all foremen, and waits for them. Then drops what is left.
    fn end(self, note: impl Fn() -> Note) {
        for place in &self.places {
            let _ = place.notes.send(note());
        }
        for place in self.places {
            let _ = place.foreman.join();
        }
    }

    fn number(&mut self, jobs: Vec<(Vec<u8>, mpsc::SyncSender<Outcome>)>) {
        let first = self.next_job;
        self.next_job += jobs.len() as u64;
        let tasks = (first..)
            .zip(jobs)
            .map(|(number, (input, outcome))| Task { job: Arc::new(Job { number, input }), outcome });
        self.queue.push_back(tasks.collect());
    }

    fn dispatch(&mut self) {
        for place in &mut self.places {
            let Status::Free(may_do) = place.status else { continue };
            let Some(mut chunk) = self.queue.pop_front() else { return };
            if let Some(may_do) = may_do
                && chunk.len() > may_do
            {
                self.queue.push_front(chunk.split_off(may_do));
            }
            place.status = Status::Busy;
            self.chunks_out += 1;
            let _ = place.notes.send(Note::Chunk(chunk));
        }
        let starting = self.places.iter().filter(|place| place.status == Status::Starting).count();
        for _ in starting..self.queue.len() {
            if let Some(place) = self.places.iter_mut().find(|place| place.status == Status::Vacant) {
                place.status = Status::Starting;
                let _ = place.notes.send(Note::Hire);
            } else if self.places.len() < self.settings.workers.get() {
                self.open_place(None);
            } else {
                break;
            }
        }
        if self.lost_places == self.settings.workers.get() {
            for task in self.queue.drain(..).flatten() {
                task.tell(Err(Failure::NoWorker(self.why.clone())));
            }
        }
    }

    /// A new place, with a foreman who hires a worker, or has one.
    fn open_place(&mut self, worker: Option<(Instant, Child)>) {
        let (notes, inbox) = mpsc::channel();
        let foreman = Foreman {
            place: self.places.len(),
            inbox,
            notes: notes.clone(),
            office: self.office.clone(),
            command: Arc::clone(&self.command),
            settings: self.settings,
            hired: 0,
        };
        let foreman = thread::spawn(move || foreman.run(worker));
        self.places.push(Place { status: Status::Starting, notes, foreman });
    }
}

/// Why a foreman has done his duty.
struct Over;

struct Foreman {
    place: usize,
    inbox: mpsc::Receiver<Note>,
    notes: mpsc::Sender<Note>,
    office: mpsc::Sender<Mail>,
    command: Arc<Mutex<Command>>,
    settings: Settings,
    /// How many workers he has had.
    hired: u64,
}

impl Foreman {
    fn run(mut self, mut first: Option<(Instant, Child)>) {
        // Whoever opens the place wants a worker.
        let mut wanted = true;
        loop {
            if wanted {
                let Ok(()) = self.employ(first.take()) else { return };
                wanted = false;
            }
            match self.inbox.recv() {
                Ok(Note::Hire) => wanted = true,
                // It was sent when the worker had just ended.
                Ok(Note::Chunk(chunk)) => self.settle(chunk, Failure::Lost),
                Ok(Note::Said(..)) => {}
                Ok(Note::Close(_) | Note::Stop) | Err(_) => return,
            }
        }
    }

    fn tell(&self, mail: Mail) {
        let _ = self.office.send(mail);
    }

    fn deadline(&self) -> Option<Instant> {
        Instant::now().checked_add(self.settings.limit)
    }

    /// The first job of these has failed, and the others are for somebody else.
    fn settle(&self, mut chunk: Chunk, failure: Failure) {
        if let Some(task) = chunk.pop_front() {
            task.tell(Err(failure));
        }
        self.tell(Mail::Settled(chunk));
    }

    /// One worker, from its start to its end.
    fn employ(&mut self, first: Option<(Instant, Child)>) -> Result<(), Over> {
        let began = Instant::now();
        let spawned = match first {
            Some(first) => Ok(first),
            None => self.command.lock().unwrap_or_else(PoisonError::into_inner).spawn().map(|child| (began, child)),
        };
        let (began, child) = match spawned {
            Ok(spawned) => spawned,
            Err(error) => {
                self.tell(Mail::Lost(self.place, error.to_string()));
                return Err(Over);
            }
        };
        self.hired += 1;
        let mut worker = Worker::new(self.hired, child, &self.notes);
        let why = match self.next(&worker, began.checked_add(self.settings.limit)) {
            Event::Said(_, Some(Said::Ready)) => None,
            Event::Said(_, Some(Said::Unable(why))) => Some(why),
            Event::Said(..) => Some("the worker ended, or said something else, before it was ready".to_owned()),
            Event::Late => Some("the worker was not ready in time".to_owned()),
            Event::Close(deadline) => {
                self.see_out(&mut worker, deadline, false);
                return Err(Over);
            }
            Event::Chunk(_) | Event::Stop => return Err(Over),
        };
        if let Some(why) = why {
            drop(worker);
            self.tell(Mail::Lost(self.place, why));
            return Err(Over);
        }
        let mut may_do = self.settings.jobs_each.map(NonZeroUsize::get);
        let mut worked = false;
        loop {
            self.tell(Mail::Free(self.place, may_do));
            let mut chunk = match self.next(&worker, None) {
                Event::Chunk(chunk) => chunk,
                Event::Close(deadline) => {
                    self.see_out(&mut worker, deadline, true);
                    return Err(Over);
                }
                Event::Stop => return Err(Over),
                Event::Said(..) | Event::Late if !worked => {
                    // Otherwise such a program would be started again and again.
                    self.tell(Mail::Lost(self.place, "the worker ended before it had done anything".to_owned()));
                    return Err(Over);
                }
                Event::Said(..) | Event::Late => {
                    self.tell(Mail::Vacant(self.place));
                    return Ok(());
                }
            };
            if let Some(may_do) = &mut may_do {
                *may_do -= chunk.len();
            }
            worker.give(&chunk);
            worked = true;
            while let Some(task) = chunk.front() {
                let failure = match self.next(&worker, self.deadline()) {
                    Event::Said(_, Some(Said::Done(number, outcome))) if number == task.job.number => {
                        if let Some(task) = chunk.pop_front() {
                            task.tell(outcome.map_err(Failure::Panicked));
                        }
                        continue;
                    }
                    Event::Stop => return Err(Over),
                    Event::Late => Failure::TimedOut,
                    Event::Said(..) | Event::Chunk(_) | Event::Close(_) => Failure::Lost,
                };
                // What it has not begun, it must not begin when somebody else has it.
                drop(worker);
                self.settle(chunk, failure);
                self.tell(Mail::Vacant(self.place));
                return Ok(());
            }
            self.tell(Mail::Settled(chunk));
            if may_do == Some(0) {
                self.tell(Mail::Leaves(self.place));
                let closed = self.see_out(&mut worker, self.deadline(), true);
                drop(worker);
                if closed {
                    return Err(Over);
                }
                self.tell(Mail::Vacant(self.place));
                return Ok(());
            }
        }
    }

    /// What happens next at this place. What arrived too late is too late, whenever we look.
    fn next(&self, worker: &Worker, deadline: Option<Instant>) -> Event {
        match self.event(worker, deadline) {
            Event::Said(at, _) if deadline.is_some_and(|deadline| at >= deadline) => Event::Late,
            event => event,
        }
    }

    /// What happens until then. Other workers' words count no more.
    fn event(&self, worker: &Worker, until: Option<Instant>) -> Event {
        loop {
            let note = match until {
                None => self.inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(time) => self.inbox.recv_timeout(time.saturating_duration_since(Instant::now())),
            };
            return match note {
                Ok(Note::Said(number, ..)) if number != worker.number => continue,
                Ok(Note::Said(_, at, said)) => Event::Said(at, said.unwrap_or(None)),
                Ok(Note::Chunk(chunk)) => Event::Chunk(chunk),
                Ok(Note::Close(deadline)) => Event::Close(deadline),
                Ok(Note::Hire) => continue,
                Ok(Note::Stop) | Err(RecvTimeoutError::Disconnected) => Event::Stop,
                Err(RecvTimeoutError::Timeout) => Event::Late,
            };
        }
    }

    /// Closes the worker's input, and waits until it has ended. If it takes too long, or says something, it is left to be killed.
    /// Returns whether this was the last one at this place.
    fn see_out(&self, worker: &mut Worker, deadline: Option<Instant>, mut ready: bool) -> bool {
        worker.jobs = None;
        let mut closed = false;
        let mut pause = Duration::from_millis(1);
        while matches!(worker.child.try_wait(), Ok(None)) {
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                break;
            }
            let until = deadline.map_or(now + pause, |deadline| deadline.min(now + pause));
            match self.event(worker, Some(until)) {
                Event::Late => pause = (2 * pause).min(Duration::from_millis(16)),
                Event::Close(_) => closed = true,
                Event::Said(_, None) => {}
                Event::Said(_, Some(Said::Ready | Said::Unable(_))) if !ready => ready = true,
                Event::Stop => return true,
                Event::Said(_, Some(_)) | Event::Chunk(_) => break,
            }
        }
        closed
    }
}

enum Event {
    /// At this time. `None`: it has ended, or what it said makes no sense.
    Said(Instant, Option<Said>),
    Late,
    Chunk(Chunk),
    Close(Option<Instant>),
    Stop,
}

/// A process and its two threads. None of them is there any more when this has been dropped.
struct Worker {
    number: u64,
    child: Child,
    jobs: Option<mpsc::Sender<Arc<Job>>>,
    threads: [Option<JoinHandle<()>>; 2],
}

impl Worker {
    fn new(number: u64, mut child: Child, notes: &mpsc::Sender<Note>) -> Worker {
        let (input, output) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        let (jobs, to_write) = mpsc::channel::<Arc<Job>>();
        let writer = thread::spawn(move || {
            let mut input = BufWriter::new(input);
            while let Ok(job) = to_write.recv() {
                let mut next = Some(job);
                // As long as there is more, it is not worth while to flush.
                while let Some(job) = next {
                    if job.send(&mut input).is_err() {
                        return;
                    }
                    next = to_write.try_recv().ok();
                }
                if input.flush().is_err() {
                    return;
                }
            }
        });
        let notes = notes.clone();
        let reader = thread::spawn(move || {
            let mut output = BufReader::new(output);
            loop {
                let said = Said::receive(&mut output);
                let over = !matches!(said, Ok(Some(_)));
                let _ = notes.send(Note::Said(number, Instant::now(), said));
                if over {
                    return;
                }
            }
        });
        Worker { number, child, jobs: Some(jobs), threads: [Some(writer), Some(reader)] }
    }

    fn give(&self, chunk: &Chunk) {
        if let Some(jobs) = &self.jobs {
            for task in chunk {
                let _ = jobs.send(Arc::clone(&task.job));
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
        for thread in self.threads.iter_mut().filter_map(Option::take) {
            let _ = thread.join();
        }
    }
}
