//! The contract of the kata `gather`, sentence by sentence. `README.md` has the same list.

#[path = "gather/contract.rs"]
mod contract;

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::future::{Ready, pending, poll_fn, ready};
use std::mem::forget;
use std::panic::panic_any;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use contract::{
    Call, ENDLESS, FAR, LONG, Output, Trail, Work, caught, keeps_the_contract, on_one_thread, one_thread, unwound,
};
use gather::{Panicked, first, gather, gather_bounded, gather_contained, gather_within, try_gather};
use kata::{Check, EXPLORED, Gate, Peak, Rendezvous, boxed, check, on_schedules, panic_on_purpose};
use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;
use tokio::task::try_id;
use tokio::time::{sleep, timeout};

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is
/// compared with.
async fn _signatures(futures: Vec<Ready<Result<u8, u16>>>, limit: Duration) {
    let _: Vec<Result<u8, u16>> = gather(futures.clone()).await;
    let _: Vec<Result<Result<u8, u16>, Panicked>> = gather_contained(futures.clone()).await;
    let _: Result<Vec<u8>, u16> = try_gather(futures.clone()).await;
    let _: Option<Result<u8, u16>> = first(futures.clone()).await;
    let _: Vec<Option<Result<u8, u16>>> = gather_within(futures.clone(), limit).await;
    let _: Vec<Option<Result<u8, u16>>> = gather_bounded(futures, 1, limit).await;
    let _: String = Panicked(String::new()).0;
}

/// Tries a call with all small lists of futures. Each limit is a call of its own.
#[track_caller]
fn for_every_small_list(calls: &[Call]) {
    Check::new().each(contract::cases(calls), keeps_the_contract);
}

#[test]
fn gather_gives_all_outputs_in_the_order_of_the_futures() {
    for_every_small_list(&[Call::Gather]);
}

#[test]
fn gather_contained_gives_a_panic_in_its_place() {
    for_every_small_list(&[Call::Contained]);
}

#[test]
fn try_gather_ends_with_the_first_error() {
    for_every_small_list(&[Call::Try]);
}

#[test]
fn first_gives_the_output_of_the_first_that_ends() {
    for_every_small_list(&[Call::First]);
}

#[test]
fn gather_within_gives_what_has_come_in_time() {
    for_every_small_list(&[0, 2, FAR, ENDLESS].map(Call::Within));
}

#[test]
fn gather_bounded_keeps_to_its_places_and_limits() {
    let one = [0, 2, FAR, ENDLESS].map(|limit| Call::Bounded(1, limit));
    let two = [4, ENDLESS].map(|limit| Call::Bounded(2, limit));
    for_every_small_list(&[&one[..], &two].concat());
}

#[test]
fn a_place_is_free_when_its_future_is_gone() {
    use Does::{Blocks, Ends, Stays};
    // The time is the model's: a thread that sleeps costs nothing. So many tasks have more schedules than a learner waits for.
    let rows: &[&str] = if EXPLORED { &[NOT_BEFORE, BLOCKED, LATE, TWO_END, TWO_STAY] } else { &[NOT_BEFORE] };
    Check::new().schedules(6_000).each(rows.to_vec(), |row| match *row {
        BLOCKED => on_two_workers(who_blocks_keeps_its_place()),
        LATE => on_two_workers(four_in_two_places([Blocks, Stays, Stays, Stays], [(0, 3), (0, 2), (2, 4), (3, 5)])),
        TWO_END => on_two_workers(four_in_two_places([Ends, Ends, Stays, Stays], [(0, 1), (0, 1), (1, 3), (1, 3)])),
        TWO_STAY => on_two_workers(four_in_two_places([Stays; 4], [(0, 2), (0, 2), (2, 4), (2, 4)])),
        _ => on_two_workers(not_before_its_future_is_gone()),
    });
}

const NOT_BEFORE: &str = "two futures that come in one place after the other";
const BLOCKED: &str = "a future that blocks beyond its limit";
const LATE: &str = "two futures that start together, of which one blocks beyond its limit";
const TWO_END: &str = "two futures that end at the same time";
const TWO_STAY: &str = "two futures whose limits are over at the same time";

async fn not_before_its_future_is_gone() {
    let inside = Peak::new();
    let never = |inside: Peak| async move {
        let _inside = inside.enter();
        pending::<()>().await;
    };
    let futures = vec![never(inside.clone()), never(inside.clone())];
    assert_eq!(gather_bounded(futures, 1, Duration::from_millis(1)).await, [None, None]);
    assert_eq!(inside.highest(), 1, "one has begun in a place whose last future was still there");
}

