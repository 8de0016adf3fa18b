//! accepted
//!
//! A clerk who starts workers only when jobs wait, prefers the one that came last, and closes a worker's input together with its last
//! jobs. All pools take their jobs' numbers from one counter, which counts down. The clerk polls only for those that are silent and end.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub const LONGEST: usize = 1024 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub number: u64,
    pub input: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Ready,
    Unable(String),
    Done(u64, Result<Vec<u8>, String>),
}

impl Job {
    pub fn send(&self, writer: &mut impl Write) -> io::Result<()> {
        send(writer, &self.number.to_be_bytes(), &self.input)
    }

    pub fn receive(reader: &mut impl Read) -> io::Result<Option<Job>> {
        let Some(message) = receive(reader)? else { return Ok(None) };
        let (number, input) = message.split_first_chunk().ok_or(ErrorKind::InvalidData)?;
        Ok(Some(Job { number: u64::from_be_bytes(*number), input: input.to_vec() }))
    }
}

impl Said {
    pub fn send(&self, writer: &mut impl Write) -> io::Result<()> {
        match self {
            Said::Ready => send(writer, &[0], &[]),
            Said::Unable(why) => send(writer, &[1], why.as_bytes()),
            Said::Done(number, Ok(result)) => send(writer, &[&[2][..], &number.to_be_bytes()].concat(), result),
            Said::Done(number, Err(text)) => send(writer, &[&[3][..], &number.to_be_bytes()].concat(), text.as_bytes()),
        }
    }

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

fn send(writer: &mut impl Write, head: &[u8], body: &[u8]) -> io::Result<()> {
    if body.len() > LONGEST {
        return Err(io::Error::new(ErrorKind::InvalidInput, format!("{} bytes are more than {LONGEST}", body.len())));
    }
    writer.write_all(&[&((head.len() + body.len()) as u32).to_be_bytes(), head, body].concat())
}

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

fn text_of(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast_ref::<&str>().map_or_else(|| "a panic".to_string(), |text| text.to_string()),
    }
}

