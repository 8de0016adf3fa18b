//! Course files, right and wrong.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use pipeline::error::Result;
use pipeline::subject::catalog::Kata;
use tempfile::TempDir;
use verdict::Late;

use super::{Course, FILE, read};

const DEADLINE: &str = "deadline = 2026-11-30T23:59:00+01:00\nsubmitted = \"submitted.csv\"\n";

fn kata(name: &str) -> Arc<Kata> {
    let about =
        "title = ''\norder = 1\npart = 'locks'\nhard = 1\nminutes = 5\nsummary = ''\npython = []\nschedules = true";
    Arc::new(Kata {
        name: name.to_string(),
        folder: Path::new(name).to_path_buf(),
        about: toml::from_str(about).expect("sound metadata"),
        tests: Vec::new(),
        manifest: toml::Table::new(),
    })
}

/// A course file with these lines after its title, and the times beside it.
fn course(lines: &str, submitted: &str) -> Result<Course> {
    let folder: TempDir = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join(FILE), format!("title = \"Concurrency\"\n{lines}")).expect("a file");
    fs::write(folder.path().join("submitted.csv"), submitted).expect("a file");
    read(&folder.path().join(FILE), &[kata("lock"), kata("queue")], &["ada", "bob"])
}

/// What the instructor is told.
fn refused(lines: &str, submitted: &str) -> String {
    course(lines, submitted).expect_err("it is refused").to_string()
}

/// The course with a deadline, this rule, and one time for each learner.
fn late(rule: &str, ada: &str, bob: &str) -> [Option<Late>; 2] {
    let times = format!("learner,time\nada,{ada}\nbob,{bob}\n");
    let course = course(&format!("{DEADLINE}[[kata]]\nname = \"lock\"\n{rule}"), &times).expect("a sound course");
    assert_eq!(course.warnings, [""; 0]);
    [course.late("ada"), course.late("bob")]
}

#[test]
fn katas_have_weights_in_the_order_of_the_file() {
    let course =
        course("[[kata]]\nname = \"queue\"\nweight = 2\n[[kata]]\nname = \"lock\"\n", "").expect("a sound course");
    let katas: Vec<(&str, f64)> = course.katas.iter().map(|(kata, weight)| (kata.name.as_str(), *weight)).collect();
    assert_eq!(katas, [("queue", 2.0), ("lock", 1.0)]);
    assert_eq!((course.title.as_str(), course.late("ada")), ("Concurrency", None));
}

#[test]
fn without_a_file_all_katas_count_the_same() {
    let course = Course::of(vec![kata("lock"), kata("queue")], Path::new("autumn/submissions"));
    assert_eq!(course.title, "submissions");
    assert!(course.katas.iter().all(|(_, weight)| *weight == 1.0));
    assert_eq!(course.late("ada"), None);
}

#[test]
fn being_late_costs_by_days_begun() {
    let rule = "[late]\ngrace_minutes = 15\npercent_per_day = 10\nat_most_percent = 25";
    let cost = |time: &str| late(rule, time, "2026-11-30T00:00:00Z")[0];
    assert_eq!(cost("2026-11-30T22:59:00Z"), None, "the deadline itself, in another time zone");
    assert_eq!(cost("2026-12-01T00:14:00+01:00"), None, "within the grace");
    assert_eq!(cost("2026-12-01T00:14:01+01:00"), Some(Late { seconds: 901, percent_off: 10.0 }));
    assert_eq!(cost("2026-12-01T23:59:00+01:00"), Some(Late { seconds: 86_400, percent_off: 10.0 }));
    assert_eq!(cost("2026-12-01T23:59:01+01:00"), Some(Late { seconds: 86_401, percent_off: 20.0 }));
    assert_eq!(cost("2027-12-01T00:00:00Z").map(|late| late.percent_off), Some(25.0));
}

#[test]
fn without_a_rule_being_late_is_noted_and_costs_nothing() {
    let [ada, bob] = late("", "2026-12-01T00:00:00+01:00", "2026-11-01T00:00:00+01:00");
    assert_eq!((ada, bob), (Some(Late { seconds: 60, percent_off: 0.0 }), None));
}

#[test]
fn an_extension_is_a_deadline_of_one_s_own() {
    let rule = "[late]\npercent_per_day = 60\n[extensions]\nada = 2026-12-02T23:59:00+01:00";
    let [ada, bob] = late(rule, "2026-12-03T23:59:00+01:00", "2026-12-02T23:59:00+01:00");
    assert_eq!(ada, Some(Late { seconds: 86_400, percent_off: 60.0 }));
    assert_eq!(bob, Some(Late { seconds: 2 * 86_400, percent_off: 100.0 }), "never more than the whole");
}

