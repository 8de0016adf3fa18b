//! `--trace FILE`: a schedule as a file, in the form that the file's ending asks for.

use std::fs;
use std::path::{Path, PathBuf};

use pipeline::error::{Error, Result};
use pipeline::repository::Repository;
use verdict::{TestVerdict, Trace};

use crate::render::lanes::lanes;
use crate::render::rows::Length;
use crate::render::schedule::{self, Sources};
use crate::render::{page, svg};

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
        let (title, subtitle) = heading(kata, test, trace);
        let mut sources = Sources::new(repository);
        let mut lanes = || lanes(trace, &mut sources, DRAWN);
        let text = match self.form {
            Form::Json => {
                serde_json::to_string_pretty(trace).map_err(|error| Error::new(error.to_string(), ""))? + "\n"
            }
            Form::Svg => svg::picture(&lanes(), &title, &subtitle),
            Form::Html => {
                let lanes = lanes();
                page::page(&lanes, &sources, &title, &subtitle)
            }
        };
        fs::write(&self.file, text).map_err(Error::io("write", &self.file))
    }
}

/// What stands above a picture: what happened in a sentence, and where and how often that is so.
fn heading(kata: &str, test: &TestVerdict, trace: &Trace) -> (String, String) {
    let said = test.message.lines().next().unwrap_or_default();
    // Who waits for whom stands at the picture's foot.
    let said = if trace.waiting.is_empty() { said } else { said.split(": ").next().unwrap_or(said) };
    let title = match test.kind {
        Some(kind) => {
            let kind = kind.to_string().replace('-', " ");
            format!("{}{}: {said}", kind[..1].to_uppercase(), &kind[1..])
        }
        None => "passes on this schedule".to_string(),
    };
    let mut subtitle = vec![kata.to_string(), test.name.clone()];
    subtitle.extend(trace.given.iter().map(|given| format!("for {given}")));
    subtitle.extend(test.coverage.map(|coverage| schedule::how_often(trace, coverage)));
    (title.trim_end_matches(": ").to_string(), subtitle.join(" · "))
}

/// Longer pictures nobody follows; `--trace FILE.json` has every step.
const DRAWN: Length = Length::AtMost(60, 120);
