//! `tokio::sync::broadcast`.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::raw::RawLock;
use std::sync::Arc;

use real::sync::broadcast;

pub use real::sync::broadcast::error;

use crate::steps::{Site, Steps, change, count, counted, look, once};
use error::{RecvError, SendError, TryRecvError};

/// The sending half.
pub struct Sender<T> {
    raw: Arc<RawLock>,
    at: Site,
    /// Gone in the drop only.
    real: Option<broadcast::Sender<T>>,
}

/// A sender that does not keep the channel open.
pub struct WeakSender<T> {
    raw: Arc<RawLock>,
    at: Site,
    /// Gone in the drop only.
    real: Option<broadcast::WeakSender<T>>,
}

/// A receiving half: it gets whatever is sent after it was made.
pub struct Receiver<T> {
    raw: Arc<RawLock>,
    at: Site,
    /// Gone in the drop only.
    real: Option<broadcast::Receiver<T>>,
}

const HERE: &str = "it is here until it is dropped";

/// A channel that keeps so many messages for those who have not received them yet.
///
/// # Panics
/// If that is 0, or more than half of `usize::MAX`.
#[must_use]
#[track_caller]
pub fn channel<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let (raw, at) = (Arc::new(RawLock::new::<T>("broadcast")), Location::caller());
    let (sender, receiver) = broadcast::channel(capacity);
    (Sender { raw: Arc::clone(&raw), at, real: Some(sender) }, Receiver { raw, at, real: Some(receiver) })
}

impl<T> Sender<T> {
    /// A channel without a receiver.
    ///
    /// # Panics
    /// If the capacity is 0, or more than half of `usize::MAX`.
    #[must_use]
    #[track_caller]
    pub fn new(capacity: usize) -> Sender<T> {
        let raw = Arc::new(RawLock::new::<T>("broadcast"));
        Sender { raw, at: Location::caller(), real: Some(broadcast::Sender::new(capacity)) }
    }

    fn real(&self) -> &broadcast::Sender<T> {
        self.real.as_ref().expect(HERE)
    }

    /// Sends a message to all receivers. Gives how many there are.
    ///
    /// # Errors
    /// The message, if there is none.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        once(&self.raw, "send", Location::caller(), Result::is_ok, || self.real().send(value))
    }

    /// One more receiver.
    #[must_use]
    #[track_caller]
    pub fn subscribe(&self) -> Receiver<T> {
        let at = Location::caller();
        let real = change(&self.raw, "subscribe", at, || self.real().subscribe());
        Receiver { raw: Arc::clone(&self.raw), at, real: Some(real) }
    }

    /// A sender that does not keep the channel open.
    #[must_use = "Downgrade creates a WeakSender without destroying the original non-weak sender."]
    #[track_caller]
    pub fn downgrade(&self) -> WeakSender<T> {
        let real = counted(&self.raw, "downgrade", Location::caller(), || self.real().downgrade());
        WeakSender { raw: Arc::clone(&self.raw), at: self.at, real: Some(real) }
    }

    /// How many messages are kept.
    #[must_use]
    #[track_caller]
    pub fn len(&self) -> usize {
        look(&self.raw, "len", Location::caller(), || self.real().len())
    }

    /// Whether no message is kept.
    #[must_use]
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        look(&self.raw, "is_empty", Location::caller(), || self.real().is_empty())
    }

    /// How many receivers there are.
    #[must_use]
    #[track_caller]
    pub fn receiver_count(&self) -> usize {
        look(&self.raw, "count", Location::caller(), || self.real().receiver_count())
    }

    /// Whether the two send into one channel.
    #[must_use]
    pub fn same_channel(&self, other: &Sender<T>) -> bool {
        Arc::ptr_eq(&self.raw, &other.raw)
    }

    /// Waits until there is no receiver.
    #[track_caller]
    pub fn closed(&self) -> impl Future<Output = ()> {
        Steps::new(&*self.raw, "closed", Location::caller(), self.real().closed())
    }

    /// How many senders keep the channel open.
    #[must_use]
    #[track_caller]
    pub fn strong_count(&self) -> usize {
        count(&self.raw, Location::caller(), || self.real().strong_count())
    }

    /// How many senders do not keep the channel open.
    #[must_use]
    #[track_caller]
    pub fn weak_count(&self) -> usize {
        count(&self.raw, Location::caller(), || self.real().weak_count())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        let real = counted(&self.raw, "clone", self.at, || self.real.clone());
        Sender { raw: Arc::clone(&self.raw), at: self.at, real }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if let Some(real) = self.real.take() {
            change(&self.raw, "close", self.at, || drop(real));
        }
    }
}

