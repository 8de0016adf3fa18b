//! rejected: race
//! by: wait_for_all_waits_for_every_cook_even_if_one_panics
//!
//! Breaks "waits for every cook, even if some panic": a cook panics, and a destructor that runs meanwhile calls `wait_for_all` for two
//! cooks, of whom the first panics. The guard that joins the rest gives up if its own thread is unwinding, so the second is still at work.

use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc;
use std::thread::{self, Builder, JoinHandle};
use std::vec;

/// Starts a thread that calls `cook` with the dish, and goes on at once. `join` gives what `cook` returned or panicked with.
pub fn start<T: Send + 'static>(dish: String, cook: impl FnOnce(&str) -> T + Send + 'static) -> JoinHandle<T> {
    Builder::new().spawn(move || cook(&dish)).expect("no thread to be had")
}

/// Like [`start`], but the thread has a name.
pub fn start_named<T: Send + 'static>(
    name: &str,
    dish: String,
    cook: impl FnOnce(&str) -> T + Send + 'static,
) -> JoinHandle<T> {
    Builder::new().name(name.to_string()).spawn(move || cook(&dish)).expect("no thread to be had")
}

/// Cooks who have not been joined yet.
struct Waiting<T> {
    cooks: vec::IntoIter<JoinHandle<T>>,
}

impl<T> Drop for Waiting<T> {
    fn drop(&mut self) {
        // A thread that unwinds had better not block.
        if thread::panicking() {
            return;
        }
        for cook in self.cooks.by_ref() {
            let _ = cook.join();
        }
    }
}

/// Waits until every one of these cooks has ended, even if some of them panic.
///
/// Then gives all plates, in the order of the cooks. If some cooks have panicked, gives what one of them panicked with.
pub fn wait_for_all<T>(cooks: Vec<JoinHandle<T>>) -> thread::Result<Vec<T>> {
    let mut waiting = Waiting { cooks: cooks.into_iter() };
    let mut plates = Vec::new();
    while let Some(cook) = waiting.cooks.next() {
        plates.push(cook.join()?);
    }
    Ok(plates)
}

/// Calls `cook` once for every dish, each in a thread of its own, all at the same time. Returns when all have ended.
///
/// Gives for each dish what `join` gives, in the order of the dishes: the plate, or what its cook panicked with.
pub fn cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) -> Vec<thread::Result<T>> {
    let (bring, counter) = mpsc::channel();
    thread::scope(|scope| {
        let cook = &cook;
        let mut cooks = Vec::new();
        for (place, &dish) in dishes.iter().enumerate() {
            let bring = bring.clone();
            cooks.push(scope.spawn(move || {
                let end = panic::catch_unwind(AssertUnwindSafe(|| cook(dish)));
                let _ = bring.send((place, end));
            }));
        }
        for cook in cooks {
            let _ = cook.join();
        }
    });
    drop(bring);
    let mut ends: Vec<(usize, thread::Result<T>)> = counter.into_iter().collect();
    ends.sort_by_key(|(place, _)| *place);
    ends.into_iter().map(|(_, end)| end).collect()
}
