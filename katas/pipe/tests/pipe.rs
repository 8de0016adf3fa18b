//! The contract of the kata `pipe`, sentence by sentence. `README.md` has the same list.
//!
//! The children are this program again, in the roles at the end of the file. All but one do their framing by hand: a mistake in
//! the submission meets a child that doesn't make it too.

use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::process::{Child, ExitStatus, Stdio};

use kata::child::{Children, roles};
use kata::{Check, check};
use pipe::{Connection, LONGEST, receive, send};

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is compared with.
fn _signatures(mut reader: impl Read + Send + 'static, mut writer: impl Write + Send + 'static) {
    let _: io::Result<()> = send(&mut writer, b"");
    let _: io::Result<Option<Vec<u8>>> = receive(&mut reader);
    let _: Connection = Connection::new(reader, writer);
    let _: fn(&mut Connection, Vec<u8>) -> io::Result<()> = Connection::send;
    let _: fn(&mut Connection) -> io::Result<Option<Vec<u8>>> = Connection::receive;
    let _: fn(&mut Connection) = Connection::finish;
    let _: fn(Connection) -> io::Result<()> = Connection::close;
}

/// A submission can't agree on shorter messages with itself.
const _: () = assert!(LONGEST == 16 * 1024 * 1024);

#[test]
fn a_message_is_its_length_and_its_bytes() {
    check(|| {
        // Its length has three different bytes, so that their order shows.
        let long = message(0x01_02_03, 0);
        let messages = [b"abc", b"".as_slice(), &long];
        let expected = [b"\0\0\0\x03abc\0\0\0\0\0\x01\x02\x03".as_slice(), &long].concat();
        let mut stream = BufWriter::with_capacity(2 * expected.len(), Vec::new());
        for message in messages {
            send(&mut stream, message).unwrap();
        }
        same(stream.get_ref(), &expected, "what has left the writer's buffer");
        let mut stream = expected.as_slice();
        for message in messages {
            arrived(receive(&mut stream), message, "a message");
        }
    });
}

#[test]
fn a_message_may_pass_in_pieces() {
    check(|| {
        let messages = [message(300, 1), Vec::new(), message(5, 2)];
        let mut stream = Pieces::default();
        for message in &messages {
            send(&mut stream, message).unwrap();
        }
        same(&stream.bytes, &messages.map(|message| frame(&message)).concat(), "what went in pieces");
        for message in [message(300, 1), Vec::new(), message(5, 2)] {
            arrived(receive(&mut stream), &message, "a message in pieces");
        }
    });
}

#[test]
fn the_end_between_two_messages_is_no_error() {
    check(|| {
        let frames = [frame(b""), frame(b"last")].concat();
        let mut stream = frames.as_slice();
        arrived(receive(&mut stream), b"", "an empty message");
        arrived(receive(&mut stream), b"last", "the last message");
        assert_eq!(in_short(receive(&mut stream)), Ok(None), "the end");
        let broken = in_short(receive(&mut Broken));
        assert_eq!(broken, Err(ErrorKind::ConnectionReset), "a stream that breaks has not ended");
    });
}

#[test]
fn the_end_in_the_middle_of_a_message_is_an_error() {
    check(|| {
        let whole = frame(b"a message");
        for end in 1..whole.len() {
            let outcome = in_short(receive(&mut &whole[..end]));
            assert_eq!(outcome, Err(ErrorKind::UnexpectedEof), "the end after {end} of {} bytes", whole.len());
        }
    });
}

/// The lengths rise: whoever believes the first takes 16 MiB, and doesn't come to the one that costs 4 GiB.
#[test]
fn a_hostile_length_is_refused_before_anything_is_allocated() {
    check(|| {
        for length in [LONGEST as u32 + 1, i32::MAX as u32, u32::MAX] {
            let stream = [length.to_be_bytes().as_slice(), b"the rest"].concat();
            let mut outcome = Ok(None);
            let memory = allocation_counter::measure(|| outcome = receive(&mut stream.as_slice()));
            assert_eq!(in_short(outcome), Err(ErrorKind::InvalidData), "{length} bytes announced");
            let allocated = memory.bytes_total;
            assert!(
                allocated < 64 * 1024,
                "{length} bytes announced, and {allocated} allocated before they were refused"
            );
        }
        let longest = message(LONGEST, 0);
        arrived(receive(&mut frame(&longest).as_slice()), &longest, "the longest message");
        let mut stream = Vec::new();
        let outcome = send(&mut stream, &message(LONGEST + 1, 0)).map_err(|error| error.kind());
        assert_eq!(outcome, Err(ErrorKind::InvalidInput), "sending a message that the other end would refuse");
        assert_eq!(stream.len(), 0, "the bytes written of it");
    });
}

