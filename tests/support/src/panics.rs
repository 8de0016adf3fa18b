//! Notes every panic while a test runs: what was said, where, in which thread.

use std::collections::BTreeSet;
use std::panic::{self, PanicHookInfo};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread::{self, ThreadId};

use verdict::abort::{ABORTS, last_words};
use verdict::{Kind, Location};

use crate::kind::kind_of_panic;
use crate::tasks::own_id;

/// A panic that happened during a test.
#[derive(Clone, Debug)]
pub(crate) struct Panic {
    pub(crate) message: String,
    pub(crate) at: Option<Location>,
    pub(crate) thread: ThreadId,
    pub(crate) thread_name: String,
}

impl Panic {
    /// What kind of mistake it is.
    pub(crate) fn kind(&self) -> Kind {
        kind_of_panic(&self.message, self.at.as_ref().map_or("", |at| &at.file))
    }
}

/// The panics of one test, in order. Clones are the same list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Panics {
    list: Arc<Mutex<Vec<Panic>>>,
    /// Threads that an earlier test of this process left behind: what they do is none of this test's.
    strangers: Arc<BTreeSet<u32>>,
}

impl Panics {
    /// An empty list for a test before which these threads were there.
    pub(crate) fn without(strangers: BTreeSet<u32>) -> Panics {
        Panics { list: Arc::default(), strangers: Arc::new(strangers) }
    }

    /// All panics so far.
    pub(crate) fn so_far(&self) -> Vec<Panic> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, panic: Panic) {
        if own_id().is_none_or(|id| !self.strangers.contains(&id)) {
            self.list.lock().unwrap_or_else(PoisonError::into_inner).push(panic);
        }
    }
}

/// Where the hook notes panics: the list of the test that runs now, if one does.
static CURRENT: Mutex<Option<Panics>> = Mutex::new(None);

/// While it lives, panics of the process are noted and not printed.
#[derive(Debug)]
pub(crate) struct Capture;

impl Drop for Capture {
    fn drop(&mut self) {
        *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Notes panics in this list from now on, until the guard is dropped.
pub(crate) fn capture(panics: &Panics) -> Capture {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner).clone();
            match current {
                Some(panics) => {
                    let panic = described(info);
                    if panic.message == ABORTS {
                        tell_first(&panics.so_far(), panic.thread);
                    }
                    panics.note(panic);
                }
                None => previous(info),
            }
        }));
    });
    *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = Some(panics.clone());
    Capture
}

/// The panic that made the process abort: the last but one of this thread, before the destructor's.
fn tell_first(panics: &[Panic], thread: ThreadId) {
    let first = panics.iter().rev().filter(|panic| panic.thread == thread).nth(1);
    if let Some(Panic { message, at, thread_name, .. }) = first {
        let at = at.as_ref().map_or(String::new(), |at| format!(" ({}:{})", at.file, at.line));
        last_words(&format!("{thread_name} panicked: {message}{at}"));
    }
}

fn described(info: &PanicHookInfo<'_>) -> Panic {
    let thread = thread::current();
    Panic {
        message: info.payload_as_str().unwrap_or("a panic without a message").to_owned(),
        at: info.location().map(|at| Location { file: at.file().to_owned(), line: at.line(), column: at.column() }),
        thread: thread.id(),
        thread_name: thread.name().unwrap_or("a thread without a name").to_owned(),
    }
}

/// The panic that explains why this thread panicked last. A thread that unwraps `join()` or ends a scope only passes on
/// that another one panicked: then it is that one.
pub(crate) fn cause(panics: &[Panic], thread: ThreadId) -> Option<&Panic> {
    let last = panics.iter().rfind(|panic| panic.thread == thread);
    let elsewhere = panics.iter().rfind(|panic| panic.thread != thread);
    match last {
        Some(last) if !only_passes_on(&last.message) => Some(last),
        // A payload passed on by `resume_unwind` is not noted again.
        _ => elsewhere.or(last),
    }
}

/// Whether the message says no more than that another thread panicked.
fn only_passes_on(message: &str) -> bool {
    // What `unwrap` says of a `join()` and of a poisoned lock, and what a scope says.
    message.ends_with("Any { .. }") || message.ends_with("PoisonError { .. }") || message == "a scoped thread panicked"
}
