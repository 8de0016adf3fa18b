//! The contract of the kata `daemon`, sentence by sentence. `README.md` has the same list.

#[path = "daemon/contract.rs"]
mod contract;
#[path = "daemon/family.rs"]
mod family;

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use daemon::{Joined, StopSignal, Worker};
use family::{Step, Steps};
use kata::scenarios::every_small_program;
use kata::{
    AEONS, AGES, Check, ENDLESS, Gate, Log, Rendezvous, check, panic_on_purpose, until_blocked, until_still,
    when_dropped,
};

/// Never called. Compiles only with the types that the stub gives, for every `T`: a type of its own could be equal to
/// whatever it is compared with, or be there for some `T` alone. And only an enum has variants to import.
fn _signatures<T: Send + 'static>(work: impl FnOnce(&StopSignal) -> T + Send + 'static) {
    use Joined::{Ended, StillRunning};
    let _: Worker<T> = Worker::start("", work);
    let _: fn(&Worker<T>) = Worker::stop;
    let _: fn(&Worker<T>) -> bool = Worker::is_alive;
    let _: fn(Worker<T>) -> thread::Result<T> = Worker::join;
    let _: fn(Worker<T>, Duration) -> Joined<T> = Worker::join_timeout;
    let _: fn(&StopSignal) -> bool = StopSignal::is_set;
    let _: fn(&StopSignal, Duration) -> bool = StopSignal::sleep;
    let _ = |joined| match joined {
        Ended(result) => drop::<thread::Result<T>>(result),
        StillRunning(worker) => drop::<Worker<T>>(worker),
    };
}

#[test]
fn join_gives_what_the_work_returned() {
    check(|| {
        // The last but one is longer than what Linux keeps of a thread's name, the last one than what a byte counts.
        let long = "an adder with a very long name, ".repeat(9);
        for name in ["adder", "", " 더하는\nworker ", "an adder with a long name", &long] {
            let numbers: Vec<u32> = (20..=22).collect();
            let worker = Worker::start(name, move |_| {
                let name = thread::current().name().map(str::to_owned);
                (numbers.iter().sum::<u32>(), name)
            });
            let (sum, its_name) = worker.join().expect("the adder did not panic");
            assert_eq!(sum, 63);
            assert_eq!(its_name.as_deref(), Some(name), "the name of the thread that did the work");
        }
        helpers_have_ended();
    });
}

#[test]
fn a_worker_runs_while_its_owner_goes_on() {
    use Step::{Ends, Joins, Starts, Stops};
    let crowd = || {
        // Few on schedules, where each more is many more schedules; on threads more than a byte counts.
        let count = if kata::EXPLORED { 2 } else { 300 };
        let rendezvous = Rendezvous::of(count + 1);
        let workers: Vec<Worker<bool>> = (0..count)
            .map(|_| {
                let rendezvous = rendezvous.clone();
                Worker::start("worker", move |stop| {
                    rendezvous.meet();
                    stop.is_set()
                })
            })
            .collect();
        workers[0].stop();
        rendezvous.meet();
        let told: Vec<bool> = workers.into_iter().map(|worker| worker.join().unwrap()).collect();
        assert!(told[0], "the first worker was told to stop");
        assert!(!told[1..].contains(&true), "only the first worker was told to stop, of {count}: {told:?}");
    };
    let families = [
        Steps(&[(0, Starts(1)), (1, Starts(2)), (1, Stops(2))]),
        // One that is told to stop, before and after it has started another one.
        Steps(&[(0, Starts(1)), (1, Starts(2)), (2, Starts(3)), (0, Stops(1)), (1, Ends)]),
        Steps(&[(0, Starts(1)), (0, Stops(1)), (1, Starts(2)), (1, Stops(2))]),
        // One after the other: whatever became of the first is nothing to the second, and a first that has ended can still be told.
        Steps(&[(0, Starts(1)), (0, Stops(1)), (1, Ends), (0, Joins(1)), (0, Starts(2))]),
        Steps(&[(0, Starts(1)), (1, Ends), (0, Starts(2)), (0, Stops(1))]),
        Steps(&[(0, Starts(1)), (1, Ends), (0, Starts(2)), (0, Stops(2)), (0, Starts(3)), (0, Stops(1))]),
    ];
    let cases = [Case::Alone("several workers", crowd)].into_iter().chain(families.map(Case::Family));
    Check::new().each(cases, |case| {
        match case {
            Case::Alone(_, body) => body(),
            Case::Family(steps) => steps.run().join().expect("it did not panic"),
        }
        helpers_have_ended();
    });
}

