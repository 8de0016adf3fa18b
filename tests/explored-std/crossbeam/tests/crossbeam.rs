//! The model of crossbeam's channels.

use std::collections::BTreeSet;
use std::explored::{Config, Exploration, explore};
use std::real::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam::channel::{
    Receiver, RecvError, RecvTimeoutError, Select, SendError, SendTimeoutError, TryRecvError, TrySendError, after,
    bounded, never, select, select_biased, tick, unbounded,
};
use crossbeam::sync::WaitGroup;
use verdict::{Kind, Outcome};

fn run(body: impl Fn() + Send + Sync + 'static) -> Exploration {
    explore(&Config { kind_of_panic: |_, _| Kind::Assertion, ..Config::default() }, body)
}

#[track_caller]
fn passes(body: impl Fn() + Send + Sync + 'static) {
    assert_eq!(run(body).outcome, Outcome::Passed);
}

#[track_caller]
fn fails(kind: Kind, body: impl Fn() + Send + Sync + 'static) {
    match run(body).outcome {
        Outcome::Failed(failure) => assert_eq!(failure.kind, kind, "{}", failure.message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_message_reaches_one_of_two_receivers() {
    passes(|| {
        let (sender, receiver) = unbounded();
        let second = receiver.clone();
        let workers = [receiver, second].map(|receiver| thread::spawn(move || receiver.iter().sum::<i32>()));
        for message in [1, 2] {
            sender.send(message).unwrap();
        }
        drop(sender);
        let sum: i32 = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
        assert_eq!(sum, 3);
    });
}

#[test]
fn which_receiver_gets_it_is_open() {
    fails(Kind::Race, || {
        let (sender, receiver) = unbounded();
        let second = receiver.clone();
        let first = thread::spawn(move || receiver.recv());
        let second = thread::spawn(move || second.recv());
        sender.send(1).unwrap();
        drop(sender);
        assert_eq!(first.join().unwrap(), Ok(1));
        assert_eq!(second.join().unwrap(), Err(RecvError));
    });
}

#[test]
fn a_channel_without_room_hands_over() {
    passes(|| {
        let (sender, receiver) = bounded(0);
        assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)));
        assert_eq!(sender.send_timeout(1, Duration::from_secs(60)), Err(SendTimeoutError::Timeout(1)));
        assert!(receiver.is_empty());
        let worker = thread::spawn(move || receiver.recv());
        sender.send(2).unwrap();
        assert_eq!(worker.join().unwrap(), Ok(2));
    });
}

#[test]
fn a_full_channel_holds_the_sender_up() {
    passes(|| {
        let (sender, receiver) = bounded(1);
        let worker = thread::spawn(move || {
            for message in 0..3 {
                sender.send(message).unwrap();
                assert!(sender.len() <= 1);
            }
        });
        assert_eq!(receiver.iter().collect::<Vec<i32>>(), [0, 1, 2]);
        worker.join().unwrap();
    });
}

#[test]
fn timeouts_pass_in_virtual_time() {
    passes(|| {
        let begun = Instant::now();
        let (sender, receiver) = bounded::<u8>(1);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(receiver.recv_timeout(Duration::from_secs(60)), Err(RecvTimeoutError::Timeout));
        assert_eq!(begun.elapsed(), Duration::from_secs(60));
        drop(sender);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
        assert_eq!(receiver.capacity(), Some(1));
    });
}

#[test]
fn the_last_receiver_closes_the_channel() {
    passes(|| {
        let (sender, receiver) = unbounded();
        let second = receiver.clone();
        drop(receiver);
        assert!(sender.send(1).is_ok());
        drop(second);
        assert_eq!(sender.send(2).unwrap_err().into_inner(), 2);
    });
}

#[test]
fn a_sender_kept_alive_keeps_the_receiver_waiting() {
    fails(Kind::Deadlock, || {
        let (sender, receiver) = unbounded::<u8>();
        let _kept = sender.clone();
        drop(sender);
        let _ = receiver.recv();
    });
}

/// All answers of the body, over all schedules, each of which passes.
fn answers<T: Ord + Send + 'static>(body: impl Fn() -> T + Send + Sync + 'static) -> BTreeSet<T> {
    let all = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&all);
    let exploration = run(move || {
        let answer = body();
        seen.lock().unwrap().insert(answer);
    });
    assert_eq!(exploration.outcome, Outcome::Passed);
    assert!(exploration.coverage.complete, "{}", exploration.coverage);
    std::mem::take(&mut *all.lock().unwrap())
}

