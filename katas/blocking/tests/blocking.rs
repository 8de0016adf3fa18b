//! The contract of the kata `blocking`, sentence by sentence. `README.md` has the same list.

#[path = "blocking/contract.rs"]
mod contract;

use std::fmt;
use std::future::{pending, poll_fn};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::ops::Range;
use std::panic::{self, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use blocking::{BlockingPool, Connection, JobError, LONGEST, TURN, converse, serve};
use contract::{NO_REPLY, Network, Peer, Stop, Then};
use kata::inputs::{counted, listed, orders, subsets};
use kata::{Check, EXPLORED, Gate, Peak, Rendezvous, boxed, panic_on_purpose, when_dropped};
use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};
use tokio::sync::Notify;

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is
/// compared with. And only an enum has variants to import.
async fn _signatures(sockets: Vec<TcpStream>, socket: TcpStream, pool: BlockingPool) {
    use JobError::{Panicked, Stopped};
    let _: Vec<io::Result<()>> = serve(sockets, |request: &[u8]| request.to_vec(), || {});
    let _: io::Result<()> = Connection::set_nonblocking(&socket, true);
    let _: fn(usize) -> BlockingPool = BlockingPool::new;
    let pool: BlockingPool = pool.clone();
    let _: Result<u8, JobError> = pool.run(|| 1).await;
    let _: Vec<Result<u8, JobError>> = pool.map(vec![1], |input: u8| input).await;
    let stream = tokio::io::join(tokio::io::empty(), tokio::io::sink());
    let _: io::Result<()> = converse(stream, &pool, Arc::new(<[u8]>::to_vec)).await;
    // A constant is a pattern only if its type derives `PartialEq`, which tells one variant from another.
    const PANICKED: JobError = Panicked;
    let _ = |error: JobError| match error {
        PANICKED | Stopped => {}
    };
}

/// Never called. Pools are shared by tasks, and a conversation is one.
fn _tasks(pool: &'static BlockingPool) {
    fn shared<T: Sync + Send + Clone>(_: &T) {}
    fn given<T: Send>(_: T) {}
    shared(pool);
    given(pool.run(|| 1));
    given(pool.map(vec![1], |input: u8| input));
    given(converse(tokio::io::join(tokio::io::empty(), tokio::io::sink()), pool, Arc::new(<[u8]>::to_vec)));
}

/// A submission can't agree on other numbers with itself.
const _: () = assert!(LONGEST == 1024 && TURN == 4096);

// ------------------------------------------------------------------------------------------------------ by hand

#[test]
fn each_request_gets_its_answer() {
    let many = "c\n".repeat(TURN);
    by_hand(lines().into_iter().chain([case(format!("{TURN} requests"), [Peer::who_says(many)])]));
}

#[test]
fn requests_and_answers_may_pass_in_pieces() {
    by_hand(pieces([Stop::Short, Stop::Interrupted, Stop::NotNow(1), Stop::NotNow(3)]));
}

#[test]
fn the_end_is_well_between_two_requests_only() {
    by_hand(ends());
}

#[test]
fn a_request_that_is_too_long_is_refused_at_once() {
    by_hand(too_long());
}

#[test]
fn an_error_ends_its_connection_alone() {
    let refused = Peer::who_says("0ab\n").stays_blocking(ErrorKind::NotConnected);
    let mut troubles = troubles();
    troubles.push(("it can't be made non-blocking".into(), refused));
    let rows = troubles.into_iter().flat_map(|(told, peer)| {
        // Beside one that has all there is at once, and one that goes on when this one is closed.
        let later = Peer::who_says("1x\n1yz\n").read_stops(3, Stop::NotNow(2)).write_stops(1, Stop::UntilClosed(0));
        let beside = vec![peer.clone(), later, Peer::who_says("2x\n2yz\n")];
        [case(told.clone(), [peer]), case(told + ", beside two others", beside)]
    });
    by_hand(rows);
}

#[test]
fn nobody_waits_for_another_connection() {
    let stuck = [false, true].into_iter().flat_map(|writes| {
        [0, 1, 2].map(|slow| {
            let peers = (0..3).map(|number| {
                let closed = [(slow + 1) % 3, (slow + 2) % 3].map(Stop::UntilClosed);
                let peer = two_requests(number);
                match (number == slow, writes) {
                    (false, _) => peer.read_stops(3, Stop::NotNow(2)),
                    (true, true) => closed.into_iter().fold(peer, |peer, stop| peer.write_stops(2, stop)),
                    (true, false) => closed.into_iter().fold(peer, |peer, stop| peer.read_stops(2, stop)),
                }
            });
            let what = if writes { "takes its answer" } else { "says more" };
            case(format!("number {} {what} when both others are closed", slow + 1), peers)
        })
    });
    by_hand(chains().into_iter().chain(stuck));
}

#[test]
fn a_busy_connection_keeps_nobody_waiting() {
    let rows = [0, 1, 2].into_iter().flat_map(|busy| {
        [1, 8, LONGEST].map(|length| {
            let says = format!("{busy}{}\n", "x".repeat(length - 1));
            let peers = (0..3).map(|number| match number == busy {
                // There is always more.
                true => Peer::who_says(says.repeat(5 * TURN / says.len())),
                false => two_requests(number).read_stops(1, Stop::Short).read_stops(3, Stop::UntilSent(busy, 99)),
            });
            case(format!("number {} has many requests of {}", busy + 1, counted(length, "byte")), peers)
        })
    });
    // A turn ends at `TURN` bytes also if it takes several reads, and the last one could give more; and however answers are taken.
    let in_pieces = [0, 1, 2].into_iter().flat_map(|busy| {
        [None, Some(Stop::Short), Some(Stop::Interrupted)].map(|stop| {
            let says = format!("{busy}{}\n", "x".repeat(6)).repeat(5 * TURN / 8);
            let answers = (0..answered(&says)).step_by(answered(&says[..8]));
            let short = (1..says.len() / 3_000).map(|piece| 3_000 * piece);
            let short = short.fold(Peer::who_says(says), |peer, at| peer.read_stops(at, Stop::Short));
            let short = stop
                .into_iter()
                .fold(short, |peer, stop| answers.clone().fold(peer, |peer, at| peer.write_stops(at + 2, stop)));
            let peers = (0..3).map(|number| match number == busy {
                true => short.clone(),
                false => two_requests(number).read_stops(0, Stop::UntilClosed(busy)),
            });
            let with = stop.map_or_else(String::new, |stop| format!(", with {stop} in each answer"));
            case(format!("number {} says 3000 bytes at once, and much more{with}", busy + 1), peers)
        })
    });
    by_hand(rows.chain(in_pieces));
}

