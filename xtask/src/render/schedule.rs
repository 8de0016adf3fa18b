//! A schedule that a learner can read: who waits for whom in sentences, then a table with a column a thread.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use verdict::{Coverage, Effect, Held, Location, Missed, Step, Trace, WaitsFor, thousands};

use crate::render::lanes::{Standing, standings};
use crate::render::{FAINT, OPEN, STRONG, fit, fold, paragraph, shares, styled};
use crate::repository::Repository;

/// Narrower columns can't hold a line of source; then there is one column.
const NARROWEST: usize = 22;
/// The step's mark and number.
const MARGIN: usize = 8;

/// Who held what and waited for what when the schedule ended: a sentence a thread.
pub(crate) fn ending(trace: &Trace, width: usize) -> String {
    let mut text = match &trace.given {
        Some(given) => paragraph(&format!("for {given}:"), 2, width),
        None => String::new(),
    };
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
    let old = match trace.old_reads {
        0 => String::new(),
        1 => " and reads 1 old value".to_string(),
        n => format!(" and reads {n} old values"),
    };
    let preemptions = match trace.preemptions {
        0 => "this one needs no preemption".to_string(),
        1 => "the shortest has 1 preemption".to_string(),
        n => format!("the shortest has {n} preemptions"),
    } + &old;
    match (coverage.failing, coverage.schedules) {
        (failing, schedules) if failing == schedules => {
            format!("every schedule fails ({schedules} tried); {preemptions}")
        }
        (1, schedules) => format!("1 of {schedules} schedules fails; {preemptions}"),
        (failing, schedules) => format!("{failing} of {schedules} schedules fail; {preemptions}"),
    }
}

/// The steps: time goes downwards, a column a thread, or one column where the terminal is too narrow for that. Of a long
/// schedule the first and the last steps are shown, unless `whole`.
pub(crate) fn table(trace: &Trace, sources: &mut Sources, width: usize, whole: bool) -> String {
    const FIRST: usize = 12;
    const LAST: usize = 24;
    let mut rows = rows(trace, sources);
    if !whole {
        rows = without_repetitions(rows);
        if rows.len() > FIRST + LAST + 1 {
            let left_out = rows.len() - FIRST - LAST;
            rows.splice(FIRST..FIRST + left_out, [Row::gap(left_out)]);
        }
    }
    let standings = standings(trace);
    let room = width.saturating_sub(MARGIN + 2);
    let mut needs = self::needs(trace, &rows, &standings, Row::in_one_line);
    if needs.iter().sum::<usize>() > room {
        needs = self::needs(trace, &rows, &standings, Row::in_two_lines);
    }
    let widths = shares(&needs, room);
    let is_narrow = |(width, need): (&usize, &usize)| width < need && *width < NARROWEST;
    if widths.iter().zip(&needs).any(is_narrow) {
        one_column(trace, &rows, width)
    } else {
        columns(trace, &rows, &standings, &widths)
    }
}

/// The command that shows the schedule again. Where there is only one, it needs no name.
pub(crate) fn replay(kata: &str, test: &str, trace: &Trace) -> String {
    let schedule = if trace.schedule.is_empty() { String::new() } else { format!(" --schedule {}", trace.schedule) };
    format!("cargo xtask replay {kata} {test}{schedule}")
}

/// Where the objects of the table were made: a sentence a place.
pub(crate) fn origins(trace: &Trace, width: usize) -> String {
    // What the tools and the model make for themselves is nobody's lesson.
    let is_inside = |at: &Location| at.file.starts_with(TOOLS) || at.file.starts_with("tests/explored-std/");
    let mut places: BTreeMap<&Location, BTreeSet<usize>> = BTreeMap::new();
    for object in trace.steps.iter().filter(|step| !is_inside(&step.at)).filter_map(|step| step.object) {
        let made_at = &trace.objects[object].made_at;
        if !is_inside(made_at) {
            places.entry(made_at).or_default().insert(object);
        }
    }
    let sentence = |(place, objects): (&Location, BTreeSet<usize>)| {
        let were = if objects.len() == 1 { "was" } else { "were" };
        format!("{} {were} made at {place}", list(objects.into_iter().map(|object| trace.objects[object].name.clone())))
    };
    let sentences: Vec<String> = places.into_iter().map(sentence).collect();
    if sentences.is_empty() { String::new() } else { paragraph(&format!("{}.", sentences.join("; ")), 2, width) }
}