#[test]
fn a_selection_takes_whatever_is_possible() {
    // Both are: either may be taken, and each is.
    let both = || {
        let ((a, from_a), (b, from_b)) = (unbounded(), unbounded());
        a.send('a').unwrap();
        b.send('b').unwrap();
        (from_a, from_b, (a, b))
    };
    let any = answers(move || {
        let (from_a, from_b, _open) = both();
        select! {
            recv(from_a) -> message => message.unwrap(),
            recv(from_b) -> message => message.unwrap(),
        }
    });
    assert_eq!(any, BTreeSet::from(['a', 'b']));
    let first = answers(move || {
        let (from_a, from_b, _open) = both();
        select_biased! {
            recv(from_b) -> message => message.unwrap(),
            recv(from_a) -> message => message.unwrap(),
        }
    });
    assert_eq!(first, BTreeSet::from(['b']));
    // Whoever sends first, if nothing is there yet.
    let either = answers(|| {
        let ((a, from_a), (b, from_b)) = (bounded(1), bounded(1));
        let threads = [thread::spawn(move || a.send('a')), thread::spawn(move || b.send('b'))];
        let first = select! {
            recv(from_a) -> message => { message.unwrap() }
            recv(from_b) -> message => { message.unwrap() }
        };
        threads.into_iter().for_each(|thread| thread.join().unwrap().unwrap());
        first
    });
    assert_eq!(either, BTreeSet::from(['a', 'b']));
}

#[test]
fn a_selection_may_send_or_give_up() {
    let all = answers(|| {
        let ((full, from_full), (_open, empty)) = (bounded(1), bounded::<i32>(1));
        full.send(1).unwrap();
        let taker = thread::spawn(move || (from_full.recv(), from_full.recv()));
        let sent = select! {
            send(full, 2) -> sent => sent.is_ok(),
            recv(&empty) -> _ => unreachable!("nobody sends"),
            default => false,
        };
        if !sent {
            full.send(3).unwrap();
        }
        let taken = taker.join().unwrap();
        assert_eq!(taken, (Ok(1), Ok(if sent { 2 } else { 3 })));
        sent
    });
    assert_eq!(all, BTreeSet::from([false, true]));
    passes(|| {
        let (sender, receiver) = bounded::<i32>(1);
        drop(receiver);
        let lost = select! { send(sender, 7) -> sent => sent };
        assert_eq!(lost, Err(SendError(7)));
        let (_, receiver) = bounded::<i32>(1);
        let closed = select! { recv(receiver) -> message => message };
        assert_eq!(closed, Err(RecvError));
    });
}

#[test]
fn a_selection_ends_with_its_time() {
    passes(|| {
        let (_sender, receiver) = unbounded::<i32>();
        let (second, start) = (Duration::from_secs(1), Instant::now());
        let message = select! {
            recv(receiver) -> message => message.ok(),
            default(second) => None,
        };
        assert_eq!((message, start.elapsed()), (None, second));
        let fired = select! {
            recv(receiver) -> _ => unreachable!("nobody sends"),
            recv(after(second)) -> at => at.unwrap(),
            recv(never::<i32>()) -> _ => unreachable!("never"),
        };
        assert_eq!((fired - start, start.elapsed()), (2 * second, 2 * second));
        let ticks = tick(second);
        assert_eq!(ticks.try_recv(), Err(TryRecvError::Empty));
        assert_eq!([(); 3].map(|()| ticks.recv().unwrap() - start), [3, 4, 5].map(|n| n * second));
        assert_eq!(ticks.recv_timeout(second / 2), Err(RecvTimeoutError::Timeout));
        assert_eq!(after(second).iter().next().map(|at| at - start), Some(13 * second / 2));
    });
}

#[test]
fn a_selection_that_waits_for_ever_says_for_what() {
    let exploration = run(|| {
        let ((_a, from_a), (_b, from_b)) = (unbounded::<u8>(), unbounded::<u16>());
        select! {
            recv(from_a) -> _ => (),
            recv(from_b) -> _ => (),
        }
    });
    let Outcome::Failed(failure) = exploration.outcome else { panic!("it waits for ever") };
    assert_eq!(failure.kind, Kind::Deadlock);
    assert!(failure.message.contains("main waits for one of "), "{}", failure.message);
}

