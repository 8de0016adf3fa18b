//! accepted
//!
//! A number of those who are still at work, and a condition variable for the caller. The plates are pushed as they come, with
//! their places, and sorted at the end.

use std::thread::{self, JoinHandle};

pub fn start<T: Send + 'static>(dish: String, cook: impl FnOnce(&str) -> T + Send + 'static) -> JoinHandle<T> {
    thread::spawn(move || cook(&dish))
}

pub fn start_named<T: Send + 'static>(
    name: &str,
    dish: String,
    cook: impl FnOnce(&str) -> T + Send + 'static,
) -> JoinHandle<T> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || cook(&dish));
    thread.expect("the system has room for one more thread")
}

pub fn wait_for_all<T>(cooks: Vec<JoinHandle<T>>) -> thread::Result<Vec<T>> {
    let ended: Vec<thread::Result<T>> = cooks.into_iter().map(JoinHandle::join).collect();
    ended.into_iter().collect()
}

pub fn cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) -> Vec<thread::Result<T>> {
    use std::sync::{Arc, Condvar, Mutex};
    let left = Arc::new((Mutex::new(dishes.len()), Condvar::new()));
    let plates = Mutex::new(Vec::new());
    let (cook, shared) = (&cook, &plates);
    thread::scope(|scope| {
        for (place, &dish) in dishes.iter().enumerate() {
            let left = left.clone();
            scope.spawn(move || {
                let plate = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| cook(dish)));
                shared.lock().unwrap().push((place, plate));
                *left.0.lock().unwrap() -= 1;
                left.1.notify_all();
            });
        }
        drop(left.1.wait_while(left.0.lock().unwrap(), |left| *left > 0).unwrap());
    });
    let mut plates = plates.into_inner().unwrap();
    plates.sort_by_key(|(place, _)| *place);
    plates.into_iter().map(|(_, plate)| plate).collect()
}
