//! The contract of the kata `queue`, sentence by sentence. `README.md` has the same list.

#[path = "queue/contract.rs"]
mod contract;

use std::fmt::{self, Debug, Display};
use std::iter;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use kata::inputs::{counted, pairs};
use kata::scenarios::every_small_program;
use kata::{AEONS, AGES, Check, Gate, Log, Rendezvous, a_while_passes, check, panic_on_purpose, until_blocked};
use queue::{GetError, PutError, Queue, pipeline};

/// Never called. Compiles only with the types that the stub gives, for every `T`: a type of its own could be equal to
/// whatever it is compared with, or be there for some `T` alone. And only an enum has variants to import.
fn _signatures<T>(queue: &Queue<T>, items: [T; 2]) {
    use GetError::Empty;
    use PutError::{Closed, Full};
    let _: fn(NonZeroUsize) -> Queue<T> = Queue::bounded;
    let [item, other] = items;
    let _: [Result<(), PutError<T>>; 2] = [queue.put(item), queue.try_put(other)];
    let _: [Result<T, GetError>; 3] = [queue.get(), queue.try_get(), queue.get_timeout(Duration::ZERO)];
    let _: [fn(&Queue<T>); 3] = [Queue::close, Queue::task_done, Queue::join];
    let _ = |error| match error {
        Full(item) | Closed(item) => drop::<T>(item),
    };
    // A constant is a pattern only if its type derives `PartialEq`, which tells one variant from another.
    const CLOSED: (PutError<u8>, GetError) = (PutError::Closed(0), GetError::Closed);
    let _ = |errors| match errors {
        CLOSED | (Full(_) | Closed(_), Empty | GetError::Closed) => (),
    };
}

/// Never called, either. What can be sent to another thread can go through a queue that threads share.
fn _shared<T: Send>(queue: &Queue<T>) {
    fn is_shared(_: &(impl Send + Sync)) {}
    is_shared(queue);
}

/// Never called, either.
fn _signature_of_pipeline<T: Send, R: Send>(
    source: impl Iterator<Item = T> + Send,
    work: impl Fn(T) -> R + Sync,
    collect: impl FnMut(R) -> ControlFlow<()>,
) {
    let () = pipeline(source, size(1), size(1), work, collect);
}

#[test]
fn items_come_out_in_the_order_in_which_they_went_in() {
    check(|| {
        let queue = Queue::bounded(size(3));
        for item in [1, 2, 3] {
            assert_eq!(queue.put(item), Ok(()));
        }
        assert_eq!(queue.get(), Ok(1));
        assert_eq!(queue.put(4), Ok(()), "there is room again");
        assert_eq!([queue.get(), queue.get(), queue.get()], [Ok(2), Ok(3), Ok(4)]);

        let long = Queue::bounded(size(MANY));
        assert!((0..MANY).all(|item| long.put(item) == Ok(())), "there is room for {MANY}");
        assert_eq!(long.try_put(MANY), Err(PutError::Full(MANY)));
        assert!((0..MANY).all(|item| long.get() == Ok(item)), "{MANY} items, the oldest first");
        (0..MANY).for_each(|_| long.task_done());
        long.join();

        let (wide, items) = (Queue::bounded(size(VERY_MANY)), if kata::EXPLORED { MANY } else { VERY_MANY });
        assert_eq!(wide.try_put(0), Ok(()));
        for item in 1..items {
            assert_eq!((wide.try_put(item), wide.get()), (Ok(()), Ok(item - 1)), "a second item, and the first one");
        }
        assert_eq!(wide.get(), Ok(items - 1), "the last one");
        (0..items).for_each(|_| wide.task_done());
        wide.join();
    });
}