pub fn serve<S>(
    mut input: impl Read,
    mut output: impl Write,
    initialise: impl FnOnce() -> Result<S, String>,
    mut work: impl FnMut(&mut S, Vec<u8>) -> Vec<u8>,
) -> io::Result<()> {
    let made = panic::catch_unwind(AssertUnwindSafe(initialise)).unwrap_or_else(|payload| Err(text_of(payload)));
    let mut state = match made {
        Ok(state) => state,
        Err(why) => {
            Said::Unable(why.clone()).send(&mut output)?;
            output.flush()?;
            return Err(io::Error::other(why));
        }
    };
    Said::Ready.send(&mut output)?;
    output.flush()?;
    while let Some(job) = Job::receive(&mut input)? {
        let result = panic::catch_unwind(AssertUnwindSafe(|| work(&mut state, job.input)));
        Said::Done(job.number, result.map_err(text_of)).send(&mut output)?;
        output.flush()?;
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

struct Task {
    job: Job,
    place: usize,
    to: Sender<(usize, Outcome)>,
}

impl Task {
    fn answer(self, outcome: Outcome) {
        let _ = self.to.send((self.place, outcome));
    }
}

enum Event {
    Chunk(VecDeque<Task>),
    Said(u64, Said),
    Silent(u64),
    Close,
    Drop,
}

struct Worker {
    child: Child,
    jobs: Option<Sender<Vec<Job>>>,
    ready: bool,
    silent: bool,
    doing: VecDeque<Task>,
    may_do: usize,
    deadline: Option<Instant>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Clerk {
    command: Command,
    settings: Settings,
    inbox: Receiver<Event>,
    tell: Sender<Event>,
    waiting: VecDeque<VecDeque<Task>>,
    workers: BTreeMap<u64, Worker>,
    next: u64,
    room: usize,
    why: String,
    closing: bool,
}

impl Clerk {
    fn after(&self, limit: Duration) -> Option<Instant> {
        Instant::now().checked_add(limit)
    }

    fn hire(&mut self) -> io::Result<()> {
        let mut child = self.command.spawn()?;
        let (stdin, stdout) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let id = self.next;
        self.next += 1;
        let (jobs, given) = mpsc::channel::<Vec<Job>>();
        thread::spawn(move || {
            let mut stdin = BufWriter::new(stdin);
            for jobs in given {
                for job in jobs {
                    if job.send(&mut stdin).is_err() {
                        return;
                    }
                }
                if stdin.flush().is_err() {
                    return;
                }
            }
        });
        let tell = self.tell.clone();
        thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            while let Ok(Some(said)) = Said::receive(&mut stdout) {
                if tell.send(Event::Said(id, said)).is_err() {
                    return;
                }
            }
            let _ = tell.send(Event::Silent(id));
        });
        let may_do = self.settings.jobs_each.map_or(usize::MAX, NonZeroUsize::get);
        let deadline = self.after(self.settings.limit);
        self.workers.insert(
            id,
            Worker { child, jobs: Some(jobs), ready: false, silent: false, doing: VecDeque::new(), may_do, deadline },
        );
        Ok(())
    }

    fn give(&mut self) {
        while let Some(mut chunk) = self.waiting.pop_front() {
            let free = self
                .workers
                .values_mut()
                .rev()
                .find(|w| w.ready && w.jobs.is_some() && w.doing.is_empty() && !w.silent);
            let Some(worker) = free else {
                self.waiting.push_front(chunk);
                break;
            };
            let rest = chunk.split_off(chunk.len().min(worker.may_do));
            worker.may_do -= chunk.len();
            let jobs = chunk.iter().map(|task| task.job.clone()).collect();
            worker.doing = chunk;
            worker.deadline = Instant::now().checked_add(self.settings.limit);
            if let Some(to) = &worker.jobs {
                let _ = to.send(jobs);
            }
            if worker.may_do == 0 {
                // It may end as soon as it has answered.
                worker.jobs = None;
            }
            if !rest.is_empty() {
                self.waiting.push_front(rest);
            }
        }
        let mut starting = self.workers.values().filter(|w| !w.ready).count();
        while starting < self.waiting.len() && self.workers.len() < self.room {
            match self.hire() {
                Ok(()) => starting += 1,
                Err(error) => self.fail(error.to_string()),
            }
        }
        if self.room == 0 && self.workers.is_empty() {
            for task in self.waiting.drain(..).flatten() {
                task.answer(Err(Failure::NoWorker(self.why.clone())));
            }
        }
    }

    fn fail(&mut self, why: String) {
        self.room -= 1;
        self.why = why;
    }

    fn fire(&mut self, id: u64, failure: Failure) {
        let Some(mut worker) = self.workers.remove(&id) else { return };
        let mut doing = std::mem::take(&mut worker.doing);
        let (ready, ending) = (worker.ready, worker.jobs.is_none());
        drop(worker);
        if let Some(task) = doing.pop_front() {
            task.answer(Err(failure));
        }
        if !doing.is_empty() {
            self.waiting.push_front(doing);
        }
        if !ready && !ending {
            self.fail("a worker was never ready".to_string());
        }
    }

    fn retire(&mut self, id: u64) {
        let deadline = self.after(self.settings.limit);
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.jobs = None;
            worker.deadline = deadline;
        }
    }

    fn said(&mut self, id: u64, said: Said) {
        let limit = self.settings.limit;
        let Some(worker) = self.workers.get_mut(&id) else { return };
        match said {
            Said::Ready if !worker.ready => {
                worker.ready = true;
                if worker.jobs.is_some() {
                    worker.deadline = None;
                }
            }
            Said::Unable(why) if !worker.ready => {
                let ending = worker.jobs.is_none();
                worker.ready = true;
                self.workers.remove(&id);
                if !ending {
                    self.fail(why);
                }
            }
            Said::Done(number, outcome) if worker.doing.front().is_some_and(|task| task.job.number == number) => {
                let task = worker.doing.pop_front().expect("it has just been looked at");
                worker.deadline = if worker.doing.is_empty() { None } else { Instant::now().checked_add(limit) };
                let retire = worker.doing.is_empty() && worker.may_do == 0;
                task.answer(outcome.map_err(Failure::Panicked));
                if retire {
                    self.retire(id);
                }
            }
            _ => self.fire(id, Failure::Lost),
        }
    }

    fn silent(&mut self, id: u64) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        if worker.jobs.is_none() && worker.doing.is_empty() {
            worker.silent = true;
        } else {
            self.fire(id, Failure::Lost);
        }
    }

    fn event(&mut self) -> Option<Event> {
        loop {
            if let Ok(event) = self.inbox.try_recv() {
                return Some(event);
            }
            // Those that end, and have closed their outputs already.
            self.workers.retain(|_, w| !(w.silent && !matches!(w.child.try_wait(), Ok(None))));
            if self.over() {
                return None;
            }
            self.give();
            let now = Instant::now();
            let late: Vec<u64> = self
                .workers
                .iter()
                .filter(|(_, w)| w.deadline.is_some_and(|at| at <= now))
                .map(|(id, _)| *id)
                .collect();
            if !late.is_empty() {
                if let Ok(event) = self.inbox.try_recv() {
                    return Some(event);
                }
                for id in late {
                    self.fire(id, Failure::TimedOut);
                }
                continue;
            }
            let mut first = self.workers.values().filter_map(|w| w.deadline).min();
            if self.workers.values().any(|w| w.silent) {
                let soon = now + Duration::from_millis(2);
                first = Some(first.map_or(soon, |first| first.min(soon)));
            }
            match first {
                None => return self.inbox.recv().ok(),
                Some(at) => match self.inbox.recv_timeout(at.saturating_duration_since(now)) {
                    Ok(event) => return Some(event),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return None,
                },
            }
        }
    }

    fn over(&mut self) -> bool {
        if !self.closing {
            return false;
        }
        if self.waiting.is_empty() && self.workers.values().all(|w| w.doing.is_empty()) {
            let all: Vec<u64> = self.workers.iter().filter(|(_, w)| w.jobs.is_some()).map(|(id, _)| *id).collect();
            for id in all {
                self.retire(id);
            }
            return self.workers.is_empty();
        }
        false
    }

    fn run(mut self) {
        loop {
            self.give();
            let Some(event) = self.event() else { return };
            match event {
                Event::Chunk(chunk) => self.waiting.push_back(chunk),
                Event::Said(id, said) => self.said(id, said),
                Event::Silent(id) => self.silent(id),
                Event::Close => self.closing = true,
                Event::Drop => return,
            }
        }
    }
}

