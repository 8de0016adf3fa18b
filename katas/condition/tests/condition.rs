//! The contract of the kata `condition`, sentence by sentence. `README.md` has the same list.

#[path = "condition/contract.rs"]
mod contract;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use condition::{Newspaper, WaitingRoom};
use kata::scenarios::every_small_program;
use kata::{AGES, Check, Crowd, a_while_passes, check, on_schedules, start, until_blocked};

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is
/// compared with.
fn _signatures() {
    let _: fn() -> WaitingRoom = WaitingRoom::closed;
    let _: fn(&WaitingRoom) = WaitingRoom::open;
    let _: [fn(&WaitingRoom) -> u64; 2] = [WaitingRoom::take_ticket, WaitingRoom::call_next];
    let _: fn(&WaitingRoom, u64) = WaitingRoom::wait_for_call;
    let _: fn(&WaitingRoom, u64, Duration) -> bool = WaitingRoom::wait_for_call_within;
    let _: fn(&str) -> Newspaper = Newspaper::new;
    let _: fn(&Newspaper, &str) -> u64 = Newspaper::publish;
    let _: fn(&Newspaper, u64) -> (u64, String) = Newspaper::next_after;
}

#[test]
#[ignore = "needs schedules: cargo xtask check condition the_door_keeps_everybody_out_until_it_is_opened"]
fn the_door_keeps_everybody_out_until_it_is_opened() {
    on_schedules(|| {
        let room = WaitingRoom::closed();
        thread::scope(|scope| {
            let patients = ["patient 1", "patient 2"].map(|name| start(scope, name, || room.take_ticket()));
            for patient in &patients {
                until_blocked(patient.thread());
                assert!(!patient.is_finished(), "the door is closed");
            }
            room.open();
            let mut tickets = patients.map(|patient| patient.join().unwrap());
            tickets.sort_unstable();
            assert_eq!(tickets, [1, 2]);
        });
    });
}

#[test]
fn the_door_stays_open_and_every_ticket_has_the_next_number() {
    check(|| {
        let room = WaitingRoom::closed();
        thread::scope(|scope| {
            let patient = start(scope, "patient", || room.take_ticket());
            room.open();
            // The patient may not have gone in yet.
            room.open();
            let mut tickets = [room.take_ticket(), patient.join().unwrap()];
            tickets.sort_unstable();
            assert_eq!(tickets, [1, 2]);
        });
        assert_eq!(room.take_ticket(), 3, "the door is still open");
    });
}

#[test]
fn doctors_call_every_ticket_once_and_wait_for_the_next() {
    check(|| {
        let room = WaitingRoom::closed();
        room.open();
        thread::scope(|scope| {
            let calls = || room.call_next();
            let calls_and_asks = || {
                let ticket = room.call_next();
                assert!(room.wait_for_call_within(ticket, Duration::ZERO), "this doctor has called ticket {ticket}");
                ticket
            };
            let doctors = [start(scope, "doctor 1", calls), start(scope, "doctor 2", calls_and_asks)];
            let tickets = [room.take_ticket(), room.take_ticket()];
            assert_eq!(tickets, [1, 2]);
            let mut called = doctors.map(|doctor| doctor.join().unwrap());
            called.sort_unstable();
            assert_eq!(called, tickets, "two doctors and two tickets");
        });
        for ticket in [1, 2] {
            assert!(room.wait_for_call_within(ticket, Duration::ZERO), "a doctor has called ticket {ticket}");
        }
    });
}

