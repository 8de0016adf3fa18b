//! Temporary folders: each goes with its owner. What a killed owner left, the next one removes.

mod remove;

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

pub(crate) use self::remove::remove_folder;

/// How their names begin in the system's folder for them.
const PREFIX: &str = "interleave-";
/// The owner holds a lock on this file in its folder. The kernel lets it go when the owner has ended, however it did. A number of
/// the owner's process would not do: it may be another's by now, and containers that share the folder count their own.
const LOCK: &str = "lock";

/// A temporary folder of this process. It is removed with all that is in it, whatever that is.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    _lock: File,
}

impl Scratch {
    /// A new folder. What others left who are gone is removed before: it may be what fills the disk.
    ///
    /// # Errors
    /// It can't be made.
    pub fn new() -> Result<Scratch> {
        Scratch::new_in(&std::env::temp_dir(), PREFIX)
    }

    /// A new folder in that place, with a name that begins so. What others left there with such a name is removed before.
    ///
    /// # Errors
    /// It can't be made.
    pub fn new_in(place: &Path, prefix: &str) -> Result<Scratch> {
        sweep(place, prefix);
        loop {
            let made = tempfile::Builder::new().prefix(prefix).tempdir_in(place);
            let folder = made.map_err(Error::io("create a temporary folder in", place))?.keep();
            match own(&folder) {
                Ok(Some(lock)) => return Ok(Scratch { folder, _lock: lock }),
                // Somebody's sweep came in between.
                Ok(None) => {}
                Err(error) => return Err(Error::io("write in", &folder)(error)),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left of it is swept later.
        let _ = remove_folder(&self.folder);
    }
}

/// Makes the folder ours; nothing if it was taken for a left one and is gone.
fn own(folder: &Path) -> io::Result<Option<File>> {
    let path = folder.join(LOCK);
    let lock = match File::create(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        made => made?,
    };
    // A file system without locks has none for a sweep either, so nothing is removed there.
    let _ = lock.lock();
    Ok(fs::exists(&path)?.then_some(lock))
}

/// Removes the folders whose owners are gone, as far as it can. Nothing depends on it.
fn sweep(place: &Path, prefix: &str) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let folder = entry.path();
        let named = entry.file_name().to_str().is_some_and(|name| name.starts_with(prefix));
        if !named || !entry.metadata().is_ok_and(|about| about.is_dir() && is_this_users(&about)) {
            continue;
        }
        match File::options().read(true).write(true).open(folder.join(LOCK)) {
            Ok(lock) => {
                // Held until the folder is gone, so that nobody can take it meanwhile.
                if lock.try_lock().is_ok() {
                    let _ = remove_folder(&folder);
                }
            }
            // Its owner has only just made it, and makes another; or was ended there. One that is not empty stays.
            Err(error) if error.kind() == ErrorKind::NotFound => drop(fs::remove_dir(&folder)),
            Err(_) => {}
        }
    }
}

/// Whether it belongs to who runs this. Others could change it under our hands.
#[cfg(target_os = "linux")]
fn is_this_users(about: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(about) == rustix::process::geteuid().as_raw()
}

/// Elsewhere each user has a temporary folder of one's own.
#[cfg(not(target_os = "linux"))]
fn is_this_users(_: &fs::Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_owner() {
        let place = tempfile::tempdir().unwrap();
        let scratch = Scratch::new_in(place.path(), PREFIX).unwrap();
        fs::create_dir_all(scratch.path().join("0/work")).unwrap();
        drop(scratch);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_a_killed_owner_left_goes_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        let live = Scratch::new_in(place.path(), PREFIX).unwrap();
        for folder in ["interleave-left/0/work", "interleave-empty", "interleave-unknown/0", "others/0"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        for folder in ["interleave-left", "others"] {
            fs::write(at(folder).join(LOCK), "").unwrap();
        }
        fs::write(at("interleave-file"), "").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(at("others"), at("interleave-link")).unwrap();
        let next = Scratch::new_in(place.path(), PREFIX).unwrap();
        for gone in ["interleave-left", "interleave-empty"] {
            assert!(!at(gone).exists(), "{gone}");
        }
        assert!(live.path().exists() && next.path().exists(), "those of live owners stay");
        for kept in ["interleave-unknown/0", "interleave-file", "others/lock", "others/0"] {
            assert!(at(kept).exists(), "{kept}");
        }
    }
}
