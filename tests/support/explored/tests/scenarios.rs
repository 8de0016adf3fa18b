//! What scenarios find in small objects that are right or wrong on purpose, and what they say of contracts that are.

extern crate kata_explored as kata;

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use kata::scenarios::{Clock, Contract, Moves, PANICS, PANICS_ON_PURPOSE, Scene, Setup, Turn, every_small_program};

/// How the turnstile below, or its contract, is wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mistake {
    None,
    /// `give` tells nobody.
    TellsNobody,
    /// `take` looks once and goes on after the first wakeup.
    If,
    /// `take` goes on if it was woken before anybody ever gave: only an accident does that.
    GoesOnByAccident,
    /// `take` reads and writes under two locks.
    TwoLocks,
    /// `take_within` starts its limit anew after each wakeup.
    LimitStartsAnew,
    /// `take_within` gives up if it is woken when its limit is over, although there is something to take.
    LooksAtTheClockFirst,
    /// `take_within` subtracts after each wakeup all the time since it began, again.
    SubtractsAgain,
    /// `take_within` goes on with the whole seconds that are left.
    WaitsWholeSeconds,
    /// `take_within` gives up at once.
    NeverWaits,
    /// That is none: `take_within` gives up when its limit is not over but exceeded, and asks again and again until then.
    GivesUpWhenItIsLater,
    /// The same, but only when it is a minute later.
    GivesUpAMinuteLater,
    /// `take_within` gives up a second too late.
    GivesUpLate,
    /// `take` spins.
    Spins,
    /// `take` looks every millisecond.
    Polls,
    /// `give` panics.
    Panics,
    /// `give` lets a thread of its own find out that it is wrong.
    AssertsElsewhere,
    /// `give` takes its lock twice.
    LocksItself,
    /// One more than one is lost.
    LosesTheSecond,
    /// Giving is noted twice.
    NotesTwice,
    /// `give` returns before it has given.
    GivesLater,
    /// It can't even be prepared.
    WaitsAtFirst,
    /// Whoever has it last waits for somebody to take one more.
    WaitsAtLast,
    /// The contract panics.
    ContractPanics,
    /// The contract has no end.
    ContractHasNoEnd,
}

/// Lets as many through as were given.
struct Turnstile {
    mistake: Mistake,
    free: Mutex<usize>,
    given: Condvar,
    /// How often somebody gave, where a mistake wants to know.
    times: Mutex<usize>,
}

impl Turnstile {
    fn give(self: &Arc<Turnstile>) {
        match self.mistake {
            Mistake::Panics => panic!("cannot give"),
            Mistake::GivesLater => {
                let this = Arc::clone(self);
                thread::spawn(move || this.add());
            }
            Mistake::AssertsElsewhere => {
                self.add();
                thread::spawn(|| assert!(String::new().len() > 1, "all is lost"));
            }
            Mistake::LocksItself => {
                let _free = self.free.lock();
                self.add();
            }
            _ => self.add(),
        }
    }

