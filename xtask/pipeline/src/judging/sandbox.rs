//! Whose code it is that is built and run. One's own is trusted; a stranger's goes through a sandbox, which the steps know only by
//! what they ask of it.

use std::ffi::OsString;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use verdict::Limits;

use crate::cancel::Cancel;
use crate::error::Result;
use crate::process::Ending;

/// Whose code it is.
#[derive(Clone, Debug, Default)]
pub enum Trust {
    /// One's own: it runs in the person's own environment.
    #[default]
    Own,
    /// A stranger's: the compiler and each test run in that sandbox.
    Stranger(Arc<dyn Sandbox>),
}

impl Trust {
    /// The sandbox, if there is one.
    pub fn sandbox(&self) -> Option<&dyn Sandbox> {
        match self {
            Trust::Own => None,
            Trust::Stranger(sandbox) => Some(&**sandbox),
        }
    }
}

/// What keeps strangers' code from the machine.
pub trait Sandbox: Debug + Send + Sync {
    /// What each process may use.
    fn limits(&self) -> &Limits;

    /// Runs a program, and leaves no process of it behind.
    ///
    /// # Errors
    /// It can't be started as it must be, or `cancel` was raised.
    fn run(&self, run: &Run<'_>, cancel: &Cancel) -> Result<Ended>;

    /// What cargo is told so that it confines the compiler of strangers' code. The folder `tools` is for what it needs for that.
    ///
    /// # Errors
    /// The tools can't be written.
    fn compile_environment(&self, compiler: &Compiler, tools: &Path) -> Result<Vec<(OsString, OsString)>>;

    /// The command of cargo, so that whatever it starts ends with us.
    fn guarded(&self, command: Command) -> Command;
}

/// The `code` of a compiler's diagnostic that is ours: it says why the compiler was ended.
pub const DIAGNOSTIC: &str = "interleave";

/// The `code` of a diagnostic that is ours, too: the compiler could not be watched, which is the machine's fault and nobody else's.
pub const TROUBLE: &str = "interleave-trouble";

/// A program that is not trusted, and what it gets.
#[derive(Debug)]
pub struct Run<'a> {
    /// The program.
    pub program: &'a Path,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its whole environment.
    pub environment: Vec<(OsString, OsString)>,
    /// Its working folder, the only one that it can write.
    pub work: &'a Path,
    /// Whether it needs sockets.
    pub network: bool,
    /// Whether it needs child processes.
    pub processes: bool,
    /// How long it may take on the clock.
    pub wall: Duration,
    /// What else it may use.
    pub limits: &'a Limits,
}

/// What the compiler of a submission gets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Compiler {
    /// `rustc --print=sysroot`.
    pub sysroot: PathBuf,
    /// The names of crates whose katas can't be taught without `unsafe`. No attribute allows it in the others.
    pub may_be_unsafe: Vec<String>,
}

/// How a confined program came to its end, and what it said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// How it ended.
    pub ending: Ending,
    /// What it printed on standard output, cut at the limit.
    pub stdout: String,
    /// What it printed on standard error, cut at the limit.
    pub stderr: String,
    /// What came through the record's channel.
    pub record: Channel,
    /// The most memory that it had at one time with everything that it started, in bytes, as far as it was seen.
    pub peak_memory: u64,
    /// Processor time of all its processes.
    pub cpu: Duration,
    /// From start to end.
    pub took: Duration,
    /// Processes that were still there when the program itself had ended. They are gone now.
    pub left_behind: u32,
}

/// What came through the channel that only the test's own wrapper can write to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// Nothing.
    Silent,
    /// One whole JSON document, and nothing after it.
    Record(String),
    /// Anything else: half a document, several, or far too much.
    Garbled,
}

impl Channel {
    /// The record's text, if there is exactly one.
    pub fn record(&self) -> Option<&str> {
        match self {
            Channel::Record(text) => Some(text),
            Channel::Silent | Channel::Garbled => None,
        }
    }
}
