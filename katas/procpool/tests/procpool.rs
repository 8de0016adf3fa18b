//! The contract of the kata `procpool`, sentence by sentence. `README.md` has the same list.
//!
//! Half of it is about `serve`: there the pool is the test's own, and speaks by hand. The other half is about the pool: its workers
//! are this program again, in the roles at the end of the file. Some of them call `serve`, and some speak by hand, and wrongly. So a
//! mistake that is made on both sides is seen all the same.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use kata::child::{Children, die_of, meet, roles, tell};
use kata::stream::{Page, Script, Then};
use kata::{Check, panic_on_purpose, situation, until, until_still};
use procpool::{Failure, Handle, Job, LONGEST, Outcome, Pool, Said, Settings, serve};

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is
/// compared with. And only an enum has variants to import.
fn _signatures(command: Command, settings: Settings, failure: Failure, said: Said, job: Job) {
    use Failure::{Dropped, Lost, NoWorker, Panicked, TimedOut};
    use Said::{Done, Ready, Unable};
    type Initialise = fn() -> Result<u8, String>;
    type Becomes = Result<Vec<u8>, Failure>;
    type Work = fn(&mut u8, Vec<u8>) -> Vec<u8>;
    let _: fn(io::Stdin, io::Stdout, Initialise, Work) -> io::Result<()> = serve::<u8>;
    let _: fn(&Job, &mut io::Stdout) -> io::Result<()> = Job::send;
    let _: fn(&mut io::Stdin) -> io::Result<Option<Job>> = Job::receive;
    let _: fn(&Said, &mut io::Stdout) -> io::Result<()> = Said::send;
    let _: fn(&mut io::Stdin) -> io::Result<Option<Said>> = Said::receive;
    let _: fn(Command, Settings) -> io::Result<Pool> = Pool::start;
    let _: fn(&Pool, Vec<u8>) -> Handle = Pool::submit;
    let _: fn(&Pool, Vec<Vec<u8>>, NonZeroUsize) -> Vec<Becomes> = Pool::map;
    let _: fn(Pool) = Pool::shutdown;
    let _: fn(Handle) -> Outcome = Handle::wait;
    let Settings { workers, jobs_each, limit } = settings;
    drop::<(Command, NonZeroUsize, Option<NonZeroUsize>, Duration)>((command, workers, jobs_each, limit));
    drop::<(u64, Vec<u8>)>((job.number, job.input));
    match failure {
        Panicked(text) | NoWorker(text) => drop::<String>(text),
        Lost | TimedOut | Dropped => {}
    }
    match said {
        Ready => {}
        Unable(text) => drop::<String>(text),
        Done(number, outcome) => drop::<(u64, Result<Vec<u8>, String>)>((number, outcome)),
    }
}

/// Never called. Threads share a pool, and handles are given to them.
fn _threads() {
    fn shared<T: Sync + Send>() {}
    fn given<T: Send>() {}
    shared::<Pool>();
    given::<Handle>();
}

/// A submission can't agree on shorter messages with itself.
const _: () = assert!(LONGEST == 1024 * 1024);

#[test]
fn a_worker_is_ready_and_then_answers_one_job_after_the_other() {
    Check::new().threads_only().run(|| {
        // The number of a job may be any, and an input may be empty.
        let jobs: [(u64, &[u8]); 3] = [(7, b"ab"), (0x01_02_03_04_05_06_07_08, b""), (0, b"c")];
        let asked = jobs.iter().flat_map(|(number, input)| job(*number, input)).collect::<Vec<u8>>();
        let answers = [ready(), done(7, b"1 ab"), done(0x01_02_03_04_05_06_07_08, b"2 "), done(0, b"3 c")];
        for interrupted in [false, true] {
            for cut in 0..asked.len() {
                let how = if interrupted { ", and every call is interrupted" } else { "" };
                situation(format!("a piece of the input ends after {cut} bytes{how}"));
                let mut input = Script::of(&*asked).cut_at([cut]);
                let mut page = Page::blank().cut_at([cut, 2 * cut]);
                if interrupted {
                    (input, page) = (input.interrupted(), page.interrupted());
                }
                let output = Output::of(page);
                let initialise = || {
                    assert_eq!(output.flushed(), b"", "what is said before the initialiser has returned");
                    Ok(0)
                };
                let outcome = serve(&mut input, output.clone(), initialise, |count: &mut usize, input| {
                    let so_far = answers[..=*count].concat();
                    assert_eq!(output.flushed(), so_far, "what has left the buffer when job {} is begun", *count + 1);
                    *count += 1;
                    [count.to_string().as_bytes(), b" ", &input].concat()
                });
                assert_eq!(kind(outcome), Ok(()), "what `serve` says at the end of the input");
                assert_eq!(output.flushed(), answers.concat(), "what the worker has said");
            }
        }
    });
}

#[test]
fn a_job_that_panics_is_answered_with_its_text() {
    Check::new().threads_only().run(|| {
        type Panics = fn() -> Vec<u8>;
        let texts: [(&str, Panics, Option<&str>); 5] = [
            ("with a `&str`", || panic_on_purpose("oh no"), Some("oh no")),
            ("with a `String`", || panic::panic_any("oh no".to_owned()), Some("oh no")),
            ("with two lines", || panic::panic_any(" oh\nno\n".to_owned()), Some(" oh\nno\n")),
            ("with an empty text", || panic::panic_any(""), Some("")),
            ("with a number", || panic::panic_any(7), None),
        ];
        for (how, panics, text) in texts {
            situation(format!("the second of three jobs panics {how}"));
            let output = Output::of(Page::blank());
            let asked = [job(1, b"a"), job(2, b"panic"), job(3, b"c")].concat();
            let mut flushed = Vec::new();
            let outcome = serve(
                Script::of(asked),
                output.clone(),
                || Ok(0),
                |count, input| {
                    *count += 1;
                    flushed = output.flushed();
                    if input == b"panic" { panics() } else { vec![*count] }
                },
            );
            assert_eq!(kind(outcome), Ok(()), "what `serve` says at the end of the input");
            let said = output.flushed();
            let (before, after) = ([ready(), done(1, &[1])].concat(), done(3, &[3]));
            assert!(said.starts_with(&before), "what was said before the panic: {said:?}");
            assert!(said.ends_with(&after), "the answer to the job after the one that panicked: {said:?}");
            let answer = &said[before.len()..said.len() - after.len()];
            if let Some(text) = text {
                assert_eq!(answer, panicked(2, text), "the answer to the job that panicked");
            } else {
                assert_eq!(answer[4..13], [&[3][..], &2_u64.to_be_bytes()].concat(), "the answer: {answer:?}");
            }
            assert_eq!(flushed, [&before, answer].concat(), "what has left the buffer when the last job is begun");
        }
    });
}

#[test]
fn an_initialiser_that_fails_is_told_and_no_job_is_read() {
    Check::new().threads_only().run(|| {
        type Fails = fn() -> Result<(), String>;
        let ways: [(&str, Fails, &str); 7] = [
            ("fails", || Err("no licence".to_owned()), "no licence"),
            ("panics with a `&str`", || panic_on_purpose("no licence"), "no licence"),
            ("panics with a `String`", || panic::panic_any("no licence".to_owned()), "no licence"),
            ("fails with an empty text", || Err(String::new()), ""),
            ("panics with an empty text", || panic::panic_any(""), ""),
            ("fails with two lines", || Err(LINES.to_owned()), LINES),
            ("panics with two lines", || panic::panic_any(LINES), LINES),
        ];
        for (how, initialise, text) in ways {
            situation(format!("the initialiser {how}"));
            let (asked, output) = (job(1, b"a"), Output::of(Page::blank()));
            let mut input = Script::of(&*asked);
            let outcome = serve(&mut input, output.clone(), initialise, |(), _| panic!("no job is to be begun"));
            let error = outcome.expect_err("the worker can't work");
            assert_eq!((error.kind(), error.to_string()), (ErrorKind::Other, text.to_owned()));
            assert_eq!(output.flushed(), unable(text), "what the worker has said");
            assert_eq!(input.left(), asked.len(), "how many bytes of the input are left");
        }
    });
}

