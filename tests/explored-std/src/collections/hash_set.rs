//! `std::collections::hash_set`.

use std::borrow::Borrow;
use std::collections::{TryReserveError, hash_set as real};
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::ops::{BitAnd, BitOr, BitXor, Deref, DerefMut, Sub};

pub use ::std::collections::hash_set::{
    Difference, Drain, ExtractIf, Intersection, IntoIter, Iter, SymmetricDifference, Union,
};

use crate::hash::RandomState;

wrap!(HashSet[T], "HashSet", T);

impl<T, S> HashSet<T, S> {
    pass_on! {
        fn capacity(&self) -> usize;
        fn iter(&self) -> Iter<'_, T>;
        fn len(&self) -> usize;
        fn is_empty(&self) -> bool;
        fn drain(&mut self) -> Drain<'_, T>;
        fn extract_if[F](&mut self, pred: F) -> ExtractIf<'_, T, F> where [F: FnMut(&T) -> bool];
        fn retain[F](&mut self, f: F) where [F: FnMut(&T) -> bool];
        fn clear(&mut self);
        fn hasher(&self) -> &S;
    }
}

impl<T: Eq + Hash, S: BuildHasher> HashSet<T, S> {
    pass_on! {
        fn reserve(&mut self, additional: usize);
        fn try_reserve(&mut self, additional: usize) -> Result<(), TryReserveError>;
        fn shrink_to_fit(&mut self);
        fn shrink_to(&mut self, min_capacity: usize);
        fn difference['a](&'a self, other: &'a HashSet<T, S>) -> Difference<'a, T, S>;
        fn symmetric_difference['a](&'a self, other: &'a HashSet<T, S>) -> SymmetricDifference<'a, T, S>;
        fn intersection['a](&'a self, other: &'a HashSet<T, S>) -> Intersection<'a, T, S>;
        fn union['a](&'a self, other: &'a HashSet<T, S>) -> Union<'a, T, S>;
        fn contains[Q](&self, value: &Q) -> bool where [T: Borrow<Q>, Q: Hash + Eq + ?Sized];
        fn get[Q](&self, value: &Q) -> Option<&T> where [T: Borrow<Q>, Q: Hash + Eq + ?Sized];
        fn is_disjoint(&self, other: &HashSet<T, S>) -> bool;
        fn is_subset(&self, other: &HashSet<T, S>) -> bool;
        fn is_superset(&self, other: &HashSet<T, S>) -> bool;
        fn insert(&mut self, value: T) -> bool;
        fn replace(&mut self, value: T) -> Option<T>;
        fn remove[Q](&mut self, value: &Q) -> bool where [T: Borrow<Q>, Q: Hash + Eq + ?Sized];
        fn take[Q](&mut self, value: &Q) -> Option<T> where [T: Borrow<Q>, Q: Hash + Eq + ?Sized];
    }
}

macro_rules! operator {
    ($($trait:ident $method:ident;)*) => {
        $(
            impl<T: Eq + Hash + Clone, S: BuildHasher + Default> $trait<&HashSet<T, S>> for &HashSet<T, S> {
                type Output = HashSet<T, S>;

                fn $method(self, other: &HashSet<T, S>) -> HashSet<T, S> {
                    HashSet($trait::$method(&self.0, &other.0))
                }
            }
        )*
    };
}

operator! {
    BitAnd bitand;
    BitOr bitor;
    BitXor bitxor;
    Sub sub;
}
