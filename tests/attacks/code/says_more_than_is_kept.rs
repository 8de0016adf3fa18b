//! attack on process: panics with megabytes of what steers terminals and turns lines around.
//! inspected: failed panic
//! says: more bytes are left out

pub fn attack() {
    panic!("a\\b {}", "\u{9b}31m\u{7f}\u{85}\u{2028}\u{2029}\u{202e}\u{2066} wide".repeat(100_000));
}
