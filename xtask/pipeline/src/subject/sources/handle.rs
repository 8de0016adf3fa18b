//! Opening what a stranger left on the disk. A link is never followed, a pipe or a device never waited for, and what was
//! swapped between the look and the opening does no harm: what counts is what was opened.

#[cfg(any(not(target_os = "linux"), test))]
#[cfg_attr(target_os = "linux", allow(dead_code, reason = "only tests use it on Linux"))]
pub mod elsewhere;
#[cfg(target_os = "linux")]
pub mod linux;

#[cfg(not(target_os = "linux"))]
pub use elsewhere::Folder;
#[cfg(target_os = "linux")]
pub use linux::Folder;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A regular file.
    File,
    /// A symbolic link, wherever it points.
    Link,
    /// A pipe, a socket, a device.
    Other,
}

/// What was opened.
#[derive(Debug)]
pub enum Opened<F> {
    /// A folder.
    Folder(F),
    /// A regular file.
    File(std::fs::File),
    /// Neither: nothing was opened, or it was closed again.
    Not(Kind),
}
