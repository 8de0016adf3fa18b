//! accepted
//!
//! No set: a list of handles that are polled in turn, whichever is woken. Whoever drops the list aborts its tasks.

use std::any::Any;
use std::future::poll_fn;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinHandle};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked(pub String);

struct Crew<T>(Vec<(usize, JoinHandle<T>)>);

impl<T> Drop for Crew<T> {
    fn drop(&mut self) {
        self.0.iter().for_each(|(_, task)| task.abort());
    }
}

impl<T: Send + 'static> Crew<T> {
    fn of<F: Future<Output = T> + Send + 'static>(futures: Vec<F>) -> Self {
        Crew(futures.into_iter().map(tokio::spawn).enumerate().collect())
    }

    async fn any(&mut self) -> Option<(usize, Result<T, JoinError>)> {
        poll_fn(|cx| {
            for turn in 0..self.0.len() {
                let (place, task) = &mut self.0[turn];
                if let Poll::Ready(end) = Pin::new(task).poll(cx) {
                    let place = *place;
                    drop(self.0.swap_remove(turn));
                    return Poll::Ready(Some((place, end)));
                }
            }
            if self.0.is_empty() { Poll::Ready(None) } else { Poll::Pending }
        })
        .await
    }

    async fn dismiss(&mut self) {
        for (_, task) in &self.0 {
            task.abort();
        }
        // One by one, in their order: all of them have to come.
        while let Some((_, task)) = self.0.last_mut() {
            let _ = task.await;
            self.0.pop();
        }
    }

    async fn or_panic(&mut self, end: Result<T, JoinError>) -> T {
        match end {
            Ok(output) => output,
            Err(error) => {
                self.dismiss().await;
                resume_unwind(error.into_panic())
            }
        }
    }
}

fn sorted<T>(mut outputs: Vec<(usize, T)>) -> Vec<T> {
    outputs.sort_by_key(|(place, _)| *place);
    outputs.into_iter().map(|(_, output)| output).collect()
}

pub async fn gather<F>(futures: Vec<F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut crew = Crew::of(futures);
    let mut outputs = Vec::new();
    while let Some((place, end)) = crew.any().await {
        outputs.push((place, crew.or_panic(end).await));
    }
    sorted(outputs)
}

pub async fn gather_contained<F>(futures: Vec<F>) -> Vec<Result<F::Output, Panicked>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    // In their order: nobody is in a hurry here.
    let mut crew = Crew::of(futures);
    let mut outputs = Vec::new();
    for (_, task) in &mut crew.0 {
        outputs.push(task.await.map_err(|error| Panicked(words(error.into_panic()))));
    }
    crew.0.clear();
    outputs
}

fn words(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast::<&'static str>().map_or_else(|_| String::new(), |text| text.to_string()),
    }
}

pub async fn try_gather<F, T, E>(futures: Vec<F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let mut crew = Crew::of(futures);
    let mut outputs = Vec::new();
    while let Some((place, end)) = crew.any().await {
        match crew.or_panic(end).await {
            Ok(output) => outputs.push((place, output)),
            Err(error) => {
                crew.dismiss().await;
                return Err(error);
            }
        }
    }
    Ok(sorted(outputs))
}

pub async fn first<F>(futures: Vec<F>) -> Option<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut crew = Crew::of(futures);
    let (_, end) = crew.any().await?;
    let output = crew.or_panic(end).await;
    crew.dismiss().await;
    Some(output)
}

pub async fn gather_within<F>(futures: Vec<F>, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut outputs: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    let mut crew = Crew::of(futures);
    let mut time = std::pin::pin!(tokio::time::sleep(limit));
    loop {
        let next = tokio::select! {
            biased;
            next = crew.any() => next,
            () = &mut time => break crew.dismiss().await,
        };
        let Some((place, end)) = next else { break };
        outputs[place] = Some(crew.or_panic(end).await);
    }
    outputs
}

pub async fn gather_bounded<F>(futures: Vec<F>, at_once: usize, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    assert_ne!(at_once, 0);
    let places = Arc::new(Semaphore::new(at_once.min(Semaphore::MAX_PERMITS)));
    let mut limited = Vec::new();
    for future in futures {
        let places = Arc::clone(&places);
        limited.push(async move {
            let place = places.acquire_owned().await.unwrap();
            let output = tokio::time::timeout(limit, future).await;
            drop(place);
            output.ok()
        });
    }
    gather(limited).await
}
