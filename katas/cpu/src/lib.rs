//! Work for all cores: one by one, on threads, with rayon, in processes. The lesson is in `README.md`.

use std::io::{self, BufRead, Write};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::process::Command;

/// Works on one item after the other, on the caller's thread, and returns the results in the items' order.
///
/// This is what all other ways are compared with.
pub fn one_by_one<T, R>(items: &[T], work: impl Fn(&T) -> R) -> Vec<R> {
    todo!()
}

/// Cuts a range into parts: without gaps, in order, none of them empty, and none longer than another by more than 1.
///
/// There are as many as asked for, or fewer if the range has not so many numbers. An empty range has no parts.
pub fn split(range: Range<u64>, parts: NonZeroUsize) -> Vec<Range<u64>> {
    todo!()
}

/// Cuts the items into one chunk of neighbours for each worker, lets each worker `work` on its chunk, and returns the results
/// in the items' order.
///
/// No two workers' chunks differ in length by more than 1, and with fewer items than workers each item is a chunk. The
/// workers run at the same time, and none outlives the call. The caller's thread may be one of them.
///
/// # Panics
/// With the work's own payload, if the work panics. Also if the system has no room for so many threads.
pub fn in_chunks<T: Sync, R: Send>(items: &[T], workers: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    todo!()
}

/// Like [`in_chunks`], but no worker has a share of its own: whoever is free takes the next item. However long one item
/// takes, the others don't wait for it.
///
/// # Panics
/// As in [`in_chunks`].
pub fn balanced<T: Sync, R: Send>(items: &[T], workers: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    todo!()
}

/// Like [`balanced`], on as many threads of rayon.
///
/// # Panics
/// As in [`in_chunks`].
pub fn with_rayon<T: Sync, R: Send>(items: &[T], workers: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    todo!()
}

/// Lets so many processes work on the parts at the same time, and returns the results in the order of the parts. Whichever
/// process is free gets the next part.
///
/// `worker` makes the command for one process, which calls [`serve`] with its standard input and output. It is called once
/// for each worker, but not more often than there are parts. No process is left when this returns, not even a zombie.
///
/// # Errors
/// - `UnexpectedEof` if a worker ends without a whole answer to its part.
/// - `InvalidData` if an answer is no number. The worker is killed then.
/// - Whatever the system reports: a worker can't be started, a pipe is broken.
pub fn by_processes(
    parts: &[Range<u64>],
    workers: NonZeroUsize,
    worker: impl Fn() -> Command + Sync,
) -> io::Result<Vec<u64>> {
    todo!()
}

/// What a worker process does: reads the parts, one in a line, and answers each with the result of the work, one in a line.
///
/// `1 101` asks for the part `1..101`, and 5050 is a good answer to it. An answer has left the writer's buffer before the
/// next part is read. Returns at the end of the input.
///
/// # Errors
/// - `InvalidData` if a line isn't a part. The parts before it are answered, those behind it are not.
/// - Whatever the reader or the writer reports.
pub fn serve(input: impl BufRead, output: impl Write, work: impl Fn(Range<u64>) -> u64) -> io::Result<()> {
    todo!()
}