#[test]
fn what_does_not_arrive_as_a_whole_is_not_begun() {
    Check::new().threads_only().run(|| {
        let (first, second) = (job(1, b"a"), job(2, b"bc"));
        let asked = [&first[..], &second].concat();
        for end in 0..=asked.len() {
            for then in [Then::End, Then::Fail(ErrorKind::ConnectionReset)] {
                let goes = if then == Then::End { "ends" } else { "fails (ConnectionReset)" };
                situation(format!("the input {goes} after {end} of {} bytes of two jobs", asked.len()));
                let whole = [0, first.len(), asked.len()].contains(&end);
                let expected = match then {
                    Then::Fail(kind) => Err(kind),
                    Then::End if whole => Ok(()),
                    Then::End => Err(ErrorKind::UnexpectedEof),
                };
                let begun = usize::from(end >= first.len()) + usize::from(end == asked.len());
                talks(Script::of(&asked[..end]).then(then), Page::blank(), begun, expected, None);
            }
        }
        for length in [LONGEST as u32 + 100, 1 << 24, u32::MAX, u32::from_be_bytes(*b"hell"), 0, 7] {
            situation(format!("after a job, a message of {length} bytes is announced, and most of it comes"));
            let rubbish = [&first[..], &length.to_be_bytes(), &[b'x'; 64]].concat();
            talks(Script::of(rubbish), Page::blank(), 1, Err(ErrorKind::InvalidData), None);
        }
        let said = [ready(), done(1, b"A"), done(2, b"BC")].concat();
        for room in 0..said.len() {
            situation(format!("the output takes {room} bytes, and then fails"));
            let begun = (0..2).filter(|job| room >= [ready(), done(1, b"A")][..=*job].concat().len()).count();
            let page = Page::blank().room_for(room, Then::Fail(ErrorKind::BrokenPipe));
            talks(Script::of(&*asked), page, begun, Err(ErrorKind::BrokenPipe), Some(&said[..room]));
        }
        situation("the output can't be flushed");
        let page = Page::blank().flush_fails(ErrorKind::BrokenPipe);
        talks(Script::of(&*asked), page, 0, Err(ErrorKind::BrokenPipe), None);
        for panics in [false, true] {
            situation(format!("the answer to the first job can't be flushed (the job panics: {panics})"));
            let (output, mut begun) = (Output::of(Page::blank()), 0);
            let outcome = serve(
                Script::of(&*asked),
                output.clone(),
                || Ok(()),
                |(), input| {
                    begun += 1;
                    output.flush_fails(ErrorKind::BrokenPipe);
                    if panics { panic_on_purpose("oh no") } else { input }
                },
            );
            assert_eq!(kind(outcome), Err(ErrorKind::BrokenPipe), "what `serve` says");
            assert_eq!(begun, 1, "how many jobs were begun");
        }
    });
}

/// Lets `serve` talk, with a work that answers in capitals. It begins so many jobs, and says this. `None`: the answers to what was
/// begun.
#[track_caller]
fn talks(input: Script, page: Page, begun: usize, expected: Result<(), ErrorKind>, taken: Option<&[u8]>) {
    let (output, mut count) = (Output::of(page), 0);
    let outcome = serve(
        input,
        output.clone(),
        || Ok(()),
        |(), input| {
            count += 1;
            input.to_ascii_uppercase()
        },
    );
    assert_eq!(kind(outcome), expected, "what `serve` says");
    assert_eq!(count, begun, "how many jobs were begun");
    match taken {
        Some(taken) => assert_eq!(output.taken(), taken, "what the worker has said"),
        None if output.flushed().is_empty() => {}
        None => {
            let said = [ready(), done(1, b"A"), done(2, b"BC")];
            assert_eq!(output.flushed(), said[..=begun].concat(), "what the worker has said");
        }
    }
}

#[test]
fn map_keeps_the_order_of_its_inputs() {
    check(|children| {
        let pool = start(children, "worker", Settings { limit: LONG, ..settings(2) });
        for (length, chunk) in (0..=5).flat_map(|length| [1, 2, 3, 5, usize::MAX].map(|chunk| (length, chunk))) {
            situation(format!("{length} inputs in chunks of {chunk}, and two workers"));
            let numbers = (0..length).map(|number: usize| number.to_string());
            let outcomes = pool.map(numbers.clone().map(|number| format!("say {number}").into()), size(chunk));
            assert_eq!(outcomes, numbers.map(result).collect::<Vec<_>>(), "the outcomes");
        }
        situation("three inputs in chunks of 1, two workers, and the first input takes longer than all others");
        children.open_when_still("slow");
        let outcomes = pool.map(jobs(["meet slow;say 0", "say 1", "say 2"]), size(1));
        assert_eq!(outcomes, ["0", "1", "2"].map(result), "the outcomes");
        situation("two threads map on one pool");
        let maps = thread::scope(|scope| {
            let mapped = ["a", "b"].map(|name| {
                let pool = &pool;
                scope.spawn(move || pool.map((0..6).map(|number| format!("say {name}{number}").into()), size(2)))
            });
            mapped.map(|thread| thread.join().unwrap())
        });
        let expected =
            ["a", "b"].map(|name| (0..6).map(|number| result(format!("{name}{number}"))).collect::<Vec<_>>());
        assert_eq!(maps, expected, "the outcomes");
        situation("two threads map on one pool, and the jobs of one wait for the job of the other");
        children.rendezvous("two maps", 2);
        let maps = thread::scope(|scope| {
            let mapped = ["a", "b"].map(|name| {
                let (pool, job) = (&pool, format!("meet two maps;say {name}"));
                scope.spawn(move || pool.map([job.into()], size(1)))
            });
            mapped.map(|thread| thread.join().unwrap())
        });
        assert_eq!(maps, [[result("a")], [result("b")]], "the outcomes");
        situation("two pools, and the job of one waits for the job of the other");
        let other = start(children, "worker", settings(1));
        children.rendezvous("two pools", 2);
        let handles = ["a", "b"].map(|name| format!("meet two pools;say {name}").into());
        let [a, b] = handles;
        assert_eq!([pool.submit(a), other.submit(b)].map(Handle::wait), ["a", "b"].map(result), "the outcomes");
    });
}

#[test]
fn workers_work_at_the_same_time_and_are_reused() {
    check(|children| {
        // The last are more than most machines have processors.
        for workers in [1, 3, 9] {
            situation(format!("{workers} workers, and as many jobs that wait for each other"));
            let (before, pool) = (started(children), start(children, "worker", settings(workers)));
            let table = format!("table for {workers}");
            children.rendezvous(&table, workers);
            let first = ok(pool.map(vec![format!("meet {table};pid").into(); workers], size(1)));
            let first: BTreeSet<String> = first.into_iter().collect();
            assert_eq!(first.len(), workers, "how many processes there were");
            situation(format!("{workers} workers, and many jobs after those that have met"));
            let later = ok(pool.map(vec![b"pid".to_vec(); 20], size(1)));
            let strangers = later.iter().filter(|worker| !first.contains(*worker)).count();
            assert_eq!(strangers, 0, "how many of 20 later jobs were done by other processes");
            assert_eq!(started(children) - before, workers, "how many processes were started");
        }
        situation("more workers than jobs");
        let pool = start(children, "worker", settings(5));
        assert_eq!(pool.map(jobs(["say 0", "say 1"]), size(1)), ["0", "1"].map(result), "the outcomes");
    });
}

#[test]
fn a_worker_gets_a_whole_chunk_at_once() {
    check(|children| {
        situation("seven jobs in chunks of 3 for three workers, and the first jobs of the chunks wait for each other");
        let pool = start(children, "worker", settings(3));
        children.rendezvous("three chunks", 3);
        let begins = "meet three chunks;pid";
        let workers = ok(pool.map(jobs([begins, "pid", "pid", begins, "pid", "pid", begins]), size(3)));
        for chunk in workers.chunks(3) {
            assert_eq!(chunk, vec![chunk[0].clone(); chunk.len()], "who did the jobs of one chunk");
        }
        assert_eq!(workers.iter().collect::<BTreeSet<_>>().len(), 3, "how many workers did the three chunks");
        situation("the worker reads all three jobs of its chunk before it answers the first");
        let pool = speaking(children, "ready, hear, hear, hear, answer, answer, answer, end");
        assert_eq!(pool.map(jobs(["a", "b", "c"]), size(3)), ["a", "b", "c"].map(result), "the outcomes");
        situation("the worker reads all jobs of a chunk of 100 before it answers the first");
        let pool = speaking(children, &format!("ready{}{}, end", ", hear".repeat(100), ", answer".repeat(100)));
        assert_eq!(pool.map(jobs(["a"; 100]), size(100)), vec![result("a"); 100], "the outcomes");
    });
}

#[test]
fn large_chunks_keep_nobody_waiting() {
    check(|children| {
        situation("one worker is busy with the first job of a chunk that is larger than any pipe");
        let pool = start(children, "worker", settings(2));
        let padded = |text: &str| [text.as_bytes(), &[b' '; 200_000]].concat();
        thread::scope(|scope| {
            let large = scope.spawn(|| pool.map(["meet large;pid", "pid", "pid"].map(padded), size(3)));
            children.wait_for("large", 1);
            assert_eq!(pool.submit(b"say other".to_vec()).wait(), result("other"), "a job for the other worker");
            children.open("large");
            let workers = ok(large.join().unwrap());
            assert_eq!(workers, vec![workers[0].clone(); 3], "who did the jobs of the large chunk");
        });
        situation("inputs and results are large, and all are in one chunk");
        let inputs = [100, LONGEST / 4, LONGEST, 70_000, LONGEST - 1, LONGEST].map(echoed);
        same(&pool.map(inputs.clone(), size(6)), &inputs);
        same(&pool.map(inputs.clone(), size(1)), &inputs);
        let longest = echoed(LONGEST);
        same(&[pool.submit(longest.clone()).wait()], &[longest]);
    });
}

