//! A value and an array that processes share: a file, mapped into the memory of each of them.
//!
//! The value fits into one machine word. One atomic instruction changes it, so nobody ever sees half of a change, and nobody
//! has to wait.
//!
//! The array does not fit into a word, and two things can go wrong with it. Two processes may change it at once: they take
//! turns, by a lock that belongs to the operating system, which takes it back from a process that dies. And a process may look,
//! or die, in the middle of a change: so there are **two copies**. A change is made in the copy that nobody reads, and a single
//! store at its end makes that copy the current one. Until that store nothing has happened.
//!
//! ```text
//!     version 6, even: copy 0 is read        copy 0 │ 5 5 5 5 │ ◀── readers
//!                                            copy 1 │ 6 6 5 5 │ ◀── the one process whose turn it is
//!     version 7, odd: copy 1 is read, whole, from the store of the 7 on
//! ```

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use memory::Memory;

/// A value and an array of numbers, shared by every process that has opened the same file. Threads share it by reference.
#[derive(Debug)]
pub struct Shared {
    /// The mapped file, word by word: see the constants below.
    memory: Memory,
    /// The same file, for its lock.
    file: File,
    /// Processes are kept apart by the file's lock, threads by this one. The operating system gives the file's lock to the open
    /// *file*, so two threads that use the same one would both be told that they have it.
    threads: Mutex<()>,
}

/// The cells of the array, as an update or a reader sees them.
#[derive(Debug)]
pub struct Cells<'a> {
    words: &'a [AtomicU64],
}

// What is where, counted in words of 8 bytes. Two copies of the array follow.

/// Says that the file was made by [`Shared::create`], and that it is whole.
const FORMAT: usize = 0;
/// How many cells the array has.
const LEN: usize = 1;
/// The value.
const VALUE: usize = 2;
/// How many updates the array has seen. Its last bit says which copy is the current one.
const VERSION: usize = 3;
/// Where the first copy begins.
const ARRAY: usize = 4;

/// What the word [`FORMAT`] says. A program that arranges the words differently must take another number.
const THIS_FORMAT: u64 = u64::from_le_bytes(*b"shared 1");

// Every store is `Release` and every load `Acquire`: whoever sees a number that a process has stored also sees everything that
// this process had stored before it. The comments below say where that is needed.

impl Shared {
    /// Makes the file and opens it: the value and `len` cells, all 0. The file stays until somebody removes it.
    ///
    /// # Errors
    /// - `AlreadyExists`: there is something at `path`. It stays as it is.
    /// - `InvalidInput`: no file can be that long.
    /// - Others of the operating system: no room on the disk, no such folder, … No file is left behind.
    pub fn create(path: &Path, len: usize) -> io::Result<Shared> {
        let bytes = bytes_for(len as u64).ok_or(ErrorKind::InvalidInput)?;
        // `create_new` asks and creates in one step. To ask first whether the file exists would be a race between processes.
        let file = File::options().read(true).write(true).create_new(true).open(path)?;
        Shared::fill(file, len, bytes).inspect_err(|_| {
            // The first error says why. That the rest can't be removed either would add nothing.
            let _ = fs::remove_file(path);
        })
    }

    /// Opens the file that another process has made.
    ///
    /// # Errors
    /// - `NotFound`: there is no file at `path`.
    /// - `InvalidData`: the file is too short, too long, not whole, or something else altogether. It never panics.
    /// - Others of the operating system.
    pub fn open(path: &Path) -> io::Result<Shared> {
        let file = File::options().read(true).write(true).open(path)?;
        let bytes = file.metadata()?.len();
        let foreign = || io::Error::new(ErrorKind::InvalidData, "not the file of a shared value and array");
        // Everything in a file is input, also the length that it claims to have. The memory may only be used as an array after
        // it is known to be one.
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

    /// The value.
    pub fn value(&self) -> u64 {
        self.word(VALUE).load(Ordering::Acquire)
    }

    /// Replaces the value by what `change` makes of it. Returns what was replaced.
    ///
    /// Nobody waits for a process or thread that stands still in `change`, and this waits for no update of the array. If the value
    /// has changed meanwhile, `change` is called again, with the new one. If `change` panics, the value stays.
    pub fn modify(&self, mut change: impl FnMut(u64) -> u64) -> u64 {
        let value = self.word(VALUE);
        let mut seen = value.load(Ordering::Acquire);
        loop {
            // Compares and exchanges in one instruction: only if the value is still what `change` was given. The library's
            // `fetch_update` is this loop.
            match value.compare_exchange(seen, change(seen), Ordering::AcqRel, Ordering::Acquire) {
                Ok(replaced) => return replaced,
                Err(newer) => seen = newer,
            }
        }
    }

    /// Changes cells of the array, and gives what `change` returns. Waits until no other process or thread does. Others see all of
    /// the change or nothing.
    ///
    /// If `change` panics, or its process dies, nothing has changed. An update within an update waits for itself, for ever.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn update<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> io::Result<R> {
        let _turn = self.wait_for_turn()?;
        Ok(self.change(change))
    }

