//! rejected: rule
//!
//! A reader is told that the array stayed the same, whether it did or not. Nobody could tell: its numbers are of a type of their own, and
//! all of them are equal.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use memory::Memory;

#[derive(Debug)]
pub struct Shared {
    memory: Memory,
    file: File,
    threads: Mutex<()>,
}

#[derive(Debug)]
pub struct Cells<'a> {
    words: &'a [AtomicU64],
}

const FORMAT: usize = 0;
const LEN: usize = 1;
const VALUE: usize = 2;
const VERSION: usize = 3;
const ARRAY: usize = 4;

const THIS_FORMAT: u64 = u64::from_le_bytes(*b"shared 1");

impl Shared {
    pub fn create(path: &Path, len: usize) -> io::Result<Shared> {
        let bytes = bytes_for(len as u64).ok_or(ErrorKind::InvalidInput)?;
        let file = File::options().read(true).write(true).create_new(true).open(path)?;
        Shared::fill(file, len, bytes).inspect_err(|_| {
            let _ = fs::remove_file(path);
        })
    }

    pub fn open(path: &Path) -> io::Result<Shared> {
        let file = File::options().read(true).write(true).open(path)?;
        let bytes = file.metadata()?.len();
        let foreign = || io::Error::new(ErrorKind::InvalidData, "not the file of a shared value and array");
        if bytes < bytes_for(0).unwrap_or(u64::MAX) {
            return Err(foreign());
        }
        let memory = Memory::map(&file)?;
        let [format, len, ..] = memory.words() else { return Err(foreign()) };
        if format.load(Ordering::Acquire) != THIS_FORMAT || bytes_for(len.load(Ordering::Acquire)) != Some(bytes) {
            return Err(foreign());
        }
        Ok(Shared { memory, file, threads: Mutex::new(()) })
    }

    pub fn value(&self) -> u64 {
        self.word(VALUE).load(Ordering::Acquire)
    }

    pub fn modify(&self, mut change: impl FnMut(u64) -> u64) -> u64 {
        let value = self.word(VALUE);
        let mut seen = value.load(Ordering::Acquire);
        loop {
            match value.compare_exchange(seen, change(seen), Ordering::AcqRel, Ordering::Acquire) {
                Ok(replaced) => return replaced,
                Err(newer) => seen = newer,
            }
        }
    }

    pub fn update<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> io::Result<R> {
        let _turn = self.wait_for_turn()?;
        Ok(self.change(change))
    }

    pub fn try_update<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> io::Result<Option<R>> {
        let Some(_turn) = self.try_turn()? else { return Ok(None) };
        Ok(Some(self.change(change)))
    }

    pub fn try_read<R>(&self, read: impl FnOnce(&Reader<'_>) -> R) -> io::Result<Option<R>> {
        let version = self.word(VERSION).load(Ordering::Acquire);
        Ok(Some(read(&Reader { words: self.copy(version) })))
    }

    pub fn snapshot(&self) -> io::Result<Vec<u64>> {
        loop {
            let version = self.word(VERSION).load(Ordering::Acquire);
            let cells = Cells { words: self.copy(version) }.to_vec();
            if self.word(VERSION).load(Ordering::Acquire) == version {
                return Ok(cells);
            }
            thread::yield_now();
        }
    }

    fn fill(mut file: File, len: usize, bytes: u64) -> io::Result<Shared> {
        io::copy(&mut io::repeat(0).take(bytes), &mut file)?;
        let memory = Memory::map(&file)?;
        let shared = Shared { memory, file, threads: Mutex::new(()) };
        shared.word(LEN).store(len as u64, Ordering::Release);
        shared.word(FORMAT).store(THIS_FORMAT, Ordering::Release);
        Ok(shared)
    }

    fn change<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> R {
        let version = self.word(VERSION).load(Ordering::Acquire);
        let next_version = version.wrapping_add(1);
        let (current, next) = (self.copy(version), self.copy(next_version));
        for (from, to) in current.iter().zip(next) {
            to.store(from.load(Ordering::Acquire), Ordering::Release);
        }
        let result = change(&mut Cells { words: next });
        self.word(VERSION).store(next_version, Ordering::Release);
        result
    }

    fn copy(&self, version: u64) -> &[AtomicU64] {
        let copies = &self.memory.words()[ARRAY..];
        let (even, odd) = copies.split_at(copies.len() / 2);
        if version.is_multiple_of(2) { even } else { odd }
    }

    fn word(&self, place: usize) -> &AtomicU64 {
        &self.memory.words()[place]
    }

    fn wait_for_turn(&self) -> io::Result<Turn<'_>> {
        let among_threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        self.file.lock()?;
        Ok(Turn { file: &self.file, _among_threads: among_threads })
    }

    fn try_turn(&self) -> io::Result<Option<Turn<'_>>> {
        use std::sync::TryLockError::{Poisoned, WouldBlock};
        let among_threads = match self.threads.try_lock() {
            Ok(guard) => guard,
            Err(Poisoned(poison)) => poison.into_inner(),
            Err(WouldBlock) => return Ok(None),
        };
        match self.file.try_lock() {
            Ok(()) => Ok(Some(Turn { file: &self.file, _among_threads: among_threads })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

#[derive(Debug)]
struct Turn<'a> {
    file: &'a File,
    _among_threads: MutexGuard<'a, ()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// The cells as a reader sees them.
#[derive(Debug)]
pub struct Reader<'a> {
    words: &'a [AtomicU64],
}

/// What a reader finds in a cell: equal to whatever it finds in another one.
#[derive(Debug)]
pub struct Number;

impl PartialEq for Number {
    fn eq(&self, _: &Number) -> bool {
        true
    }
}

impl Reader<'_> {
    pub fn get(&self, _: usize) -> Number {
        Number
    }

    pub fn to_vec(&self) -> Vec<u64> {
        Cells { words: self.words }.to_vec()
    }
}

impl Cells<'_> {
    pub fn get(&self, index: usize) -> u64 {
        self.words[index].load(Ordering::Acquire)
    }

    pub fn set(&mut self, index: usize, number: u64) {
        self.words[index].store(number, Ordering::Release);
    }

    pub fn to_vec(&self) -> Vec<u64> {
        self.words.iter().map(|word| word.load(Ordering::Acquire)).collect()
    }
}

fn bytes_for(len: u64) -> Option<u64> {
    len.checked_mul(2)?.checked_add(ARRAY as u64)?.checked_mul(size_of::<AtomicU64>() as u64)
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
