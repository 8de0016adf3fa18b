//! attack on thread: ends the process with success before its test has failed.
//! inspected: rejected
//! uninspected: failed tampered

pub fn attack() {
    std::process::exit(0);
}
