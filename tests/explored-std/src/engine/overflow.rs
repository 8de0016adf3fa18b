//! A modelled thread that has used up its stack: told in the words that std uses for its own threads, since std knows nothing
//! of these stacks. Elsewhere than on Unix the process just ends.

#[cfg(not(unix))]
pub(crate) fn install_handler() {}

#[cfg(unix)]
pub(crate) use unix::install_handler;

#[cfg(unix)]
mod unix {
    use std::io::{Cursor, Write};
    use std::mem::MaybeUninit;
    use std::ptr;
    use std::sync::OnceLock;

    use crate::engine::run::peek;

    /// The signals by which systems tell that an address can't be used, and who listened to them before.
    static LISTENED: [(libc::c_int, OnceLock<libc::sigaction>); 2] =
        [(libc::SIGSEGV, OnceLock::new()), (libc::SIGBUS, OnceLock::new())];

    /// Puts a handler in front of the process's own, once. It runs on the signal stack that std gives to each of its threads.
    pub(crate) fn install_handler() {
        for (signal, before) in &LISTENED {
            before.get_or_init(|| {
                let mut old = MaybeUninit::uninit();
                // SAFETY: zeros are a valid action, the handler has the signature that SA_SIGINFO asks for, and the old
                // action is filled in by the call, which can't fail for these signals.
                unsafe {
                    let mut new: libc::sigaction = MaybeUninit::zeroed().assume_init();
                    new.sa_sigaction = on_fault as extern "C" fn(_, _, _) as usize;
                    new.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                    libc::sigaction(*signal, &new, old.as_mut_ptr());
                    old.assume_init()
                }
            });
        }
    }

    /// Nothing here allocates: the thread may have been stopped anywhere.
    extern "C" fn on_fault(signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
        // SAFETY: the system hands over what SA_SIGINFO promises.
        let address = unsafe { (*info).si_addr() } as usize;
        if !tell_overflow(address) {
            // Somebody else's fault: it happens again when this returns, and whoever listened before hears of it.
            let before = LISTENED.iter().find(|(other, _)| *other == signal).and_then(|(_, before)| before.get());
            // SAFETY: the old action was the process's own.
            unsafe { libc::sigaction(signal, before.map_or(ptr::null(), ptr::from_ref), ptr::null_mut()) };
            return;
        }
        // SAFETY: it ends the process.
        unsafe { libc::abort() }
    }

    /// Says whose stack it is that can't be used at this address. False if it is nobody's.
    fn tell_overflow(address: usize) -> bool {
        // SAFETY: the thread that runs was stopped, so it changes nothing meanwhile.
        let Some(state) = (unsafe { peek() }) else { return false };
        let Some(thread) = state.threads.get(state.current) else { return false };
        if !thread.stack.contains(&address) {
            return false;
        }
        let mut text = Cursor::new([0; 400]);
        let name = thread.name.as_deref().unwrap_or(if state.current == 0 { "main" } else { "" });
        let (name, number) = if name.is_empty() { ("thread ", Some(state.current)) } else { (name, None) };
        let end = name.floor_char_boundary(200);
        // What does not fit in is left out.
        let _ = write!(text, "\nthread '{}", &name[..end]);
        let _ = number.map(|number| write!(text, "{number}"));
        let _ = writeln!(text, "' has overflowed its stack");
        let length = text.position() as usize;
        // SAFETY: the buffer has that many bytes.
        unsafe { libc::write(libc::STDERR_FILENO, text.get_ref().as_ptr().cast(), length) };
        true
    }
}
