//! The rows of a schedule, as the terminal's table and the pictures show them: what one thread did on one line of its source.

use std::collections::BTreeSet;
use std::ops::Range;

use verdict::{Did, Effect, Location, Missed, Step, Trace, thousands};

use crate::render::fold;
use crate::render::schedule::{Sources, awaited, name};

/// Where the test tools are, whose inside is nobody's lesson.
pub(crate) const TOOLS: &str = "tests/support/";

/// One row.
#[derive(Debug)]
pub struct Row {
    /// The steps that it stands for, as indices into the trace's.
    pub steps: Range<usize>,
    /// What it shows.
    pub shows: Shows,
}

/// What a row shows.
#[derive(Debug)]
pub enum Shows {
    /// Steps of one thread on one line, without being switched away from.
    Line(Line),
    /// Something about the rows above or below: time that passed, rows that are left out.
    Remark(String),
}

/// What one thread did on one line.
#[derive(Debug)]
pub struct Line {
    /// The thread.
    pub thread: usize,
    /// The thread that was stopped for this one although it could have gone on, in words.
    pub stopped: Option<String>,
    /// Where it is. Nothing where the row tells something else than a line of source.
    pub at: Option<Location>,
    /// The line's text.
    pub source: String,
    /// How its steps went.
    pub effects: Vec<Told>,
}

/// How a step went, and what it went for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// In the signs of a terminal: `✔ account#1`.
    pub signs: String,
    /// In words, for a picture: `gets account#1`. Fonts of browsers often lack the signs.
    pub words: String,
    /// Whether the thread goes on no more for now: it waits, or it panics.
    pub stops: bool,
}

/// How long a table or picture of a schedule may be: so many rows of its beginning and of its end.
#[derive(Clone, Copy, Debug)]
pub enum Length {
    /// All of it, each repetition too.
    Whole,
    /// Repetitions are told once, and then so many rows at the beginning and at the end.
    AtMost(usize, usize),
}

/// The rows of a schedule. What comes after the panic that failed the test is left out, and so is what happens inside of a test
/// tool, but that a thread is stuck in it.
pub fn rows(trace: &Trace, sources: &mut Sources, length: Length) -> Vec<Row> {
    let rows = lines(trace, sources);
    match length {
        Length::Whole => rows,
        Length::AtMost(first, last) => {
            let mut rows = without_repetitions(rows);
            if rows.len() > first + last + 1 {
                let left_out = rows.len() - first - last;
                let steps = rows[first].steps.start..rows[first + left_out - 1].steps.end;
                let words = format!("… {left_out} rows are left out; replay shows them …");
                rows.splice(first..first + left_out, [Row { steps, shows: Shows::Remark(words) }]);
            }
            rows
        }
    }
}

impl Row {
    /// The line that it shows, if it is no remark.
    pub fn line(&self) -> Option<&Line> {
        match &self.shows {
            Shows::Line(line) => Some(line),
            Shows::Remark(_) => None,
        }
    }

    /// Whether it is the same thing once more, whatever values were seen.
    fn repeats(&self, other: &Row) -> bool {
        let (Some(one), Some(other)) = (self.line(), other.line()) else { return false };
        let alike = |(one, other): (&Told, &Told)| one.is_like(other);
        one.thread == other.thread
            && one.stopped.is_none()
            && (&one.at, &one.source) == (&other.at, &other.source)
            && one.effects.len() == other.effects.len()
            && one.effects.iter().zip(&other.effects).all(alike)
    }
}

impl Told {
    /// Whether it is the same, whatever value was seen.
    fn is_like(&self, other: &Told) -> bool {
        without_value(&self.signs) == without_value(&other.signs)
    }
}

impl Line {
    /// The place as it stands in front of the source: `68`, or `lock.rs:101` where the file is not the answer's `lib.rs`.
    pub fn place(&self) -> String {
        match &self.at {
            Some(at) if at.to_string().starts_with("lib.rs:") => at.line.to_string(),
            Some(at) => at.to_string(),
            None => String::new(),
        }
    }

    /// The place and the source.
    pub fn source(&self) -> String {
        format!("{} {}", self.place(), self.source).trim_start().to_string()
    }

    /// Another step on the line. What is taken and freed at once is said in one breath.
    fn add(&mut self, effect: Told) {
        let taken = self.effects.last().and_then(|before| before.signs.strip_prefix("✔ ")).map(without_value);
        match effect.signs.strip_prefix("frees ") {
            Some(freed) if taken == Some(freed) => {
                let before = self.effects.last_mut().expect("it was just there");
                before.signs.push_str(", freed");
                before.words.push_str(" and frees it");
            }
            _ => self.effects.push(effect),
        }
    }

