//! Messages between two processes, through pipes.
//!
//! A pipe carries bytes. It knows nothing of messages: what was written in one piece may be read in ten, or the other way round.
//! So the first half of this file is a **frame**: each message is preceded by its length, and the reader reads until it has that
//! many bytes. [`send`] and [`receive`] do that over any `Write` and `Read`, one byte at a time if need be.
//!
//! A pipe is also small. Its buffer holds 64 KiB or less, and who writes more waits until somebody reads. Two processes that both
//! write before they read wait for each other. So in the second half of this file **nobody who could be reading waits for a
//! write**: a [`Connection`] has a thread that does nothing but write, the *feeder*, and `send` only hands messages to it.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::mpsc;
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
    let prefix = prefix(message)?;
    // `write` may take a part and leave the rest, and a signal may interrupt it. `write_all` goes on until all is taken.
    writer.write_all(&prefix)?;
    writer.write_all(message)?;
    // A `BufWriter`, or the standard output, would keep the message until more comes. Meanwhile the other end waits for it, and
    // this end for the answer.
    writer.flush()
}

/// Reads one message, and nothing of what follows it. `None` if the stream ends where a message would begin.
///
/// # Errors
/// - `UnexpectedEof` if the stream ends in the middle of the message.
/// - `InvalidData` if the message would be longer than [`LONGEST`]. No memory is taken for it then.
/// - Whatever the reader reports, but not that a `read` was `Interrupted`.
pub fn receive(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    // Not `read_exact`: it calls both ends `UnexpectedEof`. But the end before the first byte is what the sender meant to say,
    // and the end after it is a sender that died while it spoke.
    let mut prefix = [0; 4];
    match fill(reader, &mut prefix)? {
        0 => return Ok(None),
        4 => {}
        _ => return Err(ErrorKind::UnexpectedEof.into()),
    }
    // Whoever is at the other end has chosen this number. Four bytes can ask for 4 GiB.
    let length = u32::from_be_bytes(prefix) as usize;
    if length > LONGEST {
        let reason = format!("a message of {length} bytes is announced, and {LONGEST} are allowed");
        return Err(io::Error::new(ErrorKind::InvalidData, reason));
    }
    // Not `vec![0; length]`: here the memory grows with what has arrived, not with what was promised. `take` sees to it that
    // nothing of the next message is read.
    let mut message = Vec::new();
    reader.take(length as u64).read_to_end(&mut message)?;
    if message.len() < length {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(message))
}

/// What goes before the message, unless it is too long. The other end would refuse it, and everything after it.
fn prefix(message: &[u8]) -> io::Result<[u8; 4]> {
    if message.len() > LONGEST {
        let reason = format!("a message of {} bytes, and {LONGEST} are allowed", message.len());
        return Err(io::Error::new(ErrorKind::InvalidInput, reason));
    }
    // Nothing is cut off: the longest message's length fits in 32 bits.
    Ok((message.len() as u32).to_be_bytes())
}

/// Reads until the buffer is full or the stream ends, and says how many bytes there are.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(more) => filled += more,
            // A signal came, and nothing was read. That is no fault of the stream's.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// One end of a connection with another process, for messages in both directions.
///
/// The two directions don't depend on each other: what is sent reaches the other end even if that one sends all of its own
/// messages before it reads the first.
pub struct Connection {
    reader: Box<dyn Read + Send>,
    // Not a `sync_channel`: a bound would make `send` wait for the feeder, which waits for the other end, which may be waiting
    // for us to receive. Whoever needs a bound on memory must not send more before the answers are here.
    outbox: Option<mpsc::Sender<Vec<u8>>>,
    feeder: JoinHandle<io::Result<()>>,
}

impl Connection {
    /// A connection that receives from `reader` and sends to `writer`: in a parent its child's output and input, in a child its
    /// own input and output.
    pub fn new(reader: impl Read + Send + 'static, writer: impl Write + Send + 'static) -> Connection {
        let (outbox, messages) = mpsc::channel();
        Connection { reader: Box::new(reader), outbox: Some(outbox), feeder: thread::spawn(|| feed(writer, messages)) }
    }

    /// Sends a message: after all earlier ones, and whether or not another one follows. It need not be written yet when this
    /// returns.
    ///
    /// # Errors
    /// - `InvalidInput` if the message is longer than [`LONGEST`]. The connection goes on as if it had not been there.
    /// - `BrokenPipe` after [`finish`](Connection::finish), and perhaps if it is known that an earlier message could not be written.
    /// - Whatever the writer reports, if this message is written before this returns.
    pub fn send(&mut self, message: Vec<u8>) -> io::Result<()> {
        prefix(&message)?;
        let outbox = self.outbox.as_ref().ok_or(ErrorKind::BrokenPipe)?;
        // The feeder takes messages until it fails. Why it did is what `close` returns.
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
        // This ends the feeder's loop, but only after the messages that are still in the channel. Waiting for that here would be
        // waiting for the other end again.
        self.outbox = None;
    }

    /// Finishes, and hangs up: if the other end sends more, it gets an error. When this returns, every message is written, or
    /// the other end will never take it.
    ///
    /// # Errors
    /// The reason why a message could not be written, as the writer reported it, if no `send` has reported it. Nothing else: not
    /// what was wrong with what came.
    pub fn close(mut self) -> io::Result<()> {
        self.finish();
        // First the reading end. If the other end is busy sending, its pipe breaks now; it would never come to read what the
        // feeder has for it, and the next line would wait for ever.
        drop(self.reader);
        // Then the feeder. A process that returns from `main` ends all its threads, in the middle of a message if they are there.
        self.feeder.join().unwrap_or_else(|_| Err(io::Error::other("the writer panicked")))
    }
}

/// The feeder's work: writes message after message, and waits for the other end as long as it takes. At its end the writer is
/// dropped, which closes the pipe. That is how the other end learns that it was the last message.
fn feed(mut writer: impl Write, messages: mpsc::Receiver<Vec<u8>>) -> io::Result<()> {
    messages.iter().try_for_each(|message| send(&mut writer, &message))
}
