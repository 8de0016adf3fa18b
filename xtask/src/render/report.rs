//! The report of `check`: one line per test, the first failure whole, the next step.

use pipeline::repository::Repository;
use pipeline::subject::catalog::Kata;
use verdict::{Diagnostic, KataVerdict, Kind, Mode, SubjectVerdict, TestVerdict, Verdict};

use crate::render::schedule::Sources;
use crate::render::{BAD, FAINT, GOOD, OPEN, STRONG, fit, paragraph, schedule, styled, width};

/// Whom the report is for, and where the sources are that it quotes.
pub(crate) struct Audience<'a> {
    /// What commands about the same answer need: nothing if it is the learner's own, and then the next step is said.
    pub(crate) whose: String,
    /// Where shown paths are found.
    pub(crate) sources: &'a Repository,
    /// Whether every failed test is told at length, and not only the first.
    pub(crate) all: bool,
    /// The one test that was run, if it was one.
    pub(crate) test: Option<&'a str>,
}

/// The report on one subject.
pub(crate) fn verdict(verdict: &KataVerdict, kata: &Kata, audience: &Audience) -> String {
    let mut text = format!("{} · {} · {}\n\n", styled(STRONG, &kata.name), kata.about.title, verdict.subject);
    text += &diagnostics(verdict);
    text += &lines(verdict, kata, audience);
    let failed: Vec<&TestVerdict> = verdict.tests.iter().filter(|test| is_worth_telling(test)).collect();
    let told = if audience.all { failed.len() } else { 1 };
    for test in failed.iter().take(told) {
        text.push('\n');
        text += &failure(&kata.name, test, audience, false);
    }
    if failed.len() > told {
        let more = failed.len() - told;
        let them = if more == 1 { "1 more test fails".to_string() } else { format!("{more} more tests fail") };
        text += &format!("\n  {}\n", styled(FAINT, &format!("{them}; --all explains every one")));
    }
    text.push('\n');
    text += &closing(verdict, kata, audience);
    text
}

/// One line a kata, after the reports on several.
pub(crate) fn summary(verdicts: &[KataVerdict]) -> String {
    let mut text = String::new();
    for verdict in verdicts {
        let (mark, style) = mark_of(verdict.verdict);
        let points = format!("{}/{}", verdict.score, verdict.max_score);
        text += &format!("{} {:<11} {:<14} {points:>7}\n", styled(style, mark), verdict.kata, verdict.verdict);
    }
    let passed = verdicts.iter().filter(|verdict| verdict.verdict == SubjectVerdict::Passed).count();
    text + &format!("{passed} of {} katas pass\n", verdicts.len())
}

/// A replayed schedule.
pub(crate) fn replayed(verdict: &KataVerdict, kata: &Kata, audience: &Audience) -> String {
    let Some(test) = verdict.tests.first() else {
        let objections = diagnostics(verdict);
        return if objections.is_empty() { "The test does not run on schedules.\n".to_string() } else { objections };
    };
    if test.verdict == Verdict::Failed {
        return failure(&kata.name, test, audience, true);
    }
    let mut text = format!("{}: {}  {}\n\n", kata.name, test.name, styled(GOOD, "✔ passes on this schedule"));
    text += &match &test.trace {
        Some(trace) => schedule::table(trace, &mut Sources::new(audience.sources), width(), true),
        None => "The schedule left no trace.\n".to_string(),
    };
    text
}

fn mark_of(verdict: SubjectVerdict) -> (&'static str, anstyle::Style) {
    match verdict {
        SubjectVerdict::Passed => ("✔", GOOD),
        SubjectVerdict::Unsolved | SubjectVerdict::Missing => ("·", OPEN),
        _ => ("✗", BAD),
    }
}

