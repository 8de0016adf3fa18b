//! Inspecting: what a submission must not do, read off its syntax tree before anything is built.
//!
//! `rules` says what no line of it may hold, `given` what of the stub must be left as it is. This is one layer of
//! several: nothing here is needed for the verdict to be true, it only makes the reason plain.

mod given;
mod names;
mod rules;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use proc_macro2::TokenStream;
use verdict::Diagnostic;

use crate::error::{Error, Result};
use crate::judging::inspect::names::{Names, STD};
use crate::judging::nesting;
use crate::judging::stage::Loaded;
use crate::repository::Repository;
use crate::subject::Source;
use crate::subject::catalog::Rules;
use crate::subject::sources::Files;

/// Something that must not be as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Objection {
    /// The path below `src/`.
    file: PathBuf,
    line: u32,
    message: String,
}

/// What the subject's files do against the rules; empty if nothing.
///
/// # Errors
/// The files could not be read at all, which is our mistake: a text that nobody foresaw.
pub(super) fn inspect(repository: &Repository, loaded: &Loaded) -> Result<Vec<Diagnostic>> {
    let kata = &loaded.subject.kata;
    let stub = repository.stub(&kata.name);
    let stub = fs::read_to_string(&stub).map_err(Error::io("read", &stub))?;
    let objections = thread::scope(|scope| {
        let reader = thread::Builder::new().stack_size(nesting::STACK);
        let objections = || objections(&loaded.files, &stub, &kata.about.rules);
        reader.spawn_scoped(scope, objections).map(|reading| reading.join().ok())
    });
    let objections = objections.ok().flatten().ok_or_else(|| {
        Error::new(
            format!("the rules of `{}` could not be applied to {}", kata.name, loaded.subject.name),
            "Look at its text by hand, and report it: no text should do that.",
        )
    })?;
    let diagnostic = |objection: Objection| {
        let (file, line) = (shown_path(&loaded.subject, &objection.file), objection.line);
        Diagnostic {
            level: "rule".to_string(),
            rendered: format!("{}\n  --> {file}:{line}\n", objection.message),
            message: objection.message,
            file: Some(file),
            line: Some(line),
        }
    };
    Ok(objections.into_iter().map(diagnostic).collect())
}

/// The objections to all files, those to one file together and in the order of its lines.
fn objections(files: &Files, stub: &str, rules: &Rules) -> Vec<Objection> {
    let unsafe_blocks = if rules.allow_unsafe { rules::unsafe_modules(stub) } else { Vec::new() };
    let (mut objections, mut read, mut trees) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (file, text) in files {
        // What does not parse does not compile: the compiler says it better.
        let Ok(tokens) = text.parse::<TokenStream>() else { continue };
        if let Some(line) = nesting::too_deep(&tokens) {
            let message = "this is nested more deeply than the compiler can read".to_string();
            objections.push(Objection { file: file.clone(), line, message });
            continue;
        }
        let Ok(tree) = syn::parse_file(text) else { continue };
        read.push((file, tokens));
        trees.insert(file.clone(), tree);
    }
    let (std, forbidden) = (syn::parse_file(STD).expect("it is Rust"), rules::forbidden(rules));
    let names = Names::new(&trees, &std, forbidden.iter().map(|(path, _)| path.clone()).collect());
    for (file, tokens) in read {
        let found = rules::objections((file, tokens, &trees[file]), &names, &forbidden, &unsafe_blocks);
        let objection = |(line, message)| Objection { file: file.clone(), line, message };
        objections.extend(found.into_iter().map(objection));
    }
    if trees.contains_key(Path::new("lib.rs")) {
        objections.extend(given::objections(syn::parse_file(stub).expect("a stub compiles"), &trees));
    }
    objections.sort();
    objections.dedup();
    objections
}

fn shown_path(subject: &crate::subject::Subject, file: &Path) -> String {
    match &subject.source {
        Source::Folder(_) => format!("{}/src/{}", subject.name, slashed(file)),
        Source::Given(_) => format!("{}/{}/src/{}", subject.name, subject.kata.name, slashed(file)),
        Source::File(_) | Source::Made(_) => subject.name.clone(),
    }
}

/// The parts of a path with `/` between them.
fn slashed(file: &Path) -> String {
    file.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// A name without the `r#` that may stand before any.
fn plain(name: &proc_macro2::Ident) -> String {
    name.to_string().trim_start_matches("r#").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::catalog;
    use crate::subject::sources;
    use crate::subject::{self, Declared, Subject};

    fn objections_to(repository: &Repository, subject: &Subject) -> Vec<String> {
        let files = sources::read(&subject.source).unwrap_or_else(|why| panic!("{}: {why:?}", subject.name));
        let stub = fs::read_to_string(repository.stub(&subject.kata.name)).expect("a stub");
        let objections = objections(&files, &stub, &subject.kata.about.rules);
        objections.into_iter().map(|one| format!("{}: {}", subject.name, one.message)).collect()
    }

    /// What must not be refused for its looks, and what must be.
    #[test]
    fn the_repositorys_own_submissions_break_rules_only_where_they_say_so() {
        let repository = Repository::find(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("a checkout");
        for kata in catalog::some(&repository, &[]).expect("katas") {
            for subject in [subject::stub(&repository, &kata), subject::solution(&repository, &kata)] {
                assert_eq!(objections_to(&repository, &subject), [""; 0]);
            }
            for (subject, declared) in subject::declared(&repository, &kata).expect("submissions") {
                let found = objections_to(&repository, &subject);
                let breaks_a_rule = matches!(&declared, Declared::Rejected(rejection) if rejection.kinds == ["rule"]);
                assert_eq!(breaks_a_rule, !found.is_empty(), "{}: {found:#?}", subject.name);
            }
        }
    }
}
