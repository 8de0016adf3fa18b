//! rejected: assertion
//! by: the_first_failure_is_told_once_and_ends_the_stream
//!
//! Breaks "a second `finish` changes nothing" together with "`close` returns when everything is written": `send(m)`, `finish()`,
//! `finish()`, `close()` with a writer that is slow or fails: `close` returns `Ok` at once, and nobody waits for the feeder. The connection
//! goes through stages, and the second `finish` throws away the one in which the feeder is kept.

use std::io::{self, ErrorKind, Read, Write};
use std::mem;
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
    let header = (message.len() as u32).to_be_bytes();
    writer.write_all(&header)?;
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

type Feeder = JoinHandle<io::Result<()>>;

enum Stage {
    Open { outbox: Sender<Vec<u8>>, feeder: Feeder },
    Draining { feeder: Feeder },
    Over,
}

fn feed(inbox: Receiver<Vec<u8>>, mut writer: impl Write) -> io::Result<()> {
    for message in inbox {
        send(&mut writer, &message)?;
    }
    Ok(())
}

/// One end of a connection with another process, for messages in both directions.
///
/// The two directions don't depend on each other: what is sent reaches the other end even if that one sends all of its own
/// messages before it reads the first.
pub struct Connection {
    reader: Box<dyn Read + Send>,
    stage: Stage,
}

impl Connection {
    /// A connection that receives from `reader` and sends to `writer`: in a parent its child's output and input, in a child its
    /// own input and output.
    pub fn new(reader: impl Read + Send + 'static, writer: impl Write + Send + 'static) -> Connection {
        let (outbox, inbox) = mpsc::channel();
        let feeder = thread::spawn(move || feed(inbox, writer));
        Connection { reader: Box::new(reader), stage: Stage::Open { outbox, feeder } }
    }

    /// Sends a message: after all earlier ones, and whether or not another one follows. It need not be written yet when this
    /// returns.
    ///
    /// # Errors
    /// - `InvalidInput` if the message is longer than [`LONGEST`]. The connection goes on as if it had not been there.
    /// - `BrokenPipe` after [`finish`](Connection::finish), and perhaps if it is known that an earlier message could not be written.
    /// - Whatever the writer reports, if this message is written before this returns.
    pub fn send(&mut self, message: Vec<u8>) -> io::Result<()> {
        let Stage::Open { outbox, .. } = &self.stage else {
            return Err(ErrorKind::BrokenPipe.into());
        };
        if message.len() > LONGEST {
            return Err(ErrorKind::InvalidInput.into());
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
        self.stage = match mem::replace(&mut self.stage, Stage::Over) {
            Stage::Open { outbox, feeder } => {
                drop(outbox);
                Stage::Draining { feeder }
            }
            Stage::Draining { .. } | Stage::Over => Stage::Over,
        };
    }

    /// Finishes, and hangs up: if the other end sends more, it gets an error. When this returns, every message is written, or
    /// the other end will never take it.
    ///
    /// # Errors
    /// The reason why a message could not be written, as the writer reported it, if no `send` has reported it. Nothing else: not
    /// what was wrong with what came.
    pub fn close(self) -> io::Result<()> {
        let Connection { reader, stage } = self;
        drop(reader);
        let feeder = match stage {
            Stage::Open { outbox, feeder } => {
                drop(outbox);
                feeder
            }
            Stage::Draining { feeder } => feeder,
            Stage::Over => return Ok(()),
        };
        feeder.join().unwrap_or_else(|_| Err(io::Error::other("the writer has panicked")))
    }
}
