//! `tokio::sync::mpsc`.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::raw::{Awaited, RawLock, whole};
use std::real::sync::Mutex;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use real::sync::mpsc;

pub use real::sync::mpsc::error;

use crate::context;
use crate::steps::{Site, Steps, change, count, counted, look, once};
use error::{SendError, SendTimeoutError, TryRecvError, TrySendError};

/// The sending half of a channel with room for so many messages.
pub struct Sender<T> {
    raw: Arc<RawLock>,
    at: Site,
    /// Gone in the drop only.
    real: Option<mpsc::Sender<T>>,
}

/// A sender that does not keep the channel open.
pub struct WeakSender<T> {
    raw: Arc<RawLock>,
    at: Site,
    /// Gone in the drop only.
    real: Option<mpsc::WeakSender<T>>,
}

/// The receiving half of a channel with room for so many messages.
pub struct Receiver<T> {
    raw: Arc<RawLock>,
    at: Site,
    /// Gone in the drop only.
    real: Option<mpsc::Receiver<T>>,
}

/// The sending half of a channel without a limit.
pub struct UnboundedSender<T> {
    raw: Arc<RawLock>,
    at: Site,
    /// Gone in the drop only.
    real: Option<mpsc::UnboundedSender<T>>,
}

/// A sender that does not keep the channel open.
pub struct WeakUnboundedSender<T> {
    raw: Arc<RawLock>,
    at: Site,
    /// Gone in the drop only.
    real: Option<mpsc::WeakUnboundedSender<T>>,
}

/// The receiving half of a channel without a limit.
pub struct UnboundedReceiver<T> {
    raw: Arc<RawLock>,
    at: Site,
    /// Gone in the drop only.
    real: Option<mpsc::UnboundedReceiver<T>>,
}

/// A channel with room for so many messages.
///
/// # Panics
/// If that is 0, or more than `Semaphore::MAX_PERMITS`.
#[must_use]
#[track_caller]
pub fn channel<T>(buffer: usize) -> (Sender<T>, Receiver<T>) {
    let (raw, at) = (Arc::new(RawLock::new::<T>("channel")), Location::caller());
    let (sender, receiver) = mpsc::channel(buffer);
    (Sender { raw: Arc::clone(&raw), at, real: Some(sender) }, Receiver { raw, at, real: Some(receiver) })
}

/// A channel without a limit.
#[must_use]
#[track_caller]
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let (raw, at) = (Arc::new(RawLock::new::<T>("channel")), Location::caller());
    let (sender, receiver) = mpsc::unbounded_channel();
    (
        UnboundedSender { raw: Arc::clone(&raw), at, real: Some(sender) },
        UnboundedReceiver { raw, at, real: Some(receiver) },
    )
}

const HERE: &str = "it is here until it is dropped";

