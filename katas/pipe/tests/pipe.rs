//! The contract of the kata `pipe`, sentence by sentence. `README.md` has the same list.
//!
//! The other end is always the test's: a script, a thread, or a child, which is this program again, in one of the roles at the
//! end of the file. All but one of them do their framing by hand: a mistake in the submission meets an end that doesn't make it too.

use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use kata::child::{Children, roles};
use kata::stream::{Page, PipeWriter, Script, TRIED_FOR_EVER, Then, pipe};
use kata::{Check, Gate, a_while_passes, situation};
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
    });
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
    });
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
        for kind in TROUBLES {
            situation(format!("the stream takes a message, and can't flush it ({kind:?})"));
            let outcome = send(&mut Page::blank().flush_fails(kind), b"abc").map_err(|error| error.kind());
            assert_eq!(outcome, Err(kind), "what `send` reports");
        }
    });
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
                let mut outcome = Ok(None);
                let allocated = allocation_counter::measure(|| outcome = receive(&mut script)).bytes_total;
                assert_eq!(in_short(outcome), Err(ErrorKind::InvalidData), "{length} bytes announced");
                assert!(allocated < 64 * 1024, "{allocated} bytes were allocated before they were refused");
            }
        }
        situation("a message is exactly as long as it may be");
        let longest = message(LONGEST, 0);
        arrived(receive(&mut Script::of(frame(&longest))), &longest, "the longest message");
        let mut page = Page::blank();
        send(&mut page, &longest).unwrap();
        same(page.flushed(), &frame(&longest), "the longest message, as it was written");

        situation("a message is one byte longer than it may be");
        let mut page = Page::blank();
        let outcome = send(&mut page, &message(LONGEST + 1, 0)).map_err(|error| error.kind());
        assert_eq!(outcome, Err(ErrorKind::InvalidInput), "sending a message that the other end would refuse");
        assert_eq!(page.taken().len(), 0, "the bytes written of it");
        let ((mut ears, mouth), hostile) = (pipe(64, usize::MAX), [&u32::MAX.to_be_bytes(), &[0; 8][..]].concat());
        let mut connection = Connection::new(Script::of(hostile), mouth);
        let outcome = connection.send(message(LONGEST + 1, 0)).map_err(|error| error.kind());
        assert_eq!(outcome, Err(ErrorKind::InvalidInput), "sending it through a connection");
        assert_eq!(in_short(connection.receive()), Err(ErrorKind::InvalidData), "receiving one through a connection");
        connection.send(b"short".to_vec()).expect("after one that was refused, another one can be sent");
        connection.close().expect("all that was not refused is written");
        same(&ears.read_now(), &frame(b"short"), "what was written, of a message that is too long and one that isn't");
    });
}

#[test]
fn messages_arrive_in_the_order_of_sending() {
    Check::new().daemons().run(|| {
        // It holds nothing, so the connection has to wait with each message until this one is taken.
        let (ears, mouth) = pipe(0, usize::MAX);
        let listener = thread::spawn(|| heard(ears));
        let mut connection = Connection::new(io::empty(), mouth);
        for number in 1..=3 {
            connection.send(message(1, number)).unwrap();
        }
        connection.close().unwrap();
        let expected: Vec<Vec<u8>> = (1..=3).map(|number| message(1, number)).collect();
        assert_eq!(listener.join().unwrap().unwrap(), expected, "what the other end heard");
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
    Check::new().daemons().run(|| {
        let ((ears, mouth), (our_ears, their_mouth)) = (pipe(0, usize::MAX), pipe(0, usize::MAX));
        // It says everything before it hears anything.
        let other = thread::spawn(move || say_all(their_mouth, 2).and_then(|()| heard(ears)));
        let mut connection = Connection::new(our_ears, mouth);
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
    });
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
        for (length, kind) in [0, 1, 5].into_iter().flat_map(|length| TROUBLES.map(|kind| (length, kind))) {
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
    Check::new().daemons().hostile_timeouts().run(|| {
        let ((mut ears, mouth), gate) = (pipe(64, usize::MAX), Gate::closed());
        let later = thread::spawn({
            let gate = gate.clone();
            move || {
                a_while_passes();
                gate.open();
            }
        });
        let mut connection = Connection::new(io::empty(), Held { gate, mouth });
        for number in 1..=2 {
            connection.send(message(1, number)).unwrap();
        }
        connection.close().unwrap();
        same(&ears.read_now(), &frames(&[message(1, 1), message(1, 2)]), "what was written when `close` returned");
        later.join().unwrap();
    });
}

/// Takes nothing until its gate is open.
struct Held {
    gate: Gate,
    mouth: PipeWriter,
}

impl Write for Held {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.gate.pass();
        self.mouth.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.mouth.flush()
    }
}

#[test]
fn close_hangs_up_on_who_waits_to_be_heard() {
    Check::new().daemons().run(|| {
        let ((ears, mouth), (our_ears, their_mouth)) = (pipe(0, usize::MAX), pipe(0, usize::MAX));
        let other = thread::spawn(move || {
            // Nobody hears all of this. Only then does it listen itself.
            let _ = say_all(their_mouth, 2);
            heard(ears)
        });
        let mut connection = Connection::new(our_ears, mouth);
        connection.send(message(1, 1)).unwrap();
        connection.close().expect("the other end takes the message in the end");
        assert_eq!(other.join().unwrap().unwrap(), [message(1, 1)], "what the other end heard");
    });
}

#[test]
fn close_does_not_wait_for_a_child_that_waits_to_be_heard() {
    Check::new().threads_only().deadline(PLENTY).run(|| {
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
fn say_all(mut mouth: PipeWriter, messages: u8) -> io::Result<()> {
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
