//! The file of `--plot`: whole, or not there at all.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use pipeline::error::{Error, Result};
use tempfile::NamedTempFile;

/// A file that a chart will be written to. Its place is made sure of before anything is measured.
#[derive(Debug)]
pub(crate) struct ChartFile {
    file: PathBuf,
    /// Beside it, since only within a folder a file can take another's place at once. Dropping it removes it.
    draft: NamedTempFile,
}

impl ChartFile {
    /// Makes sure that the chart can be written there.
    ///
    /// # Errors
    /// The name does not end in `.svg`, or nothing can be written there.
    pub(crate) fn reserve(file: &Path) -> Result<ChartFile> {
        if file.extension().is_none_or(|ending| ending != "svg") {
            return Err(Error::new(
                format!("cannot draw a chart as {}", file.display()),
                "Give the file the ending .svg: that is what charts are drawn as.",
            ));
        }
        if fs::metadata(file).is_ok_and(|what| !what.is_file() || what.permissions().readonly()) {
            return Err(Error::new(
                format!("cannot write {}: it is there already, and is no file that may be replaced", file.display()),
                "Choose another name.",
            ));
        }
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(Error::new(format!("there is no folder {}", folder.display()), "Create it first."));
        }
        let mut draft = tempfile::Builder::new();
        draft.prefix(".interleave-").suffix(".svg");
        // As any new file: a temporary one would be for its owner only.
        #[cfg(unix)]
        draft.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let draft = draft.tempfile_in(folder).map_err(Error::io("write into", folder))?;
        Ok(ChartFile { file: file.to_path_buf(), draft })
    }

    /// Writes the chart. What was there before stays as it was until the chart is complete.
    ///
    /// # Errors
    /// The disk is full, say.
    pub(crate) fn write(mut self, chart: &str) -> Result<()> {
        let written = self.draft.write_all(chart.as_bytes()).and_then(|()| self.draft.as_file().sync_all());
        written.map_err(Error::io("write", &self.file))?;
        self.draft.persist(&self.file).map_err(|failed| Error::io("write", &self.file)(failed.error))?;
        Ok(())
    }
}
