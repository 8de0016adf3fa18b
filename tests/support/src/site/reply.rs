//! What a page does with a request.

/// What a page does with a request. Its text is `text of /a`, if the page is `/a`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Answers 200 and its text.
    Text,
    /// Answers this status. Where it may have a text, the text names the status: `status 503`.
    Status(u16),
    /// Answers this status and the first half of the text that names it, and keeps silent then.
    StatusAndHalf(u16),
    /// Keeps silent.
    Never,
    /// Answers 200 and the first half of its text, and keeps silent then.
    Half,
    /// Closes the connection without a word.
    BreaksOff,
    /// Answers 200 and the first half of its text, and closes the connection.
    BreaksOffHalfWay,
    /// Answers 200 and its text, without saying how long that is, and keeps silent then: there might be more.
    Endless,
    /// Answers 200 and then a thousand bytes in a second: on threads one each millisecond, on schedules in ten parts.
    Drips,
}

/// The type of a text that says of no other.
pub(super) const PLAIN: &str = "text/plain";

/// What a page says.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) status: u16,
    /// What comes after the head, and of which type it is.
    pub(super) body: Option<(String, Vec<u8>)>,
    /// Where the client is sent instead.
    pub(super) location: Option<String>,
}

impl Said {
    /// A status and nothing else.
    pub(super) fn status(status: u16) -> Said {
        Said { status, body: None, location: None }
    }

    /// A status and a body of this type.
    pub(super) fn body(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Said {
        Said { body: Some((content_type.to_owned(), body.into())), ..Said::status(status) }
    }
}

/// How much of an answer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Whole,
    Nothing,
    Half,
    /// The end of the body is never sent.
    Endless,
    Dripping,
}

impl Reply {
    /// What the page says then, if it says anything.
    pub(super) fn says(self, path: &str) -> Option<Said> {
        let text = match self {
            Reply::Text | Reply::Half | Reply::BreaksOffHalfWay | Reply::Endless => format!("text of {path}"),
            Reply::Drips => "drip".repeat(250),
            // These have no text by definition.
            Reply::Status(status @ (204 | 304)) => return Some(Said::status(status)),
            Reply::Status(status) | Reply::StatusAndHalf(status) => format!("status {status}"),
            Reply::Never | Reply::BreaksOff => return None,
        };
        let status = if let Reply::Status(status) | Reply::StatusAndHalf(status) = self { status } else { 200 };
        Some(Said::body(status, PLAIN, text))
    }

    /// How much is sent, and whether the connection is closed then.
    pub(super) fn sent(self) -> (Sent, bool) {
        match self {
            Reply::Text | Reply::Status(_) => (Sent::Whole, false),
            Reply::Never => (Sent::Nothing, false),
            Reply::BreaksOff => (Sent::Nothing, true),
            Reply::Half | Reply::StatusAndHalf(_) => (Sent::Half, false),
            Reply::BreaksOffHalfWay => (Sent::Half, true),
            Reply::Endless => (Sent::Endless, false),
            Reply::Drips => (Sent::Dripping, false),
        }
    }
}
