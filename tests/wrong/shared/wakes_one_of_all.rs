//! rejected: timeout
//! by: two_files_have_nothing_to_do_with_each_other
//!
//! Breaks "an update of one array keeps nobody from … another file" and "an update waits for its turn": threads wait for all files at one
//! condition variable, and who leaves wakes one of them; while files A and B are both being updated, one thread waits for B and then one
//! for A: when A becomes free, the one for B is woken and sleeps again, and the one for A sleeps on with A free. The files at which a
//! thread of this process is at work are in one set for all, known by device and number.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};

use memory::Memory;

/// Two copies of the array.
const PARTS: usize = 2;

/// Device and number: a file is the same, whatever its name.
type Identity = (u64, u64);

/// The files at which a thread of this process is at work.
static BUSY: Mutex<BTreeSet<Identity>> = Mutex::new(BTreeSet::new());
static FREE: Condvar = Condvar::new();

/// A value and an array of numbers, shared by every process that has opened the same file. Threads share it by reference.
#[derive(Debug)]
pub struct Shared {
    identity: Identity,
    file: File,
    memory: Memory,
    len: usize,
}

/// The cells of the array, as an update or a reader sees them.
#[derive(Debug)]
pub struct Cells<'a> {
    words: &'a [AtomicU64],
}

/// The only thread of this process that is at work at that file.
struct Seat {
    identity: Identity,
}

impl Seat {
    fn wait(identity: Identity) -> Seat {
        let mut busy = FREE.wait_while(BUSY.lock().unwrap(), |busy| busy.contains(&identity)).unwrap();
        busy.insert(identity);
        Seat { identity }
    }

    fn ask(identity: Identity) -> Option<Seat> {
        let is_first = BUSY.lock().unwrap().insert(identity);
        is_first.then(|| Seat { identity })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        BUSY.lock().unwrap().remove(&self.identity);
        FREE.notify_one();
    }
}

