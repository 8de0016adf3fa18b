//! `--trace FILE`: a schedule as a file, in the form that the file's ending asks for.

use std::fs;
use std::path::{Path, PathBuf};

use verdict::TestVerdict;

use crate::error::{Error, Result};
use crate::render::lanes::lanes;
use crate::render::schedule::Sources;
use crate::render::{page, svg};
use crate::repository::Repository;

/// A file that a schedule is to be written to.
#[derive(Debug)]
pub(crate) struct TraceFile {
    file: PathBuf,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Json,
    Svg,
    Html,
}

/// Makes sure that a file could be written where it is to be.
///
/// # Errors
/// The folder does not exist.
pub(crate) fn needs_folder(file: &Path) -> Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(Error::new(format!("there is no folder {}", folder.display()), "Create it first."));
    }
    Ok(())
}

impl TraceFile {
    /// The form is the file's ending. Asked before anything is built, so that a typo costs no time.
    ///
    /// # Errors
    /// The ending is none of the three, or the folder does not exist.
    pub(crate) fn new(file: PathBuf) -> Result<TraceFile> {
        let form = match file.extension().and_then(|ending| ending.to_str()) {
            Some("json") => Form::Json,
            Some("svg") => Form::Svg,
            Some("html") => Form::Html,
            _ => {
                return Err(Error::new(
                    format!("cannot tell what {} is to be", file.display()),
                    "Give the file one of these endings: .json, .svg, .html.",
                ));
            }
        };
        needs_folder(&file)?;
        Ok(TraceFile { file, form })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.file
    }

    /// Writes the test's schedule, if it has one.
    ///
    /// # Errors
    /// The file can't be written.
    pub(crate) fn write(&self, repository: &Repository, kata: &str, test: &TestVerdict) -> Result<()> {
        let Some(trace) = &test.trace else { return Ok(()) };
        let ending = test.kind.map_or_else(|| "passes".to_string(), |kind| kind.to_string());
        let title = format!("{kata}: {} — {ending}", test.name);
        let mut sources = Sources::new(repository);
        let text = match self.form {
            Form::Json => {
                serde_json::to_string_pretty(trace).map_err(|error| Error::new(error.to_string(), ""))? + "\n"
            }
            Form::Svg => svg::picture(&lanes(trace, &mut sources), &title),
            Form::Html => page::page(&lanes(trace, &mut sources), &sources, &title, &test.message),
        };
        fs::write(&self.file, text).map_err(Error::io("write", &self.file))
    }
}