#[test]
fn it_pauses_when_nobody_can_go_on_and_only_then() {
    let slow = |number: usize, stop| Peer::who_says(format!("{number}ab\n")).read_stops(2, stop).write_stops(2, stop);
    let waits = |number, other| slow(number, Stop::UntilSent(other, answered("0ab\n")));
    // Its answer is all that moves after the pause.
    let listens = |number: usize, other| {
        let peer = Peer::who_says(format!("{number}ab\n"));
        peer.write_stops(0, Stop::NotNow(1)).read_stops(4, Stop::UntilClosed(other))
    };
    // One that ends among two others, which have said `WouldBlock` by then, or not yet.
    let ends = |place: usize, says: &str| {
        let mut peers = [0, 1, 2].map(|number| slow(number, Stop::NotNow(1)));
        peers[place] = Peer::who_says(says.replace('n', &place.to_string()));
        Vec::from(peers)
    };
    // Every end is a move, a bad one, too, and also if no byte has moved in its turn.
    let bad_ends = [0, 1, 2].into_iter().flat_map(|place| {
        let says = || Peer::who_says(format!("{place}a\n"));
        let asks = || says().write_stops(0, Stop::NotNow(1));
        let half = Peer::who_says(place.to_string()).read_stops(1, Stop::NotNow(1));
        let fails = Then::Fail(ErrorKind::ConnectionReset);
        let bad = [
            ("fails at once", Peer::who_says("").then(fails)),
            ("fails after a pause", Peer::who_says("").read_stops(0, Stop::NotNow(1)).then(fails)),
            ("ends within a request", half),
            ("takes nothing more", asks().takes(0, Then::End)),
            ("fails where its answer goes", asks().takes(0, fails)),
        ];
        bad.map(move |(what, bad)| {
            // The others have said `WouldBlock` before this one ends, or not yet. They have to say it again.
            let mut peers = [0, 1, 2].map(|number| {
                let says = Peer::who_says(format!("{number}ab\n"));
                says.read_stops(0, Stop::NotNow(2)).write_stops(2, Stop::NotNow(1))
            });
            peers[place] = bad;
            (format!("two that are not ready when number {} {what}", place + 1), Vec::from(peers), 3)
        })
    });
    // As many bytes come one by one as a byte has values, and then none for a while.
    let crumbs = |number: usize| {
        let says = Peer::who_says(format!("{number}{}\n", "x".repeat(300)));
        (1..256).fold(says, |peer, at| peer.read_stops(at, Stop::Short)).read_stops(256, Stop::NotNow(1))
    };
    let rows = [
        ("no connection", vec![], 0),
        ("one that is always ready", vec![slow(0, Stop::Short)], 0),
        ("one that is interrupted", vec![slow(0, Stop::Interrupted)], 0),
        ("one that is not ready twice", vec![slow(0, Stop::NotNow(1))], 2),
        ("one that is not ready for long", vec![slow(0, Stop::NotNow(50))], 100),
        ("two that are not ready at the same time", vec![slow(0, Stop::NotNow(3)), slow(1, Stop::NotNow(3))], 6),
        ("one that waits for the one after it", vec![slow(0, Stop::UntilClosed(1)), slow(1, Stop::Short)], 0),
        ("one that waits for the one before it", vec![slow(0, Stop::Short), slow(1, Stop::UntilClosed(0))], 0),
        ("one that waits until the one after it has taken its answer", vec![waits(0, 1), listens(1, 0)], 1),
        ("one that waits until the one before it has taken its answer", vec![listens(0, 1), waits(1, 0)], 1),
        ("two that are not ready when the one before them ends", ends(0, ""), 2),
        ("two that are not ready when the one between them ends", ends(1, ""), 2),
        ("two that are not ready when the one after them ends", ends(2, ""), 2),
        ("two that are not ready when the one before them has said all", ends(0, "na\nnb\n"), 2),
        ("two that are not ready when the one after them has said all", ends(2, "na\nnb\n"), 2),
        ("one that is not ready while 256 bytes of another one come", vec![slow(0, Stop::NotNow(1)), crumbs(1)], 2),
        ("one that is not ready when 256 bytes of another one have come", vec![crumbs(0), slow(1, Stop::NotNow(1))], 2),
    ];
    let rows = rows.map(|(told, peers, pauses)| (told.to_owned(), peers, pauses)).into_iter().chain(bad_ends);
    let rows = rows.map(|(told, peers, pauses)| Row(told, (peers, pauses)));
    Check::new().threads_only().each(rows, |Row(_, (peers, pauses))| {
        assert_eq!(served(peers).pauses(), *pauses, "pauses");
    });
}

#[test]
fn no_more_is_read_than_is_answered_and_taken() {
    by_hand(backpressure());
}

#[test]
fn a_connection_is_closed_as_soon_as_it_has_ended() {
    let rows = orders(3).into_iter().map(|order| {
        let mut peers = Vec::from_iter((0..3).map(two_requests));
        for two in order.windows(2) {
            peers[two[1]] = peers[two[1]].clone().read_stops(3, Stop::UntilClosed(two[0]));
        }
        case(format!("each says the rest when the one before it is closed, in the order {}", listed(&order)), peers)
    });
    by_hand(rows);
}

