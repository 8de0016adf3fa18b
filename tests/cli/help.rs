//! The help of every command, as a person at 80 columns sees it.

use crate::workshop::Workshop;

#[test]
fn every_command_has_a_help() {
    let workshop = Workshop::new();
    let commands = ["", "list", "check", "watch", "hint", "explain", "reset", "play", "replay", "new", "verify"];
    let mut text = String::new();
    for command in commands {
        let arguments: Vec<&str> = [command, "--help"].into_iter().filter(|argument| !argument.is_empty()).collect();
        let ran = workshop.run(&arguments).exits(0).without_complaint();
        let longest = ran.stdout.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(80), "{command} --help is wider than 80 columns");
        text += &format!("$ cargo xtask {}\n{}\n", arguments.join(" "), ran.stdout);
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_mistyped_flag_or_command_gets_its_nearest() {
    let workshop = Workshop::new();
    let flag = workshop.run(&["check", "lock", "--solutoin"]).refused();
    assert!(flag.contains("--solution"), "{flag}");
    let command = workshop.run(&["chekc", "lock"]).refused();
    assert!(command.contains("'check'"), "{command}");
}