#[test]
fn a_worker_is_alive_until_it_returns_or_panics() {
    // Somebody may have waited for the worker before, and given up.
    let waited_for = |worker: Worker<()>| {
        let Joined::StillRunning(worker) = worker.join_timeout(Duration::ZERO) else {
            panic!("the worker waits for the test, so it can't have ended")
        };
        worker
    };
    // The scheduler knows when the thread is blocked and when it has ended.
    let on_schedules = move |panics: bool, waited: bool| {
        let (go, wait) = mpsc::channel();
        let (mut worker, thread) = start_known("worker", move |_| {
            // No `unwrap`: if the test fails meanwhile, the channel closes, and the worker shall just end.
            let _ = wait.recv();
            assert!(!panics, "enough of this");
        });
        until_blocked(&thread);
        if waited {
            worker = waited_for(worker);
        }
        assert!(worker.is_alive(), "the worker waits for a message, so it is alive");
        go.send(()).expect("the worker waits for it");
        until_blocked(&thread);
        assert!(!worker.is_alive(), "the worker has ended{}", if panics { " in a panic" } else { "" });
        assert!(!worker.is_alive(), "the worker has ended, and it is asked a second time");
        let Joined::Ended(result) = worker.join_timeout(Duration::ZERO) else {
            panic!("the worker has ended, so join_timeout(0ns) has what came of it")
        };
        assert_eq!(result.is_err(), panics);
    };
    // On threads, one moment is known: the work is over, and a thread-local that it has left behind is dropped, which takes a while.
    let on_threads = move |panics: bool, waited: bool| {
        thread_local! {
            static LEFT: RefCell<Option<TidiesUp>> = const { RefCell::new(None) };
        }
        let (go, begins, may_end) = (Gate::closed(), Gate::closed(), Gate::closed());
        let mut worker = Worker::start("worker", {
            let tidies_up = TidiesUp { begins: begins.clone(), may_end: may_end.clone() };
            let go = go.clone();
            move |_| {
                go.pass();
                LEFT.set(Some(tidies_up));
                if panics {
                    panic::resume_unwind(Box::new("enough of this"));
                }
            }
        });
        if waited {
            worker = waited_for(worker);
        }
        go.open();
        begins.pass();
        let was_alive = worker.is_alive();
        let joined = thread::scope(|scope| {
            // The call may wait until the thread-local is gone.
            scope.spawn(|| {
                until_still();
                may_end.open();
            });
            worker.join_timeout(if was_alive { LONG } else { Duration::ZERO })
        });
        let Joined::Ended(result) = joined else {
            panic!("is_alive was false while a thread-local was dropped, but join_timeout(0ns) answers still running")
        };
        assert_eq!(result.is_err(), panics);
    };
    let cases = [
        Named("work that returns", (false, false)),
        Named("work that panics", (true, false)),
        Named("work that returns after somebody has waited for it", (false, true)),
        Named("work that panics after somebody has waited for it", (true, true)),
    ];
    Check::new().each(cases, move |&Named(_, (panics, waited))| {
        if kata::EXPLORED {
            on_schedules(panics, waited)
        } else {
            on_threads(panics, waited)
        }
        helpers_have_ended();
    });
}

#[test]
fn join_timeout_gives_the_worker_back_when_the_time_is_up() {
    // Where a timeout may fire at any time, `helpers_have_ended` waits for nobody.
    Check::new().hostile_timeouts().library_threads().run(|| {
        let (go, wait) = mpsc::channel();
        let worker = Worker::start("worker", move |stop| {
            let _ = wait.recv();
            if stop.is_set() { "told to stop" } else { "done" }
        });
        let Joined::StillRunning(worker) = worker.join_timeout(MOMENT) else {
            panic!("the worker waits for a message, so it can't have ended")
        };
        let Joined::StillRunning(worker) = worker.join_timeout(MOMENT) else {
            panic!("the worker still waits for the message")
        };
        go.send(()).expect("the worker waits for it");
        // From here on, its end and the end of the wait may meet. Whichever comes first, its result must come out.
        let result = match worker.join_timeout(MOMENT) {
            Joined::Ended(result) => result,
            Joined::StillRunning(worker) => worker.join(),
        };
        assert_eq!(result.unwrap(), "done", "nobody told the worker to stop");
    });
}

