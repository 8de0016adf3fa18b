//! Requests that wait for each other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use tokio::sync::oneshot;
use verdict::Kind;

use super::ledger::Ledger;
use super::quiet::{LOOKERS, block_until_quiet};
use crate::tools::waiting::waiting_at;

/// Opens when so many requests are in flight and nobody else is on the way. Dropping it lets go everybody who waits.
pub(super) struct Meeting {
    size: usize,
    waiting: Vec<oneshot::Sender<()>>,
    /// Tells the porter that the meeting is complete. Before the first request there is no porter, and after the last none is
    /// needed.
    porter: Porter,
    in_flight: Arc<AtomicUsize>,
}

enum Porter {
    NotYet,
    Waits(mpsc::Sender<()>),
    Told,
}

impl Meeting {
    pub(super) fn of(size: usize) -> Meeting {
        Meeting { size, waiting: Vec::new(), porter: Porter::NotYet, in_flight: Arc::default() }
    }

    /// Takes a request in, as the last of so many. The signal comes when the meeting opens.
    pub(super) fn arrive(&mut self, ledger: &Ledger, in_flight: usize) -> oneshot::Receiver<()> {
        self.in_flight.store(in_flight, Ordering::Relaxed);
        if let Porter::NotYet = self.porter {
            self.porter = Porter::Waits(self.start_porter(ledger.clone()));
        }
        if in_flight >= self.size
            && let Porter::Waits(porter) = &self.porter
        {
            // It waits for nothing else.
            let _ = porter.send(());
            self.porter = Porter::Told;
        }
        let (sender, signal) = oneshot::channel();
        self.waiting.push(sender);
        signal
    }

    /// Starts the thread that opens the meeting. As long as it waits for the meeting to be complete, a test that gets stuck has
    /// failed as serialised.
    fn start_porter(&self, ledger: Ledger) -> mpsc::Sender<()> {
        let (sender, complete) = mpsc::channel();
        let (size, in_flight) = (self.size, Arc::clone(&self.in_flight));
        let note = move || {
            let here = in_flight.load(Ordering::Relaxed);
            format!("the site's meeting ({here} of {size} requests in flight)")
        };
        let porter = move || {
            // An error means that the site has gone, or that the test has set another meeting.
            if waiting_at(Some(Kind::Serialised), note, || complete.recv()).is_ok() {
                block_until_quiet();
                ledger.set_meeting(None);
            }
        };
        let thread = thread::Builder::new().name(LOOKERS[1].to_owned()).spawn(porter);
        thread.expect("the system has room for one more thread");
        sender
    }
}
