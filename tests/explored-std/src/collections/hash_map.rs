//! `std::collections::hash_map`.

use std::borrow::Borrow;
use std::collections::{TryReserveError, hash_map as real};
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::ops::{Deref, DerefMut, Index};

pub use ::std::collections::hash_map::{
    Drain, Entry, ExtractIf, IntoIter, IntoKeys, IntoValues, Iter, IterMut, Keys, OccupiedEntry, VacantEntry, Values,
    ValuesMut,
};

pub use crate::hash::{DefaultHasher, RandomState};

wrap!(HashMap[K, V], "HashMap", (K, V));

impl<K, V, S> HashMap<K, V, S> {
    pass_on! {
        fn capacity(&self) -> usize;
        fn keys(&self) -> Keys<'_, K, V>;
        fn into_keys(self) -> IntoKeys<K, V>;
        fn values(&self) -> Values<'_, K, V>;
        fn values_mut(&mut self) -> ValuesMut<'_, K, V>;
        fn into_values(self) -> IntoValues<K, V>;
        fn iter(&self) -> Iter<'_, K, V>;
        fn iter_mut(&mut self) -> IterMut<'_, K, V>;
        fn len(&self) -> usize;
        fn is_empty(&self) -> bool;
        fn drain(&mut self) -> Drain<'_, K, V>;
        fn extract_if[F](&mut self, pred: F) -> ExtractIf<'_, K, V, F> where [F: FnMut(&K, &mut V) -> bool];
        fn retain[F](&mut self, f: F) where [F: FnMut(&K, &mut V) -> bool];
        fn clear(&mut self);
        fn hasher(&self) -> &S;
    }
}

impl<K: Eq + Hash, V, S: BuildHasher> HashMap<K, V, S> {
    pass_on! {
        fn reserve(&mut self, additional: usize);
        fn try_reserve(&mut self, additional: usize) -> Result<(), TryReserveError>;
        fn shrink_to_fit(&mut self);
        fn shrink_to(&mut self, min_capacity: usize);
        fn entry(&mut self, key: K) -> Entry<'_, K, V>;
        fn get[Q](&self, k: &Q) -> Option<&V> where [K: Borrow<Q>, Q: Hash + Eq + ?Sized];
        fn get_key_value[Q](&self, k: &Q) -> Option<(&K, &V)> where [K: Borrow<Q>, Q: Hash + Eq + ?Sized];
        fn get_disjoint_mut[Q, const N: usize](&mut self, ks: [&Q; N]) -> [Option<&mut V>; N]
            where [K: Borrow<Q>, Q: Hash + Eq + ?Sized];
        fn contains_key[Q](&self, k: &Q) -> bool where [K: Borrow<Q>, Q: Hash + Eq + ?Sized];
        fn get_mut[Q](&mut self, k: &Q) -> Option<&mut V> where [K: Borrow<Q>, Q: Hash + Eq + ?Sized];
        fn insert(&mut self, k: K, v: V) -> Option<V>;
        fn remove[Q](&mut self, k: &Q) -> Option<V> where [K: Borrow<Q>, Q: Hash + Eq + ?Sized];
        fn remove_entry[Q](&mut self, k: &Q) -> Option<(K, V)> where [K: Borrow<Q>, Q: Hash + Eq + ?Sized];
    }
}

impl<K: Eq + Hash + Borrow<Q>, Q: Eq + Hash + ?Sized, V, S: BuildHasher> Index<&Q> for HashMap<K, V, S> {
    type Output = V;

    fn index(&self, key: &Q) -> &V {
        &self.0[key]
    }
}

impl<'a, K, V, S> IntoIterator for &'a mut HashMap<K, V, S> {
    type Item = (&'a K, &'a mut V);
    type IntoIter = IterMut<'a, K, V>;

    fn into_iter(self) -> IterMut<'a, K, V> {
        self.0.iter_mut()
    }
}
