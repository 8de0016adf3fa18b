//! Folders as learners, and people who wish the grader ill, hand them in.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::super::handle::elsewhere;
use super::super::tests::refusal;
use super::{Folder, Kind, MOST_LOOKED_AT, Opened, Unreadable, Wanted, find, read};

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

/// The `lib.rs` that is found for each of two katas, of which the first may be handed in as a bare `src`.
fn found(folder: &TempDir) -> [Option<String>; 2] {
    let wanted = [("lock", true), ("queue", false)];
    let wanted = wanted.map(|(kata, bare)| Wanted { kata: kata.to_string(), bare });
    let found = find(folder.path(), &wanted).expect("the folder can be read");
    let text = |one: super::Found| one.map(|files| files.expect("it is an answer")[Path::new("lib.rs")].clone());
    let mut texts = found.into_iter().map(text);
    [texts.next().flatten(), texts.next().flatten()]
}

/// What is said about the only kata.
fn refused(folder: &TempDir) -> String {
    let wanted = [Wanted { kata: "lock".to_string(), bare: true }];
    let found = find(folder.path(), &wanted).expect("the folder can be read").remove(0);
    refusal(found.expect("something is there"))
}

#[test]
fn a_checkout_a_folder_of_katas_and_a_kata() {
    let some = |text: &str| Some(text.to_string());
    let checkout = folder(&[("katas/lock/src/lib.rs", "l"), ("katas/queue/src/lib.rs", "q"), ("src/lib.rs", "no")]);
    assert_eq!(found(&checkout), [some("l"), some("q")]);
    assert_eq!(found(&folder(&[("lock/src/lib.rs", "l"), ("queue/README.md", "")])), [some("l"), None]);
    assert_eq!(found(&folder(&[("src/lib.rs", "l"), ("Cargo.toml", "")])), [some("l"), None]);
    assert_eq!(found(&folder(&[("lib.rs", "l")])), [None, None]);
}

#[test]
fn a_single_folder_is_looked_through() {
    let some = |text: &str| Some(text.to_string());
    let download = folder(&[("ada-main/katas/queue/src/lib.rs", "q"), (".DS_Store", ""), ("__MACOSX/x", "")]);
    assert_eq!(found(&download), [None, some("q")]);
    assert_eq!(found(&folder(&[("ada-main/src/lib.rs", "l")])), [some("l"), None]);
    assert_eq!(found(&folder(&[("ada-main/src/lib.rs", "l"), ("README.md", "")])), [None, None]);
    assert_eq!(found(&folder(&[("queue/src/lib.rs", "q")])), [None, some("q")]);
}

#[test]
fn only_sources_are_read() {
    let src = folder(&[
        ("lib.rs", "l"),
        ("inner/mod.rs", "m"),
        ("Cargo.toml", ""),
        ("build.rs.txt", ""),
        ("lib (copy).rs", ""),
        (".cargo/config.rs", ""),
        ("my-mod/a.rs", ""),
    ]);
    let files = read(src.path()).expect("it is an answer");
    let names: Vec<String> = files.keys().map(|name| name.display().to_string().replace('\\', "/")).collect();
    assert_eq!(names, ["inner/mod.rs", "lib.rs"]);
}

#[test]
fn a_src_without_lib_rs_is_refused() {
    assert_eq!(refused(&folder(&[("src/main.rs", "")])), "src has no `lib.rs`");
}

#[test]
fn deep_and_crowded_folders_are_refused() {
    let deep = format!("src/{}lib.rs", "a/".repeat(9));
    assert_eq!(refused(&folder(&[(&deep, "")])), "src has more than 8 folders inside each other");
    let crowded = folder(&[("src/lib.rs", "")]);
    for number in 0..MOST_LOOKED_AT {
        fs::write(crowded.path().join(format!("src/{number}.txt")), "").expect("a file");
    }
    assert_eq!(refused(&crowded), "src holds more than 2000 files and folders");
}

