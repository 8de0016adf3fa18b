//! `report.html`: the instructor's page. First what needs a person, then the class at a glance, then every answer.

use std::collections::BTreeMap;

use verdict::{Assignment, Kind, SubjectVerdict};

use crate::class::gradebook::{Cell, Gradebook, Row};
use crate::class::{LEARNERS, safe_name};
use crate::render::class::failure::{Reader, pictures};
use crate::render::class::text::html;
use crate::render::class::{answer, count, frame, late, objections, shown, text};

/// Bytes of schedules in the page. Beyond, a schedule is only in its learner's own report, to which the page links.
const PICTURES: usize = 10_000_000;
/// Mistakes that are listed.
const MISTAKES: usize = 12;

/// Renders it.
pub(crate) fn render(gradebook: &Gradebook) -> String {
    render_with_room(gradebook, PICTURES)
}

/// Renders it with so many bytes of schedules.
pub(crate) fn render_with_room(gradebook: &Gradebook, room: usize) -> String {
    let title = text::line(&gradebook.inputs.title);
    let mut body = format!("<header><h1>{}</h1>\n{}</header>\n<main>\n", html(&title), about(gradebook));
    body += &needs_you(gradebook);
    body += &mistakes(gradebook);
    body += &glance(gradebook);
    body += &katas(gradebook);
    body += "<section><h2>Answers</h2>\n";
    let mut album = Album { shown: BTreeMap::new(), room };
    for (number, row) in here(gradebook) {
        body += &learner(gradebook, number, row, &mut album);
    }
    body += "</section>\n</main>\n";
    frame::page(&title, &body)
}

/// The learners that are graded here, with their numbers in the class.
fn here(gradebook: &Gradebook) -> impl Iterator<Item = (usize, &Row)> {
    gradebook.rows.iter().enumerate().filter(|(_, row)| row.is_here())
}

/// What is graded, by what, and on which machine.
fn about(gradebook: &Gradebook) -> String {
    let inputs = &gradebook.inputs;
    let graded = here(gradebook).count();
    let mut text = format!("<p>{} on {}.", count(graded, "learner"), count(inputs.assignments.len(), "kata"));
    if let Some(shard) = inputs.shard {
        let elsewhere = gradebook.rows.len() - graded;
        text +=
            &format!(" This is part {} of {}: {elsewhere} of the class are graded elsewhere.", shard.number, shard.of);
    }
    if let Some(deadline) = &inputs.deadline {
        text += &format!(" Due {}.", html(&text::line(deadline)));
    }
    let weight = |assignment: &Assignment| format!("{} {}", html(&assignment.kata), assignment.weight);
    let weights: Vec<String> = inputs.assignments.iter().map(weight).collect();
    text += &format!(" Weights: {}.", weights.join(", "));
    let tier = serde_json::to_value(inputs.isolation.tier).ok();
    let tier = tier.as_ref().and_then(|tier| tier.as_str()).unwrap_or_default();
    text += &format!("</p>\n<p><small>{}. Isolation: {tier}.", html(&text::line(&inputs.toolchain)));
    if !inputs.inspection {
        text += " The katas' rules were not applied.";
    }
    let lacks: Vec<String> = inputs.isolation.lacks.iter().map(|lack| html(&text::line(lack))).collect();
    if !lacks.is_empty() {
        text += &format!(" Not available there: {}.", lacks.join("; "));
    }
    text + "</small></p>\n"
}

/// What only a person can settle: the grader's faults, forged verdicts, those who have handed in or solved nothing.
fn needs_you(gradebook: &Gradebook) -> String {
    let mut faults = Vec::new();
    let (mut forged, mut doubtful) = (Vec::new(), Vec::new());
    for (number, row) in here(gradebook) {
        for (column, cell) in row.cells.iter().enumerate() {
            let link = format!(
                "{}, {}",
                to_answer(number, column, &row.learner.name),
                html(&gradebook.inputs.assignments[column].kata)
            );
            if let (Some(SubjectVerdict::GraderError), Some(graded)) = (cell.verdict(), &cell.graded) {
                let why = objections(&graded.verdict.diagnostics);
                faults.push(format!("{link}: {}", html(&text::line(&text::cut(&why, 200)))));
            }
            if cell.failures().any(|test| test.kind == Some(Kind::Tampered)) {
                forged.push(link);
            } else if cell.verdict() == Some(SubjectVerdict::Passed) && cell.in_doubt() > 0 {
                doubtful.push(format!("{link}: {}", format_args!("{} not proven", count(cell.in_doubt(), "test"))));
            }
        }
    }
    let names = |wanted: &dyn Fn(&Row) -> bool| -> Vec<String> {
        here(gradebook)
            .filter(|(_, row)| wanted(row))
            .map(|(number, row)| to_learner(number, &row.learner.name))
            .collect()
    };
    let absent =
        |row: &Row| row.cells.iter().all(|cell| matches!(cell.verdict(), None | Some(SubjectVerdict::Missing)));
    let lost = |row: &Row| {
        let judged = row.cells.iter().all(|cell| cell.score().is_some());
        judged && row.passed() == 0 && !absent(row)
    };
    let lists = [
        ("fault", "The grader failed here. There is no score and no grade; run the command again.", faults),
        (
            "bad",
            "Tampered: the test process exited successfully without finishing its test. Look at these yourself.",
            forged,
        ),
        (
            "open",
            "Passed without a proof: their code has more schedules than the budget allows for, or uses what is not modelled. Look at \
                  these; with a higher `--schedules` or with `--deep` more is tried.",
            doubtful,
        ),
        ("bad names", "Handed in, and no kata passes.", names(&lost)),
        ("open names", "Nothing handed in.", names(&absent)),
    ];
    let lists: String = lists.into_iter().map(|(class, what, items)| list(class, what, &items)).collect();
    let lists = if lists.is_empty() { "<p>Nothing.</p>\n".to_string() } else { lists };
    format!("<section><h2>What needs you</h2>\n{lists}</section>\n")
}