#[test]
fn an_input_or_result_that_is_too_long_costs_its_caller_or_its_job() {
    check(|children| {
        let pool = start(children, "worker", settings(1));
        situation("an input is one byte longer than it may be");
        let submitted = panic::catch_unwind(AssertUnwindSafe(|| pool.submit(echoed(LONGEST + 1))));
        assert!(submitted.is_err(), "`submit` takes it without a panic");
        for chunk in [1, 2] {
            let inputs = [echoed(10), echoed(LONGEST + 1)];
            let mapped = panic::catch_unwind(AssertUnwindSafe(|| pool.map(inputs, size(chunk))));
            assert!(mapped.is_err(), "`map` takes it without a panic, in chunks of {chunk}");
        }
        situation("a result is one byte longer than it may be");
        let outcomes = pool.map(jobs(["say 0", "grow", "say 2"]), size(3));
        assert_eq!(outcomes, [result("0"), Err(Failure::Lost), result("2")], "the outcomes");
        situation("the pool whose callers panicked is shut down");
        pool.shutdown();
        situation("a result is one byte longer than it may be, and what `serve` says to it, with one more job to read");
        let (output, mut begun) = (Output::of(Page::blank()), 0);
        let outcome = serve(
            Script::of([job(1, b"a"), job(2, b"b")].concat()),
            output.clone(),
            || Ok(()),
            |(), _| {
                begun += 1;
                vec![b'x'; LONGEST + 1]
            },
        );
        assert_eq!(kind(outcome), Err(ErrorKind::InvalidInput), "what `serve` says");
        assert_eq!((begun, output.taken()), (1, ready()), "how many jobs were begun, and what the worker has said");
    });
}

#[test]
fn submit_goes_on_at_once() {
    check(|children| {
        let pool = start(children, "worker", settings(1));
        let busy = pool.submit(b"tell begun 0;meet gate;say 0".to_vec());
        children.wait_for("gate", 1);
        let waiting = [1, 2, 3].map(|job| pool.submit(format!("tell begun {job};say {job}").into()));
        // A job whose handle is dropped is done all the same.
        let _ = pool.submit(b"tell begun 4".to_vec());
        let mapped = thread::scope(|scope| {
            let mapped = scope.spawn(|| pool.map(jobs(["tell begun 5;say 5", "tell begun 6;say 6"]), size(2)));
            until_still();
            let last = pool.submit(b"tell begun 7;say 7".to_vec());
            children.open("gate");
            assert_eq!(last.wait(), result("7"), "the outcome of a job that came last");
            mapped.join().unwrap()
        });
        assert_eq!(mapped, ["5", "6"].map(result), "the outcomes of jobs that came late");
        let outcomes = [busy].into_iter().chain(waiting).rev().map(Handle::wait).collect::<Vec<_>>();
        assert_eq!(outcomes, ["3", "2", "1", "0"].map(result), "what the handles say, the last one asked first");
        let numbers = (0..8).map(|number| number.to_string()).collect::<Vec<_>>();
        assert_eq!(begun(children), numbers, "the order in which the jobs were begun");
    });
}

#[test]
fn a_panic_ends_its_job_and_no_worker() {
    check(|children| {
        let pool = start(children, "worker", settings(1));
        let worker = ok(pool.map(jobs(["pid"]), size(1)));
        let outcomes = pool.map(jobs(["count", "panic oh no", "count", "panic", "count"]), size(5));
        let [panicked, without_text] = ["oh no", ""].map(|text| Err(Failure::Panicked(text.to_owned())));
        let expected = [result("2"), panicked.clone(), result("4"), without_text, result("6")];
        assert_eq!(outcomes, expected, "the outcomes of one chunk");
        assert_eq!(pool.submit(b"panic oh no".to_vec()).wait(), panicked, "the outcome of a job that was submitted");
        assert_eq!(ok(pool.map(jobs(["pid"]), size(1))), worker, "who does the next job");
    });
}

#[test]
fn a_worker_that_dies_costs_one_job_and_no_other() {
    check(|children| {
        for how in ["die", "exit", "abort"] {
            for (workers, chunk) in [(1, 4), (1, 1), (2, 2)] {
                situation(format!("5 jobs in chunks of {chunk} for {workers} workers, and the second job: {how}"));
                let before = begun(children).len();
                let pool = start(children, "worker", settings(workers));
                let deadly = format!("tell begun 1;{how}");
                let mut inputs = ["0", "1", "2", "3", "4"].map(|job| format!("tell begun {job};say {job}"));
                inputs[1] = deadly;
                let outcomes = pool.map(inputs.map(String::into_bytes), size(chunk));
                let mut expected = ["0", "1", "2", "3", "4"].map(result);
                expected[1] = Err(Failure::Lost);
                assert_eq!(outcomes, expected, "the outcomes");
                let mut begun = begun(children).split_off(before);
                if workers > 1 {
                    begun.sort();
                }
                assert_eq!(begun, ["0", "1", "2", "3", "4"], "which jobs were begun");
                if how != "die" {
                    break;
                }
            }
        }
        situation("5 jobs in chunks of 3 for 2 workers, and all workers die again and again");
        let pool = start(children, "worker", settings(2));
        assert_eq!(pool.map(jobs(["die"; 5]), size(3)), vec![Err(Failure::Lost); 5], "the outcomes");
        let handles = ["die", "say 1", "die", "say 3"].map(|job| pool.submit(job.into()));
        let expected = [Err(Failure::Lost), result("1"), Err(Failure::Lost), result("3")];
        assert_eq!(handles.map(Handle::wait), expected, "the outcomes of jobs that were submitted");
    });
}

#[test]
fn a_worker_may_die_at_every_byte_of_its_answer() {
    check(|children| {
        // The jobs say after how many bytes their worker dies. The last answer is whole before.
        let whole = done(0, b"part").len();
        let pool = start(children, "liar", settings(1));
        let outcomes = pool.map((0..=whole).map(|bytes| format!("part {bytes}, exit").into()), size(whole + 1));
        let (last, others) = outcomes.split_last().unwrap();
        let lost = others.iter().take_while(|outcome| **outcome == Err(Failure::Lost)).count();
        assert_eq!(lost, whole, "after how many bytes of {whole} an answer counted: {outcomes:?}");
        assert_eq!(*last, result("part"), "an answer that arrived as a whole before its worker died");
        situation("an answer comes byte by byte");
        let pool = start(children, "liar", settings(1));
        assert_eq!(pool.map(jobs(["slowly", "slowly"]), size(2)), ["slowly", "slowly"].map(result), "the outcomes");
    });
}

