//! What a kata lacks before it is finished, beside right verdicts. `verify` says it, and a rule of the repository holds it.

use std::fs;
use std::path::{Path, PathBuf};

/// Fewer mistakes that people make, and fewer other ways to be right, prove little.
const LEAST: [(&str, usize); 2] = [("tests/wrong", 8), ("tests/right", 2)];
/// Fewer hints can't lead there stepwise.
const LEAST_HINTS: usize = 3;
/// What stands where something has to be written.
const TODO: &str = "TODO";

/// What is missing, a line each.
pub(crate) fn lacks(root: &Path, kata: &str) -> Vec<String> {
    let files = [
        format!("katas/{kata}/README.md"),
        format!("katas/{kata}/HINTS.md"),
        format!("katas/{kata}/Cargo.toml"),
        format!("katas/{kata}/src/lib.rs"),
        format!("katas/{kata}/tests/{kata}.rs"),
        format!("solutions/{kata}/Cargo.toml"),
        format!("solutions/{kata}/src/lib.rs"),
        format!("tests/stubs/{kata}.rs"),
    ];
    let contract = format!("katas/{kata}/tests/{kata}/contract.rs");
    let has_parts = root.join(&contract).parent().is_some_and(Path::is_dir);
    let mut lacks = Vec::new();
    for file in files.into_iter().chain(has_parts.then_some(contract)) {
        match fs::read_to_string(root.join(&file)) {
            Err(_) => lacks.push(format!("{file} is missing")),
            Ok(text) => lacks.extend(to_be_written(&file, &text)),
        }
    }
    let hints = fs::read_to_string(root.join(format!("katas/{kata}/HINTS.md"))).unwrap_or_default();
    let hints = hints.lines().filter(|line| line.starts_with("## ")).count();
    if hints < LEAST_HINTS {
        lacks.push(format!("katas/{kata}/HINTS.md has {hints} of at least {LEAST_HINTS} hints"));
    }
    for (folder, least) in LEAST {
        let folder = format!("{folder}/{kata}");
        let there = submissions(&root.join(&folder)).len();
        if there < least {
            lacks.push(format!("{folder} has {there} of at least {least} submissions"));
        }
    }
    lacks
}

/// The lines of a file in which something has to be written: one for all of them.
fn to_be_written(file: &str, text: &str) -> Option<String> {
    let lines: Vec<usize> =
        text.lines().zip(1..).filter(|(line, _)| line.contains(TODO)).map(|(_, number)| number).collect();
    match lines[..] {
        [] => None,
        [line] => Some(format!("{file}:{line} has a {TODO}")),
        [first, .., last] => Some(format!("{file} has {} lines with a {TODO}, from {first} to {last}", lines.len())),
    }
}

fn submissions(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| entry.ok()).map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rs" || extension == "patch"));
    files
}
