//! Four workloads, and a way for each.
//!
//! The question is always the same: what is waited for? The answer says who should wait.
//!
//! - Many slow pages: for *others*. Nobody here has anything to do, so one thread waits for all of them: **tasks**.
//! - A few fast files: hardly at all. The simplest that overlaps is enough: **threads**, of which some stand still if a file is slow.
//! - Sums: for a *core*. As many threads as cores, and a pool that deals out the work: **rayon**.
//! - A mixture: for both, one after the other. Tasks wait, rayon computes, and a channel leads from one to the other.
//!
//! **Processes** are not among them. In Python they are the answer to sums; in Rust threads compute at the same time.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, io, thread};

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use rayon::{ThreadPool, ThreadPoolBuilder};
use reqwest::Client;
use tokio::runtime;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;

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
    let fetcher = Fetcher::new(at_once);
    waited_for_together(urls, move |url| Arc::clone(&fetcher).fetch(url))
}

/// Reads files: few, and nearly all of them are fast. One may be a pipe, or far away on the network. The results are their texts.
///
/// The next file is opened as soon as fewer than `at_once` are open. An error is the one that `std` reports for that file; for what
/// is not UTF-8, that is `InvalidData`.
pub fn files(paths: &[PathBuf], at_once: NonZeroUsize) -> Vec<io::Result<String>> {
    // No system that is in use everywhere can be asked to read a file and tell later: a thread has to wait. What a runtime offers
    // for files is a thread, too, and the way to it and back costs more than a fast file.
    let queue = Mutex::new(paths.iter().enumerate());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let worker = || {
        let mut done = Vec::new();
        while let Some((place, path)) = next() {
            done.push((place, fs::read_to_string(path)));
        }
        done
    };
    let done = thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once.get().min(paths.len())).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no worker panics")).collect()
    });
    in_order(done)
}

/// Does the work on each of these numbers.
///
/// The work on the next number begins as soon as fewer than `at_once` numbers are worked on. Each is worked on once.
pub fn sums(numbers: &[u64], at_once: NonZeroUsize, work: &Work) -> Vec<Result<u64, Failure>> {
    // These numbers are few and their work is long, so each may be stolen alone.
    let results = numbers.par_iter().with_max_len(1).map(|number| contained(work, *number));
    pool(at_once, numbers.len()).install(|| results.collect())
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
    let (fetcher, pool, work) = (Fetcher::new(at_once), Arc::new(pool(workers, urls.len())), work.clone());
    waited_for_together(urls, move |url| {
        let (fetcher, pool, work) = (Arc::clone(&fetcher), Arc::clone(&pool), work.clone());
        async move {
            // When the text is here, the place among the requests is free again.
            let text = fetcher.fetch(url).await?;
            let number = text.trim().parse().map_err(|_| Failure::NoNumber)?;
            // Computed here, it would keep all other tasks from going on. The pool has as many threads as may compute, so what
            // waits for one of them waits in its queue, and costs no thread.
            let (answer, result) = oneshot::channel();
            pool.spawn(move || {
                let _ = answer.send(contained(&work, number));
            });
            result.await.expect("the pool does all that is handed over to it")
        }
    })
}

/// Waits for all these inputs at the same time, each in a task of its own, on the calling thread alone.
fn waited_for_together<T, F>(inputs: &[String], task: impl Fn(String) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.expect("the system has room for one more event queue").block_on(async {
        let mut tasks = JoinSet::new();
        for (place, input) in inputs.iter().cloned().enumerate() {
            let task = task(input);
            tasks.spawn(async move { (place, task.await) });
        }
        tasks.join_all().await
    });
    in_order(done)
}

/// Fetches pages, no more at once than there are places.
struct Fetcher {
    /// Keeps connections open, and uses them again.
    client: Client,
    places: Semaphore,
}

impl Fetcher {
    fn new(at_once: NonZeroUsize) -> Arc<Fetcher> {
        let places = Semaphore::new(at_once.get().min(Semaphore::MAX_PERMITS));
        Arc::new(Fetcher { client: Client::new(), places })
    }

    /// The text of a page, if it is there.
    async fn fetch(self: Arc<Self>, url: String) -> Result<String, Failure> {
        let unreachable = |_| Failure::Unreachable;
        let _place = self.places.acquire().await.expect("nobody closes the semaphore");
        let response = self.client.get(&url).send().await.map_err(unreachable)?;
        match response.status() {
            status if status.is_success() => response.text().await.map_err(unreachable),
            status => Err(Failure::Status(status.as_u16())),
        }
    }
}

/// Threads that compute: so many, but no more than there is work for.
fn pool(threads: NonZeroUsize, inputs: usize) -> ThreadPool {
    // None at all would mean as many as there are cores.
    let threads = threads.get().min(inputs).max(1);
    ThreadPoolBuilder::new().num_threads(threads).build().expect("the system has room for so many threads")
}

/// Does the work on a number, here and now. A panic ends this number's work, and nothing else.
fn contained(work: &Work, number: u64) -> Result<u64, Failure> {
    catch_unwind(AssertUnwindSafe(|| (work.call)(number))).map_err(|_| Failure::Panicked)
}

/// Results that came in any order, each with its input's place, in the order of the inputs.
fn in_order<T>(mut done: Vec<(usize, T)>) -> Vec<T> {
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}