#[test]
fn a_worker_that_breaks_the_rules_is_not_believed() {
    check(|children| {
        let lost = || Err(Failure::Lost);
        // What a worker leaves need not be one chunk any more. Then this job may come to the next worker.
        let either = || vec![lost(), result("answer")];
        situation("all in one chunk, each job is what its worker does instead of answering it");
        let stories = [
            ("exit", vec![lost()]),
            ("next, exit", vec![lost()]),
            ("nobody, exit", vec![lost()]),
            ("ready, exit", vec![lost()]),
            ("unable, exit", vec![lost()]),
            ("next+answer, exit", vec![lost()]),
            ("text, exit", vec![lost()]),
            ("long, exit", vec![lost()]),
            ("tag, exit", vec![lost()]),
            ("short, exit", vec![lost()]),
            ("empty, exit", vec![lost()]),
            ("latin, exit", vec![lost()]),
            ("close", vec![lost()]),
            ("answer, again, exit", vec![result("answer, again, exit")]),
            ("answer", either()),
            ("answer, exit", vec![result("answer, exit")]),
            ("answer", either()),
            ("answer", vec![result("answer")]),
        ];
        let pool = start(children, "liar", settings(1));
        let outcomes = pool.map(stories.each_ref().map(|(story, _)| story.as_bytes().to_vec()), size(stories.len()));
        for ((story, expected), outcome) in stories.iter().zip(&outcomes) {
            assert!(expected.contains(outcome), "the outcome of a job whose worker does this: {story}: {outcome:?}");
        }
        situation("the same, and they don't end by themselves");
        let answers = "answer, again, stay";
        let stories = ["text, stay", "next, stay", "ready, stay", "unable, stay", "long, stay", answers, "answer"];
        let mut expected = [(); 7].map(|()| vec![lost()]);
        expected[5] = vec![result(answers)];
        expected[6] = either();
        let outcomes = pool.map(jobs(stories), size(7));
        for ((story, expected), outcome) in stories.iter().zip(&expected).zip(&outcomes) {
            assert!(expected.contains(outcome), "the outcome of a job whose worker does this: {story}: {outcome:?}");
        }
        drop(pool);
        Children::none_is_left();
        for answers in ["answer, again, exit", "answer, exit", answers] {
            situation(format!("two jobs are one chunk, and the worker does this instead of answering them: {answers}"));
            let pool = start(children, "liar", settings(1));
            assert_eq!(pool.map(jobs([answers, "answer"]), size(2)), [result(answers), lost()], "the outcomes");
        }
        situation("a job prints something to the standard output");
        let pool = start(children, "worker", settings(1));
        let outcomes = pool.map(jobs(["say 0", "print hello", "say 2"]), size(3));
        assert_eq!(outcomes, [result("0"), lost(), result("2")], "the outcomes");
        situation("a worker answers once more when all is answered, and then a job comes");
        let pool = start(children, "liar", settings(1));
        for job in ["answer, again, stay", "answer"] {
            let outcome = pool.submit(job.into()).wait();
            assert!(outcome == result(job) || outcome == lost(), "the outcome of job {job}: {outcome:?}");
        }
        for lie in ["again", "ready", "unable", "text", "nobody"] {
            situation(format!("a worker says something when all is answered ({lie}), and a job comes later"));
            let pool = start(children, "liar", settings(1));
            let story = format!("answer, {lie}, stay");
            assert_eq!(pool.submit(story.clone().into()).wait(), result(story), "the outcome");
            until_still();
            assert_eq!(pool.submit(b"answer".to_vec()).wait(), result("answer"), "the next job");
        }
        situation("a worker closes its output when all is answered, and lives on");
        let pool = start(children, "liar", settings(1));
        assert_eq!(pool.submit(b"answer, close".to_vec()).wait(), result("answer, close"), "the outcome");
        until_still();
        assert_eq!(pool.submit(b"answer".to_vec()).wait(), result("answer"), "the next job");
        situation("each worker answers two jobs with their numbers");
        let pool = start(children, "liar", Settings { jobs_each: Some(size(2)), ..settings(1) });
        let numbers = ok(pool.map(jobs(["number"; 5]), size(2)));
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), 5, "how many numbers five jobs have: {numbers:?}");
        situation("two threads map, and two workers answer with the numbers of the jobs");
        let pool = start(children, "liar", settings(2));
        let numbers = thread::scope(|scope| {
            let threads = [(); 2].map(|()| scope.spawn(|| ok(pool.map(jobs(["number"; 150]), size(50)))));
            threads.map(|thread| thread.join().unwrap()).concat()
        });
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), 300, "how many numbers 300 jobs have");
        situation("a worker counts the numbers of 65,537 jobs, one more than 16 bits have");
        let pool = speaking(children, "ready, crowd 65537, end");
        let outcomes = pool.map(vec![b"a".to_vec(); 65_537], size(65_537));
        assert!(outcomes.iter().all(|outcome| *outcome == result("a")), "the outcomes");
        assert_eq!(children.told().last().map(String::as_str), Some("65537 numbers"), "how many numbers the jobs have");
        situation("each worker ends as soon as it is ready");
        // Some end before they have a job, and then the next one is started.
        let (outcomes, _) = with_office(&[b'y'; 1_000], |office| {
            let pool = pool_of(speaker(children, "ask, ready, exit", office), settings(1));
            pool.map(jobs(["a", "b"]), size(1))
        });
        assert!(outcomes.iter().all(Result::is_err), "the outcomes: {outcomes:?}");
        situation("a worker ends after the only job, and all after it as soon as they are ready");
        let (outcome, started) = with_office(&[&b"y"[..], &[b'n'; 10]].concat(), |office| {
            let pool = pool_of(speaker(children, "ready, work?, exit", office), settings(1));
            let outcome = pool.submit(b"a".to_vec()).wait();
            until_still();
            outcome
        });
        assert_eq!(outcome, result("a"), "the outcome");
        assert!(started <= 10, "it is started again and again, though there are no jobs");
    });
}

#[test]
fn a_worker_that_ends_without_a_job_costs_none() {
    check(|children| {
        let pool = start(children, "bomber", settings(1));
        for (how, second) in [("dies", "pid"), ("dies again", "say 1")] {
            situation(format!("a worker {how} while it has nothing to do"));
            let worker = ok(pool.map(jobs(["pid"]), size(1))).remove(0);
            children.open(&format!("bomb of {worker}"));
            until(|| !runs(&worker));
            until_still();
            assert!(!Path::new("/proc").join(&worker).exists(), "the process is a zombie: nobody has waited for it");
            let outcome = pool.submit(second.into()).wait();
            assert!(outcome.is_ok(), "the next job: {outcome:?}");
            assert_ne!(outcome.map(|outcome| text(&outcome)), Ok(worker), "who did it");
        }
        situation("a worker dies before its first job, if it was started already");
        let before = children.told().len();
        let pool = start(children, "bomber", settings(1));
        until_still();
        for worker in children.told()[before..].iter().filter_map(|told| told.strip_prefix("bomber ")) {
            children.open(&format!("bomb of {worker}"));
            until(|| !runs(worker));
            until_still();
        }
        for answer in ["1", "2"] {
            assert_eq!(
                pool.submit(format!("say {answer}").into()).wait(),
                result(answer),
                "the outcome of job {answer}"
            );
        }
        situation(
            "one of two workers dies while it has nothing to do, and later there are two jobs that wait for each other",
        );
        let pool = start(children, "bomber", settings(2));
        for table in ["table before", "table after"] {
            children.rendezvous(table, 2);
            let workers = ok(pool.map(vec![format!("meet {table};pid").into(); 2], size(1)));
            children.open(&format!("bomb of {}", workers[0]));
            until(|| !runs(&workers[0]));
            until_still();
        }
    });
}

#[test]
fn a_worker_that_takes_too_long_is_killed_and_replaced() {
    check(|children| {
        situation("a job never ends, and another one waits for its worker");
        in_time(|limit| {
            let pool = start(children, "worker", Settings { limit, ..settings(1) });
            // It is ready, and that was in time.
            pool.submit(b"say ready".to_vec()).wait().ok()?;
            let begin = Instant::now();
            let [first, second] = ["meet never", "say 1"].map(|job| pool.submit(job.into()));
            assert_eq!(first.wait(), Err(Failure::TimedOut), "the outcome of the first job");
            let took = begin.elapsed();
            assert!(took >= limit, "with a limit of {limit:?} the job had {took:?} only");
            (took < 2 * limit && second.wait() == result("1")).then_some(())
        });
        situation("one job of a chunk never ends, and those before it are done at once");
        in_time(|limit| {
            let pool = start(children, "worker", Settings { limit, ..settings(1) });
            pool.submit(b"say ready".to_vec()).wait().ok()?;
            let begin = Instant::now();
            let outcomes = pool.map(jobs(["say 0", "say 1", "say 2", "say 3", "meet never", "say 5"]), size(6));
            assert!(outcomes[4].is_err(), "the outcome of a job that never ends");
            let mut expected = ["0", "1", "2", "3", "4", "5"].map(result);
            expected[4] = Err(Failure::TimedOut);
            (outcomes == expected && begin.elapsed() < 3 * limit).then_some(())
        });
        for (how, last, outcome) in
            [("done", "say 1", result("1")), ("a panic", "panic oh no", Err(Failure::Panicked("oh no".to_owned())))]
        {
            situation(format!("nobody has a job for a worker, for longer than the limit, and its last one was {how}"));
            in_time(|limit| {
                let pool = start(children, "worker", Settings { limit, ..settings(1) });
                let before = pool.submit(b"pid".to_vec()).wait().ok()?;
                if pool.submit(last.into()).wait() != outcome {
                    return None;
                }
                // Another pool is busy for that long.
                let other = start(children, "worker", settings(1));
                other.submit(format!("take {}", limit.as_micros() * 2).into()).wait().expect("it has time enough");
                let after = pool.submit(b"pid".to_vec()).wait().ok()?;
                assert_eq!(text(&after), text(&before), "who does the next job");
                Some(())
            });
        }
        situation("nobody has a first job for a worker, for longer than the limit");
        in_time(|limit| {
            let before = started(children);
            let pool = start(children, "worker", Settings { limit, ..settings(1) });
            let other = start(children, "worker", settings(1));
            other.submit(format!("take {}", limit.as_micros() * 2).into()).wait().expect("it has time enough");
            pool.submit(b"say ready".to_vec()).wait().ok()?;
            // One each.
            (started(children) - before == 2).then_some(())
        });
        situation("an answer comes byte by byte, and begins within the limit, but does not end");
        in_time(|limit| {
            let pool = start(children, "liar", Settings { limit, ..settings(1) });
            // It is ready, and that was in time.
            pool.submit(b"answer".to_vec()).wait().ok()?;
            let begin = Instant::now();
            let drips = format!("drip {}", limit.as_micros() / 16);
            let outcomes = pool.map([b"answer".to_vec(), drips.into_bytes()], size(2));
            assert!(
                outcomes[1].is_err(),
                "the outcome of a job whose answer takes more than four limits: {outcomes:?}"
            );
            (outcomes == [result("answer"), Err(Failure::TimedOut)] && begin.elapsed() < 2 * limit).then_some(())
        });
        situation("a chunk does not fit into the pipe, and no worker reads any of it");
        in_time(|limit| {
            let (nobody, settings) = (SocketAddr::from(([127, 0, 0, 1], 0)), Settings { limit, ..settings(1) });
            let pool = pool_of(speaker(children, "ready, stay", nobody), settings);
            (pool.map([(); 2].map(|()| echoed(LONGEST)), size(2)) == [const { Err(Failure::TimedOut) }; 2])
                .then_some(())
        });
        situation("a chunk does not fit into the pipe, and the first of its jobs never ends");
        in_time(|limit| {
            let pool = start(children, "worker", Settings { limit, ..settings(1) });
            let padded = |text: &str| [text.as_bytes(), &[b' '; 200_000]].concat();
            let outcomes = pool.map(["meet never", "say 1", "say 2"].map(padded), size(3));
            (outcomes == [Err(Failure::TimedOut), result("1"), result("2")]).then_some(())
        });
        situation("a worker takes more than half of the limit until it is ready, and as long for its first job");
        in_time(|limit| {
            let (micros, mut command) = (limit.as_micros() * 6 / 10, children.command("slow"));
            command.env(STORY, micros.to_string());
            let pool = pool_of(command, Settings { limit, ..settings(1) });
            (pool.submit(format!("take {micros}").into()).wait() == result("")).then_some(())
        });
        situation("each job of a chunk takes more than half of the limit, and the second one panics then");
        in_time(|limit| {
            let pool = start(children, "worker", Settings { limit, ..settings(1) });
            let takes = format!("take {}", limit.as_micros() * 6 / 10);
            let outcomes = pool.map(["", ";panic oh no", ""].map(|then| format!("{takes}{then}").into()), size(3));
            (outcomes == [result(""), Err(Failure::Panicked("oh no".to_owned())), result("")]).then_some(())
        });
    });
}

