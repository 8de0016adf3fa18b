//! rejected: timeout
//! by: a_hostile_length_is_refused_before_anything_is_allocated
//!
//! Breaks "A message longer than `LONGEST` is not received (`InvalidData`)": what is too long is first read to its end and thrown away, so
//! that the stream is at the next message. Shows if the other end announces 4 GiB, sends nothing more and keeps its end open: `receive`
//! waits for ever; and if the reader fails after the length: its error instead of `InvalidData`. If the stream ends there, all is well. The
//! design: a queue with a lock and a condition variable.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::panic;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// The bytes of the longest message that may be sent or received.
pub const LONGEST: usize = 16 * 1024 * 1024;

/// Writes one message: its length as 4 bytes, the highest first, then its bytes. When this returns, nothing of it is left in a
/// buffer of the writer's.
///
/// # Errors
/// - `InvalidInput` if the message is longer than [`LONGEST`]. Nothing is written then.
/// - Whatever the writer reports, but not that a `write` was `Interrupted`.
pub fn send(writer: &mut impl Write, message: &[u8]) -> io::Result<()> {
    if message.len() > LONGEST {
        return Err(ErrorKind::InvalidInput.into());
    }
    writer.write_all(&(message.len() as u32).to_be_bytes())?;
    writer.write_all(message)?;
    writer.flush()
}

/// Reads one message, and nothing of what follows it. `None` if the stream ends where a message would begin.
///
/// # Errors
/// - `UnexpectedEof` if the stream ends in the middle of the message.
/// - `InvalidData` if the message would be longer than [`LONGEST`].
/// - Whatever the reader reports, but not that a `read` was `Interrupted`.
pub fn receive(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    let mut filled = 0;
    while filled < length.len() {
        match reader.read(&mut length[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let length = u32::from_be_bytes(length);
    if length as usize > LONGEST {
        // Nothing is kept of it, but the stream has to be in step for the next message.
        io::copy(&mut reader.by_ref().take(u64::from(length)), &mut io::sink())?;
        return Err(ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length as usize];
    reader.read_exact(&mut message)?;
    Ok(Some(message))
}

/// What waits for the feeder, and what became of it.
#[derive(Default)]
struct Outbox {
    queue: VecDeque<Vec<u8>>,
    finished: bool,
    failed: bool,
    /// The reason, until somebody is told.
    reason: Option<io::Error>,
}

#[derive(Default)]
struct Feed {
    outbox: Mutex<Outbox>,
    changed: Condvar,
}

impl Feed {
    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next message, or `None` when all are written and no more will come.
    fn next(&self) -> Option<Vec<u8>> {
        let mut outbox = self.outbox();
        loop {
            if let Some(message) = outbox.queue.pop_front() {
                return Some(message);
            }
            if outbox.finished {
                return None;
            }
            outbox = self.changed.wait(outbox).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn fail(&self, reason: io::Error) {
        let mut outbox = self.outbox();
        outbox.failed = true;
        outbox.reason = Some(reason);
        outbox.queue.clear();
    }

    fn finish(&self) {
        self.outbox().finished = true;
        self.changed.notify_all();
    }

    fn run(&self, mut writer: impl Write) {
        while let Some(message) = self.next() {
            if let Err(error) = send(&mut writer, &message) {
                self.fail(error);
                return;
            }
        }
    }
}

/// One end of a connection with another process, for messages in both directions.
pub struct Connection {
    reader: Box<dyn Read + Send>,
    feed: Arc<Feed>,
    feeder: JoinHandle<()>,
}

impl Connection {
    /// A connection that receives from `reader` and sends to `writer`.
    pub fn new(reader: impl Read + Send + 'static, writer: impl Write + Send + 'static) -> Connection {
        let feed = Arc::new(Feed::default());
        let feeding = Arc::clone(&feed);
        Connection { reader: Box::new(reader), feed, feeder: thread::spawn(move || feeding.run(writer)) }
    }

    /// Sends a message: after all earlier ones, and whether or not another one follows.
    ///
    /// # Errors
    /// - `InvalidInput` if the message is longer than [`LONGEST`].
    /// - `BrokenPipe` after [`finish`](Connection::finish), and if an earlier message could not be written.
    pub fn send(&mut self, message: Vec<u8>) -> io::Result<()> {
        if message.len() > LONGEST {
            return Err(ErrorKind::InvalidInput.into());
        }
        let mut outbox = self.feed.outbox();
        if outbox.finished {
            return Err(ErrorKind::BrokenPipe.into());
        }
        if outbox.failed {
            return Err(outbox.reason.take().unwrap_or_else(|| ErrorKind::BrokenPipe.into()));
        }
        outbox.queue.push_back(message);
        drop(outbox);
        self.feed.changed.notify_all();
        Ok(())
    }

    /// Waits for a message and returns it. `None` if the other end has finished.
    ///
    /// # Errors
    /// Those of the function [`receive`].
    pub fn receive(&mut self) -> io::Result<Option<Vec<u8>>> {
        receive(&mut self.reader)
    }

    /// Says that no more messages will be sent. To say it twice changes nothing.
    pub fn finish(&mut self) {
        self.feed.finish();
    }

    /// Finishes, and hangs up. When this returns, every message is written, or the other end will never take it.
    ///
    /// # Errors
    /// The reason why a message could not be written, if no `send` has reported it.
    pub fn close(self) -> io::Result<()> {
        let Connection { reader, feed, feeder } = self;
        drop(reader);
        feed.finish();
        if let Err(panic) = feeder.join() {
            panic::resume_unwind(panic);
        }
        let reason = feed.outbox().reason.take();
        match reason {
            Some(reason) => Err(reason),
            None => Ok(()),
        }
    }
}
