//! Children play their roles, meet, and never outlive the test.

#[path = "child/elsewhere.rs"]
mod elsewhere;

use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::panic::{self, AssertUnwindSafe};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;

use kata::child::{Children, die_of, meet, roles, stop, tell};
use kata::{Check, on_threads, until_still};

roles!(answer, meeting, panicking, shouting, echo, dying, counting);

fn answer() -> i32 {
    tell(&env::args().skip(1).collect::<Vec<_>>().join("|"));
    42
}

fn meeting() -> i32 {
    meet("table");
    0
}

fn panicking() -> i32 {
    panic!("enough of this")
}

/// Writes until nobody listens any more.
fn shouting() -> i32 {
    let error = loop {
        if let Err(error) = io::stdout().write_all(b"hello\n") {
            break error;
        }
    };
    if error.kind() == io::ErrorKind::BrokenPipe { 5 } else { 6 }
}

fn echo() -> i32 {
    io::copy(&mut io::stdin(), &mut io::stdout()).map_or(1, |_| 0)
}

/// Also where whoever started the test ignores this signal, as `nohup` does.
fn dying() -> i32 {
    die_of(1)
}

/// Counts without end.
fn counting() -> i32 {
    meet("table");
    for number in 0_u64.. {
        if io::stdout().write_all(&number.to_le_bytes()).and_then(|()| io::stdout().flush()).is_err() {
            break;
        }
    }
    0
}

#[test]
fn a_child_gets_its_arguments_and_gives_its_exit_code() {
    on_threads(|| {
        let children = Children::new();
        let status = children.command("answer").args(["one", "two words"]).status().unwrap();
        assert_eq!(status.code(), Some(42));
        assert_eq!(children.wait_until_told(1), ["one|two words"]);
        children.wait_until_gone();
    });
}

#[test]
fn standard_streams_carry_nothing_but_what_the_role_writes() {
    on_threads(|| {
        let children = Children::new();
        let mut command = children.command("echo");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"hello").unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"hello"[..], &b""[..]));
    });
}

#[test]
fn children_meet_when_they_run_at_the_same_time() {
    Check::new().threads_only().run(|| {
        let children = Children::new();
        children.rendezvous("table", 2);
        let mut both = [(); 2].map(|()| children.command("meeting").spawn().unwrap());
        for child in &mut both {
            assert_eq!(child.wait().unwrap().code(), Some(0));
        }
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_stuck_test_says_where_its_children_stand() {
    let failure = panic::catch_unwind(AssertUnwindSafe(|| {
        on_threads(|| {
            let children = Children::new();
            children.command("meeting").status().unwrap();
        });
    }));
    let text = *failure.expect_err("nobody opens the table").downcast::<String>().expect("a check fails with a text");
    let line_of = |code: &str| include_str!("child.rs").lines().position(|line| line.trim() == code).unwrap() + 1;
    let test = format!("to end (child.rs:{})", line_of("children.command(\"meeting\").status().unwrap();"));
    let child = format!("waits for another thread (child.rs:{})", line_of("meet(\"table\");"));
    assert!(text.starts_with("timeout: ") && text.contains(&test) && text.contains(&child), "{text}");
    // Two of them: what the test support has of its own is nobody's business.
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn children_that_run_one_after_the_other_are_serialised() {
    let failure = panic::catch_unwind(AssertUnwindSafe(|| {
        on_threads(|| {
            let children = Children::new();
            children.rendezvous("table", 2);
            for _ in 0..2 {
                children.command("meeting").status().unwrap();
            }
        });
    }));
    let message = failure.expect_err("the first never meets the second");
    let message = message.downcast_ref::<String>().expect("a text");
    assert!(message.contains("serialised") && message.contains("`table`"), "{message}");
}

#[test]
fn a_child_waits_until_the_test_opens_the_place() {
    on_threads(|| {
        let children = Children::new();
        let mut child = children.command("meeting").spawn().unwrap();
        children.wait_for("table", 1);
        assert!(child.try_wait().unwrap().is_none());
        children.open("table");
        assert_eq!(child.wait().unwrap().code(), Some(0));
    });
}

#[test]
fn a_child_ends_itself_when_the_test_has_gone() {
    on_threads(|| {
        let children = Children::new();
        let mut child = children.command("meeting").spawn().unwrap();
        children.wait_for("table", 1);
        drop(children);
        assert_eq!(child.wait().unwrap().code(), Some(98));
    });
}

#[test]
fn a_panic_and_a_broken_pipe_are_as_in_any_program() {
    on_threads(|| {
        let children = Children::new();
        let output = children.command("panicking").output().unwrap();
        assert_eq!(output.status.code(), Some(101));
        assert!(String::from_utf8_lossy(&output.stderr).contains("enough of this"));
        let mut child = children.command("shouting").stdout(Stdio::piped()).spawn().unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0; 5]).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(5), "an error, and no signal");
    });
}

/// It would run these tests again, children and all.
#[test]
fn a_child_without_its_variables_does_not_run_the_tests() {
    on_threads(|| {
        let output = Command::new(env::current_exe().unwrap()).output().unwrap();
        assert_eq!((output.status.code(), &output.stdout[..]), (Some(97), &b""[..]));
        let output = Children::new().command("unheard of").output().unwrap();
        assert_eq!(output.status.code(), Some(97));
        if cfg!(target_os = "linux") {
            // What it gets as arguments may be what some test is called.
            let output = Command::new(env::current_exe().unwrap()).arg("child").env_clear().output().unwrap();
            assert_eq!((output.status.code(), &output.stdout[..]), (Some(97), &b""[..]));
        }
    });
}

/// Where the tests of several answers are one program, each has the same roles.
#[test]
fn each_test_file_has_roles_of_its_own() {
    on_threads(|| {
        let children = Children::new();
        let ends = [children.command("answer"), elsewhere::in_the_role_of_answer(&children)];
        let codes = ends.map(|mut child| child.status().unwrap().code());
        assert_eq!(codes, [Some(42), Some(43)]);
    });
}

#[test]
fn a_place_opens_when_nothing_moves_any_more() {
    on_threads(|| {
        let children = Children::new();
        children.open_when_still("table");
        assert_eq!(children.command("meeting").status().unwrap().code(), Some(0));
        // Where no child comes, it stays closed, and whoever waits for one is let go in the end.
        children.open_when_still("nowhere");
    });
}

#[test]
fn a_thread_of_the_test_meets_and_tells_as_a_child_does() {
    on_threads(|| {
        let children = Children::new();
        children.rendezvous("table", 2);
        let mut child = children.command("meeting").spawn().unwrap();
        children.meet("table");
        assert_eq!(child.wait().unwrap().code(), Some(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                children.meet("gate");
                children.tell("it is open");
            });
            children.wait_for("gate", 1);
            until_still();
            assert_eq!(children.told(), [""; 0], "whoever is there waits");
            children.open("gate");
        });
        assert_eq!(children.told(), ["it is open"]);
    });
}