#[test]
fn a_worker_does_only_so_many_jobs() {
    check(|children| {
        let limited = |workers, jobs| Settings { jobs_each: Some(size(jobs)), ..settings(workers) };
        for (each, chunk) in [(2, 1), (2, 5), (1, 5), (3, 2)] {
            situation(format!("5 jobs in chunks of {chunk} for one worker, which does {each} jobs and not more"));
            let pool = start(children, "worker", limited(1, each));
            let before = begun(children).len();
            let inputs = (0..5).map(|job| format!("tell begun {job};pid").into());
            let workers = ok(pool.map(inputs, size(chunk)));
            assert_eq!(begun(children)[before..], ["0", "1", "2", "3", "4"], "the order in which the jobs were begun");
            let different: BTreeSet<&String> = workers.iter().collect();
            for worker in &different {
                let done = workers.iter().filter(|other| other == worker).count();
                assert!(done <= each, "one worker did {done} jobs");
            }
            if chunk == 1 || chunk == 5 {
                assert_eq!(different.len(), 5_usize.div_ceil(each), "how many workers there were");
            }
        }
        situation("a job that panics is a job that was done");
        let pool = start(children, "worker", limited(1, 2));
        let outcomes = pool.map(jobs(["count", "panic oh no", "count"]), size(1));
        assert_eq!(outcomes[2], result("1"), "the first job of the next worker");
        situation("a worker that has done all its jobs takes its time to end");
        let before = started(children);
        let pool = start(children, "lingers", limited(2, 1));
        let [first, second, third] = ["say 0", "say 1", "say 2"].map(|job| pool.submit(job.into()));
        assert_eq!(first.wait(), result("0"), "the first job");
        assert_eq!(second.wait(), result("1"), "the second job, which another worker does");
        children.wait_for("lingers", 2);
        until_still();
        assert!(started(children) - before < 3, "there are three processes, and there shall be two");
        children.open("lingers");
        assert_eq!(third.wait(), result("2"), "the third job");
        if cfg!(unix) {
            situation("a worker that has done all its jobs closes its output, and does not end");
            let pool = pool_of(silent_in_the_end(children), limited(1, 1));
            let handles = ["say 0", "say 1", "say 2"].map(|job| pool.submit(job.into()));
            until_still();
            let told = children.told();
            let silent = told.iter().filter_map(|told| told.strip_prefix("silent: process "));
            let left = silent.filter(|process| runs(process)).count();
            assert!(left < 2, "{left} processes are about to end, and there shall be one at a time");
            children.open("silent");
            assert_eq!(handles.map(Handle::wait), ["0", "1", "2"].map(result), "the outcomes");
            pool.shutdown();
        }
        situation("a worker that has done all its jobs never ends");
        in_time(|limit| {
            let pool = start(children, "stays", Settings { limit, ..limited(1, 1) });
            (pool.map(jobs(["say 0", "say 1"]), size(2)) == ["0", "1"].map(result)).then_some(())
        });
    });
}

#[test]
fn a_worker_that_is_never_ready_is_not_replaced() {
    check(|children| {
        situation("there is no such program");
        for workers in [1, 3] {
            let missing = Pool::start(Command::new("no-such-program"), settings(workers));
            assert_eq!(missing.map(drop).unwrap_err().kind(), ErrorKind::NotFound, "the error of `start`");
        }
        let stories = [
            ("unable, stay", 2),
            ("unable without a word, stay", 2),
            ("unable in two lines, exit", 1),
            ("exit", 1),
            ("half, exit", 1),
            ("text, stay", 1),
            ("answer, stay", 1),
            ("unable+ready, stay", 1),
            ("close", 1),
        ];
        for (story, workers) in stories {
            situation(format!("there may be {workers} workers, each of which does this: {story}"));
            let (outcomes, started) = with_office(&vec![b'y'; workers], |office| {
                let pool = pool_of(speaker(children, &format!("ask, {story}"), office), settings(workers));
                let outcomes = pool.map(jobs(["a", "b", "c"]), size(1));
                let later = pool.submit(b"d".to_vec()).wait();
                assert!(pool.map([], size(1)).is_empty(), "no inputs, no outcomes");
                pool.shutdown();
                Children::none_is_left();
                outcomes.into_iter().chain([later])
            });
            for outcome in outcomes {
                let Err(Failure::NoWorker(why)) = outcome else { panic!("the outcome of a job: {outcome:?}") };
                let text = match story {
                    "unable without a word, stay" => "",
                    "unable in two lines, exit" => LINES,
                    _ if story.starts_with("unable") => "no licence",
                    _ => &why,
                };
                assert_eq!(why, text, "why there is no worker");
            }
            assert_eq!(started, workers, "how many processes were started");
        }
        if cfg!(unix) {
            situation("the only worker dies, and the next one can't be started, since its folder is gone");
            // A grader gives each test a folder of its own.
            let graded = env::var_os("INTERLEAVE_RECORD").is_some();
            let parent = if graded { env::current_dir().unwrap() } else { env!("CARGO_TARGET_TMPDIR").into() };
            let folder = parent.join(format!("procpool-{}", process::id()));
            fs::create_dir(&folder).unwrap();
            let mut command = children.command("worker");
            command.current_dir(&folder);
            let pool = pool_of(command, settings(1));
            let first = pool.submit(b"say 0".to_vec()).wait();
            fs::remove_dir(&folder).unwrap();
            assert_eq!(first, result("0"), "the first job");
            let outcomes = pool.map(jobs(["die", "say 1"]), size(2));
            assert!(outcomes[0] == Err(Failure::Lost) && no_worker(&outcomes[1]), "the outcomes: {outcomes:?}");
            assert!(no_worker(&pool.submit(b"say 2".to_vec()).wait()), "a later job");
        }
        for limit in [Duration::ZERO, Duration::from_millis(20)] {
            situation(format!("each worker hangs before it is ready, and has {limit:?} for that"));
            let pool = start(children, "hangs", Settings { limit, ..settings(2) });
            let outcomes = pool.map(jobs(["a", "b"]), size(1));
            assert!(outcomes.iter().all(no_worker), "the outcomes: {outcomes:?}");
            pool.shutdown();
            Children::none_is_left();
        }
        situation("one of two workers can't be initialised");
        let (outcomes, started) = with_licences(children, settings(2), b"ny", ["say 0", "say 1", "say 2"]);
        assert_eq!(outcomes, ["0", "1", "2"].map(result), "the outcomes");
        assert_eq!(started, 2, "how many processes were started");
        situation("the only worker dies, and the next one can't be initialised");
        let (outcomes, started) = with_licences(children, settings(1), b"yn", ["say 0", "die", "say 2"]);
        let expected = [result("0"), Err(Failure::Lost), Err(Failure::NoWorker("no licence".to_owned()))];
        assert_eq!(outcomes, expected, "the outcomes");
        assert_eq!(started, 2, "how many processes were started");
        situation("of two workers, one has done all its jobs and is about to end, and the other can't be initialised");
        let (outcomes, started) = with_office(b"yny", |office| {
            let mut command = children.command("licensed_lingers");
            command.env(OFFICE, office.to_string());
            let pool = pool_of(command, Settings { jobs_each: Some(size(1)), ..settings(2) });
            let handles = ["say 0", "say 1"].map(|job| pool.submit(job.into()));
            children.wait_for("lingers", 1);
            children.wait_for("refused", 1);
            children.open("refused");
            until_still();
            children.open("lingers");
            handles.map(Handle::wait)
        });
        assert_eq!(outcomes, ["0", "1"].map(result), "the outcomes");
        assert_eq!(started, 3, "how many processes were started");
        situation("one of two workers is busy, and the other one hangs before it is ready");
        let (outcome, _) = with_office(b"y", |office| {
            let mut command = children.command("licensed");
            command.env(OFFICE, office.to_string());
            let pool = pool_of(command, settings(2));
            assert_eq!(pool.submit(b"say 0".to_vec()).wait(), result("0"), "the first job");
            let busy = pool.submit(b"meet desk;say 1".to_vec());
            children.wait_for("desk", 1);
            let _waits = pool.submit(b"say 2".to_vec());
            until_still();
            children.open("desk");
            busy.wait()
        });
        assert_eq!(outcome, result("1"), "the outcome of the job of the one that is ready");
        situation("the only worker dies, and the next one hangs before it is ready");
        in_time(|limit| {
            let (outcomes, started) =
                with_licences(children, Settings { limit, ..settings(1) }, b"y", ["say 0", "die", "say 2"]);
            assert!(no_worker(&outcomes[2]), "the outcome of the last job: {outcomes:?}");
            (outcomes[..2] == [result("0"), Err(Failure::Lost)] && started == 2).then_some(())
        });
    });
}

