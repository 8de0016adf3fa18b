//! The learner's screen as lines of text: a function of what it shows and of the terminal's size.

use verdict::{KataVerdict, Kind, SubjectVerdict, Verdict};

use crate::progress::State;
use crate::render::schedule::Sources;
use crate::render::{BAD, FAINT, GOOD, OPEN, STRONG, fit, markdown, paragraph, report, styled};
use crate::screen::model::{Check, Judged, Model, Pane};
use crate::screen::text::{clip, folded, length};

/// Smaller terminals can't hold a test's name and what is wrong with it.
const SMALLEST: (usize, usize) = (40, 10);
/// Two lines of heading above; a rule and the keys below.
const FRAME: usize = 4;

/// One picture of the screen.
pub(crate) struct Frame {
    /// Its lines, as many as the terminal has at most, none of them wider.
    pub(crate) lines: Vec<String>,
    /// How many lines of the text can be scrolled away.
    pub(crate) most: usize,
}

/// Draws the screen.
pub(crate) fn frame(model: &Model) -> Frame {
    let (width, height) = model.size;
    if width < SMALLEST.0 || height < SMALLEST.1 {
        let needs = format!("Interleave needs {} columns and {} rows; q quits.", SMALLEST.0, SMALLEST.1);
        let lines =
            paragraph(&needs, 0, width.max(1)).lines().flat_map(|line| folded(line, width)).take(height).collect();
        return Frame { lines, most: 0 };
    }
    let room = height - FRAME;
    let (above, title, text, marked) = match &model.pane {
        Pane::Verdict => verdict(model, room),
        Pane::Page { title, markdown } => {
            (Vec::new(), title.clone(), lines(&markdown::render(markdown, width - 2)), None)
        }
        Pane::File { title, text } => (Vec::new(), title.clone(), numbered(text), None),
        Pane::List { search, filter, at } => list(model, search, *filter, *at),
        Pane::Help => (Vec::new(), "Keys".to_string(), help(), None),
        Pane::Reset => (Vec::new(), "Start over?".to_string(), lines(&reset(model, width)), None),
    };
    let text: Vec<String> = text.iter().flat_map(|line| folded(line, width)).collect();
    let room = room - above.len() - 1;
    let most = text.len().saturating_sub(room);
    let top = match marked {
        // The marked line stays in sight.
        Some(line) => (line + 1).saturating_sub(room).min(most),
        None => model.scroll.min(most),
    };
    let shown = &text[top..text.len().min(top + room)];

    let mut lines = heading(model, width);
    lines.extend(above);
    lines.push(rule(&title, width));
    lines.extend(shown.iter().cloned());
    lines.resize(height - 2, String::new());
    lines.push(match most {
        0 => rule("", width),
        _ => rule(&format!("lines {} to {} of {}, ↑↓ scrolls", top + 1, top + shown.len(), text.len()), width),
    });
    lines.push(match &model.note {
        Some(note) => styled(STRONG, &format!(" {note}")),
        None => keys(model, width),
    });
    Frame { lines: lines.iter().map(|line| clip(line, width)).collect(), most }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| format!(" {line}")).collect()
}

/// `── title ───────`.
pub(crate) fn rule(title: &str, width: usize) -> String {
    if title.is_empty() {
        return styled(FAINT, &"─".repeat(width));
    }
    let title = clip(title, width.saturating_sub(6));
    let rest = "─".repeat(width.saturating_sub(length(&title) + 4));
    format!("{} {} {}", styled(FAINT, "──"), title, styled(FAINT, &rest))
}

/// A line with something at both ends; what is at the left is cut if they meet.
pub(crate) fn ends(left: &str, right: &str, width: usize) -> String {
    let right_length = length(right);
    let left = clip(left, width.saturating_sub(right_length + 3));
    let between = width.saturating_sub(length(&left) + right_length + 2);
    format!(" {left}{}{right} ", " ".repeat(between))
}

