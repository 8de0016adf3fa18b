//! The contract of the kata `cpu`, sentence by sentence. `README.md` has the same list.
//!
//! The worker processes are this program again, in the roles at the end of the file.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::process::{self, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ThreadId};

use cpu::{balanced, by_processes, in_chunks, one_by_one, serve, split, with_rayon};
use kata::child::{Children, meet, roles};
use kata::conversation::{self, Streams};
use kata::inputs::{counted, listed, subsets};
use kata::{Check, EXPLORED, Rendezvous, each_on_threads, on_threads, panic_on_purpose, start as start_thread};

/// Never called. Compiles only with the types that the stub gives, for every `T`: a type of its own could be equal to
/// whatever it is compared with, or be there for some `T` alone.
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
fn one_by_one_works_on_the_callers_thread_in_order() {
    Check::new().each((0..=4).chain([100]), |count| {
        let (items, worked_on) = (Vec::from_iter(0..*count), RefCell::new(Vec::new()));
        let results = one_by_one(&items, |item| {
            worked_on.borrow_mut().push(*item);
            (item * 10, thread::current().id())
        });
        let expected = Vec::from_iter(items.iter().map(|item| (item * 10, thread::current().id())));
        assert_eq!(worked_on.into_inner(), items, "the items in the order in which they were worked on");
        assert_eq!(results, expected, "the results, and the threads that found them");
    });
}

#[test]
fn a_range_is_split_into_equal_parts() {
    Check::new().each(cuts(), |Cut { range, wanted }| {
        let parts = split(range.clone(), size(*wanted));
        let count = (range.end - range.start).min(*wanted as u64);
        let shown = &parts[..parts.len().min(20)];
        assert_eq!(parts.len() as u64, count, "how many parts there are: {shown:?}");
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return };
        assert_eq!((first.start, last.end), (range.start, range.end), "where the parts begin and end: {shown:?}");
        assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start), "gaps, or not in order: {shown:?}");
        let lengths = parts.iter().map(|part| part.end - part.start);
        let (shortest, longest) = (lengths.clone().min().unwrap(), lengths.max().unwrap());
        assert!(longest - shortest <= 1, "one part is longer than another by more than 1: {shown:?}");
    });
}

#[test]
fn results_are_in_the_order_of_the_items() {
    let ways = [Way::InChunks, Way::Balanced];
    let few = |what| ways.into_iter().flat_map(move |way| jobs(way, 3, 2, what));
    Check::new().each(few(What::Nothing).chain(few(What::Sizeless)), Job::hold);
}

#[test]
fn each_worker_has_a_chunk_and_all_work_at_once() {
    let (items, workers) = if EXPLORED { (4, 3) } else { (9, 5) };
    let jobs = [What::Nothing, What::Sizeless].into_iter().flat_map(|what| jobs(Way::InChunks, items, workers, what));
    Check::new().each(jobs, |job| {
        let all = Rendezvous::of(job.at_once());
        let chunks = job.hands(&|_| all.meet());
        assert_eq!(chunks.len(), job.at_once(), "how many workers there were; they had the items {chunks:?}");
        let lengths = chunks.iter().map(Vec::len);
        let (shortest, longest) = (lengths.clone().min().unwrap_or(0), lengths.max().unwrap_or(0));
        assert!(longest - shortest <= 1, "one chunk is longer than another by more than 1: {chunks:?}");
        assert_whole(&chunks);
    });
}

#[test]
fn a_long_item_holds_up_no_other() {
    let few = jobs(Way::Balanced, if EXPLORED { 3 } else { 5 }, 3, What::Meet);
    // Of many items, any two neighbours, and some of very many.
    let two =
        |(items, item)| Job { what: What::Meet, chosen: vec![item - 1, item], ..Job::of(Way::Balanced, items, 2) };
    let some = [4, 6].into_iter().flat_map(|items| (1..items).map(move |item| (items, item)));
    let many = (1..12).map(|item| (12, item)).chain([1, 515, 1029].map(|item| (1030, item)));
    let many = many.chain([(VERY_MANY, 1)]);
    let many = if EXPLORED { Vec::from_iter(some) } else { Vec::from_iter(many) };
    Check::new().each(few.into_iter().chain(many.into_iter().map(two)), Job::hold);
}

#[test]
fn a_panic_of_the_work_reaches_the_caller() {
    let (items, workers) = if EXPLORED { (3, 2) } else { (4, 3) };
    let ways = [(Way::OneByOne, 1), (Way::InChunks, workers), (Way::Balanced, workers)];
    let jobs = ways.into_iter().flat_map(|(way, workers)| jobs(way, items, workers, What::Panic));
    Check::new().each(jobs, Job::hold);
}

#[test]
fn work_may_do_the_same_again() {
    use Way::{Balanced, InChunks};
    let job = |way, (items, workers), item, inside| Job {
        what: What::Meet,
        chosen: vec![item],
        inside,
        ..Job::of(way, items, workers)
    };
    let pairs =
        [(InChunks, &[InChunks][..]), (InChunks, &[Balanced]), (Balanced, &[InChunks]), (Balanced, &[Balanced])];
    let sizes = [((1, 1), 0), ((1, 2), 0), ((2, 1), 0), ((2, 1), 1), ((2, 2), 0), ((2, 2), 1)];
    let few = pairs.into_iter().flat_map(|(way, inside)| sizes.map(|(size, item)| job(way, size, item, inside)));
    let many = pairs.map(|(way, inside)| job(way, (33, 33), 0, inside));
    let deeper = |(way, inside)| job(way, (2, 2), 0, inside);
    let three = [(InChunks, &[InChunks, InChunks][..]), (Balanced, &[Balanced, Balanced])];
    // However deep.
    let deep = [
        (InChunks, &[InChunks; 9][..]),
        (Balanced, &[Balanced; 9]),
        (InChunks, &[Balanced, Balanced, InChunks, InChunks, Balanced, InChunks]),
        (Balanced, &[InChunks, InChunks, Balanced, Balanced, InChunks, Balanced]),
    ];
    let at_once = [InChunks, Balanced].map(|way| at_the_same_time(way, 3));
    let many = many.into_iter().chain(deep.map(deeper)).chain(at_once).filter(|_| !EXPLORED);
    // Three levels have more schedules than can be tried, and any will do.
    Check::new().schedules(3_000).each(few.chain(three.map(deeper)).chain(many), Job::hold);
}

