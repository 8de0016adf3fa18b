//! Talking with workloads: living processes that are asked one question at a time.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{ChildStdin, Command};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use pipeline::cancel::Cancel;
use pipeline::console::Console;
use pipeline::error::{Error, Result};
use pipeline::process;
use process_wrap::std::ChildWrapper;
use verdict::time::{ANSWER, Answer, Question, Reply, Task};

use crate::timing::machine;

/// What is asked of nobody in particular is answered in this time.
pub(crate) const PROMPT: Duration = Duration::from_secs(60);
/// How often the status line and Ctrl-C are looked at.
const LOOK: Duration = Duration::from_millis(50);
/// Bytes at the end of standard error that are kept for the message on a crash.
const LAST_WORDS: usize = 2000;

/// A workload's process. It is ended, with all that it has started, when this is dropped.
pub(crate) struct Program {
    name: String,
    child: Box<dyn ChildWrapper>,
    input: Option<ChildStdin>,
    answers: Receiver<Answer>,
    last_words: Arc<Mutex<Vec<u8>>>,
}

/// What is there while a question is answered.
#[derive(Clone, Copy)]
pub(crate) struct Watch<'a> {
    /// The status line.
    pub(crate) console: &'a Console,
    /// Ctrl-C.
    pub(crate) cancel: &'a Cancel,
}

/// A reply; or why there is none: the workload failed, crashed or did not end.
pub(crate) type Replied = std::result::Result<Reply, String>;

impl Program {
    /// Starts the workload, which works in `folder`. `name` is whose it is, for people.
    ///
    /// # Errors
    /// It can't be started, or a debugger is attached to it.
    pub(crate) fn start(binary: &Path, folder: &Path, name: &str) -> Result<Program> {
        let mut command = Command::new(binary);
        command.current_dir(folder).env("RUST_BACKTRACE", "0");
        // The mock site is on this machine; a proxy would not find it.
        for name in ["http_proxy", "https_proxy", "all_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        let mut child = process::converse(command)?;
        let input = child.stdin().take();
        let (sender, answers) = mpsc::channel();
        if let Some(stdout) = child.stdout().take() {
            thread::spawn(move || read_answers(stdout, &sender));
        }
        let last_words = Arc::default();
        if let Some(stderr) = child.stderr().take() {
            let kept = Arc::clone(&last_words);
            thread::spawn(move || keep_last_words(stderr, &kept));
        }
        let program = Program { name: name.to_string(), child, input, answers, last_words };
        program.refuse_debugger()?;
        Ok(program)
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// Ctrl-C was pressed.
    pub(crate) fn ask(&mut self, task: Task, patience: Duration, watch: Watch<'_>) -> Result<Replied> {
        let token = unguessable();
        let line =
            serde_json::to_string(&Question { token, task }).map_err(|error| Error::new(error.to_string(), ""))?;
        // If it is gone, nothing will be answered, and that is found out below.
        let _ = self.input.as_mut().map(|input| writeln!(input, "{line}").and_then(|()| input.flush()));
        let asked = Instant::now();
        loop {
            if watch.cancel.is_raised() {
                return Err(Error::Interrupted);
            }
            if asked.elapsed() > patience {
                return Ok(Err(format!("it did not end within {} s", patience.as_secs())));
            }
            match self.answers.recv_timeout(LOOK) {
                Ok(Answer { token: other, .. }) if other != token => {}
                Ok(Answer { reply: Reply::Failed { message }, .. }) => return Ok(Err(message)),
                Ok(Answer { reply, .. }) => return Ok(Ok(reply)),
                Err(RecvTimeoutError::Timeout) => watch.console.tick(),
                Err(RecvTimeoutError::Disconnected) => return Ok(Err(self.how_it_ended())),
            }
        }
    }

    /// Makes sure that nobody traces it.
    ///
    /// # Errors
    /// Somebody does.
    pub(crate) fn refuse_debugger(&self) -> Result<()> {
        machine::refuse_debugger(self.child.id(), &self.name)
    }

    /// Whose workload it is, for people.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn how_it_ended(&mut self) -> String {
        let status = self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
        let words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        let words = String::from_utf8_lossy(&words).trim().to_string();
        format!("its process ended ({status}){}{words}", if words.is_empty() { "" } else { ": " })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        process::end(&mut *self.child);
    }
}

/// Passes answers on. All other lines are a submission's own, however long they are.
fn read_answers(stdout: impl Read, sender: &mpsc::Sender<Answer>) {
    let mut lines = BufReader::new(stdout);
    let mut line = Vec::new();
    while read_line(&mut lines, &mut line) {
        let text = String::from_utf8_lossy(&line);
        let Some(answer) = text.strip_prefix(ANSWER).and_then(|json| serde_json::from_str(json).ok()) else { continue };
        if sender.send(answer).is_err() {
            return;
        }
    }
}

/// No answer is longer than this, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// Reads the next line, or the next piece of a line without end. Says whether there was one.
fn read_line(lines: &mut impl BufRead, line: &mut Vec<u8>) -> bool {
    line.clear();
    lines.take(LONGEST).read_until(b'\n', line).is_ok_and(|length| length > 0)
}

fn keep_last_words(mut stderr: impl Read, kept: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stderr.read(&mut buffer) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&buffer[..length]);
        let surplus = kept.len().saturating_sub(LAST_WORDS);
        kept.drain(..surplus);
    }
}

/// A number that a submission can't know before it is asked.
fn unguessable() -> u64 {
    RandomState::new().build_hasher().finish()
}
