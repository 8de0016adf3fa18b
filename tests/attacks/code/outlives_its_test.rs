//! attack on thread: leaves a thread behind that ends the process with success later.
//! inspected: failed leak

use std::thread;
use std::time::Duration;

macro_rules! call {
    ($name:ident) => {
        std::process::$name(0)
    };
}

pub fn attack() {
    drop(thread::spawn(|| {
        thread::sleep(Duration::from_secs(60));
        call!(exit);
    }));
}
