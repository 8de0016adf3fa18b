//! The learner's screen in a real terminal: what a person sees, and what can go wrong around it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::terminal::{Session, endless, wait_until};
use crate::workshop::Workshop;

/// A watch that has told its first verdict.
fn watched(workshop: &Workshop, size: (u16, u16), variables: &[(&str, &str)]) -> Session {
    let session = Session::start_with(workshop, &["watch", "lock"], size, variables);
    session.wait_for("checked ");
    session
}

#[test]
fn a_failure_is_explained_and_every_key_is_in_reach() {
    let workshop = Workshop::new().answer_wrongly("lock", "abba");
    let mut session = watched(&workshop, (80, 24), &[]);
    session.wait_for("deadlock, 1 of 3 schedules");
    session.wait_for("alice→bob holds account");
    assert!(session.screen().lines().count() <= 24 && session.is_on_second_screen(), "{}", session.screen());
    session.walk(&[
        ("h", "Hint 1 of"),
        ("h", "Hint 2 of"),
        ("e", "── Lesson"),
        ("l", "all katas"),
        ("queue", "search: queue"),
        ("\u{1b}", "deadlock, 1 of 3"),
        ("?", "── Keys"),
        ("r", "Start over?"),
        ("n", "deadlock, 1 of 3"),
        ("s", "is shown once yours passes"),
    ]);
    let written = session.quit();
    assert!(written.ends_with("\u{1b}[?1049l"), "the terminal is as it was before");
}

#[test]
fn keys_work_while_a_test_hangs_and_a_save_starts_anew() {
    let workshop = endless(Workshop::new());
    let mut session = Session::start(&workshop, &["watch", "lock"]);
    let begun = workshop.path("begun");
    wait_until(|| begun.exists(), || "the tests never began".to_string());
    session.press("?");
    session.wait_for("── Keys");
    session.press("\u{1b}");
    let workshop = workshop.solve("lock");
    session.wait_for("✔ Solved");
    session.wait_for("solutions/lock/src/lib.rs");
    session.press("\u{3}");
    assert_eq!(session.end().0, 130);
    drop(workshop);
}

#[test]
fn a_test_can_neither_take_the_keys_nor_write_over_the_screen() {
    let workshop = Workshop::new();
    let noise = "{ use std::io::Write; print!(\"\\x1b[?1049l\\x1b[6n\"); eprintln!(\"{}\", \"q\\r\\x1b[6n\".repeat(20_000)); \
        if let Ok(mut terminal) = std::fs::File::options().read(true).write(true).open(\"/dev/tty\") { \
        let _ = terminal.write_all(b\"taken\\x1b[2J\"); } panic!(\"\\x1b[2J\\x1b[6nend\") }";
    let noisy = workshop.read("katas/lock/src/lib.rs").replace("todo!()", noise);
    let workshop = workshop.answer("lock", &noisy);
    let session = watched(&workshop, (80, 24), &[]);
    session.wait_for("panic");
    assert!(session.is_on_second_screen());
    assert!(!session.written().contains("\u{1b}[6n") && !session.written().contains("taken"), "{}", session.screen());
    session.quit();
}

#[test]
fn a_small_terminal_is_told_what_it_needs_and_may_grow() {
    let workshop = Workshop::new().answer_wrongly("lock", "abba");
    let mut session = Session::start_with(&workshop, &["watch", "lock"], (20, 5), &[]);
    session.wait_for("needs");
    session.resize(80, 24);
    session.wait_for("Lock and deadlock");
    for (columns, rows) in [(41, 11), (200, 60), (1, 1), (80, 24)] {
        session.resize(columns, rows);
    }
    session.wait_for("alice→bob holds account");
    session.quit();
}

#[test]
fn a_terminal_that_is_closed_ends_it() {
    let workshop = endless(Workshop::new());
    let session = Session::start(&workshop, &["watch", "lock"]);
    session.wait_for("Lock and deadlock");
    let group = Pid::from_child(&session.child);
    let mut child = session.hang_up();
    // The reader of the test still holds the terminal; a terminal's own process tells its group like this.
    kill_process_group(group, Signal::HUP).expect("a signal");
    let mut ended = None;
    wait_until(
        || {
            ended = child.try_wait().expect("a child");
            ended.is_some()
        },
        || "it never ended".to_string(),
    );
}

