//! The contract of the kata `pipe`, sentence by sentence. `README.md` has the same list.
//!
//! The other end is always the test's: a script, a thread, or a child, which is this program again, in one of the roles at the
//! end of the file. All but one of them do their framing by hand: a mistake in the submission meets an end that doesn't make it too.

use std::collections::VecDeque;
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::panic::{self, AssertUnwindSafe};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use kata::child::{Children, roles};
use kata::stream::{Page, Script, TRIED_FOR_EVER, Then, pipe};
use kata::{Check, Gate, a_while_passes, allocated, situation, until_still};
use pipe::{Connection, LONGEST, receive, send};

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is
/// compared with.
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
    Check::new().threads_only().run(|| {
        // Lengths around those at which another byte of the prefix, or a buffer more, is needed. The last has three different bytes.
        for length in [0, 1, 2, 3, 4, 5, 255, 256, 257, 8191, 8192, 65_535, 65_536, 65_537, 0x01_02_03] {
            situation(format!("a message of {length} bytes is sent, and then another one"));
            let messages = [message(length, 1), message(3, 2)];
            let mut page = Page::blank();
            send(&mut page, &messages[0]).unwrap();
            same(page.flushed(), &frame(&messages[0]), "what has left the writer's buffer");
            send(&mut page, &messages[1]).unwrap();
            same(page.flushed(), &frames(&messages), "what has left the writer's buffer");
            let mut script = Script::of(frames(&messages));
            arrived(receive(&mut script), &messages[0], "the first message");
            arrived(receive(&mut script), &messages[1], "the second message");
        }
        situation("the stream is itself carried in the messages of another stream");
        let words = message(3, 1);
        let mut page = Carried(Page::blank(), VecDeque::new());
        send(&mut page, &words).unwrap();
        let pieces = heard(page.0.flushed()).unwrap();
        same(&pieces.concat(), &frame(&words), "what was written, in the messages of the other stream");
        let pieces = frame(&words).chunks(4).map(<[u8]>::to_vec).collect::<Vec<_>>();
        let mut script = Carried(Script::of(frames(&pieces)), VecDeque::new());
        arrived(receive(&mut script), &words, "a message");
    });
}

/// Each piece is a message of another stream. What did not fit into a reader's buffer is kept.
struct Carried<S>(S, VecDeque<u8>);

impl<S: Write> Write for Carried<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        send(&mut self.0, bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<S: Read> Read for Carried<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.1.is_empty() {
            self.1.extend(receive(&mut self.0)?.unwrap_or_default());
        }
        self.1.read(buffer)
    }
}

#[test]
fn a_message_may_pass_in_pieces() {
    Check::new().threads_only().run(|| {
        for messages in conversations() {
            let stream = frames(&messages);
            for (first, second) in pairs(0..stream.len()) {
                let told = in_words(&messages);
                situation(format!("{told} pass, and a piece ends after {first} bytes and after {second}"));
                pass(&messages, [first, second], false);
                if first == second {
                    situation(format!("{told} pass, a piece ends after {first} bytes, and every call is interrupted"));
                    pass(&messages, [first, second], true);
                }
            }
        }
        situation("a message of 70,000 bytes passes, 3 bytes at a time, and every call is interrupted");
        pass(&[message(70_000, 1), message(1, 2)], (0..70_009).step_by(3), true);
        for times in [2, 10, 1_000] {
            situation(format!("a message of 3 bytes passes, and every call is interrupted {times} times"));
            let (words, mut page) = (message(3, 1), Disturbed::by(times, Page::blank().cut_at(0..7)));
            send(&mut page, &words).unwrap();
            same(page.stream.flushed(), &frame(&words), "what was written");
            let mut script = Disturbed::by(times, Script::of(frame(&words)).cut_at(0..7));
            arrived(receive(&mut script), &words, "a message");
        }
    });
}

/// Each call is interrupted so many times before it comes through.
struct Disturbed<S> {
    stream: S,
    times: u32,
    left: u32,
}

impl<S> Disturbed<S> {
    fn by(times: u32, stream: S) -> Disturbed<S> {
        Disturbed { stream, times, left: times }
    }

    /// The stream, if this call is not interrupted.
    fn stream(&mut self) -> io::Result<&mut S> {
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            return Err(ErrorKind::Interrupted.into());
        }
        self.left = self.times;
        Ok(&mut self.stream)
    }
}

impl<S: Read> Read for Disturbed<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream()?.read(buffer)
    }
}

impl<S: Write> Write for Disturbed<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Sends and receives messages through streams that are cut there.
fn pass(messages: &[Vec<u8>], cuts: impl IntoIterator<Item = usize> + Clone, interrupted: bool) {
    let stream = frames(messages);
    let (mut page, mut script) = (Page::blank().cut_at(cuts.clone()), Script::of(&*stream).cut_at(cuts));
    if interrupted {
        (page, script) = (page.interrupted(), script.interrupted());
    }
    for message in messages {
        send(&mut page, message).unwrap();
    }
    same(page.flushed(), &stream, "what was written");
    let mut left = stream.len();
    for message in messages {
        arrived(receive(&mut script), message, "a message in pieces");
        left -= frame(message).len();
        assert_eq!(script.left(), left, "how many bytes of the following messages are left in the stream");
    }
}

