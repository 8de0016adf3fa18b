//! Child processes: start them, wait for them, end them, read what they write.
//!
//! A thread shares all memory with the one that started it. A child process shares nothing: it gets arguments, an environment,
//! a folder and three streams, and gives back one number. That wall is what processes are for. Whatever happens behind it, a
//! crash, a leak, an endless loop, the parent goes on.
//!
//! The price is that somebody must look after the child. Until its parent has *waited* for it, the system keeps the number
//! for him: such a child is a **zombie**. A child whose parent has gone is an **orphan**, and runs on. In Rust a thing that must be
//! looked after is a value with a destructor: [`Process`] owns the child, and its `Drop` leaves neither.

use std::io::{self, Read};
use std::path::PathBuf;
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

/// A child process, in the hands of whoever started it, or of another thread.
///
/// No child outlives it. When it is dropped, the child is killed if it still runs, without a grace, and is waited for: also if the
/// owner panics.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    // Taken out of `child`, because `Child::wait` closes the input that it finds there. For a child that ends when its input is
    // closed, waiting would then mean asking it to end.
    input: Option<ChildStdin>,
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
        Process::start_writing_to(job, Stdio::inherit)
    }

    /// The job's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the process has not ended yet.
    pub fn is_alive(&mut self) -> bool {
        self.end_so_far().is_none()
    }

    /// Waits until the process has ended, however long it takes. Asked again, it gives the same answer again.
    pub fn join(&mut self) -> End {
        // The system tells how a child ended only once, and then the zombie is gone. `Child` keeps the answer.
        End::of(self.child.wait().expect(OURS))
    }

    /// Waits until the process has ended, but for `limit` at most, which may be anything from zero to [`Duration::MAX`]. `None` if
    /// the time was up first: then the process runs on.
    pub fn join_timeout(&mut self, limit: Duration) -> Option<End> {
        // `std` can wait for ever or not at all, for there is no call for the rest that all systems have. What remains is to look
        // again and again. The pauses grow: a child that ends soon is noticed soon, and one that takes long costs little.
        let start = Instant::now();
        let mut pause = Duration::from_micros(100);
        loop {
            // Look first, and only then at the clock. So a limit of zero asks once, and an end in the last pause is seen.
            if let Some(end) = self.end_so_far() {
                return Some(end);
            }
            // What is left, rather than the moment of the end: `start + limit` can be later than the clock can say.
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() {
                return None;
            }
            thread::sleep(pause.min(left));
            pause = (2 * pause).min(Duration::from_millis(10));
        }
    }

    /// Ends the process. Asks it by closing its standard input, waits for `grace` at most, and then kills it. Gives how it ended,
    /// also if that was long ago.
    pub fn terminate(&mut self, grace: Duration) -> End {
        // A process that is killed can't save its work or remove its files, so ask first. A process may not hear, so don't rely
        // on it.
        drop(self.input.take());
        match self.join_timeout(grace) {
            Some(end) => end,
            None => self.kill(),
        }
    }

    /// What `start` and `capture` have in common: all but where the child writes.
    fn start_writing_to(job: &Job, output: fn() -> Stdio) -> io::Result<Process> {
        // Arguments are a list from here to the child's `main`. No shell reads them, so spaces, quotes and `$` are just text.
        let mut command = Command::new(&job.program);
        command.args(&job.arguments).envs(job.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(output()).stderr(output());
        if let Some(folder) = &job.folder {
            // The child's folder. `env::set_current_dir` would change that of this process, under the feet of all its threads.
            command.current_dir(folder);
        }
        // The system's text is "No such file or directory", and doesn't say which.
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", job.program.display()));
        let mut child = command.spawn().map_err(named)?;
        let input = child.stdin.take();
        Ok(Process { name: job.name.clone(), child, input })
    }

    fn end_so_far(&mut self) -> Option<End> {
        self.child.try_wait().expect(OURS).map(End::of)
    }

    fn kill(&mut self) -> End {
        // It may have ended by itself just now. That is no failure: `join` tells which it was.
        let _ = self.child.kill();
        self.join()
    }
}

impl Drop for Process {
    /// Here and not in a method: a destructor also runs when `?` returns early and when the owner panics.
    fn drop(&mut self) {
        // Killed without being asked, since a destructor should not take long. And waited for: `kill` alone leaves a zombie.
        // No `expect` here. A panic in a destructor that runs because of a panic ends the whole program.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl End {
    fn of(status: ExitStatus) -> End {
        // A process that was killed has no exit code. To make one up, 0 of all numbers, would call a crash a success.
        match status.code() {
            Some(code) => End::Code(code),
            None => End::Signal(signal_of(status).expect("a process without an exit code was killed")),
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
    let mut process = Process::start_writing_to(job, Stdio::piped)?;
    drop(process.input.take());
    let (stdout, stderr) = (process.child.stdout.take(), process.child.stderr.take());
    // A pipe holds some 64 KiB. A child that writes more waits until somebody reads, so three things must go on at once: reading
    // one pipe, reading the other, watching the time. Any of them alone could wait for a child that waits for another.
    thread::scope(|scope| {
        let stdout = scope.spawn(|| read_all(stdout));
        let stderr = scope.spawn(|| read_all(stderr));
        let end = process.join_timeout(limit).unwrap_or_else(|| process.kill());
        // The child has ended and so have its pipes, unless it gave them to a child of its own.
        let [stdout, stderr] = [stdout, stderr].map(|reader| reader.join().expect("reading doesn't panic"));
        Ok(Captured { end, stdout: stdout?, stderr: stderr? })
    })
}

fn read_all(pipe: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.expect("a pipe was asked for").read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The signal that killed a process, if one did. Given, since signals are Unix's alone.
fn signal_of(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    return None;
}

/// Why waiting can't fail: the system refuses only those who have no such child.
const OURS: &str = "the child is ours, and nobody else waits for it";
