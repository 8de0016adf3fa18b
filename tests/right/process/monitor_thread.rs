//! accepted
//!
//! One thread for each child looks whether it has ended, and tells all who wait. They wait at a condition variable instead of
//! looking themselves. The lock is held only for as long as a look takes, so the child can be killed at any time.

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
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
    input: Option<ChildStdin>,
    shared: Arc<Shared>,
    monitor: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug)]
struct State {
    child: Child,
    end: Option<End>,
}

impl Process {
    pub fn start(job: &Job) -> io::Result<Process> {
        Process::start_writing_to(job, Stdio::inherit)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn is_alive(&mut self) -> bool {
        self.shared.state().end.is_none()
    }

    pub fn join(&mut self) -> End {
        let Shared { ended, .. } = &*self.shared;
        let state = ended.wait_while(self.shared.state(), |state| state.end.is_none());
        state.unwrap_or_else(PoisonError::into_inner).end.unwrap()
    }

    pub fn join_timeout(&mut self, limit: Duration) -> Option<End> {
        let Shared { ended, .. } = &*self.shared;
        let waited = ended.wait_timeout_while(self.shared.state(), limit, |state| state.end.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.end
    }

    pub fn terminate(&mut self, grace: Duration) -> End {
        self.input = None;
        self.join_timeout(grace).unwrap_or_else(|| self.kill())
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
        let state = Mutex::new(State { child, end: None });
        let shared = Arc::new(Shared { state, ended: Condvar::new() });
        let monitor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.monitor()
        });
        Ok(Process { name: job.name.clone(), input, shared, monitor: Some(monitor) })
    }

    fn kill(&mut self) -> End {
        // A child whose end is known is a number that may belong to somebody else by now. `Child` knows it, too.
        let _ = self.shared.state().child.kill();
        self.join()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn monitor(&self) {
        loop {
            let mut state = self.state();
            if let Some(status) = state.child.try_wait().unwrap() {
                state.end = Some(End::of(status));
                self.ended.notify_all();
                return;
            }
            drop(state);
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.shared.state().child.kill();
        if let Some(monitor) = self.monitor.take() {
            let _ = monitor.join();
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
    process.input = None;
    let (stdout, stderr) = {
        let child = &mut process.shared.state().child;
        (child.stdout.take(), child.stderr.take())
    };
    let stdout = thread::spawn(|| read_all(stdout));
    let stderr = thread::spawn(|| read_all(stderr));
    let end = process.join_timeout(limit).unwrap_or_else(|| process.kill());
    Ok(Captured { end, stdout: stdout.join().unwrap()?, stderr: stderr.join().unwrap()? })
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
