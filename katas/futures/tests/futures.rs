//! The contract of the kata `futures`, sentence by sentence. `README.md` has the same list.

// In the stub a future has no `Drop`, and it need not have one.
#![allow(clippy::drop_non_drop)]

#[path = "futures/contract.rs"]
mod contract;

use std::any::Any;
use std::fmt;
use std::mem;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use futures::{AsCompleted, Executor, Failure, Future, Until, Waited, Within, as_completed, wait};
use kata::scenarios::every_small_program;
use kata::{Check, ENDLESS, Gate, Log, Rendezvous, check, on_schedules, panic_on_purpose, when_dropped};

use contract::FuturesContract;

/// Never called. Compiles only with the types that the stub gives, for every `T`: a type of its own could be equal to
/// whatever it is compared with, or be there for some `T` alone. And only an enum has variants to import.
fn _signatures<T: Send + 'static>(executor: &Executor, job: impl FnOnce() -> T + Send + 'static) {
    let _: fn(NonZeroUsize) -> Executor = Executor::new;
    let _: Future<T> = executor.submit(job);
}

/// Never called, either: threads share executors, and send futures.
fn _threads<T: Send + 'static>(executor: Executor, future: Future<T>) {
    fn share(_: impl Send + Sync) {}
    fn send(_: impl Send) {}
    share(executor);
    send(future);
}

/// Never called, either.
fn _signatures_of_futures<T>() {
    use Failure::{Cancelled, Panicked};
    use Until::{AllCompleted, FirstCompleted, FirstFailure};
    use Within::{Complete, TimeIsUp};
    let _: [fn(&Future<T>) -> bool; 2] = [Future::is_done, Future::cancel];
    let _: fn(Future<T>) -> Result<T, Failure> = Future::result;
    let _: fn(Future<T>, Duration) -> Within<T> = Future::result_within;
    let _: Waited<T> = wait(Vec::new(), FirstCompleted, Some(Duration::ZERO));
    let _: fn(Vec<Future<T>>) -> AsCompleted<T> = as_completed;
    let _: fn(&mut AsCompleted<T>) -> Option<Future<T>> = Iterator::next;
    let _ = |Waited { done, not_done }| drop::<[Vec<Future<T>>; 2]>([done, not_done]);
    let _ = |within| match within {
        Complete(result) => drop::<Result<T, Failure>>(result),
        TimeIsUp(future) => drop::<Future<T>>(future),
    };
    let _: fn(Box<dyn Any + Send>) -> Failure = Panicked;
    let _ = |failure| match failure {
        Cancelled | Panicked(_) => (),
    };
    let _ = |until| match until {
        FirstCompleted | FirstFailure | AllCompleted => (),
    };
}

#[test]
fn jobs_overlap_and_result_gives_what_they_returned() {
    check(|| {
        let (executor, both) = (executor(2), Rendezvous::of(2));
        // A worker that has become idle is one for one job.
        assert_eq!(told(executor.submit(|| "alone").result()), "alone");
        let futures = ["first", "second"].map(|name| {
            let both = both.clone();
            executor.submit(move || {
                both.meet();
                name
            })
        });
        assert_eq!(futures.map(|future| told(future.result())), ["first", "second"]);
    });
}

#[test]
fn a_panic_completes_its_future_and_the_worker_goes_on() {
    Check::new().each(PAYLOADS, |&Payload { panics, told: payload, .. }| {
        let executor = executor(1);
        let broken = executor.submit(panics);
        let next = executor.submit(|| "a page");
        assert_eq!(told(broken.result()), format!("panicked: {payload}"));
        assert_eq!(told(next.result()), "a page");
    });
}

/// The first tries are made in one thread, and the last one in another: futures go from hand to hand.
#[test]
fn result_within_gives_the_future_back_when_the_time_is_up() {
    Check::new().each(ways(PLENTY), |&way| {
        let (executor, gate) = (executor(1), Gate::closed());
        let _open = gate.open_when_dropped();
        let future = match executor.submit(behind(&gate, "late")).result_within(MOMENT) {
            Within::TimeIsUp(future) => future,
            Within::Complete(result) => panic!("complete behind a closed gate: {}", told(result)),
        };
        let not_done = wait(vec![future], Until::FirstCompleted, Some(MOMENT)).not_done;
        let other = thread::spawn(move || not_done.into_iter().map(|future| told(way.result_of(future))).collect());
        gate.open();
        let results: Vec<String> = other.join().expect("it gets the result");
        assert_eq!(results, ["late"]);
    });
}