    /// How it went, in one line of text. What happened again and again is told once.
    pub fn effect(&self, told: fn(&Told) -> &str, between: &str) -> String {
        let told = fold::parts(&self.effects, Told::is_like).into_iter().map(|part| {
            let text = |range: Range<usize>| self.effects[range].iter().map(told).collect::<Vec<_>>().join(between);
            let (first, last) = (text(part.first.clone()), text(part.last()));
            match part.times {
                1 => first,
                times if first == last => format!("{first} ({} times)", thousands(times as u64)),
                times => format!("{first} … {last} ({} times)", thousands(times as u64)),
            }
        });
        told.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(between)
    }
}

/// What happened, without the value that was seen: `✔ count#1` of `✔ count#1 = 7`.
fn without_value(effect: &str) -> &str {
    effect.split(" = ").next().unwrap_or(effect)
}

/// Rows that a thread repeats are shown once.
fn without_repetitions(rows: Vec<Row>) -> Vec<Row> {
    let parts = fold::parts(&rows, |one, other| one.repeats(other));
    let mut rows: Vec<Option<Row>> = rows.into_iter().map(Some).collect();
    let mut shown = Vec::new();
    for part in parts {
        let many = part.first.len();
        let (first, last) = (part.first.clone(), part.last());
        let end = rows[last.end - 1].as_ref().map(|row| row.steps.end);
        shown.extend(rows[first].iter_mut().filter_map(Option::take));
        if let (2.., Some(start), Some(end)) = (part.times, shown.last().map(|row: &Row| row.steps.end), end) {
            let what = if many == 1 { "this row".to_string() } else { format!("these {many} rows") };
            let words = format!("… {what} {} times more …", thousands(part.times as u64 - 1));
            shown.push(Row { steps: start..end, shows: Shows::Remark(words) });
        }
    }
    shown
}

fn lines(trace: &Trace, sources: &mut Sources) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut before: Option<&Step> = None;
    let shown = trace.panicked.map_or(trace.steps.len(), |last| (last + 1).min(trace.steps.len()));
    let mut now = trace.steps.first().map_or(0, |step| step.now);
    let of_tools = of_tools(trace);
    let is_inside =
        |step: &Step| step.at.file.starts_with(TOOLS) || step.object.is_some_and(|object| of_tools.contains(&object));
    for (number, step) in trace.steps[..shown].iter().enumerate() {
        let call = call(step);
        let note = note_of_last(trace, number);
        if call.is_none() && note.is_none() && is_inside(step) {
            continue;
        }
        // Time is told where somebody's was over. Elsewhere it passes for a tool, and for nobody who is shown.
        let is_over = step.effect == Effect::TimedOut || matches!(step.operation, Did::Sleep | Did::Timer);
        if step.now > now && !is_over {
            now = step.now;
        }
        if step.now > now {
            let words = format!("{} later", duration(step.now - now));
            rows.push(Row { steps: number..number, shows: Shows::Remark(words) });
            now = step.now;
            before = None;
        }
        let effect = (call.is_none()).then(|| told(trace, step));
        if let (Some(effect), Some(before), Some(row)) = (&effect, before, rows.last_mut())
            && let Shows::Line(line) = &mut row.shows
            && before.thread == step.thread
            && same_line(&before.at, &step.at)
        {
            line.add(effect.clone());
            row.steps.end = number + 1;
        } else {
            let is_source = call.is_none() && note.is_none();
            let source = match (call, note) {
                (Some(call), _) => call,
                (None, Some(note)) => format!("waits at {note}"),
                (None, None) => sources.line(&step.at, step.operation.name()),
            };
            let line = Line {
                thread: step.thread,
                stopped: step.preemption.then(|| stopped(trace, step)),
                at: is_source.then(|| step.at.clone()),
                source,
                effects: effect.into_iter().collect(),
            };
            rows.push(Row { steps: number..number + 1, shows: Shows::Line(line) });
        }
        before = Some(step);
    }
    rows
}

/// The objects that test tools use for themselves: they are met at inside of a tool.
pub(crate) fn of_tools(trace: &Trace) -> BTreeSet<usize> {
    let inside = trace.steps.iter().filter(|step| step.at.file.starts_with(TOOLS));
    inside.filter_map(|step| step.object).collect()
}

/// Who could have gone on instead.
fn stopped(trace: &Trace, step: &Step) -> String {
    step.stopped.map_or("another thread", |thread| name(trace, thread)).to_string()
}

/// Virtual time in the unit that reads best.
fn duration(nanoseconds: u64) -> String {
    let text = format!("{:?}", std::time::Duration::from_nanos(nanoseconds));
    let digits = text.trim_end_matches(char::is_alphabetic).len();
    format!("{} {}", &text[..digits], &text[digits..])
}