impl<T> WeakSender<T> {
    fn real(&self) -> &broadcast::WeakSender<T> {
        self.real.as_ref().expect(HERE)
    }

    /// A sender that keeps the channel open, if there is another one.
    #[must_use]
    #[track_caller]
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let real = change(&self.raw, "upgrade", Location::caller(), || self.real().upgrade())?;
        Some(Sender { raw: Arc::clone(&self.raw), at: self.at, real: Some(real) })
    }

    /// How many senders keep the channel open.
    #[must_use]
    #[track_caller]
    pub fn strong_count(&self) -> usize {
        count(&self.raw, Location::caller(), || self.real().strong_count())
    }

    /// How many senders do not keep the channel open.
    #[must_use]
    #[track_caller]
    pub fn weak_count(&self) -> usize {
        count(&self.raw, Location::caller(), || self.real().weak_count())
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> WeakSender<T> {
        let real = counted(&self.raw, "clone", self.at, || self.real.clone());
        WeakSender { raw: Arc::clone(&self.raw), at: self.at, real }
    }
}

impl<T> Drop for WeakSender<T> {
    fn drop(&mut self) {
        if let Some(real) = self.real.take() {
            counted(&self.raw, "drop", self.at, || drop(real));
        }
    }
}

impl<T> Receiver<T> {
    fn real(&self) -> &broadcast::Receiver<T> {
        self.real.as_ref().expect(HERE)
    }

    /// How many messages wait for this receiver.
    #[must_use]
    #[track_caller]
    pub fn len(&self) -> usize {
        look(&self.raw, "len", Location::caller(), || self.real().len())
    }

    /// Whether no message waits for this receiver.
    #[must_use]
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        look(&self.raw, "is_empty", Location::caller(), || self.real().is_empty())
    }

    /// Whether the two receive from one channel.
    #[must_use]
    pub fn same_channel(&self, other: &Receiver<T>) -> bool {
        Arc::ptr_eq(&self.raw, &other.raw)
    }

    /// Whether the senders are gone.
    #[must_use]
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        look(&self.raw, "is_closed", Location::caller(), || self.real().is_closed())
    }

    /// How many senders keep the channel open.
    #[must_use]
    #[track_caller]
    pub fn sender_strong_count(&self) -> usize {
        count(&self.raw, Location::caller(), || self.real().sender_strong_count())
    }

    /// How many senders do not keep the channel open.
    #[must_use]
    #[track_caller]
    pub fn sender_weak_count(&self) -> usize {
        count(&self.raw, Location::caller(), || self.real().sender_weak_count())
    }
}

impl<T: Clone> Receiver<T> {
    /// A receiver of whatever is sent from now on.
    #[must_use]
    #[track_caller]
    pub fn resubscribe(&self) -> Receiver<T> {
        let at = Location::caller();
        let real = change(&self.raw, "subscribe", at, || self.real().resubscribe());
        Receiver { raw: Arc::clone(&self.raw), at, real: Some(real) }
    }

    /// Waits for the next message.
    #[track_caller]
    pub fn recv(&mut self) -> impl Future<Output = Result<T, RecvError>> {
        let at = Location::caller();
        Steps::new(&*self.raw, "recv", at, self.real.as_mut().expect(HERE).recv())
    }

    /// The next message, if there is one.
    ///
    /// # Errors
    /// If there is none.
    #[track_caller]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let real = self.real.as_mut().expect(HERE);
        once(&self.raw, "try_recv", Location::caller(), Result::is_ok, || real.try_recv())
    }

    /// Waits for the next message, blocking this thread.
    ///
    /// # Errors
    /// If the senders are gone, or messages were lost.
    ///
    /// # Panics
    /// If this thread polls a future.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        super::block_on(self.recv())
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let Some(real) = self.real.take() {
            change(&self.raw, "close", self.at, || drop(real));
        }
    }
}

macro_rules! shown {
    ($($name:ident)*) => {
        $(
            impl<T> fmt::Debug for $name<T> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_struct(concat!("broadcast::", stringify!($name))).finish_non_exhaustive()
                }
            }
        )*
    };
}

shown!(Sender WeakSender Receiver);
