//! `explain`: the lesson in the terminal.

use std::fs;

use crate::catalog;
use crate::error::{Error, Result};
use crate::render;
use crate::repository::Repository;

/// Prints the kata's README.
pub(crate) fn run(repository: &Repository, name: &str) -> Result<bool> {
    let kata = catalog::one(repository, name)?;
    let path = kata.folder.join("README.md");
    let lesson = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    render::print(&render::markdown::render(&lesson, render::width()));
    Ok(true)
}
