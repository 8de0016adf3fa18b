//! rejected: deadlock, timeout
//! by: close_hangs_up_on_who_waits_to_be_heard, the_other_end_may_go_at_any_point
//!
//! A thread writes, so that `send` need not. But reading and writing share a lock, and whoever waits for the pipe holds it.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};

pub const LONGEST: usize = 16 * 1024 * 1024;

pub fn send(writer: &mut impl Write, message: &[u8]) -> io::Result<()> {
    if message.len() > LONGEST {
        return Err(ErrorKind::InvalidInput.into());
    }
    writer.write_all(&(message.len() as u32).to_be_bytes())?;
    writer.write_all(message)?;
    writer.flush()
}

pub fn receive(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut prefix = [0; 4];
    if fill(reader, &mut prefix[..1])? == 0 {
        return Ok(None);
    }
    reader.read_exact(&mut prefix[1..])?;
    let length = u32::from_be_bytes(prefix) as usize;
    if length > LONGEST {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length];
    reader.read_exact(&mut message)?;
    Ok(Some(message))
}

/// Reads until the buffer is full or the stream ends.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

pub struct Connection {
    streams: Arc<Mutex<Streams>>,
    outbox: Option<mpsc::Sender<Vec<u8>>>,
    feeder: JoinHandle<io::Result<()>>,
}

struct Streams {
    reader: Box<dyn Read + Send>,
    writer: Option<Box<dyn Write + Send>>,
}

impl Connection {
    pub fn new(reader: impl Read + Send + 'static, writer: impl Write + Send + 'static) -> Connection {
        let streams = Streams { reader: Box::new(reader), writer: Some(Box::new(writer)) };
        let streams = Arc::new(Mutex::new(streams));
        let (outbox, messages) = mpsc::channel::<Vec<u8>>();
        let feeder = thread::spawn({
            let streams = Arc::clone(&streams);
            move || {
                for message in messages {
                    let mut streams = streams.lock().unwrap();
                    let writer = streams.writer.as_mut().ok_or(ErrorKind::BrokenPipe)?;
                    send(writer, &message)?;
                }
                streams.lock().unwrap().writer = None;
                Ok(())
            }
        });
        Connection { streams, outbox: Some(outbox), feeder }
    }

    pub fn send(&mut self, message: Vec<u8>) -> io::Result<()> {
        if message.len() > LONGEST {
            return Err(ErrorKind::InvalidInput.into());
        }
        let outbox = self.outbox.as_ref().ok_or(ErrorKind::BrokenPipe)?;
        outbox.send(message).map_err(|_| ErrorKind::BrokenPipe.into())
    }

    pub fn receive(&mut self) -> io::Result<Option<Vec<u8>>> {
        receive(&mut self.streams.lock().unwrap().reader)
    }

    pub fn finish(&mut self) {
        self.outbox = None;
    }

    pub fn close(mut self) -> io::Result<()> {
        self.finish();
        self.streams.lock().unwrap().reader = Box::new(io::empty());
        self.feeder.join().expect("the feeder does not panic")
    }
}