macro_rules! receiver {
    ($name:ident) => {
        impl<T> $name<T> {
            /// Waits for a message; none when there is none and the senders are gone, or this half was closed.
            #[track_caller]
            pub fn recv(&mut self) -> impl Future<Output = Option<T>> {
                let at = Location::caller();
                poll_fn(move |cx| self.poll_at(cx, at, |real, cx| real.poll_recv(cx)))
            }

            /// Waits for messages, and puts up to so many behind those in the buffer. Gives how many.
            #[track_caller]
            pub fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> impl Future<Output = usize> {
                let at = Location::caller();
                poll_fn(move |cx| self.poll_at(cx, at, |real, cx| real.poll_recv_many(cx, buffer, limit)))
            }

            /// Polls for a message.
            #[track_caller]
            pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
                self.poll_at(cx, Location::caller(), |real, cx| real.poll_recv(cx))
            }

            /// Polls for messages.
            #[track_caller]
            pub fn poll_recv_many(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<T>, limit: usize) -> Poll<usize> {
                self.poll_at(cx, Location::caller(), |real, cx| real.poll_recv_many(cx, buffer, limit))
            }

            fn poll_at<R>(
                &mut self,
                cx: &mut Context<'_>,
                at: Site,
                poll: impl FnOnce(&mut mpsc::$name<T>, &mut Context<'_>) -> Poll<R>,
            ) -> Poll<R> {
                if !context::spend() {
                    cx.waker().wake_by_ref();
                    context::awaits(Awaited::others(at));
                    return Poll::Pending;
                }
                self.raw.touch("recv", at);
                let real = self.real.as_mut().expect(HERE);
                let polled = whole(|| poll(real, cx));
                match &polled {
                    Poll::Ready(_) => self.raw.has_changed(),
                    Poll::Pending => context::awaits(Awaited::object(&self.raw, at)),
                }
                polled
            }

            /// A message, if there is one.
            ///
            /// # Errors
            /// If there is none.
            #[track_caller]
            pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
                let real = self.real.as_mut().expect(HERE);
                once(&self.raw, "try_recv", Location::caller(), Result::is_ok, || real.try_recv())
            }

            /// Waits for a message, blocking this thread.
            ///
            /// # Panics
            /// If this thread polls a future.
            #[track_caller]
            pub fn blocking_recv(&mut self) -> Option<T> {
                super::block_on(self.recv())
            }

            /// Waits for messages, blocking this thread.
            ///
            /// # Panics
            /// If this thread polls a future.
            #[track_caller]
            pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
                super::block_on(self.recv_many(buffer, limit))
            }

            /// Lets the senders send no more. What was sent can still be received.
            #[track_caller]
            pub fn close(&mut self) {
                let real = self.real.as_mut().expect(HERE);
                change(&self.raw, "close", Location::caller(), || real.close());
            }

            /// Whether nobody can send any more.
            #[must_use]
            #[track_caller]
            pub fn is_closed(&self) -> bool {
                look(&self.raw, "is_closed", Location::caller(), || self.real.as_ref().expect(HERE).is_closed())
            }

            /// Whether no message is inside.
            #[must_use]
            #[track_caller]
            pub fn is_empty(&self) -> bool {
                look(&self.raw, "is_empty", Location::caller(), || self.real.as_ref().expect(HERE).is_empty())
            }

            /// How many messages are inside.
            #[must_use]
            #[track_caller]
            pub fn len(&self) -> usize {
                look(&self.raw, "len", Location::caller(), || self.real.as_ref().expect(HERE).len())
            }

            /// How many senders keep the channel open.
            #[must_use]
            #[track_caller]
            pub fn sender_strong_count(&self) -> usize {
                count(&self.raw, Location::caller(), || self.real.as_ref().expect(HERE).sender_strong_count())
            }

            /// How many senders do not keep the channel open.
            #[must_use]
            #[track_caller]
            pub fn sender_weak_count(&self) -> usize {
                count(&self.raw, Location::caller(), || self.real.as_ref().expect(HERE).sender_weak_count())
            }
        }

        impl<T> Drop for $name<T> {
            fn drop(&mut self) {
                if let Some(mut real) = self.real.take() {
                    // Taken out one by one, since a message's destructor makes steps of its own, between which others go on.
                    let mut lost = change(&self.raw, "close", self.at, || {
                        real.close();
                        real.try_recv().ok()
                    });
                    while lost.is_some() {
                        drop(lost);
                        lost = whole(|| real.try_recv().ok());
                    }
                    whole(|| drop(real));
                }
            }
        }
        shown!($name);
    };
}

