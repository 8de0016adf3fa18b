//! Child processes for tests: the test binary runs itself again, in a role.
//!
//! ```standalone_crate
//! use kata::child::{Children, meet, roles};
//!
//! // What a child does, and the exit code that it ends with. Roles are plain functions of the test file.
//! fn patient() -> i32 {
//!     meet("gate");
//!     7
//! }
//! roles!(patient);
//!
//! # // A `#[test]` of the test file.
//! # fn main() {
//! let children = Children::new();
//! let mut child = children.command("patient").spawn().unwrap();
//! children.wait_for("gate", 1);
//! assert!(child.try_wait().unwrap().is_none(), "it waits at the gate");
//! children.open("gate");
//! assert_eq!(child.wait().unwrap().code(), Some(7));
//! # }
//! ```
//!
//! Each child is connected to the test by loopback TCP. That is how it meets the test and other children, without sleeping and
//! without the clock. It is also its lifeline: when the test process ends, however it ends, the connection closes, and the
//! child ends itself.
//!
//! A role runs before `main`, since the test harness writes to standard output as soon as it starts. So `std` is not set up as
//! usual: the main thread has no name, and a stack overflow has no message. Standard streams, threads, panics and
//! broken pipes are as in any program.

mod inside;
mod peer;
mod stopped;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic::Location;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use peer::child_that_says;
use verdict::{Kind, RECORD_FILE, REPLAY, SCHEDULES, SEED};

use crate::inputs::counted;
use crate::kind::LEFT_BEHIND;
use crate::stacks;
use crate::tasks::{FOR_CHILDREN, whoever_is_told};
use crate::tools::until_still;
use crate::tools::waiting::waiting_at;

#[doc(hidden)]
pub use ctor;
pub(crate) use inside::must_not_test;
#[doc(hidden)]
pub use inside::{Role, start};
pub use inside::{die_of, meet, tell, variables};
pub use stopped::{Stopped, stop};

/// Names the functions that children run: `roles!(echo, flood)`. Once in a test file. Each is a `fn() -> i32`.
// `ctor` asks for the word `unsafe`: little of `std` is promised before `main`. The module's text says what we rely on.
#[doc(hidden)]
#[macro_export]
macro_rules! __roles {
    ($($role:ident),+ $(,)?) => {
        $crate::child::ctor::declarative::ctor! {
            #[ctor(unsafe, anonymous)]
            fn start_in_a_role() {
                $crate::child::start(file!(), &[$((stringify!($role), $role)),+])
            }
        }
    };
}
pub use __roles as roles;

/// The role that a child shall play, and a number for the test file that has it, as [`cast`] puts them together.
const ROLE: &str = "INTERLEAVE_CHILD";
/// Where the test listens.
const ADDRESS: &str = "INTERLEAVE_CHILD_ADDRESS";

/// The children of one test: where they meet, and who is there.
///
/// When it is dropped, children that are still there end themselves. Whoever started them has to wait for them all the same.
#[derive(Debug)]
pub struct Children {
    desk: Arc<Desk>,
    address: SocketAddr,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What the test's threads and the connections' threads share.
#[derive(Debug, Default)]
struct Desk {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// How many have come to each place, ever.
    came: BTreeMap<String, usize>,
    open: BTreeSet<String>,
    told: Vec<String>,
    here: BTreeMap<usize, TcpStream>,
    /// The numbers of their processes: each of them comes once.
    processes: BTreeSet<u32>,
    arrivals: usize,
    closing: bool,
}

impl Children {
    /// No child has come yet.
    ///
    /// # Panics
    /// If the system has no port or no thread to spare. If the test file names no [`roles`]: its children would run all tests
    /// again, with children of their own, without end.
    pub fn new() -> Children {
        assert!(env::var_os(inside::TEST).is_some(), "a test file that has children names their roles: `roles!(…)`");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback interface has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let desk = Arc::new(Desk::default());
        let children = Children { desk: Arc::clone(&desk), address, threads: Mutex::default() };
        children.spawn(move || desk.serve(&listener));
        children
    }

