//! A port where a connection is neither made nor refused.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use tokio::runtime;

use super::network::port;

/// How long a connection on the loopback interface takes at most: it is there at once, or the queue is full.
const AT_ONCE: Duration = Duration::from_millis(20);
/// More than any system keeps where the least is asked for.
const MOST: usize = 256;

/// A socket that listens, and whose queue is full: nobody accepts.
#[derive(Debug)]
pub(super) struct Unanswered {
    listener: TcpListener,
    _queue: Vec<TcpStream>,
}

impl Unanswered {
    /// # Panics
    /// If the system refuses connections that it has no room for, instead of leaving them unanswered.
    pub(super) fn find() -> Unanswered {
        let runtime = runtime::Builder::new_current_thread().enable_io().build();
        let runtime = runtime.expect("the system has room for one more event queue");
        let listener = runtime.block_on(async { port().listen(0).and_then(tokio::net::TcpListener::into_std) });
        let listener = listener.expect("a bound socket can listen");
        let address = listener.local_addr().expect("a bound socket has an address");
        let mut queue = Vec::new();
        while queue.len() < MOST {
            match TcpStream::connect_timeout(&address, AT_ONCE) {
                Ok(connection) => queue.push(connection),
                Err(error) if error.kind() == ErrorKind::TimedOut => break,
                Err(error) => panic!("a connection that nobody accepts should be left unanswered, but: {error}"),
            }
        }
        Unanswered { listener, _queue: queue }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("a bound socket has an address")
    }
}
