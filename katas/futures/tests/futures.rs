//! The contract of the kata `futures`, sentence by sentence. `README.md` has the same list.

// In the stub a future has no `Drop`, and it need not have one.
#![allow(clippy::drop_non_drop)]

#[path = "futures/contract.rs"]
mod contract;

use std::any::Any;
use std::mem;
use std::num::NonZeroUsize;
use std::panic;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use futures::{AsCompleted, Executor, Failure, Future, Until, Waited, Within, as_completed, wait};
use kata::scenarios::every_small_program;
use kata::{Check, Gate, Log, Rendezvous, check, on_schedules, panic_on_purpose, until_blocked};

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
    check(|| {
        let executor = executor(1);
        let broken = executor.submit(|| -> &str { panic_on_purpose("no such page") });
        let next = executor.submit(|| "a page");
        assert_eq!(told(broken.result()), "panicked: no such page");
        assert_eq!(told(next.result()), "a page");
        // What is thrown need not be a text.
        let thrown = executor.submit(|| -> () { panic::resume_unwind(Box::new(404)) });
        let Err(Failure::Panicked(payload)) = thrown.result() else { panic!("the job has panicked") };
        assert_eq!(payload.downcast_ref(), Some(&404), "the job's own payload");
    });
}

#[test]
fn result_within_gives_the_future_back_when_the_time_is_up() {
    check(|| {
        let (executor, gate) = (executor(1), Gate::closed());
        let _open = gate.open_when_dropped();
        let future = match executor.submit(behind(&gate, "late")).result_within(MOMENT) {
            Within::TimeIsUp(future) => future,
            Within::Complete(result) => panic!("complete behind a closed gate: {}", told(result)),
        };
        gate.open();
        match future.result_within(PLENTY) {
            Within::Complete(result) => assert_eq!(told(result), "late"),
            Within::TimeIsUp(_) => panic!("not complete within {PLENTY:?}, though the gate is open"),
        }
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
        let broken = another.submit(|| panic_on_purpose("broken"));
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

/// The first of its futures is behind a gate. All others are complete, and more than a word has bits.
#[test]
#[ignore = "needs schedules: cargo xtask check futures a_limit_may_be_short_and_a_list_long"]
fn a_limit_may_be_short_and_a_list_long() {
    Check::new().schedules_only().daemons().run(|| {
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
    });
}

/// What it waits for never comes, and the other jobs take longer than it waits.
#[test]
#[ignore = "needs schedules: cargo xtask check futures a_job_that_waits_runs_no_other_one"]
fn a_job_that_waits_runs_no_other_one() {
    Check::new().schedules_only().daemons().run(|| {
        let (busy, one, owner) = (executor(1), executor(1), thread::current());
        busy.submit(|| Gate::closed().pass());
        let never = busy.submit(|| "never");
        let waits = one.submit(move || {
            until_blocked(&owner);
            let begin = Instant::now();
            drop(never.result_within(A_WHILE));
            begin.elapsed()
        });
        one.submit(|| thread::sleep(2 * A_WHILE));
        assert_eq!(waits.result().expect("it returns"), A_WHILE, "a job waits, and this is its limit");
        // Its worker stays behind the gate.
        mem::forget(busy);
    });
}

#[test]
fn as_completed_gives_each_future_as_soon_as_it_is_complete() {
    check(|| {
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
        assert_eq!(completed.next().map(|future| told(future.result())).as_deref(), Some("quick"));
        // Only now can the others complete. One worker runs them one after the other.
        meeting.meet();
        assert_eq!(results(completed), ["early", "late"]);
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
    check(|| {
        let (executor, log) = (executor(1), Log::new());
        // Its future is dropped at the end of the statement.
        executor.submit(noting(&log, "forgotten"));
        drop(as_completed(vec![executor.submit(noting(&log, "not asked for"))]));
        let kept = executor.submit(|| "kept");
        drop(executor);
        assert!(log.happened("forgotten"), "a job runs also if nobody wants its result");
        assert!(log.happened("not asked for"), "so it does if its future is dropped with the iterator");
        assert!(kept.is_done(), "dropping the executor waits for all of its jobs");
        assert_eq!(told(kept.result()), "kept");
        // Also in a job of another one.
        let outer = self::executor(1);
        let inner = outer.submit(|| {
            let inner = self::executor(1);
            let kept = inner.submit(|| "kept");
            drop(inner);
            kept.is_done()
        });
        assert!(inner.result().expect("it returns"), "dropped in a job, an executor waits for all of its own jobs");
    });
}

#[test]
fn what_a_job_drops_may_use_its_executor() {
    check(|| {
        let (executor, gate, log, dropped) = (Arc::new(executor(1)), Gate::closed(), Log::new(), Gate::closed());
        let _open = gate.open_when_dropped();
        executor.submit(behind(&gate, "busy"));
        let captured = WhenDropped({
            let (executor, log, dropped) = (Arc::clone(&executor), log.clone(), dropped.clone());
            Some(move || {
                executor.submit(noting(&log, "ran"));
                // The test drops the executor, not this.
                drop(executor);
                dropped.open();
            })
        });
        assert!(executor.submit(move || drop(captured)).cancel(), "it waits for its worker");
        gate.open();
        dropped.pass();
        drop(executor);
        assert_eq!(log.count("ran"), 1, "dropping the executor waits for all of its jobs");
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
/// Limits with a part that is less than a millisecond, less than a microsecond, and more than an `f32` can tell.
const LIMITS: [Duration; 3] = [Duration::from_micros(400), Duration::from_nanos(700), Duration::new(4, 7)];
/// More than a byte counts, and more than any machine has cores.
const MANY_WORKERS: usize = 257;
/// More than a byte counts.
const MANY_JOBS: usize = 300;

/// Calls this when it is dropped, as what a job has captured may do.
struct WhenDropped<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Drop for WhenDropped<F> {
    fn drop(&mut self) {
        if let Some(act) = self.0.take() {
            act();
        }
    }
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
        Err(Failure::Panicked(payload)) => match payload.downcast_ref::<&str>() {
            Some(message) => format!("panicked: {message}"),
            None => "panicked, but its payload was lost".to_owned(),
        },
    }
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
