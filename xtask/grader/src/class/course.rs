//! The course file, `course.toml`: which katas count and how much, when they are due, and what being late costs.
//!
//! Times of submission come from the instructor's own system. What a submission says about itself counts for nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use pipeline::error::{Error, Result};
use pipeline::subject::catalog::{self, Kata};
use serde::Deserialize;
use toml::value::Datetime;
use verdict::Late;

/// The course file's name in a class folder.
pub(crate) const FILE: &str = "course.toml";
/// How a moment is written.
const MOMENT: &str = "Write it with its offset, as in 2026-11-30T23:59:00+01:00.";
/// Seconds of a day.
const DAY: u64 = 24 * 60 * 60;

/// What a course is about.
#[derive(Debug)]
pub(crate) struct Course {
    /// What it calls itself.
    pub(crate) title: String,
    /// The katas that count, each with its weight beside the others.
    pub(crate) katas: Vec<(Arc<Kata>, f64)>,
    /// What looks like a mistake and may be none.
    pub(crate) warnings: Vec<String>,
    /// Learners with a time of submission and nothing in the class folder, sorted.
    pub(crate) absent: Vec<String>,
    due: Option<Due>,
}

/// When answers are due, and when they came.
#[derive(Debug)]
struct Due {
    deadline: DateTime<FixedOffset>,
    rule: LateRule,
    /// Learners with a deadline of their own.
    extensions: BTreeMap<String, DateTime<FixedOffset>>,
    /// When each learner handed in.
    submitted: BTreeMap<String, DateTime<FixedOffset>>,
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CourseFile {
    title: String,
    kata: Vec<KataEntry>,
    deadline: Option<Datetime>,
    submitted: Option<PathBuf>,
    late: Option<LateRule>,
    #[serde(default)]
    extensions: BTreeMap<String, Datetime>,
}

/// `[[kata]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KataEntry {
    name: String,
    #[serde(default = "one")]
    weight: f64,
}

/// `[late]`
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LateRule {
    /// Minutes after the deadline that cost nothing.
    #[serde(default)]
    grace_minutes: u32,
    /// Percent of the grade for each day that has begun.
    #[serde(default)]
    percent_per_day: f64,
    /// Percent of the grade that lateness can cost at most; all of it, if nothing is said.
    at_most_percent: Option<f64>,
}

/// A line of the file `submitted`.
#[derive(Debug, Deserialize)]
struct Submitted {
    learner: String,
    time: String,
}

fn one() -> f64 {
    1.0
}

impl Course {
    /// A course without a file: these katas, all worth the same, and no deadline.
    pub(crate) fn of(katas: Vec<Arc<Kata>>, class: &Path) -> Course {
        let title = class.file_name().map_or_else(|| "class".to_string(), |name| name.to_string_lossy().into_owned());
        Course {
            title,
            katas: katas.into_iter().map(|kata| (kata, 1.0)).collect(),
            warnings: Vec::new(),
            absent: Vec::new(),
            due: None,
        }
    }

    /// When answers are due, if the course says so.
    pub(crate) fn deadline(&self) -> Option<String> {
        self.due.as_ref().map(|due| due.deadline.to_rfc3339())
    }

    /// What came in after the learner's deadline and the grace, if it did. A learner without a time counts as on time.
    pub(crate) fn late(&self, learner: &str) -> Option<Late> {
        let due = self.due.as_ref()?;
        let deadline = due.extensions.get(learner).unwrap_or(&due.deadline);
        let after = (*due.submitted.get(learner)? - *deadline).num_seconds();
        let seconds = u64::try_from(after).ok().filter(|after| *after > u64::from(due.rule.grace_minutes) * 60)?;
        Some(Late { seconds, percent_off: due.rule.percent_off(seconds) })
    }
}

impl LateRule {
    fn percent_off(&self, seconds: u64) -> f64 {
        let days = seconds.div_ceil(DAY) as f64;
        (days * self.percent_per_day).min(self.at_most_percent.unwrap_or(100.0))
    }
}

/// Reads a course file. `learners` are those of the class.
///
/// # Errors
/// The file or the times it names can't be read, or something in them can't be meant: unknown keys or katas, weights and
/// percentages out of range, times without an offset.
pub(crate) fn read(file: &Path, catalog: &[Arc<Kata>], learners: &[&str]) -> Result<Course> {
    let shown = file.display();
    let text = fs::read_to_string(file).map_err(Error::io("read", file))?;
    let written: CourseFile = toml::from_str(&text).map_err(|error| {
        Error::new(
            format!("{shown} is broken: {}", error.to_string().trim()),
            "The README's chapter for instructors shows what a course file holds.",
        )
    })?;
    let katas = katas(file, &written.kata, catalog)?;
    let (mut warnings, mut absent) = (Vec::new(), Vec::new());
    let due = due(file, &written)?;
    if let Some(due) = &due {
        let known = |name: &String| learners.contains(&name.as_str());
        for learner in due.extensions.keys().filter(|name| !known(name)) {
            warnings.push(format!("{shown} gives an extension to `{learner}`, who is not in the class"));
        }
        for learner in due.submitted.keys().filter(|name| !known(name)) {
            warnings.push(format!("there is a time of submission for `{learner}`, who has nothing in the class"));
            absent.push(learner.clone());
        }
        for learner in learners.iter().filter(|name| !due.submitted.contains_key(**name)) {
            warnings.push(format!("there is no time of submission for `{learner}`, who counts as on time"));
        }
    }
    Ok(Course { title: written.title, katas, warnings, absent, due })
}

