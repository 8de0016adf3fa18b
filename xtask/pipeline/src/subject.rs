//! Whose answer is judged. Stub, solution, wrong and right submissions and a learner's own all go the same way.

pub mod catalog;
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
    /// How many steps its scenarios may have together, if not as many as a learner waits for.
    pub steps: Option<u64>,
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
    Subject {
        kata: Arc::clone(kata),
        id: kata.name.clone(),
        name: repository.relative(&folder),
        source: Source::Folder(folder.join("src")),
        steps: None,
    }
}

/// The reference solution.
pub fn solution(repository: &Repository, kata: &Arc<Kata>) -> Subject {
    let folder = repository.solution(&kata.name);
    Subject {
        kata: Arc::clone(kata),
        id: format!("{}-solution", kata.name),
        name: repository.relative(&folder),
        source: Source::Folder(folder.join("src")),
        steps: None,
    }
}

/// The stub as it was delivered.
pub fn stub(repository: &Repository, kata: &Arc<Kata>) -> Subject {
    let file = repository.stub(&kata.name);
    Subject {
        kata: Arc::clone(kata),
        id: format!("{}-stub", kata.name),
        name: repository.relative(&file),
        source: Source::File(file),
        steps: None,
    }
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
    Ok(Subject {
        kata: Arc::clone(kata),
        id: format!("{}-submission", kata.name),
        name: shown.to_string(),
        source: Source::Folder(src),
        steps: None,
    })
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

/// What a submission in `tests/wrong` or `tests/right` declares in its first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declared {
    /// `//! accepted`
    Accepted,
    /// `//! rejected: race, deadlock`: the kinds of all failing tests together, sorted; or `rule`, or `compile-error`.
    Rejected(Vec<String>),
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
                    "Begin it with `//! accepted` in tests/right, and in tests/wrong with `//! rejected: KIND, …`, the kinds \
                     of its failing tests.",
                )
            })?;
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let subject = Subject {
                kata: Arc::clone(kata),
                id: format!("{}-{kind}-{stem}", kata.name),
                name: repository.relative(&file),
                source: source(repository, kata, file, &text)?,
                steps: None,
            };
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
    let line = text.lines().next()?.strip_prefix("//!")?.trim();
    if line == "accepted" {
        return Some(Declared::Accepted);
    }
    let mut kinds: Vec<String> =
        line.strip_prefix("rejected:")?.split(',').map(|kind| kind.trim().to_string()).collect();
    kinds.sort();
    kinds
        .iter()
        .all(|kind| kind == "rule" || kind == "compile-error" || verdict::Kind::from_name(kind).is_some())
        .then_some(Declared::Rejected(kinds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_is_the_first_line() {
        assert_eq!(parse_declaration("//! accepted\nfn main() {}"), Some(Declared::Accepted));
        let kinds = vec!["deadlock".to_string(), "race".to_string()];
        assert_eq!(parse_declaration("//! rejected: race, deadlock\n//!\n"), Some(Declared::Rejected(kinds)));
        assert_eq!(parse_declaration("//! rejected: slow"), None);
        assert_eq!(parse_declaration("// accepted"), None);
    }
}