/// Maps these jobs in one chunk for workers of which each asks for a licence. Also says how many have asked.
fn with_licences(children: &Children, settings: Settings, answers: &[u8], inputs: [&str; 3]) -> (Vec<Outcome>, usize) {
    with_office(answers, |office| {
        let mut command = children.command("licensed");
        command.env(OFFICE, office.to_string());
        pool_of(command, settings).map(jobs(inputs), size(3))
    })
}

/// An office that answers each worker that asks. Whoever asks when there are no answers left, waits for ever: so a pool that starts one
/// process after the other comes to a standstill, and is found out. Also says how many have asked.
fn with_office<R>(answers: &[u8], body: impl FnOnce(SocketAddr) -> R) -> (R, usize) {
    let (office, closes) = (TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), AtomicBool::new(false));
    let address = office.local_addr().unwrap();
    thread::scope(|scope| {
        let asked = scope.spawn(|| {
            let mut waiting = Vec::new();
            loop {
                let mut visitor = office.accept().unwrap().0;
                if closes.load(Ordering::SeqCst) {
                    return waiting.len();
                }
                // A worker may have been killed meanwhile.
                let _ = answers.get(waiting.len()).map(|answer| visitor.write_all(&[*answer]));
                waiting.push(visitor);
            }
        });
        // A body that fails must not leave the office open: its failure would wait for that.
        let result = panic::catch_unwind(AssertUnwindSafe(|| body(address)));
        closes.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(address));
        (result.unwrap_or_else(|payload| panic::resume_unwind(payload)), asked.join().unwrap())
    })
}

#[test]
fn shutdown_waits_for_all_jobs_and_lets_the_workers_end() {
    check(|children| {
        situation("one of two workers is busy when `shutdown` begins, and more jobs wait");
        let pool = start(children, "lingers", settings(2));
        children.open_when_still("last");
        children.open_when_still("lingers");
        let inputs = ["meet last;say 0", "say 1", "meet last;say 2", "say 3", "panic oh no", "say 5"];
        let handles = inputs.map(|job| pool.submit(job.into()));
        pool.shutdown();
        Children::none_is_left();
        let mut expected = ["0", "1", "2", "3", "4", "5"].map(result);
        expected[4] = Err(Failure::Panicked("oh no".to_owned()));
        assert_eq!(handles.map(Handle::wait), expected, "what the handles say after it");
        let ended = children.told().iter().filter(|told| *told == "ended at last").count();
        assert_eq!(ended, started(children), "how many workers ended by themselves, of those that were started");
        for used in [false, true] {
            situation(format!("the pool has {} done any job", if used { "already" } else { "never" }));
            let pool = start(children, "worker", settings(2));
            assert_eq!(pool.map(jobs(["say 0"]).take(used.into()), size(1)).len(), usize::from(used));
            pool.shutdown();
            Children::none_is_left();
        }
        situation("the worker dies while `shutdown` waits for it, and more jobs wait");
        let pool = start(children, "worker", settings(1));
        children.open_when_still("death");
        let handles = ["meet death;die", "say 1"].map(|job| pool.submit(job.into()));
        pool.shutdown();
        Children::none_is_left();
        assert_eq!(handles.map(Handle::wait), [Err(Failure::Lost), result("1")], "what the handles say after it");
        situation("`shutdown` begins before any worker is ready");
        let ended = || children.told().iter().filter(|told| *told == "ended at last").count();
        let (started_before, ended_before) = (started(children), ended());
        let pool = start(children, "late", settings(2));
        // Those that are started have told so by then, and wait.
        until_still();
        children.open_when_still("late");
        pool.shutdown();
        Children::none_is_left();
        assert_eq!(
            ended() - ended_before,
            started(children) - started_before,
            "how many workers ended by themselves, of those that were started"
        );
        situation("a destructor calls `shutdown`, while its thread panics");
        let pool = start(children, "worker", settings(1));
        let handles = ["say 0", "say 1"].map(|job| pool.submit(job.into()));
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
            let _end = AtTheEnd(Some(pool));
            panic_on_purpose("the owner of a pool panics");
        }));
        assert!(outcome.is_err(), "the panic is passed on");
        assert_eq!(handles.map(Handle::wait), ["0", "1"].map(result), "what the handles say after it");
        situation(
            "the jobs take longer than the limit, one after the other, and then the worker ends within the limit",
        );
        in_time(|limit| {
            let (micros, mut command) = (limit.as_micros() * 5 / 10, children.command("slow"));
            command.env(STORY, micros.to_string());
            let (pool, ended_before) = (pool_of(command, Settings { limit, ..settings(1) }), ended());
            let takes = format!("take {micros}");
            let handles = [(); 3].map(|()| pool.submit(takes.clone().into()));
            pool.shutdown();
            (handles.map(Handle::wait) == [const { Ok(Vec::new()) }; 3] && ended() > ended_before).then_some(())
        });
        situation("none of three workers ends when it should");
        in_time(|limit| {
            let pool = start(children, "stays", Settings { limit, ..settings(3) });
            let outcomes = pool.map(jobs(["say 0", "say 1", "say 2"]), size(1));
            let begin = Instant::now();
            pool.shutdown();
            let took = begin.elapsed();
            Children::none_is_left();
            (outcomes == ["0", "1", "2"].map(result) && took < 2 * limit).then_some(())
        });
    });
}

#[test]
fn a_pool_that_is_dropped_kills_its_workers() {
    check(|children| {
        for panics in [false, true] {
            situation(format!(
                "2 workers are busy, 2 jobs wait, and the pool's owner {}",
                if panics { "panics" } else { "drops it" }
            ));
            let pool = start(children, "worker", settings(2));
            let before = pool.submit(b"say before".to_vec());
            let handles = ["meet never;say 0", "meet never;say 1", "say 2", "say 3"].map(|job| pool.submit(job.into()));
            children.wait_for("never", if panics { 4 } else { 2 });
            until_still();
            let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
                let _pool = pool;
                if panics {
                    panic_on_purpose("the owner of a pool panics");
                }
            }));
            assert_eq!(outcome.is_err(), panics);
            Children::none_is_left();
            assert_eq!(before.wait(), result("before"), "a job that was done before");
            assert_eq!(handles.map(Handle::wait), [const { Err(Failure::Dropped) }; 4], "the other jobs");
        }
        for (role, each) in [("worker", None), ("stays", None), ("stays", Some(size(1)))] {
            let over = if each.is_some() { ", and its workers have done all that they may" } else { "" };
            situation(format!("a pool is dropped that has nothing to do{over}: {role}"));
            let pool = start(children, role, Settings { jobs_each: each, ..settings(2) });
            assert_eq!(pool.map(jobs(["say 0", "say 1"]), size(1)), ["0", "1"].map(result), "the outcomes");
            drop(pool);
            Children::none_is_left();
        }
        situation("a pool is dropped whose worker does not read a job that does not fit into the pipe");
        let pool = speaking(children, "ready, stay");
        let handle = pool.submit(echoed(LONGEST));
        until_still();
        drop(pool);
        Children::none_is_left();
        assert_eq!(handle.wait(), Err(Failure::Dropped), "the job");
        situation("a pool is dropped before any worker is ready");
        drop(start(children, "hangs", settings(2)));
        Children::none_is_left();
    });
}

