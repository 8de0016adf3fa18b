//! rejected: deadlock, timeout
//!
//! The caller holds the lock on the plates while it waits for the cooks, and the cooks need it to put their plates down.

use std::collections::BTreeMap;
use std::sync::Mutex;
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
    let ended: Vec<thread::Result<T>> = cooks.into_iter().map(JoinHandle::join).collect();
    ended.into_iter().collect()
}

pub fn cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) -> Vec<thread::Result<T>> {
    let (cook, plates) = (&cook, &Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        let put = |number: usize, dish| {
            let plate = cook(dish);
            plates.lock().unwrap().insert(number, Ok(plate));
        };
        let cooks: Vec<_> =
            dishes.iter().enumerate().map(|(number, &dish)| scope.spawn(move || put(number, dish))).collect();
        let mut all = plates.lock().unwrap();
        for (number, cook) in cooks.into_iter().enumerate() {
            if let Err(payload) = cook.join() {
                all.insert(number, Err(payload));
            }
        }
        std::mem::take(&mut *all).into_values().collect()
    })
}