/// The katas that the file names, with sound weights.
fn katas(file: &Path, entries: &[KataEntry], catalog: &[Arc<Kata>]) -> Result<Vec<(Arc<Kata>, f64)>> {
    let shown = file.display();
    let mut katas: Vec<(Arc<Kata>, f64)> = Vec::new();
    for entry in entries {
        let name = &entry.name;
        let Some(kata) = catalog.iter().find(|kata| kata.name == *name) else {
            let near = catalog::nearest(name, catalog.iter().map(|kata| kata.name.as_str()));
            let near = near.map_or(String::new(), |near| format!("Did you mean `{near}`? "));
            return Err(Error::new(
                format!("{shown}: there is no kata `{name}`"),
                format!("{near}`cargo xtask list` shows every kata."),
            ));
        };
        if katas.iter().any(|(kata, _)| kata.name == *name) {
            return Err(Error::new(format!("{shown} names the kata `{name}` twice"), "Keep one of them."));
        }
        if !entry.weight.is_finite() || entry.weight < 0.0 {
            return Err(Error::new(
                format!("{shown}: the weight of `{name}` is {}", entry.weight),
                "Give a number that is 0 or more.",
            ));
        }
        katas.push((Arc::clone(kata), entry.weight));
    }
    if katas.iter().map(|(_, weight)| weight).sum::<f64>() == 0.0 {
        return Err(Error::new(
            format!("{shown} has no kata that counts"),
            "Name each with its weight: `[[kata]]`, `name = \"lock\"`, `weight = 1.0`.",
        ));
    }
    Ok(katas)
}

/// The deadline with all that belongs to it.
fn due(file: &Path, written: &CourseFile) -> Result<Option<Due>> {
    let shown = file.display();
    let Some(deadline) = &written.deadline else {
        let others = [
            ("submitted", written.submitted.is_some()),
            ("late", written.late.is_some()),
            ("extensions", !written.extensions.is_empty()),
        ];
        return match others.into_iter().find(|(_, there)| *there) {
            Some((key, _)) => Err(Error::new(
                format!("{shown} has `{key}` and no `deadline`"),
                format!("Add the deadline, or take `{key}` out."),
            )),
            None => Ok(None),
        };
    };
    let Some(submitted) = &written.submitted else {
        return Err(Error::new(
            format!("{shown} has a `deadline`, but does not say when each submission came"),
            "Add `submitted = \"submitted.csv\"`: a table of `learner,time` from the system that took the submissions.",
        ));
    };
    let rule = written.late.unwrap_or_default();
    for (key, percent) in
        [("percent_per_day", rule.percent_per_day), ("at_most_percent", rule.at_most_percent.unwrap_or(0.0))]
    {
        if !(0.0..=100.0).contains(&percent) {
            return Err(Error::new(format!("{shown}: late.{key} is {percent}"), "Give a percentage from 0 to 100."));
        }
    }
    let mut extensions = BTreeMap::new();
    for (learner, time) in &written.extensions {
        extensions.insert(learner.clone(), moment(file, &format!("extensions.{learner}"), time)?);
    }
    // A path from the instructor, relative to the course file.
    let submitted = times(&file.parent().unwrap_or(Path::new("")).join(submitted))?;
    Ok(Some(Due { deadline: moment(file, "deadline", deadline)?, rule, extensions, submitted }))
}

/// A moment of the course file. Without an offset it would mean another one on each machine.
fn moment(file: &Path, key: &str, written: &Datetime) -> Result<DateTime<FixedOffset>> {
    let text = written.to_string();
    if written.date.is_none() || written.time.is_none() || written.offset.is_none() {
        return Err(Error::new(
            format!("{}: {key} is {text}, which is not a date and time with an offset", file.display()),
            MOMENT,
        ));
    }
    DateTime::parse_from_rfc3339(&text)
        .map_err(|error| Error::new(format!("{}: {key} is {text}: {error}", file.display()), MOMENT))
}

/// The table of `learner,time`.
fn times(file: &Path) -> Result<BTreeMap<String, DateTime<FixedOffset>>> {
    let shown = file.display();
    let text = fs::read_to_string(file).map_err(Error::io("read", file))?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let broken = |error: csv::Error| {
        Error::new(
            format!("{shown} is broken: {error}"),
            "Its first line is `learner,time`, and each other one like that.",
        )
    };
    let headers = reader.headers().map_err(broken)?.clone();
    if headers != vec!["learner", "time"] {
        return Err(Error::new(
            format!("{shown} begins with `{}`", headers.iter().collect::<Vec<_>>().join(",")),
            "Its first line must be `learner,time`.",
        ));
    }
    let mut times = BTreeMap::new();
    let mut row = csv::StringRecord::new();
    while reader.read_record(&mut row).map_err(broken)? {
        let line = row.position().map_or(0, csv::Position::line);
        let Submitted { learner, time } = row.deserialize(Some(&headers)).map_err(broken)?;
        if learner.is_empty() {
            return Err(Error::new(format!("{shown}:{line}: a time without a learner"), "Name the learner first."));
        }
        let moment = DateTime::parse_from_rfc3339(&time).map_err(|error| {
            Error::new(format!("{shown}:{line}: `{time}` is not a date and time with an offset: {error}"), MOMENT)
        })?;
        if times.insert(learner.clone(), moment).is_some() {
            return Err(Error::new(
                format!("{shown}:{line}: `{learner}` is there twice"),
                "Keep the line that counts.",
            ));
        }
    }
    Ok(times)
}

#[cfg(test)]
mod tests;
