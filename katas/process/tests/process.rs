//! The contract of the kata `process`, sentence by sentence. `README.md` has the same list.
//!
//! The children are this program again, in the roles at the end of the file. Where one stands still, or ends, is a row of a
//! table: an `actor` does what its arguments say.

// In the stub a process has no `Drop` yet.
#![allow(clippy::drop_non_drop)]

use std::cell::Cell;
use std::env;
#[cfg(unix)]
use std::ffi::OsStr;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
#[cfg(unix)]
use std::os::unix::ffi::OsStrExt;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::thread;
use std::time::{Duration, Instant};

use ::process::{Captured, End, Job, Process, capture};
use kata::child::{self, Children, die_of, meet, roles, tell};
use kata::{Check, ENDLESS, is_done_at_once, keeps_to_limit, situation, until, until_still};

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is
/// compared with. And only an enum has variants to import.
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
        #[rustfmt::skip]
        let arguments = [
            "two words", "", "a \"quoted\" one", "$HOME", "*", "a;b", "back\\slash", "한글", " ", "two\nlines", "--", "--flag=1",
            "--flag=1", "\"all quoted\"",
        ];
        let mut job = job(children, "report", &arguments);
        // The last one is there already, with another value.
        let inherited = env::vars_os().find_map(|(name, _)| name.into_string().ok()).unwrap();
        let values = [("GREETING", " good day\n"), ("EMPTY", ""), ("Equal_Sign", "a=b"), (&inherited, "of the job")];
        job.variables.extend(values.map(|(name, value)| (name.to_owned(), value.to_owned())));
        if cfg!(unix) {
            // There, capital letters tell one variable from another.
            job.variables.push(("Path".to_owned(), "not what programs are searched in".to_owned()));
        }
        let other_folder = env::current_exe().unwrap().parent().unwrap().canonicalize().unwrap();
        let own_folder = env::current_dir().unwrap().canonicalize().unwrap();
        for (nth, (name, folder)) in [(NAME, Some(other_folder)), ("", None)].into_iter().enumerate() {
            job.folder = folder.clone();
            job.name = name.to_owned();
            let mut process = Process::start(&job).unwrap();
            assert_eq!(process.name(), name);
            assert_eq!(process.join(), End::Code(0));
            let told = children.wait_until_told(3 * (nth + 1));
            let [told_arguments, told_folder, variables] = &told[3 * nth..] else { unreachable!("three things") };
            assert_eq!(*told_arguments, format!("{arguments:?}"), "the child's arguments");
            assert_eq!(
                *told_folder,
                folder.as_ref().unwrap_or(&own_folder).display().to_string(),
                "the child's folder"
            );
            for variable in values.map(|variable| format!("{variable:?}")) {
                assert!(variables.contains(&variable), "the child has not got the variable {variable}");
            }
            for variable in env::vars_os().filter(|(name, _)| job.variables.iter().all(|(own, _)| name != &**own)) {
                assert!(
                    variables.contains(&format!("{variable:?}")),
                    "the child has not inherited the variable {variable:?}"
                );
            }
        }
        #[cfg(unix)]
        {
            situation("the program is a name that is searched in `PATH`");
            let arguments = ["-c", "exit 7"].map(str::to_owned).into();
            let job = Job { program: PathBuf::from("sh"), arguments, ..job };
            assert_eq!(Process::start(&job).unwrap().join(), MET);
            for (what, name) in [("value", &b"NO_TEXT"[..]), ("name", b"NO_TEXT\xff")] {
                situation(format!(
                    "a parent has a variable whose {what} is no text, and captures a child that needs it"
                ));
                let mut parent = children.command("parent");
                let parent =
                    parent.args(["need NO_TEXT", "exit 7"]).env(OsStr::from_bytes(name), OsStr::from_bytes(b"\xff"));
                assert!(parent.status().unwrap().success(), "the child has not inherited that variable");
            }
            for what in CHANGES {
                situation(format!("a parent starts and captures a child, then {what}, and it does so again"));
                let [own, other] = ["heir", "heir's other"].map(Folder::new);
                let mut parent = children.command("heir");
                parent.args([what, &other.0.canonicalize().unwrap().display().to_string()]);
                parent.current_dir(&own.0).env("PWD", "its own").env("SHLVL", "its own");
                assert!(parent.status().unwrap().success(), "the second child has not got what is so now");
            }
        }
        // Elsewhere a file's name has to be text.
        #[cfg(target_os = "linux")]
        {
            situation(
                "program and folder have names that are no text, and a program of the name `sh` is in that folder",
            );
            let folder = Folder::new(OsStr::from_bytes(b"process \xff"));
            let program = folder.0.join(OsStr::from_bytes(b"\xff"));
            for program in [&program, &folder.0.join("sh")] {
                std::os::unix::fs::symlink(env::current_exe().unwrap(), program).unwrap();
            }
            let (before, folder) = (children.told().len(), Some(folder.0.canonicalize().unwrap()));
            let reports = Job { program, folder: folder.clone(), ..self::job(children, "report", &[]) };
            assert_eq!(Process::start(&reports).unwrap().join(), End::Code(0));
            let told_folder = children.wait_until_told(before + 3).swap_remove(before + 1);
            assert_eq!(
                Some(told_folder),
                folder.as_ref().map(|folder| folder.display().to_string()),
                "the child's folder"
            );
            let arguments = ["-c", "exit 7"].map(str::to_owned).into();
            let searched = Job { program: PathBuf::from("sh"), folder, ..self::job(children, "actor", &["exit 3"]) };
            let searched = Job { arguments, ..searched };
            assert_eq!(Process::start(&searched).unwrap().join(), MET, "the program was to be searched in `PATH`");
            situation("a file of the name `sh` is in the folder of the parent");
            let folder = Folder::new("parent");
            fs::write(folder.0.join("sh"), "").unwrap();
            let parent = children.command("searching").current_dir(&folder.0).status().unwrap();
            assert!(parent.success(), "the program was to be searched in `PATH`");
            situation("a file of the name `sh` that is no program is in the first folder of `PATH`");
            let path = env::var_os("PATH").unwrap_or("/bin".into());
            let path = env::join_paths([folder.0.clone()].into_iter().chain(env::split_paths(&path))).unwrap();
            let parent = children.command("searching").env("PATH", path).status().unwrap();
            assert!(parent.success(), "the program was to be searched in the rest of `PATH`");
        }
    });
}