    /// The environment variables that make the test binary a child in this role of the calling test file.
    #[track_caller]
    pub fn variables(&self, role: &str) -> [(&'static str, String); 2] {
        as_variables(role, Location::caller(), self.address.to_string())
    }

    /// A command that runs the test binary in this role of the calling test file.
    ///
    /// # Panics
    /// If the system doesn't say where the test binary is.
    #[track_caller]
    pub fn command(&self, role: &str) -> Command {
        let mut command = Command::new(env::current_exe().expect("a test knows its own binary"));
        command.envs(self.variables(role));
        for grader in [RECORD_FILE, REPLAY, SCHEDULES, SEED] {
            command.env_remove(grader);
        }
        command
    }

    /// Waits until so many children have come to a place by [`meet`].
    pub fn wait_for(&self, place: &str, children: usize) {
        drop(self.desk.wait_while(|state| state.count(place) < children));
    }

    /// Lets all children go on that wait at this place, now and later.
    pub fn open(&self, place: &str) {
        self.desk.open(place);
    }

    /// Opens the place as soon as so many children are there: proof that they run at the same time. If they can't, the test
    /// fails as `serialised`. Call it before the children are started. It doesn't wait.
    #[track_caller]
    pub fn rendezvous(&self, place: &str, children: usize) {
        let (desk, place, made_at) = (Arc::clone(&self.desk), place.to_owned(), Location::caller());
        self.spawn(move || desk.rendezvous(&place, children, made_at));
    }

    /// Opens the place when a child is there and nothing moves any more: whoever has something to wait for waits, and who returned
    /// before that has not waited. It doesn't wait itself. See [`until_still`].
    pub fn open_when_still(&self, place: &str) {
        self.open_after(place, until_still);
    }

    /// Does this when a child is there, and opens the place then. It doesn't wait itself.
    pub fn open_after(&self, place: &str, look: impl FnOnce() + Send + 'static) {
        let (desk, place) = (Arc::clone(&self.desk), place.to_owned());
        self.spawn(move || {
            let closing = desk.wait_while(|state| !state.closing && state.count(&place) < 1).closing;
            if !closing {
                look();
                desk.open(&place);
            }
        });
    }

    /// Opens the place when so many things have been told, and nobody there has kept the others from it. If they can't be, the
    /// test fails as `serialised`. It doesn't wait itself.
    pub fn open_when_told(&self, place: &str, things: usize) {
        let desk = Arc::clone(&self.desk);
        let note = format!("`{place}`, which is open when {things} things have been told");
        self.open_after(place, move || {
            let missing = |state: &State| !state.closing && state.told.len() < things;
            waiting_at(Some(Kind::Serialised), move || note.clone(), || drop(desk.wait_while(missing)));
        });
    }

    /// Comes to a place as a child does by [`meet`], and waits there until it is open: for work that a thread of the test does in
    /// a child's stead.
    pub fn meet(&self, place: &str) {
        *self.desk.locked().came.entry(place.to_owned()).or_default() += 1;
        self.desk.changed.notify_all();
        drop(self.desk.wait_while(|state| !state.closing && !state.open.contains(place)));
    }

    /// Tells the test something as a child does by [`tell`].
    pub fn tell(&self, text: &str) {
        self.desk.locked().told.push(text.to_owned());
        self.desk.changed.notify_all();
    }

    /// Waits until no child is there any more: each that has come somewhere has ended, or is about to.
    pub fn wait_until_gone(&self) {
        drop(self.desk.wait_while(|state| !state.here.is_empty()));
    }

    /// What children have told the test by [`tell`] so far. What one child tells keeps its order.
    pub fn told(&self) -> Vec<String> {
        self.desk.locked().told.clone()
    }

    /// Waits until children have told so many things, and gives all of them.
    pub fn wait_until_told(&self, things: usize) -> Vec<String> {
        self.desk.wait_while(|state| state.told.len() < things).told.clone()
    }

    /// Fails the test as a leak if a process is left that it has started, or that one of these has. Zombies count. Where the
    /// system doesn't say, none is seen.
    ///
    /// # Panics
    /// That is how it fails.
    #[track_caller]
    pub fn none_is_left() {
        let tasks = whoever_is_told().unwrap_or_else(|error| panic!("{LEFT_BEHIND}whoever can't be seen: {error}"));
        let left = tasks.iter().filter(|task| task.process == task.id && task.process != std::process::id());
        let left: Vec<&str> = left.map(|process| process.state.told()).collect();
        if !left.is_empty() {
            panic!("{LEFT_BEHIND}{} ({})", counted(left.len(), "process"), left.join(", "));
        }
    }

    fn spawn(&self, body: impl FnOnce() + Send + 'static) {
        let thread = thread::Builder::new().name(FOR_CHILDREN.to_owned()).spawn(body);
        let thread = thread.expect("the system has room for one more thread");
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
    }
}

/// The environment variables of a child in that role, which the caller's test file has, of the test at that address.
fn as_variables(role: &str, caller: &Location<'_>, address: String) -> [(&'static str, String); 2] {
    [(ROLE, cast(role, caller.file())), (ADDRESS, address)]
}

/// A role of that test file. There may be several files in a test binary, each with its own `echo`.
fn cast(role: &str, file: &str) -> String {
    format!("{role}@{:016x}", BuildHasherDefault::<DefaultHasher>::default().hash_one(file))
}

impl Default for Children {
    fn default() -> Self {
        Children::new()
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        let mut state = self.desk.locked();
        state.closing = true;
        for stream in state.here.values() {
            // It fails only where the child has gone already.
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(state);
        self.desk.changed.notify_all();
        // A visitor, so that `accept` returns.
        let _ = TcpStream::connect(self.address);
        for thread in self.threads.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = thread.join();
        }
    }
}

impl Desk {
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, mut missing: impl FnMut(&State) -> bool) -> MutexGuard<'_, State> {
        let wait = self.changed.wait_while(self.locked(), |state| missing(state));
        wait.unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in children, each on a thread of its own, until the tool is dropped.
    fn serve(&self, listener: &TcpListener) {
        let test = listener.local_addr().expect("a bound socket has an address");
        thread::scope(|scope| {
            loop {
                let Ok((stream, _)) = listener.accept() else { continue };
                // Otherwise the second of two things that are said waits until the first is acknowledged, for 40 ms perhaps, and meanwhile
                // all is still.
                let _ = stream.set_nodelay(true);
                let mut state = self.locked();
                if state.closing {
                    return;
                }
                let child = state.arrivals;
                state.arrivals += 1;
                let Ok(other_half) = stream.try_clone() else { continue };
                state.here.insert(child, other_half);
                drop(state);
                let thread = thread::Builder::new().name(FOR_CHILDREN.to_owned());
                let attended = thread.spawn_scoped(scope, move || self.attend(child, &stream, test));
                attended.expect("the system has room for one more thread");
            }
        });
    }

