//! accepted
//!
//! No thread only accepts: whoever has got a client lets another thread wait for the next one, and attends its own.
//!
//! On a stream, a message is its length in 4 bytes, the highest first, and then so many bytes: those of a request, or of an answer.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

/// The bytes of the longest message, without its length.
pub const LONGEST: usize = 64 * 1024;

/// What a client may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// The value.
    Get,
    /// Replaces the value. The answer is the value before.
    Set(i64),
    /// Adds to the value. The answer is the value after that.
    Add(i64),
    /// Appends to the list. The answer is the list's new length.
    Push(i64),
    /// The item with this index, counted from 0.
    Item(u64),
    /// Removes the list's last item. The answer is that item.
    Pop,
    /// Puts a number into the map, in the place of the key's old one if there is one. The answer is how many keys the map has now.
    Insert(String, i64),
    /// The number of this key.
    Find(String),
    /// Removes the key. The answer is the number that it had.
    Remove(String),
}

/// What the owner answers.
pub type Answer = Result<i64, Refusal>;

/// Why the owner can't do what it is asked. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The sum is no `i64`.
    Overflow,
    /// The list has no such item, or none at all.
    NoSuchIndex,
    /// The map has no such key.
    NoSuchKey,
}

impl Request {
    /// The request in bytes. Given; it says what the format is.
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

    /// The request that [`encode`](Request::encode) makes these bytes of. `None` if there is no such request: the tag is unknown, a
    /// byte is missing or too many, a key is not UTF-8.
    pub fn decode(bytes: &[u8]) -> Option<Request> {
        let (tag, rest) = bytes.split_first()?;
        Some(match tag {
            0 if rest.is_empty() => Request::Get,
            1 => Request::Set(number(rest)?),
            2 => Request::Add(number(rest)?),
            3 => Request::Push(number(rest)?),
            4 => Request::Item(u64::from_be_bytes(rest.try_into().ok()?)),
            5 if rest.is_empty() => Request::Pop,
            6 => {
                let (first, key) = rest.split_at_checked(8)?;
                Request::Insert(text(key)?, number(first)?)
            }
            7 => Request::Find(text(rest)?),
            8 => Request::Remove(text(rest)?),
            _ => return None,
        })
    }
}

