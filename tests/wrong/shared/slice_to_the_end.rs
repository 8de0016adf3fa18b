//! rejected: assertion
//! by: beyond_the_last_cell_is_none
//!
//! Breaks "`get` and `set` panic for a cell that the array hasn't got, and nothing has changed then": an update gets the file from its
//! copy's first cell to the file's end. Shows in every second update, which works on the first copy: `set(len, 9)` doesn't panic, but
//! writes into the second copy, which is the one that readers look at. In the first update, whose copy is the last thing in the file, it
//! panics as it should. The design: two copies, and the file in a mutex.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use memory::Memory;

/// Says that the file is one of ours, and whole.
const SIGN: u64 = 0x7368_6172_6564_2031;

// What stands in the words of the file. Behind the head come the two copies.
const MAGIC: usize = 0;
const LEN: usize = 1;
const VALUE: usize = 2;
const VERSION: usize = 3;
const HEAD: usize = 4;

/// A value and an array of numbers, shared by every process that has opened the same file. Threads share it by reference.
#[derive(Debug)]
pub struct Shared {
    memory: Memory,
    len: usize,
    file: Mutex<File>,
}

/// The cells of the array, as an update or a reader sees them.
#[derive(Debug)]
pub struct Cells<'a> {
    words: &'a [AtomicU64],
    len: usize,
}

impl Shared {
    /// Makes the file and opens it: the value and `len` cells, all 0. The file stays until somebody removes it.
    ///
    /// # Errors
    /// - `AlreadyExists`: there is something at `path`. It stays as it is.
    /// - `InvalidInput`: no file can be that long.
    /// - Others of the operating system. No file is left behind.
    pub fn create(path: &Path, len: usize) -> io::Result<Shared> {
        let (file, memory) = make(path, len)?;
        Ok(Shared { memory, len, file: Mutex::new(file) })
    }

    /// Opens the file that another process has made.
    ///
    /// # Errors
    /// - `NotFound`: there is no file at `path`.
    /// - `InvalidData`: the file is too short, too long, not whole, or something else altogether. It never panics.
    /// - Others of the operating system.
    pub fn open(path: &Path) -> io::Result<Shared> {
        let (file, memory, len) = find(path)?;
        Ok(Shared { memory, len, file: Mutex::new(file) })
    }

    /// The value.
    pub fn value(&self) -> u64 {
        self.memory.words()[VALUE].load(SeqCst)
    }

    /// Replaces the value by what `change` makes of it. Returns what was replaced.
    pub fn modify(&self, mut change: impl FnMut(u64) -> u64) -> u64 {
        let value = &self.memory.words()[VALUE];
        let mut old = value.load(SeqCst);
        loop {
            let new = change(old);
            match value.compare_exchange(old, new, SeqCst, SeqCst) {
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
        let _turn = Turn::wait(&self.file)?;
        Ok(self.change(change))
    }

    /// Like [`update`](Shared::update), but doesn't wait.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn try_update<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> io::Result<Option<R>> {
        let turn = Turn::ask(&self.file)?;
        Ok(turn.map(|_turn| self.change(change)))
    }

    /// Lets `read` look at the array, and gives what it returns if the array stayed the same until it was done.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn try_read<R>(&self, read: impl FnOnce(&Cells<'_>) -> R) -> io::Result<Option<R>> {
        let version = self.version();
        let result = read(&Cells { words: self.copy(version), len: self.len });
        Ok((self.version() == version).then_some(result))
    }

    /// The whole array at one moment.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn snapshot(&self) -> io::Result<Vec<u64>> {
        loop {
            if let Some(cells) = self.try_read(|cells| cells.to_vec())? {
                return Ok(cells);
            }
        }
    }

    fn version(&self) -> u64 {
        self.memory.words()[VERSION].load(SeqCst)
    }

    /// The copy that is current in that version.
    fn copy(&self, version: u64) -> &[AtomicU64] {
        let start = HEAD + (version % 2) as usize * self.len;
        &self.memory.words()[start..start + self.len]
    }

    /// Where the copy of that version begins.
    fn start(&self, version: u64) -> usize {
        HEAD + if version % 2 == 0 { 0 } else { self.len }
    }

    /// The update, for whoever has the turn.
    fn change<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> R {
        let words = self.memory.words();
        let now = self.version();
        let next = now.wrapping_add(1);
        let cells = &words[self.start(next)..];
        for (from, to) in self.copy(now).iter().zip(cells) {
            to.store(from.load(SeqCst), SeqCst);
        }
        let result = change(&mut Cells { words: cells, len: self.len });
        words[VERSION].store(next, SeqCst);
        result
    }
}

