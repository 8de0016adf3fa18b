//! accepted
//!
//! A thread has the room, another one the newspaper. Everybody else sends them letters, and waits at a channel for the answer. No lock
//! is needed, for nobody else sees the data. Both threads are joined when what they have is dropped.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What somebody who sends it letters has of a thread.
#[derive(Debug)]
struct Office<L> {
    letters: Option<Sender<L>>,
    clerk: Option<JoinHandle<()>>,
}

impl<L: Send + 'static> Office<L> {
    fn of(work: impl FnOnce(Receiver<L>) + Send + 'static) -> Office<L> {
        let (letters, arrived) = channel();
        Office { letters: Some(letters), clerk: Some(thread::spawn(move || work(arrived))) }
    }

    fn send(&self, letter: L) {
        let letters = self.letters.as_ref().expect("open until it is dropped");
        assert!(letters.send(letter).is_ok(), "the clerk reads as long as letters can come");
    }

    /// Sends a letter that has a way to answer it, and waits for the answer.
    fn ask<A>(&self, letter: impl FnOnce(Sender<A>) -> L) -> A {
        let (tell, told) = channel();
        self.send(letter(tell));
        told.recv().expect(ANSWERED)
    }
}

impl<L> Drop for Office<L> {
    fn drop(&mut self) {
        // No letter can come any more, so the clerk's loop ends.
        drop(self.letters.take());
        if let Some(clerk) = self.clerk.take() {
            let _ = clerk.join();
        }
    }
}

#[derive(Debug)]
enum Ask {
    Open,
    Take(Sender<u64>),
    Call(Sender<u64>),
    Await { ticket: u64, id: u64, tell: Sender<bool> },
    GiveUp { id: u64 },
}

#[derive(Debug)]
pub struct WaitingRoom {
    desk: Office<Ask>,
    ids: AtomicU64,
}

impl WaitingRoom {
    pub fn closed() -> WaitingRoom {
        WaitingRoom { desk: Office::of(keep_room), ids: AtomicU64::new(0) }
    }

    pub fn open(&self) {
        self.desk.send(Ask::Open);
    }

    pub fn take_ticket(&self) -> u64 {
        self.desk.ask(Ask::Take)
    }

    pub fn call_next(&self) -> u64 {
        self.desk.ask(Ask::Call)
    }

    pub fn wait_for_call(&self, ticket: u64) {
        let id = self.ids.fetch_add(1, Relaxed);
        self.desk.ask(|tell| Ask::Await { ticket, id, tell });
    }

    pub fn wait_for_call_within(&self, ticket: u64, limit: Duration) -> bool {
        let (tell, told) = channel();
        let id = self.ids.fetch_add(1, Relaxed);
        self.desk.send(Ask::Await { ticket, id, tell });
        match told.recv_timeout(limit) {
            Ok(called) => called,
            Err(RecvTimeoutError::Timeout) => {
                // Either it was told in the last moment, or it is told now.
                self.desk.send(Ask::GiveUp { id });
                told.recv().expect(ANSWERED)
            }
            Err(RecvTimeoutError::Disconnected) => unreachable!("{ANSWERED}"),
        }
    }
}

fn keep_room(asked: Receiver<Ask>) {
    let (mut open, mut taken, mut called) = (false, 0, 0);
    let (mut at_the_door, mut doctors, mut patients) = (Vec::new(), Vec::new(), Vec::new());
    for ask in asked {
        match ask {
            Ask::Open => open = true,
            Ask::Take(tell) => at_the_door.push(tell),
            Ask::Call(tell) => doctors.push(tell),
            Ask::Await { ticket, id, tell } => patients.push((ticket, id, tell)),
            Ask::GiveUp { id } => {
                if let Some(index) = patients.iter().position(|(_, other, _)| *other == id) {
                    let (_, _, tell) = patients.remove(index);
                    let _ = tell.send(false);
                }
            }
        }
        if open {
            for tell in at_the_door.drain(..) {
                taken += 1;
                let _ = tell.send(taken);
            }
        }
        while called < taken {
            let Some(tell) = doctors.pop() else { break };
            called += 1;
            let _ = tell.send(called);
        }
        patients.retain(|(ticket, _, tell)| {
            let waits = called < *ticket;
            if !waits {
                let _ = tell.send(true);
            }
            waits
        });
    }
}

#[derive(Debug)]
enum Letter {
    Publish(String, Sender<u64>),
    Read(u64, Sender<(u64, String)>),
}

#[derive(Debug)]
pub struct Newspaper {
    office: Office<Letter>,
}

impl Newspaper {
    pub fn new(text: &str) -> Newspaper {
        let first = text.to_owned();
        Newspaper { office: Office::of(|letters| edit(first, letters)) }
    }

    pub fn publish(&self, text: &str) -> u64 {
        self.office.ask(|tell| Letter::Publish(text.to_owned(), tell))
    }

    pub fn next_after(&self, read: u64) -> (u64, String) {
        self.office.ask(|tell| Letter::Read(read, tell))
    }
}

fn edit(first: String, letters: Receiver<Letter>) {
    let mut newest = (1, first);
    let mut readers: Vec<(u64, Sender<(u64, String)>)> = Vec::new();
    for letter in letters {
        match letter {
            Letter::Publish(text, tell) => {
                newest = (newest.0 + 1, text);
                let _ = tell.send(newest.0);
            }
            Letter::Read(read, tell) => readers.push((read, tell)),
        }
        readers.retain(|(read, tell)| {
            let waits = newest.0 <= *read;
            if !waits {
                let _ = tell.send(newest.clone());
            }
            waits
        });
    }
}

const ANSWERED: &str = "every letter is answered";