#[test]
fn real_sockets_are_served() {
    // Pauses are counted, and the last one comes before the deadline on the busiest machine.
    Check::new().threads_only().deadline(Duration::from_secs(60)).run(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let connect = || {
            let client = TcpStream::connect(address).expect("somebody listens");
            let connection = listener.accept().expect("somebody has come").0;
            // A small piece that waits for the acknowledgement of the one before it would cost 200 pauses.
            for end in [&client, &connection] {
                end.set_nodelay(true).expect("a new socket takes options");
            }
            (client, connection)
        };
        let (clients, connections): (Vec<_>, Vec<_>) = CLIENTS.iter().map(|_| connect()).unzip();
        let gate = Gate::closed();
        // It opens when the last of the others has gone, also with a panic.
        let others = Arc::new(gate.open_when_dropped());
        let clients = Vec::from_iter(CLIENTS.iter().zip(clients).map(|(client, socket)| {
            let (gate, other) = (gate.clone(), (*client != ComesLast).then(|| Arc::clone(&others)));
            thread::spawn(move || {
                client.talk(socket, &gate);
                drop(other);
            })
        }));
        drop(others);
        // How long a pause is proves nothing. That there are so many of them does: clients have long done what they can.
        let mut pauses = 0;
        let pause = || {
            pauses += 1;
            assert!(pauses < 3_000, "{pauses} pauses, and the connections have not ended");
            thread::sleep(Duration::from_micros(200));
        };
        let ends = Vec::from_iter(
            serve(connections, long_reply, pause).into_iter().map(|end| end.map_err(|error| error.kind())),
        );
        let expected = CLIENTS.map(|client| if client == Dies { Err(ErrorKind::UnexpectedEof) } else { Ok(()) });
        assert_eq!(ends, expected, "how the connections have ended");
        clients.into_iter().for_each(|client| client.join().expect("the client got what it asked for"));
    });
}

// ------------------------------------------------------------------------------------------------- on a runtime

#[test]
fn a_conversation_on_a_runtime_keeps_the_same_contract() {
    let (no_reply, endless) = (format!("{NO_REPLY}\n"), "a".repeat(LONGEST + 1));
    let troubles = troubles().into_iter().map(|(told, peer)| case(told, [peer]));
    let rows = lines().into_iter().chain(pieces([Stop::Short, Stop::NotNow(1)])).chain(ends()).chain(too_long());
    // What comes behind an answer has its own end, which hides nothing: neither that answer nor that it can't be flushed.
    let behind = [("nothing", ""), ("one whose answer panics", &no_reply), ("one that is too long", &endless)];
    let rows = rows.chain(behind.into_iter().flat_map(|(what, behind)| {
        let peer = Peer::who_says(format!("ab\n{behind}"));
        let told = format!("a request, and behind it {what}");
        let no_flush = peer.clone().flush_fails(ErrorKind::BrokenPipe);
        [case(told.clone(), [peer]), case(told + ", where an answer can't be flushed", [no_flush])]
    }));
    let rows = rows.chain(troubles).chain(backpressure()).chain(chains());
    // One for all of them, so that its thread for jobs is started once.
    let runtime = OnceLock::new();
    Check::new().threads_only().library_threads().each(rows, move |Row(_, peers)| {
        let network = Network::of(peers.to_vec(), reply);
        let ends = runtime.get_or_init(one_thread).block_on(async {
            let pool = BlockingPool::new(1);
            let answers = network.clone();
            let answer = Arc::new(move |request: &[u8]| answers.answer(request));
            let conversations = network.connections().into_iter().map(|line| {
                let (pool, answer) = (pool.clone(), Arc::clone(&answer));
                tokio::spawn(async move { converse(line, &pool, answer).await })
            });
            let mut ends = Vec::new();
            for conversation in Vec::from_iter(conversations) {
                ends.push(conversation.await.unwrap_or_else(|error| panic::resume_unwind(error.into_panic())));
            }
            ends
        });
        network.judge(ends);
        network.judge_flushed();
    });
}

#[test]
fn tasks_go_on_while_a_job_blocks() {
    let calls = CALLS.into_iter().chain([0, LONGEST].map(Call::Converse));
    check().each(calls, |call| {
        // The job is stuck until a task lets it go on.
        let (gate, begun) = (Gate::closed(), Arc::new(Notify::new()));
        let (stuck, begins) = (gate.clone(), Arc::clone(&begun));
        let job = job(move |_| {
            begins.notify_one();
            stuck.pass();
        });
        let results = on_one_thread(async {
            tokio::spawn(async move {
                begun.notified().await;
                gate.open();
            });
            call.on(BlockingPool::new(1), 1, job).await
        });
        assert_eq!(results, [Ok(0)]);
    });
}

#[test]
fn as_many_jobs_run_at_once_as_there_are_places() {
    let sizes = [(2, 1), (2, 2), (3, 1), (3, 2), (7, 3), (3, usize::MAX), (100, 100)].into_iter();
    let sizes = sizes.filter(|(jobs, _)| !EXPLORED || *jobs < 3);
    let rows = sizes.flat_map(|(jobs, places)| {
        CALLS.map(|call| {
            let at_once = if places == usize::MAX { "any number".to_owned() } else { places.to_string() };
            Row(format!("{} by {call}, {at_once} at once", counted(jobs, "job")), (call, jobs, places))
        })
    });
    check().each(rows, |Row(_, (call, jobs, places))| {
        let most = *jobs.min(places);
        let (rendezvous, peak) = (Rendezvous::of(most), Peak::new());
        let inside = peak.clone();
        let job = job(move |_| {
            let _inside = inside.enter();
            rendezvous.meet();
        });
        let results = on_one_thread(call.on(BlockingPool::new(*places), *jobs, job));
        assert_eq!(results, Vec::from_iter((0..*jobs).map(Ok)));
        assert_eq!(peak.highest(), most, "jobs that ran at once");
    });
}

#[test]
fn results_come_in_the_order_of_the_inputs() {
    let most = if EXPLORED { 2 } else { 3 };
    let rows =
        (0..=most).flat_map(orders).map(|order| Row(format!("jobs that end in the order {}", listed(&order)), order));
    check().each(rows, |Row(_, order)| {
        let gates = Vec::from_iter(order.iter().map(|_| Gate::closed()));
        let turns =
            Vec::from_iter((0..order.len()).map(|number| order.iter().position(|other| *other == number).unwrap()));
        let job = job(move |number| {
            let turn = turns[number];
            if turn > 0 {
                gates[turn - 1].pass();
            }
            gates[turn].open();
        });
        let results = on_one_thread(Call::Map.on(BlockingPool::new(order.len().max(1)), order.len(), job));
        assert_eq!(results, Vec::from_iter((0..order.len()).map(Ok)));
    });
}

