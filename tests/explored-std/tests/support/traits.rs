//! Compares which traits a model's types have with those of the real ones.

#![allow(dead_code, non_upper_case_globals, unreachable_pub)]

use std::marker::PhantomData;

/// Asks of a type whether it has a trait: the constant of its own is found before the trait's.
pub struct Probe<T: ?Sized>(PhantomData<T>);

/// The names of the traits that are there.
pub fn holding(traits: &[(&'static str, bool)]) -> Vec<&'static str> {
    traits.iter().filter(|has| has.1).map(|has| has.0).collect()
}

macro_rules! probes {
    ($d:tt $($name:ident: $trait:path;)*) => {
        $(
            impl<T: ?Sized + $trait> Probe<T> {
                pub const $name: bool = true;
            }
        )*

        /// What a type is without a trait.
        pub trait Without {
            $(const $name: bool = false;)*
        }

        impl<T: ?Sized> Without for Probe<T> {}

        /// Each type's name, and its traits.
        macro_rules! traits_of {
            ($d($d type:ty,)*) => {
                [$d((stringify!($d type), holding(&[$((stringify!($name), Probe::<$d type>::$name)),*]))),*]
            };
        }
    };
}

probes! { $
    Send: Send;
    Sync: Sync;
    Unpin: Unpin;
    UnwindSafe: std::panic::UnwindSafe;
    RefUnwindSafe: std::panic::RefUnwindSafe;
    Clone: Clone;
    Copy: Copy;
    Debug: std::fmt::Debug;
    Display: std::fmt::Display;
    Pointer: std::fmt::Pointer;
    Error: std::error::Error;
    Default: Default;
    PartialEq: PartialEq;
    Eq: Eq;
    PartialOrd: PartialOrd;
    Ord: Ord;
    Hash: std::hash::Hash;
    Iterator: Iterator;
    IntoIterator: IntoIterator;
}

/// Compares the types of the crates `model` and `real` that hold each of these. What a model's type has on top does no harm: code
/// that uses it does not compile with the real one.
macro_rules! compare_traits {
    ($types:ident, $($held:ty),*) => {
        let mut lacks = Vec::new();
        $(for ((name, model), (_, real)) in $types!(model, $held).into_iter().zip($types!(real, $held)) {
            let missing = real.into_iter().filter(|name| !model.contains(name));
            missing.for_each(|missing| lacks.push(format!("{name} lacks {missing}")));
        })*
        assert!(lacks.is_empty(), "{}", lacks.join("\n"));
    };
}

/// Functions that compile only where a long lifetime in a type may become a short one.
macro_rules! shorten {
    ($($name:ident: $long:ty => $short:ty;)*) => {
        $(
            #[allow(dead_code)]
            fn $name<'short>(it: $long) -> $short {
                it
            }
        )*
    };
}
