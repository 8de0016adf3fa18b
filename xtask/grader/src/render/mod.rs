//! What instructors are shown, as functions from data to text, beside what both programs draw with.

pub(crate) mod class;
pub(crate) mod grading;
#[cfg(test)]
#[allow(dead_code, reason = "the library's own tests use the rest")]
#[path = "../../../pipeline/src/render/sample.rs"]
pub(crate) mod sample;
pub(crate) mod timing;

pub(crate) use pipeline::render::*;