#[test]
fn the_next_job_begins_as_soon_as_there_is_a_place() {
    // Three jobs that come by themselves have more orders than a learner wants to wait for.
    let calls = CALLS.into_iter().filter(|call| !EXPLORED || *call == Call::Map);
    let rows = calls.flat_map(|call| {
        let waits = [(0, 1), (0, 2), (1, 2)].map(|(slow, other)| {
            let told = format!("3 jobs by {call}, 2 at once, number {} waits for number {}", slow + 1, other + 1);
            Row(told, (call, 2, Some((slow, other))))
        });
        waits.into_iter().chain([Row(format!("3 jobs by {call}, one by one"), (call, 1, None))])
    });
    check().each(rows, |Row(_, (call, places, waits))| {
        let (waits, gate, begun) = (*waits, Gate::closed(), Arc::new(Mutex::new(Vec::new())));
        let begins = Arc::clone(&begun);
        let job = job(move |number| {
            begins.lock().unwrap().push(number);
            match waits {
                Some((slow, _)) if number == slow => gate.pass(),
                Some((_, other)) if number == other => gate.open(),
                _ => {}
            }
        });
        let results = on_one_thread(call.on(BlockingPool::new(*places), 3, job));
        assert_eq!(results, [Ok(0), Ok(1), Ok(2)]);
        if (*call, *places) == (Call::Map, 1) {
            assert_eq!(*begun.lock().unwrap(), [0, 1, 2], "the order in which the jobs began");
        }
    });
}

#[test]
fn a_job_that_panics_is_an_error_in_its_place() {
    let numbers = if EXPLORED { 2 } else { 3 };
    let rows = CALLS.into_iter().flat_map(|call| {
        let panics = subsets(numbers).into_iter().skip(1);
        panics.map(move |panics| {
            let told = format!("{} by {call}, of which {} panic", counted(numbers, "job"), listed(&panics));
            Row(told, (call, Some(panics)))
        })
    });
    let then = [Call::Run, Call::Map];
    let then = then.map(|call| Row(format!("a job by {call} that panics, and then two others"), (call, None)));
    check().each(rows.chain(then), move |Row(_, (call, panics))| {
        let Some(panics) = panics else { return on_one_thread(panics_and_frees_its_place(*call)) };
        let these = panics.clone();
        let job = job(move |number| {
            if these.contains(&number) {
                panic_on_purpose("the job is not done")
            }
        });
        // With one place, which has to be given back.
        let results = on_one_thread(call.on(BlockingPool::new(1), numbers, job));
        let result = |number| if panics.contains(&number) { Err(JobError::Panicked) } else { Ok(number) };
        assert_eq!(results, Vec::from_iter((0..numbers).map(result)));
    });
}

#[test]
fn a_job_whose_caller_has_gone_keeps_its_place_until_it_ends() {
    let rows = CALLS.into_iter().flat_map(|call| {
        // What `converse` leaves is ours.
        let whens = [Goes::WhileItsJobRuns, Goes::WhenItHasItsPlace, Goes::AndLeavesWhatPanics].into_iter();
        let whens =
            whens.filter(move |when| *when != Goes::AndLeavesWhatPanics || [Call::Run, Call::Map].contains(&call));
        whens.map(move |when| Row(format!("a caller of {call} who goes {when}"), (call, when)))
    });
    check().each(rows, |Row(_, (call, when))| {
        match when {
            Goes::WhenItHasItsPlace => return on_one_thread(goes_when_it_is_given_its_place(*call)),
            Goes::AndLeavesWhatPanics => return on_one_thread(goes_and_leaves_what_panics(*call)),
            Goes::WhileItsJobRuns => {}
        }
        let (pool, stuck) = (BlockingPool::new(1), Stuck::new());
        let job = stuck.job();
        on_one_thread(async {
            // The place of a job that has ended is one place again, and no more.
            assert_eq!(pool.run(|| "ended").await, Ok("ended"));
            stuck.has_begun(&mut call.on(pool.clone(), 2, Arc::clone(&job))).await;
            // Nobody waits for it any more. But it is still there.
            let ended = Arc::clone(&stuck.ended);
            let next = pool.run(move || ended.load(Ordering::SeqCst));
            let (next, ()) = tokio::join!(next, async { stuck.gate.open() });
            assert_eq!(next, Ok(1), "jobs that had ended when the next one began");
        });
        assert_eq!(
            stuck.begun.load(Ordering::SeqCst),
            1,
            "jobs that have begun, with one place, and nobody who waits for them"
        );
        // The runtime has waited for it. The pool is still there, and has nothing of it.
        assert_eq!(Arc::strong_count(&job), 1, "those who have the job or its result, with this test");
    });
}

#[test]
fn a_shutdown_waits_for_jobs_that_have_begun() {
    let rows = CALLS.into_iter().flat_map(|call| {
        let rows = [(1, Other::None), (2, Other::None), (1, Other::HasUsedIt), (1, Other::HasThePlace)];
        rows.map(|(jobs, other)| (call, jobs, other))
    });
    // These have many schedules, and come last: then what the others leave is theirs.
    let last = [Call::Run, Call::Map].map(|call| (call, 1, Other::HasTheCaller));
    let rows = rows.chain(last).map(|(call, jobs, other)| {
        Row(format!("{} by {call}, one by one{other}", counted(jobs, "job")), (call, jobs, other))
    });
    check().each(rows, |Row(_, (call, jobs, other))| {
        match other {
            Other::HasThePlace => return waits_for_another_runtimes_job(*call),
            Other::HasTheCaller => return has_its_place_and_its_result(*call),
            Other::None | Other::HasUsedIt => {}
        }
        let (pool, stuck, runtime) = (BlockingPool::new(1), Stuck::new(), one_thread());
        let other = (*other == Other::HasUsedIt).then(one_thread);
        if let Some(other) = &other {
            assert_eq!(other.block_on(call.on(pool.clone(), 1, job(|_| ()))), [Ok(0)]);
        }
        // Whoever asks for a second one has gone before the first one ends.
        let (asks, gone) = mpsc::channel::<()>();
        let asked = call.on(pool, *jobs, stuck.job());
        runtime.spawn(async move {
            let _asks = asks;
            asked.await
        });
        runtime.block_on(stuck.begins.notified());
        let gate = stuck.gate.clone();
        let opens = thread::spawn(move || {
            let _ = gone.recv();
            gate.open();
        });
        drop(runtime);
        let count = |jobs: &AtomicUsize| jobs.load(Ordering::SeqCst);
        assert_eq!((count(&stuck.begun), count(&stuck.ended)), (1, 1), "jobs that have begun, and that have ended");
        opens.join().unwrap();
    });
}

