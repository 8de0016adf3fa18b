//! Removing what a hostile program left: folders that nobody may read, and folders in folders without end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Removes a folder and all that is in it, however deep and whatever its permissions. Links are removed, not followed.
///
/// # Errors
/// Something in it is not ours.
pub(crate) fn remove_folder(folder: &Path) -> io::Result<()> {
    let mut number = 0_u64;
    // A path can't be as long as folders can be deep. So nothing is ever looked at below the second level: what is deeper is
    // first moved up.
    while let Some(upper) = next_of(folder)? {
        let about = fs::symlink_metadata(&upper)?;
        if !about.is_dir() {
            fs::remove_file(&upper)?;
            continue;
        }
        open_up(&upper, &about)?;
        for entry in fs::read_dir(&upper)? {
            let lower = entry?.path();
            let about = fs::symlink_metadata(&lower)?;
            if about.is_dir() {
                open_up(&lower, &about)?;
                fs::rename(&lower, free_name(folder, &mut number))?;
            } else {
                fs::remove_file(&lower)?;
            }
        }
        fs::remove_dir(&upper)?;
    }
    fs::remove_dir(folder)
}

/// Something in the folder, if it is not empty.
fn next_of(folder: &Path) -> io::Result<Option<PathBuf>> {
    fs::read_dir(folder)?.next().map(|entry| Ok(entry?.path())).transpose()
}

/// A name in the folder that nothing has.
fn free_name(folder: &Path, number: &mut u64) -> PathBuf {
    loop {
        *number += 1;
        let name = folder.join(format!("moved-{number}"));
        if fs::symlink_metadata(&name).is_err() {
            return name;
        }
    }
}

/// Lets us list a folder and change what is in it.
fn open_up(folder: &Path, about: &fs::Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;

        if about.permissions().mode() & 0o700 != 0o700 {
            return fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
        }
    }
    let _ = (folder, about);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_deeper_than_any_path_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let doomed = folder.path().join("doomed");
        fs::create_dir(&doomed).unwrap();
        // From the innermost outwards: no path is long while it is built.
        for _ in 0..1_000 {
            let outer = folder.path().join("outer");
            fs::create_dir(&outer).unwrap();
            fs::rename(&doomed, outer.join("inner")).unwrap();
            fs::write(outer.join("file"), "").unwrap();
            fs::rename(&outer, &doomed).unwrap();
        }
        remove_folder(&doomed).unwrap();
        assert!(!doomed.exists());
    }

    #[cfg(unix)]
    #[test]
    fn closed_folders_are_removed_and_links_not_followed() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let (doomed, kept) = (folder.path().join("doomed"), folder.path().join("kept"));
        fs::create_dir_all(doomed.join("closed/inner")).unwrap();
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("file"), "").unwrap();
        std::os::unix::fs::symlink(&kept, doomed.join("link")).unwrap();
        std::os::unix::fs::symlink(&kept, doomed.join("closed/link")).unwrap();
        for closed in ["closed/inner", "closed"] {
            fs::set_permissions(doomed.join(closed), fs::Permissions::from_mode(0o000)).unwrap();
        }
        remove_folder(&doomed).unwrap();
        assert!(!doomed.exists());
        assert!(kept.join("file").exists());
    }
}
