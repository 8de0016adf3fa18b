//! `explain`: the lesson in the terminal.

use pipeline::error::Result;
use pipeline::repository::Repository;

use crate::lesson;
use crate::render;
use crate::saves;

/// Shows the kata's README; where there is a terminal, in a pager.
pub(crate) fn run(repository: &Repository, name: Option<&str>) -> Result<bool> {
    let kata = saves::named_or_at_hand(repository, name)?;
    render::page(&render::markdown::render(&lesson::text(&kata)?, render::width()));
    Ok(true)
}
