//! Tasks and runtimes: each decision is explored, and each kind of mistake is told by its name.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::explored::{Config, every_outcome};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use support::{fails, passes};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinSet, LocalSet, yield_now};
use tokio::time::{Instant, sleep, timeout};
use verdict::Kind;

/// Runs a future on a current-thread runtime.
fn on_one<F: Future>(future: F) -> F::Output {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Runs a future on a runtime with two workers.
fn on_two<F: Future>(future: F) -> F::Output {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

type Seen = Arc<std::real::sync::Mutex<BTreeSet<String>>>;

/// What the body returns, over all schedules, of which none may fail.
#[track_caller]
fn all(body: impl Fn() -> String + Send + Sync + 'static) -> Vec<String> {
    let seen = Seen::default();
    let log = seen.clone();
    let exploration = passes(move || {
        let result = body();
        log.lock().unwrap().insert(result);
    });
    assert!(exploration.coverage.complete, "{}", exploration.coverage);
    let seen = seen.lock().unwrap();
    seen.iter().cloned().collect()
}

/// A log of who did what.
#[derive(Clone, Default)]
struct Log(Arc<std::real::sync::Mutex<String>>);

impl Log {
    fn add(&self, text: &str) {
        self.0.lock().unwrap().push_str(text);
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

#[test]
fn two_ready_tasks_are_polled_in_both_orders() {
    let orders = all(|| {
        on_one(async {
            let lock = Arc::new(Mutex::new(String::new()));
            let tasks = ["a", "b"].map(|name| {
                let lock = Arc::clone(&lock);
                tokio::spawn(async move { lock.lock().unwrap().push_str(name) })
            });
            for task in tasks {
                task.await.unwrap();
            }
            let text = lock.lock().unwrap().clone();
            text
        })
    });
    assert_eq!(orders, ["ab", "ba"]);
}

#[test]
fn tasks_that_meet_nowhere_have_one_order() {
    let exploration = passes(|| {
        on_one(async {
            let tasks = [1, 2, 3].map(|_| {
                tokio::spawn(async {
                    for _ in 0..3 {
                        yield_now().await;
                    }
                })
            });
            for task in tasks {
                task.await.unwrap();
            }
        });
    });
    println!("{:?}", exploration.coverage);
    assert!(exploration.coverage.complete);
}
