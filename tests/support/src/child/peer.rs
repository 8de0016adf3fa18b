//! Whether who comes to a test is a child that plays a role.
//!
//! The code under test starts the children, so it knows where their test listens, and could come in their stead: to meet at a rendezvous
//! where no child is, say. So a child says its number first, and the test looks up what process that is.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::{ADDRESS, ROLE};

/// What a child says before all else.
pub(super) fn hello(process: u32) -> String {
    format!("child {process}")
}

/// The number of the process that says this, if it runs this program, and was started to play a role for the test that listens there.
/// What the system doesn't tell counts as said truly.
pub(super) fn child_that_says(line: &str, test: SocketAddr) -> Option<u32> {
    let process = line.strip_prefix("child ")?.parse().ok()?;
    // Where there is no `/proc`, nobody can tell.
    let Ok(own) = fs::read_link("/proc/self/exe") else { return Some(process) };
    let folder = PathBuf::from(format!("/proc/{process}"));
    let runs_this = fs::read_link(folder.join("exe")).is_ok_and(|program| program == own);
    let environment = fs::read(folder.join("environ")).unwrap_or_default();
    let has = |beginning: String| environment.split(|byte| *byte == 0).any(|one| one.starts_with(beginning.as_bytes()));
    (runs_this && has(format!("{ROLE}=")) && has(format!("{ADDRESS}={test}"))).then_some(process)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_no_child_of_a_test_is_none() {
        let test = "127.0.0.1:1".parse().unwrap();
        for said in ["", "meet gate", "child", "child x"] {
            assert_eq!(child_that_says(said, test), None, "{said:?}");
        }
        // Whatever runs with the number 1, this program it isn't; and this process plays no role.
        let nobody_can_tell = fs::read_link("/proc/self/exe").is_err();
        for process in [1, std::process::id()] {
            assert_eq!(child_that_says(&hello(process), test).is_some(), nobody_can_tell, "{process}");
        }
    }
}
