//! What things are called in traces and messages.

use std::collections::HashMap;
use std::panic;

use verdict::Location;

use super::object::Object;
use super::operation::ThreadIndex;
use super::thread::ThreadState;

/// A place in the source, as a trace has it.
pub(crate) fn location(at: &panic::Location<'_>) -> Location {
    Location { file: at.file().to_string(), line: at.line(), column: at.column() }
}

/// What reports call a thread. Threads of one name are counted in the order of their start: `worker#2`.
pub(crate) fn thread_name(threads: &[ThreadState], index: ThreadIndex) -> String {
    let Some(name) = &threads[index].name else {
        return if index == 0 { "main".to_string() } else { format!("thread {index}") };
    };
    let namesakes =
        |threads: &[ThreadState]| threads.iter().filter(|thread| thread.name.as_ref() == Some(name)).count();
    match namesakes(threads) {
        1 => name.to_string(),
        _ => format!("{name}#{}", namesakes(&threads[..=index])),
    }
}

/// The first line, cut where it is long.
pub(crate) fn short(text: &str) -> String {
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
                only_used: false,
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
