//! `tokio::sync::watch`: the newest value for all. The value is under a lock of the model's: whoever borrows it holds up who sends.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::panic::Location;
use std::pin::pin;
use std::raw::{Awaited, RawLock};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::task::Poll;

use real::sync::watch;

pub use real::sync::watch::error;

use super::Notify;
use crate::context;
use crate::one_thread::OneThread;
use crate::steps::{Site, change, count, counted, look};
use error::{RecvError, SendError};

struct Shared<T> {
    value: RwLock<T>,
    /// Where the counts and the version are met at.
    raw: RawLock,
    counts: OneThread<Counts>,
    /// Called when a value was sent or the last sender has gone.
    news: Notify,
    /// Called when the last receiver has gone.
    alone: Notify,
}

struct Counts {
    version: u64,
    senders: usize,
    receivers: usize,
}

/// Sends values.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
    at: Site,
}

/// Sees the newest value.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    at: Site,
    /// The version that it has seen.
    seen: u64,
}

/// The value, borrowed: nobody can send meanwhile.
pub struct Ref<'a, T> {
    value: RwLockReadGuard<'a, T>,
    has_changed: bool,
}

impl<T> Ref<'_, T> {
    /// Whether the receiver had not seen it yet.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.has_changed
    }
}

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Ref<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ref").field("inner", &&*self.value).field("has_changed", &self.has_changed).finish()
    }
}

/// A channel with this value.
#[must_use]
#[track_caller]
pub fn channel<T>(init: T) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(init);
    let receiver = sender.subscribe_silently(Location::caller());
    (sender, receiver)
}

/// tokio's own error for a channel that is closed, which only tokio can make.
fn closed() -> RecvError {
    let (sender, receiver) = watch::channel(());
    drop(sender);
    receiver.has_changed().expect_err("its sender is gone")
}

impl<T> Shared<T> {
    #[track_caller]
    fn borrow(&self) -> RwLockReadGuard<'_, T> {
        self.value.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn look<R>(&self, name: &'static str, at: Site, f: impl FnOnce(&mut Counts) -> R) -> R {
        look(&self.raw, name, at, || self.counts.with(f))
    }

    fn change<R>(&self, name: &'static str, at: Site, f: impl FnOnce(&mut Counts) -> R) -> R {
        change(&self.raw, name, at, || self.counts.with(f))
    }

    /// Waits for another version than was seen, which is seen then.
    fn changed(&self, seen: &mut u64, at: Site) -> impl Future<Output = Result<(), RecvError>> {
        self.until(&self.news, at, move || {
            let (version, senders) = self.look("changed", at, |counts| (counts.version, counts.senders));
            if version != *seen {
                *seen = version;
                return Some(Ok(()));
            }
            (senders == 0).then(|| Err(closed()))
        })
    }

    /// Waits for a notification until `ready` gives something.
    async fn until<R>(&self, notify: &Notify, at: Site, mut ready: impl FnMut() -> Option<R>) -> R {
        loop {
            // Made before the look, so that nothing is missed in between.
            let notified = notify.notified();
            if let Some(result) = ready() {
                return result;
            }
            let mut notified = pin!(notified);
            std::future::poll_fn(|cx| {
                context::awaits(Awaited::object(&self.raw, at));
                let polled: Poll<()> = notified.as_mut().poll(cx);
                polled
            })
            .await;
        }
    }
}

impl<T> Sender<T> {
    /// A channel without a receiver.
    #[must_use]
    #[track_caller]
    pub fn new(init: T) -> Sender<T> {
        let shared = Shared {
            value: RwLock::new(init),
            raw: RawLock::new::<T>("watch"),
            counts: OneThread::new(Counts { version: 0, senders: 1, receivers: 0 }),
            news: Notify::new(),
            alone: Notify::new(),
        };
        Sender { shared: Arc::new(shared), at: Location::caller() }
    }

