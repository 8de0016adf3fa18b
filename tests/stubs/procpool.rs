//! A pool of worker processes. The lesson is in `README.md`.
//!
//! Jobs travel to a worker on its standard input, and what it says comes back on its standard output. Each message is its length in
//! 4 bytes, the highest first, and then so many bytes. [`Job`] and [`Said`] are the messages; how they become bytes is given.

use std::io::{self, ErrorKind, Read, Write};
use std::num::NonZeroUsize;
use std::process::Command;
use std::time::Duration;

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
    todo!()
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
    // The fields are yours to choose.
}

impl Pool {
    /// Starts workers with this command, each with pipes as its standard input and output. They call [`serve`]. They need not be
    /// ready when this returns, and those that no job needs yet need not have been started.
    ///
    /// # Errors
    /// The operating system's, if the program can't be started. No process is left then.
    pub fn start(command: Command, settings: Settings) -> io::Result<Pool> {
        todo!()
    }

    /// Hands over one job, and goes on at once. Jobs are begun in the order in which they came.
    ///
    /// # Panics
    /// If the input is longer than [`LONGEST`].
    pub fn submit(&self, input: Vec<u8>) -> Handle {
        todo!()
    }

    /// Hands over many jobs, waits until all of them have an outcome, and returns these in the order of the inputs.
    ///
    /// So many neighbours are a chunk (the last one may be shorter). A worker gets a whole chunk at once, or as much of it as it may
    /// still do: so neither has to wait for the other after each job. Large inputs and large results are no exception.
    ///
    /// # Panics
    /// If an input is longer than [`LONGEST`].
    pub fn map(&self, inputs: impl IntoIterator<Item = Vec<u8>>, chunk: NonZeroUsize) -> Vec<Outcome> {
        todo!()
    }

    /// Waits until all jobs have an outcome, lets the workers end by closing their inputs, and waits for them.
    pub fn shutdown(self) {
        todo!()
    }
}

impl Drop for Pool {
    /// Kills the workers, and waits until they are gone.
    fn drop(&mut self) {
        todo!()
    }
}

/// What will become of a job that was submitted. Dropping it changes nothing for the job.
pub struct Handle {
    // The fields are yours to choose.
}

impl Handle {
    /// Waits for the job's outcome.
    pub fn wait(self) -> Outcome {
        todo!()
    }
}