/// The limit of the first is over, and it still blocks its thread: of two places one is left, for one after the other.
async fn who_blocks_keeps_its_place() {
    let (inside, begun) = (Peak::new(), Instant::now());
    let ended = Arc::new(Mutex::new(Duration::ZERO));
    let lasts = |millis| {
        let (inside, ended) = (inside.clone(), Arc::clone(&ended));
        async move {
            let _inside = inside.enter();
            sleep(Duration::from_millis(millis)).await;
            *ended.lock().unwrap() = begun.elapsed();
            Ok(0)
        }
    };
    let blocking = inside.clone();
    let blocks = async move {
        let _inside = blocking.enter();
        thread::sleep(Duration::from_secs(LONG));
        pending().await
    };
    let futures: Vec<Work> = vec![
        Box::pin(blocks),
        Box::pin(lasts(1_000)),
        Box::pin(lasts(1_500)),
        Box::pin(lasts(500)),
        Box::pin(lasts(500)),
    ];
    let outputs = gather_bounded(futures, 2, Duration::from_secs(2)).await;
    let in_time = outputs.iter().map(Option::is_some);
    assert!(in_time.eq([false, true, true, true, true]), "one blocks for longer than its limit: {outputs:?}");
    assert_eq!(inside.highest(), 2, "futures under way in two places, one of which has a future that blocks");
    let ended = *ended.lock().unwrap();
    // In whatever order they start: the other place was never empty.
    assert!(
        ended <= Duration::from_millis(3_500),
        "the others had one place, and the last one has ended after {ended:?}"
    );
}

/// What a future does, which has 2 s for that.
#[derive(Clone, Copy)]
enum Does {
    Ends,
    Stays,
    Blocks,
}

/// Each of the four, in the order in which they start, is there from and to such a second.
async fn four_in_two_places(they_do: [Does; 4], there: [(u64, u64); 4]) {
    let begun = Instant::now();
    let stays = Arc::new(Mutex::new([None; 4]));
    let future = |number| {
        let stays = Arc::clone(&stays);
        async move {
            let _stay = Stay { number, begun, from: begun.elapsed(), stays };
            match they_do[number] {
                Does::Ends => sleep(Duration::from_secs(1)).await,
                Does::Stays => pending().await,
                Does::Blocks => {
                    // Not at once: a limit may begin with the first `.await`.
                    sleep(Duration::from_secs(1)).await;
                    thread::sleep(Duration::from_secs(2));
                    pending().await
                }
            }
            Ok(number)
        }
    };
    let futures = [0, 1, 2, 3].map(|number| Box::pin(future(number)) as Work);
    gather_bounded(in_the_order_of_their_starts(futures.into()), 2, Duration::from_secs(2)).await;
    let there = there.map(|(from, to)| Some((Duration::from_secs(from), Duration::from_secs(to))));
    let stays = *stays.lock().unwrap();
    assert_eq!(stays, there, "from when to when each was there, with 2 s for each in two places");
}

/// From when to when a future was there.
type There = Option<(Duration, Duration)>;

/// Tells that of its future.
struct Stay {
    number: usize,
    begun: Instant,
    from: Duration,
    stays: Arc<Mutex<[There; 4]>>,
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.stays.lock().unwrap()[self.number] = Some((self.from, self.begun.elapsed()));
    }
}

/// Futures that do what these do, whichever of them starts first: it does what the first of these does.
fn in_the_order_of_their_starts(futures: Vec<Work>) -> Vec<Work> {
    let count = futures.len();
    let left = Arc::new(Mutex::new(VecDeque::from(futures)));
    let takes_the_next = |left: Arc<Mutex<VecDeque<Work>>>| async move {
        let next = left.lock().unwrap().pop_front();
        next.expect("each of them starts once").await
    };
    (0..count).map(|_| Box::pin(takes_the_next(Arc::clone(&left))) as Work).collect()
}

/// On schedules it would be one for each order in which so many tasks run.
#[test]
fn a_list_may_be_long() {
    let bounded = [256, 300].map(|at_once| Call::Bounded(at_once, ENDLESS));
    let calls = [&CALLS[..5], &bounded].concat();
    Check::new().threads_only().each(contract::long_cases(&calls), keeps_the_contract);
}

