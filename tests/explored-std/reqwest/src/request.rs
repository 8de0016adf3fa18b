//! Requests, and what builds them.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Version};
use url::Url;

use crate::error::{Error, Kind, Result};

/// The model of `reqwest::Request`.
#[derive(Clone, Debug)]
pub struct Request {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Body>,
    timeout: Option<Duration>,
    version: Version,
}

impl Request {
    /// Without headers and body.
    pub fn new(method: Method, url: Url) -> Request {
        Request { method, url, headers: HeaderMap::new(), body: None, timeout: None, version: Version::HTTP_11 }
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The method.
    pub fn method_mut(&mut self) -> &mut Method {
        &mut self.method
    }

    /// The URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The URL.
    pub fn url_mut(&mut self) -> &mut Url {
        &mut self.url
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The headers.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    /// The body, if it has one.
    pub fn body(&self) -> Option<&Body> {
        self.body.as_ref()
    }

    /// The body, if it has one.
    pub fn body_mut(&mut self) -> &mut Option<Body> {
        &mut self.body
    }

    /// How long it may take, if that was said.
    pub fn timeout(&self) -> Option<&Duration> {
        self.timeout.as_ref()
    }

    /// How long it may take, if that was said.
    pub fn timeout_mut(&mut self) -> &mut Option<Duration> {
        &mut self.timeout
    }

    /// The version of HTTP.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The version of HTTP.
    pub fn version_mut(&mut self) -> &mut Version {
        &mut self.version
    }

    /// Another one. Bodies of the model can be sent twice.
    pub fn try_clone(&self) -> Option<Request> {
        Some(self.clone())
    }
}

/// The model of `reqwest::Body`: all of it is there when it is sent.
#[derive(Clone, Default)]
pub struct Body(Bytes);

impl Body {
    /// Its bytes.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        Some(&self.0)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}

macro_rules! bodies {
    ($($from:ty),+) => {$(
        impl From<$from> for Body {
            fn from(body: $from) -> Body {
                Body(body.into())
            }
        }
    )+};
}

bodies!(Bytes, Vec<u8>, String, &'static [u8], &'static str);

impl Request {
    /// Adds headers that were not set yet.
    pub(crate) fn add_defaults(&mut self, defaults: &HeaderMap) {
        for name in defaults.keys().filter(|name| !self.headers.contains_key(*name)).cloned().collect::<Vec<_>>() {
            let values = defaults.get_all(&name);
            self.headers.extend(values.iter().map(|value| (name.clone(), value.clone())));
        }
    }
}

/// Puts these headers in the place of those that have their names.
pub(crate) fn replace(old: &mut HeaderMap, new: HeaderMap) {
    for name in new.keys() {
        old.remove(name);
    }
    let mut last = None;
    for (name, value) in new {
        last = name.or(last);
        old.append(last.clone().expect("the first value has its name"), value);
    }
}

/// A header, checked.
pub(crate) fn header<N, V>(name: N, value: V) -> Result<(http::HeaderName, HeaderValue)>
where
    N: TryInto<http::HeaderName, Error: Into<http::Error>>,
    V: TryInto<HeaderValue, Error: Into<http::Error>>,
{
    let wrong = |error: http::Error| Error::new(Kind::Builder, error);
    Ok((name.try_into().map_err(|error| wrong(error.into()))?, value.try_into().map_err(|error| wrong(error.into()))?))
}

/// `Basic dXNlcjpwYXNzd29yZA==`.
pub(crate) fn basic(name: &dyn fmt::Display, password: Option<&dyn fmt::Display>) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let plain = format!("{name}:{}", password.map_or(String::new(), |password| password.to_string()));
    let mut text = String::from("Basic ");
    for three in plain.as_bytes().chunks(3) {
        let bits = (0..3).fold(0, |bits, place| bits << 8 | u32::from(*three.get(place).unwrap_or(&0)));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place > three.len() { '=' } else { digit.into() });
        }
    }
    text
}