#[test]
fn the_end_between_two_messages_is_no_error() {
    Check::new().threads_only().run(|| {
        for messages in conversations() {
            for whole in 0..=messages.len() {
                let left = &messages[..whole];
                situation(format!("{} are sent, and then the stream ends", in_words(left)));
                let mut script = Script::of(frames(left));
                left.iter().for_each(|message| arrived(receive(&mut script), message, "a message before the end"));
                assert_eq!(in_short(receive(&mut script)), Ok(None), "the end");
                assert_eq!(in_short(receive(&mut script)), Ok(None), "the end, asked again");
            }
        }
        situation("the stream fails before the first message");
        let mut broken = Script::of([]).then(Then::Fail(ErrorKind::ConnectionReset));
        assert_eq!(
            in_short(receive(&mut broken)),
            Err(ErrorKind::ConnectionReset),
            "a stream that fails has not ended"
        );
    });
}

#[test]
fn the_end_in_the_middle_of_a_message_is_an_error() {
    Check::new().threads_only().run(|| {
        for messages in conversations() {
            let stream = frames(&messages);
            for (cut, end) in pairs(0..stream.len()) {
                let (whole, rest) = whole_messages(&messages, end);
                if rest == 0 {
                    continue;
                }
                situation(format!(
                    "{} are sent, a piece ends after {cut} bytes, and the stream ends after {end} of {}",
                    in_words(&messages),
                    stream.len()
                ));
                let mut script = Script::of(&stream[..end]).cut_at([cut]);
                whole.iter().for_each(|message| arrived(receive(&mut script), message, "a message before the end"));
                let outcome = in_short(receive(&mut script));
                assert_eq!(outcome, Err(ErrorKind::UnexpectedEof), "the end after {rest} bytes of a message");
            }
        }
        // Where a buffer is full, and the next piece would have been the first of another one.
        let long = frame(&message(200_000, 1));
        for end in [1_024, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072].into_iter().flat_map(|full| [full, full + 4])
        {
            situation(format!("a message of 200,000 bytes is sent, and the stream ends after {end} bytes"));
            let outcome = in_short(receive(&mut Script::of(&long[..end])));
            assert_eq!(outcome, Err(ErrorKind::UnexpectedEof), "the end after {end} bytes of a message");
        }
    });
}

/// Other kinds of errors than those that a submission may make itself.
const TROUBLES: [ErrorKind; 5] = [
    ErrorKind::ConnectionReset,
    ErrorKind::BrokenPipe,
    ErrorKind::WouldBlock,
    ErrorKind::TimedOut,
    ErrorKind::PermissionDenied,
];
/// Those that sound as if there were nothing to be done.
const MORE_TROUBLES: [ErrorKind; 5] = [
    ErrorKind::Unsupported,
    ErrorKind::NotConnected,
    ErrorKind::InvalidInput,
    ErrorKind::StorageFull,
    ErrorKind::Other,
];

/// Those that a submission may also make itself. A writer that reports one of them has failed all the same.
const OWN_TROUBLES: [ErrorKind; 3] = [ErrorKind::InvalidData, ErrorKind::UnexpectedEof, ErrorKind::WriteZero];

#[test]
fn what_a_stream_reports_is_passed_on() {
    Check::new().threads_only().run(|| {
        for messages in conversations() {
            let stream = frames(&messages);
            for (byte, kind) in (0..=stream.len()).flat_map(|byte| TROUBLES.map(|kind| (byte, kind))) {
                let (whole, _) = whole_messages(&messages, byte);
                situation(format!("{} pass, and the stream fails ({kind:?}) after {byte} bytes", in_words(&messages)));
                let mut script = Script::of(&stream[..byte]).then(Then::Fail(kind));
                whole.iter().for_each(|message| arrived(receive(&mut script), message, "a message before the failure"));
                assert_eq!(in_short(receive(&mut script)), Err(kind), "what `receive` reports");
                let mut page = Page::blank().room_for(byte, Then::Fail(kind));
                for (number, message) in messages.iter().enumerate().take(whole.len() + 1) {
                    let outcome = send(&mut page, message).map_err(|error| error.kind());
                    assert_eq!(outcome, if number < whole.len() { Ok(()) } else { Err(kind) }, "what `send` reports");
                }
            }
        }
        for byte in 0..7 {
            situation(format!("a message of 3 bytes is sent, and the stream takes {byte} bytes and then no more"));
            let error = send(&mut Page::blank().room_for(byte, Then::End), b"abc").expect_err("it can't be written");
            assert_ne!(error.kind(), TRIED_FOR_EVER, "who takes nothing will take nothing the next time");
        }
        for kind in TROUBLES.into_iter().chain(MORE_TROUBLES) {
            situation(format!("the stream takes a message, and can't flush it ({kind:?})"));
            let outcome = send(&mut Page::blank().flush_fails(kind), b"abc").map_err(|error| error.kind());
            assert_eq!(outcome, Err(kind), "what `send` reports");
            for byte in 0..=frames(&talk(&[2, 0])).len() {
                passed_on_by_a_connection(byte, kind);
            }
        }
    });
}

