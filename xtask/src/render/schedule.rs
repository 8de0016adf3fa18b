//! A schedule that a learner can read: who waits for whom in sentences, then a table with a column a thread.

use std::collections::BTreeMap;
use std::fs;

use verdict::{Coverage, Effect, Held, Location, Step, Trace, WaitsFor};

use crate::render::{FAINT, OPEN, STRONG, fit, paragraph, styled};
use crate::repository::Repository;

/// Narrower columns can't hold a line of source; then there is one column.
const NARROWEST: usize = 22;
/// The step's mark and number.
const MARGIN: usize = 8;

/// Who held what and waited for what when the schedule ended: a sentence a thread.
pub(crate) fn ending(trace: &Trace, width: usize) -> String {
    let mut text = String::new();
    for waiting in &trace.waiting {
        let holds = match &waiting.holds[..] {
            [] => "holds nothing".to_string(),
            held => format!("holds {}", list(held.iter().map(|held| self::held(trace, held)))),
        };
        let waits = match &waiting.waits_for {
            Some(waits_for) => format!(", waits for {}", wait(trace, waits_for)),
            None => ", could go on".to_string(),
        };
        text += &paragraph(&format!("{} {holds}{waits}", name(trace, waiting.thread)), 2, width);
    }
    text
}

/// How many schedules end like this one, and how simple it is.
pub(crate) fn how_often(trace: &Trace, coverage: Coverage) -> String {
    let preemptions = match trace.preemptions {
        0 => "this one needs no preemption".to_string(),
        1 => "the shortest has 1 preemption".to_string(),
        n => format!("the shortest has {n} preemptions"),
    };
    match (coverage.failing, coverage.schedules) {
        (failing, schedules) if failing == schedules => format!("every schedule fails ({schedules} tried); {preemptions}"),
        (1, schedules) => format!("1 of {schedules} schedules fails; {preemptions}"),
        (failing, schedules) => format!("{failing} of {schedules} schedules fail; {preemptions}"),
    }
}

/// The steps: time goes downwards, a column a thread, or one column where the terminal is too narrow for that.
pub(crate) fn table(trace: &Trace, repository: &Repository, width: usize) -> String {
    let mut sources = Sources { repository, files: BTreeMap::new() };
    let rows = rows(trace, &mut sources);
    let column = (width.saturating_sub(MARGIN) / trace.threads.len().max(1)).min(48);
    if column < NARROWEST { one_column(trace, &rows) } else { columns(trace, &rows, column) }
}

/// One row: what one thread did on one line of its source, without being switched away from.
struct Row {
    thread: usize,
    number: usize,
    preemption: bool,
    text: String,
}

/// Steps that a thread takes on one line, one after the other, are one row.
fn rows(trace: &Trace, sources: &mut Sources) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut last: Option<&Step> = None;
    for (number, step) in trace.steps.iter().enumerate() {
        let effect = effect(trace, step);
        match (last, rows.last_mut()) {
            (Some(before), Some(row)) if before.thread == step.thread && before.at.line == step.at.line && before.at.file == step.at.file => {
                row.text += &format!(" {effect}");
            }
            _ => rows.push(Row {
                thread: step.thread,
                number: number + 1,
                preemption: step.preemption,
                text: format!("{} {} {effect}", step.at.line, sources.line(&step.at, &step.operation)),
            }),
        }
        last = Some(step);
    }
    rows
}

fn columns(trace: &Trace, rows: &[Row], column: usize) -> String {
    let mut heads = String::new();
    for thread in &trace.threads {
        heads += &format!("{} ", fit(&thread.name, column - 1));
    }
    let mut text = format!("    step  {}\n", styled(STRONG, heads.trim_end()));
    for row in rows {
        let before = " ".repeat(row.thread * column);
        let wrapped = textwrap::wrap(&row.text, textwrap::Options::new(column - 1).subsequent_indent("   "));
        for (index, part) in wrapped.iter().enumerate() {
            let margin = if index == 0 { mark(row) } else { " ".repeat(MARGIN) };
            text += &format!("  {margin}{before}{part}\n");
        }
    }
    text
}

fn one_column(trace: &Trace, rows: &[Row]) -> String {
    let longest = trace.threads.iter().map(|thread| thread.name.chars().count()).max().unwrap_or(0).min(16);
    let mut text = String::new();
    for row in rows {
        let name = fit(&trace.threads[row.thread].name, longest);
        text += &format!("  {}{} {}\n", mark(row), styled(FAINT, &name), row.text);
    }
    text
}

/// The step's number; `↻` where a thread was stopped although it could have gone on.
fn mark(row: &Row) -> String {
    let mark = if row.preemption { styled(OPEN, "↻") } else { " ".to_string() };
    format!("{mark}{:>5}  ", row.number)
}

/// How a step went, and what it went for: `✔ account#1`.
fn effect(trace: &Trace, step: &Step) -> String {
    let mark = match step.effect {
        Effect::Done => "✔",
        Effect::Refused => "✘ refused",
        Effect::Blocks => "⏸",
        Effect::TimedOut => "⏱ time is up",
        Effect::Spurious => "⚡ woken by nobody",
        Effect::Panicked => "✗ panics",
    };
    let object = step.object.map(|object| trace.objects[object].name.clone());
    let other = step.other.map(|thread| name(trace, thread).to_string());
    let value = step.value.as_ref().map(|value| format!("= {value}"));
    let words: Vec<String> = [Some(mark.to_string()), object, other, value].into_iter().flatten().collect();
    words.join(" ")
}

fn name(trace: &Trace, thread: usize) -> &str {
    trace.threads.get(thread).map_or("?", |thread| &thread.name)
}

fn held(trace: &Trace, held: &Held) -> String {
    format!("{} ({})", trace.objects[held.object].name, held.at)
}

/// `account#2 (lib.rs:15), held by bob→alice`, `alice→bob to finish`.
fn wait(trace: &Trace, wait: &WaitsFor) -> String {
    if let Some(note) = &wait.note {
        return format!("{note} ({})", wait.at);
    }
    let others = || list(wait.on.iter().map(|thread| name(trace, *thread).to_string()));
    match wait.object {
        None if wait.on.is_empty() => format!("`{}` ({})", wait.operation, wait.at),
        None => format!("{} to finish ({})", others(), wait.at),
        Some(object) => {
            let object = &trace.objects[object].name;
            let of = match &wait.operation[..] {
                "lock" | "read" | "write" => object.clone(),
                operation => format!("`{operation}` on {object}"),
            };
            match &wait.on[..] {
                [] => format!("{of} ({})", wait.at),
                _ => format!("{of} ({}), held by {}", wait.at, others()),
            }
        }
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    match &items[..] {
        [] => "nobody".to_string(),
        [one] => one.clone(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}

/// Source files, each read once.
struct Sources<'a> {
    repository: &'a Repository,
    files: BTreeMap<String, Vec<String>>,
}

impl Sources<'_> {
    /// The line at a location, without its indent; the operation's name where there is no source.
    fn line(&mut self, at: &Location, operation: &str) -> String {
        let path = self.repository.root().join(&at.file);
        let lines = self.files.entry(at.file.clone()).or_insert_with(|| {
            let text = fs::read_to_string(path).unwrap_or_default();
            text.lines().map(|line| line.trim().to_string()).collect()
        });
        lines.get((at.line as usize).wrapping_sub(1)).filter(|line| !line.is_empty()).cloned().unwrap_or_else(|| operation.to_string())
    }
}
