//! Writes down a schedule while it runs, for its trace.

use std::panic;

use verdict::{Effect, Held, Missed, Step, Trace, TracedThread, Waiting, WaitsFor};

use super::names::{location, name_objects, short};
use super::object::{Lock, Model, Object};
use super::operation::{Choice, How, Kind, NOBODY, NOTHING, ObjectIndex, Operation, ThreadIndex};
use super::state::State;
use crate::search::runner::Mode;

/// How many steps a trace has at its beginning, and at its end, if there are more than these together: nobody reads the
/// twenty thousand of a livelock.
const TOLD: usize = 1_000;

/// The record of the schedule that runs.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    steps: Vec<Step>,
    choices: Vec<Choice>,
    /// The thread that could have gone on when the next step's thread was chosen instead.
    preempted: bool,
    preemptions: u32,
    old_reads: u32,
}

impl Recorder {
    /// What the last step has done is done now: notes the locks that its thread holds after it.
    pub(crate) fn settle(&mut self, objects: &[Object]) {
        if let Some(step) = self.steps.last_mut() {
            step.holds = held_objects(objects, step.thread);
        }
    }

    /// A thread announced an operation; `blocks` if it is not possible now.
    pub(crate) fn announced(&mut self, thread: ThreadIndex, operation: &Operation, blocks: bool) {
        if blocks && operation.kind != Kind::Never {
            self.push(thread, operation, Effect::Blocks);
        }
    }

    /// The scheduler is about to stop a thread that could go on.
    pub(crate) fn preempts(&mut self) {
        self.preempted = true;
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
        self.push(thread, operation, Effect::Done);
    }

    /// A thread panicked.
    pub(crate) fn panicked(&mut self, thread: ThreadIndex, at: &panic::Location<'_>, message: &str) {
        self.steps.push(Step {
            thread,
            operation: "panic".to_string(),
            object: None,
            other: None,
            at: location(at),
            effect: Effect::Panicked,
            value: Some(short(message)),
            missed: None,
            preemption: false,
            holds: Vec::new(),
        });
    }

    fn push(&mut self, thread: ThreadIndex, operation: &Operation, effect: Effect) {
        if self.steps.len() >= 4 * TOLD {
            self.leave_out_the_middle();
        }
        let preemption = std::mem::take(&mut self.preempted);
        self.steps.push(Step { preemption, ..step(thread, operation, effect) });
    }

    fn leave_out_the_middle(&mut self) {
        let Some(left_out) = self.steps.len().checked_sub(2 * TOLD) else { return };
        self.steps.drain(TOLD..TOLD + left_out);
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
        let stored = |step: &Step| step.thread == by && step.object == last.object && step.operation != "load";
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
    pub(crate) fn finish(mut self, state: &State, notes: &[Option<String>]) -> Trace {
        self.settle(&state.objects);
        let waiting: Vec<Waiting> =
            (0..state.threads.len()).filter_map(|thread| waiting(state, thread, notes)).collect();
        for waiting in waiting.iter().filter(|waiting| waiting.waits_for.is_some()) {
            self.tell_that_it_waits(state, waiting.thread);
        }
        self.leave_out_the_middle();
        let threads = state.threads.iter().enumerate();
        Trace {
            schedule: crate::search::notation::write(&self.choices, Mode::of(&state.settings)),
            given: None,
            preemptions: self.preemptions,
            old_reads: self.old_reads,
            threads: threads.map(|(index, thread)| TracedThread { name: thread.shown_name(index) }).collect(),
            objects: name_objects(&state.objects),
            steps: self.steps,
            waiting,
        }
    }

    /// What a thread announced was possible then, and is not any more: its last step says that it blocks.
    fn tell_that_it_waits(&mut self, state: &State, thread: ThreadIndex) {
        let last = self.steps.iter().rev().find(|step| step.thread == thread);
        if last.is_none_or(|step| step.effect != Effect::Blocks) {
            self.push(thread, &state.threads[thread].pending, Effect::Blocks);
            self.settle(&state.objects);
        }
    }
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
        operation: operation.name.to_string(),
        object: (operation.object != NOTHING).then_some(operation.object as usize),
        other: (operation.other != NOBODY && operation.kind != Kind::Exit).then_some(operation.other),
        at: location(operation.at),
        effect,
        value: None,
        missed: None,
        preemption: false,
        holds: Vec::new(),
    }
}

/// What a choice would do, if it were made now.
pub(crate) fn possible_step(state: &State, choice: Choice) -> Step {
    let operation = &state.threads[choice.thread].pending;
    let holds = held_objects(&state.objects, choice.thread);
    Step { holds, ..step(choice.thread, operation, effect(choice.how, operation)) }
}

fn waiting(state: &State, index: ThreadIndex, notes: &[Option<String>]) -> Option<Waiting> {
    let thread = &state.threads[index];
    if thread.status != super::thread::Status::Live || thread.pending.kind == Kind::Exit {
        return None;
    }
    let operation = &thread.pending;
    let waits_for = (!state.can_go_on(index)).then(|| WaitsFor {
        operation: operation.name.to_string(),
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
