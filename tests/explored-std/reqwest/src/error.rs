//! What goes wrong, and the questions that one can ask about it.

use std::error::Error as StdError;
use std::{fmt, io};

use http::StatusCode;
use url::Url;

/// What came of a request.
pub type Result<T> = std::result::Result<T, Error>;

pub(crate) type Source = Box<dyn StdError + Send + Sync>;

/// The model of `reqwest::Error`.
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: Kind,
    source: Option<Source>,
    url: Option<Url>,
}

/// At which stage something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Builder,
    Request,
    Status(StatusCode),
    Decode,
    Body,
}

impl Error {
    pub(crate) fn new(kind: Kind, source: impl Into<Source>) -> Error {
        Error { inner: Box::new(Inner { kind, source: Some(source.into()), url: None }) }
    }

    pub(crate) fn of_status(status: StatusCode, url: Url) -> Error {
        Error { inner: Box::new(Inner { kind: Kind::Status(status), source: None, url: Some(url) }) }
    }

    /// The URL that it is about, if there is one.
    pub fn url(&self) -> Option<&Url> {
        self.inner.url.as_ref()
    }

    /// The URL that it is about, if there is one.
    pub fn url_mut(&mut self) -> Option<&mut Url> {
        self.inner.url.as_mut()
    }

    /// The same about this URL.
    pub fn with_url(mut self, url: Url) -> Error {
        self.inner.url = Some(url);
        self
    }

    /// The same without a URL.
    pub fn without_url(mut self) -> Error {
        self.inner.url = None;
        self
    }

    /// Whether something could not be built.
    pub fn is_builder(&self) -> bool {
        self.inner.kind == Kind::Builder
    }

    /// Whether a redirection went wrong. Never: no site of the model redirects.
    pub fn is_redirect(&self) -> bool {
        false
    }

    /// Whether it comes from [`error_for_status`](crate::Response::error_for_status).
    pub fn is_status(&self) -> bool {
        matches!(self.inner.kind, Kind::Status(_))
    }

    /// Whether the time was up.
    pub fn is_timeout(&self) -> bool {
        self.sources().any(|source| {
            let io = source.downcast_ref::<io::Error>();
            source.is::<TimedOut>() || io.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
        })
    }

    /// Whether the request could not be sent, or no answer began.
    pub fn is_request(&self) -> bool {
        self.inner.kind == Kind::Request
    }

    /// Whether there was no connection.
    pub fn is_connect(&self) -> bool {
        self.sources().any(|source| source.is::<Unconnected>())
    }

    /// Whether a name could not be resolved. Never: the sites of the model have none.
    pub fn is_dns(&self) -> bool {
        false
    }

    /// Whether it is about a body.
    pub fn is_body(&self) -> bool {
        self.inner.kind == Kind::Body
    }

    /// Whether an answer's body was not complete, or not what it should be.
    pub fn is_decode(&self) -> bool {
        self.inner.kind == Kind::Decode
    }

    /// Whether it is about an upgrade of the protocol. Never: the model has none.
    pub fn is_upgrade(&self) -> bool {
        false
    }

    /// The status, if it comes from one.
    pub fn status(&self) -> Option<StatusCode> {
        match self.inner.kind {
            Kind::Status(status) => Some(status),
            _ => None,
        }
    }

    /// What it comes from, and what that comes from, and so on.
    fn sources(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        std::iter::successors(self.source(), |source| (*source).source())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("reqwest::Error");
        shown.field("kind", &self.inner.kind);
        if let Some(url) = &self.inner.url {
            shown.field("url", &url.as_str());
        }
        if let Some(source) = &self.inner.source {
            shown.field("source", source);
        }
        shown.finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.inner.kind {
            Kind::Builder => f.write_str("builder error")?,
            Kind::Request => f.write_str("error sending request")?,
            Kind::Body => f.write_str("request or response body error")?,
            Kind::Decode => f.write_str("error decoding response body")?,
            Kind::Status(status) => {
                let whose = if status.is_client_error() { "client" } else { "server" };
                write!(f, "HTTP status {whose} error ({status})")?;
            }
        }
        match &self.inner.url {
            Some(url) => write!(f, " for url ({url})"),
            None => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.source.as_ref().map(|source| &**source as _)
    }
}

/// The time was up.
#[derive(Debug)]
pub(crate) struct TimedOut;

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("operation timed out")
    }
}

impl StdError for TimedOut {}

/// There was no connection.
#[derive(Debug)]
pub(crate) struct Unconnected(pub(crate) io::Error);

impl fmt::Display for Unconnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("client error (Connect)")
    }
}

impl StdError for Unconnected {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}
