//! Whose answer is judged. Stub, solution, wrong and right submissions and a learner's own all go the same way.

pub mod catalog;
pub mod needed;
pub mod patch;
pub mod sources;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::repository::Repository;
use crate::subject::catalog::Kata;
use crate::subject::sources::Files;

/// An answer to a kata.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The kata that it answers.
    pub kata: Arc<Kata>,
    /// Its name among staged crates: `lock`, `lock-wrong-abba`.
    pub id: String,
    /// What people call it: `katas/lock`, `tests/wrong/lock/abba.rs`.
    pub name: String,
    /// Where its text is.
    pub source: Source,
    /// Which of the kata's tests are run: all, if none is named.
    pub tests: Vec<String>,
    /// Whether all its scenarios are tried, up to their bound, and not as many as a learner waits for.
    pub deep: bool,
}

impl Subject {
    /// An answer that is judged by all tests.
    pub fn new(kata: &Arc<Kata>, id: String, name: String, source: Source) -> Subject {
        Subject { kata: Arc::clone(kata), id, name, source, tests: Vec::new(), deep: false }
    }

    /// Whether that test is run.
    pub(crate) fn wants(&self, test: &str) -> bool {
        self.tests.is_empty() || self.tests.iter().any(|wanted| wanted == test)
    }

    /// The tests that are run, in the kata's order.
    pub(crate) fn wanted(&self) -> impl Iterator<Item = &str> {
        self.kata.tests.iter().map(String::as_str).filter(|test| self.wants(test))
    }
}

/// Where a subject's text is.
#[derive(Clone, Debug)]
pub enum Source {
    /// A `src` folder.
    Folder(PathBuf),
    /// One file that stands in for `src/lib.rs`.
    File(PathBuf),
    /// The text of `src/lib.rs`, made of another subject's by a patch or by a mutation.
    Made(String),
    /// The text itself, by its path below `src/`: it was read from a class.
    Given(Files),
}

/// The learner's own answer, in the kata's folder.
pub fn learner(repository: &Repository, kata: &Arc<Kata>) -> Subject {
    let folder = repository.kata(&kata.name);
    Subject::new(kata, kata.name.clone(), repository.relative(&folder), Source::Folder(folder.join("src")))
}

/// The reference solution.
pub fn solution(repository: &Repository, kata: &Arc<Kata>) -> Subject {
    let folder = repository.solution(&kata.name);
    let id = format!("{}-solution", kata.name);
    Subject::new(kata, id, repository.relative(&folder), Source::Folder(folder.join("src")))
}

/// The stub as it was delivered.
pub fn stub(repository: &Repository, kata: &Arc<Kata>) -> Subject {
    let file = repository.stub(&kata.name);
    Subject::new(kata, format!("{}-stub", kata.name), repository.relative(&file), Source::File(file))
}

/// A submission: a kata's folder, or a checkout that has the kata.
///
/// # Errors
/// The folder is missing, empty, or holds neither.
pub fn submission(kata: &Arc<Kata>, folder: &Path) -> Result<Subject> {
    let shown = folder.display();
    let help = format!(
        "Give the kata's folder (with `src/lib.rs` in it) or a checkout that has `katas/{}/src/lib.rs`.",
        kata.name
    );
    let kind = fs::symlink_metadata(folder)
        .map_err(|error| Error::new(format!("cannot read the submission {shown}: {error}"), &help))?;
    if kind.is_symlink() {
        return Err(Error::new(
            format!("the submission {shown} is a symbolic link"),
            "Give the folder that it points to.",
        ));
    }
    if !kind.is_dir() {
        return Err(Error::new(format!("the submission {shown} is not a folder"), help));
    }
    let entries = fs::read_dir(folder).map_err(Error::io("read", folder))?;
    if entries.count() == 0 {
        return Err(Error::new(format!("the submission {shown} is empty"), help));
    }
    let inside = [folder.join("katas").join(&kata.name).join("src"), folder.join("src")];
    let src = inside
        .into_iter()
        .find(|src| fs::symlink_metadata(src).is_ok())
        .ok_or_else(|| Error::new(format!("the submission {shown} has no `src` folder"), help))?;
    Ok(Subject::new(kata, format!("{}-submission", kata.name), shown.to_string(), Source::Folder(src)))
}

/// The subject that `--solution` and `--submission DIR` choose; the learner's own without them.
///
/// # Errors
/// See [`submission`].
pub fn of(repository: &Repository, kata: &Arc<Kata>, reference: bool, folder: Option<&Path>) -> Result<Subject> {
    match folder {
        Some(folder) => submission(kata, folder),
        None if reference => Ok(solution(repository, kata)),
        None => Ok(learner(repository, kata)),
    }
}

/// The wrong submission of that name, for showing what is wrong with it.
///
/// # Errors
/// The kata has none of that name; and see [`declared`].
pub fn wrong(repository: &Repository, kata: &Arc<Kata>, name: &str) -> Result<Subject> {
    let begins = format!("{}-wrong-", kata.name);
    let all = declared(repository, kata)?.into_iter().map(|(subject, _)| subject);
    let wrong: Vec<Subject> = all.filter(|subject| subject.id.starts_with(&begins)).collect();
    let names = wrong.iter().map(|subject| &subject.id[begins.len()..]);
    let next = match catalog::nearest(name, names.clone()) {
        Some(near) => format!("Did you mean `{near}`? They are in tests/wrong/{}.", kata.name),
        None => format!("They are in tests/wrong/{}: {}.", kata.name, names.collect::<Vec<_>>().join(", ")),
    };
    let found = wrong.into_iter().find(|subject| subject.id[begins.len()..] == *name);
    let mut found =
        found.ok_or_else(|| Error::new(format!("the kata `{}` has no wrong submission `{name}`", kata.name), next))?;
    if matches!(found.source, Source::Made(_)) {
        // The lines are those of the text that the patch makes, not the patch's own.
        found.name = format!("{name}/lib.rs");
    }
    Ok(found)
}

