//! accepted
//!
//! No result comes through `join`: every thread borrows a place of its own for its plate, and catches its own panic. The
//! places are disjoint, so no lock is needed, and the scope waits for all threads without being told.

use std::iter;
use std::panic::{self, AssertUnwindSafe};
use std::thread::{self, JoinHandle};

pub fn start<T: Send + 'static>(dish: String, cook: impl FnOnce(&str) -> T + Send + 'static) -> JoinHandle<T> {
    thread::spawn(move || cook(&dish))
}

pub fn start_named<T: Send + 'static>(
    name: &str,
    dish: String,
    cook: impl FnOnce(&str) -> T + Send + 'static,
) -> JoinHandle<T> {
    thread::Builder::new().name(name.to_owned()).spawn(move || cook(&dish)).unwrap()
}

pub fn wait_for_all<T>(cooks: Vec<JoinHandle<T>>) -> thread::Result<Vec<T>> {
    let mut plates = Vec::with_capacity(cooks.len());
    let mut burnt = None;
    for cook in cooks {
        match cook.join() {
            Ok(plate) => plates.push(plate),
            Err(payload) => burnt = Some(payload),
        }
    }
    burnt.map_or(Ok(plates), Err)
}

pub fn cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) -> Vec<thread::Result<T>> {
    let cook = &cook;
    let mut places: Vec<Option<thread::Result<T>>> = iter::repeat_with(|| None).take(dishes.len()).collect();
    thread::scope(|scope| {
        for (&dish, place) in iter::zip(dishes, &mut places) {
            scope.spawn(move || *place = Some(panic::catch_unwind(AssertUnwindSafe(|| cook(dish)))));
        }
    });
    places.into_iter().map(|place| place.expect("the scope has waited for all threads")).collect()
}
