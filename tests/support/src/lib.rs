//! What the katas' test files use: wrappers that run a test's body and judge it, and tools that prove overlap and
//! order.
//!
//! ```
//! use kata::{Rendezvous, check};
//! use std::thread;
//!
//! // In a test file this is a `#[test] fn two_threads_overlap()`.
//! check(|| {
//!     let rendezvous = Rendezvous::of(2);
//!     thread::scope(|scope| {
//!         scope.spawn(|| rendezvous.meet());
//!         scope.spawn(|| rendezvous.meet());
//!     });
//! });
//! ```
//!
//! The source is compiled twice. In the package `kata` a body runs once, on the operating system's threads, under a
//! watchdog that ends it when nothing moves any more. In the package `kata-explored` the crate `std` is a model, and
//! the body runs once for every schedule that the explorer finds. A test file is the same for both.
//!
//! - [`check`] runs a body in both builds, [`on_threads`] and [`on_schedules`] in one of them; [`Check`] has the
//!   options, and runs a body for many inputs. [`inputs`] makes them.
//! - [`Rendezvous`] proves overlap, [`Gate`] fixes an order, [`Peak`] counts who is inside, [`Log`] answers what came
//!   first, [`Steps`] moves a thread step by step, [`until_blocked`] waits until a thread is blocked, [`until_still`] until all are,
//!   and [`until`] until something else is so.
//! - [`Crowd`] is several who wait for the same thing, of whom some give up.
//! - [`start`] names a thread, for the table of a failing schedule; [`panic_on_purpose`] is a panic that a test wants.
//!   [`boxed`] gives futures one type, so that a runtime is compiled once for all of them. [`moving!`] moves one between its polls.
//! - [`stream`] has readers and writers that are cut, interrupted and broken off, and pipes between threads. [`situation`] says
//!   which row of a table is tried, [`keeps_to_limit`] and
//!   [`is_done_at_once`] judge waits in real time.
//!
//! A body may run thousands of times, so it makes everything afresh that it uses: tools, accounts, queues. It must do
//! the same under the same schedule: no random numbers, no real clock.

#[cfg(any(feature = "allocations", feature = "explore"))]
mod allocations;
#[cfg(all(feature = "child", not(feature = "explore")))]
pub mod child;
#[cfg(feature = "explore")]
#[path = "child/explored.rs"]
pub mod child;
#[cfg(feature = "site")]
pub mod site;
pub mod stream;
#[cfg(feature = "time")]
pub mod time;

pub mod conversation;
pub mod inputs;
pub mod scenarios;

mod check;
mod kind;
mod report;
mod tools;

#[cfg(not(feature = "explore"))]
mod calls;
#[cfg(not(feature = "explore"))]
mod panics;
#[cfg(feature = "explore")]
mod schedules;
#[cfg(not(feature = "explore"))]
mod stacks;
#[cfg(not(feature = "explore"))]
mod tasks;
#[cfg(not(feature = "explore"))]
mod threads;
#[cfg(not(feature = "explore"))]
mod watchdog;

#[cfg(any(feature = "allocations", feature = "explore"))]
pub use allocations::allocated;
pub use check::{Check, check, each_on_threads, on_schedules, on_threads};
/// Whether this build explores schedules. There a body takes longer, and needs fewer inputs: who is faster is no matter of luck.
pub const EXPLORED: bool = cfg!(feature = "explore");

pub use tools::{
    AEONS, AGES, Crowd, ENDLESS, Gate, GateGuard, Log, Peak, PeakGuard, Rendezvous, Steps, WhenDropped, a_while_passes,
    boxed, is_done_at_once, keeps_to_limit, moving, panic_on_purpose, situation, start, until, until_blocked,
    until_still, when_dropped,
};
