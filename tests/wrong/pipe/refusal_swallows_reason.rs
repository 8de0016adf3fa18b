//! rejected: race
//! by: the_first_failure_is_told_once_and_ends_the_stream
//!
//! Breaks "the reason is the first failure, and a `send` tells it, or `close`": a message fails with `PermissionDenied`, then a message
//! longer than `LONGEST` is sent and refused with `InvalidInput`; now the reason is gone, and `close` (and every other `send`) says nothing
//! of it. `send` fetches the reason first of all and then looks at the message. The reason comes by a channel of its own.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::mpsc::{self, Receiver, Sender};
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

fn feed(inbox: Receiver<Vec<u8>>, reasons: Sender<io::Error>, mut writer: impl Write) {
    for message in inbox {
        if let Err(error) = send(&mut writer, &message) {
            // If the connection is no more, nobody wants to know.
            let _ = reasons.send(error);
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
    outbox: Option<Sender<Vec<u8>>>,
    reasons: Receiver<io::Error>,
    feeder: JoinHandle<()>,
}

impl Connection {
    /// A connection that receives from `reader` and sends to `writer`: in a parent its child's output and input, in a child its
    /// own input and output.
    pub fn new(reader: impl Read + Send + 'static, writer: impl Write + Send + 'static) -> Connection {
        let (outbox, inbox) = mpsc::channel();
        let (telling, reasons) = mpsc::channel();
        let feeder = thread::spawn(move || feed(inbox, telling, writer));
        Connection { reader: Box::new(reader), outbox: Some(outbox), reasons, feeder }
    }

    /// Sends a message: after all earlier ones, and whether or not another one follows. It need not be written yet when this
    /// returns.
    ///
    /// # Errors
    /// - `InvalidInput` if the message is longer than [`LONGEST`]. The connection goes on as if it had not been there.
    /// - `BrokenPipe` after [`finish`](Connection::finish), and perhaps if it is known that an earlier message could not be written.
    /// - Whatever the writer reports, if this message is written before this returns.
    pub fn send(&mut self, message: Vec<u8>) -> io::Result<()> {
        let Some(outbox) = &self.outbox else {
            return Err(ErrorKind::BrokenPipe.into());
        };
        let failed = self.reasons.try_recv().ok();
        if message.len() > LONGEST {
            return Err(ErrorKind::InvalidInput.into());
        }
        if let Some(reason) = failed {
            return Err(reason);
        }
        outbox.send(message).map_err(|_| ErrorKind::BrokenPipe.into())
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
        self.outbox = None;
    }

    /// Finishes, and hangs up: if the other end sends more, it gets an error. When this returns, every message is written, or
    /// the other end will never take it.
    ///
    /// # Errors
    /// The reason why a message could not be written, as the writer reported it, if no `send` has reported it. Nothing else: not
    /// what was wrong with what came.
    pub fn close(self) -> io::Result<()> {
        let Connection { reader, outbox, reasons, feeder } = self;
        drop(reader);
        drop(outbox);
        if feeder.join().is_err() {
            return Err(io::Error::other("the writer has panicked"));
        }
        match reasons.try_recv() {
            Ok(reason) => Err(reason),
            Err(_) => Ok(()),
        }
    }
}
