//! `list`: the katas, for people and for scripts.

use pipeline::error::Result;
use pipeline::repository::Repository;
use pipeline::subject::catalog::{self, Hard, Part};
use serde::Serialize;

use crate::progress::{Progress, State};
use crate::render;

/// One kata in `list --json`.
#[derive(Serialize)]
struct Listed<'a> {
    kata: &'a str,
    title: &'a str,
    order: u32,
    part: Part,
    hard: Hard,
    minutes: u32,
    summary: &'a str,
    python: &'a [String],
    schedules: bool,
    tests: &'a [String],
    max_score: u32,
    state: State,
}

/// Lists every kata.
pub(crate) fn run(repository: &Repository, json: bool) -> Result<bool> {
    let katas = catalog::all(repository)?;
    if !json {
        render::print(&render::course::list(&katas));
        return Ok(true);
    }
    let progress = Progress::read(repository);
    let listed: Vec<Listed> = katas
        .iter()
        .map(|kata| Listed {
            kata: &kata.name,
            title: &kata.about.title,
            order: kata.about.order,
            part: kata.about.part,
            hard: kata.about.hard,
            minutes: kata.about.minutes,
            summary: &kata.about.summary,
            python: &kata.about.python,
            schedules: kata.about.schedules,
            tests: &kata.tests,
            max_score: kata.tests.iter().map(|test| kata.points(test)).sum(),
            state: progress.state(repository, kata),
        })
        .collect();
    render::json(&listed)?;
    Ok(true)
}
