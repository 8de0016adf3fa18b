//! attack on thread: asks the compiler for the name of the test that has made the value.
//! inspected: rejected
//! uninspected: failed panic

pub fn attack() {
    panic!("got in: {}", std::any::type_name_of_val(&attack));
}
