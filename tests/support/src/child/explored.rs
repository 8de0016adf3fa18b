//! What takes the place of [`child`](crate::child) in explored builds.
//!
//! Processes are not modelled, so a body that starts some runs on threads only. Its test file is compiled for schedules all the
//! same, for the sake of its other tests. Here it finds the names that it uses, and none of this is ever called.

use std::convert::Infallible;
use std::process::{Child, Command};

/// Names the functions that children run. Here they are only kept from being unused.
#[doc(hidden)]
#[macro_export]
macro_rules! __explored_roles {
    ($($role:ident),+ $(,)?) => {
        const _: &[fn() -> i32] = &[$($role),+];
    };
}
pub use __explored_roles as roles;

/// The children of one test. In explored builds there are none.
#[derive(Debug)]
pub struct Children(Infallible);

impl Children {
    /// Never returns.
    ///
    /// # Panics
    /// Always: whoever calls this on schedules has forgotten `threads_only`.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Children {
        no_children()
    }

    /// The environment variables that make the test binary a child in this role.
    pub fn variables(&self, _role: &str) -> [(&'static str, String); 2] {
        match self.0 {}
    }

    /// A command that runs the test binary in this role.
    pub fn command(&self, _role: &str) -> Command {
        match self.0 {}
    }

    /// Waits until so many children have come to a place by [`meet`].
    pub fn wait_for(&self, _place: &str, _children: usize) {
        match self.0 {}
    }

    /// Lets all children go on that wait at this place, now and later.
    pub fn open(&self, _place: &str) {
        match self.0 {}
    }

    /// Opens the place as soon as so many children are there.
    pub fn rendezvous(&self, _place: &str, _children: usize) {
        match self.0 {}
    }

    /// Opens the place when a child is there and nothing moves any more.
    pub fn open_when_still(&self, _place: &str) {
        match self.0 {}
    }

    /// Waits until no child is there any more.
    pub fn wait_until_gone(&self) {
        match self.0 {}
    }

    /// Fails the test if a process is left.
    ///
    /// # Panics
    /// Always, as [`Children::new`].
    pub fn none_is_left() {
        no_children()
    }

    /// What children have told the test by [`tell`] so far.
    pub fn told(&self) -> Vec<String> {
        match self.0 {}
    }

    /// Waits until children have told so many things, and gives all of them.
    pub fn wait_until_told(&self, _things: usize) -> Vec<String> {
        match self.0 {}
    }
}

/// Comes to a place, and waits there until the test opens it. For roles.
///
/// # Panics
/// Always: nobody plays a role in an explored build.
pub fn meet(_place: &str) {
    no_children()
}

/// Tells the test something, in one line. For roles.
///
/// # Panics
/// Always: nobody plays a role in an explored build.
pub fn tell(_text: &str) {
    no_children()
}

/// The environment variables that make the test binary a child in this role. For roles.
///
/// # Panics
/// Always: nobody plays a role in an explored build.
pub fn variables(_role: &str) -> [(&'static str, String); 2] {
    no_children()
}

/// Ends this process as a signal would. For roles.
///
/// # Panics
/// Always: nobody plays a role in an explored build.
pub fn die_of(_signal: i32) -> ! {
    no_children()
}

/// A child that stands still. In explored builds there is none.
#[derive(Debug)]
pub struct Stopped(Infallible);

/// Stops a child in the middle of whatever it does.
///
/// # Panics
/// Always, like [`Children::new`].
pub fn stop(_child: &Child) -> Option<Stopped> {
    no_children()
}

fn no_children() -> ! {
    panic!("child processes can't be put on schedules: run this body with `on_threads` or `Check::threads_only`")
}
