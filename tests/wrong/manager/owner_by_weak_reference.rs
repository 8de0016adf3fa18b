//! rejected: assertion
//! by: all_clients_ask_one_owner
//!
//! Breaks `serve`: "If no more clients come, those that are there are attended all the same." Each client's thread has a `Weak` only until
//! it begins. It shows if `clients` ends right after a client, before this client's thread runs: the owner is dropped with the last strong
//! reference, and the client is hung up on, or, if all earlier ones have gone as well, nobody has the data any more.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};

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
        Some(match bytes {
            [0] => Request::Get,
            [1, number @ ..] => Request::Set(whole(number)?),
            [2, number @ ..] => Request::Add(whole(number)?),
            [3, number @ ..] => Request::Push(whole(number)?),
            [4, index @ ..] => Request::Item(u64::from_be_bytes(index.try_into().ok()?)),
            [5] => Request::Pop,
            [6, rest @ ..] => {
                let (number, key) = rest.split_at_checked(8)?;
                Request::Insert(text(key)?, whole(number)?)
            }
            [7, key @ ..] => Request::Find(text(key)?),
            [8, key @ ..] => Request::Remove(text(key)?),
            _ => return None,
        })
    }
}

/// These bytes as a number, if they are so many as a number has.
fn whole(bytes: &[u8]) -> Option<i64> {
    Some(i64::from_be_bytes(bytes.try_into().ok()?))
}

fn text(bytes: &[u8]) -> Option<String> {
    Some(std::str::from_utf8(bytes).ok()?.to_owned())
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
        [0, number @ ..] => whole(number).map(Ok),
        [1] => Some(Err(Refusal::Overflow)),
        [2] => Some(Err(Refusal::NoSuchIndex)),
        [3] => Some(Err(Refusal::NoSuchKey)),
        _ => None,
    }
}

/// What the owner owns.
struct Baton {
    value: i64,
    list: Vec<i64>,
    map: BTreeMap<String, i64>,
}

impl Baton {
    fn carry_out(&mut self, request: Request) -> Answer {
        let number = match request {
            Request::Get => self.value,
            Request::Set(number) => {
                let before = self.value;
                self.value = number;
                before
            }
            Request::Add(number) => {
                let sum = self.value.checked_add(number).ok_or(Refusal::Overflow)?;
                self.value = sum;
                sum
            }
            Request::Push(number) => {
                self.list.push(number);
                self.list.len() as i64
            }
            Request::Item(index) => {
                let item = usize::try_from(index).ok().and_then(|index| self.list.get(index));
                *item.ok_or(Refusal::NoSuchIndex)?
            }
            Request::Pop => self.list.pop().ok_or(Refusal::NoSuchIndex)?,
            Request::Insert(key, number) => {
                self.map.insert(key, number);
                self.map.len() as i64
            }
            Request::Find(key) => *self.map.get(&key).ok_or(Refusal::NoSuchKey)?,
            Request::Remove(key) => self.map.remove(&key).ok_or(Refusal::NoSuchKey)?,
        };
        Ok(number)
    }
}

/// Somebody in the queue.
struct Waiter {
    thread: Thread,
    hand: Mutex<Option<Baton>>,
}

impl Waiter {
    fn receive(&self) -> Baton {
        loop {
            let baton = lock(&self.hand).take();
            match baton {
                Some(baton) => return baton,
                // This may return for no reason, or for another one.
                None => thread::park(),
            }
        }
    }

    fn give(&self, baton: Baton) {
        *lock(&self.hand) = Some(baton);
        self.thread.unpark();
    }
}

struct Desk {
    /// `None` while a thread has it. If it is here, nobody waits.
    baton: Option<Baton>,
    queue: VecDeque<Arc<Waiter>>,
}

/// A value, a list and a map, and whoever keeps them.
pub struct Owner {
    desk: Mutex<Desk>,
}

/// Nothing panics while it has one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Owner {
    /// An owner of the value 0, an empty list and an empty map.
    pub fn empty() -> Owner {
        let baton = Baton { value: 0, list: Vec::new(), map: BTreeMap::new() };
        Owner { desk: Mutex::new(Desk { baton: Some(baton), queue: VecDeque::new() }) }
    }

    /// Carries out a request. Requests of several threads happen one after the other, each as a whole. It waits for nothing else.
    pub fn answer(&self, request: Request) -> Answer {
        let mut baton = self.take();
        let answer = baton.carry_out(request);
        self.pass(baton);
        answer
    }

    fn take(&self) -> Baton {
        let mut desk = lock(&self.desk);
        if let Some(baton) = desk.baton.take() {
            return baton;
        }
        let waiter = Arc::new(Waiter { thread: thread::current(), hand: Mutex::new(None) });
        desk.queue.push_back(Arc::clone(&waiter));
        drop(desk);
        waiter.receive()
    }

    fn pass(&self, baton: Baton) {
        let mut desk = lock(&self.desk);
        match desk.queue.pop_front() {
            Some(waiter) => {
                drop(desk);
                waiter.give(baton);
            }
            None => desk.baton = Some(baton),
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
        loop {
            let Some(message) = stream.hear()? else { return Ok(()) };
            let Some(request) = Request::decode(&message) else {
                return Err(io::Error::new(ErrorKind::InvalidData, "that is no request"));
            };
            let answer = self.answer(request);
            stream.say(&encode_answer(answer))?;
        }
    }
}

