//! Writes down a schedule while it runs, for its trace.

use std::backtrace::Backtrace;
use std::collections::BTreeMap;
use std::panic;
use std::rc::Rc;

use verdict::schedule::Schedule;
use verdict::{Did, Effect, Failure, Held, Location, Missed, Step, Trace, TracedThread, Waiting, WaitsFor};

use super::callers::{self, Stacks};
use super::judge;
use super::kind::Kind;
use super::names::{location, name_objects, short, thread_name};
use super::object::{Lock, Model, Object};
use super::operation::{Choice, How, NOBODY, NOTHING, ObjectIndex, Operation, ThreadIndex};
use super::state::State;

/// How many steps a trace has at its beginning, and at its end, if there are more than these together: nobody reads the
/// twenty thousand of a livelock.
const TOLD: usize = 1_000;

/// The record of the schedule that runs.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    steps: Vec<Step>,
    choices: Vec<Choice>,
    /// The thread that could have gone on when the next step's thread was chosen instead.
    preempted: Option<ThreadIndex>,
    preemptions: u32,
    old_reads: u32,
    stacks: Stacks,
    /// A step's stack, as far as it is kept, for each of `steps`.
    stack_of: Vec<Option<Rc<Backtrace>>>,
    /// Virtual time, in nanoseconds.
    now: u64,
}

impl Recorder {
    /// A record that names who called a helper, or does not.
    pub(crate) fn new(callers: bool) -> Recorder {
        Recorder { stacks: Stacks::new(callers), ..Recorder::default() }
    }

    /// What the last step has done is done now: notes the locks that its thread holds after it, and what time it is.
    pub(crate) fn settle(&mut self, objects: &[Object], now: u64) {
        self.now = now;
        if let Some(step) = self.steps.last_mut() {
            step.holds = held_objects(objects, step.thread);
        }
    }

    /// A thread announced an operation; `blocks` if it is not possible now.
    pub(crate) fn announced(&mut self, thread: ThreadIndex, operation: &Operation, blocks: bool) {
        self.stacks.take(thread);
        if blocks && operation.kind != Kind::Never {
            self.push(thread, operation, Effect::Blocks);
        }
    }

    /// The scheduler is about to stop this thread, which could go on.
    pub(crate) fn preempts(&mut self, thread: ThreadIndex) {
        self.preempted = Some(thread);
        self.preemptions += 1;
    }

    /// A thread goes on.
    pub(crate) fn went_on(&mut self, choice: Choice, operation: &Operation) {
        self.choices.push(choice);
        self.push(choice.thread, operation, effect(choice.how, operation));
    }

    /// A thread goes on in a way that is told elsewhere, or not worth telling.
    pub(crate) fn went_on_silently(&mut self, choice: Choice) {
        self.choices.push(choice);
    }

    /// Something was done that needs no decision: a release, a spawn.
    pub(crate) fn passively(&mut self, thread: ThreadIndex, operation: &Operation) {
        self.stacks.take(thread);
        self.push(thread, operation, Effect::Done);
    }

    /// A thread panicked.
    pub(crate) fn panicked(&mut self, thread: ThreadIndex, at: &panic::Location<'_>, message: &str) {
        self.steps.push(Step {
            thread,
            operation: Did::Panic,
            object: None,
            other: None,
            at: location(at),
            effect: Effect::Panicked,
            value: Some(short(message)),
            missed: None,
            preemption: false,
            stopped: None,
            holds: Vec::new(),
            now: self.now,
        });
        self.stack_of.push(None);
    }

    fn push(&mut self, thread: ThreadIndex, operation: &Operation, effect: Effect) {
        if self.steps.len() >= 4 * TOLD {
            self.leave_out_the_middle();
        }
        let stopped = self.preempted.take();
        let (preemption, now) = (stopped.is_some(), self.now);
        self.steps.push(Step { preemption, stopped, now, ..step(thread, operation, effect) });
        self.stack_of.push(self.stacks.of(thread));
    }

    fn leave_out_the_middle(&mut self) {
        let Some(left_out) = self.steps.len().checked_sub(2 * TOLD) else { return };
        self.steps.drain(TOLD..TOLD + left_out);
        self.stack_of.drain(TOLD..TOLD + left_out);
        for missed in self.steps.iter_mut().filter_map(|step| step.missed.as_mut()) {
            missed.step = missed.step.and_then(|step| match step {
                early if early < TOLD => Some(early),
                late => late.checked_sub(left_out).filter(|&late| late >= TOLD),
            });
        }
    }

