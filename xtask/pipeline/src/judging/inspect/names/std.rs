// What of `std` has several names, or is known without any import. It is read by `names.rs`, and never compiled.

pub mod prelude {
    pub use self::v1::*;
    pub use self::v1 as rust_2024;

    pub mod v1 {
        pub use crate::borrow::ToOwned;
        pub use crate::boxed::Box;
        pub use crate::clone::Clone;
        pub use crate::cmp::{Eq, Ord, PartialEq, PartialOrd};
        pub use crate::convert::{AsMut, AsRef, From, Into, TryFrom, TryInto};
        pub use crate::default::Default;
        pub use crate::fmt::Debug;
        pub use crate::future::{Future, IntoFuture};
        pub use crate::hash::Hash;
        pub use crate::iter::{DoubleEndedIterator, ExactSizeIterator, Extend, FromIterator, IntoIterator, Iterator};
        pub use crate::marker::{Copy, Send, Sized, Sync, Unpin};
        pub use crate::ops::{AsyncFn, AsyncFnMut, AsyncFnOnce, Drop, Fn, FnMut, FnOnce};
        pub use crate::option::Option;
        pub use crate::result::Result;
        pub use crate::string::{String, ToString};
        pub use crate::vec::Vec;
    }
}

pub mod primitive {
    pub use ::{bool, char, f32, f64, i8, i16, i32, i64, i128, isize, str, u8, u16, u32, u64, u128, usize};
}

pub mod fmt {
    pub type Result = crate::result::Result<(), self::Error>;
}

pub mod io {
    pub type Result<T> = crate::result::Result<T, self::Error>;

    pub mod prelude {
        pub use super::{BufRead, Read, Seek, Write};
    }
}

pub mod num {
    pub type NonZeroU8 = self::NonZero<u8>;
    pub type NonZeroU16 = self::NonZero<u16>;
    pub type NonZeroU32 = self::NonZero<u32>;
    pub type NonZeroU64 = self::NonZero<u64>;
    pub type NonZeroUsize = self::NonZero<usize>;
}

pub mod sync {
    pub type LockResult<T> = crate::result::Result<T, self::PoisonError<T>>;
    pub type TryLockResult<T> = crate::result::Result<T, self::TryLockError<T>>;
}

pub mod thread {
    pub type Result<T> = crate::result::Result<T, crate::boxed::Box<dyn crate::any::Any + crate::marker::Send>>;
}