#[test]
fn big_messages_in_both_directions_at_once_arrive() {
    Check::new().threads_only().run(|| {
        let (mut child, mut connection) = Running::start("speaks_first");
        for number in 0..3 {
            connection.send(big(number)).unwrap();
        }
        connection.finish();
        for number in 0..3 {
            arrived(connection.receive(), &big(number), "a message from the child");
        }
        assert_eq!(in_short(connection.receive()), Ok(None), "the end, after three messages");
        connection.close().unwrap();
        assert!(child.ended().success(), "the child was sent three messages and got others");
    });
}

#[test]
fn after_finish_the_other_end_is_told_and_can_still_answer() {
    Check::new().threads_only().run(|| {
        let (mut child, mut connection) = Running::start("answers_at_the_end");
        for message in [b"one".to_vec(), Vec::new(), big(3)] {
            connection.send(message).unwrap();
        }
        connection.finish();
        let late = connection.send(b"late".to_vec()).map_err(|error| error.kind());
        assert_eq!(late, Err(ErrorKind::BrokenPipe), "sending after `finish`");
        for message in [big(3), Vec::new(), b"one".to_vec()] {
            arrived(connection.receive(), &message, "an answer");
        }
        assert_eq!(in_short(connection.receive()), Ok(None), "the end, after three answers");
        connection.close().unwrap();
        assert!(child.ended().success());
    });
}

#[test]
fn a_child_that_dies_in_the_middle_of_a_message_is_an_error() {
    Check::new().threads_only().run(|| {
        let (mut child, mut connection) = Running::start("dies_in_the_middle");
        // The child never takes this. Whether a `send` says so or `close` does is left open.
        let sent = connection.send(big(0)).and_then(|()| connection.send(big(1)));
        arrived(connection.receive(), b"whole", "the message before the child died");
        let outcome = in_short(connection.receive());
        assert_eq!(outcome, Err(ErrorKind::UnexpectedEof), "half a message from a child that has died");
        assert_eq!(child.ended().code(), Some(3), "what the child died of");
        let reported = sent.and(connection.close()).map_err(|error| error.kind());
        assert_eq!(reported, Err(ErrorKind::BrokenPipe), "of the message that the child did not take");
    });
}

#[test]
fn close_returns_when_everything_is_written() {
    Check::new().threads_only().run(|| {
        let (mut child, mut connection) = Running::start("sends_and_ends");
        let (long, last) = (connection.receive(), connection.receive());
        // This end says it first if `close` is still a `todo!()`, and not a child that died of it.
        connection.close().unwrap();
        arrived(long, &message(LONGEST, 4), "the longest message, from a child that ends right after `close`");
        arrived(last, b"last", "the last message, from a child that ends right after `close`");
        assert!(child.ended().success(), "`close` must not fail in the child");
    });
}

#[test]
fn close_does_not_wait_for_a_child_that_waits_to_be_heard() {
    Check::new().threads_only().run(|| {
        let (mut child, mut connection) = Running::start("speaks_first");
        // Either may be the one that sees the other go: all that counts is that both come to their end.
        let _ = connection.send(big(0));
        let _ = connection.close();
        child.ended();
    });
}

/// A child that runs. It doesn't outlive the test, however that ends.
struct Running {
    child: Child,
    // Its lifeline: should this process be killed, the child ends itself.
    _children: Children,
}

impl Running {
    /// A child in this role, and the connection with it.
    fn start(role: &str) -> (Running, Connection) {
        let children = Children::new();
        let mut command = children.command(role);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("this program can be started");
        let (output, input) = (child.stdout.take().expect("a pipe"), child.stdin.take().expect("a pipe"));
        // Before anything of the submission's runs, so that the child is waited for if that panics.
        let running = Running { child, _children: children };
        (running, Connection::new(output, input))
    }