#[test]
fn a_list_of_operations_is_selected_from() {
    let all = answers(|| {
        let channels = [unbounded::<usize>(), unbounded(), unbounded()];
        let receivers: Vec<&Receiver<usize>> = channels.iter().map(|(_, receiver)| receiver).collect();
        let mut select = Select::new();
        receivers.iter().for_each(|receiver| assert!(select.recv(receiver) < 3));
        assert!(select.try_ready().is_err() && select.try_select().is_err());
        select.remove(0);
        thread::scope(|scope| {
            for (number, (sender, _)) in channels.iter().enumerate() {
                scope.spawn(move || sender.send(number));
            }
            let ready = select.ready();
            assert!(ready > 0, "it was taken out");
            let operation = select.select();
            let index = operation.index();
            assert_eq!(operation.recv(receivers[index]), Ok(index));
            index
        })
    });
    assert_eq!(all, BTreeSet::from([1, 2]));
}

#[test]
fn two_selections_hand_to_hand_are_refused() {
    fails(Kind::Nondeterministic, || {
        let (sender, receiver) = bounded::<i32>(0);
        thread::scope(|scope| {
            scope.spawn(|| select! { send(sender, 1) -> sent => sent.unwrap() });
            select! { recv(receiver) -> message => assert_eq!(message, Ok(1)) }
        });
    });
    // One selection and a call are fine, on either side.
    passes(|| {
        let (sender, receiver) = bounded::<i32>(0);
        thread::scope(|scope| {
            scope.spawn(|| select! { send(sender, 1) -> sent => sent.unwrap() });
            assert_eq!(receiver.recv(), Ok(1));
            scope.spawn(|| sender.send(2).unwrap());
            select! { recv(receiver) -> message => assert_eq!(message, Ok(2)) }
        });
    });
}

#[test]
fn a_wait_group_waits_for_all_others() {
    passes(|| {
        let (group, done) = (WaitGroup::new(), Arc::new(Mutex::new(0)));
        for _ in 0..2 {
            let (group, done) = (group.clone(), Arc::clone(&done));
            thread::spawn(move || {
                *done.lock().unwrap() += 1;
                drop(group);
            });
        }
        group.wait();
        assert_eq!(*done.lock().unwrap(), 2);
    });
}

#[test]
fn which_receiver_is_the_last_one_is_open() {
    let seen = answers(|| {
        let (sender, receiver) = bounded(1);
        let second = receiver.clone();
        let first = thread::spawn(move || drop(receiver));
        thread::spawn(move || drop(second)).join().unwrap();
        let sent = sender.try_send(1).is_ok();
        first.join().unwrap();
        sent
    });
    assert_eq!(seen, BTreeSet::from([false, true]));
}

#[test]
fn which_of_two_gets_the_message_of_a_timer_is_open() {
    let milli = Duration::from_millis(1);
    let seen = answers(move || {
        let timer = after(milli);
        let other = timer.clone();
        thread::sleep(2 * milli);
        let first = thread::spawn(move || timer.try_recv().is_ok());
        let second = other.try_recv().is_ok();
        (first.join().unwrap(), second)
    });
    assert_eq!(seen, BTreeSet::from([(false, true), (true, false)]));
    // Without clones, and where one of them waits.
    let seen = answers(move || {
        let ticks = tick(milli);
        thread::sleep(2 * milli);
        thread::scope(|scope| {
            let first = scope.spawn(|| ticks.recv_timeout(Duration::ZERO).is_ok());
            let second = select! {
                recv(ticks) -> tick => tick.is_ok(),
                default => false,
            };
            (first.join().unwrap(), second)
        })
    });
    assert_eq!(seen, BTreeSet::from([(false, true), (true, false)]));
}

#[test]
fn a_timer_that_another_one_was_faster_at_has_not_ended() {
    passes(|| {
        let ticks = tick(Duration::from_millis(1));
        let (_sender, receiver) = unbounded::<u8>();
        let workers = [(); 2].map(|()| (ticks.clone(), receiver.clone())).map(|(ticks, receiver)| {
            thread::spawn(move || {
                select! {
                    recv(ticks) -> tick => tick.unwrap(),
                    recv(receiver) -> _ => unreachable!("nobody sends"),
                }
            })
        });
        let [first, second] = workers.map(|worker| worker.join().unwrap());
        assert_ne!(first, second);
    });
}

#[test]
fn the_message_of_a_timer_is_counted() {
    passes(|| {
        let milli = Duration::from_millis(1);
        for clock in [after, tick] {
            let timer = clock(milli);
            assert_eq!((timer.len(), timer.is_empty(), timer.is_full()), (0, true, false));
            thread::sleep(2 * milli);
            assert_eq!((timer.len(), timer.is_empty(), timer.is_full()), (1, false, true));
            timer.recv().unwrap();
            assert!(timer.is_empty());
        }
    });
}
