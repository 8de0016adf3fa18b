//! Bare `cargo xtask`: the course map.

use pipeline::error::Result;
use pipeline::repository::Repository;
use pipeline::subject::catalog;

use crate::progress::Progress;
use crate::render;

/// Shows which katas are solved, started and untouched, and what is next.
pub(crate) fn run(repository: &Repository) -> Result<bool> {
    let progress = Progress::read(repository);
    let stops: Vec<_> = catalog::all(repository)?
        .into_iter()
        .map(|kata| {
            let state = progress.state(repository, &kata);
            let score = progress.score(&kata.name);
            render::course::Stop { kata, state, score }
        })
        .collect();
    render::print(&render::course::map(&stops));
    Ok(true)
}