/// Items on lines of their own, open unless they would push everything else off the screen.
fn list(class: &str, what: &str, items: &[String]) -> String {
    const OPEN: usize = 12;
    if items.is_empty() {
        return String::new();
    }
    let listed: String = items.iter().map(|item| format!("<li>{item}</li>\n")).collect();
    let open = if items.len() <= OPEN { " open" } else { "" };
    format!(
        "<details class=\"{class}\"{open}><summary><b>{}</b> {what}</summary><ul>\n{listed}</ul></details>\n",
        items.len()
    )
}

/// What to speak about in class.
fn mistakes(gradebook: &Gradebook) -> String {
    let mistakes = gradebook.shared_mistakes();
    let item = |mistake: &crate::class::gradebook::Mistake| {
        let kata = html(&gradebook.inputs.assignments[mistake.column].kata);
        let who: Vec<String> = mistake
            .rows
            .iter()
            .map(|row| to_answer(*row, mistake.column, &gradebook.rows[*row].learner.name))
            .collect();
        format!(
            "<details><summary><b>{}</b> {kata}: <code>{}</code> — {}</summary><p>{}</p></details>\n",
            mistake.rows.len(),
            html(&text::line(&mistake.test)),
            mistake.kind,
            who.join(", ")
        )
    };
    let items: String = mistakes.iter().take(MISTAKES).map(item).collect();
    let items = if items.is_empty() { "<p>None that two learners share.</p>\n".to_string() } else { items };
    format!("<section><h2>Mistakes in common</h2>\n{items}</section>\n")
}

/// Learners by katas.
fn glance(gradebook: &Gradebook) -> String {
    let katas = gradebook.inputs.assignments.iter().map(|assignment| {
        format!("<th scope=\"col\" title=\"{}\">{}</th>", html(&assignment.title), html(&assignment.kata))
    });
    let heads = format!(
        "<th scope=\"col\">learner</th>{}<th scope=\"col\">percent</th><th scope=\"col\">late</th>",
        katas.collect::<String>()
    );
    let mut rows = String::new();
    for (number, row) in here(gradebook) {
        rows += &format!("<tr><th scope=\"row\">{}</th>", to_learner(number, &row.learner.name));
        for (column, cell) in row.cells.iter().enumerate() {
            rows += &glance_at(number, column, cell);
        }
        let percent = gradebook.percent(row);
        let sort = percent.map_or(-1.0, |percent| percent);
        let percent = percent.map_or_else(|| "no grade".to_string(), shown);
        let (lateness, seconds) = row.learner.late.map_or((String::new(), 0), |one| (late(one), one.seconds));
        rows +=
            &format!("<td data-sort=\"{sort:.4}\">{percent}</td><td data-sort=\"{seconds}\">{lateness}</td></tr>\n");
    }
    format!(
        "<section><h2 id=\"learners\">Learners</h2>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-labelledby=\"learners\"><table id=\"glance\"><thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table></div></section>\n"
    )
}

fn glance_at(number: usize, column: usize, cell: &Cell) -> String {
    let (verdict, points) = (cell.verdict(), answer::points(cell));
    let sort = cell.score().map_or(-1, i64::from);
    let reason = answer::reason(cell);
    // A page full of the word says no more than the sign, but to those who don't see it.
    let seen = if verdict == Some(SubjectVerdict::Passed) { " class=\"unseen\"" } else { "" };
    let inside = format!("{} {points} <small{seen}>{}</small>", answer::mark(verdict), html(&reason));
    let inside = match &cell.graded {
        Some(_) => format!("<a href=\"#a{number}-{column}\">{inside}</a>"),
        None => inside,
    };
    format!("<td class=\"{}\" data-sort=\"{sort}\">{inside}</td>", answer::class(verdict))
}

