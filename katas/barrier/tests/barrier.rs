//! The contract of the kata `barrier`, sentence by sentence. `README.md` has the same list.

#[path = "barrier/contract.rs"]
mod contract;

use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use barrier::{Barrier, Broken, Party};
use kata::scenarios::every_small_program;
use kata::{a_while_passes, check, on_schedules, start};

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is
/// compared with.
fn _signatures(barrier: &Barrier, party: &Party<'_>) {
    let _: fn(NonZeroUsize) -> Barrier = Barrier::new;
    let _: Party<'_> = barrier.party();
    let _: fn(&Barrier) -> bool = Barrier::is_broken;
    let _: fn(&Barrier) = Barrier::reset;
    let _: [Result<bool, Broken>; 2] = [party.wait(), party.wait_timeout(Duration::ZERO)];
    // A constant is a pattern only if its type derives `PartialEq`.
    const BROKEN: Broken = Broken;
    let _ = |broken| match broken {
        BROKEN => (),
    };
}

#[test]
fn nobody_goes_on_before_all_are_here() {
    check(|| {
        let (barrier, here) = (barrier_for(3), AtomicUsize::new(0));
        thread::scope(|scope| {
            for name in ["party 1", "party 2", "party 3"] {
                start(scope, name, || {
                    here.fetch_add(1, SeqCst);
                    barrier.party().wait().expect("nobody breaks it");
                    assert_eq!(here.load(SeqCst), 3, "parties that were here before this one went on");
                });
            }
        });
    });
}

#[test]
fn every_round_has_one_leader_and_the_next_may_begin_at_once() {
    check(|| {
        let barrier = barrier_for(2);
        let rounds = thread::scope(|scope| {
            let three_times = || {
                let party = barrier.party();
                [(); 3].map(|()| party.wait().expect("nobody breaks it"))
            };
            let other = start(scope, "other party", three_times);
            [three_times(), other.join().unwrap()]
        });
        for round in 0..3 {
            let leaders = rounds.iter().filter(|leads| leads[round]).count();
            assert_eq!(leaders, 1, "leaders of round {}", round + 1);
        }
    });
}

#[test]
fn one_party_waits_for_nobody() {
    check(|| {
        let barrier = barrier_for(1);
        let party = barrier.party();
        assert_eq!([party.wait(), party.wait(), party.wait_timeout(Duration::ZERO)], [Ok(true); 3]);
    });
}

/// The time is the model's: sleeping costs nothing, and limits are met to the nanosecond.
#[test]
#[ignore = "needs schedules: cargo xtask check barrier whoever_gives_up_breaks_the_barrier_for_all"]
fn whoever_gives_up_breaks_the_barrier_for_all() {
    on_schedules(|| {
        let (barrier, limit) = (barrier_for(3), Duration::new(4, 7));
        thread::scope(|scope| {
            let other = start(scope, "other party", || barrier.party().wait());
            let begin = Instant::now();
            assert_eq!(barrier.party().wait_timeout(limit), Err(Broken), "the third has not come");
            assert_eq!(begin.elapsed(), limit);
            assert_eq!(other.join().unwrap(), Err(Broken), "the other waits in vain");
        });
        assert!(barrier.is_broken());
        assert_eq!(barrier.party().wait(), Err(Broken), "it stays broken");
        assert!(!barrier_for(3).is_broken(), "this is another barrier");
    });
}

#[test]
fn a_limit_may_be_zero_or_have_no_end() {
    check(|| {
        let barrier = barrier_for(2);
        thread::scope(|scope| {
            let other = start(scope, "other party", || barrier.party().wait_timeout(Duration::MAX));
            let own = barrier.party().wait();
            assert_ne!(own, other.join().unwrap(), "one leads, and the other doesn't");
        });
        assert_eq!(barrier.party().wait_timeout(Duration::ZERO), Err(Broken), "nobody else is here");
        assert!(barrier.is_broken(), "whoever gives up breaks it, however short the limit");
    });
}

#[test]
fn a_party_that_panics_breaks_the_barrier_and_one_that_ends_well_does_not() {
    check(|| {
        let barrier = barrier_for(2);
        {
            let _party = barrier.party();
        }
        assert!(!barrier.is_broken(), "nothing has happened");
        thread::scope(|scope| {
            let waiter = start(scope, "waiter", || barrier.party().wait());
            // Whoever has the party takes part, and not whoever has called `party`.
            let party = barrier.party();
            let panics = start(scope, "panics", || {
                let _party = party;
                panic::panic_any("burnt");
            });
            assert!(panics.join().is_err());
            assert_eq!(waiter.join().unwrap(), Err(Broken));
        });
        assert!(barrier.is_broken());
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check barrier reset_mends_the_barrier_and_whoever_waits_is_told_that_it_broke"]
fn reset_mends_the_barrier_and_whoever_waits_is_told_that_it_broke() {
    on_schedules(|| {
        let barrier = barrier_for(2);
        thread::scope(|scope| {
            let waiter = start(scope, "waiter", || barrier.party().wait());
            // Time passes when nobody can go on: the other waits now.
            a_while_passes();
            assert_eq!(barrier_for(1).party().wait(), Ok(true), "nobody waits at this other barrier");
            barrier.reset();
            assert_eq!(waiter.join().unwrap(), Err(Broken));
        });
        thread::scope(|scope| {
            // Its limit is over at the moment of the reset.
            let waiter = start(scope, "waiter", || barrier.party().wait_timeout(Duration::from_secs(2)));
            a_while_passes();
            barrier.reset();
            assert_eq!(waiter.join().unwrap(), Err(Broken));
        });
        assert!(!barrier.is_broken(), "the limit of the round before breaks nothing any more");
        let broken = panic::catch_unwind(AssertUnwindSafe(|| {
            let _party = barrier.party();
            panic::panic_any("burnt");
        }));
        assert!(broken.is_err() && barrier.is_broken());
        barrier.reset();
        assert!(!barrier.is_broken());
        thread::scope(|scope| {
            let other = start(scope, "other party", || barrier.party().wait());
            let outcomes = [barrier.party().wait(), other.join().unwrap()];
            assert!(outcomes.contains(&Ok(true)) && outcomes.contains(&Ok(false)), "a round of two: {outcomes:?}");
        });
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check barrier what_became_of_a_round_stays_as_it_is"]
fn what_became_of_a_round_stays_as_it_is() {
    on_schedules(|| {
        let barrier = barrier_for(2);
        thread::scope(|scope| {
            let slow = start(scope, "slow party", || barrier.party().wait());
            a_while_passes();
            let fast = barrier.party();
            let leads = fast.wait().expect("both are here");
            assert_eq!(fast.wait_timeout(Duration::ZERO), Err(Broken), "the next round breaks");
            assert_eq!(slow.join().unwrap(), Ok(!leads), "the round before was complete");
        });
        barrier.reset();
        thread::scope(|scope| {
            let slow = start(scope, "slow party", || barrier.party().wait());
            a_while_passes();
            barrier.reset();
            let next = start(scope, "next party", || barrier.party().wait());
            barrier.party().wait().expect("a new round");
            assert_eq!(slow.join().unwrap(), Err(Broken), "the round before was broken");
            assert!(next.join().unwrap().is_ok());
        });
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check barrier every_small_program_of_calls_keeps_the_contract"]
fn every_small_program_of_calls_keeps_the_contract() {
    every_small_program(contract::BarrierContract);
}

fn barrier_for(parties: usize) -> Barrier {
    Barrier::new(NonZeroUsize::new(parties).expect("a test's parties are not zero"))
}