macro_rules! shown {
    ($name:ident) => {
        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

macro_rules! sender {
    ($name:ident, $weak:ident) => {
        impl<T> $name<T> {
            fn real(&self) -> &mpsc::$name<T> {
                self.real.as_ref().expect(HERE)
            }

            /// Waits until nobody can receive any more.
            #[track_caller]
            pub fn closed(&self) -> impl Future<Output = ()> {
                Steps::new(&*self.raw, "closed", Location::caller(), self.real().closed())
            }

            /// Whether nobody can receive any more.
            #[must_use]
            #[track_caller]
            pub fn is_closed(&self) -> bool {
                look(&self.raw, "is_closed", Location::caller(), || self.real().is_closed())
            }

            /// Whether the two send into one channel.
            #[must_use]
            pub fn same_channel(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.raw, &other.raw)
            }

            /// A sender that does not keep the channel open.
            #[must_use = "Downgrade creates a WeakSender without destroying the original non-weak sender."]
            #[track_caller]
            pub fn downgrade(&self) -> $weak<T> {
                let real = counted(&self.raw, "downgrade", Location::caller(), || self.real().downgrade());
                $weak { raw: Arc::clone(&self.raw), at: self.at, real: Some(real) }
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

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                let real = counted(&self.raw, "clone", self.at, || self.real.clone());
                $name { raw: Arc::clone(&self.raw), at: self.at, real }
            }
        }

        impl<T> Drop for $name<T> {
            fn drop(&mut self) {
                if let Some(real) = self.real.take() {
                    change(&self.raw, "close", self.at, || drop(real));
                }
            }
        }

        impl<T> $weak<T> {
            fn real(&self) -> &mpsc::$weak<T> {
                self.real.as_ref().expect(HERE)
            }

            /// A sender that keeps the channel open, if there is another one.
            #[track_caller]
            pub fn upgrade(&self) -> Option<$name<T>> {
                let real = change(&self.raw, "upgrade", Location::caller(), || self.real().upgrade())?;
                Some($name { raw: Arc::clone(&self.raw), at: self.at, real: Some(real) })
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

        impl<T> Clone for $weak<T> {
            fn clone(&self) -> Self {
                let real = counted(&self.raw, "clone", self.at, || self.real.clone());
                $weak { raw: Arc::clone(&self.raw), at: self.at, real }
            }
        }

        impl<T> Drop for $weak<T> {
            fn drop(&mut self) {
                if let Some(real) = self.real.take() {
                    counted(&self.raw, "drop", self.at, || drop(real));
                }
            }
        }

        shown!($name);
        shown!($weak);
    };
}

receiver!(Receiver);
receiver!(UnboundedReceiver);
sender!(Sender, WeakSender);
sender!(UnboundedSender, WeakUnboundedSender);

impl<T> UnboundedSender<T> {
    /// Sends a message.
    ///
    /// # Errors
    /// The message, if nobody can receive it.
    #[track_caller]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        once(&self.raw, "send", Location::caller(), Result::is_ok, || self.real().send(message))
    }
}

impl<T> Receiver<T> {
    /// How many more messages fit in.
    #[must_use]
    #[track_caller]
    pub fn capacity(&self) -> usize {
        look(&self.raw, "capacity", Location::caller(), || self.real.as_ref().expect(HERE).capacity())
    }

    /// How many messages fit in.
    #[must_use]
    pub fn max_capacity(&self) -> usize {
        self.real.as_ref().expect(HERE).max_capacity()
    }
}

impl<T> Sender<T> {
    /// Sends a message, waiting for room.
    #[track_caller]
    pub fn send(&self, value: T) -> impl Future<Output = Result<(), SendError<T>>> {
        // A value that is not sent is not dropped together with the future, but after it, as one that makes steps of its own.
        let kept = Arc::new(Mutex::new(Some(value)));
        let (taken, real) = (Arc::clone(&kept), self.real());
        let sends = async move {
            let reserved = real.reserve().await;
            let value = taken.lock().ok().and_then(|mut value| value.take()).expect("it is sent once");
            match reserved {
                Ok(permit) => {
                    permit.send(value);
                    Ok(())
                }
                Err(_) => Err(SendError(value)),
            }
        };
        let steps = Steps::new(&*self.raw, "send", Location::caller(), sends);
        async move {
            let _kept = kept;
            steps.await
        }
    }

    /// The same, for at most so much virtual time.
    #[track_caller]
    pub fn send_timeout(&self, value: T, timeout: Duration) -> impl Future<Output = Result<(), SendTimeoutError<T>>> {
        let reserved = crate::time::timeout(timeout, self.reserve());
        async move {
            match reserved.await {
                Ok(Ok(permit)) => {
                    permit.send(value);
                    Ok(())
                }
                Ok(Err(_)) => Err(SendTimeoutError::Closed(value)),
                Err(_) => Err(SendTimeoutError::Timeout(value)),
            }
        }
    }

    /// Sends a message if there is room.
    ///
    /// # Errors
    /// The message, if there is none, or nobody can receive it.
    #[track_caller]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        once(&self.raw, "try_send", Location::caller(), Result::is_ok, || self.real().try_send(message))
    }

    /// Sends a message, blocking this thread until there is room.
    ///
    /// # Errors
    /// The message, if nobody can receive it.
    ///
    /// # Panics
    /// If this thread polls a future.
    #[track_caller]
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        super::block_on(self.send(value))
    }

    /// Waits for room for a message, and keeps it.
    #[track_caller]
    pub fn reserve(&self) -> impl Future<Output = Result<Permit<'_, T>, SendError<()>>> {
        let at = Location::caller();
        let reserved = Steps::new(&*self.raw, "reserve", at, self.real().reserve());
        async move { Ok(Permit { raw: &self.raw, at, real: Some(reserved.await?) }) }
    }

    /// Waits for room for messages, and keeps it.
    #[track_caller]
    pub fn reserve_many(&self, n: usize) -> impl Future<Output = Result<PermitIterator<'_, T>, SendError<()>>> {
        let at = Location::caller();
        let reserved = Steps::new(&*self.raw, "reserve", at, self.real().reserve_many(n));
        async move { Ok(PermitIterator { raw: &self.raw, at, real: Some(reserved.await?) }) }
    }

    /// Waits for room for a message, and keeps it and the sender.
    #[track_caller]
    pub fn reserve_owned(mut self) -> impl Future<Output = Result<OwnedPermit<T>, SendError<()>>> {
        let at = Location::caller();
        let (raw, real) = (Arc::clone(&self.raw), self.real.take().expect(HERE));
        let mut reserved = Steps::new(Arc::clone(&raw), "reserve", at, real.reserve_owned());
        // The sender goes with it, also before it is polled.
        reserved.note_waiting();
        async move { Ok(OwnedPermit { raw, at, real: Some(reserved.await?) }) }
    }

    /// Room for a message, if there is any.
    ///
    /// # Errors
    /// If there is none, or nobody can receive.
    #[track_caller]
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        let at = Location::caller();
        let real = once(&self.raw, "try_reserve", at, Result::is_ok, || self.real().try_reserve())?;
        Ok(Permit { raw: &self.raw, at, real: Some(real) })
    }

    /// Room for messages, if there is so much.
    ///
    /// # Errors
    /// If there is not, or nobody can receive.
    #[track_caller]
    pub fn try_reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, TrySendError<()>> {
        let at = Location::caller();
        let real = once(&self.raw, "try_reserve", at, Result::is_ok, || self.real().try_reserve_many(n))?;
        Ok(PermitIterator { raw: &self.raw, at, real: Some(real) })
    }

    /// Room for a message and the sender with it, if there is any.
    ///
    /// # Errors
    /// The sender, if there is none, or nobody can receive.
    #[track_caller]
    pub fn try_reserve_owned(mut self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        let (raw, at) = (Arc::clone(&self.raw), Location::caller());
        let real = self.real.take().expect(HERE);
        let sender = |real| Sender { raw: Arc::clone(&raw), at, real: Some(real) };
        match once(&raw, "try_reserve", at, Result::is_ok, || real.try_reserve_owned()) {
            Ok(real) => Ok(OwnedPermit { raw: Arc::clone(&raw), at, real: Some(real) }),
            Err(TrySendError::Full(real)) => Err(TrySendError::Full(sender(real))),
            Err(TrySendError::Closed(real)) => Err(TrySendError::Closed(sender(real))),
        }
    }

    /// How many more messages fit in.
    #[must_use]
    #[track_caller]
    pub fn capacity(&self) -> usize {
        look(&self.raw, "capacity", Location::caller(), || self.real().capacity())
    }

    /// How many messages fit in.
    #[must_use]
    pub fn max_capacity(&self) -> usize {
        self.real().max_capacity()
    }
}

