//! rejected: assertion
//! by: two_threads_of_a_process_never_change_the_array_at_once
//!
//! Breaks "changes cells of the array" (`update`, `try_update`, and a `snapshot` that has been disturbed too often): the file was created
//! or opened by a relative path, and the program then changes its current folder: `update` fails with `NotFound`, or locks another file of
//! that name, and keeps nobody out. The value, and `try_read`, go on. Each update opens the file for itself, to have a lock of its own, by
//! the path as it was given.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use store::Store;

/// Two copies of the array.
const PARTS: usize = 2;

/// A value and an array of numbers, shared by every process that has opened the same file. Threads share it by reference.
#[derive(Debug)]
pub struct Shared {
    path: PathBuf,
    store: Store,
}

/// The cells of the array, as an update or a reader sees them.
#[derive(Debug)]
pub struct Cells<'a> {
    words: &'a [AtomicU64],
}

/// The file, opened once more and locked.
struct Lock(File);

impl Lock {
    fn wait(path: &Path) -> io::Result<Lock> {
        let file = File::options().read(true).write(true).open(path)?;
        loop {
            match file.lock() {
                Ok(()) => return Ok(Lock(file)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn ask(path: &Path) -> io::Result<Option<Lock>> {
        let file = File::options().read(true).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl Shared {
    /// Makes the file and opens it: the value and `len` cells, all 0. The file stays until somebody removes it.
    ///
    /// # Errors
    /// - `AlreadyExists`: there is something at `path`. It stays as it is.
    /// - `InvalidInput`: no file can be that long.
    /// - Others of the operating system: no room on the disk, no such folder, … No file is left behind.
    pub fn create(path: &Path, len: usize) -> io::Result<Shared> {
        Ok(Shared { store: Store::create(path, len)?, path: path.to_owned() })
    }

    /// Opens the file that another process has made.
    ///
    /// # Errors
    /// - `NotFound`: there is no file at `path`.
    /// - `InvalidData`: the file is too short, too long, not whole, or something else altogether. It never panics.
    /// - Others of the operating system.
    pub fn open(path: &Path) -> io::Result<Shared> {
        Ok(Shared { store: Store::open(path)?, path: path.to_owned() })
    }

    /// The value.
    pub fn value(&self) -> u64 {
        self.store.value().load(Ordering::SeqCst)
    }

    /// Replaces the value by what `change` makes of it. Returns what was replaced.
    pub fn modify(&self, mut change: impl FnMut(u64) -> u64) -> u64 {
        let mut old = self.value();
        loop {
            let new = change(old);
            match self.store.value().compare_exchange(old, new, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(replaced) => return replaced,
                Err(now) => old = now,
            }
        }
    }

    /// Changes cells of the array, and gives what `change` returns. Waits until no other process or thread does.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn update<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> io::Result<R> {
        let lock = Lock::wait(&self.path)?;
        Ok(self.change_with(lock, change))
    }

    /// Like [`update`](Shared::update), but doesn't wait.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn try_update<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> io::Result<Option<R>> {
        Ok(Lock::ask(&self.path)?.map(|lock| self.change_with(lock, change)))
    }

    /// Lets `read` look at the array, and gives what it returns if the array stayed the same until it was done. Otherwise, `None`.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn try_read<R>(&self, read: impl FnOnce(&Cells<'_>) -> R) -> io::Result<Option<R>> {
        let version = self.version();
        let result = read(&self.cells(version));
        Ok((self.version() == version).then_some(result))
    }

    /// The whole array at one moment.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn snapshot(&self) -> io::Result<Vec<u64>> {
        for _ in 0..100 {
            if let Some(numbers) = self.try_read(|cells| cells.to_vec())? {
                return Ok(numbers);
            }
        }
        let _lock = Lock::wait(&self.path)?;
        Ok(self.cells(self.version()).to_vec())
    }

    fn version(&self) -> u64 {
        self.store.number().load(Ordering::SeqCst)
    }

    fn cells(&self, version: u64) -> Cells<'_> {
        Cells { words: self.store.part((version & 1) as usize) }
    }

    fn change_with<R>(&self, lock: Lock, change: impl FnOnce(&mut Cells<'_>) -> R) -> R {
        let version = self.version();
        let next = version.wrapping_add(1);
        let mut cells = self.cells(next);
        for (index, number) in self.cells(version).to_vec().into_iter().enumerate() {
            cells.set(index, number);
        }
        let result = change(&mut cells);
        self.store.number().store(next, Ordering::SeqCst);
        drop(lock);
        result
    }
}

impl Cells<'_> {
    /// The number in that cell.
    ///
    /// # Panics
    /// If the array has no such cell.
    pub fn get(&self, index: usize) -> u64 {
        self.words[index].load(Ordering::SeqCst)
    }

    /// Puts a number into that cell.
    ///
    /// # Panics
    /// If the array has no such cell.
    pub fn set(&mut self, index: usize, number: u64) {
        self.words[index].store(number, Ordering::SeqCst);
    }

    /// The numbers in all cells.
    pub fn to_vec(&self) -> Vec<u64> {
        self.words.iter().map(|word| word.load(Ordering::SeqCst)).collect()
    }
}

/// The file: how it comes to be, and how it is known again.
mod store {
    use std::fs::{self, File};
    use std::io::{self, Write};
    use std::path::Path;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::PARTS;
    use super::memory::Memory;

