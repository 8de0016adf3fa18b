//! The contract of the kata `process`, sentence by sentence. `README.md` has the same list.

use std::env;
use std::io::{self, Read, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::process;
use std::thread;
use std::time::Duration;

use ::process::{Captured, End, Job, Process, capture};
use kata::Check;
use kata::child::{Children, meet, roles, tell};

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is compared with.
/// And only an enum has variants to import.
fn _signatures(job: Job) {
    use End::{Code, Signal};
    let _: fn(&Job) -> io::Result<Process> = Process::start;
    let _: fn(&Process) -> &str = Process::name;
    let _: fn(&mut Process) -> bool = Process::is_alive;
    let _: fn(&mut Process) -> End = Process::join;
    let _: fn(&mut Process, Duration) -> Option<End> = Process::join_timeout;
    let _: fn(&mut Process, Duration) -> End = Process::terminate;
    let _: fn(&Job, Duration) -> io::Result<Captured> = capture;
    let _ = |Captured { end, stdout, stderr }| drop::<(End, [Vec<u8>; 2])>((end, [stdout, stderr]));
    let Job { name, program, arguments, variables, folder } = job;
    drop::<(String, PathBuf, Option<PathBuf>)>((name, program, folder));
    drop::<(Vec<String>, Vec<(String, String)>)>((arguments, variables));
    // A constant is a pattern only if its type derives `PartialEq`, which tells one variant from another.
    let _ = |end: End| -> i32 {
        match end {
            KILLED => 0,
            Code(number) | Signal(number) => number,
        }
    };
}

#[test]
fn a_process_gets_its_arguments_variables_and_folder() {
    check(|children| {
        let arguments = ["two words", "", "a \"quoted\" one", "$HOME", "--flag=1"];
        let folder = env::current_exe().unwrap().parent().unwrap().canonicalize().unwrap();
        let mut job = job(children, "report", &arguments);
        job.variables.push(("GREETING".to_owned(), "good day".to_owned()));
        job.folder = Some(folder.clone());
        let mut process = Process::start(&job).unwrap();
        assert_eq!(process.name(), "report");
        assert_eq!(process.join(), End::Code(0));
        let [told_arguments, greeting, told_folder, variables] = children.wait_until_told(4).try_into().unwrap();
        assert_eq!(told_arguments, format!("{arguments:?}"), "the child's arguments");
        assert_eq!(greeting, "good day", "the child's variable GREETING");
        assert_eq!(told_folder, folder.display().to_string(), "the child's working folder");
        for (name, _) in env::vars_os() {
            assert!(variables.contains(&format!("{name:?}")), "the child has not inherited the variable {name:?}");
        }
    });
}

#[test]
fn a_process_ends_with_a_code_or_by_a_signal() {
    check(|children| {
        for (how, end) in [("0", End::Code(0)), ("3", End::Code(3)), ("crash", CRASHED)] {
            let mut process = Process::start(&job(children, "ending", &[how])).unwrap();
            assert_eq!(process.join(), end, "how the child ended that was told: {how}");
            assert_eq!(process.join(), end, "the same, asked again");
        }
    });
}

#[test]
fn a_process_that_cannot_be_started_is_an_error_that_names_it() {
    check(|children| {
        let mut job = job(children, "ending", &["0"]);
        job.program = PathBuf::from("no-such-program");
        let errors = [Process::start(&job).map(drop).unwrap_err(), capture(&job, LONG).map(drop).unwrap_err()];
        for error in errors {
            assert_eq!(error.kind(), io::ErrorKind::NotFound, "{error}");
            assert!(error.to_string().contains("no-such-program"), "which program? The error says only: {error}");
        }
    });
}

#[test]
fn processes_run_at_the_same_time() {
    check(|children| {
        children.rendezvous("table", 2);
        let job = job(children, "meeting", &["table"]);
        let mut first = Process::start(&job).unwrap();
        let mut second = Process::start(&job).unwrap();
        assert_eq!([first.join(), second.join()], [MET; 2]);
    });
}

#[test]
fn a_process_is_alive_until_it_has_ended() {
    check(|children| {
        let mut process = Process::start(&job(children, "meeting", &["gate"])).unwrap();
        children.wait_for("gate", 1);
        assert!(process.is_alive(), "the child waits at a gate, so it is alive");
        children.open("gate");
        // It ends by itself, and nobody joins it.
        while process.is_alive() {
            thread::yield_now();
        }
        assert_eq!(process.join(), MET);
        assert!(!process.is_alive());
    });
}

#[test]
fn join_timeout_waits_for_the_limit_at_most() {
    check(|children| {
        let mut process = Process::start(&job(children, "meeting", &["gate"])).unwrap();
        assert_eq!(process.join_timeout(MOMENT), None, "the gate is closed, so the child can't have ended");
        assert_eq!(process.join_timeout(Duration::ZERO), None, "the gate is still closed");
        assert!(process.is_alive(), "nobody has ended the child");
        children.open("gate");
        assert_eq!(process.join_timeout(LONG), Some(MET), "the gate is open, so the child ends by itself");
        assert_eq!(process.join_timeout(Duration::ZERO), Some(MET), "the same, asked again");
    });
}

#[test]
fn terminate_asks_first_and_kills_after_the_grace() {
    check(|children| {
        let mut polite = Process::start(&job(children, "polite", &[])).unwrap();
        assert_eq!(polite.terminate(LONG), End::Code(0), "a child that ends when its standard input is closed");
        assert_eq!(children.wait_until_told(1), ["goodbye"], "what it says then");
        let mut stubborn = Process::start(&job(children, "meeting", &["gate"])).unwrap();
        assert_eq!(stubborn.terminate(MOMENT), KILLED, "a child that doesn't look at its standard input");
        assert!(!stubborn.is_alive());
        assert_eq!(stubborn.terminate(LONG), KILLED, "the same, asked again");
    });
}

#[test]
fn no_process_outlives_its_owner() {
    check(|children| {
        let job = job(children, "meeting", &["gate"]);
        {
            let _dropped = Process::start(&job).unwrap();
            children.wait_for("gate", 1);
        }
        let panicked = panic::catch_unwind(AssertUnwindSafe(|| {
            let _owned = Process::start(&job).unwrap();
            children.wait_for("gate", 2);
            panic!("the owner of a process panics");
        }));
        assert!(panicked.is_err());
        gone(children);
    });
}

#[test]
fn capture_keeps_all_that_a_flooding_process_writes() {
    check(|children| {
        let Captured { end, stdout, stderr } = capture(&job(children, "flood", &[]), LONG).unwrap();
        assert_eq!(end, End::Code(0));
        assert!(stdout == [b'o'; FLOOD], "standard output: {} of {FLOOD} bytes, or the wrong ones", stdout.len());
        assert!(
            stderr == [b'e'; 2 * FLOOD],
            "standard error: {} of {} bytes, or the wrong ones",
            stderr.len(),
            2 * FLOOD
        );
    });
}

#[test]
fn capture_kills_a_process_that_never_ends() {
    check(|children| {
        let captured = capture(&job(children, "meeting", &["gate"]), MOMENT).unwrap();
        assert_eq!(captured.end, KILLED);
        gone(children);
    });
}

roles!(report, ending, meeting, polite, flood);

/// Tells what it got: arguments, a variable, the folder, the names of all variables.
fn report() -> i32 {
    tell(&format!("{:?}", arguments()));
    tell(&env::var("GREETING").unwrap_or_default());
    tell(&env::current_dir().and_then(|folder| folder.canonicalize()).unwrap_or_default().display().to_string());
    tell(&format!("{:?}", env::vars_os().map(|(name, _)| name).collect::<Vec<_>>()));
    0
}

/// Ends as it is told.
fn ending() -> i32 {
    arguments()[0].parse().unwrap_or_else(|_| process::abort())
}

/// Waits at a place until the test lets it go. Nothing else moves it.
fn meeting() -> i32 {
    meet(&arguments()[0]);
    7
}

/// Ends when its standard input is closed.
fn polite() -> i32 {
    read_all();
    tell("goodbye");
    0
}

/// Whoever reads one stream to its end before the other waits for a child that waits for him.
fn flood() -> i32 {
    read_all();
    io::stderr().write_all(&[b'e'; FLOOD]).unwrap();
    io::stdout().write_all(&[b'o'; FLOOD]).unwrap();
    io::stderr().write_all(&[b'e'; FLOOD]).unwrap();
    0
}

fn arguments() -> Vec<String> {
    env::args().skip(1).collect()
}

fn read_all() {
    let mut nothing = Vec::new();
    io::stdin().read_to_end(&mut nothing).unwrap();
    assert_eq!(nothing, b"", "nobody writes to a child");
}

/// The exit code of a child that was let go.
const MET: End = End::Code(7);
/// How a child ends that aborts: by SIGABRT, or with the code that Windows has for it.
const CRASHED: End = if cfg!(unix) { End::Signal(6) } else { End::Code(0xC000_0409_u32.cast_signed()) };
/// How a child ends that is killed: by SIGKILL, or with the code that `std` gives on Windows.
const KILLED: End = if cfg!(unix) { End::Signal(9) } else { End::Code(1) };
/// Nothing in these tests lasts so long, so who waits for so long has waited for nothing.
const LONG: Duration = Duration::from_secs(3600);
/// Time enough to show that a wait ends.
const MOMENT: Duration = Duration::from_millis(5);
/// More than any system's pipe holds.
const FLOOD: usize = 256 * 1024;

/// Runs a body that needs child processes. When it returns, no thread and no process may be left, not even a zombie.
#[track_caller]
fn check(body: impl Fn(&Children) + Send + Sync + 'static) {
    Check::new().threads_only().run(move || body(&Children::new()));
}

/// The test binary itself, in one of the roles above.
fn job(children: &Children, role: &str, arguments: &[&str]) -> Job {
    Job {
        name: role.to_owned(),
        program: env::current_exe().unwrap(),
        arguments: arguments.iter().copied().map(str::to_owned).collect(),
        variables: children.variables(role).map(|(name, value)| (name.to_owned(), value)).into(),
        folder: None,
    }
}

/// On Linux, whatever is left when a body returns fails the test as a leak. Elsewhere a child that nobody ends shows here.
fn gone(children: &Children) {
    if cfg!(not(target_os = "linux")) {
        children.wait_until_gone();
    }
}
