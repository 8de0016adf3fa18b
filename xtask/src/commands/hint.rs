//! `hint`: one more hint, from a nudge to nearly the answer.

use pipeline::error::Result;
use pipeline::repository::Repository;

use crate::lesson;
use crate::progress::Progress;
use crate::render;
use crate::saves;

/// Reveals the kata's next hint, or shows again what was revealed.
pub(crate) fn run(repository: &Repository, name: Option<&str>, shown: bool) -> Result<bool> {
    let kata = saves::named_or_at_hand(repository, name)?;
    let (hints, of) = if shown {
        let mut hints = lesson::hints(&kata)?;
        let of = hints.len();
        hints.truncate(Progress::read(repository).hints(&kata.name));
        (hints, of)
    } else {
        lesson::reveal(repository, &kata)?
    };
    let first = if shown { 0 } else { hints.len().saturating_sub(1) };
    render::print(&render::course::hints(&kata.name, &hints[first..], first, of));
    Ok(true)
}
