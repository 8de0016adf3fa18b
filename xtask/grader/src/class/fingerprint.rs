//! Fingerprints: what a verdict depends on, as hashes. The same fingerprint means the same verdict, so nothing is graded twice.

use std::fs;
use std::path::{Path, PathBuf};

use pipeline::error::{Error, Result};
use pipeline::repository::Repository;
use pipeline::subject::catalog::Kata;
use sha2::{Digest, Sha256};
use verdict::Inputs;

/// A hash that is being fed. Every piece goes in with its length, so that no two lists of pieces look the same.
#[derive(Default)]
pub(crate) struct Fingerprint(Sha256);

impl Fingerprint {
    /// Adds a piece.
    pub(crate) fn add(&mut self, piece: impl AsRef<[u8]>) -> &mut Fingerprint {
        let piece = piece.as_ref();
        self.0.update((piece.len() as u64).to_be_bytes());
        self.0.update(piece);
        self
    }

    /// The hash, in hexadecimal.
    pub(crate) fn text(&self) -> String {
        self.0.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Adds a file or a folder with everything in it, by names below `root`. What is not there counts as nothing.
    fn add_tree(&mut self, root: &Path, path: &Path) -> Result<()> {
        if path.is_dir() {
            let entries = fs::read_dir(path).map_err(Error::io("read", path))?;
            let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok()).map(|entry| entry.path()).collect();
            paths.sort();
            return paths.iter().try_for_each(|path| self.add_tree(root, path));
        }
        if path.is_file() {
            let text = fs::read(path).map_err(Error::io("read", path))?;
            let name = path.strip_prefix(root).unwrap_or(path).display().to_string().replace('\\', "/");
            self.add(name).add(text);
        }
        Ok(())
    }
}

/// What judges every kata: the grader, the test support, the models, what they exchange, and the pinned versions.
const JUDGE: [&str; 7] = [
    "Cargo.lock",
    "Cargo.toml",
    "tests/explored-std",
    "tests/support",
    "tests/verdict/src",
    "xtask/grader/src",
    "xtask/pipeline/src",
];

/// What judges every kata.
///
/// # Errors
/// A file of the repository can't be read.
pub(crate) fn of_judge(repository: &Repository) -> Result<String> {
    let mut fingerprint = Fingerprint::default();
    for part in JUDGE {
        fingerprint.add_tree(repository.root(), &repository.root().join(part))?;
    }
    Ok(fingerprint.text())
}

/// What judges this kata beside that: its manifest, its tests, and the stub, whose public items a submission must keep, and whose
/// unsafe code it may.
///
/// # Errors
/// A file of the kata can't be read.
pub(crate) fn of_kata(repository: &Repository, kata: &Kata) -> Result<String> {
    let mut fingerprint = Fingerprint::default();
    for part in [kata.folder.join("Cargo.toml"), kata.folder.join("tests"), repository.stub(&kata.name)] {
        fingerprint.add_tree(repository.root(), &part)?;
    }
    Ok(fingerprint.text())
}

/// What a verdict depends on beside the answer: whatever of these inputs a process of the submission could notice.
pub(crate) fn of_conditions(inputs: &Inputs, judge: &str, kata: &str) -> String {
    let judged_by = (judge, kata, &inputs.toolchain, inputs.inspection);
    let conditions = (judged_by, &inputs.limits, inputs.isolation.tier, inputs.seed, inputs.schedules, inputs.deep);
    serde_json::to_string(&conditions).expect("hashes and numbers have no keys that JSON lacks")
}