/// A way to learn how a process has ended.
type Way = fn(&mut Process) -> Option<End>;
/// Something that a process goes through.
type Moment = fn(&Children, &mut Process);

#[test]
fn a_process_ends_with_a_code_or_by_a_signal() {
    check(|children| {
        let ways: [(&str, Way); 6] = [
            ("`join`", |process| Some(process.join())),
            ("`join_timeout`", |process| process.join_timeout(LONG)),
            ("`join_timeout` with a limit of zero, again and again,", |process| {
                let mut end = None;
                until(|| {
                    end = process.join_timeout(Duration::ZERO);
                    end.is_some()
                });
                end
            }),
            ("`terminate`", |process| Some(process.terminate(LONG))),
            ("`is_alive`", |process| {
                wait_until_ended(process);
                Some(process.terminate(Duration::ZERO))
            }),
            ("`is_alive`, with `join_timeout` after it,", |process| {
                wait_until_ended(process);
                process.join_timeout(Duration::ZERO)
            }),
        ];
        for (how, end) in ends() {
            // Who asks first may be somebody else for each kind of end: by itself, by a crash, by a signal.
            let first_to_ask = if ["exit 3", "abort", "die 15"].contains(&how) { ways.len() } else { 1 };
            for (nth, (who, ask)) in ways.into_iter().enumerate().take(first_to_ask) {
                situation(format!("{}, and {who} is the first to ask", story(&[how])));
                let mut process = Process::start(&actor_job(children, &[how])).unwrap();
                assert_eq!(ask(&mut process), Some(end), "how the child ended");
                assert!(!process.is_alive(), "the child has ended");
                for (who, ask) in ways.into_iter().cycle().skip(nth).take(ways.len()) {
                    assert_eq!(ask(&mut process), Some(end), "the same, asked again by {who}");
                }
                assert_eq!(process.join_timeout(Duration::ZERO), Some(end), "the same, asked once more");
            }
        }
        situation("the child has ended by itself, nobody knows, and `terminate` without a grace is the first to ask");
        let mut process = Process::start(&actor_job(children, &["tell its last words", "exit 3"])).unwrap();
        children.wait_until_told(1);
        children.wait_until_gone();
        until_still();
        for asked in ["how the child ended", "the same, asked again"] {
            assert_eq!(process.terminate(Duration::ZERO), End::Code(3), "{asked}");
        }
    });
}

#[test]
fn a_process_that_cannot_be_started_is_an_error_that_names_it() {
    check(|children| {
        let job = || Job { name: "a name".to_owned(), ..job(children, "actor", &["exit 0"]) };
        let mistakes: [(&str, Job); 10] = [
            ("there is no such program", Job { program: PathBuf::from("no-such-program"), ..job() }),
            ("the program's name has quotes", Job { program: PathBuf::from("no \"such\" program"), ..job() }),
            ("only its name is in `PATH`", Job { program: PathBuf::from("no-such-folder/sh"), ..job() }),
            ("it is in `PATH`, and not in this folder", Job { program: PathBuf::from("./sh"), ..job() }),
            ("the program is a folder", Job { program: env::current_dir().unwrap(), ..job() }),
            ("there is no such folder", Job { folder: Some(PathBuf::from("no-such-folder")), ..job() }),
            ("the folder is a file", Job { folder: Some(env::current_exe().unwrap()), ..job() }),
            ("the folder has no name", Job { folder: Some(PathBuf::new()), ..job() }),
            ("an argument has a zero byte", Job { arguments: vec!["a\0b".to_owned()], ..job() }),
            ("a variable has a zero byte", Job { variables: vec![("A".to_owned(), "a\0b".to_owned())], ..job() }),
        ];
        for (what, job) in mistakes {
            situation(what);
            let mut command = Command::new(&job.program);
            if let Some(folder) = &job.folder {
                command.current_dir(folder);
            }
            command.args(&job.arguments).envs(job.variables.iter().map(|(name, value)| (name, value)));
            let kind = command.spawn().map(drop).unwrap_err().kind();
            let program = job.program.display().to_string();
            let captures = [LONG, Duration::ZERO].map(|limit| capture(&job, limit).map(drop));
            for outcome in captures.into_iter().chain([Process::start(&job).map(drop)]) {
                let error = outcome.unwrap_err();
                assert_eq!(error.kind(), kind, "the system's kind of error: {error}");
                assert!(error.to_string().contains(&program), "{program} is not named in the error: {error}");
            }
        }
    });
}

#[test]
fn processes_run_at_the_same_time() {
    check(|children| {
        children.rendezvous("table", 2);
        let job = actor_job(children, &["meet table", "exit 7"]);
        let mut first = Process::start(&job).unwrap();
        let mut second = Process::start(&job).unwrap();
        assert_eq!([first.join(), second.join()], [MET; 2]);
        situation("more processes at once than most machines have processors");
        children.rendezvous("long table", MANY);
        let job = actor_job(children, &["meet long table", "exit 7"]);
        let mut processes: Vec<Process> = (0..MANY).map(|_| Process::start(&job).unwrap()).collect();
        assert!(processes.iter_mut().all(|process| process.join() == MET));
    });
}

