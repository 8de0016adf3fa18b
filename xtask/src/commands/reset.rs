//! `reset`: the stub as it was delivered. Work is never lost: what is replaced is kept.

use std::fs;
use std::path::{Path, PathBuf};

use crate::catalog;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::render;
use crate::repository::Repository;
use crate::stage;

/// Brings the kata's stub back and says where the former files are.
pub(crate) fn run(repository: &Repository, name: &str) -> Result<bool> {
    let kata = catalog::one(repository, name)?;
    let stub = repository.stub(name);
    let text = fs::read_to_string(&stub).map_err(Error::io("read", &stub))?;
    let src = kata.folder.join("src");
    let only_the_stub = fs::read_dir(&src).is_ok_and(|entries| entries.count() == 1)
        && fs::read(src.join("lib.rs")).is_ok_and(|own| own == text.as_bytes());
    if only_the_stub {
        render::print(&format!(
            "{} is the stub already; nothing to reset.\n",
            repository.relative(&src.join("lib.rs"))
        ));
        return Ok(true);
    }
    // Copied first, replaced afterwards: interrupted in between, everything is still there.
    let kept = next_folder(&repository.kept(), name);
    copy_folder(&src, &kept)?;
    stage::write_if_changed(&src.join("lib.rs"), &text)?;
    remove_all_but_the_stub(&src)?;
    let mut progress = Progress::read(repository);
    progress.forget(name);
    progress.write(repository)?;
    render::print(&format!(
        "{} is the stub again.\nWhat it replaced is kept in {}.\n",
        repository.relative(&src.join("lib.rs")),
        repository.relative(&kept)
    ));
    Ok(true)
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
    for entry in fs::read_dir(src).map_err(Error::io("read", src))?.filter_map(|entry| entry.ok()) {
        let path = entry.path();
        if path.is_dir() {
            fs::remove_dir_all(&path).map_err(Error::io("remove", &path))?;
        } else if entry.file_name() != "lib.rs" {
            fs::remove_file(&path).map_err(Error::io("remove", &path))?;
        }
    }
    Ok(())
}
