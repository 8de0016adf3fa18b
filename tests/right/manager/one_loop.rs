//! accepted
//!
//! A trait says what is a message. `serve` has one loop that carries out requests of all clients; threads only read and write, and the
//! lock of an `Owner` that is used by hand is a turn that is passed on by a condition variable. Linked lists and sorted vectors.

use std::cell::RefCell;
use std::io::{self, Cursor, Error, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Condvar, Mutex};
use std::thread;

pub const LONGEST: usize = 65_536;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    Get,
    Set(i64),
    Add(i64),
    Push(i64),
    Item(u64),
    Pop,
    Insert(String, i64),
    Find(String),
    Remove(String),
}

pub type Answer = Result<i64, Refusal>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Overflow,
    NoSuchIndex,
    NoSuchKey,
}

impl Request {
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Request::Get => vec![0],
            Request::Set(number) => [&[1][..], &number.to_be_bytes()].concat(),
            Request::Add(number) => [&[2][..], &number.to_be_bytes()].concat(),
            Request::Push(number) => [&[3][..], &number.to_be_bytes()].concat(),
            Request::Item(index) => [&[4][..], &index.to_be_bytes()].concat(),
            Request::Pop => vec![5],
            Request::Insert(key, number) => [&[6][..], &number.to_be_bytes(), key.as_bytes()].concat(),
            Request::Find(key) => [&[7][..], key.as_bytes()].concat(),
            Request::Remove(key) => [&[8][..], key.as_bytes()].concat(),
        }
    }

    pub fn decode(bytes: &[u8]) -> Option<Request> {
        Wire::parse(bytes)
    }
}

pub fn encode_answer(answer: Answer) -> Vec<u8> {
    match answer {
        Ok(number) => [&[0][..], &number.to_be_bytes()].concat(),
        Err(Refusal::Overflow) => vec![1],
        Err(Refusal::NoSuchIndex) => vec![2],
        Err(Refusal::NoSuchKey) => vec![3],
    }
}

pub fn decode_answer(bytes: &[u8]) -> Option<Answer> {
    Wire::parse(bytes)
}

