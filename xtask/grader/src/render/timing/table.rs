//! Times as a table with bars, for 80 columns, with or without colours.

use crate::render::timing::in_words;
use crate::render::{BAD, FAINT, GOOD, OPEN, STRONG, fit, paragraph, styled};
use crate::timing::statistics::{Comparison, Pace, TOO_UNSURE};
use crate::timing::{Measured, Refused, SpeedPoints, Timed};

/// Columns of the whole; narrower ones would break the table, wider ones would not say more.
const WIDTH: usize = 80;
/// Columns of the longest bar.
const BAR: usize = 48;
/// Columns of an approach's name.
const NAME: usize = 13;

/// The whole report.
pub(crate) fn report(timed: &Timed) -> String {
    let Timed { kata, subject, about, machine, .. } = timed;
    let beside = if timed.sweep { "over the number of workers" } else { "beside the reference solution" };
    let cores = machine.cores_in_words();
    let mut text = format!("{}\n", styled(STRONG, &format!("{kata}: {about}")));
    text += &format!("{subject} {beside}, on {cores}\n\n");
    if timed.sweep {
        text += &sweep(&timed.approaches);
    } else {
        text += &table(&timed.approaches);
        text += "\n";
        text += &bars(&timed.approaches);
        text += "\n";
        text += &verdicts(&timed.approaches);
    }
    for one in &timed.speed {
        text += &speed(one);
    }
    if !timed.notes.is_empty() {
        text += "\n";
        timed.notes.iter().for_each(|note| text += &paragraph(note, 2, WIDTH));
    }
    text
}

/// Why nothing was timed.
pub(crate) fn refused(refused: &Refused) -> String {
    let Refused { kata, subject, verdict, message } = refused;
    let mark = styled(BAD, "✗");
    let mut text = format!("{kata}: {mark} {subject} was not timed: its verdict is {verdict}\n");
    text += &paragraph(message, 2, WIDTH);
    text += &format!("  what is wrong: cargo xtask check {kata}\n");
    text
}

fn table(approaches: &[Measured]) -> String {
    let mut text = styled(
        FAINT,
        &format!(
            "  {}{:>7}{:>9}{:>21}{:>11}{:>9}{:>7}",
            fit("approach", NAME),
            "workers",
            "median",
            "fastest to slowest",
            "reference",
            "limit",
            "times"
        ),
    ) + "\n";
    for one in approaches {
        let workers = one.workers.map_or_else(String::new, |workers| workers.to_string());
        let range = format!("{} to {}", in_words(one.seconds.fastest), in_words(one.seconds.slowest));
        let reference = one.reference.as_ref().map_or_else(String::new, |reference| in_words(reference.median));
        let limit = one.limit.map_or_else(String::new, in_words);
        let of_limit = one.of_limit.map_or_else(String::new, |times| format!("{times:.2}"));
        text += &format!(
            "  {}{workers:>7}{:>9}{range:>21}{reference:>11}{limit:>9}{of_limit:>7}",
            fit(&one.approach, NAME),
            in_words(one.seconds.median),
        );
        text.truncate(text.trim_end().len());
        text += "\n";
    }
    text
}

/// A bar for each time, as long as the time, and a stroke where its limit is.
fn bars(approaches: &[Measured]) -> String {
    let times = approaches.iter().flat_map(|one| {
        [Some(one.seconds.median), one.reference.as_ref().map(|reference| reference.median)].into_iter().flatten()
    });
    let longest = times.fold(f64::MIN_POSITIVE, f64::max);
    let mut text = String::new();
    for one in approaches {
        let fill = if one.instead_of.is_some() { '▒' } else { '█' };
        text += &format!("  {}{}\n", fit(&one.approach, NAME), bar(fill, one.seconds.median, one.limit, longest));
        if let Some(reference) = &one.reference {
            text += &format!("  {}{}\n", " ".repeat(NAME), bar('░', reference.median, one.limit, longest));
        }
    }
    let other = if approaches.iter().any(|one| one.instead_of.is_some()) { "   ▒ another way" } else { "" };
    text + &styled(FAINT, &format!("  {}█ yours   ░ reference{other}   │ limit", " ".repeat(NAME))) + "\n"
}

