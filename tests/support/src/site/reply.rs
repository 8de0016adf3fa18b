//! What a page does with a request.

use wiremock::matchers::{header, path};
use wiremock::{Mock, ResponseTemplate};

/// What a page does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Answers 200 and this text.
    Text(String),
    /// Answers this status. Where it may have a text, the text names the status.
    Status(u16),
    /// Keeps silent.
    Never,
    /// Answers 200 and the first half of this text, and keeps silent then.
    Half(String),
    /// Closes the connection without a word.
    BreaksOff,
    /// Answers 200 and the first half of this text, and closes the connection.
    BreaksOffHalfWay(String),
    /// Answers 200, and then a byte of this text every millisecond.
    Drips(String),
}

/// How much of an answer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Whole,
    Nothing,
    Half,
    Dripping,
}

impl Reply {
    /// What wiremock says, if it is asked for this reply of that number.
    pub(super) fn mock(&self, at: &str, number: usize) -> Option<Mock> {
        let response = match self {
            Reply::Text(text) | Reply::Half(text) | Reply::BreaksOffHalfWay(text) | Reply::Drips(text) => {
                ResponseTemplate::new(200).set_body_string(text)
            }
            // These have no text by definition.
            Reply::Status(status @ (204 | 304)) => ResponseTemplate::new(*status),
            Reply::Status(status) => ResponseTemplate::new(*status).set_body_string(format!("status {status}")),
            Reply::Never | Reply::BreaksOff => return None,
        };
        Some(Mock::given(path(at)).and(header(NUMBER, number.to_string())).respond_with(response))
    }

    /// How much is sent, and whether the connection is closed then.
    pub(super) fn sent(&self) -> (Sent, bool) {
        match self {
            Reply::Text(_) | Reply::Status(_) => (Sent::Whole, false),
            Reply::Never => (Sent::Nothing, false),
            Reply::BreaksOff => (Sent::Nothing, true),
            Reply::Half(_) => (Sent::Half, false),
            Reply::BreaksOffHalfWay(_) => (Sent::Half, true),
            Reply::Drips(_) => (Sent::Dripping, false),
        }
    }
}

/// The header that tells wiremock which of a page's replies is wanted.
pub(super) const NUMBER: &str = "reply-number";
