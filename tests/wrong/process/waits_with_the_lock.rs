//! rejected: timeout
//!
//! A thread waits for the child, so that others can wait for the thread's message with a timeout. It waits with the lock in its
//! hand. Whoever wants to kill the child needs that lock, and waits until the child has ended by itself.

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

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
    child: Arc<Mutex<Child>>,
    input: Option<ChildStdin>,
    pipes: (Option<ChildStdout>, Option<ChildStderr>),
    ended: Receiver<End>,
    end: Option<End>,
    waiter: Option<JoinHandle<()>>,
}

impl Process {
    pub fn start(job: &Job) -> io::Result<Process> {
        Process::start_writing_to(job, Stdio::inherit)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn is_alive(&mut self) -> bool {
        self.join_timeout(Duration::ZERO).is_none()
    }

    pub fn join(&mut self) -> End {
        if self.end.is_none() {
            self.end = self.ended.recv().ok();
        }
        self.end.unwrap()
    }

    pub fn join_timeout(&mut self, limit: Duration) -> Option<End> {
        if self.end.is_none() {
            self.end = self.ended.recv_timeout(limit).ok();
        }
        self.end
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
        let pipes = (child.stdout.take(), child.stderr.take());
        let child = Arc::new(Mutex::new(child));
        let (tell, ended) = mpsc::channel();
        let waiter = thread::spawn({
            let child = Arc::clone(&child);
            move || {
                let status = child.lock().unwrap().wait().unwrap();
                let _ = tell.send(End::of(status));
            }
        });
        Ok(Process { name: job.name.clone(), child, input, pipes, ended, end: None, waiter: Some(waiter) })
    }

    fn kill(&mut self) -> End {
        let _ = self.child.lock().unwrap().kill();
        self.join()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_alive() {
            self.kill();
        }
        if let Some(waiter) = self.waiter.take() {
            let _ = waiter.join();
        }
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
    let mut process = Process::start_writing_to(job, Stdio::piped)?;
    drop(process.input.take());
    let (stdout, stderr) = (process.pipes.0.take(), process.pipes.1.take());
    thread::scope(|scope| {
        let stdout = scope.spawn(|| read_all(stdout));
        let stderr = scope.spawn(|| read_all(stderr));
        let end = process.join_timeout(limit).unwrap_or_else(|| process.kill());
        Ok(Captured { end, stdout: stdout.join().unwrap()?, stderr: stderr.join().unwrap()? })
    })
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