#[test]
fn a_place_opens_after_something_else_was_done() {
    on_threads(|| {
        let children = Children::new();
        let (end, ends) = channel();
        children.open_after("table", move || ends.recv().unwrap());
        let mut child = children.command("meeting").spawn().unwrap();
        children.wait_for("table", 1);
        until_still();
        assert!(child.try_wait().unwrap().is_none(), "that is not done yet");
        end.send(()).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
    });
}

#[test]
fn a_place_opens_when_enough_has_been_told_or_the_test_is_serialised() {
    on_threads(|| {
        let children = Children::new();
        children.open_when_told("table", 2);
        children.tell("one");
        let mut child = children.command("meeting").spawn().unwrap();
        children.wait_for("table", 1);
        until_still();
        assert!(child.try_wait().unwrap().is_none(), "one is not enough");
        children.tell("two");
        assert_eq!(child.wait().unwrap().code(), Some(0));
    });
    let failure = panic::catch_unwind(AssertUnwindSafe(|| {
        on_threads(|| {
            let children = Children::new();
            children.open_when_told("table", 1);
            children.command("meeting").status().unwrap();
        });
    }));
    let message = failure.expect_err("nobody tells anything");
    let message = message.downcast_ref::<String>().expect("a text");
    assert!(message.contains("serialised") && message.contains("`table`"), "{message}");
}

#[test]
#[cfg(unix)]
fn a_child_dies_of_a_signal_and_one_that_is_stopped_stands_still() {
    use std::os::unix::process::ExitStatusExt;

    on_threads(|| {
        let children = Children::new();
        assert_eq!(children.command("dying").status().unwrap().signal(), Some(1));

        let mut child = children.command("counting").stdout(Stdio::piped()).spawn().unwrap();
        let mut numbers = child.stdout.take().unwrap();
        let mut next = || {
            let mut bytes = [0; 8];
            numbers.read_exact(&mut bytes).map(|()| u64::from_le_bytes(bytes))
        };
        children.open("table");
        assert_eq!(next().unwrap(), 0);
        let stopped = stop(&child).unwrap();
        if cfg!(target_os = "linux") {
            let state = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
            assert!(state.contains(") T "), "it is not stopped: {state}");
        }
        drop(stopped);
        // More than a pipe holds, so it goes on.
        assert_eq!((1..20_000).map(|_| next().unwrap()).last(), Some(19_999));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(stop(&child).is_none(), "it has gone");
    });
}