pub struct Pool {
    tell: Sender<Event>,
    clerk: Option<JoinHandle<()>>,
}

impl Pool {
    pub fn start(mut command: Command, settings: Settings) -> io::Result<Pool> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let (tell, inbox) = mpsc::channel();
        let mut clerk = Clerk {
            command,
            settings,
            inbox,
            tell: tell.clone(),
            waiting: VecDeque::new(),
            workers: BTreeMap::new(),
            next: 0,
            room: settings.workers.get(),
            why: String::new(),
            closing: false,
        };
        clerk.hire()?;
        let clerk = thread::spawn(move || clerk.run());
        Ok(Pool { tell, clerk: Some(clerk) })
    }

    fn task(&self, input: Vec<u8>, place: usize, to: &Sender<(usize, Outcome)>) -> Task {
        let number = u64::MAX - NUMBERS.fetch_add(1, SeqCst);
        Task { job: Job { number, input }, place, to: to.clone() }
    }

    pub fn submit(&self, input: Vec<u8>) -> Handle {
        assert!(input.len() <= LONGEST, "the input is too long");
        let (to, outcome) = mpsc::channel();
        let task = self.task(input, 0, &to);
        let _ = self.tell.send(Event::Chunk(VecDeque::from([task])));
        Handle { outcome }
    }

    pub fn map(&self, inputs: impl IntoIterator<Item = Vec<u8>>, chunk: NonZeroUsize) -> Vec<Outcome> {
        let inputs: Vec<Vec<u8>> = inputs.into_iter().collect();
        assert!(inputs.iter().all(|input| input.len() <= LONGEST), "an input is too long");
        let (to, outcomes) = mpsc::channel();
        let mut all: Vec<Outcome> = inputs.iter().map(|_| Err(Failure::Dropped)).collect();
        let mut tasks: VecDeque<Task> =
            inputs.into_iter().enumerate().map(|(place, input)| self.task(input, place, &to)).collect();
        drop(to);
        while !tasks.is_empty() {
            let rest = tasks.split_off(chunk.get().min(tasks.len()));
            let _ = self.tell.send(Event::Chunk(tasks));
            tasks = rest;
        }
        for (place, outcome) in outcomes {
            all[place] = outcome;
        }
        all
    }

    pub fn shutdown(mut self) {
        let _ = self.tell.send(Event::Close);
        if let Some(clerk) = self.clerk.take() {
            let _ = clerk.join();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let _ = self.tell.send(Event::Drop);
        if let Some(clerk) = self.clerk.take() {
            let _ = clerk.join();
        }
    }
}

pub struct Handle {
    outcome: Receiver<(usize, Outcome)>,
}

impl Handle {
    pub fn wait(self) -> Outcome {
        self.outcome.recv().map_or(Err(Failure::Dropped), |(_, outcome)| outcome)
    }
}

static NUMBERS: AtomicU64 = AtomicU64::new(1 << 33);
