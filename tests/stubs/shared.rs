//! A value and an array in memory that processes share. The lesson is in `README.md`.

use std::io;
use std::path::Path;
use std::sync::atomic::AtomicU64;

/// A value and an array of numbers, shared by every process that has opened the same file. Threads share it by reference.
#[derive(Debug)]
pub struct Shared {
    // The fields are yours to choose: the memory, and what keeps processes and threads apart.
}

/// The cells of the array, as an update or a reader sees them.
#[derive(Debug)]
pub struct Cells<'a> {
    // A proposal. The fields are yours to choose.
    words: &'a [AtomicU64],
}

impl Shared {
    /// Makes the file and opens it: the value and `len` cells, all 0. The file stays until somebody removes it.
    ///
    /// # Errors
    /// - `AlreadyExists`: there is something at `path`. It stays as it is.
    /// - `InvalidInput`: no file can be that long.
    /// - Others of the operating system: no room on the disk, no such folder, … No file is left behind.
    pub fn create(path: &Path, len: usize) -> io::Result<Shared> {
        todo!()
    }

    /// Opens the file that another process has made.
    ///
    /// # Errors
    /// - `NotFound`: there is no file at `path`.
    /// - `InvalidData`: the file is too short, too long, not whole, or something else altogether. It never panics.
    /// - Others of the operating system.
    pub fn open(path: &Path) -> io::Result<Shared> {
        todo!()
    }

    /// The value.
    pub fn value(&self) -> u64 {
        todo!()
    }

    /// Replaces the value by what `change` makes of it. Returns what was replaced.
    ///
    /// Nobody waits for a process or thread that stands still in `change`, and this waits for no update of the array. If the value
    /// has changed meanwhile, `change` is called again, with the new one. If `change` panics, the value stays.
    pub fn modify(&self, change: impl FnMut(u64) -> u64) -> u64 {
        todo!()
    }

    /// Changes cells of the array, and gives what `change` returns. Waits until no other process or thread does. Others see all of
    /// the change or nothing.
    ///
    /// If `change` panics, or its process dies, nothing has changed. An update within an update waits for itself, for ever.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn update<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> io::Result<R> {
        todo!()
    }

    /// Like [`update`](Shared::update), but doesn't wait: if another process or thread is changing the array, nothing happens,
    /// and the answer is `None`.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn try_update<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> io::Result<Option<R>> {
        todo!()
    }

    /// Lets `read` look at the array, and gives what it returns if the array stayed the same until it was done. Otherwise, `None`.
    ///
    /// `read` may see cells of different updates. What it then returns is thrown away.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn try_read<R>(&self, read: impl FnOnce(&Cells<'_>) -> R) -> io::Result<Option<R>> {
        todo!()
    }

    /// The whole array at one moment.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn snapshot(&self) -> io::Result<Vec<u64>> {
        todo!()
    }
}

impl Cells<'_> {
    /// The number in that cell.
    ///
    /// # Panics
    /// If the array has no such cell.
    pub fn get(&self, index: usize) -> u64 {
        todo!()
    }

    /// Puts a number into that cell.
    ///
    /// # Panics
    /// If the array has no such cell.
    pub fn set(&mut self, index: usize, number: u64) {
        todo!()
    }

    /// The numbers in all cells.
    pub fn to_vec(&self) -> Vec<u64> {
        todo!()
    }
}

/// Given; you don't have to touch it. The lesson says what it does and why it is as it is.
mod memory {
    use std::fs::File;
    use std::io;
    use std::slice;
    use std::sync::atomic::AtomicU64;

    use memmap2::MmapRaw;

    /// A file, mapped into memory: what is stored here is in the file, and in the memory of everybody else who maps it.
    #[derive(Debug)]
    pub(crate) struct Memory {
        map: MmapRaw,
    }

    impl Memory {
        /// Maps the whole file, as long as it is now.
        ///
        /// # Errors
        /// The operating system's: the file is not open for reading and writing, or there is no room in the address space.
        pub(crate) fn map(file: &File) -> io::Result<Memory> {
            Ok(Memory { map: MmapRaw::map_raw(file)? })
        }

        /// The file's content in words of 8 bytes. Up to 7 bytes at the end may be missing.
        #[allow(unsafe_code, reason = "what other processes do to the file is beyond the compiler's sight")]
        pub(crate) fn words(&self) -> &[AtomicU64] {
            // SAFETY: the mapping begins at a page's start, so it is aligned; it holds at least so many words; it lives as long
            // as `self`; and it is never seen but as atomics, here and in every other program that opens the file, so that it may
            // change at any time. What no code here can rule out: somebody cuts the file off while it is mapped. Then the next
            // look beyond its end kills the process.
            unsafe { slice::from_raw_parts(self.map.as_ptr().cast(), self.map.len() / size_of::<AtomicU64>()) }
        }
    }
}