fn number(bytes: &[u8]) -> Option<i64> {
    Some(i64::from_be_bytes(bytes.try_into().ok()?))
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

/// The answer in bytes. Given; it says what the format is.
pub fn encode_answer(answer: Answer) -> Vec<u8> {
    match answer {
        Ok(number) => [&[0][..], &number.to_be_bytes()].concat(),
        Err(Refusal::Overflow) => vec![1],
        Err(Refusal::NoSuchIndex) => vec![2],
        Err(Refusal::NoSuchKey) => vec![3],
    }
}

/// The answer that [`encode_answer`] makes these bytes of. `None` if there is no such answer.
pub fn decode_answer(bytes: &[u8]) -> Option<Answer> {
    match bytes {
        [0, rest @ ..] => Some(Ok(number(rest)?)),
        [1] => Some(Err(Refusal::Overflow)),
        [2] => Some(Err(Refusal::NoSuchIndex)),
        [3] => Some(Err(Refusal::NoSuchKey)),
        _ => None,
    }
}

/// A value, a list and a map, and whoever keeps them.
pub struct Owner {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    value: i64,
    list: Vec<i64>,
    map: HashMap<String, i64>,
}

/// Writes a message: its length, and its bytes.
fn send(stream: &mut impl Write, message: &[u8]) -> io::Result<()> {
    let mut bytes = (message.len() as u32).to_be_bytes().to_vec();
    bytes.extend_from_slice(message);
    stream.write_all(&bytes)?;
    stream.flush()
}

/// Reads a message. `None` if the stream ends before it.
fn receive(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = Vec::new();
    stream.by_ref().take(4).read_to_end(&mut length)?;
    if length.is_empty() {
        return Ok(None);
    }
    let Ok(length) = <[u8; 4]>::try_from(length) else { return Err(ErrorKind::UnexpectedEof.into()) };
    let length = u32::from_be_bytes(length) as usize;
    if length > LONGEST {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length];
    stream.read_exact(&mut message)?;
    Ok(Some(message))
}

impl Owner {
    /// An owner of the value 0, an empty list and an empty map.
    pub fn empty() -> Owner {
        Owner { state: Mutex::default() }
    }

    /// Carries out a request. Requests of several threads happen one after the other, each as a whole. It waits for nothing else.
    pub fn answer(&self, request: Request) -> Answer {
        let mut state = self.state.lock().unwrap();
        match request {
            Request::Get => Ok(state.value),
            Request::Set(number) => Ok(std::mem::replace(&mut state.value, number)),
            Request::Add(number) => {
                state.value = state.value.checked_add(number).ok_or(Refusal::Overflow)?;
                Ok(state.value)
            }
            Request::Push(number) => {
                state.list.push(number);
                Ok(state.list.len() as i64)
            }
            Request::Item(index) => {
                let index = usize::try_from(index).map_err(|_| Refusal::NoSuchIndex)?;
                state.list.get(index).copied().ok_or(Refusal::NoSuchIndex)
            }
            Request::Pop => state.list.pop().ok_or(Refusal::NoSuchIndex),
            Request::Insert(key, number) => {
                state.map.insert(key, number);
                Ok(state.map.len() as i64)
            }
            Request::Find(key) => state.map.get(&key).copied().ok_or(Refusal::NoSuchKey),
            Request::Remove(key) => state.map.remove(&key).ok_or(Refusal::NoSuchKey),
        }
    }

    /// Attends one client until it goes: reads a request, carries it out, writes the answer, and so on. While it waits for this
    /// client, it keeps nobody else waiting.
    ///
    /// A request that does not arrive as a whole is not carried out.
    ///
    /// # Errors
    /// - `UnexpectedEof` if the client goes in the middle of a request. Between two requests it may go: that is no error.
    /// - `InvalidData` if a message is longer than [`LONGEST`], or is no request. No memory is taken for what is too long.
    /// - Whatever the stream reports, but not that a call was `Interrupted`.
    pub fn attend(&self, mut stream: impl Read + Write) -> io::Result<()> {
        while let Some(message) = receive(&mut stream)? {
            let request = Request::decode(&message).ok_or(ErrorKind::InvalidData)?;
            let answer = self.answer(request);
            send(&mut stream, &encode_answer(answer))?;
        }
        Ok(())
    }
}

/// Attends all clients with one new [`Owner`], all at the same time, and returns when the lifeline has ended, or fails.
///
/// What is read from the lifeline has no meaning, only its end has. A client that could not be accepted is an `Err` of `clients`, and
/// changes nothing for the others; nor does one that goes, dies or sends rubbish. If no more clients come, those that are there are
/// attended all the same.
pub fn serve<S: Read + Write + Send + 'static>(
    clients: impl Iterator<Item = io::Result<S>> + Send + 'static,
    mut lifeline: impl Read,
) {
    // One thread that attends, and makes another that waits for the next: a chain.
    fn next<S: Read + Write + Send + 'static>(
        owner: Arc<Owner>,
        mut clients: impl Iterator<Item = io::Result<S>> + Send + 'static,
    ) {
        thread::spawn(move || {
            let client = loop {
                match clients.next() {
                    None => return,
                    Some(Ok(client)) => break client,
                    Some(Err(_)) => {}
                }
            };
            next(owner.clone(), clients);
            let _ = owner.attend(client);
        });
    }
    next(Arc::new(Owner::empty()), clients);
    let mut kept = [0; 16];
    while match lifeline.read(&mut kept) {
        Ok(count) => count > 0,
        Err(error) => error.kind() == ErrorKind::Interrupted,
    } {}
}

/// A client's connection with the owner: requests go out, answers come back.
pub struct Proxy<S> {
    stream: Option<S>,
}