/// The time is the model's: the worker's sleep costs nothing, and every wait is measured to the nanosecond. The worker begins
/// once its owner is blocked, so an owner that keeps looking waits in vain.
#[test]
#[ignore = "needs schedules: cargo xtask check daemon join_timeout_sleeps_until_its_time_or_the_end"]
fn join_timeout_sleeps_until_its_time_or_the_end() {
    let cases = [
        Named("a worker that returns", (SOME_TIME, false, false)),
        Named("a worker that panics", (SOME_TIME, true, false)),
        Named("a worker that runs for ages", (AGES, false, false)),
        Named("two workers, of whom the other one ends first", (SOME_TIME, false, true)),
    ];
    Check::new().schedules_only().spurious_wakeups(WAKEUPS).each(cases, |&Named(_, (time, panics, two))| {
        let owner = thread::current();
        let worker = Worker::start("worker", move |_| {
            until_blocked(&owner);
            thread::sleep(time);
            assert!(!panics, "enough of this");
        });
        let other = two.then(|| Worker::start("other worker", |_| thread::sleep(A_LITTLE)));
        let start = Instant::now();
        let almost = time - A_LITTLE;
        let Joined::StillRunning(worker) = worker.join_timeout(almost) else {
            panic!("it ended {time:?} after its owner was blocked, so it was running after {almost:?}")
        };
        assert_eq!(start.elapsed(), almost, "how long join_timeout waited before it gave up");
        let Joined::Ended(result) = worker.join_timeout(ENDLESS[1]) else {
            panic!("it ended {time:?} after its owner was blocked, so it was not running later")
        };
        assert_eq!(start.elapsed(), time, "when join_timeout returned; the worker ended after {time:?}");
        assert_eq!(result.is_err(), panics);
        assert!(other.is_none_or(|other| other.join().is_ok()), "the other worker did not panic");
        helpers_have_ended();
    });
}

#[test]
fn a_panic_reaches_whoever_joins() {
    let join: fn(Worker<u8>) -> thread::Result<u8> = Worker::join;
    let join_timeout = |worker: Worker<u8>| match worker.join_timeout(LONG) {
        Joined::Ended(result) => result,
        Joined::StillRunning(_) => panic!("still running after {LONG:?}, but the worker panicked"),
    };
    Check::new().each([Named("join", join), Named("join_timeout", join_timeout)], |waits| {
        let payload = |work: fn(&StopSignal) -> u8| {
            let result = (waits.1)(Worker::start("worker", work));
            result.expect_err("the worker panicked")
        };
        let text = payload(|_| panic_on_purpose("enough of this"));
        assert_eq!(text.downcast_ref(), Some(&"enough of this"), "what it panicked with");
        // What it panics with need not be a text. It may be what the work could have returned as well.
        let number = payload(|_| panic::resume_unwind(Box::new(7_u8)));
        assert_eq!(number.downcast_ref(), Some(&7_u8), "what it panicked with");
        // It may be another payload, box and all.
        let boxed = payload(|_| panic::resume_unwind(Box::new(Box::new(7) as Box<dyn Any + Send>)));
        let inner = boxed.downcast_ref::<Box<dyn Any + Send>>().and_then(|inner| inner.downcast_ref());
        assert_eq!(inner, Some(&7), "what is in the box that it panicked with");
        helpers_have_ended();
    });
}

