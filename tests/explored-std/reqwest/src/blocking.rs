//! `reqwest::blocking`: the same for threads that block.

use std::io::{self, Read, Write};
use std::panic::Location;
use std::raw::Deadline;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::model::Place;

pub use crate::request::{Body, Request};

use crate::IntoUrl;
use crate::client::{Settings, client, client_builder};
use crate::error::{Error, Kind, Result, Source, Unconnected};
use crate::network::{self, Exchange};
use crate::request::builder;
use crate::response::{Head, response};

/// How long a request may take where nothing else is said.
const LIMIT: Duration = Duration::from_secs(30);

/// The model of `reqwest::blocking::ClientBuilder`.
#[derive(Debug)]
#[must_use]
pub struct ClientBuilder {
    settings: Settings,
}

impl Default for ClientBuilder {
    fn default() -> ClientBuilder {
        ClientBuilder { settings: Settings { timeout: Some(LIMIT), ..Settings::default() } }
    }
}

impl ClientBuilder {
    /// For a client with a limit of 30 seconds.
    pub fn new() -> ClientBuilder {
        ClientBuilder::default()
    }

    client_builder!();

    /// How long a request may take until its answer begins, and until it has been read, unless it has a limit of its own.
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> ClientBuilder {
        self.settings.timeout = timeout.into();
        self
    }

    /// How long it may take until there is a connection.
    pub fn connect_timeout(mut self, timeout: impl Into<Option<Duration>>) -> ClientBuilder {
        self.settings.connect_timeout = timeout.into().or(self.settings.connect_timeout);
        self
    }

    /// The client.
    ///
    /// # Errors
    /// If one of the headers is none.
    ///
    /// # Panics
    /// If this thread polls a future.
    pub fn build(self) -> Result<Client> {
        refuse_in_tasks();
        Ok(Client { settings: Arc::new(self.settings.checked()?) })
    }
}

/// The model of `reqwest::blocking::Client`.
#[derive(Clone, Debug)]
pub struct Client {
    settings: Arc<Settings>,
}

impl Default for Client {
    fn default() -> Client {
        Client::new()
    }
}

impl Client {
    /// A client with a limit of 30 seconds.
    ///
    /// # Panics
    /// If this thread polls a future.
    pub fn new() -> Client {
        ClientBuilder::new().build().expect("the defaults are right")
    }

    /// Builds a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    client!();

    /// Sends a request, and waits until its answer begins.
    ///
    /// # Errors
    /// If there is no answer, or not in time.
    ///
    /// # Panics
    /// If this thread polls a future.
    #[track_caller]
    pub fn execute(&self, request: Request) -> Result<Response> {
        send(&self.settings, request, Location::caller())
    }
}

builder!(Client);

impl RequestBuilder {
    /// Sends the request, and waits until its answer begins.
    ///
    /// # Errors
    /// If there is no answer, or not in time.
    ///
    /// # Panics
    /// If this thread polls a future.
    #[track_caller]
    pub fn send(self) -> Result<Response> {
        send(&self.client.settings, self.request?, Location::caller())
    }
}

/// Asks for this URL, with a client of its own.
///
/// # Errors
/// If there is no answer, or not in time.
///
/// # Panics
/// If this thread polls a future.
#[track_caller]
pub fn get<U: IntoUrl>(url: U) -> Result<Response> {
    Client::new().get(url).send()
}

/// What the real one refuses, since all tasks of the thread would wait as well.
fn refuse_in_tasks() {
    assert!(
        !tokio::model::polls(),
        "Cannot drop a runtime in a context where blocking is not allowed. This happens when a runtime is dropped from within an \
         asynchronous context."
    );
}

