//! Reading what a submission may hold, from a folder or an archive: regular UTF-8 `.rs` files below `src/`, few and short.
//!
//! Every byte here comes from a stranger. Links are never followed, everything is read through a cap, and nothing is
//! written. Names that no answer can use are skipped: `mod` finds a file only under a plain ASCII name, and `#[path]`
//! is forbidden.

pub mod folder;
pub mod handle;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::subject::Source;

/// No kata needs a source file longer than this, in KiB.
const LONGEST_FILE_KIB: u64 = 256;
/// [`LONGEST_FILE_KIB`] in bytes.
pub const LONGEST_FILE: u64 = LONGEST_FILE_KIB * 1024;
/// No kata needs more source than this in all, in MiB.
const MOST_SOURCE_MIB: usize = 1;
/// No kata needs more source files than this.
const MOST_FILES: usize = 64;
/// Files and folders that are looked at below one `src`, sources or not.
const MOST_LOOKED_AT: usize = 2_000;
/// Folders inside each other below `src`.
pub const DEEPEST: usize = 8;
/// Bytes of a source file's name with its folders: longer ones can't be staged on every system.
const LONGEST_NAME: usize = 200;

/// The source files of an answer, by their path below `src/`.
pub type Files = BTreeMap<PathBuf, String>;

/// Why an answer could not be read.
#[derive(Debug)]
pub enum Unreadable {
    /// The submission is not what one may be.
    Refused {
        /// What is wrong.
        what: String,
        /// What the learner can do.
        next: String,
    },
    /// The machine's fault, and never the learner's: permissions, a broken disk.
    Environment(Error),
}

impl Unreadable {
    /// What is wrong, and what the learner can do.
    pub fn refused(what: impl Into<String>, next: impl Into<String>) -> Unreadable {
        Unreadable::Refused { what: what.into(), next: next.into() }
    }
}

impl From<Unreadable> for Error {
    fn from(unreadable: Unreadable) -> Error {
        match unreadable {
            Unreadable::Refused { what, next } => Error::new(what, next),
            Unreadable::Environment(error) => error,
        }
    }
}

/// A kata that is looked for in a learner's folder or archive.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The kata.
    pub kata: String,
    /// Whether a `src` that stands alone, in no folder of the kata's name, is an answer to it.
    pub bare: bool,
}

/// What was found of one kata: nothing, or an answer, or why it can't be read.
pub type Found = Option<std::result::Result<Files, Unreadable>>;

/// Reads a subject's source files.
///
/// # Errors
/// A symbolic link, a file that is not UTF-8, a file too long, too many files, or no `lib.rs`; or the machine's fault.
pub fn read(source: &Source) -> std::result::Result<Files, Unreadable> {
    match source {
        Source::Given(files) => Ok(files.clone()),
        Source::Made(text) => Ok(Files::from([(PathBuf::from("lib.rs"), text.clone())])),
        Source::Folder(src) => folder::read(src),
        Source::File(file) => {
            let bytes = fs::File::open(file).and_then(read_capped).map_err(environment("read", file))?;
            let gathered = Gathered::new(file.parent().unwrap_or(Path::new("")));
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let text = gathered.checked(&name, bytes)?;
            Ok(Files::from([(PathBuf::from("lib.rs"), text)]))
        }
    }
}

/// The folders that may be a kata's `src`, best first: in a checkout, in a folder of katas, in the kata's own folder. Where
/// all is in one folder `top`, as downloads have it (`ada-main/katas/…`), then the same inside of that.
pub fn places(one: &Wanted, all: &[Wanted], top: Option<&str>) -> Vec<Vec<String>> {
    let mut places = Vec::new();
    for before in [Some(None), top.map(Some)].into_iter().flatten() {
        let place = |names: &[&str]| before.iter().chain(names).map(|name| (*name).to_string()).collect();
        places.push(place(&["katas", &one.kata, "src"]));
        places.push(place(&[&one.kata, "src"]));
        // `queue/src` is an answer to `queue` only, whatever the folder around it is called.
        if one.bare && !all.iter().any(|other| Some(other.kata.as_str()) == before) {
            places.push(place(&["src"]));
        }
    }
    places
}

/// Whether a name at the top says nothing about the layout: dotfiles and what macOS adds to archives.
pub fn is_noise(name: &str) -> bool {
    name.starts_with('.') || name == "__MACOSX"
}

/// Whether the single folder at the top may be looked through.
pub fn may_be_looked_through(name: &str) -> bool {
    !matches!(name, "katas" | "src")
}

/// Whether `mod` can find a source file of that name, below folders of its like.
pub fn is_source_name(name: &str) -> bool {
    name.strip_suffix(".rs").is_some_and(is_module_name)
}

