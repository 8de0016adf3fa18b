//! Says of a thread that it waits at a tool, and at which: for the judge, and for the person who reads the verdict.

#[cfg(feature = "explore")]
pub(crate) use std::explored::waiting_at;

#[cfg(not(feature = "explore"))]
pub(crate) use on_threads::{Waiter, forget_earlier_tests, waiters, waiting_at};

#[cfg(not(feature = "explore"))]
mod on_threads {
    use std::sync::{Arc, Mutex, PoisonError};
    use std::thread;

    use verdict::Kind;

    use crate::tasks::own_id;

    /// A thread that waits at a tool.
    #[derive(Clone, Debug)]
    pub(crate) struct Waiter {
        /// The thread's number, where the system gives it one.
        pub(crate) task: Option<u32>,
        /// The thread's name.
        pub(crate) thread: String,
        /// What it means for the test if the thread is still waiting at the end.
        pub(crate) kind: Option<Kind>,
        /// The tool, in words.
        pub(crate) note: String,
    }

    struct Entry {
        key: u64,
        task: Option<u32>,
        thread: String,
        kind: Option<Kind>,
        note: Arc<dyn Fn() -> String + Send + Sync>,
    }

    struct Register {
        next: u64,
        entries: Vec<Entry>,
    }

    static REGISTER: Mutex<Register> = Mutex::new(Register { next: 0, entries: Vec::new() });

    /// Runs `wait`. While it blocks, the calling thread waits at what `note` says. If the test gets stuck meanwhile, it
    /// has failed for this kind.
    pub(crate) fn waiting_at<R>(
        kind: Option<Kind>,
        note: impl Fn() -> String + Send + Sync + 'static,
        wait: impl FnOnce() -> R,
    ) -> R {
        let thread = thread::current().name().unwrap_or("a thread without a name").to_owned();
        let key = {
            let mut register = REGISTER.lock().unwrap_or_else(PoisonError::into_inner);
            register.next += 1;
            let key = register.next;
            register.entries.push(Entry { key, task: own_id(), thread, kind, note: Arc::new(note) });
            key
        };
        let result = wait();
        REGISTER.lock().unwrap_or_else(PoisonError::into_inner).entries.retain(|entry| entry.key != key);
        result
    }

    /// Who waits now.
    pub(crate) fn waiters() -> Vec<Waiter> {
        let waiter = |entry: &Entry| Waiter {
            task: entry.task,
            thread: entry.thread.clone(),
            kind: entry.kind,
            note: (entry.note)(),
        };
        REGISTER.lock().unwrap_or_else(PoisonError::into_inner).entries.iter().map(waiter).collect()
    }

    /// Threads that an earlier test left behind may wait for ever. They are not this test's.
    pub(crate) fn forget_earlier_tests() {
        REGISTER.lock().unwrap_or_else(PoisonError::into_inner).entries.clear();
    }
}
