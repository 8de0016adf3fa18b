//! A model of `reqwest` for explored runs: its network is the test's mock site, in virtual time. A request is one step of its client's,
//! and an answer comes by a step of the site's; so every order of answers, every limit that runs out and every end of a connection are
//! decisions of the same search that decides who takes a lock.
//!
//! URLs, methods, headers and statuses are the real ones. Connections are not kept for a second request, nobody redirects, and there
//! is no TLS, proxy, cookie, compression nor streamed body: what is missing here does not compile in an explored run.

pub mod blocking;
pub mod network;
pub mod redirect;

mod client;
mod error;
mod into_url;
mod request;
mod response;

pub use client::{Client, ClientBuilder, RequestBuilder, get};
pub use error::{Error, Result};
pub use http::{Method, StatusCode, Version, header};
pub use into_url::IntoUrl;
pub use request::{Body, Request};
pub use response::Response;
pub use url::Url;