/// What another runtime has to do with the pool.
#[derive(Clone, Copy, PartialEq)]
enum Other {
    None,
    HasUsedIt,
    HasThePlace,
    HasTheCaller,
}

impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Other::None => "",
            Other::HasUsedIt => ", after one on another runtime",
            Other::HasThePlace => ", while one on another runtime has the place",
            Other::HasTheCaller => ", whose caller waits on another runtime",
        })
    }
}

/// Whoever gives the place back, it is the caller's runtime on which the job runs then.
fn waits_for_another_runtimes_job(call: Call) {
    let (pool, stuck, ran_on) = (BlockingPool::new(1), Stuck::new(), Arc::new(OnceLock::new()));
    let other = one_thread();
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let mut first = call.on(pool.clone(), 1, stuck.job());
    other.block_on(stuck.has_begun(&mut first));
    let seen = Arc::clone(&ran_on);
    let runs = job(move |_| {
        let _ = seen.set(Handle::current().runtime_flavor());
    });
    let mut second = call.on(pool, 1, runs);
    let mut asks = |context: &mut Context<'_>| Poll::Ready(second.as_mut().poll(context).is_pending());
    assert!(runtime.block_on(poll_fn(&mut asks)), "there is no place for the second job");
    stuck.gate.open();
    assert_eq!(other.block_on(first), [Ok(0)]);
    assert_eq!(runtime.block_on(second), [Ok(0)]);
    assert_eq!(ran_on.get(), Some(&RuntimeFlavor::MultiThread), "the runtime on which the second job was asked for");
}

/// A shutdown ends tasks before it waits for jobs. A job that has begun loses nothing by that.
fn has_its_place_and_its_result(call: Call) {
    let (pool, stuck, runtime) = (BlockingPool::new(1), Stuck::new(), one_thread());
    let mut first = call.on(pool.clone(), 1, stuck.job());
    let (tasks, gone) = mpsc::channel::<()>();
    runtime.spawn(async move {
        let _tasks = tasks;
        pending::<()>().await;
    });
    runtime.block_on(stuck.has_begun(&mut first));
    let (gate, ended) = (stuck.gate.clone(), Arc::clone(&stuck.ended));
    let waits = thread::spawn(move || {
        let _ = gone.recv();
        let next = pool.run(move || ended.load(Ordering::SeqCst));
        on_one_thread(async { tokio::join!(first, next, async { gate.open() }) })
    });
    drop(runtime);
    let (first, next, ()) = waits.join().unwrap();
    assert_eq!(next, Ok(1), "jobs that had ended when the next one began, in a pool with one place");
    assert_eq!(first, [Ok(0)], "the result of a job that has begun before the shutdown");
}

#[test]
fn a_runtime_that_is_shut_down_runs_no_jobs() {
    check().each(CALLS, |call| {
        let (runtime, pool) = (one_thread(), BlockingPool::new(1));
        let handle = runtime.handle().clone();
        drop(runtime);
        // The place is free again each time.
        let results = handle.block_on(call.on(pool.clone(), 2, job(|_| panic!("this job runs on no runtime"))));
        let error = if matches!(call, Call::Converse(_)) { NO_ANSWER } else { JobError::Stopped };
        assert_eq!(results, [Err(error); 2], "what is asked of a pool whose runtime is shut down");
        assert_eq!(on_one_thread(call.on(pool, 1, job(|_| ()))), [Ok(0)], "the pool on another runtime");
    });
}

#[test]
fn no_place_at_all_is_a_panic() {
    // Whatever a number is cut to: one of these becomes none, one, or too many.
    let bits = 1..usize::BITS;
    let numbers = bits.flat_map(|bit| [1 << bit, (1 << bit) + 1, usize::MAX >> bit]);
    let rows = [0, 1].into_iter().chain(numbers).chain([usize::MAX]);
    // One for all of them, so that its threads for jobs are started once.
    let runtime = OnceLock::new();
    check().each(rows, move |places| {
        let pool = catch_unwind(|| BlockingPool::new(*places));
        assert_eq!(
            pool.is_err(),
            *places == 0,
            "whether such a pool is a panic: without a place no job could ever run"
        );
        // On schedules, making it is enough.
        if let (Ok(pool), false) = (pool, EXPLORED) {
            let most = 2.min(*places);
            let rendezvous = Rendezvous::of(most);
            let results =
                runtime.get_or_init(one_thread).block_on(Call::Run.on(pool, most, job(move |_| rendezvous.meet())));
            assert_eq!(results, Vec::from_iter((0..most).map(Ok)));
        }
    });
}

// ------------------------------------------------------------------------------------------------------- cases

/// What each of these says, all at once.
fn lines() -> Vec<Case> {
    let says = ["", "a\n", "\n", "ab\ncd\n", "cbc\n", "\n\n\n", "\r\n\0\n", "ä\n"].map(str::to_owned);
    let long = ["a".repeat(LONGEST) + "\n", ("b".repeat(LONGEST) + "\n").repeat(9)];
    let mut cases = Vec::from_iter(
        says.into_iter().chain(long).map(|says| case(format!("the requests {says:.20?}"), [Peer::who_says(says)])),
    );
    let not_utf8 = b"\xff\n\xc3\n".to_vec();
    cases.push(case("requests that are not UTF-8".to_owned(), [Peer::who_says(not_utf8)]));
    let each = Vec::from_iter(request_bytes().flat_map(|byte| [byte, b'\n']));
    cases.push(case("a request of each byte".to_owned(), [Peer::who_says(each)]));
    cases
}

