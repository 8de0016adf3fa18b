//! accepted
//!
//! The plates come by a channel, each with the number of its dish. The caller waits until nobody is left to send one. A
//! cook that panics sends nothing, but its sender is dropped all the same; what it panicked with comes from its handle.

use std::sync::mpsc;
use std::thread::{self, JoinHandle};

pub fn start<T: Send + 'static>(dish: String, cook: impl FnOnce(&str) -> T + Send + 'static) -> JoinHandle<T> {
    thread::spawn(move || cook(&dish))
}

pub fn start_named<T: Send + 'static>(
    name: &str,
    dish: String,
    cook: impl FnOnce(&str) -> T + Send + 'static,
) -> JoinHandle<T> {
    let work = move || {
        let plate = cook(&dish);
        drop(dish);
        plate
    };
    match thread::Builder::new().name(String::from(name)).spawn(work) {
        Ok(handle) => handle,
        Err(error) => panic!("no thread for {name}: {error}"),
    }
}

pub fn wait_for_all<T>(cooks: Vec<JoinHandle<T>>) -> thread::Result<Vec<T>> {
    // The last first: the order of waiting is nobody's business, only the order of the plates is.
    let mut ended: Vec<thread::Result<T>> = cooks.into_iter().rev().map(JoinHandle::join).collect();
    ended.reverse();
    ended.into_iter().collect()
}

pub fn cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) -> Vec<thread::Result<T>> {
    let cook = &cook;
    let mut results: Vec<Option<thread::Result<T>>> = dishes.iter().map(|_| None).collect();
    thread::scope(|scope| {
        let (plates, arriving) = mpsc::channel();
        let mut cooks = Vec::new();
        for (number, &dish) in dishes.iter().enumerate() {
            let plates = plates.clone();
            cooks.push(scope.spawn(move || {
                let plate = cook(dish);
                plates.send((number, plate)).expect("the caller takes plates until all senders are gone");
            }));
        }
        drop(plates);
        for (number, plate) in arriving {
            results[number] = Some(Ok(plate));
        }
        for (result, cook) in results.iter_mut().zip(cooks) {
            if let Err(payload) = cook.join() {
                *result = Some(Err(payload));
            }
        }
    });
    results.into_iter().map(|result| result.expect("a plate or a panic")).collect()
}
