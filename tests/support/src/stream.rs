//! Byte streams in the test's hands: what passes is cut, interrupted, held up or broken off wherever the test wants it.
//!
//! [`Script`] and [`Page`] are for code that reads or writes on the test's own thread, [`pipe`] is for threads that talk.
//!
//! ```
//! use kata::stream::{Page, Script, Then};
//! use std::io::{ErrorKind, Read, Write};
//!
//! let mut reader = Script::of(b"hello").cut_at([2]).then(Then::Fail(ErrorKind::ConnectionReset));
//! let mut bytes = Vec::new();
//! assert_eq!(reader.read_to_end(&mut bytes).unwrap_err().kind(), ErrorKind::ConnectionReset);
//! assert_eq!(bytes, b"hello");
//!
//! let mut writer = Page::blank().room_for(3, Then::End);
//! assert_eq!(writer.write_all(b"hello").unwrap_err().kind(), ErrorKind::WriteZero);
//! assert_eq!(writer.taken(), b"hel");
//! ```

mod pipe;
mod script;

pub use pipe::{PipeReader, PipeWriter, pipe};
pub use script::{Page, Script, TRIED_FOR_EVER, Then};