/// Whether a module can have that name, and so a folder of modules.
pub fn is_module_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Names that Windows keeps for devices, with any ending: a file of such a name can't be staged there.
pub fn is_device_name(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let numbered = |prefix| {
        stem.strip_prefix(prefix).is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

/// A stranger's name, fit for a message: what would move the cursor or hide text is spelled out.
pub fn printable(name: &str) -> String {
    let mut shown = String::new();
    for one in name.chars() {
        let escaped = one.escape_debug();
        // `escape_debug` also escapes quotes and backslashes, which are harmless, and combining accents, which are not.
        if escaped.len() == 1 || matches!(one, '\'' | '"' | '\\') {
            shown.push(one);
        } else {
            let _ = write!(shown, "{escaped}");
        }
    }
    shown
}

/// A machine's fault while `doing` something with `path`.
pub fn environment<'a>(doing: &'a str, path: &'a Path) -> impl FnOnce(io::Error) -> Unreadable + 'a {
    move |error| Unreadable::Environment(Error::io(doing, path)(error))
}

/// Reads to the end, but never more than one byte beyond [`LONGEST_FILE`].
pub fn read_capped(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(LONGEST_FILE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The source files of one answer, as they come in: refuses them as soon as they are too many, too long, or no text.
#[derive(Debug)]
pub struct Gathered {
    /// The `src` folder, as the learner knows it.
    src: PathBuf,
    files: Files,
    /// Bytes of all files.
    total: usize,
    /// Each file and folder by its name in lower case: two that differ only in case are one on many systems.
    folded: BTreeMap<String, String>,
}

impl Gathered {
    /// Nothing yet of that `src` folder.
    pub fn new(src: impl Into<PathBuf>) -> Gathered {
        Gathered { src: src.into(), files: Files::new(), total: 0, folded: BTreeMap::new() }
    }

    /// What the learner calls the file.
    pub fn shown(&self, name: &str) -> String {
        name.split('/').fold(self.src.clone(), |path, part| path.join(part)).display().to_string()
    }

    /// Adds a file; `name` is its path below `src`, with `/` between folders.
    pub fn add(&mut self, name: &str, bytes: Vec<u8>) -> std::result::Result<(), Unreadable> {
        if self.files.len() == MOST_FILES {
            return Err(Unreadable::refused(
                format!("{} has more than {MOST_FILES} source files", self.src.display()),
                "Keep the answer in few files; one is enough for every kata.",
            ));
        }
        self.check_name(name)?;
        let text = self.checked(name, bytes)?;
        self.total += text.len();
        if self.total > MOST_SOURCE_MIB * 1024 * 1024 {
            return Err(Unreadable::refused(
                format!("{} holds more than {MOST_SOURCE_MIB} MiB of source", self.src.display()),
                "No kata needs that much; keep only your answer there.",
            ));
        }
        self.files.insert(name.split('/').collect(), text);
        Ok(())
    }

    /// The text of a file, if it is short enough and text at all.
    pub fn checked(&self, name: &str, bytes: Vec<u8>) -> std::result::Result<String, Unreadable> {
        if bytes.len() as u64 > LONGEST_FILE {
            return Err(Unreadable::refused(
                format!("{} is longer than {LONGEST_FILE_KIB} KiB", self.shown(name)),
                "No kata needs that much; keep only your answer in the file.",
            ));
        }
        String::from_utf8(bytes).map_err(|error| {
            Unreadable::refused(
                format!("{} is not UTF-8 (byte {})", self.shown(name), error.utf8_error().valid_up_to() + 1),
                "Save the file as UTF-8.",
            )
        })
    }

    /// A name must mean one file, and the same one, on every system.
    pub fn check_name(&mut self, name: &str) -> std::result::Result<(), Unreadable> {
        if name.len() > LONGEST_NAME {
            return Err(Unreadable::refused(
                format!("{} holds a file with a name longer than {LONGEST_NAME} characters", self.src.display()),
                "Give the file and its folders shorter names.",
            ));
        }
        if let Some(device) = name.split('/').find(|part| is_device_name(part)) {
            return Err(Unreadable::refused(
                format!("{}: Windows keeps the name `{device}` for a device", self.shown(name)),
                "Give it another name: the verdict must be the same on every system.",
            ));
        }
        let ends = name.match_indices('/').map(|(end, _)| end).chain([name.len()]);
        for part in ends.map(|end| &name[..end]) {
            let first = self.folded.entry(part.to_ascii_lowercase()).or_insert_with(|| part.to_string()).clone();
            if first != part {
                return Err(Unreadable::refused(
                    format!("{} and {} differ only in capitals", self.shown(&first), self.shown(part)),
                    "Keep one of them: many systems take them for the same file.",
                ));
            }
        }
        Ok(())
    }

    /// The answer, if it is one.
    pub fn finish(self) -> std::result::Result<Files, Unreadable> {
        if self.files.contains_key(Path::new("lib.rs")) {
            return Ok(self.files);
        }
        Err(Unreadable::refused(
            format!("{} has no `lib.rs`", self.src.display()),
            "That is the file with the answer; `cargo xtask reset KATA` brings a kata's stub back.",
        ))
    }
}

#[cfg(test)]
mod tests;
