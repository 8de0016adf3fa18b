//! The tools do in both builds what they say.

extern crate kata_explored as kata;

#[path = "../../tests/tools.rs"]
mod tools;
