//! The engine: modelled threads are coroutines on one OS thread, and one of them runs at a time.
//!
//! A thread *announces* an operation ([`operation`]) before it does it. The scheduler ([`state`]) knows from the table of
//! objects ([`object`]) whose operation is possible now ([`possible`]), lets the search choose, and switches ([`run`]). A thread whose
//! operation is not possible is blocked: it is simply never chosen. Nothing here waits in real time.

pub(crate) mod access;
mod callers;
mod clock;
pub(crate) mod grain;
pub(crate) mod happens_before;
mod heap;
pub(crate) mod judge;
pub(crate) mod kind;
pub(crate) mod left;
pub(crate) mod mark;
pub(crate) mod memory;
pub(crate) mod names;
pub(crate) mod object;
pub(crate) mod operation;
pub(crate) mod overflow;
pub(crate) mod panics;
mod possible;
pub(crate) mod record;
pub(crate) mod run;
pub(crate) mod state;
pub(crate) mod strategy;
pub(crate) mod thread;
