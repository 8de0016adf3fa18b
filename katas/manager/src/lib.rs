//! One process owns a value, a list and a map, and others ask it. The lesson is in `README.md`.
//!
//! On a stream, a message is its length in 4 bytes, the highest first, and then so many bytes: those of a request, or of an answer.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, ExitStatus};

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
        todo!()
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
    todo!()
}

/// A value, a list and a map, and whoever keeps them.
pub struct Owner {
    // The fields are yours to choose. Several threads use one owner.
}

impl Owner {
    /// An owner of the value 0, an empty list and an empty map.
    pub fn empty() -> Owner {
        todo!()
    }

    /// Carries out a request. Requests of several threads happen one after the other, each as a whole. It waits for nothing else.
    pub fn answer(&self, request: Request) -> Answer {
        todo!()
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
    pub fn attend(&self, stream: impl Read + Write) -> io::Result<()> {
        todo!()
    }
}

/// Attends all clients with one new [`Owner`], all at the same time, and returns when the lifeline has ended, or fails.
///
/// What is read from the lifeline has no meaning, only its end has: the first one, after which it is not read again. A client that could
/// not be accepted is an `Err` of `clients`, and changes nothing for the others; nor does one that goes, dies or sends rubbish. If no
/// more clients come, those that are there are attended all the same.
pub fn serve<S: Read + Write + Send + 'static>(
    clients: impl Iterator<Item = io::Result<S>> + Send + 'static,
    lifeline: impl Read,
) {
    todo!()
}

/// A client's connection with the owner: requests go out, answers come back.
pub struct Proxy<S> {
    // The fields are yours to choose. This one only says that there is a stream.
    _stream: S,
}

impl<S: Read + Write> Proxy<S> {
    /// A proxy whose owner is at the other end of this stream.
    pub fn new(stream: S) -> Proxy<S> {
        todo!()
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
        todo!()
    }
}

/// All that the owner's process does: listens at a free port of the loopback interface, writes the address and `\n` to its standard
/// output, and serves until its standard input ends.
///
/// # Errors
/// The operating system's, if there is no free port, or the address can't be written.
pub fn run() -> io::Result<()> {
    todo!()
}

/// A handle to the owner's process. The process ends with it, whatever becomes of whoever has it.
pub struct Manager {
    // The fields are yours to choose.
}

impl Manager {
    /// Starts a program that calls [`run`], and waits until it has said its address. What it may write after that is not read.
    ///
    /// # Errors
    /// - The operating system's, if the program can't be started.
    /// - `InvalidData` if what it writes does not begin with an address and `\n`. It is killed, and waited for. A line that is much
    ///   longer than an address is not read to its end.
    pub fn start(command: Command) -> io::Result<Manager> {
        todo!()
    }

    /// Where the owner listens. Other processes make proxies with it.
    pub fn address(&self) -> SocketAddr {
        todo!()
    }

    /// A new proxy, with a connection of its own.
    ///
    /// # Errors
    /// The operating system's, for instance if the owner has died.
    pub fn connect(&self) -> io::Result<Proxy<TcpStream>> {
        todo!()
    }

    /// Lets go of the owner's lifeline, waits until its process has ended, and says how.
    ///
    /// # Errors
    /// The operating system's.
    pub fn shutdown(self) -> io::Result<ExitStatus> {
        todo!()
    }
}

impl Drop for Manager {
    /// Ends the process, and waits for it, so that it is no zombie.
    fn drop(&mut self) {
        todo!()
    }
}
