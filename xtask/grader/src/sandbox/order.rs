//! What a supervisor is asked for, and what it answers: plain data that travels as JSON between two processes of this program.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use pipeline::judging::sandbox::Ended;
use serde::{Deserialize, Serialize};
use verdict::Tier;

/// One program to be run under watch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The program.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) args: Vec<std::ffi::OsString>,
    /// Its whole environment.
    pub(crate) environment: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    /// Its working folder.
    pub(crate) folder: PathBuf,
    /// Whether it gets a channel for a record.
    pub(crate) record: bool,
    /// How far it is confined.
    pub(crate) tier: Tier,
    /// The files that it may use.
    pub(crate) files: Files,
    /// Whether it needs sockets.
    pub(crate) network: bool,
    /// Whether it needs child processes.
    pub(crate) processes: bool,
    /// What it may use.
    pub(crate) allowance: Allowance,
}

/// The files that a confined program may use. A path that doesn't exist is skipped.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Files {
    /// May be run and read.
    pub(crate) run: Vec<PathBuf>,
    /// May be read.
    pub(crate) read: Vec<PathBuf>,
    /// Folders whose names may be listed, but not read.
    pub(crate) list: Vec<PathBuf>,
    /// May be read and written, but not run.
    pub(crate) write: Vec<PathBuf>,
}

/// What a confined program may use. Sizes in bytes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Allowance {
    /// Time on the clock.
    pub(crate) wall: Duration,
    /// Memory of it and everything that it started.
    pub(crate) memory: u64,
    /// Processes and threads together.
    pub(crate) tasks: u32,
    /// Output on each stream.
    pub(crate) output: u64,
    /// Size of one file.
    pub(crate) file: u64,
    /// Size of all files that it has written and not removed.
    pub(crate) disk: u64,
}

/// What a supervisor answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// The program ran.
    Ended(Ended),
    /// It was not run.
    NotRun(NotRun),
}

/// Why a program was not run, in words.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NotRun {
    /// The kernel, or how this machine is set up, lacks what confines it.
    Lacking(String),
    /// Anything else: next time it may be run.
    Failed(String),
}

impl NotRun {
    /// A part of the confinement that could not be had. Who is short of memory, files or processes just now lacks nothing.
    pub(crate) fn without(part: &str, error: &(dyn std::error::Error + 'static)) -> NotRun {
        const SHORT: [i32; 4] = [libc::EMFILE, libc::ENFILE, libc::ENOMEM, libc::EAGAIN];
        let causes = std::iter::successors(Some(error), |error| error.source());
        let mut numbers = causes.filter_map(|cause| cause.downcast_ref::<std::io::Error>()?.raw_os_error());
        let what = format!("{part}: {error}");
        if numbers.any(|number| SHORT.contains(&number)) { NotRun::Failed(what) } else { NotRun::Lacking(what) }
    }
}

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (NotRun::Lacking(what) | NotRun::Failed(what)) = self;
        f.write_str(what)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn who_is_short_of_something_lacks_nothing() {
        let without = |number| NotRun::without("a user namespace", &io::Error::from_raw_os_error(number));
        assert!(matches!(without(libc::EPERM), NotRun::Lacking(_)));
        assert!(matches!(without(libc::ENOSYS), NotRun::Lacking(_)));
        assert!(matches!(without(libc::EMFILE), NotRun::Failed(_)));
        let wrapped = seccompiler::Error::Seccomp(io::Error::from_raw_os_error(libc::ENOMEM));
        assert!(matches!(NotRun::without("seccomp", &wrapped), NotRun::Failed(_)), "whoever wraps it");
    }
}
