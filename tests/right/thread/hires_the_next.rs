//! accepted
//!
//! In `cook_all`, each cook hires the next one before it makes its own dish. The results come through a channel, with their places. The
//! cook of `start` works in a thread of its own, beside the one that is joined.

use std::collections::VecDeque;
use std::iter::Enumerate;
use std::panic::{self, AssertUnwindSafe};
use std::slice;
use std::sync::mpsc::{self, Sender};
use std::thread::Scope;
use std::thread::{self, JoinHandle};

/// Starts a thread that has another one cook, and waits for it.
pub fn start<T: Send + 'static>(dish: String, cook: impl FnOnce(&str) -> T + Send + 'static) -> JoinHandle<T> {
    thread::spawn(move || match thread::spawn(move || cook(&dish)).join() {
        Ok(plate) => plate,
        Err(payload) => panic::resume_unwind(payload),
    })
}

/// Like [`start`], but the thread has a name.
pub fn start_named<T: Send + 'static>(
    name: &str,
    dish: String,
    cook: impl FnOnce(&str) -> T + Send + 'static,
) -> JoinHandle<T> {
    thread::Builder::new().name(name.to_owned()).spawn(move || cook(&dish)).expect("a new thread")
}

/// Waits until every one of these cooks has ended, even if some of them panic, from the last to the first.
pub fn wait_for_all<T>(mut cooks: Vec<JoinHandle<T>>) -> thread::Result<Vec<T>> {
    let mut plates = VecDeque::with_capacity(cooks.len());
    let mut panicked = Vec::new();
    while let Some(cook) = cooks.pop() {
        match cook.join() {
            Ok(plate) => plates.push_front(plate),
            Err(payload) => panicked.push(payload),
        }
    }
    match panicked.into_iter().next() {
        Some(payload) => Err(payload),
        None => Ok(plates.into()),
    }
}

/// What the cooks of a call share: they come in the order of the dishes, and the first is hired by the caller.
fn hire<'scope, 'env, T: Send + 'scope, C: Fn(&str) -> T + Sync>(
    scope: &'scope Scope<'scope, 'env>,
    mut dishes: Enumerate<slice::Iter<'scope, &'scope str>>,
    cook: &'scope C,
    done: Sender<(usize, thread::Result<T>)>,
) {
    let Some((place, dish)) = dishes.next() else { return };
    scope.spawn(move || {
        hire(scope, dishes, cook, done.clone());
        let result = panic::catch_unwind(AssertUnwindSafe(|| cook(dish)));
        // The caller is there until all have ended.
        let _ = done.send((place, result));
    });
}

/// Calls `cook` once for every dish, each in a thread of its own, all at the same time.
pub fn cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) -> Vec<thread::Result<T>> {
    let (done, results) = mpsc::channel();
    thread::scope(|scope| hire(scope, dishes.iter().enumerate(), &cook, done));
    let mut results: Vec<_> = results.into_iter().collect();
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}
