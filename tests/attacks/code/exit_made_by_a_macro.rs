//! attack on thread: the same, put together by a macro, so that no path in the source says it.
//! inspected: rejected
//! uninspected: failed tampered

macro_rules! call {
    ($name:ident) => {
        std::process::$name(0)
    };
}

pub fn attack() {
    call!(exit);
}
