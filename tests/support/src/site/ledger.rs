//! The site's memory: what has happened, how each page behaves, and who waits for what.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::in_one_step;
use super::meeting::Meeting;
use super::reply::{Reply, Sent};
use super::transcript::{Ending, Transcript};
use crate::Gate;

/// What the pages share. Clones are the same ledger.
#[derive(Clone, Default)]
pub(super) struct Ledger(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    transcript: Transcript,
    pages: HashMap<String, Habits>,
    meeting: Option<Meeting>,
    /// Where some pages wait for each other.
    tables: Vec<Table>,
    /// Beyond this many requests in flight, more are refused.
    limit: Option<usize>,
    /// The pages that have answered.
    answered: HashSet<String>,
    waiting: Vec<(Moment, oneshot::Sender<()>)>,
}

/// How a page behaves, apart from what it says.
#[derive(Clone, Default)]
struct Habits {
    hold: Option<Hold>,
    /// How much it sends in its first reply, its second and so on, and whether it closes the connection then. The last is for
    /// all that follow.
    replies: Vec<(Sent, bool)>,
}

/// Where requests wait for each other, until it is full for the first time.
struct Table {
    /// `None` when it has been full.
    meeting: Option<Meeting>,
    here: usize,
}

/// What a page waits for before it answers.
#[derive(Clone)]
pub(super) enum Hold {
    Gate(Gate),
    Answered(String),
    /// The other one has been asked for so many times.
    Asked(String, usize),
    HungUp(String),
    /// All others have answered.
    Last,
    Quiet,
    Late(Duration),
    Table(usize),
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hold::Gate(_) => f.write_str("answers when a gate is open"),
            Hold::Answered(other) => write!(f, "answers after {other}"),
            Hold::Asked(other, times) => write!(f, "answers when {other} has been asked for {times} times"),
            Hold::HungUp(other) => write!(f, "answers after {other} was given up"),
            Hold::Last => f.write_str("answers after all others"),
            Hold::Quiet => f.write_str("answers when no more requests come"),
            Hold::Late(by) => write!(f, "answers after {by:?}"),
            Hold::Table(_) => f.write_str("answers when others are in flight, too"),
        }
    }
}

/// A moment in the site's life. All but the last stay once they have come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// So many requests are in flight at once.
    InFlight(usize),
    /// This page has been asked for so many times.
    Asked(String, usize),
    /// This page has answered.
    Answered(String),
    /// All pages but this one have answered.
    OthersAnswered(String),
    /// A client has hung up on this page.
    HungUp(String),
    /// No request is in flight. This one may pass.
    Settled,
}

/// What is to be done with a request that has just arrived.
pub(super) enum Welcome {
    /// Too many are in flight.
    Refuse,
    /// Do this when that has happened.
    Answer { after: After, number: usize, sent: Sent, breaks_off: bool },
}

/// What a request waits for.
pub(super) enum After {
    Nothing,
    Quiet,
    Late(Duration),
    Gate(Gate),
    /// The others have come, or another page has been asked for often enough.
    Requests(oneshot::Receiver<()>),
    /// Another page was answered, if it had not been before, and the client has done all that it wants to do about that.
    Answered(Option<oneshot::Receiver<()>>),
    /// A client has hung up, or will not any more.
    HungUp(Option<oneshot::Receiver<()>>),
    /// All other pages have answered and the client has done all that it wants to do about that, or they will not any more.
    Last(Option<oneshot::Receiver<()>>),
}

impl Ledger {
    /// Notes the request and says what to do with it.
    pub(super) fn arrive(&self, path: &str) -> (Visit, Welcome) {
        self.change(|state| self.arrive_at(state, path))
    }

