//! rejected: assertion
//! by: what_a_stream_reports_is_passed_on
//!
//! Breaks "`receive` returns `None`, and only then: … not for a stream that fails": after `finish()`, a reader that fails with
//! `ConnectionReset` between two messages (and only there) counts as the end, and `Connection::receive` returns `None`. "We have said
//! goodbye, so the other end may simply go." Before `finish`, and in the middle of a message, the error is passed on.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::mpsc::{self, Sender};
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
/// - `InvalidData` if the message would be longer than [`LONGEST`]. No memory is taken for it then.
/// - Whatever the reader reports, but not that a `read` was `Interrupted`.
pub fn receive(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    match first_byte(reader)? {
        Some(first) => rest_of_message(reader, first).map(Some),
        None => Ok(None),
    }
}

fn first_byte(reader: &mut impl Read) -> io::Result<Option<u8>> {
    let mut byte = [0];
    loop {
        match reader.read(&mut byte) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(Some(byte[0])),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn rest_of_message(reader: &mut impl Read, first: u8) -> io::Result<Vec<u8>> {
    let mut header = [first, 0, 0, 0];
    reader.read_exact(&mut header[1..])?;
    let length = u32::from_be_bytes(header) as usize;
    if length > LONGEST {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length];
    reader.read_exact(&mut message)?;
    Ok(message)
}

/// One end of a connection with another process, for messages in both directions.
///
/// The two directions don't depend on each other: what is sent reaches the other end even if that one sends all of its own
/// messages before it reads the first.
pub struct Connection {
    reader: Box<dyn Read + Send>,
    outbox: Option<Sender<Vec<u8>>>,
    feeder: JoinHandle<io::Result<()>>,
}

impl Connection {
    /// A connection that receives from `reader` and sends to `writer`: in a parent its child's output and input, in a child its
    /// own input and output.
    pub fn new(reader: impl Read + Send + 'static, mut writer: impl Write + Send + 'static) -> Connection {
        let (outbox, inbox) = mpsc::channel::<Vec<u8>>();
        let feeder = thread::spawn(move || inbox.iter().try_for_each(|message| send(&mut writer, &message)));
        Connection { reader: Box::new(reader), outbox: Some(outbox), feeder }
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
        match &self.outbox {
            Some(outbox) => outbox.send(message).map_err(|_| ErrorKind::BrokenPipe.into()),
            None => Err(ErrorKind::BrokenPipe.into()),
        }
    }

    /// Waits for a message and returns it. `None` if the other end has finished.
    ///
    /// # Errors
    /// Those of the function [`receive`].
    pub fn receive(&mut self) -> io::Result<Option<Vec<u8>>> {
        match first_byte(&mut self.reader) {
            Ok(Some(first)) => rest_of_message(&mut self.reader, first).map(Some),
            Ok(None) => Ok(None),
            Err(error) if self.outbox.is_none() && error.kind() == ErrorKind::ConnectionReset => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Says that no more messages will be sent. The other end is told when it has received all that were, and may still send. To
    /// say it twice changes nothing.
    pub fn finish(&mut self) {
        self.outbox = None;
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
        drop(outbox);
        feeder.join().unwrap_or_else(|_| Err(io::Error::other("the writer has panicked")))
    }
}
