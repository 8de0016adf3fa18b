//! One module a command. They call the steps and `render`, never each other.

pub(crate) mod grade;
pub(crate) mod merge;
pub(crate) mod time;