/// How every thread stands after a step.
type Standings = Vec<Standing>;

/// One row: what one thread did on one line of its source, without being switched away from.
struct Row {
    thread: usize,
    /// The first of its steps, counted from 1.
    number: usize,
    /// The last of its steps, counted from 1.
    last: usize,
    preemption: bool,
    /// The line's number and text.
    source: String,
    /// How its steps went.
    effects: Vec<String>,
}

impl Row {
    /// Stands for rows that are left out.
    fn gap(rows: usize) -> Row {
        Row::remark(format!("… {rows} rows are left out; replay shows them …"))
    }

    /// Stands for repetitions of the rows above.
    fn again(rows: usize, times: usize) -> Row {
        let what = if rows == 1 { "this row".to_string() } else { format!("these {rows} rows") };
        Row::remark(format!("… {what} {} times more …", thousands(times as u64)))
    }

    fn remark(source: String) -> Row {
        Row { thread: 0, number: 0, last: 0, preemption: false, source, effects: Vec::new() }
    }

    /// Whether it is the same thing once more, whatever values were seen.
    fn repeats(&self, other: &Row) -> bool {
        let alike = |(one, other): (&String, &String)| without_value(one) == without_value(other);
        self.thread == other.thread
            && !self.preemption
            && self.source == other.source
            && self.effects.len() == other.effects.len()
            && self.effects.iter().zip(&other.effects).all(alike)
    }

    /// Another step on the line. What is taken and freed at once is said in one breath.
    fn add(&mut self, effect: String) {
        let taken = self.effects.last().and_then(|before| before.strip_prefix("✔ ")).map(without_value);
        match effect.strip_prefix("frees ") {
            Some(freed) if taken == Some(freed) => {
                self.effects.last_mut().expect("it was just there").push_str(", freed");
            }
            _ => self.effects.push(effect),
        }
    }

    /// The line of the source and how it went.
    fn in_one_line(&self) -> String {
        format!("{} {}", self.source, self.effect()).trim_end().to_string()
    }

    /// The longer of the two, where each has a line of its own.
    fn in_two_lines(&self) -> String {
        let effect = format!("   {}", self.effect());
        if effect.chars().count() > self.source.chars().count() { effect } else { self.source.clone() }
    }

    /// How it went, in one line of text. What happened again and again is told once.
    fn effect(&self) -> String {
        let alike = |one: &String, other: &String| without_value(one) == without_value(other);
        let told = fold::parts(&self.effects, alike).into_iter().map(|part| {
            let (first, last) = (&self.effects[part.first.clone()], &self.effects[part.last()]);
            match part.times {
                1 => first.join(" "),
                times if first == last => format!("{} ({} times)", first.join(" "), thousands(times as u64)),
                times => format!("{} … {} ({} times)", first.join(" "), last.join(" "), thousands(times as u64)),
            }
        });
        told.collect::<Vec<_>>().join(" ")
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
        let length = part.first.len();
        shown.extend(rows[part.first].iter_mut().filter_map(Option::take));
        if part.times > 1 {
            shown.push(Row::again(length, part.times - 1));
        }
    }
    shown
}