#[test]
fn try_put_and_try_get_answer_at_once() {
    check(|| {
        let queue = Queue::bounded(size(2));
        assert_eq!(queue.try_get(), Err(GetError::Empty), "nothing was put in yet");
        assert_eq!([queue.try_put('a'), queue.try_put('b')], [Ok(()), Ok(())]);
        assert_eq!(queue.try_put('c'), Err(PutError::Full('c')), "a third item in a queue for two");
        assert_eq!([queue.try_get(), queue.try_get()], [Ok('a'), Ok('b')]);
        assert_eq!(queue.try_get(), Err(GetError::Empty), "both items are out");

        // An item needs a place, even if it needs no memory.
        let marks = Queue::bounded(size(1));
        assert_eq!(
            [marks.try_put(()), marks.try_put(())],
            [Ok(()), Err(PutError::Full(()))],
            "two items for one place"
        );
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check queue put_waits_while_the_queue_is_full_and_get_while_it_is_empty"]
fn put_waits_while_the_queue_is_full_and_get_while_it_is_empty() {
    let cases: [(_, fn()); 4] = [
        ("who waits at one queue", || who_waits_at_one_queue(['a', 'b', 'c', 'd', 'e'])),
        ("items that need no memory, but a place", || who_waits_at_one_queue([(); 5])),
        ("a getter at each of two queues", getters_at_two_queues),
        ("a putter at each of two queues", putters_at_two_queues),
    ];
    Check::new().schedules_only().each(cases.map(|(told, case)| Case(told, case)), |Case(_, case)| case());
}

/// A part of a test, with what is told of it.
struct Case(&'static str, fn());

impl Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

fn who_waits_at_one_queue<T: Copy + Debug + Ord + Send + 'static>([a, b, c, d, e]: [T; 5]) {
    let queue = Arc::new(Queue::bounded(size(2)));
    let getters = ["getter 1", "getter 2"].map(|name| spawn(name, &queue, Queue::get));
    for getter in &getters {
        until_blocked(getter.thread());
        assert!(!getter.is_finished(), "get from an empty queue has to wait");
    }
    assert_eq!([queue.put(a), queue.put(b)], [Ok(()); 2]);
    let mut got = getters.map(|getter| getter.join().unwrap().expect("one item for each who waits"));
    got.sort_unstable();
    assert_eq!(got, [a, b]);

    assert_eq!([queue.put(c), queue.put(d)], [Ok(()); 2]);
    let putter = spawn("putter", &queue, move |queue| queue.put(e));
    until_blocked(putter.thread());
    assert!(!putter.is_finished(), "put into a full queue has to wait");
    assert_eq!([(); 3].map(|()| queue.get()), [Ok(c), Ok(d), Ok(e)]);
    assert_eq!(putter.join().unwrap(), Ok(()));
}

/// Two queues have nothing to do with each other: what comes into one lets nobody go on who waits at the other.
fn getters_at_two_queues() {
    let queues = [(); 2].map(|()| Arc::new(Queue::bounded(size(1))));
    let getters = queues.each_ref().map(|queue| spawn("getter", queue, Queue::get));
    getters.iter().for_each(|getter| until_blocked(getter.thread()));
    for (queue, getter) in queues.iter().zip(getters).rev() {
        assert_eq!(queue.put('a'), Ok(()));
        assert_eq!(getter.join().unwrap(), Ok('a'));
    }
}

/// The same for what goes out.
fn putters_at_two_queues() {
    let queues = [(); 2].map(|()| Arc::new(Queue::bounded(size(1))));
    assert_eq!(queues.each_ref().map(|queue| queue.put('a')), [Ok(()); 2]);
    let putters = queues.each_ref().map(|queue| spawn("putter", queue, |queue| queue.put('b')));
    putters.iter().for_each(|putter| until_blocked(putter.thread()));
    for (queue, putter) in queues.iter().zip(putters).rev() {
        assert_eq!(queue.get(), Ok('a'));
        assert_eq!(putter.join().unwrap(), Ok(()));
    }
}

#[test]
fn every_item_reaches_one_of_several_consumers() {
    check(|| {
        let queue = Arc::new(Queue::bounded(size(1)));
        let producers = [1, 2].map(|item| spawn(&format!("producer {item}"), &queue, move |queue| queue.put(item)));
        let consumers = ["consumer 1", "consumer 2"].map(|name| spawn(name, &queue, Queue::get));
        let mut items = consumers.map(|consumer| consumer.join().unwrap().expect("one item for each consumer"));
        items.sort_unstable();
        assert_eq!(items, [1, 2]);
        assert_eq!(producers.map(|producer| producer.join().unwrap()), [Ok(()); 2]);
    });
}

/// The time is the model's: sleeping costs nothing, and limits are met to the nanosecond.
#[test]
#[ignore = "needs schedules: cargo xtask check queue get_timeout_gives_up_when_its_time_is_up"]
fn get_timeout_gives_up_when_its_time_is_up() {
    use Comes::{AsItEnds, AsItEndsAndIsTakenBack, BeforeItEnds, BehindIt, BehindThem, Nothing, WithAnother};
    let nothing = [Duration::from_nanos(1), AGES].map(Nothing);
    let cases = [BeforeItEnds, AsItEnds, AsItEndsAndIsTakenBack, WithAnother, BehindIt, BehindThem];
    let cases = nothing.into_iter().chain(cases);
    Check::new().schedules_only().each(cases, |comes| match *comes {
        Nothing(limit) => {
            let start = Instant::now();
            assert_eq!(Queue::<()>::bounded(size(1)).get_timeout(limit), Err(GetError::Empty));
            assert_eq!(start.elapsed(), limit, "nobody knows of this queue");
        }
        BeforeItEnds => {
            let queue = Arc::new(Queue::bounded(size(1)));
            let early = Duration::from_secs(3);
            // Takes out again what it has put in, if nobody was faster: then the wakeup brings nothing.
            let tease = spawn("tease", &queue, move |queue| {
                thread::sleep(early);
                (queue.put("bait"), queue.try_get())
            });
            let start = Instant::now();
            let outcome = queue.get_timeout(LIMIT);
            let waited = start.elapsed();
            match outcome {
                Ok(_) => assert_eq!(waited, early, "the item came after {early:?}"),
                Err(GetError::Empty) => assert_eq!(waited, LIMIT, "no item came within {LIMIT:?}"),
                Err(GetError::Closed) => panic!("nobody has closed the queue"),
            }
            assert_eq!(tease.join().unwrap().0, Ok(()));
        }
        AsItEnds => who_gives_up_keeps_nothing_from_another(|_| None),
        AsItEndsAndIsTakenBack => who_gives_up_keeps_nothing_from_another(|queue| queue.try_get().ok()),
        WithAnother => who_gives_up_is_not_taken_for_another(),
        BehindIt => who_gives_up_leaves_no_gap([None, Some(LIMIT), Some(LIMIT), Some(LIMIT), None]),
        BehindThem => {
            who_gives_up_leaves_no_gap([Some(4 * LIMIT), Some(3 * LIMIT), Some(2 * LIMIT), Some(LIMIT), None])
        }
    });
}

/// Seconds and a bit: a limit that is cut or rounded to whole units is another one.
const LIMIT: Duration = Duration::new(4, 7);

/// An item comes as a limit ends. It is for who gives up, or for the other who waits, or is taken back: then whoever it has woken gives
/// up or waits on. Whatever becomes of it, others have room, and the next one comes to whoever still waits.
fn who_gives_up_keeps_nothing_from_another(take_back: fn(&Queue<&'static str>) -> Option<&'static str>) {
    let queue = Arc::new(Queue::bounded(size(1)));
    let late = spawn("waits with a limit", &queue, |queue| queue.get_timeout(LIMIT));
    let other = spawn("waits without end", &queue, Queue::get);
    thread::sleep(LIMIT);
    assert_eq!(queue.put("late"), Ok(()));
    let back = take_back(&queue);
    let next = if back.is_some() { &["later", "last"][..] } else { &["later"] };
    next.iter().for_each(|item| assert_eq!(queue.put(item), Ok(())));
    let waited = [late, other].map(|thread| thread.join().unwrap().ok());
    let mut items = Vec::from_iter(waited.into_iter().chain([back, queue.try_get().ok()]).flatten());
    items.sort_unstable();
    let all = if back.is_some() { &["last", "late", "later"][..] } else { &["late", "later"] };
    assert_eq!(items, all, "each of them came out once");
}

/// An item comes as a limit ends, and is taken back, or is for who gives up. Another comes only then, and waits for the next item.
fn who_gives_up_is_not_taken_for_another() {
    let queue = Arc::new(Queue::bounded(size(1)));
    let late = spawn("waits with a limit", &queue, |queue| queue.get_timeout(LIMIT));
    thread::sleep(LIMIT);
    assert_eq!(queue.put("late"), Ok(()));
    let back = queue.try_get().ok();
    let other = spawn("comes then", &queue, Queue::get);
    // Time passes when nobody can go on: the one has given up, the other waits.
    a_while_passes();
    assert_eq!(queue.put("later"), Ok(()));
    assert_eq!(other.join().unwrap(), Ok("later"));
    let late = late.join().unwrap().ok();
    assert_eq!(late.xor(back), Some("late"), "it came out once");
}

/// They come one after the other, each for as long as it is told. When all others have given up, items come for those who wait without
/// end.
fn who_gives_up_leaves_no_gap(waits: [Option<Duration>; 5]) {
    let queue = Arc::new(Queue::bounded(size(1)));
    let come = (0..).zip(waits).map(|(second, limit)| {
        spawn("waits", &queue, move |queue| {
            thread::sleep(Duration::from_secs(second));
            limit.map_or_else(|| queue.get(), |limit| queue.get_timeout(limit))
        })
    });
    let come = Vec::from_iter(come);
    thread::sleep(5 * LIMIT);
    let patient = waits.iter().filter(|limit| limit.is_none()).count();
    assert!((0..patient).all(|item| queue.put(item) == Ok(())), "there is room as each of them takes one out");
    let mut came = Vec::from_iter(come.into_iter().map(|thread| thread.join().unwrap()));
    came.sort_by_key(|outcome| outcome.ok());
    let expected = Vec::from_iter(waits.iter().flatten().map(|_| Err(GetError::Empty)).chain((0..patient).map(Ok)));
    assert_eq!(came, expected, "each item is for one who still waits");
}

/// What comes while somebody waits for a limited time.
enum Comes {
    /// Within this limit.
    Nothing(Duration),
    BeforeItEnds,
    AsItEnds,
    AsItEndsAndIsTakenBack,
    /// The other comes only when the item was taken back.
    WithAnother,
    /// Three give up behind one who waits.
    BehindIt,
    /// Four give up, the last of them first.
    BehindThem,
}

impl Display for Comes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Comes::Nothing(limit) => write!(f, "a limit of {limit:?} in which nothing comes"),
            Comes::BeforeItEnds => f.write_str("an item that comes before the limit ends"),
            Comes::AsItEnds => f.write_str("an item that comes as the limit ends"),
            Comes::BehindIt => f.write_str("items that come when three in a row have given up"),
            Comes::BehindThem => {
                f.write_str("an item that comes when all before have given up, the last of them first")
            }
            Comes::WithAnother => f.write_str("an item that comes as the limit ends, and another who waits only then"),
            Comes::AsItEndsAndIsTakenBack => f.write_str("an item that comes as the limit ends, and may be taken back"),
        }
    }
}

#[test]
fn close_wakes_everybody_who_waits() {
    check(|| {
        let queue = Arc::new(Queue::<char>::bounded(size(1)));
        let getters = ["getter 1", "getter 2"].map(|name| spawn(name, &queue, Queue::get));
        queue.close();
        assert_eq!(getters.map(|getter| getter.join().unwrap()), [Err(GetError::Closed); 2]);

        let queue = Arc::new(Queue::bounded(size(1)));
        assert_eq!(queue.put('a'), Ok(()));
        let putters = ["putter 1", "putter 2"].map(|name| spawn(name, &queue, |queue| queue.put('b')));
        queue.close();
        assert_eq!(putters.map(|putter| putter.join().unwrap()), [Err(PutError::Closed('b')); 2]);
    });
}

#[test]
fn after_close_nothing_goes_in_and_what_is_left_still_comes_out() {
    check(|| {
        let queue = Arc::new(Queue::bounded(size(2)));
        let consumer = spawn("consumer", &queue, |queue| {
            let mut items = Vec::new();
            while let Ok(item) = queue.get() {
                items.push(item);
            }
            items
        });
        assert_eq!([queue.put(1), queue.put(2)], [Ok(()); 2]);
        queue.close();
        assert_eq!(consumer.join().unwrap(), [1, 2]);
        assert_eq!(queue.put(3), Err(PutError::Closed(3)));
        assert_eq!(queue.try_put(4), Err(PutError::Closed(4)));
        assert_eq!(queue.try_get(), Err(GetError::Closed));
        assert_eq!(queue.get_timeout(Duration::from_secs(1)), Err(GetError::Closed));
    });
}

#[test]
fn what_nobody_takes_out_is_dropped_with_its_queue() {
    let many = if kata::EXPLORED { MANY } else { VERY_MANY };
    let rows =
        [1, many].into_iter().flat_map(|items| [End::Open, End::Closed, End::Panics].map(|end| Left(items, end)));
    Check::new().each(rows, |Left(items, end)| {
        let (item, queue) = (Arc::new(()), Queue::bounded(size(items + 1)));
        assert!((0..=*items).all(|_| queue.put(Arc::clone(&item)).is_ok()), "there is room for each of them");
        assert!(queue.get().is_ok(), "one of them comes out");
        let drops_it = AssertUnwindSafe(|| {
            let queue = queue;
            match end {
                End::Open => {}
                End::Closed => queue.close(),
                End::Panics => panic_on_purpose("enough of this"),
            }
        });
        assert_eq!(
            panic::catch_unwind(drops_it).is_err(),
            matches!(end, End::Panics),
            "whether the queue's thread panics"
        );
        assert_eq!(Arc::strong_count(&item), 1, "what nobody took out is dropped with its queue");
    });
}

/// So many items are in a queue as it comes to this end.
struct Left(usize, End);

/// How a queue is dropped.
#[derive(Clone, Copy)]
enum End {
    Open,
    Closed,
    Panics,
}

impl Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = match self.1 {
            End::Open => "that is dropped",
            End::Closed => "that is closed and dropped",
            End::Panics => "that is dropped while its thread panics",
        };
        write!(f, "a queue with {} {end}", counted(self.0, "item"))
    }
}

