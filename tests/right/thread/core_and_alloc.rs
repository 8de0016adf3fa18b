//! accepted
//!
//! Written as for a crate without std, which takes only threads from it, under another name. Whoever counts the cooks
//! that are done spins on an atomic of `core`.

#![no_std]

extern crate alloc;
#[macro_use]
extern crate std as standard;

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use standard::sync::Mutex;
use standard::thread::{self, JoinHandle};

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
    let (mut plates, mut burnt) = (vec![], None);
    for cook in cooks {
        match cook.join() {
            Ok(plate) => plates.push(plate),
            Err(payload) => burnt = Some(payload),
        }
    }
    burnt.map_or(Ok(plates), Err)
}

pub fn cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) -> Vec<thread::Result<T>> {
    let (cook, done) = (&cook, &AtomicUsize::new(0));
    let plates: Vec<Mutex<Option<T>>> = dishes.iter().map(|_| Mutex::new(None)).collect();
    let ends = thread::scope(|scope| {
        let cooks: Vec<_> = core::iter::zip(dishes, &plates)
            .map(|(dish, plate)| {
                scope.spawn(move || {
                    let _done = Done(done);
                    *plate.lock().unwrap() = Some(cook(dish));
                })
            })
            .collect();
        while done.load(Ordering::Acquire) < dishes.len() {
            core::hint::spin_loop();
        }
        cooks.into_iter().map(|cook| cook.join()).collect::<Vec<_>>()
    });
    let plates = plates.into_iter().map(|plate| plate.into_inner().unwrap());
    let result = |(end, plate): (thread::Result<()>, Option<T>)| end.map(|()| plate.expect("it was cooked"));
    core::iter::zip(ends, plates).map(result).collect::<Box<[_]>>().into_vec()
}

/// Counts a cook whose work has ended, be it in a panic.
struct Done<'a>(&'a AtomicUsize);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Release);
    }
}