    /// How the child ended, once it has.
    fn ended(&mut self) -> ExitStatus {
        self.child.wait().expect("a child can be waited for")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended long ago unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

roles!(speaks_first, answers_at_the_end, dies_in_the_middle, sends_and_ends);

/// Sends three big messages before it reads. Content if it is sent the same ones, and then the end.
fn speaks_first() -> i32 {
    let sent = (0..3).try_for_each(|number| say(&frame(&big(number))));
    let heard = sent.and_then(|()| everything_heard());
    code(heard.is_ok_and(|heard| heard == [big(0), big(1), big(2)]))
}

/// Sends all messages back once there are no more, the last one first.
fn answers_at_the_end() -> i32 {
    let heard = everything_heard();
    code(heard.is_ok_and(|heard| heard.iter().rev().all(|message| say(&frame(message)).is_ok())))
}

/// Sends a message and a half.
fn dies_in_the_middle() -> i32 {
    let half = frame(b"not whole");
    let _ = say(&[&frame(b"whole"), &half[..half.len() / 2]].concat());
    3
}

/// The other end of a connection may be a `Connection`, too.
fn sends_and_ends() -> i32 {
    let mut connection = Connection::new(io::stdin(), io::stdout());
    let sent = connection.send(message(LONGEST, 4)).and_then(|()| connection.send(b"last".to_vec()));
    code(sent.and(connection.close()).is_ok())
}

/// The exit code of a child.
fn code(content: bool) -> i32 {
    if content { 0 } else { 1 }
}

/// Writes to the standard output.
fn say(bytes: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(bytes)?;
    output.flush()
}

/// Reads the standard input to its end: all messages that came.
fn everything_heard() -> io::Result<Vec<Vec<u8>>> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    let (mut messages, mut rest) = (Vec::new(), bytes.as_slice());
    while let Some((prefix, after)) = rest.split_first_chunk() {
        let length = u32::from_be_bytes(*prefix) as usize;
        let (message, after) = after.split_at_checked(length).ok_or(ErrorKind::UnexpectedEof)?;
        messages.push(message.to_vec());
        rest = after;
    }
    if rest.is_empty() { Ok(messages) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

/// A stream that takes and gives three bytes at a time, and is interrupted before each time.
#[derive(Default)]
struct Pieces {
    bytes: Vec<u8>,
    interrupted: bool,
}

impl Pieces {
    fn interrupt(&mut self) -> io::Result<()> {
        self.interrupted = !self.interrupted;
        if self.interrupted { Err(ErrorKind::Interrupted.into()) } else { Ok(()) }
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.interrupt()?;
        self.bytes.write(&bytes[..bytes.len().min(3)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupt()?;
        let length = self.bytes.len().min(buffer.len()).min(3);
        buffer[..length].copy_from_slice(&self.bytes[..length]);
        self.bytes.drain(..length);
        Ok(length)
    }
}

/// A stream that can't be read.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(ErrorKind::ConnectionReset.into())
    }
}

/// This message must have come.
#[track_caller]
fn arrived(outcome: io::Result<Option<Vec<u8>>>, expected: &[u8], what: &str) {
    match outcome {
        Ok(Some(message)) => same(&message, expected, what),
        Ok(None) => panic!("{what} did not arrive: `receive` says that the stream has ended"),
        Err(error) => panic!("{what} did not arrive: `receive` says {error} ({:?})", error.kind()),
    }
}

/// What `receive` returned: of a message, which may be long, its length.
fn in_short(outcome: io::Result<Option<Vec<u8>>>) -> Result<Option<usize>, ErrorKind> {
    outcome.map(|message| message.map(|message| message.len())).map_err(|error| error.kind())
}

/// The bytes of a message as they are written.
fn frame(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_be_bytes(), message].concat()
}

/// A message that no pipe holds as a whole: it has 64 KiB at most where its size isn't raised by hand.
fn big(number: u8) -> Vec<u8> {
    message(1 << 20, number)
}

/// A message of this length. Those with other numbers have other bytes.
fn message(length: usize, number: u8) -> Vec<u8> {
    // A prime number of bytes: they fit into no buffer a whole number of times, so a part that is lost shows.
    let pattern: Vec<u8> = (0..251).map(|byte: u8| byte ^ number).collect();
    let mut message = pattern.repeat(length.div_ceil(pattern.len()));
    message.truncate(length);
    message
}

/// `assert_eq!` for messages that are too long to print.
#[track_caller]
fn same(found: &[u8], expected: &[u8], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: the number of bytes");
    if found != expected {
        let at = found.iter().zip(expected).take_while(|(found, expected)| found == expected).count();
        panic!("{what}: byte {at} is {:#04x} and should be {:#04x}", found[at], expected[at]);
    }
}
