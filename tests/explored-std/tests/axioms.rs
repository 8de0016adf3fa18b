//! The engine's memory, which is a machine, against the axioms: on random small programs it shows exactly the outcomes of those
//! executions that C++20 allows and that can be put in one order of all events.
//!
//! An execution is a choice, for each read, of the store that it reads from, and of an order of the stores to each atomic (the
//! modification order). C++20 allows it if no read is of the future of its own past, if happens-before and the modification
//! orders agree (coherence), if exchanges are atomic, and if there is an order of what is `SeqCst`. The paragraphs are those of
//! N4861; where RC11 says the same with fewer words, they are RC11's.

extern crate explored_std as std;

mod support;

use std::collections::BTreeSet;
use std::explored::{Config, every_outcome};
use std::real::sync::{Arc, Mutex as RealMutex};
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicUsize, fence};
use std::thread;

use support::config;

/// What a thread does to one of two atomics.
#[derive(Clone, Copy, Debug)]
enum Act {
    Load(usize, Ordering),
    Store(usize, usize, Ordering),
    Add(usize, Ordering),
    /// Makes 2 of 1.
    Exchange(usize, Ordering, Ordering),
    Fence(Ordering),
}

/// How many events a program has at most, those that give the atomics their first value included.
const MOST: usize = 16;

/// A relation between events: for each event, the set of those that it is related to.
type Relation = [u16; MOST];

fn union(one: &Relation, other: &Relation) -> Relation {
    std::array::from_fn(|event| one[event] | other[event])
}

fn compose(one: &Relation, other: &Relation) -> Relation {
    let through = |middle: u16| (0..MOST).filter(|&at| middle >> at & 1 == 1).fold(0, |all, at| all | other[at]);
    std::array::from_fn(|event| through(one[event]))
}

fn closure(relation: &Relation) -> Relation {
    let mut all = *relation;
    for middle in 0..MOST {
        for event in 0..MOST {
            if all[event] >> middle & 1 == 1 {
                all[event] |= all[middle];
            }
        }
    }
    all
}

fn is_acyclic(relation: &Relation) -> bool {
    closure(relation).iter().enumerate().all(|(event, related)| related >> event & 1 == 0)
}

fn has(relation: &Relation, from: usize, to: usize) -> bool {
    relation[from] >> to & 1 == 1
}

fn relation(holds: impl Fn(usize, usize) -> bool, events: usize) -> Relation {
    let mut all = [0; MOST];
    for (from, related) in all.iter_mut().enumerate().take(events) {
        *related = (0..events).filter(|&to| holds(from, to)).fold(0, |set, to| set | 1 << to);
    }
    all
}

/// One event of an execution. The first two give the atomics their first value.
#[derive(Clone, Copy, Debug)]
struct Event {
    thread: usize,
    act: Act,
    /// The store that it reads from.
    from: Option<usize>,
    /// The value that it reads.
    read: Option<usize>,
    /// The value that it stores.
    stored: Option<usize>,
}

impl Event {
    fn atomic(&self) -> Option<usize> {
        match self.act {
            Act::Load(atomic, _) | Act::Store(atomic, ..) | Act::Add(atomic, _) | Act::Exchange(atomic, ..) => {
                Some(atomic)
            }
            Act::Fence(_) => None,
        }
    }

    fn ordering(&self) -> Ordering {
        match self.act {
            Act::Load(_, ordering) | Act::Store(_, _, ordering) | Act::Add(_, ordering) | Act::Fence(ordering) => {
                ordering
            }
            Act::Exchange(_, success, failure) => {
                if self.stored.is_some() {
                    success
                } else {
                    failure
                }
            }
        }
    }

    fn is_fence(&self) -> bool {
        matches!(self.act, Act::Fence(_))
    }

    fn may_read(&self) -> bool {
        matches!(self.act, Act::Load(..) | Act::Add(..) | Act::Exchange(..))
    }

    fn releases(&self) -> bool {
        matches!(self.ordering(), Release | AcqRel | SeqCst) && (self.is_fence() || self.stored.is_some())
    }

    fn acquires(&self) -> bool {
        matches!(self.ordering(), Acquire | AcqRel | SeqCst) && (self.is_fence() || self.read.is_some())
    }

    fn is_sequential(&self) -> bool {
        self.ordering() == SeqCst
    }
}

/// The outcomes of a program.
#[derive(Debug, Default)]
struct Outcomes {
    /// Of all executions that are allowed.
    allowed: BTreeSet<String>,
    /// Of those that can be put in one order.
    in_one_order: BTreeSet<String>,
}

