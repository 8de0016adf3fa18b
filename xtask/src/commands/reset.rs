//! `reset`: the stub as it was delivered.

use std::io::{BufRead, IsTerminal, stdin, stdout};

use pipeline::error::Result;
use pipeline::repository::Repository;

use crate::render;
use crate::saves;
use crate::stub;

/// Brings the kata's stub back and says where the former files are. Where there is somebody to ask, asks first.
pub(crate) fn run(repository: &Repository, name: Option<&str>) -> Result<bool> {
    let kata = saves::named_or_at_hand(repository, name)?;
    let file = repository.relative(&kata.folder.join("src/lib.rs"));
    if stub::is_there(repository, &kata)? {
        render::print(&format!("{file} is the stub already; nothing to reset.\n"));
        return Ok(true);
    }
    // Who names the kata knows which one it is.
    if name.is_none() || stdin().is_terminal() && stdout().is_terminal() {
        render::print(&format!("Bring the stub of {} back? Your work is kept. [y/N] ", kata.name));
        let mut answer = String::new();
        let _ = stdin().lock().read_line(&mut answer);
        if !["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
            render::print("Nothing was changed.\n");
            return Ok(false);
        }
    }
    if let Some(kept) = stub::restore(repository, &kata)? {
        render::print(&format!(
            "{file} is the stub again.\nWhat it replaced is kept in {}.\n",
            repository.relative(&kept)
        ));
    }
    Ok(true)
}
