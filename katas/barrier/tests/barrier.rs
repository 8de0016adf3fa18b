//! The contract of the kata `barrier`, sentence by sentence. `README.md` has the same list.

#[path = "barrier/contract.rs"]
mod contract;

use std::fmt::{self, Display};
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use barrier::{Barrier, Broken, Party};
use kata::scenarios::every_small_program;
use kata::{AGES, Check, EXPLORED, a_while_passes, check, on_schedules, start, when_dropped};

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
            // Whoever has a party takes part, and not whoever has called `party`.
            for (name, party) in ["party 1", "party 2", "party 3"].map(|name| (name, barrier.party())) {
                let here = &here;
                start(scope, name, move || {
                    here.fetch_add(1, SeqCst);
                    party.wait().expect("nobody breaks it");
                    assert_eq!(here.load(SeqCst), 3, "parties that were here before this one went on");
                });
            }
        });
    });
}

#[test]
fn every_round_has_one_leader_and_the_next_may_begin_at_once() {
    const OF_TWO: &str = "three rounds of two parties";
    const OF_THREE: &str = "two rounds of three parties";
    Check::new().each([OF_TWO, OF_THREE], |which| {
        let (parties, rounds) = if *which == OF_TWO { (2, 3) } else { (3, 2) };
        let barrier = barrier_for(parties);
        let waits = || {
            let party = barrier.party();
            Vec::from_iter((0..rounds).map(|_| party.wait().expect("nobody breaks it")))
        };
        let leads = thread::scope(|scope| {
            let others = Vec::from_iter((1..parties).map(|_| start(scope, "other party", waits)));
            let own = waits();
            Vec::from_iter(others.into_iter().map(|other| other.join().unwrap()).chain([own]))
        });
        for round in 0..rounds {
            let leaders = leads.iter().filter(|leads| leads[round]).count();
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
    const AT_ONCE: &str = "all come at once";
    const LAST: &str = "whoever has least time comes last";
    const FOR_AGES: &str = "all come at once, and have time for ages";
    Check::new().schedules_only().each([AT_ONCE, LAST, FOR_AGES], |which| {
        let (barrier, limit) = (barrier_for(4), if *which == FOR_AGES { AGES } else { Duration::new(4, 7) });
        thread::scope(|scope| {
            let begin = Instant::now();
            let (barrier, elapsed) = (&barrier, move |outcome| (outcome, begin.elapsed()));
            let others = [
                start(scope, "other party", move || elapsed(barrier.party().wait())),
                start(scope, "patient party", move || elapsed(barrier.party().wait_timeout(2 * limit))),
            ];
            if *which == LAST {
                a_while_passes();
            }
            let end = begin.elapsed() + limit;
            let own = elapsed(barrier.party().wait_timeout(limit));
            assert_eq!(own, (Err(Broken), end), "the fourth has not come");
            for other in others {
                assert_eq!(other.join().unwrap(), (Err(Broken), end), "from now on the others wait in vain");
            }
        });
        assert!(barrier.is_broken());
        assert_eq!(barrier.party().wait(), Err(Broken), "it stays broken");
        assert!(!barrier_for(4).is_broken(), "this is another barrier");
    });
}

#[test]
fn a_limit_may_be_zero_or_have_no_end() {
    // The clock doesn't count as far as some of them, and cut down to a smaller number others are nothing.
    let nanosecond = Duration::from_nanos(1);
    let long = [
        Duration::MAX,
        Duration::MAX - nanosecond,
        Duration::from_secs(1 << 63),
        Duration::from_secs(1 << 32),
        Duration::from_millis(1 << 32),
        Duration::from_nanos(u64::MAX) + nanosecond,
    ];
    Check::new().each(long.map(Limit), |&Limit(long)| {
        // Even the clock of the schedules does not begin anew with each wait.
        a_while_passes();
        let barrier = barrier_for(2);
        thread::scope(|scope| {
            let other = start(scope, "other party", || barrier.party().wait_timeout(long));
            let own = barrier.party().wait();
            assert_ne!(own, other.join().unwrap(), "one leads, and the other doesn't");
        });
        // On threads, nobody knows whether the other waits already.
        if EXPLORED {
            thread::scope(|scope| {
                let other = start(scope, "other party", || barrier.party().wait_timeout(long));
                a_while_passes();
                let leads = barrier.party().wait_timeout(Duration::ZERO).expect("the other waits already");
                assert_eq!(other.join().unwrap(), Ok(!leads), "one leads, and the other doesn't");
            });
        }
        assert_eq!(barrier.party().wait_timeout(Duration::ZERO), Err(Broken), "nobody else is here");
        assert!(barrier.is_broken(), "whoever gives up breaks it, however short the limit");
    });
}

#[test]
fn a_party_that_panics_breaks_the_barrier_and_one_that_ends_well_does_not() {
    const USUAL: &str = "a party";
    const IN_A_PANIC: &str = "a party that was made while its thread panicked";
    Check::new().each([USUAL, IN_A_PANIC], |which| {
        let barrier = barrier_for(3);
        let party = || if *which == USUAL { barrier.party() } else { made_in_a_panic(&barrier) };
        {
            let _party = party();
        }
        assert!(!barrier.is_broken(), "nothing has happened");
        thread::scope(|scope| {
            let waiters = ["waiter 1", "waiter 2"].map(|name| start(scope, name, || barrier.party().wait()));
            // Whoever has the party takes part, and not whoever has called `party`.
            let party = party();
            let panics = start(scope, "panics", || {
                let _party = party;
                panic::panic_any("burnt");
            });
            assert!(panics.join().is_err());
            assert_eq!(waiters.map(|waiter| waiter.join().unwrap()), [Err(Broken); 2]);
        });
        assert!(barrier.is_broken());
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check barrier reset_mends_the_barrier_and_whoever_waits_is_told_that_it_broke"]
fn reset_mends_the_barrier_and_whoever_waits_is_told_that_it_broke() {
    let rows = [WHOEVER_WAITS, WHILE_ONE_GIVES_UP, WHILE_ONE_PANICS, LIKE_A_NEW_ONE];
    Check::new().schedules_only().each(rows, |which| match *which {
        WHOEVER_WAITS => whoever_waits_at_a_reset_is_told_that_it_broke(),
        WHILE_ONE_GIVES_UP => a_barrier_that_is_reset_and_breaks_is_mended_or_broken(gives_up),
        WHILE_ONE_PANICS => a_barrier_that_is_reset_and_breaks_is_mended_or_broken(panics),
        _ => a_barrier_that_was_reset_is_like_a_new_one(),
    });
}

const WHOEVER_WAITS: &str = "a reset while another one waits";
const WHILE_ONE_GIVES_UP: &str = "a reset while another one gives up";
const WHILE_ONE_PANICS: &str = "a reset while another one panics";
const LIKE_A_NEW_ONE: &str = "a barrier that is broken and reset several times";

fn whoever_waits_at_a_reset_is_told_that_it_broke() {
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
    thread::scope(|scope| {
        let other = start(scope, "other party", || barrier.party().wait());
        let outcomes = [barrier.party().wait(), other.join().unwrap()];
        assert!(outcomes.contains(&Ok(true)) && outcomes.contains(&Ok(false)), "a round of two: {outcomes:?}");
    });
}

/// Whichever of the two comes last, all are told the same of it.
fn a_barrier_that_is_reset_and_breaks_is_mended_or_broken(breaks: fn(&Barrier)) {
    let barrier = barrier_for(2);
    thread::scope(|scope| {
        start(scope, "other party", || breaks(&barrier));
        barrier.reset();
    });
    let broken = barrier.is_broken();
    let outcomes = thread::scope(|scope| {
        let other = start(scope, "next party", || barrier.party().wait());
        [barrier.party().wait(), other.join().unwrap()]
    });
    assert_eq!(outcomes.map(|outcome| outcome.is_err()), [broken; 2], "is_broken() says {broken}: {outcomes:?}");
}

/// Whoever waits, gives up, panics, or comes too late: if anything of it is left, a later one is counted wrongly or not heard.
fn a_barrier_that_was_reset_is_like_a_new_one() {
    let barrier = barrier_for(3);
    // What was done with a party before a reset, or was not, changes nothing behind it.
    let (unused, used) = (barrier.party(), barrier.party());
    assert_eq!(used.wait_timeout(Duration::ZERO), Err(Broken), "too few are here");
    barrier.reset();
    // Each of them follows on each.
    for breaks in [gives_up, gives_up, panics, panics, gives_up] {
        thread::scope(|scope| {
            let waiter = start(scope, "waiter", || barrier.party().wait());
            a_while_passes();
            breaks(&barrier);
            assert_eq!(waiter.join().unwrap(), Err(Broken));
        });
        assert!(barrier.is_broken());
        assert_eq!(barrier.party().wait(), Err(Broken), "it stays broken");
        barrier.reset();
        assert!(!barrier.is_broken());
    }
    for old in [unused, used] {
        thread::scope(|scope| {
            let waiter = start(scope, "waiter", || barrier.party().wait());
            a_while_passes();
            panics_with(old);
            assert_eq!(
                waiter.join().unwrap(),
                Err(Broken),
                "a party of the time before the reset was dropped by a panic"
            );
        });
        barrier.reset();
    }
    thread::scope(|scope| {
        let others = ["party 1", "party 2"].map(|name| start(scope, name, || barrier.party().wait()));
        a_while_passes();
        let own = barrier.party().wait();
        let outcomes = [[own].as_slice(), &others.map(|other| other.join().unwrap())].concat();
        let of_each = [Ok(true), Ok(false)].map(|outcome| outcomes.iter().filter(|one| **one == outcome).count());
        assert_eq!(of_each, [1, 2], "a round of three: {outcomes:?}");
    });
}

fn gives_up(barrier: &Barrier) {
    assert_eq!(barrier.party().wait_timeout(Duration::ZERO), Err(Broken), "too few are here");
}

fn panics(barrier: &Barrier) {
    panics_with(barrier.party());
}

fn panics_with(party: Party<'_>) {
    let panic = panic::catch_unwind(AssertUnwindSafe(|| {
        let _party = party;
        panic::panic_any("burnt");
    }));
    assert!(panic.is_err());
}

/// A destructor makes it. When the panic is over, it is a party like any other.
fn made_in_a_panic(barrier: &Barrier) -> Party<'_> {
    let mut made = None;
    let panic = panic::catch_unwind(AssertUnwindSafe(|| {
        let _makes = when_dropped(|| made = Some(barrier.party()));
        panic::panic_any("burnt");
    }));
    assert!(panic.is_err());
    made.expect("the destructor has made it")
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

/// One schedule for each: a bound that somebody puts in is met on any of them.
#[test]
#[ignore = "needs schedules: cargo xtask check barrier large_numbers_are_nothing_special"]
fn large_numbers_are_nothing_special() {
    const MORE_THAN_COME: &str = "more parties than ever come";
    const MANY_PARTIES: &str = "many parties";
    const MANY_ROUNDS: &str = "many rounds while one goes on late whose round was complete";
    const MANY_RESETS: &str = "many rounds while one goes on late whose round has failed";
    Check::new().schedules_only().no_spurious_wakeups().schedules(4).each(
        [MORE_THAN_COME, MANY_ROUNDS, MANY_RESETS, MANY_PARTIES],
        |which| match *which {
            // The last bits of this number are those of 1.
            MORE_THAN_COME => gives_up(&barrier_for(usize::MAX / 2 + 2)),
            MANY_PARTIES => {
                let barrier = barrier_for(MANY + 1);
                let leaders = thread::scope(|scope| {
                    let wait = || barrier.party().wait().expect("nobody breaks it");
                    let others: Vec<_> = (0..MANY).map(|_| start(scope, "other party", wait)).collect();
                    a_while_passes();
                    let own = wait();
                    others.into_iter().map(|other| usize::from(other.join().unwrap())).sum::<usize>() + usize::from(own)
                });
                assert_eq!(leaders, 1);
            }
            MANY_RESETS => {
                let barrier = barrier_for(2);
                thread::scope(|scope| {
                    let late = start(scope, "late party", || barrier.party().wait());
                    a_while_passes();
                    for _ in 0..MANY {
                        barrier.reset();
                        gives_up(&barrier);
                    }
                    assert_eq!(late.join().unwrap(), Err(Broken), "its round has failed");
                });
            }
            _ => {
                let barrier = barrier_for(2);
                thread::scope(|scope| {
                    let late = start(scope, "late party", || barrier.party().wait());
                    a_while_passes();
                    let leads = barrier.party().wait().expect("both are here");
                    for _ in 1..MANY {
                        gives_up(&barrier);
                        barrier.reset();
                    }
                    assert_eq!(late.join().unwrap(), Ok(!leads), "its round was complete");
                });
            }
        },
    );
}

#[test]
#[ignore = "needs schedules: cargo xtask check barrier every_small_program_of_calls_keeps_the_contract"]
fn every_small_program_of_calls_keeps_the_contract() {
    every_small_program(contract::BarrierContract);
}

/// More than a byte counts. A number that goes round is the old one again after so many steps.
const MANY: usize = 256;

/// A limit, in words.
struct Limit(Duration);

impl Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a limit of {:?}", self.0)
    }
}

fn barrier_for(parties: usize) -> Barrier {
    Barrier::new(NonZeroUsize::new(parties).expect("a test's parties are not zero"))
}
