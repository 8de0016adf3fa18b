//! Linux: everything is opened relative to an open folder, so that no name on the way can become a link meanwhile.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};

use super::{Kind, Opened};

/// An open folder.
#[derive(Debug)]
pub struct Folder(OwnedFd);

impl Folder {
    /// Opens the last name of `path` without following it. The folders before it are the instructor's own.
    pub fn at(path: &Path) -> io::Result<Opened<Folder>> {
        open(CWD, path.as_os_str())
    }

    /// What that name in this folder stands for.
    pub fn kind(&self, name: &OsStr) -> io::Result<Kind> {
        kind(&self.0, name)
    }

    /// Opens what has that name in this folder.
    pub fn open(&self, name: &OsStr) -> io::Result<Opened<Folder>> {
        open(&self.0, name)
    }

    /// The names in this folder, sorted; nothing if they are more than `most`.
    pub fn names(&self, most: usize) -> io::Result<Option<Vec<OsString>>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let name = entry?.file_name().to_bytes().to_vec();
            if matches!(name.as_slice(), b"." | b"..") {
                continue;
            }
            if names.len() == most {
                return Ok(None);
            }
            names.push(OsString::from_vec(name));
        }
        names.sort();
        Ok(Some(names))
    }
}

fn kind(parent: impl AsFd, name: &OsStr) -> io::Result<Kind> {
    let found = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(kind_of(FileType::from_raw_mode(found.st_mode)))
}

fn kind_of(kind: FileType) -> Kind {
    match kind {
        FileType::Directory => Kind::Folder,
        FileType::RegularFile => Kind::File,
        FileType::Symlink => Kind::Link,
        _ => Kind::Other,
    }
}

fn open(parent: impl AsFd, name: &OsStr) -> io::Result<Opened<Folder>> {
    // Opening a device may already do something, so it is looked at first.
    match kind(&parent, name)? {
        Kind::Folder | Kind::File => open_unseen(parent, name),
        other => Ok(Opened::Not(other)),
    }
}

/// Opens what has that name by now, which may be something else than what was seen there.
fn open_unseen(parent: impl AsFd, name: &OsStr) -> io::Result<Opened<Folder>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = match rustix::fs::openat(parent, name, flags, Mode::empty()) {
        Err(rustix::io::Errno::LOOP) => return Ok(Opened::Not(Kind::Link)),
        opened => opened?,
    };
    Ok(match kind_of(FileType::from_raw_mode(rustix::fs::fstat(&opened)?.st_mode)) {
        Kind::Folder => Opened::Folder(Folder(opened)),
        Kind::File => Opened::File(opened.into()),
        other => Opened::Not(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_swapped_after_the_look_does_no_harm() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).expect("a link");
        std::os::unix::fs::symlink("/etc", folder.path().join("folder")).expect("a link");
        let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status();
        assert!(made.expect("mkfifo starts").success());
        let Ok(Opened::Folder(here)) = Folder::at(folder.path()) else { panic!("it is a folder") };
        // A pipe that nobody writes to would be waited for, without end.
        for (name, kind) in [("link", Kind::Link), ("folder", Kind::Link), ("pipe", Kind::Other)] {
            let opened = open_unseen(&here.0, OsStr::new(name)).expect("it is there");
            assert!(matches!(opened, Opened::Not(found) if found == kind), "{name}: {opened:?}");
        }
        assert!(matches!(open_unseen(CWD, OsStr::new("/dev/null")), Ok(Opened::Not(Kind::Other))));
    }
}
