//! Where the threads of a stuck test stand.
//!
//! Nobody can read another thread's stack. So each thread is asked for its own, by a signal that interrupts the call in which it
//! sleeps. The test has failed by then: what an interrupted call comes to is of no interest any more. Linux only; elsewhere, and where
//! the test was built without line numbers, nothing is known.

use std::backtrace::Backtrace;

use verdict::Location;
use verdict::stack::{Frame, frames, is_of_std};

use crate::tasks::Task;

/// The line in the answer, or in its test, where a thread of this process stands.
pub(crate) fn line_of(task: &Task) -> Option<Location> {
    if task.process != std::process::id() {
        return None;
    }
    asked::stack_of(task.id).and_then(own_line)
}

/// The innermost line that belongs neither to std, nor to a library, nor to the test support.
fn own_line(stack: &Backtrace) -> Option<Location> {
    let support = file!().strip_suffix("stacks.rs").unwrap_or(file!());
    // The system's own library may have lines, too.
    let is_own = |frame: &Frame| {
        let file = frame.at.file.replace('\\', "/");
        file.ends_with(".rs") && !is_of_std(&file) && !file.contains("/.cargo/registry/") && !file.contains(support)
    };
    frames(&format!("{stack:#}")).into_iter().find(is_own).map(|frame| frame.at)
}

#[cfg(target_os = "linux")]
mod asked {
    use std::backtrace::Backtrace;
    use std::ffi::c_int;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    /// How many threads a process asks in its life.
    const MOST: usize = 256;
    /// How often it looks whether the answer has come, and how long it waits each time.
    const LOOKS: usize = 100;
    const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

    /// What was answered, and by which thread.
    static ANSWERS: [OnceLock<(u32, Backtrace)>; MOST] = [const { OnceLock::new() }; MOST];
    /// The place of the next answer.
    static NEXT: AtomicUsize = AtomicUsize::new(0);

    /// The stack of a thread of this process, if it answers soon.
    pub(super) fn stack_of(thread: u32) -> Option<&'static Backtrace> {
        static ARE_HEARD: OnceLock<bool> = OnceLock::new();
        if !*ARE_HEARD.get_or_init(listen) || !ask(thread) {
            return None;
        }
        let answer = ANSWERS.get(NEXT.load(Ordering::SeqCst))?;
        let here = (0..LOOKS).find_map(|_| {
            let here = answer.get();
            if here.is_none() {
                thread::sleep(BETWEEN_LOOKS);
            }
            here
        });
        NEXT.fetch_add(1, Ordering::SeqCst);
        here.filter(|(by, _)| *by == thread).map(|(_, stack)| stack)
    }

    /// Runs on the thread that was asked. It sleeps in a call of the system's, and so it holds no lock that this needs.
    extern "C" fn answer(_signal: c_int) {
        if let Some(answer) = ANSWERS.get(NEXT.load(Ordering::SeqCst)) {
            // SAFETY: it has no conditions.
            #[allow(unsafe_code)]
            let me = unsafe { libc::gettid() };
            let _ = answer.set((me.cast_unsigned(), Backtrace::force_capture()));
        }
    }

    /// A signal that nobody else uses.
    fn signal() -> c_int {
        libc::SIGRTMIN() + 5
    }

    #[allow(unsafe_code)]
    fn listen() -> bool {
        // SAFETY: all zeros is a value of this struct; and `answer` is a function as the system calls it for a signal.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = answer as extern "C" fn(c_int) as usize;
            action.sa_flags = libc::SA_RESTART;
            libc::sigaction(signal(), &action, std::ptr::null_mut()) == 0
        }
    }

    #[allow(unsafe_code)]
    fn ask(thread: u32) -> bool {
        // SAFETY: these numbers are no addresses, and the signal is handled.
        unsafe { libc::syscall(libc::SYS_tgkill, std::process::id(), thread, signal()) == 0 }
    }
}

#[cfg(not(target_os = "linux"))]
mod asked {
    use std::backtrace::Backtrace;

    pub(super) fn stack_of(_thread: u32) -> Option<&'static Backtrace> {
        None
    }
}
