//! accepted
//!
//! A task for each call starts the others, and waits for them. It is on a leash itself: whoever drops the call cancels it, and with it
//! its set.

mod boss {
    use std::any::Any;
    use tokio::task::{JoinHandle, spawn};

    pub type Verdict<T> = Result<T, Box<dyn Any + Send>>;

    struct Fuse<T>(JoinHandle<T>);

    impl<T> Drop for Fuse<T> {
        fn drop(&mut self) {
            self.0.abort();
        }
    }

    pub async fn boss<T: Send + 'static>(job: impl Future<Output = Verdict<T>> + Send + 'static) -> T {
        let mut fuse = Fuse(spawn(job));
        let verdict = (&mut fuse.0).await.expect("the boss neither panics nor is cancelled");
        verdict.unwrap_or_else(|payload| std::panic::resume_unwind(payload))
    }
}

mod crew {
    use super::boss::Verdict;
    use tokio::task::{JoinError, JoinSet};

    pub struct Crew<T>(pub JoinSet<(usize, T)>);

    impl<T: Send + 'static> Crew<T> {
        pub fn new<F: Future<Output = T> + Send + 'static>(futures: Vec<F>) -> Crew<T> {
            let numbered = futures.into_iter().enumerate().map(|(number, future)| async move { (number, future.await) });
            Crew(numbered.collect())
        }

        pub async fn end<R>(&mut self, error: JoinError) -> Verdict<R> {
            self.0.shutdown().await;
            Err(error.into_panic())
        }
    }
}

use boss::boss;
use crew::Crew;
use std::time::Duration;
use tokio::time::{sleep, timeout};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked(pub String);

fn nothing<T>(count: usize) -> Vec<Option<T>> {
    (0..count).map(|_| None).collect()
}

pub async fn gather<F>(futures: Vec<F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    boss(async {
        let mut outputs = nothing(futures.len());
        let mut crew = Crew::new(futures);
        while let Some(end) = crew.0.join_next().await {
            match end {
                Ok((number, output)) => outputs[number] = Some(output),
                Err(error) => return crew.end(error).await,
            }
        }
        Ok(outputs.into_iter().flatten().collect())
    })
    .await
}

pub async fn gather_contained<F>(futures: Vec<F>) -> Vec<Result<F::Output, Panicked>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut set = tokio::task::JoinSet::new();
    let ids: Vec<tokio::task::Id> = futures.into_iter().map(|future| set.spawn(future).id()).collect();
    boss(async move {
        let mut ends: Vec<(usize, Result<F::Output, Panicked>)> = Vec::new();
        while let Some(end) = set.join_next_with_id().await {
            let (id, result) = match end {
                Ok((id, output)) => (id, Ok(output)),
                Err(error) => {
                    let id = error.id();
                    let payload = error.into_panic();
                    let text = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
                        (Some(text), _) => text.to_string(),
                        (_, Some(text)) => text.to_string(),
                        _ => "a panic".to_string(),
                    };
                    (id, Err(Panicked(text)))
                }
            };
            ends.push((ids.iter().position(|other| *other == id).unwrap(), result));
        }
        ends.sort_by_key(|end| end.0);
        Ok(ends.into_iter().map(|end| end.1).collect())
    })
    .await
}

pub async fn try_gather<F, T, E>(futures: Vec<F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    boss(async {
        let mut outputs = nothing(futures.len());
        let mut crew = Crew::new(futures);
        while let Some(end) = crew.0.join_next().await {
            match end {
                Ok((number, Ok(output))) => outputs[number] = Some(output),
                Ok((_, Err(error))) => {
                    crew.0.shutdown().await;
                    return Ok(Err(error));
                }
                Err(error) => return crew.end(error).await,
            }
        }
        Ok(Ok(outputs.into_iter().flatten().collect()))
    })
    .await
}

pub async fn first<F>(futures: Vec<F>) -> Option<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    boss(async {
        let mut crew = Crew::new(futures);
        match crew.0.join_next().await {
            None => Ok(None),
            Some(Ok((_, output))) => {
                crew.0.shutdown().await;
                Ok(Some(output))
            }
            Some(Err(error)) => crew.end(error).await,
        }
    })
    .await
}

pub async fn gather_within<F>(futures: Vec<F>, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    boss(async move {
        let mut outputs = nothing(futures.len());
        let mut crew = Crew::new(futures);
        let time = sleep(limit);
        tokio::pin!(time);
        loop {
            tokio::select! {
                end = crew.0.join_next() => match end {
                    None => return Ok(outputs),
                    Some(Ok((number, output))) => outputs[number] = Some(output),
                    Some(Err(error)) => return crew.end(error).await,
                },
                () = &mut time => {
                    crew.0.abort_all();
                    while crew.0.join_next().await.is_some() {}
                    return Ok(outputs);
                }
            }
        }
    })
    .await
}

pub async fn gather_bounded<F>(futures: Vec<F>, at_once: usize, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    assert!(at_once >= 1, "gather_bounded needs a place");
    boss(async move {
        let mut outputs = nothing(futures.len());
        let mut waiting = futures.into_iter().enumerate().fuse();
        let mut set = tokio::task::JoinSet::new();
        loop {
            while set.len() < at_once
                && let Some((number, future)) = waiting.next()
            {
                set.spawn(async move { (number, timeout(limit, future).await.ok()) });
            }
            match set.join_next().await {
                None => return Ok(outputs),
                Some(Ok((number, output))) => outputs[number] = output,
                Some(Err(error)) => {
                    set.shutdown().await;
                    return Err(error.into_panic());
                }
            }
        }
    })
    .await
}