/// What a scenario says of its calls: one begins, one returns, something happens.
fn call(step: &Step) -> Option<String> {
    let mark = match &step.operation {
        Did::Call => "▸",
        Did::Return => "◂",
        Did::Note => "•",
        _ => return None,
    };
    step.value.as_ref().filter(|_| step.at.file.starts_with(TOOLS)).map(|value| format!("{mark} {value}"))
}

/// What a test tool says of a thread that never came out of it, if this is that thread's last step.
pub fn note_of_last(trace: &Trace, number: usize) -> Option<&str> {
    let thread = trace.steps[number].thread;
    if trace.steps[number + 1..].iter().any(|step| step.thread == thread) {
        return None;
    }
    trace.waiting.iter().find(|waiting| waiting.thread == thread)?.waits_for.as_ref()?.note.as_deref()
}

fn same_line(a: &Location, b: &Location) -> bool {
    a.line == b.line && a.file == b.file
}

/// How a step went, and what it went for.
pub fn told(trace: &Trace, step: &Step) -> Told {
    let object = step.object.map(|object| trace.objects[object].name.clone());
    let other = step.other.map(|thread| name(trace, thread).to_string());
    let on = object.or(other.clone()).unwrap_or_default();
    let operation = &step.operation;
    if let (Some(missed), Some(value)) = (&step.missed, &step.value) {
        let though = format!("though {}", instead_of(trace, missed));
        let (signs, words) = (format!("{on} reads {value}, {though}"), format!("reads {value} from {on}, {though}"));
        return Told { signs, words, stops: false };
    }
    let (signs, words) = match (step.effect, operation, &other) {
        (Effect::Done, Did::Unlock, _) => (format!("frees {on}"), format!("frees {on}")),
        (Effect::Done, Did::Close, _) => (format!("closes {on}"), format!("closes {on}")),
        (Effect::Done, Did::Spawn, Some(other)) => (format!("starts {other}"), format!("starts {other}")),
        (Effect::Done, Did::Join, Some(other)) => {
            (format!("✔ {other} has ended"), format!("sees that {other} has ended"))
        }
        (Effect::Blocks, Did::Join, Some(other)) => {
            (format!("⏸ until {other} ends"), format!("waits for {other} to end"))
        }
        (Effect::Done, ..) => (format!("✔ {on}"), done(operation, &on)),
        (Effect::Blocks, ..) => (format!("⏸ {on}"), blocks(operation, &on)),
        (Effect::Refused, ..) => (format!("✘ {on} refused"), format!("is refused: {operation} {on}")),
        (Effect::TimedOut, ..) => ("⏱ time is up".to_string(), "gives up: the time is over".to_string()),
        (Effect::Spurious, Did::CompareExchangeWeak, _) => {
            (format!("⚡ {on} fails for no reason"), format!("fails to change {on}, for no reason"))
        }
        (Effect::Spurious, Did::NotifyOne, _) => {
            (format!("⚡ {on} out of turn"), format!("wakes the one that came last at {on}"))
        }
        (Effect::Spurious, ..) => ("⚡ spurious wakeup".to_string(), "wakes up although nobody called".to_string()),
        (Effect::Panicked, ..) => ("✗ panics".to_string(), "panics".to_string()),
    };
    let (signs, words) = match (&step.value, step.effect) {
        (Some(_), Effect::Spurious) if *operation == Did::NotifyOne => (signs, words),
        (Some(value), Effect::Panicked) => (signs, format!("{words}: {value}")),
        (Some(value), _) => (format!("{} = {value}", signs.trim_end()), valued(operation, &on, &words, value)),
        (None, _) => (signs.trim_end().to_string(), words),
    };
    Told { signs, words: words.trim_end().to_string(), stops: matches!(step.effect, Effect::Blocks | Effect::Panicked) }
}

/// What was done, in words.
fn done(operation: &Did, on: &str) -> String {
    match operation {
        Did::Lock | Did::Read | Did::Write | Did::TryLock | Did::TryRead | Did::TryWrite => format!("gets {on}"),
        Did::Wait | Did::WaitTimeout => format!("is woken at {on}"),
        Did::NotifyOne => format!("wakes one at {on}"),
        Did::NotifyAll => format!("wakes all at {on}"),
        Did::Send | Did::TrySend => format!("sends to {on}"),
        Did::Recv | Did::TryRecv | Did::RecvTimeout => format!("receives from {on}"),
        Did::Sleep | Did::Timer => "has slept".to_string(),
        Did::Park | Did::ParkTimeout => "goes on: it was unparked".to_string(),
        Did::Unpark => format!("unparks {on}"),
        Did::UntilBlocked => format!("sees that {on} is blocked"),
        Did::Get => format!("looks at {on}"),
        Did::IsFinished | Did::IsBlocked => format!("asks whether {on} {}", operation.name().replace('_', " ")),
        _ => format!("{operation} {on}"),
    }
}

