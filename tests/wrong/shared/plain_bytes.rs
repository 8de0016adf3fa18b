//! rejected: rule
//!
//! A slice of plain numbers instead of atomics, by an `unsafe` block of one's own. The compiler may now believe that nobody else
//! changes them. The kata's rules allow no such block but the given one.

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

const THIS_FORMAT: u64 = 0x5348_4152_4544_0001;

impl Shared {
    pub fn create(path: &Path, len: usize) -> io::Result<Shared> {
        let bytes = bytes_for(len as u64).ok_or(ErrorKind::InvalidInput)?;
        let file = File::options().read(true).write(true).create_new(true).open(path)?;
        let made = Shared::fill(file, len, bytes);
        if made.is_err() {
            let _ = fs::remove_file(path);
        }
        made
    }

    fn fill(mut file: File, len: usize, bytes: u64) -> io::Result<Shared> {
        io::copy(&mut io::repeat(0).take(bytes), &mut file)?;
        let shared = Shared { memory: Memory::map(&file)?, file, threads: Mutex::new(()) };
        shared.word(LEN).store(len as u64, Ordering::SeqCst);
        shared.word(FORMAT).store(THIS_FORMAT, Ordering::SeqCst);
        Ok(shared)
    }

    pub fn open(path: &Path) -> io::Result<Shared> {
        let file = File::options().read(true).write(true).open(path)?;
        let bytes = file.metadata()?.len();
        if bytes < 8 * ARRAY as u64 {
            return Err(ErrorKind::InvalidData.into());
        }
        let shared = Shared { memory: Memory::map(&file)?, file, threads: Mutex::new(()) };
        let len = shared.word(LEN).load(Ordering::SeqCst);
        if shared.word(FORMAT).load(Ordering::SeqCst) != THIS_FORMAT || bytes_for(len) != Some(bytes) {
            return Err(ErrorKind::InvalidData.into());
        }
        Ok(shared)
    }

    pub fn value(&self) -> u64 {
        self.word(VALUE).load(Ordering::SeqCst)
    }

    pub fn modify(&self, mut change: impl FnMut(u64) -> u64) -> u64 {
        let change = |value| Some(change(value));
        self.word(VALUE).fetch_update(Ordering::SeqCst, Ordering::SeqCst, change).unwrap()
    }

    pub fn update<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> io::Result<R> {
        let _turn = self.wait_for_turn()?;
        Ok(self.change(change))
    }

    pub fn try_update<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> io::Result<Option<R>> {
        let Some(_turn) = self.try_turn()? else { return Ok(None) };
        Ok(Some(self.change(change)))
    }

    fn change<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> R {
        let version = self.word(VERSION).load(Ordering::SeqCst);
        let next = self.copy(version.wrapping_add(1));
        for (from, to) in self.copy(version).iter().zip(next) {
            to.store(from.load(Ordering::SeqCst), Ordering::SeqCst);
        }
        let result = change(&mut Cells { words: next });
        self.word(VERSION).store(version.wrapping_add(1), Ordering::SeqCst);
        result
    }

    pub fn try_read<R>(&self, read: impl FnOnce(&Cells<'_>) -> R) -> io::Result<Option<R>> {
        let version = self.word(VERSION).load(Ordering::SeqCst);
        let result = read(&Cells { words: self.copy(version) });
        Ok((self.word(VERSION).load(Ordering::SeqCst) == version).then_some(result))
    }

    pub fn snapshot(&self) -> io::Result<Vec<u64>> {
        loop {
            if let Some(cells) = self.try_read(|cells| cells.to_vec())? {
                return Ok(cells);
            }
            thread::yield_now();
        }
    }

    fn copy(&self, version: u64) -> &[AtomicU64] {
        let copies = &self.memory.words()[ARRAY..];
        let (even, odd) = copies.split_at(copies.len() / 2);
        if version % 2 == 0 { even } else { odd }
    }

    /// The current numbers, without all these loads.
    pub fn plain(&self) -> &[u64] {
        let words = self.memory.words();
        unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), words.len()) }
    }

    fn word(&self, place: usize) -> &AtomicU64 {
        &self.memory.words()[place]
    }

    fn wait_for_turn(&self) -> io::Result<Turn<'_>> {
        let guard = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        self.file.lock()?;
        Ok(Turn { file: &self.file, _guard: guard })
    }

    fn try_turn(&self) -> io::Result<Option<Turn<'_>>> {
        let guard = match self.threads.try_lock() {
            Ok(guard) => guard,
            Err(std::sync::TryLockError::Poisoned(poison)) => poison.into_inner(),
            Err(std::sync::TryLockError::WouldBlock) => return Ok(None),
        };
        match self.file.try_lock() {
            Ok(()) => Ok(Some(Turn { file: &self.file, _guard: guard })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

struct Turn<'a> {
    file: &'a File,
    _guard: MutexGuard<'a, ()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

impl Cells<'_> {
    pub fn get(&self, index: usize) -> u64 {
        self.words[index].load(Ordering::SeqCst)
    }

    pub fn set(&mut self, index: usize, number: u64) {
        self.words[index].store(number, Ordering::SeqCst);
    }

    pub fn to_vec(&self) -> Vec<u64> {
        self.words.iter().map(|word| word.load(Ordering::SeqCst)).collect()
    }
}

fn bytes_for(len: u64) -> Option<u64> {
    len.checked_mul(2)?.checked_add(ARRAY as u64)?.checked_mul(8)
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