    fn add(&self) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if self.mistake == Mistake::LosesTheSecond && *free == 1 {
            return;
        }
        *free += 1;
        if self.mistake == Mistake::GoesOnByAccident {
            *self.times.lock().unwrap() += 1;
        }
        if self.mistake != Mistake::TellsNobody {
            self.given.notify_one();
        }
    }

    fn take(&self) -> &'static str {
        match self.mistake {
            Mistake::Spins => while self.try_take() == "none" {},
            Mistake::Polls => {
                while self.try_take() == "none" {
                    thread::sleep(Duration::from_millis(1));
                }
            }
            Mistake::If => {
                let mut free = self.free.lock().unwrap();
                if *free == 0 {
                    free = self.given.wait(free).unwrap();
                }
                *free = free.saturating_sub(1);
            }
            Mistake::GoesOnByAccident => {
                let mut free = self.free.lock().unwrap();
                while *free == 0 {
                    free = self.given.wait(free).unwrap();
                    if *self.times.lock().unwrap() == 0 {
                        return "ok";
                    }
                }
                *free -= 1;
            }
            Mistake::TwoLocks => {
                drop(self.given.wait_while(self.free.lock().unwrap(), |free| *free == 0).unwrap());
                let mut free = self.free.lock().unwrap();
                *free = free.saturating_sub(1);
            }
            _ => *self.given.wait_while(self.free.lock().unwrap(), |free| *free == 0).unwrap() -= 1,
        }
        "ok"
    }

    fn try_take(&self) -> &'static str {
        let mut free = self.free.lock().unwrap();
        if *free == 0 {
            return "none";
        }
        *free -= 1;
        "ok"
    }

    fn take_within(&self, limit: Duration) -> &'static str {
        let late = if self.mistake == Mistake::GivesUpLate { Duration::from_secs(1) } else { Duration::ZERO };
        let begun = Instant::now();
        let mut deadline = begun + limit + late;
        let mut free = self.free.lock().unwrap();
        while *free == 0 {
            let now = Instant::now();
            let left = deadline.saturating_duration_since(now);
            let is_over = match self.mistake {
                Mistake::GivesUpWhenItIsLater => now > deadline,
                Mistake::GivesUpAMinuteLater => now > deadline + Duration::from_secs(60),
                _ => now >= deadline,
            };
            if is_over || self.mistake == Mistake::NeverWaits {
                return "none";
            }
            let (woken, result) = self.given.wait_timeout(free, left).unwrap();
            free = woken;
            if self.mistake == Mistake::LimitStartsAnew && !result.timed_out() {
                deadline = Instant::now() + limit;
            }
            if self.mistake == Mistake::SubtractsAgain {
                deadline -= begun.elapsed();
            }
            if self.mistake == Mistake::WaitsWholeSeconds {
                deadline = Instant::now() + Duration::from_secs((deadline - Instant::now()).as_secs());
            }
            if self.mistake == Mistake::LooksAtTheClockFirst && Instant::now() >= deadline {
                return "none";
            }
        }
        *free -= 1;
        "ok"
    }
}

