//! One module a command. They call the steps and `render`, never each other.

pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod grader;
pub(crate) mod hint;
pub(crate) mod list;
pub(crate) mod map;
pub(crate) mod mutants;
pub(crate) mod new;
pub(crate) mod noise;
pub(crate) mod play;
pub(crate) mod replay;
pub(crate) mod reset;
pub(crate) mod verify;
pub(crate) mod watch;
