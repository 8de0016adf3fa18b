//! One process owns a value, a list and a map. Other processes ask it.
//!
//! Nothing is shared, so nobody can change it behind the owner's back. The owner carries out one request after the other, and so
//! each of them is **atomic**, from the moment when it is read as a whole. What a client makes of *two* requests is not.
//!
//! On a stream, a message is its length in 4 bytes, the highest first, and then so many bytes: those of a request, or of an answer.
//!
//! From the inside out: [`Request`] and [`Answer`] are data, and bytes. An [`Owner`] answers requests, and attends a client on a
//! stream. [`serve`] does that for many clients. A [`Proxy`] is the client's side. A [`Manager`] is a handle to the process in which
//! all of it happens, and [`run`] is what that process does.

use std::collections::BTreeMap;
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
        let (&tag, rest) = bytes.split_first()?;
        // Each arm uses up all of `rest`. A byte that nobody has asked for is a sign that the two sides don't speak the same
        // language, and then the other bytes don't mean what they seem to mean either.
        Some(match tag {
            0 if rest.is_empty() => Request::Get,
            1 => Request::Set(number(rest)?),
            2 => Request::Add(number(rest)?),
            3 => Request::Push(number(rest)?),
            4 => Request::Item(u64::from_be_bytes(rest.try_into().ok()?)),
            5 if rest.is_empty() => Request::Pop,
            6 => {
                let (before_the_key, rest) = rest.split_at_checked(size_of::<i64>())?;
                Request::Insert(key(rest)?, number(before_the_key)?)
            }
            7 => Request::Find(key(rest)?),
            8 => Request::Remove(key(rest)?),
            _ => return None,
        })
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
    // Slices as patterns: "1, and nothing else".
    match bytes {
        [0, rest @ ..] => Some(Ok(number(rest)?)),
        [1] => Some(Err(Refusal::Overflow)),
        [2] => Some(Err(Refusal::NoSuchIndex)),
        [3] => Some(Err(Refusal::NoSuchKey)),
        _ => None,
    }
}

fn number(bytes: &[u8]) -> Option<i64> {
    // A slice becomes an array only if it has exactly the array's length.
    Some(i64::from_be_bytes(bytes.try_into().ok()?))
}

fn key(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

/// Writes one message: its length and its bytes. The kata `pipe` is about this function and the next one.
fn send(stream: &mut impl Write, message: &[u8]) -> io::Result<()> {
    // One `write` for both parts. With two, TCP might keep the second one back until the first is acknowledged, and the other
    // side acknowledges late, since it hopes to send something along with it: 40 ms for each request.
    let frame = [&(message.len() as u32).to_be_bytes(), message].concat();
    stream.write_all(&frame)?;
    stream.flush()
}

/// Reads one message. `None` if the stream ends where one would begin.
fn receive(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = Vec::new();
    if stream.take(4).read_to_end(&mut length)? == 0 {
        return Ok(None);
    }
    // Three bytes are no length: the other side died in the middle of it.
    let length: [u8; 4] = length.try_into().map_err(|_| ErrorKind::UnexpectedEof)?;
    let length = u32::from_be_bytes(length) as usize;
    // Looked at before any memory is taken. The number is a stranger's.
    if length > LONGEST {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length];
    stream.read_exact(&mut message)?;
    Ok(Some(message))
}

/// A value, a list and a map, and whoever keeps them.
pub struct Owner {
    // One lock for all three. It is held for a few instructions, and never while anybody waits for a stream. That is the only way in
    // which clients could make each other wait.
    belongings: Mutex<Belongings>,
}

#[derive(Debug, Default)]
struct Belongings {
    value: i64,
    list: Vec<i64>,
    map: BTreeMap<String, i64>,
}

impl Owner {
    /// An owner of the value 0, an empty list and an empty map.
    pub fn empty() -> Owner {
        Owner { belongings: Mutex::default() }
    }

    /// Carries out a request. Requests of several threads happen one after the other, each as a whole. It waits for nothing else.
    pub fn answer(&self, request: Request) -> Answer {
        let mut belongings = self.belongings.lock().expect("no request panics");
        let Belongings { value, list, map } = &mut *belongings;
        match request {
            Request::Get => Ok(*value),
            Request::Set(number) => Ok(std::mem::replace(value, number)),
            Request::Add(number) => {
                // First the sum, then the change: a refused request has changed nothing.
                *value = value.checked_add(number).ok_or(Refusal::Overflow)?;
                Ok(*value)
            }
            Request::Push(number) => {
                list.push(number);
                Ok(list.len() as i64)
            }
            // Not `index as usize`: where that has 32 bits, item 2³² would be item 0.
            Request::Item(index) => {
                let item = usize::try_from(index).ok().and_then(|index| list.get(index));
                item.copied().ok_or(Refusal::NoSuchIndex)
            }
            Request::Pop => list.pop().ok_or(Refusal::NoSuchIndex),
            Request::Insert(key, number) => {
                map.insert(key, number);
                Ok(map.len() as i64)
            }
            Request::Find(key) => map.get(&key).copied().ok_or(Refusal::NoSuchKey),
            Request::Remove(key) => map.remove(&key).ok_or(Refusal::NoSuchKey),
        }
    }

    /// Attends one client until it goes: reads a request, carries it out, writes the answer, and so on. While it waits for this
    /// client, it keeps nobody else waiting.
    ///
    /// A request that does not arrive as a whole is not carried out, nor is one that follows an answer that could not be written.
    ///
    /// # Errors
    /// - `UnexpectedEof` if the client goes in the middle of a request. Between two requests it may go: that is no error.
    /// - `InvalidData` if a message is longer than [`LONGEST`], or is no request. No memory is taken for what is too long.
    /// - Whatever the stream reports, but not that a call was `Interrupted`.
    pub fn attend(&self, mut stream: impl Read + Write) -> io::Result<()> {
        while let Some(message) = receive(&mut stream)? {
            // Not an answer "I don't understand": whatever comes next from somebody who speaks another language is noise.
            let request = Request::decode(&message).ok_or(ErrorKind::InvalidData)?;
            // The lock is free again before the answer is written. The client may be slow to take it.
            let answer = self.answer(request);
            send(&mut stream, &encode_answer(answer))?;
        }
        Ok(())
    }
}

/// Attends all clients with one new [`Owner`], all at the same time, and returns when the lifeline has ended, or fails.
///
/// What is read from the lifeline has no meaning, only its end has: the first one, after which it is not read again. A client that could
/// not be accepted is an `Err` of `clients`, and changes nothing for the others; nor does one that goes, dies or sends rubbish. If no
/// more clients come, those that are there are attended all the same.
pub fn serve<S: Read + Write + Send + 'static>(
    clients: impl Iterator<Item = io::Result<S>> + Send + 'static,
    mut lifeline: impl Read,
) {
    let owner = Arc::new(Owner::empty());
    // A thread for each client, and one that waits for clients. Nobody joins them: they end with their clients, or with the process.
    thread::spawn(move || {
        for client in clients.flatten() {
            let owner = Arc::clone(&owner);
            // What went wrong with a client is that client's business. If there is no room for one more thread, the client
            // is dropped, which hangs up. `thread::spawn` would panic here, and nobody would be accepted any more.
            let _ = thread::Builder::new().spawn(move || owner.attend(client));
        }
    });
    // A failing lifeline is no lifeline. `copy` is not put off by `Interrupted`.
    let _ = io::copy(&mut lifeline, &mut io::sink());
}

