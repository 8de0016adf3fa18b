//! `tokio::time`, in virtual time: it passes only when nobody can go on (or at any time, where the test asks for hostile timeouts).

mod instant;
mod interval;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::Location;
use std::pin::Pin;
use std::raw::{self, Awaited, whole};
use std::task::{Context, Poll, Waker};
use std::thread::Thread;

pub use std::time::Duration;

pub use instant::Instant;
pub use interval::{Interval, MissedTickBehavior, interval, interval_at};

use crate::context;
use crate::one_thread::{Carried, OneThread};
use crate::runtime::Handle;
use crate::steps::Site;

/// What `tokio::time` fails with.
pub mod error {
    use std::error::Error;
    use std::fmt;
    use std::io;

    /// The time was up.
    #[derive(Debug, PartialEq, Eq)]
    pub struct Elapsed(pub(super) ());

    impl fmt::Display for Elapsed {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.pad("deadline has elapsed")
        }
    }

    impl Error for Elapsed {}

    impl From<Elapsed> for io::Error {
        fn from(_: Elapsed) -> io::Error {
            io::ErrorKind::TimedOut.into()
        }
    }
}

/// The timers of a runtime, which a thread of the model fires.
#[derive(Default)]
pub(crate) struct Timers {
    inside: OneThread<Inside>,
}

#[derive(Default)]
struct Inside {
    waiting: Vec<(Instant, u64, Waker)>,
    thread: Option<Thread>,
    shut_down: bool,
}

impl Timers {
    /// Lets the waker be called at this moment, instead of what was set under this number before.
    fn set(handle: &Handle, moment: Instant, number: u64, waker: Waker, at: Site) {
        let timers = handle.shared.timers.as_ref().expect("there are timers, or nobody could sleep");
        let thread = timers.inside.with(|inside| {
            inside.waiting.retain(|waiting| waiting.1 != number);
            inside.waiting.push((moment, number, waker));
            inside.thread.clone()
        });
        if let Some(thread) = thread {
            raw::set_alarm(&thread, moment.into_std());
            return;
        }
        let carried = Carried(handle.clone());
        let fire = move || {
            raw::serve();
            let handle = carried.unpack();
            if let Some(timers) = &handle.shared.timers {
                timers.fire();
            }
        };
        let thread = raw::start_thread("timer".to_string(), at, fire);
        timers.inside.with(|inside| inside.thread = Some(thread));
    }

    fn forget(&self, number: u64) {
        self.inside.with(|inside| inside.waiting.retain(|waiting| waiting.1 != number));
    }

    /// Calls the wakers whose moments have come, again and again.
    fn fire(&self) {
        loop {
            let first = self.inside.with(|inside| inside.waiting.iter().map(|waiting| waiting.0).min());
            raw::wait_for_alarm(first.map(Instant::into_std));
            let now = Instant::now();
            let (due, over) = self.inside.with(|inside| {
                let due: Vec<_> = inside.waiting.extract_if(.., |waiting| waiting.0 <= now).collect();
                (due, inside.shut_down)
            });
            if over {
                return;
            }
            whole(|| due.into_iter().for_each(|(_, _, waker)| waker.wake()));
        }
    }

    pub(crate) fn shut_down(&self) {
        let thread = self.inside.with(|inside| {
            inside.shut_down = true;
            inside.thread.take()
        });
        if let Some(thread) = thread {
            raw::set_alarm(&thread, std::time::Instant::now());
        }
    }
}

/// The model of `tokio::time::Sleep`.
pub struct Sleep {
    deadline: Instant,
    handle: Handle,
    at: Site,
    /// Its number among the timers, once it was polled.
    number: Option<u64>,
    /// Not `Unpin`, as tokio's.
    _pinned: std::marker::PhantomPinned,
}

/// Waits until so much virtual time has passed.
///
/// # Panics
/// If this thread is in no runtime, or in one without time.
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    sleep_until(Instant::now().after(duration))
}

/// Waits until this moment.
///
/// # Panics
/// If this thread is in no runtime, or in one without time.
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    let handle = Handle::current();
    assert!(handle.shared.timers.is_some(), "{NO_TIME}");
    Sleep { deadline, handle, at: Location::caller(), number: None, _pinned: std::marker::PhantomPinned }
}

const NO_TIME: &str = "A Tokio 1.x context was found, but timers are disabled. Call `enable_time` on the runtime builder to enable timers.";

impl Sleep {
    /// When it is ready.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether it is ready.
    #[must_use]
    #[track_caller]
    pub fn is_elapsed(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Lets it be ready at another moment.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        // SAFETY: nothing is moved.
        unsafe { self.get_unchecked_mut() }.set(deadline);
    }

    fn set(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: nothing is moved.
        let this = unsafe { self.get_unchecked_mut() };
        if !context::spend() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if this.is_elapsed() {
            return Poll::Ready(());
        }
        let number = *this.number.get_or_insert_with(raw::next_number);
        Timers::set(&this.handle, this.deadline, number, cx.waker().clone(), this.at);
        context::awaits(Awaited::nothing(this.at));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let (Some(number), Some(timers)) = (self.number, &self.handle.shared.timers) {
            timers.forget(number);
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

pin_project_lite::pin_project! {
    /// The model of `tokio::time::Timeout`.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    #[derive(Debug)]
    pub struct Timeout<T> {
        #[pin]
        future: T,
        #[pin]
        sleep: Sleep,
    }
}

/// The future, for at most so much virtual time.
///
/// # Panics
/// If this thread is in no runtime, or in one without time.
#[track_caller]
pub fn timeout<F: IntoFuture>(duration: Duration, future: F) -> Timeout<F::IntoFuture> {
    Timeout { future: future.into_future(), sleep: sleep(duration) }
}

/// The future, until this moment at most.
///
/// # Panics
/// If this thread is in no runtime, or in one without time.
#[track_caller]
pub fn timeout_at<F: IntoFuture>(deadline: Instant, future: F) -> Timeout<F::IntoFuture> {
    Timeout { future: future.into_future(), sleep: sleep_until(deadline) }
}

impl<T> Timeout<T> {
    /// The future.
    pub fn get_ref(&self) -> &T {
        &self.future
    }

    /// The future.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.future
    }

    /// The future, without a limit.
    pub fn into_inner(self) -> T {
        self.future
    }
}

impl<T: Future> Future for Timeout<T> {
    type Output = Result<T::Output, error::Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        // The limit holds also for what uses up the budget.
        context::unlimited(|| this.sleep.poll(cx)).map(|()| Err(error::Elapsed(())))
    }
}

/// Time is always virtual: no effect.
pub fn pause() {}

/// Time stays virtual: no effect.
pub fn resume() {}

/// Lets so much virtual time pass.
#[track_caller]
pub fn advance(duration: Duration) -> impl Future<Output = ()> {
    sleep(duration)
}
