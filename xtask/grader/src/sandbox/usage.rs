//! What a confined program uses, looked at again and again.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pipeline::process::{self, Exceeded};

use crate::sandbox::family::{self, Member};
use crate::sandbox::order::Allowance;

/// What a program and its descendants were seen to use.
#[derive(Debug)]
pub(crate) struct Watch {
    allowance: Allowance,
    /// Its only writable folders.
    folders: Vec<PathBuf>,
    started: Instant,
    peak_pages: u64,
    next_look: Instant,
    next_disk: Instant,
}

/// How often all else is looked at.
pub(crate) const LOOK: Duration = Duration::from_millis(10);

/// How often the disk is looked at, at most.
const DISK: Duration = Duration::from_millis(100);
/// More files than any test needs.
const MOST_FILES: usize = 20_000;
/// Folders in folders, more than any test needs. Deeper ones could hide files behind a path that is too long to be looked at.
const DEEPEST: usize = 100;

impl Watch {
    /// The watch begins now.
    pub(crate) fn new(allowance: Allowance, folders: Vec<PathBuf>) -> Watch {
        let started = Instant::now();
        Watch { allowance, folders, started, peak_pages: 0, next_look: started, next_disk: started + DISK }
    }

    /// Since when.
    pub(crate) fn took(&self) -> Duration {
        self.started.elapsed()
    }

    /// The most memory that was seen, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.peak_pages * rustix::param::page_size() as u64
    }

    /// Looks at everything, if it is time; says what was used too much of.
    pub(crate) fn look(&mut self) -> Option<Exceeded> {
        let now = Instant::now();
        if now < self.next_look {
            return None;
        }
        if process::is_over(std::process::id(), self.took(), self.allowance.wall) {
            return Some(Exceeded::Wall);
        }
        self.next_look = now + LOOK;
        let members = family::members();
        self.tasks(&members).or_else(|| self.memory(&members)).or_else(|| self.disk(&members))
    }

    fn tasks(&self, members: &[Member]) -> Option<Exceeded> {
        // A process that has ended still takes a number.
        let tasks: u32 = members.iter().map(|member| member.threads.max(1)).sum();
        (tasks > self.allowance.tasks).then_some(Exceeded::Tasks)
    }

    fn memory(&mut self, members: &[Member]) -> Option<Exceeded> {
        let page = rustix::param::page_size() as u64;
        let mut pages = members.iter().map(|member| member.pages).sum::<u64>();
        if pages * page > self.allowance.memory {
            // The sum counts pages twice that two processes share, so look again before it costs a life.
            pages = family::proportional_memory(members) / page;
        }
        self.peak_pages = self.peak_pages.max(pages);
        (pages * page > self.allowance.memory).then_some(Exceeded::Memory)
    }

    fn disk(&mut self, members: &[Member]) -> Option<Exceeded> {
        let now = Instant::now();
        if now < self.next_disk {
            return None;
        }
        let mut files = 0;
        let named: Option<u64> = self.folders.iter().map(|folder| size(folder, &mut files)).sum();
        // A full folder takes long to look at: look less often then.
        self.next_disk = now + DISK.max(now.elapsed() * 10);
        let used = named.map(|named| named + family::nameless_files(members));
        used.is_none_or(|used| used > self.allowance.disk).then_some(Exceeded::Disk)
    }

    /// Looks at the disk once more, when the program has ended.
    pub(crate) fn at_the_end(&mut self) -> Option<Exceeded> {
        self.next_disk = self.started;
        self.disk(&[])
    }
}

/// The size of all files in this folder, in bytes; nothing if there are too many, too deep ones, or hidden ones. Links are not followed.
fn size(folder: &Path, files: &mut usize) -> Option<u64> {
    let mut sum = 0;
    let mut folders = vec![(folder.to_path_buf(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        if depth > DEEPEST {
            return None;
        }
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            // The program may have removed it meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            // A folder that may be filled but not listed has something to hide.
            Err(_) => return None,
        };
        for entry in entries.filter_map(|entry| entry.ok()) {
            *files += 1;
            if *files > MOST_FILES {
                return None;
            }
            let Ok(about) = entry.metadata() else { continue };
            if about.is_dir() {
                folders.push((entry.path(), depth + 1));
            }
            sum += about.blocks() * 512;
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_as_large_as_its_files_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("below")).unwrap();
        fs::write(folder.path().join("below/file"), vec![1; 1 << 20]).unwrap();
        std::os::unix::fs::symlink("/usr", folder.path().join("link")).unwrap();
        let mut files = 0;
        let size = size(folder.path(), &mut files).unwrap();
        assert!((1 << 20..2 << 20).contains(&size), "{size}");
        assert_eq!(files, 3);
    }
}