/// Steps that a thread takes on one line, one after the other, are one row. What happens inside of a test tool is left out,
/// but that a thread is stuck in it.
fn rows(trace: &Trace, sources: &mut Sources) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut last: Option<&Step> = None;
    for (number, step) in trace.steps.iter().enumerate() {
        if let Some(source) = call(step) {
            let (thread, preemption) = (step.thread, step.preemption);
            rows.push(Row { thread, number: number + 1, last: number + 1, preemption, source, effects: Vec::new() });
            last = Some(step);
            continue;
        }
        let note = note_of_last(trace, number);
        if step.at.file.starts_with(TOOLS) && note.is_none() {
            continue;
        }
        let effect = effect(trace, step);
        match (last, rows.last_mut()) {
            (Some(before), Some(row)) if before.thread == step.thread && same_line(&before.at, &step.at) => {
                row.add(effect);
                row.last = number + 1;
            }
            _ => rows.push(Row {
                thread: step.thread,
                number: number + 1,
                last: number + 1,
                preemption: step.preemption,
                source: note.map_or_else(
                    || format!("{} {}", step.at.line, sources.line(&step.at, &step.operation)),
                    |note| format!("waits at {note}"),
                ),
                effects: vec![effect],
            }),
        }
        last = Some(step);
    }
    rows
}

/// What a scenario says of its calls: one begins, one returns, something happens.
fn call(step: &Step) -> Option<String> {
    let mark = match &step.operation[..] {
        "call" => "▸",
        "return" => "◂",
        "note" => "•",
        _ => return None,
    };
    step.value.as_ref().filter(|_| step.at.file.starts_with(TOOLS)).map(|value| format!("{mark} {value}"))
}

/// Where the test tools are, whose inside is nobody's lesson.
const TOOLS: &str = "tests/support/";

/// What a test tool says of a thread that never came out of it, if this is that thread's last step.
pub(crate) fn note_of_last(trace: &Trace, number: usize) -> Option<&str> {
    let thread = trace.steps[number].thread;
    if trace.steps[number + 1..].iter().any(|step| step.thread == thread) {
        return None;
    }
    trace.waiting.iter().find(|waiting| waiting.thread == thread)?.waits_for.as_ref()?.note.as_deref()
}

fn same_line(a: &Location, b: &Location) -> bool {
    a.line == b.line && a.file == b.file
}

/// How wide each thread's column has to be, with a space behind it, so that nothing in it is cut.
fn needs(trace: &Trace, rows: &[Row], standings: &[Standings], told: fn(&Row) -> String) -> Vec<usize> {
    let mut needs: Vec<usize> = trace.threads.iter().map(|thread| thread.name.chars().count()).collect();
    for row in rows.iter().filter(|row| row.number > 0) {
        for (thread, (need, standing)) in needs.iter_mut().zip(&standings[row.last - 1]).enumerate() {
            let shown = if thread == row.thread { told(row) } else { stands(standing) };
            *need = shown.chars().count().max(*need);
        }
    }
    needs.into_iter().map(|need| need + 1).collect()
}

fn columns(trace: &Trace, rows: &[Row], standings: &[Standings], widths: &[usize]) -> String {
    let heads = trace.threads.iter().zip(widths).map(|(thread, width)| fit(&thread.name, width - 1) + " ");
    let mut text = format!("    step  {}\n", styled(STRONG, heads.collect::<String>().trim_end()));
    for row in rows {
        if row.number == 0 {
            text += &format!("  {}{}\n", mark(row), styled(FAINT, &row.source));
            continue;
        }
        let before = " ".repeat(widths[..row.thread].iter().sum());
        let cell = cell(row, widths[row.thread] - 1);
        text += &format!("  {}{}\n", mark(row), beside_the_others(row, &cell[0], &standings[row.last - 1], widths));
        text += &cell[1..].iter().map(|line| format!("  {}{before}{line}\n", " ".repeat(MARGIN))).collect::<String>();
    }
    text
}

