//! attack on thread: aborts the process.
//! inspected: rejected
//! uninspected: failed crash

pub fn attack() {
    std::process::abort();
}
