//! A pipe between threads. In explored builds its waiting is the scheduler's, as a real pipe's can't be.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

/// A pipe that holds so many pieces, each of so many bytes at most.
///
/// One that holds nothing is always full: a `write` returns when a `read` has taken the piece. So what was written is what
/// was read.
#[track_caller]
pub fn pipe(pieces: usize, bytes: usize) -> (PipeReader, PipeWriter) {
    let (sender, receiver) = sync_channel(pieces);
    (PipeReader { pieces: receiver, rest: Vec::new() }, PipeWriter { pieces: sender, bytes })
}

/// The end of a [`pipe`] that gives bytes. When it is dropped, the pipe breaks.
#[derive(Debug)]
pub struct PipeReader {
    pieces: Receiver<Vec<u8>>,
    rest: Vec<u8>,
}

/// The end of a [`pipe`] that takes bytes. When it is dropped, the stream has its end.
#[derive(Debug)]
pub struct PipeWriter {
    pieces: SyncSender<Vec<u8>>,
    bytes: usize,
}

impl PipeReader {
    /// All bytes that are in the pipe now. Doesn't wait.
    #[track_caller]
    pub fn read_now(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.rest);
        loop {
            match self.pieces.try_recv() {
                Ok(piece) => bytes.extend(piece),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return bytes,
            }
        }
    }
}

impl Read for PipeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() && !buffer.is_empty() {
            // Without a writer, that was the end.
            self.rest = self.pieces.recv().unwrap_or_default();
        }
        let length = self.rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.rest[..length]);
        self.rest.drain(..length);
        Ok(length)
    }
}

impl Write for PipeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len().min(self.bytes);
        if length > 0 {
            self.pieces.send(bytes[..length].to_vec()).map_err(|_| ErrorKind::BrokenPipe)?;
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