impl Drop for Turnstile {
    fn drop(&mut self) {
        if self.mistake == Mistake::WaitsAtLast {
            drop(self.given.wait(self.free.lock().unwrap()).unwrap());
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    Give,
    Take,
    TryTake,
    TakeWithin,
}

const LIMIT: Duration = Duration::from_secs(3);

struct TurnstileContract(Mistake);

impl Contract for TurnstileContract {
    type Hand = Arc<Turnstile>;
    type Call = Call;
    type State = usize;

    fn setups(&self) -> Vec<Setup<usize>> {
        vec![Setup { name: "none is free", state: 0 }, Setup { name: "one is free", state: 1 }]
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Give, Call::Take, Call::TryTake, Call::TakeWithin]
    }

    fn name(&self, call: Call, _id: usize) -> String {
        format!("{call:?}").to_lowercase()
    }

    fn limit(&self, call: Call) -> Option<Duration> {
        (call == Call::TakeWithin).then_some(LIMIT)
    }

    fn hands(&self, setup: usize, threads: usize, _scene: &Scene) -> Vec<Arc<Turnstile>> {
        let turnstile =
            Turnstile { mistake: self.0, free: Mutex::new(setup), given: Condvar::new(), times: Mutex::new(0) };
        if self.0 == Mistake::WaitsAtFirst {
            turnstile.take();
        }
        let turnstile = Arc::new(turnstile);
        vec![turnstile; threads]
    }

    fn perform(&self, turnstile: &mut Arc<Turnstile>, call: Call, id: usize, scene: &Scene) -> String {
        let answer = match call {
            Call::Give => {
                turnstile.give();
                for _ in 0..if self.0 == Mistake::NotesTwice { 2 } else { 1 } {
                    scene.note("given", id);
                }
                "ok"
            }
            Call::Take => turnstile.take(),
            Call::TryTake => turnstile.try_take(),
            Call::TakeWithin => turnstile.take_within(LIMIT),
        };
        answer.to_owned()
    }

    fn may(&self, free: &usize, call: Call, turn: &Turn, moves: &mut Moves<usize>) {
        assert!(self.0 != Mistake::ContractPanics || *free < 2, "this contract knows no more than one");
        match call {
            Call::Give => moves.answer(free + 1, "ok"),
            _ if *free > 0 => moves.answer(free - 1, "ok"),
            Call::TryTake => moves.answer(0, "none"),
            Call::TakeWithin if turn.is_over(LIMIT) => moves.answer(0, "none"),
            Call::Take | Call::TakeWithin => {}
        }
    }

    fn by_itself(&self, free: &usize, _clock: &Clock, moves: &mut Moves<usize>) {
        if self.0 == Mistake::ContractHasNoEnd {
            moves.change(free + 1);
        }
    }

    fn hears(&self, free: &usize, what: &str, id: usize, _clock: &Clock) -> Option<usize> {
        assert_eq!(what, "given");
        assert!(id > 10);
        // Only a turnstile that notes twice is asked to keep count, in the tens of thousands.
        match self.0 {
            Mistake::NotesTwice if *free >= 10_000 => None,
            Mistake::NotesTwice => Some(free + 10_000),
            _ => Some(*free),
        }
    }
}

/// What the scenarios say of a turnstile with this mistake; nothing if they pass.
fn told(mistake: Mistake) -> Option<String> {
    let payload = panic::catch_unwind(AssertUnwindSafe(|| every_small_program(TurnstileContract(mistake)))).err()?;
    Some(*payload.downcast::<String>().expect("a failure is told as text"))
}

/// Its first line, and the program.
#[track_caller]
fn fails(mistake: Mistake, kind: &str, headline: &str) -> String {
    let told = told(mistake).unwrap_or_else(|| panic!("{mistake:?} passes"));
    let (first, rest) = told.split_once('\n').unwrap_or((&told, ""));
    assert_eq!(first, format!("{kind}: {headline}"), "{told}");
    rest.to_owned()
}

#[test]
fn a_right_turnstile_passes() {
    assert_eq!(told(Mistake::None), None);
}

#[test]
fn a_waiter_that_nobody_wakes_is_a_lost_wakeup_in_the_smallest_program() {
    let rest = fails(Mistake::TellsNobody, "lost-wakeup", "take waits, though the contract lets it go on");
    assert!(rest.contains("none is free\n    A           B\n    give → ok   take …\n"), "{rest}");
    assert!(rest.contains("waits for a notification of condvar#1"), "{rest}");
}

#[test]
fn a_wrong_answer_is_told_with_what_the_contract_allows() {
    let rest = fails(Mistake::If, "race", "take answers ok after 3600s; the contract allows: to wait");
    assert!(rest.contains("    take → ok\n"), "one thread and a spurious wakeup suffice: {rest}");
    fails(Mistake::NeverWaits, "assertion", "takewithin answers none; the contract allows: to wait");
}

#[test]
fn what_only_an_accident_shows_is_found() {
    fails(Mistake::GoesOnByAccident, "race", "take answers ok after 3600s; the contract allows: to wait");
}

#[test]
fn two_that_take_the_same_are_seen_by_a_third_answer() {
    fails(Mistake::TwoLocks, "race", "take answers ok; the contract allows: to wait");
}

#[test]
fn what_ends_too_late_is_no_wait_for_ever() {
    fails(Mistake::LimitStartsAnew, "race", "takewithin waits, though the contract lets it go on");
}

/// The wakeup comes when the limit is over: who gives up then must leave it to the next one.
#[test]
fn a_limit_may_be_exceeded_by_as_little_as_one_looks_at_the_clock() {
    assert_eq!(told(Mistake::GivesUpWhenItIsLater), None);
    assert!(told(Mistake::GivesUpAMinuteLater).is_some(), "time does not jump to the end of the scenario");
}

#[test]
fn what_comes_at_the_end_of_a_limit_is_tried() {
    let rest = fails(Mistake::LooksAtTheClockFirst, "lost-wakeup", "take waits, though the contract lets it go on");
    assert!(rest.contains("A, after 3s   B, after 3s   C"), "{rest}");
}

#[test]
fn what_comes_within_a_limit_is_tried() {
    for (mistake, given_up) in [(Mistake::SubtractsAgain, "1"), (Mistake::WaitsWholeSeconds, "2")] {
        let early = format!("takewithin answers none after {given_up}.500000007s; the contract allows: to wait");
        let rest = fails(mistake, "race", &early);
        assert!(rest.contains("A, after 1.500000007s   B"), "{rest}");
        // Those without a limit: the others can still fail in other ways than that in which everybody begins at once.
        assert!(rest.contains("explored: 130 of 413 scenarios, 41 of them on all schedules"), "{rest}");
    }
}

/// Nothing else happens when the limit is over: only the time tells.
#[test]
fn who_gives_up_too_late_is_found() {
    fails(Mistake::GivesUpLate, "assertion", "takewithin waits, though the contract lets it go on");
}

#[test]
fn looking_again_and_again_is_not_waiting() {
    fails(Mistake::Polls, "livelock", "A runs on for ever without progress");
    let rest = fails(Mistake::Spins, "livelock", "A runs on for ever without progress");
    assert!(rest.contains("none is free\n    A\n    take\n"), "the program is told, too: {rest}");
}

#[test]
fn a_panic_is_told_with_its_place() {
    let rest = fails(Mistake::Panics, "assertion", "give panics; the contract allows: ok");
    assert!(rest.contains("A panicked: cannot give (scenarios.rs:"), "{rest}");
}

#[test]
fn an_assertion_that_fails_on_a_thread_of_the_object_is_a_failure() {
    let told = told(Mistake::AssertsElsewhere).expect("nobody planned it");
    assert!(told.starts_with("assertion: thread 2 panicked: all is lost (scenarios.rs:"), "{told}");
}

#[test]
fn who_locks_twice_is_in_a_deadlock() {
    fails(Mistake::LocksItself, "deadlock", "give waits, though the contract lets it go on");
}

#[test]
fn a_mistake_that_only_a_third_call_shows_is_found() {
    fails(Mistake::LosesTheSecond, "lost-wakeup", "take waits, though the contract lets it go on");
}

#[test]
fn what_is_noted_has_to_be_allowed() {
    let told = told(Mistake::NotesTwice).expect("a second note is one too many");
    assert!(told.starts_with("assertion: given 11: the contract does not allow this now\n"), "{told}");
}

#[test]
fn who_waits_before_the_first_call_fails() {
    let told = told(Mistake::WaitsAtFirst).expect("nothing is prepared");
    assert!(told.starts_with("lost-wakeup: main waits for a notification of condvar#1"), "{told}");
}

/// Whoever sees that a call has returned sees what it did: only the order of returns and begins shows the difference.
#[test]
fn who_waits_behind_the_last_call_fails() {
    let headline = "A waits for ever outside of its calls: before one of them, or behind the last";
    fails(Mistake::WaitsAtLast, "lost-wakeup", headline);
}

#[test]
fn an_effect_after_the_return_is_found() {
    fails(Mistake::GivesLater, "race", "trytake answers none; the contract allows: ok");
}

#[test]
fn a_contract_that_is_no_good_is_nobodys_mistake() {
    let told_of = |mistake| told(mistake).expect("it is told");
    let panics = told_of(Mistake::ContractPanics);
    assert!(panics.starts_with("the test itself is broken, which is not your fault: "), "{panics}");
    assert!(panics.contains("in the scenario \"") && panics.contains("knows no more than one"), "{panics}");
    let endless = told_of(Mistake::ContractHasNoEnd);
    assert!(endless.contains("it does not come to an end"), "{endless}");
}

/// Rings a bell, which only one thread can have; nobody hears it if it is mute.
struct BellContract {
    mute: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum BellCall {
    Ring,
    Idle,
}

impl Contract for BellContract {
    type Hand = Option<Scene>;
    type Call = BellCall;
    /// Whether it was rung and not heard yet.
    type State = bool;