fn send(settings: &Settings, request: Request, at: Place) -> Result<Response> {
    refuse_in_tasks();
    let request = settings.complete(request)?;
    let limit = request.timeout().copied().or(settings.timeout);
    // A limit of the request's own is for all of it, one of the client's for each time that it is waited for.
    let total = request.timeout().map_or(Deadline::NEVER, |limit| Deadline::after(*limit));
    let mut exchange = Exchange::begin(&request, false, at);
    let connected = match settings.connect_timeout {
        Some(limit) if !exchange.connected => Deadline::after(limit),
        _ => Deadline::NEVER,
    };
    let deadline = from_now(limit).min(total);
    let answer = match exchange.wait(deadline.min(connected)) {
        Ok(event) => network::head(event),
        Err(_) if connected < deadline => Err(Unconnected(io::ErrorKind::TimedOut.into()).into()),
        Err(timed_out) => Err(timed_out.into()),
    };
    let url = request.url().clone();
    match answer {
        Ok(head) => Ok(Response { head: Head::new(url, head), exchange, limit, total, rest: Bytes::new() }),
        Err(source) => Err(Error::new(Kind::Request, source).with_url(url)),
    }
}

fn from_now(limit: Option<Duration>) -> Deadline {
    limit.map_or(Deadline::NEVER, Deadline::after)
}

/// The model of `reqwest::blocking::Response`.
pub struct Response {
    head: Head,
    exchange: Exchange,
    limit: Option<Duration>,
    total: Deadline,
    /// What has come and was not read.
    rest: Bytes,
}

impl Response {
    response!();

    /// The next part of the body.
    fn part(&mut self, deadline: Deadline) -> Result<Option<Bytes>> {
        let event = self.exchange.wait(deadline.min(self.total)).map_err(Source::from);
        let part = event.and_then(|event| network::data(event).map_err(Source::from));
        let part = part.map_err(|source| Error::new(Kind::Decode, Error::new(Kind::Body, source)))?;
        let length = part.as_ref().map_or(0, Bytes::len) as u64;
        self.head.left = self.head.left.map(|left| left.saturating_sub(length));
        Ok(part)
    }

    /// Waits for the body.
    ///
    /// # Errors
    /// If the connection was closed before the end, or the time was up.
    ///
    /// # Panics
    /// If this thread polls a future.
    pub fn bytes(mut self) -> Result<Bytes> {
        refuse_in_tasks();
        let deadline = from_now(self.limit);
        let mut all = self.rest.to_vec();
        loop {
            match self.part(deadline) {
                Ok(Some(part)) => all.extend_from_slice(&part),
                Ok(None) => return Ok(all.into()),
                Err(error) => return Err(error.with_url(self.head.url)),
            }
        }
    }

    /// Waits for the body as a text. What is no UTF-8 is replaced.
    ///
    /// # Errors
    /// If the connection was closed before the end, or the time was up.
    ///
    /// # Panics
    /// If this thread polls a future.
    pub fn text(self) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.bytes()?).into_owned())
    }

    /// Waits for the value that the body is in JSON.
    ///
    /// # Errors
    /// If it is none; if the connection was closed before the end, or the time was up.
    ///
    /// # Panics
    /// If this thread polls a future.
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(self) -> Result<T> {
        let url = self.head.url.clone();
        serde_json::from_slice(&self.bytes()?).map_err(|error| Error::new(Kind::Decode, error).with_url(url))
    }

    /// Waits for the body, and writes it.
    ///
    /// # Errors
    /// If it can't be written; if the connection was closed before the end, or the time was up.
    ///
    /// # Panics
    /// If this thread polls a future.
    pub fn copy_to<W: Write + ?Sized>(&mut self, writer: &mut W) -> Result<u64> {
        io::copy(self, writer).map_err(|error| match error.downcast::<Error>() {
            Ok(error) => error,
            Err(error) => Error::new(Kind::Decode, error),
        })
    }
}

impl Read for Response {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        refuse_in_tasks();
        if self.rest.is_empty() {
            self.rest = self.part(from_now(self.limit)).map_err(io::Error::other)?.unwrap_or_default();
        }
        let length = buffer.len().min(self.rest.len());
        buffer[..length].copy_from_slice(&self.rest.split_to(length));
        Ok(length)
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
