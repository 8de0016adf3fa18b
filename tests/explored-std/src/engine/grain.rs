//! How fine a schedule is: which steps are decisions, and how long it is looked on while nothing changes.
//!
//! Two thousand steps that mean nothing have more orders than anybody can try. So a schedule can also be run coarsely: a thread
//! that does again and again what it has just done *passes* it. The step is made at once, and nobody is asked who goes on,
//! unless the thread would have to wait. The first times are decisions, and so is whatever comes behind the loop. What is passed
//! touches what it touches: it belongs to the decision before it.

use std::ops::AddAssign;

pub(crate) use verdict::schedule::Grain;

use super::kind::{Kind, Passing};
use super::operation::{Choice, NEVER, NOTHING, ObjectIndex, Operation, Site, ThreadIndex};
use super::possible::{is_possible, is_told};
use super::run::Ending;
use super::state::{Phase, State};

/// How long to look on while threads repeat themselves and nothing changes.
pub(super) struct Limits {
    /// How often a thread may look at something and yield again before the others go first.
    pub(super) rounds: u32,
    /// How many operations a thread may repeat that does not yield: it may be a loop over a few things, that comes to an end
    /// by itself.
    pub(super) repeats: u32,
    /// The same for one that yields. It is better stopped where it yields, since it holds nothing there that others need.
    pub(super) repeats_of_yielding: u32,
    /// How often it may yield and do nothing else. To the other threads that is no step.
    pub(super) yields_alone: u32,
    /// How often all may go round before time moves, unless each of them looks at the clock and yields.
    pub(super) rounds_before_time: u32,
    /// How often all may go round before it is called a livelock.
    pub(super) rounds_of_all: u32,
}

impl Limits {
    pub(super) fn of(grain: Grain) -> &'static Limits {
        match grain {
            Grain::Fine => &Limits {
                rounds: 1,
                repeats: 8,
                repeats_of_yielding: 8,
                yields_alone: LONGEST_LOOP_OF_YIELDS,
                rounds_before_time: 30,
                rounds_of_all: 300,
            },
            // What is passed costs little, so it is worth while to see whether a loop comes to an end.
            Grain::Coarse => &Limits {
                rounds: 20_000,
                repeats: 40_000,
                repeats_of_yielding: 400_000,
                yields_alone: 20_000,
                rounds_before_time: 1,
                rounds_of_all: 200,
            },
        }
    }
}

/// So many steps ago is just now: a loop over as many things is recognised.
const JUST_NOW: u64 = 8;
/// So often in a row is no loop yet: whoever locks in a function of its own looks and then acts at one place.
const DECIDED_IN_A_ROW: u32 = 2;
/// Whoever has been so often at a place comes again.
const OFTEN: u32 = 50;
/// How many steps a thread passes before the others go first.
const MOST_IN_A_ROW: u32 = 10_000;
/// How many steps are passed in one schedule.
const MOST_PASSED: u64 = 2_500_000;
/// So many passed steps take as much time as one that is decided: a timer that is due after a thousand steps waits for loops.
const PASSED_PER_PATIENT_STEP: u64 = 256;

/// With more repeated steps than this in a schedule, not counting those that only wait for others, deciding at each of them is
/// hopeless.
const REPETITIVE: u64 = 2_000;
/// The same, of those that others could have come between.
const REPETITIVE_AND_OPEN: u64 = 300;
/// A loop in which nothing changes, and which ends by itself, is taken for waiting where each step is decided, if it is longer
/// than this.
const LONGEST_LOOP: u32 = 100;
/// The same for one that yields.
const LONGEST_LOOP_OF_YIELDS: u32 = 20;

/// Steps that were passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    /// How many.
    pub(crate) all: u64,
    /// How many of these could have been decided otherwise: whether any, where nobody asks for more.
    pub(crate) over: u64,
}

impl AddAssign for Passed {
    fn add_assign(&mut self, more: Passed) {
        self.all += more.all;
        self.over += more.over;
    }
}

