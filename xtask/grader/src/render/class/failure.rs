//! A failed test in a page: what happened in words, the schedule as a picture and as a table, what the code printed.

use std::collections::BTreeMap;

use verdict::{Kind, TestVerdict, Trace};

use crate::render::class::text;
use crate::render::class::text::html;
use crate::render::lanes::lanes;
use crate::render::rows::{self, Length};
use crate::render::schedule::{self, Sources};
use crate::render::svg;

/// Steps that a picture has room for. Longer ones nobody follows, and `replay` shows them.
const DRAWN_STEPS: usize = 120;
/// Lanes that a picture has room for.
const DRAWN_THREADS: usize = 10;
/// Steps shown of the beginning of a longer schedule, and of its end.
const FIRST: usize = 12;
const LAST: usize = 36;
/// Bytes of a message and of an output.
const TEXT: usize = 4096;
/// Columns for sentences that a browser wraps.
const WIDE: usize = 10_000;
/// Lines of source by file, as schedules name it, and number, counted from 1.
pub(crate) type Lines = BTreeMap<String, BTreeMap<u32, String>>;

/// No source of a submission has more lines.
const LAST_LINE: u32 = 20_000;

/// Whom a page is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Sees everything.
    Instructor,
    /// Sees nothing of the machine.
    Learner,
}

impl Reader {
    /// Text of a message or an output, as this reader may see it, as HTML takes it.
    pub(crate) fn html(self, text: &str) -> String {
        match self {
            Reader::Instructor => html(text),
            Reader::Learner => html(&text::for_learners(text)),
        }
    }
}

/// What happened, in words: the message, or who waits for whom at length, and what was printed.
pub(crate) fn words(test: &TestVerdict, reader: Reader) -> String {
    let message = test.message.trim_end();
    let stuck = sound(test).filter(|_| matches!(test.kind, Some(Kind::Deadlock | Kind::LostWakeup)));
    let ending = stuck.map_or_else(String::new, |trace| schedule::ending(trace, WIDE));
    let mut page = String::new();
    let rest = if ending.is_empty() {
        message
    } else {
        let items = ending.lines().map(|line| format!("<li>{}</li>", html(line.trim())));
        page += &format!("<ul>{}</ul>\n", items.collect::<String>());
        // The message's first line says the same in one sentence.
        message.split_once('\n').map_or("", |(_, rest)| rest)
    };
    if !rest.is_empty() {
        page += &format!("<p class=\"message\">{}</p>\n", reader.html(&text::cut(rest, TEXT)));
    }
    if !test.output.trim().is_empty() {
        let output = reader.html(&text::cut(test.output.trim_end(), TEXT));
        page += &format!("<details><summary>What it printed</summary><pre tabindex=\"0\">{output}</pre></details>\n");
    }
    page
}

/// The failing schedule: picture, table, and how to replay it. Nothing if the test has none.
pub(crate) fn pictures(kata: &str, test: &TestVerdict, lines: &Lines) -> String {
    let Some(trace) = sound(test) else { return String::new() };
    let mut page = String::new();
    if trace.steps.len() <= DRAWN_STEPS && trace.threads.len() <= DRAWN_THREADS {
        page += &format!("<div class=\"picture\" tabindex=\"0\">{}</div>\n", picture(trace, lines, &title(test)));
    }
    page += &steps(trace, lines);
    let origins = schedule::origins(trace, WIDE);
    if !origins.trim().is_empty() {
        page += &format!("<p>{}</p>\n", html(origins.trim()));
    }
    let replay = schedule::replay(kata, &test.name, trace);
    page + &format!("<p>Replay it: <code>{}</code></p>\n", html(&text::line(&replay)))
}

fn title(test: &TestVerdict) -> String {
    format!("{} — {}", text::line(&test.name), test.kind.map_or("failed", Kind::name))
}

