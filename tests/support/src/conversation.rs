//! The other end of a worker that answers lines: it asks for one thing at a time, notices answers that stay behind, and fails
//! when a test wants it to.

use std::fmt;
use std::io::{self, BufRead, BufReader, BufWriter, Cursor, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex};

use crate::tools::locked;

/// How the streams of a conversation behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// As usual.
    Wide,
    /// They take and give one byte at a time.
    Narrow,
    /// Reading this line fails like this, counted from 0. The end of the input counts as a line.
    ReadingFails(usize, ErrorKind),
    /// Writing this answer fails like this.
    WritingFails(usize, ErrorKind),
    /// Flushing this answer fails like this.
    FlushingFails(usize, ErrorKind),
}

impl fmt::Display for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Streams::Wide => f.write_str("in one piece"),
            Streams::Narrow => f.write_str("byte by byte"),
            Streams::ReadingFails(line, how) => write!(f, "where reading line {} fails with {how:?}", line + 1),
            Streams::WritingFails(answer, how) => write!(f, "where writing answer {} fails with {how:?}", answer + 1),
            Streams::FlushingFails(answer, how) => write!(f, "where flushing answer {} fails with {how:?}", answer + 1),
        }
    }
}

/// Begins a conversation: the worker's input, its output, and what has arrived at the other end.
///
/// The input gives the next line only when the one before is answered; an answer that has not left the output's buffer is
/// none. Otherwise the worker panics, with a message that says so.
///
/// ```
/// use std::io::{BufRead, Write};
/// use kata::conversation::{Streams, begin};
///
/// let (input, mut output, arrived) = begin(vec![b"1".to_vec(), b"2".to_vec()], Streams::Narrow);
/// for line in input.lines() {
///     writeln!(output, "{}0", line.unwrap()).and_then(|()| output.flush()).unwrap();
/// }
/// assert_eq!(arrived.text(), "10\n20\n");
/// ```
pub fn begin(lines: Vec<Vec<u8>>, streams: Streams) -> (impl BufRead, impl Write, Arrived) {
    let arrived = Arrived::default();
    let asker = Asker { lines, streams, asked: 0, rest: Cursor::default(), arrived: arrived.clone() };
    let sink = Sink { streams, arrived: arrived.clone() };
    // The smallest reader asks for each byte.
    let capacity = if streams == Streams::Narrow { 1 } else { 1024 };
    // Where writing fails, or takes less than it is given, the worker shall see it when it writes.
    let kept = if matches!(streams, Streams::Narrow | Streams::WritingFails(..)) { 0 } else { 1024 };
    (BufReader::with_capacity(capacity, asker), BufWriter::with_capacity(kept, sink), arrived)
}

/// What the worker has sent. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Arrived(Arc<Mutex<Vec<u8>>>);

impl Arrived {
    /// All of it.
    ///
    /// # Panics
    /// If it is no text.
    pub fn text(&self) -> String {
        String::from_utf8(locked(&self.0).clone()).expect("answers are text")
    }

    /// How many lines are complete.
    fn lines(&self) -> usize {
        locked(&self.0).iter().filter(|byte| **byte == b'\n').count()
    }
}

struct Asker {
    lines: Vec<Vec<u8>>,
    streams: Streams,
    asked: usize,
    /// What is left of the line that was asked for last.
    rest: Cursor<Vec<u8>>,
    arrived: Arrived,
}

impl Read for Asker {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.position() == self.rest.get_ref().len() as u64 {
            let (answers, asked) = (self.arrived.lines(), self.asked);
            assert_eq!(answers, asked, "answers that have arrived when line {} is read", asked + 1);
            if let Streams::ReadingFails(line, how) = self.streams
                && line == asked
            {
                return Err(how.into());
            }
            let Some(line) = self.lines.get(asked) else { return Ok(0) };
            self.asked += 1;
            self.rest = Cursor::new([line, &b"\n"[..]].concat());
        }
        self.rest.read(buffer)
    }
}

struct Sink {
    streams: Streams,
    arrived: Arrived,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.streams {
            Streams::WritingFails(answer, how) if answer == self.arrived.lines() => Err(how.into()),
            Streams::Narrow => locked(&self.arrived.0).write(&bytes[..bytes.len().min(1)]),
            _ => locked(&self.arrived.0).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.streams {
            Streams::FlushingFails(answer, how) if answer < self.arrived.lines() => Err(how.into()),
            _ => Ok(()),
        }
    }
}