    fn arrive_at(&self, state: &mut State, path: &str) -> (Visit, Welcome) {
        let index = state.transcript.arrive(path);
        let visit = Visit { ledger: self.clone(), index: Some(index) };
        let in_flight = state.transcript.in_flight();
        if state.limit.is_some_and(|limit| in_flight > limit) {
            return (visit, Welcome::Refuse);
        }
        let asked = state.transcript.attempts(path);
        state.wake(|moment| match moment {
            Moment::InFlight(k) => in_flight >= *k,
            Moment::Asked(page, times) => page == path && asked >= *times,
            _ => false,
        });
        // A request with a hold of its own counts, too: it may be the one that the others wait for.
        let meeting = state.meeting.as_mut().map(|meeting| meeting.arrive(self, in_flight));
        let Habits { hold, replies } = state.pages.get(path).cloned().unwrap_or_default();
        let number = (asked - 1).min(replies.len().saturating_sub(1));
        let (sent, breaks_off) = replies.get(number).copied().unwrap_or((Sent::Whole, false));
        let after = match (hold, meeting) {
            (Some(Hold::Gate(gate)), _) => After::Gate(gate),
            (Some(Hold::Answered(other)), _) => After::Answered(state.signal(Moment::Answered(other))),
            (Some(Hold::Asked(other, times)), _) => {
                state.signal(Moment::Asked(other, times)).map_or(After::Nothing, After::Requests)
            }
            (Some(Hold::HungUp(other)), _) => After::HungUp(state.signal(Moment::HungUp(other))),
            (Some(Hold::Last), _) => After::Last(state.signal(Moment::OthersAnswered(path.to_owned()))),
            (Some(Hold::Quiet), _) => After::Quiet,
            (Some(Hold::Late(by)), _) => After::Late(by),
            (Some(Hold::Table(table)), _) => state.tables[table].sit_down(self),
            (None, Some(signal)) => After::Requests(signal),
            (None, None) => After::Nothing,
        };
        (visit, Welcome::Answer { after, number, sent, breaks_off })
    }

    /// Says what a page waits for.
    pub(super) fn set_hold(&self, path: &str, hold: Hold) {
        self.lock().pages.entry(path.to_owned()).or_default().hold = Some(hold);
    }

    /// Adds a reply to those of a page, and says which number it has.
    pub(super) fn add_reply(&self, path: &str, reply: Reply) -> usize {
        let mut state = self.lock();
        let replies = &mut state.pages.entry(path.to_owned()).or_default().replies;
        replies.push(reply.sent());
        replies.len() - 1
    }

    /// Makes a table for these pages.
    pub(super) fn set_table(&self, paths: &[impl AsRef<str>]) {
        let mut state = self.lock();
        state.tables.push(Table { meeting: Some(Meeting::at_once_of(paths.len())), here: 0 });
        let table = state.tables.len() - 1;
        for path in paths {
            state.pages.entry(path.as_ref().to_owned()).or_default().hold = Some(Hold::Table(table));
        }
    }

    /// Nobody needs to wait for anybody any more.
    pub(super) fn close(&self) {
        self.set_meeting(None);
        self.change(|state| state.tables.clear());
    }

    /// From now on requests without a hold of their own wait for this meeting, or no longer for any.
    pub(super) fn set_meeting(&self, meeting: Option<Meeting>) {
        // The requests that waited for the earlier one are let go when it is dropped.
        let earlier = std::mem::replace(&mut self.lock().meeting, meeting);
        in_one_step(|| drop(earlier));
    }

    /// Refuses requests beyond so many.
    pub(super) fn limit(&self, limit: usize) {
        self.lock().limit = Some(limit);
    }

    /// Returns when the moment has come.
    pub(super) async fn until(&self, moment: Moment) {
        let signal = self.change(|state| state.signal(moment));
        if let Some(signal) = signal {
            let _ = signal.await;
        }
    }

    /// What has happened so far.
    pub(super) fn transcript(&self) -> Transcript {
        self.lock().transcript.clone()
    }

