//! accepted
//!
//! One future, written by hand, for all functions: which of the others wait, run or have ended, and which timers have fired, is looked
//! at in each poll. Whoever is over its limit is cancelled from outside, and its place is free when it has ended.

use std::future::Future;
use std::mem;
use std::panic;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::task::{AbortHandle, JoinError, JoinHandle};
use tokio::time::{Sleep, sleep};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked(pub String);

enum Work<F: Future> {
    Waiting(Pin<Box<F>>),
    Running { handle: JoinHandle<F::Output>, timer: Option<Pin<Box<Sleep>>>, cut: bool },
    Ended(Option<Result<F::Output, JoinError>>),
}

/// Why the call stops early.
enum Stop {
    No,
    Failed(usize),
    Enough,
}

type Judge<T> = fn(&Result<T, JoinError>) -> bool;

struct Run<F: Future> {
    works: Vec<Work<F>>,
    at_once: usize,
    each: Option<Duration>,
    total: Option<Pin<Box<Sleep>>>,
    ends_it: Judge<F::Output>,
    stop: Stop,
}

impl<F: Future> Unpin for Run<F> {}

impl<F> Run<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn new(futures: Vec<F>, ends_it: Judge<F::Output>) -> Run<F> {
        Run {
            works: futures.into_iter().map(|future| Work::Waiting(Box::pin(future))).collect(),
            at_once: usize::MAX,
            each: None,
            total: None,
            ends_it,
            stop: Stop::No,
        }
    }
    fn at_once(self, at_once: usize) -> Self {
        Run { at_once, ..self }
    }
    fn each(self, limit: Duration) -> Self {
        Run { each: Some(limit), ..self }
    }
    fn total(self, limit: Duration) -> Self {
        Run { total: Some(Box::pin(sleep(limit))), ..self }
    }
}

// A struct with a `Drop` could not be built from another by `..self`: the leash is on each work.
struct Leashed<F: Future>(Run<F>);

impl<F: Future> Drop for Leashed<F> {
    fn drop(&mut self) {
        self.0.cut_all();
    }
}

impl<F: Future> Run<F> {
    fn cut_all(&mut self) {
        let handles: Vec<AbortHandle> = self
            .works
            .iter()
            .filter_map(|work| if let Work::Running { handle, .. } = work { Some(handle.abort_handle()) } else { None })
            .collect();
        handles.iter().for_each(AbortHandle::abort);
    }
    fn under_way(&self) -> usize {
        self.works.iter().filter(|work| matches!(work, Work::Running { .. })).count()
    }
}

/// The ends in their places, and which of them ended the call.
type Ends<T> = (Vec<Option<Result<T, JoinError>>>, Option<usize>);

impl<F> Future for Leashed<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    type Output = Ends<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let run = &mut self.0;
        loop {
            if let Stop::No = run.stop {
                let mut free = run.at_once.saturating_sub(run.under_way());
                for work in &mut run.works {
                    if free == 0 {
                        break;
                    }
                    if !matches!(work, Work::Waiting(_)) {
                        continue;
                    }
                    let Work::Waiting(future) = mem::replace(work, Work::Ended(None)) else { unreachable!() };
                    let timer = run.each.map(|limit| Box::pin(sleep(limit)));
                    *work = Work::Running { handle: tokio::spawn(future), timer, cut: false };
                    free -= 1;
                }
            }
            let mut progress = false;
            for (place, work) in run.works.iter_mut().enumerate() {
                let Work::Running { handle, timer, cut } = work else { continue };
                if let Poll::Ready(end) = Pin::new(&mut *handle).poll(cx) {
                    progress = true;
                    let late = *cut;
                    let stopped = !matches!(run.stop, Stop::No);
                    if stopped || late && !end.as_ref().is_err_and(|error| error.is_panic()) {
                        *work = Work::Ended(None);
                    } else {
                        if (run.ends_it)(&end) {
                            run.stop = Stop::Failed(place);
                        }
                        *work = Work::Ended(Some(end));
                    }
                } else if let Some(time) = timer
                    && !*cut
                    && time.as_mut().poll(cx).is_ready()
                {
                    *cut = true;
                    handle.abort();
                }
            }
            if let Stop::No = run.stop
                && let Some(total) = &mut run.total
                && total.as_mut().poll(cx).is_ready()
            {
                run.stop = Stop::Enough;
                progress = true;
            }
            if !matches!(run.stop, Stop::No) {
                run.cut_all();
            }
            let open = match run.stop {
                Stop::No => run.works.iter().any(|work| !matches!(work, Work::Ended(_))),
                _ => run.under_way() > 0,
            };
            if !open {
                break;
            }
            if !progress {
                return Poll::Pending;
            }
        }
        let ends = mem::take(&mut run.works)
            .into_iter()
            .map(|work| if let Work::Ended(end) = work { end } else { None })
            .collect();
        Poll::Ready((ends, if let Stop::Failed(place) = run.stop { Some(place) } else { None }))
    }
}

