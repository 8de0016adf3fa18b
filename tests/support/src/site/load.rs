//! A site for load: it answers every page after a latency, and can carry thousands of connections.
//!
//! It is hyper alone. wiremock handles one request at a time under a lock, and what proves the order of requests in the
//! [`Site`](super::Site) costs more than the requests themselves: both would be measured instead of the client.
//!
//! A page is `/ROUND/INDEX`. The index alone decides how late it is answered, so that every client, in every round, waits for the
//! same latencies.

mod alarm;
mod ceiling;
mod latency;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime;

pub use ceiling::ceiling;
pub use latency::{Latencies, Profile};

use super::network::{BACKLOG, port};
use alarm::Alarm;

/// Where a page is: `http://127.0.0.1:8000/3/17` for page 17 of round 3.
pub fn url(site: &str, round: u32, index: u64) -> String {
    format!("http://{site}{}", path(round, index))
}

/// Where a page is that says this instead of its own text: a few letters or digits.
pub fn url_that_says(site: &str, round: u32, index: u64, text: &str) -> String {
    format!("{}?{text}", url(site, round, index))
}

/// What a page says.
pub fn text(round: u32, index: u64) -> String {
    said_at(&path(round, index))
}

/// Serves pages until the process ends, on threads of its own. Returns where it listens.
///
/// # Panics
/// If the system has no port or thread left.
pub fn serve(latencies: Latencies) -> SocketAddr {
    let (told, address) = mpsc::channel();
    let server = move || {
        // Half of the cores: the other half is for the client. A request costs the client several times as much as the site.
        let threads = thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
        let runtime = runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
        runtime.expect("the system has room for one more event queue").block_on(async move {
            let listener = port().listen(BACKLOG).expect("a bound socket can listen");
            let address = listener.local_addr().expect("a bound socket has an address");
            told.send(address).expect("whoever starts the site waits for its address");
            // Not the task of `block_on`: the workers take it up without a thread switch.
            let _ = tokio::spawn(accept(listener, latencies)).await;
        });
    };
    thread::Builder::new().name("load-site".to_owned()).spawn(server).expect("the system has room for one more thread");
    address.recv().expect("the site finds a free port")
}

async fn accept(listener: TcpListener, latencies: Latencies) {
    let alarm = Alarm::start();
    loop {
        // A client that has gone before it was accepted is no harm; nor is one too many, who waits for the next turn.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let alarm = alarm.clone();
        let service = service_fn(move |request| answer(request, latencies, alarm.clone()));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    latencies: Latencies,
    alarm: Alarm,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let arrived = Instant::now();
    let path = request.uri().path();
    if let Some(index) = path.rsplit('/').next().and_then(|index| index.parse().ok()) {
        alarm.until(arrived + latencies.of(index)).await;
    }
    let said = request.uri().query().map_or_else(|| said_at(path), str::to_owned);
    Ok(Response::new(Full::from(said)))
}

fn path(round: u32, index: u64) -> String {
    format!("/{round}/{index}")
}

fn said_at(path: &str) -> String {
    format!("This is page {path}, as it is in this round.")
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_page_says_which_it_is() {
        let latencies = Latencies { profile: Profile::Fixed, typical: Duration::from_millis(1) };
        let site = serve(latencies);
        let pages = [(url("", 3, 17), text(3, 17)), (url_that_says("", 3, 17, "4711"), "4711".to_owned())];
        for (url, text) in pages {
            let path = url.trim_start_matches("http://");
            let mut connection = TcpStream::connect(site).expect("the site is up");
            write!(connection, "GET {path} HTTP/1.1\r\nhost: site\r\nconnection: close\r\n\r\n")
                .expect("the site reads");
            let mut answer = String::new();
            connection.read_to_string(&mut answer).expect("the site ends its answer");
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
            assert!(answer.ends_with(&format!("\r\n\r\n{text}")), "{answer}");
        }
    }
}
