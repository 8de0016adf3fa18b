//! What changed in the learner's folders. Looked at again and again rather than asked of the system: that works on every file system,
//! and whatever an editor does to save: write, rename, delete and create again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use pipeline::error::{Error, Result};
use pipeline::repository::Repository;
use pipeline::subject::catalog::{self, Kata};

use crate::progress::{self, Progress, State};

/// What a folder's source files looked like at one moment: their size and the time of their last change.
type Stamp = BTreeMap<PathBuf, (u64, Option<SystemTime>)>;

/// The source folders of some katas, and what they looked like.
pub(crate) struct Saves {
    folders: Vec<(String, PathBuf)>,
    seen: Vec<Stamp>,
    /// Katas that changed and may still be written to.
    open: Vec<bool>,
}

impl Saves {
    /// As they are now.
    pub(crate) fn of(katas: &[Arc<Kata>]) -> Saves {
        let folders: Vec<_> = katas.iter().map(|kata| (kata.name.clone(), kata.folder.join("src"))).collect();
        let seen = folders.iter().map(|(_, folder)| stamp(folder)).collect();
        Saves { open: vec![false; folders.len()], folders, seen }
    }

    /// The kata that was saved: its files changed before the last look, and not since, so that an editor that writes in several steps
    /// is done.
    pub(crate) fn look(&mut self) -> Option<String> {
        let mut saved = None;
        for (number, (name, folder)) in self.folders.iter().enumerate() {
            let now = stamp(folder);
            if now != self.seen[number] {
                self.seen[number] = now;
                self.open[number] = true;
            } else if std::mem::take(&mut self.open[number]) {
                saved = Some(name.clone());
            }
        }
        saved
    }
}

/// The kata that was worked on last; without any work the first that is not solved.
pub(crate) fn at_hand(repository: &Repository, katas: &[Arc<Kata>]) -> Option<Arc<Kata>> {
    let progress = Progress::read(repository);
    let touched = katas.iter().filter(|kata| progress::is_touched(repository, kata));
    let newest = |kata: &&Arc<Kata>| stamp(&kata.folder.join("src")).into_values().filter_map(|(_, time)| time).max();
    let last = touched.max_by_key(newest);
    let open = || katas.iter().find(|kata| progress.state(repository, kata) != State::Solved);
    last.or_else(open).or(katas.first()).cloned()
}

/// The kata of that name; the one at hand without a name.
///
/// # Errors
/// There is no such kata, or one of them is broken.
pub(crate) fn named_or_at_hand(repository: &Repository, name: Option<&str>) -> Result<Arc<Kata>> {
    if let Some(name) = name {
        return catalog::one(repository, name);
    }
    at_hand(repository, &catalog::all(repository)?)
        .ok_or_else(|| Error::new("there is no kata here", "A fresh checkout has them in katas/."))
}

/// What is below that folder; nothing if it is no folder. What can't be read is as good as gone.
fn stamp(folder: &Path) -> Stamp {
    let mut stamp = Stamp::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().filter_map(|entry| entry.ok()) {
            // Not those of where a link leads: it may lead back here.
            let Ok(about) = entry.metadata() else { continue };
            let path = entry.path();
            if about.is_dir() {
                open.push(path.clone());
            }
            if about.is_dir() || path.extension().is_some_and(|end| end == "rs") {
                stamp.insert(path, (if about.is_dir() { 0 } else { about.len() }, about.modified().ok()));
            }
        }
    }
    stamp
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saves(folder: &Path) -> Saves {
        let seen = vec![stamp(folder)];
        Saves { folders: vec![("lock".to_string(), folder.to_path_buf())], seen, open: vec![false] }
    }

    #[test]
    fn a_save_is_over_when_nothing_more_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("lib.rs");
        let mut saves = saves(folder.path());
        assert_eq!(saves.look(), None);
        fs::write(&file, "one").expect("a file");
        assert_eq!(saves.look(), None, "it may still be written");
        fs::write(&file, "one, two").expect("a file");
        assert_eq!(saves.look(), None);
        assert_eq!(saves.look().as_deref(), Some("lock"));
        assert_eq!(saves.look(), None, "once");
    }

    #[test]
    fn renamed_deleted_and_replaced_files_are_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, other) = (folder.path().join("lib.rs"), folder.path().join(".lib.rs.swp"));
        fs::write(&file, "one").expect("a file");
        let mut saves = saves(folder.path());
        fs::write(&other, "three").expect("a file");
        saves.look();
        saves.look();
        fs::rename(&other, &file).expect("a rename");
        assert_eq!([saves.look(), saves.look()], [None, Some("lock".to_string())], "renamed");
        fs::remove_file(&file).expect("a file");
        assert_eq!([saves.look(), saves.look()], [None, Some("lock".to_string())], "deleted");
        fs::create_dir(&file).expect("a folder");
        assert_eq!([saves.look(), saves.look()], [None, Some("lock".to_string())], "a folder in its place");
        fs::remove_dir_all(folder.path()).expect("a folder");
        assert_eq!([saves.look(), saves.look()], [None, Some("lock".to_string())], "everything gone");
    }

    #[test]
    fn what_is_no_source_does_not_count() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut saves = saves(folder.path());
        fs::write(folder.path().join("4913"), "an editor tries whether it may write").expect("a file");
        assert_eq!([saves.look(), saves.look()], [None, None]);
    }
}
