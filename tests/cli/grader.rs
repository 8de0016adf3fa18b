//! End-to-end tests of the grader, each in a checkout of its own, as those of `cargo xtask` are.

mod grading;
#[cfg(target_os = "linux")]
mod stopping;
mod timing;
mod usage;
#[allow(dead_code, reason = "the tests of `cargo xtask` use the rest")]
mod workshop;
