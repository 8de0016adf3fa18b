//! rejected: assertion
//! by: a_process_ends_with_a_code_or_by_a_signal
//!
//! Breaks "`join`, `join_timeout` and `terminate` give the child's exit code, whichever of them is first": the child has ended by itself
//! with code 3, nobody has noticed (no `is_alive`, no `join`), and `terminate(Duration::ZERO)` is called. It kills a zombie, doesn't look
//! at what `wait` says, and gives `Signal(9)`, then and for ever.  Special: a captured child is shared with a killer thread, which sleeps
//! at a channel until the time is up or it isn't needed.

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How one ends that was killed.
const KILLED: End = if cfg!(unix) { End::Signal(9) } else { End::Code(1) };

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
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    end: Option<End>,
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
        let mut child = wrap(job, command_of(job).stdin(Stdio::piped()).spawn())?;
        let input = child.stdin.take();
        Ok(Process { name: job.name.clone(), child, input, end: None })
    }

    /// The job's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the process has not ended yet.
    pub fn is_alive(&mut self) -> bool {
        self.poll().is_none()
    }

    /// Waits until the process has ended, however long it takes. Asked again, it gives the same answer again.
    pub fn join(&mut self) -> End {
        if let Some(end) = self.end {
            return end;
        }
        let status = self.child.wait().expect("nobody takes our child away");
        let end = end_from(status);
        self.end = Some(end);
        end
    }

    /// Waits until the process has ended, but for `limit` at most, which may be anything from zero to [`Duration::MAX`]. `None` if
    /// the time was up first: then the process runs on.
    pub fn join_timeout(&mut self, limit: Duration) -> Option<End> {
        // A last look when the time is up, which is the only one if there is no time at all.
        self.wait_for(Instant::now(), limit).or_else(|| self.poll())
    }

    /// Ends the process. Asks it by closing its standard input, waits for `grace` at most, and then kills it. Gives how it ended,
    /// also if that was long ago.
    pub fn terminate(&mut self, grace: Duration) -> End {
        let begin = Instant::now();
        if let Some(end) = self.end {
            return end;
        }
        drop(self.input.take());
        if let Some(end) = self.wait_for(begin, grace) {
            return end;
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        *self.end.insert(KILLED)
    }

    fn poll(&mut self) -> Option<End> {
        if self.end.is_none() {
            self.end = self.child.try_wait().expect("nobody takes our child away").map(end_from);
        }
        self.end
    }

    /// Waits as long as there is time.
    fn wait_for(&mut self, begin: Instant, limit: Duration) -> Option<End> {
        while let Some(left) = limit.checked_sub(begin.elapsed()).filter(|left| !left.is_zero()) {
            let end = self.poll();
            if end.is_some() {
                return end;
            }
            thread::sleep(left.min(Duration::from_millis(1)));
        }
        None
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.end.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A child in the hands of two threads. It dies with the last one's interest.
struct Common(Mutex<Child>);

impl Common {
    fn child(&self) -> MutexGuard<'_, Child> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Common {
    fn drop(&mut self) {
        let child = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
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
    let begin = Instant::now();
    let mut command = command_of(job);
    let mut child = wrap(job, command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn())?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let common = Arc::new(Common(Mutex::new(child)));

    let reader = wrap(job, thread::Builder::new().spawn(move || read(err)))?;
    let (not_needed, needed) = mpsc::channel::<()>();
    let victim = Arc::clone(&common);
    let killer = thread::Builder::new().spawn(move || {
        let left = limit.saturating_sub(begin.elapsed());
        if needed.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
            // Whoever was waited for is not killed: the standard library sees to that.
            let _ = victim.child().kill();
        }
    });
    if killer.is_err() {
        let _ = common.child().kill();
    }

    let stdout = read(out);
    let stderr = reader.join().unwrap_or_default();
    let end = loop {
        let status = common.child().try_wait().expect("nobody takes our child away");
        match status {
            Some(status) => break end_from(status),
            None => thread::sleep(Duration::from_millis(1)),
        }
    };
    drop(not_needed);
    let _ = wrap(job, killer)?.join();
    Ok(Captured { end, stdout, stderr })
}

fn read(stream: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        let _ = stream.read_to_end(&mut bytes);
    }
    bytes
}

fn command_of(job: &Job) -> Command {
    let mut command = Command::new(&job.program);
    command.args(&job.arguments);
    for (name, value) in &job.variables {
        command.env(name, value);
    }
    if let Some(folder) = &job.folder {
        command.current_dir(folder);
    }
    command
}

/// The program goes into the error's text.
fn wrap<T>(job: &Job, result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| io::Error::new(error.kind(), format!("{} can't be run: {error}", job.program.display())))
}

fn end_from(status: ExitStatus) -> End {
    match signal_of(status) {
        Some(signal) => End::Signal(signal),
        None => End::Code(status.code().unwrap_or(-1)),
    }
}

/// The signal that killed a process, if one did. Given, since signals are Unix's alone.
fn signal_of(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    return None;
}
