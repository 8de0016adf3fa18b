//! The client of tasks, and what builds it.

use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use crate::IntoUrl;
use crate::error::{Error, Kind, Result};
use crate::request::{Request, builder};
use crate::response::{Response, send};

/// What both kinds of clients are told when they are built.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) timeout: Option<Duration>,
    pub(crate) read_timeout: Option<Duration>,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) headers: HeaderMap,
    pub(crate) https_only: bool,
    /// What went wrong first.
    pub(crate) error: Option<Arc<http::Error>>,
}

impl Default for Settings {
    fn default() -> Settings {
        let headers = [(http::header::ACCEPT, HeaderValue::from_static("*/*"))].into_iter().collect();
        let (timeout, read_timeout, connect_timeout) = (None, None, None);
        Settings { timeout, read_timeout, connect_timeout, headers, https_only: false, error: None }
    }
}

impl Settings {
    /// The request as it is sent.
    pub(crate) fn complete(&self, mut request: Request) -> Result<Request> {
        let schemes: &[&str] = if self.https_only { &["https"] } else { &["http", "https"] };
        if !schemes.contains(&request.url().scheme()) {
            return Err(Error::new(Kind::Builder, "URL scheme is not allowed").with_url(request.url().clone()));
        }
        request.add_defaults(&self.headers);
        Ok(request)
    }

    pub(crate) fn checked(self) -> Result<Settings> {
        match &self.error {
            Some(error) => Err(Error::new(Kind::Builder, error.to_string())),
            None => Ok(self),
        }
    }

    pub(crate) fn set_user_agent(&mut self, value: std::result::Result<HeaderValue, http::Error>) {
        match value {
            Ok(value) => drop(self.headers.insert(http::header::USER_AGENT, value)),
            Err(error) => self.error = Some(Arc::new(error)),
        }
    }

    pub(crate) fn add_headers(&mut self, headers: HeaderMap) {
        crate::request::replace(&mut self.headers, headers);
    }

    pub(crate) fn set_https_only(&mut self, https_only: bool) {
        self.https_only = https_only;
    }
}

/// What both builders have: what is said of connections, which the model does not keep, has no effect.
macro_rules! client_builder {
    () => {
        /// Says who asks.
        pub fn user_agent<V>(mut self, value: V) -> ClientBuilder
        where
            V: TryInto<http::HeaderValue, Error: Into<http::Error>>,
        {
            self.settings.set_user_agent(value.try_into().map_err(Into::into));
            self
        }

        /// Headers of all requests that have not their own.
        pub fn default_headers(mut self, headers: http::HeaderMap) -> ClientBuilder {
            self.settings.add_headers(headers);
            self
        }

        /// Whether only `https` is allowed.
        pub fn https_only(mut self, enabled: bool) -> ClientBuilder {
            self.settings.set_https_only(enabled);
            self
        }

        /// No effect: no site of the model redirects.
        pub fn redirect(self, _policy: crate::redirect::Policy) -> ClientBuilder {
            self
        }

        /// No effect: no site of the model redirects.
        pub fn referer(self, _enable: bool) -> ClientBuilder {
            self
        }

        /// No effect: the model has no proxies.
        pub fn no_proxy(self) -> ClientBuilder {
            self
        }

        /// No effect: it shows only in a log.
        pub fn connection_verbose(self, _verbose: bool) -> ClientBuilder {
            self
        }

        /// No effect: a connection is for one request here.
        pub fn pool_idle_timeout(self, _timeout: impl Into<Option<std::time::Duration>>) -> ClientBuilder {
            self
        }

        /// No effect: a connection is for one request here.
        pub fn pool_max_idle_per_host(self, _max: usize) -> ClientBuilder {
            self
        }

        /// No effect: all is HTTP/1.1 here.
        pub fn http1_only(self) -> ClientBuilder {
            self
        }

        /// No effect: what is sent arrives at once.
        pub fn tcp_nodelay(self, _enabled: bool) -> ClientBuilder {
            self
        }

        /// No effect: a connection stays until it is closed.
        pub fn tcp_keepalive(self, _after: impl Into<Option<std::time::Duration>>) -> ClientBuilder {
            self
        }
    };
}
pub(crate) use client_builder;

