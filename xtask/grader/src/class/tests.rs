//! Class folders, and the names of strangers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;

use tempfile::TempDir;

use super::{Answer, Entry, answers_to, entries, safe_name};

/// A class folder with these files.
fn class(files: &[&str]) -> TempDir {
    let class = tempfile::tempdir().expect("a temporary folder");
    for name in files {
        let path = class.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        fs::write(path, "").expect("a file");
    }
    class
}

fn names(class: &TempDir) -> Vec<String> {
    entries(class.path()).expect("a sound class").0.into_iter().map(|entry| entry.name).collect()
}

fn refused(class: &Path) -> String {
    entries(class).expect_err("it is refused").to_string()
}

/// What an entry holds for these katas, in one word each.
fn words(entry: &Entry, katas: &[&str]) -> BTreeMap<String, &'static str> {
    let word = |answer: Answer| match answer {
        Answer::Given(_) => "given",
        Answer::Missing => "missing",
        Answer::Refused(_) => "refused",
        Answer::Unreadable(_) => "unreadable",
    };
    answers_to(entry, katas).into_iter().map(|(kata, answer)| (kata, word(answer))).collect()
}

#[test]
fn every_folder_and_archive_is_a_learner() {
    let class =
        class(&["bob/src/lib.rs", "ada.l.zip", "eve.TAR.GZ", "zoe.tgz", "carl.tar", ".git/x", ".x.zip", "notes.txt"]);
    let (found, passed_over) = entries(class.path()).expect("a sound class");
    let found: Vec<&str> = found.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(found, ["ada.l", "bob", "carl", "eve", "zoe"]);
    assert_eq!(passed_over, [".git", ".x.zip", "notes.txt"]);
}

#[test]
fn a_folder_that_is_called_like_an_archive_is_a_folder() {
    assert_eq!(names(&class(&["ada.zip/src/lib.rs"])), ["ada.zip"]);
}

#[test]
fn one_learner_has_one_entry() {
    let said = refused(class(&["ada/src/lib.rs", "ada.zip", "bob.zip"]).path());
    assert!(said.contains("ada and ada.zip belong to one learner"), "{said}");
    assert!(refused(class(&["ada.tgz", "ada.zip"]).path()).contains("ada.tgz and ada.zip"));
}

#[test]
fn a_class_that_is_none_says_what_to_give() {
    let empty = class(&["README.md"]);
    for (path, said) in [
        (empty.path().to_path_buf(), "holds no submissions"),
        (empty.path().join("gone"), "cannot read the class"),
        (empty.path().join("README.md"), "is not a folder"),
    ] {
        let text = refused(&path);
        assert!(text.contains(said) && text.contains("one entry per learner"), "{text}");
    }
}

#[test]
fn an_entry_may_answer_some_katas_and_not_others() {
    let class = class(&["ada/katas/lock/src/lib.rs", "ada/katas/queue/src/main.rs"]);
    let (found, _) = entries(class.path()).expect("a sound class");
    let words = words(&found[0], &["lock", "pool", "queue"]);
    let expected = [("lock", "given"), ("pool", "missing"), ("queue", "refused")];
    assert_eq!(words, expected.map(|(kata, word)| (kata.to_string(), word)).into());
    let Answer::Refused(why) = &answers_to(&found[0], &["queue"])["queue"] else { panic!("it is refused") };
    assert!(why.starts_with("katas/queue/src has no `lib.rs`. That is"), "{why}");
}

#[test]
fn a_bare_src_answers_the_only_kata_or_the_one_of_its_name() {
    let class = class(&["ada/src/lib.rs", "lock/src/lib.rs"]);
    let (found, _) = entries(class.path()).expect("a sound class");
    assert_eq!(words(&found[0], &["lock"])["lock"], "given");
    assert_eq!(words(&found[0], &["lock", "queue"])["lock"], "missing");
    assert_eq!(words(&found[1], &["lock", "queue"])["lock"], "given");
    assert_eq!(words(&found[1], &["lock", "queue"])["queue"], "missing");
}

