//! A learner's evening: the map, the lesson, hints, starting over.

use std::fs;
use std::time::{Duration, SystemTime};

use crate::workshop::Workshop;

#[test]
fn the_map_shows_what_is_next() {
    let workshop = Workshop::new();
    let ran = workshop.run(&[]).exits(0).without_complaint().says("0 of ").says("untouched").says("Next is ");
    let ran = ran.says("  Threads and locks\n").says("Lock and deadlock          ●●○○○  45 min");
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    let katas = ran.stdout.lines().filter_map(|line| line.strip_prefix("  ·")?.split_whitespace().next());
    let numbers: Vec<usize> = katas.map(|number| number.parse().expect("a number")).collect();
    assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>(), "numbered without gaps");
    let workshop = workshop.answer("lock", "// begun\n");
    workshop.run(&[]).exits(0).says("started");
}

#[test]
fn the_list_names_every_kata() {
    let ran = Workshop::new().run(&["list"]).exits(0).without_complaint();
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    for kata in ["daemon", "lock", "queue", "fetch"] {
        assert!(ran.stdout.lines().any(|line| line.starts_with(kata)), "{}", ran.stdout);
    }
}

#[test]
fn the_list_is_one_json_document_for_scripts() {
    let ran = Workshop::new().run(&["list", "--json"]).exits(0).without_complaint();
    let list: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let lock = list.as_array().expect("an array").iter().find(|kata| kata["kata"] == "lock").expect("lock");
    assert_eq!((&lock["order"], &lock["state"]), (&2.into(), &"untouched".into()));
    assert_eq!((&lock["part"], &lock["hard"], &lock["minutes"]), (&"locks".into(), &2.into(), &45.into()));
    assert!(lock["tests"].as_array().is_some_and(|tests| !tests.is_empty()));
}

#[test]
fn hints_are_revealed_one_at_a_time() {
    let workshop = Workshop::new();
    workshop.run(&["hint", "lock", "--shown"]).exits(0).says("No hint was revealed so far");
    let first = workshop.run(&["hint", "lock"]).exits(0).says("Hint 1 of");
    let second = workshop.run(&["hint", "lock"]).exits(0).says("Hint 2 of");
    let heading = |text: &str| text.lines().next().unwrap_or_default().to_string();
    assert_ne!(heading(&first.stdout), heading(&second.stdout));
    let again = workshop.run(&["hint", "lock", "--shown"]).exits(0);
    assert!(again.stdout.contains(&heading(&first.stdout)) && again.stdout.contains(&heading(&second.stdout)));
    for _ in 0..10 {
        workshop.run(&["hint", "lock"]).exits(0);
    }
    workshop.run(&["hint", "lock"]).exits(0).says("That was the last of");
}

#[test]
fn the_lesson_fits_the_terminal() {
    let workshop = Workshop::new();
    for kata in ["thread", "daemon", "lock", "queue", "pool", "futures", "process", "pipe", "shared", "fetch", "cpu"] {
        let ran = workshop.run(&["explain", kata]).exits(0).without_complaint();
        // An address that is cut can't be followed.
        let text = ran.stdout.lines().filter(|line| !line.trim_start().starts_with("<http"));
        let too_long: Vec<&str> = text.filter(|line| line.chars().count() > 80).collect();
        assert_eq!(too_long, Vec::<&str>::new(), "{kata}");
        assert!(!ran.stdout.contains('\u{1b}'), "no colour where nobody can see it");
    }
}

#[test]
fn without_a_name_the_kata_at_hand_is_meant() {
    let workshop = Workshop::new();
    workshop.run(&["hint"]).exits(0).says("cargo xtask hint thread");
    // Two answers of one moment would be a matter of luck.
    let minutes_ago = |workshop: &Workshop, kata: &str, minutes: u64| {
        let file = fs::File::options().append(true).open(workshop.path(&format!("katas/{kata}/src/lib.rs")));
        let then = SystemTime::now() - Duration::from_secs(60 * minutes);
        file.and_then(|file| file.set_modified(then)).expect("a file's time");
    };
    let workshop = workshop.answer("daemon", "// begun\n").answer("lock", "// begun\n");
    minutes_ago(&workshop, "daemon", 2);
    minutes_ago(&workshop, "lock", 1);
    workshop.run(&["hint"]).exits(0).says("cargo xtask hint lock");
    workshop.run(&["explain"]).exits(0).says("Lock and deadlock");
    let workshop = workshop.answer("daemon", "// went on\n");
    workshop.run(&["hint"]).exits(0).says("cargo xtask hint daemon");
    // Nobody answers, so nothing is replaced.
    workshop.run(&["reset"]).exits(1).says("Bring the stub of daemon back?").says("Nothing was changed.");
    assert_eq!(workshop.read("katas/daemon/src/lib.rs"), "// went on\n");
}

#[test]
fn a_reset_keeps_what_it_replaces() {
    let workshop = Workshop::new();
    workshop.run(&["reset", "lock"]).exits(0).says("nothing to reset");
    let stub = workshop.read("katas/lock/src/lib.rs");
    let workshop = workshop.answer("lock", "// my evening's work\n").write("katas/lock/src/more.rs", "// and more\n");
    workshop.run(&["reset", "lock"]).exits(0).says("is kept in .interleave/kept/lock-1");
    assert_eq!(workshop.read("katas/lock/src/lib.rs"), stub);
    assert!(!workshop.path("katas/lock/src/more.rs").exists());
    assert_eq!(workshop.read(".interleave/kept/lock-1/lib.rs"), "// my evening's work\n");
    assert_eq!(workshop.read(".interleave/kept/lock-1/more.rs"), "// and more\n");

    let workshop = workshop.answer("lock", "// another evening\n");
    workshop.run(&["reset", "lock"]).exits(0).says(".interleave/kept/lock-2");
    assert_eq!(workshop.read(".interleave/kept/lock-1/lib.rs"), "// my evening's work\n");
}

#[test]
fn a_lost_progress_file_loses_nothing_but_time() {
    let workshop = Workshop::new().write(".interleave/progress.json", "{ broken");
    workshop.run(&[]).exits(0).without_complaint().says("0 of ");
    workshop.run(&["hint", "lock"]).exits(0).says("Hint 1 of");
}
