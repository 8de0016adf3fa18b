//! Files that are whole or not there: whoever reads one never sees half of it, whatever happens to the writer.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use crate::error::{Error, Result};

/// How the name of a file begins that is being written.
const UNFINISHED: &str = ".unfinished-";

/// Writes the file, and the folder that it is in.
///
/// # Errors
/// It can't be written. Then it is as it was before.
pub fn write(path: &Path, text: impl AsRef<[u8]>) -> Result<()> {
    put(path, text.as_ref(), false)
}

/// The same, for what nobody could make again: it is on the disk, too, before what was there is gone. After a failure of the power a
/// file with a new name may else be empty.
///
/// # Errors
/// It can't be written. Then it is as it was before.
pub fn write_for_good(path: &Path, text: impl AsRef<[u8]>) -> Result<()> {
    put(path, text.as_ref(), true)
}

fn put(path: &Path, text: &[u8], for_good: bool) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    // A temporary file is its owner's alone; this one is as readable as any file that its owner writes.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(Error::io("write in", folder))?;
    file.write_all(text).map_err(Error::io("write", path))?;
    if for_good {
        file.as_file().sync_all().map_err(Error::io("write", path))?;
    }
    file.persist(path).map_err(|error| Error::io("write", path)(error.error))?;
    #[cfg(unix)]
    if for_good {
        // Where a folder can't be asked for that, the name comes to the disk with all else. The file is whole in any case.
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

/// Removes the halves of files that killed writers left in the folder, as far as it can. Nobody may be writing there.
pub fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(|entry| entry.ok()) {
        let is_left = entry.file_name().as_encoded_bytes().starts_with(UNFINISHED.as_bytes());
        if is_left && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