#[test]
fn what_holds_for_few_items_holds_for_many() {
    // More than a byte counts, more than a word has bits, and more than 16 bits count.
    let sizes = [(5, 260), (33, 33), (261, 260), (1030, 7), (VERY_MANY, 7)];
    let many = |way| sizes.map(|(items, workers)| Job::of(way, items, workers));
    Check::new().threads_only().each([Way::InChunks, Way::Balanced].into_iter().flat_map(many), |job| {
        let all = Rendezvous::of(job.at_once());
        // Of very many, some of each worker's are enough.
        let some = (job.items / 1030).max(1);
        let hands = job.hands(&|item| (item % some == 0).then_some(&all).into_iter().for_each(Rendezvous::meet));
        assert_eq!(hands.len(), job.at_once(), "how many workers there were; they had the items {hands:?}");
    });
}

/// More workers than cores, too: else rayon's global pool would do. And more than a byte counts. Its threads outlive their pool
/// for a moment.
#[test]
fn rayon_does_the_same_on_as_many_threads_as_it_is_told() {
    let cores = thread::available_parallelism().map_or(2, NonZeroUsize::get).max(64);
    let many =
        Job { what: What::Meet, chosen: Vec::from_iter(0..=cores), ..Job::of(Way::WithRayon, cores + 2, cores + 1) };
    let very_many = Job::of(Way::WithRayon, 257, 257);
    let few = [What::Meet, What::Panic].into_iter().flat_map(|what| jobs(Way::WithRayon, 4, 3, what));
    // Its threads may call the others, too.
    let calls: [&[_]; 2] = [&[Way::InChunks], &[Way::Balanced]];
    let calls = calls.map(|inside| Job { what: What::Meet, chosen: vec![0], inside, ..Job::of(Way::WithRayon, 2, 2) });
    let at_once = at_the_same_time(Way::WithRayon, 3);
    each_on_threads(few.chain(calls).chain([many, very_many, at_once]), Job::hold);
}

#[test]
fn rayon_lets_other_threads_steal_what_is_behind_a_long_item() {
    // No power of two: halves of halves would be single items, whatever rayon is told.
    const ITEMS: usize = 65;
    let long_first = (1..ITEMS).map(|other| vec![0, other]);
    let long_last = (1..ITEMS - 1).map(|other| vec![other, ITEMS - 1]);
    let very_many = [[0, 1], [0, 1029], [514, 515], [1028, 1029]].map(|chosen| (1030, chosen.to_vec()));
    let job = |(items, chosen)| Job { what: What::Meet, chosen, ..Job::of(Way::WithRayon, items, 2) };
    let many = long_first.chain(long_last).map(|chosen| (ITEMS, chosen));
    each_on_threads(many.chain(very_many).map(job), Job::hold);
}

#[test]
fn an_answer_is_sent_before_the_next_part_is_read() {
    let lines = lists(&["1 101", "7 8", "0 18446744073709551615", "5 5"], 3).into_iter();
    let talks = lines.flat_map(|lines| [Streams::Wide, Streams::Narrow].map(|streams| Talk::of(&lines, streams)));
    let long = Talk::of(&["1 101"; 300], Streams::Wide);
    let there_already = [&["1 101", "7 8", "5 5"][..], &["1 101"; 300]]
        .map(|lines| Talk { there_already: true, ..Talk::of(lines, Streams::Wide) });
    Check::new().each(talks.chain([long]).chain(there_already), Talk::hold);
}

#[test]
fn a_line_that_is_no_part_is_an_error() {
    let first_or_third = [vec!["x", "7 8"], vec!["1 101", "7 8", "x"]].map(|lines| Talk::of(&lines, Streams::Wide));
    let second =
        rubbish().map(|line| Talk { lines: vec!["1 101".into(), line, "7 8".into()], ..Talk::of(&[], Streams::Wide) });
    Check::new().each(first_or_third.into_iter().chain(second), Talk::hold);
}

#[test]
fn what_the_reader_or_the_writer_reports_is_passed_on() {
    use ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    let reading = (0..3).flat_map(|line| [ConnectionReset, UnexpectedEof].map(|how| Streams::ReadingFails(line, how)));
    let writing = (0..2).flat_map(|answer| {
        [BrokenPipe, UnexpectedEof]
            .into_iter()
            .flat_map(move |how| [Streams::WritingFails(answer, how), Streams::FlushingFails(answer, how)])
    });
    let failing = reading.clone().chain(writing).map(|streams| Talk::of(&["1 101", "7 8"], streams));
    let in_a_line = reading.map(|streams| Talk { in_a_line: true, ..Talk::of(&["1 101", "7 8"], streams) });
    let panicking = (0..2).map(|part| Talk { panics_at: Some(part), ..Talk::of(&["1 101", "7 8"], Streams::Wide) });
    Check::new().each(failing.chain(in_a_line).chain(panicking), Talk::hold);
}

#[test]
fn a_long_part_holds_up_no_other_process() {
    let more_processes_than_parts = Crew { parts: vec![Part::Plain; 3], processes: usize::MAX };
    let many_at_once = Crew { parts: vec![Part::Meets; 33], processes: 33 };
    let many_parts = Crew { parts: vec![Part::Plain; 300], processes: 3 };
    let many = [more_processes_than_parts, many_at_once, many_parts];
    Check::new().threads_only().each(meetings(4, 3).into_iter().chain(many), |crew| {
        let children = Children::new();
        children.rendezvous(TABLE, crew.special().len());
        let (results, started) = crew.work(|_| children.command("obedient"));
        assert_eq!(results, crew.right(), "results, in the order of the parts");
        assert_eq!(started, crew.processes.min(crew.parts.len()), "how many processes were started");
    });
}

