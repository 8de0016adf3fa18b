//! What a harness is told of a schedule in the reduced search is what it would see in all schedules: on random small programs
//! of calls, both searches find the same histories, that is, the same answers and the same calls that ended before others
//! began.

#[macro_use]
extern crate explored_std as std;

mod support;

use std::collections::BTreeSet;
use std::explored::{Blame, Config, Effort, Judge, Mark, Marked, Objection, Session, mark, rest, session, settle};
use std::real::cell::RefCell;
use std::real::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use verdict::Outcome;

/// What a call does, beside taking and freeing a lock.
#[derive(Clone, Copy, Debug)]
enum Call {
    Add,
    Swap,
    FetchAdd,
    Load,
    WaitForTwo,
    WaitForAWhile,
    TryAdd,
}

const CALLS: [Call; 7] =
    [Call::Add, Call::Swap, Call::FetchAdd, Call::Load, Call::WaitForTwo, Call::WaitForAWhile, Call::TryAdd];

#[derive(Default)]
struct World {
    count: Mutex<usize>,
    other: Mutex<usize>,
    changed: Condvar,
    atomic: AtomicUsize,
}

impl World {
    fn perform(&self, call: Call) -> usize {
        match call {
            Call::Add => {
                let mut count = self.count.lock().unwrap();
                *count += 1;
                self.changed.notify_one();
                *count
            }
            Call::Swap => {
                let mut count = self.count.lock().unwrap();
                let mut other = self.other.lock().unwrap();
                std::mem::swap(&mut *count, &mut other);
                *other
            }
            Call::FetchAdd => self.atomic.fetch_add(1, SeqCst),
            Call::Load => self.atomic.load(SeqCst) + 10 * *self.other.lock().unwrap(),
            Call::WaitForTwo => *self.changed.wait_while(self.count.lock().unwrap(), |count| *count < 2).unwrap(),
            Call::WaitForAWhile => {
                let (count, result) =
                    self.changed.wait_timeout(self.count.lock().unwrap(), Duration::from_millis(5)).unwrap();
                *count + 100 * usize::from(result.timed_out())
            }
            Call::TryAdd => self.count.try_lock().map_or(99, |mut count| {
                *count += 1;
                *count
            }),
        }
    }
}

/// Answers, and which call ended before which began: both by the calls' numbers.
type History = (Vec<Option<String>>, BTreeSet<(usize, usize)>);

/// All histories that the marks of one schedule stand for.
fn histories(marks: &[Mark], calls: usize, found: &mut BTreeSet<History>) {
    let mut answers = vec![None; calls];
    for mark in marks {
        if let Marked::Returns(call, answer) = &mark.what {
            answers[*call] = Some(answer.clone());
        }
    }
    let barrier = |mark: &Mark| matches!(mark.what, Marked::StandsStill | Marked::TimeMoves { .. });
    // What must come before what: where time has moved between two marks, or one happened before the other.
    let before: Vec<Vec<usize>> = (0..marks.len())
        .map(|later| {
            let comes_first = |earlier: &usize| {
                marks[*earlier..=later].iter().any(barrier) || marks[*earlier].is_before(&marks[later])
            };
            (0..later).filter(comes_first).collect()
        })
        .collect();
    extend(marks, &before, &mut Vec::new(), &mut |order| {
        let mut precedes = BTreeSet::new();
        for (place, &returned) in order.iter().enumerate() {
            let Marked::Returns(earlier, _) = marks[returned].what else { continue };
            for &begun in &order[place..] {
                if let Marked::Begins(later) = marks[begun].what {
                    precedes.insert((earlier, later));
                }
            }
        }
        found.insert((answers.clone(), precedes));
    });
}

/// All orders of the marks that keep to what must come before what.
fn extend(marks: &[Mark], before: &[Vec<usize>], order: &mut Vec<usize>, each: &mut impl FnMut(&[usize])) {
    if order.len() == marks.len() {
        return each(order);
    }
    for next in 0..marks.len() {
        if !order.contains(&next) && before[next].iter().all(|earlier| order.contains(earlier)) {
            order.push(next);
            extend(marks, before, order, each);
            order.pop();
        }
    }
}

