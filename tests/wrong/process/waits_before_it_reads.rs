//! rejected: timeout
//!
//! `capture` waits for the child and then reads. That works until a child writes more than a pipe holds: it waits for a reader,
//! who waits for its end. And `join` knows no limit.

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
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

impl Process {
    pub fn start(job: &Job) -> io::Result<Process> {
        Process::start_writing_to(job, Stdio::inherit)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn is_alive(&mut self) -> bool {
        self.end_so_far().is_none()
    }

    pub fn join(&mut self) -> End {
        End::of(self.child.wait().unwrap())
    }

    pub fn join_timeout(&mut self, limit: Duration) -> Option<End> {
        let start = Instant::now();
        loop {
            if let Some(end) = self.end_so_far() {
                return Some(end);
            }
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() {
                return None;
            }
            thread::sleep(left.min(Duration::from_millis(1)));
        }
    }

    pub fn terminate(&mut self, grace: Duration) -> End {
        drop(self.input.take());
        match self.join_timeout(grace) {
            Some(end) => end,
            None => self.kill(),
        }
    }

    fn start_writing_to(job: &Job, output: fn() -> Stdio) -> io::Result<Process> {
        let mut command = Command::new(&job.program);
        command.args(&job.arguments).envs(job.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(output()).stderr(output());
        if let Some(folder) = &job.folder {
            command.current_dir(folder);
        }
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", job.program.display()));
        let mut child = command.spawn().map_err(named)?;
        let input = child.stdin.take();
        Ok(Process { name: job.name.clone(), child, input })
    }

    fn end_so_far(&mut self) -> Option<End> {
        self.child.try_wait().unwrap().map(End::of)
    }

    fn kill(&mut self) -> End {
        let _ = self.child.kill();
        self.join()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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

pub fn capture(job: &Job, _limit: Duration) -> io::Result<Captured> {
    let mut process = Process::start_writing_to(job, Stdio::piped)?;
    drop(process.input.take());
    let (stdout, stderr) = (process.child.stdout.take(), process.child.stderr.take());
    let end = process.join();
    Ok(Captured { end, stdout: read_all(stdout)?, stderr: read_all(stderr)? })
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
