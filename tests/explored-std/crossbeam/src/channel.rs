//! `crossbeam::channel`: both halves can be cloned and shared.

mod errors;
mod select;
mod timer;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::panic::RefUnwindSafe;
use std::raw::{Deadline, RawChannel, Refusal};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use crate::{select, select_biased};
pub use errors::{RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError};
pub use select::{ReadyTimeoutError, Select, SelectTimeoutError, SelectedOperation, TryReadyError, TrySelectError};
use timer::Timer;
pub use timer::{after, at, never, tick};

/// Both ends of a channel.
struct Shared<T> {
    raw: RawChannel,
    messages: RefCell<VecDeque<T>>,
}

// SAFETY: only the OS thread that explores touches the messages, one modelled thread at a time, and never across a switch.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: the same.
unsafe impl<T: Send> Sync for Shared<T> {}

// A panic leaves nothing half done here.
impl<T> RefUnwindSafe for Shared<T> {}

impl<T> Shared<T> {
    #[track_caller]
    fn new(capacity: Option<usize>) -> Arc<Shared<T>> {
        Arc::new(Shared { raw: RawChannel::new::<T>(capacity), messages: RefCell::default() })
    }

    #[track_caller]
    fn channel(capacity: Option<usize>) -> (Sender<T>, Receiver<T>) {
        let shared = Shared::new(capacity);
        (Sender { shared: Arc::clone(&shared) }, Receiver { shared, timer: None })
    }

    /// Sends; gives the message back with the reason if that failed.
    #[track_caller]
    fn send(&self, message: T, deadline: Deadline) -> Result<(), (T, Refusal)> {
        let message = RefCell::new(Some(message));
        let put = || self.messages.borrow_mut().extend(message.take());
        let take = |place| drop(message.replace(self.messages.borrow_mut().remove(place)));
        match self.raw.send(deadline, put, take) {
            Ok(()) => Ok(()),
            Err(why) => Err((message.into_inner().expect("a message that was not sent is still here"), why)),
        }
    }

    fn first(&self) -> T {
        self.messages.borrow_mut().pop_front().expect("as many messages as tickets")
    }
}

/// A channel that holds this many messages; with 0 each sender waits for a receiver.
#[track_caller]
pub fn bounded<T>(cap: usize) -> (Sender<T>, Receiver<T>) {
    Shared::channel(Some(cap))
}

/// A channel without a limit.
#[track_caller]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    Shared::channel(None)
}

/// The sending half.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// The receiving half.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// What sends to it, if that is the clock.
    timer: Option<Arc<Timer<T>>>,
}

impl<T> Sender<T> {
    /// Sends a message, waiting for room.
    ///
    /// # Errors
    /// Gives the message back if the receivers are gone.
    #[track_caller]
    pub fn send(&self, msg: T) -> Result<(), SendError<T>> {
        self.shared.send(msg, Deadline::NEVER).map_err(|(message, _)| SendError(message))
    }

    /// Sends a message if there is room.
    ///
    /// # Errors
    /// Gives the message back if there is none, or the receivers are gone.
    #[track_caller]
    pub fn try_send(&self, msg: T) -> Result<(), TrySendError<T>> {
        let mut message = Some(msg);
        let sent = self.shared.raw.try_send(|| self.shared.messages.borrow_mut().extend(message.take()));
        match (sent, message) {
            (Err(Refusal::Disconnected), Some(message)) => Err(TrySendError::Disconnected(message)),
            (Err(_), Some(message)) => Err(TrySendError::Full(message)),
            _ => Ok(()),
        }
    }

    /// Sends a message, waiting for room for at most this much virtual time.
    ///
    /// # Errors
    /// Gives the message back if the time is up, or the receivers are gone.
    #[track_caller]
    pub fn send_timeout(&self, msg: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        self.send_to(msg, Deadline::after(timeout))
    }

    /// The same, until this moment at most.
    ///
    /// # Errors
    /// Gives the message back if the time is up, or the receivers are gone.
    #[track_caller]
    pub fn send_deadline(&self, msg: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        self.send_to(msg, Deadline::at(deadline))
    }

    #[track_caller]
    fn inside(&self, name: &'static str) -> usize {
        self.shared.raw.len(name)
    }

    #[track_caller]
    fn send_to(&self, message: T, deadline: Deadline) -> Result<(), SendTimeoutError<T>> {
        self.shared.send(message, deadline).map_err(|(message, why)| match why {
            Refusal::TimedOut => SendTimeoutError::Timeout(message),
            _ => SendTimeoutError::Disconnected(message),
        })
    }
}