/// Which kata it is, how far the course is, and what the checker does.
fn heading(model: &Model, width: usize) -> Vec<String> {
    let kata = model.kata();
    let solved = model.katas.iter().filter(|kata| kata.state == State::Solved).count();
    let all = model.katas.len();
    let cells = all.min(width / 3);
    let full = (solved * cells).div_ceil(all.max(1));
    let bar = format!("{}{}", "▰".repeat(full), "▱".repeat(cells - full));
    let course = format!("{} {solved} of {all} katas", styled(GOOD, &bar));
    let check = match &model.check {
        Check::Running { doing, seconds: 0 } => styled(OPEN, doing),
        Check::Running { doing, seconds } => styled(OPEN, &format!("{doing} ({seconds} s)")),
        Check::Done(at) if at.is_empty() => String::new(),
        Check::Done(at) => format!("{}checked {at}", points(model)),
        Check::Broken(_) => styled(BAD, "could not check"),
    };
    vec![
        ends(&format!("{} · {}", styled(STRONG, &kata.name), kata.title), &course, width),
        ends(&styled(FAINT, &model.file()), &check, width),
    ]
}

fn points(model: &Model) -> String {
    model.kata().score.map_or(String::new(), |(score, of)| format!("{score} of {of} points · "))
}

/// What stands above, a title, the text below it, and the line of the text that has to be in sight.
type Parts = (Vec<String>, String, Vec<String>, Option<usize>);

/// The tests, and why the chosen one fails.
fn verdict(model: &Model, room: usize) -> Parts {
    let width = model.size.0;
    let (title, text) = explanation(model);
    let text: Vec<String> = text.iter().flat_map(|line| folded(line, width)).collect();
    // The tests get what the explanation leaves, and a third of the room at least. Two rules are drawn.
    let most = (room - 2).saturating_sub(text.len()).max(room / 3).max(1);
    let mut above = vec![rule("", width)];
    above.extend(tests(model, most));
    (above, title, text, None)
}

/// A test in one line.
struct Line<'a> {
    name: &'a str,
    mark: &'static str,
    style: anstyle::Style,
    how: String,
    stale: bool,
}

fn line<'a>(name: &'a str, judged: &[Judged]) -> Line<'a> {
    let stale = judged.iter().any(|judged| judged.stale);
    let failed = judged.iter().find(|judged| judged.test.verdict == Verdict::Failed);
    let (mark, style, how) = match (failed, judged.first()) {
        (Some(failed), _) if failed.test.kind == Some(Kind::Unsolved) => ("·", OPEN, "unsolved".to_string()),
        (Some(failed), _) => ("✗", BAD, failure(failed)),
        (None, Some(passed)) => ("✔", GOOD, report::how(&passed.test)),
        (None, None) => ("…", FAINT, String::new()),
    };
    Line { name, mark, style, how, stale }
}

/// `deadlock, 1 of 3 schedules`.
fn failure(judged: &Judged) -> String {
    let kind = judged.test.kind.map_or_else(|| "broken".to_string(), |kind| kind.to_string());
    match judged.test.coverage {
        Some(coverage) if coverage.failing > 0 => {
            let of = |count| verdict::thousands(count);
            format!("{kind}, {} of {} schedules", of(coverage.failing), of(coverage.schedules))
        }
        _ => kind,
    }
}

