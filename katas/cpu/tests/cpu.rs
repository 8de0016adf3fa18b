//! The contract of the kata `cpu`, sentence by sentence. `README.md` has the same list.
//!
//! The worker processes are this program again, in the roles at the end of the file.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::process::Command;
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use cpu::{balanced, by_processes, in_chunks, one_by_one, serve, split, with_rayon};
use kata::child::{Children, meet, roles};
use kata::{Check, Rendezvous, check, on_threads};

/// Never called. Compiles only with the types that the stub gives, for every `T`: a type of its own could be equal to whatever it is
/// compared with, or be there for some `T` alone.
fn _signatures<T: Sync, R: Send>(items: &[T], work: &(impl Fn(&T) -> R + Sync)) {
    let _: Vec<R> = in_chunks(items, size(1), work);
    let _: Vec<R> = balanced(items, size(1), work);
    let _: Vec<R> = with_rayon(items, size(1), work);
}

/// Never called, either.
fn _signature_of_one_by_one<T, R>(items: &[T], work: impl Fn(&T) -> R) {
    let _: Vec<R> = one_by_one(items, work);
}

/// Never called, either.
fn _signatures_of_parts(
    parts: &[Range<u64>],
    worker: impl Fn() -> Command + Sync,
    (input, output): (impl BufRead, impl Write),
    work: impl Fn(Range<u64>) -> u64,
) {
    let _: fn(Range<u64>, NonZeroUsize) -> Vec<Range<u64>> = split;
    let _: io::Result<Vec<u64>> = by_processes(parts, size(1), worker);
    let _: io::Result<()> = serve(input, output, work);
}

#[test]
fn a_range_is_split_into_equal_parts() {
    check(|| {
        for (range, workers) in [(1..11, 3), (0..12, 4), (5..8, 3), (5..8, 4), (0..6, 4), (0..u64::MAX, 7)] {
            let parts = split(range.clone(), size(workers));
            let cut = format!("{range:?} in {workers} parts: {parts:?}");
            let count = range.end.saturating_sub(range.start).min(workers as u64);
            assert_eq!(parts.len() as u64, count, "{cut}");
            assert_eq!((parts[0].start, parts[parts.len() - 1].end), (range.start, range.end), "{cut}");
            assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start), "no gaps and in order? {cut}");
            let lengths = parts.iter().map(|part| part.end - part.start);
            let (shortest, longest) = (lengths.clone().min().unwrap(), lengths.max().unwrap());
            assert!(longest - shortest <= 1, "none longer than another by more than 1? {cut}");
        }
        assert_eq!(split(7..7, size(3)), [], "an empty range has no parts");
    });
}

#[test]
fn results_are_in_the_order_of_the_items() {
    check(|| {
        // More items than workers, as many, fewer, none.
        for items in [&[1, 2, 3][..], &[1, 2], &[1], &[]] {
            let expected: Vec<u32> = items.iter().map(|item| item * 10).collect();
            let work = |item: &u32| item * 10;
            assert_eq!(one_by_one(items, work), expected, "one by one");
            assert_eq!(in_chunks(items, size(2), work), expected, "in chunks");
            assert_eq!(balanced(items, size(2), work), expected, "balanced");
        }
    });
}

#[test]
fn each_worker_has_a_chunk_and_all_work_at_once() {
    check(|| {
        // The chunks are 2, 1 and 1 items long. Each worker waits with its first item until the others have come.
        let (all, shares) = (Rendezvous::of(3), Shares::default());
        let results = in_chunks(&[1, 2, 3, 4], size(3), |item| {
            if shares.one_more() == 1 {
                all.meet();
            }
            item * 10
        });
        assert_eq!(results, [10, 20, 30, 40]);
        assert_eq!(shares.lengths(), [1, 1, 2], "the lengths of 3 workers' chunks of 4 items");
    });
}

#[test]
fn a_long_item_holds_up_no_other() {
    check(|| {
        let (long, shares) = (LongItem::of(4), Shares::default());
        let results = balanced(&[1, 2, 3, 4], size(2), |item| {
            shares.one_more();
            long.work(*item == 1);
            item * 10
        });
        assert_eq!(results, [10, 20, 30, 40]);
        assert_eq!(shares.lengths().len(), 2, "threads that worked");
    });
}

#[test]
fn a_panic_of_the_work_reaches_the_caller() {
    check(|| {
        let work = |item: &u32| if *item == 2 { panic!("two is too much") } else { *item };
        panics_with_its_own_payload(|| in_chunks(&[1, 2, 3], size(2), work));
        panics_with_its_own_payload(|| balanced(&[1, 2, 3], size(2), work));
    });
}

/// More workers than cores: else rayon's global pool would do.
#[test]
fn rayon_does_the_same_on_as_many_threads_as_it_is_told() {
    on_threads(|| {
        let workers = thread::available_parallelism().map_or(2, |cores| cores.get() + 1);
        let (all, shares, items) = (Rendezvous::of(workers), Shares::default(), Vec::from_iter(0..2 * workers));
        let results = with_rayon(&items, size(workers), |item| {
            if shares.one_more() == 1 {
                all.meet();
            }
            item * 10
        });
        assert_eq!(results, Vec::from_iter(items.iter().map(|item| item * 10)));
        assert_eq!(shares.lengths().len(), workers, "threads that worked");
        assert!(with_rayon(&[0; 0], size(1), |item| *item).is_empty(), "no items, no results");
        let work = |item: &u32| if *item == 2 { panic!("two is too much") } else { *item };
        panics_with_its_own_payload(|| with_rayon(&[1, 2, 3], size(2), work));
    });
}

