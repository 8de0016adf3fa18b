//! The class folder: one entry per learner, which is a folder or an archive.

pub(crate) mod archive;
pub(crate) mod claim;
pub(crate) mod course;
pub(crate) mod fingerprint;
pub(crate) mod gradebook;
pub(crate) mod ledger;
pub(crate) mod shard;
mod tarball;
mod zipped;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use pipeline::error::{Error, Result};
use pipeline::subject::catalog::Kata;
use pipeline::subject::sources::{Files, Found, Unreadable, Wanted, folder, is_device_name};
use pipeline::subject::{Source, Subject};
use sha2::{Digest, Sha256};

use crate::class::archive::Format;
use crate::class::fingerprint::Fingerprint;

/// The folder of the results in which each learner has one.
pub(crate) const LEARNERS: &str = "learners";
/// Bytes of a safe name before it is cut.
const LONGEST_SAFE_NAME: usize = 100;

/// Makes sure that nothing is written into the class: the next time, it would be a learner's.
///
/// # Errors
/// The results shall go into the class, or the class is where they put a learner's part.
pub(crate) fn keep_out(class: &Path, out: &Path) -> Result<()> {
    let (class_is, out_is) =
        (real(class).map_err(Error::io("find", class))?, real(out).map_err(Error::io("find", out))?);
    if !out_is.starts_with(&class_is) && !class_is.starts_with(out_is.join(LEARNERS)) {
        return Ok(());
    }
    Err(Error::new(
        format!("the results in {} would be written into the class {}", out.display(), class.display()),
        "Give a folder outside of the class with `--out`.",
    ))
}

/// The path without links and `..`, also where nothing is there yet.
fn real(path: &Path) -> io::Result<PathBuf> {
    let mut real = PathBuf::new();
    for part in std::path::absolute(path)?.components() {
        match part {
            Component::ParentDir => drop(real.pop()),
            part => real.push(part),
        }
        if let Ok(found) = fs::canonicalize(&real) {
            real = found;
        }
    }
    Ok(real)
}

/// What one learner handed in.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The learner: the entry's name without an archive's ending. Text of a stranger.
    pub(crate) name: String,
    path: PathBuf,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Folder,
    Archive(Format),
    Link,
}

/// What a learner handed in for one kata.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The source files.
    Given(Files),
    /// Nothing.
    Missing,
    /// Something that can't be an answer: what is wrong, and what the learner can do. Text for the learner.
    Refused(String),
    /// The grader can't read it, which is not the learner's fault. Text for the instructor.
    Unreadable(String),
}

/// The entries of a class folder, one a learner, sorted by name; and the names of what is no submission there: dotfiles, and
/// files that are no archives.
///
/// # Errors
/// The folder is missing, empty or no folder, or two entries are one learner's.
pub(crate) fn entries(class: &Path) -> Result<(Vec<Entry>, Vec<String>)> {
    let shown = class.display();
    let help = "Give the folder with one entry per learner: a folder, a `.zip` or a `.tar.gz`.";
    let kind =
        fs::metadata(class).map_err(|error| Error::new(format!("cannot read the class {shown}: {error}"), help))?;
    if !kind.is_dir() {
        return Err(Error::new(format!("the class {shown} is not a folder"), help));
    }
    let (mut entries, mut passed_over) = (Vec::new(), Vec::new());
    for found in fs::read_dir(class).map_err(Error::io("read", class))? {
        let found = found.map_err(Error::io("read", class))?;
        let (path, name) = (found.path(), file_name(&found.path()));
        let kind = found.file_type().map_err(Error::io("read", &path))?;
        let archive = if kind.is_dir() { None } else { Format::of(&name) };
        let form = match archive {
            _ if name.starts_with('.') => None,
            _ if kind.is_symlink() => Some(Form::Link),
            _ if kind.is_dir() => Some(Form::Folder),
            Some((format, _)) if kind.is_file() => Some(Form::Archive(format)),
            _ => None,
        };
        match form {
            Some(form) => {
                let name = archive.map_or(name.as_str(), |(_, stem)| stem);
                entries.push(Entry { name: unique(name, &found.file_name()), path, form });
            }
            None => passed_over.push(name),
        }
    }
    entries.sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
    passed_over.sort();
    if entries.is_empty() {
        return Err(Error::new(format!("the class {shown} holds no submissions"), help));
    }
    if let Some([one, other]) = entries.array_windows().find(|[one, other]| one.name == other.name) {
        let (one, other) = (file_name(&one.path), file_name(&other.path));
        return Err(Error::new(
            format!("in the class {shown}, {one} and {other} belong to one learner"),
            "Keep the one that counts and move the other out of the folder.",
        ));
    }
    Ok((entries, passed_over))
}

