//! accepted
//!
//! What a child writes goes into files of its own, which are read when it has ended: no pipe that could be full, and no thread
//! that reads. And `join` is `join_timeout` without an end.

use std::io;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
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
    input: Option<ChildStdin>,
}

fn command(job: &Job) -> Command {
    let mut command = Command::new(&job.program);
    command.args(&job.arguments);
    command.envs(job.variables.iter().map(|(name, value)| (name, value)));
    if let Some(folder) = &job.folder {
        command.current_dir(folder);
    }
    command
}

fn spawn(job: &Job, mut command: Command) -> io::Result<Process> {
    let mut child =
        command.spawn().map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", job.program.display())))?;
    let input = child.stdin.take();
    Ok(Process { name: job.name.clone(), child, input })
}

fn end_of(status: ExitStatus) -> End {
    match status.code() {
        Some(code) => End::Code(code),
        None => End::Signal(signal_of(status).unwrap_or_default()),
    }
}

impl Process {
    pub fn start(job: &Job) -> io::Result<Process> {
        let mut command = command(job);
        command.stdin(Stdio::piped());
        spawn(job, command)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub fn join(&mut self) -> End {
        self.join_timeout(Duration::MAX).unwrap()
    }

    pub fn join_timeout(&mut self, limit: Duration) -> Option<End> {
        let start = Instant::now();
        let mut pause = Duration::from_micros(100);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(end_of(status));
            }
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() {
                return None;
            }
            thread::park_timeout(pause.min(left));
            pause = (pause * 2).min(Duration::from_millis(10));
        }
    }

    fn kill(&mut self) -> End {
        let _ = self.child.kill();
        self.join()
    }

    pub fn terminate(&mut self, grace: Duration) -> End {
        drop(self.input.take());
        match self.join_timeout(grace) {
            Some(end) => end,
            None => self.kill(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

struct Paper(PathBuf);

impl Paper {
    fn new() -> io::Result<(Paper, std::fs::File)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("paper-{}-{number}", std::process::id()));
        let file = std::fs::File::create(&path)?;
        Ok((Paper(path), file))
    }
}

impl Drop for Paper {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

pub fn capture(job: &Job, limit: Duration) -> io::Result<Captured> {
    let (out, stdout) = Paper::new()?;
    let (err, stderr) = Paper::new()?;
    let mut command = command(job);
    command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
    let mut process = spawn(job, command)?;
    let end = process.join_timeout(limit).unwrap_or_else(|| process.kill());
    Ok(Captured { end, stdout: std::fs::read(&out.0)?, stderr: std::fs::read(&err.0)? })
}

fn signal_of(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    return None;
}
