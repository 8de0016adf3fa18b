//! Futures that are moved between their polls, where they may be.

use std::cell::Cell;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A boxed future.
pub type Boxed<'f, T> = Pin<Box<dyn Future<Output = T> + Send + 'f>>;

/// The future in a box. If it is `Unpin`, it is moved behind each poll, as its type allows: who knows it by its address loses it.
///
/// Which of the two it is decides the compiler, so the type of the future must be known where this stands. Two traits of one method
/// make it do so: it takes that of [`ByMoving`] if it can, since there it need not add a reference.
#[macro_export]
macro_rules! moving {
    ($future:expr) => {{
        #[allow(unused_imports)]
        use $crate::moving::{ByMoving as _, ByStaying as _};
        (&$crate::moving::Given::new($future)).in_a_box()
    }};
}

/// What is given to [`moving`].
pub struct Given<F>(Cell<Option<F>>);

impl<F> Given<F> {
    /// This future.
    pub fn new(future: F) -> Given<F> {
        Given(Cell::new(Some(future)))
    }

    fn take(&self) -> F {
        self.0.take().expect("it is given once")
    }
}

/// For futures that may be moved.
pub trait ByMoving<'f, T> {
    /// The future in a box.
    fn in_a_box(&self) -> Boxed<'f, T>;
}

impl<'f, F: Future + Send + Unpin + 'f> ByMoving<'f, F::Output> for Given<F> {
    fn in_a_box(&self) -> Boxed<'f, F::Output> {
        Box::pin(Moving { here: Box::new(Some(self.take())), there: Box::new(None) })
    }
}

/// For all futures.
pub trait ByStaying<'f, T> {
    /// The future in a box.
    fn in_a_box(&self) -> Boxed<'f, T>;
}

impl<'f, F: Future + Send + 'f> ByStaying<'f, F::Output> for &Given<F> {
    fn in_a_box(&self) -> Boxed<'f, F::Output> {
        Box::pin(self.take())
    }
}

/// A future, and another place for it.
struct Moving<F> {
    here: Box<Option<F>>,
    there: Box<Option<F>>,
}

impl<F: Future + Unpin> Future for Moving<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Moving { here, there } = self.get_mut();
        let poll = Pin::new(here.as_mut().as_mut().expect("it is here")).poll(context);
        **there = here.take();
        mem::swap(here, there);
        poll
    }
}
