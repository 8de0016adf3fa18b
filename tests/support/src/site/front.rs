//! The server that clients see. It notes requests and holds them back, and passes them on to wiremock behind it.
//!
//! wiremock alone can't do that. It handles one request at a time under a lock, its `Respond` is not `async`, so it can
//! delay an answer only by the clock, and it does not tell when a client has gone.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::client::conn::http2;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::ledger::{After, Ledger, Visit, Welcome};
use super::quiet::{long_quiet, quiet};

/// The way to wiremock: one connection, many requests at once.
pub(super) type Backstage = http2::SendRequest<Full<Bytes>>;

type Answer = Response<Either<Full<Bytes>, HalfBody>>;

/// Connects to wiremock.
pub(super) async fn go_backstage(address: &SocketAddr) -> Backstage {
    let stream = TcpStream::connect(address).await.expect("wiremock listens on the loopback interface");
    stream.set_nodelay(true).expect("a new socket takes options");
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (backstage, connection) = handshake.await.expect("wiremock speaks HTTP/2");
    tokio::spawn(connection);
    backstage
}

/// Serves clients until it is dropped.
pub(super) async fn serve(listener: TcpListener, ledger: Ledger, backstage: Backstage) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // It had gone before it was accepted.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
            Err(error) => panic!("the site can't take more clients: {error}"),
        };
        let _ = stream.set_nodelay(true);
        let (ledger, backstage) = (ledger.clone(), backstage.clone());
        let service = service_fn(move |request| answer(request, ledger.clone(), backstage.clone()));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// Answers one request. hyper drops this future when the client hangs up, and with it the visit.
async fn answer(request: Request<Incoming>, ledger: Ledger, backstage: Backstage) -> Result<Answer, Infallible> {
    let (visit, welcome) = ledger.arrive(request.uri().path());
    let Welcome::Answer { after, stops_half_way } = welcome else {
        visit.answered(StatusCode::TOO_MANY_REQUESTS.as_u16());
        let mut refusal = Response::new(Either::Left(Full::default()));
        *refusal.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        return Ok(refusal);
    };
    match after {
        After::Nothing => {}
        After::Never => std::future::pending().await,
        After::Gate(gate) => tokio::task::spawn_blocking(move || gate.pass()).await.expect("a gate does not panic"),
        // If the sender goes away, there is nothing left to wait for.
        After::Meeting(signal) => signal.await.unwrap_or(()),
        After::Answered(signal) => {
            come(signal).await;
            quiet().await;
        }
        After::HungUp(signal) => tokio::select! {
            () = come(signal) => {}
            () = long_quiet() => {}
        },
    }
    let response = pass_on(request, backstage).await.expect("wiremock answers what it is asked");
    let (head, body) = response.into_parts();
    let text = body.collect().await.expect("wiremock finishes what it says").to_bytes();
    let body = if stops_half_way {
        Either::Right(HalfBody { half: Some(text.slice(..text.len() / 2)), whole: text.len(), _visit: visit })
    } else {
        visit.answered(head.status.as_u16());
        Either::Left(Full::new(text))
    };
    let mut answer = Response::new(body);
    *answer.status_mut() = head.status;
    *answer.headers_mut() = head.headers;
    Ok(answer)
}

/// Waits for a signal that may have come before.
async fn come(signal: Option<oneshot::Receiver<()>>) {
    if let Some(signal) = signal {
        let _ = signal.await;
    }
}

async fn pass_on(request: Request<Incoming>, mut backstage: Backstage) -> hyper::Result<Response<Incoming>> {
    let (mut head, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        // The client has hung up in the middle of its request, so hyper is about to drop this future.
        Err(_) => std::future::pending().await,
    };
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    head.uri = Uri::builder().scheme("http").authority("site").path_and_query(path).build().expect("a path is a path");
    head.version = Version::HTTP_2;
    // HTTP/2 knows no such headers: they belong to the client's connection.
    head.headers.remove(hyper::header::HOST);
    head.headers.remove(hyper::header::CONNECTION);
    backstage.ready().await?;
    backstage.send_request(Request::from_parts(head, Full::new(body))).await
}

/// The first half of a body whose second half never comes.
struct HalfBody {
    half: Option<Bytes>,
    whole: usize,
    /// Noted as hung up when hyper drops this body, since the client will never have all of it.
    _visit: Visit,
}

impl Body for HalfBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.half.take() {
            Some(half) => Poll::Ready(Some(Ok(Frame::data(half)))),
            None => Poll::Pending,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.whole as u64)
    }
}
