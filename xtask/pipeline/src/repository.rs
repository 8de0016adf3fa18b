//! Where things are in a checkout. Every other module asks here instead of joining paths.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A checkout of the kata repository.
#[derive(Clone, Debug)]
pub struct Repository {
    root: PathBuf,
}

impl Repository {
    /// The checkout that contains `start`.
    ///
    /// # Errors
    /// Neither the folder nor one above it is a checkout.
    pub fn find(start: &Path) -> Result<Repository> {
        start
            .ancestors()
            .find(|folder| folder.join("katas").is_dir() && folder.join("xtask/Cargo.toml").is_file())
            .map(|root| Repository { root: root.to_path_buf() })
            .ok_or_else(|| {
                Error::new(
                    format!("{} is not inside a checkout of the katas", start.display()),
                    "Change to the folder that you cloned (it has `katas/` and `xtask/`), then run the command again.",
                )
            })
    }

    /// The checkout that contains the working folder.
    ///
    /// # Errors
    /// There is none.
    pub fn here() -> Result<Repository> {
        Repository::find(&std::env::current_dir().map_err(Error::io("find", Path::new(".")))?)
    }

    /// A checkout at that place, for tests of what only needs a root.
    pub fn at(root: &Path) -> Repository {
        Repository { root: root.to_path_buf() }
    }

    /// The checkout's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `katas/`, one folder per kata.
    pub fn katas(&self) -> PathBuf {
        self.root.join("katas")
    }

    /// The folder of a kata.
    pub fn kata(&self, name: &str) -> PathBuf {
        self.katas().join(name)
    }

    /// The folder of a kata's reference solution.
    pub fn solution(&self, name: &str) -> PathBuf {
        self.root.join("solutions").join(name)
    }

    /// The kata's stub as it was delivered: `reset` restores it and `verify` judges it.
    pub fn stub(&self, name: &str) -> PathBuf {
        self.root.join("tests/stubs").join(format!("{name}.rs"))
    }

    /// Submissions that must be rejected.
    pub fn wrong(&self, name: &str) -> PathBuf {
        self.root.join("tests/wrong").join(name)
    }

    /// Submissions that must be accepted.
    pub fn right(&self, name: &str) -> PathBuf {
        self.root.join("tests/right").join(name)
    }

    /// Cargo's target folder.
    pub fn target(&self) -> PathBuf {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.root.join("target"), PathBuf::from);
        std::path::absolute(&target).unwrap_or(target)
    }

    /// Where subjects are staged and built.
    pub fn workshop(&self) -> PathBuf {
        self.target().join("interleave")
    }

    /// What the learner has reached. Derived from verdicts: losing it loses nothing but time.
    pub fn progress(&self) -> PathBuf {
        self.root.join(".interleave/progress.json")
    }

    /// Where `reset` keeps what it replaces.
    pub fn kept(&self) -> PathBuf {
        self.root.join(".interleave/kept")
    }

    /// A path as a person at the root would type it, with `/` on every system.
    pub fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string().replace('\\', "/")
    }
}
