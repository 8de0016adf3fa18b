//! The folder of a class's results, in which one grader writes at a time.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use pipeline::error::{Error, Result};
use pipeline::whole;

use crate::class::LEARNERS;

/// The name of the file in it that its grader holds locked.
pub(crate) const LOCK: &str = ".lock";

/// A folder for results that is ours, from before the record is read until the last report is written.
#[derive(Debug)]
pub(crate) struct Claim {
    folder: PathBuf,
    /// The kernel lets it go when its owner has ended, however it did. The file stays where it is: were it renamed or removed, two
    /// graders could each have one of its name.
    _lock: File,
}

impl Claim {
    /// Makes the folder ours, and the folder itself if it is not there. Half a file that a killed grader left in it goes.
    ///
    /// # Errors
    /// Another grader writes there, or the folder can't be written.
    pub(crate) fn of(folder: &Path) -> Result<Claim> {
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let path = folder.join(LOCK);
        let mut options = File::options();
        let lock = options.write(true).create(true).truncate(false).open(&path).map_err(Error::io("open", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(
                    format!("another grader is writing into {}", folder.display()),
                    "Wait until it is done, or give another folder with `--out`.",
                ));
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
        }
        whole::sweep(folder);
        let of_learners = fs::read_dir(folder.join(LEARNERS)).into_iter().flatten().filter_map(|entry| entry.ok());
        of_learners.for_each(|entry| whole::sweep(&entry.path()));
        Ok(Claim { folder: folder.to_path_buf(), _lock: lock })
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::ledger::{Ledger, RESULTS};
    use crate::render::class::sample;

    #[test]
    fn the_end_of_a_record_is_not_yet_the_end_of_its_grader() {
        let folder = tempfile::tempdir().unwrap();
        let claim = Claim::of(folder.path()).unwrap();
        let ledger = Ledger::open(&claim).unwrap();
        // One who came early has it open, and would write into it.
        let early = File::options().append(true).open(folder.path().join(RESULTS)).unwrap();
        ledger.finish(&sample::inputs(&["ada"], Vec::new()), &[]).unwrap();
        assert!(early.try_lock().is_ok(), "the record is another file by now");
        let refused = Claim::of(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("another grader is writing into"), "its reports are still to be written: {refused}");
        drop(claim);
        assert!(Claim::of(folder.path()).is_ok());
    }
}
