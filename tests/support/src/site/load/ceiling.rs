//! What the site can do at all: requests in a second, without latency, by a client that does nothing but send and read bytes.

use std::io;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::task::JoinSet;

/// Connections of the client.
const CONNECTIONS: u32 = 64;
/// Requests on each of them, counted; a tenth of it goes before and is not.
const REQUESTS: u32 = 400;
/// A page that has no latency, since it has no index.
const REQUEST: &[u8] = b"GET /at-once HTTP/1.1\r\nhost: site\r\n\r\n";

/// Measures how many requests in a second the site at this address answers. It must be a load site, in a process of its own.
///
/// # Panics
/// If the site can't be reached, or breaks off.
pub fn ceiling(site: &str) -> f64 {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("the system has room for one more event queue");
    runtime.block_on(async {
        ask_on_all(site, REQUESTS / 10).await;
        let started = Instant::now();
        ask_on_all(site, REQUESTS).await;
        f64::from(CONNECTIONS * REQUESTS) / started.elapsed().as_secs_f64()
    })
}

async fn ask_on_all(site: &str, requests: u32) {
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        connections.spawn(ask(site.to_owned(), requests));
    }
    for answered in connections.join_all().await {
        answered.expect("the site answers");
    }
}

/// Asks for the page again and again on one connection. Every answer is as long as the first one.
async fn ask(site: String, requests: u32) -> io::Result<()> {
    let mut stream = TcpStream::connect(site).await?;
    stream.set_nodelay(true)?;
    stream.write_all(REQUEST).await?;
    // The first answer is small enough to come in one piece, and nothing comes after it.
    let mut answer = [0; 1024];
    let length = stream.read(&mut answer).await?;
    for _ in 1..requests {
        stream.write_all(REQUEST).await?;
        stream.read_exact(&mut answer[..length]).await?;
        if !answer.starts_with(b"HTTP/1.1 200 OK\r\n") {
            return Err(io::Error::other("an answer that is none, or not as long as the others"));
        }
    }
    Ok(())
}
