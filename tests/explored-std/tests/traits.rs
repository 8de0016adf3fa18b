//! The model's types have the traits that std's have, automatic ones included, and lifetimes in them may be shortened where
//! they may in std's.

#[macro_use]
extern crate explored_std as std;

#[macro_use]
#[path = "support/traits.rs"]
mod traits;

use std::cell::Cell;
use std::marker::PhantomPinned;
use std::rc::Rc;

use traits::{Probe, Without as _, holding};

macro_rules! types {
    ($std:ident, $held:ty) => {
        traits_of! {
            $std::cell::UnsafeCell<$held>,
            $std::sync::Mutex<$held>,
            $std::sync::MutexGuard<'static, $held>,
            $std::sync::RwLock<$held>,
            $std::sync::RwLockReadGuard<'static, $held>,
            $std::sync::RwLockWriteGuard<'static, $held>,
            $std::sync::Condvar,
            $std::sync::WaitTimeoutResult,
            $std::sync::Barrier,
            $std::sync::BarrierWaitResult,
            $std::sync::Once,
            $std::sync::OnceState,
            $std::sync::OnceLock<$held>,
            $std::sync::LazyLock<$held>,
            $std::sync::LazyLock<u8, $held>,
            $std::sync::atomic::AtomicBool,
            $std::sync::atomic::AtomicPtr<$held>,
            $std::sync::atomic::AtomicU8,
            $std::sync::atomic::AtomicU16,
            $std::sync::atomic::AtomicU32,
            $std::sync::atomic::AtomicU64,
            $std::sync::atomic::AtomicUsize,
            $std::sync::atomic::AtomicI8,
            $std::sync::atomic::AtomicI16,
            $std::sync::atomic::AtomicI32,
            $std::sync::atomic::AtomicI64,
            $std::sync::atomic::AtomicIsize,
            $std::sync::mpsc::Sender<$held>,
            $std::sync::mpsc::SyncSender<$held>,
            $std::sync::mpsc::Receiver<$held>,
            $std::sync::mpsc::Iter<'static, $held>,
            $std::sync::mpsc::TryIter<'static, $held>,
            $std::sync::mpsc::IntoIter<$held>,
            $std::thread::Builder,
            $std::thread::JoinHandle<$held>,
            $std::thread::Scope<'static, 'static>,
            $std::thread::ScopedJoinHandle<'static, $held>,
            $std::thread::Thread,
            $std::thread::ThreadId,
            $std::thread::LocalKey<$held>,
            $std::thread::AccessError,
            $std::time::Instant,
            $std::time::SystemTime,
            $std::hash::RandomState,
            $std::collections::HashMap<$held, u8>,
            $std::collections::HashMap<u8, $held>,
            $std::collections::HashMap<u8, u8, $held>,
            $std::collections::HashSet<$held>,
        }
    };
}

#[test]
fn every_type_has_the_traits_of_stds() {
    // Of these, one may be sent and not shared, one shared and not sent, one neither; one must not be seen after a panic; one
    // must not be moved.
    use std::{self as model, real};
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
    ($std:ident) => {
        shorten! {
            mutex_guard: $std::sync::MutexGuard<'static, u8> => $std::sync::MutexGuard<'short, u8>;
            read_guard: $std::sync::RwLockReadGuard<'static, &'static u8> => $std::sync::RwLockReadGuard<'short, &'short u8>;
            write_guard: $std::sync::RwLockWriteGuard<'static, u8> => $std::sync::RwLockWriteGuard<'short, u8>;
            iter: $std::sync::mpsc::Iter<'static, u8> => $std::sync::mpsc::Iter<'short, u8>;
            try_iter: $std::sync::mpsc::TryIter<'static, u8> => $std::sync::mpsc::TryIter<'short, u8>;
            scoped: $std::thread::ScopedJoinHandle<'static, u8> => $std::thread::ScopedJoinHandle<'short, u8>;
            map: $std::collections::HashMap<&'static u8, &'static u8> => $std::collections::HashMap<&'short u8, &'short u8>;
            set: $std::collections::HashSet<&'static u8> => $std::collections::HashSet<&'short u8>;
        }
    };
}

mod of_the_model {
    shorten_all!(std);
}

mod of_std {
    use std::real;
    shorten_all!(real);
}