/// A line a test; where there is no room for that, those that fail, and how many others there are.
fn tests(model: &Model, most: usize) -> Vec<String> {
    let of = |name: &String| model.tests.get(name).map_or(&[][..], Vec::as_slice);
    let all: Vec<Line> = model.kata().tests.iter().map(|name| line(name, of(name))).collect();
    let chosen = model.failing().get(model.chosen()).map(|judged| judged.test.name.clone());
    let longest = |of: fn(&Line) -> usize| all.iter().map(of).max().unwrap_or(0);
    let hows = longest(|line| line.how.chars().count());
    let names = longest(|line| line.name.chars().count()).min(model.size.0.saturating_sub(7 + hows));
    let drawn = |line: &&Line| {
        let is_chosen = chosen.as_deref() == Some(line.name);
        let point = if is_chosen { "▸" } else { " " };
        let name = fit(line.name, names);
        let (mark, how) = if line.stale {
            (styled(FAINT, line.mark), styled(FAINT, &line.how))
        } else {
            let style = if line.style == GOOD { FAINT } else { line.style };
            (styled(line.style, line.mark), styled(style, &line.how))
        };
        let name = if is_chosen { styled(STRONG, &name) } else { name };
        format!(" {point}{mark} {name}  {how}")
    };
    if all.len() <= most {
        return all.iter().map(|line| drawn(&line)).collect();
    }
    let (failing, others): (Vec<&Line>, Vec<&Line>) = all.iter().partition(|line| line.mark == "✗");
    // Those around the chosen one.
    let room = most.saturating_sub(1).max(1);
    let top = (model.chosen() + 1).saturating_sub(room).min(failing.len().saturating_sub(room));
    let shown = &failing[top..failing.len().min(top + room)];
    // Where one fails, the room is for why.
    let filled = if failing.is_empty() { room } else { 0 };
    let mut lines: Vec<String> = shown.iter().map(drawn).collect();
    lines.extend(others.iter().take(filled).map(drawn));
    let count = |mark: &str| {
        let left_out = others.iter().skip(filled).filter(|line| line.mark == mark).count();
        left_out + if mark == "✗" { failing.len() - shown.len() } else { 0 }
    };
    let words = [("✗", BAD, "failing"), ("✔", GOOD, "passed"), ("·", OPEN, "unsolved"), ("…", FAINT, "not run yet")];
    let counts =
        words.into_iter().map(|(mark, style, word)| (mark, style, word, count(mark))).filter(|(.., count)| *count > 0);
    let counts: Vec<String> =
        counts.map(|(mark, style, word, count)| format!("{} {count} more {word}", styled(style, mark))).collect();
    lines.push(format!("  {}", counts.join("   ")));
    lines
}

/// Why the chosen test fails, with a title; otherwise what is next.
fn explanation(model: &Model) -> (String, Vec<String>) {
    let width = model.size.0 - 1;
    let name = &model.kata().name;
    if let Check::Broken(why) = &model.check {
        return (
            styled(BAD, "It could not be checked"),
            why.lines().flat_map(|line| lines(&paragraph(line, 0, width))).collect(),
        );
    }
    let failing = model.failing();
    if let Some(judged) = failing.get(model.chosen()) {
        let mut sources = Sources::given(judged.lines.clone());
        let text = report::explanation(name, &judged.test, "", &mut sources, width, false);
        let place = format!("{} of {}", model.chosen() + 1, failing.len());
        let kind = judged.test.kind.map_or_else(String::new, |kind| kind.to_string());
        let threads = if judged.test.mode == verdict::Mode::Threads { ", on threads" } else { "" };
        let before = if judged.stale { ", before your last save" } else { "" };
        let title = format!("{place} · {}{threads}{before}", styled(BAD, &kind));
        return (title, text.lines().map(str::to_string).collect());
    }
    match &model.verdict {
        Some(verdict) => of_kata(model, verdict, width),
        None if model.tests.is_empty() => (String::new(), lines(&paragraph(&model.kata().summary, 0, width))),
        None => (String::new(), Vec::new()),
    }
}

