//! What goes wrong around a command: one clear message, exit code 2, nothing lost.

use std::fs;

use crate::workshop::Workshop;

/// A submission in the checkout's folder `submitted`.
fn submission(workshop: &Workshop) -> String {
    workshop.run(&["check", "lock", "--submission", "submitted"]).refused()
}

#[test]
fn an_unknown_kata_gets_its_nearest() {
    let workshop = Workshop::new();
    insta::assert_snapshot!(workshop.run(&["check", "lokc"]).refused(), @r"
    error: there is no kata `lokc`
    Did you mean `lock`? `cargo xtask list` shows every kata.
    ");
    for command in ["hint", "explain", "reset", "watch"] {
        let said = workshop.run(&[command, "lokc"]).refused();
        assert!(said.contains("Did you mean `lock`?"), "{command}: {said}");
    }
    let said = workshop.run(&["check", "zzz"]).refused();
    assert!(!said.contains("Did you mean"), "{said}");
}

#[test]
fn outside_of_a_checkout_it_says_where_to_go() {
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let said = Workshop::new().run_in(elsewhere.path(), &["list"]).refused();
    assert!(
        said.contains("is not inside a checkout") && said.contains("Change to the folder that you cloned"),
        "{said}"
    );
}

#[test]
fn inside_of_a_checkout_any_folder_will_do() {
    let workshop = Workshop::new();
    workshop.run_in(&workshop.path("katas/lock/src"), &["list"]).exits(0).says("lock");
}

#[test]
fn a_missing_submission() {
    assert!(submission(&Workshop::new()).contains("cannot read the submission submitted"));
}

#[test]
fn an_empty_submission() {
    let workshop = Workshop::new();
    fs::create_dir(workshop.path("submitted")).expect("a folder");
    assert!(submission(&workshop).contains("the submission submitted is empty"));
}

#[test]
fn a_submission_that_is_a_file() {
    let workshop = Workshop::new().write("submitted", "fn main() {}");
    assert!(submission(&workshop).contains("the submission submitted is not a folder"));
}

#[test]
fn a_submission_without_src() {
    let workshop = Workshop::new().write("submitted/lib.rs", "");
    insta::assert_snapshot!(submission(&workshop), @r"
    error: the submission submitted has no `src` folder
    Give the kata's folder (with `src/lib.rs` in it) or a checkout that has `katas/lock/src/lib.rs`.
    ");
}

#[test]
fn a_submission_without_lib_rs() {
    let workshop = Workshop::new().write("submitted/src/main.rs", "");
    assert!(submission(&workshop).contains("submitted/src has no `lib.rs`"));
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    use std::os::unix::fs::symlink;

    let workshop = Workshop::new().write("elsewhere/src/lib.rs", "");
    symlink(workshop.path("elsewhere"), workshop.path("submitted")).expect("a link");
    assert!(submission(&workshop).contains("the submission submitted is a symbolic link"));

    let workshop = Workshop::new().write("submitted/README.md", "");
    symlink("/etc", workshop.path("submitted/src")).expect("a link");
    assert!(submission(&workshop).contains("submitted/src is a symbolic link"));

    let workshop = Workshop::new().write("submitted/src/README.md", "");
    symlink("/etc/passwd", workshop.path("submitted/src/lib.rs")).expect("a link");
    assert!(submission(&workshop).contains("submitted/src/lib.rs is a symbolic link"));
}

#[test]
fn a_submission_that_is_not_utf_8() {
    let workshop = Workshop::new().write("submitted/src/lib.rs", b"// caf\xe9\n");
    assert!(submission(&workshop).contains("submitted/src/lib.rs is not UTF-8 (byte 7)"));
}

#[test]
fn a_submission_of_a_hundred_megabytes() {
    let workshop = Workshop::new().write("submitted/src/lib.rs", "");
    let file = fs::File::create(workshop.path("submitted/src/lib.rs")).expect("a file");
    file.set_len(100 * 1024 * 1024).expect("a sparse file");
    assert!(submission(&workshop).contains("submitted/src/lib.rs is longer than 256 KiB"));
}

#[test]
fn a_submission_of_a_thousand_files() {
    let mut workshop = Workshop::new();
    for number in 0..100 {
        workshop = workshop.write(&format!("submitted/src/m{number}.rs"), "");
    }
    assert!(submission(&workshop).contains("has more than 64 source files"));
}

#[test]
fn a_submission_that_names_no_kata() {
    let workshop = Workshop::new().write("submitted/src/lib.rs", "");
    let said = workshop.run(&["check", "--submission", "submitted"]).refused();
    assert!(said.contains("does not say which kata it answers"), "{said}");
}

#[test]
fn a_kata_with_broken_metadata() {
    let workshop = Workshop::new().write("katas/lock/Cargo.toml", "[package\n");
    let said = workshop.run(&["check", "lock"]).refused();
    assert!(said.contains("katas/lock/Cargo.toml is broken"), "{said}");

    let workshop = Workshop::new();
    let manifest = workshop.read("katas/lock/Cargo.toml").replace("order = 2\n", "");
    let workshop = workshop.write("katas/lock/Cargo.toml", manifest);
    let said = workshop.run(&["list"]).refused();
    assert!(said.contains("[package.metadata.kata]: missing field `order`"), "{said}");

    let workshop = Workshop::new();
    let manifest = workshop.read("katas/lock/Cargo.toml").replace("hard = 2\n", "hard = 6\n");
    let said = workshop.write("katas/lock/Cargo.toml", manifest).run(&["list"]).refused();
    assert!(said.contains("how hard a kata is goes from 1 to 5"), "{said}");
}

#[test]
fn a_kata_with_a_broken_test_file() {
    let workshop = Workshop::new().write("katas/lock/tests/lock.rs", "fn broken( {\n");
    let said = workshop.run(&["check", "lock"]).refused();
    assert!(said.contains("katas/lock/tests/lock.rs:1:"), "{said}");
}

#[test]
fn a_folder_that_cannot_be_written() {
    // The superuser may write anywhere, so a file stands in the way instead of permissions.
    let workshop = Workshop::new().write(".interleave", "in the way");
    let said = workshop.run(&["hint", "lock"]);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(said.stderr.contains("cannot create [root]/.interleave"), "{}", said.stderr);
    assert_eq!(workshop.read(".interleave"), "in the way");
}

#[test]
fn a_test_that_a_replay_does_not_find() {
    let workshop = Workshop::new();
    let said = workshop.run(&["replay", "lock", "transfers_in_both_directions_finsh", "--schedule", "0"]).refused();
    assert!(
        said.contains("has no test") && said.contains("Did you mean `transfers_in_both_directions_finish`?"),
        "{said}"
    );
}

#[test]
fn a_broken_crate_of_ours_costs_no_learner_a_point() {
    let workshop = Workshop::new();
    let real = fs::canonicalize(workshop.path("tests")).expect("tests/");
    fs::remove_file(workshop.path("tests")).or_else(|_| fs::remove_dir(workshop.path("tests"))).expect("it was a link");
    let workshop = workshop
        .write("tests/support/Cargo.toml", "[package]\nname = \"kata\"\nedition = \"2024\"\n[features]\nchild = []\n")
        .write("tests/support/src/lib.rs", "pub fn check() { broken }\n");
    for name in ["explored-std", "verdict", "stubs"] {
        #[cfg(unix)]
        std::os::unix::fs::symlink(real.join(name), workshop.path("tests").join(name)).expect("a link");
        #[cfg(windows)]
        std::os::windows::fs::symlink_dir(real.join(name), workshop.path("tests").join(name)).expect("a link");
    }
    let said = workshop.run(&["check", "process"]).refused();
    assert!(said.contains("the submission is not at fault") && said.contains("cannot find value `broken`"), "{said}");
}

#[test]
fn a_schedule_that_is_none() {
    let test = "transfers_in_both_directions_finish";
    let said = Workshop::new().run(&["replay", "lock", test, "--schedule", "0x3.zz"]).refused();
    assert!(said.contains("the schedule has a part that is none: \"zz\" (parts are like 1, 0x3"), "{said}");
    assert!(said.contains("Copy the schedule"), "{said}");
}
