//! accepted
//!
//! The value is an atomic, the list and the map have a lock each: a request is about one of them. Bytes are collected until they
//! are a message, so there is no way to wait for exactly four of them. The owner's address is written with `writeln!`.

use std as s;

use s::collections::{HashMap, VecDeque};
use s::io::{self, ErrorKind, Read, Write};
use s::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use s::process::{Child, Command, ExitStatus, Stdio};
use s::sync::atomic::{AtomicI64, Ordering};
use s::sync::{Arc, Mutex, RwLock};

pub const LONGEST: usize = 1 << 16;

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
        let number = |from: &[u8]| <[u8; 8]>::try_from(from).map(i64::from_be_bytes).ok();
        let text = |from: &[u8]| s::str::from_utf8(from).map(str::to_owned).ok();
        match bytes {
            [0] => Some(Request::Get),
            [1, rest @ ..] => number(rest).map(Request::Set),
            [2, rest @ ..] => number(rest).map(Request::Add),
            [3, rest @ ..] => number(rest).map(Request::Push),
            [4, rest @ ..] => number(rest).map(|index| Request::Item(index as u64)),
            [5] => Some(Request::Pop),
            [6, a, b, c, d, e, f, g, h, key @ ..] => {
                Some(Request::Insert(text(key)?, number(&[*a, *b, *c, *d, *e, *f, *g, *h])?))
            }
            [7, key @ ..] => text(key).map(Request::Find),
            [8, key @ ..] => text(key).map(Request::Remove),
            _ => None,
        }
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
    Some(match *bytes {
        [0, a, b, c, d, e, f, g, h] => Ok(i64::from_be_bytes([a, b, c, d, e, f, g, h])),
        [1] => Err(Refusal::Overflow),
        [2] => Err(Refusal::NoSuchIndex),
        [3] => Err(Refusal::NoSuchKey),
        _ => return None,
    })
}

/// A stream, and what has been read from it and not yet used.
struct Talk<S> {
    stream: S,
    bytes: VecDeque<u8>,
}

impl<S: Read + Write> Talk<S> {
    fn new(stream: S) -> Self {
        Talk { stream, bytes: VecDeque::new() }
    }

