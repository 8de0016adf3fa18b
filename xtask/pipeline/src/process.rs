//! Running a child process that may not end, may print without end, and may leave children of its own behind.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use process_wrap::std::{ChildWrapper, CommandWrap};
use serde::{Deserialize, Serialize};
use verdict::patience::{self, Turns};

use crate::cancel::Cancel;
use crate::error::{Error, Result};

/// What a process did.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub ending: Ending,
    /// What it printed on standard output, cut at the limit.
    pub stdout: Vec<u8>,
    /// What it printed on standard error, cut at the limit. Kept apart: which of two pipes is read first is chance.
    pub stderr: Vec<u8>,
    /// From start to end.
    pub took: Duration,
    /// How many processes of it were still there when it had ended, as far as anybody looked.
    pub left_behind: u32,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// By itself, with this exit code.
    Exited(i32),
    /// By a signal of this number.
    Signalled(i32),
    /// It was ended because it used up what it may use.
    Exceeded(Exceeded),
}

/// What a process used too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exceeded {
    /// Time on the clock.
    Wall,
    /// Time of processors.
    Cpu,
    /// Memory.
    Memory,
    /// Output on one of its streams.
    Output,
    /// Processes and threads.
    Tasks,
    /// Room on the disk: one file too large, or all of them together.
    Disk,
}

impl From<ExitStatus> for Ending {
    fn from(status: ExitStatus) -> Ending {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Ending::Signalled(signal);
        }
        Ending::Exited(status.code().unwrap_or(-1))
    }
}

/// What a process may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time on the clock, after which the whole group is killed. What its threads stood in line for a processor is given back
    /// ([`patience`]).
    pub wall: Duration,
    /// Bytes that are kept of each stream.
    pub output: usize,
}

/// How often a process is looked at when it says nothing.
const LOOK: Duration = Duration::from_millis(10);