#[test]
fn a_missing_folder_is_not_the_learner_s_fault() {
    let folder = folder(&[]);
    let missing = find(&folder.path().join("gone"), &[]);
    assert!(matches!(missing, Err(Unreadable::Environment(_))), "{missing:?}");
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_not_followed() {
        let elsewhere = folder(&[("src/lib.rs", "secret"), ("lock/src/lib.rs", "secret")]);
        let at = |name: &str| elsewhere.path().join(name);
        for (link, target, said) in [
            ("src", at("src"), "src is a symbolic link"),
            ("katas", at(""), "katas is a symbolic link"),
            ("katas/lock", at("lock"), "katas/lock is a symbolic link"),
            ("src/lib.rs", at("src/lib.rs"), "src/lib.rs is a symbolic link"),
            ("src/inner", at("src"), "src/inner is a symbolic link"),
            ("src/a\x1bb.txt", at("src"), r"src/a\u{1b}b.txt is a symbolic link"),
        ] {
            let folder = folder(&[("README.md", "")]);
            fs::create_dir_all(folder.path().join(link).parent().expect("a folder")).expect("a folder");
            symlink(target, folder.path().join(link)).expect("a link");
            assert_eq!(refused(&folder), said);
        }
        let folder = folder(&[]);
        symlink(elsewhere.path(), folder.path().join("ada")).expect("a link");
        assert_eq!(refusal(find(&folder.path().join("ada"), &[])), "the submission is a symbolic link");
    }

    #[test]
    fn pipes_are_not_waited_for() {
        let folder = folder(&[("src/main.rs", "")]);
        let made = std::process::Command::new("mkfifo").arg(folder.path().join("src/lib.rs")).status();
        assert!(made.expect("mkfifo starts").success());
        assert_eq!(refused(&folder), "src has no `lib.rs`");
    }

    #[test]
    fn names_that_are_no_text_are_passed_over() {
        let folder = folder(&[("src/lib.rs", "l")]);
        for name in [&b"src/\xff.rs"[..], b"\xff"] {
            fs::write(folder.path().join(OsStr::from_bytes(name)), "").expect("a file");
        }
        assert_eq!(found(&folder)[0].as_deref(), Some("l"));
    }

    #[test]
    fn files_that_the_grader_may_not_read_are_not_the_learner_s_fault() {
        use std::os::unix::fs::PermissionsExt;

        let folder = folder(&[("src/lib.rs", "l")]);
        let file = folder.path().join("src/lib.rs");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o0)).expect("it is ours");
        let found = read(&folder.path().join("src"));
        // The superuser may read it all the same.
        if fs::read(&file).is_err() {
            assert!(matches!(found, Err(Unreadable::Environment(_))), "{found:?}");
        }
    }

    /// Both ways to open things see the same.
    #[test]
    fn every_system_sees_the_same() {
        let folder = folder(&[("file", ""), ("folder/file", "")]);
        symlink("file", folder.path().join("link")).expect("a link");
        let Ok(Opened::Folder(here)) = Folder::at(folder.path()) else { panic!("it is a folder") };
        let Ok(Opened::Folder(there)) = elsewhere::Folder::at(folder.path()) else { panic!("it is a folder") };
        assert_eq!(here.names(3).expect("it can be read"), there.names(3).expect("it can be read"));
        assert_eq!(here.names(2).expect("it can be read"), None);
        assert_eq!(there.names(2).expect("it can be read"), None);
        for (name, kind) in [("file", Kind::File), ("folder", Kind::Folder), ("link", Kind::Link)] {
            let name = OsStr::new(name);
            assert_eq!(here.kind(name).expect("it is there"), kind);
            assert_eq!(there.kind(name).expect("it is there"), kind);
            assert_eq!(kind_of(here.open(name).expect("it opens")), kind);
            assert_eq!(kind_of(there.open(name).expect("it opens")), kind);
        }
    }

    fn kind_of<F>(opened: Opened<F>) -> Kind {
        match opened {
            Opened::Folder(_) => Kind::Folder,
            Opened::File(_) => Kind::File,
            Opened::Not(kind) => kind,
        }
    }
}
