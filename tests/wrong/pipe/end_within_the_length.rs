//! rejected: assertion
//!
//! Half a message is an error, but half a length is called the end: `read_exact` doesn't say how far it came.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::mpsc;
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
    match reader.read_exact(&mut prefix) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        outcome => outcome?,
    }
    let length = u32::from_be_bytes(prefix) as usize;
    if length > LONGEST {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length];
    reader.read_exact(&mut message)?;
    Ok(Some(message))
}

pub struct Connection {
    reader: Box<dyn Read + Send>,
    outbox: Option<mpsc::Sender<Vec<u8>>>,
    feeder: JoinHandle<io::Result<()>>,
}

impl Connection {
    pub fn new(reader: impl Read + Send + 'static, mut writer: impl Write + Send + 'static) -> Connection {
        let (outbox, messages) = mpsc::channel::<Vec<u8>>();
        let feeder = thread::spawn(move || {
            for message in messages {
                send(&mut writer, &message)?;
            }
            Ok(())
        });
        Connection { reader: Box::new(reader), outbox: Some(outbox), feeder }
    }

    pub fn send(&mut self, message: Vec<u8>) -> io::Result<()> {
        if message.len() > LONGEST {
            return Err(ErrorKind::InvalidInput.into());
        }
        let outbox = self.outbox.as_ref().ok_or(ErrorKind::BrokenPipe)?;
        outbox.send(message).map_err(|_| ErrorKind::BrokenPipe.into())
    }

    pub fn receive(&mut self) -> io::Result<Option<Vec<u8>>> {
        receive(&mut self.reader)
    }

    pub fn finish(&mut self) {
        self.outbox = None;
    }

    pub fn close(mut self) -> io::Result<()> {
        self.finish();
        drop(self.reader);
        self.feeder.join().expect("the feeder does not panic")
    }
}