/// What a thread has done, by the places where it did it.
#[derive(Debug, Default)]
pub(crate) struct Habits {
    steps: u64,
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    at: Site,
    kind: Kind,
    /// What it was done to when it was last done.
    object: ObjectIndex,
    last: u64,
    times: u32,
    /// How often it was done in a row.
    in_a_row: u32,
    /// The decision behind which the search was last told of this.
    told: Option<u32>,
}

impl Habits {
    /// Notes a step. Says whether the thread has just done the same several times in a row, or did it very often.
    fn note(&mut self, operation: &Operation) -> bool {
        self.steps += 1;
        let (steps, object) = (self.steps, operation.object);
        let is_here = |place: &Place| std::ptr::eq(place.at, operation.at) && place.kind == operation.kind;
        let Some(index) = self.places.iter().position(is_here) else {
            self.places.push(Place {
                at: operation.at,
                kind: operation.kind,
                object,
                last: steps,
                times: 1,
                in_a_row: 1,
                told: None,
            });
            return false;
        };
        let place = &mut self.places[index];
        let follows = place.object == object && steps - place.last <= JUST_NOW;
        let in_a_row = if follows { place.in_a_row + 1 } else { 1 };
        let told = place.told.filter(|_| place.object == object);
        *place = Place { object, last: steps, times: place.times + 1, in_a_row, told, ..*place };
        let (again, often) = (place.in_a_row > DECIDED_IN_A_ROW, place.times > OFTEN);
        // A loop finds its few places at the front.
        self.places.swap(0, index);
        again || often
    }

    /// Whether the search knows that the step that was noted last is passed behind this decision, because the same was.
    fn is_told(&mut self, decision: u32) -> bool {
        let Some(place) = self.places.first_mut() else { return false };
        // What the others touch depends on more than the object.
        place.kind.traits().touches_its_object_only && place.told.replace(decision) == Some(decision)
    }
}

impl Operation {
    /// Whether it may be passed: it does not wait by its nature, and nobody notes its place in the schedule.
    pub(super) fn may_be_passed(&self) -> bool {
        match self.kind.traits().passed {
            Passing::Never => false,
            Passing::WithObject => self.object != NOTHING,
            Passing::Always => true,
        }
    }
}

impl State {
    /// Whether the step that the running thread has announced is passed.
    pub(super) fn passes(&mut self) -> bool {
        let me = self.current;
        let operation = self.threads[me].pending;
        let habitual = self.grain == Grain::Coarse && self.threads[me].habits.note(&operation);
        if habitual && (self.is_held_back(&self.threads[me]) || self.has_passed_enough()) {
            let streak = &mut self.threads[me].streak;
            if streak.version == self.changes {
                self.spun += std::mem::take(&mut streak.passed);
            }
            return false;
        }
        let may_pass =
            habitual && operation.may_be_passed() && self.begun == self.threads.len() && !self.has_passed_too_much();
        let passes = may_pass && is_possible(&self.threads, &self.objects, me);
        if may_pass && !passes {
            self.tell_search(false);
        }
        passes
    }

    /// Makes the step that is passed.
    pub(super) fn pass(&mut self) {
        let me = self.current;
        let operation = self.threads[me].pending;
        self.passed_in_a_row += 1;
        // Only a first run wants to know how many.
        let counts = self.passed.over == 0 || self.settings.most_passed_over < u64::MAX;
        let one = Passed { all: 1, over: u64::from(counts && self.another_could_go_on()) };
        self.passed += one;
        self.add_to_last(operation, true);
        self.threads[me].streak.passed += one;
    }

    /// Makes a step that the running thread has announced, and that nobody could come before, or see alone.
    pub(super) fn merge(&mut self) {
        self.merged += 1;
        self.add_to_last(self.threads[self.current].pending, false);
    }

    /// The last decision touches what this operation of the running thread would, too. No trace tells of it.
    pub(crate) fn touch_with_last(&mut self, operation: Operation) {
        if self.phase == Phase::Running {
            let announced = std::mem::replace(&mut self.me().pending, operation);
            self.tell_search(false);
            self.me().pending = announced;
        }
    }

