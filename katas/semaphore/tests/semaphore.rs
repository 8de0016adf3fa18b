//! The contract of the kata `semaphore`, sentence by sentence. `README.md` has the same list.

#[path = "semaphore/contract.rs"]
mod contract;

use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::thread;
use std::time::{Duration, Instant};

use kata::scenarios::every_small_program;
use kata::{AGES, Check, ENDLESS, EXPLORED, Log, Peak, Rendezvous, a_while_passes, check, on_schedules, start};
use semaphore::{Permits, Refused, Semaphore};

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is
/// compared with. And only an enum has variants to import.
fn _signatures(semaphore: &Semaphore) {
    use Refused::{Closed, NotFree};
    let _: fn(usize) -> Semaphore = Semaphore::new;
    let _: fn(&Semaphore) -> usize = Semaphore::free;
    let _: [Result<Permits<'_>, Refused>; 2] = [semaphore.acquire(1), semaphore.try_acquire(1)];
    let _: Result<Permits<'_>, Refused> = semaphore.acquire_timeout(1, Duration::ZERO);
    let _: fn(&Semaphore) = Semaphore::close;
    // A constant is a pattern only if its type derives `PartialEq`, which tells one variant from another.
    const CLOSED: Refused = Closed;
    let _ = |refused| match refused {
        CLOSED | NotFree => (),
    };
}

#[test]
fn permits_are_taken_and_go_back_when_they_are_dropped() {
    check(|| {
        let semaphore = Semaphore::new(3);
        let two = semaphore.acquire(2).expect("3 are free");
        assert_eq!(semaphore.free(), 1);
        assert_eq!(semaphore.try_acquire(2).err(), Some(Refused::NotFree), "1 is free");
        let one = semaphore.try_acquire(1).expect("1 is free");
        assert_eq!(semaphore.free(), 0);
        let none = semaphore.acquire(0).expect("nobody waits, and 0 are always free");
        drop(two);
        assert_eq!(semaphore.free(), 2);
        drop((one, none));
        assert_eq!(semaphore.free(), 3);
        // More than a byte counts, and more than 16 bits do.
        for permits in [300, 70_000].into_iter().filter(|_| !EXPLORED) {
            let semaphore = Semaphore::new(permits);
            assert_eq!(semaphore.free(), permits);
            let most = semaphore.acquire(permits - 1).expect("all are free");
            assert_eq!(semaphore.free(), 1, "of {permits}");
            assert_eq!(semaphore.try_acquire(2).err(), Some(Refused::NotFree), "1 of {permits} is free");
            drop(most);
            assert_eq!(semaphore.free(), permits);
        }
    });
}

#[test]
fn as_many_are_inside_at_once_as_there_are_permits_and_no_more() {
    check(|| {
        for permits in [1, 2] {
            let (semaphore, peak, both) = (Semaphore::new(permits), Peak::new(), Rendezvous::of(permits));
            thread::scope(|scope| {
                for name in ["worker 1", "worker 2"] {
                    start(scope, name, || {
                        let _permit = semaphore.acquire(1).expect("nobody closes it");
                        let _inside = peak.enter();
                        both.meet();
                    });
                }
            });
            assert_eq!(peak.highest(), permits, "two workers, permits: {permits}");
            assert_eq!(semaphore.free(), permits);
        }
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check semaphore whoever_wants_many_is_not_overtaken"]
fn whoever_wants_many_is_not_overtaken() {
    Check::new().schedules_only().schedules(3_000).run(|| {
        let (semaphore, log) = (Semaphore::new(2), Log::new());
        let held = semaphore.acquire(1).expect("2 are free");
        thread::scope(|scope| {
            let work = |many, name: &'static str| {
                let permits = semaphore.acquire(many);
                log.note(name);
                drop(permits);
            };
            start(scope, "wants 2", move || work(2, "2"));
            // Time passes when nobody can go on.
            a_while_passes();
            start(scope, "wants 1", move || work(1, "1"));
            a_while_passes();
            start(scope, "wants 0", move || work(0, "0"));
            a_while_passes();
            assert_eq!(log.events(), [""; 0], "1 permit is free, for somebody who wants 2");
            assert!(Semaphore::new(1).try_acquire(1).is_ok(), "nobody waits for the other semaphore");
            for many in [0, 1] {
                assert_eq!(semaphore.try_acquire(many).err(), Some(Refused::NotFree), "{many} wanted, and others wait");
                let outcome = semaphore.acquire_timeout(many, Duration::ZERO).err();
                assert_eq!(outcome, Some(Refused::NotFree), "{many} wanted without waiting, and others wait");
            }
            drop(held);
        });
        // There is room for the other two at the same time.
        assert_eq!(log.events()[0], "2", "the first who came");
        assert!(semaphore.try_acquire(2).is_ok(), "nobody is left in the line");
    });
}

/// The time is the model's: sleeping costs nothing, and limits are met to the nanosecond.
#[test]
#[ignore = "needs schedules: cargo xtask check semaphore a_wait_with_a_limit_ends_with_the_permits_or_with_the_limit"]
fn a_wait_with_a_limit_ends_with_the_permits_or_with_the_limit() {
    on_schedules(|| {
        // Seconds and a bit: a limit that is cut to whole units is another one.
        let (short, early) = (Duration::new(4, 1), Duration::from_secs(3));
        // At last one that gets its permit: a thread that was started to look after its limit has ended, too.
        for (many, limit, error, lasts) in [
            (2, short, Some(Refused::NotFree), short),
            (1, short, None, early),
            (2, AGES, Some(Refused::NotFree), AGES),
            (1, AGES, None, early),
        ] {
            let semaphore = Semaphore::new(2);
            let (_kept, held) = (semaphore.acquire(1), semaphore.acquire(1));
            thread::scope(|scope| {
                start(scope, "holder", || {
                    thread::sleep(early);
                    drop(held);
                });
                let start = Instant::now();
                let outcome = semaphore.acquire_timeout(many, limit).err();
                assert_eq!((outcome, start.elapsed()), (error, lasts), "{many} wanted, and 1 is free after {early:?}");
            });
        }
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check semaphore whoever_gives_up_leaves_the_line"]
fn whoever_gives_up_leaves_the_line() {
    Check::new().schedules_only().schedules(3_000).each(
        [
            GivesUp::TheFirst,
            GivesUp::TheSecondAndThenTheFirst,
            GivesUp::Neighbours([1, 2, 3]),
            GivesUp::Neighbours([3, 2, 1]),
            GivesUp::Neighbours([2, 1, 3]),
        ],
        |who| match *who {
            GivesUp::TheFirst => the_first_gives_up(),
            GivesUp::TheSecondAndThenTheFirst => the_second_gives_up_and_then_the_first(),
            GivesUp::Neighbours(after) => neighbours_give_up(after),
        },
    );
}

/// Who gives up.
#[derive(Debug)]
enum GivesUp {
    TheFirst,
    TheSecondAndThenTheFirst,
    /// Three who stand next to each other, after so many seconds.
    Neighbours([u64; 3]),
}

impl fmt::Display for GivesUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GivesUp::TheFirst => f.write_str("the first in the line, who gives up"),
            GivesUp::TheSecondAndThenTheFirst => f.write_str("the second in the line, who gives up before the first"),
            GivesUp::Neighbours(after) => write!(f, "three in the line, who give up after {after:?} seconds"),
        }
    }
}

const LIMIT: Duration = Duration::from_secs(4);
/// Longer than it takes until a crowd waits.
const AN_HOUR: Duration = Duration::from_secs(3600);

fn the_first_gives_up() {
    let semaphore = Semaphore::new(2);
    let held = semaphore.acquire(1);
    thread::scope(|scope| {
        let many = start(scope, "wants 2", || semaphore.acquire_timeout(2, LIMIT).err());
        a_while_passes();
        let none = start(scope, "wants 0", || semaphore.acquire(0).is_ok());
        let begin = Instant::now();
        let one = semaphore.acquire(1);
        assert!(one.is_ok(), "nobody comes first any more");
        assert_eq!(begin.elapsed(), Duration::from_secs(2), "the first in the line gives up after {LIMIT:?}");
        assert_eq!(many.join().unwrap(), Some(Refused::NotFree));
        assert!(none.join().unwrap(), "0 are free, too");
        drop(held);
        assert!(semaphore.try_acquire(1).is_ok(), "1 is free, and nobody waits: who has waited has got one");
    });
}

/// Nothing is free.
fn the_second_gives_up_and_then_the_first() {
    let semaphore = Semaphore::new(1);
    let held = semaphore.acquire(1);
    thread::scope(|scope| {
        let begin = Instant::now();
        start(scope, "first", || semaphore.acquire_timeout(1, LIMIT).err());
        a_while_passes();
        start(scope, "second", || semaphore.acquire_timeout(1, Duration::from_millis(500)).err());
        a_while_passes();
        assert!(semaphore.acquire(0).is_ok(), "nobody comes first any more");
        assert_eq!(begin.elapsed(), LIMIT, "the first in the line gives up after {LIMIT:?}");
        drop(held);
        assert!(semaphore.acquire(1).is_ok(), "nobody is left in the line");
    });
}

/// Between two who stay. The first of the three wants more than will be free. Then as many come anew, and stand behind all others.
fn neighbours_give_up(after: [u64; 3]) {
    let (semaphore, log) = (Semaphore::new(2), Log::new());
    let (_kept, held) = (semaphore.acquire(1), semaphore.acquire(1));
    thread::scope(|scope| {
        let (semaphore, log) = (&semaphore, &log);
        let stays = |name: &'static str| {
            start(scope, name, move || {
                let _permit = semaphore.acquire(1).expect("nobody closes it");
                log.note(name);
            });
            a_while_passes();
        };
        stays("first");
        for (many, limit) in [2, 1, 0].into_iter().zip(after.map(Duration::from_secs)) {
            start(scope, "gives up", move || semaphore.acquire_timeout(many, limit).err());
            a_while_passes();
        }
        stays("last");
        thread::sleep(Duration::from_secs(10));
        ["new 1", "new 2", "new 3"].into_iter().for_each(stays);
        drop(held);
    });
    assert_eq!(log.events(), ["first", "last", "new 1", "new 2", "new 3"], "1 is free, for one after the other");
}

/// One schedule for each: a bound that somebody puts in is met on any of them. Where all wake up for each permit, as they may, a crowd
/// takes as many steps as its square has.
#[test]
#[ignore = "needs schedules: cargo xtask check semaphore many_wait_like_a_few"]
fn many_wait_like_a_few() {
    const GIVEN: &str = "70 wait, one of them gets the permit after the other";
    const CLOSED: &str = "300 wait, and are refused";
    const GIVEN_UP: &str = "300 wait, some of them give up, the first two get permits, and the others are refused";
    Check::new().schedules_only().no_spurious_wakeups().schedules(3).each([GIVEN, CLOSED, GIVEN_UP], |which| {
        if *which == GIVEN_UP {
            return some_of_many_give_up();
        }
        let semaphore = Semaphore::new(1);
        let (many, outcome) = if *which == GIVEN { (70, Ok(())) } else { (300, Err(Refused::Closed)) };
        let held = semaphore.acquire(1);
        thread::scope(|scope| {
            let waiters = (0..many).map(|_| start(scope, "waiter", || semaphore.acquire(1).map(drop)));
            let waiters = Vec::from_iter(waiters);
            // Time passes when nobody can go on: all of them wait now.
            a_while_passes();
            assert!(!waiters.iter().any(|waiter| waiter.is_finished()), "nothing is free");
            if outcome.is_err() {
                semaphore.close();
            }
            drop(held);
            for waiter in waiters {
                assert_eq!(waiter.join().unwrap(), outcome, "what becomes of each who waits");
            }
        });
    });
}

fn some_of_many_give_up() {
    // Where marks of those who gave up have so many places, the second in the line and this one have the same.
    let gives_up = |number| [16, 32, 64, 100, 128, 256].contains(&(number - 1));
    let semaphore = Semaphore::new(2);
    let held = semaphore.acquire(2);
    thread::scope(|scope| {
        let semaphore = &semaphore;
        let waiters = (0..300).map(|number| {
            let limit = if gives_up(number) { AN_HOUR } else { Duration::MAX };
            let waiter = start(scope, "waiter", move || semaphore.acquire_timeout(1, limit));
            a_while_passes();
            waiter
        });
        let waiters = Vec::from_iter(waiters);
        thread::sleep(AN_HOUR);
        drop(held);
        a_while_passes();
        semaphore.close();
        for (number, waiter) in (0..).zip(waiters) {
            let outcome = match number {
                0 | 1 => None,
                _ if gives_up(number) => Some(Refused::NotFree),
                _ => Some(Refused::Closed),
            };
            assert_eq!(waiter.join().unwrap().err(), outcome, "what becomes of number {number}, counted from 0");
        }
    });
}

#[test]
fn a_limit_may_be_zero_or_have_no_end() {
    check(|| {
        for endless in ENDLESS {
            let semaphore = Semaphore::new(1);
            let held = semaphore.acquire_timeout(1, Duration::ZERO).expect("it is free");
            assert_eq!(semaphore.acquire_timeout(1, Duration::ZERO).err(), Some(Refused::NotFree));
            thread::scope(|scope| {
                let waiter = start(scope, "waiter", || semaphore.acquire_timeout(1, endless).is_ok());
                drop(held);
                assert!(waiter.join().unwrap(), "it is free again");
            });
        }
    });
}

#[test]
fn permits_go_back_when_their_holder_panics() {
    check(|| {
        let semaphore = Semaphore::new(2);
        thread::scope(|scope| {
            let holder = start(scope, "holder", || {
                let _permits = semaphore.acquire(2).expect("nobody closes it");
                panic::panic_any("burnt");
            });
            assert!(holder.join().is_err());
        });
        assert_eq!(semaphore.free(), 2);
        assert!(semaphore.try_acquire(2).is_ok());
    });
}

#[test]
fn more_than_there_are_is_a_panic_that_harms_nobody() {
    check(|| {
        for permits in [0, 2] {
            let semaphore = Semaphore::new(permits);
            // Somebody waits for what is out.
            let held = semaphore.acquire(permits.min(1)).expect("they are free");
            thread::scope(|scope| {
                start(scope, "waiter", || semaphore.acquire(permits).is_ok());
                let panics = |ask: &dyn Fn() -> bool| panic::catch_unwind(AssertUnwindSafe(ask)).is_err();
                // In the second one, only the upper half of the bits are set.
                for many in [permits + 1, usize::MAX << (usize::BITS / 2), usize::MAX] {
                    assert!(panics(&|| semaphore.acquire(many).is_ok()), "acquire({many}) of {permits}");
                    assert!(panics(&|| semaphore.try_acquire(many).is_ok()), "try_acquire({many}) of {permits}");
                    for limit in [Duration::ZERO, Duration::MAX] {
                        let limited = || semaphore.acquire_timeout(many, limit).is_ok();
                        assert!(panics(&limited), "acquire_timeout({many}, {limit:?}) of {permits}");
                    }
                }
                drop(held);
            });
            assert!(semaphore.try_acquire(permits).is_ok(), "the semaphore can still be used");
        }
    });
}

#[test]
fn close_refuses_everybody_and_permits_still_go_back() {
    check(|| {
        let semaphore = Semaphore::new(2);
        let held = semaphore.acquire(1).expect("2 are free");
        thread::scope(|scope| {
            let waiters = ["waiter 1", "waiter 2"].map(|name| start(scope, name, || semaphore.acquire(2).err()));
            semaphore.close();
            for waiter in waiters {
                assert_eq!(waiter.join().unwrap(), Some(Refused::Closed));
            }
        });
        assert_eq!(semaphore.try_acquire(1).err(), Some(Refused::Closed), "although 1 is free");
        for (many, limit) in [(1, Duration::MAX), (1, Duration::ZERO), (2, Duration::ZERO)] {
            let outcome = semaphore.acquire_timeout(many, limit).err();
            assert_eq!(outcome, Some(Refused::Closed), "{many} wanted for {limit:?}, and 1 is free");
        }
        drop(held);
        assert_eq!(semaphore.free(), 2);
        // Permits come back just before, for one who waits: it has them, or is refused, and they are free.
        let semaphore = Semaphore::new(1);
        let held = semaphore.acquire(1);
        thread::scope(|scope| {
            start(scope, "waiter", || drop(semaphore.acquire(1)));
            drop(held);
            semaphore.close();
        });
        assert_eq!(semaphore.free(), 1, "nobody holds it any more");
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check semaphore every_small_program_of_calls_keeps_the_contract"]
fn every_small_program_of_calls_keeps_the_contract() {
    every_small_program(contract::SemaphoreContract);
}