/// The histories of a program, by one search; nothing if it has too many schedules. Before it, threads make the calls of
/// `prepared`, in any order, but one and the same in each schedule.
fn explore(
    session: &mut Session,
    prepared: &[Call],
    program: &[Vec<Call>],
    effort: Effort,
) -> Option<BTreeSet<History>> {
    let calls = program.iter().map(Vec::len).sum();
    let found: Rc<RefCell<BTreeSet<History>>> = Rc::default();
    let judge: Judge = Rc::new(RefCell::new({
        let found = Rc::clone(&found);
        move |marks: &[Mark]| {
            histories(marks, calls, &mut found.borrow_mut());
            None
        }
    }));
    let (prepared, program) = (prepared.to_vec(), program.to_vec());
    let body = move || {
        let world = Arc::new(World::default());
        for &call in &prepared {
            let world = Arc::clone(&world);
            thread::spawn(move || world.perform(call));
        }
        if !prepared.is_empty() {
            settle();
        }
        let mut number = 0;
        for calls in &program {
            let (world, calls, first) = (Arc::clone(&world), calls.clone(), number);
            number += calls.len();
            thread::spawn(move || {
                for (number, call) in (first..).zip(calls) {
                    mark(Marked::Begins(number), "call", |_| String::new());
                    let answer = world.perform(call);
                    mark(Marked::Returns(number, answer.to_string()), "return", |_| String::new());
                }
            });
        }
        drop(world);
        rest()
    };
    let config = Config { daemons: true, spurious: 0, ..support::config() };
    let glance = session.glance(&config, effort, &judge, body);
    let found = found.borrow().clone();
    glance.coverage.complete.then_some(found)
}

#[test]
fn reduced_and_plain_search_see_the_same_histories() {
    let mut dice = 20_261_126_u64;
    let mut roll = move |sides: usize| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) as usize % sides
    };
    let (mut compared, mut histories) = (0, 0);
    session(|session| {
        for _ in 0..300 {
            let sizes: &[usize] = [&[1, 1][..], &[2, 1], &[1, 1, 1], &[2, 2]][roll(4)];
            let program: Vec<Vec<Call>> =
                sizes.iter().map(|&size| (0..size).map(|_| CALLS[roll(CALLS.len())]).collect()).collect();
            let prepared: Vec<Call> = (0..[0, 3][roll(2)]).map(|_| CALLS[roll(CALLS.len())]).collect();
            let plain = Effort::Preemptions { most: u32::MAX, schedules: 20_000 };
            let Some(plain) = explore(session, &prepared, &program, plain) else { continue };
            let reduced = explore(session, &prepared, &program, Effort::Reduced { schedules: 20_000 });
            let reduced = reduced.expect("the reduced search has no more schedules than the plain one");
            assert_eq!(reduced, plain, "{prepared:?}, then {program:?}");
            compared += 1;
            histories += plain.len();
        }
    });
    assert!(compared > 100 && histories > 3 * compared, "{compared} programs were compared, {histories} histories");
}

