//! A hash for tables that nobody can attack: a few instructions a word. Judging is mostly looking up.

use std::hash::{BuildHasherDefault, Hash, Hasher};

/// A hash table of small things, in no order.
pub(super) type Map<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<Quick>>;

/// A set of small things, in no order.
pub(super) type Set<T> = std::collections::HashSet<T, BuildHasherDefault<Quick>>;

/// The hash of something.
pub(super) fn hash_of(it: &impl Hash) -> u64 {
    let mut quick = Quick::default();
    it.hash(&mut quick);
    quick.finish()
}

/// Mixes each word in by a rotation, an exclusive or and a multiplication, as Firefox does.
#[derive(Default)]
pub(super) struct Quick(u64);

/// Any odd number whose bits look like chance.
const FACTOR: u64 = 0x517c_c1b7_2722_0a95;

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(byte.into());
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn write_isize(&mut self, word: isize) {
        self.write_u64(word as u64);
    }

    fn finish(&self) -> u64 {
        // The best bits are the high ones, and tables look at the low ones too.
        self.0 ^ (self.0 >> 32)
    }
}