#[test]
fn what_happens_to_one_process_changes_nothing_for_another() {
    check(|children| {
        let twin = |actions: &[&str]| Process::start(&actor_job(children, actions)).unwrap();
        let mut waiting = twin(&["meet gate", "exit 7"]);
        let mut ended = twin(&["exit 3"]);
        wait_until_ended(&mut ended);
        assert!(waiting.is_alive(), "another process of that name has ended");
        assert_eq!([ended.join_timeout(LONG), waiting.join_timeout(MOMENT)], [Some(End::Code(3)), None]);
        drop(ended);
        assert_eq!(twin(&["meet never"]).terminate(Duration::ZERO), KILLED);
        assert_eq!(capture(&actor_job(children, &["exit 5"]), LONG).unwrap().end, End::Code(5));
        assert!(waiting.is_alive(), "others of that name have been dropped, terminated and captured");
        children.open("gate");
        assert_eq!(waiting.join(), MET);
        situation("two processes of one name listen, and only one is terminated");
        let [mut first, mut second] =
            ["first", "second"].map(|who| twin(&["listen", &format!("tell {who} is asked"), "meet never"]));
        until_still();
        assert_eq!(children.told(), [""; 0], "nobody has called `terminate` yet");
        assert_eq!(first.terminate(MOMENT), KILLED);
        until_still();
        assert!(
            !children.told().contains(&"second is asked".to_owned()),
            "another process of that name was terminated"
        );
        assert!(second.is_alive(), "another process of that name was terminated");
        drop((first, second));
        situation("the first of two processes is dropped, and the second one is terminated");
        let [first, mut second] = [twin(&["listen", "exit 5"]), twin(&["listen", "exit 5"])];
        drop(first);
        assert_eq!(second.terminate(LONG), End::Code(5), "a child that ends when its standard input is closed");
        type Waits = fn(&Job) -> End;
        let waits: [(&str, Waits); 4] = [
            ("joined", |job| Process::start(job).unwrap().join()),
            ("joined with a limit", |job| Process::start(job).unwrap().join_timeout(LONG).unwrap()),
            ("terminated", |job| Process::start(job).unwrap().terminate(LONG)),
            ("captured", |job| capture(job, LONG).unwrap().end),
        ];
        for (what, wait) in waits {
            situation(format!("one process is {what}, and meanwhile others live and end"));
            let hall = format!("hall where one is {what}");
            let waited_for = actor_job(children, &[&format!("meet {hall}"), "exit 7"]);
            thread::scope(|scope| {
                let waited_for = scope.spawn(move || wait(&waited_for));
                children.wait_for(&hall, 1);
                until_still();
                let others = scope.spawn(|| {
                    let mut other = twin(&["meet never"]);
                    assert!(other.is_alive(), "another process is {what}");
                    assert_eq!(other.join_timeout(MOMENT), None);
                    assert_eq!(other.terminate(MOMENT), KILLED);
                    drop(other);
                    assert_eq!(twin(&["exit 3"]).join(), End::Code(3));
                    captures(children, &["out 11", "exit 5"], End::Code(5));
                });
                let others = others.join();
                // Also if that failed: the first one has to come to its end.
                children.open(&hall);
                assert_eq!(waited_for.join().unwrap(), MET);
                others.unwrap_or_else(|panic| panic::resume_unwind(panic));
            });
        }
        situation("one process is captured, and meanwhile another one of that name");
        thread::scope(|scope| {
            let first = ["out 10", "err 300", "meet door", "err 14", "exit 7"];
            let first = scope.spawn(move || captures(children, &first, MET));
            children.wait_for("door", 1);
            // Whoever reads what the first one has written has read it.
            until_still();
            let second = scope.spawn(|| captures(children, &["err 11", "out 300", "exit 5"], End::Code(5))).join();
            // Also if that failed: the first one has to come to its end.
            children.open("door");
            for outcome in [second, first.join()] {
                outcome.unwrap_or_else(|panic| panic::resume_unwind(panic));
            }
        });
        situation("many processes of one name are captured at the same time, and each writes something else");
        children.rendezvous("crowd", CROWD);
        thread::scope(|scope| {
            for nth in 0..CROWD {
                let [before, after] = [format!("out {}", 100 + nth), format!("err {}", 200 + nth)];
                scope.spawn(move || {
                    captures(children, &[&before, &after, "meet crowd", &after, &before, "exit 7"], MET)
                });
            }
        });
    });
}

#[test]
fn a_process_is_alive_until_it_has_ended() {
    check(|children| {
        for (how, end) in ends().into_iter().step_by(2) {
            situation(story(&["meet gate", how]));
            let gate = format!("gate before {how}");
            let mut process = Process::start(&actor_job(children, &[&format!("meet {gate}"), how])).unwrap();
            assert!(process.is_alive(), "the child has just been started");
            children.wait_for(&gate, 1);
            assert!((0..3).all(|_| process.is_alive()), "the child waits at a gate, so it is alive");
            assert_eq!(process.join_timeout(Duration::ZERO), None, "the gate is closed");
            assert!(process.is_alive(), "nobody has ended the child");
            children.open(&gate);
            // It ends by itself, and nobody joins it.
            wait_until_ended(&mut process);
            assert!(!process.is_alive(), "asked again");
            assert_eq!(process.join(), end);
            assert!(!process.is_alive(), "asked after `join`");
        }
    });
}

#[test]
fn join_timeout_waits_for_the_limit_at_most() {
    check(|children| {
        let mut process = Process::start(&actor_job(children, &["meet gate", "exit 7"])).unwrap();
        keeps_to_limit(|limit| assert_eq!(process.join_timeout(limit), None, "the gate is closed"));
        assert_eq!(process.join_timeout(Duration::ZERO), None, "the gate is still closed");
        situation("a limit shorter than a millisecond, and again, as often as one likes");
        for _ in 0..50 {
            waits_for_no_less(Duration::from_micros(900), |limit| assert_eq!(process.join_timeout(limit), None));
        }
        assert!(process.is_alive(), "nobody has ended the child");
        children.open_when_still("gate");
        assert_eq!(process.join_timeout(LONG), Some(MET), "the gate opens, so the child ends by itself");
        assert_eq!(process.join_timeout(Duration::ZERO), Some(MET), "the same, asked again");
        situation(WITHOUT_LIMIT);
        let mut process = Process::start(&actor_job(children, &["meet door", "exit 7"])).unwrap();
        children.open_when_still("door");
        assert_eq!(process.join_timeout(Duration::MAX), Some(MET), "the door opens, so the child ends by itself");
        for limit in [LONG, ENDLESS[0], ENDLESS[1]] {
            situation(format!("the child ends at once, and the limit is {limit:?}"));
            let start = || Process::start(&actor_job(children, &["exit 7"])).unwrap();
            is_done_at_once(start, |mut process| {
                assert_eq!(process.join_timeout(limit), Some(MET), "no limit is too long");
            });
        }
    });
}

