//! accepted
//!
//! Dishes and places for the results are split in halves: threads that cook nothing do half of the hiring, so there are twice as many
//! threads as dishes. The thread of `start` has the dish for a name.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::thread::{self, JoinHandle};

/// Starts a thread that calls `cook` with the dish, and goes on at once. It is called after its dish.
pub fn start<T: Send + 'static>(dish: String, cook: impl FnOnce(&str) -> T + Send + 'static) -> JoinHandle<T> {
    start_named(&dish.replace('\0', " "), dish, cook)
}

/// Like [`start`], but the thread has a name.
pub fn start_named<T: Send + 'static>(
    name: &str,
    dish: String,
    cook: impl FnOnce(&str) -> T + Send + 'static,
) -> JoinHandle<T> {
    thread::Builder::new().name(name.to_owned()).spawn(move || cook(&dish)).expect("a new thread")
}

/// Waits until every one of these cooks has ended: first for those who are done, then for the others.
pub fn wait_for_all<T>(cooks: Vec<JoinHandle<T>>) -> thread::Result<Vec<T>> {
    let (done, at_work): (Vec<_>, Vec<_>) = cooks.into_iter().enumerate().partition(|(_, cook)| cook.is_finished());
    let mut plates = BTreeMap::new();
    let mut panicked = Vec::new();
    for (place, cook) in done.into_iter().chain(at_work) {
        match cook.join() {
            Ok(plate) => drop(plates.insert(place, plate)),
            Err(payload) => panicked.push(payload),
        }
    }
    match panicked.pop() {
        Some(payload) => Err(payload),
        None => Ok(plates.into_values().collect()),
    }
}

/// Hires a cook for each of the dishes, and returns when all of them have ended.
fn spread<T: Send>(dishes: &[&str], places: &mut [Option<thread::Result<T>>], cook: &(impl Fn(&str) -> T + Sync)) {
    let half = dishes.len() / 2;
    thread::scope(|scope| match (dishes, &mut *places) {
        ([], _) | (_, []) => {}
        ([dish], [place]) => {
            scope.spawn(|| *place = Some(panic::catch_unwind(AssertUnwindSafe(|| cook(dish)))));
        }
        (dishes, places) => {
            let (dishes, more_dishes) = dishes.split_at(half);
            let (places, more_places) = places.split_at_mut(half);
            scope.spawn(move || spread(more_dishes, more_places, cook));
            spread(dishes, places, cook);
        }
    });
}

/// Calls `cook` once for every dish, each in a thread of its own, all at the same time.
pub fn cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) -> Vec<thread::Result<T>> {
    let mut places: Vec<Option<thread::Result<T>>> = dishes.iter().map(|_| None).collect();
    spread(dishes, &mut places, &cook);
    places.into_iter().flatten().collect()
}
