//! Requests that wait for each other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use tokio::sync::oneshot;
use verdict::Kind;

use super::ledger::Ledger;
use super::quiet::{LOOKERS, block_until_quiet};
use crate::tools::waiting::waiting_at;

/// Opens when so many requests are in flight. Dropping it lets go everybody who waits.
pub(super) struct Meeting {
    size: usize,
    /// Whether it is the porter who opens it, when nobody else is on the way. Otherwise the last who comes does.
    waits_for_quiet: bool,
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
    /// One that opens when so many are there and nobody else is on the way.
    pub(super) fn of(size: usize) -> Meeting {
        let (waiting, in_flight) = (Vec::new(), Arc::default());
        Meeting { size, waits_for_quiet: true, waiting, porter: Porter::NotYet, in_flight }
    }

    /// One that opens when so many are there.
    pub(super) fn at_once_of(size: usize) -> Meeting {
        Meeting { waits_for_quiet: false, ..Meeting::of(size) }
    }

    /// Whether so many are enough.
    pub(super) fn is_complete(&self, in_flight: usize) -> bool {
        in_flight >= self.size
    }

    /// Takes a request in, as the last of so many. The signal comes when the meeting opens.
    pub(super) fn arrive(&mut self, ledger: &Ledger, in_flight: usize) -> oneshot::Receiver<()> {
        self.in_flight.store(in_flight, Ordering::SeqCst);
        if let Porter::NotYet = self.porter {
            self.porter = Porter::Waits(self.start_porter(ledger.clone()));
        }
        if self.is_complete(in_flight)
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
        let (size, in_flight, waits_for_quiet) = (self.size, Arc::clone(&self.in_flight), self.waits_for_quiet);
        let note = move || {
            let here = in_flight.load(Ordering::SeqCst);
            format!("the site's meeting ({here} of {size} requests in flight)")
        };
        let porter = move || {
            #[cfg(feature = "explore")]
            std::raw::serve();
            // An error means that the site has gone, or that the test has set another meeting.
            if waiting_at(Some(Kind::Serialised), note, || complete.recv()).is_ok() && waits_for_quiet {
                block_until_quiet();
                ledger.set_meeting(None);
            }
        };
        let thread = thread::Builder::new().name(LOOKERS[1].to_owned()).spawn(porter);
        thread.expect("the system has room for one more thread");
        sender
    }
}