/// One schedule for each: a bound that somebody puts in is met on any of them.
#[test]
#[ignore = "needs schedules: cargo xtask check queue large_numbers_are_nothing_special"]
fn large_numbers_are_nothing_special() {
    let crowds = |many| {
        [
            Crowd {
                told: "get, until there is an item for each",
                many,
                full: false,
                waits: |queue| assert!(queue.get().is_ok()),
                relief: |queue, many| assert!((0..many).all(|item| queue.put(item) == Ok(()))),
            },
            Crowd {
                told: "put, until there is room for each",
                many,
                full: true,
                waits: |queue| assert_eq!(queue.put(0), Ok(())),
                relief: |queue, many| assert!((0..many).all(|item| queue.get() == Ok(item))),
            },
            Crowd {
                told: "get, until the queue is closed",
                many,
                full: false,
                waits: |queue| assert_eq!(queue.get(), Err(GetError::Closed)),
                relief: |queue, _| queue.close(),
            },
            Crowd {
                told: "get with a limit, until the queue is closed",
                many,
                full: false,
                waits: |queue| assert_eq!(queue.get_timeout(AEONS), Err(GetError::Closed)),
                relief: |queue, _| queue.close(),
            },
            Crowd {
                told: "put, until the queue is closed",
                many,
                full: true,
                waits: |queue| assert_eq!(queue.put(0), Err(PutError::Closed(0))),
                relief: |queue, _| queue.close(),
            },
            Crowd {
                told: "join, until all is done",
                many,
                full: true,
                waits: Queue::join,
                relief: |queue, many| (0..many).for_each(|_| queue.task_done()),
            },
        ]
    };
    let crowds = Vec::from_iter(CROWDS.into_iter().flat_map(crowds));
    Check::new().schedules_only().no_spurious_wakeups().schedules(crowds.len() as u64).each(crowds, |crowd| {
        let queue = Arc::new(Queue::bounded(size(crowd.many)));
        assert!(!crowd.full || (0..crowd.many).all(|item| queue.put(item) == Ok(())));
        let threads = Vec::from_iter((0..crowd.many).map(|_| spawn("one of many", &queue, crowd.waits)));
        // Time passes when nobody can go on: all of them wait now.
        a_while_passes();
        assert!(threads.iter().all(|thread| !thread.is_finished()), "each of them has to wait");
        (crowd.relief)(&queue, crowd.many);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// Many threads wait at a queue that is empty, or has an item for each of them, until something lets each go on.
struct Crowd {
    told: &'static str,
    many: usize,
    full: bool,
    waits: fn(&Queue<usize>),
    relief: fn(&Queue<usize>, usize),
}

impl Display for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} threads that {}", self.many, self.told)
    }
}