/// How the class did in each kata.
fn katas(gradebook: &Gradebook) -> String {
    const VERDICTS: [SubjectVerdict; 7] = [
        SubjectVerdict::Passed,
        SubjectVerdict::Failed,
        SubjectVerdict::Unsolved,
        SubjectVerdict::CompileError,
        SubjectVerdict::Rejected,
        SubjectVerdict::Missing,
        SubjectVerdict::GraderError,
    ];
    let heads: String = VERDICTS.iter().map(|verdict| format!("<th scope=\"col\">{verdict}</th>")).collect();
    let mut rows = String::new();
    for (column, assignment) in gradebook.inputs.assignments.iter().enumerate() {
        let statistics = gradebook.statistics(column);
        let counts: String = VERDICTS
            .iter()
            .map(|verdict| format!("<td>{}</td>", statistics.verdicts.get(verdict).copied().unwrap_or(0)))
            .collect();
        let kinds: Vec<String> = statistics.kinds.iter().map(|(kind, count)| format!("{kind} ({count})")).collect();
        let hardest =
            statistics.failed_tests.iter().rev().max_by_key(|(_, count)| *count).filter(|(_, count)| *count > 0);
        let hardest =
            hardest.map_or_else(String::new, |(test, count)| format!("<code>{}</code> ({count})", html(test)));
        rows += &format!(
            "<tr><th scope=\"row\">{} · {}</th>{counts}<td>{}</td><td>{hardest}</td></tr>\n",
            html(&assignment.kata),
            html(&assignment.title),
            kinds.join(", ")
        );
    }
    format!(
        "<section><h2 id=\"katas\">Katas</h2>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-labelledby=\"katas\"><table><thead><tr><th scope=\"col\">kata</th>{heads}<th scope=\"col\">failures by kind</th><th scope=\"col\">the test that most fail</th></tr></thead>\n<tbody>\n{rows}</tbody></table></div></section>\n"
    )
}

/// Schedules that are in the page already, by what they look like, with the answers that they are shown at.
struct Album {
    shown: BTreeMap<String, String>,
    /// Bytes that may still come.
    room: usize,
}

/// Everything about one learner.
fn learner(gradebook: &Gradebook, number: usize, row: &Row, album: &mut Album) -> String {
    let name = html(&text::line(&row.learner.name));
    let own = format!("{LEARNERS}/{}/report.html", safe_name(&row.learner.name).replace('%', "%25"));
    let mut page = format!("<section class=\"learner\" id=\"l{number}\"><h3>{name}</h3>\n");
    page += &format!("<p><a href=\"{}\">What {name} gets to read</a></p>\n", html(&own));
    for (column, cell) in row.cells.iter().enumerate() {
        if cell.graded.is_none() {
            continue;
        }
        let assignment = &gradebook.inputs.assignments[column];
        page += &format!(
            "<details class=\"{}\"><summary>{} {} <small>{} {}</small></summary>\n<div id=\"a{number}-{column}\">\n",
            answer::class(cell.verdict()),
            answer::mark(cell.verdict()),
            html(&assignment.kata),
            answer::points(cell),
            html(&answer::reason(cell)),
        );
        page += &answer::complaints(cell, Reader::Instructor);
        page += &failures((number, column), cell, &own, album);
        page += &answer::passed(cell);
        page += "</div></details>\n";
    }
    page + "</section>\n"
}

/// The failed tests of an answer. The first schedule is drawn, unless the page has it already or has no room left.
fn failures((number, column): (usize, usize), cell: &Cell, own: &str, album: &mut Album) -> String {
    let Some(graded) = &cell.graded else { return String::new() };
    let mut page = String::new();
    let mut drawn = false;
    for test in cell.failures() {
        page += &answer::failed(test, Reader::Instructor);
        if test.trace.is_none() {
            continue;
        }
        let elsewhere = format!("<p><a href=\"{}\">The schedule is in the learner's own report.</a></p>\n", html(own));
        if drawn {
            page += &elsewhere;
            continue;
        }
        let picture = pictures(&graded.verdict.kata, test, &graded.lines);
        if picture.is_empty() {
            continue;
        }
        drawn = true;
        page += &match album.shown.get(&picture) {
            Some(at) => format!("<p><a href=\"#{at}\">The schedule is the same as here.</a></p>\n"),
            None if picture.len() > album.room => elsewhere,
            None => {
                album.room -= picture.len();
                album.shown.insert(picture.clone(), format!("a{number}-{column}"));
                picture
            }
        };
    }
    page
}

fn to_learner(number: usize, name: &str) -> String {
    format!("<a href=\"#l{number}\">{}</a>", html(&text::line(name)))
}

fn to_answer(number: usize, column: usize, name: &str) -> String {
    format!("<a href=\"#a{number}-{column}\">{}</a>", html(&text::line(name)))
}
