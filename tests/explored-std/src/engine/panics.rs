//! Panics of modelled threads: silent, noted with their place, and counted for each thread.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, UnwindSafe};
use std::sync::{Once, PoisonError, RwLock};

use verdict::abort::{ABORTS, last_words};

use super::judge::tell_panic;
use super::run::try_with;
use super::state::State;
use super::thread::PanicNote;

/// What `scope` panics with when a thread did that nobody has joined, as std does.
pub(crate) const OF_A_SCOPED_THREAD: &str = "a scoped thread panicked";

/// A panic hook.
pub(crate) type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync + 'static>;

/// The hook for panics of no modelled thread; none for one that does nothing.
static OUTSIDE: RwLock<Option<Hook>> = RwLock::new(None);

/// Puts a hook in front of the process's panic hook, once: panics of modelled threads are noted, not printed.
pub(crate) fn install_hook() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        exchange_outside(Some(panic::take_hook()));
        panic::set_hook(Box::new(move |info| {
            if try_with(|state| note(state, info)) != Some(true)
                && let Some(hook) = &*OUTSIDE.read().unwrap_or_else(PoisonError::into_inner)
            {
                hook(info);
            }
        }));
    });
}

fn exchange_outside(hook: Option<Hook>) -> Option<Hook> {
    std::mem::replace(&mut *OUTSIDE.write().unwrap_or_else(PoisonError::into_inner), hook)
}

/// Puts a hook into its place and gives the one before. A schedule has a place of its own.
fn exchange(hook: Option<Hook>) -> Option<Hook> {
    let mut hook = Some(hook);
    let here = try_with(|state| state.exchange_hook(hook.take().expect("it is exchanged once")));
    here.unwrap_or_else(|| {
        install_hook();
        exchange_outside(hook.take().expect("it was not exchanged"))
    })
}

/// The model of `std::panic::set_hook`. In a schedule the hook is kept for [`take_hook`], and never called: the explorer tells
/// what panicked, and a hook could only run as one step, in the middle of another one.
pub fn set_hook(hook: Hook) {
    drop(exchange(Some(hook)));
}

/// The model of `std::panic::take_hook`: gives the hook that was set in this schedule, or one that does nothing.
#[must_use]
pub fn take_hook() -> Hook {
    exchange(None).unwrap_or_else(|| Box::new(|_| ()))
}

/// Notes a panic. False if no modelled thread runs: then it is one of the explorer itself.
fn note(state: &mut State, info: &PanicHookInfo<'_>) -> bool {
    if state.current >= state.threads.len() {
        return false;
    }
    let message = message_of(info.payload());
    let (file, line) = info.location().map_or((String::new(), 0), |at| (at.file().to_string(), at.line()));
    if let (Some(recorder), Some(at)) = (&mut state.recorder, info.location()) {
        recorder.settle(&state.objects, state.now);
        recorder.panicked(state.current, at, &message);
    }
    if message == ABORTS
        && let Some(first) = &state.threads[state.current].panic
    {
        last_words(&tell_panic(state, state.current, first));
    }
    add_note(state, message, file, line);
    true
}

fn add_note(state: &mut State, message: String, file: String, line: u32) {
    state.panics += 1;
    let order = state.panics;
    let me = state.me();
    let unwinds = me.panicking > 0;
    me.panicking += 1;
    let on_purpose = std::mem::take(&mut me.panics_on_purpose);
    // A panic is why whatever comes of it: what a destructor does while it unwinds does not hide it. And who catches a `todo!()` and
    // panics again does not hide that.
    if !me.panic.as_ref().is_some_and(|note| unwinds || note.is_of_a_stub()) {
        me.panic = Some(PanicNote { message, file, line, after: me.saw_panic_of, order, on_purpose });
    }
}

/// The message of a panic's payload.
fn message_of(payload: &dyn Any) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "Box<dyn Any>".to_string())
}

/// `std::panic::catch_unwind`, for the thread that runs.
pub(crate) fn catch<F: FnOnce() -> R + UnwindSafe, R>(f: F) -> std::thread::Result<R> {
    let result = panic::catch_unwind(f);
    if result.is_err() {
        note_catch();
    }
    result
}

/// The panic of the thread that runs was caught. For itself, since [`catch`] is compiled once for each closure of a program.
fn note_catch() {
    try_with(|state| {
        let me = state.me();
        me.panicking = me.panicking.saturating_sub(1);
    });
}

/// `std::panic::resume_unwind`, for the thread that runs.
pub(crate) fn resume(payload: Box<dyn Any + Send>) -> ! {
    let message = message_of(&*payload);
    try_with(|state| {
        let me = state.me();
        if me.panic.as_ref().is_some_and(|note| note.message == message) {
            // Its own panic, caught and passed on: the note says already where that was.
            me.panicking += 1;
        } else {
            add_note(state, message, String::new(), 0);
        }
    });
    panic::resume_unwind(payload)
}

/// Runs a thread's closure; the result is what `join` returns.
pub(crate) fn run_to_result<T>(f: impl FnOnce() -> T) -> std::thread::Result<T> {
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    if let Err(payload) = &result {
        note_end(&**payload);
    }
    result
}

/// The job of the thread that runs ended in a panic with this payload.
pub(crate) fn note_end(payload: &dyn Any) {
    try_with(|state| {
        if state.me().panicking == 0 {
            // The hook was not called: somebody has set another one. It is a panic all the same.
            add_note(state, message_of(payload), String::new(), 0);
        }
        let me = state.me();
        me.panicking -= 1;
        me.panicked = true;
    });
}

/// Whether the thread that runs is unwinding.
pub(crate) fn panicking() -> bool {
    try_with(|state| state.threads.get(state.current).is_some_and(|thread| thread.panicking > 0))
        .unwrap_or_else(std::thread::panicking)
}
