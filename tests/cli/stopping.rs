//! What a grader leaves that is stopped in the middle.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::workshop::Workshop;

#[test]
fn a_grader_that_is_stopped_keeps_what_it_found() {
    let stub = Workshop::new().read("katas/lock/src/lib.rs");
    // It looks at no clock, since virtual time would pass at once. This takes a minute.
    let minute = "let mut n = 0_u64; while n < 30_000_000_000 { n = std::hint::black_box(n + 1); } panic!()";
    let workshop = Workshop::new()
        .write("class/ada/lock/src/lib.rs", &stub)
        .write("class/barbara/lock/src/lib.rs", stub.replace("todo!()", &format!("{{ {minute} }}")))
        .write("class/course.toml", "title = \"One\"\n[[kata]]\nname = \"lock\"\n")
        .write("scratch/.keep", "");
    let mut command = workshop.command(&["grade", "class", "--out", "grades"]);
    command.env("TMPDIR", workshop.path("scratch")).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
    let mut grader = command.spawn().expect("the command starts");
    let mut said = BufReader::new(grader.stderr.take().expect("a pipe")).lines().map_while(|line| line.ok());
    // The other one never ends.
    assert_eq!(said.next().as_deref(), Some("1/2 ada, lock: unsolved, 0 of 12"), "{:?}", said.collect::<Vec<_>>());
    // As a container is ended; Ctrl-C goes the same way.
    kill_process_group(Pid::from_child(&grader), Signal::TERM).expect("a signal");
    let last: Vec<String> = said.collect();
    assert_eq!(grader.wait().expect("a child").code(), Some(130), "{last:?}");
    assert!(last.iter().any(|line| line.contains("stopped with 1 of 2 graded")), "{last:?}");
    let scratch = std::fs::read_dir(workshop.path("scratch")).expect("a folder").count();
    assert_eq!(scratch, 1, "no test's folder is left");
    let in_workshop = |entry: std::fs::DirEntry| {
        std::fs::read_link(entry.path().join("cwd")).is_ok_and(|folder| folder.starts_with(workshop.root()))
    };
    let processes = std::fs::read_dir("/proc").into_iter().flatten().filter_map(|entry| entry.ok());
    assert_eq!(processes.map(in_workshop).filter(|there| *there).count(), 0, "no process is left");
    let workshop = workshop.write("class/barbara/lock/src/lib.rs", &stub);
    let ran = workshop.run(&["grade", "class", "--out", "grades"]).exits(0);
    assert_eq!(ran.stderr.lines().next(), Some("2/2 barbara, lock: unsolved, 0 of 12"), "{}", ran.stderr);
}
