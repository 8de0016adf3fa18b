//! All small sequences of calls by one hand, with three futures: each answer, what is free then, and who is woken.

use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use async_lock::{Lock, Semaphore};
use kata::inputs::counted;

use super::contract::{Held, Shared, Waiting};
use super::{Bell, Waiter};
use Call::{Poll, Release, Try};

const FUTURES: usize = 3;

/// What is shared, and how it comes to where all sequences begin.
struct Begin {
    /// Those of a semaphore. None is a lock.
    permits: Option<usize>,
    before: &'static [Call],
    /// The longest sequences that are tried from there.
    longest: usize,
    /// Whether all that is dropped is dropped by a panic.
    panics: bool,
}

#[rustfmt::skip]
const BEGINS: [Begin; 7] = [
    Begin { permits: Some(1), before: &[], longest: 6, panics: false },
    Begin { permits: Some(2), before: &[], longest: 6, panics: false },
    Begin { permits: None, before: &[], longest: 6, panics: false },
    Begin { permits: Some(2), before: &[Try, Try, Poll(0), Poll(1), Poll(2)], longest: 4, panics: false },
    Begin { permits: Some(3), before: &[Try, Try, Try, Poll(0), Poll(1), Poll(2), Release, Release, Release], longest: 4, panics: false },
    Begin { permits: Some(1), before: &[Try, Poll(0), Poll(1), Poll(2)], longest: 3, panics: true },
    Begin { permits: None, before: &[Try, Poll(0), Poll(1), Poll(2)], longest: 3, panics: true },
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    Poll(usize),
    Drop(usize),
    Release,
    Try,
}

/// What is seen after a call: its answer, how many permits are free, which futures are woken that are not ready yet, and whether
/// a waker was woken that should not be: one of an earlier poll, or of a future that is gone.
#[derive(Debug, PartialEq)]
struct Seen {
    answer: &'static str,
    available: usize,
    woken: [bool; FUTURES],
    stale: bool,
}

/// Tries them from the shortest to the longest, so that the first one that fails has no call too many.
pub(crate) fn try_all() {
    for length in 1..=BEGINS.iter().map(|begin| begin.longest).max().unwrap_or(0) {
        for begin in BEGINS.iter().filter(|begin| length <= begin.longest) {
            let mut expected = Expected::new(begin.permits.unwrap_or(1));
            for &call in begin.before {
                expected.perform(call);
            }
            extend(begin, &expected, &mut begin.before.to_vec(), length);
        }
    }
}

/// Tries all sequences that begin with these calls and have `left` more.
fn extend(begin: &Begin, expected: &Expected, calls: &mut Vec<Call>, left: usize) {
    for call in expected.calls() {
        let mut expected = expected.clone();
        let answer = expected.perform(call);
        calls.push(call);
        if left > 1 {
            extend(begin, &expected, calls, left - 1);
        } else {
            let seen = match begin.permits {
                Some(permits) => perform(Shared::Semaphore(&Semaphore::new(permits)), calls, begin.panics),
                None => perform(Shared::Lock(&Lock::new(())), calls, begin.panics),
            };
            let wanted = expected.seen(answer);
            let told: Vec<String> = calls.iter().map(Call::to_string).collect();
            let what = begin.permits.map_or_else(|| "a lock".to_owned(), |permits| counted(permits, "permit"));
            let panics = if begin.panics { ", and each drop is in a panic" } else { "" };
            assert!(seen == wanted, "{what}{panics}: {} → {seen}; the contract allows: {wanted}", told.join(", "));
        }
        calls.pop();
    }
}

/// The contract, for one hand.
#[derive(Clone)]
struct Expected {
    free: usize,
    held: usize,
    line: Vec<usize>,
    /// Whether each future was given a permit. None where there is no future.
    futures: [Option<bool>; FUTURES],
}

impl Expected {
    fn new(permits: usize) -> Expected {
        Expected { free: permits, held: 0, line: Vec::new(), futures: [None; FUTURES] }
    }