/// What both clients have: a request for each method.
macro_rules! client {
    () => {
        /// Asks for this URL.
        pub fn get<U: IntoUrl>(&self, url: U) -> RequestBuilder {
            self.request(http::Method::GET, url)
        }

        /// Sends something to this URL.
        pub fn post<U: IntoUrl>(&self, url: U) -> RequestBuilder {
            self.request(http::Method::POST, url)
        }

        /// Puts something at this URL.
        pub fn put<U: IntoUrl>(&self, url: U) -> RequestBuilder {
            self.request(http::Method::PUT, url)
        }

        /// Changes something at this URL.
        pub fn patch<U: IntoUrl>(&self, url: U) -> RequestBuilder {
            self.request(http::Method::PATCH, url)
        }

        /// Removes what is at this URL.
        pub fn delete<U: IntoUrl>(&self, url: U) -> RequestBuilder {
            self.request(http::Method::DELETE, url)
        }

        /// Asks for the head of what is at this URL.
        pub fn head<U: IntoUrl>(&self, url: U) -> RequestBuilder {
            self.request(http::Method::HEAD, url)
        }

        /// A request of this method.
        pub fn request<U: IntoUrl>(&self, method: http::Method, url: U) -> RequestBuilder {
            let url = crate::into_url::sealed::IntoUrl::into_url(url);
            RequestBuilder::new(self.clone(), url.map(|url| Request::new(method, url)))
        }
    };
}
pub(crate) use client;

/// The model of `reqwest::ClientBuilder`.
#[derive(Debug, Default)]
#[must_use]
pub struct ClientBuilder {
    settings: Settings,
}

impl ClientBuilder {
    /// For a client without limits.
    pub fn new() -> ClientBuilder {
        ClientBuilder::default()
    }

    client_builder!();

    /// How long a request may take, from its start to the end of its answer, unless it has a limit of its own.
    pub fn timeout(mut self, timeout: Duration) -> ClientBuilder {
        self.settings.timeout = Some(timeout);
        self
    }

    /// How long it may take until the next part of an answer comes.
    pub fn read_timeout(mut self, timeout: Duration) -> ClientBuilder {
        self.settings.read_timeout = Some(timeout);
        self
    }

    /// How long it may take until there is a connection.
    pub fn connect_timeout(mut self, timeout: Duration) -> ClientBuilder {
        self.settings.connect_timeout = Some(timeout);
        self
    }

    /// The client.
    ///
    /// # Errors
    /// If one of the headers is none.
    pub fn build(self) -> Result<Client> {
        Ok(Client { settings: Arc::new(self.settings.checked()?) })
    }
}

/// The model of `reqwest::Client`.
#[derive(Clone, Debug, Default)]
pub struct Client {
    settings: Arc<Settings>,
}

impl Client {
    /// A client without limits.
    pub fn new() -> Client {
        Client::default()
    }

    /// Builds a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    client!();

    /// Sends a request.
    #[track_caller]
    pub fn execute(&self, request: Request) -> impl Future<Output = Result<Response>> + use<> {
        send(&self.settings, Ok(request), Location::caller())
    }
}

builder!(Client);

impl RequestBuilder {
    /// Sends the request.
    #[track_caller]
    pub fn send(self) -> impl Future<Output = Result<Response>> + use<> {
        send(&self.client.settings, self.request, Location::caller())
    }
}

/// Asks for this URL, with a client of its own.
#[track_caller]
pub fn get<U: IntoUrl>(url: U) -> impl Future<Output = Result<Response>> + use<U> {
    Client::new().get(url).send()
}
