//! Rules of the repository, each with its reason. A rule that nobody checks is a wish.

mod imports;
mod katas;
mod ready;
// The same list that `verify` reads out.
#[path = "../../xtask/src/unfinished.rs"]
mod unfinished;

use std::fs;
use std::path::{Path, PathBuf};

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask/ is in the repository").to_path_buf()
}

/// The text of a file in the repository.
fn read(below: &str) -> String {
    fs::read_to_string(root().join(below)).unwrap_or_else(|error| panic!("{below}: {error}"))
}

/// The names in a folder of the repository, sorted; none if it is not there.
fn names(below: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root().join(below)) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

/// Every `.rs` file below a folder of the repository, with its text.
fn sources(below: &str) -> Vec<(String, String)> {
    files(below, ".rs")
}

/// Every file with this ending below a folder of the repository, with its text.
fn files(below: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for name in names(below) {
        let path = format!("{below}/{name}");
        if root().join(&path).is_dir() {
            found.extend(files(&path, ending));
        } else if name.ends_with(ending) {
            found.push((path.clone(), read(&path)));
        }
    }
    found
}

/// A manifest of the repository.
fn manifest(below: &str) -> toml::Table {
    toml::from_str(&read(below)).unwrap_or_else(|error| panic!("{below}: {error}"))
}

/// The test functions of a kata, in the order of the file.
fn tests_of(kata: &str) -> Vec<syn::ItemFn> {
    let file = syn::parse_file(&read(&format!("katas/{kata}/tests/{kata}.rs"))).expect("a Rust file");
    let functions = file.items.into_iter().filter_map(|item| match item {
        syn::Item::Fn(function) => Some(function),
        _ => None,
    });
    functions.filter(|function| function.attrs.iter().any(|attribute| attribute.path().is_ident("test"))).collect()
}
