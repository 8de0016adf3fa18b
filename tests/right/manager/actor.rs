//! accepted
//!
//! No lock: a thread owns the belongings, and all requests go to it through a channel, each with a channel for its answer. Messages pass
//! through a `BufReader`, in two writes. A proxy that is of no use any more is in another state.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Sender};
use std::thread;

pub const LONGEST: usize = 64 * 1024;

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
        let mut rest = bytes;
        let request = match byte(&mut rest)? {
            0 => Request::Get,
            1 => Request::Set(i64::from_be_bytes(eight(&mut rest)?)),
            2 => Request::Add(i64::from_be_bytes(eight(&mut rest)?)),
            3 => Request::Push(i64::from_be_bytes(eight(&mut rest)?)),
            4 => Request::Item(u64::from_be_bytes(eight(&mut rest)?)),
            5 => Request::Pop,
            6 => {
                let number = i64::from_be_bytes(eight(&mut rest)?);
                Request::Insert(text(&mut rest)?, number)
            }
            7 => Request::Find(text(&mut rest)?),
            8 => Request::Remove(text(&mut rest)?),
            _ => return None,
        };
        rest.is_empty().then_some(request)
    }
}

fn byte(bytes: &mut &[u8]) -> Option<u8> {
    let mut byte = [0];
    bytes.read_exact(&mut byte).ok()?;
    Some(byte[0])
}

fn eight(bytes: &mut &[u8]) -> Option<[u8; 8]> {
    let mut number = [0; 8];
    bytes.read_exact(&mut number).ok()?;
    Some(number)
}

fn text(bytes: &mut &[u8]) -> Option<String> {
    let mut text = String::new();
    bytes.read_to_string(&mut text).ok()?;
    Some(text)
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
    let refusals = [Refusal::Overflow, Refusal::NoSuchIndex, Refusal::NoSuchKey];
    if let Some(refusal) = refusals.into_iter().find(|refusal| encode_answer(Err(*refusal)) == bytes) {
        return Some(Err(refusal));
    }
    let mut rest = bytes;
    (byte(&mut rest)? == 0 && rest.len() == 8).then(|| eight(&mut rest).map(i64::from_be_bytes).map(Ok))?
}

fn write_message(stream: &mut impl Write, message: &[u8]) -> io::Result<()> {
    stream.write_all(&u32::try_from(message.len()).unwrap().to_be_bytes())?;
    stream.write_all(message)?;
    stream.flush()
}

fn read_message(stream: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let at_the_end = loop {
        match stream.fill_buf() {
            Ok(bytes) => break bytes.is_empty(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    };
    if at_the_end {
        return Ok(None);
    }
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > LONGEST as u32 {
        return Err(io::Error::new(ErrorKind::InvalidData, "the message is too long"));
    }
    let mut message = Vec::new();
    if stream.take(length.into()).read_to_end(&mut message)? < length as usize {
        return Err(io::Error::new(ErrorKind::UnexpectedEof, "half a message"));
    }
    Ok(Some(message))
}

pub struct Owner {
    requests: Sender<(Request, Sender<Answer>)>,
}

impl Owner {
    pub fn empty() -> Owner {
        let (requests, asked) = mpsc::channel::<(Request, Sender<Answer>)>();
        // It ends when nobody can ask any more.
        thread::spawn(move || {
            let (mut value, mut list, mut map) = (0_i64, Vec::new(), HashMap::new());
            for (request, reply) in asked {
                let answer = match request {
                    Request::Get => Ok(value),
                    Request::Set(new) => {
                        let old = value;
                        value = new;
                        Ok(old)
                    }
                    Request::Add(number) => match value.checked_add(number) {
                        Some(sum) => {
                            value = sum;
                            Ok(sum)
                        }
                        None => Err(Refusal::Overflow),
                    },
                    Request::Push(number) => {
                        list.push(number);
                        Ok(list.len() as i64)
                    }
                    Request::Item(index) if index < list.len() as u64 => Ok(list[index as usize]),
                    Request::Item(_) => Err(Refusal::NoSuchIndex),
                    Request::Pop => list.pop().ok_or(Refusal::NoSuchIndex),
                    Request::Insert(key, number) => {
                        map.insert(key, number);
                        Ok(map.len() as i64)
                    }
                    Request::Find(key) => map.get(&key).copied().ok_or(Refusal::NoSuchKey),
                    Request::Remove(key) => map.remove(&key).ok_or(Refusal::NoSuchKey),
                };
                let _ = reply.send(answer);
            }
        });
        Owner { requests }
    }

    pub fn answer(&self, request: Request) -> Answer {
        let (reply, answer) = mpsc::channel();
        self.requests.send((request, reply)).expect("the owner's thread ends after the owner");
        answer.recv().expect("every request is answered")
    }

    pub fn attend(&self, stream: impl Read + Write) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let Some(message) = read_message(&mut stream)? else { return Ok(()) };
            let Some(request) = Request::decode(&message) else {
                return Err(io::Error::new(ErrorKind::InvalidData, "no request"));
            };
            write_message(stream.get_mut(), &encode_answer(self.answer(request)))?;
        }
    }
}

