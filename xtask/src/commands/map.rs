//! Bare `cargo xtask`: the course map.

use crate::catalog;
use crate::error::Result;
use crate::progress::Progress;
use crate::render;
use crate::repository::Repository;

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