/// Room for a message.
pub struct Permit<'a, T> {
    raw: &'a Arc<RawLock>,
    at: Site,
    /// Gone when it is used.
    real: Option<mpsc::Permit<'a, T>>,
}

/// Room for messages.
pub struct PermitIterator<'a, T> {
    raw: &'a Arc<RawLock>,
    at: Site,
    /// Gone in the drop only.
    real: Option<mpsc::PermitIterator<'a, T>>,
}

/// Room for a message, and the sender.
pub struct OwnedPermit<T> {
    raw: Arc<RawLock>,
    at: Site,
    /// Gone when it is used.
    real: Option<mpsc::OwnedPermit<T>>,
}

impl<T> Permit<'_, T> {
    /// Sends a message.
    #[track_caller]
    pub fn send(mut self, value: T) {
        let real = self.real.take().expect("it sends once");
        change(self.raw, "send", Location::caller(), || real.send(value));
    }
}

impl<T> OwnedPermit<T> {
    /// Sends a message and gives the sender back.
    #[track_caller]
    pub fn send(mut self, value: T) -> Sender<T> {
        let real = self.real.take().expect("it sends once");
        let real = change(&self.raw, "send", Location::caller(), || real.send(value));
        Sender { raw: Arc::clone(&self.raw), at: self.at, real: Some(real) }
    }

    /// Whether the two send into one channel.
    #[must_use]
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.raw, &other.raw)
    }

    /// Whether the sender sends into the same channel.
    #[must_use]
    pub fn same_channel_as_sender(&self, sender: &Sender<T>) -> bool {
        Arc::ptr_eq(&self.raw, &sender.raw)
    }

    /// Gives the sender back, and the room.
    #[track_caller]
    pub fn release(mut self) -> Sender<T> {
        let real = self.real.take().expect("it sends once");
        let real = change(&self.raw, "release", Location::caller(), || real.release());
        Sender { raw: Arc::clone(&self.raw), at: self.at, real: Some(real) }
    }
}

impl<'a, T> Iterator for PermitIterator<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Permit<'a, T>> {
        let real = self.real.as_mut()?.next()?;
        Some(Permit { raw: self.raw, at: self.at, real: Some(real) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.real.as_ref().map_or((0, Some(0)), Iterator::size_hint)
    }
}

impl<T> ExactSizeIterator for PermitIterator<'_, T> {}

macro_rules! permit {
    ($name:ident, $type:ty) => {
        impl<T> Drop for $type {
            fn drop(&mut self) {
                if let Some(real) = self.real.take() {
                    change(&self.raw, "release", self.at, || drop(real));
                }
            }
        }

        impl<T> fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

permit!(Permit, Permit<'_, T>);
permit!(PermitIterator, PermitIterator<'_, T>);
permit!(OwnedPermit, OwnedPermit<T>);