/// A client's connection with the owner: requests go out, answers come back.
pub struct Proxy<S> {
    /// Nothing after an error.
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
            // Half a request may be on its way out, or half an answer on its way in. Whoever asked again on this stream could be
            // given the answer to another question.
            self.stream = None;
        }
        outcome
    }
}

/// One message out, one message in.
fn exchange(stream: &mut (impl Read + Write), message: &[u8]) -> io::Result<Answer> {
    send(stream, message)?;
    let answer = receive(stream)?.ok_or(ErrorKind::UnexpectedEof)?;
    Ok(decode_answer(&answer).ok_or(ErrorKind::InvalidData)?)
}

/// All that the owner's process does: listens at a free port of the loopback interface, writes the address and `\n` to its standard
/// output, and serves until its standard input ends.
///
/// # Errors
/// The operating system's, if there is no free port, or the address can't be written.
pub fn run() -> io::Result<()> {
    // Port 0 is "any that is free".
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
    // Its standard input is the owner's lifeline: the operating system closes it also for a process that is killed.
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
        // From here on, whatever goes wrong, the child is dropped with the manager. The address follows.
        let mut manager = Manager { child, address: SocketAddr::from(([0; 4], 0)) };
        manager.address = manager.hear().ok_or(ErrorKind::InvalidData)?;
        Ok(manager)
    }

    /// The address that the child says. Nothing if it says something else.
    fn hear(&mut self) -> Option<SocketAddr> {
        let mut line = String::new();
        // Not longer than an address can be: a program that is no owner may write without end.
        BufReader::new(self.child.stdout.take()?.take(64)).read_line(&mut line).ok()?;
        // Without its `\n` it may be the beginning of an address only, and port 123 of 12345.
        line.strip_suffix('\n')?.parse().ok()
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
        TcpStream::connect(self.address).map(Proxy::new)
    }

    /// Lets go of the owner's lifeline, waits until its process has ended, and says how.
    ///
    /// # Errors
    /// The operating system's.
    pub fn shutdown(mut self) -> io::Result<ExitStatus> {
        // `wait` closes the child's standard input first.
        self.child.wait()
    }
}

impl Drop for Manager {
    /// Ends the process, and waits for it, so that it is no zombie.
    fn drop(&mut self) {
        // An owner would end without it, once its standard input is closed. But the program may be something else.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