#[test]
fn nobody_but_terminate_asks_a_process_to_end() {
    check(|children| {
        let waits: [(&str, Moment); 4] = [
            ("`start`", |_, _| {}),
            ("`is_alive`", |_, process| assert!(process.is_alive())),
            ("`join_timeout`", |_, process| assert_eq!(process.join_timeout(MOMENT), None)),
            ("`join_timeout` again", |_, process| assert_eq!(process.join_timeout(MOMENT), None)),
        ];
        let joins: [(&str, Moment); 3] = [
            ("`join`", |_, process| assert_eq!(process.join(), MET)),
            ("`join_timeout` with a long limit", |_, process| assert_eq!(process.join_timeout(LONG), Some(MET))),
            ("`join_timeout` without a limit", |_, process| assert_eq!(process.join_timeout(Duration::MAX), Some(MET))),
        ];
        for (nth, last) in joins.into_iter().enumerate() {
            let gate = format!("gate {nth}");
            let job = actor_job(children, &["listen aside", &format!("meet {gate}"), "exit 7"]);
            // Whoever starts a process may have ended before it.
            let mut process = thread::scope(|scope| scope.spawn(|| Process::start(&job).unwrap()).join().unwrap());
            children.wait_for(&gate, 1);
            for (who, wait) in waits.into_iter().chain([last]) {
                situation(format!("nobody has called `terminate` yet, only {who}"));
                let told = || assert_eq!(children.told(), [""; 0], "the child's standard input has come to its end");
                until_still();
                told();
                if who == last.0 {
                    children.open_when_still(&gate);
                }
                wait(children, &mut process);
                told();
            }
        }
    });
}

#[test]
fn terminate_asks_first_and_kills_after_the_grace() {
    check(|children| {
        let start = |actions: &[&str]| Process::start(&actor_job(children, actions)).unwrap();
        for grace in [LONG, Duration::MAX] {
            situation("the child ends when it is asked");
            let mut polite = start(&["listen", "tell goodbye", "exit 5"]);
            assert!(polite.is_alive(), "nobody has asked the child to end");
            assert_eq!(polite.join_timeout(MOMENT), None, "nobody has asked the child to end");
            assert_eq!(polite.terminate(grace), End::Code(5), "a child that ends when its standard input is closed");
            assert_eq!(children.told().last().map(String::as_str), Some("goodbye"), "what it says then");
            assert!(!polite.is_alive());
            assert_eq!(polite.terminate(grace), End::Code(5), "the same, asked again");
        }
        situation("the child, when it is asked, still has something to do");
        for (desk, grace) in [("desk", LONG), ("counter", Duration::MAX)] {
            let mut busy = start(&["listen", &format!("meet {desk}"), "exit 5"]);
            children.open_when_still(desk);
            assert_eq!(busy.terminate(grace), End::Code(5), "it had time enough: {grace:?}");
        }
        situation("one thread starts the child, and another one terminates it");
        let elsewhere = |mut child: Process, grace| {
            thread::scope(|scope| scope.spawn(move || child.terminate(grace)).join()).unwrap()
        };
        let end = elsewhere(start(&["listen", "exit 5"]), LONG);
        assert_eq!(end, End::Code(5), "a child that ends when its standard input is closed");
        assert_eq!(elsewhere(start(&["meet gate"]), MOMENT), KILLED, "a child that never ends");
        let lives: [(&[&str], Duration, End); 4] = [
            (&["listen", "exit 5"], LONG, End::Code(5)),
            (&["meet gate"], Duration::ZERO, KILLED),
            (&["meet gate"], MOMENT, KILLED),
            (&["listen", "meet gate"], MOMENT, KILLED),
        ];
        for (actions, grace, expected) in lives {
            situation(format!(
                "a destructor terminates the child with a grace of {grace:?}, while its thread panics, and {}",
                story(actions)
            ));
            let mut end = None;
            let mut child = start(actions);
            let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
                let _ends = AtTheEnd(|| end = Some(child.terminate(grace)));
                panic!("{PANICS}");
            }));
            passed_on(outcome);
            assert_eq!(end, Some(expected), "how the child ended");
            assert!(!child.is_alive());
            assert_eq!(child.terminate(LONG), expected, "the same, asked again");
        }
        for actions in [&["meet gate"][..], &["listen", "meet gate"]] {
            for grace in [Duration::ZERO, MOMENT] {
                situation(format!("{} for ever, and the grace is {grace:?}", story(actions)));
                let mut stubborn = start(actions);
                assert_eq!(stubborn.terminate(grace), KILLED, "a child that never ends");
                assert!(!stubborn.is_alive());
                assert_eq!(stubborn.terminate(LONG), KILLED, "the same, asked again");
            }
        }
        situation("the child ends at once when it is asked");
        let listens = || start(&["listen", "exit 5"]);
        is_done_at_once(listens, |mut process| assert_eq!(process.terminate(LONG), End::Code(5)));
        situation("the child never ends");
        keeps_to_limit(|grace| assert_eq!(start(&["meet gate"]).terminate(grace), KILLED));
        let mut stubborn = start(&["meet gate"]);
        // How long it has lived before takes nothing off its grace.
        assert_eq!(stubborn.join_timeout(HALF_A_SECOND / 4), None, "a child that never ends");
        waits_for_no_less(HALF_A_SECOND, |grace| assert_eq!(stubborn.terminate(grace), KILLED));
    });
}