pub fn serve<S: Read + Write + Send + 'static>(
    clients: impl Iterator<Item = io::Result<S>> + Send + 'static,
    mut lifeline: impl Read,
) {
    thread::spawn(move || {
        let owner = Owner::empty();
        for client in clients {
            let Ok(client) = client else { continue };
            let owner = Owner { requests: owner.requests.clone() };
            thread::spawn(move || {
                let _ = owner.attend(client);
            });
        }
    });
    let mut words = [0; 512];
    loop {
        match lifeline.read(&mut words) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

pub struct Proxy<S> {
    state: State<S>,
}

enum State<S> {
    Connected(BufReader<S>),
    Lost,
}

impl<S: Read + Write> Proxy<S> {
    pub fn new(stream: S) -> Proxy<S> {
        Proxy { state: State::Connected(BufReader::new(stream)) }
    }

    pub fn ask(&mut self, request: &Request) -> io::Result<Answer> {
        // It is lost until it is known not to be.
        let State::Connected(mut stream) = std::mem::replace(&mut self.state, State::Lost) else {
            return Err(io::Error::new(ErrorKind::BrokenPipe, "the connection is lost"));
        };
        let message = request.encode();
        if message.len() > LONGEST {
            self.state = State::Connected(stream);
            return Err(io::Error::new(ErrorKind::InvalidInput, "the request is too long"));
        }
        write_message(stream.get_mut(), &message)?;
        let Some(answer) = read_message(&mut stream)? else { return Err(ErrorKind::UnexpectedEof.into()) };
        let Some(answer) = decode_answer(&answer) else { return Err(ErrorKind::InvalidData.into()) };
        self.state = State::Connected(stream);
        Ok(answer)
    }
}

pub fn run() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("{}\n", listener.local_addr()?);
    io::stdout().lock().write_all(address.as_bytes())?;
    io::stdout().lock().flush()?;
    let clients = std::iter::repeat_with(move || listener.accept()).map(|client| client.map(|(stream, _)| stream));
    serve(clients, io::stdin().lock());
    Ok(())
}

pub struct Manager {
    owner: Option<(Child, ChildStdin)>,
    address: SocketAddr,
}

impl Manager {
    pub fn start(mut command: Command) -> io::Result<Manager> {
        command.stdin(Stdio::piped());
        command.stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        match address(output) {
            Some(address) => Ok(Manager { owner: Some((child, input)), address }),
            None => {
                let _ = child.kill();
                child.wait()?;
                Err(io::Error::new(ErrorKind::InvalidData, "the program says no address"))
            }
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn connect(&self) -> io::Result<Proxy<TcpStream>> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        Ok(Proxy::new(stream))
    }

    pub fn shutdown(mut self) -> io::Result<ExitStatus> {
        let (mut child, input) = self.owner.take().expect("only this and `drop` take it");
        drop(input);
        child.wait()
    }
}

/// Byte by byte, so that nothing is read beyond the line.
fn address(mut output: impl Read) -> Option<SocketAddr> {
    let mut line = Vec::new();
    while line.len() < 64 {
        match byte_of(&mut output)? {
            b'\n' => return std::str::from_utf8(&line).ok()?.parse().ok(),
            byte => line.push(byte),
        }
    }
    None
}

fn byte_of(reader: &mut impl Read) -> Option<u8> {
    let mut byte = [0];
    reader.read_exact(&mut byte).ok()?;
    Some(byte[0])
}

impl Drop for Manager {
    fn drop(&mut self) {
        if let Some((mut child, _input)) = self.owner.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
