//! The course map, the list of katas, the hints.

use std::sync::Arc;

use pipeline::subject::catalog::{Hard, Kata};

use crate::progress::State;
use crate::render::{FAINT, GOOD, OPEN, STRONG, markdown, paragraph, styled, width};

/// A kata on the course map.
pub(crate) struct Stop {
    /// The kata.
    pub(crate) kata: Arc<Kata>,
    /// Where the learner stands.
    pub(crate) state: State,
    /// Points of the last check, and points to be had.
    pub(crate) score: Option<(u32, u32)>,
}

/// The course map: every kata with its state, and what to do next.
pub(crate) fn map(stops: &[Stop]) -> String {
    let solved = stops.iter().filter(|stop| stop.state == State::Solved).count();
    let mut text = format!("{}  {solved} of {} katas solved\n\n", styled(STRONG, "Interleave"), stops.len());
    let mut part = None;
    for (place, stop) in stops.iter().enumerate() {
        let (mark, style, word) = match stop.state {
            State::Solved => ("✔", GOOD, "solved"),
            State::Started => ("…", OPEN, "started"),
            State::Untouched => ("·", FAINT, "untouched"),
        };
        let state = match stop.score {
            Some((score, of)) if stop.state == State::Started => format!("{word} {score}/{of}"),
            _ => word.to_string(),
        };
        let Kata { name, about, .. } = &*stop.kata;
        if part.replace(about.part) != Some(about.part) {
            let between = if place == 0 { "" } else { "\n" };
            text += &format!("{between}  {}\n", styled(STRONG, about.part.title()));
        }
        let title = crate::render::fit(&about.title, 26);
        let effort = format!("{} {:>3} min", dots(about.hard), about.minutes);
        let (mark, state) = (styled(style, mark), styled(style, &state));
        text += &format!("  {mark} {:>2}  {name:<11} {title} {}  {state}\n", place + 1, styled(FAINT, &effort));
    }
    text += "\n";
    text += &match stops.iter().find(|stop| stop.state != State::Solved) {
        Some(Stop { kata, state, .. }) => {
            let name = &kata.name;
            let begin = if *state == State::Started { "Go on with" } else { "Next is" };
            let next = paragraph(&format!("{begin} {name}: {}", kata.about.summary), 0, width());
            format!(
                "{next}  cargo xtask explain {name:<8}  the lesson\n  cargo xtask check {name:<10}  what is missing in katas/{name}/src/lib.rs\n"
            )
        }
        None => "Everything is solved. Try another way: `--solution` shows how the reference fares.\n".to_string(),
    };
    text
}

/// How hard a kata is, as so many dots of five.
fn dots(hard: Hard) -> String {
    (1..=Hard::MOST).map(|dot| if dot <= hard.number() { '●' } else { '○' }).collect()
}

/// The katas with what one builds in them.
pub(crate) fn list(katas: &[Arc<Kata>]) -> String {
    let mut text = String::new();
    for kata in katas {
        let about = &kata.about;
        text += &format!("{} {}\n", styled(STRONG, &format!("{:<11}", kata.name)), about.title);
        text += &paragraph(&about.summary, 12, width());
        text += &paragraph(&format!("Python: {}", about.python.join(", ")), 12, width());
        let (hard, most) = (about.hard.number(), Hard::MOST);
        text += &paragraph(&format!("Hard: {hard} of {most}, about {} minutes", about.minutes), 12, width());
    }
    text
}

/// Hints, the first of them with that number (from 0), of so many.
pub(crate) fn hints(kata: &str, hints: &[String], first: usize, of: usize) -> String {
    if of == 0 {
        return format!("{kata} has no hints.\n");
    }
    if hints.is_empty() {
        return format!("No hint was revealed so far; `cargo xtask hint {kata}` reveals the first of {of}.\n");
    }
    let mut text = String::new();
    for hint in hints {
        text += &markdown::render(hint, width());
        text += "\n";
    }
    let shown = first + hints.len();
    text += &if shown < of {
        format!("Hint {shown} of {of}. Once more for the next: cargo xtask hint {kata}\n")
    } else {
        format!("That was the last of {of} hints. All of them again: cargo xtask hint {kata} --shown\n")
    };
    text
}