#[test]
fn no_process_outlives_its_owner() {
    check(|children| {
        let (stays, ends) = (["fat", "meet gate"], ["exit 3"]);
        let lives: [(&str, &[&str], Moment); 8] = [
            ("it has just been started", &stays, |_, _| {}),
            ("it runs", &stays, |children, _| children.wait_for("gate", 1)),
            ("it runs, and the limit of `join_timeout` was over", &stays, |_, process| {
                assert_eq!(process.join_timeout(MOMENT), None);
            }),
            ("it runs, and was seen to be alive", &stays, |_, process| assert!(process.is_alive())),
            ("it runs, and would not listen", &["listen", "fat", "meet gate"], |_, _| {}),
            ("it has ended by itself, and nobody knows", &ends, |_, _| until_still()),
            ("it has ended, and was seen to", &ends, |_, process| wait_until_ended(process)),
            ("it was terminated", &stays, |_, process| assert_eq!(process.terminate(Duration::ZERO), KILLED)),
        ];
        for (when, actions, live) in lives {
            for (how, panics, elsewhere) in [
                ("it is dropped", false, false),
                ("its owner panics", true, false),
                ("another thread gets it, and drops it", false, true),
                ("another thread gets it, and panics", true, true),
            ] {
                situation(format!("a process, and {when}; then {how}"));
                let job = actor_job(children, actions);
                let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
                    let mut process = Process::start(&job).unwrap();
                    live(children, &mut process);
                    let owner = move || {
                        let _process = process;
                        assert!(!panics, "{PANICS}");
                    };
                    if elsewhere {
                        let outcome = thread::scope(|scope| scope.spawn(owner).join());
                        outcome.unwrap_or_else(|panic| panic::resume_unwind(panic));
                    } else {
                        owner();
                    }
                }));
                passed_on(outcome);
                Children::none_is_left();
            }
        }
        situation("a thread that ends has kept a process among its thread-locals");
        thread_local! { static KEPT: Cell<Option<Process>> = const { Cell::new(None) } }
        let job = actor_job(children, &["meet gate"]);
        let owner = move || {
            // Now, so that it is the last of the thread's to be dropped.
            KEPT.set(None);
            KEPT.set(Some(Process::start(&job).unwrap()));
        };
        thread::spawn(owner).join().unwrap();
        Children::none_is_left();
        situation("ten processes that run are dropped: they are to be killed, and get no grace");
        let mut told = children.told().len();
        let ten = || {
            let job = actor_job(children, &["tell ready", "listen", "meet gate"]);
            let ten: Vec<Process> = (0..10).map(|_| Process::start(&job).unwrap()).collect();
            told += ten.len();
            // On a busy machine, those that are about to start would keep from dying those that were killed.
            children.wait_until_told(told);
            ten
        };
        is_done_at_once(ten, drop);
        children.wait_until_gone();
    });
}

/// Does something when it is dropped.
struct AtTheEnd<F: FnMut()>(F);

impl<F: FnMut()> Drop for AtTheEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A panic that was not the test's own plan goes on.
fn passed_on(outcome: thread::Result<()>) {
    if let Err(panic) = outcome
        && panic.downcast_ref::<String>().is_none_or(|text| text != PANICS)
    {
        panic::resume_unwind(panic);
    }
}

/// What an owner says that panics.
const PANICS: &str = "the owner of a process panics";

#[test]
fn a_process_writes_where_its_parent_writes() {
    check(|children| {
        // Linux names what is open: a pipe, a file, a terminal. Elsewhere there is nothing to compare.
        let mut process = Process::start(&actor_job(children, &["outputs"])).unwrap();
        assert_eq!(process.join(), End::Code(0));
        assert_eq!(children.wait_until_told(1), [outputs()], "where standard output and standard error go");
    });
}

#[test]
fn capture_keeps_all_that_a_process_writes() {
    check(|children| {
        for (how, end) in ends() {
            captures(children, &["out 1", "err 300", "out 10", how], end);
        }
        for actions in [&[][..], &["err 14"], &["out 11"]] {
            captures(children, actions, End::Code(0));
        }
        situation("a parent captures, whose own standard input has something in it");
        // Written before anybody could be gone who reads it.
        let (input, mut text) = io::pipe().unwrap();
        text.write_all(b"for the parent").unwrap();
        drop(text);
        let mut parent = children.command("parent").args(["listen", "exit 7"]).stdin(input).spawn().unwrap();
        assert!(parent.wait().unwrap().success(), "a captured child's standard input is empty");
        // A pipe holds some 64 KiB, so whoever reads one stream to its end before the other waits for a child that waits.
        let full = ["err 262144", "out 262144", "err 262144", "exit 0"];
        let orders: [&[&str]; 5] = [
            &["out 65536", "err 65537", "exit 0"],
            &full,
            &["out 262144", "err 262144", "exit 3"],
            &["listen", "out 262144", "err 1", "out 262144", "exit 0"],
            &["out 20000000", "err 20000000", "exit 0"],
        ];
        for actions in orders {
            captures(children, actions, if actions.contains(&"exit 3") { End::Code(3) } else { End::Code(0) });
        }
        situation(WITHOUT_LIMIT);
        children.open_when_still("door");
        let job = actor_job(children, &["meet door", "exit 7"]);
        assert_eq!(capture(&job, Duration::MAX).unwrap().end, MET, "the door opens, so the child ends by itself");
        for limit in ENDLESS {
            situation(format!("the child ends at once, and the limit is {limit:?}"));
            let job = actor_job(children, &["exit 7"]);
            is_done_at_once(|| (), |()| assert_eq!(capture(&job, limit).unwrap().end, MET));
        }
    });
}

/// Captures a child that ends by itself. Its name is for us, and anything will do.
fn captures(children: &Children, actions: &[&str], end: End) {
    situation(story(actions));
    let job = Job { name: NAME.to_owned(), ..actor_job(children, actions) };
    let captured = capture(&job, LONG).unwrap();
    assert_eq!(captured.end, end);
    written(&captured, actions);
}

/// Whether all that was written is there. Not `assert_eq`: nobody could read it.
#[track_caller]
fn written(captured: &Captured, actions: &[&str]) {
    for (name, stream, found) in [("output", "out ", &captured.stdout), ("error", "err ", &captured.stderr)] {
        let lengths = actions.iter().filter_map(|action| action.strip_prefix(stream)?.parse().ok());
        let expected = Vec::from_iter(lengths.map(words)).concat();
        if *found != expected {
            let same = found.iter().zip(&expected).take_while(|(found, expected)| found == expected).count();
            let (length, all) = (found.len(), expected.len());
            panic!("of {all} bytes on standard {name} there are {length}, and the first {same} are the right ones");
        }
    }
}

