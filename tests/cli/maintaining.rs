//! `verify`, as a maintainer uses it.

use std::fs;

use crate::workshop::Workshop;

/// A checkout whose `tests/` may be changed too.
fn with_own_submissions(workshop: Workshop) -> Workshop {
    let tests = workshop.path("tests");
    let real = fs::canonicalize(&tests).expect("tests/");
    fs::remove_file(&tests).or_else(|_| fs::remove_dir(&tests)).expect("it was a link");
    fs::create_dir(&tests).expect("a folder");
    for name in ["explored-std", "support", "verdict", "stubs"] {
        #[cfg(unix)]
        std::os::unix::fs::symlink(real.join(name), tests.join(name)).expect("a link");
        #[cfg(windows)]
        std::os::windows::fs::symlink_dir(real.join(name), tests.join(name)).expect("a link");
    }
    workshop
}

#[test]
fn a_rejection_for_another_reason_is_not_as_expected() {
    let workshop = with_own_submissions(Workshop::new());
    let abba = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/wrong/lock/abba.rs")).expect("abba");
    let solution = workshop.read("solutions/lock/src/lib.rs");
    let body = abba.split_once('\n').expect("a first line").1.to_string();
    let workshop = workshop
        .write("tests/wrong/lock/abba.rs", &abba)
        .write("tests/wrong/lock/for_another_reason.rs", format!("//! rejected: livelock\n{body}"))
        .write("tests/wrong/lock/not_wrong_at_all.rs", format!("//! rejected: race\n{solution}"))
        .write("tests/right/lock/not_right_at_all.rs", format!("//! accepted\n{body}"))
        .write("tests/right/lock/fine.rs", format!("//! accepted\n{solution}"));
    let ran = workshop.run(&["verify", "lock", "--repeat", "2"]).exits(1).without_complaint();
    let ran = ran.says("7 subjects judged 2 times each, 6 verdicts not as expected").says("2 of 2 times: failed: ");
    let good: Vec<bool> = ran
        .stdout
        .lines()
        .take_while(|line| !line.contains("subjects judged"))
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.starts_with('✔'))
        .collect();
    assert_eq!(good, [true, true, true, false, false, true, false], "{}", ran.stdout);
}

#[test]
fn a_submission_must_declare_what_becomes_of_it() {
    let workshop = with_own_submissions(Workshop::new()).write("tests/wrong/lock/undeclared.rs", "fn nothing() {}\n");
    let said = workshop.run(&["verify", "lock"]).refused();
    assert!(said.contains("tests/wrong/lock/undeclared.rs does not say what becomes of it"), "{said}");
}

#[test]
fn a_solved_kata_is_not_delivered_by_mistake() {
    let workshop = Workshop::new().solve("lock");
    workshop.run(&["verify", "lock"]).exits(1).says("katas/lock/src/lib.rs is not the stub in tests/stubs");
}
