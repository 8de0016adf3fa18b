//! accepted
//!
//! Nobody cooks before all are there: a barrier holds them up in `cook_all`, a gate of a mutex and a condition variable in `start_named`.
//! The cooks of `start` are named by a number that a static counts.

use std::sync::{Arc, Barrier, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

static STARTING: Mutex<usize> = Mutex::new(0);

fn starting() -> MutexGuard<'static, usize> {
    STARTING.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn start<T: Send + 'static>(dish: String, cook: impl FnOnce(&str) -> T + Send + 'static) -> JoinHandle<T> {
    let mut number = starting();
    *number += 1;
    thread::Builder::new().name(format!("cook-{}", *number)).spawn(move || cook(&dish)).unwrap()
}

pub fn start_named<T: Send + 'static>(
    name: &str,
    dish: String,
    cook: impl FnOnce(&str) -> T + Send + 'static,
) -> JoinHandle<T> {
    let go = Arc::new((Mutex::new(false), Condvar::new()));
    let wait = Arc::clone(&go);
    let handle = thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let mut gone = wait.0.lock().unwrap();
            while !*gone {
                gone = wait.1.wait(gone).unwrap();
            }
            drop(gone);
            cook(&dish)
        })
        .unwrap();
    *go.0.lock().unwrap() = true;
    go.1.notify_all();
    handle
}

pub fn wait_for_all<T>(cooks: Vec<JoinHandle<T>>) -> thread::Result<Vec<T>> {
    cooks.into_iter().rev().fold(Ok(Vec::new()), |all, cook| match (all, cook.join()) {
        (Ok(mut plates), Ok(plate)) => {
            plates.insert(0, plate);
            Ok(plates)
        }
        (Err(payload), _) | (_, Err(payload)) => Err(payload),
    })
}

pub fn cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) -> Vec<thread::Result<T>> {
    let all_here = Barrier::new(dishes.len());
    thread::scope(|scope| {
        let mut cooks = Vec::new();
        for &dish in dishes {
            let (all_here, cook) = (&all_here, &cook);
            let own = dish.to_owned();
            cooks.push(scope.spawn(move || {
                all_here.wait();
                cook(&own)
            }));
        }
        let mut plates: Vec<_> = cooks.into_iter().rev().map(|cook| cook.join()).collect();
        plates.reverse();
        plates
    })
}