/// What a submission in `tests/wrong` or `tests/right` declares in its first lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declared {
    /// `//! accepted`
    Accepted,
    /// `//! rejected: KIND, …`, and below it mostly `//! by: TEST, …`
    Rejected(Rejection),
}

/// Why and by whom a submission is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The kinds of all these tests' failures together, sorted; or `rule`, or `compile-error`.
    pub kinds: Vec<String>,
    /// Tests that fail, each of them every time. Where none is named, all tests are run, and some fail.
    pub by: Vec<String>,
}

/// The submissions that a kata must reject (`tests/wrong`) or accept (`tests/right`), by name: whole files, and patches against
/// the solution or against one of the files that must be accepted.
///
/// # Errors
/// A file cannot be read, its first line declares nothing, or a patch does not fit.
pub fn declared(repository: &Repository, kata: &Arc<Kata>) -> Result<Vec<(Subject, Declared)>> {
    let mut subjects = Vec::new();
    for (folder, kind) in [(repository.wrong(&kata.name), "wrong"), (repository.right(&kata.name), "right")] {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        let mut files: Vec<PathBuf> = entries.filter_map(|entry| entry.ok()).map(|entry| entry.path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "rs" || extension == "patch"));
        files.sort();
        for file in files {
            let text = fs::read_to_string(&file).map_err(Error::io("read", &file))?;
            // Only what must be accepted lies among the right ones: these may be bases of patches.
            let fits = |declared: &Declared| (kind == "right") == (*declared == Declared::Accepted);
            let declared = parse_declaration(&text).filter(fits).ok_or_else(|| {
                Error::new(
                    format!("{} does not say what becomes of it", repository.relative(&file)),
                    "Begin it with `//! accepted` in tests/right, and in tests/wrong with `//! rejected: KIND, …` and \
                     `//! by: TEST, …`, tests that fail and the kinds of their failures.",
                )
            })?;
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let (id, name) = (format!("{}-{kind}-{stem}", kata.name), repository.relative(&file));
            let mut subject = Subject::new(kata, id, name, source(repository, kata, file, &text)?);
            if let Declared::Rejected(rejection) = &declared {
                let no_test = |error: Error| error.in_file(&subject.name);
                rejection.by.iter().try_for_each(|test| kata.has_test(test)).map_err(no_test)?;
                subject.tests.clone_from(&rejection.by);
            }
            subjects.push((subject, declared));
        }
    }
    Ok(subjects)
}

/// Where the text of this file's subject is: the file itself, or what the patch in it makes.
fn source(repository: &Repository, kata: &Kata, file: PathBuf, text: &str) -> Result<Source> {
    if file.extension().is_some_and(|extension| extension == "rs") {
        return Ok(Source::File(file));
    }
    let base = |path: &str| {
        let path = repository.root().join(path);
        let solution = path == repository.solution(&kata.name).join("src/lib.rs");
        let right = path.parent() == Some(&repository.right(&kata.name))
            && path.extension().is_some_and(|extension| extension == "rs");
        (solution || right).then(|| fs::read_to_string(path).ok()).flatten()
    };
    patch::apply(text, base).map(Source::Made).map_err(|what| {
        let next = "Make the mistake in the base again, keep the first lines, and let `git diff` write the rest.";
        Error::new(format!("{} {what}", repository.relative(&file)), next)
    })
}

fn parse_declaration(text: &str) -> Option<Declared> {
    let mut lines = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
    let first = lines.next()?;
    if first == "accepted" {
        return Some(Declared::Accepted);
    }
    let mut kinds = listed(first.strip_prefix("rejected:")?);
    kinds.sort();
    let below = lines.take_while(|line| !line.is_empty()).collect::<Vec<&str>>().join(" ");
    let by = below.strip_prefix("by:").map(listed).unwrap_or_default();
    kinds
        .iter()
        .all(|kind| kind == "rule" || kind == "compile-error" || verdict::Kind::from_name(kind).is_some())
        .then_some(Declared::Rejected(Rejection { kinds, by }))
}

fn listed(names: &str) -> Vec<String> {
    names.split(',').map(|name| name.trim().to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_is_in_the_first_lines() {
        assert_eq!(parse_declaration("//! accepted\nfn main() {}"), Some(Declared::Accepted));
        let owned = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        let rejected = |by| Some(Declared::Rejected(Rejection { kinds: owned(&["deadlock", "race"]), by: owned(by) }));
        assert_eq!(parse_declaration("//! rejected: race, deadlock\n//!\n"), rejected(&[]));
        assert_eq!(
            parse_declaration("//! rejected: race, deadlock\n//! by: a,\n//!    b\n//!\n//! by: c"),
            rejected(&["a", "b"])
        );
        assert_eq!(parse_declaration("//! rejected: slow"), None);
        assert_eq!(parse_declaration("// accepted"), None);
    }
}
