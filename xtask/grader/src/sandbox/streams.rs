//! What a confined program says: two streams of output, and the channel of its record.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use pipeline::judging::sandbox::Channel;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::pipe::PipeFlags;

/// One end of a pipe or socket, and what came out of it.
#[derive(Debug)]
pub(crate) struct Stream {
    /// Nothing after its end.
    end: Option<OwnedFd>,
    heard: Vec<u8>,
    limit: u64,
    /// There was more than the limit.
    too_much: bool,
}

/// How large a record may be, in bytes. A schedule's table is a few hundred lines at most.
pub(crate) const LONGEST_RECORD: u64 = 32 * 1024 * 1024;

impl Stream {
    /// A pipe: our end, and the program's.
    ///
    /// # Errors
    /// There is no room for one more file descriptor.
    pub(crate) fn pipe(limit: u64) -> io::Result<(Stream, OwnedFd)> {
        let (ours, theirs) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        Ok((Stream::new(ours, limit)?, theirs))
    }

    /// A pair of sockets. What was written to one can't be read or changed by opening it anew, as a file could.
    ///
    /// # Errors
    /// There is no room for one more file descriptor.
    pub(crate) fn socket() -> io::Result<(Stream, OwnedFd)> {
        let (ours, theirs) =
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        Ok((Stream::new(ours, LONGEST_RECORD)?, theirs))
    }

    fn new(end: OwnedFd, limit: u64) -> io::Result<Stream> {
        rustix::io::ioctl_fionbio(&end, true)?;
        Ok(Stream { end: Some(end), heard: Vec::new(), limit, too_much: false })
    }

    /// What to wait for, while it lasts.
    pub(crate) fn end(&self) -> Option<BorrowedFd<'_>> {
        self.end.as_ref().map(|end| end.as_fd())
    }

    /// Takes what is there now. Says whether it was too much, now or before; the rest is passed over then.
    pub(crate) fn take(&mut self) -> bool {
        let Some(end) = &self.end else { return self.too_much };
        let mut buffer = [0; 64 * 1024];
        loop {
            match rustix::io::read(end, &mut buffer[..]) {
                Ok(0) => break,
                Ok(length) => {
                    let room = usize::try_from(self.limit).unwrap_or(usize::MAX) - self.heard.len();
                    self.heard.extend_from_slice(&buffer[..length.min(room)]);
                    if length > room {
                        // The program may end of it at once, so it must not be forgotten.
                        (self.end, self.too_much) = (None, true);
                        return true;
                    }
                }
                Err(Errno::AGAIN) => return false,
                Err(Errno::INTR) => {}
                // A socket whose other end was closed with something unread in it.
                Err(_) => break,
            }
        }
        self.end = None;
        false
    }

    /// What was heard, as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.heard).into_owned()
    }

    /// What was heard, as a record.
    pub(crate) fn record(&self) -> Channel {
        if self.heard.is_empty() {
            return Channel::Silent;
        }
        match std::str::from_utf8(&self.heard) {
            // That it is a whole document, and that nothing comes after it, is all that counts here.
            Ok(text) if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => {
                Channel::Record(text.to_string())
            }
            _ => Channel::Garbled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bytes: &[u8]) -> Channel {
        let (mut ours, theirs) = Stream::socket().unwrap();
        rustix::io::write(&theirs, bytes).unwrap();
        drop(theirs);
        assert!(!ours.take());
        assert!(ours.end().is_none(), "the end was seen");
        ours.record()
    }

    #[test]
    fn a_record_is_one_whole_document_and_nothing_else() {
        assert_eq!(said(b""), Channel::Silent);
        assert_eq!(said(b"{\"a\":1}"), Channel::Record("{\"a\":1}".to_string()));
        assert_eq!(said(b"{\"a\":1}\n"), Channel::Record("{\"a\":1}\n".to_string()));
        assert_eq!(said(b"{\"a\":1}{\"a\":1}"), Channel::Garbled, "two records");
        assert_eq!(said(b"{\"a\":"), Channel::Garbled, "half a record");
        assert_eq!(said(b"\xff"), Channel::Garbled);
    }

    #[test]
    fn output_is_cut_at_its_limit() {
        let (mut ours, theirs) = Stream::pipe(4).unwrap();
        rustix::io::write(&theirs, b"1234").unwrap();
        assert!(!ours.take(), "as much as is allowed");
        rustix::io::write(&theirs, b"5").unwrap();
        assert!(ours.take(), "one byte too many");
        drop(theirs);
        assert!(ours.take(), "and it stays so, whatever comes after");
        assert_eq!(ours.text(), "1234");
    }
}
