//! rejected: assertion
//! by: a_reader_notices_every_update
//!
//! The file is read into memory once. Every process has memory of its own then, and nobody sees what the others write.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

#[derive(Debug)]
pub struct Shared {
    words: Vec<AtomicU64>,
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
        let shared = Shared { words: words_of(&mut &file)?, file, threads: Mutex::new(()) };
        shared.word(LEN).store(len as u64, Ordering::SeqCst);
        shared.word(FORMAT).store(THIS_FORMAT, Ordering::SeqCst);
        (&shared.file).rewind()?;
        for word in &shared.words {
            (&shared.file).write_all(&word.load(Ordering::SeqCst).to_le_bytes())?;
        }
        Ok(shared)
    }

    pub fn open(path: &Path) -> io::Result<Shared> {
        let file = File::options().read(true).write(true).open(path)?;
        let bytes = file.metadata()?.len();
        if bytes < 8 * ARRAY as u64 {
            return Err(ErrorKind::InvalidData.into());
        }
        let shared = Shared { words: words_of(&mut &file)?, file, threads: Mutex::new(()) };
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
        let copies = &self.words[ARRAY..];
        let (even, odd) = copies.split_at(copies.len() / 2);
        if version % 2 == 0 { even } else { odd }
    }

    fn word(&self, place: usize) -> &AtomicU64 {
        &self.words[place]
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

fn words_of(file: &mut &File) -> io::Result<Vec<AtomicU64>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    let words = bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap()));
    Ok(words.map(AtomicU64::new).collect())
}