    /// The pages that have not answered, with what they wait for: for the report on a test that got stuck on threads.
    #[cfg(not(feature = "explore"))]
    pub(super) fn pending(&self) -> Vec<String> {
        let state = self.lock();
        let pending = state.transcript.requests().iter().filter(|request| request.ending == Ending::Pending);
        let pending = pending.map(|request| {
            let path = &request.path;
            match state.pages.get(path).and_then(|page| page.hold.as_ref()) {
                Some(hold) => format!("{path} ({hold})"),
                None => path.clone(),
            }
        });
        pending.collect()
    }

    /// A page has sent its answer to the end, which the client may not have read.
    #[cfg(feature = "explore")]
    pub(super) fn has_answered(&self, path: String) {
        self.change(|state| state.has_answered(path));
    }

    fn end(&self, index: usize, ending: Ending) {
        self.change(|state| state.end(index, ending));
    }

    /// Changes the state, all of it at once.
    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.lock();
        in_one_step(|| change(&mut state))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Takes a request in. It waits until the table has been full.
    fn sit_down(&mut self, ledger: &Ledger) -> After {
        self.here += 1;
        let Some(meeting) = &mut self.meeting else { return After::Nothing };
        let signal = meeting.arrive(ledger, self.here);
        if meeting.is_complete(self.here) {
            self.meeting = None;
        }
        After::Requests(signal)
    }
}

impl State {
    /// A signal for the moment, if it has not come yet.
    fn signal(&mut self, moment: Moment) -> Option<oneshot::Receiver<()>> {
        if self.has_come(&moment) {
            return None;
        }
        let (sender, signal) = oneshot::channel();
        self.waiting.push((moment, sender));
        Some(signal)
    }

    fn has_come(&self, moment: &Moment) -> bool {
        match moment {
            Moment::InFlight(k) => self.transcript.peak() >= *k,
            Moment::Asked(page, times) => self.transcript.attempts(page) >= *times,
            Moment::Answered(path) => self.answered.contains(path),
            Moment::OthersAnswered(path) => self.unanswered().all(|page| page == path),
            Moment::HungUp(path) => self.transcript.hung_up(path) > 0,
            Moment::Settled => self.transcript.in_flight() == 0,
        }
    }

    fn end(&mut self, index: usize, ending: Ending) {
        self.transcript.end(index, ending);
        let path = self.transcript.requests()[index].path.clone();
        match ending {
            Ending::HungUp => self.wake(|moment| *moment == Moment::HungUp(path.clone())),
            Ending::Answered(_) => self.has_answered(path),
            Ending::Pending | Ending::BrokenOff => {}
        }
        if self.transcript.in_flight() == 0 {
            self.wake(|moment| *moment == Moment::Settled);
        }
    }

    /// The pages that have something to say, and have not answered yet.
    fn unanswered(&self) -> impl Iterator<Item = &String> {
        self.pages.keys().filter(|page| !self.answered.contains(*page))
    }

    fn has_answered(&mut self, path: String) {
        if self.answered.insert(path.clone()) {
            let unanswered: Vec<String> = self.unanswered().cloned().collect();
            self.wake(|moment| match moment {
                Moment::Answered(page) => *page == path,
                Moment::OthersAnswered(last) => unanswered.iter().all(|page| page == last),
                _ => false,
            });
        }
    }

    fn wake(&mut self, has_come: impl Fn(&Moment) -> bool) {
        for (_, waiter) in self.waiting.extract_if(.., |(moment, _)| has_come(moment)) {
            // Nobody may be listening any more: the client can have hung up.
            let _ = waiter.send(());
        }
    }
}

/// A request in flight. Dropped before it has ended, it counts as hung up: hyper drops what it was doing for a client whose
/// connection is closed.
pub(super) struct Visit {
    ledger: Ledger,
    index: Option<usize>,
}

impl Visit {
    /// Notes how it ends, on the site's side. The client can't know yet, so whatever it does next is noted later.
    pub(super) fn end(&mut self, ending: Ending) {
        if let Some(index) = self.index.take() {
            self.ledger.end(index, ending);
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.end(Ending::HungUp);
    }
}
