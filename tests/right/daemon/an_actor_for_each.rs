//! accepted
//!
//! A second thread for each worker, an actor, keeps what is known of it and answers questions. It ends when nobody is left who could ask:
//! by itself, a little after the worker and its owner are done, so nobody joins it.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

#[derive(Debug)]
pub struct Worker<T> {
    handle: JoinHandle<T>,
    actor: Sender<Message>,
}

#[derive(Debug)]
pub struct StopSignal {
    actor: Sender<Message>,
}

#[derive(Debug)]
pub enum Joined<T> {
    Ended(thread::Result<T>),
    StillRunning(Worker<T>),
}

/// What can happen, once.
#[derive(Clone, Copy, Debug)]
enum Event {
    Stop,
    End,
}

#[derive(Debug)]
enum Message {
    Happens(Event),
    /// Asks whether it has happened, and wants a second answer when it does.
    Asks(Event, Sender<bool>),
}

fn act(messages: Receiver<Message>) {
    let mut happened = [false; 2];
    let mut waiting = [Vec::new(), Vec::new()];
    for message in messages {
        match message {
            Message::Happens(event) => {
                happened[event as usize] = true;
                for asker in waiting[event as usize].drain(..) {
                    answer(&asker, true);
                }
            }
            Message::Asks(event, asker) => {
                answer(&asker, happened[event as usize]);
                if !happened[event as usize] {
                    waiting[event as usize].push(asker);
                }
            }
        }
    }
}

fn answer(asker: &Sender<bool>, answer: bool) {
    // Whoever has given up waiting does not hear it.
    let _ = asker.send(answer);
}

fn ask(actor: &Sender<Message>, event: Event) -> (bool, Receiver<bool>) {
    let (asker, answers) = mpsc::channel();
    actor.send(Message::Asks(event, asker)).expect("the actor goes on while somebody can ask");
    let answer = answers.recv().expect("the actor answers");
    (answer, answers)
}

fn wait_for(actor: &Sender<Message>, event: Event, limit: Duration) -> bool {
    let (happened, news) = ask(actor, event);
    happened || news.recv_timeout(limit).is_ok() || ask(actor, event).0
}

struct TellsEnd(Sender<Message>);

impl Drop for TellsEnd {
    fn drop(&mut self) {
        let _ = self.0.send(Message::Happens(Event::End));
    }
}

impl<T: Send + 'static> Worker<T> {
    pub fn start(name: &str, work: impl FnOnce(&StopSignal) -> T + Send + 'static) -> Worker<T> {
        let (actor, messages) = mpsc::channel();
        thread::spawn(move || act(messages));
        let (stop, end) = (StopSignal { actor: actor.clone() }, TellsEnd(actor.clone()));
        let thread_body = move || {
            let _end = end;
            work(&stop)
        };
        Worker { handle: thread::Builder::new().name(name.to_owned()).spawn(thread_body).expect("a thread"), actor }
    }

    pub fn stop(&self) {
        let _ = self.actor.send(Message::Happens(Event::Stop));
    }

    pub fn is_alive(&self) -> bool {
        !self.handle.is_finished()
    }

    pub fn join(self) -> thread::Result<T> {
        self.handle.join()
    }

    pub fn join_timeout(self, limit: Duration) -> Joined<T> {
        match wait_for(&self.actor, Event::End, limit) {
            true => Joined::Ended(self.join()),
            false => Joined::StillRunning(self),
        }
    }
}

impl StopSignal {
    pub fn is_set(&self) -> bool {
        ask(&self.actor, Event::Stop).0
    }

    pub fn sleep(&self, pause: Duration) -> bool {
        wait_for(&self.actor, Event::Stop, pause)
    }
}