/// A connection passes on what its reader reports, also when it has nothing more to say itself, and its `close` is content.
fn passed_on_by_a_connection(byte: usize, kind: ErrorKind) {
    let messages = talk(&[2, 0]);
    for when in ["a connection", "a connection after `finish`"] {
        let (whole, _) = whole_messages(&messages, byte);
        situation(format!(
            "{} are sent to {when}, and its reader fails ({kind:?}) after {byte} bytes",
            in_words(&messages)
        ));
        let ears = Script::of(&frames(&messages)[..byte]).then(Then::Fail(kind));
        let mut connection = Connection::new(ears, Page::blank());
        if when.contains("finish") {
            connection.finish();
        }
        whole.iter().for_each(|message| arrived(connection.receive(), message, "a message before the failure"));
        assert_eq!(in_short(connection.receive()), Err(kind), "what `receive` reports");
        let closed = connection.close().map_err(|error| error.kind());
        assert_eq!(closed, Ok(()), "what `close` says, when nothing was sent");
    }
}

/// Who reads long messages byte by byte needs some time for it, and may.
const PLENTY: Duration = Duration::from_secs(50);

/// The lengths rise: whoever believes the first takes 16 MiB, and doesn't come to the one that costs 4 GiB.
#[test]
fn a_hostile_length_is_refused_before_anything_is_allocated() {
    Check::new().threads_only().deadline(PLENTY).run(|| {
        for length in [LONGEST as u32 + 1, 1 << 25, i32::MAX as u32, 1 << 31, u32::MAX] {
            for cut in 0..=4 {
                situation(format!("a message of {length} bytes is announced, and a piece ends after {cut} bytes"));
                let stream = [&length.to_be_bytes(), b"the rest".as_slice()].concat();
                let mut script = Script::of(stream).cut_at([cut]);
                let (outcome, bytes) = allocated(|| receive(&mut script));
                assert_eq!(in_short(outcome), Err(ErrorKind::InvalidData), "{length} bytes announced");
                assert!(bytes < 64 * 1024, "{bytes} bytes were allocated before they were refused");
            }
        }
        situation("a message of 4 GiB is announced, nothing comes of it, and the other end stays");
        let (mut ears, mut mouth) = pipe(64, usize::MAX);
        mouth.write_all(&u32::MAX.to_be_bytes()).unwrap();
        assert_eq!(in_short(receive(&mut ears)), Err(ErrorKind::InvalidData), "what was announced");
        situation("a message is exactly as long as it may be");
        let longest = message(LONGEST, 0);
        arrived(receive(&mut Script::of(frame(&longest))), &longest, "the longest message");
        let mut page = Page::blank();
        send(&mut page, &longest).unwrap();
        same(page.flushed(), &frame(&longest), "the longest message, as it was written");

        situation("a message is one byte longer than it may be");
        let (mut page, too_long) = (Page::blank(), message(LONGEST + 1, 0));
        refused(|| send(&mut page, &too_long), "sending a message that the other end would refuse");
        assert_eq!(page.taken().len(), 0, "the bytes written of it");
        let ((mut ears, mouth), hostile) = (pipe(64, usize::MAX), [&u32::MAX.to_be_bytes(), &[0; 8][..]].concat());
        let mut connection = Connection::new(Script::of(hostile), mouth);
        let through_a_connection = |connection: &mut Connection| {
            let message = too_long.clone();
            refused(|| connection.send(message), "sending it through a connection");
        };
        through_a_connection(&mut connection);
        assert_eq!(in_short(connection.receive()), Err(ErrorKind::InvalidData), "receiving one through a connection");
        connection.send(b"short".to_vec()).expect("after one that was refused, another one can be sent");
        for _ in 0..3 {
            through_a_connection(&mut connection);
        }
        connection.send(b"last".to_vec()).expect("after four that were refused, another one can be sent");
        connection.close().expect("all that was not refused is written");
        let expected = frames(&[b"short".to_vec(), b"last".to_vec()]);
        same(&ears.read_now(), &expected, "what was written, of four messages that are too long and two that aren't");
    });
}

/// A message that is too long must not be sent, and not be copied either.
#[track_caller]
fn refused(send: impl FnOnce() -> io::Result<()>, what: &str) {
    let (outcome, bytes) = allocated(send);
    assert_eq!(outcome.map_err(|error| error.kind()), Err(ErrorKind::InvalidInput), "{what}");
    assert!(bytes < 64 * 1024, "{what}: {bytes} bytes were allocated before it was refused");
}

#[test]
fn messages_arrive_in_the_order_of_sending() {
    // None of them is the same as another one, or in a hurry.
    Check::new().daemons().each(["equal messages and an empty one", "empty messages and another one"], |which| {
        // It holds nothing, so the connection has to wait with each message until this one is taken.
        let (ears, mouth) = pipe(0, usize::MAX);
        let listener = thread::spawn(|| heard(ears));
        let mut connection = Connection::new(io::empty(), mouth);
        let lengths = if which.starts_with("equal") { [1, 1, 0] } else { [0, 0, 1] };
        let messages = lengths.map(|length| message(length, 1));
        for message in &messages {
            connection.send(message.clone()).unwrap();
        }
        connection.close().unwrap();
        assert_eq!(listener.join().unwrap().unwrap(), messages, "what the other end heard");
    });
}