    /// Listens to one child until it has gone. Who is none is sent away.
    fn attend(&self, child: usize, stream: &TcpStream, test: SocketAddr) {
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let process = lines.next().and_then(|hello| child_that_says(&hello, test));
        if let Some(process) = process.filter(|process| self.locked().processes.insert(*process)) {
            self.listen(lines, stream);
            self.locked().processes.remove(&process);
        }
        self.locked().here.remove(&child);
        self.changed.notify_all();
    }

    fn listen(&self, lines: impl Iterator<Item = String>, stream: &TcpStream) {
        for line in lines {
            let mut state = self.locked();
            match line.split_once(' ') {
                Some(("meet", place)) => {
                    *state.came.entry(place.to_owned()).or_default() += 1;
                    if state.open.contains(place) {
                        say(stream, &format!("open {place}"));
                    }
                }
                Some(("tell", news)) => {
                    let (number, text) = news.split_once(' ').unwrap_or_default();
                    state.told.push(text.to_owned());
                    say(stream, &format!("told {number}"));
                }
                Some(("stands", thread_and_place)) => {
                    let (thread, place) = thread_and_place.split_once(' ').unwrap_or((thread_and_place, ""));
                    if let Ok(thread) = thread.parse() {
                        stacks::has_answered(thread, place);
                    }
                }
                _ => {}
            }
            drop(state);
            self.changed.notify_all();
        }
    }

    fn open(&self, place: &str) {
        let mut state = self.locked();
        state.open.insert(place.to_owned());
        for stream in state.here.values() {
            say(stream, &format!("open {place}"));
        }
        drop(state);
        self.changed.notify_all();
    }

    fn rendezvous(&self, place: &str, children: usize, made_at: &'static Location<'static>) {
        let incomplete = |state: &State, needed: usize| !state.closing && state.count(place) < needed;
        // Only a child that is alone there proves anything.
        drop(self.wait_while(|state| incomplete(state, 1)));
        let note = {
            let (file, place) = (made_at.file().rsplit(['/', '\\']).next().unwrap_or_default(), place.to_owned());
            move || {
                format!(
                    "the children's rendezvous `{place}` of {file}:{} (not all {children} are here)",
                    made_at.line()
                )
            }
        };
        waiting_at(Some(Kind::Serialised), note, || {
            drop(self.wait_while(|state| incomplete(state, children)));
        });
        self.open(place);
    }
}

impl State {
    fn count(&self, place: &str) -> usize {
        self.came.get(place).copied().unwrap_or_default()
    }
}

/// Says something to a child. One that has gone needn't know.
fn say(mut stream: &TcpStream, line: &str) {
    let _ = stream.write_all(format!("{line}\n").as_bytes());
}
