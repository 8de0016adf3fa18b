//! The server that clients see. It notes requests and holds them back, and passes them on to wiremock behind it.
//!
//! wiremock alone can't do that. It handles one request at a time under a lock, its `Respond` is not `async`, so it can
//! delay an answer only by the clock, and it does not tell when a client has gone.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::client::conn::http2;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};

use super::ledger::{After, Ledger, Visit, Welcome};
use super::network::NUMBER;
use super::quiet::{long_quiet, quiet};
use super::reply::Sent;
use super::transcript::Ending;

/// The way to wiremock: one connection, many requests at once.
pub(super) type Backstage = http2::SendRequest<Full<Bytes>>;

type Answer = Response<Either<Full<Bytes>, PartOfBody>>;

/// How long it takes until the next byte of a page comes that drips.
const BETWEEN_DRIPS: Duration = Duration::from_millis(1);

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

/// Answers one request. hyper drops this future when the client hangs up, and with it the visit. An error closes the connection.
async fn answer(request: Request<Incoming>, ledger: Ledger, backstage: Backstage) -> io::Result<Answer> {
    let (mut visit, welcome) = ledger.arrive(request.uri().path());
    let Welcome::Answer { after, number, sent, breaks_off } = welcome else {
        visit.end(Ending::Answered(StatusCode::TOO_MANY_REQUESTS.as_u16()));
        let mut refusal = Response::new(Either::Left(Full::default()));
        *refusal.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        return Ok(refusal);
    };
    match after {
        After::Nothing => {}
        After::Quiet => quiet().await,
        After::Late(by) => tokio::time::sleep(by).await,
        After::Gate(gate) => tokio::task::spawn_blocking(move || gate.pass()).await.expect("a gate does not panic"),
        // If the sender goes away, there is nothing left to wait for.
        After::Requests(signal) => signal.await.unwrap_or(()),
        After::Answered(signal) => {
            come(signal).await;
            quiet().await;
        }
        After::Last(signal) => tokio::select! {
            () = async { come(signal).await; quiet().await } => {}
            () = long_quiet() => {}
        },
        After::HungUp(signal) => tokio::select! {
            () = come(signal) => {}
            () = long_quiet() => {}
        },
    }
    if sent == Sent::Nothing {
        if !breaks_off {
            std::future::pending::<()>().await;
        }
        visit.end(Ending::BrokenOff);
        return Err(broken_off());
    }
    let response = pass_on(request, number, backstage).await.expect("wiremock answers what it is asked");
    let (head, body) = response.into_parts();
    let text = body.collect().await.expect("wiremock finishes what it says").to_bytes();
    let body = if sent == Sent::Whole {
        visit.end(Ending::Answered(head.status.as_u16()));
        Either::Left(Full::new(text))
    } else {
        let (step, pause) = match sent {
            Sent::Dripping => (1, Some(Box::pin(tokio::time::sleep(Duration::ZERO)))),
            Sent::Endless => (text.len(), None),
            _ => (text.len() / 2, None),
        };
        let has_end = sent != Sent::Endless;
        Either::Right(PartOfBody { text, step, sent: 0, has_end, breaks_off, flushed: false, pause, visit })
    };
    let mut answer = Response::new(body);
    *answer.status_mut() = head.status;
    *answer.headers_mut() = head.headers;
    if sent == Sent::Endless {
        answer.headers_mut().remove(hyper::header::CONTENT_LENGTH);
    }
    Ok(answer)
}

/// Why the site closes a connection.
fn broken_off() -> io::Error {
    io::Error::other("this page breaks off")
}

/// Waits for a signal that may have come before.
async fn come(signal: Option<oneshot::Receiver<()>>) {
    if let Some(signal) = signal {
        let _ = signal.await;
    }
}

/// Asks wiremock for the page's reply of this number.
async fn pass_on(
    request: Request<Incoming>,
    number: usize,
    mut backstage: Backstage,
) -> hyper::Result<Response<Incoming>> {
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
    head.headers.insert(NUMBER, number.into());
    backstage.ready().await?;
    backstage.send_request(Request::from_parts(head, Full::new(body))).await
}

/// A body that comes in pieces: the first half, and then nothing, or byte by byte.
struct PartOfBody {
    text: Bytes,
    /// How long a piece is.
    step: usize,
    sent: usize,
    /// Whether it is said how long it is. Otherwise there might always be more.
    has_end: bool,
    /// Whether the connection is closed after the first piece.
    breaks_off: bool,
    /// Whether the first piece is on its way.
    flushed: bool,
    /// Where there is a pause between pieces: the one before the next.
    pause: Option<Pin<Box<Sleep>>>,
    /// Noted as hung up when hyper drops this body and it was not complete.
    visit: Visit,
}

impl Body for PartOfBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let body = self.get_mut();
        if let Some(pause) = &mut body.pause {
            std::task::ready!(pause.as_mut().poll(context));
            pause.as_mut().reset(Instant::now() + BETWEEN_DRIPS);
        } else if body.sent > 0 {
            if !body.breaks_off {
                return Poll::Pending;
            }
            if !std::mem::replace(&mut body.flushed, true) {
                // hyper sends what it has when there is no more for now. After an error it would not.
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            body.visit.end(Ending::BrokenOff);
            return Poll::Ready(Some(Err(broken_off())));
        }
        let piece = body.text.slice(body.sent..body.text.len().min(body.sent + body.step));
        body.sent += piece.len();
        if body.has_end && body.sent == body.text.len() {
            body.visit.end(Ending::Answered(StatusCode::OK.as_u16()));
        }
        Poll::Ready((!piece.is_empty()).then_some(Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        match self.has_end {
            true => SizeHint::with_exact((self.text.len() - self.sent) as u64),
            false => SizeHint::default(),
        }
    }
}
