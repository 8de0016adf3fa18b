//! accepted
//!
//! Each task sends a letter when it has ended, also when it panics: that is caught inside. When all senders are gone, so are all tasks.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::thread::Result as Caught;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;
use tokio::time::timeout;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked(pub String);

type Letter<T> = (usize, Caught<T>);

struct Office<T> {
    letters: UnboundedReceiver<Letter<T>>,
    tasks: Vec<AbortHandle>,
}

impl<T> Drop for Office<T> {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

async fn write<F: Future>(place: usize, future: F, sender: UnboundedSender<Letter<F::Output>>) {
    // A box of its own, which is empty before the letter is sent.
    let mut future = Some(Box::pin(future));
    let ended = poll_fn(|cx| {
        let poll = catch_unwind(AssertUnwindSafe(|| future.as_mut().unwrap().as_mut().poll(cx)));
        match poll {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(payload) => Poll::Ready(Err(payload)),
        }
    })
    .await;
    future = None;
    assert!(future.is_none());
    let _ = sender.send((place, ended));
}

impl<T: Send + 'static> Office<T> {
    fn open<F: Future<Output = T> + Send + 'static>(futures: Vec<F>) -> Office<T> {
        let (sender, letters) = unbounded_channel();
        let mut tasks = Vec::new();
        for (place, future) in futures.into_iter().enumerate() {
            tasks.push(tokio::spawn(write(place, future, sender.clone())).abort_handle());
        }
        Office { letters, tasks }
    }

    async fn close(mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
        while self.letters.recv().await.is_some() {}
    }

    /// All letters, as long as `read` wants more.
    async fn each<R>(&mut self, mut read: impl FnMut(usize, Caught<T>) -> Option<R>) -> Option<R> {
        while let Some((place, ended)) = self.letters.recv().await {
            if let Some(result) = read(place, ended) {
                return Some(result);
            }
        }
        None
    }
}

fn empty<T, U>(list: &[T]) -> Vec<Option<U>> {
    list.iter().map(|_| None).collect()
}

pub async fn gather<F>(futures: Vec<F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    gather_within(futures, Duration::MAX).await.into_iter().map(|output| output.expect("no limit")).collect()
}

pub async fn gather_contained<F>(futures: Vec<F>) -> Vec<Result<F::Output, Panicked>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut outputs = empty(&futures);
    let mut office = Office::open(futures);
    let all = office.each(|place, ended| {
        outputs[place] = Some(ended.map_err(|payload| {
            let text = payload.downcast_ref::<&str>().map(|text| text.to_string());
            Panicked(text.or_else(|| payload.downcast_ref().cloned()).unwrap_or_default())
        }));
        None::<()>
    });
    all.await;
    office.close().await;
    outputs.into_iter().flatten().collect()
}

pub async fn try_gather<F, T, E>(futures: Vec<F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let mut outputs = empty(&futures);
    let mut office = Office::open(futures);
    let bad = office.each(|place, ended| match ended {
        Ok(Ok(output)) => {
            outputs[place] = Some(output);
            None
        }
        Ok(Err(error)) => Some(Ok(error)),
        Err(payload) => Some(Err(payload)),
    });
    let bad = bad.await;
    office.close().await;
    match bad {
        None => Ok(outputs.into_iter().flatten().collect()),
        Some(Ok(error)) => Err(error),
        Some(Err(payload)) => resume_unwind(payload),
    }
}

pub async fn first<F>(futures: Vec<F>) -> Option<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut office = Office::open(futures);
    let won = office.each(|_, ended| Some(ended)).await;
    office.close().await;
    match won? {
        Ok(output) => Some(output),
        Err(payload) => resume_unwind(payload),
    }
}

pub async fn gather_within<F>(futures: Vec<F>, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut outputs = empty(&futures);
    let mut office = Office::open(futures);
    let all = office.each(|place, ended| match ended {
        Ok(output) => {
            outputs[place] = Some(output);
            None
        }
        Err(payload) => Some(payload),
    });
    let panicked = timeout(limit, all).await;
    office.close().await;
    if let Ok(Some(payload)) = panicked {
        resume_unwind(payload);
    }
    outputs
}

/// Places, counted by hand.
struct Places {
    free: std::sync::Mutex<usize>,
    more: Notify,
}

struct Place(Arc<Places>);

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap() += 1;
        self.0.more.notify_one();
    }
}

async fn place(places: Arc<Places>) -> Place {
    loop {
        {
            let mut free = places.free.lock().unwrap();
            if *free > 0 {
                *free -= 1;
                drop(free);
                return Place(places);
            }
        }
        places.more.notified().await;
    }
}

pub async fn gather_bounded<F>(futures: Vec<F>, at_once: usize, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    assert!(at_once >= 1);
    let places = Arc::new(Places { free: at_once.into(), more: Notify::new() });
    let futures = futures.into_iter().map(|future| {
        let places = places.clone();
        async move {
            let _place = place(places).await;
            timeout(limit, future).await.ok()
        }
    });
    gather(futures.collect()).await
}