#[test]
fn join_waits_until_every_item_is_done() {
    check(|| {
        let (queue, log) = (Arc::new(Queue::bounded(size(2))), Log::new());
        queue.join();
        let worker = spawn("worker", &queue, {
            let log = log.clone();
            move |queue| {
                for _ in 0..2 {
                    log.note(queue.get().unwrap());
                    queue.task_done();
                }
            }
        });
        assert_eq!([queue.put("1 done"), queue.put("2 done")], [Ok(()); 2]);
        let second = spawn("second join", &queue, Queue::join);
        // Two queues have nothing to do with each other.
        let other = Queue::<&str>::bounded(size(1));
        other.join();
        assert_eq!(other.try_get(), Err(GetError::Empty), "nothing was put into this queue");
        assert!(
            panic::catch_unwind(AssertUnwindSafe(|| other.task_done())).is_err(),
            "nothing was put into this queue"
        );
        queue.join();
        assert_eq!(log.events(), ["1 done", "2 done"]);
        second.join().unwrap();
        worker.join().unwrap();
        let once_more = panic::catch_unwind(AssertUnwindSafe(|| queue.task_done()));
        assert!(once_more.is_err(), "task_done for a third of two items has to panic");
        assert_eq!(queue.try_get(), Err(GetError::Empty), "and the queue can still be used");
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check queue every_small_program_of_calls_keeps_the_contract"]
fn every_small_program_of_calls_keeps_the_contract() {
    every_small_program(contract::QueueContract);
}

#[test]
fn all_workers_of_a_pipeline_work_at_once_and_it_ends_with_its_source() {
    check(|| {
        crowd();
        // Also if a worker of another one begins it.
        if !kata::EXPLORED {
            pipeline(0..1, size(1), size(1), |_| crowd(), |()| ControlFlow::Continue(()));
        }
    });
}

/// A pipeline whose workers all meet.
fn crowd() {
    // Few on schedules, where each more is many more schedules; more than a byte counts on threads.
    let workers = if kata::EXPLORED { 2 } else { 257 };
    let (all, mut results) = (Rendezvous::of(workers), Vec::new());
    let caller = thread::current().id();
    let mut numbers = 0..workers;
    let source = iter::from_fn(|| {
        assert_ne!(thread::current().id(), caller, "the source is read on a thread of its own");
        numbers.next()
    });
    let square = |n: usize| {
        all.meet();
        n * n
    };
    let collect = |result| {
        assert_eq!(thread::current().id(), caller, "the results are collected on the caller's thread");
        results.push(result);
        ControlFlow::Continue(())
    };
    pipeline(source, size(workers), size(1), square, collect);
    results.sort_unstable();
    assert_eq!(results, (0..workers).map(|n| n * n).collect::<Vec<_>>());
}

/// A pipeline's items, workers, and room in its channels.
struct Line([usize; 3]);

impl Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line([items, workers, room]) = self;
        write!(f, "{}, {} and room for {room}", counted(*items, "item"), counted(*workers, "worker"))
    }
}

#[test]
fn every_item_of_a_pipeline_is_worked_on_and_collected_once() {
    let lines = pairs([4, 2, 2]).into_iter().map(|[items, workers, room]| Line([items, workers + 1, room + 1]));
    let wide = (!kata::EXPLORED).then_some(Line([2 * VERY_MANY + 3, 1, VERY_MANY]));
    Check::new().each(lines.chain(wide), |&Line([items, workers, room])| {
        let (mut results, caller, full) = (Vec::new(), thread::current().id(), Gate::closed());
        // With 1 in the collector's hands, 1 in each worker's and 1 in the producer's, and both channels full.
        let most = items.min(1 + room + workers + room + 1);
        let source = (1..=items).inspect(|item| {
            assert_ne!(thread::current().id(), caller, "the source is read on a thread of its own");
            if *item == most {
                full.open();
            }
        });
        let collect = |result| {
            full.pass();
            results.push(result);
            ControlFlow::Continue(())
        };
        pipeline(source, size(workers), size(room), |item| 10 * item, collect);
        results.sort_unstable();
        assert_eq!(results, (1..=items).map(|item| 10 * item).collect::<Vec<_>>());
    });
}

/// The time is the model's: it moves when nobody else can go on, so whoever sleeps for a second sees what the others have done
/// until they had to wait.
#[test]
#[ignore = "needs schedules: cargo xtask check queue a_slow_stage_holds_the_others_back_when_the_channels_are_full"]
fn a_slow_stage_holds_the_others_back_when_the_channels_are_full() {
    let lines = [Line([20, 1, 2]), Line([20, 2, 1]), Line([400, 1, 70])];
    Check::new().schedules_only().each(lines, |&Line([items, workers, room])| {
        let (read, worked) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let source = (0..items).inspect(|_| {
            read.fetch_add(1, SeqCst);
        });
        let collect = |_| {
            thread::sleep(Duration::from_secs(1));
            let (read, worked) = (read.load(SeqCst), worked.load(SeqCst));
            assert_eq!(
                worked,
                1 + room + workers,
                "worked on: 1 is collected, {room} wait for that, and one of each worker waits for room"
            );
            assert_eq!(
                read,
                worked + room + 1,
                "read: beside these, {room} wait for the workers, and 1 waits for room"
            );
            ControlFlow::Break(())
        };
        pipeline(source, size(workers), size(room), |_| worked.fetch_add(1, SeqCst), collect);
    });
}

#[test]
fn a_pipeline_reads_no_further_when_its_collector_has_seen_enough() {
    check(|| {
        let (mut read, mut results) = (0, Vec::new());
        let source = (0..6).inspect(|_| read += 1);
        let collect = |n| {
            results.push(n);
            ControlFlow::Break(())
        };
        pipeline(source, size(1), size(1), |n| n, collect);
        assert_eq!(results, [0], "the collector breaks at the first result");
        // Collected 1; at most 1 in each of the channels, 1 with the worker, 1 that the producer holds.
        assert!(read <= 5, "{read} items were read from the source, though only 1 was collected");

        // One pipeline that breaks, in the middle of another one, ends itself alone.
        let mut results = Vec::new();
        let collect = |n| {
            if n == 0 {
                pipeline(0..1, size(1), size(1), |n| n, |_| ControlFlow::Break(()));
            }
            results.push(n);
            ControlFlow::Continue(())
        };
        pipeline(0..6, size(1), size(1), |n| n, collect);
        results.sort_unstable();
        assert_eq!(results, [0, 1, 2, 3, 4, 5], "the outer pipeline goes on");
    });
}

/// As many threads as a byte has values, so that it counts none; and one more.
const CROWDS: [usize; 2] = [256, 257];
/// More items than a byte can count, or a list of fixed length holds.
const MANY: usize = 1025;
/// One more than two bytes can count. On schedules it would be too many items.
const VERY_MANY: usize = 65_537;

/// A capacity, or a number of workers.
fn size(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).expect("a test's sizes are not zero")
}

/// Starts a thread that shares the queue. Its name stands in the table of a failing schedule.
fn spawn<T, R>(name: &str, queue: &Arc<Queue<T>>, work: impl FnOnce(&Queue<T>) -> R + Send + 'static) -> JoinHandle<R>
where
    Queue<T>: Send + Sync + 'static,
    R: Send + 'static,
{
    let queue = Arc::clone(queue);
    // In a box: then what starts a thread is compiled once for each result.
    let work: Box<dyn FnOnce() -> R + Send> = Box::new(move || work(&queue));
    thread::Builder::new().name(name.to_owned()).spawn(work).expect("the system has room for a thread")
}
