//! All schedules, but only one of those that differ in the order of independent steps: dynamic partial-order reduction with
//! source sets and sleep sets (Flanagan and Godefroid 2005; Abdulla, Aronis, Jonsson and Sagonas 2014).
//!
//! A schedule is run to its end. Each *race* in it, two dependent steps that could have come in the other order, plants a
//! choice at the decision before the first of them, unless one is planted there already that leads to the same. Choices that
//! were tried at a decision *sleep* in its later subtrees until a dependent step wakes them.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use super::preemptions::default_choice;
use super::signature;
use crate::engine::access::{Accesses, accesses, enablers};
use crate::engine::grain::Grain;
use crate::engine::happens_before::HappensBefore;
use crate::engine::kind::Kind;
use crate::engine::operation::{Choice, How, ThreadIndex};
use crate::engine::run::Ending;
use crate::engine::state::State;
use crate::engine::strategy::Strategy;

/// How many decisions of a run are kept.
const LONGEST_WAY: usize = 2_000;

/// A choice that needs no trying, and what it touches.
#[derive(Clone, Copy, Debug)]
struct Sleeper {
    choice: Choice,
    accesses: Accesses,
}

/// What has become of a choice at a decision.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    /// It is to be tried.
    planted: bool,
    /// It was chosen.
    tried: bool,
    /// It is the same as another one, made earlier.
    is_made_earlier: bool,
}

/// A decision on the way of the current schedule.
#[derive(Debug, Default)]
struct Decision {
    choices: Vec<Choice>,
    accesses: Vec<Accesses>,
    /// Whose announced operation was possible, by thread.
    possible: Vec<bool>,
    chosen: usize,
    /// What has become of each.
    marks: Vec<Marks>,
    sleepers: Vec<Sleeper>,
    /// Whether the chosen one must not sleep: it led to a point where nobody can go on, and what could have been chosen
    /// before it, a spurious wakeup, is not offered there.
    restless: bool,
    /// The decision that began what is one step to all others: this one, unless a thread is in the middle of polling a future.
    begun: usize,
    /// What was touched by decisions that this one began.
    inside: Accesses,
    /// The races of what is one step to all others, from where that began to what this one has done so far.
    races: Vec<usize>,
    /// What the scheduler had seen by then.
    seen: u64,
}

/// The decisions on the way of the current schedule. Those behind it were gone back over, and lend their memory to the next ones.
#[derive(Debug, Default)]
struct Way {
    decisions: Vec<Decision>,
    length: usize,
}

/// The search.
#[derive(Debug, Default)]
pub(crate) struct Reduction {
    way: Way,
    /// How much of the way the current run has gone.
    depth: usize,
    /// How every schedule begins.
    beginning: Vec<Choice>,
    /// How much of the way is given, so that nothing else is tried there.
    given: usize,
    seen: u64,
    order: Rc<RefCell<HappensBefore>>,
    /// Whether the current run only repeats what was run before in another order.
    redundant: bool,
    /// Whether the current run has more decisions than are kept.
    beyond: bool,
    /// Whether something was left out: a run had more decisions than are kept, or an atomic more stores.
    overflow: bool,
    taken: Vec<Choice>,
    races: Vec<usize>,
    initials: Vec<Choice>,
    work: u64,
    started: bool,
}

impl Reduction {
    /// All schedules that begin with these choices.
    pub(crate) fn from(beginning: &[Choice]) -> Reduction {
        Reduction { beginning: beginning.to_vec(), ..Reduction::default() }
    }

    /// Begins a search for all schedules that begin with these choices, in the memory of this one.
    pub(crate) fn begin(&mut self, beginning: &[Choice]) {
        let Reduction { mut way, order, taken, races, initials, .. } = std::mem::take(self);
        way.length = 0;
        *self = Reduction { way, order, taken, races, initials, ..Reduction::from(beginning) };
    }

    /// The order of the schedule that runs, for the engine to keep.
    pub(crate) fn order(&self) -> Rc<RefCell<HappensBefore>> {
        Rc::clone(&self.order)
    }

