//! Child processes: start them, wait for them, end them, read what they write. The lesson is in `README.md`.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// What a child process shall run.
#[derive(Clone, Debug)]
pub struct Job {
    /// What we call the process. The operating system needn't know.
    pub name: String,
    /// The program: a path, or a name that is searched in `PATH`.
    pub program: PathBuf,
    /// One entry for each argument, whatever is in it. The program's own name is not among them.
    pub arguments: Vec<String>,
    /// Environment variables, beside those that a child inherits. If it would inherit one of that name, this one counts.
    pub variables: Vec<(String, String)>,
    /// The working folder. `None` is the parent's.
    pub folder: Option<PathBuf>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this exit code.
    Code(i32),
    /// Killed by this signal. Windows has no signals: there, a killed process has a code.
    Signal(i32),
}

/// How a process ended, and what it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// How it ended.
    pub end: End,
    /// All that it wrote to standard output.
    pub stdout: Vec<u8>,
    /// All that it wrote to standard error.
    pub stderr: Vec<u8>,
}

/// A child process, in the hands of whoever started it, or of another thread.
///
/// No child outlives it. When it is dropped, the child is killed if it still runs, without a grace, and is waited for: also if the
/// owner panics.
#[derive(Debug)]
pub struct Process {
    // The fields are yours to choose. What has to happen when they are dropped?
}

impl Process {
    /// Starts the process, and goes on at once.
    ///
    /// Its standard input is a pipe that nobody writes to. Closing it is how [`terminate`](Process::terminate) asks it to end;
    /// nothing else closes it while the process runs.
    /// It writes where this process writes.
    ///
    /// # Errors
    /// The process can't be started. The error's kind is the system's, and its text contains `job.program`.
    pub fn start(job: &Job) -> io::Result<Process> {
        todo!()
    }

    /// The job's name.
    pub fn name(&self) -> &str {
        todo!()
    }

    /// Whether the process has not ended yet.
    pub fn is_alive(&mut self) -> bool {
        todo!()
    }

    /// Waits until the process has ended, however long it takes. Asked again, it gives the same answer again.
    pub fn join(&mut self) -> End {
        todo!()
    }

    /// Waits until the process has ended, but for `limit` at most, which may be anything from zero to [`Duration::MAX`]. `None` if
    /// the time was up first: then the process runs on.
    pub fn join_timeout(&mut self, limit: Duration) -> Option<End> {
        todo!()
    }

    /// Ends the process. Asks it by closing its standard input, waits for `grace` at most, and then kills it. Gives how it ended,
    /// also if that was long ago.
    pub fn terminate(&mut self, grace: Duration) -> End {
        todo!()
    }
}

/// Runs a job to its end, but for `limit` at most, and gives what it wrote, byte by byte. When the time is up, the process is
/// killed, and what it wrote until then is given.
///
/// Its standard input is empty. That it writes nothing more, or closes its outputs, is not yet its end.
///
/// # Errors
/// The process can't be started, as in [`Process::start`].
pub fn capture(job: &Job, limit: Duration) -> io::Result<Captured> {
    todo!()
}

/// The signal that killed a process, if one did. Given, since signals are Unix's alone.
fn signal_of(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    return None;
}