/// One call of each function.
const CALLS: [Call; 6] =
    [Call::Gather, Call::Contained, Call::Try, Call::First, Call::Within(ENDLESS), Call::Bounded(2, ENDLESS)];

/// Runs a body for each function or case, on a runtime whose two workers can run two tasks at the same time.
#[track_caller]
fn each_on_two_workers<C: Copy + fmt::Display + Send + Sync + 'static, B: Future<Output = ()>>(
    cases: impl IntoIterator<Item = C>,
    body: impl Fn(C) -> B + Send + Sync + 'static,
) {
    Check::new().each(cases, move |case| on_two_workers(body(*case)));
}

fn on_two_workers(body: impl Future<Output = ()>) {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap()
        .block_on(boxed(beside_new_tasks(boxed(body))));
}

/// On threads, a few new tasks come while the body waits. tokio promises no more than that each task is run if none blocks: a worker
/// may block while the next task is in its queue, and the other worker, which was about to fall asleep when that one came, sleeps on.
/// A new task wakes it, and it looks for more.
async fn beside_new_tasks(body: impl Future<Output = ()>) {
    let mut body = pin!(body);
    for millis in [1, 10, 100] {
        if EXPLORED {
            break;
        }
        if timeout(Duration::from_millis(millis), &mut body).await.is_ok() {
            return;
        }
        tokio::spawn(ready(()));
    }
    body.await;
}

#[test]
fn each_future_runs_in_a_task_of_its_own() {
    each_on_two_workers(CALLS, |call| async move {
        let rendezvous = Rendezvous::of(2);
        // It blocks its thread until both are here. Two futures of one task never are.
        let meets = |place| {
            let rendezvous = rendezvous.clone();
            async move {
                rendezvous.meet();
                Ok(place)
            }
        };
        call.perform([0, 1].map(|place: usize| Box::pin(meets(place)) as Work).into()).await;
    });
}

#[test]
fn no_future_shares_its_task() {
    let calls = CALLS.into_iter().chain([Call::Bounded(1, ENDLESS)]);
    Check::new().each(calls.flat_map(|call| [1, 3].map(|given| With { call, given })), |With { call, given }| {
        on_one_thread(async {
            // Each has a place of its own, so that futures don't meet there.
            let told: Vec<_> = (0..*given).map(|_| Arc::new(Mutex::new(None))).collect();
            let tells = |(place, told): (usize, &Arc<Mutex<_>>)| {
                let told = Arc::clone(told);
                Box::pin(async move {
                    *told.lock().unwrap() = Some(try_id());
                    Ok(place)
                }) as Work
            };
            call.perform(told.iter().enumerate().map(tells).collect()).await;
            // `first` may have cancelled some before they began.
            let mut tasks: Vec<_> = told.iter().filter_map(|told| *told.lock().unwrap()).collect();
            assert!(!tasks.contains(&None), "the caller has polled a future itself, in no task");
            let begun = tasks.len();
            tasks.sort_by_cached_key(|task| task.map(|task| task.to_string()));
            tasks.dedup();
            assert_eq!(tasks.len(), begun, "tasks for so many futures");
        });
    });
}

/// A call, and what its futures or its caller are or do.
#[derive(Clone, Copy)]
struct With<T> {
    call: Call,
    given: T,
}

impl<T: fmt::Display> fmt::Display for With<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and {}", self.call, self.given)
    }
}

/// Those that cancel what they don't need any more. The other one needs all.
const CANCELLING: [Call; 5] = [Call::Gather, Call::Try, Call::First, Call::Within(ENDLESS), Call::Bounded(2, ENDLESS)];

/// A future with which such a call is over.
fn decides(call: Call) -> Output {
    match call {
        Call::Try | Call::First => Err(1),
        _ => panic_on_purpose("a parcel was dropped"),
    }
}

async fn decides_after(call: Call, seconds: u64) -> Output {
    sleep(Duration::from_secs(seconds)).await;
    decides(call)
}

/// What comes of the call then.
fn decided(call: Call) -> &'static str {
    match call {
        Call::Try => "Err(1)",
        Call::First => "Some(Err(1))",
        _ => "a panic with: a parcel was dropped",
    }
}

