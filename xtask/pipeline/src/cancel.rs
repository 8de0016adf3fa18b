//! Stopping: Ctrl-C, or a newer save in `watch`, ends every process that we started.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// A flag that is raised once and looked at by everything that waits for a process.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    raised: Arc<AtomicBool>,
    /// A check that `watch` started is also stopped when the whole program is.
    parent: Option<Arc<AtomicBool>>,
}

impl Cancel {
    /// The flag that Ctrl-C raises. The handler is installed at the first call.
    pub fn by_ctrl_c() -> Cancel {
        static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();
        let flag = FLAG.get_or_init(|| {
            let raised = Arc::new(AtomicBool::new(false));
            let in_handler = Arc::clone(&raised);
            // Without a handler Ctrl-C ends us at once; what we started is in groups of its own and would live on, so failing
            // to install it is worth a word.
            if let Err(error) = ctrlc::set_handler(move || in_handler.store(true, Ordering::SeqCst)) {
                eprintln!("warning: Ctrl-C will not stop what runs: {error}");
            }
            raised
        });
        Cancel { raised: Arc::clone(flag), parent: None }
    }

    /// A flag of its own that also counts as raised when this one is.
    pub fn child(&self) -> Cancel {
        Cancel { raised: Arc::default(), parent: Some(Arc::clone(&self.raised)) }
    }

    /// Raises the flag.
    pub fn raise(&self) {
        self.raised.store(true, Ordering::SeqCst);
    }

    /// Whether it was raised.
    pub fn is_raised(&self) -> bool {
        let raised = |flag: &Arc<AtomicBool>| flag.load(Ordering::SeqCst);
        raised(&self.raised) || self.parent.as_ref().is_some_and(raised)
    }
}
