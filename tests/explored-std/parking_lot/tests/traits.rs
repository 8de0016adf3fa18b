//! The model's types have the traits that the real ones have, and lifetimes in them may be shortened alike.

#[macro_use]
#[path = "../../tests/support/traits.rs"]
mod traits;

use std::cell::Cell;
use std::marker::PhantomPinned;
use std::rc::Rc;

use parking_lot as model;

use traits::{Probe, Without as _, holding};

macro_rules! types {
    ($crate_name:ident, $held:ty) => {
        traits_of! {
            $crate_name::Mutex<$held>,
            $crate_name::MutexGuard<'static, $held>,
            $crate_name::MappedMutexGuard<'static, $held>,
            $crate_name::RwLock<$held>,
            $crate_name::RwLockReadGuard<'static, $held>,
            $crate_name::RwLockWriteGuard<'static, $held>,
            $crate_name::MappedRwLockReadGuard<'static, $held>,
            $crate_name::MappedRwLockWriteGuard<'static, $held>,
            $crate_name::ReentrantMutex<$held>,
            $crate_name::ReentrantMutexGuard<'static, $held>,
            $crate_name::MappedReentrantMutexGuard<'static, $held>,
            $crate_name::Condvar,
            $crate_name::WaitTimeoutResult,
            $crate_name::Once,
            $crate_name::OnceState,
        }
    };
}

#[test]
fn every_type_has_the_traits_of_the_real_one() {
    compare_traits!(
        types,
        u8,
        Cell<u8>,
        std::real::sync::MutexGuard<'static, u8>,
        Rc<u8>,
        &'static mut u8,
        PhantomPinned
    );
}

macro_rules! shorten_all {
    ($crate_name:ident) => {
        shorten! {
            mutex: $crate_name::MutexGuard<'static, u8> => $crate_name::MutexGuard<'short, u8>;
            mapped_mutex: $crate_name::MappedMutexGuard<'static, u8> => $crate_name::MappedMutexGuard<'short, u8>;
            read: $crate_name::RwLockReadGuard<'static, u8> => $crate_name::RwLockReadGuard<'short, u8>;
            mapped_read: $crate_name::MappedRwLockReadGuard<'static, &'static u8> =>
                $crate_name::MappedRwLockReadGuard<'short, &'short u8>;
            write: $crate_name::RwLockWriteGuard<'static, u8> => $crate_name::RwLockWriteGuard<'short, u8>;
            mapped_write: $crate_name::MappedRwLockWriteGuard<'static, u8> => $crate_name::MappedRwLockWriteGuard<'short, u8>;
            reentrant: $crate_name::ReentrantMutexGuard<'static, u8> => $crate_name::ReentrantMutexGuard<'short, u8>;
        }
    };
}

mod of_the_model {
    use parking_lot as model;
    shorten_all!(model);
}

mod of_the_real_one {
    shorten_all!(real);
}