#[test]
fn the_editor_opens_at_the_line_or_its_absence_is_told() {
    let workshop = Workshop::new().write("editor", "#!/bin/sh\necho \"$@\" > opened\n");
    let workshop = workshop.answer_wrongly("lock", "abba");
    fs::set_permissions(workshop.path("editor"), fs::Permissions::from_mode(0o755)).expect("an executable");
    let editor = workshop.path("editor").display().to_string();
    fs::hard_link(workshop.path("editor"), workshop.path("vim")).expect("a link");
    let vim = editor.replace("editor", "vim");
    let mut session = watched(&workshop, (80, 24), &[("EDITOR", &vim)]);
    session.press("o");
    let opened = workshop.path("opened");
    wait_until(|| fs::read(&opened).is_ok_and(|text| text.ends_with(b"\n")), || "it never opened".to_string());
    let opened = workshop.read("opened");
    assert!(opened.starts_with('+') && opened.ends_with(" katas/lock/src/lib.rs\n"), "{opened}");
    session.press("?");
    session.wait_for("── Keys");
    session.quit();

    let mut session = watched(&workshop, (80, 24), &[("EDITOR", "/no/such/editor")]);
    session.press("o");
    session.wait_for("can't be started");
    session.quit();
}

#[test]
fn a_long_lesson_is_read_in_a_pager() {
    let workshop = Workshop::new().write("pager", "#!/bin/sh\ncat > paged\n");
    fs::set_permissions(workshop.path("pager"), fs::Permissions::from_mode(0o755)).expect("an executable");
    let pager = workshop.path("pager").display().to_string();
    let (code, written) = Session::start_with(&workshop, &["explain", "lock"], (80, 24), &[("PAGER", &pager)]).end();
    assert_eq!((code, written.as_str()), (0, ""));
    assert!(workshop.read("paged").contains("Lock and deadlock"));
    let (code, written) =
        Session::start_with(&workshop, &["explain", "lock"], (80, 24), &[("PAGER", "/no/such/pager")]).end();
    assert_eq!(code, 0);
    assert!(written.contains("Lock and deadlock"), "{written}");
}

#[test]
fn files_may_vanish_be_folders_or_be_renamed_into_place() {
    let workshop = Workshop::new().answer_wrongly("lock", "abba");
    let session = watched(&workshop, (80, 24), &[]);
    let file = workshop.path("katas/lock/src/lib.rs");
    fs::remove_file(&file).expect("a file");
    session.wait_for("has no `lib.rs`");
    session.wait_for("It could not be checked");
    fs::create_dir(&file).expect("a folder");
    fs::remove_dir(&file).expect("a folder");
    fs::copy(workshop.path("solutions/lock/src/lib.rs"), workshop.path("katas/lock/src/.lib.rs.new")).expect("a copy");
    fs::rename(workshop.path("katas/lock/src/.lib.rs.new"), &file).expect("a rename");
    session.wait_for("✔ Solved");
    session.quit();
}

#[test]
fn two_watchers_take_turns() {
    let workshop = Workshop::new().solve("lock");
    let mut sessions = [Session::start(&workshop, &["watch", "lock"]), Session::start(&workshop, &["watch", "lock"])];
    sessions.iter().for_each(|session| session.wait_for("✔ Solved"));
    sessions.iter_mut().for_each(|session| session.press("q"));
    for session in sessions {
        assert_eq!(session.end().0, 0);
    }
}

#[test]
fn control_z_gives_the_terminal_back_and_fg_takes_it_again() {
    let workshop = Workshop::new().solve("lock");
    let mut session = watched(&workshop, (80, 24), &[]);
    let group = Pid::from_child(&session.child);
    session.press("\u{1a}");
    let status = format!("/proc/{}/stat", session.child.id());
    let is_stopped = || fs::read(&status).is_ok_and(|stat| stat.windows(4).any(|part| part == b") T "));
    wait_until(is_stopped, || "it never stopped".to_string());
    wait_until(|| !session.is_on_second_screen(), || "it kept the terminal".to_string());
    kill_process_group(group, Signal::CONT).expect("a signal");
    wait_until(|| session.is_on_second_screen(), || "it never came back".to_string());
    session.wait_for("✔ Solved");
    session.quit();
}

#[test]
fn without_colour_and_without_unicode_everything_is_still_told() {
    let workshop = Workshop::new().answer_wrongly("lock", "abba");
    let mut session = watched(&workshop, (80, 24), &[("NO_COLOR", "1"), ("LANG", "C")]);
    session.wait_for("x transfers_in_both_directions_finish");
    session.press("q");
    let (_, written) = session.end();
    assert!(written.is_ascii(), "{written}");
    let colours = written
        .split("\u{1b}[")
        .filter(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m'));
    assert_eq!(colours.count(), 0);
}

#[test]
fn a_dumb_terminal_gets_plain_lines_with_the_time() {
    let workshop = Workshop::new();
    let mut session = Session::start_with(&workshop, &["watch", "lock"], (80, 24), &[("TERM", "dumb")]);
    session.wait_for("──── lock ──── ");
    wait_until(|| session.written().contains("Unsolved so far"), || session.written());
    session.press("q\n");
    let (code, written) = session.end();
    assert_eq!(code, 0);
    assert!(!written.contains("\u{1b}[?1049h"), "{written}");
}
