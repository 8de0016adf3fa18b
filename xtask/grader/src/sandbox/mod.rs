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
#[cfg(target_os = "linux")]
mod start;
#[cfg(target_os = "linux")]
mod streams;
#[cfg(target_os = "linux")]
mod supervise;
#[cfg(target_os = "linux")]
mod usage;

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use pipeline::cancel::Cancel;
use pipeline::error::Result;
use pipeline::judging::sandbox::{Compiler, Ended, Run, Sandbox};
use verdict::{Isolation, Limits};

#[cfg(not(target_os = "linux"))]
use elsewhere::{compile_environment, guarded, run};
#[cfg(target_os = "linux")]
use {compile::environment as compile_environment, guard::guarded, start::run};

#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::{main_if_asked, probe};
#[cfg(target_os = "linux")]
pub(crate) use {probe::probe, start::main_if_asked};

/// How strangers' code is kept from this machine.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    /// What isolation is to be had here.
    pub(crate) isolation: Isolation,
    /// What each process may use.
    pub(crate) limits: Limits,
}

impl Sandbox for Guard {
    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn run(&self, run: &Run<'_>, cancel: &Cancel) -> Result<Ended> {
        self::run(&self.isolation, run, cancel)
    }

    fn compile_environment(&self, compiler: &Compiler, tools: &Path) -> Result<Vec<(OsString, OsString)>> {
        compile_environment(&self.isolation, &self.limits, compiler, tools)
    }

    fn guarded(&self, command: Command) -> Command {
        guarded(command)
    }
}
