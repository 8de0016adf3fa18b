//! A mock web site on the loopback interface, for tests of clients. It proves by what it sees, never by the clock.
//!
//! A page does something with its first request, something with its second, and so on: a [`Reply`] for each. It does so at once,
//! or only when something else has happened: a [`Gate`] was opened, another page was answered, a client hung up, so many
//! requests were in flight. The [`Transcript`] tells afterwards what came, in which order, how often, and how many at once.
//!
//! ```
//! use kata::site::Site;
//!
//! let site = Site::start();
//! site.page("/flaky").fails(2, 503).says("at last");
//! site.page("/silent").never_answers();
//! site.page("/first").says("one").answers_after("/second");
//! assert!(site.url("/flaky").starts_with("http://127.0.0.1:"));
//! assert_eq!(site.transcript().attempts("/flaky"), 0);
//! ```
//!
//! On threads it is real I/O (`sockets.rs`): behind it works wiremock, which decides what a page says, and in front stands a server
//! that notes each request, holds it back as long as the test wants, and sees clients hang up. On schedules (`modelled.rs`) it is the
//! network of the model of reqwest: each answer is a step of its own, and time is virtual.

mod ledger;
mod meeting;
mod reply;
mod transcript;

#[cfg(not(feature = "explore"))]
mod front;
#[cfg(not(feature = "explore"))]
mod proxy;
#[cfg(not(feature = "explore"))]
mod unanswered;

#[cfg_attr(not(feature = "explore"), path = "sockets.rs")]
#[cfg_attr(feature = "explore", path = "modelled.rs")]
mod network;
#[cfg_attr(feature = "explore", path = "quiet/modelled.rs")]
mod quiet;

#[cfg(not(feature = "explore"))]
pub mod load;

use std::fmt;
use std::time::Duration;

use crate::Gate;
use ledger::{Hold, Ledger, Moment};
use meeting::Meeting;
use network::Network;
use reply::{PLAIN, Said};

pub use reply::Reply;
pub use transcript::{Ending, Request, Transcript};

/// A mock web site. It is up from [`Site::start`] until it is dropped.
///
/// Pages that were not set up answer 404.
pub struct Site {
    ledger: Ledger,
    network: Network,
}

impl Site {
    /// Starts a site on a free port of the loopback interface.
    ///
    /// # Panics
    /// If the system has no port or thread left, or if a proxy in the environment would keep clients away from the site.
    pub fn start() -> Site {
        let ledger = Ledger::default();
        Site { network: Network::start(&ledger), ledger }
    }

    /// The URL of a page: `http://127.0.0.1:PORT/a` for `/a`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.network.address())
    }

    /// The URL of a page at a port where nobody listens, nor will as long as the site is up.
    pub fn closed_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.network.closed_address())
    }

    /// The URL of a page at a port where a connection is neither made nor refused, as if the machine were switched off.
    pub fn unanswered_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.network.unanswered_address())
    }

    /// Sets up a page. Calls with the same path add to it.
    pub fn page(&self, path: &str) -> Page<'_> {
        assert!(path.starts_with('/'), "a page's path starts with a slash: {path:?} does not");
        Page { site: self, path: path.to_owned() }
    }

    /// Answers nobody until `k` requests are in flight at once and it is certain that no more are on the way; then everybody.
    ///
    /// So [`Transcript::peak`] is exactly how many the client dares to send at once. If fewer than `k` come, nobody is answered,
    /// and the test fails as `serialised` once nothing moves any more. Let the client's own timeouts be long.
    /// Pages that wait for something of their own don't wait for this, too, but their requests count.
    pub fn meets(&self, k: usize) {
        self.ledger.set_meeting(Some(Meeting::of(k)));
    }

    /// These pages answer only when all of them are in flight at once; after that as usual. A path that comes twice has to be
    /// asked for twice.
    ///
    /// If they never are, nobody is answered, and the test fails as `serialised` once nothing moves any more.
    pub fn answers_together(&self, paths: &[impl AsRef<str>]) {
        self.ledger.set_table(paths);
    }

    /// Refuses a request with 429 that arrives while `limit` others are in flight.
    pub fn refuses_beyond(&self, limit: usize) {
        self.ledger.limit(limit);
    }

    /// What has happened so far.
    ///
    /// An answer is noted before the client has it, so a client that has all its answers finds all of them here.
    pub fn transcript(&self) -> Transcript {
        self.ledger.transcript()
    }

    /// Returns when `k` requests are, or have been, in flight at once.
    pub async fn in_flight(&self, k: usize) {
        self.ledger.until(Moment::InFlight(k)).await;
    }

    /// Returns when this page has been asked for so many times.
    pub async fn asked(&self, path: &str, times: usize) {
        self.ledger.until(Moment::Asked(path.to_owned(), times)).await;
    }

    /// Returns when a client has hung up on this page.
    pub async fn hung_up(&self, path: &str) {
        self.ledger.until(Moment::HungUp(path.to_owned())).await;
    }

    /// Returns when no request is in flight: all are answered, or the client has hung up.
    pub async fn settled(&self) {
        self.ledger.until(Moment::Settled).await;
    }

    /// Returns when the clients of this process have done all that they want to do for now.
    pub async fn quiet(&self) {
        quiet::quiet().await;
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // Its porters may wait for a request that never comes.
        self.ledger.close();
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("address", &self.network.address().to_string()).finish_non_exhaustive()
    }
}

