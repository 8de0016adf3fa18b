//! What can be a URL.

use url::Url;

use crate::error::{Error, Kind, Result};

/// What can be a URL: a text, or one that was parsed before.
pub trait IntoUrl: sealed::IntoUrl {}

impl IntoUrl for Url {}
impl IntoUrl for String {}
impl IntoUrl for &str {}
impl IntoUrl for &String {}

pub(crate) mod sealed {
    use super::{Error, Kind, Result, Url};

    /// Only the types of this module can be URLs.
    pub trait IntoUrl {
        /// The URL, which has to have a host.
        fn into_url(self) -> Result<Url>;
    }

    impl IntoUrl for Url {
        fn into_url(self) -> Result<Url> {
            match self.has_host() {
                true => Ok(self),
                false => Err(Error::new(Kind::Builder, "URL scheme is not allowed").with_url(self)),
            }
        }
    }

    impl IntoUrl for &str {
        fn into_url(self) -> Result<Url> {
            Url::parse(self).map_err(|error| Error::new(Kind::Builder, error))?.into_url()
        }
    }

    impl IntoUrl for String {
        fn into_url(self) -> Result<Url> {
            self.as_str().into_url()
        }
    }

    impl IntoUrl for &String {
        fn into_url(self) -> Result<Url> {
            self.as_str().into_url()
        }
    }
}