#[test]
fn no_worker_outlives_the_process_that_started_it() {
    // Workers without their pool are no descendants of this process: while only they move, nothing seems to move.
    Check::new().threads_only().patient().deadline(Duration::from_secs(30)).run(|| {
        let children = Children::new();
        situation("a pool that does nothing is shut down");
        start(&children, "worker", settings(2)).shutdown();
        for how in ["exits", "is killed"] {
            situation(format!("a process starts a pool, maps, and {how} without a word"));
            let mut command = children.command("starter");
            // The workers are children of the child, in a role of their own.
            let [(variable, role), _] = children.variables("worker");
            let mut starter = command.env(WORKER, format!("{variable}={role}")).env(HOW, how).spawn().unwrap();
            let status = starter.wait().unwrap();
            assert_ne!(status.code(), Some(101), "the starter panicked, since its pool did not do what it should");
            children.wait_until_gone();
        }
    });
}

/// Shuts a pool down when it is dropped.
struct AtTheEnd(Option<Pool>);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(Pool::shutdown);
    }
}

roles!(
    worker,
    bomber,
    slow,
    lingers,
    silent,
    late,
    stays,
    hangs,
    licensed,
    licensed_lingers,
    liar,
    speaker_by_hand,
    starter
);

const STORY: &str = "KATA_PROCPOOL_STORY";
const OFFICE: &str = "KATA_PROCPOOL_OFFICE";
const WORKER: &str = "KATA_PROCPOOL_WORKER";
const HOW: &str = "KATA_PROCPOOL_HOW";

/// A worker as it should be. It tells when it is started.
fn worker() -> i32 {
    serving(|| Ok(()))
}

/// A worker that tells who it is, and dies when a place opens, whatever it does.
fn bomber() -> i32 {
    tell(&format!("bomber {}", process::id()));
    thread::spawn(|| {
        meet(&format!("bomb of {}", process::id()));
        die_of(9)
    });
    worker()
}

/// A worker that ends late, and tells so.
fn lingers() -> i32 {
    worker();
    meet("lingers");
    tell("ended at last");
    0
}

/// A worker that takes so many microseconds until it is ready, and as many to end. They take time, and that is all that they do.
fn slow() -> i32 {
    fn take() {
        thread::sleep(Duration::from_micros(variable(STORY).parse().unwrap()));
    }
    let code = serving(|| {
        take();
        Ok(())
    });
    take();
    tell("ended at last");
    code
}

/// A worker that closes its output when it has done its jobs, and ends late. Its jobs are done by a process of its own.
fn silent_in_the_end(children: &Children) -> Command {
    let ([(role, worker), (address, at)], [(_, silent), _]) =
        (children.variables("worker"), children.variables("silent"));
    let mut command = Command::new("/bin/sh");
    let script = format!("\"$0\"; export {role}=\"$1\"; exec \"$0\" >/dev/null");
    command.arg("-c").arg(script).arg(env::current_exe().unwrap()).arg(silent);
    command.env(role, worker).env(address, at);
    command
}

/// Tells which process this is, and ends late.
fn silent() -> i32 {
    tell(&format!("silent: process {}", process::id()));
    meet("silent");
    0
}

/// A worker that is ready late, and tells when it ends.
fn late() -> i32 {
    let code = serving(|| {
        meet("late");
        Ok(())
    });
    tell("ended at last");
    code
}

/// A worker that has nothing more to do, and does not end.
fn stays() -> i32 {
    worker();
    meet("never opened");
    0
}

/// A worker that is never ready.
fn hangs() -> i32 {
    meet("never opened");
    0
}

/// A worker that needs a licence.
fn licensed() -> i32 {
    serving(|| if ask() { Ok(()) } else { Err("no licence".to_owned()) })
}

/// A worker that needs a licence, and takes its time to say that it has none, and to end.
fn licensed_lingers() -> i32 {
    let code = serving(|| {
        if ask() {
            return Ok(());
        }
        meet("refused");
        Err("no licence".to_owned())
    });
    meet("lingers");
    code
}

/// Asks the test's office.
fn ask() -> bool {
    let address: SocketAddr = variable(OFFICE).parse().unwrap();
    let mut answer = [0];
    TcpStream::connect(address).unwrap().read_exact(&mut answer).unwrap();
    answer == *b"y"
}

fn serving(initialise: fn() -> Result<(), String>) -> i32 {
    tell("started");
    let outcome = serve(io::stdin(), io::stdout(), || initialise().map(|()| 0), obey);
    outcome.is_err().into()
}

/// Does what a job says, one thing after the other. The result is that of the last one.
fn obey(count: &mut u64, input: Vec<u8>) -> Vec<u8> {
    *count += 1;
    if input.starts_with(b"echo") {
        return input;
    }
    let mut result = Vec::new();
    for action in text(&input).trim_end().split(';') {
        let (what, with) = action.split_once(' ').unwrap_or((action, ""));
        match what {
            "say" => result = with.into(),
            "pid" => result = process::id().to_string().into(),
            "count" => result = count.to_string().into(),
            "grow" => result = vec![b'x'; LONGEST + 1],
            "meet" => meet(with),
            "tell" => tell(with),
            "print" => println!("{with}"),
            // It takes time, and that is all that it does.
            "take" => thread::sleep(Duration::from_micros(with.parse().unwrap())),
            "panic" => panic::panic_any(with.to_owned()),
            "die" => die_of(9),
            "exit" => process::exit(0),
            "abort" => process::abort(),
            _ => panic!("nobody can {action}"),
        }
    }
    result
}

/// Speaks by hand: does what its story says, one thing after the other.
fn speaker_by_hand() -> i32 {
    let mut liar = Liar::default();
    code(liar.plays(&variable(STORY)))
}

/// A worker that is ready, and then does what each job says, by hand. If the job does not say `stay` or `exit`, it goes on.
fn liar() -> i32 {
    let mut liar = Liar::default();
    code(liar.plays("ready").and_then(|()| {
        loop {
            liar.plays("hear")?;
            let story = text(&liar.heard[liar.answered].1);
            liar.plays(&story)?;
        }
    }))
}

/// Closes the standard output, and lives on until the input ends. Returns only if that can't be done.
fn lives_on_without_output() -> io::Error {
    #[cfg(unix)]
    return std::os::unix::process::CommandExt::exec(Command::new("cat").stdout(Stdio::null()));
    // There it ends instead.
    #[cfg(not(unix))]
    ErrorKind::Unsupported.into()
}

fn code(outcome: io::Result<()>) -> i32 {
    // Whoever has heard enough may have gone.
    outcome.is_err().into()
}

#[derive(Default)]
struct Liar {
    heard: Vec<(u64, Vec<u8>)>,
    answered: usize,
}

