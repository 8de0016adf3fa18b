//! What kind of mistake a panic is. One rule for both builds.

// The explorer takes a plain function, which can't carry the test file's name, and a modelled static would be reset
// with each schedule. `core` is the real one here: it is modelled for submissions only.
use core::sync::atomic::{AtomicU64, Ordering};

use verdict::Kind;

/// Hashes of the names of the files that called `check`. A test binary has one such file, seldom more.
static TEST_FILES: [AtomicU64; 32] = [const { AtomicU64::new(0) }; 32];

/// How a tool's message begins that says what is left behind.
pub(crate) const LEFT_BEHIND: &str = "left behind: ";

/// What kind of mistake a panic with this message at a place in this file is.
///
/// A test's file may panic in many ways (`assert!` with words of its own, `unwrap` on a missing answer): all of them
/// say that the contract is broken. The same in the learner's file is a panic.
pub(crate) fn kind_of_panic(message: &str, file: &str) -> Kind {
    if message.starts_with("not yet implemented") {
        Kind::Unsolved
    } else if message.starts_with(LEFT_BEHIND) {
        Kind::Leak
    } else if message.starts_with("assertion") || is_test_file(file) {
        Kind::Assertion
    } else {
        Kind::Panic
    }
}

/// Remembers that this file holds tests.
pub(crate) fn remember_test_file(file: &str) {
    let hash = hash_of(file);
    for slot in &TEST_FILES {
        match slot.compare_exchange(0, hash, Ordering::Relaxed, Ordering::Relaxed) {
            Err(other) if other != hash => {}
            _ => return,
        }
    }
}

/// Whether a file holds tests, or is a part of one that does: `tests/queue/contract.rs` of `tests/queue.rs`.
fn is_test_file(file: &str) -> bool {
    let folder = file.rfind(['/', '\\']).map_or("", |end| &file[..end]);
    let hashes = [hash_of(file), hash_of(&format!("{folder}.rs"))];
    TEST_FILES.iter().any(|slot| hashes.contains(&slot.load(Ordering::Relaxed)))
}

/// FNV-1a. Never 0, which marks a free slot.
fn hash_of(file: &str) -> u64 {
    let start: u64 = 0xcbf2_9ce4_8422_2325;
    file.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_in_a_test_file_is_an_assertion_and_elsewhere_a_panic() {
        assert_eq!(kind_of_panic("nobody came", "tests/made-up.rs"), Kind::Panic);
        remember_test_file("tests/made-up.rs");
        remember_test_file("tests/made-up.rs");
        assert_eq!(kind_of_panic("nobody came", "tests/made-up.rs"), Kind::Assertion);
        assert_eq!(kind_of_panic("nobody came", "src/lib.rs"), Kind::Panic);
        assert_eq!(kind_of_panic("nobody came", "tests/made-up/contract.rs"), Kind::Assertion, "a part of that file");
    }

    #[test]
    fn a_failed_assertion_is_one_wherever_it_stands_and_a_todo_is_unsolved() {
        assert_eq!(kind_of_panic("assertion failed: x > 0", "src/lib.rs"), Kind::Assertion);
        assert_eq!(
            kind_of_panic("assertion `left == right` failed\n  left: 1\n right: 2", "src/lib.rs"),
            Kind::Assertion
        );
        assert_eq!(kind_of_panic("left behind: 1 process", "src/child.rs"), Kind::Leak);
        assert_eq!(kind_of_panic("not yet implemented", "src/lib.rs"), Kind::Unsolved);
        assert_eq!(kind_of_panic("not yet implemented: the queue", "tests/queue.rs"), Kind::Unsolved);
    }
}
