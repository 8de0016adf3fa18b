//! rejected: deadlock
//! by: neither_direction_waits_for_the_other
//!
//! Breaks "neither direction waits for the other": the feeder flushes while it holds the lock of the queue; a `BufWriter` around a full
//! pipe (small messages stay in its buffer, so that it is `flush` that waits), then `send` of another message waits for the feeder, and
//! nobody hears the other end, which says all it has to say before it listens. The bytes go to the writer outside of the lock, but
//! "flushed" is noted together with the flush.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};

/// The bytes of the longest message that may be sent or received.
pub const LONGEST: usize = 16 * 1024 * 1024;

/// Writes one message: its length as 4 bytes, the highest first, then its bytes. When this returns, nothing of it is left in a
/// buffer of the writer's.
///
/// # Errors
/// - `InvalidInput` if the message is longer than [`LONGEST`]. Nothing is written then.
/// - Whatever the writer reports, but not that a `write` was `Interrupted`. A writer that takes nothing more is an error, too.
pub fn send(writer: &mut impl Write, message: &[u8]) -> io::Result<()> {
    write_frame(writer, message)?;
    writer.flush()
}

/// Reads one message, and nothing of what follows it. `None` if the stream ends where a message would begin.
///
/// # Errors
/// - `UnexpectedEof` if the stream ends in the middle of the message.
/// - `InvalidData` if the message would be longer than [`LONGEST`]. No memory is taken for it then.
/// - Whatever the reader reports, but not that a `read` was `Interrupted`.
pub fn receive(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut header = [0; 4];
    let mut filled = 0;
    while filled < header.len() {
        match reader.read(&mut header[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let length = u32::from_be_bytes(header) as usize;
    if length > LONGEST {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length];
    reader.read_exact(&mut message)?;
    Ok(Some(message))
}

fn write_frame(writer: &mut impl Write, message: &[u8]) -> io::Result<()> {
    if message.len() > LONGEST {
        return Err(ErrorKind::InvalidInput.into());
    }
    writer.write_all(&(message.len() as u32).to_be_bytes())?;
    writer.write_all(message)
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Vec<u8>>,
    finished: bool,
    broken: bool,
    /// The first failure, until it has been told.
    reason: Option<io::Error>,
}

#[derive(Default)]
struct Outbox {
    state: Mutex<State>,
    news: Condvar,
}

fn feed(outbox: &Outbox, mut writer: impl Write) {
    loop {
        let mut state =
            outbox.news.wait_while(outbox.state.lock().unwrap(), |s| s.waiting.is_empty() && !s.finished).unwrap();
        let Some(message) = state.waiting.pop_front() else {
            return;
        };
        drop(state);
        let written = write_frame(&mut writer, &message);
        let mut state = outbox.state.lock().unwrap();
        if let Err(error) = written.and_then(|()| writer.flush()) {
            state.broken = true;
            state.reason = Some(error);
            state.waiting.clear();
            return;
        }
    }
}

/// One end of a connection with another process, for messages in both directions.
///
/// The two directions don't depend on each other: what is sent reaches the other end even if that one sends all of its own
/// messages before it reads the first.
pub struct Connection {
    reader: Box<dyn Read + Send>,
    outbox: Arc<Outbox>,
    feeder: JoinHandle<()>,
}

impl Connection {
    /// A connection that receives from `reader` and sends to `writer`: in a parent its child's output and input, in a child its
    /// own input and output.
    pub fn new(reader: impl Read + Send + 'static, writer: impl Write + Send + 'static) -> Connection {
        let outbox = Arc::new(Outbox::default());
        let feeder = thread::spawn({
            let outbox = Arc::clone(&outbox);
            move || feed(&outbox, writer)
        });
        Connection { reader: Box::new(reader), outbox, feeder }
    }

    /// Sends a message: after all earlier ones, and whether or not another one follows. It need not be written yet when this
    /// returns.
    ///
    /// # Errors
    /// - `InvalidInput` if the message is longer than [`LONGEST`]. The connection goes on as if it had not been there.
    /// - `BrokenPipe` after [`finish`](Connection::finish), and perhaps if it is known that an earlier message could not be written.
    /// - Whatever the writer reports, if this message is written before this returns.
    pub fn send(&mut self, message: Vec<u8>) -> io::Result<()> {
        if message.len() > LONGEST {
            return Err(ErrorKind::InvalidInput.into());
        }
        let mut state = self.outbox.state.lock().unwrap();
        if state.finished {
            return Err(ErrorKind::BrokenPipe.into());
        }
        if let Some(reason) = state.reason.take() {
            return Err(reason);
        }
        if state.broken {
            return Err(ErrorKind::BrokenPipe.into());
        }
        state.waiting.push_back(message);
        self.outbox.news.notify_one();
        Ok(())
    }

    /// Waits for a message and returns it. `None` if the other end has finished.
    ///
    /// # Errors
    /// Those of the function [`receive`].
    pub fn receive(&mut self) -> io::Result<Option<Vec<u8>>> {
        receive(&mut self.reader)
    }

    /// Says that no more messages will be sent. The other end is told when it has received all that were, and may still send. To
    /// say it twice changes nothing.
    pub fn finish(&mut self) {
        self.outbox.state.lock().unwrap().finished = true;
        self.outbox.news.notify_one();
    }

    /// Finishes, and hangs up: if the other end sends more, it gets an error. When this returns, every message is written, or
    /// the other end will never take it.
    ///
    /// # Errors
    /// The reason why a message could not be written, as the writer reported it, if no `send` has reported it. Nothing else: not
    /// what was wrong with what came.
    pub fn close(self) -> io::Result<()> {
        let Connection { reader, outbox, feeder } = self;
        drop(reader);
        outbox.state.lock().unwrap().finished = true;
        outbox.news.notify_one();
        let panicked = feeder.join().is_err();
        let reason = outbox.state.lock().unwrap().reason.take();
        match reason {
            Some(reason) => Err(reason),
            None if panicked => Err(io::Error::other("the writer has panicked")),
            None => Ok(()),
        }
    }
}