#[test]
fn a_worker_process_that_fails_is_an_error_and_no_wrong_sum() {
    Check::new().threads_only().each(failures(), |crew| {
        let children = Children::new();
        children.open_when_still(UNTIL_STILL);
        let deserted = crew.parts.contains(&Part::Deserted);
        if deserted {
            children.rendezvous(TABLE, crew.parts.len());
        }
        let role = |number| if deserted && number == 0 { "deserting" } else { "obedient" };
        let (results, _) = crew.work(|number| children.command(role(number)));
        let faults = crew.parts.iter().filter_map(Part::fault).map(|fault| fault.error);
        let expected = Vec::from_iter(faults.chain(deserted.then_some(ErrorKind::UnexpectedEof)).map(Err));
        assert!(expected.contains(&results), "it returned {results:?}, and may return one of {expected:?}");
    });
}

#[test]
fn an_answer_may_come_in_pieces() {
    Check::new().threads_only().each([(1, 1), (4, 2)].map(Crew::of), |crew| {
        let children = Children::new();
        children.open_when_still(UNTIL_STILL);
        let (results, _) = crew.work(|_| children.command("in_pieces"));
        assert_eq!(results, crew.right(), "the results, when the first bytes of each answer come before the others");
    });
}

#[test]
fn a_worker_process_that_has_gone_is_an_error_or_not_needed() {
    Check::new().threads_only().each([(1, 1), (2, 1), (2, 2), (3, 2)].map(Crew::of), |crew| {
        let children = Children::new();
        let broken = [ErrorKind::UnexpectedEof, ErrorKind::BrokenPipe].map(Err);
        for gone in 0..crew.processes {
            let (results, _) = crew.work(|number| children.command(if number == gone { "gone" } else { "obedient" }));
            // The others may be so quick that it is asked for nothing.
            let right = crew.processes > 1 && results == crew.right();
            assert!(right || broken.contains(&results), "process {} ends before it is asked: {results:?}", gone + 1);
        }
        if (crew.parts.len(), crew.processes) == (2, 1) {
            let (results, _) = crew.work(|_| children.command("deaf"));
            assert!(broken.contains(&results), "its process answers, and takes no second part: {results:?}");
        }
        if (crew.parts.len(), crew.processes) == (3, 2) {
            children.open_when_still(UNTIL_STILL);
            children.open_when_still(STILL_AGAIN);
            let roles = ["clogged", "lasting"];
            let (results, _) = crew.work(|number| children.command(roles[number]));
            assert!(
                results == crew.right() || broken.contains(&results),
                "one process answers, and takes no second part, which shows when the other one has nothing more to do: {results:?}"
            );
        }
        let (results, _) = crew.work(|_| children.command("short_lived"));
        let right = crew.processes == crew.parts.len() && results == crew.right();
        assert!(right || broken.contains(&results), "each process ends after one answer: {results:?}");
    });
}

#[test]
fn no_process_is_left_and_none_started_in_vain() {
    let crews = (0..=3).flat_map(|parts| [1, 2, 3].map(|processes| Crew::of((parts, processes))));
    // More than a byte counts.
    let many = Crew::of((256, 256));
    Check::new().threads_only().each(crews.chain([many]), |crew| {
        let children = Children::new();
        let needed = crew.processes.min(crew.parts.len());
        if needed > 3 {
            let (results, _) = crew.work(|_| Command::new("no-such-program"));
            return assert_eq!(results, Err(ErrorKind::NotFound), "no process can be started");
        }
        let (results, started) = crew.work(|_| children.command("obedient"));
        assert_eq!((results, started), (crew.right(), needed), "results, and how many processes were started");
        let (results, _) = crew.work(|_| {
            let other = by_processes(&[1..1, 2..2], size(2), || children.command("obedient"));
            assert_eq!(
                other.map_err(|error| error.kind()),
                Ok(vec![answer(1), answer(2)]),
                "what another call returned"
            );
            children.command("obedient")
        });
        assert_eq!(results, crew.right(), "results, when other calls begin and end in between");
        for missing in 0..needed {
            let (results, _) = crew.work(|number| match number == missing {
                true => Command::new("no-such-program"),
                false => children.command("obedient"),
            });
            assert_eq!(results, Err(ErrorKind::NotFound), "process {} can't be started", missing + 1);
        }
        if crew.parts.len() == 3 {
            let failing = Crew { parts: vec![Part::Fails(0); crew.parts.len()], processes: crew.processes };
            crew.work_meanwhile(crew.right());
            failing.work_meanwhile(Err(ErrorKind::UnexpectedEof));
        }
    });
}

#[test]
fn all_ways_find_the_same_sums() {
    on_threads(|| {
        let children = Children::new();
        for workers in [1, 2, 3] {
            let (sums, loops) = (split(1..100_001, size(workers)), split(0..10, size(workers)));
            let all = |parts: &[Range<u64>], work: &(dyn Fn(&Range<u64>) -> u64 + Sync), role: &str| {
                let by_processes = by_processes(parts, size(workers), || silenced(children.command(role))).unwrap();
                let ways = Way::ALL.map(|way| way.run(parts, workers, work));
                Vec::from_iter(ways.into_iter().chain([by_processes]).map(|results| results.into_iter().sum::<u64>()))
            };
            let sum = 5_000_050_000;
            let found = all(&sums, &|part| part.clone().sum(), "summing");
            assert_eq!(found, [sum; 5], "the sum 1 + 2 + … + 100,000 by {workers} workers, in each of the ways");
            let sum = 823_128_750;
            let found = all(&loops, &|part| products(part.clone()), "multiplying");
            assert_eq!(
                found, [sum; 5],
                "10 times the sum of 29 x 29 x 29 products by {workers} workers, in each of the ways"
            );
        }
    });
}

/// A way to work on items with several workers.
#[derive(Clone, Copy)]
enum Way {
    OneByOne,
    InChunks,
    Balanced,
    WithRayon,
}

impl Way {
    const ALL: [Way; 4] = [Way::OneByOne, Way::InChunks, Way::Balanced, Way::WithRayon];

    /// The work is of one type, so that what works on it is compiled once for each type of items.
    fn run<T: Sync, R: Send>(self, items: &[T], workers: usize, work: &(dyn Fn(&T) -> R + Sync)) -> Vec<R> {
        match self {
            Way::OneByOne => one_by_one(items, work),
            Way::InChunks => in_chunks(items, size(workers), work),
            Way::Balanced => balanced(items, size(workers), work),
            Way::WithRayon => with_rayon(items, size(workers), work),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Way::OneByOne => "one_by_one",
            Way::InChunks => "in_chunks",
            Way::Balanced => "balanced",
            Way::WithRayon => "with_rayon",
        })
    }
}