fn outcomes(program: &[Vec<Act>]) -> Outcomes {
    let first = |atomic| Event {
        thread: usize::MAX,
        act: Act::Store(atomic, 0, Relaxed),
        from: None,
        read: None,
        stored: Some(0),
    };
    let mut events = vec![first(0), first(1)];
    for (thread, acts) in program.iter().enumerate() {
        events.extend(acts.iter().map(|&act| Event { thread, act, from: None, read: None, stored: None }));
    }
    let mut found = Outcomes::default();
    choose_sources(&mut events, 2, &mut found);
    found
}

/// Every choice of the stores that are read from.
fn choose_sources(events: &mut Vec<Event>, next: usize, found: &mut Outcomes) {
    let Some(reader) = (next..events.len()).find(|&event| events[event].may_read()) else {
        if let Some(events) = evaluate(events) {
            let mut order: [Vec<usize>; 2] = std::array::from_fn(|atomic| vec![atomic]);
            choose_orders(&events, &mut order, found);
        }
        return;
    };
    let stores = |event: &Event| !matches!(event.act, Act::Load(..)) && event.atomic() == events[reader].atomic();
    let sources: Vec<usize> = (0..events.len()).filter(|&at| at != reader && stores(&events[at])).collect();
    for source in sources {
        events[reader].from = Some(source);
        choose_sources(events, reader + 1, found);
    }
    events[reader].from = None;
}

/// The values that are read and stored; nothing if they come out of themselves, or out of an exchange that fails.
fn evaluate(events: &[Event]) -> Option<Vec<Event>> {
    let mut events = events.to_vec();
    let mut known: Vec<bool> = events.iter().map(|event| event.stored.is_some()).collect();
    while let Some(next) =
        (0..events.len()).find(|&event| !known[event] && events[event].from.is_none_or(|from| known[from]))
    {
        let read = events[next].from.map(|from| events[from].stored);
        if read == Some(None) {
            return None;
        }
        let read = read.flatten();
        events[next].read = read;
        events[next].stored = match (events[next].act, read) {
            (Act::Store(_, value, _), _) => Some(value),
            (Act::Add(..), Some(read)) => Some(read + 1),
            (Act::Exchange(..), Some(1)) => Some(2),
            _ => None,
        };
        known[next] = true;
    }
    known.iter().all(|&known| known).then_some(events)
}

/// Every order of the stores to each atomic.
fn choose_orders(events: &[Event], order: &mut [Vec<usize>; 2], found: &mut Outcomes) {
    let is_open = |event: usize| {
        let atomic = events[event].atomic();
        events[event].stored.is_some() && atomic.is_some_and(|atomic| !order[atomic].contains(&event))
    };
    // One atomic after the other, so that each pair of orders comes once.
    let open: Vec<usize> = (0..events.len()).filter(|&event| is_open(event)).collect();
    let Some(atomic) = open.iter().filter_map(|&event| events[event].atomic()).min() else {
        judge(events, order, found);
        return;
    };
    for event in open.into_iter().filter(|&event| events[event].atomic() == Some(atomic)) {
        // An exchange reads the store right before its own: [atomics.order]/10.
        if events[event].from.is_some_and(|from| order[atomic].last() != Some(&from)) {
            continue;
        }
        order[atomic].push(event);
        choose_orders(events, order, found);
        order[atomic].pop();
    }
}

