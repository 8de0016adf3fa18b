//! attack on thread: replaces the hook by which the tests hear of panics, so that they have no words.
//! inspected: rejected
//! uninspected: failed assertion, panic

pub fn attack() {
    std::panic::set_hook(Box::new(|_| ()));
    panic!("burnt");
}