/// The schedule, if every number in it names something: one broken record must not keep a class from its reports.
fn sound(test: &TestVerdict) -> Option<&Trace> {
    let trace = test.trace.as_ref()?;
    let (threads, objects) = (trace.threads.len(), trace.objects.len());
    let steps = trace.steps.iter().all(|step| {
        let named = step.object.iter().chain(&step.holds).all(|object| *object < objects);
        named && step.thread < threads && step.other.is_none_or(|other| other < threads)
    });
    let waiting = trace.waiting.iter().all(|waiting| {
        let held = waiting.holds.iter().all(|held| held.object < objects);
        let wanted = waiting.waits_for.as_ref().is_none_or(|wanted| wanted.object.is_none_or(|one| one < objects));
        held && wanted && waiting.thread < threads
    });
    (steps && waiting && !trace.steps.is_empty()).then_some(trace)
}

/// The picture, without the style and the patterns, which a page has once, and without numbers for a script, which here would not
/// be unique.
fn picture(trace: &Trace, lines: &Lines, title: &str) -> String {
    let mut lanes = lanes(trace, &mut sources(lines), Length::AtMost(FIRST, LAST));
    for moment in &mut lanes.moments {
        moment.source = text::line(&moment.source);
        moment.effect = text::line(&moment.effect);
        moment.place = text::line(&moment.place);
        moment.stopped = moment.stopped.as_deref().map(text::line);
    }
    lanes.threads.iter_mut().for_each(|name| *name = text::line(name));
    for lock in &mut lanes.locks {
        (lock.name, lock.origin) = (text::line(&lock.name), text::line(&lock.origin));
    }
    lanes.waits.iter_mut().for_each(|wait| wait.sentence = text::line(&wait.sentence));
    svg::embedded(&lanes, title, false)
}

/// What all pictures of a page share: their style, and an invisible picture with the patterns that they are drawn with.
pub(crate) fn shared() -> (String, String) {
    let patterns = format!("<svg class=\"patterns\" width=\"0\" height=\"0\" aria-hidden=\"true\">{}</svg>", svg::DEFS);
    (svg::STYLE.to_string(), patterns)
}

/// The steps as a table: time goes downwards.
fn steps(trace: &Trace, lines: &Lines) -> String {
    let mut sources = sources(lines);
    let all = trace.steps.len();
    let left_out = if all > FIRST + LAST + 1 { FIRST..all - LAST } else { 0..0 };
    let mut rows = String::new();
    for (number, step) in trace.steps.iter().enumerate() {
        if left_out.contains(&number) {
            if number == left_out.start {
                rows += &format!(
                    "<tr><td colspan=\"5\">… {} steps are left out; replay shows them …</td></tr>\n",
                    left_out.len()
                );
            }
            continue;
        }
        let source = rows::note_of_last(trace, number)
            .map_or_else(|| sources.line(&step.at, step.operation.name()), |note| format!("waits at {note}"));
        let mark = if step.preemption { "↻ " } else { "" };
        rows += &format!(
            "<tr><th scope=\"row\">{mark}{}</th><td>{}</td><td>{}</td><td><code>{}</code></td><td>{}</td></tr>\n",
            number + 1,
            html(&trace.threads[step.thread].name),
            html(&step.at.to_string()),
            html(&source),
            html(&rows::told(trace, step).words),
        );
    }
    let heads =
        ["step", "thread", "at", "source", "effect"].map(|head| format!("<th scope=\"col\">{head}</th>")).concat();
    format!(
        "<details class=\"steps\"><summary>The {all} steps as a table (↻ where another thread could have gone on)</summary>\n<table><thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody></table></details>\n"
    )
}

/// The quoted lines by number. Nothing is read from this machine: a record may name any file.
fn sources(lines: &Lines) -> Sources<'static> {
    let mut files = BTreeMap::new();
    for (file, quoted) in lines {
        let mut all = Vec::new();
        for (number, line) in quoted.range(1..=LAST_LINE) {
            all.resize(*number as usize, String::new());
            all[*number as usize - 1] = text::cut_line(line);
        }
        files.insert(file.clone(), all);
    }
    Sources::given(files)
}