/// A line for each test that was asked for: its mark, its name, and what was run or what went wrong.
fn lines(verdict: &KataVerdict, kata: &Kata, audience: &Audience) -> String {
    let rows: Vec<(&str, anstyle::Style, &str, String)> = kata
        .tests
        .iter()
        .filter(|name| audience.test.is_none_or(|test| test == name.as_str()))
        .filter_map(|name| {
            let entries: Vec<&TestVerdict> = verdict.tests.iter().filter(|test| test.name == *name).collect();
            let failed = entries.iter().find(|test| test.verdict == Verdict::Failed);
            match failed.and_then(|test| test.kind) {
                // An exploration says more than that threads agreed, so the first entry speaks for both.
                None if entries.is_empty() && !verdict.tests.is_empty() => {
                    Some(("–", OPEN, name.as_str(), "not run: it needs schedules".to_string()))
                }
                None => entries.first().map(|test| ("✔", GOOD, name.as_str(), how(test))),
                Some(Kind::Unsolved) => Some(("·", OPEN, name.as_str(), "unsolved".to_string())),
                Some(kind) => Some(("✗", BAD, name.as_str(), kind.to_string())),
            }
        })
        .collect();
    let longest = |of: fn(&(&str, anstyle::Style, &str, String)) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let (names, hows) = (longest(|row| row.2.chars().count()), longest(|row| row.3.chars().count()));
    let room = names.min(width().saturating_sub(6 + hows));
    let mut text = String::new();
    for (mark, style, name, how) in rows {
        let shown = if style == GOOD { FAINT } else { style };
        text += &format!("  {} {}  {}\n", styled(style, mark), fit(name, room), styled(shown, &how));
    }
    text
}

/// What a test that passed was run on.
pub(crate) fn how(test: &TestVerdict) -> String {
    match (test.mode, test.coverage) {
        (Mode::Threads, None) => "threads".to_string(),
        (Mode::Threads, Some(_)) => "threads only, not proven".to_string(),
        (Mode::Schedules, None) => "schedules".to_string(),
        (Mode::Schedules, Some(coverage)) if coverage.complete => coverage.to_string(),
        (Mode::Schedules, Some(coverage)) => {
            // The whole sentence does not fit a line; `--json` has it.
            let many = match coverage.scenarios {
                Some(scenarios) => format!("{} scenarios", scenarios.tried),
                None => format!("{} schedules", coverage.schedules),
            };
            if coverage.is_in_doubt() { format!("{many}, not proven") } else { many }
        }
    }
}

/// `unsolved` needs no more than its line; the closing says where to begin.
pub(crate) fn is_worth_telling(test: &TestVerdict) -> bool {
    test.verdict == Verdict::Failed && test.kind != Some(Kind::Unsolved)
}

/// A failed test: its name, and why it failed.
fn failure(kata: &str, test: &TestVerdict, audience: &Audience, whole: bool) -> String {
    let kind = test.kind.map_or_else(String::new, |kind| kind.to_string());
    let how = if test.mode == Mode::Threads { " (on threads)" } else { "" };
    let head = format!("{kata}: {}  {}{how}\n", styled(STRONG, &test.name), styled(BAD, &format!("✗ {kind}")));
    head + &explanation(kata, test, &audience.whose, &mut Sources::new(audience.sources), width(), whole)
}

/// Why a test failed: what happened, the schedule, what the code printed.
pub(crate) fn explanation(
    kata: &str,
    test: &TestVerdict,
    whose: &str,
    sources: &mut Sources,
    width: usize,
    whole: bool,
) -> String {
    let mut text = String::new();
    match (&test.trace, test.coverage) {
        // Who waits for whom is told at length; the message says the same in one line.
        (Some(trace), coverage) if is_stuck(test) && coverage.is_none_or(|coverage| coverage.scenarios.is_none()) => {
            text += &schedule::ending(trace, width);
            if let Some(coverage) = coverage {
                text += &paragraph(&schedule::how_often(trace, coverage), 2, width);
            }
        }
        _ => text += &paragraph(&test.message, 2, width),
    }
    if let Some(trace) = &test.trace {
        text.push('\n');
        text += &schedule::table(trace, sources, width, whole);
        let origins = schedule::origins(trace, width);
        if !origins.is_empty() {
            text += &format!("\n{origins}");
        }
        text += &format!("\n  replay: {}{}\n", schedule::replay(kata, &test.name, trace), whose);
    }
    if !test.output.is_empty() {
        text += &format!("\n  {}\n", styled(FAINT, "it printed:"));
        text += &last_lines(&test.output, 20).iter().map(|line| format!("  │ {}\n", visible(line))).collect::<String>();
    }
    text
}

