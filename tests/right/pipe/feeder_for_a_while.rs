//! accepted
//!
//! A thread only while there is something to write. Between two bursts the writer lies in the shared state, and whoever finishes
//! takes it from there.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    let mut filled = 0;
    while filled < 4 {
        match reader.read(&mut prefix[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(more) => filled += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let length = u32::from_be_bytes(prefix) as usize;
    if length > LONGEST {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length];
    reader.read_exact(&mut message)?;
    Ok(Some(message))
}

struct State {
    backlog: VecDeque<Vec<u8>>,
    idle: Option<Box<dyn Write + Send>>,
    finished: bool,
    error: Option<io::Error>,
    broken: bool,
}

pub struct Connection {
    reader: Option<Box<dyn Read + Send>>,
    state: Arc<Mutex<State>>,
    bursts: Vec<JoinHandle<()>>,
}

fn look(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn burst(state: &Mutex<State>, mut writer: Box<dyn Write + Send>) {
    loop {
        let message = {
            let mut now = look(state);
            match now.backlog.pop_front() {
                Some(message) => message,
                None => {
                    if !now.finished {
                        now.idle = Some(writer);
                    }
                    return;
                }
            }
        };
        if let Err(error) = send(&mut writer, &message) {
            let mut now = look(state);
            now.error = Some(error);
            now.broken = true;
            now.backlog.clear();
            return;
        }
    }
}

impl Connection {
    pub fn new(reader: impl Read + Send + 'static, writer: impl Write + Send + 'static) -> Connection {
        let state = State { backlog: VecDeque::new(), idle: Some(Box::new(writer)), finished: false, error: None, broken: false };
        Connection { reader: Some(Box::new(reader)), state: Arc::new(Mutex::new(state)), bursts: Vec::new() }
    }

    pub fn send(&mut self, message: Vec<u8>) -> io::Result<()> {
        if message.len() > LONGEST {
            return Err(io::Error::new(ErrorKind::InvalidInput, "too long"));
        }
        let mut now = look(&self.state);
        if now.finished || now.broken {
            return Err(ErrorKind::BrokenPipe.into());
        }
        now.backlog.push_back(message);
        if let Some(writer) = now.idle.take() {
            let state = self.state.clone();
            for done in self.bursts.drain(..) {
                done.join().unwrap_or(());
            }
            self.bursts.push(thread::spawn(move || burst(&state, writer)));
        }
        Ok(())
    }

    pub fn receive(&mut self) -> io::Result<Option<Vec<u8>>> {
        receive(self.reader.as_mut().expect("until it is closed"))
    }

    pub fn finish(&mut self) {
        let mut now = look(&self.state);
        now.finished = true;
        now.idle = None;
    }

    pub fn close(mut self) -> io::Result<()> {
        self.finish();
        self.reader = None;
        for last in self.bursts.drain(..) {
            last.join().unwrap_or(());
        }
        match look(&self.state).error.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}
