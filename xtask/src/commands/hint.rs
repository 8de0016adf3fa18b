//! `hint`: one more hint, from a nudge to nearly the answer.

use std::fs;

use crate::catalog;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::render;
use crate::repository::Repository;

/// Reveals the kata's next hint, or shows again what was revealed.
pub(crate) fn run(repository: &Repository, name: &str, shown: bool) -> Result<bool> {
    let kata = catalog::one(repository, name)?;
    let path = kata.folder.join("HINTS.md");
    let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    let hints = split(&text);
    let mut progress = Progress::read(repository);
    let before = progress.hints(name).min(hints.len());
    if shown {
        render::print(&render::course::hints(name, &hints[..before], 0, hints.len()));
        return Ok(true);
    }
    let now = (before + 1).min(hints.len());
    let newest = &hints[now.saturating_sub(1)..now];
    render::print(&render::course::hints(name, newest, now.saturating_sub(1), hints.len()));
    progress.set_hints(name, now);
    progress.write(repository)?;
    Ok(true)
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