    /// Says of the last step that it read an older value of its atomic, though this one was the newest.
    pub(crate) fn missed(&mut self, by: ThreadIndex, value: &str, ordering: String) {
        self.old_reads += 1;
        let Some((last, before)) = self.steps.split_last_mut() else { return };
        let stored = |step: &Step| step.thread == by && step.object == last.object && step.operation != Did::Load;
        let step = before.iter().rposition(|step| stored(step) && step.effect == Effect::Done);
        last.missed = Some(Missed { by, value: short(value), step, ordering });
    }

    /// Says of the last step what it read or wrote.
    pub(crate) fn value(&mut self, value: String) {
        if let Some(step) = self.steps.last_mut() {
            step.value = Some(short(&value));
        }
    }

    /// Says of the last step that it was refused.
    pub(crate) fn refused(&mut self) {
        if let Some(step) = self.steps.last_mut() {
            step.effect = Effect::Refused;
        }
    }

    /// The trace of the schedule that has ended. `notes` are what test tools say of the threads inside them.
    pub(crate) fn finish(mut self, state: &State, notes: &[Option<String>], failure: Option<&Failure>) -> Trace {
        let panicked = failure.and_then(|failure| judge::thread_that_panicked(state, failure));
        // To read stacks takes a tenth of a second, and a stub has twenty tests that reach a `todo!()`: nobody asks there who took
        // a lock.
        let is_unsolved = failure.is_some_and(|failure| failure.kind == verdict::Kind::Unsolved);
        self.settle(&state.objects, state.now);
        let mut waiting: Vec<Waiting> =
            (0..state.threads.len()).filter_map(|thread| waiting(state, thread, notes)).collect();
        for waiting in waiting.iter().filter(|waiting| waiting.waits_for.is_some()) {
            self.tell_that_it_waits(state, waiting.thread);
        }
        self.leave_out_the_middle();
        let mut objects = name_objects(&state.objects);
        if !is_unsolved {
            self.tell_places(&mut objects, &mut waiting);
        }
        let panics = |step: &Step| Some(step.thread) == panicked && step.effect == Effect::Panicked;
        let name = |index| TracedThread { name: thread_name(&state.threads, index) };
        Trace {
            schedule: Schedule { manner: state.settings.manner(), choices: self.choices.clone() }.to_string(),
            given: None,
            preemptions: self.preemptions,
            old_reads: self.old_reads,
            threads: (0..state.threads.len()).map(name).collect(),
            objects,
            panicked: self.steps.iter().rposition(panics),
            steps: self.steps,
            waiting,
        }
    }

    /// Puts those places of the learner's into the trace that tell most: the caller's of a helper, and instead of one in std or in a
    /// model the nearest one that called it.
    fn tell_places(&mut self, objects: &mut [verdict::Object], waiting: &mut [Waiting]) {
        let mut stacks: Vec<Vec<verdict::stack::Frame>> = self.stack_of.iter().map(frames_of).collect();
        callers::name_as_the_steps_do(&mut stacks, self.steps.iter().map(|step| &step.at));
        for (step, frames) in self.steps.iter_mut().zip(&stacks).filter(|(step, _)| callers::is_foreign(&step.at.file))
        {
            if let Some(own) = frames.iter().find(|frame| !callers::is_foreign(&frame.at.file)) {
                step.at = own.at.clone();
            }
        }
        for (index, object) in
            objects.iter_mut().enumerate().filter(|(_, object)| callers::is_foreign(&object.made_at.file))
        {
            let met = |step: &&Step| step.object == Some(index) && !callers::is_foreign(&step.at.file);
            if let Some(step) = self.steps.iter().find(met) {
                object.made_at = step.at.clone();
                object.only_used = true;
            }
        }
        if !self.stacks.are_whole() {
            return;
        }
        let chains: Vec<Vec<verdict::stack::Frame>> =
            self.steps.iter().zip(&stacks).map(|(step, frames)| callers::chain(frames, &step.at)).collect();
        let telling = callers::telling(&chains, self.steps.iter().map(|step| &step.at));
        let mut told: BTreeMap<(ThreadIndex, Location), Location> = BTreeMap::new();
        for (step, place) in self.steps.iter_mut().zip(telling) {
            // Without a stack of its own, something is given back where it was taken.
            let place = place.or_else(|| told.get(&(step.thread, step.at.clone())).cloned());
            let Some(place) = place.filter(|place| *place != step.at) else { continue };
            let helper = std::mem::replace(&mut step.at, place.clone());
            if step.operation != Did::Unlock {
                // The last time that a thread was there is what it holds and waits for at the end.
                told.insert((step.thread, helper), place);
            }
        }
        for one in waiting {
            let thread = one.thread;
            let held = one.holds.iter_mut().map(|held| &mut held.at);
            for at in held.chain(one.waits_for.as_mut().map(|waits_for| &mut waits_for.at)) {
                if let Some(place) = told.get(&(thread, at.clone())) {
                    *at = place.clone();
                }
            }
        }
    }