#[test]
fn wait_for_the_first_returns_while_others_run() {
    check(|| {
        let (executor, gate) = (executor(2), Gate::closed());
        let _open = gate.open_when_dropped();
        let futures = vec![executor.submit(behind(&gate, "slow")), executor.submit(|| "quick")];
        let Waited { done, not_done } = in_time(|| wait(futures, Until::FirstCompleted, Some(PLENTY)));
        assert_eq!(results(done), ["quick"]);
        gate.open();
        assert_eq!(results(not_done), ["slow"]);
    });
}

#[test]
fn wait_for_a_failure_returns_at_the_first_panic() {
    check(|| {
        let (one, another, gate) = (executor(1), executor(1), Gate::closed());
        let _open = gate.open_when_dropped();
        let slow = one.submit(behind(&gate, "slow"));
        another.submit(|| panic_on_purpose("not in the list"));
        let good = another.submit(|| "good");
        let broken = another.submit(|| -> &str { panic::resume_unwind(Box::new("broken".to_owned())) });
        let futures = vec![slow, good, broken];
        let Waited { done, not_done } = in_time(|| wait(futures, Until::FirstFailure, Some(PLENTY)));
        assert_eq!(results(done), ["good", "panicked: broken"]);
        gate.open();
        assert_eq!(results(not_done), ["slow"]);
    });
}

