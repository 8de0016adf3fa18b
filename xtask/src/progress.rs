//! What the learner has reached, derived from verdicts. Losing the file loses nothing but the time of a check.

use std::collections::BTreeMap;
use std::fs;

use pipeline::error::{Error, Result};
use pipeline::repository::Repository;
use pipeline::subject::catalog::Kata;
use pipeline::whole;
use serde::{Deserialize, Serialize};
use verdict::{KataVerdict, SubjectVerdict};

/// The file's content: one entry per kata.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Progress {
    #[serde(default)]
    katas: BTreeMap<String, Entry>,
}

/// What is known of one kata.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Entry {
    /// The last verdict on the learner's own answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verdict: Option<SubjectVerdict>,
    #[serde(default)]
    score: u32,
    #[serde(default)]
    max_score: u32,
    /// How many hints were revealed.
    #[serde(default)]
    hints: usize,
}

/// Where a kata stands on the course map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// Its last check passed.
    Solved,
    /// The stub was changed, or a check reached points.
    Started,
    /// The stub is as it was delivered.
    Untouched,
}

/// Whether the learner's file is no longer the stub.
pub(crate) fn is_touched(repository: &Repository, kata: &Kata) -> bool {
    let stub = fs::read(repository.stub(&kata.name)).ok();
    let own = fs::read(kata.folder.join("src/lib.rs")).ok();
    own.is_some() && stub != own
}

impl Progress {
    /// Reads the file. One that is missing or broken is no progress, which is no error.
    pub(crate) fn read(repository: &Repository) -> Progress {
        fs::read(repository.progress()).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    /// Writes the file whole or not at all.
    ///
    /// # Errors
    /// The folder can't be written.
    pub(crate) fn write(&self, repository: &Repository) -> Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(|error| Error::new(error.to_string(), ""))?;
        whole::write(&repository.progress(), text)
    }

    /// Notes a verdict on the learner's own answer.
    pub(crate) fn note(&mut self, verdict: &KataVerdict) {
        let entry = self.katas.entry(verdict.kata.clone()).or_default();
        entry.verdict = Some(verdict.verdict);
        (entry.score, entry.max_score) = (verdict.score, verdict.max_score);
    }

    /// Forgets the verdict, but not the hints.
    pub(crate) fn forget(&mut self, kata: &str) {
        let entry = self.katas.entry(kata.to_string()).or_default();
        *entry = Entry { hints: entry.hints, ..Entry::default() };
    }

    /// How many hints were revealed.
    pub(crate) fn hints(&self, kata: &str) -> usize {
        self.katas.get(kata).map_or(0, |entry| entry.hints)
    }

    /// Notes how many hints were revealed.
    pub(crate) fn set_hints(&mut self, kata: &str, hints: usize) {
        self.katas.entry(kata.to_string()).or_default().hints = hints;
    }

    /// Points of the last check, and points to be had, if there was a check.
    pub(crate) fn score(&self, kata: &str) -> Option<(u32, u32)> {
        self.katas.get(kata).filter(|entry| entry.verdict.is_some()).map(|entry| (entry.score, entry.max_score))
    }

    /// Where a kata stands.
    pub(crate) fn state(&self, repository: &Repository, kata: &Kata) -> State {
        let checked = self.katas.get(&kata.name);
        if checked.is_some_and(|entry| entry.verdict == Some(SubjectVerdict::Passed)) {
            return State::Solved;
        }
        if checked.is_some_and(|entry| entry.score > 0) || is_touched(repository, kata) {
            State::Started
        } else {
            State::Untouched
        }
    }
}
