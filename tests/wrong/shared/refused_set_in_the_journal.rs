//! rejected: panic
//! by: beyond_the_last_cell_is_none
//!
//! A journal has room for each cell once. `set` takes a place there before it finds out that there is no such cell. If `change` goes on
//! and sets all the cells that there are, the last of them finds no room.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError as Busy};

use memory::Memory;

/// What the first word of every such file is, once it is whole.
const MAGIC: u64 = 0x6873_6172_6564_2d31;

// Where what stands. After the head: the cells; then the journal, of pairs: which cell, and what was in it.
const KIND: usize = 0;
const LEN: usize = 1;
const VALUE: usize = 2;
/// How many pairs are in the journal. Who has the turn and finds some, finds a broken update.
const PAIRS: usize = 3;
const HEAD: usize = 4;

/// A value and an array of numbers, shared by every process that has opened the same file. Threads share it by reference.
#[derive(Debug)]
pub struct Shared {
    memory: Memory,
    len: usize,
    file: File,
    /// The file's lock keeps processes apart (and other `Shared`s), this the threads that use the same `file`.
    turn: Mutex<()>,
}

/// The cells of the array, as an update or a reader sees them.
#[derive(Debug)]
pub struct Cells<'a> {
    words: &'a [AtomicU64],
    journal: &'a [AtomicU64],
    pairs: &'a AtomicU64,
    /// Which cells are in the journal.
    saved: HashSet<usize>,
}

/// Whoever has this has the turn.
#[derive(Debug)]
struct Turn<'a> {
    file: &'a File,
    _threads: MutexGuard<'a, ()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // First the file, then (as a field) the mutex.
        let _ = self.file.unlock();
    }
}

