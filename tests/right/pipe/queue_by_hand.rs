//! accepted
//!
//! No channel, and no framing by `read_exact`: a `VecDeque` behind a mutex, a condition for "there is something to do", and a
//! reader that collects bytes until they are a message.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

pub const LONGEST: usize = 16 * 1024 * 1024;

pub fn send(writer: &mut impl Write, message: &[u8]) -> io::Result<()> {
    if message.len() > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the message is too long"));
    }
    for mut part in [(message.len() as u32).to_be_bytes().as_slice(), message] {
        while !part.is_empty() {
            match writer.write(part) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(taken) => part = &part[taken..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    writer.flush()
}

pub fn receive(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut prefix = Vec::new();
    collect(reader, &mut prefix, 4)?;
    let length = match prefix.as_slice() {
        [] => return Ok(None),
        &[a, b, c, d] => u32::from_be_bytes([a, b, c, d]) as usize,
        _ => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the stream ended within a length")),
    };
    if length > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a message that is too long is announced"));
    }
    let mut message = Vec::new();
    collect(reader, &mut message, length)?;
    if message.len() < length {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the stream ended within a message"));
    }
    Ok(Some(message))
}

/// Appends bytes until there are so many, or the stream ends.
fn collect(reader: &mut impl Read, bytes: &mut Vec<u8>, wanted: usize) -> io::Result<()> {
    let mut piece = [0; 8192];
    while bytes.len() < wanted {
        let room = piece.len().min(wanted - bytes.len());
        match reader.read(&mut piece[..room]) {
            Ok(0) => break,
            Ok(length) => bytes.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub struct Connection {
    // Gone once the connection hangs up.
    reader: Option<Box<dyn Read + Send>>,
    outbox: Arc<Outbox>,
}

#[derive(Default)]
struct Outbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Vec<u8>>,
    finished: bool,
    /// How writing ended, once it has.
    ended: Option<io::Result<()>>,
}

impl Connection {
    pub fn new(reader: impl Read + Send + 'static, writer: impl Write + Send + 'static) -> Connection {
        let outbox = Arc::new(Outbox::default());
        let feeder = Arc::clone(&outbox);
        thread::spawn(move || {
            let outcome = feeder.write_all_to(writer);
            feeder.state.lock().unwrap().ended = Some(outcome);
            feeder.changed.notify_all();
        });
        Connection { reader: Some(Box::new(reader)), outbox }
    }

    pub fn send(&mut self, message: Vec<u8>) -> io::Result<()> {
        let mut state = self.outbox.state.lock().unwrap();
        if message.len() > LONGEST {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        if state.finished || state.ended.is_some() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        state.waiting.push_back(message);
        self.outbox.changed.notify_all();
        Ok(())
    }

    pub fn receive(&mut self) -> io::Result<Option<Vec<u8>>> {
        receive(self.reader.as_mut().expect("only `close` takes it"))
    }

    pub fn finish(&mut self) {
        self.outbox.state.lock().unwrap().finished = true;
        self.outbox.changed.notify_all();
    }

    pub fn close(mut self) -> io::Result<()> {
        self.finish();
        self.reader = None;
        let state = self.outbox.state.lock().unwrap();
        let mut state = self.outbox.changed.wait_while(state, |state| state.ended.is_none()).unwrap();
        state.ended.take().expect("it was waited for")
    }
}

/// Dropped without `close`, it says no more. The thread must not wait for it for ever.
impl Drop for Connection {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Outbox {
    /// The writer is dropped at the end, which closes the pipe.
    fn write_all_to(&self, mut writer: impl Write) -> io::Result<()> {
        while let Some(message) = self.next() {
            // The lock is not held here: writing may take as long as the other end likes.
            send(&mut writer, &message)?;
        }
        Ok(())
    }

    fn next(&self) -> Option<Vec<u8>> {
        let state = self.state.lock().unwrap();
        let idle = |state: &mut State| state.waiting.is_empty() && !state.finished;
        self.changed.wait_while(state, idle).unwrap().waiting.pop_front()
    }
}
