//! accepted
//!
//! A table behind a mutex: each task adds its row when it ends, by a `Drop`, so that a panic has one, too. The caller looks when it is
//! notified. `gather` is `gather_within` without an end.

use std as s;
use s::{any::Any, collections::VecDeque, sync::{Arc, Mutex}, time::Duration};
use tokio as t;
use t::{sync::Notify, task::JoinHandle};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked(pub String);

struct Table<T> {
    ended: Mutex<VecDeque<(usize, Option<T>)>>,
    changed: Notify,
}

/// Tells of the end, whatever it is.
struct Row<T> {
    table: Arc<Table<T>>,
    place: usize,
    output: Option<T>,
}

impl<T> Drop for Row<T> {
    fn drop(&mut self) {
        let row = (self.place, self.output.take());
        self.table.ended.lock().unwrap_or_else(s::sync::PoisonError::into_inner).push_back(row);
        self.table.changed.notify_one();
    }
}

struct Call<T> {
    table: Arc<Table<T>>,
    handles: Vec<JoinHandle<()>>,
    left: usize,
}

enum End<T> {
    Output(usize, T),
    Panic(usize, Box<dyn Any + Send>),
}

impl<T: Send + 'static> Call<T> {
    fn new() -> Self {
        let table = Arc::new(Table { ended: Mutex::default(), changed: Notify::new() });
        Call { table, handles: vec![], left: 0 }
    }

    fn add(&mut self, future: impl Future<Output = T> + Send + 'static) {
        let place = self.handles.len();
        let table = self.table.clone();
        self.left += 1;
        self.handles.push(t::spawn(async move {
            let mut row = Row { table, place, output: None };
            let output = future.await;
            row.output = Some(output);
        }));
    }

    fn with<F: Future<Output = T> + Send + 'static>(futures: Vec<F>) -> Self {
        let mut call = Call::new();
        futures.into_iter().for_each(|future| call.add(future));
        call
    }

    async fn end(&mut self) -> Option<End<T>> {
        if self.left == 0 {
            return None;
        }
        loop {
            let row = self.table.ended.lock().unwrap().pop_front();
            match row {
                Some((place, Some(output))) => {
                    self.left -= 1;
                    return Some(End::Output(place, output));
                }
                Some((place, None)) => {
                    self.left -= 1;
                    let error = (&mut self.handles[place]).await.expect_err("it gave no output");
                    self.handles[place] = t::spawn(async {});
                    return Some(End::Panic(place, error.into_panic()));
                }
                None => self.table.changed.notified().await,
            }
        }
    }

    async fn close(mut self) {
        self.handles.iter().for_each(JoinHandle::abort);
        for handle in s::mem::take(&mut self.handles) {
            drop(handle.await);
        }
    }

    async fn close_with(self, payload: Box<dyn Any + Send>) -> ! {
        self.close().await;
        s::panic::resume_unwind(payload)
    }
}

impl<T> Drop for Call<T> {
    fn drop(&mut self) {
        for handle in &self.handles {
            handle.abort();
        }
    }
}

fn blank<A, B>(futures: &Vec<A>) -> Vec<Option<B>> {
    let mut outputs = Vec::new();
    outputs.resize_with(futures.len(), || None);
    outputs
}

pub async fn gather<F>(futures: Vec<F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    gather_within(futures, Duration::MAX).await.into_iter().map(|output| output.unwrap()).collect()
}

pub async fn gather_contained<F>(futures: Vec<F>) -> Vec<Result<F::Output, Panicked>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut outputs = blank(&futures);
    let mut call = Call::with(futures);
    while let Some(end) = call.end().await {
        match end {
            End::Output(place, output) => outputs[place] = Some(Ok(output)),
            End::Panic(place, payload) => {
                let text = payload.downcast_ref::<String>().map(String::as_str);
                let text = text.or(payload.downcast_ref::<&str>().copied());
                outputs[place] = Some(Err(Panicked(text.unwrap_or("no text").to_string())));
            }
        }
    }
    call.close().await;
    outputs.into_iter().flatten().collect()
}

pub async fn try_gather<F, T, E>(futures: Vec<F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let mut outputs = blank(&futures);
    let mut call = Call::with(futures);
    while let Some(end) = call.end().await {
        match end {
            End::Output(place, Ok(output)) => outputs[place] = Some(output),
            End::Output(_, Err(error)) => {
                call.close().await;
                return Err(error);
            }
            End::Panic(_, payload) => call.close_with(payload).await,
        }
    }
    call.close().await;
    Ok(outputs.into_iter().flatten().collect())
}

pub async fn first<F>(futures: Vec<F>) -> Option<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut call = Call::with(futures);
    let end = call.end().await;
    match end {
        None => None,
        Some(End::Output(_, output)) => {
            call.close().await;
            Some(output)
        }
        Some(End::Panic(_, payload)) => call.close_with(payload).await,
    }
}

pub async fn gather_within<F>(futures: Vec<F>, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut outputs = blank(&futures);
    let mut call = Call::with(futures);
    let deadline = t::time::Instant::now().checked_add(limit);
    loop {
        let end = match deadline {
            Some(deadline) => match t::time::timeout_at(deadline, call.end()).await {
                Ok(end) => end,
                Err(_) => None,
            },
            None => call.end().await,
        };
        match end {
            Some(End::Output(place, output)) => outputs[place] = Some(output),
            Some(End::Panic(_, payload)) => call.close_with(payload).await,
            None => break call.close().await,
        }
    }
    outputs
}

pub async fn gather_bounded<F>(futures: Vec<F>, at_once: usize, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let 0 = at_once else {
        let mut outputs = blank(&futures);
        let mut call = Call::new();
        let mut free = at_once;
        let mut waiting = futures.into_iter();
        loop {
            while free > 0 {
                let Some(future) = waiting.next() else { break };
                free -= 1;
                call.add(t::time::timeout(limit, future));
            }
            match call.end().await {
                None => break call.close().await,
                Some(End::Output(place, output)) => {
                    outputs[place] = output.ok();
                    free += 1;
                }
                Some(End::Panic(_, payload)) => call.close_with(payload).await,
            }
        }
        return outputs;
    };
    panic!("no place")
}
