//! rejected: assertion
//! by: a_process_that_cannot_be_started_is_an_error_that_names_it
//!
//! Breaks "A program that is only a name is searched in `PATH`, and no other is": with a program like `./tool` or `sub/tool`, which is not
//! there, but in a folder of `PATH` there is one (`PATH=/bin`, program `./true`): it runs, instead of the error `NotFound`.  Special: the
//! search in `PATH` is written by hand, since on Windows the standard library looks beside our own program first. It asks whether the
//! program is absolute, not whether it is only a name.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

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

impl Job {
    /// The `PATH` of the child: the job's, or else ours.
    fn path_variable(&self) -> Option<OsString> {
        let own = self.variables.iter().rev().find(|(name, _)| name == "PATH");
        own.map(|(_, value)| OsString::from(value)).or_else(|| std::env::var_os("PATH"))
    }

    /// Where the program is. If it isn't found, it stays as it is, and the system says what it thinks of it.
    fn resolved(&self) -> PathBuf {
        if self.program.is_absolute() || self.program.as_os_str().is_empty() {
            return self.program.clone();
        }
        let found = self.path_variable().and_then(|path| {
            std::env::split_paths(&path)
                .filter(|folder| folder.is_absolute())
                .map(|folder| folder.join(&self.program))
                .find(|candidate| may_run(candidate))
        });
        found.unwrap_or_else(|| self.program.clone())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.resolved());
        command.args(&self.arguments).envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }

    fn spawn(&self, command: &mut Command) -> io::Result<Kid> {
        match command.spawn() {
            Ok(mut child) => {
                let input = child.stdin.take();
                Ok(Kid { child, input, end: None })
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn failed(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("could not start {}: {error}", self.program.display()))
    }
}

fn may_run(file: &Path) -> bool {
    let Ok(metadata) = file.metadata() else { return false };
    #[cfg(unix)]
    let executable = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let executable = true;
    metadata.is_file() && executable
}

#[derive(Debug)]
struct Kid {
    child: Child,
    input: Option<ChildStdin>,
    end: Option<End>,
}

impl Kid {
    fn poll(&mut self) -> Option<End> {
        if self.end.is_none() {
            self.end = self.child.try_wait().expect("the child is ours").map(end_of);
        }
        self.end
    }

    fn wait(&mut self) -> End {
        if let Some(end) = self.end {
            return end;
        }
        let end = end_of(self.child.wait().expect("the child is ours"));
        self.end = Some(end);
        end
    }

    fn wait_until(&mut self, deadline: Option<Instant>) -> Option<End> {
        let Some(deadline) = deadline else { return Some(self.wait()) };
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if let Some(end) = self.poll() {
                return Some(end);
            }
            if left.is_zero() {
                return None;
            }
            thread::sleep(left.min(Duration::from_millis(1)));
        }
    }

    fn kill(&mut self) -> End {
        if self.poll().is_none() {
            let _ = self.child.kill();
        }
        self.wait()
    }
}

impl Drop for Kid {
    fn drop(&mut self) {
        if self.end.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A child process, in the hands of whoever started it, or of another thread.
///
/// No child outlives it. When it is dropped, the child is killed if it still runs, without a grace, and is waited for: also if the
/// owner panics.
#[derive(Debug)]
pub struct Process {
    name: String,
    kid: Kid,
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
        let kid = job.spawn(job.command().stdin(Stdio::piped()))?;
        Ok(Process { name: job.name.clone(), kid })
    }

    /// The job's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the process has not ended yet.
    pub fn is_alive(&mut self) -> bool {
        self.kid.poll().is_none()
    }

    /// Waits until the process has ended, however long it takes. Asked again, it gives the same answer again.
    pub fn join(&mut self) -> End {
        self.kid.wait()
    }

    /// Waits until the process has ended, but for `limit` at most, which may be anything from zero to [`Duration::MAX`]. `None` if
    /// the time was up first: then the process runs on.
    pub fn join_timeout(&mut self, limit: Duration) -> Option<End> {
        self.kid.wait_until(Instant::now().checked_add(limit))
    }

    /// Ends the process. Asks it by closing its standard input, waits for `grace` at most, and then kills it. Gives how it ended,
    /// also if that was long ago.
    pub fn terminate(&mut self, grace: Duration) -> End {
        let deadline = Instant::now().checked_add(grace);
        self.kid.input = None;
        match self.kid.wait_until(deadline) {
            Some(end) => end,
            None => self.kid.kill(),
        }
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
    let deadline = Instant::now().checked_add(limit);
    let mut kid = job.spawn(job.command().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let (stdout, stderr) = (kid.child.stdout.take(), kid.child.stderr.take());
    let out = thread::Builder::new().spawn(move || read_all(stdout)).map_err(|error| job.failed(&error))?;
    let err = match thread::Builder::new().spawn(move || read_all(stderr)) {
        Ok(err) => err,
        Err(error) => {
            kid.kill();
            let _ = out.join();
            return Err(job.failed(&error));
        }
    };
    let end = kid.wait_until(deadline).unwrap_or_else(|| kid.kill());
    let stdout = out.join().unwrap_or_default();
    let stderr = err.join().unwrap_or_default();
    Ok(Captured { end, stdout, stderr })
}

fn read_all(stream: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        let _ = stream.read_to_end(&mut bytes);
    }
    bytes
}

fn end_of(status: ExitStatus) -> End {
    match signal_of(status) {
        Some(signal) => End::Signal(signal),
        None => End::Code(status.code().unwrap_or_default()),
    }
}

/// The signal that killed a process, if one did. Given, since signals are Unix's alone.
fn signal_of(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    return None;
}
