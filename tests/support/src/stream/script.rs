//! Streams for one thread: what each call of `read` or `write` does is fixed beforehand.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind, Read, Write};

/// What a stream does when its bytes are used up, or its room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It moves no more bytes, and says so: `Ok(0)`.
    End,
    /// It fails with this kind.
    Fail(ErrorKind),
}

/// The kind of the error by which a stream ends a loop that tries again and again after its end.
pub const TRIED_FOR_EVER: ErrorKind = ErrorKind::Deadlock;

/// So many calls after the end have no good reason.
const PATIENCE: u32 = 1_000;

/// Where a stream's pieces end, and what happens at its end.
#[derive(Debug)]
struct Course {
    cuts: BTreeSet<usize>,
    interrupts: bool,
    interrupted: bool,
    then: Then,
    in_vain: u32,
}

impl Course {
    fn new() -> Course {
        Course { cuts: BTreeSet::new(), interrupts: false, interrupted: false, then: Then::End, in_vain: 0 }
    }

    /// How many of `wanted` bytes move in one piece, if `at` have moved and `left` can.
    fn piece(&mut self, at: usize, left: usize, wanted: usize) -> io::Result<usize> {
        self.interrupted = self.interrupts && !self.interrupted;
        if self.interrupted {
            return Err(ErrorKind::Interrupted.into());
        }
        let cut = self.cuts.range(at + 1..).next().map_or(usize::MAX, |cut| cut - at);
        match left.min(wanted).min(cut) {
            0 if wanted > 0 => self.end(),
            length => Ok(length),
        }
    }

    fn end(&mut self) -> io::Result<usize> {
        self.in_vain += 1;
        if self.in_vain > PATIENCE {
            return Err(io::Error::new(TRIED_FOR_EVER, format!("tried {PATIENCE} times after the end of the stream")));
        }
        match self.then {
            Then::End => Ok(0),
            Then::Fail(kind) => Err(io::Error::new(kind, WORDS)),
        }
    }
}

/// The text of the errors that a stream fails with.
const WORDS: &str = "the stream fails here";

/// A reader that gives these bytes.
#[derive(Debug)]
pub struct Script {
    bytes: Vec<u8>,
    given: usize,
    course: Course,
}

impl Script {
    /// All bytes in one piece, and then the end.
    pub fn of(bytes: impl Into<Vec<u8>>) -> Script {
        Script { bytes: bytes.into(), given: 0, course: Course::new() }
    }

    /// A `read` stops after so many bytes from the beginning, at each of these.
    pub fn cut_at(mut self, cuts: impl IntoIterator<Item = usize>) -> Script {
        self.course.cuts.extend(cuts);
        self
    }

    /// Each `read` is interrupted first, as by a signal, and has to be tried again.
    pub fn interrupted(mut self) -> Script {
        self.course.interrupts = true;
        self
    }

    /// What comes when all bytes are given.
    pub fn then(mut self, then: Then) -> Script {
        self.course.then = then;
        self
    }

    /// How many bytes nobody has read yet.
    pub fn left(&self) -> usize {
        self.bytes.len() - self.given
    }
}

impl Read for Script {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.course.piece(self.given, self.left(), buffer.len())?;
        buffer[..length].copy_from_slice(&self.bytes[self.given..][..length]);
        self.given += length;
        Ok(length)
    }
}

/// A writer that keeps what it is given, and knows what has been flushed.
#[derive(Debug)]
pub struct Page {
    bytes: Vec<u8>,
    flushed: usize,
    room: usize,
    course: Course,
    flush_fails: Option<ErrorKind>,
}

impl Page {
    /// It takes everything in one piece.
    pub fn blank() -> Page {
        Page { bytes: Vec::new(), flushed: 0, room: usize::MAX, course: Course::new(), flush_fails: None }
    }

    /// A `write` takes no more at once than up to so many bytes from the beginning, at each of these.
    pub fn cut_at(mut self, cuts: impl IntoIterator<Item = usize>) -> Page {
        self.course.cuts.extend(cuts);
        self
    }

    /// Each `write` is interrupted first, as by a signal, and has to be tried again.
    pub fn interrupted(mut self) -> Page {
        self.course.interrupts = true;
        self
    }

    /// It takes so many bytes, and then no more.
    pub fn room_for(mut self, bytes: usize, then: Then) -> Page {
        self.room = bytes;
        self.course.then = then;
        self
    }

    /// `flush` fails with this kind.
    pub fn flush_fails(mut self, kind: ErrorKind) -> Page {
        self.flush_fails = Some(kind);
        self
    }

    /// What was written, flushed or not.
    pub fn taken(&self) -> &[u8] {
        &self.bytes
    }

    /// What was written and then flushed: only this has left a writer's buffer.
    pub fn flushed(&self) -> &[u8] {
        &self.bytes[..self.flushed]
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.bytes.len();
        let length = self.course.piece(taken, self.room - taken, bytes.len())?;
        self.bytes.extend_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(kind) = self.flush_fails {
            return Err(io::Error::new(kind, WORDS));
        }
        self.flushed = self.bytes.len();
        Ok(())
    }
}
