//! Four workloads. Which way is right for each is yours to choose. The lesson is in `README.md`.
//!
//! Each function returns one result for each of its inputs, in the order of the inputs. A failure is the result for its input
//! alone. However long one of them takes, the others don't wait for it: a place that gets free is taken by the next one. A limit
//! may be far more than there are inputs. When a function returns, no process of its own is left.
//!
//! They are called on threads that run no tasks, and never by the work. Several calls may go on at the same time, each with limits
//! of its own. Each call asks, reads and works anew.

use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

/// Work that only computes: a number goes in, and a number comes out. It may take long, and it may panic.
#[derive(Clone)]
pub struct Work {
    /// Does the work on a number, on the calling thread.
    pub call: Arc<dyn Fn(u64) -> u64 + Send + Sync>,
    /// Makes the command of a process that does the same. It reads numbers from its standard input, one in a line, and answers each
    /// on its standard output, with the result in a line, before it reads the next one. It ends when its input does. If the work
    /// panics, it ends without an answer. It may write much to its standard error, too.
    pub process: Arc<dyn Fn() -> Command + Send + Sync>,
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server has answered, but with this status instead of a success. Whether its text is complete doesn't matter.
    Status(u16),
    /// There was no complete answer: the URL is none, there is no server, or it broke off.
    Unreachable,
    /// The page is there, but what it says is no number.
    NoNumber,
    /// The work has panicked.
    Panicked,
}

/// Fetches pages: many, and each of them is slow. The results are their texts.
///
/// Each URL is asked for once. The next page is asked for as soon as fewer than `at_once` requests are in flight. A request is in
/// flight until its text is here as a whole, or its failure is known.
pub fn pages(urls: &[String], at_once: NonZeroUsize) -> Vec<Result<String, Failure>> {
    todo!()
}

/// Reads files: few, and nearly all of them are fast. One may be a pipe, or far away on the network. The results are their texts.
///
/// The next file is opened as soon as fewer than `at_once` are open. An error is the one that `std` reports for that file; for what
/// is not UTF-8, that is `InvalidData`.
pub fn files(paths: &[PathBuf], at_once: NonZeroUsize) -> Vec<io::Result<String>> {
    todo!()
}

/// Does the work on each of these numbers.
///
/// The work on the next number begins as soon as fewer than `at_once` numbers are worked on. Each is worked on once.
pub fn sums(numbers: &[u64], at_once: NonZeroUsize, work: &Work) -> Vec<Result<u64, Failure>> {
    todo!()
}

/// Fetches pages, each of which says a number (there may be white space around it), and does the work on these numbers.
///
/// Each URL is asked for once, and each number is worked on once. The next page is asked for as soon as fewer than `at_once`
/// requests are in flight: a page that is here keeps no other from being asked for. The work on a number begins as soon as it is
/// here and fewer than `workers` numbers are worked on, whichever pages are still to come.
pub fn mixture(
    urls: &[String],
    at_once: NonZeroUsize,
    workers: NonZeroUsize,
    work: &Work,
) -> Vec<Result<u64, Failure>> {
    todo!()
}
