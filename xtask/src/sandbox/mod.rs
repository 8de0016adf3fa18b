//! Keeping hostile code apart: each test process and each `rustc` of a submission runs under a supervisor of its own.
//!
//! The grader has many threads, so it never forks by itself. It starts this program once more, as a small process with one
//! thread (`supervise`), which starts the confined program, watches it, and leaves no process of it behind:
//!
//! ```text
//! grader ── start ──▶ supervisor ── confine ──▶ the program of a submission, and whatever that starts
//! cargo  ───────────▶ supervisor ── confine ──▶ rustc, and its linker
//! ```
//!
//! What is to be had differs from machine to machine: [`probe`] tries, and never guesses. Without Linux there is no
//! supervisor: then time and output are limited, and nothing else.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod compile;
#[cfg(target_os = "linux")]
mod confine;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod family;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod guard;
#[cfg(target_os = "linux")]
mod invocation;
#[cfg(target_os = "linux")]
mod namespace;
#[cfg(target_os = "linux")]
mod order;
#[cfg(target_os = "linux")]
mod probe;
mod remove;
mod scratch;
#[cfg(target_os = "linux")]
mod start;
#[cfg(target_os = "linux")]
mod streams;
#[cfg(target_os = "linux")]
mod supervise;
#[cfg(target_os = "linux")]
mod usage;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use verdict::Limits;

use crate::process::Ending;

pub(crate) use self::remove::remove_folder;
pub(crate) use self::scratch::Scratch;
#[cfg(target_os = "linux")]
pub(crate) use self::{
    compile::environment as compile_environment, guard::guarded, probe::probe, start::main_if_asked, start::run,
};
#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::{compile_environment, guarded, main_if_asked, probe, run};

/// The `code` of a compiler's diagnostic that is ours: it says why the compiler was ended.
pub(crate) const DIAGNOSTIC: &str = "interleave";

/// A program that is not trusted, and what it gets.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    /// The program.
    pub(crate) program: &'a Path,
    /// Its arguments.
    pub(crate) args: Vec<OsString>,
    /// Its whole environment.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// Its working folder, the only one that it can write.
    pub(crate) work: &'a Path,
    /// Whether it needs sockets.
    pub(crate) network: bool,
    /// Whether it needs child processes.
    pub(crate) processes: bool,
    /// How long it may take on the clock.
    pub(crate) wall: Duration,
    /// What else it may use.
    pub(crate) limits: &'a Limits,
}

/// What the compiler of a submission gets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Compiler {
    /// `rustc --print=sysroot`.
    pub(crate) sysroot: PathBuf,
    /// The names of crates whose katas can't be taught without `unsafe`. No attribute allows it in the others.
    pub(crate) may_be_unsafe: Vec<String>,
}

/// How a confined program came to its end, and what it said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ended {
    /// How it ended.
    pub(crate) ending: Ending,
    /// What it printed on standard output, cut at the limit.
    pub(crate) stdout: String,
    /// What it printed on standard error, cut at the limit.
    pub(crate) stderr: String,
    /// What came through the record's channel.
    pub(crate) record: Channel,
    /// The most memory that it had at one time with everything that it started, in bytes, as far as it was seen.
    pub(crate) peak_memory: u64,
    /// Processor time of all its processes.
    pub(crate) cpu: Duration,
    /// From start to end.
    pub(crate) took: Duration,
    /// Processes that were still there when the program itself had ended. They are gone now.
    pub(crate) left_behind: u32,
}

/// What came through the channel that only the test's own wrapper can write to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Channel {
    /// Nothing.
    Silent,
    /// One whole JSON document, and nothing after it.
    Record(String),
    /// Anything else: half a document, several, or far too much.
    Garbled,
}

impl Channel {
    /// The record's text, if there is exactly one.
    pub(crate) fn record(&self) -> Option<&str> {
        match self {
            Channel::Record(text) => Some(text),
            Channel::Silent | Channel::Garbled => None,
        }
    }
}