/// All bytes that may be in a request.
fn request_bytes() -> impl Iterator<Item = u8> {
    (0..=u8::MAX).filter(|byte| *byte != b'\n')
}

/// A conversation that stops at each byte, and at every byte, in each of these ways.
fn pieces<const WAYS: usize>(stops: [Stop; WAYS]) -> Vec<Case> {
    let says = "ab\n\ncde\n";
    let peer = || Peer::who_says(says);
    let mut cases = Vec::new();
    for stop in stops {
        cases.extend(
            (0..=says.len())
                .map(|at| case(format!("{stop} at byte {at} of what is read"), [peer().read_stops(at, stop)])),
        );
        let all = answered(says);
        cases.extend(
            (0..=all).map(|at| case(format!("{stop} at byte {at} of what is written"), [peer().write_stops(at, stop)])),
        );
        let every =
            (0..=says.len()).fold(peer(), |peer, at| stops.iter().fold(peer, |peer, stop| peer.read_stops(at, *stop)));
        let every = (0..=all).fold(every, |peer, at| peer.write_stops(at, stop));
        cases.push(case(format!("{stop} at every byte"), [every]));
    }
    cases
}

/// A stream that ends or fails after each byte, while it takes its answers fast or slowly.
fn ends() -> Vec<Case> {
    let says = "ab\n\nc\n";
    let mut cases = Vec::new();
    for at in 0..=says.len() {
        for then in endings() {
            for slow in [0, 2] {
                let peer = Peer::who_says(&says[..at]).then(then);
                let slowly = |peer: Peer, byte| peer.write_stops(byte, Stop::NotNow(slow));
                let peer = (0..answered(&says[..at])).fold(peer, slowly);
                cases.push(case(
                    format!("{then} after {at} bytes, which takes answers with {}", counted(slow, "pause")),
                    [peer],
                ));
            }
        }
    }
    cases.extend(request_bytes().map(|byte| {
        let peer = Peer::who_says(vec![b'a', b'\n', byte]);
        case(format!("an end within a request that begins with {:?}", char::from(byte)), [peer])
    }));
    cases
}

/// What may come after the last byte. A failure is never a good end, and none that `serve` or `converse` has found itself.
fn endings() -> Vec<Then> {
    Vec::from_iter([Then::End].into_iter().chain(FAILURES.map(Then::Fail)))
}

const FAILURES: [ErrorKind; 7] = [
    ErrorKind::ConnectionReset,
    ErrorKind::TimedOut,
    ErrorKind::BrokenPipe,
    ErrorKind::UnexpectedEof,
    ErrorKind::WriteZero,
    ErrorKind::InvalidData,
    ErrorKind::Other,
];

/// What has a line that is too long, or nearly.
fn too_long() -> Vec<Case> {
    let line = |length| "a".repeat(length);
    let byte_by_byte =
        |says: String| (0..says.len()).fold(Peer::who_says(says), |peer, at| peer.read_stops(at, Stop::Short));
    let rows = [
        ("a request that is a byte too long", Peer::who_says(line(LONGEST + 1) + "\n")),
        ("a byte too much, and no line feed", Peer::who_says(line(LONGEST + 1))),
        ("the longest request, and no line feed", Peer::who_says(line(LONGEST))),
        ("a request without an end", Peer::who_says(line(50 * TURN))),
        ("a request without an end, byte by byte", byte_by_byte(line(LONGEST + 9))),
        ("the longest request, byte by byte", byte_by_byte(line(LONGEST) + "\n")),
        ("a byte too much behind another one, and no line feed", Peer::who_says(format!("a\n{}", line(LONGEST + 1)))),
        ("one that is too long, behind two others", Peer::who_says(format!("a\nb\n{}\nc\n", line(LONGEST + 1)))),
        (
            "a byte too much, and then silence",
            Peer::who_says(line(LONGEST + 2)).read_stops(LONGEST + 1, Stop::NotNow(9)),
        ),
    ];
    Vec::from_iter(rows.map(|(told, peer)| case(told.to_owned(), [peer])))
}

/// Peers of number 0 that come to a bad end.
fn troubles() -> Vec<(String, Peer)> {
    let says = "0ab\n0c\n";
    let mut troubles = vec![
        ("a request is too long".to_owned(), Peer::who_says("0".repeat(LONGEST + 1))),
        ("an end within a request".to_owned(), Peer::who_says("0ab\n0")),
    ];
    for at in 0..=5 {
        for kind in FAILURES {
            let told = format!("reading fails ({kind:?}) after {at} bytes");
            troubles.push((told, Peer::who_says(&"0ab\n0"[..at]).then(Then::Fail(kind))));
        }
    }
    for at in 0..answered(says) {
        for then in endings() {
            let told = format!("where answers go, there is {then} after {at} bytes");
            troubles.push((told, Peer::who_says(says).takes(at, then)));
        }
    }
    troubles
}

/// Whoever asks much and takes nothing. Each peer complains itself when it is read from too early.
fn backpressure() -> Vec<Case> {
    let mut cases = Vec::new();
    for requests in [1, 2, 100] {
        for at in [0, 1, 5] {
            let peer = Peer::who_says("0a\n".repeat(requests)).write_stops(at, Stop::NotNow(30));
            let told = format!("{}, and no answer is taken after {at} bytes", counted(requests, "request"));
            let breaks = peer.clone().takes(at, Then::Fail(ErrorKind::ConnectionReset));
            cases.push(case(told.clone() + " for long", [peer, two_requests(1)]));
            cases.push(case(told + " until it breaks", [breaks, two_requests(1)]));
        }
    }
    cases
}

/// Each waits until the one before it is answered, in every order, while it says something or while it takes something.
fn chains() -> Vec<Case> {
    let chains = [2, 3].into_iter().flat_map(orders).flat_map(|order| {
        [false, true].map(|writes| {
            let mut peers = Vec::from_iter((0..order.len()).map(two_requests));
            for two in order.windows(2) {
                let until = Stop::UntilSent(two[0], answered("0a\n"));
                let peer = peers[two[1]].clone();
                peers[two[1]] = if writes { peer.write_stops(1, until) } else { peer.read_stops(1, until) };
            }
            let what = if writes { "takes its answer" } else { "says all of its request" };
            case(format!("each {what} when the one before it is answered, in the order {}", listed(&order)), peers)
        })
    });
    chains.collect()
}