fn judge(events: &[Event], order: &[Vec<usize>; 2], found: &mut Outcomes) {
    let count = events.len();
    let relation = |holds: &dyn Fn(usize, usize) -> bool| relation(holds, count);
    // Sequenced before; the first values come before everything.
    let sequenced = relation(&|a, b| b > 1 && (a < 2 || a < b && events[a].thread == events[b].thread));
    let reads_from = relation(&|a, b| events[b].from == Some(a));
    let place = |event: usize| {
        order.iter().find_map(|order| order.iter().position(|&other| other == event)).unwrap_or_default()
    };
    let modified = relation(&|a, b| {
        events[a].atomic() == events[b].atomic()
            && events[a].stored.is_some()
            && events[b].stored.is_some()
            && place(a) < place(b)
    });
    let from_read = relation(&|a, b| a != b && events[a].from.is_some_and(|from| has(&modified, from, b)));
    // RC11's answer to values out of thin air.
    if !is_acyclic(&union(&sequenced, &reads_from)) {
        return;
    }
    // [intro.races]/5 and [atomics.fences]/2 to 4: who releases heads a sequence of exchanges, and who reads one acquires.
    let heads = relation(&|release, head| {
        events[head].stored.is_some()
            && events[release].releases()
            && (release == head || events[release].is_fence() && has(&sequenced, release, head))
    });
    let exchanged = relation(&|a, b| events[b].from == Some(a) && events[b].stored.is_some());
    let itself = relation(&|a, b| a == b);
    let sequence = union(&itself, &closure(&exchanged));
    let acquired = relation(&|read, acquire| {
        events[acquire].acquires() && (read == acquire || events[acquire].is_fence() && has(&sequenced, read, acquire))
    });
    let synchronizes = compose(&compose(&compose(&heads, &sequence), &reads_from), &acquired);
    let happens_before = closure(&union(&sequenced, &synchronizes));
    // [atomics.order]/3, and coherence, [intro.races]/15 to 18.
    let coherence = closure(&union(&union(&reads_from, &modified), &from_read));
    if !is_acyclic(&happens_before)
        || !is_irreflexive(&compose(&happens_before, &coherence))
        || !is_irreflexive(&coherence)
    {
        return;
    }
    // [atomics.order]/4.
    let around = union(&itself, &happens_before);
    let sequential = relation(&|a, b| {
        let (is_fence, is_either) = (|event: usize| events[event].is_fence(), events[a].is_sequential());
        if !is_either || !events[b].is_sequential() || a == b {
            return false;
        }
        (0..count).any(|first| {
            let begins = first == a || is_fence(a) && has(&around, a, first);
            let ends = |last: usize| last == b || is_fence(b) && has(&around, last, b);
            begins && (0..count).any(|last| ends(last) && has(&coherence, first, last))
        })
    });
    // [intro.races]/12: strongly happens before.
    let both_are = relation(&|a, b| has(&synchronizes, a, b) && events[a].is_sequential() && events[b].is_sequential());
    let between = compose(&compose(&sequenced, &happens_before), &sequenced);
    let strongly = closure(&union(&union(&sequenced, &both_are), &between));
    let ordered = relation(&|a, b| events[a].is_sequential() && events[b].is_sequential() && has(&strongly, a, b));
    if !is_acyclic(&union(&sequential, &ordered)) {
        return;
    }
    let outcome = told(events, order);
    if is_acyclic(&union(&union(&sequenced, &reads_from), &union(&modified, &sequential))) {
        found.in_one_order.insert(outcome.clone());
    }
    found.allowed.insert(outcome);
}

fn is_irreflexive(relation: &Relation) -> bool {
    (0..MOST).all(|event| !has(relation, event, event))
}

/// What each thread has read, and what is there at the end.
fn told(events: &[Event], order: &[Vec<usize>; 2]) -> String {
    let read: Vec<String> =
        events.iter().filter_map(|event| event.read.map(|read| format!("{}:{read}", event.thread))).collect();
    let last = order.each_ref().map(|order| events[*order.last().expect("the first value")].stored.unwrap_or_default());
    format!("{} {last:?}", read.join(" "))
}

/// One act, at a place in the source that is its own: a thread reads an old value only twice at one place.
macro_rules! act_at_a_place {
    ($name:ident) => {
        fn $name(act: Act, atomics: &[AtomicUsize; 2]) -> Option<usize> {
            match act {
                Act::Load(atomic, ordering) => Some(atomics[atomic].load(ordering)),
                Act::Store(atomic, value, ordering) => {
                    atomics[atomic].store(value, ordering);
                    None
                }
                Act::Add(atomic, ordering) => Some(atomics[atomic].fetch_add(1, ordering)),
                Act::Exchange(atomic, success, failure) => {
                    Some(atomics[atomic].compare_exchange(1, 2, success, failure).unwrap_or_else(|value| value))
                }
                Act::Fence(ordering) => {
                    fence(ordering);
                    None
                }
            }
        }
    };
}

act_at_a_place!(first);
act_at_a_place!(second);
act_at_a_place!(third);
act_at_a_place!(fourth);

/// Does an act, and gives what it has read.
type Doer = fn(Act, &[AtomicUsize; 2]) -> Option<usize>;

const PLACES: [Doer; 4] = [first, second, third, fourth];

/// What the engine shows.
fn explored(program: &[Vec<Act>]) -> BTreeSet<String> {
    let seen = Arc::new(RealMutex::new(String::new()));
    let (written, program) = (Arc::clone(&seen), program.to_vec());
    let config = Config { schedules: 1_000_000, spurious: 0, ..config() };
    let all = every_outcome(
        &config,
        true,
        false,
        move || seen.lock().unwrap().clone(),
        move || {
            let atomics = [AtomicUsize::new(0), AtomicUsize::new(0)];
            let read: Vec<String> = thread::scope(|scope| {
                let run = |(number, acts): (usize, &Vec<Act>)| {
                    let read = acts.iter().zip(PLACES).filter_map(|(&act, place)| place(act, &atomics));
                    read.map(|read| format!("{number}:{read}")).collect::<Vec<_>>()
                };
                let threads: Vec<_> =
                    program.iter().enumerate().map(|numbered| scope.spawn(move || run(numbered))).collect();
                threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
            });
            let last = atomics.each_ref().map(|atomic| atomic.load(SeqCst));
            *written.lock().unwrap() = format!("{} {last:?}", read.join(" "));
        },
    );
    let all = all.expect("the program is small");
    all.into_keys().map(|end| end.strip_suffix(" passed").map(str::to_string).unwrap_or(end)).collect()
}

