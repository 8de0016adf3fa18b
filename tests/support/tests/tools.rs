//! Each tool does what it says. The same file is a test of the explored build.

use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use kata::conversation::{self, Streams};
use kata::stream::{Page, Script, TRIED_FOR_EVER, Then, pipe};
use kata::{Gate, Log, Peak, Rendezvous, Steps, check, moving};

#[test]
fn a_rendezvous_opens_when_enough_are_inside_and_stays_open() {
    check(|| {
        let rendezvous = Rendezvous::of(3);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| rendezvous.meet());
            }
        });
        rendezvous.meet();
    });
}

#[test]
fn a_gate_holds_back_until_it_is_opened() {
    check(|| {
        let (gate, log) = (Gate::closed(), Log::new());
        assert!(!gate.is_open());
        let waiter = thread::spawn({
            let (gate, log) = (gate.clone(), log.clone());
            move || {
                gate.pass();
                log.note("passed");
            }
        });
        log.note("open");
        gate.open();
        waiter.join().unwrap();
        gate.pass();
        assert!(gate.is_open());
        assert_eq!(log.events(), ["open", "passed"]);
    });
}

#[test]
fn a_gate_opens_when_its_guard_is_dropped() {
    check(|| {
        let gate = Gate::closed();
        let panicked = panic::catch_unwind(AssertUnwindSafe(|| {
            thread::scope(|scope| {
                let _opened_at_last = gate.open_when_dropped();
                scope.spawn(|| gate.pass());
                panic!("with a thread at the gate");
            });
        }));
        assert!(panicked.is_err() && gate.is_open());
    });
}

#[test]
fn a_peak_counts_who_is_inside_and_remembers_the_most() {
    check(|| {
        let (peak, rendezvous) = (Arc::new(Peak::new()), Rendezvous::of(2));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let _inside = peak.enter();
                    rendezvous.meet();
                });
            }
        });
        assert_eq!((peak.now(), peak.highest()), (0, 2));
        let _alone = peak.enter();
        assert_eq!((peak.now(), peak.highest()), (1, 2));
    });
}

#[test]
fn a_log_knows_what_came_first() {
    check(|| {
        let log = Log::new();
        log.note("put");
        log.note(String::from("get"));
        log.note("put");
        assert!(log.before("put", "get") && !log.before("get", "put"));
        assert!(!log.before("put", "close") && !log.before("close", "put") && !log.before("put", "put"));
        assert!(log.happened("get") && !log.happened("close"));
        assert_eq!((log.count("put"), log.count("close")), (2, 0));
        assert_eq!(log.events(), ["put", "get", "put"]);
    });
}

/// Answers each of two lines with itself, as long as all goes well.
fn echo(streams: Streams) -> (io::Result<()>, String) {
    let (mut input, mut output, arrived) = conversation::begin(vec![b"one".to_vec(), b"two".to_vec()], streams);
    let mut converse = || {
        let mut line = String::new();
        while input.read_line(&mut line)? > 0 {
            output.write_all(line.as_bytes())?;
            output.flush()?;
            line.clear();
        }
        Ok(())
    };
    (converse(), arrived.text())
}

#[test]
fn the_streams_of_a_conversation_fail_when_they_are_told_to() {
    const HOW: ErrorKind = ErrorKind::TimedOut;
    check(|| {
        let arrived = |streams| {
            let (outcome, text) = echo(streams);
            (outcome.map_err(|error| error.kind()), text.lines().count())
        };
        for streams in [Streams::Wide, Streams::Narrow] {
            assert_eq!(arrived(streams), (Ok(()), 2), "{streams}");
            let (_, mut output, _) = conversation::begin(Vec::new(), streams);
            let taken = if streams == Streams::Narrow { 1 } else { 3 };
            assert_eq!(output.write(b"one").unwrap(), taken, "bytes that are taken in one go, {streams}");
        }
        for (line, answers) in [(0, 0), (1, 1), (2, 2)] {
            assert_eq!(arrived(Streams::ReadingFails(line, HOW)), (Err(HOW), answers));
        }
        for answer in 0..2 {
            assert_eq!(arrived(Streams::WritingFails(answer, HOW)), (Err(HOW), answer));
            assert_eq!(arrived(Streams::FlushingFails(answer, HOW)), (Err(HOW), answer + 1));
        }
    });
}

