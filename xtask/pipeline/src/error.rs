//! What stops a command: never a wrong answer, which is a verdict, but a wrong command line or a wrong environment.

use std::fmt;
use std::path::Path;

/// Why a command could not do its work. Only `main` turns it into text and an exit code.
#[derive(Debug)]
pub enum Error {
    /// The command line or the environment is wrong.
    Environment {
        /// What happened, and where.
        what: String,
        /// What to do next.
        next: String,
    },
    /// The person pressed Ctrl-C, or `watch` saw a newer save.
    Interrupted,
}

/// The result of a step.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error with its way out.
    pub fn new(what: impl Into<String>, next: impl Into<String>) -> Error {
        Error::Environment { what: what.into(), next: next.into() }
    }

    /// A file operation that failed, as `map_err` wants it: `cannot read PATH: …`.
    pub fn io<'a>(doing: &'a str, path: &'a Path) -> impl FnOnce(std::io::Error) -> Error + 'a {
        move |error| {
            let next = match error.kind() {
                std::io::ErrorKind::PermissionDenied => "Check the permissions of that path.",
                std::io::ErrorKind::StorageFull => "Free some disk space, then run the command again.",
                std::io::ErrorKind::NotFound => "Check that the path is spelled right.",
                _ => "Run the command again once that is fixed.",
            };
            Error::new(format!("cannot {doing} {}: {error}", path.display()), next)
        }
    }

    /// The same, and which file it is about.
    pub fn in_file(self, name: &str) -> Error {
        match self {
            Error::Environment { what, next } => Error::Environment { what: format!("{name}: {what}"), next },
            Error::Interrupted => self,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Environment { what, next } if next.is_empty() => f.write_str(what),
            Error::Environment { what, next } => write!(f, "{what}\n{next}"),
            Error::Interrupted => f.write_str("interrupted"),
        }
    }
}