/// How long the file is. `None`: no file can be that long.
fn bytes(len: usize) -> Option<u64> {
    let words = len.checked_mul(3)?.checked_add(HEAD)?;
    let bytes = u64::try_from(words).ok()?.checked_mul(8)?;
    i64::try_from(bytes).is_ok().then_some(bytes)
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Zeros everywhere, and only then what makes it such a file.
fn fill(mut file: &File, len: usize, bytes: u64) -> io::Result<()> {
    file.set_len(bytes)?;
    let zeros = [0; 8192];
    let mut left = bytes;
    while left > 0 {
        let part = left.min(8192);
        file.write_all(&zeros[..part as usize])?;
        left -= part;
    }
    file.seek(SeekFrom::Start(8 * LEN as u64))?;
    file.write_all(&(len as u64).to_ne_bytes())?;
    file.seek(SeekFrom::Start(8 * KIND as u64))?;
    file.write_all(&MAGIC.to_ne_bytes())
}

impl Shared {
    /// Makes the file and opens it: the value and `len` cells, all 0.
    pub fn create(path: &Path, len: usize) -> io::Result<Shared> {
        let bytes =
            bytes(len).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no file can be that long"))?;
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        match fill(&file, len, bytes).and_then(|()| Memory::map(&file)) {
            Ok(memory) => Ok(Shared { memory, len, file, turn: Mutex::new(()) }),
            Err(error) => {
                let _ = fs::remove_file(path);
                Err(error)
            }
        }
    }

    /// Opens the file that another process has made.
    pub fn open(path: &Path) -> io::Result<Shared> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let size = file.metadata()?.len();
        if size < 8 * HEAD as u64 {
            return Err(invalid("too short"));
        }
        let memory = Memory::map(&file)?;
        let words = memory.words();
        if words.len() < HEAD || words[KIND].load(Ordering::Acquire) != MAGIC {
            return Err(invalid("something else"));
        }
        let len = usize::try_from(words[LEN].load(Ordering::Relaxed)).map_err(|_| invalid("too many cells"))?;
        if bytes(len) != Some(size) {
            return Err(invalid("another length"));
        }
        Ok(Shared { memory, len, file, turn: Mutex::new(()) })
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        &self.memory.words()[at]
    }

    fn cells(&self) -> Cells<'_> {
        let (words, journal) = self.memory.words()[HEAD..].split_at(self.len);
        Cells { words, journal, pairs: self.word(PAIRS), saved: HashSet::new() }
    }

    /// Only called by who has the turn. Undoes what was broken off.
    fn repair(&self) {
        let cells = self.cells();
        // It is a file: it may hold any number.
        let pairs = usize::try_from(cells.pairs.load(Ordering::SeqCst)).unwrap_or(usize::MAX).min(self.len);
        for pair in (0..pairs).rev() {
            let old = cells.journal[2 * pair + 1].load(Ordering::SeqCst);
            let index = usize::try_from(cells.journal[2 * pair].load(Ordering::SeqCst)).unwrap_or(usize::MAX);
            if let Some(word) = cells.words.get(index) {
                word.store(old, Ordering::SeqCst);
            }
        }
        if pairs > 0 {
            cells.pairs.store(0, Ordering::SeqCst);
        }
    }

    fn wait(&self) -> io::Result<Turn<'_>> {
        let threads = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.file.lock()?;
        Ok(Turn { file: &self.file, _threads: threads })
    }

    fn try_turn(&self) -> io::Result<Option<Turn<'_>>> {
        let threads = match self.turn.try_lock() {
            Ok(threads) => threads,
            Err(Busy::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(Busy::WouldBlock) => return Ok(None),
        };
        match self.file.try_lock() {
            Ok(()) => Ok(Some(Turn { file: &self.file, _threads: threads })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Only called by who has the turn.
    fn run<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> R {
        self.repair();
        let answer = change(&mut self.cells());
        self.word(PAIRS).store(0, Ordering::SeqCst);
        answer
    }

    /// The value.
    pub fn value(&self) -> u64 {
        self.word(VALUE).load(Ordering::SeqCst)
    }

    /// Replaces the value by what `change` makes of it. Returns what was replaced.
    pub fn modify(&self, mut change: impl FnMut(u64) -> u64) -> u64 {
        let mut old = self.value();
        loop {
            let new = change(old);
            match self.word(VALUE).compare_exchange(old, new, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => return old,
                Err(other) => old = other,
            }
        }
    }

    /// Changes cells of the array, and gives what `change` returns. Waits until no other process or thread does.
    pub fn update<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> io::Result<R> {
        let _turn = self.wait()?;
        Ok(self.run(change))
    }

    /// Like [`update`](Shared::update), but doesn't wait.
    pub fn try_update<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> io::Result<Option<R>> {
        let Some(_turn) = self.try_turn()? else { return Ok(None) };
        Ok(Some(self.run(change)))
    }

    /// Lets `read` look at the array, and gives what it returns if the array stayed the same until it was done.
    pub fn try_read<R>(&self, read: impl FnOnce(&Cells<'_>) -> R) -> io::Result<Option<R>> {
        let Some(_turn) = self.try_turn()? else { return Ok(None) };
        self.repair();
        Ok(Some(read(&self.cells())))
    }

    /// The whole array at one moment.
    pub fn snapshot(&self) -> io::Result<Vec<u64>> {
        let _turn = self.wait()?;
        self.repair();
        Ok(self.cells().to_vec())
    }
}

impl Cells<'_> {
    /// Notes what was in the cell before this update, once.
    fn save(&mut self, index: usize, old: u64) {
        if !self.saved.insert(index) {
            return;
        }
        let pair = self.pairs.load(Ordering::SeqCst) as usize;
        self.journal[2 * pair].store(index as u64, Ordering::SeqCst);
        self.journal[2 * pair + 1].store(old, Ordering::SeqCst);
        self.pairs.store(pair as u64 + 1, Ordering::SeqCst);
    }

    /// The number in that cell.
    pub fn get(&self, index: usize) -> u64 {
        self.words[index].load(Ordering::Relaxed)
    }

    /// Puts a number into that cell.
    pub fn set(&mut self, index: usize, number: u64) {
        // First the journal, then the cell: whenever this process dies, the old number is not lost.
        let old = self.words.get(index).map_or(0, |word| word.load(Ordering::SeqCst));
        self.save(index, old);
        self.words[index].store(number, Ordering::SeqCst);
    }

    /// The numbers in all cells.
    pub fn to_vec(&self) -> Vec<u64> {
        self.words.iter().map(|word| word.load(Ordering::Relaxed)).collect()
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
