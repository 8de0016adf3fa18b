//! Inspecting: what a submission must not do, read off its syntax tree before anything is built.
//!
//! `rules` says what no line of it may hold, `given` what of the stub must be left as it is. This is one layer of
//! several: nothing here is needed for the verdict to be true, it only makes the reason plain.

mod given;
mod made;
mod names;
mod rules;
mod source;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use verdict::Diagnostic;

use crate::error::{Error, Result};
use crate::judging::inspect::made::Made;
use crate::judging::inspect::names::{Names, STD};
use crate::judging::inspect::source::Reading;
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

/// What there is to say against a subject's files.
#[derive(Debug, Default)]
pub(super) struct Inspected {
    /// What they do against the rules.
    pub(super) objections: Vec<Diagnostic>,
    /// Those that can't be read. The compiler says better what is wrong with them; but if it finds nothing, nobody knows what they do.
    pub(super) unread: Vec<Diagnostic>,
}

/// Reads the subject's files.
///
/// # Errors
/// They made us fail, which is our mistake: a text that nobody foresaw.
pub(super) fn inspect(repository: &Repository, loaded: &Loaded) -> Result<Inspected> {
    let kata = &loaded.subject.kata;
    let stub = repository.stub(&kata.name);
    let stub = fs::read_to_string(&stub).map_err(Error::io("read", &stub))?;
    let found = thread::scope(|scope| {
        let reader = thread::Builder::new().stack_size(nesting::STACK);
        let objections = || objections(&loaded.files, &stub, &kata.about.rules);
        reader.spawn_scoped(scope, objections).map(|reading| reading.join().ok())
    });
    let (objections, unread) = found.ok().flatten().ok_or_else(|| {
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
    let diagnostics = |objections: Vec<Objection>| objections.into_iter().map(diagnostic).collect();
    Ok(Inspected { objections: diagnostics(objections), unread: diagnostics(unread) })
}

/// The objections to all files, those to one file together and in the order of its lines; and those to files that can't be read.
fn objections(files: &Files, stub: &str, rules: &Rules) -> (Vec<Objection>, Vec<Objection>) {
    let unsafe_blocks = if rules.allow_unsafe { rules::unsafe_modules(stub) } else { Vec::new() };
    let (mut objections, mut unread, mut read, mut trees) = (Vec::new(), Vec::new(), Vec::new(), BTreeMap::new());
    for (file, text) in files {
        match source::read(text) {
            Reading::Read(tokens, tree) => {
                read.push((file, tokens));
                trees.insert(file.clone(), tree);
            }
            Reading::TooDeep(line) => {
                let message = "this is nested more deeply than the compiler can read".to_string();
                objections.push(Objection { file: file.clone(), line, message });
            }
            Reading::Unread(line) => {
                let message = format!("`{}` can't be read as Rust: repair it, or remove it", slashed(file));
                unread.push(Objection { file: file.clone(), line, message });
            }
        }
    }
    let words: BTreeSet<String> = read
        .iter()
        .flat_map(|(_, tokens)| tokens::words(tokens.clone()))
        .map(|word| plain(&word).to_lowercase())
        .collect();
    unread.retain(|one| may_be_a_module(&one.file, &words));
    let (std, forbidden) = (syn::parse_file(STD).expect("it is Rust"), rules::forbidden(rules));
    let names = Names::new(&trees, &std, forbidden.iter().map(|(path, _)| path.clone()).collect());
    let made = Made::of(&trees);
    // What the given unsafe code says is only what it means as long as its names stand for what they did.
    let relied_on: BTreeSet<String> = unsafe_blocks
        .iter()
        .filter(|block| read.iter().any(|(_, tokens)| rules::has_module(tokens, block)))
        .flat_map(|block| tokens::words(block.parse().unwrap_or_default()))
        .map(|word| plain(&word))
        .collect();
    for (file, tokens) in read {
        let crates = if relied_on.is_empty() { Vec::new() } else { rules::named_crates(tokens.clone()) };
        for (line, name) in
            crates.into_iter().filter(|(_, name)| name.as_ref().is_none_or(|name| relied_on.contains(name)))
        {
            let name = name.map_or("a name that a macro makes up".to_string(), |name| format!("`{name}`"));
            let message =
                format!("no crate can be called {name} here: the given unsafe code would mean something else");
            objections.push(Objection { file: file.clone(), line, message });
        }
        let found = rules::objections((file, tokens, &trees[file]), &names, made, &forbidden, &unsafe_blocks);
        let objection = |(line, message)| Objection { file: file.clone(), line, message };
        objections.extend(found.into_iter().map(objection));
    }
    if trees.contains_key(Path::new("lib.rs")) {
        objections.extend(given::objections(syn::parse_file(stub).expect("a stub compiles"), &trees));
    }
    objections.sort();
    objections.dedup();
    (objections, unread)
}

/// Whether a file may be a part of the crate: somebody has to write its name, however large its letters are to a file system.
fn may_be_a_module(file: &Path, words: &BTreeSet<String>) -> bool {
    let stem = file.with_extension("");
    let name = if stem.ends_with("mod") { stem.parent().and_then(Path::file_name) } else { stem.file_name() };
    let name = name.map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    file == Path::new("lib.rs") || !name.is_ascii() || words.contains(&name)
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
        let (objections, unread) = objections(&files, &stub, &subject.kata.about.rules);
        objections.into_iter().chain(unread).map(|one| format!("{}: {}", subject.name, one.message)).collect()
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

    fn files(files: &[(&str, &str)]) -> Files {
        files.iter().map(|(file, text)| (PathBuf::from(file), text.to_string())).collect()
    }

    #[test]
    fn a_first_line_for_the_shell_hides_nothing() {
        for first in ["#!(", "#!/bin/sh", "#!", "#! // [\r", "\u{feff}#! {", "#! /* [ */ (", "#! //! [", "#!\"["] {
            let text = format!("{first}\nuse std::process::exit;");
            let (found, _) = objections(&files(&[("lib.rs", &text)]), "", &Rules::default());
            let lines: Vec<u32> = found.iter().map(|objection| objection.line).collect();
            assert_eq!(lines, [2], "{first}: {found:?}");
        }
        for attribute in ["#![feature(x)]", "#! /* ( */ [feature(x)]", "#! // (\n\u{2028}[feature(x)]"] {
            let (found, _) = objections(&files(&[("lib.rs", attribute)]), "", &Rules::default());
            assert_eq!(found.len(), 1, "{attribute}");
        }
    }

    #[test]
    fn what_is_not_too_deep_is_read_on_the_stack_that_there_is() {
        let deepest = |part: &str, begin: &str, end: &str| {
            let text = |parts: usize| format!("{begin}{}{end}", part.repeat(parts));
            let is_deep = |text: &str| nesting::too_deep(&text.parse().unwrap()).is_some();
            let parts = (1..4_000).take_while(|parts| parts % 100 != 0 || !is_deep(&text(*parts))).last().unwrap();
            text(parts / 100 * 100)
        };
        let reader = thread::Builder::new().stack_size(nesting::STACK).spawn(move || {
            for (part, begin, end) in [
                ("R<u8,", "type T = ", "u8;"),
                ("|a,|", "fn f() { ", "x }"),
                ("+ {}", "fn f() { let x = {}", "; }"),
                ("else if {} {}", "fn f() { if {} {}", "}"),
                ("!", "fn f() { ", "x }"),
            ] {
                let text = deepest(part, begin, end);
                assert!(text.len() > 1_000, "{part}");
                objections(&files(&[("lib.rs", &text)]), "", &Rules::default());
            }
        });
        reader.unwrap().join().unwrap();
    }

    #[test]
    fn what_can_t_be_read_is_told_from_what_breaks_a_rule() {
        let texts = [
            ("lib.rs", "mod A; mod b { mod c; mod d; }\nuse std::process::exit;"),
            ("a.rs", "\n\u{0}"),
            ("b/c.rs", "\nfn ("),
            ("b/d/mod.rs", "fn ("),
            ("notes.rs", "what nobody calls a module is none"),
        ];
        let (objections, unread) = objections(&files(&texts), "", &Rules::default());
        assert_eq!(objections.len(), 1);
        let told: Vec<(u32, &str)> = unread.iter().map(|one| (one.line, one.message.as_str())).collect();
        assert_eq!(
            told,
            [
                (2, "`a.rs` can't be read as Rust: repair it, or remove it"),
                (2, "`b/c.rs` can't be read as Rust: repair it, or remove it"),
                (1, "`b/d/mod.rs` can't be read as Rust: repair it, or remove it"),
            ]
        );
        let (_, unread) = super::objections(&files(&[("lib.rs", "fn (")]), "", &Rules::default());
        assert_eq!(unread.len(), 1, "the root needs no name");
    }

    #[test]
    fn what_a_given_block_of_unsafe_code_relies_on_is_what_it_says() {
        let stub = "mod memory {\n    use memmap2::Raw;\n    fn f() { unsafe {} }\n}";
        let rules = Rules { allow_unsafe: true, ..Rules::default() };
        let lines = |text: &str| -> Vec<u32> {
            let (found, _) = objections(&files(&[("lib.rs", &format!("{stub}\n{text}"))]), stub, &rules);
            found.iter().map(|objection| objection.line).collect()
        };
        assert_eq!(lines("extern crate memmap2; extern crate std as standard; pub mod own {}"), [0; 0]);
        assert_eq!(lines("extern crate self as memmap2;"), [5]);
        assert_eq!(lines("extern crate self as r#memmap2;"), [5]);
        assert_eq!(lines("mod a {\nextern crate std as memmap2; }"), [6]);
        assert_eq!(lines("macro_rules! m { () => { extern crate self as memmap2; } }"), [5]);
        assert_eq!(lines("macro_rules! m { ($a:ident) => { extern crate self as $a; } }"), [5]);
        let (bare, _) = objections(&files(&[("lib.rs", "extern crate self as memmap2;")]), stub, &rules);
        assert_eq!(bare, [], "who has not the block is free");
    }
}
