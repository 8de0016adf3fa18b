//! Tells what is wrong with a history: the program as a table, what happened, and what the contract allows.

use std::time::Duration;

use super::erased::Subject;
use super::history::{Missing, Violation};
use super::program::Program;
use super::table::{Seen, Table};
use super::{PANICS, PANICS_ON_PURPOSE};

/// The answer of a call that gives none.
const NO_ANSWER: &str = "()";

/// The whole story. Its first line says it all.
pub(super) fn tell(
    subject: &dyn Subject,
    program: &Program,
    begins: &[Duration],
    violation: &Violation,
    table: &mut Table,
) -> String {
    let headline = headline(subject, program, violation, table);
    format!("{headline}\n\n{}", picture(subject, program, begins, violation, table))
}

/// The name of a thread of a scenario: A, B, C.
pub(super) fn thread_name(thread: usize) -> String {
    char::from(b'A' + thread as u8).to_string()
}

fn headline(subject: &dyn Subject, program: &Program, violation: &Violation, table: &mut Table) -> String {
    let calls = program.calls();
    let name = |call: usize| subject.name(calls[call].call, calls[call].id);
    match violation.seen {
        Seen::Returns(call, answer) => {
            let (answers, waits) = violation.allowed(call, table);
            let answers = answers.iter().map(|answer| match &**answer {
                NO_ANSWER => "to return",
                PANICS => "to panic",
                PANICS_ON_PURPOSE => "the panic that was made here",
                answer => answer,
            });
            let allowed: Vec<&str> = answers.chain(waits.then_some("to wait")).collect();
            let allowed = if allowed.is_empty() { "nothing of this now".to_owned() } else { allowed.join(", or ") };
            let does = match &*table.answer_text(answer) {
                NO_ANSWER => "returns".to_owned(),
                panic @ (PANICS | PANICS_ON_PURPOSE) => panic.to_owned(),
                answer => format!("answers {answer}"),
            };
            let now = table.moment(violation.now);
            let after = if now.is_zero() { String::new() } else { format!(" after {now:?}") };
            format!("{} {does}{after}; the contract allows: {allowed}", name(call))
        }
        Seen::Notes(what, id) => format!("{}: the contract does not allow this now", noted(what, id)),
        Seen::Begins(call) => format!("{} begins, which the contract does not allow", name(call)),
        Seen::StandsStill => {
            let Missing { calls, why, notes } = violation.missing(table);
            let names: Vec<String> = calls.iter().map(|&call| name(call)).collect();
            let notes: Vec<String> = notes.iter().map(|&(what, id)| noted(what, id)).collect();
            let (who, otherwise) = match names.len() {
                0 if notes.is_empty() => {
                    ("everything waits".to_owned(), "the contract wants something to happen".into())
                }
                0 => ("everything waits".to_owned(), format!("the contract wants: {}", notes.join(", "))),
                1 => (format!("{} waits", names[0]), "the contract lets it go on".to_owned()),
                _ => (format!("{} wait", names.join(" and ")), "the contract lets one of them go on".to_owned()),
            };
            format!("{who}, though {}", why.unwrap_or(&otherwise))
        }
    }
}

/// The program as it went, and what was noted.
fn picture(
    subject: &dyn Subject,
    program: &Program,
    begins: &[Duration],
    violation: &Violation,
    table: &Table,
) -> String {
    let seen: Vec<Seen> = violation.before.iter().copied().chain([violation.seen]).collect();
    let mut text = columns(subject, program, begins, |call, name| {
        let answer = seen.iter().find_map(|seen| match seen {
            Seen::Returns(returned, answer) if *returned == call => Some(table.answer_text(*answer)),
            _ => None,
        });
        match answer.as_deref() {
            Some(NO_ANSWER) => name,
            Some(answer) => format!("{name} → {answer}"),
            None if seen.contains(&Seen::Begins(call)) => format!("{name} …"),
            None => format!("({name})"),
        }
    });
    let notes: Vec<String> = seen
        .iter()
        .filter_map(|seen| match seen {
            Seen::Notes(what, id) => Some(noted(what, *id)),
            _ => None,
        })
        .collect();
    if !notes.is_empty() {
        text += &format!("\n  in this order: {}", notes.join(", "));
    }
    text
}

/// A failure of another kind, with the program after its first line.
pub(super) fn with_program(subject: &dyn Subject, program: &Program, begins: &[Duration], message: &str) -> String {
    if message.contains(subject.setups()[program.setup]) {
        return message.to_owned();
    }
    let (first, rest) = message.split_once('\n').unwrap_or((message, ""));
    format!("{first}\n\n{}\n{rest}", columns(subject, program, begins, |_, name| name))
}

/// The setup, and a column of calls for each thread. What stands there says `cell`, of the call's number and name.
fn columns(
    subject: &dyn Subject,
    program: &Program,
    begins: &[Duration],
    cell: impl Fn(usize, String) -> String,
) -> String {
    let title = |(thread, begins): (usize, &Duration)| match begins.is_zero() {
        true => thread_name(thread),
        false => format!("{}, after {begins:?}", thread_name(thread)),
    };
    let mut columns: Vec<Vec<String>> = begins.iter().enumerate().map(|begin| vec![title(begin)]).collect();
    for (number, placed) in program.calls().into_iter().enumerate() {
        columns[placed.thread].push(cell(number, subject.name(placed.call, placed.id)));
    }
    let width = |column: &Vec<String>| column.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
    let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
    let mut text = format!("  {}", subject.setups()[program.setup]);
    for row in 0..rows {
        let line: String = columns
            .iter()
            .map(|column| {
                let cell = column.get(row).map_or("", String::as_str);
                format!("{cell}{}   ", " ".repeat(width(column) - cell.chars().count()))
            })
            .collect();
        text += &format!("\n    {}", line.trim_end());
    }
    text
}

/// What was noted: the number stands in the place of `{}`, or at the end.
pub(super) fn noted(what: &str, id: usize) -> String {
    if what.contains("{}") { what.replace("{}", &id.to_string()) } else { format!("{what} {id}") }
}
