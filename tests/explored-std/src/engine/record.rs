//! Writes down a schedule while it runs, for its trace.

use std::collections::HashMap;

use verdict::{Effect, Held, Location, Step, Trace, TracedThread, Waiting, WaitsFor};

use super::object::{Model, Object};
use super::operation::{Choice, How, Kind, NOBODY, NOTHING, ObjectIndex, Operation, ThreadIndex};
use super::state::State;

/// The record of the schedule that runs.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    steps: Vec<Step>,
    choices: Vec<Choice>,
    /// The thread that could have gone on when the next step's thread was chosen instead.
    preempted: bool,
    preemptions: u32,
}

impl Recorder {
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
        let effect = match (choice.how, operation.kind) {
            // A timer's end is what a sleeper waits for.
            (How::Timeout, Kind::Sleep) | (How::Step, _) => Effect::Done,
            (How::Timeout, _) => Effect::TimedOut,
            (How::Spurious, _) => Effect::Spurious,
        };
        // The wait itself is told as `Blocks` when the waiter has queued.
        if operation.kind == Kind::Wait {
            return;
        }
        self.push(choice.thread, operation, effect);
    }

    /// Something was done that needs no decision: a release, a spawn.
    pub(crate) fn passively(&mut self, thread: ThreadIndex, operation: &Operation) {
        self.push(thread, operation, Effect::Done);
    }

    /// A thread panicked.
    pub(crate) fn panicked(&mut self, thread: ThreadIndex, at: Site2<'_>, message: &str) {
        self.steps.push(Step {
            thread,
            operation: "panic".to_string(),
            object: None,
            other: None,
            at: location(at),
            effect: Effect::Panicked,
            value: Some(short(message)),
            preemption: false,
            holds: Vec::new(),
        });
    }

    fn push(&mut self, thread: ThreadIndex, operation: &Operation, effect: Effect) {
        self.steps.push(Step {
            thread,
            operation: operation.name.to_string(),
            object: (operation.object != NOTHING).then_some(operation.object as usize),
            other: (operation.other != NOBODY && operation.kind != Kind::Exit).then_some(operation.other),
            at: location(operation.at),
            effect,
            value: None,
            preemption: std::mem::take(&mut self.preempted),
            holds: Vec::new(),
        });
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
    pub(crate) fn finish(self, state: &State, notes: &[Option<String>]) -> Trace {
        let threads = state.threads.iter().enumerate();
        Trace {
            schedule: crate::search::notation::write(&self.choices, state.settings.observed),
            preemptions: self.preemptions,
            threads: threads.map(|(index, thread)| TracedThread { name: thread.shown_name(index) }).collect(),
            objects: name_objects(&state.objects),
            steps: self.steps,
            waiting: (0..state.threads.len()).filter_map(|thread| waiting(state, thread, notes)).collect(),
        }
    }
}

/// A place in the source, as the panic hook has it.
type Site2<'a> = &'a std::panic::Location<'a>;

/// A place in the source, as a trace has it.
pub(crate) fn location(at: &std::panic::Location<'_>) -> Location {
    Location { file: at.file().to_string(), line: at.line(), column: at.column() }
}

/// The first line, cut where it is long.
fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= 60 { line.to_string() } else { line.chars().take(59).chain(['…']).collect() }
}

/// Names objects by what they hold, counted by name in the order of their making.
pub(crate) fn name_objects(objects: &[Object]) -> Vec<verdict::Object> {
    let mut counts: HashMap<String, u32> = HashMap::new();
    objects
        .iter()
        .map(|object| {
            let name = base_name(object);
            let count = counts.entry(name.clone()).or_default();
            *count += 1;
            verdict::Object {
                what: object.what.what.to_string(),
                name: format!("{name}#{count}"),
                made_at: location(object.made_at),
            }
        })
        .collect()
}

/// `Mutex<bank::Account>` is an `account`; what holds something without a name of its own is called by its kind.
fn base_name(object: &Object) -> String {
    let held = (object.what.holds)();
    let path = held.split('<').next().unwrap_or_default();
    let own = path.contains("::")
        && !["std::", "core::", "alloc::", "explored_std::"].iter().any(|std| path.starts_with(std));
    let name = match path.rsplit("::").next() {
        _ if object.what.what == "AtomicBool" => "flag",
        _ if object.what.what.starts_with("Atomic") => "atomic",
        Some(last) if own && last.chars().all(|c| c.is_alphanumeric() || c == '_') => last,
        _ => object.what.what,
    };
    kebab(name)
}

/// `ReadyQueue` as `ready-queue`.
fn kebab(name: &str) -> String {
    let mut text = String::new();
    let mut before_is_lower = false;
    for c in name.chars() {
        if c.is_uppercase() && before_is_lower {
            text.push('-');
        }
        before_is_lower = !c.is_uppercase();
        text.extend(c.to_lowercase());
    }
    text
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
        _ => thread.pending.object,
    };
    (object != NOTHING).then_some(object)
}

/// The locks that a thread holds.
fn held_by(state: &State, thread: ThreadIndex) -> Vec<Held> {
    let mut held = Vec::new();
    for (index, object) in state.objects.iter().enumerate() {
        let Model::Lock(lock) = &object.model else { continue };
        if lock.writer == thread {
            let at = location(lock.taken_at.unwrap_or(object.made_at));
            held.push(Held { object: index, at });
        }
        let readers = lock.readers.iter().filter(|reader| reader.0 == thread);
        held.extend(readers.map(|reader| Held { object: index, at: location(reader.1) }));
    }
    held
}
