//! Messages between two processes, through pipes. The lesson is in `README.md`.

use std::io::{self, Read, Write};

/// The bytes of the longest message that may be sent or received.
pub const LONGEST: usize = 16 * 1024 * 1024;

/// Writes one message: its length as 4 bytes, the highest first, then its bytes. When this returns, nothing of it is left in a
/// buffer of the writer's.
///
/// # Errors
/// - `InvalidInput` if the message is longer than [`LONGEST`]. Nothing is written then.
/// - Whatever the writer reports, but not that a `write` was `Interrupted`. A writer that takes nothing more is an error, too.
pub fn send(writer: &mut impl Write, message: &[u8]) -> io::Result<()> {
    todo!()
}

/// Reads one message, and nothing of what follows it. `None` if the stream ends where a message would begin.
///
/// # Errors
/// - `UnexpectedEof` if the stream ends in the middle of the message.
/// - `InvalidData` if the message would be longer than [`LONGEST`]. No memory is taken for it then.
/// - Whatever the reader reports, but not that a `read` was `Interrupted`.
pub fn receive(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    todo!()
}

/// One end of a connection with another process, for messages in both directions.
///
/// The two directions don't depend on each other: what is sent reaches the other end even if that one sends all of its own
/// messages before it reads the first.
pub struct Connection {
    // The fields are yours to choose: what reads, what writes, and who waits for a pipe that is full?
}

impl Connection {
    /// A connection that receives from `reader` and sends to `writer`: in a parent its child's output and input, in a child its
    /// own input and output.
    pub fn new(reader: impl Read + Send + 'static, writer: impl Write + Send + 'static) -> Connection {
        todo!()
    }

    /// Sends a message: after all earlier ones, and whether or not another one follows. It need not be written yet when this
    /// returns.
    ///
    /// # Errors
    /// - `InvalidInput` if the message is longer than [`LONGEST`]. The connection goes on as if it had not been there.
    /// - `BrokenPipe` after [`finish`](Connection::finish), and perhaps if it is known that an earlier message could not be written.
    /// - Whatever the writer reports, if this message is written before this returns.
    pub fn send(&mut self, message: Vec<u8>) -> io::Result<()> {
        todo!()
    }

    /// Waits for a message and returns it. `None` if the other end has finished.
    ///
    /// # Errors
    /// Those of the function [`receive`].
    pub fn receive(&mut self) -> io::Result<Option<Vec<u8>>> {
        todo!()
    }

    /// Says that no more messages will be sent. The other end is told when it has received all that were, and may still send. To
    /// say it twice changes nothing.
    pub fn finish(&mut self) {
        todo!()
    }

    /// Finishes, and hangs up: if the other end sends more, it gets an error. When this returns, every message is written, or
    /// the other end will never take it.
    ///
    /// # Errors
    /// The reason why a message could not be written, as the writer reported it, if no `send` has reported it. Nothing else: not
    /// what was wrong with what came.
    pub fn close(self) -> io::Result<()> {
        todo!()
    }
}
