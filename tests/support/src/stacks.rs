//! Where the threads of a stuck test stand, those of its children among them.
//!
//! Nobody can read another thread's stack. So each thread is asked for its own, by a signal that interrupts the call in which it
//! sleeps. The test has failed by then: what an interrupted call comes to is of no interest any more. Linux only; elsewhere, and where
//! the test was built without line numbers, nothing is known.

#[cfg(feature = "child")]
pub(crate) use asked::{answer_by, has_answered};

use crate::tasks::Task;

/// The line in the answer, or in its test, where a thread stands: `lib.rs:12`.
pub(crate) fn line_of(task: &Task) -> Option<String> {
    asked::line_of(task)
}

#[cfg(target_os = "linux")]
mod asked {
    use std::backtrace::Backtrace;
    use std::collections::BTreeMap;
    use std::ffi::c_int;
    use std::sync::{Mutex, OnceLock, PoisonError};
    use std::thread;
    use std::time::Duration;

    use verdict::Location;
    use verdict::stack::{Frame, frames, is_of_std};

    use crate::tasks::{Task, told};

    /// How often the asking thread looks whether the answer has come, and how long it waits each time. Looks do not count while the one
    /// that was asked runs: to find its line, it reads all that its program has of lines, which takes a slow machine long.
    const LOOKS: usize = 200;
    /// So many are enough in any case.
    const MOST_LOOKS: usize = 10_000;
    const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

    /// Which thread stands where.
    static ANSWERS: Mutex<BTreeMap<u32, String>> = Mutex::new(BTreeMap::new());
    /// How this process answers.
    static ANSWER: OnceLock<fn(thread: u32, place: &str)> = OnceLock::new();

    pub(super) fn line_of(task: &Task) -> Option<String> {
        if task.process == std::process::id() {
            answer_by(has_answered);
        }
        let taken = || ANSWERS.lock().unwrap_or_else(PoisonError::into_inner).remove(&task.id);
        // An answer to an earlier question may have come too late.
        drop(taken());
        if !is_heard(task) || !ask(task) {
            return None;
        }
        let mut in_vain = 0;
        for _ in 0..MOST_LOOKS {
            if let Some(place) = taken() {
                return Some(place).filter(|place| !place.is_empty());
            }
            in_vain += usize::from(!task.runs_now());
            if in_vain > LOOKS {
                break;
            }
            thread::sleep(BETWEEN_LOOKS);
        }
        None
    }

    /// The innermost line that belongs neither to std, nor to a library, nor to the test support.
    fn own_line(stack: &Backtrace) -> Option<Location> {
        let support = file!().strip_suffix("stacks.rs").unwrap_or(file!());
        // The system's own library may have lines, too.
        let is_own = |frame: &Frame| {
            let file = &frame.at.file;
            file.ends_with(".rs") && !is_of_std(file) && !file.contains("/.cargo/registry/") && !file.contains(support)
        };
        frames(&format!("{stack:#}")).into_iter().find(is_own).map(|frame| frame.at)
    }

    /// From now on this process answers in this way: it gets a thread's number, and its place.
    #[allow(unsafe_code)]
    pub(crate) fn answer_by(answer: fn(thread: u32, place: &str)) {
        if ANSWER.set(answer).is_err() {
            return;
        }
        // SAFETY: all zeros is a value of this struct; and `hear` is a function as the system calls it for a signal.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = hear as extern "C" fn(c_int) as usize;
            action.sa_flags = libc::SA_RESTART;
            libc::sigaction(signal(), &action, std::ptr::null_mut());
        }
    }

    /// A thread has said where it stands.
    pub(crate) fn has_answered(thread: u32, place: &str) {
        // Only threads that nobody asks take it, and those that answer.
        ANSWERS.lock().unwrap_or_else(PoisonError::into_inner).insert(thread, place.to_owned());
    }

    /// Runs on the thread that was asked. It sleeps in a call of the system's, and so it holds no lock that this needs.
    extern "C" fn hear(_signal: c_int) {
        // SAFETY: it has no conditions.
        #[allow(unsafe_code)]
        let me = unsafe { libc::gettid() };
        let place = own_line(&Backtrace::force_capture()).map(|at| at.to_string()).unwrap_or_default();
        if let Some(answer) = ANSWER.get() {
            answer(me.cast_unsigned(), &place);
        }
    }

    /// A signal that nobody else uses.
    fn signal() -> c_int {
        libc::SIGRTMIN() + 5
    }

    /// Whether the thread's process would hear the signal. It would end by it otherwise.
    fn is_heard(task: &Task) -> bool {
        let status = told(format!("/proc/{}/status", task.process)).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
        caught & 1 << (signal() - 1) != 0
    }

    #[allow(unsafe_code)]
    fn ask(task: &Task) -> bool {
        // SAFETY: these numbers are no addresses, and the signal is handled.
        unsafe { libc::syscall(libc::SYS_tgkill, task.process, task.id, signal()) == 0 }
    }
}

#[cfg(not(target_os = "linux"))]
mod asked {
    use super::Task;

    pub(super) fn line_of(_task: &Task) -> Option<String> {
        None
    }

    #[cfg(feature = "child")]
    pub(crate) fn answer_by(_answer: fn(thread: u32, place: &str)) {}

    #[cfg(feature = "child")]
    pub(crate) fn has_answered(_thread: u32, _place: &str) {}
}