#[test]
fn when_a_call_is_over_all_its_tasks_have_ended() {
    each_on_two_workers(CANCELLING, |call| async move {
        let trail = Trail::default();
        let mark = trail.of_future();
        let never = async move {
            let _mark = mark;
            pending().await
        };
        let seen = caught(call.perform(vec![Box::pin(never), Box::pin(async move { decides(call) })])).await;
        assert_eq!(seen, decided(call));
        assert!(!trail.is_there(), "the call is over, and one of its futures is still there");
    });
}

/// On a runtime with one thread, what is only cancelled is still there: it is gone when somebody has waited for it.
#[test]
fn no_task_of_its_own_is_left_when_a_call_is_over() {
    let calls =
        [&CALLS[..], &[Call::Within(LONG), Call::Bounded(1, LONG), Call::Within(FAR), Call::Bounded(1, FAR)]].concat();
    Check::new().threads_only().each(calls, |call| {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(boxed(async {
            call.perform(vec![Box::pin(ready(Ok(0))), Box::pin(ready(Ok(1)))]).await;
            assert_eq!(Handle::current().metrics().num_alive_tasks(), 0, "tasks that are left");
        }));
    });
}

#[test]
fn also_a_future_that_has_given_its_output_is_gone() {
    each_on_two_workers(CALLS, |call| async move {
        let trail = Trail::default();
        let mark = trail.of_future();
        // What an `async` block has is gone with its last line. This future has it until it is dropped.
        let gives = poll_fn(move |_| {
            let _ = &mark;
            Poll::Ready(Ok(0))
        });
        call.perform(vec![Box::pin(gives)]).await;
        assert!(!trail.is_there(), "the call is over, and its future is still there");
    });
}

#[test]
fn a_task_that_blocks_is_waited_for() {
    each_on_two_workers(CANCELLING, |call| async move {
        let (gate, trail) = (Gate::closed(), Trail::default());
        let (mark, opens) = (trail.of_future(), gate.clone());
        // It blocks its thread. Nobody can stop it before it is through.
        let blocks = async move {
            let _mark = mark;
            gate.pass();
            Ok(0)
        };
        let other = async move {
            // Nothing wakes this one. A worker would run itself what its task has woken last, and it is blocked.
            opens.open();
            decides(call)
        };
        let seen = caught(call.perform(vec![Box::pin(blocks), Box::pin(other)])).await;
        // It may be the first that ends.
        assert!(seen == decided(call) || call == Call::First && seen == "Some(Ok(0))", "it gave {seen}");
        assert!(!trail.is_there(), "the call is over, and one of its futures is still there");
    });
}

/// The time is the model's: also a thread that sleeps costs nothing.
#[test]
#[ignore = "needs schedules: cargo xtask check gather a_panic_in_time_is_not_lost_while_others_end"]
fn a_panic_in_time_is_not_lost_while_others_end() {
    on_schedules(|| {
        on_two_workers(async {
            let limit = 2;
            let seconds = |seconds| async move {
                // It blocks its thread, so it can't be cancelled before the limit is over.
                thread::sleep(Duration::from_secs(seconds));
                Ok(0)
            };
            let panics = async {
                sleep(Duration::from_secs(1)).await;
                panic_on_purpose("a parcel was dropped")
            };
            let call = Call::Within(limit).perform(vec![Box::pin(seconds(3)), Box::pin(panics)]);
            assert_eq!(caught(call).await, decided(Call::Within(limit)), "the limit was over after the panic");
        });
    });
}

/// A call that is over since one has ended, while another one blocks its thread for a long time. What comes of that one?
#[derive(Clone, Copy)]
struct Late {
    call: Call,
    first: Came,
    late: Came,
}

#[derive(Clone, Copy)]
enum Came {
    Output,
    Error,
    Panic,
}

impl Came {
    fn come(self, number: usize) -> Output {
        match self {
            Came::Output => Ok(number),
            Came::Error => Err(number),
            Came::Panic if number == 1 => panic_on_purpose("the first parcel was dropped"),
            Came::Panic => panic_on_purpose("another parcel was dropped"),
        }
    }
}

impl Late {
    /// What comes of it: that of the first, which is number 1.
    fn expected(self) -> &'static str {
        match (self.call, self.first) {
            (_, Came::Panic) => "a panic with: the first parcel was dropped",
            (Call::Try, _) => "Err(1)",
            (_, Came::Output) => "Some(Ok(1))",
            (_, Came::Error) => "Some(Err(1))",
        }
    }
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |came| match came {
            Came::Output => "an output",
            Came::Error => "an error",
            Came::Panic => "a panic",
        };
        write!(f, "{} that is over with {}, and {} later", self.call, told(self.first), told(self.late))
    }
}