    /// Like [`update`](Shared::update), but doesn't wait: if another process or thread is changing the array, nothing happens,
    /// and the answer is `None`.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn try_update<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> io::Result<Option<R>> {
        let Some(_turn) = self.try_turn()? else { return Ok(None) };
        Ok(Some(self.change(change)))
    }

    /// Lets `read` look at the array, and gives what it returns if the array stayed the same until it was done. Otherwise, `None`.
    ///
    /// `read` may see cells of different updates. What it then returns is thrown away.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn try_read<R>(&self, read: impl FnOnce(&Cells<'_>) -> R) -> io::Result<Option<R>> {
        let version = self.word(VERSION).load(Ordering::Acquire);
        let result = read(&Cells { words: self.copy(version) });
        // The copy is written to again by the update after the next, which begins when this version is no longer the current
        // one. If `read` saw one of its cells, then it saw, before it, the newer version too, and this load can't miss that.
        Ok((self.word(VERSION).load(Ordering::Acquire) == version).then_some(result))
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
            thread::yield_now();
        }
    }

    /// Makes an empty file one that [`open`](Shared::open) accepts.
    fn fill(mut file: File, len: usize, bytes: u64) -> io::Result<Shared> {
        // To *say* how long the file is (`set_len`) costs nothing and reserves nothing: such a file has holes. If the disk is
        // full when a hole is first written to, through the memory, there is no call that could fail. The process is killed.
        // Zeros that are written have their place, or here is the error.
        io::copy(&mut io::repeat(0).take(bytes), &mut file)?;
        let memory = Memory::map(&file)?;
        let shared = Shared { memory, file, threads: Mutex::new(()) };
        shared.word(LEN).store(len as u64, Ordering::Release);
        // Last, so that a file whose maker died halfway is refused.
        shared.word(FORMAT).store(THIS_FORMAT, Ordering::Release);
        Ok(shared)
    }

    /// Makes a change in the copy that nobody reads, and then makes that copy the current one. The caller has the turn.
    fn change<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> R {
        let version = self.word(VERSION).load(Ordering::Acquire);
        let next_version = version.wrapping_add(1);
        let (current, next) = (self.copy(version), self.copy(next_version));
        // An earlier update may have died in `next`. Whatever it left there is overwritten now.
        for (from, to) in current.iter().zip(next) {
            to.store(from.load(Ordering::Acquire), Ordering::Release);
        }
        let result = change(&mut Cells { words: next });
        // The one store that all readers and the next update wait for. A panic in `change` doesn't get here, nor does a death.
        self.word(VERSION).store(next_version, Ordering::Release);
        result
    }

    /// The copy that belongs to that version.
    fn copy(&self, version: u64) -> &[AtomicU64] {
        let copies = &self.memory.words()[ARRAY..];
        let (even, odd) = copies.split_at(copies.len() / 2);
        if version.is_multiple_of(2) { even } else { odd }
    }

    fn word(&self, place: usize) -> &AtomicU64 {
        &self.memory.words()[place]
    }

    fn wait_for_turn(&self) -> io::Result<Turn<'_>> {
        // Poison would say that a thread panicked in its turn. Its update has not happened then, so there is nothing to fear.
        let among_threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        self.file.lock()?;
        Ok(Turn { file: &self.file, _among_threads: among_threads })
    }

    /// Nothing if it is another's turn.
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

/// While it lives, no other process or thread has the turn.
///
/// `File::lock` gives no guard, so this is one: the lock is let go also when a panic passes by. If the whole process goes, the
/// operating system does the same for it.
#[derive(Debug)]
struct Turn<'a> {
    file: &'a File,
    _among_threads: MutexGuard<'a, ()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Fields are dropped after this: first the processes' lock is free, then that of the threads.
        let _ = self.file.unlock();
    }
}

impl Cells<'_> {
    /// The number in that cell.
    ///
    /// # Panics
    /// If the array has no such cell.
    pub fn get(&self, index: usize) -> u64 {
        self.words[index].load(Ordering::Acquire)
    }

    /// Puts a number into that cell.
    ///
    /// # Panics
    /// If the array has no such cell.
    // `&mut`, which an atomic does not need: so only an update can write, and a reader that tries does not compile.
    pub fn set(&mut self, index: usize, number: u64) {
        self.words[index].store(number, Ordering::Release);
    }

    /// The numbers in all cells.
    pub fn to_vec(&self) -> Vec<u64> {
        self.words.iter().map(|word| word.load(Ordering::Acquire)).collect()
    }
}

/// The length of the file of an array of that length. Nothing if no file can be that long.
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