/// What is next, where no test fails.
fn of_kata(model: &Model, verdict: &KataVerdict, width: usize) -> (String, Vec<String>) {
    let (file, name) = (model.file(), &model.kata().name);
    let said = |text: &str| lines(&paragraph(text, 0, width));
    let objections = || report::diagnostics(verdict).lines().map(str::to_string).collect::<Vec<_>>();
    match verdict.verdict {
        SubjectVerdict::Passed => {
            let mut text = said(&format!("All {} points. Well done.", verdict.max_score));
            text.push(String::new());
            text.extend(said(&format!(
                "The reference solution, to compare: solutions/{name}/src/lib.rs (s shows it here)"
            )));
            text.push(String::new());
            text.extend(match model.next_open() {
                Some(next) => {
                    let next = &model.katas[next];
                    said(&format!("Enter goes on with {} · {}: {}.", next.name, next.title, next.summary))
                }
                None => said("That was the last kata: the course is done."),
            });
            if !verdict.diagnostics.is_empty() {
                text.push(String::new());
                text.extend(objections());
            }
            (styled(GOOD, "✔ Solved"), text)
        }
        SubjectVerdict::Unsolved => {
            let test = verdict.tests.iter().find(|test| test.kind == Some(Kind::Unsolved));
            let at = test.and_then(|test| Some((test, test.message.lines().next()?.rsplit_once('(')?.1)));
            let mut text = at.map_or(Vec::new(), |(test, at)| {
                said(&format!("{} reached a todo!() at {}.", test.name, at.trim_end_matches(')')))
            });
            text.push(String::new());
            text.extend(said(&model.kata().summary));
            text.push(String::new());
            text.extend(said(&format!("Fill in {file} and save it. o opens it, e shows the lesson, h gives a hint.")));
            (styled(OPEN, "· Unsolved so far"), text)
        }
        SubjectVerdict::CompileError => (styled(BAD, "✗ It does not compile"), objections()),
        SubjectVerdict::Rejected => {
            let mut text = objections();
            text.extend(said("Solve it without that; e shows the lesson, which says what to use."));
            (styled(BAD, "✗ It breaks a rule of this kata"), text)
        }
        SubjectVerdict::Missing => {
            (styled(OPEN, "· There is nothing to judge"), said(&format!("Is {file} still there?")))
        }
        SubjectVerdict::GraderError => {
            (styled(BAD, "✗ The grader could not judge this; it is not your fault"), objections())
        }
        SubjectVerdict::Failed => (String::new(), Vec::new()),
    }
}

/// A file with its line numbers.
fn numbered(text: &str) -> Vec<String> {
    text.lines()
        .enumerate()
        .map(|(number, line)| format!("{} {line}", styled(FAINT, &format!("{:>5}", number + 1))))
        .collect()
}

fn list(model: &Model, search: &str, filter: Option<State>, at: usize) -> Parts {
    let listed = model.listed(search, filter);
    let at = at.min(listed.len().saturating_sub(1));
    let names = model.katas.iter().map(|kata| kata.name.chars().count()).max().unwrap_or(0);
    let titles = model.katas.iter().map(|kata| kata.title.chars().count()).max().unwrap_or(0);
    let titles = titles.min(model.size.0.saturating_sub(names + 26));
    let row = |(row, kata): (usize, &usize)| {
        let kata = &model.katas[*kata];
        let (mark, style, word) = match kata.state {
            State::Solved => ("✔", GOOD, "solved"),
            State::Started => ("…", OPEN, "started"),
            State::Untouched => ("·", FAINT, "untouched"),
        };
        let score = match kata.score {
            Some((score, of)) if kata.state == State::Started => format!(" {score}/{of}"),
            _ => String::new(),
        };
        let name = fit(&kata.name, names);
        let (point, name) = if row == at { ("▸", styled(STRONG, &name)) } else { (" ", name) };
        format!(
            " {point}{} {name}  {}  {}",
            styled(style, mark),
            fit(&kata.title, titles),
            styled(style, &format!("{word}{score}"))
        )
    };
    let mut text: Vec<String> = listed.iter().enumerate().map(row).collect();
    if let Some(kata) = listed.get(at) {
        text.push(String::new());
        text.extend(lines(&paragraph(&model.katas[*kata].summary, 1, model.size.0 - 2)));
    } else {
        text.push(" No kata is like that.".to_string());
    }
    let shown = match filter {
        None => "all katas",
        Some(State::Untouched) => "untouched katas",
        Some(State::Started) => "started katas",
        Some(State::Solved) => "solved katas",
    };
    (Vec::new(), format!("{shown} · search: {search}_"), text, Some(at))
}