/// The time is the model's: also a thread that sleeps costs nothing.
#[test]
#[ignore = "needs schedules: cargo xtask check gather what_comes_after_the_end_is_lost"]
fn what_comes_after_the_end_is_lost() {
    use Came::{Error, Output, Panic};
    let of = |call, pairs: &[(Came, Came)]| -> Vec<Late> {
        pairs.iter().map(|&(first, late)| Late { call, first, late }).collect()
    };
    let cases = CANCELLING.into_iter().flat_map(|call| match call {
        Call::Try => of(call, &[(Error, Error), (Error, Panic), (Panic, Error), (Panic, Panic)]),
        Call::First => of(call, &[(Output, Output), (Output, Panic), (Panic, Output), (Panic, Panic)]),
        _ => of(call, &[(Panic, Panic)]),
    });
    Check::new().schedules_only().no_spurious_wakeups().each(cases, |case| {
        let Late { call, first, late } = *case;
        on_two_workers(async move {
            let trail = Trail::default();
            let blocks = blocks_long(&trail, late);
            let futures: Vec<Work> = vec![Box::pin(blocks), Box::pin(comes_soon(first))];
            assert_eq!(caught(call.perform(futures)).await, case.expected());
            assert!(!trail.is_there(), "the call is over, and one of its futures is still there");
        });
    });
}

/// It blocks its thread, so it can't be cancelled before.
fn blocks_long(trail: &Trail, then: Came) -> impl Future<Output = Output> + use<> {
    let mark = trail.of_future();
    async move {
        let _mark = mark;
        thread::sleep(Duration::from_secs(LONG));
        then.come(2)
    }
}

async fn comes_soon(came: Came) -> Output {
    sleep(Duration::from_secs(1)).await;
    came.come(1)
}

/// A call of three futures, one of which blocks its thread. Who cancels one after the other may begin with the first or with
/// the last.
struct Blocked {
    call: Call,
    is_first: bool,
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = if self.is_first { "first" } else { "last" };
        write!(f, "{} and 3 futures, of which the {which} one blocks", self.call)
    }
}

/// The time is the model's here, too.
#[test]
#[ignore = "needs schedules: cargo xtask check gather nobody_runs_on_while_one_is_waited_for"]
fn nobody_runs_on_while_one_is_waited_for() {
    // With two places, the third may just have got that of the one that panics, and is not needed either.
    let bounded = [2, 3].map(|at_once| Call::Bounded(at_once, ENDLESS));
    let calls = [&CANCELLING[..4], &bounded].concat();
    let cases = calls.into_iter().flat_map(|call| [true, false].map(|is_first| Blocked { call, is_first }));
    Check::new().schedules_only().no_spurious_wakeups().each(cases, |case| {
        let Blocked { call, is_first } = *case;
        on_two_workers(async move {
            let (blocks, runs_on) = (Trail::default(), Trail::default());
            let other = runs_on.clone();
            let would_run_on = async move {
                sleep(Duration::from_secs(2)).await;
                // It is there for ever, if it comes here.
                forget(other.of_future());
                pending().await
            };
            let blocks = blocks_long(&blocks, Came::Output);
            let mut futures: Vec<Work> =
                vec![Box::pin(blocks), Box::pin(decides_after(call, 1)), Box::pin(would_run_on)];
            if call == Call::Bounded(2, ENDLESS) {
                if !is_first {
                    futures.swap(0, 1);
                }
                futures = in_the_order_of_their_starts(futures);
            } else if !is_first {
                futures.reverse();
            }
            assert_eq!(caught(call.perform(futures)).await, decided(call));
            assert!(!runs_on.is_there(), "one ran on, while the call waited for the end of another one");
        });
    });
}