/// What is special about some of the items.
#[derive(Clone, Copy)]
enum What {
    Nothing,
    /// All items are equal and have no size, and so have the results.
    Sizeless,
    /// The work on each of them lasts until all of them are worked on. Then the first calls what is inside.
    Meet,
    /// The work on each of them panics.
    Panic,
}

/// Items for workers. Each item is its place.
struct Job {
    way: Way,
    items: usize,
    workers: usize,
    what: What,
    chosen: Vec<usize>,
    /// The work on one of the chosen calls the first of these, whose work calls the next one, and so on. The workers of each
    /// wait for each other.
    inside: &'static [Way],
    /// So many do the job at the same time, each by a call of its own. Those whose work lasts wait for each other.
    calls: usize,
}

/// All jobs up to so many items and workers. As many items meet as can be worked on at once. One panics, or two.
fn jobs(way: Way, items: usize, workers: usize, what: What) -> Vec<Job> {
    let sizes = (0..=items).flat_map(|items| (1..=workers).map(move |workers| Job::of(way, items, workers)));
    let choices = |job: Job| {
        let mut chosen = match what {
            What::Nothing | What::Sizeless => vec![Vec::new()],
            What::Meet | What::Panic => subsets(job.items),
        };
        chosen.retain(|chosen| match what {
            What::Nothing | What::Sizeless => true,
            What::Meet => chosen.len() == job.at_once(),
            What::Panic => matches!(chosen.len(), 1 | 2),
        });
        chosen.into_iter().map(move |chosen| Job { what, chosen, ..job })
    };
    sizes.flat_map(choices).collect()
}

/// So many call the same for two items and workers at the same time, and all items meet.
fn at_the_same_time(way: Way, calls: usize) -> Job {
    Job { what: What::Meet, chosen: vec![0, 1], calls, ..Job::of(way, 2, 2) }
}

impl Job {
    fn of(way: Way, items: usize, workers: usize) -> Job {
        Job { way, items, workers, what: What::Nothing, chosen: Vec::new(), inside: &[], calls: 1 }
    }

    /// How many items can be worked on at once.
    fn at_once(&self) -> usize {
        self.workers.min(self.items)
    }

    /// Does the job, and compares what comes of it with what the contract allows.
    fn hold(&self) {
        let is_chosen = |item: &usize| self.chosen.contains(item);
        let hands = match self.what {
            What::Nothing | What::Sizeless => self.hands(&|_| ()),
            What::Meet => {
                let all = Rendezvous::of(self.calls * self.chosen.len());
                let call = || {
                    self.hands(&|item| {
                        if is_chosen(&item) {
                            all.meet();
                        }
                        if let (true, [way, inside @ ..]) = (Some(&item) == self.chosen.first(), self.inside) {
                            // Each of these is in a chunk of its own if there are several.
                            let chosen = Vec::from_iter(0..self.at_once());
                            let job = Job::of(*way, self.items, self.workers);
                            Job { what: What::Meet, chosen, inside, ..job }.hold();
                        }
                    })
                };
                thread::scope(|scope| {
                    let others = Vec::from_iter((1..self.calls).map(|_| scope.spawn(call)));
                    let hands = call();
                    others.into_iter().for_each(|other| drop(other.join().unwrap()));
                    hands
                })
            }
            What::Panic => {
                let (panics, threads) = (AtomicUsize::new(0), Vec::from_iter((0..self.items).map(|_| OnceLock::new())));
                let work = |item: usize| {
                    let _ = threads[item].set(thread::current().id());
                    if is_chosen(&item) {
                        panics.fetch_add(1, Ordering::Relaxed);
                        overwork(item);
                    }
                };
                let outcome = panic::catch_unwind(AssertUnwindSafe(|| self.hands(&work)));
                payload_of(outcome, |payload| self.chosen.iter().any(|item| is_from(payload, *item)));
                let (panics, items) = (panics.into_inner(), self.chosen.len());
                assert!(panics <= items, "{panics} panics of the work on {}", counted(items, "item"));
                let threads = threads.into_iter().map(OnceLock::into_inner).enumerate();
                let hands = by_threads(threads.filter_map(|(item, thread)| Some((item, thread?))));
                if let Way::InChunks = self.way {
                    let longest = self.items.div_ceil(self.at_once());
                    assert!(hands.iter().all(|chunk| chunk.len() <= longest), "more than a chunk: {hands:?}");
                    assert_whole(&hands);
                }
                hands
            }
        };
        assert!(hands.len() <= self.workers, "more workers than asked for; they had the items {hands:?}");
    }

    /// Does the job. Every item must be worked on once, and the results be in order. Gives the items that each worker had.
    fn hands(&self, work: &(dyn Fn(usize) + Sync)) -> Vec<Vec<usize>> {
        let items = Vec::from_iter(0..self.items);
        let worked_on = Vec::from_iter(items.iter().map(|_| AtomicUsize::new(0)));
        let work = |item: usize| {
            worked_on[item].fetch_add(1, Ordering::Relaxed);
            work(item);
            (item, thread::current().id(), self.rayon_threads())
        };
        let results = match self.what {
            // One looks like the other, so each counts as the next. Which of them had a result is known by its place alone.
            What::Sizeless => {
                let next = AtomicUsize::new(0);
                let worked = |_: &()| work(next.fetch_add(1, Ordering::Relaxed));
                let results = self.way.run(&vec![(); self.items], self.workers, &worked);
                results.into_iter().enumerate().map(|(place, (_, thread, pool))| (place, thread, pool)).collect()
            }
            _ => self.way.run(&items, self.workers, &|item| work(*item)),
        };
        let places = Vec::from_iter(results.iter().map(|(item, ..)| *item));
        assert_same(&places, &items, "the results, each with the place of its item");
        let times = Vec::from_iter(worked_on.into_iter().map(AtomicUsize::into_inner));
        assert_same(&times, &vec![1; self.items], "how often each item was worked on");
        if let Way::WithRayon = self.way {
            let pools = Vec::from_iter(results.iter().map(|(.., threads)| *threads));
            let fitting =
                |threads: &Option<usize>| threads.is_some_and(|it| (self.at_once()..=self.workers).contains(&it));
            assert!(pools.iter().all(fitting), "how many threads of rayon there are, for each item: {pools:?}");
        }
        by_threads(results.into_iter().map(|(item, thread, _)| (item, thread)))
    }