    /// Prepares the next run. False when all is done.
    pub(crate) fn next(&mut self) -> bool {
        if self.started {
            if !self.back_up() {
                return false;
            }
            self.order.borrow_mut().begin_again_up_to(self.way.len() - 1);
        } else {
            self.order.borrow_mut().clear();
        }
        self.started = true;
        self.depth = 0;
        self.seen = 0;
        self.redundant = false;
        self.beyond = false;
        self.work = 0;
        self.taken.clear();
        true
    }

    /// Goes back to the last decision that has something left to try, and chooses that.
    fn back_up(&mut self) -> bool {
        while let Some(last) = self.way.last_mut() {
            let tried = last.chosen;
            if !std::mem::take(&mut last.restless) {
                let mut accesses = last.accesses[tried];
                last.inside.iter().for_each(|access| accesses.include(access));
                last.sleepers.push(Sleeper { choice: last.choices[tried], accesses });
            }
            last.inside = Accesses::none();
            let next = (0..last.choices.len())
                .find(|&index| last.marks[index].planted && !last.marks[index].tried && !last.sleeps(index));
            if let Some(next) = next {
                last.chosen = next;
                last.marks[next].tried = true;
                return true;
            }
            self.way.length -= 1;
        }
        false
    }

    /// Whether the run that has ended only repeats what was run before in another order.
    pub(crate) fn is_redundant(&self) -> bool {
        self.redundant
    }

    /// Whether what was run is all there is, once `next` has said that it is done.
    pub(crate) fn is_sound(&self) -> bool {
        !self.overflow
    }

    /// How much of the search is done, if what is left at each decision on the way is as much for each choice as for those that were
    /// tried there: Knuth's estimate (1975) of the size of a tree, from one way through it.
    pub(crate) fn share_done(&self) -> f64 {
        let (mut done, mut share) = (0.0, 1.0);
        for decision in &self.way[self.given.min(self.way.len())..] {
            let tried = decision.marks.iter().filter(|marks| marks.planted && marks.tried).count() as f64;
            let is_open = |index: usize| {
                let Marks { planted, tried, .. } = decision.marks[index];
                planted && !tried && !decision.sleeps(index)
            };
            let open = (0..decision.marks.len()).filter(|&index| is_open(index)).count() as f64;
            // Of those that were tried, the last one is under way.
            share /= tried + open;
            done += share * (tried - 1.0);
        }
        done + share
    }

    /// How much work the last run's races were.
    pub(crate) fn work(&self) -> u64 {
        self.work
    }

    /// The choices of the last run.
    pub(crate) fn taken(&self) -> &[Choice] {
        &self.taken
    }

    /// Whether what happens now happened in the same way in the run before, and was searched for races then, or nobody wants to
    /// know.
    fn is_known(&self) -> bool {
        self.depth < self.way.len() || self.redundant || self.beyond
    }

    /// Adds a decision, with a first choice. False if all of them sleep.
    fn decide(&mut self, state: &State, choices: &[Choice]) -> bool {
        let place = self.way.len();
        let (before, decision) = self.way.beyond();
        decision.begin(before, state, choices);
        decision.seen = self.seen;
        decision.begun = match before {
            Some(before) if state.is_within_poll(choices) => before.begun,
            _ => place,
        };
        if let Some(beginning) = self.beginning.get(place) {
            let Some(chosen) = choices.iter().position(|choice| choice == beginning) else { return false };
            decision.chosen = chosen;
            decision.marks[chosen] = Marks { planted: true, tried: true, is_made_earlier: false };
            self.given = place + 1;
        } else {
            let order = self.order.borrow();
            for (choice, marks) in choices.iter().zip(&mut decision.marks) {
                marks.is_made_earlier = is_made_earlier(&order, self.given, state, *choice);
            }
            let Some(first) = decision.first(default_choice(state, choices)) else { return false };
            decision.chosen = first;
            let always = always_planted(state, choices);
            for (choice, marks) in choices.iter().zip(&mut decision.marks) {
                marks.planted = always(choice) && !marks.is_made_earlier;
            }
            decision.plant_at(first);
            decision.marks[first].tried = true;
        }
        self.way.length += 1;
        true
    }

