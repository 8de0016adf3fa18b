//! End-to-end tests of the command line, each in a checkout of its own.
//!
//! A test reads as a session: `Workshop::new().answer("lock", …).run(&["check", "lock"])`. What is printed is compared with a
//! snapshot where the wording matters, and searched where only a fact does.

mod bad_input;
mod checking;
mod grading;
mod help;
mod learning;
mod maintaining;
// How wrong submissions are written down; needs nothing else of the command line.
#[path = "../../xtask/src/patch.rs"]
mod patch;
mod pictures;
mod play;
#[cfg(unix)]
mod screen;
#[cfg(unix)]
mod terminal;
mod timing;
mod workshop;
