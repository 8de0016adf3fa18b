//! `std::sync::mpsc`, modelled.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::time::Duration;

pub use ::std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

use crate::raw::{Deadline, RawChannel, Refusal};

/// Both ends of a channel.
struct Shared<T> {
    raw: RawChannel,
    messages: RefCell<VecDeque<T>>,
}

// SAFETY: only the OS thread that explores touches the messages, one modelled thread at a time, and never across a switch.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: the same.
unsafe impl<T: Send> Sync for Shared<T> {}

// As of std's: a channel is whole after a panic.
impl<T> RefUnwindSafe for Shared<T> {}
impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}

impl<T> Shared<T> {
    #[track_caller]
    fn new(capacity: Option<usize>) -> Arc<Shared<T>> {
        Arc::new(Shared { raw: RawChannel::new::<T>(capacity), messages: RefCell::new(VecDeque::new()) })
    }

    #[track_caller]
    fn send(&self, message: T) -> Result<(), SendError<T>> {
        let message = RefCell::new(Some(message));
        let put = || self.messages.borrow_mut().extend(message.take());
        let take = |place| drop(message.replace(self.messages.borrow_mut().remove(place)));
        match self.raw.send(Deadline::NEVER, put, take) {
            Ok(()) => Ok(()),
            Err(_) => Err(SendError(message.into_inner().expect("a message that was not sent is still here"))),
        }
    }

    #[track_caller]
    fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let mut message = Some(message);
        let sent = self.raw.try_send(|| self.messages.borrow_mut().extend(message.take()));
        match (sent, message) {
            (Err(Refusal::Disconnected), Some(message)) => Err(TrySendError::Disconnected(message)),
            (Err(_), Some(message)) => Err(TrySendError::Full(message)),
            _ => Ok(()),
        }
    }

    fn first(&self) -> T {
        self.messages.borrow_mut().pop_front().expect("as many messages as tickets")
    }
}

/// A channel without a limit.
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Shared::new(None);
    (Sender { shared: Arc::clone(&shared) }, Receiver { shared, stays: Default::default() })
}

/// A channel that holds this many messages; with 0 each sender waits for a receiver.
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let shared = Shared::new(Some(bound));
    (SyncSender { shared: Arc::clone(&shared) }, Receiver { shared, stays: Default::default() })
}

/// The sending half of [`channel`].
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// The sending half of [`sync_channel`].
pub struct SyncSender<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Sender<T> {
    /// Sends a message. Never waits.
    ///
    /// # Errors
    /// Gives the message back if the receiver is gone.
    #[track_caller]
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        self.shared.send(t)
    }
}

impl<T> SyncSender<T> {
    /// Sends a message, waiting for room.
    ///
    /// # Errors
    /// Gives the message back if the receiver is gone.
    #[track_caller]
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        self.shared.send(t)
    }

    /// Sends a message if there is room.
    ///
    /// # Errors
    /// Gives the message back if there is none, or the receiver is gone.
    #[track_caller]
    pub fn try_send(&self, t: T) -> Result<(), TrySendError<T>> {
        self.shared.try_send(t)
    }
}

macro_rules! sender {
    ($name:ident) => {
        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                self.shared.raw.add_sender();
                $name { shared: Arc::clone(&self.shared) }
            }
        }

        impl<T> Drop for $name<T> {
            fn drop(&mut self) {
                self.shared.raw.drop_sender();
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

sender!(Sender);
sender!(SyncSender);

/// The receiving half of a channel.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// Not `Sync`.
    stays: std::marker::PhantomData<std::cell::Cell<()>>,
}

impl<T> Receiver<T> {
    /// Waits for a message.
    ///
    /// # Errors
    /// If there is none and the senders are gone.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        match self.shared.raw.receive("recv", Deadline::NEVER) {
            Ok(()) => Ok(self.shared.first()),
            Err(_) => Err(RecvError),
        }
    }

    /// Takes a message if there is one.
    ///
    /// # Errors
    /// If there is none.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        match self.shared.raw.try_receive() {
            Ok(()) => Ok(self.shared.first()),
            Err(Refusal::Disconnected) => Err(TryRecvError::Disconnected),
            Err(_) => Err(TryRecvError::Empty),
        }
    }

    /// Waits for a message, or until this much virtual time has passed.
    ///
    /// # Errors
    /// If the time is up, or there is no message and the senders are gone.
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        match self.shared.raw.receive("recv_timeout", Deadline::after(timeout)) {
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

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

/// The messages until the senders are gone.
#[derive(Debug)]
pub struct Iter<'a, T: 'a> {
    receiver: &'a Receiver<T>,
}

/// The messages that are here now.
#[derive(Debug)]
pub struct TryIter<'a, T: 'a> {
    receiver: &'a Receiver<T>,
}

/// The messages until the senders are gone.
#[derive(Debug)]
pub struct IntoIter<T> {
    receiver: Receiver<T>,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.receiver.try_recv().ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
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