    /// Whether a thread could read a value that is so old that it is not kept any more, and not by loading it earlier.
    fn misses_what_is_forgotten(&self, state: &State, thread: ThreadIndex) -> bool {
        let operation = &state.threads[thread].pending;
        let order = self.order.borrow();
        let is_given = |place: u32| (place as usize) < self.given;
        let matters = |by, place| operation.sequential || is_given(place) || order.is_in_past_of(thread, by, place);
        state.memory.has_forgotten(thread, operation, matters)
    }

    /// Plants choices for the races of a step that is made, or announced, now. To all others it is one with what began it.
    fn plant(&mut self, state: &State, choice: Choice, touched: &Accesses, begun: usize) {
        let operation = state.threads[choice.thread].pending;
        let order = Rc::clone(&self.order);
        let order = order.borrow();
        let (way, last_step) = (&self.way, order.last_step_of(choice.thread) as usize);
        // If the thread had announced this operation already and could not do it then, it was the earlier step that made it
        // possible, unless another one was that does not depend on the earlier step.
        let possible_at = |place: usize| {
            let announced = last_step <= place;
            let known = way[place].possible.get(choice.thread).copied();
            let otherwise = || order.is_touched_otherwise(place, &enablers(state, choice.thread));
            !choice.how.is_done() || !announced || known.unwrap_or(true) || otherwise()
        };
        let gives_up = state.may_give_up(choice.thread);
        order.races(choice.thread, operation.kind, gives_up, touched, &mut self.races, possible_at);
        self.plant_for_races(&order, Some((choice, touched)), begun);
    }

    /// Plants choices for the races of what is passed now.
    fn plant_passed(&mut self, thread: ThreadIndex, passed: &Accesses) {
        let order = Rc::clone(&self.order);
        let order = order.borrow();
        // No exception for what a release makes possible: the thread could have come here before it, and waited.
        order.races(thread, Kind::Change, false, passed, &mut self.races, |_| true);
        let made = self.depth - 1;
        self.plant_for_races(&order, None, self.way[made].begun);
        self.way[made].add_races(&self.races);
    }

    /// Plants choices for the races that were found with a step that is made, or with what is passed.
    fn plant_for_races(&mut self, order: &HappensBefore, made: Option<(Choice, &Accesses)>, begun: usize) {
        self.races.retain(|&place| place >= self.given);
        // What is one step to all others is changed where it began.
        self.races.iter_mut().for_each(|place| *place = self.way[*place].begun);
        for &place in &self.races {
            self.work += order.initials(place, made, begun, &mut self.initials);
            self.way[place].plant(&self.initials);
        }
    }

    /// What is done in the middle of a step that is one to all others, its beginning does.
    fn add_to_begun(&mut self, depth: usize, touched: &Accesses) {
        let begun = self.way[depth].begun;
        if begun != depth {
            touched.iter().for_each(|access| self.way[begun].inside.include(access));
        }
    }

    /// Plants choices again for the races that the decision at this depth has or goes on from: it touches more than was known, so it
    /// may not be what the other order begins with.
    fn plant_again(&mut self, depth: usize, choice: Choice, touched: &Accesses) {
        self.races.clone_from(&self.way[depth].races);
        let order = Rc::clone(&self.order);
        let order = order.borrow();
        self.plant_for_races(&order, Some((choice, touched)), self.way[depth].begun);
    }

    /// The run has ended: what was announced and not made is in races, too.
    pub(crate) fn finish_run(&mut self, state: &State) {
        if self.redundant || self.beyond {
            return;
        }
        self.plant_pending(state, |_| true);
    }

    /// Plants choices for the races of what is announced and not made.
    fn plant_pending(&mut self, state: &State, which: impl Fn(ThreadIndex) -> bool) {
        for thread in 0..state.threads.len() {
            if state.is_live(thread) && state.threads[thread].pending.kind != Kind::Never && which(thread) {
                let choice = Choice::step(thread);
                self.plant(state, choice, &accesses(state, choice), self.way.len());
            }
        }
    }
}

