//! rejected: rule
//!
//! The compiler's refusal of `spawn_instead_of_scope.rs`, silenced: `cook` is said to live for ever. It would be right as
//! long as every thread is joined on every way out, and nobody checks that any more.

use std::collections::BTreeMap;
use std::mem;
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
    thread::Builder::new().name(name.to_owned()).spawn(move || cook(&dish)).unwrap()
}

pub fn wait_for_all<T>(cooks: Vec<JoinHandle<T>>) -> thread::Result<Vec<T>> {
    let ended: Vec<thread::Result<T>> = cooks.into_iter().map(JoinHandle::join).collect();
    ended.into_iter().collect()
}

pub fn cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) -> Vec<thread::Result<T>> {
    let cook = &cook;
    let (sender, plates) = mpsc::channel();
    let mut cooks = Vec::new();
    for (number, &dish) in dishes.iter().enumerate() {
        let sender = sender.clone();
        let work: Box<dyn FnOnce() + Send + '_> = Box::new(move || {
            let plate = cook(dish);
            let _ = sender.send((number, plate));
        });
        let work: Box<dyn FnOnce() + Send> = unsafe { mem::transmute(work) };
        cooks.push(thread::spawn(work));
    }
    drop(sender);
    let mut plates: BTreeMap<usize, T> = plates.into_iter().collect();
    let mut result = Vec::new();
    for (number, cook) in cooks.into_iter().enumerate() {
        result.push(cook.join().map(|()| plates.remove(&number).unwrap()));
    }
    result
}