    /// How many threads there are in the pool of rayon to which the calling thread belongs.
    fn rayon_threads(&self) -> Option<usize> {
        matches!(self.way, Way::WithRayon)
            .then(|| rayon::current_thread_index().map(|_| rayon::current_num_threads()))?
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} and {}", self.way, counted(self.items, "item"), counted(self.workers, "worker"))?;
        match self.what {
            What::Sizeless => f.write_str(", where no item has a size"),
            _ if self.chosen.is_empty() => Ok(()),
            What::Nothing => Ok(()),
            What::Meet if !self.inside.is_empty() => {
                let (calls, inside) = (listed(&self.chosen), self.inside.iter().map(Way::to_string));
                let inside = Vec::from_iter(inside).join(", and in that ");
                write!(f, ", where the work on {calls} calls {inside}, for as many, and the workers of each meet")
            }
            What::Meet if self.calls > 1 => {
                let (calls, chosen) = (counted(self.calls, "call"), listed(&self.chosen));
                write!(f, ", by {calls} at the same time, where the work on {chosen} lasts until all of them are begun")
            }
            What::Meet => write!(f, ", where the work on {} lasts until all of them are begun", listed(&self.chosen)),
            What::Panic => write!(f, ", where the work on {} panics", listed(&self.chosen)),
        }
    }
}

/// The items that each thread had.
fn by_threads(items: impl IntoIterator<Item = (usize, ThreadId)>) -> Vec<Vec<usize>> {
    let mut hands: Vec<(ThreadId, Vec<usize>)> = Vec::new();
    for (item, thread) in items {
        match hands.iter_mut().find(|(other, _)| *other == thread) {
            Some((_, items)) => items.push(item),
            None => hands.push((thread, vec![item])),
        }
    }
    hands.into_iter().map(|(_, items)| items).collect()
}

/// Each chunk must be neighbours.
fn assert_whole(chunks: &[Vec<usize>]) {
    let whole = |chunk: &Vec<usize>| chunk.windows(2).all(|pair| pair[0] + 1 == pair[1]);
    assert!(chunks.iter().all(whole), "a chunk is not one piece of the items: {chunks:?}");
}

/// Shows the lists if they are short.
fn assert_same(found: &[usize], expected: &[usize], what: &str) {
    if expected.len() < VERY_MANY {
        return assert_eq!(found, expected, "{what}");
    }
    let same = found.iter().zip(expected).take_while(|(found, expected)| found == expected).count();
    assert_eq!(
        (found.len(), same),
        (expected.len(), expected.len()),
        "{what}: how many, and how many before the first wrong one"
    );
}

/// What the work on an item may panic with.
struct Overworked(usize);

/// Panics with something of its own, with a text, with what another panic might have had, or with a text that was made for it.
fn overwork(item: usize) -> ! {
    match item % 4 {
        0 => panic_on_purpose(Overworked(item)),
        1 => panic_on_purpose("overworked"),
        2 => panic_on_purpose::<Box<dyn Any + Send>>(Box::new(item)),
        _ => panic_on_purpose(format!("overworked by {item}")),
    }
}

/// Whether the work on this item has panicked with it.
fn is_from(payload: &(dyn Any + Send), item: usize) -> bool {
    match item % 4 {
        0 => payload.downcast_ref().is_some_and(|Overworked(other)| *other == item),
        1 => payload.downcast_ref() == Some(&"overworked"),
        2 => payload.downcast_ref::<Box<dyn Any + Send>>().is_some_and(|inner| inner.downcast_ref() == Some(&item)),
        _ => payload.downcast_ref() == Some(&format!("overworked by {item}")),
    }
}

/// The caller must panic with what the work panicked with, as if there were no threads.
fn payload_of(outcome: thread::Result<Vec<Vec<usize>>>, is_the_works: impl Fn(&(dyn Any + Send)) -> bool) {
    match outcome {
        Ok(_) => panic!("the work has panicked, and the caller has not"),
        // A stub's `todo!()` is no wrong payload.
        Err(payload) if payload.downcast_ref() == Some(&"not yet implemented") => panic::resume_unwind(payload),
        Err(payload) => {
            assert!(is_the_works(&*payload), "the caller has panicked with something else than the work");
        }
    }
}

/// More than 16 bits count.
const VERY_MANY: usize = 70_000;

/// A range to be split.
struct Cut {
    range: Range<u64>,
    wanted: usize,
}

/// Short ranges in all ways, and some that are as long as can be. An empty one begins where it ends.
fn cuts() -> impl Iterator<Item = Cut> {
    let short = (0..=9).flat_map(|length| [0, 5].map(|start| start..start + length));
    // More than half of its bits are needed for the one number, all of them for the other.
    let far_too_many = [(1 << (usize::BITS / 2)) + 1, usize::MAX];
    let short = short
        .flat_map(move |range| (1..=10).chain(far_too_many).map(move |wanted| Cut { range: range.clone(), wanted }));
    let long = [0..u64::MAX, 3..u64::MAX, u64::MAX - 10..u64::MAX, 0..u64::MAX / 2 + 1, 7..8, 9..9];
    let long = long.into_iter().flat_map(|range| [1, 2, 3, 7, 1000].map(|wanted| Cut { range: range.clone(), wanted }));
    short.chain(long).chain([Cut { range: 0..VERY_MANY as u64, wanted: VERY_MANY }])
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} in {}", self.range, counted(self.wanted, "part"))
    }
}

/// What a parent says to `serve`, and how the streams between them behave.
struct Talk {
    lines: Vec<Vec<u8>>,
    streams: Streams,
    /// The part on which the work panics.
    panics_at: Option<usize>,
    /// All lines are there when the first is read.
    there_already: bool,
    /// Before reading fails, it gives the beginning of a line, which looks like a part.
    in_a_line: bool,
}

