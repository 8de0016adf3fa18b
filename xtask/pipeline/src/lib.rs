//! What the command lines are made of. A [`subject`] is somebody's answer to a kata; [`judging`] takes it through all steps to a
//! verdict; [`render`] draws what both programs show. Nothing here knows a command, a class or a sandbox.

pub mod cancel;
pub mod console;
pub mod error;
pub mod exit;
pub mod judging;
pub mod process;
pub mod render;
pub mod repository;
pub mod scratch;
pub mod subject;
pub mod toolchain;
pub mod whole;
