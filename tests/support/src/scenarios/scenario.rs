//! One program, ready to be explored: what its threads do, and how a schedule of it is judged.

use std::cell::RefCell;
use std::explored::{self, Blame, Mark, Marked, Objection};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use verdict::schedule::Timing;

use super::erased::{Hand, Limits, Subject};
use super::history::{Judge, Missing, Violation};
use super::memo::Shared;
use super::program::{Placed, Program};
use super::scene::Scene;
use super::table::{Seen, Table};
use super::tell::{tell, thread_name};
use super::{PANICS, PANICS_ON_PURPOSE};

/// A program, ready to be explored.
pub(super) struct Scenario {
    subject: Arc<dyn Subject>,
    program: Program,
    /// When each thread makes its first call.
    begins: Vec<Duration>,
    judge: Rc<RefCell<Judge>>,
    limits: Limits,
}

impl Scenario {
    pub(super) fn new(
        subject: &Arc<dyn Subject>,
        specifications: &[Shared],
        program: &Program,
        timing: Timing,
    ) -> Scenario {
        let (limits, hostile) = (subject.limits(), timing == Timing::Hostile);
        let table = Table::new(Rc::clone(&specifications[program.setup]), program.calls(), limits, hostile);
        let judge = Rc::new(RefCell::new(Judge::new(table)));
        let begins = begins(&**subject, program, timing);
        Scenario { subject: Arc::clone(subject), program: program.clone(), begins, judge, limits }
    }

    /// Why the specification is no good, if that has shown.
    pub(super) fn broken(&self) -> Option<String> {
        self.judge.borrow().table.broken.clone()
    }

    /// Judges the marks of a schedule.
    pub(super) fn historian(&self) -> explored::Judge {
        let (subject, program, judge) = (Arc::clone(&self.subject), self.program.clone(), Rc::clone(&self.judge));
        let begins = self.begins.clone();
        Rc::new(RefCell::new(move |marks: &[explored::Mark]| {
            let mut judge = judge.borrow_mut();
            let (violation, order) = judge.judge(marks)?;
            let table = &mut judge.table;
            let message = tell(&*subject, &program, &begins, &violation, table);
            Some(Objection { message, blame: blame(&violation, table, marks), order })
        }))
    }

    /// What a schedule runs.
    pub(super) fn body(&self) -> impl Fn() + Send + Sync + 'static {
        let mut threads: Vec<Part> = self.begins.iter().map(|&begins| Part { begins, calls: Vec::new() }).collect();
        for (number, placed) in self.program.calls().into_iter().enumerate() {
            threads[placed.thread].calls.push((number, placed, self.subject.name(placed.call, placed.id)));
        }
        let (setup, opening, threads) = (self.program.setup, self.limits.opening, Arc::new(threads));
        let (actors, program) = (self.subject.actors(), self.program.threads.clone());
        move || {
            let scene = Scene::new();
            let hands = actors.hands(setup, &program, &scene);
            act(scene, hands, &threads, opening)
        }
    }
}

/// What is at fault: a panic, a wait without an end, or else an answer or its time.
fn blame(violation: &Violation, table: &mut Table, marks: &[Mark]) -> Blame {
    let thread_of = |call: usize| {
        let begins = marks.iter().find(|mark| mark.what == Marked::Begins(call));
        begins.map_or(0, |mark| mark.thread)
    };
    match violation.seen {
        Seen::Returns(call, answer) if &*table.answer_text(answer) == PANICS => Blame::Panic(thread_of(call)),
        Seen::StandsStill => {
            let Missing { calls, notes, .. } = violation.missing(table);
            let stood_still = table.moment(violation.now);
            let noted_later = marks.iter().any(|mark| match mark.what {
                Marked::Notes(what, _) => mark.now > stood_still && notes.iter().any(|note| note.0 == what),
                _ => false,
            });
            let returns =
                |call: usize| marks.iter().any(|mark| matches!(mark.what, Marked::Returns(it, _) if it == call));
            let for_ever: Vec<usize> = calls.iter().copied().filter(|&call| !returns(call)).collect();
            // Who goes on later has only waited for too long.
            let late = for_ever.is_empty() && (!calls.is_empty() || noted_later);
            if late { Blame::Answer } else { Blame::Waiting(for_ever.into_iter().map(thread_of).collect()) }
        }
        _ => Blame::Answer,
    }
}

/// When each thread makes its first call.
pub(super) fn begins(subject: &dyn Subject, program: &Program, timing: Timing) -> Vec<Duration> {
    let begins = |moment: fn(Duration) -> Duration| program.begins(|call| subject.limit(call), moment);
    match timing {
        Timing::Exact | Timing::Hostile => begins(|_| Duration::ZERO),
        Timing::Late => begins(|limit| limit),
        // Who counts what is left in whole units, or from a moment that is not its own, is not right by luck.
        Timing::Midway => begins(|limit| limit / 2 + Duration::from_nanos(7)),
    }
}

/// What a thread does.
struct Part {
    /// When it begins.
    begins: Duration,
    /// Its calls: the number of each, what it is, and how it is written.
    calls: Vec<(usize, Placed, String)>,
}

/// One schedule of a scenario, on its main thread.
fn act(scene: Scene, hands: Vec<Box<dyn Hand>>, threads: &Arc<Vec<Part>>, opening: Duration) -> ! {
    for (thread, mut hand) in hands.into_iter().enumerate() {
        let (scene, threads) = (scene.clone(), Arc::clone(threads));
        let part = move || {
            let Part { begins, calls } = &threads[thread];
            // Nobody would miss it in a call that never begins, nor behind its last one.
            explored::has_to_go_on(true);
            hand.arrive(&scene);
            if !begins.is_zero() {
                thread::sleep(*begins);
            }
            for (number, placed, name) in calls {
                let told = |what: &Marked| match what {
                    Marked::Returns(_, answer) => format!("{name} → {answer}"),
                    _ => name.clone(),
                };
                explored::mark(Marked::Begins(*number), "call", told);
                explored::has_to_go_on(false);
                let answer = catch_unwind(AssertUnwindSafe(|| hand.perform(placed.call, placed.id, &scene)));
                explored::has_to_go_on(true);
                let panics = || if explored::panicked_on_purpose() { PANICS_ON_PURPOSE } else { PANICS };
                let answer = answer.unwrap_or_else(|_| panics().to_owned());
                explored::mark(Marked::Returns(*number, answer), "return", told);
            }
            hand.leave();
        };
        thread::Builder::new().name(thread_name(thread)).spawn(part).expect("a modelled thread");
    }
    explored::rest_until(opening);
    scene.gate().open();
    drop(scene);
    explored::rest()
}