#[test]
fn capture_waits_for_the_end_and_not_for_silence() {
    check(|children| {
        // Long enough for a shell to close something, even on a busy machine.
        let limit = Duration::from_millis(200);
        for (what, closing) in
            [("output and error", SILENCE), ("output", "exec >/dev/null"), ("error", "exec 2>/dev/null")]
        {
            situation(format!("the child closes its standard {what}, and runs on"));
            let gate = format!("gate without {what}");
            let job = silent(actor_job(children, &[&format!("meet {gate}"), "exit 7"]), closing);
            children.open_when_still(&gate);
            assert_eq!(capture(&job, LONG).unwrap().end, MET);
            situation(format!("the child closes its standard {what}, and runs for ever"));
            let job = silent(actor_job(children, &["meet never"]), closing);
            assert_eq!(capture(&job, limit).unwrap().end, KILLED);
        }
        // Elsewhere nobody else gets at the outputs of a child.
        #[cfg(target_os = "linux")]
        {
            situation("the child ends in time, and somebody else still holds its outputs when the limit is up");
            let mut limit = Duration::from_millis(100);
            while !ends_in_time(children, limit) {
                limit *= 2;
            }
        }
        situation("the child closes its outputs when most of the limit is over, and runs for ever");
        let (mut limit, mut too_late) = (Duration::from_millis(160), 0);
        for nth in 1.. {
            let news = format!("silent within {limit:?}, trial {nth}");
            let job = actor_job(children, &[&format!("tell {news}"), "meet never"]);
            // It takes time, and that is all that it does.
            let job = silent(job, &format!("sleep {:.2}; {SILENCE}", limit.as_secs_f64() * 0.75));
            let start = Instant::now();
            assert_eq!(capture(&job, limit).unwrap().end, KILLED);
            let took = start.elapsed();
            // It may have been killed before it was silent, on a slow machine. Then that was no trial, and it gets more time.
            let was_silent = children.told().contains(&news);
            if was_silent && took < limit * 17 / 10 {
                return;
            }
            too_late += u32::from(was_silent);
            assert!(too_late < 4, "it waited for nearly twice the limit, {too_late} times");
            if !was_silent || limit < HALF_A_SECOND {
                limit *= 2;
            }
        }
    });
}

/// Captures a child that ends in time, though its outputs stay open for longer than that. `false` if it did not: on a slow machine it
/// may have been killed before.
#[cfg(target_os = "linux")]
fn ends_in_time(children: &Children, limit: Duration) -> bool {
    let (news, gate) = (format!("with {limit:?} I am"), format!("gate within {limit:?}"));
    let job = actor_job(children, &[&format!("number {news}"), &format!("meet {gate}"), "exit 3"]);
    thread::scope(|scope| {
        let start = Instant::now();
        let capturing = scope.spawn(|| capture(&job, limit).unwrap().end);
        let number = || children.told().iter().find_map(|told| Some(told.strip_prefix(&news)?.trim().to_owned()));
        until(|| number().is_some() || capturing.is_finished());
        let Some(number) = number() else { return capturing.join().unwrap() != KILLED };
        let child = PathBuf::from("/proc").join(number);
        // Opened for reading, too: that never waits.
        let held = ["fd/1", "fd/2"].map(|output| File::options().read(true).write(true).open(child.join(output)));
        children.open(&gate);
        // Nobody has to ask first how it ended: it may be a zombie.
        let has_ended = || fs::read_to_string(child.join("stat")).map_or(true, |stat| stat.contains(") Z "));
        until(has_ended);
        let in_time = start.elapsed() < limit;
        thread::sleep(limit.saturating_sub(start.elapsed()));
        until_still();
        drop(held);
        let end = capturing.join().unwrap();
        assert!(!in_time || end == End::Code(3), "the child ended in time, with code 3, and `capture` says {end:?}");
        in_time
    })
}

/// What a shell does to close both outputs.
const SILENCE: &str = "exec >/dev/null 2>&1";

/// The same, with its outputs closed before it begins, as a shell writes it.
fn silent(job: Job, closing: &str) -> Job {
    if !cfg!(unix) {
        return job;
    }
    let script = format!("{closing}; exec \"$0\" \"$@\"");
    let program = job.program.display().to_string();
    let arguments = ["-c".to_owned(), script, program].into_iter().chain(job.arguments).collect();
    Job { program: PathBuf::from("/bin/sh"), arguments, ..job }
}

#[test]
fn capture_kills_a_process_that_never_ends() {
    check(|children| {
        let flood = ["out 262144", "err 262144"];
        let lives: [&[&str]; 5] = [&[], &["out 11"], &["err 14"], &["out 1", "err 11", "out 10"], &flood];
        for actions in lives {
            situation(story(&[actions, &["meet gate"]].concat()) + " for ever");
            let mut limit = MOMENT;
            loop {
                // Each tells something of its own: what an earlier one has told may arrive only now.
                let news = format!("{actions:?} within {limit:?}");
                let job = actor_job(children, &[actions, &[&format!("tell {news}"), "meet never"]].concat());
                let captured = capture(&job, limit).unwrap();
                Children::none_is_left();
                assert_eq!(captured.end, KILLED);
                // It may have been killed before it could write, on a slow machine. Then it gets more time.
                if children.told().contains(&news) {
                    written(&captured, actions);
                    break;
                }
                limit *= 2;
            }
        }
        situation("the child writes byte after byte for ever, and notes each one when it is written");
        let mut limit = MOMENT;
        // In a hurry it fills whatever is between itself and its parent, and stands still until that is emptied.
        for micros in ["0", "5", "20"].into_iter().cycle().take(45) {
            loop {
                let folder = Folder::new(format!("process {} notes", process::id()));
                let job = job(children, "scribe", &[micros, &folder.0.display().to_string()]);
                let captured = capture(&job, limit).unwrap();
                assert_eq!(captured.end, KILLED);
                let mut noted = [0; 2];
                for notes in (0..HANDS).map(notes_of) {
                    for (noted, notes) in noted.iter_mut().zip(notes) {
                        *noted += fs::metadata(folder.0.join(notes)).map_or(0, |notes| notes.len() as usize);
                    }
                }
                for (stream, found, noted) in
                    [("output", &captured.stdout, noted[0]), ("error", &captured.stderr, noted[1])]
                {
                    assert!(found.iter().all(|byte| *byte == b'.'), "other bytes on standard {stream}");
                    let length = found.len();
                    assert!(length >= noted, "it wrote {noted} bytes to standard {stream}, and {length} are there");
                }
                // It may have been killed before it could write, on a slow machine. Then it gets more time.
                if noted.iter().all(|noted| *noted > 0) {
                    break;
                }
                limit *= 2;
            }
        }
        for action in ["meet never", "chatter"] {
            situation(story(&[action]) + " for ever");
            let job = actor_job(children, &[action]);
            keeps_to_limit(|limit| assert_eq!(capture(&job, limit).unwrap().end, KILLED));
            assert_eq!(capture(&job, Duration::ZERO).unwrap().end, KILLED, "without any time");
        }
        let job = actor_job(children, &["meet never"]);
        waits_for_no_less(HALF_A_SECOND, |limit| assert_eq!(capture(&job, limit).unwrap().end, KILLED));
        children.wait_until_gone();
    });
}