    fn setups(&self) -> Vec<Setup<bool>> {
        vec![Setup { name: "a bell that was rung", state: true }]
    }

    fn calls(&self) -> Vec<BellCall> {
        vec![BellCall::Ring, BellCall::Idle]
    }

    fn name(&self, call: BellCall, _id: usize) -> String {
        format!("{call:?}").to_lowercase()
    }

    fn makes_sense(&self, _setup: usize, program: &[Vec<BellCall>]) -> bool {
        program.iter().flatten().filter(|call| **call == BellCall::Ring).count() <= 1
    }

    fn hands(&self, _setup: usize, threads: usize, scene: &Scene) -> Vec<Option<Scene>> {
        // Two threads ring before, in an order that does not matter.
        let rings = [scene.clone(), scene.clone()];
        let first = Arc::new(Mutex::new(true));
        for scene in rings {
            let first = Arc::clone(&first);
            thread::spawn(move || {
                if std::mem::take(&mut *first.lock().unwrap()) {
                    scene.note("the bell rings, {}", 1);
                }
            });
        }
        scene.settle();
        let mut hands = vec![None; threads];
        hands[0] = Some(scene.clone());
        hands
    }

    fn deal(&self, hands: &mut [Option<Scene>], program: &[Vec<BellCall>]) {
        let bell = hands[0].take();
        if let Some(thread) = program.iter().position(|calls| calls.contains(&BellCall::Ring)) {
            hands[thread] = bell;
        }
    }

