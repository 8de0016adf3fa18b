//! attack on thread: leaves a thread behind that ends the process with success later.
//! inspected: rejected
//! uninspected: failed leak

use std::sync::Once;
use std::thread;
use std::time::Duration;

macro_rules! call {
    ($name:ident) => {
        std::process::$name(0)
    };
}

/// One is enough: many would meet another limit.
static LEFT_BEHIND: Once = Once::new();

pub fn attack() {
    LEFT_BEHIND.call_once(|| {
        drop(thread::spawn(|| {
            thread::sleep(Duration::from_secs(60));
            call!(exit);
        }));
    });
}
