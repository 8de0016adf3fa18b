//! The model of crossbeam's channels.

use std::explored::{Config, Exploration, explore};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam::channel::{
    RecvError, RecvTimeoutError, SendTimeoutError, TryRecvError, TrySendError, bounded, unbounded,
};
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
