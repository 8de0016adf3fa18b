//! accepted
//!
//! The belongings of all owners are in one static, by the owner's number, and leave it with the owner. Messages are read byte by byte, so
//! `Interrupted` is the business of `bytes`. A client's panic is caught, and `shutdown` looks now and then.
//!
//! On a stream, a message is its length in 4 bytes, the highest first, and then so many bytes: those of a request, or of an answer.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Write};
use std::iter;
use std::mem;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
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
        let request = match tag {
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
        };
        Some(request)
    }
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
        match bytes.split_first()? {
        (0, rest) => Some(Ok(number(rest)?)),
        (1, []) => Some(Err(Refusal::Overflow)),
        (2, []) => Some(Err(Refusal::NoSuchIndex)),
        (3, []) => Some(Err(Refusal::NoSuchKey)),
        _ => None,
    }
}

/// A value, a list and a map, and whoever keeps them.
pub struct Owner {
    id: usize,
}

impl Owner {
    /// An owner of the value 0, an empty list and an empty map.
    pub fn empty() -> Owner {
                let id = NEXT.fetch_add(1, Ordering::Relaxed);
        ALL.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Data::default());
        Owner { id }
    }

    /// Carries out a request. Requests of several threads happen one after the other, each as a whole. It waits for nothing else.
    pub fn answer(&self, request: Request) -> Answer {
                let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        let data = all.get_mut(&self.id).unwrap();
        match request {
            Request::Get => Ok(data.value),
            Request::Set(number) => Ok(mem::replace(&mut data.value, number)),
            Request::Add(number) => {
                data.value = data.value.checked_add(number).ok_or(Refusal::Overflow)?;
                Ok(data.value)
            }
            Request::Push(number) => {
                data.list.push(number);
                Ok(data.list.len() as i64)
            }
            Request::Item(index) => {
                let index = usize::try_from(index).map_err(|_| Refusal::NoSuchIndex)?;
                data.list.get(index).copied().ok_or(Refusal::NoSuchIndex)
            }
            Request::Pop => data.list.pop().ok_or(Refusal::NoSuchIndex),
            Request::Insert(key, number) => {
                data.map.insert(key, number);
                Ok(data.map.len() as i64)
            }
            Request::Find(key) => data.map.get(&key).copied().ok_or(Refusal::NoSuchKey),
            Request::Remove(key) => data.map.remove(&key).ok_or(Refusal::NoSuchKey),
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
    pub fn attend(&self, stream: impl Read + Write) -> io::Result<()> {
                let mut stream = stream;
        while let Some(message) = receive(&mut stream)? {
            let Some(request) = Request::decode(&message) else {
                return Err(io::ErrorKind::InvalidData.into());
            };
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
    lifeline: impl Read,
) {
        let owner = Arc::new(Owner::empty());
    let _ = thread::spawn(move || {
        clients.filter_map(Result::ok).for_each(|mut stream| {
            let owner = owner.clone();
            let _ = thread::Builder::new().spawn(move || {
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| owner.attend(&mut stream)));
                drop(stream);
            });
        });
    });
    lifeline.bytes().take_while(|byte| byte.is_ok()).for_each(drop);
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
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let Some(stream) = &mut self.stream else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let outcome = exchange(stream, &message);
        if outcome.is_err() {
            self.stream = None;
        }
        outcome
    }
}

/// All that the owner's process does: listens at a free port of the loopback interface, writes the address and `\n` to its standard
/// output, and serves until its standard input ends.
///
/// # Errors
/// The operating system's, if there is no free port, or the address can't be written.
pub fn run() -> io::Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let mut output = io::stdout().lock();
    writeln!(output, "{address}")?;
    output.flush()?;
    drop(output);
    let clients = iter::from_fn(move || Some(listener.accept().map(|(stream, _)| stream)));
    serve(clients, io::stdin().lock());
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
    pub fn start(command: Command) -> io::Result<Manager> {
                let mut command = command;
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        match address_of(&mut child) {
            Ok(address) => Ok(Manager { child, address }),
            Err(error) => {
                let _ = child.kill();
                child.wait()?;
                Err(error)
            }
        }
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
        TcpStream::connect_timeout(&self.address, std::time::Duration::from_secs(60)).map(Proxy::new)
    }

    /// Lets go of the owner's lifeline, waits until its process has ended, and says how.
    ///
    /// # Errors
    /// The operating system's.
    pub fn shutdown(self) -> io::Result<ExitStatus> {
                let mut manager = self;
        let _ = manager.child.stdin.take();
        loop {
            if let Some(status) = manager.child.try_wait()? {
                return Ok(status);
            }
            thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

impl Drop for Manager {
    /// Ends the process, and waits for it, so that it is no zombie.
    fn drop(&mut self) {
                drop(self.child.stdin.take());
        let _ = self.child.kill();
        while let Err(error) = self.child.wait() {
            if error.kind() != io::ErrorKind::Interrupted {
                break;
            }
        }
    }
}

static NEXT: AtomicUsize = AtomicUsize::new(0);
static ALL: Mutex<BTreeMap<usize, Data>> = Mutex::new(BTreeMap::new());

impl Drop for Owner {
    fn drop(&mut self) {
        ALL.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

fn address_of(child: &mut Child) -> io::Result<SocketAddr> {
    let output = child.stdout.as_mut().ok_or(io::ErrorKind::InvalidData)?;
    let mut line = String::new();
    for byte in output.bytes().take(100) {
        match byte? {
            b'\n' => return line.parse().map_err(|_| io::ErrorKind::InvalidData.into()),
            byte => line.push(byte.into()),
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

#[derive(Default)]
struct Data {
    value: i64,
    list: Vec<i64>,
    map: HashMap<String, i64>,
}

fn number(bytes: &[u8]) -> Option<i64> {
    Some(i64::from_be_bytes(bytes.try_into().ok()?))
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

fn send(stream: &mut impl Write, message: &[u8]) -> io::Result<()> {
    let length = message.len() as u32;
    stream.write_all(&length.to_be_bytes())?;
    stream.write_all(message)?;
    stream.flush()
}

fn receive(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = Vec::new();
    for byte in stream.by_ref().bytes().take(4) {
        length.push(byte?);
    }
    let length: [u8; 4] = match length.len() {
        0 => return Ok(None),
        4 => length.try_into().unwrap(),
        _ => return Err(io::ErrorKind::UnexpectedEof.into()),
    };
    let length = u32::from_be_bytes(length) as usize;
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let message = stream.by_ref().bytes().take(length).collect::<io::Result<Vec<u8>>>()?;
    if message.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(message))
}

fn exchange(stream: &mut (impl Read + Write), message: &[u8]) -> io::Result<Answer> {
    send(stream, message)?;
    let answer = receive(stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    decode_answer(&answer).ok_or_else(|| io::ErrorKind::InvalidData.into())
}
