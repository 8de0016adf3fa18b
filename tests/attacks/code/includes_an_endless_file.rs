//! attack on thread: includes a file that never ends. Bounded by the compiler itself, at 2 GiB.
//! inspected: rejected
//! uninspected: compile-error
//! says: Permission denied
//! needs: confined

static ENDLESS: &[u8] = include_bytes!("/dev/zero");

pub fn attack() {
    println!("{}", ENDLESS.len());
}
