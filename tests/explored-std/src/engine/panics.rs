//! Panics of modelled threads: silent, noted with their place, and counted for each thread.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, UnwindSafe};
use std::sync::Once;
use std::sync::mpsc::Sender;

use super::run::{Teardown, try_with};
use super::state::{Phase, State};
use super::thread::PanicNote;

/// What an explorer's OS thread tells the one that waits for it, when a destructor panicked while its stack was torn down:
/// the process would abort now.
pub(crate) struct Hazard;

thread_local! {
    static HAZARD: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
}

/// Says whom to tell of a [`Hazard`] on this OS thread.
pub(crate) fn tell_hazard<T: 'static>(to: Sender<T>, message: impl Fn() -> T + 'static) {
    HAZARD.set(Some(Box::new(move || {
        // Nobody listens any more only if the test's thread is gone: then there is nobody to tell.
        let _ = to.send(message());
    })));
}

/// Puts a hook in front of the process's panic hook, once: panics of modelled threads are noted, not printed.
pub(crate) fn install_hook() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| match try_with(|state| note(state, info)) {
            Some(Noted::Silently) => {}
            Some(Noted::AtTeardown) => leave(),
            None => previous(info),
        }));
    });
}

enum Noted {
    Silently,
    AtTeardown,
}

fn note(state: &mut State, info: &PanicHookInfo<'_>) -> Noted {
    if state.phase == Phase::TearingDown {
        return Noted::AtTeardown;
    }
    let message = message_of(info.payload());
    let (file, line) = info.location().map_or((String::new(), 0), |at| (at.file().to_string(), at.line()));
    if let (Some(recorder), Some(at)) = (&mut state.recorder, info.location()) {
        recorder.panicked(state.current, at, &message);
    }
    add_note(state, message, file, line);
    Noted::Silently
}

fn add_note(state: &mut State, message: String, file: String, line: u32) {
    state.panics += 1;
    let order = state.panics;
    let me = state.me();
    me.panicking += 1;
    me.panic = Some(PanicNote { message, file, line, after: me.saw_panic_of, order });
}

/// The message of a panic's payload.
pub(crate) fn message_of(payload: &dyn Any) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "Box<dyn Any>".to_string())
}

/// Leaves this OS thread for ever, since the runtime would abort the process: the exploration begins again on another one,
/// and does without destructors at a schedule's end.
fn leave() -> ! {
    HAZARD.with_borrow(|hazard| {
        if let Some(tell) = hazard {
            tell();
        }
    });
    loop {
        std::thread::park();
    }
}

/// `std::panic::catch_unwind`, for the thread that runs.
pub(crate) fn catch<F: FnOnce() -> R + UnwindSafe, R>(f: F) -> std::thread::Result<R> {
    panic::catch_unwind(f).map_err(|payload| {
        if payload.is::<Teardown>() {
            panic::resume_unwind(payload);
        }
        try_with(|state| {
            let me = state.me();
            me.panicking = me.panicking.saturating_sub(1);
        });
        payload
    })
}

/// `std::panic::resume_unwind`, for the thread that runs.
pub(crate) fn resume(payload: Box<dyn Any + Send>) -> ! {
    let message = message_of(&*payload);
    try_with(|state| add_note(state, message, String::new(), 0));
    panic::resume_unwind(payload)
}

/// Runs a thread's closure; the result is what `join` returns.
pub(crate) fn run_to_result<T>(f: impl FnOnce() -> T) -> std::thread::Result<T> {
    panic::catch_unwind(AssertUnwindSafe(f)).map_err(super::run::note_end_in_panic)
}

/// Whether the thread that runs is unwinding.
pub(crate) fn panicking() -> bool {
    try_with(|state| {
        state.phase == Phase::TearingDown || state.threads.get(state.current).is_some_and(|t| t.panicking > 0)
    })
    .unwrap_or_else(std::thread::panicking)
}