#[test]
fn stop_ends_every_sleep_at_once() {
    let sleeper = || {
        // On threads, the stop comes in the 256th sleep, when it has begun for good.
        let earlier = if kata::EXPLORED { 0 } else { 255 };
        let (go, wait) = mpsc::channel();
        let worker = Worker::start("sleeper", move |stop| {
            (0..earlier).for_each(|_| _ = stop.sleep(Duration::ZERO));
            go.send(()).expect("the test waits for this");
            let start = Instant::now();
            let told = [stop.sleep(LONG), stop.sleep(ENDLESS[1]), stop.sleep(Duration::ZERO), stop.is_set()];
            (told, start.elapsed())
        });
        if !kata::EXPLORED {
            wait.recv().expect("it goes to sleep");
            until_still();
        }
        worker.stop();
        let (told, slept) = worker.join().unwrap();
        assert!(slept < LONG, "the worker was told to stop at once, but slept for {slept:?}");
        assert_eq!(told, [true; 4], "whether it was told to stop, asked by two sleeps, one of 0ns, and is_set");
        // A worker that looks late, and an owner that waits for it, and says it, more often than a byte counts.
        let (go, wait) = mpsc::channel();
        let mut worker = Worker::start("worker", move |stop| {
            let _ = wait.recv();
            [stop.is_set(), stop.sleep(Duration::ZERO)]
        });
        let times = if kata::EXPLORED { 2 } else { 256 };
        for _ in 0..times {
            let Joined::StillRunning(back) = worker.join_timeout(Duration::ZERO) else {
                panic!("the worker waits for a message, so it can't have ended")
            };
            worker = back;
            worker.stop();
        }
        go.send(()).expect("the worker waits for it");
        assert_eq!(worker.join().unwrap(), [true; 2], "whether it was told to stop, after {times} calls of stop");
    };
    // All of this holds in destructors that a panic runs, too, and however long the sleep is.
    let destructors = || {
        let ((ask, asked), (tell, told)) = (mpsc::channel(), mpsc::channel());
        let worker = Worker::<()>::start("worker", move |stop| {
            let _asks = when_dropped(|| {
                let _ = ask.send([stop.is_set(), stop.sleep(Duration::ZERO)]);
                let _ = tell.send([stop.sleep(AEONS), stop.is_set()]);
            });
            panic::resume_unwind(Box::new("enough of this"))
        });
        assert_eq!(asked.recv(), Ok([false; 2]), "whether it was told to stop, before anybody did");
        let stops = AssertUnwindSafe(|| {
            let _stops = when_dropped(|| worker.stop());
            panic::resume_unwind(Box::new("enough of this"))
        });
        assert!(panic::catch_unwind(stops).is_err_and(|payload| payload.is::<&str>()));
        assert_eq!(told.recv(), Ok([true; 2]), "whether it was told to stop, by a destructor");
        let ended = worker.join_timeout(AEONS);
        assert!(matches!(ended, Joined::Ended(Err(_))), "it panicked at the beginning");
    };
    Check::new().each(["a worker that sleeps", "destructors that a panic runs"], move |case| {
        match *case {
            "a worker that sleeps" => sleeper(),
            _ => destructors(),
        }
        helpers_have_ended();
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check daemon a_sleep_lasts_until_its_time_or_the_stop"]
fn a_sleep_lasts_until_its_time_or_the_stop() {
    Check::new().schedules_only().spurious_wakeups(WAKEUPS).run(|| {
        for time in [SOME_TIME, AGES] {
            let (worker, sleeper) = start_known("sleeper", move |stop| {
                let start = Instant::now();
                let first = (stop.sleep(time), start.elapsed());
                // The work takes its time, and the next sleep is no shorter for it.
                thread::sleep(A_LITTLE);
                let second = (stop.sleep(2 * A_LITTLE), start.elapsed());
                let third = (stop.sleep(LONG), start.elapsed());
                [first, second, third]
            });
            until_blocked(&sleeper);
            thread::sleep(time + 4 * A_LITTLE);
            worker.stop();
            let [first, second, third] = worker.join().unwrap();
            assert_eq!(first, (false, time), "a sleep that nobody interrupts: told to stop, and when it ended");
            let after_work = (false, time + 3 * A_LITTLE);
            assert_eq!(second, after_work, "a sleep after some work: told to stop, and when it ended");
            let stopped = (true, time + 4 * A_LITTLE);
            assert_eq!(third, stopped, "a sleep that stop interrupts: told to stop, and when it ended");
        }
        helpers_have_ended();
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check daemon every_small_program_of_calls_keeps_the_contract"]
fn every_small_program_of_calls_keeps_the_contract() {
    every_small_program(contract::DaemonContract);
}

#[test]
fn a_dropped_worker_goes_on_until_the_program_ends() {
    use Step::{Drops, Ends, Joins, Panics, Starts, Stops};
    let writer = || {
        for unwinds in [false, true] {
            let paper = Log::new();
            let (go, wait) = mpsc::channel();
            let page_1 = Gate::closed();
            let worker = Worker::start("writer", {
                let (paper, page_1) = (paper.clone(), page_1.clone());
                move |stop| {
                    let _ = wait.recv();
                    paper.note(if stop.is_set() { "told to stop" } else { "page 1" });
                    page_1.open();
                    stop.sleep(LONG);
                    paper.note("page 2");
                }
            });
            if unwinds {
                let drops_it = AssertUnwindSafe(move || {
                    let _worker = worker;
                    panic::resume_unwind(Box::new("enough of this"))
                });
                assert!(panic::catch_unwind(drops_it).is_err_and(|payload| payload.is::<&str>()));
            } else {
                drop(worker);
            }
            go.send(()).expect("the writer waits for it");
            page_1.pass();
            // Here main returns, and the program ends: page 2 is never written.
            assert_eq!(paper.events(), ["page 1"], "what the writer wrote before the program ended");
        }
    };
    let families = [
        // A later worker is nothing to one that was dropped, nor the other way round.
        Steps(&[(0, Starts(1)), (0, Drops(1)), (0, Starts(2)), (0, Stops(2))]),
        Steps(&[(0, Starts(1)), (0, Stops(1)), (0, Drops(1)), (0, Starts(2))]),
        // An owner that ends drops what it owns, and whoever joins it does not wait for that.
        Steps(&[(0, Starts(1)), (1, Starts(2)), (1, Drops(2)), (0, Stops(1)), (1, Ends), (0, Joins(1))]),
        Steps(&[(0, Starts(1)), (1, Starts(2)), (1, Panics), (0, Joins(1))]),
    ];
    let cases = [Case::Alone("a writer", writer)].into_iter().chain(families.map(Case::Family));
    Check::new().daemons().each(cases, |case| match case {
        Case::Alone(_, body) => body(),
        Case::Family(steps) => {
            drop(steps.run());
            // How far each of them has come when the program ends would be many schedules, and nothing new.
            helpers_have_ended();
        }
    });
}

/// Nothing in these tests lasts so long, so who waits for so long has waited for nothing.
const LONG: Duration = Duration::from_secs(3600);
/// Time enough to show that a wait ends.
const MOMENT: Duration = Duration::from_millis(5);
/// Whoever wakes so often for no reason has not forgiven it just once or twice.
const WAKEUPS: u32 = 3;
/// No multiple of what a loop might sleep between two looks.
const SOME_TIME: Duration = Duration::from_nanos(2 * 1_234_567_891);
/// Much less than that, and no multiple either.
const A_LITTLE: Duration = Duration::from_nanos(123_456_789);

/// A body's last line. A worker may have threads that help it, and end by themselves a little later than whoever joins it hears of. On
/// schedules, time passes only once nobody can go on: after that they have ended, and who sleeps or waits is a leak. On threads the
/// test's end waits for them anyway.
fn helpers_have_ended() {
    if kata::EXPLORED {
        thread::sleep(Duration::from_nanos(1));
    }
}

/// Says when it begins to be dropped, and is not gone before it may.
struct TidiesUp {
    begins: Gate,
    may_end: Gate,
}

impl Drop for TidiesUp {
    fn drop(&mut self) {
        self.begins.open();
        self.may_end.pass();
    }
}

/// A case of its own, or steps of a family.
enum Case {
    Alone(&'static str, fn()),
    Family(Steps),
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Case::Alone(name, _) => f.write_str(name),
            Case::Family(steps) => steps.fmt(f),
        }
    }
}

/// What a body is run with, and how that is called.
struct Named<T>(&'static str, T);

impl<T> fmt::Display for Named<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Starts a worker whose thread is known to the test.
fn start_known<T: Send + 'static>(
    name: &str,
    work: impl FnOnce(&StopSignal) -> T + Send + 'static,
) -> (Worker<T>, Thread) {
    let (tell, told) = mpsc::channel();
    let worker = Worker::start(name, move |stop| {
        tell.send(thread::current()).expect("the test waits for this");
        work(stop)
    });
    let thread = told.recv().expect("the worker runs and says which thread it is");
    (worker, thread)
}
