//! A schedule that a learner can read: who waits for whom in sentences, then a table with one column per thread.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use verdict::{Coverage, Did, Held, Location, Object, Trace, WaitsFor};

use crate::render::lanes::{Standing, standings};
use crate::render::rows::{Length, Line, Row, Shows, TOOLS, of_tools, rows};
use crate::render::{FAINT, OPEN, STRONG, fit, paragraph, shares, styled};
use crate::repository::Repository;

/// Narrower columns can't hold a line of source; then there is one column.
const NARROWEST: usize = 22;
/// The step's mark and number.
const MARGIN: usize = 8;

/// Who held what and waited for what when the schedule ended: one sentence per thread.
pub fn ending(trace: &Trace, width: usize) -> String {
    let mut text = match &trace.given {
        Some(given) => paragraph(&format!("for {given}:"), 2, width),
        None => String::new(),
    };
    let rests = |waits_for: &WaitsFor| waits_for.operation == Did::Rest;
    for waiting in trace.waiting.iter().filter(|waiting| !waiting.waits_for.as_ref().is_some_and(rests)) {
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
pub fn how_often(trace: &Trace, coverage: Coverage) -> String {
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

/// The steps: time goes downwards, one column per thread, or one column where the terminal is too narrow for that. Of a long
/// schedule the first and the last steps are shown, unless `whole`.
pub fn table(trace: &Trace, sources: &mut Sources, width: usize, whole: bool) -> String {
    let rows = rows(trace, sources, if whole { Length::Whole } else { Length::AtMost(12, 24) });
    let standings = standings(trace);
    let room = width.saturating_sub(MARGIN + 2);
    let mut needs = self::needs(trace, &rows, &standings, in_one_line);
    if needs.iter().sum::<usize>() > room {
        needs = self::needs(trace, &rows, &standings, in_two_lines);
    }
    let widths = shares(&needs, room);
    let is_narrow = |(width, need): (&usize, &usize)| width < need && *width < NARROWEST;
    if widths.iter().zip(&needs).any(is_narrow) {
        one_column(trace, &rows, width)
    } else {
        columns(trace, &rows, &standings, &widths)
    }
}

/// The line of the source and how it went.
fn in_one_line(line: &Line) -> String {
    format!("{} {}", line.source(), effect(line)).trim_end().to_string()
}

/// The longer of the two, where each has a line of its own.
fn in_two_lines(line: &Line) -> String {
    let (source, effect) = (line.source(), format!("   {}", effect(line)));
    if effect.chars().count() > source.chars().count() { effect } else { source }
}

fn effect(line: &Line) -> String {
    line.effect(|told| &told.signs, " ")
}

/// The command that shows the schedule again. Where there is only one, it needs no name.
pub fn replay(kata: &str, test: &str, trace: &Trace) -> String {
    let schedule = if trace.schedule.is_empty() { String::new() } else { format!(" --schedule {}", trace.schedule) };
    format!("cargo xtask replay {kata} {test}{schedule}")
}

/// Where the objects of the table were made: a sentence a place.
pub fn origins(trace: &Trace, width: usize) -> String {
    // What the tools and the model make for themselves is nobody's lesson.
    let is_inside = |at: &Location| at.file.starts_with(TOOLS) || at.file.starts_with("tests/explored-std/");
    let of_tools = of_tools(trace);
    let mut places: BTreeMap<(&Location, bool), BTreeSet<usize>> = BTreeMap::new();
    for index in trace.steps.iter().filter(|step| !is_inside(&step.at)).filter_map(|step| step.object) {
        let object = &trace.objects[index];
        if !is_inside(&object.made_at) && !of_tools.contains(&index) {
            places.entry((&object.made_at, object.only_used)).or_default().insert(index);
        }
    }
    let sentence = |((place, only_used), objects): ((&Location, bool), BTreeSet<usize>)| {
        let were = if objects.len() == 1 { "was" } else { "were" };
        let made = if only_used { "first used" } else { "made" };
        let names = list(objects.into_iter().map(|object| trace.objects[object].name.clone()));
        format!("{names} {were} {made} at {place}")
    };
    let sentences: Vec<String> = places.into_iter().map(sentence).collect();
    if sentences.is_empty() { String::new() } else { paragraph(&format!("{}.", sentences.join("; ")), 2, width) }
}

/// `made at lib.rs:41`.
pub fn origin(object: &Object) -> String {
    format!("{} at {}", if object.only_used { "first used" } else { "made" }, object.made_at)
}

/// How every thread stands after a step.
type Standings = Vec<Standing>;

/// How wide each thread's column has to be, with a space behind it, so that nothing in it is cut.
fn needs(trace: &Trace, rows: &[Row], standings: &[Standings], told: fn(&Line) -> String) -> Vec<usize> {
    let mut needs: Vec<usize> = trace.threads.iter().map(|thread| thread.name.chars().count()).collect();
    for (row, line) in rows.iter().filter_map(|row| Some((row, row.line()?))) {
        for (thread, (need, standing)) in needs.iter_mut().zip(&standings[row.steps.end - 1]).enumerate() {
            let shown = if thread == line.thread { told(line) } else { stands(standing) };
            *need = shown.chars().count().max(*need);
        }
    }
    needs.into_iter().map(|need| need + 1).collect()
}

fn columns(trace: &Trace, rows: &[Row], standings: &[Standings], widths: &[usize]) -> String {
    let heads = trace.threads.iter().zip(widths).map(|(thread, width)| fit(&thread.name, width - 1) + " ");
    let mut text = format!("    step  {}\n", styled(STRONG, heads.collect::<String>().trim_end()));
    for row in rows {
        text += &match &row.shows {
            Shows::Remark(words) => remark(words),
            Shows::Line(line) => {
                let before = " ".repeat(widths[..line.thread].iter().sum());
                let cell = cell(line, widths[line.thread] - 1);
                let first = beside_the_others(line, &cell[0], &standings[row.steps.end - 1], widths);
                let more = cell[1..].iter().map(|line| format!("  {}{before}{line}\n", " ".repeat(MARGIN)));
                format!("  {}{first}\n", mark(row, line)) + &more.collect::<String>()
            }
        };
    }
    text
}

fn remark(words: &str) -> String {
    format!("  {}{}\n", " ".repeat(MARGIN), styled(FAINT, words))
}

/// The first line of a row: what its thread did, and in the other columns what each thread holds (`│`) and waits for (`⏸`).
fn beside_the_others(row: &Line, did: &str, standings: &[Standing], widths: &[usize]) -> String {
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
fn cell(row: &Line, columns: usize) -> Vec<String> {
    let line = in_one_line(row);
    if line.chars().count() <= columns {
        return vec![line];
    }
    let effect = effect(row);
    let effect =
        textwrap::wrap(&effect, textwrap::Options::new(columns).initial_indent("   ").subsequent_indent("   "));
    let effect = effect.into_iter().map(|line| line.into_owned());
    std::iter::once(fit(&row.source(), columns).trim_end().to_string()).chain(effect).collect()
}

fn one_column(trace: &Trace, rows: &[Row], width: usize) -> String {
    let longest = trace.threads.iter().map(|thread| thread.name.chars().count()).max().unwrap_or(0).min(16);
    let indent = " ".repeat(MARGIN + longest + 1);
    let mut text = String::new();
    for row in rows {
        text += &match &row.shows {
            Shows::Remark(words) => remark(words),
            Shows::Line(line) => {
                let name = fit(&trace.threads[line.thread].name, longest);
                let cell = cell(line, width.saturating_sub(MARGIN + longest + 3));
                let more = cell[1..].iter().map(|line| format!("  {indent}{line}\n")).collect::<String>();
                format!("  {}{} {}\n", mark(row, line), styled(FAINT, &name), cell[0]) + &more
            }
        };
    }
    text
}

/// The step's number; `↻` where a thread was stopped although it could have gone on.
fn mark(row: &Row, line: &Line) -> String {
    let mark = if line.stopped.is_some() { styled(OPEN, "↻") } else { " ".to_string() };
    format!("{mark}{:>5}  ", row.steps.start + 1)
}

/// A thread's name.
pub fn name(trace: &Trace, thread: usize) -> &str {
    trace.threads.get(thread).map_or("?", |thread| &thread.name)
}

/// What is held, and where it was taken.
pub fn held(trace: &Trace, held: &Held) -> String {
    format!("{} ({})", trace.objects[held.object].name, held.at)
}

/// `account#2 (lib.rs:15), held by bob→alice`, `alice→bob to finish`.
pub fn wait(trace: &Trace, wait: &WaitsFor) -> String {
    if let Some(note) = &wait.note {
        return format!("{note} ({})", wait.at);
    }
    let others = || list(wait.on.iter().map(|thread| name(trace, *thread).to_string()));
    match wait.object {
        None if wait.on.is_empty() => format!("`{}` ({})", wait.operation, wait.at),
        None => format!("{} to finish ({})", others(), wait.at),
        Some(object) => {
            let of = awaited(&wait.operation, &trace.objects[object].name);
            match &wait.on[..] {
                [] => format!("{of} ({})", wait.at),
                _ => format!("{of} ({}), held by {}", wait.at, others()),
            }
        }
    }
}

/// What a thread waits for that does this to an object.
pub(crate) fn awaited(operation: &Did, object: &str) -> String {
    match operation {
        Did::Wait | Did::WaitTimeout => format!("a notification of {object}"),
        Did::Send => format!("room in {object}"),
        Did::Recv | Did::RecvTimeout => format!("a message from {object}"),
        _ => object.to_string(),
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
pub struct Sources<'a> {
    /// Where files are read; nothing where all lines that may be shown are given.
    repository: Option<&'a Repository>,
    files: BTreeMap<String, Vec<String>>,
}

impl<'a> Sources<'a> {
    /// No file is read yet.
    pub fn new(repository: &'a Repository) -> Sources<'a> {
        Sources { repository: Some(repository), files: BTreeMap::new() }
    }

    /// Only these lines: nothing is read. A record from another machine may name any file.
    pub fn given(files: BTreeMap<String, Vec<String>>) -> Sources<'static> {
        Sources { repository: None, files }
    }

    /// A whole file; empty if it can't be read.
    pub fn text(&self, file: &str) -> String {
        self.repository.and_then(|repository| fs::read_to_string(repository.root().join(file)).ok()).unwrap_or_default()
    }

    /// The line at a location, without its indent; the operation's name where there is no source.
    pub fn line(&mut self, at: &Location, operation: &str) -> String {
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
    use verdict::{Effect, Missed};

    use super::*;
    use crate::render::rows::told;
    use crate::render::sample::abba;

    fn drawn(trace: &Trace, width: usize, whole: bool) -> String {
        let nowhere = Repository::at(std::path::Path::new("/nowhere"));
        anstream::adapter::strip_str(&table(trace, &mut Sources::new(&nowhere), width, whole)).to_string()
    }

    #[test]
    fn an_old_value_is_told_with_the_newer_one() {
        let mut trace = abba();
        trace.steps[3].operation = Did::Load;
        trace.steps[3].effect = Effect::Done;
        trace.steps[3].value = Some("0".to_string());
        trace.steps[3].missed =
            Some(Missed { by: 0, value: "1".to_string(), step: Some(1), ordering: "Relaxed".to_string() });
        insta::assert_snapshot!(told(&trace, &trace.steps[3]).signs, @"account#1 reads 0, though main had stored 1 at step 2: nothing orders the two (Relaxed)");
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
    fn who_waits_says_for_what() {
        let waits = ["lock", "poll", "wait", "send", "recv"].map(|operation| awaited(&Did::from(operation), "it"));
        let said = ["it", "it", "a notification of it", "room in it", "a message from it"];
        assert_eq!(waits, said);
    }

    #[test]
    fn objects_are_told_by_where_they_were_made() {
        assert_eq!(origins(&abba(), 80), "  account#1 and account#2 were made at bank.rs:3.\n");
    }

    #[test]
    fn each_thread_has_a_column_and_the_switch_is_marked() {
        insta::assert_snapshot!(drawn(&abba(), 80, false), @r"
            step  main                        back
               1  bank.rs:9 spawn starts back
               2  bank.rs:14 lock ✔ account#1
          ↻    3  │ account#1                 bank.rs:14 lock ✔ account#2
               4  │ account#1                 bank.rs:15 lock ⏸ account#1
               5  bank.rs:15 lock ⏸ account#2 │ account#2 ⏸ account#1
        ");
    }

    #[test]
    fn a_narrow_terminal_gets_one_column() {
        insta::assert_snapshot!(drawn(&abba(), 44, false), @r"
               1  main bank.rs:9 spawn starts back
               2  main bank.rs:14 lock ✔ account#1
          ↻    3  back bank.rs:14 lock ✔ account#2
               4  back bank.rs:15 lock ⏸ account#1
               5  main bank.rs:15 lock ⏸ account#2
        ");
    }

    #[test]
    fn what_a_thread_repeats_is_told_once_unless_it_is_replayed() {
        let mut spins = abba();
        let (lock, unlock) =
            (spins.steps[1].clone(), verdict::Step { operation: Did::Unlock, ..spins.steps[1].clone() });
        let elsewhere = |step: &verdict::Step, value: u32| verdict::Step {
            at: Location { line: 20, ..step.at.clone() },
            value: Some(value.to_string()),
            ..step.clone()
        };
        let round = |n| [lock.clone(), unlock.clone(), lock.clone(), unlock.clone(), elsewhere(&lock, n)];
        spins.steps = (0..1_500).flat_map(round).chain((0..1_000).map(|n| elsewhere(&lock, n))).collect();
        insta::assert_snapshot!(drawn(&spins, 80, false), @r"
            step  main                                                    back
               1  bank.rs:14 lock ✔ account#1, freed ✔ account#1, freed
               5  bank.rs:20 lock ✔ account#1 = 0
                  … these 2 rows 1,498 times more …
            7496  bank.rs:14 lock ✔ account#1, freed ✔ account#1, freed
            7500  bank.rs:20 lock
                     ✔ account#1 = 1499 … ✔ account#1 = 999 (1,001 times)
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
        let unlock = verdict::Step { operation: Did::Unlock, ..trace.steps[1].clone() };
        let inside = Location { file: "tests/support/src/gate.rs".to_string(), line: 1, column: 1 };
        trace.steps =
            vec![trace.steps[1].clone(), unlock.clone(), verdict::Step { at: inside, object: Some(1), ..unlock }];
        let drawn = drawn(&trace, 80, false);
        assert!(drawn.contains("14 lock ✔ account#1, freed\n"), "{drawn}");
        assert!(!drawn.contains("gate.rs"), "{drawn}");
    }
}