#[test]
fn a_message_arrives_though_none_comes_after_it() {
    Check::new().daemons().run(|| {
        let ((mut ears, mouth), (our_ears, mut their_mouth)) = (pipe(0, usize::MAX), pipe(0, usize::MAX));
        let echo = thread::spawn(move || {
            while let Some(message) = hear(&mut ears)? {
                their_mouth.write_all(&frame(&message))?;
            }
            io::Result::Ok(())
        });
        let mut connection = Connection::new(our_ears, BufWriter::new(mouth));
        for number in 1..=2 {
            connection.send(message(1, number)).unwrap();
            arrived(connection.receive(), &message(1, number), "the answer to a message");
        }
        connection.close().unwrap();
        echo.join().unwrap().unwrap();
    });
}

#[test]
fn neither_direction_waits_for_the_other() {
    // With a buffer, it is `flush` that waits for the other end, and no `write`. That has fewer schedules, and leaves more to the other.
    Check::new().daemons().each(["a writer with a buffer", "a writer without a buffer"], |writer| {
        let ((ears, mouth), (our_ears, their_mouth)) = (pipe(0, usize::MAX), pipe(0, usize::MAX));
        // It says everything before it hears anything.
        let other = thread::spawn(move || say_all(their_mouth, 2).and_then(|()| heard(ears)));
        let mut connection = if writer.contains("without") {
            Connection::new(our_ears, mouth)
        } else {
            Connection::new(our_ears, BufWriter::new(mouth))
        };
        for number in 1..=2 {
            connection.send(message(1, number)).unwrap();
        }
        connection.finish();
        for number in 1..=2 {
            arrived(connection.receive(), &message(1, number), "a message from the other end");
        }
        assert_eq!(in_short(connection.receive()), Ok(None), "the end, after two messages");
        connection.close().unwrap();
        assert_eq!(other.join().unwrap().unwrap(), [message(1, 1), message(1, 2)], "what the other end heard");
    });
}

#[test]
fn after_the_end_of_the_other_direction_messages_still_arrive() {
    Check::new().daemons().run(|| {
        let ((ears, mouth), (our_ears, their_mouth)) = (pipe(0, usize::MAX), pipe(0, usize::MAX));
        // It has said all it had to say, and hears what there is.
        let other = thread::spawn(move || say_all(their_mouth, 1).and_then(|()| heard(ears)));
        let mut connection = Connection::new(our_ears, mouth);
        arrived(connection.receive(), &message(1, 1), "a message from the other end");
        for time in ["the end", "the end, asked again"] {
            assert_eq!(in_short(connection.receive()), Ok(None), "{time}");
        }
        for number in 1..=2 {
            connection.send(message(1, number)).expect("the other end has finished, and still listens");
        }
        connection.close().unwrap();
        assert_eq!(other.join().unwrap().unwrap(), [message(1, 1), message(1, 2)], "what the other end heard");
    });
}

#[test]
fn two_connections_have_nothing_to_do_with_each_other() {
    let firsts = [
        "a first connection that fails",
        "a first connection that waits for its other end",
        "a first connection that waits in the middle of the longest messages",
        "many first connections, each of which waits for its other end",
    ];
    Check::new().daemons().threads_only().deadline(PLENTY).each(firsts, |first| {
        let (longest, passes) = (message(LONGEST, 1), if first.contains("longest") { LONGEST / 2 } else { 4 });
        let slow = if first.contains("longest") { longest.clone() } else { b"slow".to_vec() };
        let length = slow.len();
        let wait = |slow: Vec<u8>| {
            let [(held_ears, at_ears), (held_mouth, at_mouth)] =
                [Stop::told(), Stop::told()].map(|stop| (stop.clone(), stop));
            let thread = thread::spawn(move || {
                // One direction stops in the middle of a message, the other one before a message or in the middle.
                let words = frame(&slow);
                let (first, last) = words.split_at(passes);
                let ears = Script::of(first).chain(Held { stop: held_ears, stream: Script::of(last) });
                let mouth = Half {
                    room: if passes > 4 { passes } else { 0 },
                    rest: Held { stop: held_mouth, stream: Page::blank() },
                };
                let mut connection = Connection::new(ears, mouth);
                let sent = connection.send(slow);
                let received = in_short(connection.receive());
                (received, sent.and(connection.close()).map_err(|error| error.kind()))
            });
            (thread, [at_ears, at_mouth])
        };
        let how_many = match first {
            _ if first.contains("fails") => 0,
            _ if first.contains("many") => MANY,
            _ => 1,
        };
        let waiting: Vec<_> = (0..how_many).map(|_| wait(slow.clone())).collect();
        let broken = waiting.is_empty().then(|| {
            let ears = Script::of(&frames(&[b"whole".to_vec(), b"half".to_vec()])[..15]);
            let mut connection = Connection::new(ears, Page::blank().room_for(2, Then::Fail(ErrorKind::TimedOut)));
            let sent = connection.send(message(1, 1));
            // Whoever writes has failed now, and the next `send` may know it.
            until_still();
            (connection, sent)
        });
        waiting.iter().flat_map(|(_, stops)| stops).for_each(Stop::wait);
        let theirs = [frame(b"theirs"), frame(&longest)].concat();
        let mut second = Connection::new(Script::of(theirs), Page::blank().room_for(8 + 4 + LONGEST, Then::End));
        for ours in [b"ours".to_vec(), longest.clone()] {
            second.send(ours).expect("it is another connection");
        }
        arrived(second.receive(), b"theirs", "a message through the second connection");
        arrived(second.receive(), &longest, "the longest message, through the second connection");
        second.close().expect("it is another connection");
        for (thread, stops) in waiting {
            stops.iter().for_each(|stop| stop.gate.open());
            assert_eq!(thread.join().unwrap(), (Ok(Some(length)), Ok(())), "what became of a first connection");
        }
        if let Some((mut connection, sent)) = broken {
            let sent = [sent, connection.send(message(1, 2))];
            arrived(connection.receive(), b"whole", "a message through the first connection, which can't send");
            assert_eq!(in_short(connection.receive()), Err(ErrorKind::UnexpectedEof), "half a message");
            let told = sent.into_iter().chain([connection.close()]).filter_map(|outcome| Some(outcome.err()?.kind()));
            assert!(
                told.into_iter().any(|kind| kind == ErrorKind::TimedOut),
                "a `send` or `close` gives its own reason"
            );
        }
    });
}