/// Both builders have the same methods: that of tasks, and that of threads that block.
macro_rules! builder {
    ($client:ty) => {
        /// The model of its namesake in reqwest: builds a request, and sends it.
        #[derive(Debug)]
        #[must_use = "a request does nothing until it is sent"]
        pub struct RequestBuilder {
            client: $client,
            request: Result<Request>,
        }

        impl RequestBuilder {
            /// Goes on with a request that was begun elsewhere.
            pub fn from_parts(client: $client, request: Request) -> RequestBuilder {
                RequestBuilder { client, request: Ok(request) }
            }

            pub(crate) fn new(client: $client, request: Result<Request>) -> RequestBuilder {
                RequestBuilder { client, request }
            }

            fn with(mut self, change: impl FnOnce(&mut Request) -> Result<()>) -> RequestBuilder {
                if let Ok(request) = &mut self.request
                    && let Err(error) = change(request)
                {
                    self.request = Err(error);
                }
                self
            }

            /// Adds a header.
            pub fn header<K, V>(self, key: K, value: V) -> RequestBuilder
            where
                K: TryInto<http::HeaderName, Error: Into<http::Error>>,
                V: TryInto<http::HeaderValue, Error: Into<http::Error>>,
            {
                self.with(|request| {
                    let (name, value) = crate::request::header(key, value)?;
                    request.headers_mut().append(name, value);
                    Ok(())
                })
            }

            /// Sets headers.
            pub fn headers(self, headers: http::HeaderMap) -> RequestBuilder {
                self.with(|request| {
                    crate::request::replace(request.headers_mut(), headers);
                    Ok(())
                })
            }

            /// Says who asks, with a password.
            pub fn basic_auth<U: std::fmt::Display, P: std::fmt::Display>(
                self,
                username: U,
                password: Option<P>,
            ) -> RequestBuilder {
                let password = password.as_ref().map(|password| password as &dyn std::fmt::Display);
                self.header(http::header::AUTHORIZATION, crate::request::basic(&username, password))
            }

            /// Shows a token.
            pub fn bearer_auth<T: std::fmt::Display>(self, token: T) -> RequestBuilder {
                self.header(http::header::AUTHORIZATION, format!("Bearer {token}"))
            }

            /// Sets the body.
            pub fn body<T: Into<crate::Body>>(self, body: T) -> RequestBuilder {
                self.with(|request| {
                    *request.body_mut() = Some(body.into());
                    Ok(())
                })
            }

            /// How long it may take, from the start to the end of the answer.
            pub fn timeout(self, timeout: std::time::Duration) -> RequestBuilder {
                self.with(|request| {
                    *request.timeout_mut() = Some(timeout);
                    Ok(())
                })
            }

            /// Sets the version of HTTP, which makes no difference here.
            pub fn version(self, version: http::Version) -> RequestBuilder {
                self.with(|request| {
                    *request.version_mut() = version;
                    Ok(())
                })
            }

            /// Adds to the URL's query.
            #[cfg(feature = "query")]
            pub fn query<T: serde::Serialize + ?Sized>(self, query: &T) -> RequestBuilder {
                self.with(|request| {
                    let serialized = {
                        let mut pairs = request.url_mut().query_pairs_mut();
                        query.serialize(serde_urlencoded::Serializer::new(&mut pairs)).map(|_| ())
                    };
                    if request.url().query() == Some("") {
                        request.url_mut().set_query(None);
                    }
                    serialized.map_err(|error| Error::new(crate::error::Kind::Builder, error))
                })
            }

            /// Sets the body to this form.
            #[cfg(feature = "form")]
            pub fn form<T: serde::Serialize + ?Sized>(self, form: &T) -> RequestBuilder {
                self.with(|request| {
                    let text = serde_urlencoded::to_string(form);
                    let text = text.map_err(|error| Error::new(crate::error::Kind::Builder, error))?;
                    let kind = http::HeaderValue::from_static("application/x-www-form-urlencoded");
                    request.headers_mut().entry(http::header::CONTENT_TYPE).or_insert(kind);
                    *request.body_mut() = Some(text.into());
                    Ok(())
                })
            }

            /// Sets the body to this value in JSON.
            #[cfg(feature = "json")]
            pub fn json<T: serde::Serialize + ?Sized>(self, json: &T) -> RequestBuilder {
                self.with(|request| {
                    let text = serde_json::to_vec(json);
                    let text = text.map_err(|error| Error::new(crate::error::Kind::Builder, error))?;
                    let kind = http::HeaderValue::from_static("application/json");
                    request.headers_mut().entry(http::header::CONTENT_TYPE).or_insert(kind);
                    *request.body_mut() = Some(text.into());
                    Ok(())
                })
            }

            /// The request, which is not sent.
            ///
            /// # Errors
            /// Whatever went wrong so far.
            pub fn build(self) -> Result<Request> {
                self.request
            }

            /// The client and the request, which is not sent.
            pub fn build_split(self) -> ($client, Result<Request>) {
                (self.client, self.request)
            }

            /// Another one, unless something went wrong.
            pub fn try_clone(&self) -> Option<RequestBuilder> {
                let request = self.request.as_ref().ok()?.clone();
                Some(RequestBuilder { client: self.client.clone(), request: Ok(request) })
            }
        }
    };
}
pub(crate) use builder;