/// Whether somebody can be told that a thread has gone, by the number of references that are left, before it says so itself. Whoever is
/// told may do more than others.
fn is_told_too_early(session: &mut Session, goes_before_it_says_so: bool, does_more: bool) -> (bool, bool) {
    const GONE: Marked = Marked::Notes("gone", 0);
    let judge: Judge = Rc::new(RefCell::new(|marks: &[Mark]| {
        let before: Vec<Vec<usize>> = (0..marks.len())
            .map(|later| (0..later).filter(|&earlier| marks[earlier].is_before(&marks[later])).collect())
            .collect();
        let mut wrong = None;
        extend(marks, &before, &mut Vec::new(), &mut |order| {
            let told = order.iter().position(|&place| marks[place].what == Marked::Returns(0, "1".to_string()));
            if let Some(told) = told
                && order[told..].iter().any(|&place| marks[place].what == GONE)
            {
                wrong.get_or_insert(order[..=told].to_vec());
            }
        });
        wrong.map(|order| Objection { message: "too early".to_string(), blame: Blame::Answer, order })
    }));
    let body = move || {
        let shared = Arc::new(());
        let theirs = Arc::clone(&shared);
        thread::spawn(move || {
            mark(Marked::Begins(0), "call", |_| String::new());
            let count = Arc::strong_count(&shared);
            mark(Marked::Returns(0, count.to_string()), "return", |_| String::new());
            if does_more && count == 1 {
                AtomicUsize::new(0).fetch_add(1, SeqCst);
            }
        });
        thread::spawn(move || {
            let mut theirs = Some(theirs);
            if goes_before_it_says_so {
                theirs = None;
            }
            mark(GONE, "gone", |_| String::new());
            drop(theirs);
        });
        rest()
    };
    let config = Config { daemons: true, spurious: 0, ..support::config() };
    let glance = session.glance(&config, Effort::Reduced { schedules: 1_000 }, &judge, body);
    let explored = session.explore(&config, &judge, body);
    // The schedule that a glance says fails does so when it is run again.
    let again = Config { replay: glance.failing.clone(), ..config };
    let replayed = glance.failing.is_some().then(|| session.explore(&again, &judge, body).outcome);
    assert_eq!(replayed.is_some_and(|outcome| matches!(outcome, Outcome::Failed(_))), glance.coverage.failing > 0);
    (glance.coverage.failing > 0, matches!(explored.outcome, Outcome::Failed(_)))
}

#[test]
fn an_order_that_a_count_of_references_rules_out_is_no_failure() {
    session(|session| {
        for does_more in [false, true] {
            assert_eq!(is_told_too_early(session, false, does_more), (false, false));
            let really = is_told_too_early(session, true, does_more);
            assert_eq!(really, (true, true), "it can really come in this order");
        }
    });
}

#[test]
fn schedules_in_which_nothing_could_happen_by_accident_are_all_with_accidents_too() {
    let bodies: [(bool, fn()); 4] = [
        (false, || {
            let lock = Arc::new(Mutex::new(0));
            let theirs = Arc::clone(&lock);
            thread::spawn(move || *theirs.lock().unwrap() += 1);
            *lock.lock().unwrap() += 1;
            rest()
        }),
        (true, || {
            let gate = Arc::new((Mutex::new(false), Condvar::new()));
            let theirs = Arc::clone(&gate);
            thread::spawn(move || drop(theirs.1.wait_while(theirs.0.lock().unwrap(), |open| !*open)));
            *gate.0.lock().unwrap() = true;
            gate.1.notify_one();
            rest()
        }),
        // Nobody ever wakes it.
        (true, || {
            thread::spawn(|| AtomicUsize::new(0).fetch_add(1, SeqCst));
            thread::spawn(|| {
                AtomicUsize::new(0).fetch_add(1, SeqCst);
                thread::park();
            });
            rest()
        }),
        (true, || {
            let _ = AtomicUsize::new(0).compare_exchange_weak(0, 1, SeqCst, SeqCst);
            rest()
        }),
    ];
    session(|session| {
        let judge: Judge = Rc::new(RefCell::new(|_: &[Mark]| None));
        for (number, (could, body)) in bodies.into_iter().enumerate() {
            let mut glance = |spurious| {
                let config = Config { daemons: true, spurious, ..support::config() };
                session.glance(&config, Effort::Reduced { schedules: 1_000 }, &judge, body)
            };
            let (without, with) = (glance(0), glance(1));
            assert!(without.coverage.complete && with.coverage.complete);
            assert_eq!((without.spared_accidents, with.spared_accidents), (could, false), "body {number}");
            assert_eq!(without.coverage.schedules < with.coverage.schedules, could, "body {number}");
        }
    });
}