/// Numbers that are the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % sides as u64) as usize
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.roll(all.len())]
    }

    fn act(&mut self) -> Act {
        let atomic = self.roll(2);
        match self.roll(12) {
            0..4 => Act::Load(atomic, self.of(&[Relaxed, Relaxed, Acquire, SeqCst])),
            4..8 => Act::Store(atomic, 1 + self.roll(2), self.of(&[Relaxed, Relaxed, Release, SeqCst])),
            8 => Act::Add(atomic, self.of(&[Relaxed, Acquire, Release, AcqRel, SeqCst])),
            9 => Act::Exchange(atomic, self.of(&[Relaxed, AcqRel, SeqCst]), self.of(&[Relaxed, Acquire, SeqCst])),
            _ => Act::Fence(self.of(&[Acquire, Release, AcqRel, SeqCst, SeqCst])),
        }
    }
}

#[test]
fn the_machine_shows_what_the_axioms_allow() {
    // For a longer hunt: other programs.
    let more: u64 = std::env::var(verdict::SEED).ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let mut dice = Dice(1 + 1_000 * more);
    let (mut allowed, mut missing) = (0, 0);
    for shape in [[2, 2, 0], [3, 2, 0], [3, 3, 0], [4, 3, 0], [2, 2, 2], [3, 2, 1], [1, 2, 3], [1, 1, 3]] {
        for _ in 0..400 {
            let program: Vec<Vec<Act>> = shape.map(|acts| (0..acts).map(|_| dice.act()).collect()).to_vec();
            let (axioms, machine) = (outcomes(&program), explored(&program));
            let forbidden: Vec<_> = machine.difference(&axioms.allowed).collect();
            assert!(forbidden.is_empty(), "{program:?} shows {forbidden:?}, which are forbidden");
            let lost: Vec<_> = axioms.in_one_order.difference(&machine).collect();
            assert!(lost.is_empty(), "{program:?} does not show {lost:?}, which are allowed");
            let strange: Vec<_> = machine.difference(&axioms.in_one_order).collect();
            assert!(strange.is_empty(), "{program:?} shows {strange:?}, in no order of all events");
            allowed += axioms.allowed.len();
            missing += axioms.allowed.len() - machine.len();
        }
    }
    println!("{allowed} outcomes are allowed; {missing} of them need stores in another order than they are made in");
    assert!(missing * 20 < allowed);
}

#[test]
fn the_axioms_know_the_classics() {
    let has = |program: &[Vec<Act>], outcome: &str| outcomes(program).allowed.contains(outcome);
    let buffering = |store, load| {
        [vec![Act::Store(0, 1, store), Act::Load(1, load)], vec![Act::Store(1, 1, store), Act::Load(0, load)]]
    };
    assert!(has(&buffering(Release, Acquire), "0:0 1:0 [1, 1]"));
    assert!(!has(&buffering(SeqCst, SeqCst), "0:0 1:0 [1, 1]"));
    let message = |store, load| {
        [vec![Act::Store(0, 1, Relaxed), Act::Store(1, 1, store)], vec![Act::Load(1, load), Act::Load(0, Relaxed)]]
    };
    assert!(has(&message(Relaxed, Acquire), "1:1 1:0 [1, 1]"));
    assert!(!has(&message(Release, Acquire), "1:1 1:0 [1, 1]"));
    // 2+2W is allowed, and in no order of all events.
    let writes = [
        vec![Act::Store(0, 1, Relaxed), Act::Store(1, 2, Relaxed)],
        vec![Act::Store(1, 1, Relaxed), Act::Store(0, 2, Relaxed)],
    ];
    let found = outcomes(&writes);
    assert!(found.allowed.contains(" [1, 1]") && !found.in_one_order.contains(" [1, 1]"));
    // Z6.U, RC11 section 3.
    let program = [
        vec![Act::Store(0, 1, SeqCst), Act::Store(1, 1, Release)],
        vec![Act::Add(1, SeqCst), Act::Load(1, Relaxed)],
        vec![Act::Store(1, 3, SeqCst), Act::Load(0, SeqCst)],
    ];
    assert!(has(&program, "1:1 1:3 2:0 [1, 3]"));
}