/// The first line of a row: what its thread did, and in the other columns what each thread holds (`│`) and waits for (`⏸`).
fn beside_the_others(row: &Row, did: &str, standings: &[Standing], widths: &[usize]) -> String {
    let (mut line, mut blanks) = (String::new(), 0);
    for (thread, (standing, width)) in standings.iter().zip(widths).enumerate() {
        let shown = if thread == row.thread { did.to_string() } else { fit(&stands(standing), width - 1) };
        let shown = shown.trim_end();
        if !shown.is_empty() {
            let style = if thread == row.thread { anstyle::Style::new() } else { FAINT };
            line += &format!("{}{}", " ".repeat(blanks), styled(style, shown));
            blanks = 0;
        }
        blanks += width - shown.chars().count();
    }
    line
}

/// `│ account#1 ⏸ account#2`: what a thread holds and waits for while another acts.
fn stands(standing: &Standing) -> String {
    let holds = (!standing.holds.is_empty()).then(|| format!("│ {}", standing.holds.join(", ")));
    let waits = standing.state.strip_prefix("waits for ").map(|on| match on.strip_suffix(" to end") {
        Some(thread) => format!("⏸ until {thread} ends"),
        None => format!("⏸ {on}"),
    });
    [holds, waits].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Source and effect on one line if both fit, else on two: neither is cut for the other's sake.
fn cell(row: &Row, columns: usize) -> Vec<String> {
    let line = row.in_one_line();
    if line.chars().count() <= columns {
        return vec![line];
    }
    let effect = row.effect();
    let effect =
        textwrap::wrap(&effect, textwrap::Options::new(columns).initial_indent("   ").subsequent_indent("   "));
    let effect = effect.into_iter().map(|line| line.into_owned());
    std::iter::once(fit(&row.source, columns).trim_end().to_string()).chain(effect).collect()
}

fn one_column(trace: &Trace, rows: &[Row], width: usize) -> String {
    let longest = trace.threads.iter().map(|thread| thread.name.chars().count()).max().unwrap_or(0).min(16);
    let mut text = String::new();
    for row in rows {
        if row.number == 0 {
            text += &format!("  {}{}\n", mark(row), styled(FAINT, &row.source));
            continue;
        }
        let name = fit(&trace.threads[row.thread].name, longest);
        let room = width.saturating_sub(MARGIN + longest + 3);
        let lines = cell(row, room);
        text += &format!("  {}{} {}\n", mark(row), styled(FAINT, &name), lines[0]);
        text += &lines[1..]
            .iter()
            .map(|line| format!("  {}{line}\n", " ".repeat(MARGIN + longest + 1)))
            .collect::<String>();
    }
    text
}

/// The step's number; `↻` where a thread was stopped although it could have gone on.
fn mark(row: &Row) -> String {
    if row.number == 0 {
        return " ".repeat(MARGIN);
    }
    let mark = if row.preemption { styled(OPEN, "↻") } else { " ".to_string() };
    format!("{mark}{:>5}  ", row.number)
}

/// How a step went, and what it went for: `✔ account#1`, `⏸ until writer ends`.
pub(crate) fn effect(trace: &Trace, step: &Step) -> String {
    let object = step.object.map(|object| trace.objects[object].name.clone());
    let other = step.other.map(|thread| name(trace, thread).to_string());
    let on = object.or(other.clone()).unwrap_or_default();
    let text = match (step.effect, &step.operation[..], other) {
        (Effect::Done, "unlock", _) => format!("frees {on}"),
        (Effect::Done, "close", _) => format!("closes {on}"),
        (Effect::Done, "spawn", Some(other)) => format!("starts {other}"),
        (Effect::Done, "join", Some(other)) => format!("✔ {other} has ended"),
        (Effect::Blocks, "join", Some(other)) => format!("⏸ until {other} ends"),
        (Effect::Done, ..) => format!("✔ {on}"),
        (Effect::Blocks, ..) => format!("⏸ {on}"),
        (Effect::Refused, ..) => format!("✘ {on} refused"),
        (Effect::TimedOut, ..) => "⏱ time is up".to_string(),
        (Effect::Spurious, "compare_exchange_weak", _) => format!("⚡ {on} fails for no reason"),
        (Effect::Spurious, ..) => "⚡ spurious wakeup".to_string(),
        (Effect::Panicked, ..) => "✗ panics".to_string(),
    };
    if let (Some(missed), Some(value)) = (&step.missed, &step.value) {
        return format!("{on} reads {value}, though {}", instead_of(trace, missed));
    }
    match &step.value {
        Some(value) if step.effect != Effect::Panicked => format!("{} = {value}", text.trim_end()),
        _ => text.trim_end().to_string(),
    }
}

/// `writer had stored 1 at step 7: nothing orders the two (Relaxed)`: what a read of an old value could have seen.
fn instead_of(trace: &Trace, missed: &Missed) -> String {
    let Missed { by, value, step, ordering } = missed;
    let at = step.map_or(String::new(), |step| format!(" at step {}", step + 1));
    format!("{} had stored {value}{at}: nothing orders the two ({ordering})", name(trace, *by))
}

fn name(trace: &Trace, thread: usize) -> &str {
    trace.threads.get(thread).map_or("?", |thread| &thread.name)
}

pub(crate) fn held(trace: &Trace, held: &Held) -> String {
    format!("{} ({})", trace.objects[held.object].name, held.at)
}

/// `account#2 (lib.rs:15), held by bob→alice`, `alice→bob to finish`.
pub(crate) fn wait(trace: &Trace, wait: &WaitsFor) -> String {
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
pub(crate) struct Sources<'a> {
    /// Where files are read; nothing where all lines that may be shown are given.
    repository: Option<&'a Repository>,
    files: BTreeMap<String, Vec<String>>,
}

impl<'a> Sources<'a> {
    /// No file is read yet.
    pub(crate) fn new(repository: &'a Repository) -> Sources<'a> {
        Sources { repository: Some(repository), files: BTreeMap::new() }
    }

    /// Only these lines: nothing is read. A record from another machine may name any file.
    pub(crate) fn given(files: BTreeMap<String, Vec<String>>) -> Sources<'static> {
        Sources { repository: None, files }
    }

    /// A whole file; empty if it can't be read.
    pub(crate) fn text(&self, file: &str) -> String {
        self.repository.and_then(|repository| fs::read_to_string(repository.root().join(file)).ok()).unwrap_or_default()
    }

    /// The line at a location, without its indent; the operation's name where there is no source.
    pub(crate) fn line(&mut self, at: &Location, operation: &str) -> String {
        if !self.files.contains_key(&at.file) {
            let lines = self.text(&at.file).lines().map(|line| line.trim().to_string()).collect();
            self.files.insert(at.file.clone(), lines);
        }
        let lines = &self.files[&at.file];
        lines
            .get((at.line as usize).wrapping_sub(1))
            .filter(|line| !line.is_empty())
            .cloned()
            .unwrap_or_else(|| operation.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::abba;

    fn drawn(trace: &Trace, width: usize, whole: bool) -> String {
        let nowhere = Repository::at(std::path::Path::new("/nowhere"));
        anstream::adapter::strip_str(&table(trace, &mut Sources::new(&nowhere), width, whole)).to_string()
    }

    #[test]
    fn an_old_value_is_told_with_the_newer_one() {
        let mut trace = abba();
        trace.steps[3].operation = "load".to_string();
        trace.steps[3].effect = Effect::Done;
        trace.steps[3].value = Some("0".to_string());
        trace.steps[3].missed =
            Some(Missed { by: 0, value: "1".to_string(), step: Some(1), ordering: "Relaxed".to_string() });
        insta::assert_snapshot!(effect(&trace, &trace.steps[3]), @"account#1 reads 0, though main had stored 1 at step 2: nothing orders the two (Relaxed)");
        trace.old_reads = 1;
        let coverage = Coverage { failing: 1, schedules: 3, ..Coverage::default() };
        assert_eq!(
            how_often(&trace, coverage),
            "1 of 3 schedules fails; the shortest has 1 preemption and reads 1 old value"
        );
    }

    #[test]
    fn the_ending_spells_out_the_cycle() {
        insta::assert_snapshot!(ending(&abba(), 80), @r"
          main holds account#1 (bank.rs:14), waits for account#2 (bank.rs:15), held by
          back
          back holds account#2 (bank.rs:14), waits for account#1 (bank.rs:15), held by
          main
        ");
    }

    #[test]
    fn objects_are_told_by_where_they_were_made() {
        assert_eq!(origins(&abba(), 80), "  account#1 and account#2 were made at bank.rs:3.\n");
    }

    #[test]
    fn each_thread_has_a_column_and_the_switch_is_marked() {
        insta::assert_snapshot!(drawn(&abba(), 80, false), @r"
            step  main                back
               1  9 spawn starts back
               2  14 lock ✔ account#1
          ↻    3  │ account#1         14 lock ✔ account#2
               4  │ account#1         15 lock ⏸ account#1
               5  15 lock ⏸ account#2 │ account#2 ⏸ account#1
        ");
    }

    #[test]
    fn a_narrow_terminal_gets_one_column() {
        insta::assert_snapshot!(drawn(&abba(), 44, false), @r"
               1  main 9 spawn starts back
               2  main 14 lock ✔ account#1
          ↻    3  back 14 lock ✔ account#2
               4  back 15 lock ⏸ account#1
               5  main 15 lock ⏸ account#2
        ");
    }

    #[test]
    fn what_a_thread_repeats_is_told_once_unless_it_is_replayed() {
        let mut spins = abba();
        let (lock, unlock) =
            (spins.steps[1].clone(), verdict::Step { operation: "unlock".to_string(), ..spins.steps[1].clone() });
        let elsewhere = |step: &verdict::Step, value: u32| verdict::Step {
            at: Location { line: 20, ..step.at.clone() },
            value: Some(value.to_string()),
            ..step.clone()
        };
        let round = |n| [lock.clone(), unlock.clone(), lock.clone(), unlock.clone(), elsewhere(&lock, n)];
        spins.steps = (0..1_500).flat_map(round).chain((0..1_000).map(|n| elsewhere(&lock, n))).collect();
        insta::assert_snapshot!(drawn(&spins, 80, false), @r"
            step  main                                                         back
               1  14 lock ✔ account#1, freed ✔ account#1, freed
               5  20 lock ✔ account#1 = 0
                  … these 2 rows 1,498 times more …
            7496  14 lock ✔ account#1, freed ✔ account#1, freed
            7500  20 lock ✔ account#1 = 1499 … ✔ account#1 = 999 (1,001 times)
        ");
        assert!(!drawn(&spins, 80, true).contains("times more"));
    }

    #[test]
    fn of_a_long_schedule_the_middle_is_left_out_unless_it_is_replayed() {
        let mut long = abba();
        let turn = long.steps[1].clone();
        long.steps =
            (0..100).map(|line| verdict::Step { at: Location { line, ..turn.at.clone() }, ..turn.clone() }).collect();
        assert!(drawn(&long, 80, false).contains("… 64 rows are left out; replay shows them …"));
        assert_eq!(drawn(&long, 80, true).lines().count(), 101);
    }

    #[test]
    fn steps_on_one_line_are_one_row_and_tools_keep_to_themselves() {
        let mut trace = abba();
        trace.waiting.clear();
        let unlock = verdict::Step { operation: "unlock".to_string(), ..trace.steps[1].clone() };
        let inside = Location { file: "tests/support/src/gate.rs".to_string(), line: 1, column: 1 };
        trace.steps = vec![trace.steps[1].clone(), unlock.clone(), verdict::Step { at: inside, ..unlock }];
        let drawn = drawn(&trace, 80, false);
        assert!(drawn.contains("14 lock ✔ account#1, freed\n"), "{drawn}");
        assert!(!drawn.contains("gate.rs"), "{drawn}");
    }
}
