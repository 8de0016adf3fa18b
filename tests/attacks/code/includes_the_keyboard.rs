//! attack on thread: includes standard input, at which a compiler waits for ever.
//! inspected: rejected
//! uninspected: compile-error

static TYPED: &str = include_str!("/dev/stdin");

pub fn attack() {
    println!("{TYPED}");
}
