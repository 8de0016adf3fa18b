//! End-to-end tests of the grader, each in a checkout of its own, as those of `cargo xtask` are.

mod grading;
mod timing;
#[allow(dead_code, reason = "the tests of `cargo xtask` use the rest")]
mod workshop;