/// What is waited for, in words.
fn blocks(operation: &Did, on: &str) -> String {
    match operation {
        Did::Sleep | Did::Timer => "sleeps".to_string(),
        Did::Park | Did::ParkTimeout => "waits to be unparked".to_string(),
        _ if on.is_empty() => format!("waits: {operation}"),
        _ => format!("waits for {}", awaited(operation, on)),
    }
}

/// What was done with which value, in words.
fn valued(operation: &Did, on: &str, words: &str, value: &str) -> String {
    match operation {
        Did::Load => format!("reads {value} from {on}"),
        Did::Store => format!("writes {value} to {on}"),
        Did::NotifyOne | Did::NotifyAll => match value.trim_start_matches("woke ") {
            "0" => format!("wakes nobody at {on}"),
            many => format!("wakes {many} at {on}"),
        },
        _ => format!("{words} = {value}"),
    }
}

/// `writer had stored 1 at step 7: nothing orders the two (Relaxed)`: what a read of an old value could have seen.
fn instead_of(trace: &Trace, missed: &Missed) -> String {
    let Missed { by, value, step, ordering } = missed;
    let at = step.map_or(String::new(), |step| format!(" at step {}", step + 1));
    format!("{} had stored {value}{at}: nothing orders the two ({ordering})", name(trace, *by))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::render::sample::abba;

    fn shown(trace: &Trace, length: Length) -> Vec<String> {
        let words = |row: &Row| match &row.shows {
            Shows::Line(line) => format!("{}: {}", line.source(), line.effect(|told| &told.words, "; ")),
            Shows::Remark(words) => words.clone(),
        };
        rows(trace, &mut Sources::given(BTreeMap::new()), length).iter().map(words).collect()
    }

    #[test]
    fn only_lines_of_other_files_than_the_answer_name_their_file() {
        let mut trace = abba();
        trace.steps[1].at.file = "katas/lock/src/lib.rs".to_string();
        trace.steps[2].at.file = "katas/lock/tests/lock.rs".to_string();
        let shown = shown(&trace, Length::Whole);
        assert_eq!(shown[1..3], ["14 lock: gets account#1", "lock.rs:14 lock: gets account#2"]);
    }

    #[test]
    fn time_that_passes_has_a_row() {
        let mut trace = abba();
        trace.steps[3..].iter_mut().for_each(|step| step.now = 1_500_000);
        assert_eq!(shown(&trace, Length::Whole).len(), 5, "it passed for nobody who is shown");
        trace.steps[3].effect = Effect::TimedOut;
        let words = ["1.5 ms later", "bank.rs:15 lock: gives up: the time is over"];
        assert_eq!(shown(&trace, Length::Whole)[3..5], words);
    }

    #[test]
    fn a_notification_says_whom_it_wakes() {
        let mut trace = abba();
        trace.steps[1].operation = Did::NotifyOne;
        trace.steps[1].value = Some("woke 1".to_string());
        assert_eq!(shown(&trace, Length::Whole)[1], "bank.rs:14 notify_one: wakes 1 at account#1");
        trace.steps[1].effect = Effect::Spurious;
        assert_eq!(shown(&trace, Length::Whole)[1], "bank.rs:14 notify_one: wakes the one that came last at account#1");
    }

    #[test]
    fn a_panic_that_failed_the_test_is_the_last_row() {
        let mut trace = abba();
        trace.steps[2].effect = Effect::Panicked;
        trace.steps[2].value = Some("no funds".to_string());
        trace.panicked = Some(2);
        assert_eq!(shown(&trace, Length::Whole)[2..], ["bank.rs:14 lock: panics: no funds"]);
        // Every other panic is a step like others.
        trace.panicked = None;
        assert_eq!(shown(&trace, Length::Whole).len(), 5);
    }

    #[test]
    fn every_step_belongs_to_a_row_also_where_rows_are_left_out() {
        let mut trace = abba();
        let turn = trace.steps[1].clone();
        let at = |line: usize| Location { line: line as u32 % 50, ..turn.at.clone() };
        trace.steps = (0..400).map(|line| Step { at: at(line), ..turn.clone() }).collect();
        let rows = rows(&trace, &mut Sources::given(BTreeMap::new()), Length::AtMost(3, 4));
        assert_eq!(rows.len(), 8);
        assert!(rows.windows(2).all(|pair| pair[0].steps.end == pair[1].steps.start));
        assert_eq!((rows[0].steps.start, rows[7].steps.end), (0, 400));
    }

    #[test]
    fn what_tools_use_for_themselves_is_not_shown() {
        let mut trace = abba();
        trace.waiting.clear();
        trace.steps[1].at.file = format!("{TOOLS}src/tools/gate.rs");
        let shown = shown(&trace, Length::Whole);
        assert_eq!(shown.len(), 3, "another step on the same object is the tool's, too: {shown:?}");
    }
}