/// The time is the model's: jobs that sleep cost nothing, and limits are met to the nanosecond.
#[test]
#[ignore = "needs schedules: cargo xtask check futures wait_gives_done_and_not_done_when_the_time_is_up"]
fn wait_gives_done_and_not_done_when_the_time_is_up() {
    on_schedules(|| {
        let executor = executor(2);
        let sums = [(5, 1), (8, 10), (6, 2), (7, 3)];
        let sums = sums.map(|(power, seconds)| {
            executor.submit(move || {
                thread::sleep(Duration::from_secs(seconds));
                format!("sum to 10^{power}")
            })
        });
        let (limit, begin) = (Duration::from_secs(7), Instant::now());
        let Waited { done, not_done } = wait(sums.into(), Until::AllCompleted, Some(limit));
        assert_eq!(begin.elapsed(), limit, "one limit for all futures together");
        assert_eq!(results(done), ["sum to 10^5", "sum to 10^6", "sum to 10^7"]);
        let rest = wait(not_done, Until::AllCompleted, None);
        assert_eq!(begin.elapsed(), Duration::from_secs(10), "the last job was complete after 10 seconds");
        assert!(rest.not_done.is_empty(), "without a limit, wait for all of them");
        assert_eq!(results(rest.done), ["sum to 10^8"]);
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check futures a_limit_may_be_short_and_a_list_long"]
fn a_limit_may_be_short_and_a_list_long() {
    let bodies = [
        Body("result_within for a job that begins late", || {
            limit_for_a_job_that_begins_late(|late, limit| matches!(late.result_within(limit), Within::TimeIsUp(_)));
        }),
        Body("wait for a job that begins late", || {
            limit_for_a_job_that_begins_late(|late, limit| {
                wait(vec![late], Until::AllCompleted, Some(limit)).done.is_empty()
            });
        }),
        Body("short limits, and a long list", short_limits_and_a_long_list),
    ];
    Check::new().schedules_only().daemons().each(bodies, |Body(_, run)| run());
}

/// It begins when half of the limit is over, and takes longer than a whole one.
fn limit_for_a_job_that_begins_late(gives_up: fn(Future<()>, Duration) -> bool) {
    let (executor, limit) = (executor(1), 2 * A_WHILE);
    let begin = Instant::now();
    executor.submit(|| thread::sleep(A_WHILE));
    let late = executor.submit(|| thread::sleep(3 * A_WHILE));
    assert!(gives_up(late, limit), "it is complete only after four times a while");
    assert_eq!(begin.elapsed(), limit, "when the limit was over");
}

/// The first of its futures is behind a gate. All others are complete, and more than a word has bits.
fn short_limits_and_a_long_list() {
    let (executor, began, gate) = (executor(1), Gate::closed(), Gate::closed());
    let mut late = executor.submit({
        let (began, late) = (began.clone(), behind(&gate, "late"));
        move || {
            began.open();
            late()
        }
    });
    began.pass();
    for (limit, others) in LIMITS.into_iter().zip([0, 0, 140]) {
        let others: Vec<_> = (0..others).map(|_| executor.submit(|| "other")).collect();
        assert!(others.iter().all(Future::cancel), "the worker is busy");
        let begin = Instant::now();
        let mut waited = wait([late].into_iter().chain(others).collect(), Until::AllCompleted, Some(limit));
        assert_eq!(begin.elapsed(), limit, "wait has a limit of {limit:?}");
        late = waited.not_done.pop().expect("it is behind a closed gate");
        let begin = Instant::now();
        late = match late.result_within(limit) {
            Within::TimeIsUp(late) => late,
            Within::Complete(result) => panic!("complete behind a closed gate: {}", told(result)),
        };
        assert_eq!(begin.elapsed(), limit, "result_within has a limit of {limit:?}");
    }
    // Its worker stays behind the gate.
    mem::forget(executor);
}

/// The time is the model's. No limit is reached.
#[test]
#[ignore = "needs schedules: cargo xtask check futures a_wait_may_last_for_centuries"]
fn a_wait_may_last_for_centuries() {
    let ways = MORE_CENTURIES.into_iter().flat_map(ways);
    Check::new().schedules_only().each(ways, |way| {
        let (executor, begin) = (executor(1), Instant::now());
        let slow = executor.submit(|| {
            thread::sleep(CENTURIES);
            "slow"
        });
        assert_eq!(told(way.result_of(slow)), "slow");
        assert_eq!(begin.elapsed(), CENTURIES, "when its result was there");
    });
}

/// Three jobs of a while each: the first has a worker, the second comes after it, and a job waits for that one. What is behind these
/// begins when a worker is free.
#[test]
#[ignore = "needs schedules: cargo xtask check futures a_job_that_waits_runs_no_other_one"]
fn a_job_that_waits_runs_no_other_one() {
    let cases = ways(PLENTY).flat_map(|way| [true, false].map(|of_its_own| JobThatWaits { way, of_its_own }));
    Check::new().schedules_only().schedules(5_000).each(cases, |case| {
        let &JobThatWaits { way, of_its_own } = case;
        let (own, another) = (executor(if of_its_own { 2 } else { 1 }), executor(1));
        let (busy, begin) = (if of_its_own { &own } else { &another }, Instant::now());
        let takes_a_while = move || {
            let began = begin.elapsed();
            thread::sleep(A_WHILE);
            began
        };
        busy.submit(takes_a_while);
        let (hand, future) = mpsc::channel::<Future<Duration>>();
        let waits = own.submit(move || {
            let future = match future.recv().expect("it is handed over").result_within(A_WHILE / 2) {
                Within::TimeIsUp(future) => future,
                Within::Complete(_) => panic!("complete before it can have begun"),
            };
            let gave_up = begin.elapsed();
            (gave_up, way.result_of(future).expect("it returns"), begin.elapsed())
        });
        let awaited = busy.submit(takes_a_while);
        let behind = own.submit(takes_a_while);
        hand.send(awaited).expect("the job waits for it");
        let (gave_up, awaited, waited) = waits.result().expect("it returns");
        assert_eq!(gave_up, A_WHILE / 2, "when the job's first wait was over, which has a limit");
        assert_eq!(awaited, A_WHILE, "when the job began that is waited for: its worker was busy");
        assert_eq!(waited, 2 * A_WHILE, "when the job had waited for it");
        let behind = behind.result().expect("it returns");
        assert_eq!(behind, 2 * A_WHILE, "when the job behind it began: until then there was no worker for it");
    });
}

#[test]
fn as_completed_gives_each_future_as_soon_as_it_is_complete() {
    let bodies = [
        Body("two executors", || {
            let (one, another, meeting) = (executor(1), executor(1), Rendezvous::of(2));
            let early = one.submit({
                let meeting = meeting.clone();
                move || {
                    meeting.meet();
                    "early"
                }
            });
            let late = one.submit(|| "late");
            let quick = another.submit(|| "quick");
            let mut completed = as_completed(vec![late, early, quick]);
            assert_eq!(next_result(&mut completed).as_deref(), Some("quick"));
            // Only now can the others complete. One worker runs them one after the other.
            meeting.meet();
            assert_eq!(results(completed), ["early", "late"]);
        }),
        // Whoever asks is told, though somebody else has begun, and has waited for the one before.
        Body("another thread that asks for the next one", || {
            let (executor, gate) = (executor(1), Gate::closed());
            let _open = gate.open_when_dropped();
            let mut completed = as_completed(vec![executor.submit(|| "first"), executor.submit(behind(&gate, "slow"))]);
            assert_eq!(next_result(&mut completed).as_deref(), Some("first"));
            let asks = thread::spawn(move || next_result(&mut completed));
            gate.open();
            assert_eq!(asks.join().unwrap().as_deref(), Some("slow"));
        }),
        Body("one that completes after the call, and before anybody asks", || {
            let (executor, gate) = (executor(1), Gate::closed());
            let _open = gate.open_when_dropped();
            let first = wait(vec![executor.submit(|| "first")], Until::AllCompleted, None).done;
            let second = vec![executor.submit(behind(&gate, "second"))];
            let completed = as_completed(second.into_iter().chain(first).collect());
            gate.open();
            // One worker runs the jobs one after the other.
            assert_eq!(told(executor.submit(|| "last").result()), "last");
            assert_eq!(results(completed), ["first", "second"]);
        }),
    ];
    Check::new().each(bodies, |Body(_, run)| run());
}

/// One worker runs the jobs in the order of their names.
#[test]
fn as_completed_loses_nothing_while_its_thread_waits_for_others() {
    Check::new().no_spurious_wakeups().schedules(1_000).each(ways(PLENTY), |way| {
        let (executor, gate) = (executor(1), Gate::closed());
        let _open = gate.open_when_dropped();
        let first = executor.submit(behind(&gate, "1"));
        let [between, second, last] = ["2", "3", "4"].map(|name| executor.submit(move || name));
        let mut completed = as_completed(vec![last, second, first]);
        gate.open();
        assert_eq!(told(way.result_of(between)), "2");
        assert_eq!(next_result(&mut completed).as_deref(), Some("1"));
        assert_eq!(results(completed), ["3", "4"]);
    });
}

#[test]
fn waiting_for_no_futures_is_over_at_once() {
    check(|| {
        for until in [Until::FirstCompleted, Until::FirstFailure, Until::AllCompleted] {
            let none: Vec<Future<&str>> = Vec::new();
            let Waited { done, not_done } = in_time(|| wait(none, until, Some(PLENTY)));
            assert!(done.is_empty() && not_done.is_empty(), "{until:?} of nothing is nothing");
        }
        assert!(as_completed(Vec::<Future<&str>>::new()).next().is_none());
    });
}

#[test]
fn cancel_wins_or_loses_and_never_both() {
    check(|| {
        let (executor, log) = (executor(1), Log::new());
        let future = executor.submit(noting(&log, "ran"));
        let cancelled = future.cancel();
        assert_eq!(future.cancel(), cancelled, "cancelling once more gives the same answer");
        let result = told(future.result());
        drop(executor);
        let expected = if cancelled { ("cancelled", 0) } else { ("ran", 1) };
        assert_eq!((result.as_str(), log.count("ran")), expected, "cancel said {cancelled}");
    });
}

#[test]
fn a_cancelled_future_is_complete_at_once_and_no_failure() {
    check(|| {
        let (executor, log, inside, gate) = (executor(1), Log::new(), Gate::closed(), Gate::closed());
        let _open = gate.open_when_dropped();
        let running = executor.submit({
            let (inside, gate) = (inside.clone(), gate.clone());
            move || {
                inside.open();
                gate.pass();
                "running"
            }
        });
        let waiting = ["waiting", "second"].map(|name| executor.submit(noting(&log, name)));
        let last = executor.submit(|| "last");
        inside.pass();
        assert!(!running.cancel(), "a job that runs can't be cancelled");
        for waiting in &waiting {
            assert!(waiting.cancel(), "a job that waits for its worker can be cancelled");
            assert!(waiting.is_done(), "it is complete now, not when a worker comes to it");
        }
        assert!(!running.is_done(), "and the other is not");
        gate.open();
        let futures = waiting.into_iter().chain([running]).collect();
        let Waited { done, .. } = wait(futures, Until::FirstFailure, None);
        assert_eq!(results(done), ["cancelled", "cancelled", "running"]);
        assert_eq!(told(last.result()), "last", "the others are cancelled, and this is not");
        drop(executor);
        assert!(!log.happened("waiting") && !log.happened("second"), "a cancelled job never runs");
    });
}

#[test]
fn no_job_is_lost_with_its_future_or_its_executor() {
    Check::new().each(DROPS, |how| {
        let (executor, log) = (executor(1), Log::new());
        // Its future is dropped at the end of the statement.
        executor.submit(noting(&log, "forgotten"));
        drop(as_completed(vec![executor.submit(noting(&log, "not asked for"))]));
        let kept = executor.submit(|| "kept");
        let broken = executor.submit(|| -> &str { panic_on_purpose("no such page") });
        (how.drop)(executor);
        assert!(log.happened("forgotten"), "a job runs also if nobody wants its result");
        assert!(log.happened("not asked for"), "so it does if its future is dropped with the iterator");
        for (future, result) in [(kept, "kept"), (broken, "panicked: no such page")] {
            assert!(future.is_done(), "dropping the executor waits for all of its jobs");
            assert!(!future.cancel(), "a job that ran can't be cancelled, even when its executor has gone");
            assert_eq!(told(future.result()), result);
        }
    });
}

#[test]
fn what_a_job_drops_may_use_its_executor() {
    Check::new().each(DROPPED_THINGS, |what| {
        let (executor, gate, log, dropped) = (Arc::new(executor(1)), Gate::closed(), Log::new(), Gate::closed());
        let _open = gate.open_when_dropped();
        executor.submit(behind(&gate, "busy"));
        let thing = when_dropped({
            let (executor, log, dropped) = (Arc::clone(&executor), log.clone(), dropped.clone());
            move || {
                executor.submit(noting(&log, "ran"));
                // The test drops the executor, not this.
                drop(executor);
                dropped.open();
            }
        });
        let kept = (what.hand_over)(&executor, Box::new(thing));
        gate.open();
        dropped.pass();
        drop(executor);
        assert_eq!(log.count("ran"), 1, "dropping the executor waits for all of its jobs");
        let is_cancelled = kept.is_none_or(|future| future.cancel());
        assert!(is_cancelled, "cancelling once more gives the same answer, even when its executor has gone");
    });
}

/// On threads only: so many workers and jobs have too many schedules. A bound that somebody puts in is met on any of them.
#[test]
fn large_numbers_are_nothing_special() {
    Check::new().threads_only().run(|| {
        let (many, all) = (executor(MANY_WORKERS), Rendezvous::of(MANY_WORKERS));
        let meet = |_| {
            let all = all.clone();
            many.submit(move || all.meet())
        };
        let Waited { done, .. } = wait((0..MANY_WORKERS).map(meet).collect(), Until::AllCompleted, None);
        assert_eq!(done.len(), MANY_WORKERS, "each worker has one job, and they work at once");

        // Nobody asks for the next one before all jobs are complete.
        let ([one, another], gates) = ([1, 1].map(executor), [(); 2].map(|()| Gate::closed()));
        let _open = gates.each_ref().map(Gate::open_when_dropped);
        for (executor, gate) in [&one, &another].into_iter().zip(&gates) {
            executor.submit(behind(gate, "busy"));
        }
        let mut futures: Vec<_> = (0..MANY_JOBS).map(|n| one.submit(move || n)).collect();
        futures.push(another.submit(|| MANY_JOBS));
        futures.reverse();
        let completed = as_completed(futures);
        for (executor, gate) in [one, another].into_iter().zip(&gates) {
            gate.open();
            drop(executor);
        }
        let completed: Vec<usize> = completed.map(|future| future.result().expect("it returns a number")).collect();
        assert_eq!(completed, Vec::from_iter(0..=MANY_JOBS), "they are completed one after the other");

        // One that is gone leaves its place in memory to another one, and nothing else.
        let one = executor(1);
        for _ in 0..MANY_JOBS {
            let gate = Gate::closed();
            let _open = gate.open_when_dropped();
            let future = one.submit(behind(&gate, "new"));
            assert!(!future.is_done(), "it is behind a closed gate");
            gate.open();
            assert_eq!(told(future.result()), "new");
        }
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check futures every_small_program_of_calls_keeps_the_contract"]
fn every_small_program_of_calls_keeps_the_contract() {
    every_small_program(FuturesContract::Single);
}

#[test]
#[ignore = "needs schedules: cargo xtask check futures every_small_program_of_waits_keeps_the_contract"]
fn every_small_program_of_waits_keeps_the_contract() {
    every_small_program(FuturesContract::Several);
}

/// A limit that is always reached, since nothing happens before it is.
const MOMENT: Duration = Duration::from_millis(5);
/// A limit, on schedules only.
const A_WHILE: Duration = Duration::from_secs(2);
/// Limits with a part that is less than a millisecond, less than a microsecond, and more than a float can tell. Of the last one, 32
/// bits have the nanoseconds alone, whatever they count.
const LIMITS: [Duration; 3] = [Duration::from_micros(400), Duration::from_nanos(700), Duration::new(1 << 32, 7)];
/// A time, on schedules only: 544 years, which 64 bits of nanoseconds can still tell.
const CENTURIES: Duration = Duration::from_secs(1 << 34);
/// Limits that 64 bits of nanoseconds can't tell.
const MORE_CENTURIES: [Duration; 3] = [Duration::from_nanos(u64::MAX).saturating_add(A_WHILE), ENDLESS[0], ENDLESS[1]];
/// More than a byte counts, and more than any machine has cores.
const MANY_WORKERS: usize = 257;
/// More than a byte counts.
const MANY_JOBS: usize = 300;

/// A way to get one future's result.
#[derive(Clone, Copy, Debug)]
enum Way {
    Result,
    ResultWithin(Duration),
    Wait(Until, Option<Duration>),
    AsCompleted,
}

/// All ways to get one future's result, with a limit that is not reached where there is one.
fn ways(limit: Duration) -> impl Iterator<Item = Way> {
    let untils = [Until::FirstCompleted, Until::FirstFailure, Until::AllCompleted];
    let waits = untils.into_iter().flat_map(move |until| [None, Some(limit)].map(|limit| Way::Wait(until, limit)));
    [Way::Result, Way::ResultWithin(limit), Way::AsCompleted].into_iter().chain(waits)
}

impl Way {
    fn result_of<T>(self, future: Future<T>) -> Result<T, Failure> {
        let complete = match self {
            Way::Result => Some(future),
            Way::ResultWithin(limit) => match future.result_within(limit) {
                Within::Complete(result) => return result,
                Within::TimeIsUp(_) => None,
            },
            Way::Wait(until, limit) => wait(vec![future], until, limit).done.pop(),
            Way::AsCompleted => as_completed(vec![future]).next(),
        };
        complete.unwrap_or_else(|| panic!("{self} is over, and its future is not complete")).result()
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Way::Result => write!(f, "result"),
            Way::ResultWithin(limit) => write!(f, "result_within({limit:?})"),
            Way::Wait(until, None) => write!(f, "wait({until:?})"),
            Way::Wait(until, Some(limit)) => write!(f, "wait({until:?}, {limit:?})"),
            Way::AsCompleted => write!(f, "as_completed"),
        }
    }
}

/// How a job waits for a job, of its own executor or of another one.
struct JobThatWaits {
    way: Way,
    of_its_own: bool,
}

impl fmt::Display for JobThatWaits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let executor = if self.of_its_own { "its own" } else { "another" };
        write!(f, "{} in a job that waits for a job of {executor} executor", self.way)
    }
}

/// One of several bodies of a test, and what it is about.
struct Body(&'static str, fn());

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What a job panics with.
struct Payload {
    name: &'static str,
    panics: fn() -> &'static str,
    told: &'static str,
}

/// It need not be a text. Whoever passes on what another job failed with may panic with a failure, or a box: it stays as it is.
const PAYLOADS: [Payload; 5] = [
    Payload { name: "a text", panics: || panic_on_purpose("no such page"), told: "no such page" },
    Payload { name: "a number", panics: || panic::resume_unwind(Box::new(404)), told: "404" },
    Payload {
        name: "the failure of a cancelled job",
        panics: || panic_on_purpose(Failure::Cancelled),
        told: "failure: cancelled",
    },
    Payload {
        name: "the failure of a job that panicked",
        panics: || panic_on_purpose(Failure::Panicked(Box::new(404))),
        told: "failure: panicked: 404",
    },
    Payload {
        name: "the payload of another panic, in a box",
        panics: || panic_on_purpose::<Box<dyn Any + Send>>(Box::new(404)),
        told: "boxed: 404",
    },
];

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a job that panics with {}", self.name)
    }
}

/// How an executor is dropped.
struct Drops {
    name: &'static str,
    drop: fn(Executor),
}

const DROPS: [Drops; 4] = [
    Drops { name: "an executor that is dropped", drop },
    Drops {
        name: "an executor that is dropped in a job of another one",
        drop: |one| executor(1).submit(move || drop(one)).result().expect("it returns"),
    },
    Drops {
        name: "an executor that is dropped while its thread panics",
        drop: |one| drop(panic::catch_unwind(AssertUnwindSafe(|| panic_with(one)))),
    },
    Drops {
        name: "an executor that is dropped while a job of another one panics",
        drop: |one| drop(executor(1).submit(|| panic_with(one)).result()),
    },
];

impl fmt::Display for Drops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A job, and a thing that is dropped with it. The only worker is busy until the job is handed over.
struct DroppedThing {
    name: &'static str,
    hand_over: fn(&Executor, Thing) -> Option<Future<()>>,
}

type Thing = Box<dyn Any + Send>;

const DROPPED_THINGS: [DroppedThing; 4] = [
    DroppedThing {
        name: "what a cancelled job has captured, with a future that is dropped",
        hand_over: |executor, thing| {
            cancelled_with(executor, thing);
            None
        },
    },
    DroppedThing {
        name: "what a cancelled job has captured, with a future that is kept",
        hand_over: |executor, thing| Some(cancelled_with(executor, thing)),
    },
    DroppedThing {
        name: "a result that nobody wants",
        hand_over: |executor, thing| {
            executor.submit(move || thing);
            // A worker may keep what it has done until it comes to the next one.
            executor.submit(|| ());
            None
        },
    },
    DroppedThing {
        name: "what a job panicked with, and nobody wants",
        hand_over: |executor, thing| {
            executor.submit(move || panic::resume_unwind(thing));
            executor.submit(|| ());
            None
        },
    },
];

impl fmt::Display for DroppedThing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

fn cancelled_with(executor: &Executor, thing: Thing) -> Future<()> {
    let future = executor.submit(move || drop(thing));
    assert!(future.cancel(), "it waits for its worker");
    future
}

/// Drops it while it panics.
fn panic_with(_dropped: Executor) {
    panic_on_purpose("it has an executor");
}

/// A limit that is never reached.
const PLENTY: Duration = Duration::from_secs(3600);

fn executor(workers: usize) -> Executor {
    Executor::new(NonZeroUsize::new(workers).expect("a test's executors have workers"))
}

/// A job that returns this name once the gate is open.
fn behind(gate: &Gate, name: &'static str) -> impl FnOnce() -> &'static str + Send + use<> {
    let gate = gate.clone();
    move || {
        gate.pass();
        name
    }
}

/// A job that notes this name, and returns it.
fn noting(log: &Log, name: &'static str) -> impl FnOnce() -> &'static str + Send + use<> {
    let log = log.clone();
    move || {
        log.note(name);
        name
    }
}

/// What has become of a future, in words.
fn told(result: Result<impl Into<String>, Failure>) -> String {
    match result {
        Ok(name) => name.into(),
        Err(Failure::Cancelled) => "cancelled".to_owned(),
        Err(Failure::Panicked(payload)) => format!("panicked: {}", payload_told(payload)),
    }
}

/// What a job panicked with, in words.
fn payload_told(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<Failure>() {
        Ok(failure) => format!("failure: {}", told(Err::<&str, _>(*failure))),
        Err(payload) => match payload.downcast::<Box<dyn Any + Send>>() {
            Ok(payload) => format!("boxed: {}", payload_told(*payload)),
            Err(payload) => {
                let literal = payload.downcast_ref::<&str>().map(ToString::to_string);
                let thrown = literal.or_else(|| payload.downcast_ref::<String>().cloned());
                let thrown = thrown.or_else(|| payload.downcast_ref::<i32>().map(ToString::to_string));
                thrown.unwrap_or_else(|| "something else".to_owned())
            }
        },
    }
}

fn next_result(completed: &mut AsCompleted<&str>) -> Option<String> {
    completed.next().map(|future| told(future.result()))
}

fn results<T: Into<String>>(futures: impl IntoIterator<Item = Future<T>>) -> Vec<String> {
    futures.into_iter().map(|future| told(future.result())).collect()
}

/// Waits, and sees that it was not the time that ended it. On schedules, time passes only when nothing else can happen.
fn in_time<T>(wait: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let waited = wait();
    assert!(begin.elapsed() < PLENTY, "nothing ended this wait but its limit");
    waited
}
