//! accepted
//!
//! All functions are one: so many at once, with a limit for each and one for all, and a closure that says after each end whether to go
//! on. A task starts when there is a place for it, so nothing has to wait for one.

use std::future::pending;
use std::ops::ControlFlow::{self, Break, Continue};
use std::panic::resume_unwind;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked(pub String);

struct Plan {
    at_once: usize,
    each: Option<Duration>,
    all: Option<Duration>,
}

const ALL: Plan = Plan { at_once: usize::MAX, each: None, all: None };

async fn after(limit: Option<Duration>) {
    match limit {
        Some(limit) if limit < Duration::MAX => sleep(limit).await,
        _ => pending().await,
    }
}

type Ended<T> = Result<Option<T>, JoinError>;

async fn run<F, R>(
    plan: Plan,
    futures: Vec<F>,
    mut see: impl FnMut(usize, Ended<F::Output>) -> ControlFlow<R>,
) -> Option<R>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut set = JoinSet::new();
    let mut waiting = futures.into_iter().enumerate();
    let mut names = Vec::new();
    let mut over = Box::pin(after(plan.all));
    let decided = loop {
        while set.len() < plan.at_once
            && let Some((place, future)) = waiting.next()
        {
            let limit = plan.each;
            let task = set.spawn(async move {
                tokio::select! {
                    output = future => Some(output),
                    () = after(limit) => None,
                }
            });
            names.push((task.id(), place));
        }
        let next = tokio::select! {
            () = &mut over => None,
            next = set.join_next_with_id() => next,
        };
        let Some(ended) = next else { break None };
        let (id, ended) = match ended {
            Ok((id, output)) => (id, Ok(output)),
            Err(error) => (error.id(), Err(error)),
        };
        let (_, place) = names.swap_remove(names.iter().position(|(name, _)| *name == id).unwrap());
        if let Break(result) = see(place, ended) {
            break Some(result);
        }
    };
    set.abort_all();
    while set.join_next().await.is_some() {}
    decided
}

async fn outputs<F>(plan: Plan, futures: Vec<F>) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut outputs: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    let panicked = run(plan, futures, |place, ended| match ended {
        Ok(output) => {
            outputs[place] = output;
            Continue(())
        }
        Err(error) => Break(error),
    });
    if let Some(error) = panicked.await {
        resume_unwind(error.into_panic());
    }
    outputs
}

pub async fn gather<F>(futures: Vec<F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    outputs(ALL, futures).await.into_iter().map(Option::unwrap).collect()
}

pub async fn gather_contained<F>(futures: Vec<F>) -> Vec<Result<F::Output, Panicked>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut outputs: Vec<Option<Result<F::Output, Panicked>>> = futures.iter().map(|_| None).collect();
    let all = run(ALL, futures, |place, ended| {
        outputs[place] = Some(ended.map(Option::unwrap).map_err(|error| {
            let payload = error.into_panic();
            match (payload.downcast_ref::<String>(), payload.downcast_ref::<&str>()) {
                (Some(text), _) => Panicked(text.clone()),
                (_, Some(text)) => Panicked((*text).into()),
                _ => Panicked(format!("{payload:?}")),
            }
        }));
        Continue::<()>(())
    });
    all.await;
    outputs.into_iter().map(Option::unwrap).collect()
}

pub async fn try_gather<F, T, E>(futures: Vec<F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let mut outputs: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    let failed = run(ALL, futures, |place, ended| match ended {
        Ok(Some(Ok(output))) => {
            outputs[place] = Some(output);
            Continue(())
        }
        Ok(Some(Err(error))) => Break(Ok(error)),
        Ok(None) => unreachable!(),
        Err(panic) => Break(Err(panic)),
    });
    match failed.await {
        Some(Ok(error)) => Err(error),
        Some(Err(panic)) => resume_unwind(panic.into_panic()),
        None => Ok(outputs.into_iter().map(Option::unwrap).collect()),
    }
}

pub async fn first<F>(futures: Vec<F>) -> Option<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    run(ALL, futures, |_, ended| Break(ended)).await.map(|ended| match ended {
        Ok(output) => output.unwrap(),
        Err(error) => resume_unwind(error.into_panic()),
    })
}

pub async fn gather_within<F>(futures: Vec<F>, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    outputs(Plan { all: Some(limit), ..ALL }, futures).await
}

pub async fn gather_bounded<F>(futures: Vec<F>, at_once: usize, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    if at_once == 0 {
        panic!("at_once is 0");
    }
    outputs(Plan { at_once, each: Some(limit), all: None }, futures).await
}