fn reset(model: &Model, width: usize) -> String {
    let question = format!(
        "Bring the stub of {} back? Your work is kept in .interleave/kept, and the message then says where.",
        model.kata().name
    );
    paragraph(&question, 0, width - 2) + "\ny  yes, start over\nany other key  no\n"
}

/// What each key does, in groups.
const HELP: [(&str, &[(&str, &str)]); 4] = [
    (
        "This kata",
        &[
            ("n N Tab", "next, previous failing test"),
            ("↑ ↓ j k", "scroll; space and b by half a page; Home, End"),
            ("p", "play the failing test: you are the scheduler"),
            ("o", "open the file at the line: $VISUAL, $EDITOR, or VS Code"),
            ("h", "one more hint"),
            ("e", "the lesson"),
            ("s", "the reference solution, once yours passes"),
            ("c", "check again; saving does that, too"),
            ("r", "start over: the stub comes back, your work is kept"),
        ],
    ),
    (
        "The course",
        &[
            ("← → [ ]", "previous, next kata; Enter goes on when this one is solved"),
            ("l", "list: type to search, Tab filters by state, Enter goes there"),
            ("a", "check all katas"),
        ],
    ),
    (
        "The screen",
        &[("Esc", "back to the verdict"), ("q Ctrl-C", "leave"), ("Ctrl-Z", "stop; `fg` comes back"), ("?", "this")],
    ),
    (
        "Marks",
        &[
            ("✔", "passed: on so many schedules, or on threads"),
            ("✗", "failed, and as what"),
            ("·", "unsolved: a todo!() is left"),
            ("…", "not run yet; pale: of the check before"),
            ("↻", "in a schedule: the thread before could have gone on"),
        ],
    ),
];

fn help() -> Vec<String> {
    let group = |(title, keys): &(&str, &[(&str, &str)])| {
        let rows = keys.iter().map(|(key, what)| format!("   {}  {what}", styled(STRONG, &format!("{key:<8}"))));
        [format!(" {title}")].into_iter().chain(rows).chain([String::new()]).collect::<Vec<_>>()
    };
    HELP.iter().flat_map(group).collect()
}

/// The line of keys: those that matter now, as many as fit.
fn keys(model: &Model, width: usize) -> String {
    let mut keys: Vec<(&str, &str)> = match &model.pane {
        Pane::Verdict if model.is_solved() => {
            vec![
                ("Enter", "next kata"),
                ("s", "solution"),
                ("e", "lesson"),
                ("l", "katas"),
                ("a", "check all"),
                ("o", "open"),
            ]
        }
        Pane::Verdict => {
            let next = (model.failing().len() > 1).then_some(("n", "next failure"));
            let play = (!model.failing().is_empty()).then_some(("p", "play"));
            let rest =
                [("h", "hint"), ("e", "lesson"), ("o", "open"), ("l", "katas"), ("a", "check all"), ("r", "reset")];
            next.into_iter().chain(play).chain(rest).collect()
        }
        Pane::List { .. } => vec![("↑↓", "choose"), ("Enter", "go there"), ("Tab", "filter"), ("Esc", "back")],
        Pane::Reset => vec![("y", "yes"), ("Esc", "no")],
        Pane::Page { .. } | Pane::File { .. } | Pane::Help => {
            vec![("Esc", "back"), ("↑↓ space", "scroll"), ("h", "hint"), ("e", "lesson"), ("o", "open"), ("l", "katas")]
        }
    };
    // While one types a search, letters are letters.
    let last: &[(&str, &str)] = match &model.pane {
        Pane::List { .. } => &[("Ctrl-C", "quit")],
        Pane::Reset => &[],
        _ => &[("?", "help"), ("q", "quit")],
    };
    let size = |keys: &[(&str, &str)]| {
        keys.iter().map(|(key, word)| key.chars().count() + word.chars().count() + 3).sum::<usize>()
    };
    while keys.len() > 1 && size(&keys) + size(last) > width {
        keys.pop();
    }
    let drawn = |(key, word): &(&str, &str)| format!(" {} {word} ", styled(STRONG, key));
    keys.iter().chain(last).map(drawn).collect()
}
