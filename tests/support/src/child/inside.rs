//! What runs in a child: how it starts in its role, and how it talks to the test.

use std::collections::BTreeSet;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::panic::{self, Location};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, Once, OnceLock, PoisonError};
use std::thread;

use super::{ADDRESS, ROLE, as_variables, cast, peer};
use crate::stacks;
use crate::tasks::FOR_CHILDREN;

/// A role: its name, and what it does.
pub type Role = (&'static str, fn() -> i32);

/// Marks the test process for its children. One that carries it and has no role was started without its variables.
pub(super) const TEST: &str = "INTERLEAVE_CHILD_OF_TEST";

/// The exit code of a child that panicked, as of any Rust program.
const PANICKED: i32 = 101;
/// The exit code of a child that could not play a role.
const MISCAST: i32 = 97;
/// The exit code of a child that has lost its test.
const ORPHANED: i32 = 98;

/// The connection to the test.
static DESK: OnceLock<Desk> = OnceLock::new();

struct Desk {
    to_test: Mutex<TcpStream>,
    /// What the test has said: which places are open, and what it has been told.
    heard: Mutex<BTreeSet<String>>,
    changed: Condvar,
    told: AtomicU64,
}

/// Comes to a place, and waits there until the test opens it. For roles.
///
/// # Panics
/// Outside of a child.
pub fn meet(place: &str) {
    let desk = desk();
    desk.say(&format!("meet {place}"));
    desk.wait_until_heard(&format!("open {place}"));
}

/// Tells the test something, in one line. It knows it when this returns, even if the child ends at once. For roles.
///
/// # Panics
/// Outside of a child.
pub fn tell(text: &str) {
    let desk = desk();
    let number = desk.told.fetch_add(1, Ordering::Relaxed);
    desk.say(&format!("tell {number} {}", text.replace('\n', " ")));
    desk.wait_until_heard(&format!("told {number}"));
}

/// The environment variables that make the test binary a child of the same test in this role of the calling test file, as
/// [`Children::variables`](super::Children::variables) gives them to the test. For roles.
///
/// # Panics
/// Outside of a child.
#[track_caller]
pub fn variables(role: &str) -> [(&'static str, String); 2] {
    as_variables(role, Location::caller(), env::var(ADDRESS).expect("only a child has a test"))
}

/// Ends this process as the signal would that has this number, also where whoever started the test ignores it. For roles.
///
/// Where there are no signals, the process aborts.
pub fn die_of(signal: i32) -> ! {
    #[cfg(unix)]
    let _ = signal_hook::low_level::emulate_default_handler(signal);
    #[cfg(not(unix))]
    let _ = signal;
    process::abort()
}

fn desk() -> &'static Desk {
    DESK.get().expect("only a child has a test to talk to")
}

impl Desk {
    fn say(&self, line: &str) {
        // If the test has gone, the listening thread knows it too, and ends this process.
        let _ = self.to_test.lock().unwrap_or_else(PoisonError::into_inner).write_all(format!("{line}\n").as_bytes());
    }

    fn wait_until_heard(&self, line: &str) {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let heard = self.changed.wait_while(heard, |heard| !heard.contains(line));
        drop(heard.unwrap_or_else(PoisonError::into_inner));
    }
}

/// Plays the role that the environment names, and ends the process. Returns if it names none of that test file. Called before `main`,
/// once for each test file with roles.
#[doc(hidden)]
pub fn start(file: &str, roles: &[Role]) {
    let Some(name) = env::var_os(ROLE) else {
        static FIRST: Once = Once::new();
        FIRST.call_once(|| {
            // To run tests again in here, with children of their own, would never end.
            if env::var_os(TEST).is_some() || is_child_of_its_like() {
                eprintln!("a test's child was started without its environment variables, {ROLE} among them");
                process::exit(MISCAST);
            }
            mark();
        });
        return;
    };
    let Some((_, role)) = roles.iter().find(|(role, _)| name == *cast(role, file)) else { return };
    behave_as_usual();
    connect();
    process::exit(panic::catch_unwind(role).unwrap_or(PANICKED));
}

/// Whether the process that started this one runs the same program: a test, then, that has kept its environment from its child.
#[cfg(target_os = "linux")]
fn is_child_of_its_like() -> bool {
    let program = |process: u32| std::fs::read_link(format!("/proc/{process}/exe")).ok();
    let own = program(process::id());
    own.is_some() && own == program(std::os::unix::process::parent_id())
}

/// Elsewhere no system tells.
#[cfg(not(target_os = "linux"))]
fn is_child_of_its_like() -> bool {
    false
}

/// Ends this process if it should be a child: no test file has its role, and to run tests in here would never end.
pub(crate) fn must_not_test() {
    if let Some(name) = env::var_os(ROLE) {
        eprintln!("no role of this test file is called {}", name.display());
        process::exit(MISCAST);
    }
}

/// Marks this process, and all that it will start.
#[allow(unsafe_code)]
fn mark() {
    // SAFETY: nothing else reads or writes the environment now. `main` has not begun, so this process has one thread.
    unsafe { env::set_var(TEST, "1") };
}

/// Connects to the test, and ends this process when the test goes.
fn connect() {
    let stream = env::var(ADDRESS).ok().and_then(|address| TcpStream::connect(address).ok());
    let (Some(to_test), Some(from_test)) = (stream.as_ref().and_then(|s| s.try_clone().ok()), stream) else {
        eprintln!("the test of this child is not there ({ADDRESS})");
        process::exit(ORPHANED);
    };
    let _ = to_test.set_nodelay(true);
    // If the test has gone, the listening thread will know it.
    let _ = (&to_test).write_all(format!("{}\n", peer::hello(process::id())).as_bytes());
    let (heard, changed, told) = (Mutex::default(), Condvar::new(), AtomicU64::new(0));
    let desk = DESK.get_or_init(|| Desk { to_test: Mutex::new(to_test), heard, changed, told });
    stacks::answer_by(say_where);
    let listen = move || {
        for line in BufReader::new(from_test).lines().map_while(Result::ok) {
            desk.heard.lock().unwrap_or_else(PoisonError::into_inner).insert(line);
            desk.changed.notify_all();
        }
        process::exit(ORPHANED);
    };
    let listener = thread::Builder::new().name(FOR_CHILDREN.to_owned()).spawn(listen);
    listener.expect("the system has room for one more thread");
}

/// Tells the test of a thread of this process where it stands. It may be the one that is just saying something.
fn say_where(thread: u32, place: &str) {
    if let Some(mut to_test) = DESK.get().and_then(|desk| desk.to_test.try_lock().ok()) {
        let _ = to_test.write_all(format!("stands {thread} {place}\n").as_bytes());
    }
}

/// In a Rust program, writing to a pipe that nobody reads is an error. Before `main`, a signal would still end the process.
fn behave_as_usual() {
    #[cfg(unix)]
    {
        let heard = std::sync::Arc::default();
        let _ = signal_hook::flag::register(signal_hook::consts::SIGPIPE, heard);
    }
}