#[test]
fn dropping_a_call_cancels_its_tasks() {
    const PANICS: &str = "a caller that panics";
    let callers = ["a caller that drops it", PANICS];
    let cases = CALLS.into_iter().flat_map(|call| callers.map(|given| With { call, given }));
    each_on_two_workers(cases, |With { call, given }| async move {
        let (begun, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (begins, goes) = (Arc::clone(&begun), Notifies(Arc::clone(&gone)));
        let never = async move {
            let _goes = goes;
            begins.notify_one();
            pending().await
        };
        let mut call = Box::pin(call.perform(vec![Box::pin(never)]));
        tokio::select! {
            biased;
            _ = &mut call => panic!("a call has an end, and its future has none"),
            () = begun.notified() => {}
        }
        if given == PANICS {
            let panics = async move {
                let _call = call;
                panic_on_purpose("the caller has no time")
            };
            caught(panics).await;
        } else {
            drop(call);
        }
        // Whoever runs on never comes here.
        gone.notified().await;
    });
}

/// On threads, too, the clock stands still until nobody can go on.
#[test]
fn a_call_may_be_dropped_outside_of_its_runtime() {
    Check::new().each(CALLS, |call| {
        let (begun, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (begins, goes) = (Arc::clone(&begun), Notifies(Arc::clone(&gone)));
        let never = async move {
            let _goes = goes;
            begins.notify_one();
            pending().await
        };
        let runtime = one_thread();
        let mut call = Box::pin(call.perform(vec![Box::pin(never)]));
        runtime.block_on(async {
            tokio::select! {
                biased;
                _ = &mut call => panic!("a call has an end, and its future has none"),
                () = begun.notified() => {}
            }
        });
        drop(call);
        // Whoever runs on never comes here.
        runtime.block_on(gone.notified());
    });
}

/// Tells that it was dropped.
struct Notifies(Arc<Notify>);

impl Drop for Notifies {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[test]
fn calls_do_not_wait_for_each_other() {
    let calls = CALLS.into_iter().chain([Call::Bounded(1, ENDLESS)]);
    let waits = calls.map(|call| With { call, given: "a future that waits for another call" });
    // Time is exact only where it is the model's.
    let blocks = CANCELLING.iter().filter(|_| EXPLORED).map(|call| With { call: *call, given: BLOCKS });
    Check::new().no_spurious_wakeups().each(waits.chain(blocks), |With { call, given }| {
        let call = *call;
        if *given == BLOCKS {
            return on_two_workers(two_calls_that_cancel(call));
        }
        on_one_thread(async {
            let over = Arc::new(Notify::new());
            let awaited = Arc::clone(&over);
            let waits = async move {
                awaited.notified().await;
                Ok(0)
            };
            let other = async {
                call.perform(vec![Box::pin(ready(Ok(1)))]).await;
                over.notify_one();
            };
            tokio::join!(call.perform(vec![Box::pin(waits)]), other);
        });
    });
}

const BLOCKS: &str = "a future that blocks while it is cancelled";

/// The first has to wait for a future that blocks, and the other one has not.
async fn two_calls_that_cancel(call: Call) {
    let begun = Instant::now();
    let trail = Trail::default();
    let late = call.perform(vec![Box::pin(blocks_long(&trail, Came::Output)), Box::pin(decides_after(call, 1))]);
    let other = async {
        let seen = caught(call.perform(vec![Box::pin(pending()), Box::pin(decides_after(call, 2))])).await;
        (seen, begun.elapsed())
    };
    let (_, other) = tokio::join!(caught(late), other);
    let expected = (decided(call).to_owned(), Duration::from_secs(2));
    assert_eq!(other, expected, "what came of a call, and after how long, while another one waited for its end");
}

#[test]
fn a_call_may_go_from_one_task_to_another() {
    // What ends the last ones is their limit.
    let limited = [Call::Within(2), Call::Bounded(2, 2)];
    let waits = CALLS.into_iter().chain(limited).map(|call| With { call, given: "a future that waits" });
    let blocks = CANCELLING.into_iter().chain(limited).filter(|_| EXPLORED).map(|call| With { call, given: BLOCKS });
    Check::new().no_spurious_wakeups().each(waits.chain(blocks), move |With { call, given }| {
        if *given == BLOCKS {
            return on_two_workers(goes_while_it_cancels(*call));
        }
        on_one_thread(async {
            let go = Arc::new(Notify::new());
            let awaited = Arc::clone(&go);
            let waits = async move {
                awaited.notified().await;
                Ok(0)
            };
            let is_limited = limited.contains(call);
            let begun = tokio::time::Instant::now();
            let mut call = pin!(call.perform(vec![Box::pin(waits)]));
            // Whoever polls it first has lost interest when it is over.
            assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            if is_limited {
                sleep(Duration::from_secs(1)).await;
            } else {
                go.notify_one();
            }
            call.await;
            if is_limited {
                assert_eq!(begun.elapsed().as_secs(), 2, "seconds with a limit of 2, of which 1 was over when it went");
            }
        });
    });
}

/// It goes to another task when it waits for the end of a future, and nothing else.
async fn goes_while_it_cancels(call: Call) {
    let trail = Trail::default();
    let mut futures: Vec<Work> = vec![Box::pin(blocks_long(&trail, Came::Output))];
    if CANCELLING.contains(&call) {
        futures.push(Box::pin(decides_after(call, 1)));
    }
    let mut call = pin!(caught(call.perform(futures)));
    let mut nobody = Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(&mut nobody).is_pending());
    sleep(Duration::from_secs(3)).await;
    assert!(call.as_mut().poll(&mut nobody).is_pending(), "the call is over, and one of its futures still blocks");
    call.await;
}

#[test]
fn a_panic_goes_on_in_the_caller_with_its_payload() {
    // The number is of the same type as an error of these futures, and is none.
    let payloads = ["a number", "a text", "a text of its own", "a payload of another panic"];
    let cases = CANCELLING.into_iter().flat_map(|call| payloads.map(|given| With { call, given }));
    Check::new().each(cases, |With { call, given }| {
        on_one_thread(async {
            match *given {
                "a number" => is_passed_on(*call, 7_usize).await,
                "a text" => is_passed_on(*call, *given).await,
                "a payload of another panic" => {
                    let payload: Box<dyn Any + Send> = Box::new(7_usize);
                    let passed_on = panic_of(*call, payload).await;
                    assert!(passed_on.is::<Box<dyn Any + Send>>(), "{call} panics with what was in the box");
                }
                _ => is_passed_on(*call, (*given).to_owned()).await,
            }
        });
    });
}

/// What a call panics with whose future panics with this.
async fn panic_of(call: Call, payload: impl Any + Send) -> Box<dyn Any + Send> {
    unwound(call.perform(vec![Box::pin(async { panic_any(payload) })])).await.unwrap_err()
}

/// A call of a future that panics with this panics with this.
async fn is_passed_on<P: Any + Clone + PartialEq + fmt::Debug + Send>(call: Call, payload: P) {
    let passed_on = panic_of(call, payload.clone()).await;
    assert_eq!(passed_on.downcast_ref(), Some(&payload), "{call} panics with another payload than the future's");
}

#[test]
fn a_panic_without_a_text_is_contained() {
    check(|| {
        on_one_thread(async {
            let panics: Work = Box::pin(async { panic_any(7_usize) });
            let seen = gather_contained(vec![panics, Box::pin(ready(Ok(1)))]).await;
            assert!(matches!(seen[..], [Err(_), Ok(Ok(1))]), "a panic and an output gave {seen:?}");
        });
    });
}

#[test]
fn the_message_of_a_contained_panic_is_kept() {
    // More than a byte counts.
    let long = "long ".repeat(60);
    let messages = ["2 parcels were dropped", "", " two\nlines \n", long.leak()];
    Check::new().each(messages, |message| {
        on_one_thread(async {
            let message: &'static str = message;
            // `panic!` makes a `&str` of a plain text, and a `String` of one with values in it.
            let parcels = |count: usize| async move {
                match count {
                    0 => count,
                    1 => panic_on_purpose("a parcel was dropped"),
                    2 => panic_any(message),
                    _ => panic_any(message.to_owned()),
                }
            };
            let seen = gather_contained([3, 1, 2, 0].map(parcels).into()).await;
            let panicked = |message: &str| Err(Panicked(message.to_owned()));
            assert_eq!(seen, [panicked(message), panicked("a parcel was dropped"), panicked(message), Ok(0)]);
        });
    });
}

#[test]
fn gather_bounded_needs_a_place_and_may_have_many() {
    check(|| {
        on_one_thread(async {
            for count in [0, 1] {
                let futures = vec![ready(7); count];
                assert!(
                    unwound(gather_bounded(futures, 0, Duration::MAX)).await.is_err(),
                    "no place for {count} futures"
                );
                // Of the smaller one, every smaller type of numbers would leave nothing.
                for at_once in [1 << (usize::BITS - 1), usize::MAX] {
                    let outputs = gather_bounded(vec![ready(7); count], at_once, Duration::MAX).await;
                    assert_eq!(outputs, vec![Some(7); count], "{at_once} places");
                }
            }
        });
    });
}
