//! The model's types have the traits that the real ones have, and lifetimes in them may be shortened alike.

#[macro_use]
#[path = "../../tests/support/traits.rs"]
mod traits;

use std::cell::Cell;
use std::marker::PhantomPinned;
use std::rc::Rc;

use crossbeam as model;

use traits::{Probe, Without as _, holding};

macro_rules! types {
    ($crate_name:ident, $held:ty) => {
        traits_of! {
            $crate_name::channel::Sender<$held>,
            $crate_name::channel::Receiver<$held>,
            $crate_name::channel::Iter<'static, $held>,
            $crate_name::channel::TryIter<'static, $held>,
            $crate_name::channel::IntoIter<$held>,
            $crate_name::channel::SendError<$held>,
            $crate_name::channel::TrySendError<$held>,
            $crate_name::channel::SendTimeoutError<$held>,
            $crate_name::channel::RecvError,
            $crate_name::channel::TryRecvError,
            $crate_name::channel::RecvTimeoutError,
            $crate_name::channel::Select<'static>,
            $crate_name::channel::SelectedOperation<'static>,
            $crate_name::channel::TrySelectError,
            $crate_name::channel::SelectTimeoutError,
            $crate_name::channel::TryReadyError,
            $crate_name::channel::ReadyTimeoutError,
            $crate_name::sync::WaitGroup,
            $crate_name::utils::CachePadded<$held>,
            $crate_name::utils::Backoff,
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
            iter: $crate_name::channel::Iter<'static, u8> => $crate_name::channel::Iter<'short, u8>;
            try_iter: $crate_name::channel::TryIter<'static, u8> => $crate_name::channel::TryIter<'short, u8>;
            error: $crate_name::channel::SendError<&'static u8> => $crate_name::channel::SendError<&'short u8>;
            padded: $crate_name::utils::CachePadded<&'static u8> => $crate_name::utils::CachePadded<&'short u8>;
        }
    };
}

mod of_the_model {
    use crossbeam as model;
    shorten_all!(model);
}

mod of_the_real_one {
    shorten_all!(real);
}