impl Liar {
    fn plays(&mut self, story: &str) -> io::Result<()> {
        let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
        for action in story.split(", ") {
            // The job that it should answer now. At first it has heard of none.
            let (number, asked) = self.heard.get(self.answered).cloned().unwrap_or_default();
            let (what, with) = action.split_once(' ').unwrap_or((action, ""));
            match what {
                "ask" => assert!(ask()),
                "work?" => {
                    if ask() {
                        let (number, input) = hear(&mut input)?;
                        output.write_all(&done(number, &input))?;
                    }
                }
                "hear" => self.heard.push(hear(&mut input)?),
                "ready" => output.write_all(&ready())?,
                "unable" => output.write_all(&match with {
                    "without a word" => unable(""),
                    "in two lines" => unable(LINES),
                    _ => unable("no licence"),
                })?,
                "half" => output.write_all(&unable("no licence")[..7])?,
                "answer" => {
                    self.answered += 1;
                    output.write_all(&done(number, &asked))?;
                }
                "slowly" => {
                    self.answered += 1;
                    for byte in done(number, &asked) {
                        output.write_all(&[byte]).and_then(|()| output.flush())?;
                    }
                }
                "part" => output.write_all(&done(number, b"part")[..with.parse().unwrap()])?,
                "drip" => {
                    for byte in done(number, &[b'.'; 64]) {
                        // It takes time, and that is all that it does.
                        thread::sleep(Duration::from_micros(with.parse().unwrap()));
                        output.write_all(&[byte]).and_then(|()| output.flush())?;
                    }
                }
                "number" => {
                    self.answered += 1;
                    output.write_all(&done(number, number.to_string().as_bytes()))?;
                }
                "crowd" => {
                    let heard = (0..with.parse().unwrap()).map(|_| hear(&mut input)).collect::<io::Result<Vec<_>>>()?;
                    let numbers: BTreeSet<u64> = heard.iter().map(|(number, _)| *number).collect();
                    tell(&format!("{} numbers", numbers.len()));
                    let answers: Vec<u8> = heard.iter().flat_map(|(number, input)| done(*number, input)).collect();
                    output.write_all(&answers)?;
                }
                "again" => output.write_all(&done(self.heard[self.answered - 1].0, b"again"))?,
                "next" => output.write_all(&done(number + 1, b"the next one"))?,
                // In one piece: whoever reads the first has the second, too.
                "next+answer" => output.write_all(&[done(number + 1, b""), done(number, b"")].concat())?,
                "unable+ready" => output.write_all(&[unable("no licence"), ready()].concat())?,
                "nobody" => output.write_all(&done(u64::MAX, b"nobody's"))?,
                "text" => output.write_all(b"hello, world\n")?,
                "long" => output.write_all(&[0, 16, 0, 10, 2])?,
                "tag" => output.write_all(&frame(&[&[4][..], &number.to_be_bytes()].concat()))?,
                "short" => output.write_all(&frame(&[2, 0, 0]))?,
                "empty" => output.write_all(&frame(&[]))?,
                "latin" => output.write_all(&frame(&[&[3][..], &number.to_be_bytes(), b"\xe9"].concat()))?,
                "end" => drop(io::copy(&mut input, &mut io::sink())?),
                "stay" => {
                    output.flush()?;
                    meet("never opened");
                }
                "close" => {
                    output.flush()?;
                    return Err(lives_on_without_output());
                }
                "exit" => {
                    output.flush()?;
                    process::exit(0);
                }
                _ => panic!("nobody can {action}"),
            }
            output.flush()?;
        }
        Ok(())
    }
}

/// Reads a job, by hand.
fn hear(input: &mut impl Read) -> io::Result<(u64, Vec<u8>)> {
    let (mut length, mut number) = ([0; 4], [0; 8]);
    input.read_exact(&mut length)?;
    input.read_exact(&mut number)?;
    let mut job = vec![0; u32::from_be_bytes(length) as usize - 8];
    input.read_exact(&mut job)?;
    Ok((u64::from_be_bytes(number), job))
}

/// Starts a pool, and ends without shutting it down.
fn starter() -> i32 {
    let mut command = Command::new(env::current_exe().unwrap());
    let role = variable(WORKER);
    let (name, value) = role.split_once('=').unwrap();
    command.env(name, value);
    let pool = Pool::start(command, settings(2)).unwrap();
    assert_eq!(pool.map(jobs(["say 0", "say 1", "say 2"]), size(1)), ["0", "1", "2"].map(result));
    if variable(HOW) == "is killed" { die_of(9) } else { process::exit(0) }
}

/// What this process was told by whoever started it.
fn variable(name: &str) -> String {
    env::var(name).expect("the test has set it")
}

/// Runs a body that needs child processes. When it returns, no thread and no process may be left, not even a zombie. It has plenty
/// of time: a busy machine may take it.
#[track_caller]
fn check(body: impl Fn(&Children) + Send + Sync + 'static) {
    Check::new().threads_only().deadline(Duration::from_secs(30)).run(move || body(&Children::new()));
}

/// A text that is not the same any more if somebody makes it tidy.
const LINES: &str = " no\nlicence \n";
/// A limit that is never up. In 32 bits, it is zero in every unit.
const LONG: Duration = Duration::from_secs(1 << 32);

/// So many workers, without limits.
fn settings(workers: usize) -> Settings {
    Settings { workers: size(workers), jobs_each: None, limit: Duration::MAX }
}

fn start(children: &Children, role: &str, settings: Settings) -> Pool {
    pool_of(children.command(role), settings)
}

fn pool_of(mut command: Command, settings: Settings) -> Pool {
    // Workers panic on purpose, and nobody reads how they came to it.
    command.env("RUST_BACKTRACE", "0");
    Pool::start(command, settings).expect("the program is there")
}

/// A pool of one worker that speaks by hand, and asks nobody.
fn speaking(children: &Children, story: &str) -> Pool {
    pool_of(speaker(children, story, SocketAddr::from(([127, 0, 0, 1], 0))), settings(1))
}

fn speaker(children: &Children, story: &str, office: SocketAddr) -> Command {
    let mut command = children.command("speaker_by_hand");
    command.env(STORY, story).env(OFFICE, office.to_string());
    command
}

/// Tries longer and longer limits, until one is long enough for this machine. What is wrong with every limit is wrong.
#[track_caller]
fn in_time(attempt: impl Fn(Duration) -> Option<()>) {
    // None is so long that the test seems to stand still.
    let limits = [20, 40, 80, 160, 320, 640, 900, 900, 900].map(Duration::from_millis);
    assert!(
        limits.into_iter().any(|limit| attempt(limit).is_some()),
        "it goes wrong with every limit, up to {limits:?}"
    );
}

/// Whether this process has not ended. A zombie has. Where the system doesn't say, all have.
fn runs(process: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// How many processes have told that they were started.
fn started(children: &Children) -> usize {
    children.told().iter().filter(|told| *told == "started").count()
}

/// Which jobs have told that they were begun.
fn begun(children: &Children) -> Vec<String> {
    children.told().iter().filter_map(|told| told.strip_prefix("begun ").map(str::to_owned)).collect()
}

fn size(size: usize) -> NonZeroUsize {
    NonZeroUsize::new(size).expect("a test's sizes are not zero")
}

fn jobs<const N: usize>(texts: [&str; N]) -> impl Iterator<Item = Vec<u8>> {
    texts.map(|text| text.as_bytes().to_vec()).into_iter()
}

/// A job whose result is its input, of so many bytes.
fn echoed(length: usize) -> Vec<u8> {
    [&b"echo"[..], &vec![b'.'; length - 4]].concat()
}

/// Not `assert_eq`: nobody could read it.
#[track_caller]
fn same(outcomes: &[Outcome], inputs: &[Vec<u8>]) {
    assert_eq!(outcomes.len(), inputs.len(), "how many outcomes there are");
    for (outcome, input) in outcomes.iter().zip(inputs) {
        let length = input.len();
        match outcome {
            Ok(result) => {
                assert!(result == input, "the result of an input of {length} bytes has {} bytes", result.len())
            }
            Err(failure) => panic!("the outcome of an input of {length} bytes is {failure:?}"),
        }
    }
}

fn result(text: impl AsRef<str>) -> Outcome {
    Ok(text.as_ref().into())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("a test's words are text")
}

/// There is no worker, and a reason.
fn no_worker(outcome: &Outcome) -> bool {
    matches!(outcome, Err(Failure::NoWorker(why)) if !why.is_empty())
}

/// The results, where nothing should go wrong and they are text.
#[track_caller]
fn ok(outcomes: Vec<Outcome>) -> Vec<String> {
    let outcomes: Result<Vec<_>, _> = outcomes.into_iter().collect();
    outcomes.expect("all these jobs have a result").iter().map(|result| text(result)).collect()
}

/// The kind of an error.
fn kind<T>(outcome: io::Result<T>) -> Result<T, ErrorKind> {
    outcome.map_err(|error| error.kind())
}

/// Where a worker of the test's own thread writes. Clones are the same.
#[derive(Clone, Debug)]
struct Output(Arc<Mutex<Page>>);

impl Output {
    fn of(page: Page) -> Output {
        Output(Arc::new(Mutex::new(page)))
    }

    fn flushed(&self) -> Vec<u8> {
        self.0.lock().unwrap().flushed().to_vec()
    }

    fn taken(&self) -> Vec<u8> {
        self.0.lock().unwrap().taken().to_vec()
    }

    /// From now on.
    fn flush_fails(&self, kind: ErrorKind) {
        let mut page = self.0.lock().unwrap();
        *page = std::mem::replace(&mut *page, Page::blank()).flush_fails(kind);
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap().flush()
    }
}

/// The bytes of a message as they are written.
fn frame(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_be_bytes(), message].concat()
}

fn job(number: u64, input: &[u8]) -> Vec<u8> {
    frame(&[&number.to_be_bytes(), input].concat())
}

fn ready() -> Vec<u8> {
    frame(&[0])
}

fn unable(why: &str) -> Vec<u8> {
    frame(&[&[1], why.as_bytes()].concat())
}

fn done(number: u64, result: &[u8]) -> Vec<u8> {
    frame(&[&[2], &number.to_be_bytes()[..], result].concat())
}

fn panicked(number: u64, text: &str) -> Vec<u8> {
    frame(&[&[3], &number.to_be_bytes()[..], text.as_bytes()].concat())
}