#[test]
fn tickets_that_are_taken_at_once_are_all_called() {
    check(|| {
        let room = room_with_tickets(0);
        thread::scope(|scope| {
            start(scope, "patient", || room.take_ticket());
            room.take_ticket();
        });
        assert_eq!([room.call_next(), room.call_next()], [1, 2]);
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check condition no_room_knows_of_another_one"]
fn no_room_knows_of_another_one() {
    on_schedules(|| {
        let (room, other) = (room_with_tickets(0), WaitingRoom::closed());
        thread::scope(|scope| {
            let doctors = [("doctor 1", &room), ("doctor 2", &other)];
            let doctors = doctors.map(|(name, room)| start(scope, name, || room.call_next()));
            let patient = start(scope, "patient", || [room.take_ticket(), other.take_ticket()]);
            a_while_passes();
            assert!(!patient.is_finished(), "the other door is closed");
            other.open();
            assert_eq!(patient.join().unwrap(), [1; 2]);
            assert_eq!(doctors.map(|doctor| doctor.join().unwrap()), [1; 2]);
        });
        // The same ticket is called in the one room, and then in the other.
        let rooms = [room_with_tickets(1), room_with_tickets(1)];
        thread::scope(|scope| {
            let [first, second] = &rooms;
            let patients = [first, second].map(|room| start(scope, "patient", || room.wait_for_call(1)));
            a_while_passes();
            let [in_first, in_second] = patients;
            assert_eq!(first.call_next(), 1);
            in_first.join().unwrap();
            assert_eq!(second.call_next(), 1);
            in_second.join().unwrap();
        });
    });
}

#[test]
fn everybody_waits_for_the_own_ticket() {
    check(|| {
        let room = room_with_tickets(3);
        thread::scope(|scope| {
            start(scope, "patient 2", || room.wait_for_call(2));
            start(scope, "patient 3", || {
                room.wait_for_call(3);
                room.wait_for_call(1);
            });
            assert_eq!([(); 3].map(|()| room.call_next()), [1, 2, 3]);
        });
    });
}

/// The time is the model's: sleeping costs nothing, and limits are met to the nanosecond.
#[test]
#[ignore = "needs schedules: cargo xtask check condition a_wait_with_a_limit_ends_with_the_call_or_with_the_limit"]
fn a_wait_with_a_limit_ends_with_the_call_or_with_the_limit() {
    on_schedules(|| {
        // Seconds and a bit: a limit that is cut to whole units is another one.
        let (limit, early) = (Duration::new(4, 1), Duration::from_secs(3));
        // At last one that is called: a thread that was started to look after its limit has ended, too.
        for (ticket, limit, called) in [(2, AGES, false), (2, limit, false), (1, limit, true)] {
            let lasts = if called { early } else { limit };
            let room = room_with_tickets(2);
            thread::scope(|scope| {
                start(scope, "doctor", || {
                    thread::sleep(early);
                    room.call_next()
                });
                let start = Instant::now();
                let answer = room.wait_for_call_within(ticket, limit);
                let waited = start.elapsed();
                assert_eq!(answer, called, "ticket {ticket}, and ticket 1 is called after {early:?}");
                assert_eq!(
                    waited, lasts,
                    "ticket {ticket} with a limit of {limit:?}, and ticket 1 is called after {early:?}"
                );
            });
        }
    });
}

/// One schedule for each: who comes and goes does so at a moment of its own.
#[test]
#[ignore = "needs schedules: cargo xtask check condition whoever_gives_up_changes_nothing_for_the_others"]
fn whoever_gives_up_changes_nothing_for_the_others() {
    Check::new().schedules_only().no_spurious_wakeups().schedules(16).each(Crowd::all(), |crowd| {
        let room = room_with_tickets(1);
        let wait = |limit| match limit {
            Some(limit) => room.wait_for_call_within(1, limit),
            None => {
                room.wait_for_call(1);
                true
            }
        };
        crowd.wait(wait, || assert_eq!(room.call_next(), 1));
    });
}

#[test]
fn a_limit_may_be_zero_or_have_no_end() {
    check(|| {
        let room = room_with_tickets(2);
        assert!(!room.wait_for_call_within(1, Duration::ZERO), "nobody was called");
        let no_ends = [Duration::MAX, Duration::MAX / 2];
        for (ticket, no_end) in (1..).zip(no_ends) {
            thread::scope(|scope| {
                let patient = start(scope, "patient", || room.wait_for_call_within(ticket, no_end));
                assert_eq!(room.call_next(), ticket);
                assert!(patient.join().unwrap(), "ticket {ticket} was called");
            });
        }
        for ticket in [1, 2] {
            for limit in [Duration::ZERO, no_ends[0], no_ends[1]] {
                assert!(room.wait_for_call_within(ticket, limit), "ticket {ticket} was called before");
            }
        }
    });
}

#[test]
fn every_reader_gets_the_next_edition() {
    Check::new().each(["another text", "the same text"], |which| {
        let newspaper = Newspaper::new("the same text");
        thread::scope(|scope| {
            let readers = ["reader 1", "reader 2"].map(|name| start(scope, name, || newspaper.next_after(1)));
            assert_eq!(newspaper.publish(which), 2);
            for reader in readers {
                assert_eq!(reader.join().unwrap(), (2, (*which).to_owned()));
            }
        });
    });
}

#[test]
fn editions_that_come_out_at_once_have_a_number_each() {
    check(|| {
        let newspaper = Newspaper::new("rain");
        thread::scope(|scope| {
            let other = start(scope, "other", || newspaper.publish("sun"));
            let snow = newspaper.publish("snow");
            let sun = other.join().unwrap();
            assert_eq!(snow + sun, 2 + 3, "snow is edition {snow}, and sun edition {sun}");
            let newest = if snow == 3 { "snow" } else { "sun" };
            assert_eq!(newspaper.next_after(2), (3, newest.to_owned()));
        });
    });
}

#[test]
fn whoever_is_behind_gets_the_newest_edition_at_once() {
    check(|| {
        let newspaper = Newspaper::new("rain");
        assert_eq!(newspaper.next_after(0), (1, "rain".to_owned()));
        assert_eq!([newspaper.publish("sun"), newspaper.publish("snow")], [2, 3]);
        for read in [0, 1, 2] {
            assert_eq!(newspaper.next_after(read), (3, "snow".to_owned()), "after edition {read}");
        }
        for (number, text) in [(4, "snow"), (5, ""), (6, " fog\n")] {
            assert_eq!(newspaper.publish(text), number, "an edition with the text {text:?}");
            assert_eq!(newspaper.next_after(number - 1), (number, text.to_owned()));
        }
        for text in ["", "\twind "] {
            assert_eq!(Newspaper::new(text).next_after(0), (1, text.to_owned()), "a first edition like any other");
        }
    });
}

/// Whoever waits for the last number of all never gets on: that thread ends with the test.
#[test]
#[ignore = "needs schedules: cargo xtask check condition whoever_is_ahead_waits"]
fn whoever_is_ahead_waits() {
    Check::new().schedules_only().daemons().run(|| {
        let newspaper = Arc::new(Newspaper::new("rain"));
        let reader = thread::spawn({
            let newspaper = Arc::clone(&newspaper);
            move || newspaper.next_after(u64::MAX)
        });
        a_while_passes();
        assert_eq!(newspaper.publish("sun"), 2);
        a_while_passes();
        assert!(!reader.is_finished(), "there is no newer edition");
    });
}

/// On threads only: so many calls have too many schedules. A bound that somebody puts in is met on any of them.
#[test]
fn large_numbers_are_nothing_special() {
    Check::new().threads_only().run(|| {
        let room = room_with_tickets(MANY);
        let is_called = |ticket| room.wait_for_call_within(ticket, Duration::ZERO);
        for ticket in 1..=MANY {
            assert!(!is_called(ticket), "ticket {ticket} is not called yet");
            assert_eq!(room.call_next(), ticket);
        }
        for ticket in 1..=MANY {
            assert!(is_called(ticket), "ticket {ticket} was called before, like all {MANY}");
        }
        for ticket in [u64::MAX, 1 << 63, (1 << 32) + 1] {
            assert!(!is_called(ticket), "nobody has ticket {ticket}");
        }
        let newspaper = Newspaper::new("");
        for number in 2..=MANY {
            assert_eq!(newspaper.publish(""), number);
            assert_eq!(newspaper.next_after(number - 1), (number, String::new()));
        }
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check condition every_small_program_of_calls_keeps_the_contract"]
fn every_small_program_of_calls_keeps_the_contract() {
    every_small_program(contract::ConditionContract);
}

/// More than a byte counts, and more than a word has bits.
const MANY: u64 = 300;

/// A room in which so many tickets are taken.
fn room_with_tickets(tickets: u64) -> WaitingRoom {
    let room = WaitingRoom::closed();
    room.open();
    for ticket in 1..=tickets {
        assert_eq!(room.take_ticket(), ticket);
    }
    room
}