impl<S: Read + Write> Proxy<S> {
    /// A proxy whose owner is at the other end of this stream.
    pub fn new(stream: S) -> Proxy<S> {
        Proxy { stream: Some(stream) }
    }

    /// Asks the owner, waits for its answer, and gives it: a refusal is an answer, too.
    ///
    /// # Errors
    /// - `InvalidInput` if the request has more than [`LONGEST`] bytes. Nothing is written, and the proxy can be used as before.
    /// - `UnexpectedEof` if the owner goes without a whole answer. Nobody knows then whether the request was carried out.
    /// - `InvalidData` if what comes is longer than [`LONGEST`], or no answer. No memory is taken for what is too long.
    /// - Whatever the stream reports, but not that a call was `Interrupted`.
    /// - `BrokenPipe` after any other error than `InvalidInput`: the proxy hangs up then, drops the stream, and never uses it again.
    pub fn ask(&mut self, request: &Request) -> io::Result<Answer> {
        let message = request.encode();
        if message.len() > LONGEST {
            return Err(ErrorKind::InvalidInput.into());
        }
        let stream = self.stream.as_mut().ok_or(ErrorKind::BrokenPipe)?;
        let outcome = exchange(stream, &message);
        if outcome.is_err() {
            self.stream = None;
        }
        outcome
    }
}

fn exchange(stream: &mut (impl Read + Write), message: &[u8]) -> io::Result<Answer> {
    send(stream, message)?;
    let answer = receive(stream)?.ok_or(ErrorKind::UnexpectedEof)?;
    decode_answer(&answer).ok_or(ErrorKind::InvalidData.into())
}

/// All that the owner's process does: listens at a free port of the loopback interface, writes the address and `\n` to its standard
/// output, and serves until its standard input ends.
///
/// # Errors
/// The operating system's, if there is no free port, or the address can't be written.
pub fn run() -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut output = io::stdout();
    writeln!(output, "{}", listener.local_addr()?)?;
    output.flush()?;
    let clients = std::iter::from_fn(move || Some(listener.accept().map(|(stream, _)| stream)));
    serve(clients, io::stdin());
    Ok(())
}

/// A handle to the owner's process. The process ends with it, whatever becomes of whoever has it.
pub struct Manager {
    child: Child,
    address: SocketAddr,
}

impl Manager {
    /// Starts a program that calls [`run`], and waits until it has said its address. What it may write after that is not read.
    ///
    /// # Errors
    /// - The operating system's, if the program can't be started.
    /// - `InvalidData` if what it writes does not begin with an address and `\n`. It is killed, and waited for. A line that is much
    ///   longer than an address is not read to its end.
    pub fn start(mut command: Command) -> io::Result<Manager> {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut manager = Manager { child, address: (Ipv4Addr::LOCALHOST, 0).into() };
        let output = manager.child.stdout.as_mut().unwrap();
        let mut line = String::new();
        BufReader::new(output.take(64)).read_line(&mut line)?;
        let address = line.strip_suffix('\n').ok_or(ErrorKind::InvalidData)?;
        manager.address = address.parse().map_err(|_| ErrorKind::InvalidData)?;
        Ok(manager)
    }

    /// Where the owner listens. Other processes make proxies with it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A new proxy, with a connection of its own.
    ///
    /// # Errors
    /// The operating system's, for instance if the owner has died.
    pub fn connect(&self) -> io::Result<Proxy<TcpStream>> {
        Ok(Proxy::new(TcpStream::connect(self.address)?))
    }

    /// Lets go of the owner's lifeline, waits until its process has ended, and says how.
    ///
    /// # Errors
    /// The operating system's.
    pub fn shutdown(mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }
}

impl Drop for Manager {
    /// Ends the process, and waits for it, so that it is no zombie.
    fn drop(&mut self) {
        if self.child.kill().is_err() {
            return;
        }
        let _ = self.child.wait();
    }
}
