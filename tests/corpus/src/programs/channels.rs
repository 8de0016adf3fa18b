//! Channels: ends kept alive, dropped early, and messages to oneself.

use super::Program;
use super::model::sync::mpsc::{channel, sync_channel};
use super::model::sync::{Arc, Mutex};
use super::model::thread;
use verdict::Kind::{Deadlock, Race};

/// Every program of this file.
pub(crate) fn programs() -> Vec<Program> {
    vec![
        Program::fails("sender clone kept alive", Deadlock, || drain(true)),
        Program::passes("sender clone dropped", || drain(false)),
        Program::fails("receiver dropped early", Race, || early(false)),
        Program::passes("receiver dropped early, expected", || early(true)),
        Program::fails("bounded self-send", Deadlock, || to_oneself(1)),
        Program::passes("bounded self-send, with room", || to_oneself(2)),
        Program::fails("two bounded channels crossed", Deadlock, || crossed(false)),
        Program::passes("two bounded channels, answered first", || crossed(true)),
        Program::fails("receiver behind a lock, held while waiting", Deadlock, || shared_receiver(true)),
        Program::passes("receiver behind a lock, work outside", || shared_receiver(false)),
    ]
}

fn drain(kept: bool) {
    let (sender, receiver) = channel();
    let worker = {
        let sender = sender.clone();
        thread::spawn(move || sender.send(1).unwrap())
    };
    let mut own = Some(sender);
    if !kept {
        own = None;
    }
    let sum: i32 = receiver.iter().sum();
    worker.join().unwrap();
    drop(own);
    assert_eq!(sum, 1);
}

fn early(expected: bool) {
    let (sender, receiver) = channel();
    let worker = thread::spawn(move || {
        let first = sender.send(1);
        let second = sender.send(2);
        (first, second)
    });
    let _ = receiver.recv();
    drop(receiver);
    let (first, second) = worker.join().unwrap();
    assert!(first.is_ok());
    assert!(expected || second.is_ok(), "the second message had nobody to go to");
}

fn to_oneself(room: usize) {
    let (sender, receiver) = sync_channel(room);
    sender.send(1).unwrap();
    sender.send(2).unwrap();
    assert_eq!((receiver.recv(), receiver.recv()), (Ok(1), Ok(2)));
}

/// Each sends two before it receives: with room for one, both may stand in front of a full channel.
fn crossed(answered_first: bool) {
    let (to_b, from_a) = sync_channel(1);
    let (to_a, from_b) = sync_channel(1);
    let b = thread::spawn(move || {
        if answered_first {
            let _ = (from_a.recv(), from_a.recv());
        }
        to_a.send(1).unwrap();
        to_a.send(2).unwrap();
        if !answered_first {
            let _ = (from_a.recv(), from_a.recv());
        }
    });
    to_b.send(1).unwrap();
    to_b.send(2).unwrap();
    let _ = (from_b.recv(), from_b.recv());
    b.join().unwrap();
}

/// Workers share a receiver. One that works with the guard in hand lets nobody else in: the job that needs a second worker
/// never gets one.
fn shared_receiver(held: bool) {
    let (sender, receiver) = channel::<u8>();
    let (meet, met) = sync_channel::<()>(0);
    let (receiver, met) = (Arc::new(Mutex::new(receiver)), Arc::new(Mutex::new(met)));
    let workers: Vec<_> = (0..2)
        .map(|_| {
            let (receiver, meet, met) = (Arc::clone(&receiver), meet.clone(), Arc::clone(&met));
            let work = move |job| match job {
                // Two jobs that need each other.
                0 => meet.send(()).unwrap(),
                _ => met.lock().unwrap().recv().unwrap(),
            };
            thread::spawn(move || {
                if held {
                    let guard = receiver.lock().unwrap();
                    work(guard.recv().unwrap());
                    drop(guard);
                } else {
                    let job = receiver.lock().unwrap().recv().unwrap();
                    work(job);
                }
            })
        })
        .collect();
    sender.send(0).unwrap();
    sender.send(1).unwrap();
    workers.into_iter().for_each(|worker| worker.join().unwrap());
}