/// Whether an old value is read that was the newest one when the thread could have read it: no step of the thread's past comes
/// after the store that made it old. It is read in this way where the load comes before that store. What is `SeqCst` may not come
/// earlier, for the others that are; and in a coarse schedule a load that comes earlier takes with it what its thread passes
/// behind it. What is `given` stays where it is.
fn is_made_earlier(order: &HappensBefore, given: usize, state: &State, choice: Choice) -> bool {
    let How::Old(back) = choice.how else { return false };
    let operation = &state.threads[choice.thread].pending;
    let missed = state.memory.missed(operation.object, back);
    !operation.sequential
        && state.settings.grain == Grain::Fine
        && missed.is_some_and(|store| {
            let is_given = (store.place as usize) < given;
            !is_given && !order.is_in_past_of(choice.thread, store.by, store.place)
        })
}

/// Choices that are tried at every decision, since no race plants them: timeouts and spurious wakeups, and everybody else
/// before main ends.
fn always_planted(state: &State, choices: &[Choice]) -> impl Fn(&Choice) -> bool + use<> {
    let main_ends = choices.contains(&Choice::step(0)) && state.threads[0].pending.kind == Kind::Exit;
    move |choice| main_ends || !choice.how.is_done()
}

impl Way {
    /// The last decision, and room for another one behind it.
    fn beyond(&mut self) -> (Option<&Decision>, &mut Decision) {
        if self.length == self.decisions.len() {
            self.decisions.push(Decision::default());
        }
        let (way, beyond) = self.decisions.split_at_mut(self.length);
        (way.last(), &mut beyond[0])
    }
}

impl Deref for Way {
    type Target = [Decision];

    fn deref(&self) -> &[Decision] {
        &self.decisions[..self.length]
    }
}

impl DerefMut for Way {
    fn deref_mut(&mut self) -> &mut [Decision] {
        &mut self.decisions[..self.length]
    }
}

impl Decision {
    /// Makes it one between these choices, after the decision before it. Nothing is planted or chosen yet.
    fn begin(&mut self, before: Option<&Decision>, state: &State, choices: &[Choice]) {
        self.choices.clear();
        self.choices.extend_from_slice(choices);
        self.accesses.clear();
        self.accesses.extend(choices.iter().map(|&choice| accesses(state, choice)));
        self.possible.clear();
        self.possible.extend((0..state.threads.len()).map(|thread| state.is_live_and_possible(thread)));
        self.sleepers.clear();
        if let Some(before) = before {
            let made = &before.accesses[before.chosen];
            let by = before.choices[before.chosen].thread;
            let still = |sleeper: &&Sleeper| sleeper.choice.thread != by && !sleeper.accesses.depends_on(made);
            self.sleepers.extend(before.sleepers.iter().filter(still));
        }
        self.marks.clear();
        self.marks.resize(choices.len(), Marks::default());
        self.restless = false;
        self.inside = Accesses::none();
    }

    /// The choice to try first: the default one, if it is of use.
    fn first(&self, default: usize) -> Option<usize> {
        let awake = |index: &usize| !self.sleeps(*index) && !self.marks[*index].is_made_earlier;
        Some(default).filter(awake).or_else(|| (0..self.choices.len()).find(awake))
    }

    fn sleeps(&self, index: usize) -> bool {
        self.sleepers.iter().any(|sleeper| sleeper.choice == self.choices[index])
    }

    /// Adds races to those that it has, latest first.
    fn add_races(&mut self, races: &[usize]) {
        self.races.extend_from_slice(races);
        self.races.sort_unstable_by(|a, b| b.cmp(a));
        self.races.dedup();
    }

    /// Plants one of the choices, unless one of them is planted, or all, if none of them can be chosen here.
    fn plant(&mut self, initials: &[Choice]) {
        let mut first = None;
        for initial in initials {
            let goes_on = Choice::step(initial.thread);
            let wanted = if initial.how.is_done() { &goes_on } else { initial };
            let Some(index) = self.choices.iter().position(|choice| choice == wanted) else { continue };
            if self.marks[index].planted {
                return;
            }
            first = first.or(Some(index));
        }
        match first {
            Some(index) => self.plant_at(index),
            None => self.marks.iter_mut().for_each(|marks| marks.planted = !marks.is_made_earlier),
        }
    }

