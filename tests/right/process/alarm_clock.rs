//! accepted
//!
//! `capture` turned round: the calling thread reads standard output, a second one reads standard error, and a third is the
//! alarm clock, which waits for the child and kills it when the time is up. And `join` is `join_timeout` without an end: it
//! never calls `wait`, which would close the child's input.

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

#[derive(Clone, Debug)]
pub struct Job {
    pub name: String,
    pub program: PathBuf,
    pub arguments: Vec<String>,
    pub variables: Vec<(String, String)>,
    pub folder: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Code(i32),
    Signal(i32),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    pub end: End,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    end: Option<End>,
}

impl Process {
    pub fn start(job: &Job) -> io::Result<Process> {
        Ok(Process::of(job, command(job).stdin(Stdio::piped()).spawn().map_err(|error| named(job, &error))?))
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn is_alive(&mut self) -> bool {
        self.end = self.end.or_else(|| self.child.try_wait().unwrap().map(End::of));
        self.end.is_none()
    }

    pub fn join(&mut self) -> End {
        self.join_timeout(Duration::MAX).unwrap()
    }

    pub fn join_timeout(&mut self, limit: Duration) -> Option<End> {
        // The last moment, if the clock can tell it.
        let last = Instant::now().checked_add(limit);
        while self.is_alive() && last.is_none_or(|last| Instant::now() < last) {
            thread::sleep(Duration::from_millis(1).min(limit));
        }
        self.end
    }

    pub fn terminate(&mut self, grace: Duration) -> End {
        self.child.stdin = None;
        if self.join_timeout(grace).is_none() {
            let _ = self.child.kill();
        }
        self.join()
    }

    fn of(job: &Job, child: Child) -> Process {
        Process { name: job.name.clone(), child, end: None }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.terminate(Duration::ZERO);
    }
}

impl End {
    fn of(status: ExitStatus) -> End {
        match status.code() {
            Some(code) => End::Code(code),
            None => End::Signal(signal_of(status).unwrap()),
        }
    }
}

pub fn capture(job: &Job, limit: Duration) -> io::Result<Captured> {
    let mut command = command(job);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = Process::of(job, command.spawn().map_err(|error| named(job, &error))?);
    let (stdout, stderr) = (process.child.stdout.take(), process.child.stderr.take());
    thread::scope(|scope| {
        let clock = scope.spawn(move || match process.join_timeout(limit) {
            Some(end) => end,
            None => process.terminate(Duration::ZERO),
        });
        let stderr = scope.spawn(|| read_all(stderr));
        let stdout = read_all(stdout);
        let stderr = stderr.join().unwrap();
        let end = clock.join().unwrap();
        Ok(Captured { end, stdout: stdout?, stderr: stderr? })
    })
}

fn command(job: &Job) -> Command {
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

fn named(job: &Job, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("can't start {} for {}: {error}", job.program.display(), job.name))
}

fn read_all(pipe: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.unwrap().read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn signal_of(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    return None;
}