/// For those that a panic ends, and nothing else.
struct Ordered<F: Future>(Leashed<F>);

impl<F> Future for Ordered<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    type Output = Vec<Option<F::Output>>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (mut ends, broken) = ready!(Pin::new(&mut self.0).poll(cx));
        if let Some(place) = broken {
            match ends[place].take() {
                Some(Err(error)) => panic::resume_unwind(error.into_panic()),
                _ => unreachable!(),
            }
        }
        Poll::Ready(ends.into_iter().map(|end| end.and_then(Result::ok)).collect())
    }
}

fn is_panic<T>(end: &Result<T, JoinError>) -> bool {
    matches!(end, Err(error) if error.is_panic())
}

pub async fn gather<F>(futures: Vec<F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    Ordered(Leashed(Run::new(futures, is_panic))).await.into_iter().flatten().collect()
}

pub async fn gather_contained<F>(futures: Vec<F>) -> Vec<Result<F::Output, Panicked>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (ends, _) = Leashed(Run::new(futures, |_| false)).await;
    let mut results = Vec::new();
    for end in ends.into_iter().flatten() {
        results.push(match end {
            Ok(output) => Ok(output),
            Err(error) => {
                let payload = error.into_panic();
                Err(Panicked(
                    payload
                        .downcast_ref::<&'static str>()
                        .map(|text| (*text).to_owned())
                        .or_else(|| payload.downcast_ref::<String>().cloned())
                        .unwrap_or_default(),
                ))
            }
        });
    }
    results
}

pub async fn try_gather<F, T, E>(futures: Vec<F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let bad: Judge<Result<T, E>> = |end| !matches!(end, Ok(Ok(_)));
    let (mut ends, broken) = Leashed(Run::new(futures, bad)).await;
    match broken.map(|place| ends.swap_remove(place).unwrap()) {
        Some(Err(error)) => panic::resume_unwind(error.into_panic()),
        Some(Ok(end)) => Err(end.err().unwrap()),
        None => Ok(ends.into_iter().map(|end| end.unwrap().unwrap().ok().unwrap()).collect()),
    }
}

pub async fn first<F>(futures: Vec<F>) -> Option<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (mut ends, place) = Leashed(Run::new(futures, |_| true)).await;
    match ends.swap_remove(place?).unwrap() {
        Ok(output) => Some(output),
        Err(error) => panic::resume_unwind(error.into_panic()),
    }
}

pub async fn gather_within<F>(futures: Vec<F>, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    Ordered(Leashed(Run::new(futures, is_panic).total(limit))).await
}

pub async fn gather_bounded<F>(futures: Vec<F>, at_once: usize, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    assert!(at_once != 0);
    Ordered(Leashed(Run::new(futures, is_panic).at_once(at_once).each(limit))).await
}