#[test]
#[should_panic = "answers that have arrived when line 2 is read"]
fn an_answer_that_stays_in_the_buffer_is_noticed() {
    check(|| {
        let (mut input, mut output, _) = conversation::begin(vec![b"one".to_vec(), b"two".to_vec()], Streams::Wide);
        input.read_line(&mut String::new()).unwrap();
        writeln!(output, "one").unwrap();
        let _ = input.read_line(&mut String::new());
    });
}

#[test]
fn a_thread_in_steps_moves_only_when_it_is_told_to() {
    check(|| {
        let log = Log::new();
        let thread = Steps::of({
            let log = log.clone();
            move |pause| {
                for step in ["one", "two", "three"] {
                    log.note(step);
                    pause();
                }
            }
        });
        assert!(log.events().is_empty(), "it has not been told to begin");
        thread.step();
        assert_eq!(log.events(), ["one"]);
        thread.step();
        assert_eq!(log.events(), ["one", "two"]);
        drop(thread);
        assert_eq!(log.events(), ["one", "two", "three"], "it goes on to its end");
    });
}

#[test]
fn a_full_pipe_waits_for_its_reader_and_breaks_without_one() {
    check(|| {
        let (mut reader, mut writer) = pipe(0, 2);
        let thread = thread::spawn(move || {
            let mut bytes = [0; 3];
            reader.read_exact(&mut bytes).unwrap();
            bytes
        });
        assert_eq!(writer.write(b"abc").unwrap(), 2, "it takes two bytes at once");
        writer.write_all(b"c").unwrap();
        assert_eq!(thread.join().unwrap(), *b"abc");
        assert_eq!(writer.write_all(b"d").unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_pipe_ends_when_its_writer_is_gone_and_what_is_in_it_is_read() {
    check(|| {
        let (mut reader, mut writer) = pipe(2, 8);
        writer.write_all(b"ab").and_then(|()| writer.write_all(b"c")).unwrap();
        assert_eq!(reader.read_now(), b"abc");
        writer.write_all(b"d").unwrap();
        drop(writer);
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"d");
    });
}

#[test]
fn a_script_is_cut_interrupted_and_ended_where_it_says() {
    let mut script = Script::of(b"abcde").cut_at([1, 3]).interrupted().then(Then::Fail(ErrorKind::TimedOut));
    let mut pieces = Vec::new();
    let failure = loop {
        let mut buffer = [0; 8];
        match script.read(&mut buffer) {
            Ok(length) => pieces.push(buffer[..length].to_vec()),
            Err(error) if error.kind() == ErrorKind::Interrupted => pieces.push(b"!".to_vec()),
            Err(error) => break error.kind(),
        }
    };
    assert_eq!(pieces, [&b"!"[..], b"a", b"!", b"bc", b"!", b"de", b"!"]);
    assert_eq!((failure, script.left()), (ErrorKind::TimedOut, 0));
}

#[test]
fn a_page_knows_what_was_flushed_and_has_an_end() {
    let mut page = Page::blank().cut_at([2]).room_for(4, Then::End);
    assert_eq!(page.write(b"abc").unwrap(), 2);
    page.flush().unwrap();
    assert_eq!(page.write(b"cde").unwrap(), 2);
    assert_eq!((page.taken(), page.flushed()), (&b"abcd"[..], &b"ab"[..]));
    let end = (0..).find_map(|_| page.write(b"e").err()).unwrap();
    assert_eq!(end.kind(), TRIED_FOR_EVER, "who tries again and again comes to an end");
    let failure = Page::blank().flush_fails(ErrorKind::StorageFull).flush().unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::StorageFull);
}

/// A future that is ready at its third poll, and says where it was polled.
struct Polled(Vec<usize>);

impl Future for Polled {
    type Output = Vec<usize>;

    fn poll(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Vec<usize>> {
        let here = std::ptr::from_ref(&*self).addr();
        self.0.push(here);
        if self.0.len() < 3 { Poll::Pending } else { Poll::Ready(mem::take(&mut self.0)) }
    }
}

#[test]
fn a_future_is_moved_between_its_polls_if_it_may_be() {
    let polled = |mut future: Pin<Box<dyn Future<Output = Vec<usize>> + Send>>| {
        let mut poll = || future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let [first, second] = [(); 2].map(|()| poll());
        assert!(first.is_pending() && second.is_pending());
        match poll() {
            Poll::Ready(places) => places,
            Poll::Pending => panic!("the third poll is the last"),
        }
    };
    let places = polled(moving!(Polled(Vec::new())));
    assert!(places[0] != places[1] && places[1] != places[2], "{places:?}");
    let places = polled(moving!(async { Polled(Vec::new()).await }));
    assert!(places.iter().all(|place| *place == places[0]), "{places:?}");
}