    /// What a thread announced was possible then, and is not any more: its last step says that it blocks.
    fn tell_that_it_waits(&mut self, state: &State, thread: ThreadIndex) {
        let last = self.steps.iter().rev().find(|step| step.thread == thread);
        if last.is_none_or(|step| step.effect != Effect::Blocks) {
            // It has waited since the last step of all, however long ago that was.
            self.now = self.steps.last().map_or(0, |step| step.now);
            self.push(thread, &state.threads[thread].pending, Effect::Blocks);
            self.settle(&state.objects, state.now);
        }
    }
}

/// The calls of a step's stack, if it was kept.
fn frames_of(stack: &Option<Rc<Backtrace>>) -> Vec<verdict::stack::Frame> {
    // The long form has whole paths.
    stack.as_ref().map_or_else(Vec::new, |stack| verdict::stack::frames(&format!("{stack:#}")))
}

/// How a thread's operation went that goes on in this way.
fn effect(how: How, operation: &Operation) -> Effect {
    match (how, operation.kind) {
        // A timer's end is what a sleeper waits for.
        (How::Timeout, Kind::Sleep) | (How::Step | How::Old(_) | How::Way(_), _) => Effect::Done,
        (How::Timeout, _) => Effect::TimedOut,
        (How::Spurious, _) => Effect::Spurious,
    }
}

fn step(thread: ThreadIndex, operation: &Operation, effect: Effect) -> Step {
    Step {
        thread,
        operation: Did::from(operation.name),
        object: (operation.object != NOTHING).then_some(operation.object as usize),
        other: (operation.other != NOBODY && operation.kind != Kind::Exit).then_some(operation.other),
        at: location(operation.at),
        effect,
        value: None,
        missed: None,
        preemption: false,
        stopped: None,
        holds: Vec::new(),
        now: 0,
    }
}

/// What a choice would do, if it were made now.
pub(crate) fn possible_step(state: &State, choice: Choice) -> Step {
    let operation = &state.threads[choice.thread].pending;
    let holds = held_objects(&state.objects, choice.thread);
    Step { holds, now: state.now, ..step(choice.thread, operation, effect(choice.how, operation)) }
}

fn waiting(state: &State, index: ThreadIndex, notes: &[Option<String>]) -> Option<Waiting> {
    let thread = &state.threads[index];
    if thread.status != super::thread::Status::Live || thread.pending.kind == Kind::Exit {
        return None;
    }
    let operation = &thread.pending;
    let waits_for = (!state.can_go_on(index)).then(|| WaitsFor {
        operation: Did::from(operation.name),
        object: awaited_object(state, index).map(|object| object as usize),
        at: location(operation.at),
        on: state.waits_on(index),
        note: notes.get(index).cloned().flatten(),
    });
    Some(Waiting { thread: index, holds: held_by(state, index), waits_for })
}

/// What a blocked thread waits for: a notified waiter needs the mutex.
pub(crate) fn awaited_object(state: &State, index: ThreadIndex) -> Option<ObjectIndex> {
    let thread = &state.threads[index];
    let object = match thread.pending.kind {
        Kind::Wake if thread.notified => thread.pending.second,
        Kind::Poll if !thread.woken => thread.pending.second,
        _ => thread.pending.object,
    };
    (object != NOTHING).then_some(object)
}

/// The locks among the objects.
fn locks(objects: &[Object]) -> impl Iterator<Item = (usize, &Lock)> {
    objects.iter().enumerate().filter_map(|(index, object)| match &object.model {
        Model::Lock(lock) => Some((index, lock)),
        _ => None,
    })
}

/// The locks that a thread holds.
fn held_objects(objects: &[Object], thread: ThreadIndex) -> Vec<usize> {
    locks(objects).filter_map(|(index, lock)| lock.is_held_by(thread).then_some(index)).collect()
}

/// The locks that a thread holds, and where it took them.
fn held_by(state: &State, thread: ThreadIndex) -> Vec<Held> {
    let mut held = Vec::new();
    for (index, lock) in locks(&state.objects) {
        if lock.writer == thread {
            let at = location(lock.taken_at.unwrap_or(state.objects[index].made_at));
            held.push(Held { object: index, at });
        }
        let readers = lock.readers.iter().filter(|reader| reader.0 == thread);
        held.extend(readers.map(|reader| Held { object: index, at: location(reader.1) }));
    }
    held
}