    /// Plants a choice; if it is that a thread goes on, with every value that the thread may read.
    fn plant_at(&mut self, index: usize) {
        let planted = self.choices[index];
        for (choice, marks) in self.choices.iter().zip(&mut self.marks) {
            let is_alike = choice.thread == planted.thread && choice.how.is_done() && planted.how.is_done();
            marks.planted |= (*choice == planted || is_alike) && !marks.is_made_earlier;
        }
    }
}

impl Strategy for Reduction {
    fn takes_as_given(&mut self) {
        self.given = self.given.max(self.depth);
        for decision in self.way.iter_mut().take(self.depth) {
            decision.marks.iter_mut().for_each(|marks| marks.planted = marks.tried);
        }
    }

    /// A spurious wakeup is not offered now, but was before the last step of another thread, whichever that is.
    fn stands_still(&mut self, state: &State) {
        if self.is_known() {
            return;
        }
        for thread in state.could_have_an_accident() {
            self.plant(state, Choice { thread, how: How::Spurious }, &Accesses::everything(), self.way.len());
            for &place in &self.races {
                self.way[place].restless = true;
            }
            if let Some(last) = self.way.last_mut() {
                last.restless = true;
            }
        }
    }

    fn passes(&mut self, state: &State) {
        if self.is_known() {
            return;
        }
        let passed = accesses(state, Choice::step(state.current));
        let new = self.order.borrow_mut().goes_on(&passed);
        for access in new.iter() {
            self.plant_passed(state.current, &Accesses::of(access));
            let touched = self.order.borrow_mut().extend(access);
            if let Some(&choice) = self.taken.last() {
                self.plant_again(self.depth - 1, choice, &touched);
            }
            let made = &mut self.way[self.depth - 1];
            made.accesses[made.chosen] = touched;
            self.add_to_begun(self.depth - 1, &Accesses::of(access));
        }
    }

    fn pick(&mut self, state: &State, choices: &[Choice]) -> Result<usize, Ending> {
        self.seen = signature(self.seen, state, choices);
        let depth = self.depth;
        self.depth += 1;
        if depth >= LONGEST_WAY && !self.redundant {
            self.beyond = true;
            self.overflow = true;
            self.order.borrow_mut().stop();
        }
        if self.redundant || self.beyond {
            let index = default_choice(state, choices);
            self.taken.push(choices[index]);
            return Ok(index);
        }
        let known = depth < self.way.len();
        if known && self.way[depth].seen != self.seen {
            let expected = &self.way[depth];
            return Err(super::nondeterministic(state, expected.choices[expected.chosen].thread));
        }
        if !known && self.beginning.get(depth).is_some_and(|wanted| !choices.contains(wanted)) {
            return Err(super::nondeterministic(state, self.beginning[depth].thread));
        }
        if !known && !self.decide(state, choices) {
            // Whatever could be done now was done before. What can't be done now, and could have been earlier, was not.
            self.plant_pending(state, |thread| !state.can_go_on(thread));
            self.redundant = true;
            let index = default_choice(state, choices);
            self.taken.push(choices[index]);
            return Ok(index);
        }
        let index = self.way[depth].chosen;
        let choice = choices[index];
        let touched = self.way[depth].accesses[index];
        let begun = self.way[depth].begun;
        if !self.is_known() {
            if !choice.how.is_done() {
                // What it gives up could have been done where it was possible.
                let given_up = Choice::step(choice.thread);
                self.plant(state, given_up, &accesses(state, given_up), begun);
            }
            self.plant(state, choice, &touched, begun);
            self.way[depth].races.clone_from(&self.races);
            if begun != depth {
                let (before, made) = self.way.split_at_mut(depth);
                made[0].add_races(&before[depth - 1].races);
                self.plant_again(depth, choice, &touched);
            }
            self.overflow |= self.misses_what_is_forgotten(state, choice.thread);
            self.add_to_begun(depth, &touched);
        }
        self.order.borrow_mut().make(state, choice, &touched, Some(begun));
        self.taken.push(choice);
        Ok(index)
    }
}