/// What can be sent.
trait Wire: Sized {
    fn take(bytes: &mut Cursor<&[u8]>) -> io::Result<Self>;
    fn bytes(&self) -> Vec<u8>;

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let message = Self::take(&mut cursor).ok()?;
        (cursor.position() == bytes.len() as u64).then_some(message)
    }

    fn send(&self, stream: &mut impl Write) -> io::Result<()> {
        let message = self.bytes();
        if message.len() > LONGEST {
            return Err(ErrorKind::InvalidInput.into());
        }
        stream.write_all(&(message.len() as u32).to_be_bytes())?;
        stream.write_all(&message)?;
        stream.flush()
    }

    /// `None`: the stream has ended, and between two messages.
    fn receive(stream: &mut impl Read) -> io::Result<Option<Self>> {
        let mut length = [0; 4];
        loop {
            match stream.read(&mut length[..1]) {
                Ok(0) => return Ok(None),
                Ok(_) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        stream.read_exact(&mut length[1..])?;
        let length = u32::from_be_bytes(length) as usize;
        if length > LONGEST {
            return Err(Error::new(ErrorKind::InvalidData, format!("{length} bytes are too many")));
        }
        let mut message = Box::new([0; 256]).to_vec();
        message.resize(length, 0);
        stream.read_exact(&mut message)?;
        Self::parse(&message).map(Some).ok_or_else(|| Error::new(ErrorKind::InvalidData, "rubbish"))
    }
}

fn eight(bytes: &mut Cursor<&[u8]>) -> io::Result<[u8; 8]> {
    let mut eight = [0; 8];
    bytes.read_exact(&mut eight).map(|()| eight)
}

fn key(bytes: &mut Cursor<&[u8]>) -> io::Result<String> {
    io::read_to_string(bytes)
}

impl Wire for Request {
    fn take(bytes: &mut Cursor<&[u8]>) -> io::Result<Request> {
        let mut tag = [0];
        bytes.read_exact(&mut tag)?;
        let number = |bytes: &mut _| eight(bytes).map(i64::from_be_bytes);
        Ok(match tag[0] {
            0 => Request::Get,
            1 => Request::Set(number(bytes)?),
            2 => Request::Add(number(bytes)?),
            3 => Request::Push(number(bytes)?),
            4 => Request::Item(eight(bytes).map(u64::from_be_bytes)?),
            5 => Request::Pop,
            6 => number(bytes).and_then(|number| Ok(Request::Insert(key(bytes)?, number)))?,
            7 => Request::Find(key(bytes)?),
            8 => Request::Remove(key(bytes)?),
            _ => return Err(ErrorKind::InvalidData.into()),
        })
    }

    fn bytes(&self) -> Vec<u8> {
        self.encode()
    }
}

impl Wire for Answer {
    fn take(bytes: &mut Cursor<&[u8]>) -> io::Result<Answer> {
        let mut tag = [0];
        bytes.read_exact(&mut tag)?;
        match tag[0] {
            0 => Ok(Ok(i64::from_be_bytes(eight(bytes)?))),
            1 => Ok(Err(Refusal::Overflow)),
            2 => Ok(Err(Refusal::NoSuchIndex)),
            3 => Ok(Err(Refusal::NoSuchKey)),
            _ => Err(ErrorKind::InvalidData.into()),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        encode_answer(*self)
    }
}

#[derive(Default)]
struct Things {
    value: i64,
    list: Vec<i64>,
    /// Sorted by keys.
    map: Vec<(String, i64)>,
}

impl Things {
    fn carry_out(&mut self, request: Request) -> Answer {
        let place = |map: &[(String, i64)], key: &String| map.binary_search_by(|(other, _)| other.cmp(key));
        Ok(match request {
            Request::Get => self.value,
            Request::Set(number) => {
                let before = self.value;
                self.value = number;
                before
            }
            Request::Add(number) => {
                let (sum, overflow) = self.value.overflowing_add(number);
                if overflow {
                    return Err(Refusal::Overflow);
                }
                self.value = sum;
                sum
            }
            Request::Push(number) => {
                self.list.push(number);
                self.list.len() as i64
            }
            Request::Item(index) => match usize::try_from(index).map(|index| self.list.get(index)) {
                Ok(Some(item)) => *item,
                _ => return Err(Refusal::NoSuchIndex),
            },
            Request::Pop => match self.list.pop() {
                Some(item) => item,
                None => return Err(Refusal::NoSuchIndex),
            },
            Request::Insert(key, number) => {
                match place(&self.map, &key) {
                    Ok(at) => self.map[at].1 = number,
                    Err(at) => self.map.insert(at, (key, number)),
                }
                self.map.len() as i64
            }
            Request::Find(key) => self.map[place(&self.map, &key).map_err(|_| Refusal::NoSuchKey)?].1,
            Request::Remove(key) => {
                let at = place(&self.map, &key).map_err(|_| Refusal::NoSuchKey)?;
                self.map.remove(at).1
            }
        })
    }
}

pub struct Owner {
    /// Nothing while it is somebody's turn.
    things: Mutex<Option<Things>>,
    free: Condvar,
}

impl Owner {
    pub fn empty() -> Owner {
        Owner { things: Mutex::new(Some(Things::default())), free: Condvar::new() }
    }

    pub fn answer(&self, request: Request) -> Answer {
        let mut turn = self.free.wait_while(self.things.lock().unwrap(), |things| things.is_none()).unwrap();
        let mut things = turn.take().unwrap();
        drop(turn);
        let answer = things.carry_out(request);
        *self.things.lock().unwrap() = Some(things);
        self.free.notify_one();
        answer
    }

    pub fn attend(&self, stream: impl Read + Write) -> io::Result<()> {
        attend(stream, |request| Some(self.answer(request)))
    }
}

/// Attends a client as long as there is an answer.
fn attend(stream: impl Read + Write, mut answer: impl FnMut(Request) -> Option<Answer>) -> io::Result<()> {
    let stream = RefCell::new(stream);
    loop {
        let request = Request::receive(&mut *stream.borrow_mut())?;
        let Some(answer) = request.and_then(&mut answer) else { return Ok(()) };
        answer.send(&mut *stream.borrow_mut())?;
    }
}

pub fn serve<S: Read + Write + Send + 'static>(
    clients: impl Iterator<Item = io::Result<S>> + Send + 'static,
    lifeline: impl Read,
) {
    let (requests, asked) = channel::<(Request, Sender<Answer>)>();
    thread::spawn(move || {
        for client in clients {
            if let Ok(client) = client {
                let requests = requests.clone();
                thread::spawn(move || {
                    attend(client, |request| {
                        let (reply, answer) = channel();
                        requests.send((request, reply)).ok()?;
                        answer.recv().ok()
                    })
                });
            }
        }
    });
    thread::spawn(move || {
        let mut things = Things::default();
        while let Ok((request, reply)) = asked.recv() {
            reply.send(things.carry_out(request)).ok();
        }
    });
    // `bytes` is put off by nothing but the end and an error, and takes one byte at a time.
    let _ = lifeline.bytes().find(|byte| byte.is_err());
}

pub struct Proxy<S>(Result<S, ErrorKind>);

impl<S: Read + Write> Proxy<S> {
    pub fn new(stream: S) -> Proxy<S> {
        Proxy(Ok(stream))
    }

    pub fn ask(&mut self, request: &Request) -> io::Result<Answer> {
        let stream = self.0.as_mut().map_err(|kind| *kind)?;
        let outcome = request.send(stream).and_then(|()| match Answer::receive(stream)? {
            Some(answer) => Ok(answer),
            None => Err(ErrorKind::UnexpectedEof.into()),
        });
        if let Err(error) = &outcome
            && (error.kind() != ErrorKind::InvalidInput || request.encode().len() <= LONGEST)
        {
            self.0 = Err(ErrorKind::BrokenPipe);
        }
        outcome
    }
}

pub fn run() -> io::Result<()> {
    let listener = TcpListener::bind("localhost:0")?;
    writeln!(&io::stdout(), "{}", listener.local_addr()?)?;
    let (sender, accepted) = channel();
    thread::spawn(move || listener.incoming().try_for_each(|client| sender.send(client)));
    serve(accepted.into_iter(), io::stdin());
    Ok(())
}

pub struct Manager {
    address: SocketAddr,
    guard: Guard,
}

struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Manager {
    pub fn start(command: Command) -> io::Result<Manager> {
        let mut command = command;
        let mut guard = Guard(command.stdout(Stdio::piped()).stdin(Stdio::piped()).spawn()?);
        let mut line = [0; 64];
        let mut length = 0;
        let output = guard.0.stdout.as_mut().expect("it is piped");
        let end = loop {
            if let Some(end) = line[..length].iter().position(|byte| *byte == b'\n') {
                break end;
            }
            match output.read(&mut line[length..]) {
                Ok(more) if more > 0 => length += more,
                _ => return Err(Error::from(ErrorKind::InvalidData)),
            }
        };
        let address = str::from_utf8(&line[..end]).ok().and_then(|line| line.parse().ok());
        Ok(Manager { address: address.ok_or(ErrorKind::InvalidData)?, guard })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn connect(&self) -> io::Result<Proxy<TcpStream>> {
        TcpStream::connect(self.address).map(Proxy::new)
    }

    pub fn shutdown(mut self) -> io::Result<ExitStatus> {
        self.guard.0.wait()
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        // The guard does it.
    }
}
