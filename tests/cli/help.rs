//! The help of every command, as a person at 80 columns sees it.

use crate::workshop::Workshop;

#[test]
fn every_command_has_a_help() {
    let commands = ["", "list", "check", "watch", "hint", "explain", "reset", "play", "replay", "new", "verify"];
    insta::assert_snapshot!(Workshop::new().helps(&commands));
}

#[test]
fn a_mistyped_flag_or_command_gets_its_nearest() {
    let workshop = Workshop::new();
    let flag = workshop.run(&["check", "lock", "--solutoin"]).refused();
    assert!(flag.contains("--solution"), "{flag}");
    let command = workshop.run(&["chekc", "lock"]).refused();
    assert!(command.contains("'check'"), "{command}");
}

#[test]
#[cfg(unix)]
fn what_instructors_need_is_handed_on_as_it_is() {
    let workshop = Workshop::new();
    for arguments in [&["grade", "class", "--out", "my grades", "--kata", "lock"][..], &["time", "--help"]] {
        // In cargo's place stands a program that says how it was called.
        let mut command = workshop.command(arguments);
        let said = command.env("CARGO", "echo").output().expect("the command starts");
        let manifest = workshop.path("Cargo.toml").display().to_string();
        let called = format!("--manifest-path {manifest} --package grader -- {}\n", arguments.join(" "));
        assert!(String::from_utf8_lossy(&said.stdout).ends_with(&called), "{said:?}");
    }
}
