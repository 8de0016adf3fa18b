//! The compiler in use, as it describes itself.

use std::path::PathBuf;
use std::process::Command;

use crate::error::{Error, Result};

/// Its name and version, as `rustc --version` says it.
///
/// # Errors
/// It can't be started.
pub fn version() -> Result<String> {
    ask("--version")
}

/// The folder with the compiler and its libraries.
///
/// # Errors
/// It can't be started.
pub fn sysroot() -> Result<PathBuf> {
    ask("--print=sysroot").map(PathBuf::from)
}

fn ask(question: &str) -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&rustc).arg(question).output().map_err(|error| {
        Error::new(format!("cannot start {}: {error}", rustc.display()), "Check that Rust is installed.")
    })?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}