#[test]
fn rayon_lets_other_threads_steal_what_is_behind_a_long_item() {
    on_threads(|| {
        let items = Vec::from_iter(1..=64);
        let long = LongItem::of(items.len());
        let results = with_rayon(&items, size(2), |item| {
            long.work(*item == 1);
            item * 10
        });
        assert_eq!(results, Vec::from_iter(items.iter().map(|item| item * 10)));
    });
}

#[test]
fn an_answer_is_sent_before_the_next_part_is_read() {
    check(|| {
        let sent = Arc::new(Mutex::new(Vec::new()));
        let asker = Asker { parts: vec!["7 8\n", "1 101\n", "5 5\n"], asked: 0, sent: Arc::clone(&sent) };
        let output = BufWriter::with_capacity(1024, Sent(Arc::clone(&sent)));
        serve(BufReader::new(asker), output, Iterator::sum).unwrap();
        assert_eq!(text(&sent), "7\n5050\n0\n");
    });
}

#[test]
fn a_line_that_is_no_part_is_an_error() {
    check(|| {
        for line in ["", "1", "one two", "1 2 3", "1,2", "-1 2", "1 18446744073709551616"] {
            let (input, mut output) = (format!("1 101\n{line}\n"), Vec::new());
            let outcome = serve(input.as_bytes(), &mut output, Iterator::sum).map_err(|error| error.kind());
            assert_eq!(outcome, Err(ErrorKind::InvalidData), "the line {line:?}");
            assert_eq!(output, b"5050\n", "the answers before the line {line:?}");
        }
    });
}

#[test]
fn a_long_part_holds_up_no_other_process() {
    Check::new().threads_only().run(|| {
        let children = Children::new();
        // Three times four parts. The first one lasts until the second is worked on, then until the third is, then the
        // fourth.
        for behind in 1..=3 {
            let place = format!("table {behind}");
            children.rendezvous(&place, 2);
            let parts =
                [0, 1, 2, 3].map(|part| if part == 0 || part == behind { part..100 + behind } else { part..part });
            let started = AtomicUsize::new(0);
            let results = by_processes(&parts, size(2), || {
                started.fetch_add(1, Ordering::Relaxed);
                children.command("meeting")
            });
            assert_eq!(results.unwrap(), [0, 1, 2, 3], "the results in the order of the parts");
            assert_eq!(started.into_inner(), 2, "processes of 2 workers");
        }
    });
}

#[test]
fn a_worker_process_that_fails_is_an_error_and_no_wrong_sum() {
    Check::new().threads_only().run(|| {
        let children = Children::new();
        for (role, kind) in [
            ("silent", ErrorKind::UnexpectedEof),
            ("interrupted", ErrorKind::UnexpectedEof),
            ("panicking", ErrorKind::UnexpectedEof),
            ("babbling", ErrorKind::InvalidData),
        ] {
            let outcome = by_processes(slice::from_ref(&(1..101)), size(1), || children.command(role));
            assert_eq!(outcome.map_err(|error| error.kind()), Err(kind), "the worker is {role}");
        }
    });
}

#[test]
fn no_process_is_left_and_none_started_in_vain() {
    Check::new().threads_only().run(|| {
        let (children, asked) = (Children::new(), AtomicUsize::new(0));
        let outcome = by_processes(&[1..101, 1..101], size(2), || match asked.fetch_add(1, Ordering::Relaxed) {
            0 => children.command("summing"),
            _ => Command::new("no-such-program"),
        });
        let outcome = outcome.map_err(|error| error.kind());
        assert_eq!(outcome, Err(ErrorKind::NotFound), "the second of two workers can't be started");
        for parts in [Vec::new(), vec![1..51, 51..101]] {
            let started = AtomicUsize::new(0);
            let results = by_processes(&parts, size(3), || {
                started.fetch_add(1, Ordering::Relaxed);
                children.command("summing")
            });
            assert_eq!(results.unwrap(), Vec::from_iter(parts.iter().cloned().map(Iterator::sum::<u64>)));
            assert_eq!(started.into_inner(), parts.len(), "processes for so many parts");
        }
    });
}

