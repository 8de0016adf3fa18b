//! rejected: assertion
//! by: an_update_sees_and_changes_the_current_cells
//!
//! Breaks "if `change` panics or its process dies, the array is as it was before": an update that sets the same cell twice, `set(0, 1)` and
//! then `set(0, 2)`, and then panics (or dies): cell 0 is 1 afterwards, and not what it was before. Each `set` keeps what it replaces, also
//! where this is a number that the update itself has put there. With each cell set once, all is well.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use store::Store;

/// The cells, what was in them, and in which update that was kept.
const PARTS: usize = 3;
const CELLS: usize = 0;
const KEPT: usize = 1;
const STAMPS: usize = 2;

/// A value and an array of numbers, shared by every process that has opened the same file. Threads share it by reference.
#[derive(Debug)]
pub struct Shared {
    store: Store,
    /// The threads that share this take turns here, and then with all others at the file.
    gate: Mutex<()>,
}

/// The cells of the array, as an update or a reader sees them.
#[derive(Debug)]
pub struct Cells<'a> {
    words: &'a [AtomicU64],
    undo: Option<Undo<'a>>,
}

/// Where an update keeps what it replaces.
#[derive(Debug)]
struct Undo<'a> {
    kept: &'a [AtomicU64],
    stamps: &'a [AtomicU64],
    stamp: u64,
}

impl Undo<'_> {
    fn keep(&self, index: usize, number: u64) {
        self.kept[index].store(number, Ordering::SeqCst);
        self.stamps[index].store(self.stamp, Ordering::SeqCst);
    }
}

/// The right to change the array.
struct Turn<'a> {
    file: &'a File,
    // Is dropped after the file has been unlocked.
    _gate: MutexGuard<'a, ()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// An update at work. What has not been committed when it is dropped is taken back.
struct Attempt<'a> {
    shared: &'a Shared,
}

impl<'a> Attempt<'a> {
    fn begin(shared: &'a Shared, _turn: &Turn<'_>) -> Attempt<'a> {
        shared.mend();
        let number = shared.store.number();
        number.store(number.load(Ordering::SeqCst).wrapping_add(1), Ordering::SeqCst);
        Attempt { shared }
    }

    fn cells(&self) -> Cells<'a> {
        let store = &self.shared.store;
        let stamp = store.number().load(Ordering::SeqCst);
        Cells {
            words: store.part(CELLS),
            undo: Some(Undo { kept: store.part(KEPT), stamps: store.part(STAMPS), stamp }),
        }
    }

    fn commit(self) {
        let number = self.shared.store.number();
        number.store(number.load(Ordering::SeqCst).wrapping_add(1), Ordering::SeqCst);
        // The destructor finds nothing to take back.
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.shared.mend();
    }
}

fn is_at_work(number: u64) -> bool {
    number & 1 == 1
}

impl Shared {
    /// Makes the file and opens it: the value and `len` cells, all 0. The file stays until somebody removes it.
    ///
    /// # Errors
    /// - `AlreadyExists`: there is something at `path`. It stays as it is.
    /// - `InvalidInput`: no file can be that long.
    /// - Others of the operating system: no room on the disk, no such folder, … No file is left behind.
    pub fn create(path: &Path, len: usize) -> io::Result<Shared> {
        Store::create(path, len).map(Shared::of)
    }

    /// Opens the file that another process has made.
    ///
    /// # Errors
    /// - `NotFound`: there is no file at `path`.
    /// - `InvalidData`: the file is too short, too long, not whole, or something else altogether. It never panics.
    /// - Others of the operating system.
    pub fn open(path: &Path) -> io::Result<Shared> {
        Store::open(path).map(Shared::of)
    }

    fn of(store: Store) -> Shared {
        Shared { store, gate: Mutex::new(()) }
    }

    /// The value.
    pub fn value(&self) -> u64 {
        self.store.value().load(Ordering::SeqCst)
    }

    /// Replaces the value by what `change` makes of it. Returns what was replaced.
    pub fn modify(&self, mut change: impl FnMut(u64) -> u64) -> u64 {
        loop {
            let old = self.value();
            let new = change(old);
            if self.store.value().compare_exchange(old, new, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                return old;
            }
        }
    }

    /// Changes cells of the array, and gives what `change` returns. Waits until no other process or thread does.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn update<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> io::Result<R> {
        let turn = self.wait_for_turn()?;
        Ok(self.change_in(&turn, change))
    }

    /// Like [`update`](Shared::update), but doesn't wait.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn try_update<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> io::Result<Option<R>> {
        match self.ask_for_turn()? {
            Some(turn) => Ok(Some(self.change_in(&turn, change))),
            None => Ok(None),
        }
    }

    /// Lets `read` look at the array, and gives what it returns if the array stayed the same until it was done. Otherwise, `None`.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn try_read<R>(&self, read: impl FnOnce(&Cells<'_>) -> R) -> io::Result<Option<R>> {
        let mut before = self.store.number().load(Ordering::SeqCst);
        if is_at_work(before) {
            // Is somebody at work, or has somebody died at it?
            let Some(turn) = self.ask_for_turn()? else {
                return Ok(None);
            };
            self.mend();
            before = self.store.number().load(Ordering::SeqCst);
            drop(turn);
        }
        let result = read(&self.cells());
        let after = self.store.number().load(Ordering::SeqCst);
        Ok(if before == after { Some(result) } else { None })
    }

    /// The whole array at one moment.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn snapshot(&self) -> io::Result<Vec<u64>> {
        if let Some(numbers) = self.try_read(|cells| cells.to_vec())? {
            return Ok(numbers);
        }
        let _turn = self.wait_for_turn()?;
        self.mend();
        Ok(self.cells().to_vec())
    }

    fn cells(&self) -> Cells<'_> {
        Cells { words: self.store.part(CELLS), undo: None }
    }

    fn wait_for_turn(&self) -> io::Result<Turn<'_>> {
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        let file = &self.store.file;
        while let Err(error) = file.lock() {
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        Ok(Turn { file, _gate: gate })
    }

    fn ask_for_turn(&self) -> io::Result<Option<Turn<'_>>> {
        let gate = match self.gate.try_lock() {
            Ok(gate) => gate,
            Err(std::sync::TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(std::sync::TryLockError::WouldBlock) => return Ok(None),
        };
        let file = &self.store.file;
        match file.try_lock() {
            Ok(()) => Ok(Some(Turn { file, _gate: gate })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    fn change_in<R>(&self, turn: &Turn<'_>, change: impl FnOnce(&mut Cells<'_>) -> R) -> R {
        let attempt = Attempt::begin(self, turn);
        let result = change(&mut attempt.cells());
        attempt.commit();
        result
    }

    /// Takes back what was not committed. Only for who has the turn. Whoever dies in here leaves it to the next one.
    fn mend(&self) {
        let number = self.store.number().load(Ordering::SeqCst);
        if !is_at_work(number) {
            return;
        }
        let cells = self.store.part(CELLS).iter();
        for ((cell, kept), stamp) in cells.zip(self.store.part(KEPT)).zip(self.store.part(STAMPS)) {
            if stamp.load(Ordering::SeqCst) == number {
                cell.store(kept.load(Ordering::SeqCst), Ordering::SeqCst);
            }
        }
        // Onward, never back: a reader shall notice that something was there.
        self.store.number().store(number.wrapping_add(1), Ordering::SeqCst);
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
        let cell = &self.words[index];
        if let Some(undo) = &self.undo {
            undo.keep(index, cell.load(Ordering::SeqCst));
        }
        cell.store(number, Ordering::SeqCst);
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
