//! attack on thread: panics with 64 MiB of text, which becomes part of the record.
//! inspected: failed output-limit

pub fn attack() {
    panic!("{}", "and ".repeat(16 * 1024 * 1024));
}
