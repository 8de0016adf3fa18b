//! `tokio::io` without what the system or another thread is behind: traits, buffers, and what reads or writes through them. All of it is
//! tokio's own, since it only passes polls on. What two tasks share (`split`, `duplex`, `simplex`) is left out: it would be state that
//! the explorer doesn't see.

pub use real::io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};
pub use std::io::{Error, ErrorKind, Result, SeekFrom};

#[cfg(feature = "io-util")]
pub use real::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufReader, BufStream, BufWriter, Chain, Empty, Join,
    Lines, Repeat, Sink, Split, Take, copy, copy_bidirectional, copy_bidirectional_with_sizes, copy_buf, empty, join,
    repeat, sink,
};