/// A page of a [`Site`] that is being set up.
#[derive(Debug)]
pub struct Page<'site> {
    site: &'site Site,
    path: String,
}

impl Page<'_> {
    /// The page does this with its next request, or, if nothing follows, with all that come from then on.
    ///
    /// ```
    /// use kata::site::{Reply, Site};
    ///
    /// let site = Site::start();
    /// // The first request is answered, the second and all that follow are not.
    /// site.page("/a").replies(Reply::Status(503)).replies(Reply::Never);
    /// ```
    pub fn replies(self, reply: Reply) -> Self {
        let said = reply.says(&self.path);
        self.add(reply, said)
    }

    /// The page is there: it answers 200 and this text.
    pub fn says(self, text: &str) -> Self {
        self.replies_with(Reply::Text, PLAIN, text)
    }

    /// The page answers 200, and does with this body what the reply does with its text. The type is `text/html`, for example.
    pub fn replies_with(self, reply: Reply, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.add(reply, Some(Said::body(200, content_type, body)))
    }

    /// The page sends clients to another one, or to itself. No client of the model follows.
    pub fn redirects_to(self, other: &str) -> Self {
        let location = Some(other.to_owned());
        self.add(Reply::Status(302), Some(Said { location, ..Said::status(302) }))
    }

    /// The page answers this status.
    pub fn answers(self, status: u16) -> Self {
        self.replies(Reply::Status(status))
    }

    /// The page answers this status so many times.
    pub fn fails(self, times: usize, status: u16) -> Self {
        (0..times).fold(self, |page, _| page.answers(status))
    }

    /// The page takes requests and never answers.
    pub fn never_answers(self) -> Self {
        self.replies(Reply::Never)
    }

    /// The page answers when the gate is open.
    pub fn waits_for(self, gate: &Gate) -> Self {
        self.hold(Hold::Gate(gate.clone()))
    }

    /// The page answers only after that other page was answered and the client has done all it wants to do about that.
    pub fn answers_after(self, other: &str) -> Self {
        self.hold(Hold::Answered(other.to_owned()))
    }

    /// The page answers only when that other page has been asked for so many times.
    pub fn answers_when_asked(self, other: &str, times: usize) -> Self {
        self.hold(Hold::Asked(other.to_owned(), times))
    }

    /// The page answers only after a client has hung up on that other page.
    ///
    /// A client can give up before its request has arrived, and then there is nothing to see here. So the page answers also when
    /// nothing in the process has moved for about a third of a second: let the client's timeout be shorter than that.
    pub fn answers_after_hang_up(self, other: &str) -> Self {
        self.hold(Hold::HungUp(other.to_owned()))
    }

    /// The page answers only after all other pages were answered and the client has done all it wants to do about that.
    ///
    /// A client that asks for them only when it has this answer is not kept waiting for ever: the page answers also when nothing in
    /// the process has moved for about a third of a second.
    pub fn answers_last(self) -> Self {
        self.hold(Hold::Last)
    }

    /// The page answers when the client has done all that it wants to do before it has the answer: so if more requests can
    /// come, they are in flight by then.
    pub fn answers_when_quiet(self) -> Self {
        self.hold(Hold::Quiet)
    }

    /// The page answers so late by the clock, for tests of limits in time. It may be later, never sooner.
    pub fn answers_late(self, by: Duration) -> Self {
        self.hold(Hold::Late(by))
    }

    fn add(self, reply: Reply, said: Option<Said>) -> Self {
        let number = self.site.ledger.add_reply(&self.path, reply);
        if let Some(said) = said {
            self.site.network.say(&self.path, number, said);
        }
        self
    }

    fn hold(self, hold: Hold) -> Self {
        self.site.ledger.set_hold(&self.path, hold);
        self
    }
}

/// Does all of it as one step, where there are steps.
fn in_one_step<R>(act: impl FnOnce() -> R) -> R {
    #[cfg(feature = "explore")]
    return std::raw::whole(act);
    #[cfg(not(feature = "explore"))]
    act()
}
