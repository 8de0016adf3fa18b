//! What the code of a scenario uses: the gate, and a place to note what happens.

use crate::Gate;

/// One run of a scenario. Clones are the same run.
#[derive(Clone, Debug)]
pub struct Scene {
    gate: Gate,
}

impl Scene {
    #[cfg(feature = "explore")]
    pub(super) fn new() -> Scene {
        Scene { gate: Gate::closed() }
    }

    /// Closed until all other things have come to rest; then it opens, for everybody.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// For [`Contract::hands`](super::Contract::hands): waits until everything has come to rest. Other orders of what was done so
    /// far are not tried.
    #[track_caller]
    pub fn settle(&self) {
        #[cfg(feature = "explore")]
        std::explored::settle();
    }

    /// Notes that this happens now, to whatever has this number, which is told in the place of `{}`. The contract has to allow
    /// it ([`Contract::hears`](super::Contract::hears)).
    #[track_caller]
    pub fn note(&self, what: &'static str, id: usize) {
        #[cfg(feature = "explore")]
        std::explored::mark(std::explored::Marked::Notes(what, id), "note", |_| super::tell::noted(what, id));
        #[cfg(not(feature = "explore"))]
        let _ = (what, id);
    }
}