/// As many as fit into what a grader allows, where each of them may have a few threads.
const MANY: usize = 20;

/// Takes so many bytes at once, and the rest when it may go on.
struct Half {
    room: usize,
    rest: Held<Page>,
}

impl Write for Half {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.room == 0 {
            return self.rest.write(bytes);
        }
        let taken = self.room.min(bytes.len());
        self.room -= taken;
        self.rest.stream.write(&bytes[..taken])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.rest.flush()
    }
}

#[test]
fn many_and_big_messages_in_both_directions_at_once_arrive() {
    Check::new().threads_only().deadline(PLENTY).run(|| {
        let (mut child, mut connection) = Running::start("speaks_first");
        for message in much() {
            connection.send(message).unwrap();
        }
        connection.finish();
        for message in much() {
            arrived(connection.receive(), &message, "a message from the child");
        }
        assert_eq!(in_short(connection.receive()), Ok(None), "the end, after all messages");
        connection.close().unwrap();
        assert!(child.ended().success(), "the child was sent these messages and got others");

        situation("more messages are sent than 16 bits count, and the other end takes none before it has been heard");
        let (stop, written) = (Stop::new(), Arc::new(Mutex::new(Vec::new())));
        let ears = Script::of(frame(b"all")).chain(Opens(stop.gate.clone()));
        let mut connection = Connection::new(ears, Held { stop, stream: Kept(Arc::clone(&written)) });
        let messages: Vec<Vec<u8>> = (0..70_000).map(|number| message(1, number as u8)).collect();
        for message in &messages {
            connection.send(message.clone()).unwrap();
        }
        arrived(connection.receive(), b"all", "a message");
        assert_eq!(in_short(connection.receive()), Ok(None), "the end, after a message");
        connection.close().unwrap();
        same(&written.lock().unwrap(), &frames(&messages), "what was written");
    });
}

/// An end that opens a gate.
struct Opens(Gate);

impl Read for Opens {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.open();
        Ok(0)
    }
}

