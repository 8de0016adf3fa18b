//! What can go wrong, with the real crate's names, shapes and texts.

use std::error::Error;
use std::fmt;

/// The receivers are gone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(pub T);

/// Why `try_send` failed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrySendError<T> {
    /// There is no room.
    Full(T),
    /// The receivers are gone.
    Disconnected(T),
}

/// Why `send_timeout` failed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SendTimeoutError<T> {
    /// The time is up.
    Timeout(T),
    /// The receivers are gone.
    Disconnected(T),
}

/// The senders are gone, and so are the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecvError;

/// Why `try_recv` failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// There is no message.
    Empty,
    /// The senders are gone, and so are the messages.
    Disconnected,
}

/// Why `recv_timeout` failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecvTimeoutError {
    /// The time is up.
    Timeout,
    /// The senders are gone, and so are the messages.
    Disconnected,
}

macro_rules! gives_back {
    ($($error:ident { $($variant:path, $name:literal, $text:literal;)* })*) => {
        $(
            impl<T> $error<T> {
                /// The message that was not sent.
                pub fn into_inner(self) -> T {
                    match self {
                        $($variant(message) => message,)*
                    }
                }
            }

            impl<T> fmt::Debug for $error<T> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.pad(match self {
                        $($variant(_) => $name,)*
                    })
                }
            }

            impl<T> fmt::Display for $error<T> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.pad(match self {
                        $($variant(_) => $text,)*
                    })
                }
            }

            impl<T: Send> Error for $error<T> {}
        )*
    };
}

gives_back! {
    SendError {
        SendError, "SendError(..)", "sending on a disconnected channel";
    }
    TrySendError {
        TrySendError::Full, "Full(..)", "sending on a full channel";
        TrySendError::Disconnected, "Disconnected(..)", "sending on a disconnected channel";
    }
    SendTimeoutError {
        SendTimeoutError::Timeout, "Timeout(..)", "timed out waiting on send operation";
        SendTimeoutError::Disconnected, "Disconnected(..)", "sending on a disconnected channel";
    }
}

macro_rules! tells {
    ($($error:ident { $($variant:path, $text:literal;)* })*) => {
        $(
            impl fmt::Display for $error {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.pad(match self {
                        $($variant => $text,)*
                    })
                }
            }

            impl Error for $error {}
        )*
    };
}

tells! {
    RecvError {
        RecvError, "receiving on an empty and disconnected channel";
    }
    TryRecvError {
        TryRecvError::Empty, "receiving on an empty channel";
        TryRecvError::Disconnected, "receiving on an empty and disconnected channel";
    }
    RecvTimeoutError {
        RecvTimeoutError::Timeout, "timed out waiting on receive operation";
        RecvTimeoutError::Disconnected, "receiving on an empty and disconnected channel";
    }
}

macro_rules! kinds {
    ($($error:ident $(<$of:ident>)? { $($method:ident $variant:ident $text:literal;)* })*) => {
        $(
            impl$(<$of>)? $error$(<$of>)? {
                $(
                    #[doc = $text]
                    #[must_use]
                    pub fn $method(&self) -> bool {
                        matches!(self, $error::$variant { .. })
                    }
                )*
            }
        )*
    };
}

kinds! {
    TrySendError<T> {
        is_full Full "Whether there is no room.";
        is_disconnected Disconnected "Whether the receivers are gone.";
    }
    SendTimeoutError<T> {
        is_timeout Timeout "Whether the time is up.";
        is_disconnected Disconnected "Whether the receivers are gone.";
    }
    TryRecvError {
        is_empty Empty "Whether there is no message.";
        is_disconnected Disconnected "Whether the senders are gone.";
    }
    RecvTimeoutError {
        is_timeout Timeout "Whether the time is up.";
        is_disconnected Disconnected "Whether the senders are gone.";
    }
}