/// Runs the command in a process group (on Windows, a job) of its own, and leaves no member of it behind.
///
/// # Errors
/// The process can't be started, or `cancel` was raised: the group is killed then.
pub fn run(command: Command, limits: Limits, cancel: &Cancel) -> Result<Finished> {
    let started = Instant::now();
    let mut child = start(command)?;
    let (sender, pieces) = mpsc::channel();
    if let Some(stream) = child.stdout().take() {
        pump(stream, Stream::Output, sender.clone());
    }
    if let Some(stream) = child.stderr().take() {
        pump(stream, Stream::Error, sender.clone());
    }
    drop(sender);

    let mut finished = Finished {
        ending: Ending::Exceeded(Exceeded::Wall),
        stdout: Vec::new(),
        stderr: Vec::new(),
        took: Duration::ZERO,
        left_behind: 0,
    };
    loop {
        if cancel.is_raised() {
            end(&mut *child);
            return Err(Error::Interrupted);
        }
        if is_over(child.id(), started.elapsed(), limits.wall) {
            end(&mut *child);
            break;
        }
        match pieces.recv_timeout(LOOK) {
            Ok(piece) => finished.keep(&piece, limits.output),
            // Both streams are closed: the process is at its end, so look often.
            Err(RecvTimeoutError::Disconnected) => thread::sleep(Duration::from_micros(200)),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if let Ok(Some(status)) = child.inner_mut().try_wait() {
            finished.ending = status.into();
            // Whatever it left in its group goes with it, which also closes the streams.
            end(&mut *child);
            break;
        }
    }
    // The group is gone, so the streams end; a process that left the group might still hold them, so don't wait for ever.
    let patience = Instant::now() + Duration::from_millis(500);
    while let Ok(piece) = pieces.recv_timeout(patience.saturating_duration_since(Instant::now())) {
        finished.keep(&piece, limits.output);
    }
    finished.took = started.elapsed();
    Ok(finished)
}

/// Whether the time of this process and of all that descend from it is up, which began so long ago and may take so long
/// ([`patience`]).
pub fn is_over(process: u32, elapsed: Duration, limit: Duration) -> bool {
    patience::is_over(elapsed, limit, || turns_of_family(process))
}

/// The turns of all threads of the process and of all that descend from it, those that have ended too, as far as the system tells.
fn turns_of_family(process: u32) -> Vec<Turns> {
    let mut turns = Vec::new();
    let mut processes = vec![process];
    // Whoever may end while it is looked at needs no time any more.
    let told = |file: PathBuf| String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned();
    while let Some(process) = processes.pop() {
        let folder = PathBuf::from(format!("/proc/{process}"));
        let begin = turns.len();
        let threads = fs::read_dir(folder.join("task")).into_iter().flatten();
        for thread in threads.filter_map(|entry| Some(entry.ok()?.path())) {
            turns.extend(Turns::told_by(&told(thread.join("schedstat"))));
            processes
                .extend(told(thread.join("children")).split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
        let ended =
            patience::spent(&told(folder.join("stat"))).map(|spent| Turns::of_the_ended(spent, &turns[begin..]));
        turns.extend(ended);
    }
    turns
}

impl Finished {
    fn keep(&mut self, (stream, piece): &(Stream, Vec<u8>), limit: usize) {
        let kept = match stream {
            Stream::Output => &mut self.stdout,
            Stream::Error => &mut self.stderr,
        };
        let room = limit.saturating_sub(kept.len());
        kept.extend_from_slice(&piece[..piece.len().min(room)]);
    }
}

/// Where a piece of output came from.
#[derive(Clone, Copy, Debug)]
enum Stream {
    Output,
    Error,
}

/// Starts the command in a group of its own, its input closed, its output piped.
pub fn start(mut command: Command) -> Result<Box<dyn ChildWrapper>> {
    command.stdin(Stdio::null());
    start_in_group(command)
}

/// Starts the command in a group of its own, its input and output piped: somebody wants to talk with it.
pub fn converse(mut command: Command) -> Result<Box<dyn ChildWrapper>> {
    command.stdin(Stdio::piped());
    start_in_group(command)
}

fn start_in_group(mut command: Command) -> Result<Box<dyn ChildWrapper>> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut wrapped = CommandWrap::from(command);
    #[cfg(unix)]
    // A session is a group without a terminal: what is run here can't read the learner's keys, nor write over the screen.
    wrapped.wrap(process_wrap::std::ProcessSession);
    #[cfg(windows)]
    wrapped.wrap(process_wrap::std::JobObject);
    wrapped.spawn().map_err(|error| {
        Error::new(format!("cannot start {program}: {error}"), "Check that it is installed and may be run.")
    })
}

/// Kills the whole group. It may be gone already, which is as good.
pub fn end(child: &mut dyn ChildWrapper) {
    let _ = child.start_kill();
    let _ = child.inner_mut().wait();
}

/// Reads a stream to its end on a thread of its own, so that a child that floods one pipe is never stuck.
fn pump(mut stream: impl Read + Send + 'static, which: Stream, sender: mpsc::Sender<(Stream, Vec<u8>)>) {
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            if sender.send((which, buffer[..length].to_vec())).is_err() {
                break;
            }
        }
    });
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn turns_are_those_of_a_process_and_of_its_children() {
        let mut sleeper = Command::new("sleep").arg("600").spawn().expect("a program that does nothing");
        let (all, its) = (turns_of_family(std::process::id()), turns_of_family(sleeper.id()));
        sleeper.kill().and_then(|()| sleeper.wait()).expect("it can be ended");
        // Its thread, and none that has ended.
        assert!(its.len() == 2 && its[0] != Turns::default() && its[1] == Turns::default(), "{its:?}");
        // This thread, the harness, the child, and for both processes those that have ended.
        assert!(all.len() >= 5, "{all:?}");
    }

    #[test]
    fn who_has_ended_had_turns_too() {
        // Its child counts for some tenths of a second. Then nobody of them does anything.
        let script = "(n=0; while [ $n -lt 300000 ]; do n=$((n+1)); done); echo done; read line";
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = shell.spawn().expect("a shell");
        let mut said = [0; 5];
        shell.stdout.take().expect("a pipe").read_exact(&mut said).expect("it says that it is done");
        let mut turns = turns_of_family(shell.id());
        shell.kill().and_then(|()| shell.wait()).expect("it can be ended");
        // As if one had not been let run.
        turns.extend(Turns::told_by("0 60000000000 1"));
        let limit = Duration::from_millis(200);
        assert!(patience::is_over(limit, limit, || turns.clone()), "{turns:?}");
    }
}