    /// Sends a value.
    ///
    /// # Errors
    /// The value, if there is no receiver.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.receiver_count() == 0 {
            return Err(SendError(value));
        }
        self.send_replace(value);
        Ok(())
    }

    /// Changes the value.
    #[track_caller]
    pub fn send_modify<F: FnOnce(&mut T)>(&self, modify: F) {
        self.send_if_modified(|value| {
            modify(value);
            true
        });
    }

    /// Changes the value; the receivers are told if `modify` says so, and so does this.
    #[track_caller]
    pub fn send_if_modified<F: FnOnce(&mut T) -> bool>(&self, modify: F) -> bool {
        let at = Location::caller();
        let mut value = self.shared.value.write().unwrap_or_else(PoisonError::into_inner);
        let modified = modify(&mut value);
        if modified {
            self.shared.change("send", at, |counts| counts.version += 1);
        }
        drop(value);
        if modified {
            self.shared.news.notify_waiters();
        }
        modified
    }

    /// Sends a value, also where there is no receiver. Gives the one before.
    #[track_caller]
    pub fn send_replace(&self, mut value: T) -> T {
        self.send_modify(|old| std::mem::swap(old, &mut value));
        value
    }

    /// The value.
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        Ref { value: self.shared.borrow(), has_changed: false }
    }

    /// Whether there is no receiver.
    #[must_use]
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        self.receiver_count() == 0
    }

    /// Waits until there is no receiver.
    #[track_caller]
    pub fn closed(&self) -> impl Future<Output = ()> {
        let at = Location::caller();
        let is_closed = move || self.shared.look("closed", at, |counts| (counts.receivers == 0).then_some(()));
        self.shared.until(&self.shared.alone, at, is_closed)
    }

    /// One more receiver, which has seen the value.
    #[must_use]
    #[track_caller]
    pub fn subscribe(&self) -> Receiver<T> {
        let at = Location::caller();
        self.shared.raw.touch("subscribe", at);
        self.subscribe_silently(at)
    }

    fn subscribe_silently(&self, at: Site) -> Receiver<T> {
        let seen = self.shared.counts.with(|counts| {
            counts.receivers += 1;
            counts.version
        });
        Receiver { shared: Arc::clone(&self.shared), at, seen }
    }

    /// How many receivers there are.
    #[must_use]
    #[track_caller]
    pub fn receiver_count(&self) -> usize {
        self.shared.look("count", Location::caller(), |counts| counts.receivers)
    }

    /// How many senders there are.
    #[must_use]
    #[track_caller]
    pub fn sender_count(&self) -> usize {
        count(&self.shared.raw, Location::caller(), || self.shared.counts.with(|counts| counts.senders))
    }

    /// Whether the two send into one channel.
    #[must_use]
    pub fn same_channel(&self, other: &Sender<T>) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        let count = || self.shared.counts.with(|counts| counts.senders += 1);
        counted(&self.shared.raw, "clone", self.at, count);
        Sender { shared: Arc::clone(&self.shared), at: self.at }
    }
}

impl<T: Default> Default for Sender<T> {
    #[track_caller]
    fn default() -> Sender<T> {
        Sender::new(T::default())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let left = self.shared.change("close", self.at, |counts| {
            counts.senders -= 1;
            counts.senders
        });
        if left == 0 {
            self.shared.news.notify_waiters();
        }
    }
}

impl<T> Receiver<T> {
    /// The value; it stays unseen.
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        let at = Location::caller();
        let value = self.shared.borrow();
        let version = self.shared.look("borrow", at, |counts| counts.version);
        Ref { value, has_changed: version != self.seen }
    }

    /// The value, which it has seen then.
    #[track_caller]
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        let at = Location::caller();
        let value = self.shared.borrow();
        let version = self.shared.look("borrow", at, |counts| counts.version);
        let before = std::mem::replace(&mut self.seen, version);
        Ref { value, has_changed: version != before }
    }

    /// Whether there is a value that it has not seen.
    ///
    /// # Errors
    /// If the senders are gone.
    #[track_caller]
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        let (version, senders) =
            self.shared.look("has_changed", Location::caller(), |counts| (counts.version, counts.senders));
        if senders == 0 { Err(closed()) } else { Ok(version != self.seen) }
    }

    /// Whether the senders are gone.
    #[must_use]
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        self.shared.look("is_closed", Location::caller(), |counts| counts.senders == 0)
    }

    /// Takes the value for one that it has not seen.
    pub fn mark_changed(&mut self) {
        self.seen = u64::MAX;
    }

    /// Takes the value for one that it has seen.
    #[track_caller]
    pub fn mark_unchanged(&mut self) {
        self.seen = self.shared.look("mark_unchanged", Location::caller(), |counts| counts.version);
    }

    /// Waits for a value that it has not seen, which it has seen then.
    #[track_caller]
    pub fn changed(&mut self) -> impl Future<Output = Result<(), RecvError>> {
        self.shared.changed(&mut self.seen, Location::caller())
    }

    /// Waits for a value that `f` is true of.
    #[track_caller]
    pub fn wait_for(&mut self, mut f: impl FnMut(&T) -> bool) -> impl Future<Output = Result<Ref<'_, T>, RecvError>> {
        let at = Location::caller();
        let (shared, seen) = (&self.shared, &mut self.seen);
        async move {
            let mut open = true;
            loop {
                {
                    let value = shared.value.read().unwrap_or_else(PoisonError::into_inner);
                    let version = shared.look("wait_for", at, |counts| counts.version);
                    let has_changed = version != std::mem::replace(seen, version);
                    // Nobody sends between the look and what is given.
                    if (open || has_changed) && f(&value) {
                        return Ok(Ref { value, has_changed });
                    }
                }
                if !open {
                    return Err(closed());
                }
                open = shared.changed(seen, at).await.is_ok();
            }
        }
    }

    /// Whether the two receive from one channel.
    #[must_use]
    pub fn same_channel(&self, other: &Receiver<T>) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Receiver<T> {
        self.shared.raw.touch("clone", self.at);
        self.shared.counts.with(|counts| counts.receivers += 1);
        Receiver { shared: Arc::clone(&self.shared), at: self.at, seen: self.seen }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let left = self.shared.change("close", self.at, |counts| {
            counts.receivers -= 1;
            counts.receivers
        });
        if left == 0 {
            self.shared.alone.notify_waiters();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl<T: fmt::Debug> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("version", &self.seen).finish_non_exhaustive()
    }
}