impl<T> Receiver<T> {
    /// Waits for a message.
    ///
    /// # Errors
    /// If there is none and the senders are gone.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.recv_to("recv", Deadline::NEVER).map_err(|_| RecvError)
    }

    /// Takes a message if there is one.
    ///
    /// # Errors
    /// If there is none.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        if let Some(timer) = &self.timer {
            timer.meet(&self.shared.raw, "try_recv");
            if let Some(message) = timer.take_due() {
                return Ok(message);
            }
        }
        match self.shared.raw.try_receive() {
            Ok(()) => Ok(self.shared.first()),
            Err(Refusal::Disconnected) => Err(TryRecvError::Disconnected),
            Err(_) => Err(TryRecvError::Empty),
        }
    }

    /// Waits for a message for at most this much virtual time.
    ///
    /// # Errors
    /// If the time is up, or there is no message and the senders are gone.
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.recv_to("recv_timeout", Deadline::after(timeout))
    }

    /// The same, until this moment at most.
    ///
    /// # Errors
    /// If the time is up, or there is no message and the senders are gone.
    #[track_caller]
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.recv_to("recv_deadline", Deadline::at(deadline))
    }

    #[track_caller]
    fn recv_to(&self, name: &'static str, deadline: Deadline) -> Result<T, RecvTimeoutError> {
        if let Some(timer) = &self.timer {
            return timer.wait(&self.shared.raw, name, deadline);
        }
        match self.shared.raw.receive(name, deadline) {
            Ok(()) => Ok(self.shared.first()),
            Err(Refusal::TimedOut) => Err(RecvTimeoutError::Timeout),
            Err(_) => Err(RecvTimeoutError::Disconnected),
        }
    }

    /// The messages until the senders are gone.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self }
    }

    /// The messages that are here now.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { receiver: self }
    }

    #[track_caller]
    fn inside(&self, name: &'static str) -> usize {
        let inside = self.shared.raw.len(name);
        self.timer.as_ref().map_or(inside, |timer| {
            timer.note_user();
            usize::from(timer.is_due())
        })
    }
}

macro_rules! half {
    ($name:ident, $add:ident $(, $timer:ident)?) => {
        impl<T> $name<T> {
            /// How many messages are inside.
            #[track_caller]
            pub fn len(&self) -> usize {
                self.inside("len")
            }

            /// Whether no message is inside.
            #[track_caller]
            pub fn is_empty(&self) -> bool {
                self.inside("is_empty") == 0
            }

            /// Whether there is no room.
            #[track_caller]
            pub fn is_full(&self) -> bool {
                let inside = self.inside("is_full");
                self.shared.raw.capacity().is_some_and(|most| inside >= most)
            }

            /// How many messages fit in; none for no limit.
            #[must_use]
            pub fn capacity(&self) -> Option<usize> {
                self.shared.raw.capacity()
            }

            /// Whether the two are halves of one channel.
            #[must_use]
            pub fn same_channel(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.shared, &other.shared)
            }
        }

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                self.shared.raw.$add();
                $name { shared: Arc::clone(&self.shared), $($timer: self.$timer.clone())? }
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(concat!(stringify!($name), " { .. }"))
            }
        }
    };
}

half!(Sender, add_sender);
half!(Receiver, add_receiver, timer);

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.raw.drop_sender();
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if self.shared.raw.drop_receiver() {
            // Taken out first: a message's destructor may come back to this channel.
            let lost = std::mem::take(&mut *self.shared.messages.borrow_mut());
            drop(lost);
        }
    }
}

/// The messages until the senders are gone.
#[derive(Debug)]
pub struct Iter<'a, T> {
    receiver: &'a Receiver<T>,
}

/// The messages that are here now.
#[derive(Debug)]
pub struct TryIter<'a, T> {
    receiver: &'a Receiver<T>,
}

/// The messages until the senders are gone.
#[derive(Debug)]
pub struct IntoIter<T> {
    receiver: Receiver<T>,
}

macro_rules! iterator {
    ($($name:ty, $receive:ident;)*) => {
        $(
            impl<T> Iterator for $name {
                type Item = T;

                #[track_caller]
                fn next(&mut self) -> Option<T> {
                    self.receiver.$receive().ok()
                }
            }
        )*
    };
}

iterator! {
    Iter<'_, T>, recv;
    TryIter<'_, T>, try_recv;
    IntoIter<T>, recv;
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter { receiver: self }
    }
}