/// Takes everything and keeps it.
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn after_finish_the_other_end_is_told_and_can_still_answer() {
    Check::new().threads_only().deadline(PLENTY).run(|| {
        let (mut child, mut connection) = Running::start("answers_at_the_end");
        for message in [b"one".to_vec(), Vec::new(), big(3)] {
            connection.send(message).unwrap();
        }
        connection.finish();
        connection.finish();
        for late in [b"late".to_vec(), Vec::new()] {
            let late = connection.send(late).map_err(|error| error.kind());
            assert_eq!(late, Err(ErrorKind::BrokenPipe), "sending after `finish`");
        }
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
    Check::new().threads_only().deadline(PLENTY).run(|| {
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
fn the_other_end_may_go_at_any_point() {
    Check::new().threads_only().deadline(PLENTY).run(|| {
        let lengths: [&[usize]; 4] = [&[], &[1], &[0, 2], &[2, 0, 1]];
        let talks = lengths.iter().flat_map(|ours| lengths.map(|theirs| (talk(ours), talk(theirs))));
        for (ours, theirs) in talks.filter(|(ours, theirs)| ours.len() + theirs.len() <= 3) {
            let (all_ours, all_theirs) = (frames(&ours).len(), frames(&theirs).len());
            // Every point of one direction, at both ends of the other one.
            let takes = (0..=all_ours).flat_map(|taken| [(taken, 0), (taken, all_theirs)]);
            let gives = (0..=all_theirs).flat_map(|given| [(0, given), (all_ours, given)]);
            for ((taken, given), takes_first) in takes.chain(gives).flat_map(|end| [(end, true), (end, false)]) {
                let order = if takes_first { "takes" } else { "gives" };
                situation(format!(
                    "you send {}, it wants to send {}, and the other end, which {order} first, goes when it has taken {taken} \
                     of {all_ours} bytes and given {given} of {all_theirs}",
                    in_words(&ours),
                    in_words(&theirs)
                ));
                meets_an_end(&ours, &theirs, (taken, given), takes_first);
            }
        }
    });
}

/// Sends and receives, while the other end takes and gives so many bytes and then is gone.
fn meets_an_end(ours: &[Vec<u8>], theirs: &[Vec<u8>], (taken, given): (usize, usize), takes_first: bool) {
    let ((mut ears, mouth), (our_ears, mut their_mouth)) = (pipe(0, 1), pipe(0, 1));
    let (words, all) = (frames(theirs)[..given].to_vec(), taken == frames(ours).len());
    let other = thread::spawn(move || {
        let mut take = || ears.read_exact(&mut vec![0; taken]).expect("there is so much to be taken");
        if takes_first {
            take();
        }
        their_mouth.write_all(&words).expect("it is heard");
        if !takes_first {
            take();
        }
        if all {
            assert_eq!(ears.read(&mut [0]).unwrap(), 0, "it is told that there will be no more");
        }
    });
    let mut connection = Connection::new(our_ears, mouth);
    let sent = ours.iter().try_for_each(|message| connection.send(message.clone()));
    connection.finish();
    let (whole, rest) = whole_messages(theirs, given);
    whole.iter().for_each(|message| arrived(connection.receive(), message, "a message that came as a whole"));
    let end = if rest == 0 { Ok(None) } else { Err(ErrorKind::UnexpectedEof) };
    assert_eq!(in_short(connection.receive()), end, "what `receive` says of the end");
    let reported = sent.and(connection.close()).map_err(|error| error.kind());
    let expected = if all { Ok(()) } else { Err(ErrorKind::BrokenPipe) };
    assert_eq!(reported, expected, "what `send` or else `close` says of what you sent");
    other.join().unwrap();
}

#[test]
fn what_could_not_be_written_is_reported() {
    Check::new().daemons().run(|| {
        let (mut ears, mouth) = pipe(0, usize::MAX);
        let gone = Arc::new(AtomicBool::new(false));
        // It goes at whatever moment, and knows what it has taken until then.
        let listener = thread::spawn({
            let gone = Arc::clone(&gone);
            move || {
                let mut taken = 0;
                while !gone.load(Ordering::SeqCst) {
                    match ears.read(&mut [0; 64]).unwrap() {
                        0 => break,
                        more => taken += more,
                    }
                }
                taken
            }
        });
        let end = thread::spawn(move || gone.store(true, Ordering::SeqCst));
        let mut connection = Connection::new(io::empty(), mouth);
        let sent = [1, 2].map(|number| connection.send(message(1, number)));
        let reported = sent.into_iter().collect::<io::Result<()>>().and(connection.close());
        let (taken, all) = (listener.join().unwrap(), frames(&[message(1, 1), message(1, 2)]).len());
        let expected = if taken == all { Ok(()) } else { Err(ErrorKind::BrokenPipe) };
        let reported = reported.map_err(|error| error.kind());
        assert_eq!(reported, expected, "the other end took {taken} of {all} bytes, and `send` or else `close` says");
        end.join().unwrap();
    });
}

#[test]
fn close_gives_the_reason_if_no_send_has_reported_it() {
    Check::new().threads_only().run(|| {
        let kinds = || TROUBLES.into_iter().chain(MORE_TROUBLES).chain(OWN_TROUBLES);
        for (length, kind) in [0, 1, 5].into_iter().flat_map(|length| kinds().map(move |kind| (length, kind))) {
            for byte in 0..4 + length {
                situation(format!("a message of {length} bytes is sent, and the stream fails ({kind:?}) after {byte}"));
                gives_the_reason(Page::blank().room_for(byte, Then::Fail(kind)), length, Some(kind));
            }
            situation(format!("a message of {length} bytes is sent, and can't be flushed ({kind:?})"));
            gives_the_reason(Page::blank().flush_fails(kind), length, Some(kind));
            situation(format!("a message of {length} bytes is sent, and there is room for it and no more"));
            gives_the_reason(Page::blank().room_for(4 + length, Then::Fail(kind)), length, None);
        }
    });
}

/// Sends one message: then nobody but its own `send` or `close` can say what became of it.
fn gives_the_reason(page: Page, length: usize, reason: Option<ErrorKind>) {
    let mut connection = Connection::new(io::empty(), page);
    let reported = connection.send(message(length, 1)).and(connection.close()).map_err(|error| error.kind());
    assert_eq!(reported, reason.map_or(Ok(()), Err), "what `close` says");
}

#[test]
fn the_first_failure_is_told_once_and_ends_the_stream() {
    let streams = ["a stream that fails in the first message", "a stream that can't flush the first message"];
    Check::new().daemons().each(streams, |stream| {
        let in_write = stream.contains("fails in");
        let stream = Arc::new(Mutex::new(Moody { taken: Vec::new(), in_write, failures: 0, before: 0, flushed: 0 }));
        let mut connection = Connection::new(io::empty(), Fails(Arc::clone(&stream)));
        let messages = [1, 2, 3].map(|number| message(1, number));
        let kind = |outcome: io::Result<()>| outcome.map_err(|error| error.kind());
        let sent = kind(messages.iter().try_for_each(|message| connection.send(message.clone())));
        // What comes between the failure and `close` must not lose the reason.
        let too_long =
            |connection: &mut Connection| kind(connection.send(vec![0; LONGEST + 1])).expect_err("it is too long");
        let refused = too_long(&mut connection);
        connection.finish();
        connection.finish();
        assert_eq!(kind(connection.send(message(1, 4))), Err(ErrorKind::BrokenPipe), "sending after `finish`");
        let refused = [refused, too_long(&mut connection)];
        assert_eq!(in_short(connection.receive()), Ok(None), "the end of the other direction");
        let closed = kind(connection.close());
        // A `send` may know of the failure, and not tell the reason.
        let sent = sent.err().filter(|kind| *kind != ErrorKind::BrokenPipe);
        let refused = refused.into_iter().filter(|kind| *kind == ErrorKind::TimedOut);
        let told: Vec<ErrorKind> = sent.into_iter().chain(refused).chain(closed.err()).collect();
        assert_eq!(told, [ErrorKind::TimedOut], "what the failure was, as a `send` or else `close` says");
        let stream = stream.lock().unwrap();
        let taken = &stream.taken;
        assert!(
            frames(&messages).starts_with(taken),
            "{taken:?} was written, and that is no beginning of what was sent"
        );
        assert_eq!(
            taken.len(),
            stream.before,
            "{taken:?} was written, and only so many bytes of it before the failure"
        );
        assert_eq!(stream.flushed, 0, "of {taken:?}, which could not be written, so many bytes were flushed later");
    });
}

/// A stream that fails once and then takes what comes. Each flush fails, the later ones for another reason, and they let go what
/// the stream has.
struct Moody {
    taken: Vec<u8>,
    in_write: bool,
    failures: u32,
    /// How many bytes it took before it failed.
    before: usize,
    /// How many bytes left its buffer, though it had failed.
    flushed: usize,
}

impl Moody {
    fn fail<T>(&mut self) -> io::Result<T> {
        self.failures += 1;
        if self.failures == 1 {
            self.before = self.taken.len();
        }
        Err(if self.failures == 1 { ErrorKind::TimedOut } else { ErrorKind::ConnectionReset }.into())
    }
}

#[derive(Clone)]
struct Fails(Arc<Mutex<Moody>>);

impl Write for Fails {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut moody = self.0.lock().unwrap();
        let length =
            if moody.in_write && moody.failures == 0 { 2 - moody.taken.len() } else { usize::MAX }.min(bytes.len());
        if length == 0 && !bytes.is_empty() {
            return moody.fail();
        }
        moody.taken.extend(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut moody = self.0.lock().unwrap();
        if moody.failures > 0 {
            moody.flushed = moody.taken.len();
        }
        moody.fail()
    }
}

#[test]
fn close_returns_when_everything_is_written() {
    Check::new().threads_only().deadline(PLENTY).run(|| {
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
fn close_waits_as_long_as_it_takes() {
    let who = ["a `close` as ever", "a `close` after `finish`", "a `close` by a destructor, while a panic goes by"];
    Check::new().daemons().hostile_timeouts().each(who, |who| {
        let ((mut ears, mouth), stop) = (pipe(64, usize::MAX), Stop::new());
        let later = thread::spawn({
            let gate = stop.gate.clone();
            move || {
                a_while_passes();
                gate.open();
            }
        });
        let mut connection = Connection::new(io::empty(), Held { stop, stream: mouth });
        for number in 1..=2 {
            connection.send(message(1, number)).unwrap();
        }
        if who.contains("finish") {
            connection.finish();
        }
        if who.contains("destructor") {
            let panics = AssertUnwindSafe(|| {
                let _closes = Closes(Some(connection));
                panic::resume_unwind(Box::new("as its test wants it"))
            });
            panic::catch_unwind::<_, ()>(panics).expect_err("the panic goes on when all is written");
        } else {
            connection.close().unwrap();
        }
        same(&ears.read_now(), &frames(&[message(1, 1), message(1, 2)]), "what was written when `close` returned");
        later.join().unwrap();
    });
}

/// Closes its connection when it is dropped.
struct Closes(Option<Connection>);

impl Drop for Closes {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            // A second panic would end the process. What was written tells as much.
            let _ = connection.close();
        }
    }
}

/// Where a stream stops until its gate is open, and may say that it is there.
#[derive(Clone)]
struct Stop {
    reached: Option<Gate>,
    gate: Gate,
}

impl Stop {
    fn new() -> Stop {
        Stop { reached: None, gate: Gate::closed() }
    }

    fn told() -> Stop {
        Stop { reached: Some(Gate::closed()), gate: Gate::closed() }
    }

    /// Waits until the stream is there.
    fn wait(&self) {
        self.reached.iter().for_each(Gate::pass);
    }

    fn pass(&self) {
        self.reached.iter().for_each(Gate::open);
        self.gate.pass();
    }
}

/// Gives and takes nothing before it may go on.
struct Held<S> {
    stop: Stop,
    stream: S,
}

impl<S: Read> Read for Held<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stop.pass();
        self.stream.read(buffer)
    }
}

impl<S: Write> Write for Held<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stop.pass();
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[test]
fn close_hangs_up_on_who_waits_to_be_heard() {
    let others = [
        "an other end that is silent",
        "an other end that says two messages",
        "`finish`, and an other end that is silent",
        "`finish`, and an other end that says two messages",
        "a message that is too long, and an other end that says another one",
    ];
    Check::new().daemons().each(others, |other| {
        let (finishes, too_long) = (other.contains("finish"), other.contains("too long"));
        let ((ears, mouth), (our_ears, mut their_mouth)) = (pipe(0, usize::MAX), pipe(0, usize::MAX));
        let says = if other.contains("two") { 2 } else { u8::from(too_long) };
        let closed = Gate::closed();
        let other = thread::spawn({
            let closed = closed.clone();
            move || {
                // Nobody hears all of this. Only then does it listen itself.
                if too_long {
                    let _ = their_mouth.write_all(&u32::MAX.to_be_bytes());
                }
                let _ = say_all(&mut their_mouth, says);
                let heard = heard(ears);
                // It has not finished, and says more, until it is told that nobody hears it.
                closed.pass();
                (heard, (0..SOME).any(|_| say_all(&mut their_mouth, 1).is_err()))
            }
        });
        let mut connection = Connection::new(our_ears, mouth);
        connection.send(message(1, 1)).unwrap();
        if finishes {
            connection.finish();
        }
        if too_long {
            assert_eq!(in_short(connection.receive()), Err(ErrorKind::InvalidData), "a message that is too long");
        }
        connection.close().expect("the other end takes the message in the end");
        closed.open();
        let (heard, told) = other.join().unwrap();
        assert_eq!(heard.unwrap(), [message(1, 1)], "what the other end heard");
        assert!(told, "it said {SOME} messages more when `close` had returned, and all of them went through");
    });
}

/// Whoever is in the middle of listening may hear one more, and even another one.
const SOME: usize = 20;

#[test]
fn close_does_not_wait_for_a_child_that_waits_to_be_heard() {
    Check::new().threads_only().deadline(PLENTY).run(|| {
        for when in ["the connection is closed", "`finish` is called, and the connection is closed"] {
            situation(format!("{when} while a child is in the middle of sending"));
            let (mut child, mut connection) = Running::start("speaks_first");
            // Either may be the one that sees the other go: all that counts is that both come to their end.
            let _ = connection.send(big(0));
            if when.contains("finish") {
                connection.finish();
            }
            let _ = connection.close();
            child.ended();
        }
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

/// Sends much before it reads. Content if it is sent the same, and then the end.
fn speaks_first() -> i32 {
    let sent = much().iter().try_for_each(|message| say(&frame(message)));
    let heard = sent.and_then(|()| everything_heard());
    code(heard.is_ok_and(|heard| heard == much()))
}

/// A big message, more small ones than anybody would put into a queue with an end, and a big one.
fn much() -> Vec<Vec<u8>> {
    let small = (0..2_000).map(|number| message(1, number as u8));
    std::iter::once(big(0)).chain(small).chain([big(1)]).collect()
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
    heard(io::stdin().lock())
}

/// Reads a stream to its end: all messages that came.
fn heard(mut ears: impl Read) -> io::Result<Vec<Vec<u8>>> {
    std::iter::from_fn(|| hear(&mut ears).transpose()).collect()
}

/// Reads a message, if there is one.
fn hear(ears: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut prefix = Vec::new();
    if ears.take(4).read_to_end(&mut prefix)? == 0 {
        return Ok(None);
    }
    let length = u32::from_be_bytes(prefix.try_into().map_err(|_| ErrorKind::UnexpectedEof)?);
    let mut message = Vec::new();
    ears.take(length.into()).read_to_end(&mut message)?;
    if message.len() == length as usize { Ok(Some(message)) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

/// Says so many messages of 1 byte.
fn say_all(mut mouth: impl Write, messages: u8) -> io::Result<()> {
    (1..=messages).try_for_each(|number| mouth.write_all(&frame(&message(1, number))))
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

/// The bytes of several messages as they are written.
fn frames(messages: &[Vec<u8>]) -> Vec<u8> {
    messages.iter().flat_map(|message| frame(message)).collect()
}

/// Messages of these lengths.
fn talk(lengths: &[usize]) -> Vec<Vec<u8>> {
    lengths.iter().zip(1..).map(|(length, number)| message(*length, number)).collect()
}

/// One to three messages, from shorter than a prefix to longer, the shortest first.
fn conversations() -> impl Iterator<Item = Vec<Vec<u8>>> {
    let one = (0..=5).map(|length| talk(&[length]));
    let two = (0..=5).flat_map(|first| (0..=5).map(move |second| talk(&[first, second])));
    let three = (0..8).map(|bits| talk(&[bits & 1, bits & 2, bits & 4]));
    one.chain(two).chain(three)
}

/// Every number with itself and with each later one.
fn pairs(numbers: std::ops::Range<usize>) -> impl Iterator<Item = (usize, usize)> {
    numbers.clone().flat_map(move |first| (first..numbers.end).map(move |second| (first, second)))
}

/// The messages that are whole in the first so many bytes, and how many bytes are left of the next one.
fn whole_messages(messages: &[Vec<u8>], bytes: usize) -> (&[Vec<u8>], usize) {
    let mut left = bytes;
    for (number, message) in messages.iter().enumerate() {
        let length = 4 + message.len();
        if left < length {
            return (&messages[..number], left);
        }
        left -= length;
    }
    (messages, left)
}

/// "messages of 2, 0 bytes".
fn in_words(messages: &[Vec<u8>]) -> String {
    let lengths: Vec<String> = messages.iter().map(|message| message.len().to_string()).collect();
    if lengths.is_empty() { "no messages".to_owned() } else { format!("messages of {} bytes", lengths.join(", ")) }
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