/// One that has this number, from 0, says two requests, and takes their answers.
fn two_requests(number: usize) -> Peer {
    Peer::who_says(format!("{number}a\n{number}b\n"))
}

// ------------------------------------------------------------------------------------------------------- tools

/// An input of a test, with what is told of it.
struct Row<T>(String, T);

impl<T> fmt::Display for Row<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Connections that are there at the same time.
type Case = Row<Vec<Peer>>;

fn case(told: String, peers: impl IntoIterator<Item = Peer>) -> Case {
    Row(told, Vec::from_iter(peers))
}

/// Serves each of these by hand.
fn by_hand(cases: impl IntoIterator<Item = Case>) {
    Check::new().threads_only().each(cases, |Row(_, peers)| drop(served(peers)));
}

fn served(peers: &[Peer]) -> Network {
    let network = Network::of(peers.to_vec(), reply);
    network.judge(serve(network.connections(), |request| network.answer(request), || network.pause()));
    network
}

/// What is answered to a request: not what was asked, and not as long. An answer may have line feeds in it, and end with one.
fn reply(request: &[u8]) -> Vec<u8> {
    // Nothing is an answer, too.
    let mut reply = if request.is_empty() { Vec::new() } else { b"re:".to_vec() };
    reply.extend(request.iter().rev().map(|byte| if *byte == b'c' { b'\n' } else { *byte }));
    reply
}

/// How many bytes the answers to these requests have.
fn answered(says: &str) -> usize {
    let requests = says.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    requests.map(|request| reply(request.as_bytes()).len() + 1).sum()
}

/// An answer that no socket takes at once.
fn long_reply(request: &[u8]) -> Vec<u8> {
    request.repeat(300_000)
}

use Client::{AsksOneByOne, AsksWithoutListening, ComesLast, Dies, Leaves};

/// Clients of real sockets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Client {
    AsksWithoutListening,
    AsksOneByOne,
    Leaves,
    Dies,
    /// Says half a request, and the rest when all others have gone.
    ComesLast,
}

const CLIENTS: [Client; 5] = [ComesLast, AsksWithoutListening, Dies, AsksOneByOne, Leaves];

impl Client {
    fn talk(self, mut socket: TcpStream, others_have_gone: &Gate) {
        match self {
            AsksWithoutListening => {
                let asks = "a\n".repeat(20);
                socket.write_all(asks.as_bytes()).expect("so much fits into a socket");
                socket.shutdown(Shutdown::Write).expect("it is open");
                let mut answers = Vec::new();
                socket.read_to_end(&mut answers).expect("all answers, and then the end");
                let expected = [&long_reply(b"a")[..], b"\n"].concat().repeat(20);
                assert!(answers == expected, "{} bytes came, and {} were expected", answers.len(), expected.len());
            }
            AsksOneByOne => (0..3).for_each(|_| ask(&mut socket, b"bc")),
            Leaves => {}
            Dies => socket.write_all(b"not whole").expect("so much fits into a socket"),
            ComesLast => {
                socket.write_all(b"d").expect("so much fits into a socket");
                others_have_gone.pass();
                socket.write_all(b"e\nf").expect("so much fits into a socket");
                hear(&mut socket, b"de");
                ask(&mut socket, b"");
            }
        }
    }
}

/// Says a request, or the rest of `f` if it is empty, and hears its answer.
fn ask(socket: &mut TcpStream, request: &[u8]) {
    socket.write_all(&[request, b"\n"].concat()).expect("so much fits into a socket");
    hear(socket, if request.is_empty() { b"f" } else { request });
}

fn hear(socket: &mut TcpStream, request: &[u8]) {
    let expected = [&long_reply(request)[..], b"\n"].concat();
    let mut answer = vec![0; expected.len()];
    socket.read_exact(&mut answer).expect("an answer");
    assert!(answer == expected, "this is not the answer to {:?}", String::from_utf8_lossy(request));
}

/// Libraries keep threads for themselves, and look again when they are woken.
fn check() -> Check {
    Check::new().library_threads().no_spurious_wakeups().schedules(4_000)
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime without input and output")
}

fn on_one_thread<T>(future: impl Future<Output = T>) -> T {
    one_thread().block_on(boxed(future))
}

/// What a job does. All tests have the same type: then it is compiled once.
type Job = Arc<dyn Fn(usize) + Send + Sync>;

fn job(with: impl Fn(usize) + Send + Sync + 'static) -> Job {
    Arc::new(with)
}

/// How jobs come into a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Run,
    Map,
    /// Half of them each, by two clones.
    TwoMaps,
    /// Each is the answer to a request of so many bytes.
    Converse(usize),
}

const CALLS: [Call; 4] = [Call::Run, Call::Map, Call::TwoMaps, Call::Converse(3)];

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Call::Run => f.write_str("`run`"),
            Call::Map => f.write_str("`map`"),
            Call::TwoMaps => f.write_str("two `map`s"),
            Call::Converse(length) => write!(f, "`converse` with requests of {}", counted(*length, "byte")),
        }
    }
}

/// An end of a conversation tells no more than that there is no answer.
const NO_ANSWER: JobError = JobError::Panicked;

type Results = Vec<Result<usize, JobError>>;

