//! `new`: the skeleton of a kata.

use pipeline::error::Result;
use pipeline::repository::Repository;

use crate::render;
use crate::skeleton;

/// Writes the skeleton, and says what comes next.
pub(crate) fn run(repository: &Repository, name: &str) -> Result<bool> {
    let written = skeleton::write(repository, name)?;
    let files: String = written.iter().map(|file| format!("  {}\n", repository.relative(file))).collect();
    render::print(&format!(
        "The kata {name} has a skeleton, with a small example in the place of its topic:\n{files}\
         Wrong and right submissions go into tests/wrong/{name} and tests/right/{name}.\n\
         What it lacks: cargo xtask verify {name}\n"
    ));
    Ok(true)
}
