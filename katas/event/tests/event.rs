//! The contract of the kata `event`, sentence by sentence. `README.md` has the same list.

#[path = "event/contract.rs"]
mod contract;

use std::thread;
use std::time::{Duration, Instant};

use event::Event;
use kata::scenarios::every_small_program;
use kata::{AGES, Check, Crowd, ENDLESS, a_while_passes, check, on_schedules, start};

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is
/// compared with.
fn _signatures() {
    let _: fn() -> Event = Event::cleared;
    let _: [fn(&Event); 4] = [Event::set, Event::clear, Event::pulse, Event::wait];
    let _: fn(&Event) -> bool = Event::is_set;
    let _: fn(&Event, Duration) -> bool = Event::wait_timeout;
}

#[test]
fn an_event_is_set_until_it_is_cleared() {
    check(|| {
        let event = Event::cleared();
        assert!(!event.is_set(), "nobody has set it yet");
        event.set();
        event.set();
        assert!(event.is_set(), "it was set");
        assert!(!Event::cleared().is_set(), "this is another event");
        event.clear();
        assert!(!event.is_set(), "it was cleared");
    });
}

#[test]
fn set_lets_everybody_go_on() {
    check(|| {
        let event = Event::cleared();
        thread::scope(|scope| {
            for name in ["waiter 1", "waiter 2"] {
                start(scope, name, || event.wait());
            }
            event.set();
        });
        event.wait();
        assert!(event.wait_timeout(PLENTY), "it is still set");
        assert!(event.is_set(), "and waiting does not clear it");
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check event wait_waits_while_the_event_is_clear"]
fn wait_waits_while_the_event_is_clear() {
    on_schedules(|| {
        let (event, other) = (Event::cleared(), Event::cleared());
        thread::scope(|scope| {
            let waiter = start(scope, "waiter", || {
                other.wait_timeout(Duration::from_secs(1));
                event.set();
                event.wait();
                event.clear();
                // The second time, it was asleep when it was let go on.
                for _ in 0..2 {
                    event.pulse();
                    event.wait();
                }
            });
            // Time passes when nobody can go on: it waits now.
            a_while_passes();
            assert!(!waiter.is_finished(), "the event is clear");
            event.pulse();
            a_while_passes();
            assert!(!waiter.is_finished(), "its own pulse was before this wait");
            other.pulse();
            other.set();
            a_while_passes();
            assert!(!waiter.is_finished(), "another event was set, at which it has given up");
            event.set();
        });
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check event whoever_was_let_go_on_goes_on_even_if_the_event_is_cleared_at_once"]
fn whoever_was_let_go_on_goes_on_even_if_the_event_is_cleared_at_once() {
    on_schedules(|| {
        let event = Event::cleared();
        // What is done the second time must be done as the first time.
        event.set();
        event.clear();
        thread::scope(|scope| {
            for name in ["waiter 1", "waiter 2"] {
                start(scope, name, || event.wait());
            }
            // Time passes when nobody can go on: both wait now.
            a_while_passes();
            event.set();
            event.clear();
        });
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check event a_pulse_is_for_everybody_who_waits_and_nobody_who_comes_later"]
fn a_pulse_is_for_everybody_who_waits_and_nobody_who_comes_later() {
    Check::new().schedules_only().each(["somebody asks at once", "somebody waits at once"], |row| {
        let event = Event::cleared();
        thread::scope(|scope| {
            let waiters = ["waiter 1", "waiter 2"].map(|name| start(scope, name, || event.wait_timeout(Duration::MAX)));
            // Time passes when nobody can go on: both wait now.
            a_while_passes();
            event.pulse();
            assert!(!event.is_set(), "a pulse leaves the event as it was");
            if *row == "somebody waits at once" {
                // Who comes while the others go on keeps no wakeup that is theirs.
                start(scope, "newcomer", || event.wait());
            } else {
                assert!(!event.wait_timeout(Duration::ZERO), "the pulse was before this wait");
            }
            assert_eq!(waiters.map(|waiter| waiter.join().unwrap()), [true; 2]);
            event.set();
        });
        event.pulse();
        assert!(event.is_set(), "a pulse leaves the event as it was");
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check event whoever_comes_while_others_go_on_is_let_go_on_next"]
fn whoever_comes_while_others_go_on_is_let_go_on_next() {
    const LATER: &str = "the event is set when the newcomer waits";
    const AT_ONCE: &str = "the event is set while the newcomer comes";
    const AT_THE_LIMIT: &str = "the pulse comes as the limit of the one before is over";
    Check::new().schedules_only().each([LATER, AT_ONCE, AT_THE_LIMIT], |when| {
        let (event, limit) = (Event::cleared(), Duration::from_secs(1));
        thread::scope(|scope| {
            start(scope, "waiter", || {
                if *when == AT_THE_LIMIT {
                    event.wait_timeout(limit);
                } else {
                    event.wait();
                }
            });
            // Time passes when nobody can go on: it waits now.
            thread::sleep(limit);
            event.pulse();
            let newcomer = start(scope, "newcomer", || event.wait());
            if *when != AT_ONCE {
                a_while_passes();
                assert!(!newcomer.is_finished(), "the pulse was before this wait");
            }
            event.set();
        });
    });
}

/// One schedule for each: a bound that somebody puts in is met on any of them.
#[test]
#[ignore = "needs schedules: cargo xtask check event large_numbers_are_nothing_special"]
fn large_numbers_are_nothing_special() {
    const MANY_WAIT: &str = "as many wait as a byte has values";
    const MORE_WAIT: &str = "more wait than that";
    const MANY_PULSES: &str = "many pulses";
    const MANY_SETS: &str = "an event that is set and cleared many times";
    Check::new().schedules_only().no_spurious_wakeups().schedules(4).each(
        [MANY_PULSES, MANY_SETS, MANY_WAIT, MORE_WAIT],
        |which| {
            let event = Event::cleared();
            let (waiters, times) = match *which {
                MANY_WAIT => (MANY, 1),
                MORE_WAIT => (MANY + 44, 1),
                _ => (1, MANY),
            };
            thread::scope(|scope| {
                let waiters = Vec::from_iter((0..waiters).map(|_| start(scope, "waiter", || event.wait())));
                // Time passes when nobody can go on: all of them wait now.
                a_while_passes();
                assert!(!waiters.iter().any(|waiter| waiter.is_finished()), "the event is clear");
                for _ in 0..times {
                    if *which == MANY_PULSES {
                        event.pulse();
                    } else {
                        event.set();
                        event.clear();
                    }
                }
            });
        },
    );
}

/// The time is the model's: sleeping costs nothing, and limits are met to the nanosecond.
#[test]
#[ignore = "needs schedules: cargo xtask check event a_wait_with_a_limit_ends_with_the_event_or_with_the_limit"]
fn a_wait_with_a_limit_ends_with_the_event_or_with_the_limit() {
    const ONE: &str = "one wait at each event";
    const TWO: &str = "two waits, one right after the other";
    Check::new().schedules_only().each([ONE, TWO], |waits| if *waits == ONE { one_wait() } else { two_waits() });
}

fn one_wait() {
    let early = Duration::from_secs(3);
    let event = Event::cleared();
    assert!(!event.wait_timeout(SHORT), "nothing happens");
    event.pulse();
    assert!(!event.wait_timeout(SHORT), "whoever has given up did not wait when the pulse came");
    type Act = fn(&Event);
    // At last one that is let go on: a thread that was started to look after its limit has ended, too.
    let acts: [(Act, Duration, bool, Duration); 5] = [
        (Event::set, SHORT, true, early),
        (Event::clear, SHORT, false, SHORT),
        (Event::clear, AGES, false, AGES),
        (Event::set, AGES, true, early),
        (Event::pulse, SHORT, true, early),
    ];
    for (act, limit, released, lasts) in acts {
        let event = Event::cleared();
        thread::scope(|scope| {
            start(scope, "other", || {
                thread::sleep(early);
                act(&event);
            });
            let start = Instant::now();
            assert_eq!(event.wait_timeout(limit), released);
            assert_eq!(start.elapsed(), lasts, "the limit was {limit:?}, and the other came after {early:?}");
        });
    }
}

/// No time passes from the first one's end until the event is dropped: the thread that was started to look after its limit has ended,
/// too, although another one was started since.
fn two_waits() {
    let event = Event::cleared();
    thread::scope(|scope| {
        start(scope, "other", || {
            event.pulse();
            event.set();
        });
        assert!(event.wait_timeout(SHORT), "the pulse or the set event lets it go on");
        assert!(event.wait_timeout(SHORT), "the set event lets it go on");
    });
}

/// One schedule for each: who comes and goes does so at a moment of its own.
#[test]
#[ignore = "needs schedules: cargo xtask check event whoever_gives_up_changes_nothing_for_the_others"]
fn whoever_gives_up_changes_nothing_for_the_others() {
    Check::new().schedules_only().no_spurious_wakeups().schedules(16).each(Crowd::all(), |crowd| {
        let event = Event::cleared();
        let wait = |limit| match limit {
            Some(limit) => event.wait_timeout(limit),
            None => {
                event.wait();
                true
            }
        };
        crowd.wait(wait, || event.set());
    });
}

#[test]
fn a_limit_may_be_zero_or_have_no_end() {
    check(|| {
        // The second one has no end in an `Instant`, either.
        for endless in ENDLESS {
            let event = Event::cleared();
            assert!(!event.wait_timeout(Duration::ZERO), "it is clear");
            thread::scope(|scope| {
                let waiter = start(scope, "waiter", || event.wait_timeout(endless));
                event.set();
                assert!(waiter.join().unwrap(), "it was set");
            });
            assert!(event.wait_timeout(Duration::ZERO), "it is set");
        }
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check event every_small_program_of_calls_keeps_the_contract"]
fn every_small_program_of_calls_keeps_the_contract() {
    every_small_program(contract::EventContract);
}

/// More than a byte counts, and more than a word has bits. A number that goes round is the old one again after so many steps.
const MANY: usize = 256;

/// Seconds and a bit: a limit that is cut or rounded to whole units is another one.
const SHORT: Duration = Duration::new(4, 7);

/// A limit that is never reached.
const PLENTY: Duration = Duration::from_secs(3600);