    fn perform(&self, bell: &mut Option<Scene>, call: BellCall, _id: usize, _scene: &Scene) -> String {
        if call == BellCall::Ring {
            let bell = bell.take().expect("who rings was dealt the bell");
            if !self.mute {
                bell.note("the bell rings, {}", 1);
            }
        }
        "()".to_owned()
    }

    fn may(&self, heard: &bool, call: BellCall, _turn: &Turn, moves: &mut Moves<bool>) {
        moves.answer(*heard || call == BellCall::Ring, "()");
    }

    fn by_itself(&self, rung: &bool, _clock: &Clock, moves: &mut Moves<bool>) {
        if *rung {
            moves.expects("the bell rings, {}", 1);
        }
    }

    fn hears(&self, rung: &bool, _what: &str, _id: usize, _clock: &Clock) -> Option<bool> {
        rung.then_some(false)
    }
}

#[test]
fn what_the_contract_expects_has_to_be_noted() {
    let told = |mute| panic::catch_unwind(|| every_small_program(BellContract { mute })).err();
    assert!(told(false).is_none());
    let told = *told(true).expect("nobody hears a mute bell").downcast::<String>().expect("a failure is told as text");
    let (first, rest) = told.split_once('\n').expect("more than a line");
    assert_eq!(first, "deadlock: everything waits, though the contract wants: the bell rings, 1", "{told}");
    assert!(rest.contains("a bell that was rung\n    A\n    ring\n  in this order: the bell rings, 1\n"), "{told}");
}

/// A key that the first thread has. Larger programs than those of two calls are tried only where they tell something about waiting.
struct KeyContract {
    /// Whether three threads were there at once.
    saw_three: Arc<std::real::sync::atomic::AtomicBool>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum KeyCall {
    Return,
    Take,
}

impl Contract for KeyContract {
    type Hand = Arc<(Mutex<bool>, Condvar)>;
    type Call = KeyCall;
    /// Whether somebody has it.
    type State = bool;
    const CALLS: usize = 2;
    const TELLING: usize = 3;