/// Whether threads were left waiting.
fn is_stuck(test: &TestVerdict) -> bool {
    matches!(test.kind, Some(Kind::Deadlock | Kind::LostWakeup))
}

/// What the compiler or the kata's rules object to, the first few.
pub(crate) fn diagnostics(verdict: &KataVerdict) -> String {
    const MOST: usize = 5;
    let errors: Vec<&Diagnostic> = verdict.diagnostics.iter().filter(|one| one.level != "warning").collect();
    // Warnings matter when nothing worse does.
    let shown = if errors.is_empty() { verdict.diagnostics.iter().collect() } else { errors };
    let mut text = String::new();
    for one in shown.iter().take(MOST) {
        text += &one.rendered.trim_end().lines().map(|line| format!("  {}\n", visible(line))).collect::<String>();
        text.push('\n');
    }
    if shown.len() > MOST {
        text += &format!("  … and {} more like these\n\n", shown.len() - MOST);
    }
    text
}

/// The counts, and the next step for the learner.
fn closing(verdict: &KataVerdict, kata: &Kata, audience: &Audience) -> String {
    let name = &kata.name;
    let file = format!("{}/src/lib.rs", verdict.subject);
    let score = format!("{} of {} points", verdict.score, verdict.max_score);
    let (sentence, next) = match verdict.verdict {
        SubjectVerdict::Passed if audience.test.is_some() => {
            (styled(GOOD, "This test passes."), format!("All of them: cargo xtask check {name}"))
        }
        SubjectVerdict::Passed if verdict.score < verdict.max_score => (
            styled(OPEN, &format!("Passes on threads: {score}.")),
            "Next: what is named above is not modelled. Use something else for it, and the tests run on schedules, too.".to_string(),
        ),
        SubjectVerdict::Passed => {
            (styled(GOOD, &format!("Solved: {score}.")), "Next: `cargo xtask` shows the course map.".to_string())
        }
        SubjectVerdict::Unsolved => {
            let first = verdict.tests.iter().find(|test| test.kind == Some(Kind::Unsolved));
            let place = first.and_then(|test| Some((test, test.message.lines().next()?.rsplit_once('(')?.1)));
            let place = place.map_or(String::new(), |(test, at)| {
                format!("`{}` reached a todo!() at {}.\n", test.name, at.trim_end_matches(')'))
            });
            (
                styled(OPEN, &format!("Unsolved so far: {score}.")),
                format!("{place}Next: fill in {file}. The lesson: cargo xtask explain {name}"),
            )
        }
        SubjectVerdict::Failed => (
            styled(BAD, &format!("Not yet: {score}.")),
            format!("Next: fix {file} and check again. A hint: cargo xtask hint {name}"),
        ),
        SubjectVerdict::CompileError => (
            styled(BAD, "It does not compile."),
            format!(
                "Next: fix the first error above. If it is a signature that you changed: cargo xtask explain {name}"
            ),
        ),
        SubjectVerdict::Rejected => (
            styled(BAD, "It breaks a rule of this kata."),
            format!("Next: solve it without that. The lesson says what to use: cargo xtask explain {name}"),
        ),
        SubjectVerdict::Missing => (styled(OPEN, "There is nothing to judge."), String::new()),
        SubjectVerdict::GraderError => (
            styled(BAD, "The grader could not judge this; it is not your fault."),
            "Next: run the command again; if it stays, report it with the output of `--json`.".to_string(),
        ),
    };
    if audience.whose.is_empty() {
        format!("{sentence}\n{}", paragraph(&next, 0, width()))
    } else {
        format!("{sentence}\n")
    }
}

fn last_lines(text: &str, most: usize) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(most)..].to_vec()
}

/// Text of the learner's: control characters must not steer the terminal.
fn visible(line: &str) -> String {
    line.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
}