    const KIND: usize = 0;
    const LEN: usize = 1;
    const VALUE: usize = 2;
    const NUMBER: usize = 3;
    const HEADER: usize = 4;
    const SIGN: u64 = 0x5348_4152_4544_0002;

    #[derive(Debug)]
    pub(crate) struct Store {
        pub(crate) file: File,
        pub(crate) len: usize,
        memory: Memory,
    }

    fn size_of_file(len: usize) -> Option<u64> {
        let words = (len as u64).checked_mul(PARTS as u64)?.checked_add(HEADER as u64)?;
        words.checked_mul(8).filter(|bytes| i64::try_from(*bytes).is_ok())
    }

    fn strange(what: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, what)
    }

    impl Store {
        pub(crate) fn create(path: &Path, len: usize) -> io::Result<Store> {
            let Some(size) = size_of_file(len) else {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "no file can be that long"));
            };
            let file = File::options().read(true).write(true).create_new(true).open(path)?;
            Store::build(file, len, size).inspect_err(|_| {
                // Nothing more can be done about it.
                let _ = fs::remove_file(path);
            })
        }

        fn build(mut file: File, len: usize, size: u64) -> io::Result<Store> {
            file.set_len(size)?;
            let memory = Memory::map(&file)?;
            let block = [0; 4096];
            let mut written = 0;
            while written < size {
                let next = (size - written).min(block.len() as u64);
                file.write_all(&block[..next as usize])?;
                written += next;
            }
            let store = Store { file, len, memory };
            store.word(LEN).store(len as u64, Ordering::Release);
            store.word(KIND).store(SIGN, Ordering::Release);
            Ok(store)
        }

        pub(crate) fn open(path: &Path) -> io::Result<Store> {
            let file = File::options().read(true).write(true).open(path)?;
            let size = file.metadata()?.len();
            if size < size_of_file(0).unwrap_or(u64::MAX) {
                return Err(strange("the file is too short"));
            }
            let memory = Memory::map(&file)?;
            let mut store = Store { file, len: 0, memory };
            if store.word(KIND).load(Ordering::Acquire) != SIGN {
                return Err(strange("the file is something else, or not finished"));
            }
            let len = store.word(LEN).load(Ordering::Acquire);
            store.len = usize::try_from(len).map_err(|_| strange("the file has too many cells"))?;
            if size_of_file(store.len) != Some(size) || store.memory.words().len() as u64 != size / 8 {
                return Err(strange("the file has not the length it should have"));
            }
            Ok(store)
        }

        fn word(&self, index: usize) -> &AtomicU64 {
            &self.memory.words()[index]
        }

        pub(crate) fn value(&self) -> &AtomicU64 {
            self.word(VALUE)
        }

        pub(crate) fn number(&self) -> &AtomicU64 {
            self.word(NUMBER)
        }

        /// The first, second, … word for each of the cells.
        pub(crate) fn part(&self, part: usize) -> &[AtomicU64] {
            &self.memory.words()[HEADER + part * self.len..][..self.len]
        }
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
