//! A thread has the stack that std would give it, and who uses it up is told.

#![cfg(unix)]

#[macro_use]
extern crate explored_std as std;

mod support;

use std::explored::{Config, explore};
use std::hint::black_box;
use std::real::os::unix::process::ExitStatusExt;
use std::real::process::Command;
use std::thread;

use support::{fails, passes};
use verdict::Kind;

const MEBIBYTE: usize = 1 << 20;

/// Uses this much stack.
fn use_stack(bytes: usize) {
    #[inline(never)]
    fn go_down(to: usize) {
        let block = black_box([1u8; 1024]);
        if block.as_ptr().addr() > to {
            go_down(to);
        }
        black_box(block);
    }
    let here = 0;
    go_down((&raw const here).addr().saturating_sub(bytes));
}

#[test]
fn a_thread_may_use_as_much_stack_as_std_gives_it() {
    passes(|| {
        use_stack(MEBIBYTE * 19 / 10);
        thread::spawn(|| use_stack(MEBIBYTE * 19 / 10)).join().unwrap();
        let large = thread::Builder::new().stack_size(9 * MEBIBYTE);
        large.spawn(|| use_stack(8 * MEBIBYTE)).unwrap().join().unwrap();
        thread::scope(|s| {
            let large = thread::Builder::new().stack_size(9 * MEBIBYTE);
            large.spawn_scoped(s, || use_stack(8 * MEBIBYTE)).unwrap();
        });
    });
}

#[test]
fn a_stack_that_is_not_to_be_had_fails_the_test() {
    let body = || drop(thread::Builder::new().stack_size(usize::MAX).spawn(|| ()).unwrap().join());
    assert!(fails(Kind::Panic, body).starts_with("failed to spawn thread"));
}

/// Runs one of this file's tests in a process of its own, where it uses its stack up. Gives its signal and its last words.
fn last_words(test: &str) -> (Option<i32>, String) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    let ended = child.args([test, "--exact", "--ignored", "--nocapture"]).output().unwrap();
    (ended.status.signal(), String::from_utf8(ended.stderr).unwrap())
}

#[test]
fn a_stack_that_is_used_up_is_told_with_its_thread() {
    const ABORTED: Option<i32> = Some(6);
    for (test, name) in [("small_stack", "cook"), ("second_thread", "thread 1"), ("main_thread", "main")] {
        assert_eq!(last_words(test), (ABORTED, format!("\nthread '{name}' has overflowed its stack\n")), "{test}");
    }
}

#[test]
fn another_fault_is_no_overflow() {
    let (signal, words) = last_words("fault");
    assert!(signal.is_some() && !words.contains("overflowed"), "{signal:?}: {words}");
}

#[test]
#[ignore = "it ends its process"]
fn small_stack() {
    explore(&Config::default(), || {
        let small = thread::Builder::new().name("cook".to_string()).stack_size(MEBIBYTE / 4);
        small.spawn(|| use_stack(MEBIBYTE)).unwrap().join().unwrap();
    });
}

#[test]
#[ignore = "it ends its process"]
fn second_thread() {
    explore(&Config::default(), || drop(thread::spawn(|| use_stack(3 * MEBIBYTE)).join()));
}

#[test]
#[ignore = "it ends its process"]
fn main_thread() {
    explore(&Config::default(), || use_stack(3 * MEBIBYTE));
}

#[test]
#[ignore = "it ends its process"]
fn fault() {
    // SAFETY: none; that is the point.
    explore(&Config::default(), || assert_eq!(unsafe { std::ptr::read_volatile(black_box(8 as *const u8)) }, 0));
}

/// Panics in its destructor if its lock is poisoned: which it is when the first panic came under the lock.
struct Counted<'a>(&'a std::sync::Mutex<u8>);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        *self.0.lock().expect("nobody panics under the lock") -= 1;
    }
}

#[test]
fn a_panic_that_a_destructor_makes_an_abort_is_told() {
    let (signal, words) = last_words("counts_to_255");
    let (first, second) = words.split_once("A destructor panicked while that panic unwound").unwrap_or_default();
    assert_eq!(signal, Some(6), "{words}");
    assert!(first.contains("cook panicked: too many (stacks.rs:"), "{words}");
    assert!(second.starts_with(", so the process aborts.") && !first.contains("Poison"), "{words}");
}

#[test]
#[ignore = "it ends its process"]
fn counts_to_255() {
    let body = || {
        let count = std::sync::Mutex::new(255);
        let _first = Counted(&count);
        let _count = count.lock();
        panic!("too many");
    };
    let cook = move || drop(thread::Builder::new().name("cook".to_string()).spawn(body).unwrap().join());
    explore(&Config::default(), cook);
}
