//! The contract of the kata `gather`, sentence by sentence. `README.md` has the same list.

#[path = "gather/contract.rs"]
mod contract;

use std::future::{Ready, pending, ready};
use std::panic::panic_any;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use contract::{Call, ENDLESS, Output, Trail, Work, caught, keeps_the_contract, on_one_thread, unwound};
use gather::{Panicked, first, gather, gather_bounded, gather_contained, gather_within, try_gather};
use kata::{Check, Gate, Rendezvous, check, on_schedules, panic_on_purpose};
use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::time::sleep;

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
    for_every_small_list(&[0, 2, ENDLESS].map(Call::Within));
}

#[test]
fn gather_bounded_keeps_to_its_places_and_limits() {
    for_every_small_list(
        &[(1, 0), (1, 2), (1, ENDLESS), (2, ENDLESS)].map(|(at_once, limit)| Call::Bounded(at_once, limit)),
    );
}

/// One call of each function.
const CALLS: [Call; 6] =
    [Call::Gather, Call::Contained, Call::Try, Call::First, Call::Within(ENDLESS), Call::Bounded(2, ENDLESS)];

/// Runs a body for each function, on a runtime whose two workers can run two tasks at the same time.
#[track_caller]
fn each_on_two_workers<B: Future<Output = ()>>(
    calls: impl IntoIterator<Item = Call>,
    body: impl Fn(Call) -> B + Send + Sync + 'static,
) {
    Check::new().each(calls, move |call| on_two_workers(body(*call)));
}

fn on_two_workers(body: impl Future<Output = ()>) {
    Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap().block_on(body);
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

/// Those that cancel what they don't need any more. The other one needs all.
const CANCELLING: [Call; 5] = [Call::Gather, Call::Try, Call::First, Call::Within(ENDLESS), Call::Bounded(2, ENDLESS)];

/// A future with which such a call is over.
fn decides(call: Call) -> Output {
    match call {
        Call::Try | Call::First => Err(1),
        _ => panic_on_purpose("a parcel was dropped"),
    }
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

#[test]
fn dropping_a_call_cancels_its_tasks() {
    each_on_two_workers(CALLS, |call| async move {
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
        drop(call);
        // Whoever runs on never comes here.
        gone.notified().await;
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
fn a_panic_goes_on_in_the_caller_with_its_payload() {
    check(|| {
        on_one_thread(async {
            for call in CANCELLING {
                let payload = unwound(call.perform(vec![Box::pin(async { panic_any(7_u8) })])).await.unwrap_err();
                assert_eq!(
                    payload.downcast_ref::<u8>(),
                    Some(&7),
                    "{call} panics with another payload than the future's"
                );
            }
        });
    });
}

#[test]
fn the_message_of_a_contained_panic_is_kept() {
    check(|| {
        on_one_thread(async {
            let parcels = |count: usize| async move {
                assert!(count < 2, "{count} parcels were dropped");
                if count == 1 {
                    panic_on_purpose("a parcel was dropped");
                }
                count
            };
            let seen = gather_contained([2, 1, 0].map(parcels).into()).await;
            let panicked = |message: &str| Err(Panicked(message.to_owned()));
            assert_eq!(seen, [panicked("2 parcels were dropped"), panicked("a parcel was dropped"), Ok(0)]);
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
                assert_eq!(
                    gather_bounded(vec![ready(7); count], usize::MAX, Duration::MAX).await,
                    vec![Some(7); count]
                );
            }
        });
    });
}
