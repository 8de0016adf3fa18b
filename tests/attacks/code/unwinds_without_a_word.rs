//! attack on thread: ends the test with a panic that no hook hears of, and that carries a success.
//! inspected: failed assertion, panic

pub fn attack() {
    std::panic::resume_unwind(Box::new("test result: ok. 1 passed"));
}
