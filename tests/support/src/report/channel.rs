//! The channel to a grader that doesn't trust the submission: an open socket, known by its number.
//!
//! A file has a name, and so anybody can write to it. A socket can't be opened again, not even through `/proc`, and without
//! `unsafe` a number is no file: whoever owns the value is the only one who can write.

// The model of `std` has atomics that belong to a schedule. This flag belongs to the process.
use core::sync::atomic::{AtomicBool, Ordering};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// The number is good for one time only: after that, it may be that of any other file.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Takes the open socket of that number. Programs that this process starts don't inherit it.
///
/// # Errors
/// It was taken before, or is not open.
#[allow(unsafe_code)]
pub(crate) fn take(number: &str) -> io::Result<File> {
    let number: RawFd = number.parse().map_err(|_| ErrorKind::InvalidInput)?;
    if number < 3 || TAKEN.swap(true, Ordering::SeqCst) {
        return Err(ErrorKind::AlreadyExists.into());
    }
    // SAFETY: the grader opened it for this process alone, so nobody else here owns it; and it is taken once.
    let inherited = unsafe { OwnedFd::from_raw_fd(number) };
    // The copy is closed in programs that this process starts. The inherited one, which isn't, is closed at once.
    Ok(File::from(inherited.try_clone()?))
}
