//! `tokio::sync`. The semaphore and the channels are tokio's own, and each poll of theirs is one step; locks are built on the
//! semaphore, as tokio's are. `watch` is the model's, since its readers hold a lock that others must be seen to wait for.

mod barrier;
pub mod broadcast;
mod fair;
pub mod mpsc;
mod mutex;
mod notify;
mod once_cell;
pub mod oneshot;
mod rwlock;
mod semaphore;
mod set_once;
pub mod watch;

pub use barrier::Barrier;
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
pub use notify::Notify;
pub use once_cell::{OnceCell, SetError};
pub use real::sync::{AcquireError, BarrierWaitResult, TryAcquireError, TryLockError};
pub use rwlock::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, RwLockMappedWriteGuard,
    RwLockReadGuard, RwLockWriteGuard,
};
pub use semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
pub use set_once::{SetOnce, SetOnceError};

/// Futures that are named.
pub mod futures {
    pub use super::notify::{Notified, OwnedNotified};
}

/// Blocks this thread until the future is ready.
///
/// # Panics
/// If this thread polls another one.
#[track_caller]
pub(crate) fn block_on<F: std::future::Future>(future: F) -> F::Output {
    let polls = crate::context::with(|context| context.polls);
    assert!(
        !polls,
        "Cannot block the current thread from within a runtime. This happens because a function attempted to block the current \
         thread while the thread is being used to drive asynchronous tasks."
    );
    crate::runtime::block_without_runtime(future)
}