impl Cells<'_> {
    /// The number in that cell.
    ///
    /// # Panics
    /// If the array has no such cell.
    pub fn get(&self, index: usize) -> u64 {
        self.words[index].load(SeqCst)
    }

    /// Puts a number into that cell.
    ///
    /// # Panics
    /// If the array has no such cell.
    pub fn set(&mut self, index: usize, number: u64) {
        self.words[index].store(number, SeqCst);
    }

    /// The numbers in all cells.
    pub fn to_vec(&self) -> Vec<u64> {
        self.words.iter().take(self.len).map(|word| word.load(SeqCst)).collect()
    }
}

/// The length of the file, if there can be one: the head, and every cell twice.
fn file_length(len: usize) -> Option<u64> {
    let words = u64::try_from(len).ok()?.checked_mul(2)?.checked_add(HEAD as u64)?;
    words.checked_mul(8).filter(|bytes| i64::try_from(*bytes).is_ok())
}

/// Makes a new file whole, and maps it. What says that it is whole comes last.
fn fill(mut file: &File, len: usize, bytes: u64) -> io::Result<Memory> {
    // What can be known at once, before the disk is filled.
    file.set_len(bytes)?;
    let memory = Memory::map(file)?;
    let zeros = vec![0_u8; 64 * 1024];
    let mut left = bytes;
    while left > 0 {
        let part = left.min(zeros.len() as u64) as usize;
        file.write_all(&zeros[..part])?;
        left -= part as u64;
    }
    let words = memory.words();
    words[LEN].store(len as u64, SeqCst);
    words[MAGIC].store(SIGN, SeqCst);
    Ok(memory)
}

/// Makes the file. If that fails, it is removed.
fn make(path: &Path, len: usize) -> io::Result<(File, Memory)> {
    let bytes = file_length(len).ok_or(ErrorKind::InvalidInput)?;
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
    match fill(&file, len, bytes) {
        Ok(memory) => Ok((file, memory)),
        Err(error) => {
            let _ = fs::remove_file(path);
            Err(error)
        }
    }
}

/// Opens the file, and believes nothing. Returns how many cells there are, too.
fn find(path: &Path) -> io::Result<(File, Memory, usize)> {
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::IsADirectory => return Err(ErrorKind::InvalidData.into()),
        other => other?,
    };
    let metadata = file.metadata()?;
    let bytes = metadata.len();
    if !metadata.is_file() || bytes < HEAD as u64 * 8 {
        return Err(ErrorKind::InvalidData.into());
    }
    let memory = Memory::map(&file)?;
    let words = memory.words();
    if words.len() as u64 != bytes / 8 || words[MAGIC].load(SeqCst) != SIGN {
        return Err(ErrorKind::InvalidData.into());
    }
    let len = usize::try_from(words[LEN].load(SeqCst)).map_err(|_| ErrorKind::InvalidData)?;
    if file_length(len) != Some(bytes) {
        return Err(ErrorKind::InvalidData.into());
    }
    Ok((file, memory, len))
}

/// The mutex for the threads, and in it the locked file for the processes.
struct Turn<'a> {
    file: MutexGuard<'a, File>,
}

impl<'a> Turn<'a> {
    fn wait(file: &'a Mutex<File>) -> io::Result<Turn<'a>> {
        let file = file.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match file.lock() {
                Ok(()) => return Ok(Turn { file }),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn ask(file: &'a Mutex<File>) -> io::Result<Option<Turn<'a>>> {
        let file = match file.try_lock() {
            Ok(file) => file,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(None),
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(Turn { file })),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Before the mutex: its guard is a field, and goes afterwards.
        let _ = self.file.unlock();
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
