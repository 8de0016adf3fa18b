//! A destructor that does what the test wants.

/// Calls what [`when_dropped`] was given, once.
#[must_use = "what is dropped at once is called at once"]
pub struct WhenDropped<F: FnOnce()>(Option<F>);

/// Calls this when it is dropped: as a local variable's destructor does, that of a thread-local, or of what a job has captured.
pub fn when_dropped<F: FnOnce()>(act: F) -> WhenDropped<F> {
    WhenDropped(Some(act))
}

impl<F: FnOnce()> Drop for WhenDropped<F> {
    fn drop(&mut self) {
        if let Some(act) = self.0.take() {
            act();
        }
    }
}