/// A folder of the test's own, gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: impl AsRef<Path>) -> Folder {
        // A grader gives each test a folder of its own.
        let graded = env::var_os("INTERLEAVE_RECORD").is_some();
        let parent = if graded { env::current_dir().unwrap() } else { env!("CARGO_TARGET_TMPDIR").into() };
        let folder = Folder(parent.join(name));
        let _ = fs::remove_dir_all(&folder.0);
        fs::create_dir(&folder.0).unwrap();
        folder
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

roles!(report, actor, parent, heir, scribe, searching);

/// Tells what it got: arguments, folder, variables.
fn report() -> i32 {
    tell(&format!("{:?}", arguments()));
    tell(&env::current_dir().and_then(|folder| folder.canonicalize()).unwrap_or_default().display().to_string());
    tell(&format!("{:?}", env::vars_os().collect::<Vec<_>>()));
    0
}

/// A parent in its turn: starts a program that is only a name, and ends well if that is the system's.
fn searching() -> i32 {
    let arguments = ["-c", "exit 7"].map(str::to_owned).into();
    let (name, program) = ("a child".to_owned(), PathBuf::from("sh"));
    let job = Job { name, program, arguments, variables: Vec::new(), folder: None };
    i32::from(Process::start(&job).unwrap().join() != MET)
}

/// A parent in its turn: captures an actor that does what the arguments say, and ends well if that one was let go.
fn parent() -> i32 {
    let variables = child::variables("actor").map(|(name, value)| (name.to_owned(), value)).into();
    let program = env::current_exe().unwrap();
    let job = Job { name: "a child".to_owned(), program, arguments: arguments(), variables, folder: None };
    i32::from(capture(&job, LONG).unwrap().end != MET)
}

/// What may change for a parent between two children.
const CHANGES: [&str; 3] =
    ["gets a job with a folder of its own", "changes its own folder", "has lost its own folder, which is removed"];

/// A parent in its turn, for which something changes. Its arguments are what, and another folder. It ends well if its children get
/// what is so when they are started.
fn heir() -> i32 {
    let [change, other] = arguments().try_into().expect("a change and a folder");
    let program = env::current_exe().unwrap();
    let has_children = |folder: Option<&str>, needs: &[&str]| {
        let variables = child::variables("actor").map(|(name, value)| (name.to_owned(), value)).into();
        let arguments = needs.iter().chain(&["exit 7"]).map(|&action| action.to_owned()).collect();
        let (name, folder) = ("a child".to_owned(), folder.map(PathBuf::from));
        let job = Job { name, program: program.clone(), arguments, variables, folder };
        let ends = [Process::start(&job).unwrap().join(), capture(&job, LONG).unwrap().end];
        assert_eq!(ends, [MET; 2], "children that {needs:?}");
    };
    let stand = format!("stand in {other}");
    has_children(None, &[]);
    match CHANGES.iter().position(|known| *known == change) {
        Some(0) => has_children(Some(&other), &[&stand, "need PWD=its own", "need SHLVL=its own"]),
        Some(1) => {
            env::set_current_dir(&other).unwrap();
            has_children(None, &[&stand]);
        }
        _ => {
            fs::remove_dir(env::current_dir().unwrap()).unwrap();
            has_children(Some(&other), &[&stand]);
            has_children(None, &[]);
        }
    }
    0
}

/// Writes byte after byte to both outputs, without end. Its arguments are the time in µs that each takes, and a folder. Many hands
/// write: wherever a processor is free when the child is about to be killed, one of them is writing. Each notes in a file of its own
/// what it has written, and shares nothing with the others: none stands still because another one does.
fn scribe() -> i32 {
    fn writes(mut output: impl Write, notes: PathBuf, takes: Duration) {
        let mut notes = File::create(notes).unwrap();
        loop {
            let begin = Instant::now();
            write(&mut output, b".");
            notes.write_all(b".").unwrap();
            // Without a pause: who sleeps does not write.
            while begin.elapsed() < takes {}
        }
    }
    #[cfg(unix)]
    fn own(output: impl std::os::fd::AsFd) -> File {
        File::from(output.as_fd().try_clone_to_owned().unwrap())
    }
    #[cfg(not(unix))]
    fn own(output: impl Write) -> impl Write {
        output
    }
    let [micros, folder] = arguments().try_into().expect("a time and a folder");
    let (takes, folder) = (Duration::from_micros(micros.parse().unwrap()), PathBuf::from(folder));
    thread::scope(|scope| {
        for [output, error] in (0..HANDS).map(notes_of) {
            let [output, error] = [output, error].map(|notes| folder.join(notes));
            scope.spawn(move || writes(own(io::stdout()), output, takes));
            scope.spawn(move || writes(own(io::stderr()), error, takes));
        }
    });
    0
}

/// How many write at the same time to one output.
const HANDS: usize = 8;

/// Where one of them notes what it has written to standard output, and another one what it has written to standard error.
fn notes_of(hand: usize) -> [String; 2] {
    ["output", "error"].map(|stream| format!("{stream} {hand}"))
}

