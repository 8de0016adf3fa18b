//! attack on thread: the same, spelled so that a search for the name does not find it.
//! inspected: rejected
//! uninspected: failed tampered

pub fn attack() {
    std::process::r#exit(0);
}
