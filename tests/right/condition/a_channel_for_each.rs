//! accepted
//!
//! Whoever waits leaves the sending end of a channel with a note of what for, and receives. Who makes it true sends to
//! those whose note it is, and hands over what they have waited for: nobody has to look again.

use std::collections::VecDeque;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

#[derive(Debug)]
pub struct WaitingRoom(Mutex<Desk>);

#[derive(Debug, Default)]
struct Desk {
    open: bool,
    tickets: u64,
    called: u64,
    before_the_door: Vec<Sender<u64>>,
    doctors: VecDeque<Sender<u64>>,
    inside: Vec<(u64, Sender<()>)>,
}

impl Desk {
    fn print(&mut self) -> u64 {
        self.tickets += 1;
        let ticket = self.tickets;
        if let Some(doctor) = self.doctors.pop_front() {
            let _ = doctor.send(self.call());
        }
        ticket
    }

    fn call(&mut self) -> u64 {
        self.called += 1;
        let called = self.called;
        for (_, patient) in self.inside.extract_if(.., |(ticket, _)| *ticket <= called) {
            // Nobody is left there if the time was up.
            let _ = patient.send(());
        }
        called
    }
}

impl WaitingRoom {
    pub fn closed() -> WaitingRoom {
        WaitingRoom(Mutex::new(Desk::default()))
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.0.lock().unwrap()
    }

    pub fn open(&self) {
        let mut desk = self.desk();
        desk.open = true;
        for patient in std::mem::take(&mut desk.before_the_door) {
            let _ = patient.send(desk.print());
        }
    }

    pub fn take_ticket(&self) -> u64 {
        let mut desk = self.desk();
        if desk.open {
            return desk.print();
        }
        let (sender, receiver) = channel();
        desk.before_the_door.push(sender);
        drop(desk);
        receiver.recv().unwrap()
    }

    pub fn call_next(&self) -> u64 {
        let mut desk = self.desk();
        if desk.called < desk.tickets {
            return desk.call();
        }
        let (sender, receiver) = channel();
        desk.doctors.push_back(sender);
        drop(desk);
        receiver.recv().unwrap()
    }

    pub fn wait_for_call(&self, ticket: u64) {
        assert!(self.wait_for_call_within(ticket, Duration::MAX));
    }

    pub fn wait_for_call_within(&self, ticket: u64, limit: Duration) -> bool {
        let mut desk = self.desk();
        if desk.called >= ticket {
            return true;
        }
        let (sender, receiver) = channel();
        desk.inside.push((ticket, sender));
        drop(desk);
        if limit == Duration::MAX { receiver.recv().is_ok() } else { receiver.recv_timeout(limit).is_ok() }
    }
}

#[derive(Debug)]
pub struct Newspaper {
    newest: Mutex<(u64, String)>,
    subscribers: Mutex<Vec<(u64, Sender<(u64, String)>)>>,
}

impl Newspaper {
    pub fn new(text: &str) -> Newspaper {
        Newspaper { newest: Mutex::new((1, text.into())), subscribers: Mutex::default() }
    }

    pub fn publish(&self, text: &str) -> u64 {
        let mut newest = self.newest.lock().unwrap();
        *newest = (newest.0 + 1, text.into());
        let edition = newest.clone();
        self.subscribers
            .lock()
            .unwrap()
            .retain(|(read, subscriber)| *read >= edition.0 || subscriber.send(edition.clone()).is_err());
        edition.0
    }

    pub fn next_after(&self, read: u64) -> (u64, String) {
        let newest = self.newest.lock().unwrap();
        if newest.0 > read {
            return newest.clone();
        }
        let (sender, receiver) = channel();
        self.subscribers.lock().unwrap().push((read, sender));
        drop(newest);
        receiver.recv().unwrap()
    }
}