/// Does what its arguments say, one after the other.
fn actor() -> i32 {
    for action in arguments() {
        let (what, with) = action.split_once(' ').unwrap_or((&action, ""));
        let number = || with.parse().expect("a number");
        match what {
            "exit" => return number(),
            "die" => die_of(number()),
            "abort" => process::abort(),
            "meet" => meet(with),
            "tell" => tell(with),
            "outputs" => tell(&outputs()),
            "listen" if with == "aside" => drop(thread::spawn(|| {
                listen();
                tell("asked");
            })),
            "listen" => listen(),
            "need" => {
                let whole = |(name, value): (OsString, OsString)| {
                    [name.as_encoded_bytes(), b"=", value.as_encoded_bytes()].concat()
                };
                let inherited = env::vars_os().any(|variable| whole(variable).starts_with(with.as_bytes()));
                assert!(inherited, "the variable {with} was to be inherited");
            }
            "stand" => {
                let folder = env::current_dir().and_then(|folder| folder.canonicalize()).unwrap();
                assert_eq!(format!("in {}", folder.display()), with, "the child's folder");
            }
            "number" => tell(&format!("{with} {}", process::id())),
            "out" => write(io::stdout(), &words(number() as usize)),
            "err" => write(io::stderr(), &words(number() as usize)),
            "chatter" => loop {
                write(io::stderr(), b".");
            },
            // Such a process takes a moment to die.
            "fat" => std::mem::forget(vec![1_u8; 16 << 20]),
            _ => panic!("nobody can {action}"),
        }
    }
    0
}

/// What an actor does, for people.
fn story(actions: &[&str]) -> String {
    let in_words = |action: &&str| match action.split_once(' ').unwrap_or((action, "")) {
        ("exit", code) => format!("exits with {code}"),
        ("die", signal) => format!("is killed by signal {signal}"),
        ("abort", _) => "aborts".to_owned(),
        ("meet", _) => "waits".to_owned(),
        ("listen", _) => "reads its standard input to the end".to_owned(),
        ("out", bytes) => format!("writes {bytes} bytes to standard output"),
        ("err", bytes) => format!("writes {bytes} bytes to standard error"),
        ("chatter", _) => "writes byte after byte".to_owned(),
        (other, _) => unreachable!("no words for {other}"),
    };
    let story: Vec<String> = actions.iter().map(in_words).collect();
    format!("the child {}", if story.is_empty() { "does nothing and ends".to_owned() } else { story.join(", ") })
}

fn arguments() -> Vec<String> {
    // Not `args`: how the program itself was called need not be text.
    env::args_os().skip(1).map(|argument| argument.into_string().expect("the tests' arguments are text")).collect()
}

/// Waits until its standard input is closed. Nobody writes to a child.
fn listen() {
    let mut nothing = Vec::new();
    io::stdin().read_to_end(&mut nothing).unwrap();
    assert_eq!(nothing, b"", "nobody writes to a child");
}

fn write(mut output: impl Write, bytes: &[u8]) {
    output.write_all(bytes).and_then(|()| output.flush()).unwrap();
}

/// So many bytes of all kinds: text or not, ends of lines, with a carriage return and without.
fn words(length: usize) -> Vec<u8> {
    let all: Vec<u8> = (0..=u8::MAX).chain(*b"\r\n").collect();
    let mut bytes = all.repeat(length.div_ceil(all.len()));
    bytes.truncate(length);
    bytes
}

/// Where this process' standard output and standard error go, as Linux names it.
fn outputs() -> String {
    format!("{:?}", [1, 2].map(|number| fs::read_link(format!("/proc/self/fd/{number}")).ok()))
}

/// The ways in which a child can end by itself: what an actor has to do, and how it has ended then.
fn ends() -> Vec<(&'static str, End)> {
    let codes = [("exit 0", 0), ("exit 1", 1), ("exit 3", 3), ("exit 137", 137), ("exit 128", 128), ("exit 255", 255)];
    let signals = [("die 1", 1), ("die 2", 2), ("die 9", 9), ("die 10", 10), ("die 15", 15)];
    let signals = signals.map(|(how, number)| (how, End::Signal(number)));
    let signals = signals.into_iter().filter(|_| cfg!(unix));
    codes.map(|(how, code)| (how, End::Code(code))).into_iter().chain([("abort", CRASHED)]).chain(signals).collect()
}

/// A name that is neither the program's nor anything else's.
const NAME: &str = "이름 of more\0than 15 bytes";
/// The exit code of a child that was let go.
const MET: End = End::Code(7);
/// How a child ends that aborts: by SIGABRT, or with the code that Windows has for it.
const CRASHED: End = if cfg!(unix) { End::Signal(6) } else { End::Code(0xC000_0409_u32.cast_signed()) };
/// How a child ends that is killed: by SIGKILL, or with the code that `std` gives on Windows.
const KILLED: End = if cfg!(unix) { End::Signal(9) } else { End::Code(1) };
/// Nothing in these tests lasts so long, so who waits for so long has waited for nothing. In 32 bits, it is zero in every unit.
const LONG: Duration = Duration::from_secs(1 << 32);
/// A limit that is not a whole number of seconds, and longer than it takes to start and to kill a child on a busy machine.
const HALF_A_SECOND: Duration = Duration::from_millis(500);
/// More than the processors of most machines, and than the powers of two that one would choose.
const MANY: usize = 70;
/// As many as fit into what a grader allows, where each of them may have a few threads.
const CROWD: usize = 20;
/// What it is about where the limit is `Duration::MAX`.
const WITHOUT_LIMIT: &str = "the child ends later, and the limit is as long as can be";
/// Time enough to show that a wait ends.
const MOMENT: Duration = Duration::from_millis(5);

/// Whether `wait` takes as long as its limit, or longer. How much longer is the machine's affair.
#[track_caller]
fn waits_for_no_less(limit: Duration, wait: impl FnOnce(Duration)) {
    let start = Instant::now();
    wait(limit);
    let took = start.elapsed();
    assert!(took >= limit, "with a limit of {limit:?} it waited for {took:?} only");
}

/// Runs a body that needs child processes. When it returns, no thread and no process may be left, not even a zombie. It has plenty
/// of time: a busy machine may take it.
#[track_caller]
fn check(body: impl Fn(&Children) + Send + Sync + 'static) {
    Check::new().threads_only().deadline(Duration::from_secs(30)).run(move || body(&Children::new()));
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

/// A child that does these things, one after the other.
fn actor_job(children: &Children, actions: &[&str]) -> Job {
    job(children, "actor", actions)
}

/// Waits for a child as somebody does who doesn't want to wait: it is never joined.
fn wait_until_ended(process: &mut Process) {
    until(|| !process.is_alive());
}