fn bar(fill: char, seconds: f64, limit: Option<f64>, longest: f64) -> String {
    let columns = |seconds: f64| ((seconds / longest * BAR as f64).round() as usize).min(BAR);
    let filled = columns(seconds).max(1);
    let mut cells: Vec<char> = (0..BAR).map(|column| if column < filled { fill } else { ' ' }).collect();
    if let Some(limit) = limit {
        cells[columns(limit).saturating_sub(1)] = '│';
    }
    let cells: String = cells.into_iter().collect();
    format!("{} {}", cells.trim_end(), in_words(seconds))
}

fn verdicts(approaches: &[Measured]) -> String {
    let line = |one: &Measured| {
        let comparison = one.comparison?;
        let sentence = in_a_sentence(&comparison, one.seconds.rounds.len(), one.instead_of.as_deref());
        Some(format!("  {}{sentence}\n", fit(&one.approach, NAME)))
    };
    approaches.iter().filter_map(line).collect()
}

fn in_a_sentence(comparison: &Comparison, rounds: usize, instead_of: Option<&str>) -> String {
    let Comparison { ratio, low, high, confidence, verdict } = comparison;
    let other = instead_of.unwrap_or("the reference");
    // Another way that is faster is bad news for the answer that is judged.
    let [faster, slower] = if instead_of.is_some() { [BAD, GOOD] } else { [GOOD, BAD] };
    let (style, words) = match verdict {
        Pace::AsFast => (GOOD, format!("as fast as {other}")),
        Pace::Faster => (faster, format!("faster than {other}")),
        Pace::Slower => (slower, format!("slower than {other}")),
        Pace::TooNoisy if *confidence < TOO_UNSURE => (OPEN, "too few rounds to tell".to_string()),
        Pace::TooNoisy => (OPEN, "too noisy to tell".to_string()),
    };
    let rounds = if rounds == 1 { "1 round".to_string() } else { format!("{rounds} rounds") };
    format!("{} ({ratio:.2}x, {low:.2} to {high:.2}, {rounds})", styled(style, &words))
}

fn speed(one: &SpeedPoints) -> String {
    let SpeedPoints { approach, within, points, of } = one;
    format!("  {}{points} of {of} points for at most {within} times the reference\n", fit(approach, NAME))
}

/// A row for each number of workers, a column for each approach that has some.
fn sweep(approaches: &[Measured]) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut numbers: Vec<u32> = Vec::new();
    for one in approaches.iter().filter(|one| one.workers.is_some()) {
        if !names.contains(&one.approach.as_str()) {
            names.push(&one.approach);
        }
        numbers.extend(one.workers.filter(|workers| !numbers.contains(workers)));
    }
    numbers.sort_unstable();
    let mut text = format!("  {:>7}", "workers");
    names.iter().for_each(|name| text += &format!("{:>12}", fit(name, 11).trim_end()));
    text = styled(FAINT, &format!("{text}{:>12}", "limit")) + "\n";
    for workers in numbers {
        let of = |name: &str| approaches.iter().find(|one| one.approach == name && one.workers == Some(workers));
        text += &format!("  {workers:>7}");
        for name in &names {
            text += &format!("{:>12}", of(name).map_or_else(String::new, |one| in_words(one.seconds.median)));
        }
        let limit = names.iter().filter_map(|name| of(name)?.limit).reduce(f64::max);
        text += &format!("{:>12}\n", limit.map_or_else(String::new, in_words));
    }
    for one in approaches.iter().filter(|one| one.workers.is_none()) {
        let limit = one.limit.map_or_else(String::new, |limit| format!(" (limit {})", in_words(limit)));
        text += &format!("  {}: {}{limit}\n", one.approach, in_words(one.seconds.median));
    }
    text
}
