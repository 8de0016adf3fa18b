//! The site on real sockets.

use std::env;
use std::net::SocketAddr;
use std::sync::{OnceLock, mpsc};
use std::thread::{self, JoinHandle};

use tokio::net::TcpSocket;
use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use wiremock::matchers::{header, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::ledger::Ledger;
use super::reply::Said;
use super::unanswered::Unanswered;
use super::{front, proxy};
use crate::tools::waiting::waiting_at;

/// The header that tells wiremock which of a page's replies is wanted.
pub(super) const NUMBER: &str = "reply-number";
/// How many clients may connect at once before the site has accepted one of them. Linux caps it at `net.core.somaxconn`.
pub(super) const BACKLOG: u32 = 4096;

/// The site's ports, and the thread that serves them until this is dropped.
pub(super) struct Network {
    address: SocketAddr,
    closed: SocketAddr,
    unanswered: OnceLock<Unanswered>,
    mocks: Option<UnboundedSender<NewMock>>,
    server: Option<JoinHandle<()>>,
}

/// A mock for wiremock, and where to tell that it has it.
type NewMock = (Mock, mpsc::Sender<()>);

impl Network {
    pub(super) fn start(ledger: &Ledger) -> Network {
        if let Some(proxy) = proxy::in_the_way(|name| env::var(name).ok()) {
            panic!("{proxy} is set, so requests would not reach the mock site: unset it, or set NO_PROXY=127.0.0.1");
        }
        let (mocks, new_mocks) = unbounded_channel();
        let (told, address) = mpsc::channel();
        let server = thread::Builder::new().name("site".to_owned()).spawn({
            let ledger = ledger.clone();
            move || {
                let runtime = runtime::Builder::new_current_thread().enable_all().build();
                let runtime = runtime.expect("the system has room for one more event queue");
                let pages = ledger.clone();
                let note = move || match pages.pending() {
                    pending if pending.is_empty() => "no page: all requests are answered".to_owned(),
                    pending => pending.join(", "),
                };
                waiting_at(None, note, || runtime.block_on(run(ledger, new_mocks, told)));
                // A page may still wait at a gate that nobody opens, on a thread of its own.
                runtime.shutdown_background();
            }
        });
        let server = server.expect("the system has room for one more thread");
        let (address, closed) = address.recv().expect("the site finds free ports");
        Network { address, closed, unanswered: OnceLock::new(), mocks: Some(mocks), server: Some(server) }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn closed_address(&self) -> SocketAddr {
        self.closed
    }

    pub(super) fn unanswered_address(&self) -> SocketAddr {
        self.unanswered.get_or_init(Unanswered::find).address()
    }

    /// From now on the page's reply of this number is this.
    pub(super) fn say(&self, page: &str, number: usize, said: Said) {
        let mut response = ResponseTemplate::new(said.status);
        if let Some((content_type, body)) = said.body {
            response = response.set_body_raw(body, &content_type);
        }
        if let Some(location) = said.location {
            response = response.insert_header("location", location);
        }
        let wanted = Mock::given(path(page)).and(header(NUMBER, number.to_string().as_str()));
        let (told, mounted) = mpsc::channel();
        let mocks = self.mocks.as_ref().expect("the site is up until it is dropped");
        mocks.send((wanted.respond_with(response), told)).expect("the site is up until it is dropped");
        mounted.recv().expect("the site is up until it is dropped");
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // The server runs until nobody can send it mocks.
        self.mocks = None;
        if let Some(server) = self.server.take() {
            // If it panicked, the test has seen that its client got no answer.
            let _ = server.join();
        }
    }
}

/// The life of the site's server. It tells where it listens, and at which port it does not.
async fn run(ledger: Ledger, mut new_mocks: UnboundedReceiver<NewMock>, told: mpsc::Sender<(SocketAddr, SocketAddr)>) {
    let wiremock = MockServer::builder().disable_request_recording().listener(behind_the_front()).start().await;
    let backstage = front::go_backstage(wiremock.address()).await;
    let listener = port().listen(BACKLOG).expect("a bound socket can listen");
    let closed = port();
    let addresses = listener.local_addr().and_then(|open| Ok((open, closed.local_addr()?)));
    told.send(addresses.expect("a bound socket has an address")).expect("the test waits for the addresses");
    tokio::spawn(front::serve(listener, ledger, backstage));
    while let Some((mock, told)) = new_mocks.recv().await {
        wiremock.register(mock).await;
        // A test that does not wait for it has ended.
        let _ = told.send(());
    }
}

/// Where wiremock listens. What it accepts there inherits that small pieces are sent at once: the second piece of an answer does not wait
/// for the first one's acknowledgement, which comes 40 ms later.
fn behind_the_front() -> std::net::TcpListener {
    let socket = port();
    socket.set_nodelay(true).expect("a new socket takes options");
    let listener = socket.listen(BACKLOG).and_then(|listener| listener.into_std());
    listener.expect("a bound socket can listen")
}

/// A free port of the loopback interface, taken.
pub(super) fn port() -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("the system has room for one more socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("the loopback interface has a free port");
    socket
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_wiremock_accepts_sends_small_pieces_at_once() {
        let listener = behind_the_front();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = tokio::net::TcpListener::from_std(listener).unwrap().accept().await.unwrap();
        assert!(accepted.nodelay().unwrap());
    }
}
