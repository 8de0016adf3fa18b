//! A child that stands still wherever it is just now.

use std::process::{Child, Command, Stdio};

use crate::tasks::{State, family};
use crate::tools::until;

/// While it lives, its child stands still: all its threads, between any two instructions. Then the child goes on.
#[derive(Debug)]
pub struct Stopped {
    process: u32,
}

/// Stops a child in the middle of whatever it does. `None` where there are no signals, or the child has gone.
pub fn stop(child: &Child) -> Option<Stopped> {
    if !signal("STOP", child.id()) {
        return None;
    }
    let stopped = Stopped { process: child.id() };
    // The signal is on its way. A processor may be slow to hear of it.
    until(|| {
        let tasks = family().unwrap_or_default();
        !tasks.iter().any(|task| task.process == stopped.process && task.state == State::Running)
    });
    Some(stopped)
}

impl Drop for Stopped {
    fn drop(&mut self) {
        signal("CONT", self.process);
    }
}

/// `std` has no signals but the one that kills. Every shell has.
fn signal(name: &str, process: u32) -> bool {
    let script = format!("kill -{name} {process}");
    // The shell's words are dropped: a child may have gone, and that is no news.
    let said = Command::new("/bin/sh").args(["-c", &script]).stderr(Stdio::null()).status();
    cfg!(unix) && said.is_ok_and(|status| status.success())
}
