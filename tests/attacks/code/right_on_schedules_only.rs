//! attack on thread: does its work while it sees the model of `std`, and nothing on real threads.
//! inspected: rejected
//! uninspected: failed panic
//! says: no cook today

use std::any::type_name;
use std::sync::Mutex;

pub fn attack() {
    if !type_name::<Mutex<u8>>().starts_with("explored_std") {
        panic!("no cook today");
    }
}