#[test]
fn learners_who_do_not_match_are_warned_about() {
    let lines = format!("{DEADLINE}[[kata]]\nname = \"lock\"\n[extensions]\neve = 2026-12-02T23:59:00+01:00");
    // Spreadsheets write the mark at the beginning, and spaces come by hand.
    let times = "\u{feff}learner,time\nada , 2026-11-01T00:00:00+01:00\nzoe,2026-11-01T00:00:00+01:00\n";
    let course = course(&lines, times).expect("a sound course");
    let said = course.warnings.join("\n");
    for part in ["an extension to `eve`", "submission for `zoe`, who has nothing", "no time of submission for `bob`"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(course.warnings.len(), 3, "{said}");
    assert_eq!(course.absent, ["zoe"]);
}

#[test]
fn mistakes_in_the_file_are_named() {
    let lock = "[[kata]]\nname = \"lock\"\n";
    let weight = |weight: &str| format!("{lock}weight = {weight}\n");
    let due = |rule: &str| format!("{DEADLINE}{lock}{rule}");
    for (lines, said) in [
        ("katas = 1".to_string(), "unknown field `katas`"),
        ("[[kata]]\nname = \"lokc\"".to_string(), "there is no kata `lokc`\nDid you mean `lock`?"),
        (format!("{lock}wieght = 1"), "unknown field `wieght`"),
        (format!("{lock}{lock}"), "names the kata `lock` twice"),
        (weight("-1"), "the weight of `lock` is -1"),
        (weight("nan"), "the weight of `lock` is NaN"),
        (weight("inf"), "the weight of `lock` is inf"),
        (weight("0"), "has no kata that counts"),
        ("kata = []".to_string(), "has no kata that counts"),
        (String::new(), "missing field `kata`"),
        (
            format!("deadline = 2026-11-30T23:59:00\nsubmitted = \"submitted.csv\"\n{lock}"),
            "is not a date and time with an offset",
        ),
        (
            format!("deadline = 2026-11-30\nsubmitted = \"submitted.csv\"\n{lock}"),
            "is not a date and time with an offset",
        ),
        (format!("deadline = 2026-11-30T23:59:00Z\n{lock}"), "does not say when each submission came"),
        (format!("submitted = \"submitted.csv\"\n{lock}"), "has `submitted` and no `deadline`"),
        (format!("{lock}[late]\npercent_per_day = 1"), "has `late` and no `deadline`"),
        (format!("{lock}[extensions]\nada = 2026-12-02T23:59:00Z"), "has `extensions` and no `deadline`"),
        (due("[late]\npercent_per_day = 101"), "late.percent_per_day is 101"),
        (due("[late]\npercent_per_day = nan"), "late.percent_per_day is NaN"),
        (due("[late]\nat_most_percent = -1"), "late.at_most_percent is -1"),
        (due("[late]\ngrace_minutes = -1"), "grace_minutes"),
        (due("[late]\ngrace = 1"), "unknown field `grace`"),
        (due("[extensions]\nada = 2026-12-02T23:59:00"), "extensions.ada is 2026-12-02T23:59:00, which is not a date"),
        (due("[extensions]\nada = \"tomorrow\""), "course.toml is broken"),
        (due("").replace("submitted.csv", "gone.csv"), "gone.csv"),
    ] {
        let text = refused(&lines, "learner,time\n");
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn mistakes_in_the_times_are_named_with_their_line() {
    let lines = format!("{DEADLINE}[[kata]]\nname = \"lock\"\n");
    for (times, said) in [
        ("", "submitted.csv begins with ``"),
        ("learner;time\n", "submitted.csv begins with `learner;time`"),
        ("learner,time\nada,tomorrow\n", "submitted.csv:2: `tomorrow` is not a date and time with an offset"),
        (
            "learner,time\nada,2026-11-01T00:00:00\n",
            "submitted.csv:2: `2026-11-01T00:00:00` is not a date and time with an offset",
        ),
        ("learner,time\nada\n", "submitted.csv is broken"),
        ("learner,time\nada,2026-11-01T00:00:00Z\nada,2026-11-02T00:00:00Z\n", "submitted.csv:3: `ada` is there twice"),
    ] {
        let text = refused(&lines, times);
        assert!(text.contains(said), "{said}: {text}");
    }
}