/// What `serve` does.
#[derive(Debug, Default, PartialEq, Eq)]
struct Served {
    worked_on: Vec<Range<u64>>,
    answers: String,
    reports: Option<ErrorKind>,
    /// Whether that is the very error that a stream reported, with all that it says.
    the_streams_own: bool,
    panics: bool,
}

/// What the errors of the streams say.
#[derive(Debug)]
struct Own;

impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what the stream says itself")
    }
}

impl std::error::Error for Own {}

fn own(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), Own)
}

/// A reader whose errors are its own.
struct Input<R> {
    reader: R,
    error: Option<io::Error>,
    /// What it gives before its error.
    beginning: &'static [u8],
}

impl<R: BufRead> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Input<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.error.is_none() {
            self.error = self.reader.fill_buf().err().map(own);
        }
        match self.error.take() {
            // It has them already.
            None => self.reader.fill_buf(),
            Some(error) if self.beginning.is_empty() => Err(error),
            error => {
                self.error = error;
                Ok(self.beginning)
            }
        }
    }

    fn consume(&mut self, count: usize) {
        match self.error {
            None => self.reader.consume(count),
            Some(_) => self.beginning = &self.beginning[count..],
        }
    }
}

/// A writer whose errors are its own.
struct Output<W>(W);

impl<W: Write> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(own)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(own)
    }
}

impl Talk {
    fn of(lines: &[&str], streams: Streams) -> Talk {
        let lines = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
        Talk { lines, streams, panics_at: None, there_already: false, in_a_line: false }
    }

    /// Lets `serve` answer, and compares what it does with what the contract asks for.
    fn hold(&self) {
        let (input, output, arrived) = conversation::begin(self.lines.clone(), self.streams);
        let all: Vec<u8> = self.lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
        let input: Box<dyn BufRead> = if self.there_already { Box::new(&all[..]) } else { Box::new(input) };
        let beginning: &[u8] = if self.in_a_line { b"1 10" } else { b"" };
        let (input, output) = (Input { reader: input, error: None, beginning }, Output(output));
        let worked_on = RefCell::new(Vec::new());
        let work = |part: Range<u64>| {
            let (answers, before) = (arrived.text().lines().count(), worked_on.borrow().len());
            assert_eq!(answers, before, "answers that have arrived when part {} is worked on", before + 1);
            worked_on.borrow_mut().push(part.clone());
            if self.panics_at == Some(worked_on.borrow().len() - 1) {
                panic_on_purpose(Overworked(worked_on.borrow().len() - 1));
            }
            part.end - part.start
        };
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| serve(input, output, work)));
        let panics = outcome.as_ref().is_err_and(|payload| payload.is::<Overworked>());
        let error = match outcome {
            Ok(outcome) => outcome.err(),
            Err(_) if panics => None,
            Err(payload) => panic::resume_unwind(payload),
        };
        let served = Served {
            worked_on: worked_on.into_inner(),
            answers: arrived.text(),
            reports: error.as_ref().map(io::Error::kind),
            the_streams_own: error.and_then(io::Error::into_inner).is_some_and(|it| it.is::<Own>()),
            panics,
        };
        assert_eq!(served, self.expected(), "what `serve` did, and what the contract asks for");
    }

    /// What the contract asks for. The answer to a part is its length.
    fn expected(&self) -> Served {
        let mut served = Served::default();
        for (number, line) in self.lines.iter().enumerate() {
            if let Streams::ReadingFails(line, how) = self.streams
                && line == number
            {
                return served.reporting(how);
            }
            let Some(part) = part(line) else {
                return Served { reports: Some(ErrorKind::InvalidData), ..served };
            };
            served.worked_on.push(part.clone());
            if self.panics_at == Some(number) {
                return Served { panics: true, ..served };
            }
            if let Streams::WritingFails(answer, how) = self.streams
                && answer == number
            {
                return served.reporting(how);
            }
            served.answers += &format!("{}\n", part.end - part.start);
            if let Streams::FlushingFails(answer, how) = self.streams
                && answer == number
            {
                return served.reporting(how);
            }
        }
        match self.streams {
            Streams::ReadingFails(line, how) if line == self.lines.len() => served.reporting(how),
            _ => served,
        }
    }
}

impl Served {
    fn reporting(self, error: ErrorKind) -> Served {
        Served { reports: Some(error), the_streams_own: true, ..self }
    }
}

impl fmt::Display for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.lines.iter().map(|line| format!("`{}`", line.escape_ascii())).collect();
        match lines.len() {
            0..10 => write!(f, "the lines [{}], {}", lines.join(", "), self.streams)?,
            many => write!(f, "{many} lines {}, {}", lines[0], self.streams)?,
        }
        if self.there_already {
            f.write_str(", all of them at once")?;
        }
        if self.in_a_line {
            f.write_str(" in the middle of it")?;
        }
        match self.panics_at {
            Some(part) => write!(f, ", where the work on part {} panics", part + 1),
            None => Ok(()),
        }
    }
}

/// The part that a line asks for: two numbers, with a space between them.
fn part(line: &[u8]) -> Option<Range<u64>> {
    let (start, end) = str::from_utf8(line).ok()?.split_once(' ')?;
    Some(start.parse().ok()?..end.parse().ok()?)
}

/// All lists of up to so many of these.
fn lists<T: Copy>(of: &[T], most: usize) -> Vec<Vec<T>> {
    let (mut lists, mut last) = (vec![Vec::new()], vec![Vec::new()]);
    for _ in 0..most {
        let longer = |list: &Vec<T>| of.iter().map(|one| [&list[..], &[*one]].concat()).collect::<Vec<_>>();
        last = last.iter().flat_map(longer).collect();
        lists.extend(last.clone());
    }
    lists
}

/// Lines that ask for no part: all that are made of up to three such words and are no two numbers, and some more.
fn rubbish() -> impl Iterator<Item = Vec<u8>> {
    let words = lists(&["1", "x", "-1", "1.5", "18446744073709551616"], 3);
    let lines = words.into_iter().map(|words| words.join(" ").into_bytes()).filter(|line| part(line).is_none());
    let more: [&[u8]; 8] = [b"1,2", b"1..2", b"1-2", b"1 2;", b"\xff", b"1 \xff", b"1\xff 2", b"1 2\xff"];
    lines.chain(more.map(<[u8]>::to_vec))
}

