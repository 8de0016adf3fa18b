//! The data of modelled objects that last longer than a schedule.
//!
//! A static is used again in the next schedule, and has to have its first value then. A static's first value was made by the
//! compiler and owns nothing on the heap, so its bytes, kept before the first use, are as good as the value. What is not a
//! static, say a lock that the test's closure captured, can't be made fresh: the exploration ends and says so.
//!
//! What a schedule leaves in a static is moved out when the next one comes there, and dropped when that one is over: its destructors
//! may use statics, and must change nothing that a schedule sees.

use std::cell::UnsafeCell;
use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::engine::left::drop_later;
use crate::engine::object::Age;
use crate::engine::run::{Ending, end, try_with};

/// The first bytes of statics, by their address.
static FIRST: LazyLock<Mutex<FirstBytes>> = LazyLock::new(Mutex::default);

type FirstBytes = HashMap<usize, Box<[MaybeUninit<u8>]>>;

/// Prepares the data of a lock that is used for the first time in this schedule: keeps a static's first bytes, or puts them
/// back.
#[cold]
pub(crate) fn prepare<T: ?Sized>(data: &UnsafeCell<T>, age: Age, what: &'static str) {
    let value = data.get();
    let address = value.cast::<u8>() as usize;
    match age {
        Age::Known => {}
        Age::New if is_static(address) => keep(bytes_of(value)),
        Age::New => {}
        Age::Stale => put_back(value, what),
    }
}

/// Prepares the cell of a static that is used for the first time in this schedule. What the last schedule has left in it is no value
/// that one could drop: that schedule may have ended in the middle of a change.
pub(crate) fn prepare_cell<T: ?Sized>(value: *mut T) {
    let address = value.cast::<u8>() as usize;
    if !KNOWS_STATICS || !is_static(address) || try_with(|state| state.cells.insert(address)) != Some(true) {
        return;
    }
    let kept = first().get(&address).cloned();
    match kept {
        None => keep(bytes_of(value)),
        // SAFETY: these bytes were a value of this type, in this place, that owned nothing; see the head of this file. No thread of
        // this schedule has had a pointer to it.
        Some(bytes) => unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), value.cast::<MaybeUninit<u8>>(), bytes.len());
        },
    }
}

/// Whether [`is_static`] can tell a static from what the next schedule may have at the same address.
const KNOWS_STATICS: bool = cfg!(target_os = "linux");

/// Where the bytes of a static are, and how many. What follows is done with bytes: it is compiled once, and not once for each type.
fn bytes_of<T: ?Sized>(value: *mut T) -> *const [MaybeUninit<u8>] {
    // SAFETY: the value is there as long as the static, that is for ever, and nobody uses it yet.
    let size = size_of_val(unsafe { &*value });
    std::ptr::slice_from_raw_parts(value.cast(), size)
}

fn keep(bytes: *const [MaybeUninit<u8>]) {
    // SAFETY: see `bytes_of`.
    let kept = unsafe { &*bytes }.into();
    first().insert(bytes.cast::<u8>() as usize, kept);
}

/// The first bytes of what is at this address.
fn first_bytes(address: usize, what: &str) -> Box<[MaybeUninit<u8>]> {
    let kept = first().get(&address).cloned();
    kept.unwrap_or_else(|| refuse(what, "what it protects can't be made fresh"))
}

fn put_back<T: ?Sized>(value: *mut T, what: &'static str) {
    let bytes = first_bytes(value.cast::<u8>() as usize, what);
    // SAFETY: the schedule that used the value is over, so nobody refers to it, and first bytes take its place right below.
    unsafe { drop_later(value) };
    // SAFETY: these bytes were a value of this type, in this place, that owned nothing; see the head of this file.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), value.cast::<MaybeUninit<u8>>(), bytes.len()) };
}

fn first() -> std::sync::MutexGuard<'static, FirstBytes> {
    FIRST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the exploration: an object outlives its schedule, and can't be made fresh.
pub(crate) fn refuse(what: &str, why: &str) -> ! {
    let message = format!("a {what} outlives one schedule and {why}: make it inside the test, or make it a static");
    end(Ending::Nondeterministic(message))
}

/// Whether something lies in the program's static data.
#[cfg(target_os = "linux")]
fn is_static(address: usize) -> bool {
    unsafe extern "C" {
        // Both are put there by the linker: the beginning and the end of the program in memory.
        safe static __executable_start: u8;
        safe static end: u8;
    }
    (&raw const __executable_start as usize..&raw const end as usize).contains(&address)
}

/// Whether something may lie in the program's static data. Where one can't tell, first bytes are kept of everything: that
/// costs time, and memory for each lock that is made in a schedule.
#[cfg(not(target_os = "linux"))]
fn is_static(_address: usize) -> bool {
    true
}
