//! Answers to tasks.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use tokio::model::Place;
use tokio::time::{Sleep, sleep};
use url::Url;

use crate::client::Settings;
use crate::error::{Error, Kind, Result, Source, TimedOut, Unconnected};
use crate::network::{self, Exchange};
use crate::request::Request;

/// What an answer says before its body.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// How long the rest of the body is, if that is known.
    pub(crate) left: Option<u64>,
}

impl Head {
    pub(crate) fn new(url: Url, (status, headers): (StatusCode, HeaderMap)) -> Head {
        let length = headers.get(http::header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let left = if status == StatusCode::NO_CONTENT { Some(0) } else { length };
        Head { url, status, headers, left }
    }

    pub(crate) fn error_for_status(&self) -> Result<()> {
        match self.status.is_client_error() || self.status.is_server_error() {
            true => Err(Error::of_status(self.status, self.url.clone())),
            false => Ok(()),
        }
    }
}

/// What both kinds of answers have.
macro_rules! response {
    () => {
        /// The status.
        pub fn status(&self) -> http::StatusCode {
            self.head.status
        }

        /// The headers.
        pub fn headers(&self) -> &http::HeaderMap {
            &self.head.headers
        }

        /// The headers.
        pub fn headers_mut(&mut self) -> &mut http::HeaderMap {
            &mut self.head.headers
        }

        /// The version of HTTP.
        pub fn version(&self) -> http::Version {
            http::Version::HTTP_11
        }

        /// The URL.
        pub fn url(&self) -> &url::Url {
            &self.head.url
        }

        /// The server's address.
        pub fn remote_addr(&self) -> Option<std::net::SocketAddr> {
            self.head.url.socket_addrs(|| None).ok()?.first().copied()
        }

        /// How long the rest of the body is, if that is known.
        pub fn content_length(&self) -> Option<u64> {
            self.head.left
        }

        /// The answer, unless its status says that something went wrong.
        ///
        /// # Errors
        /// If the status is one of 4xx or 5xx.
        pub fn error_for_status(self) -> Result<Self> {
            self.head.error_for_status().map(|()| self)
        }

        /// The answer, unless its status says that something went wrong.
        ///
        /// # Errors
        /// If the status is one of 4xx or 5xx.
        pub fn error_for_status_ref(&self) -> Result<&Self> {
            self.head.error_for_status().map(|()| self)
        }
    };
}
pub(crate) use response;

/// The model of `reqwest::Response`.
pub struct Response {
    head: Head,
    exchange: Exchange,
    limits: Limits,
}

impl Response {
    response!();

    /// The next part of the body.
    ///
    /// # Errors
    /// If the connection was closed before the end, or the time was up.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        let read = |cx: &mut Context<'_>| match self.exchange.poll(cx) {
            Poll::Ready(event) => Poll::Ready(network::data(event).map_err(Source::from)),
            Poll::Pending => self.limits.poll(cx).map(|()| Err(TimedOut.into())),
        };
        let part = poll_fn(read).await.map_err(|source| Error::new(Kind::Decode, Error::new(Kind::Body, source)))?;
        self.limits.next();
        let length = part.as_ref().map_or(0, Bytes::len) as u64;
        self.head.left = self.head.left.map(|left| left.saturating_sub(length));
        Ok(part)
    }

    /// The body.
    ///
    /// # Errors
    /// If the connection was closed before the end, or the time was up.
    pub async fn bytes(mut self) -> Result<Bytes> {
        let mut all = Vec::new();
        loop {
            match self.chunk().await {
                Ok(Some(part)) => all.extend_from_slice(&part),
                Ok(None) => return Ok(all.into()),
                Err(error) => return Err(error.with_url(self.head.url)),
            }
        }
    }

    /// The body as a text. What is no UTF-8 is replaced.
    ///
    /// # Errors
    /// If the connection was closed before the end, or the time was up.
    pub async fn text(self) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.bytes().await?).into_owned())
    }

    /// The value that the body is in JSON.
    ///
    /// # Errors
    /// If it is none; if the connection was closed before the end, or the time was up.
    #[cfg(feature = "json")]
    pub async fn json<T: serde::de::DeserializeOwned>(self) -> Result<T> {
        let url = self.head.url.clone();
        serde_json::from_slice(&self.bytes().await?).map_err(|error| Error::new(Kind::Decode, error).with_url(url))
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("url", &self.head.url)
            .field("status", &self.head.status)
            .finish_non_exhaustive()
    }
}

/// When to give up, as timers of the runtime.
#[derive(Default)]
struct Limits {
    total: Option<Pin<Box<Sleep>>>,
    /// How long a part may take, and the timer of the one that is awaited.
    part: Option<(Duration, Pin<Box<Sleep>>)>,
}

impl Limits {
    /// Whether the time is up.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let total = self.total.as_mut().map(|timer| timer.as_mut());
        let part = self.part.as_mut().map(|(_, timer)| timer.as_mut());
        for timer in [total, part].into_iter().flatten() {
            if timer.poll(cx).is_ready() {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }

    /// A part has come: the next one has its own time.
    fn next(&mut self) {
        if let Some((limit, timer)) = &mut self.part {
            *timer = Box::pin(sleep(*limit));
        }
    }
}

/// Sends a request. It is on its way when the future is polled for the first time.
pub(crate) fn send(
    settings: &Settings,
    request: Result<Request>,
    at: Place,
) -> impl Future<Output = Result<Response>> + use<> {
    let request = request.and_then(|request| settings.complete(request));
    let timer = |limit: Duration| Box::pin(sleep(limit));
    let limit = request.as_ref().ok().and_then(|request| request.timeout().copied()).or(settings.timeout);
    let part = settings.read_timeout.map(|limit| (limit, timer(limit)));
    let mut limits = Limits { total: limit.map(timer), part };
    let mut connecting = settings.connect_timeout.map(timer);
    async move {
        let request = request?;
        let mut exchange = Exchange::begin(&request, true, at);
        let answer = poll_fn(|cx| match exchange.poll(cx) {
            Poll::Ready(event) => Poll::Ready(network::head(event)),
            Poll::Pending => {
                if !exchange.connected
                    && let Some(timer) = &mut connecting
                    && timer.as_mut().poll(cx).is_ready()
                {
                    return Poll::Ready(Err(Unconnected(std::io::ErrorKind::TimedOut.into()).into()));
                }
                limits.poll(cx).map(|()| Err(TimedOut.into()))
            }
        });
        let url = request.url().clone();
        match answer.await {
            Ok(head) => {
                limits.next();
                Ok(Response { head: Head::new(url, head), exchange, limits })
            }
            Err(source) => Err(Error::new(Kind::Request, source).with_url(url)),
        }
    }
}