#[test]
fn an_archive_is_read_like_a_folder() {
    let class = class(&[]);
    let mut zip = zip::ZipWriter::new(fs::File::create(class.path().join("ada.zip")).expect("a file"));
    zip.start_file("ada-main/katas/lock/src/lib.rs", zip::write::SimpleFileOptions::default()).expect("a member");
    zip.write_all(b"pub fn f() {}").expect("it is written");
    zip.finish().expect("it is written");
    fs::write(class.path().join("bob.tar.gz"), "no archive").expect("a file");
    let (found, _) = entries(class.path()).expect("a sound class");
    assert_eq!(words(&found[0], &["lock", "queue"])["lock"], "given");
    assert_eq!(words(&found[0], &["lock", "queue"])["queue"], "missing");
    // Refused as a whole: each kata says why.
    assert!(words(&found[1], &["lock", "queue"]).values().all(|word| *word == "refused"));
}

#[test]
fn an_entry_that_is_gone_is_not_the_learner_s_fault() {
    let class = class(&["ada.zip", "bob/src/lib.rs"]);
    let (found, _) = entries(class.path()).expect("a sound class");
    fs::remove_file(class.path().join("ada.zip")).expect("it is there");
    fs::remove_dir_all(class.path().join("bob")).expect("it is there");
    for entry in found {
        assert_eq!(words(&entry, &["lock"])["lock"], "unreadable");
    }
}

#[cfg(unix)]
#[test]
fn an_entry_that_is_a_link_is_refused() {
    let elsewhere = class(&["src/lib.rs"]);
    let class = class(&["README.md"]);
    for name in ["ada", "bob.zip"] {
        std::os::unix::fs::symlink(elsewhere.path(), class.path().join(name)).expect("a link");
    }
    let (found, _) = entries(class.path()).expect("a sound class");
    assert_eq!(found.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["ada", "bob"]);
    for entry in &found {
        assert_eq!(words(entry, &["lock"])["lock"], "refused");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_stay_different() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let class = class(&[]);
    for name in [&b"caf\xe9.zip"[..], b"caf\xe8.zip", b"caf\xea"] {
        fs::create_dir_all(class.path()).expect("a folder");
        let path = class.path().join(OsStr::from_bytes(name));
        if name.ends_with(b".zip") { fs::write(path, "") } else { fs::create_dir(path) }.expect("an entry");
    }
    let names: BTreeSet<String> = names(&class).into_iter().collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.iter().all(|name| name.starts_with("caf\u{fffd}-")), "{names:?}");
}

#[test]
fn a_safe_name_is_safe_on_every_system() {
    assert_eq!(safe_name("ada.lovelace_1815-12"), "ada.lovelace_1815-12");
    assert_eq!(safe_name("zo\u{e9} k"), "zo%c3%a9%20k");
    assert_eq!(safe_name("../../etc/passwd"), "%2e.%2f..%2fetc%2fpasswd");
    assert_eq!(safe_name(".."), "%2e%2e");
    assert_eq!(safe_name("-rf"), "%2drf");
    assert_eq!(safe_name("con.txt"), "%63on.txt");
    assert_eq!(safe_name("a\nb\0"), "a%0ab%00");
    assert_eq!(safe_name("a%41"), "a%2541");
    assert!(safe_name("Ada").starts_with("Ada~"), "{}", safe_name("Ada"));
    assert!(safe_name(&"\u{1f980}".repeat(300)).len() < 120);
}

#[test]
fn safe_names_differ_even_where_capitals_do_not_count() {
    let long = "a".repeat(300);
    let (longer, hashed) = (format!("{long}b"), safe_name("Ada").to_lowercase());
    let learners =
        ["ada", "Ada", "ADA", "aDa", "", "~", "a b", "a%20b", "a\u{202f}b", &long, &longer, &hashed, "nul", "%6eul"];
    let safe: BTreeSet<String> = learners.iter().map(|name| safe_name(name).to_lowercase()).collect();
    assert_eq!(safe.len(), learners.len(), "{safe:?}");
}
