//! What a stub gives stays as given: its public items are compared with a submission's, and any that means something
//! else to whoever uses it is objected to.
//!
//! Names, lifetimes, bounds, `impl Trait`, modules, aliases and re-exports may be written in any way. Private fields
//! and further items are free, a function may ask less of its callers, and `Drop` is left to whoever needs it.
//!
//! What a macro makes can't be seen here, nor what is in a file that is no Rust to our parser. An item that is missing,
//! and may be there, is left to the `_signatures` in the kata's tests: they hold the same by types, whatever the source
//! looks like. So they are the other half of this. A syntax tree has the words for a learner, and sees the whole; a
//! type can't be dressed up.

mod promise;
mod spelling;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::judging::inspect::Objection;
use crate::judging::inspect::given::promise::{Promise, promises};
use crate::judging::inspect::names::{Names, STD};

/// How a submission differs from what the stub gives. `files` are those that could be read.
pub(super) fn objections(stub: syn::File, files: &BTreeMap<PathBuf, syn::File>) -> Vec<Objection> {
    let std = syn::parse_file(STD).expect("it is Rust");
    let stub = BTreeMap::from([(PathBuf::from("lib.rs"), stub)]);
    let mut given = Names::new(&stub, &std, BTreeSet::new());
    let wanted = given.public();
    let given = promises(&mut given, &wanted);
    let mut names = Names::new(files, &std, places(&given));
    let found = promises(&mut names, &wanted);

    let mut objections: Vec<Objection> = Vec::new();
    let mut wrong = BTreeSet::new();
    for (name, given) in &given {
        let owner = owner(name);
        // How a value is dropped is nothing that its users call: a field may do it. And of another type, methods say
        // nothing.
        if name.starts_with("std::ops::Drop for ") || wrong.contains(owner) {
            continue;
        }
        match found.get(name) {
            Some(found) => {
                for (given, found) in misfits(name, given, found) {
                    wrong.insert(name.as_str());
                    let message = format!("{}: leave it as it is", told(name, given, found));
                    objections.push(Objection { file: found.file.clone(), line: found.line, message });
                }
            }
            None if names.may_be_unseen(last_word(name)) => {}
            None => {
                wrong.insert(name.as_str());
                let message = format!(
                    "the stub gives `{}` as {}, and here it is missing: put it back, public and as it was",
                    shown(name),
                    given[0].words
                );
                let beside = found.get(owner).and_then(|found| found.first());
                let (file, line) = beside.map_or((Path::new("lib.rs"), 1), |found| (&found.file, found.line));
                objections.push(Objection { file: file.to_path_buf(), line, message });
            }
        }
    }
    objections
}

/// What was found in the place of what was given, and means something else to its users.
///
/// An implementation of a trait may stand beside others of the same trait: further ones are free. Of anything else
/// there are several only where a system chooses between them, and each must be as given.
fn misfits<'p>(name: &str, given: &'p [Promise], found: &'p [Promise]) -> Vec<(&'p Promise, &'p Promise)> {
    if name.contains(" for ") {
        let lost = given.iter().filter(|given| !found.iter().any(|found| given.is_kept_by(found)));
        lost.map(|given| (given, &found[0])).collect()
    } else {
        let other = found.iter().filter(|found| !given.iter().any(|given| given.is_kept_by(found)));
        other.map(|found| (&given[0], found)).collect()
    }
}

/// What is there in the place of what was given, in words.
fn told(name: &str, given: &Promise, found: &Promise) -> String {
    let (shown, words) = (shown(name), &given.words);
    if given.parts_are_kept_by(found) && found.demands.is_subset(&given.demands) {
        let underived = given.derives.difference(&found.derives).next();
        let underived = underived.and_then(|place| place.rsplit("::").next()).unwrap_or_default();
        format!("the stub derives `{underived}` for `{shown}`, and here it is not derived")
    } else if given.words != found.words && !(given.parts_are_kept_by(found) && given.around != found.around) {
        format!("the stub gives `{shown}` as {words}, and here it is {}", found.words)
    } else if given.around != found.around {
        format!("the stub gives `{shown}` in `{}`, and here it is in `{}`", given.around, found.around)
    } else {
        let (meant, means) = other_meaning(given, found);
        format!("the stub gives `{shown}` as {words}, which means `{meant}`, and here it means `{means}`")
    }
}

/// The first place that differs although the text does not.
fn other_meaning<'a>(given: &'a Promise, found: &'a Promise) -> (&'a str, &'a str) {
    words(given).zip(words(found)).find(|(given, found)| given != found).unwrap_or(("", ""))
}

/// All that a promise spells, word by word.
fn words(promise: &Promise) -> impl Iterator<Item = &str> {
    let spelled = promise.parts.values().chain(&promise.offers).chain(&promise.demands);
    let word = |one: char| one.is_alphanumeric() || matches!(one, '_' | ':' | '$' | '\'');
    let words = spelled.flat_map(move |spelled| spelled.split(move |one| !word(one)));
    words.map(|word| word.trim_end_matches(':')).filter(|word| !word.is_empty())
}

/// The places that promises mention.
fn places(promises: &BTreeMap<String, Vec<Promise>>) -> BTreeSet<String> {
    let words = promises.values().flatten().flat_map(words);
    words.filter(|word| word.contains("::")).map(str::to_string).collect()
}

/// The type to which a method or an implementation belongs; else, itself.
fn owner(name: &str) -> &str {
    match name.split_once(" for ") {
        Some((_, owner)) => owner,
        None => name.split("::").next().unwrap_or(name),
    }
}

/// A name as people write it.
fn shown(name: &str) -> String {
    match name.split_once(" for ") {
        Some((implemented, owner)) => format!("{} for {owner}", last_word(implemented)),
        None => name.to_string(),
    }
}

/// The word by which a macro would have to make it.
fn last_word(name: &str) -> &str {
    let name = name.split(" for ").next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name)
}