    /// Makes a step that belongs to the last decision. Only a habit may have been told to the search before.
    fn add_to_last(&mut self, operation: Operation, is_habit: bool) {
        let me = self.current;
        self.carry_views(Choice::step(me));
        self.note_step(Choice::step(me));
        self.tell_search(is_habit);
        if let Some(recorder) = &mut self.recorder {
            recorder.settle(&self.objects, self.now);
            if is_told(&operation, &self.objects) {
                recorder.passively(me, &operation);
            }
        }
    }

    /// Tells the search that the last decision touches what the running thread has announced.
    fn tell_search(&mut self, is_habit: bool) {
        let me = self.current;
        if self.order.is_some()
            && !(is_habit && self.threads[me].habits.is_told(self.steps))
            && let Some(mut strategy) = self.strategy.take()
        {
            strategy.passes(self);
            self.strategy = Some(strategy);
        }
    }

    /// Whether a decision now would have another choice than that the running thread makes its step.
    fn another_could_go_on(&self) -> bool {
        let could = |thread: ThreadIndex| {
            let pending = &self.threads[thread].pending;
            is_possible(&self.threads, &self.objects, thread) && pending.kind != Kind::Settle
                || self.settings.hostile && pending.deadline != NEVER
                || self.spurious_left > 0 && self.is_open_to_accidents(&self.threads[thread])
        };
        let fails = self.spurious_left > 0 && self.is_open_to_accidents(&self.threads[self.current]);
        fails
            || self.could_read_an_old_value(self.current)
            || self.live.iter().any(|&thread| thread != self.current && could(thread))
    }

    /// Whether the running thread has passed so much that others go first.
    pub(super) fn has_passed_enough(&self) -> bool {
        self.passed_in_a_row >= MOST_IN_A_ROW
    }

    /// Whether so much was passed that the schedule is given up.
    pub(super) fn has_passed_too_much(&self) -> bool {
        self.passed.all + self.merged >= MOST_PASSED || self.passed.over > self.settings.most_passed_over
    }

    /// Whether the schedule had no end, and not because the search had seen enough of it.
    pub(crate) fn is_endless(&self) -> bool {
        match self.ending {
            Some(Ending::Livelock) => true,
            Some(Ending::TooLong) => self.passed.all >= MOST_PASSED,
            _ => false,
        }
    }

    /// Whether nothing has changed in the second half of the schedule, but for the time.
    pub(super) fn makes_no_progress(&self) -> bool {
        self.all_steps() - self.all_at_change > self.all_steps() / 2
    }

    /// How many steps there were, decided or passed.
    pub(super) fn all_steps(&self) -> u64 {
        u64::from(self.steps) + self.passed.all + self.merged
    }

    /// Whether the schedule, which was coarse, shows that no search could decide at each step.
    pub(crate) fn is_hopeless_to_decide(&self) -> bool {
        // Whoever goes round right now may be waiting, too.
        let going = self.threads.iter().map(|thread| &thread.streak).filter(|streak| streak.version == self.changes);
        let mut waiting = self.spun;
        going.for_each(|streak| waiting += streak.passed);
        self.passed.all - waiting.all > REPETITIVE
            || self.passed.over - waiting.over > REPETITIVE_AND_OPEN
            || self.longest_loop > LONGEST_LOOP
            || self.longest_loop_of_yields > LONGEST_LOOP_OF_YIELDS
    }

    /// Whether there was no end to decisions, or what seemed to stand still went on after all.
    pub(crate) fn is_too_long_to_decide(&self) -> bool {
        match self.ending {
            Some(Ending::TooLong) => true,
            Some(Ending::Livelock) => false,
            _ => self.grain != self.settings.grain,
        }
    }

    /// How long the schedule is, in steps that are decided.
    pub(super) fn length(&self) -> u64 {
        u64::from(self.steps) + self.passed.all / PASSED_PER_PATIENT_STEP
    }
}
