//! What a kata tells its learner: the lesson, and hints from a nudge to nearly the answer.

use std::fs;

use pipeline::error::{Error, Result};
use pipeline::repository::Repository;
use pipeline::subject::catalog::Kata;

use crate::progress::Progress;

/// The lesson, in Markdown.
///
/// # Errors
/// It can't be read.
pub(crate) fn text(kata: &Kata) -> Result<String> {
    let path = kata.folder.join("README.md");
    fs::read_to_string(&path).map_err(Error::io("read", &path))
}

/// All hints, in Markdown.
///
/// # Errors
/// They can't be read.
pub(crate) fn hints(kata: &Kata) -> Result<Vec<String>> {
    let path = kata.folder.join("HINTS.md");
    let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    Ok(split(&text).into_iter().map(str::to_string).collect())
}

/// Reveals one more hint: those that are revealed by now, and how many there are.
///
/// # Errors
/// They can't be read, or that one was revealed can't be written down.
pub(crate) fn reveal(repository: &Repository, kata: &Kata) -> Result<(Vec<String>, usize)> {
    let mut hints = hints(kata)?;
    let all = hints.len();
    let mut progress = Progress::read(repository);
    hints.truncate(progress.hints(&kata.name) + 1);
    progress.set_hints(&kata.name, hints.len());
    progress.write(repository)?;
    Ok((hints, all))
}

/// The sections below second-level headings.
fn split(text: &str) -> Vec<&str> {
    let starts: Vec<usize> =
        text.match_indices("## ").map(|(at, _)| at).filter(|at| *at == 0 || text[..*at].ends_with('\n')).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(start, end)| text[*start..end].trim()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_the_sections() {
        assert_eq!(
            split("# Hints\n\nintro\n\n## One\n\na\n### more\n## Two\nb\n"),
            ["## One\n\na\n### more", "## Two\nb"]
        );
        assert_eq!(split("# Hints\n"), Vec::<&str>::new());
    }
}