/// Parts for processes.
struct Crew {
    parts: Vec<Part>,
    processes: usize,
}

/// What an obedient process does with a part. It learns it from the part's end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Is answered at once.
    Plain,
    /// Waits at the table first.
    Meets,
    /// Waits at the table first, and there the first process ends.
    Deserted,
    /// Waits until nothing moves any more.
    Lasts,
    /// Does what this place in the list of faults says.
    Fails(usize),
}

impl Part {
    fn fault(&self) -> Option<&'static Fault> {
        match self {
            Part::Fails(fault) => Some(&FAULTS[*fault]),
            Part::Plain | Part::Meets | Part::Deserted | Part::Lasts => None,
        }
    }
}

/// What a process may do instead of answering.
struct Fault {
    told: &'static str,
    says: &'static [u8],
    then: fn(),
    /// What it has to be reported as.
    error: ErrorKind,
}

const FAULTS: [Fault; 10] = [
    ends("ends without a word", b"", || process::exit(0)),
    ends("ends in the middle of its answer", b"50", || process::exit(0)),
    // Without the words that the hook would print: nobody made a mistake.
    ends("panics", b"", || panic::resume_unwind(Box::new("a mistake in the work"))),
    stays("answers in words and doesn't end", b"five thousand\n"),
    ends("aborts", b"", || process::abort()),
    stays("answers with an empty line", b"\n"),
    stays("answers -1", b"-1\n"),
    stays("answers with a number of more than 64 bits", b"18446744073709551616\n"),
    stays("answers with two numbers", b"50 50\n"),
    stays("answers with no text", b"\xff\n"),
];

/// It ends without a whole answer.
const fn ends(told: &'static str, says: &'static [u8], then: fn()) -> Fault {
    Fault { told, says, then, error: ErrorKind::UnexpectedEof }
}

/// It answers with something that is no number, and waits until somebody ends it.
const fn stays(told: &'static str, says: &'static [u8]) -> Fault {
    Fault { told, says, then: || meet("a place that nobody opens"), error: ErrorKind::InvalidData }
}

/// Where processes wait for each other.
const TABLE: &str = "table";
/// Where a process waits until nothing moves any more.
const UNTIL_STILL: &str = "until nothing moves";
/// Where a process waits until nothing moves any more, after it has waited for that once.
const STILL_AGAIN: &str = "until nothing moves again";
/// A part that ends here says that its process is to wait at the table, one behind it until nothing moves. The numbers
/// behind that are the faults.
const AT_TABLE: u64 = 1000;

/// Where the part at this place starts. Some parts are equal, and they are not in order.
fn start(place: usize) -> u64 {
    [2, 1, 2, 0][place % 4]
}

/// What a process answers to a part that starts there: also as much as there can be.
fn answer(start: u64) -> u64 {
    start.wrapping_sub(1)
}

impl Crew {
    fn of((parts, processes): (usize, usize)) -> Crew {
        Crew { parts: vec![Part::Plain; parts], processes }
    }

    /// What comes of it if no process fails.
    fn right(&self) -> Result<Vec<u64>, ErrorKind> {
        Ok(Vec::from_iter((0..self.parts.len()).map(|place| answer(start(place)))))
    }

    /// The places of the parts with which something special is done.
    fn special(&self) -> Vec<usize> {
        (0..self.parts.len()).filter(|place| self.parts[*place] != Part::Plain).collect()
    }

    /// Lets processes work, each of which this command makes by its number. Gives what `by_processes` returned, and how many
    /// processes were started. None may be left.
    fn work(&self, command: impl Fn(usize) -> Command + Sync) -> (Result<Vec<u64>, ErrorKind>, usize) {
        let started = AtomicUsize::new(0);
        let results = self.results(&|| command(started.fetch_add(1, Ordering::Relaxed)));
        Children::none_is_left();
        (results, started.into_inner())
    }

    /// Gives what `by_processes` returned.
    fn results(&self, command: &(dyn Fn() -> Command + Sync)) -> Result<Vec<u64>, ErrorKind> {
        let range = |(place, part): (usize, &Part)| match (start(place), part) {
            (start, Part::Plain) => start..start,
            (start, Part::Meets | Part::Deserted) => start..AT_TABLE,
            (start, Part::Lasts) => start..AT_TABLE + 1,
            (start, Part::Fails(fault)) => start..AT_TABLE + 2 + *fault as u64,
        };
        let parts = Vec::from_iter(self.parts.iter().enumerate().map(range));
        by_processes(&parts, size(self.processes), command).map_err(|error| error.kind())
    }

    /// Works while the first part of another call lasts. The other call goes on as if nothing had been.
    fn work_meanwhile(&self, expected: Result<Vec<u64>, ErrorKind>) {
        let children = Children::new();
        let other = Crew { parts: vec![Part::Meets, Part::Plain, Part::Plain], processes: 1 };
        thread::scope(|scope| {
            let others = start_thread(scope, "other call", || other.results(&|| children.command("obedient")));
            children.wait_for(TABLE, 1);
            let results = self.results(&|| children.command("obedient"));
            children.open(TABLE);
            assert_eq!(results, expected, "what a call returned while the first part of another one lasted");
            assert_eq!(others.join().unwrap(), other.right(), "what the other call returned");
        });
        Children::none_is_left();
    }
}

/// All crews up to so many parts and processes. As many parts meet as can be worked on at once.
fn meetings(parts: usize, processes: usize) -> Vec<Crew> {
    let sizes = (0..=parts).flat_map(|parts| (1..=processes).map(move |processes| (parts, processes)));
    let crews = sizes.flat_map(|(parts, processes)| {
        let meeting = subsets(parts).into_iter().filter(move |meeting| meeting.len() == parts.min(processes));
        let part = |meeting: &[usize], place| if meeting.contains(&place) { Part::Meets } else { Part::Plain };
        meeting.map(move |meeting| Crew { parts: (0..parts).map(|place| part(&meeting, place)).collect(), processes })
    });
    crews.collect()
}

