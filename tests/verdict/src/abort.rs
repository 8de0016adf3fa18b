//! A process that aborts, since a destructor panicked while a panic unwound: nothing else is told of it.

use std::io::{self, Write};

/// What std panics with then.
pub const ABORTS: &str = "panic in a destructor during cleanup";

/// Says which panic it began with, as the process's last words.
pub fn last_words(first: &str) {
    // Not `eprintln!`, whose text a test harness may keep for an end that does not come.
    let words = format!("\n{first}\nA destructor panicked while that panic unwound, so the process aborts.\n");
    let _ = io::stderr().write_all(words.as_bytes());
}
