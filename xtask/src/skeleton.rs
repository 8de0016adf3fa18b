//! The skeleton of a kata: all its files, with a small example in the place of the topic that passes `verify`, and `TODO` where
//! something has to be written.

use std::fs;
use std::path::PathBuf;

use pipeline::error::{Error, Result};
use pipeline::repository::Repository;
use pipeline::subject::catalog;
use pipeline::whole;

/// Where each file goes, and what is in it. `@kata@` is the kata's name, `@library@` its crate's, `@order@` its place.
const FILES: [(&str, &str); 9] = [
    ("katas/@kata@/Cargo.toml", include_str!("skeleton/kata.toml")),
    ("katas/@kata@/README.md", include_str!("skeleton/lesson.md")),
    ("katas/@kata@/HINTS.md", include_str!("skeleton/hints.md")),
    ("katas/@kata@/src/lib.rs", include_str!("skeleton/stub.rs")),
    ("katas/@kata@/tests/@kata@.rs", include_str!("skeleton/tests.rs")),
    ("katas/@kata@/tests/@kata@/contract.rs", include_str!("skeleton/contract.rs")),
    ("solutions/@kata@/Cargo.toml", include_str!("skeleton/solution.toml")),
    ("solutions/@kata@/src/lib.rs", include_str!("skeleton/solution.rs")),
    ("tests/stubs/@kata@.rs", include_str!("skeleton/stub.rs")),
];

/// Folders that are empty at first.
const FOLDERS: [&str; 2] = ["tests/wrong/@kata@", "tests/right/@kata@"];

/// Crates that every program has. A kata of such a name could not be told from them.
const SYSTEM: [&str; 5] = ["std", "core", "alloc", "test", "proc-macro"];

/// Writes the skeleton of a kata, at the end of the course. Gives the files, in the order in which one reads them.
///
/// # Errors
/// The name is none for a crate, or is taken; a file can't be written.
pub(crate) fn write(repository: &Repository, name: &str) -> Result<Vec<PathBuf>> {
    check_name(repository, name)?;
    let last = catalog::all(repository)?.last().map_or(0, |kata| kata.about.order);
    let filled = |text: &str| {
        let library = name.replace('-', "_");
        text.replace("@kata@", name).replace("@library@", &library).replace("@order@", &(last + 1).to_string())
    };
    let mut written = Vec::new();
    for (path, text) in FILES {
        let path = repository.root().join(filled(path));
        whole::write(&path, filled(text))?;
        written.push(path);
    }
    for folder in FOLDERS {
        let folder = repository.root().join(filled(folder));
        fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
    }
    Ok(written)
}

fn check_name(repository: &Repository, name: &str) -> Result<()> {
    let next = "A kata's name is a crate's: small letters, digits and single hyphens, a letter first, no word of Rust's own. \
                Example: `cargo xtask new read-write-lock`.";
    let parts = name
        .split('-')
        .all(|part| part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()) && !part.is_empty());
    let is_name = parts && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.len() <= 32;
    if !is_name || syn::parse_str::<syn::Ident>(&name.replace('-', "_")).is_err() {
        return Err(Error::new(format!("`{name}` is no name for a kata"), next));
    }
    let lock = fs::read_to_string(repository.root().join("Cargo.lock")).unwrap_or_default();
    let package = |name: &str| lock.contains(&format!("name = \"{name}\"\n"));
    let there =
        [repository.kata(name), repository.solution(name), repository.stub(name)].iter().any(|path| path.exists());
    if there || package(name) || package(&name.replace('-', "_")) || SYSTEM.contains(&name) {
        return Err(Error::new(
            format!("the name `{name}` is taken"),
            "Choose one that no kata and no package in Cargo.lock has.",
        ));
    }
    Ok(())
}
