//! The stub as it was delivered. Work is never lost: what the stub replaces is kept.

use std::fs;
use std::path::{Path, PathBuf};

use pipeline::error::{Error, Result};
use pipeline::judging::stage;
use pipeline::repository::Repository;
use pipeline::subject::catalog::Kata;

use crate::progress::Progress;

/// Whether the learner's folder holds the stub and nothing else.
///
/// # Errors
/// The stub can't be read.
pub(crate) fn is_there(repository: &Repository, kata: &Kata) -> Result<bool> {
    let (text, src) = (text(repository, kata)?, kata.folder.join("src"));
    Ok(fs::read_dir(&src).is_ok_and(|entries| entries.count() == 1)
        && fs::read(src.join("lib.rs")).is_ok_and(|own| own == text.as_bytes()))
}

/// Brings the kata's stub back, and says where the former files are; nothing if there was only the stub.
///
/// # Errors
/// A file can't be read or written. Then the former files are all there, here or where they are kept.
pub(crate) fn restore(repository: &Repository, kata: &Kata) -> Result<Option<PathBuf>> {
    if is_there(repository, kata)? {
        return Ok(None);
    }
    let (text, src) = (text(repository, kata)?, kata.folder.join("src"));
    // Copied first, replaced afterwards: interrupted in between, everything is still there.
    let kept = next_folder(&repository.kept(), &kata.name);
    copy_folder(&src, &kept)?;
    remove_all_but_the_stub(&src)?;
    stage::write_if_changed(&src.join("lib.rs"), &text)?;
    let mut progress = Progress::read(repository);
    progress.forget(&kata.name);
    progress.write(repository)?;
    Ok(Some(kept))
}

fn text(repository: &Repository, kata: &Kata) -> Result<String> {
    let stub = repository.stub(&kata.name);
    fs::read_to_string(&stub).map_err(Error::io("read", &stub))
}

/// `lock-1`, `lock-2`, …: the first that is free.
fn next_folder(kept: &Path, name: &str) -> PathBuf {
    (1u32..).map(|number| kept.join(format!("{name}-{number}"))).find(|folder| !folder.exists()).unwrap_or_default()
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(Error::io("create", to))?;
    let Ok(entries) = fs::read_dir(from) else { return Ok(()) };
    for entry in entries.filter_map(|entry| entry.ok()) {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &target)?;
        } else {
            fs::copy(&path, &target).map_err(Error::io("keep", &path))?;
        }
    }
    Ok(())
}

fn remove_all_but_the_stub(src: &Path) -> Result<()> {
    // Without the folder there is nothing to remove.
    for entry in fs::read_dir(src).into_iter().flatten().filter_map(|entry| entry.ok()) {
        let path = entry.path();
        if path.is_dir() {
            fs::remove_dir_all(&path).map_err(Error::io("remove", &path))?;
        } else if entry.file_name() != "lib.rs" {
            fs::remove_file(&path).map_err(Error::io("remove", &path))?;
        }
    }
    Ok(())
}