    fn hear(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if self.bytes.len() >= 4 {
                let length = (0..4).fold(0, |length, nth| length << 8 | self.bytes[nth] as usize);
                if length > LONGEST {
                    return Err(ErrorKind::InvalidData.into());
                }
                if self.bytes.len() >= 4 + length {
                    return Ok(Some(self.bytes.drain(..4 + length).skip(4).collect()));
                }
            }
            let mut more = [0; 1000];
            match self.stream.read(&mut more) {
                Ok(0) if self.bytes.is_empty() => return Ok(None),
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.bytes.extend(&more[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
        }
    }

    fn say(&mut self, message: Vec<u8>) -> io::Result<()> {
        let mut frame = (message.len() as u32).to_be_bytes().to_vec();
        frame.extend(message);
        let mut written = 0;
        while written < frame.len() {
            written += match self.stream.write(&frame[written..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => 0,
                Err(error) => return Err(error),
            };
        }
        self.stream.flush()
    }
}

#[derive(Default, Clone)]
pub struct Owner {
    value: Arc<AtomicI64>,
    list: Arc<Mutex<Vec<i64>>>,
    map: Arc<RwLock<HashMap<String, i64>>>,
}

impl Owner {
    pub fn empty() -> Owner {
        Default::default()
    }

    pub fn answer(&self, request: Request) -> Answer {
        use Request::*;
        match request {
            Get => Ok(self.value.load(Ordering::SeqCst)),
            Set(number) => Ok(self.value.swap(number, Ordering::SeqCst)),
            Add(number) => {
                let sum = |value: i64| value.checked_add(number);
                let before = self.value.fetch_update(Ordering::SeqCst, Ordering::SeqCst, sum);
                before.map(|before| before + number).map_err(|_| Refusal::Overflow)
            }
            Push(number) => {
                let mut list = self.list.lock().unwrap();
                list.push(number);
                Ok(list.len() as i64)
            }
            Item(index) => {
                let index = usize::try_from(index).map_err(|_| Refusal::NoSuchIndex)?;
                self.list.lock().unwrap().get(index).copied().ok_or(Refusal::NoSuchIndex)
            }
            Pop => self.list.lock().unwrap().pop().ok_or(Refusal::NoSuchIndex),
            Insert(key, number) => {
                let mut map = self.map.write().unwrap();
                *map.entry(key).or_default() = number;
                Ok(map.len() as i64)
            }
            Find(key) => match self.map.read().unwrap().get(&key) {
                Some(number) => Ok(*number),
                None => Err(Refusal::NoSuchKey),
            },
            Remove(key) => self.map.write().unwrap().remove(&key).ok_or(Refusal::NoSuchKey),
        }
    }

    pub fn attend(&self, stream: impl Read + Write) -> io::Result<()> {
        let mut talk = Talk::new(stream);
        while let Some(message) = talk.hear()? {
            match Request::decode(&message) {
                Some(request) => talk.say(encode_answer(self.answer(request)))?,
                None => return Err(ErrorKind::InvalidData.into()),
            }
        }
        Ok(())
    }
}

pub fn serve<S: Read + Write + Send + 'static>(
    clients: impl Iterator<Item = io::Result<S>> + Send + 'static,
    mut lifeline: impl Read,
) {
    let owner = Owner::empty();
    s::thread::spawn(move || {
        clients.filter_map(Result::ok).for_each(|client| {
            let owner = owner.clone();
            s::thread::spawn(move || drop(owner.attend(client)));
        })
    });
    let mut last_words = Vec::new();
    let _ = lifeline.read_to_end(&mut last_words);
}

pub struct Proxy<S> {
    talk: Option<Talk<S>>,
}

impl<S: Read + Write> Proxy<S> {
    pub fn new(stream: S) -> Proxy<S> {
        Proxy { talk: Some(Talk::new(stream)) }
    }

    pub fn ask(&mut self, request: &Request) -> io::Result<Answer> {
        let message = request.encode();
        let Some(mut talk) = self.talk.take() else { return Err(ErrorKind::BrokenPipe.into()) };
        if message.len() > LONGEST {
            self.talk = Some(talk);
            return Err(ErrorKind::InvalidInput.into());
        }
        talk.say(message)?;
        let answer = talk.hear()?.ok_or(ErrorKind::UnexpectedEof)?;
        let answer = decode_answer(&answer).ok_or(ErrorKind::InvalidData)?;
        self.talk = Some(talk);
        Ok(answer)
    }
}

pub fn run() -> io::Result<()> {
    let listener: &'static TcpListener = Box::leak(Box::new(TcpListener::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), 0))?));
    writeln!(io::stdout(), "{}", listener.local_addr()?)?;
    serve(listener.incoming(), io::stdin());
    Ok(())
}

pub struct Manager(Child, SocketAddr);

impl Manager {
    pub fn start(mut command: Command) -> io::Result<Manager> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut output = child.stdout.take().unwrap();
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut manager = Manager(child, nowhere);
        let mut line = String::new();
        while !line.ends_with('\n') {
            let mut byte = [0];
            if line.len() >= 64 || output.read(&mut byte)? == 0 || !byte[0].is_ascii() {
                return Err(io::Error::new(ErrorKind::InvalidData, format!("no address: {line:?}")));
            }
            line.push(byte[0] as char);
        }
        line.pop();
        manager.1 = line.parse().map_err(|_| io::Error::new(ErrorKind::InvalidData, line))?;
        Ok(manager)
    }

    pub fn address(&self) -> SocketAddr {
        self.1
    }

    pub fn connect(&self) -> io::Result<Proxy<TcpStream>> {
        Ok(Proxy::new(TcpStream::connect(self.1)?))
    }

    pub fn shutdown(mut self) -> io::Result<ExitStatus> {
        drop(self.0.stdin.take());
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            s::thread::yield_now();
        }
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        if let Ok(None) = self.0.try_wait() {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}
