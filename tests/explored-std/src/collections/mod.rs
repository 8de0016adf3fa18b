//! `std::collections`, with a [`HashMap`] and a [`HashSet`] whose order is the same whenever a schedule is run.
//!
//! They wrap std's, as `HashMap::new` is std's only for std's own random keys. Everything else is passed on, method by method:
//! a method that is only reached through `Deref` can't be named by its type, and borrows the map before its arguments.

pub use ::std::collections::{
    BTreeMap, BTreeSet, BinaryHeap, LinkedList, TryReserveError, VecDeque, binary_heap, btree_map, btree_set,
    linked_list, vec_deque,
};

pub use hash_map::HashMap;
pub use hash_set::HashSet;

/// Makes a type that wraps one of std's: its constructors, and the methods that are named.
macro_rules! wrap {
    ($name:ident[$($parameter:ident),+], $what:literal, $entry:ty) => {
        #[doc = concat!("The model of `std::collections::", $what, "`.")]
        pub struct $name<$($parameter,)+ S = RandomState>(pub(super) real::$name<$($parameter,)+ S>);

        impl<$($parameter),+> $name<$($parameter),+> {
            /// An empty one.
            #[must_use]
            pub fn new() -> Self {
                Self::default()
            }

            /// An empty one with room for so many.
            #[must_use]
            pub fn with_capacity(capacity: usize) -> Self {
                Self::with_capacity_and_hasher(capacity, RandomState::new())
            }
        }

        impl<$($parameter,)+ S> $name<$($parameter,)+ S> {
            /// An empty one with this hasher.
            pub const fn with_hasher(hash_builder: S) -> Self {
                Self(real::$name::with_hasher(hash_builder))
            }

            /// An empty one with room for so many, and this hasher.
            pub fn with_capacity_and_hasher(capacity: usize, hash_builder: S) -> Self {
                Self(real::$name::with_capacity_and_hasher(capacity, hash_builder))
            }
        }

        impl<$($parameter,)+ S> Deref for $name<$($parameter,)+ S> {
            type Target = real::$name<$($parameter,)+ S>;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        impl<$($parameter,)+ S> DerefMut for $name<$($parameter,)+ S> {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.0
            }
        }

        impl<$($parameter: Clone,)+ S: Clone> Clone for $name<$($parameter,)+ S> {
            fn clone(&self) -> Self {
                Self(self.0.clone())
            }

            fn clone_from(&mut self, other: &Self) {
                self.0.clone_from(&other.0);
            }
        }

        impl<$($parameter: fmt::Debug,)+ S> fmt::Debug for $name<$($parameter,)+ S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl<$($parameter,)+ S: Default> Default for $name<$($parameter,)+ S> {
            fn default() -> Self {
                Self(real::$name::default())
            }
        }

        impl<$($parameter,)+ S> PartialEq for $name<$($parameter,)+ S>
        where
            real::$name<$($parameter,)+ S>: PartialEq,
        {
            fn eq(&self, other: &Self) -> bool {
                self.0 == other.0
            }
        }

        impl<$($parameter,)+ S> Eq for $name<$($parameter,)+ S> where real::$name<$($parameter,)+ S>: Eq {}

        impl<$($parameter,)+ S, X> Extend<X> for $name<$($parameter,)+ S>
        where
            real::$name<$($parameter,)+ S>: Extend<X>,
        {
            fn extend<I: IntoIterator<Item = X>>(&mut self, iter: I) {
                self.0.extend(iter);
            }
        }

        impl<$($parameter,)+ S> FromIterator<$entry> for $name<$($parameter,)+ S>
        where
            real::$name<$($parameter,)+ S>: FromIterator<$entry>,
        {
            fn from_iter<I: IntoIterator<Item = $entry>>(iter: I) -> Self {
                Self(iter.into_iter().collect())
            }
        }

        impl<$($parameter,)+ const N: usize> From<[$entry; N]> for $name<$($parameter),+>
        where
            Self: FromIterator<$entry>,
        {
            fn from(entries: [$entry; N]) -> Self {
                entries.into_iter().collect()
            }
        }

        impl<$($parameter,)+ S> IntoIterator for $name<$($parameter,)+ S> {
            type Item = $entry;
            type IntoIter = real::IntoIter<$($parameter),+>;

            fn into_iter(self) -> Self::IntoIter {
                self.0.into_iter()
            }
        }

        impl<'a, $($parameter,)+ S> IntoIterator for &'a $name<$($parameter,)+ S> {
            type Item = <&'a real::$name<$($parameter,)+ S> as IntoIterator>::Item;
            type IntoIter = real::Iter<'a, $($parameter),+>;

            fn into_iter(self) -> Self::IntoIter {
                self.0.iter()
            }
        }
    };
}

/// Passes methods on to the type that is wrapped. Bounds stand in brackets.
macro_rules! pass_on {
    () => {};
    (fn $name:ident $([$($generic:tt)*])? (&mut $self:ident $(, $argument:ident: $type:ty)*) $(-> $result:ty)?
        $(where [$($bound:tt)*])?; $($rest:tt)*
    ) => {
        #[doc = concat!("As std's `", stringify!($name), "`.")]
        pub fn $name $(<$($generic)*>)? (&mut $self $(, $argument: $type)*) $(-> $result)?
        $(where $($bound)*)? {
            $self.0.$name($($argument),*)
        }
        pass_on! { $($rest)* }
    };
    (fn $name:ident $([$($generic:tt)*])? (&$($life:lifetime)? $self:ident $(, $argument:ident: $type:ty)*)
        $(-> $result:ty)? $(where [$($bound:tt)*])?; $($rest:tt)*
    ) => {
        #[doc = concat!("As std's `", stringify!($name), "`.")]
        pub fn $name $(<$($generic)*>)? (&$($life)? $self $(, $argument: $type)*) $(-> $result)?
        $(where $($bound)*)? {
            $self.0.$name($($argument),*)
        }
        pass_on! { $($rest)* }
    };
    (fn $name:ident ($self:ident) -> $result:ty; $($rest:tt)*) => {
        #[doc = concat!("As std's `", stringify!($name), "`.")]
        pub fn $name($self) -> $result {
            $self.0.$name()
        }
        pass_on! { $($rest)* }
    };
}

pub mod hash_map;
pub mod hash_set;