/// Every fault, and four of them for each part of few and two at once.
fn failures() -> Vec<Crew> {
    let mut crews =
        Vec::from_iter((0..FAULTS.len()).map(|fault| Crew { parts: vec![Part::Fails(fault)], processes: 1 }));
    for (parts, processes) in [(2, 1), (2, 2), (3, 2)] {
        for (place, fault) in (0..parts).flat_map(|place| (0..4).map(move |fault| (place, fault))) {
            let mut crew = Crew::of((parts, processes));
            crew.parts[place] = Part::Fails(fault);
            crews.push(crew);
        }
    }
    let two = (0..4).flat_map(|one| (0..4).map(move |other| vec![Part::Fails(one), Part::Fails(other), Part::Plain]));
    crews.extend(two.map(|parts| Crew { parts, processes: 2 }));
    // While another one is at work.
    let at_work = [[Part::Lasts, Part::Fails(3)], [Part::Fails(3), Part::Lasts]];
    crews.extend(at_work.map(|parts| Crew { parts: parts.to_vec(), processes: 2 }));
    // The others could do its part, and must not.
    crews.extend([2, 3].map(|processes| Crew { parts: vec![Part::Deserted; processes], processes }));
    crews
}

impl fmt::Display for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {}", counted(self.parts.len(), "part"), counted(self.processes, "process"))?;
        match &self.special()[..] {
            [] => Ok(()),
            places if self.parts.contains(&Part::Meets) => {
                write!(f, ", where the work on {} lasts until all of them are begun", listed(places))
            }
            _ if self.parts.contains(&Part::Deserted) => {
                f.write_str(", where the first process ends when all are at work")
            }
            places => places.iter().try_for_each(|place| {
                let told = self.parts[*place].fault().map_or("works until nothing moves", |fault| fault.told);
                write!(f, ", where the process that is asked for part {} {told}", place + 1)
            }),
        }
    }
}

roles!(obedient, deserting, gone, deaf, clogged, lasting, short_lived, in_pieces, summing, multiplying);

/// Does what each part says.
fn obedient() -> i32 {
    serving(|part| {
        match part.end.checked_sub(AT_TABLE) {
            None => {}
            Some(0) => meet(TABLE),
            Some(1) => meet(UNTIL_STILL),
            Some(fault) => {
                let fault = &FAULTS[fault as usize - 2];
                let mut output = io::stdout();
                output.write_all(fault.says).and_then(|()| output.flush()).unwrap();
                (fault.then)();
            }
        }
        answer(part.start)
    })
}

/// Ends when it is asked for a part, and when others are, too.
fn deserting() -> i32 {
    serving(|_| {
        meet(TABLE);
        process::exit(0)
    })
}

/// Does not wait to be asked.
fn gone() -> i32 {
    0
}

/// Answers its first part when it can't be asked any more. Where that can't be done, it ends without an answer.
fn deaf() -> i32 {
    io::stdin().lock().read_line(&mut String::new()).unwrap();
    #[cfg(unix)]
    let _ = std::os::unix::process::CommandExt::exec(
        Command::new("echo").arg(answer(start(0)).to_string()).stdin(Stdio::null()),
    );
    1
}

/// Answers its first part when there is no room for another one in its input, and ends later: whoever asks it for one waits until
/// then. Where that can't be done, it only ends after its answer.
fn clogged() -> i32 {
    let mut asked = String::new();
    io::stdin().lock().read_line(&mut asked).unwrap();
    let _ = fill_own_input();
    let asked = asked.split_once(' ').expect("a part").0.parse().expect("a number");
    println!("{}", answer(asked));
    meet(UNTIL_STILL);
    meet(STILL_AGAIN);
    0
}

/// Writes into the standard input until nothing more fits in.
fn fill_own_input() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        // `O_NONBLOCK`: it says when the pipe is full, and does not wait.
        const WITHOUT_WAITING: i32 = 0o4000;
        let mut input =
            std::os::unix::fs::OpenOptionsExt::custom_flags(std::fs::OpenOptions::new().write(true), WITHOUT_WAITING)
                .open("/proc/self/fd/0")?;
        for length in [4096, 1] {
            while input.write(&vec![b'.'; length]).is_ok() {}
        }
    }
    Ok(())
}

/// Answers its first part when nothing moves any more, and the others at once.
fn lasting() -> i32 {
    serving(|part| {
        meet(UNTIL_STILL);
        answer(part.start)
    })
}

/// Ends after one answer.
fn short_lived() -> i32 {
    let answered = RefCell::new(false);
    serving(|part| {
        if answered.replace(true) {
            process::exit(0);
        }
        answer(part.start)
    })
}

/// Sends the first byte of whatever it sends, and all others when nothing moves any more.
fn in_pieces() -> i32 {
    struct Pieces<W>(W);

    impl<W: Write> Write for Pieces<W> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write_all(&bytes[..bytes.len().min(1)]).and_then(|()| self.0.flush())?;
            meet(UNTIL_STILL);
            Ok(bytes.len().min(1))
        }

        fn flush(&mut self) -> io::Result<()> {
            self.0.flush()
        }
    }

    serve(io::stdin().lock(), Pieces(io::stdout().lock()), |part| answer(part.start)).is_err().into()
}

/// Adds up the numbers of each part. Says more about it than a pipe has room for.
fn summing() -> i32 {
    serving(|part| {
        io::stderr().write_all(&[b'.'; 1 << 18]).unwrap();
        part.sum()
    })
}

/// Nobody sees what it says on its standard error.
fn silenced(mut command: Command) -> Command {
    command.stderr(Stdio::null());
    command
}

/// Goes through the triple loop once for each number of a part.
fn multiplying() -> i32 {
    serving(products)
}

fn serving(work: impl Fn(Range<u64>) -> u64) -> i32 {
    if serve(io::stdin().lock(), io::stdout().lock(), work).is_ok() { 0 } else { 1 }
}

/// The notes' triple loop, once for each number of the part.
fn products(part: Range<u64>) -> u64 {
    let side = || 1..30_u64;
    let product = |i| side().flat_map(move |j| side().map(move |k| i * j * k)).sum::<u64>();
    part.map(|_| side().map(product).sum::<u64>()).sum()
}

/// A number of workers.
fn size(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).expect("a test's sizes are not zero")
}
