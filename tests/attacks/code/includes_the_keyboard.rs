//! attack on thread: includes standard input, at which a compiler could wait for ever. There is none: it is empty.
//! inspected: rejected
//! uninspected: passed
//! needs: confined

static TYPED: &str = include_str!("/dev/stdin");

pub fn attack() {
    println!("{TYPED}");
}