/// What the learner handed in for each of the katas, by the katas' names. What can't be read is an answer, too.
pub(crate) fn answers(entry: &Entry, katas: &[Arc<Kata>]) -> BTreeMap<String, Answer> {
    let names: Vec<&str> = katas.iter().map(|kata| kata.name.as_str()).collect();
    answers_to(entry, &names)
}

fn answers_to(entry: &Entry, katas: &[&str]) -> BTreeMap<String, Answer> {
    let wanted: Vec<Wanted> = katas
        .iter()
        .map(|kata| Wanted { kata: (*kata).to_string(), bare: katas.len() == 1 || *kata == entry.name })
        .collect();
    let found = match entry.form {
        // The folder's reader refuses a link, with the reason.
        Form::Folder | Form::Link => folder::find(&entry.path, &wanted),
        Form::Archive(format) => archive::find(&entry.path, format, &wanted),
    };
    let answers: Vec<Answer> = match found {
        Ok(found) => found.into_iter().map(answer).collect(),
        Err(unreadable) => {
            let (refused, text) = told(unreadable);
            katas
                .iter()
                .map(|_| if refused { Answer::Refused(text.clone()) } else { Answer::Unreadable(text.clone()) })
                .collect()
        }
    };
    katas.iter().map(|kata| (*kata).to_string()).zip(answers).collect()
}

fn answer(found: Found) -> Answer {
    match found {
        None => Answer::Missing,
        Some(Ok(files)) => Answer::Given(files),
        Some(Err(unreadable)) => match told(unreadable) {
            (true, text) => Answer::Refused(text),
            (false, text) => Answer::Unreadable(text),
        },
    }
}

/// Whether it is the submission's fault, and the reason in words.
fn told(unreadable: Unreadable) -> (bool, String) {
    match unreadable {
        Unreadable::Refused { what, next } => (true, format!("{what}. {next}")),
        Unreadable::Environment(error) => (false, error.to_string()),
    }
}

/// A file name for a learner: safe on every system, and different for different learners even where capitals don't count.
///
/// Lower-case names of plain characters stay as they are; other characters are percent-encoded. What has capitals or is too
/// long gets a hash, after a `~` that no other name has.
pub(crate) fn safe_name(learner: &str) -> String {
    let mut safe = String::new();
    let device = is_device_name(learner);
    for (position, byte) in learner.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let first = position == 0 && (device || matches!(byte, b'.' | b'-'));
        let last = position + 1 == learner.len() && byte == b'.';
        if plain && !first && !last {
            safe.push(char::from(byte));
        } else {
            let _ = write!(safe, "%{byte:02x}");
        }
    }
    let long = safe.len() > LONGEST_SAFE_NAME;
    safe.truncate(LONGEST_SAFE_NAME);
    if long || safe.is_empty() || safe.bytes().any(|byte| byte.is_ascii_uppercase()) {
        safe.push('~');
        safe.push_str(&short_hash(learner.as_bytes()));
    }
    safe
}

/// 16 hexadecimal digits.
fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The name, followed by a hash where the file's name is no text: it must stay different from others.
fn unique(name: &str, file: &OsStr) -> String {
    match file.to_str() {
        Some(_) => name.to_string(),
        None => format!("{name}-{}", short_hash(file.as_encoded_bytes())),
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A learner's answer as a subject: its text is what was read.
pub(crate) fn subject(kata: &Arc<Kata>, learner: &str, files: Files) -> Subject {
    // A short hash of the name, which is a stranger's text: no path or package is made of that.
    let hash = &Fingerprint::default().add(learner).text()[..16];
    Subject::new(kata, format!("{}-{hash}", kata.name), learner.to_string(), Source::Given(files))
}

#[cfg(test)]
mod tests;
