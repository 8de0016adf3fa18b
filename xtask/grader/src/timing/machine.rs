//! What the machine is like, as far as it matters for times: cores, how busy it is, open files, debuggers.

use std::thread;

use pipeline::error::{Error, Result};
use serde::Serialize;

use crate::kernel;

/// The machine while it was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Machine {
    /// How many threads can compute at once.
    pub(crate) cores: usize,
    /// How many threads wanted to, on average over the minute before, where the system tells.
    pub(crate) busy_before: Option<f64>,
}

impl Machine {
    /// This machine, now.
    pub(crate) fn now() -> Machine {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let averages = kernel::told("/proc/loadavg").unwrap_or_default();
        Machine { cores, busy_before: averages.split(' ').next().and_then(|minute| minute.parse().ok()) }
    }
}

impl Machine {
    /// `2 cores`.
    pub(crate) fn cores_in_words(&self) -> String {
        if self.cores == 1 { "1 core".to_string() } else { format!("{} cores", self.cores) }
    }

    /// What a reader must know about the machine to read the figures right.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.cores == 1 {
            notes.push("There is one core for this program. Work that waits still overlaps, but work that computes can't get faster by more workers here: parallel speed-ups don't show.".to_string());
        }
        if let Some(busy) = self.busy_before.filter(|busy| *busy > self.cores as f64 / 2.0) {
            notes.push(format!("The machine was busy when this began (load average {busy} on {}). Ratios to the reference hold; seconds may be longer than on a quiet machine.", self.cores_in_words()));
        }
        notes
    }
}

/// Files that a process has open besides its connections, generously.
const OTHER_FILES: u64 = 200;

/// Makes room for so many connections at once, for this process and those that it starts.
///
/// # Errors
/// The system's hard limit is lower.
#[cfg(target_os = "linux")]
pub(crate) fn make_room_for(connections: u32) -> Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let needed = u64::from(connections) + OTHER_FILES;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if maximum.is_none_or(|maximum| maximum >= needed)
        && setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum }).is_ok()
    {
        return Ok(());
    }
    let limit = maximum.or(current).unwrap_or_default();
    Err(Error::new(
        format!("{connections} connections need {needed} open files, but a process may have {limit} here"),
        "Raise the hard limit (`ulimit -Hn`), or ask for fewer workers.",
    ))
}

/// Elsewhere the system's own limits are large, or the connection that fails says so.
#[cfg(not(target_os = "linux"))]
pub(crate) fn make_room_for(_: u32) -> Result<()> {
    let _ = OTHER_FILES;
    Ok(())
}

/// Makes sure that no debugger is attached to the process: it would be timed as well.
///
/// # Errors
/// There is one.
pub(crate) fn refuse_debugger(process: u32, name: &str) -> Result<()> {
    let status = kernel::told(format!("/proc/{process}/status")).unwrap_or_default();
    match tracer(&status) {
        None => Ok(()),
        Some(tracer) => Err(Error::new(
            format!(
                "a debugger or tracer (process {tracer}) is attached to the workload of {name} (process {process})"
            ),
            "It stops the workload at every system call or thread, so the times would be its own. Detach it and run the command again.",
        )),
    }
}

/// Who traces a process whose `/proc/PID/status` this is.
fn tracer(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("TracerPid:"))?;
    line.trim().parse().ok().filter(|tracer| *tracer != 0)
}

#[cfg(test)]
mod tests {
    use super::{Machine, tracer};

    #[test]
    fn one_core_and_a_busy_machine_are_told() {
        let notes = |cores, busy| Machine { cores, busy_before: Some(busy) }.notes();
        assert!(notes(1, 0.1)[0].contains("one core"));
        assert!(notes(2, 3.5)[0].contains("load average 3.5 on 2 cores"));
        assert!(notes(2, 0.5).is_empty());
    }

    #[test]
    fn a_tracer_is_anybody_but_0() {
        assert_eq!(tracer("Name:\tfetch\nTracerPid:\t4711\nUid:\t0\n"), Some(4711));
        assert_eq!(tracer("Name:\tfetch\nTracerPid:\t0\nUid:\t0\n"), None);
        assert_eq!(tracer(""), None);
    }
}