    fn setups(&self) -> Vec<Setup<bool>> {
        vec![Setup { name: "A has the key", state: true }]
    }

    /// What only the owner can do comes first, so that the thread that does it is A.
    fn calls(&self) -> Vec<KeyCall> {
        vec![KeyCall::Return, KeyCall::Take]
    }

    fn name(&self, call: KeyCall, _id: usize) -> String {
        format!("{call:?}").to_lowercase()
    }

    fn makes_sense(&self, _setup: usize, program: &[Vec<KeyCall>]) -> bool {
        // The owner has no reason to take what it has.
        let others = || program.iter().skip(1).flatten();
        let own = program.first().is_none_or(|calls| calls.is_empty() || calls[..] == [KeyCall::Return]);
        own && others().all(|call| *call == KeyCall::Take)
    }

    fn hands(&self, _setup: usize, threads: usize, _scene: &Scene) -> Vec<Self::Hand> {
        if threads == 3 {
            self.saw_three.store(true, std::real::sync::atomic::Ordering::SeqCst);
        }
        let key = Arc::new((Mutex::new(true), Condvar::new()));
        vec![key; threads]
    }

    fn perform(&self, key: &mut Self::Hand, call: KeyCall, _id: usize, _scene: &Scene) -> String {
        let (taken, returned) = &**key;
        let mut taken = taken.lock().unwrap();
        if call == KeyCall::Return {
            *taken = false;
            returned.notify_one();
        } else {
            while *taken {
                taken = returned.wait(taken).unwrap();
            }
            *taken = true;
        }
        "()".to_owned()
    }

    fn may(&self, taken: &bool, call: KeyCall, _turn: &Turn, moves: &mut Moves<bool>) {
        match call {
            KeyCall::Return => moves.answer(false, "()"),
            KeyCall::Take if *taken => {}
            KeyCall::Take => moves.answer(true, "()"),
        }
    }
}

#[test]
fn an_owner_lets_two_others_go_on() {
    let saw_three = Arc::default();
    every_small_program(KeyContract { saw_three: Arc::clone(&saw_three) });
    assert!(saw_three.load(std::real::sync::atomic::Ordering::SeqCst), "two wait, and the owner helps");
}

/// Something that passes a panic on, or panics by itself.
struct FireContract {
    by_itself: bool,
}

impl Contract for FireContract {
    type Hand = ();
    type Call = ();
    type State = ();
    const CALLS: usize = 1;

    fn setups(&self) -> Vec<Setup<()>> {
        vec![Setup { name: "a fire", state: () }]
    }

    fn calls(&self) -> Vec<()> {
        vec![()]
    }

    fn name(&self, (): (), _id: usize) -> String {
        "burn".to_owned()
    }

    fn hands(&self, _setup: usize, threads: usize, _scene: &Scene) -> Vec<()> {
        vec![(); threads]
    }

    fn perform(&self, (): &mut (), (): (), _id: usize, _scene: &Scene) -> String {
        if self.by_itself { panic!("burnt") } else { kata::panic_on_purpose("burnt") }
    }

    fn may(&self, (): &(), (): (), _turn: &Turn, moves: &mut Moves<()>) {
        moves.answer((), PANICS_ON_PURPOSE);
    }
}

#[test]
fn a_panic_on_purpose_is_another_answer_than_one_that_comes_by_itself() {
    every_small_program(FireContract { by_itself: false });
    let told = panic::catch_unwind(|| every_small_program(FireContract { by_itself: true }));
    let told = *told.expect_err("it panics by itself").downcast::<String>().expect("a failure is told as text");
    let headline = "burn panics; the contract allows: the panic that was made here";
    assert!(told.starts_with(&format!("assertion: {headline}")), "{told}");
    assert_eq!(PANICS, "panics");
}