impl Call {
    /// Asks for so many jobs at the same time. Each returns its number. What keeps its result keeps `job`, too.
    fn on(self, pool: BlockingPool, jobs: usize, job: Job) -> Pin<Box<dyn Future<Output = Results> + Send>> {
        Box::pin(async move {
            let map = |numbers: Range<usize>| {
                let (pool, job) = (pool.clone(), Arc::clone(&job));
                async move {
                    let work = move |number| {
                        job(number);
                        (number, Arc::clone(&job))
                    };
                    let results = pool.map(Vec::from_iter(numbers), work).await;
                    Vec::from_iter(results.into_iter().map(|result| result.map(|(number, _)| number)))
                }
            };
            match self {
                Call::Map => map(0..jobs).await,
                Call::TwoMaps => all([map(0..jobs / 2), map(jobs / 2..jobs)]).await.concat(),
                Call::Run => {
                    all((0..jobs).map(|number| {
                        let (pool, job) = (pool.clone(), Arc::clone(&job));
                        let work = move || {
                            job(number);
                            (number, job)
                        };
                        async move { pool.run(work).await.map(|(number, _)| number) }
                    }))
                    .await
                }
                Call::Converse(length) => {
                    all((0..jobs).map(|number| {
                        let (pool, job) = (pool.clone(), Arc::clone(&job));
                        let says = "j".repeat(length) + "\n";
                        let answer = move |request: &[u8]| {
                            assert_eq!(request, "j".repeat(length).as_bytes());
                            job(number);
                            b"done".to_vec()
                        };
                        async move {
                            let stream = tokio::io::join(says.as_bytes(), tokio::io::sink());
                            match converse(stream, &pool, Arc::new(answer)).await {
                                Ok(()) => Ok(number),
                                Err(error) if error.kind() == ErrorKind::Other => Err(NO_ANSWER),
                                Err(error) => panic!("a conversation without trouble ends with {error:?}"),
                            }
                        }
                    }))
                    .await
                }
            }
        })
    }
}

/// Polls all of them until all are ready. When it is dropped, so are they, at once.
async fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut running = Vec::from_iter(futures.into_iter().map(|future| (Box::pin(future), None)));
    poll_fn(|context| {
        for (future, output) in running.iter_mut().filter(|(_, output)| output.is_none()) {
            if let Poll::Ready(ready) = future.as_mut().poll(context) {
                *output = Some(ready);
            }
        }
        if running.iter().all(|(_, output)| output.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, output)| output).collect()
}

/// A call of one job waits for the only place, gets it, and is dropped before it learns of that.
async fn goes_when_it_is_given_its_place(call: Call) {
    let (pool, gate) = (BlockingPool::new(1), Gate::closed());
    let stuck = gate.clone();
    let mut first = Box::pin(pool.run(move || stuck.pass()));
    let mut second = call.on(pool.clone(), 1, job(|_| ()));
    let mut third = Box::pin(pool.run(|| "third"));
    poll_fn(|context| {
        assert!(first.as_mut().poll(context).is_pending(), "the first job is stuck");
        assert!(second.as_mut().poll(context).is_pending(), "the second job has no place");
        assert!(third.as_mut().poll(context).is_pending(), "the third job has no place");
        Poll::Ready(())
    })
    .await;
    gate.open();
    assert_eq!(first.await, Ok(()));
    drop(second);
    assert_eq!(third.await, Ok("third"), "what waits behind the second job");
    assert_eq!(pool.run(|| "next").await, Ok("next"), "what has the place of the second job");
}

/// When a caller goes who does not wait for its result.
#[derive(Clone, Copy, PartialEq)]
enum Goes {
    WhileItsJobRuns,
    WhenItHasItsPlace,
    AndLeavesWhatPanics,
}

impl fmt::Display for Goes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Goes::WhileItsJobRuns => "while its job runs",
            Goes::WhenItHasItsPlace => "when it is given its place",
            Goes::AndLeavesWhatPanics => "while its job runs, whose result panics when it is dropped",
        })
    }
}

/// A caller of one job goes while it runs. Nobody wants the result, and when it is dropped, it panics.
async fn goes_and_leaves_what_panics(call: Call) {
    let (pool, stuck) = (BlockingPool::new(1), Stuck::new());
    let job = stuck.job();
    let work = move |number| {
        job(number);
        when_dropped(|| panic_on_purpose("nobody wants it"))
    };
    let theirs = pool.clone();
    let mut results: Pin<Box<dyn Future<Output = Results>>> = Box::pin(async move {
        match call {
            Call::Map => drop(theirs.map(vec![0], work).await),
            _ => drop(theirs.run(move || work(0)).await),
        }
        Vec::new()
    });
    stuck.has_begun(&mut results).await;
    drop(results);
    stuck.gate.open();
    assert_eq!(pool.run(|| "next").await, Ok("next"), "what has the place of the job whose result nobody wanted");
}

/// A job panics, and its place is one place again.
async fn panics_and_frees_its_place(call: Call) {
    let pool = BlockingPool::new(1);
    let results = call.on(pool.clone(), 1, job(|_| panic_on_purpose("the job is not done"))).await;
    assert_eq!(results, [Err(JobError::Panicked)]);
    // No place was lost, and none has been given back twice.
    let stuck = Stuck::new();
    let mut first = Call::Run.on(pool.clone(), 1, stuck.job());
    stuck.has_begun(&mut first).await;
    let ended = Arc::clone(&stuck.ended);
    let next = pool.run(move || ended.load(Ordering::SeqCst));
    let (next, first, ()) = tokio::join!(next, first, async { stuck.gate.open() });
    assert_eq!(next, Ok(1), "jobs that had ended when the next one began, in a pool with one place");
    assert_eq!(first, [Ok(0)]);
}

/// Jobs that are stuck at a gate.
struct Stuck {
    gate: Gate,
    begins: Arc<Notify>,
    begun: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
}

impl Stuck {
    fn new() -> Stuck {
        Stuck { gate: Gate::closed(), begins: Arc::default(), begun: Arc::default(), ended: Arc::default() }
    }

    /// Polls the future until one of its jobs has begun.
    async fn has_begun(&self, future: &mut (impl Future<Output = Results> + Unpin)) {
        tokio::select! {
            biased;
            results = future => panic!("the job is stuck, and there are results: {results:?}"),
            () = self.begins.notified() => {}
        }
    }

    fn job(&self) -> Job {
        let Stuck { gate, begins, begun, ended } = self;
        let (gate, begins, begun, ended) = (gate.clone(), Arc::clone(begins), Arc::clone(begun), Arc::clone(ended));
        job(move |_| {
            begun.fetch_add(1, Ordering::SeqCst);
            begins.notify_one();
            gate.pass();
            ended.fetch_add(1, Ordering::SeqCst);
        })
    }
}