#[test]
fn all_ways_find_the_same_sums() {
    on_threads(|| {
        let children = Children::new();
        for workers in [1, 2, 3] {
            let workers = size(workers);
            let (sums, loops) = (split(1..100_001, workers), split(0..10, workers));
            let add = |results: Vec<u64>| results.into_iter().sum::<u64>();
            let summed = |part: &Range<u64>| part.clone().sum();
            for sum in [
                add(one_by_one(&sums, summed)),
                add(in_chunks(&sums, workers, summed)),
                add(balanced(&sums, workers, summed)),
                add(with_rayon(&sums, workers, summed)),
                add(by_processes(&sums, workers, || children.command("summing")).unwrap()),
            ] {
                assert_eq!(sum, 5_000_050_000, "the sum 1 + 2 + … + 100,000 by {workers} workers");
            }
            let multiplied = |part: &Range<u64>| products(part.clone());
            for sum in [
                add(one_by_one(&loops, multiplied)),
                add(in_chunks(&loops, workers, multiplied)),
                add(balanced(&loops, workers, multiplied)),
                add(with_rayon(&loops, workers, multiplied)),
                add(by_processes(&loops, workers, || children.command("multiplying")).unwrap()),
            ] {
                assert_eq!(sum, 823_128_750, "10 times the sum of 29 x 29 x 29 products by {workers} workers");
            }
        }
    });
}

roles!(summing, multiplying, meeting, silent, interrupted, panicking, babbling);

/// Adds up the numbers of each part.
fn summing() -> i32 {
    serving(Iterator::sum)
}

/// Goes through the triple loop once for each number of a part.
fn multiplying() -> i32 {
    serving(products)
}

/// Of a part that ends at 101 or above: waits at a table for another such part.
fn meeting() -> i32 {
    serving(|part| {
        if part.end > 100 {
            meet(&format!("table {}", part.end - 100));
        }
        part.start
    })
}

/// Is asked, and ends as if all were well.
fn silent() -> i32 {
    asked();
    0
}

/// Ends in the middle of its answer, which should be 5050.
fn interrupted() -> i32 {
    asked();
    answer("50");
    0
}

/// Has a mistake in its work.
fn panicking() -> i32 {
    serving(|part| panic!("the work on {part:?} panics"))
}

/// Answers in words, and doesn't end.
fn babbling() -> i32 {
    asked();
    answer("five thousand\n");
    meet("a place that nobody opens");
    0
}

fn serving(work: impl Fn(Range<u64>) -> u64) -> i32 {
    if serve(io::stdin().lock(), io::stdout().lock(), work).is_ok() { 0 } else { 1 }
}

/// Waits until the parent has asked for a part.
fn asked() {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).unwrap();
    assert_eq!(line, "1 101\n");
}

fn answer(text: &str) {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).unwrap();
}

/// The notes' triple loop, once for each number of the part.
fn products(part: Range<u64>) -> u64 {
    let side = || 1..30_u64;
    let product = |i| side().flat_map(move |j| side().map(move |k| i * j * k)).sum::<u64>();
    part.map(|_| side().map(product).sum::<u64>()).sum()
}

/// Who did how many items.
#[derive(Default)]
struct Shares(Mutex<HashMap<ThreadId, usize>>);

impl Shares {
    /// Counts an item for the calling thread: how many it has by now.
    fn one_more(&self) -> usize {
        let mut shares = self.0.lock().unwrap();
        let share = shares.entry(thread::current().id()).or_default();
        *share += 1;
        *share
    }

    /// The numbers of items, the smallest first.
    fn lengths(self) -> Vec<usize> {
        let mut lengths: Vec<usize> = self.0.into_inner().unwrap().into_values().collect();
        lengths.sort_unstable();
        lengths
    }
}

/// Among several items one that lasts until the others are done.
struct LongItem {
    others: AtomicUsize,
    end: Rendezvous,
}

impl LongItem {
    #[track_caller]
    fn of(items: usize) -> LongItem {
        LongItem { others: AtomicUsize::new(items - 1), end: Rendezvous::of(2) }
    }

    /// The work on an item. The long one meets the last of the others.
    fn work(&self, is_long: bool) {
        if is_long || self.others.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.end.meet();
        }
    }
}

/// Asks for one part at a time, like a parent does: for the next one when the last is answered.
struct Asker {
    parts: Vec<&'static str>,
    asked: usize,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Read for Asker {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let answers = text(&self.sent).lines().count();
        assert_eq!(answers, self.asked, "answers that have left the buffer when part {} is read", self.asked + 1);
        let Some(part) = self.parts.get(self.asked) else { return Ok(0) };
        self.asked += 1;
        part.as_bytes().read(buffer)
    }
}

/// What has left the worker's buffer.
struct Sent(Arc<Mutex<Vec<u8>>>);

impl Write for Sent {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn text(sent: &Mutex<Vec<u8>>) -> String {
    String::from_utf8(sent.lock().unwrap().clone()).expect("answers are text")
}

/// The caller must see the panic of the work, as if there were no threads.
#[track_caller]
fn panics_with_its_own_payload(call: impl FnOnce() -> Vec<u32>) {
    match panic::catch_unwind(AssertUnwindSafe(call)) {
        Ok(results) => panic!("the work has panicked, and the caller got {results:?}"),
        // A stub's `todo!()` is no wrong payload.
        Err(payload) if payload.downcast_ref() == Some(&"not yet implemented") => panic::resume_unwind(payload),
        Err(payload) => assert_eq!(payload.downcast_ref(), Some(&"two is too much"), "what the caller's panic says"),
    }
}

/// A number of workers.
fn size(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).expect("a test's sizes are not zero")
}
