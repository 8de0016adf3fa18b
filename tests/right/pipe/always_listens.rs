//! accepted
//!
//! The other way round: a thread does nothing but read, and `send` writes by itself. It may wait for the other end, but that
//! one is always heard meanwhile. The price: what nobody has asked for yet is kept in memory.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::mpsc;
use std::thread;

pub const LONGEST: usize = 16 * 1024 * 1024;

pub fn send(writer: &mut impl Write, message: &[u8]) -> io::Result<()> {
    let length = u32::try_from(message.len()).ok().filter(|&length| length as usize <= LONGEST);
    let length = length.ok_or(ErrorKind::InvalidInput)?;
    let frame = [&length.to_be_bytes(), message].concat();
    writer.write_all(&frame)?;
    writer.flush()
}

pub fn receive(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut prefix = Vec::with_capacity(4);
    reader.take(4).read_to_end(&mut prefix)?;
    if prefix.is_empty() {
        return Ok(None);
    }
    let prefix: [u8; 4] = prefix.try_into().map_err(|_| ErrorKind::UnexpectedEof)?;
    let length = u32::from_be_bytes(prefix);
    if length as usize > LONGEST {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length as usize];
    reader.read_exact(&mut message)?;
    Ok(Some(message))
}

pub struct Connection {
    inbox: mpsc::Receiver<io::Result<Vec<u8>>>,
    writer: Option<Box<dyn Write + Send>>,
}

impl Connection {
    pub fn new(mut reader: impl Read + Send + 'static, writer: impl Write + Send + 'static) -> Connection {
        let (arrived, inbox) = mpsc::channel();
        thread::spawn(move || {
            // The end of the stream ends the thread, which ends the inbox. So does an error, once it is passed on.
            while let Some(outcome) = receive(&mut reader).transpose() {
                let failed = outcome.is_err();
                if arrived.send(outcome).is_err() || failed {
                    break;
                }
            }
        });
        Connection { inbox, writer: Some(Box::new(writer)) }
    }

    pub fn send(&mut self, message: Vec<u8>) -> io::Result<()> {
        let writer = self.writer.as_mut().ok_or(ErrorKind::BrokenPipe)?;
        send(writer, &message)
    }

    pub fn receive(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.inbox.recv().ok().transpose()
    }

    pub fn finish(&mut self) {
        self.writer = None;
    }

    pub fn close(self) -> io::Result<()> {
        // All is written already. The thread ends with the stream, or with the next message, which nobody wants any more.
        Ok(())
    }
}