    /// What can be called now. Of the futures that are not there, the first is as good as the others.
    fn calls(&self) -> Vec<Call> {
        let new = self.futures.iter().position(Option::is_none);
        let there = || (0..FUTURES).filter(|&future| self.futures[future].is_some());
        let mut calls = vec![Call::Try];
        calls.extend((self.held > 0).then_some(Call::Release));
        calls.extend(there().chain(new).map(Call::Poll));
        calls.extend(there().map(Call::Drop));
        calls
    }

    fn perform(&mut self, call: Call) -> &'static str {
        match call {
            Call::Release => {
                self.held -= 1;
                self.comes_back();
                "()"
            }
            Call::Drop(future) => {
                self.line.retain(|waits| *waits != future);
                if self.futures[future].take() == Some(true) {
                    self.comes_back();
                }
                "()"
            }
            Call::Poll(future) if self.futures[future] == Some(true) => {
                self.futures[future] = None;
                self.held += 1;
                "Ready"
            }
            Call::Poll(future) if self.futures[future].is_none() && self.free == 0 => {
                self.futures[future] = Some(false);
                self.line.push(future);
                "Pending"
            }
            Call::Poll(future) if self.futures[future].is_some() => "Pending",
            Call::Try if self.free == 0 => "None",
            Call::Poll(_) | Call::Try => {
                self.free -= 1;
                self.held += 1;
                if call == Call::Try { "Some" } else { "Ready" }
            }
        }
    }

    fn comes_back(&mut self) {
        if self.line.is_empty() {
            self.free += 1;
        } else {
            self.futures[self.line.remove(0)] = Some(true);
        }
    }

    fn seen(&self, answer: &'static str) -> Seen {
        Seen { answer, available: self.free, woken: self.futures.map(|given| given == Some(true)), stale: false }
    }
}

/// Makes these calls.
fn perform(shared: Shared<'_>, calls: &[Call], panics: bool) -> Seen {
    let mut held: Vec<Held<'_>> = Vec::new();
    let mut futures: [Option<Waiter<Waiting<'_>>>; FUTURES] = [const { None }; FUTURES];
    let mut stale: Vec<Arc<Bell>> = Vec::new();
    let mut answer = "";
    for &call in calls {
        answer = match call {
            Call::Release => {
                dropped(held.pop(), panics);
                "()"
            }
            Call::Drop(future) => {
                let waiter = futures[future].take().expect("only what is there is dropped");
                stale.extend((!waiter.is_woken()).then(|| Arc::clone(&waiter.bell)));
                dropped(waiter, panics);
                "()"
            }
            Call::Poll(future) => {
                let waiter = futures[future].get_or_insert_with(|| Waiter::new(shared.acquire()));
                let last = mem::take(&mut waiter.bell);
                if let Some(permit) = waiter.poll() {
                    held.push(permit);
                    futures[future] = None;
                    "Ready"
                } else {
                    stale.push(last);
                    "Pending"
                }
            }
            Call::Try => match shared.try_acquire() {
                Some(permit) => {
                    held.push(permit);
                    "Some"
                }
                None => "None",
            },
        };
    }
    let woken = futures.each_ref().map(|waiter| waiter.as_ref().is_some_and(Waiter::is_woken));
    Seen { answer, available: shared.available(), woken, stale: stale.iter().any(|bell| bell.rang()) }
}

/// Drops it, or lets a panic drop it.
fn dropped<T>(owned: T, panics: bool) {
    let ends = catch_unwind(AssertUnwindSafe(|| {
        let _owned = owned;
        if panics {
            resume_unwind(Box::new("as its test wants it"));
        }
    }));
    assert_eq!(ends.is_err(), panics, "a drop panics");
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Call::Poll(future) => write!(f, "{}.poll()", NAMES[future]),
            Call::Drop(future) => write!(f, "drop({})", NAMES[future]),
            Call::Release => f.write_str("drop(permit)"),
            Call::Try => f.write_str("try_acquire()"),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let woken: Vec<&str> = (0..FUTURES).filter(|&future| self.woken[future]).map(|future| NAMES[future]).collect();
        let woken = if woken.is_empty() { "nobody".to_owned() } else { woken.join(" and ") };
        let stale = if self.stale { " and a waker of an earlier poll" } else { "" };
        write!(f, "{}, {} free, {woken}{stale} woken", self.answer, self.available)
    }
}

const NAMES: [&str; FUTURES] = ["a", "b", "c"];