/// Alone at the file, among threads and processes.
struct Turn<'a> {
    file: &'a File,
    // Is given back after the file has been unlocked.
    _seat: Seat,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let _ = self.file.unlock();
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
        let (file, memory) = make(path, len)?;
        Shared::of(file, memory, len)
    }

    /// Opens the file that another process has made.
    ///
    /// # Errors
    /// - `NotFound`: there is no file at `path`.
    /// - `InvalidData`: the file is too short, too long, not whole, or something else altogether. It never panics.
    /// - Others of the operating system.
    pub fn open(path: &Path) -> io::Result<Shared> {
        let (file, memory, len) = find(path)?;
        Shared::of(file, memory, len)
    }

    fn of(file: File, memory: Memory, len: usize) -> io::Result<Shared> {
        let metadata = file.metadata()?;
        Ok(Shared { identity: (metadata.dev(), metadata.ino()), file, memory, len })
    }

    /// The value.
    pub fn value(&self) -> u64 {
        self.word(VALUE).load(Ordering::SeqCst)
    }

    /// Replaces the value by what `change` makes of it. Returns what was replaced.
    pub fn modify(&self, mut change: impl FnMut(u64) -> u64) -> u64 {
        let mut old = self.value();
        loop {
            match self.word(VALUE).compare_exchange(old, change(old), Ordering::SeqCst, Ordering::SeqCst) {
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
        let turn = self.wait_for_turn()?;
        Ok(self.change_in(&turn, change))
    }

    /// Like [`update`](Shared::update), but doesn't wait.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn try_update<R>(&self, change: impl FnOnce(&mut Cells<'_>) -> R) -> io::Result<Option<R>> {
        let Some(seat) = Seat::ask(self.identity) else {
            return Ok(None);
        };
        match self.file.try_lock() {
            Ok(()) => {
                let turn = Turn { file: &self.file, _seat: seat };
                Ok(Some(self.change_in(&turn, change)))
            }
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// Lets `read` look at the array, and gives what it returns if the array stayed the same until it was done. Otherwise, `None`.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn try_read<R>(&self, read: impl FnOnce(&Cells<'_>) -> R) -> io::Result<Option<R>> {
        let version = self.version();
        let result = read(&Cells { words: self.copy(version) });
        Ok((self.version() == version).then_some(result))
    }

    /// The whole array at one moment.
    ///
    /// # Errors
    /// The operating system's, if it can't lock.
    pub fn snapshot(&self) -> io::Result<Vec<u64>> {
        for _ in 0..30 {
            if let Some(numbers) = self.try_read(|cells| cells.to_vec())? {
                return Ok(numbers);
            }
        }
        let _turn = self.wait_for_turn()?;
        Ok(Cells { words: self.copy(self.version()) }.to_vec())
    }

    fn wait_for_turn(&self) -> io::Result<Turn<'_>> {
        let seat = Seat::wait(self.identity);
        while let Err(error) = self.file.lock() {
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        Ok(Turn { file: &self.file, _seat: seat })
    }

    fn word(&self, index: usize) -> &AtomicU64 {
        &self.memory.words()[index]
    }

    fn version(&self) -> u64 {
        self.word(NUMBER).load(Ordering::SeqCst)
    }

    fn copy(&self, version: u64) -> &[AtomicU64] {
        let start = HEADER + (version % 2) as usize * self.len;
        &self.memory.words()[start..start + self.len]
    }

    fn change_in<R>(&self, _turn: &Turn<'_>, change: impl FnOnce(&mut Cells<'_>) -> R) -> R {
        let version = self.version();
        let next = version.wrapping_add(1);
        let spare = self.copy(next);
        for (to, from) in spare.iter().zip(self.copy(version)) {
            to.store(from.load(Ordering::SeqCst), Ordering::SeqCst);
        }
        let result = change(&mut Cells { words: spare });
        self.word(NUMBER).store(next, Ordering::SeqCst);
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

/// What each word before the cells is for.
const KIND: usize = 0;
const LEN: usize = 1;
const VALUE: usize = 2;
const NUMBER: usize = 3;
const HEADER: usize = 4;

/// Only a file that is whole begins with it.
const MAGIC: u64 = u64::from_be_bytes(*b"SHARED 1");

/// How long the file is, if there can be such a file.
fn bytes_for(len: usize) -> Option<u64> {
    let words = len.checked_mul(PARTS)?.checked_add(HEADER)?;
    let bytes = u64::try_from(words).ok()?.checked_mul(8)?;
    i64::try_from(bytes).is_ok().then_some(bytes)
}

fn fill_with_zeros(file: &mut File, bytes: u64) -> io::Result<()> {
    let zeros = vec![0; 64 * 1024];
    let mut left = bytes;
    while left > 0 {
        let part = left.min(zeros.len() as u64);
        file.write_all(&zeros[..part as usize])?;
        left -= part;
    }
    Ok(())
}

/// Removes the file, unless it is kept.
struct Unfinished<'a> {
    path: Option<&'a Path>,
}

impl Unfinished<'_> {
    fn keep(mut self) {
        self.path = None;
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(path) = self.path {
            let _ = fs::remove_file(path);
        }
    }
}

fn make(path: &Path, len: usize) -> io::Result<(File, Memory)> {
    let bytes = bytes_for(len).ok_or(io::ErrorKind::InvalidInput)?;
    let mut file = File::options().read(true).write(true).create_new(true).open(path)?;
    let unfinished = Unfinished { path: Some(path) };
    file.set_len(bytes)?;
    let memory = Memory::map(&file)?;
    fill_with_zeros(&mut file, bytes)?;
    memory.words()[LEN].store(len as u64, Ordering::SeqCst);
    memory.words()[KIND].store(MAGIC, Ordering::SeqCst);
    unfinished.keep();
    Ok((file, memory))
}

fn find(path: &Path) -> io::Result<(File, Memory, usize)> {
    let strange = || io::Error::new(io::ErrorKind::InvalidData, "this is no shared memory");
    let file = File::options().read(true).write(true).open(path)?;
    let bytes = file.metadata()?.len();
    if bytes < (HEADER * 8) as u64 || bytes % 8 != 0 {
        return Err(strange());
    }
    let memory = Memory::map(&file)?;
    let words = memory.words();
    if words.len() as u64 != bytes / 8 || words[KIND].load(Ordering::SeqCst) != MAGIC {
        return Err(strange());
    }
    let len = usize::try_from(words[LEN].load(Ordering::SeqCst)).map_err(|_| strange())?;
    if bytes_for(len) != Some(bytes) {
        return Err(strange());
    }
    Ok((file, memory, len))
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
