//! TODO: what it is, in one sentence.
//!
//! TODO: the one idea. Comments below say why, so that the solution reads as a lesson.

use std::sync::Mutex;

/// TODO: a number that threads count up. They share it by reference.
#[derive(Debug)]
pub struct Example {
    number: Mutex<usize>,
}

impl Example {
    /// The number to begin with.
    pub fn starting_at(number: usize) -> Example {
        Example { number: Mutex::new(number) }
    }

    /// Adds 1.
    pub fn add(&self) {
        // Read and written under one guard: another thread can't come in between.
        *self.number.lock().expect(UNBROKEN) += 1;
    }

    /// The number now.
    pub fn number(&self) -> usize {
        *self.number.lock().expect(UNBROKEN)
    }
}

/// A lock is poisoned when a thread panics while it holds it. No code here panics under the lock.
const UNBROKEN: &str = "nothing panics while it holds the lock";
