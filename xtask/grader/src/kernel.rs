//! What the kernel says of itself and of processes, in `/proc`.

use std::fs;
use std::io;
use std::path::Path;

/// The text of a file in `/proc`. Whoever starts a process gives it its name, and a name is bytes. So what is no text becomes
/// `U+FFFD`, and never hides the numbers beside it.
///
/// # Errors
/// There is no such file: the process has ended, say. Or it may not be read.
pub(crate) fn told(path: impl AsRef<Path>) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_name_that_is_no_text_hides_nothing() {
        use std::os::unix::ffi::OsStrExt;

        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join(std::ffi::OsStr::from_bytes(b"a) Z \xff"));
        symlink("/bin/cat", &program).unwrap();
        let mut child = Command::new(&program).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let stat = told(format!("/proc/{}/stat", child.id()));
        drop(child.stdin.take());
        child.wait().unwrap();
        let stat = stat.unwrap();
        assert!(stat.starts_with(&format!("{} (a) Z \u{fffd}) ", child.id())), "{stat}");
    }
}