/// Whatever can be read and written can talk in messages.
trait Talk: Read + Write {
    /// Reads until the place is full or the stream ends, and says how much is there.
    fn fill(&mut self, place: &mut [u8]) -> io::Result<usize> {
        let mut here = 0;
        while here < place.len() {
            match self.read(&mut place[here..]) {
                Ok(0) => break,
                Ok(more) => here += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(here)
    }

    /// The next message, or `None` if the stream ends before it.
    fn hear(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut head = [0; 4];
        match self.fill(&mut head)? {
            0 => return Ok(None),
            4 => {}
            _ => return Err(io::Error::new(ErrorKind::UnexpectedEof, "the stream ends within a length")),
        }
        let length = u32::from_be_bytes(head) as usize;
        if length > LONGEST {
            return Err(io::Error::new(ErrorKind::InvalidData, format!("{length} bytes are more than {LONGEST}")));
        }
        let mut message = vec![0; length];
        if self.fill(&mut message)? < length {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the stream ends within a message"));
        }
        Ok(Some(message))
    }

    /// Writes a message, and sees to it that it leaves.
    fn say(&mut self, message: &[u8]) -> io::Result<()> {
        self.write_all(&(message.len() as u32).to_be_bytes())?;
        self.write_all(message)?;
        while let Err(error) = self.flush() {
            if error.kind() != ErrorKind::Interrupted {
                return Err(error);
            }
        }
        Ok(())
    }
}

impl<S: Read + Write> Talk for S {}

/// Attends all clients with one new [`Owner`], all at the same time, and returns when the lifeline has ended, or fails.
///
/// What is read from the lifeline has no meaning, only its end has: the first one, after which it is not read again. A client that could
/// not be accepted is an `Err` of `clients`, and changes nothing for the others; nor does one that goes, dies or sends rubbish. If no
/// more clients come, those that are there are attended all the same.
pub fn serve<S: Read + Write + Send + 'static>(
    clients: impl Iterator<Item = io::Result<S>> + Send + 'static,
    lifeline: impl Read,
) {
    let owner = Arc::new(Owner::empty());
    thread::spawn(move || {
        clients.filter_map(Result::ok).for_each(|client| {
            // Clients don't keep the owner: it goes when nobody takes care of the door any more.
            let owner = Arc::downgrade(&owner);
            let attended = thread::Builder::new().spawn(move || {
                let Some(owner) = owner.upgrade() else { return };
                // Whatever has gone wrong, the client is hung up on when this ends.
                let _ = owner.attend(client);
            });
            drop(attended);
        });
    });
    hold(lifeline);
}

/// Returns when the lifeline has ended.
fn hold(mut lifeline: impl Read) {
    loop {
        match lifeline.read(&mut [0; 64]) {
            Ok(1..) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            _ => return,
        }
    }
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
            return Err(io::Error::new(ErrorKind::InvalidInput, "this request is too long"));
        }
        let Some(stream) = &mut self.stream else {
            return Err(io::Error::new(ErrorKind::BrokenPipe, "this proxy has hung up"));
        };
        let answer = Self::converse(stream, &message);
        if answer.is_err() {
            self.stream = None;
        }
        answer
    }

    fn converse(stream: &mut S, message: &[u8]) -> io::Result<Answer> {
        stream.say(message)?;
        let Some(message) = stream.hear()? else {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the owner has gone"));
        };
        decode_answer(&message).ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "that is no answer"))
    }
}

/// All that the owner's process does: listens at a free port of the loopback interface, writes the address and `\n` to its standard
/// output, and serves until its standard input ends.
///
/// # Errors
/// The operating system's, if there is no free port, or the address can't be written.
pub fn run() -> io::Result<()> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let address = listener.local_addr()?;
    let mut output = io::stdout().lock();
    writeln!(output, "{address}")?;
    output.flush()?;
    drop(output);
    serve(Door(listener), io::stdin().lock());
    Ok(())
}

/// All clients that knock.
struct Door(TcpListener);

impl Iterator for Door {
    type Item = io::Result<TcpStream>;

    fn next(&mut self) -> Option<io::Result<TcpStream>> {
        let (client, _) = match self.0.accept() {
            Ok(accepted) => accepted,
            Err(error) => return Some(Err(error)),
        };
        // A message is written in two pieces. The second one is not to wait until the first one is acknowledged.
        let _ = client.set_nodelay(true);
        Some(Ok(client))
    }
}

/// A handle to the owner's process. The process ends with it, whatever becomes of whoever has it.
pub struct Manager {
    child: Child,
    /// `None` when the owner is to end.
    lifeline: Option<ChildStdin>,
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
        command.stdin(Stdio::piped());
        command.stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let lifeline = child.stdin.take();
        let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        // From here on, whoever leaves this function drops the manager, and ends the process.
        let mut manager = Manager { child, lifeline, address: nowhere };
        manager.address =
            manager.listen().ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "it says no address"))?;
        Ok(manager)
    }

    /// Reads one line, byte by byte, so that nothing after it is touched.
    fn listen(&mut self) -> Option<SocketAddr> {
        let output = self.child.stdout.as_mut()?;
        let mut line = String::new();
        while line.len() < 128 {
            let mut byte = [0];
            output.read_exact(&mut byte).ok()?;
            match byte {
                [b'\n'] => return line.parse().ok(),
                [byte] if byte.is_ascii() => line.push(char::from(byte)),
                _ => return None,
            }
        }
        None
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
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        Ok(Proxy::new(stream))
    }

    /// Lets go of the owner's lifeline, waits until its process has ended, and says how.
    ///
    /// # Errors
    /// The operating system's.
    pub fn shutdown(mut self) -> io::Result<ExitStatus> {
        self.lifeline = None;
        self.child.wait()
    }
}

impl Drop for Manager {
    /// Ends the process, and waits for it, so that it is no zombie.
    fn drop(&mut self) {
        // If it has ended already, it is neither killed nor waited for once more: the child knows that.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
