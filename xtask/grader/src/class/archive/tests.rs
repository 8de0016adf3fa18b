//! Archives as learners, and people who wish the grader ill, hand them in. All are made here, byte by byte where no honest
//! archiver would write them.

mod made;

use std::fs;
use std::path::Path;

use pipeline::subject::sources::Found;

use super::{Format, Unreadable, Wanted, find};
use made::{Part, gzip, tar, tar_entry, zip};

/// What the learner is told.
fn refusal(result: Result<impl std::fmt::Debug, Unreadable>) -> String {
    match result {
        Err(Unreadable::Refused { what, .. }) => what,
        other => panic!("it was not refused: {other:?}"),
    }
}

/// What is found in an archive for `lock`, which may be a bare `src`, and for `queue`.
fn read(format: Format, bytes: &[u8]) -> Result<Vec<Found>, Unreadable> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("archive");
    fs::write(&path, bytes).expect("a file");
    let wanted = [("lock", true), ("queue", false)];
    find(&path, format, &wanted.map(|(kata, bare)| Wanted { kata: kata.to_string(), bare }))
}

/// What the archive is refused for, as a whole.
fn refused(format: Format, bytes: &[u8]) -> String {
    refusal(read(format, bytes))
}

/// The same members as a zip, a tar, and a compressed tar.
fn packed(parts: &[Part]) -> [(Format, Vec<u8>); 3] {
    let tar = tar(parts);
    [(Format::Zip, zip(parts)), (Format::TarGz, gzip(&tar)), (Format::Tar, tar)]
}

/// The names of the sources found for `lock`, the same in every format.
fn names(parts: &[Part]) -> Option<Vec<String>> {
    let found = packed(parts).map(|(format, bytes)| {
        let found = read(format, &bytes).expect("the archive is sound").remove(0);
        let name = |name: &std::path::PathBuf| name.display().to_string().replace('\\', "/");
        found.map(|files| files.expect("it is an answer").keys().map(name).collect::<Vec<_>>())
    });
    assert!(found.iter().all(|one| *one == found[0]), "{found:?}");
    found.into_iter().next().flatten()
}

/// What every format of these members is refused for.
fn all_refused(parts: &[Part]) -> String {
    let said = packed(parts).map(|(format, bytes)| refused(format, &bytes));
    assert!(said.iter().all(|one| *one == said[0]), "{said:?}");
    said[0].clone()
}

/// What is said about `lock` alone.
fn lock_refused(parts: &[Part]) -> String {
    let said = packed(parts).map(|(format, bytes)| {
        refusal(read(format, &bytes).expect("the archive is sound").remove(0).expect("something is there"))
    });
    assert!(said.iter().all(|one| *one == said[0]), "{said:?}");
    said[0].clone()
}

#[test]
fn a_name_tells_the_format() {
    assert_eq!(Format::of("ada.zip"), Some((Format::Zip, "ada")));
    assert_eq!(Format::of("ada.l.TAR.gz"), Some((Format::TarGz, "ada.l")));
    assert_eq!(Format::of("caf\u{e9}.tgz"), Some((Format::TarGz, "caf\u{e9}")));
    assert_eq!(Format::of("ada.tar"), Some((Format::Tar, "ada")));
    for name in [".zip", "ada.7z", "ada.zip.txt", "zip", "\u{1f980}ip"] {
        assert_eq!(Format::of(name), None, "{name}");
    }
}

#[test]
fn every_layout_in_every_format() {
    let lib = |name: &str| names(&[Part::file(name, "l"), Part::file("README.md", ""), Part::file("x/y", "")]);
    let found = Some(vec!["lib.rs".to_string()]);
    for name in ["katas/lock/src/lib.rs", "lock/src/lib.rs", "src/lib.rs", "./src/lib.rs", "katas//lock/./src/lib.rs"] {
        assert_eq!(lib(name), found, "{name}");
    }
    for name in ["lib.rs", "ada-main/src/lib.rs", "katas/queue/src/lib.rs", "SRC/lib.rs", "src"] {
        assert_eq!(lib(name), None, "{name}");
    }
    // Old tar archives tell a folder only by its name.
    let old = [tar_entry("src/lib.rs/", b'0', b""), tar_entry("src/main.txt", b'0', b"")].concat();
    assert_eq!(
        refusal(read(Format::Tar, &old).expect("the archive is sound").remove(0).expect("src")),
        "src has no `lib.rs`"
    );
}

#[test]
fn a_single_folder_is_looked_through() {
    let main = |name: &str| {
        names(&[Part::folder("ada-main/"), Part::file(name, "l"), Part::file("__MACOSX/ada-main/._x", "")])
    };
    let found = Some(vec!["lib.rs".to_string()]);
    for name in ["ada-main/katas/lock/src/lib.rs", "ada-main/lock/src/lib.rs", "ada-main/src/lib.rs"] {
        assert_eq!(main(name), found, "{name}");
    }
    for name in ["queue/src/lib.rs", "katas/src/lib.rs"] {
        assert_eq!(names(&[Part::file(name, "")]), None, "{name}");
    }
}

#[test]
fn two_katas_come_out_of_one_archive() {
    for (format, bytes) in packed(&[
        Part::file("katas/queue/src/lib.rs", "q"),
        Part::file("katas/lock/src/lib.rs", "l"),
        Part::file("katas/lock/src/inner/a.rs", "a"),
    ]) {
        let mut found = read(format, &bytes).expect("the archive is sound").into_iter().flatten();
        let mut next = || found.next().expect("both are there").expect("an answer");
        let (lock, queue) = (next(), next());
        assert_eq!((lock[Path::new("lib.rs")].as_str(), lock[Path::new("inner/a.rs")].as_str()), ("l", "a"));
        assert_eq!(queue[Path::new("lib.rs")], "q");
    }
}

#[test]
fn only_sources_are_read() {
    let names = names(&[
        Part::file("lock/src/lib.rs", ""),
        Part::file("lock/src/build.sh", ""),
        Part::file("lock/src/lib copy.rs", ""),
        Part::file("lock/src/.cargo/config.rs", ""),
        Part::file("lock/src/inner.zip", "PK"),
        Part::file("lock/build.rs", ""),
        Part::file("lock/Cargo.toml", "[package]"),
        Part::link("lock/target", "/tmp"),
        Part::file("caf\u{e9}/x", ""),
    ]);
    assert_eq!(names, Some(vec!["lib.rs".to_string()]));
}

#[test]
fn names_that_lead_elsewhere_are_refused_wherever_they_are() {
    let long = "a".repeat(1_100);
    for (name, said) in [
        ("/katas/lock/src/lib.rs", "the archive holds `/katas/lock/src/lib.rs`, an absolute name"),
        ("../src/lib.rs", "the archive holds `../src/lib.rs`, a name that leads out of the archive"),
        ("src/../../lib.rs", "a name that leads out of the archive"),
        ("docs/..", "a name that leads out of the archive"),
        ("src\\lib.rs", "a name with a backslash"),
        ("..\\lib.rs", "a name with a backslash"),
        ("C:src/lib.rs", "a name with a drive letter"),
        ("c:/lib.rs", "a name with a drive letter"),
        ("src/a\x1b[2J.rs", r"the archive holds `src/a\u{1b}[2J.rs`, a name with control characters"),
        ("docs/a\nb", r"the archive holds `docs/a\nb`, a name with control characters"),
        (&long, "a name that is longer than any honest one"),
    ] {
        let text = all_refused(&[Part::file("src/lib.rs", ""), Part::file(name, "")]);
        assert!(text.contains(said), "{said}: {text}");
        assert!(text.len() < 400, "{text}");
    }
    // Only a zip archive can hold this one.
    let text = refused(Format::Zip, &zip(&[Part::file("src/lib.rs\0.txt", "")]));
    assert!(text.contains(r"`src/lib.rs\0.txt`, a name with control characters"), "{text}");
}

#[test]
fn names_that_are_there_twice_are_refused() {
    let lib = || Part::file("src/lib.rs", "");
    for (format, bytes) in packed(&[lib(), lib()]) {
        let text = refused(format, &bytes);
        assert!(text.contains("more than once") || text.contains("two files of one name"), "{text}");
    }
    for other in ["./src/lib.rs", "src//lib.rs", "src/./lib.rs"] {
        assert!(all_refused(&[lib(), Part::file(other, "")]).contains("more than once"), "{other}");
    }
    let text = all_refused(&[lib(), Part::folder("src/lib.rs/")]);
    assert!(text.contains("more than once"), "{text}");
    let folders = [Part::folder("src/"), Part::folder("./src/"), lib()];
    assert_eq!(names(&folders), Some(vec!["lib.rs".to_string()]), "folders may come again");
}

#[test]
fn names_that_differ_only_in_capitals_are_refused_where_answers_are() {
    let lib = || Part::file("katas/lock/src/lib.rs", "");
    for other in ["katas/lock/src/LIB.rs", "katas/Lock/src/lib.rs", "KATAS/LOCK/SRC/LIB.RS"] {
        let text = all_refused(&[lib(), Part::file(other, "")]);
        assert!(text.contains("differs from `katas/lock/src/lib.rs` only in capitals"), "{text}");
    }
    let elsewhere = [lib(), Part::file("README.md", ""), Part::file("readme.md", "")];
    assert_eq!(names(&elsewhere), Some(vec!["lib.rs".to_string()]));
    let folders = [lib(), Part::file("katas/lock/src/a/x.rs", ""), Part::file("katas/lock/src/A/y.rs", "")];
    assert!(lock_refused(&folders).contains("differ only in capitals"));
}

#[test]
fn links_and_devices_are_refused_where_answers_are() {
    let lib = || Part::file("katas/lock/src/lib.rs", "");
    for name in ["katas/lock/src/link.rs", "katas/lock/src/link", "katas/queue", "katas/queue/src", "lock", "src"] {
        let text = all_refused(&[lib(), Part::link(name, "/etc/passwd")]);
        assert_eq!(text, format!("the archive holds `{name}`, a link where an answer belongs"));
    }
    for name in ["katas/lock/src/pipe", "katas/lock/src/null.rs"] {
        let text = all_refused(&[lib(), Part::device(name)]);
        assert_eq!(text, format!("the archive holds `{name}`, which is no regular file"));
    }
    let elsewhere = [lib(), Part::link("docs/link", "/etc/passwd"), Part::device("docs/null")];
    assert_eq!(names(&elsewhere), Some(vec!["lib.rs".to_string()]));
    let hard = [tar_entry("secret", b'0', b"s"), tar_entry("src/lib.rs", b'1', b"")].concat();
    assert!(refused(Format::Tar, &hard).contains("`src/lib.rs`, a link where an answer belongs"));
}

#[test]
fn an_answer_that_is_too_much_costs_only_its_kata() {
    let long = "a".repeat(256 * 1024 + 1);
    for (parts, said) in [
        (vec![Part::file("lock/src/lib.rs", &long)], "lock/src/lib.rs is longer than 256 KiB"),
        (
            (0..65).map(|n| Part::file(&format!("lock/src/m{n}.rs"), "")).collect(),
            "lock/src has more than 64 source files",
        ),
        (
            (0..5).map(|n| Part::file(&format!("lock/src/m{n}.rs"), &long[1..])).collect(),
            "lock/src holds more than 1 MiB",
        ),
        (vec![Part::file(&format!("lock/src/{}lib.rs", "a/".repeat(9)), "")], "lock/src has more than 8 folders"),
        (vec![Part::file("lock/src/main.rs", "")], "lock/src has no `lib.rs`"),
        (vec![Part { data: b"caf\xe9".to_vec(), ..Part::file("lock/src/lib.rs", "") }], "is not UTF-8 (byte 4)"),
    ] {
        let mut parts = parts;
        parts.push(Part::file("queue/src/lib.rs", "q"));
        let text = lock_refused(&parts);
        assert!(text.contains(said), "{said}: {text}");
        for (format, bytes) in packed(&parts) {
            let queue = read(format, &bytes).expect("the archive is sound").remove(1).expect("it is there");
            assert!(queue.is_ok(), "{queue:?}");
        }
    }
}

#[test]
fn archives_that_are_too_much_are_refused() {
    let many: Vec<Part> = (0..2_001).map(|n| Part::file(&format!("docs/{n}"), "")).collect();
    assert_eq!(all_refused(&many), "the archive holds more than 2000 files and folders");
    for format in [Format::Zip, Format::TarGz, Format::Tar] {
        assert_eq!(refused(format, &vec![0; 8 * 1024 * 1024 + 1]), "the archive is larger than 8 MiB");
    }
}

#[test]
fn bombs_do_not_go_off() {
    // 1 MiB of zeros as one member of a gzip file, 33 times.
    let bomb = gzip(&vec![0; 1024 * 1024]).repeat(33);
    assert!(bomb.len() < 256 * 1024);
    assert_eq!(refused(Format::TarGz, &bomb), "the archive unpacks to more than 32 MiB");
    let longer = [bomb.as_slice(), b"not gzip at all"].concat();
    assert!(refused(Format::TarGz, &longer).contains("more than 32 MiB"), "the rest isn't even unpacked");
    // A member that says it is short, and one that says it is as long as it is.
    for says in [10, 64 * 1024 * 1024] {
        let zeros = vec![0; 1024 * 1024];
        let bomb = Part { says: Some(says), deflated: true, data: zeros, ..Part::file("src/lib.rs", "") };
        let said = read(Format::Zip, &zip(&[bomb]));
        assert!(
            format!("{said:?}").contains(if says == 10 { "can't be unpacked" } else { "longer than 256 KiB" }),
            "{said:?}"
        );
    }
    // One that nobody wants isn't even looked into.
    let unwanted = Part { says: Some(u32::MAX - 1), data: b"no deflate".to_vec(), ..Part::file("docs/bomb", "") };
    let bytes = zip(&[Part::file("src/lib.rs", ""), unwanted]);
    assert!(read(Format::Zip, &bytes).expect("the archive is sound")[0].is_some());
}

#[test]
fn sizes_that_lie_are_refused() {
    for says in [1, 3, 100] {
        let part = Part { says: Some(says), ..Part::file("src/lib.rs", "ab") };
        let text = refused(Format::Zip, &zip(&[part]));
        assert!(text.contains("`src/lib.rs`, which"), "{says}: {text}");
    }
    // In a tar archive the size says where the next member begins, so a wrong one is a damaged archive.
    let mut short = tar(&[Part::file("src/lib.rs", "ab")]);
    short.truncate(513);
    assert!(refused(Format::Tar, &short).contains("the archive is damaged: "));
}

#[test]
fn damaged_and_locked_archives_are_refused() {
    let parts =
        [Part { deflated: true, ..Part::file("src/lib.rs", &"fn f() {}".repeat(99)) }, Part::file("docs/x", "x")];
    for (format, bytes) in packed(&parts) {
        let empty = refused(format, b"");
        assert!(empty.contains("the archive is damaged: ") || empty == "the archive is empty", "{format:?}: {empty}");
        let half = read(format, &bytes[..bytes.len() / 2]);
        assert!(matches!(half, Err(Unreadable::Refused { .. })), "{format:?}: {half:?}");
    }
    assert!(refused(Format::Zip, b"PK\x03\x04").contains("the archive is damaged: "));
    assert!(refused(Format::TarGz, b"not gzip at all").contains("the archive is damaged: "));
    assert!(refused(Format::Tar, &[b'x'; 1024]).contains("the archive is damaged: "));
    let locked = Part { flags: 1, ..Part::file("src/lib.rs", "x") };
    assert_eq!(refused(Format::Zip, &zip(&[locked])), "the archive holds `src/lib.rs`, which is encrypted");
    let odd = Part { method: Some(12), ..Part::file("src/lib.rs", "x") };
    assert!(refused(Format::Zip, &zip(&[odd])).contains("`src/lib.rs`, which can't be unpacked: "));
    let wrong = Part { checksum: Some(7), ..Part::file("src/lib.rs", "x") };
    assert!(refused(Format::Zip, &zip(&[wrong])).contains("`src/lib.rs`, which can't be unpacked: "));
}

#[test]
fn the_list_at_the_end_of_a_zip_is_what_counts() {
    let mut bytes = zip(&[Part::file("src/lib.rs", "l")]);
    let local = bytes.windows(10).position(|name| name == b"src/lib.rs").expect("the local header is first");
    bytes[local..local + 10].copy_from_slice(b"../evil.rs");
    let found = read(Format::Zip, &bytes).expect("the archive is sound").remove(0);
    assert_eq!(found.expect("it is there").expect("an answer")[Path::new("lib.rs")], "l");
}

#[test]
fn long_names_of_tar_archives_are_read() {
    let name = format!("{}/src/lib.rs", "a".repeat(120));
    let gnu = [tar_entry("././@LongLink", b'L', format!("{name}\0").as_bytes()), tar_entry("cut", b'0', b"l")].concat();
    let note = |length| tar_entry("pax", b'x', format!("{length} path={name}\n").as_bytes());
    let pax = [note(141), tar_entry("cut", b'0', b"l")].concat();
    let global = [tar_entry("pax_global_header", b'g', b"20 comment=a commit\n"), pax.clone()].concat();
    for bytes in [gnu, pax, global] {
        let found = read(Format::Tar, &bytes).expect("the archive is sound").remove(0);
        assert_eq!(found.expect("it is there").expect("an answer")[Path::new("lib.rs")], "l");
    }
    let broken = [note(140), tar_entry("src/lib.rs", b'0', b"l")].concat();
    assert!(refused(Format::Tar, &broken).contains("the archive is damaged: "));
    let hidden = [tar_entry("pax", b'x', b"26 path=../../evil/lib.rs\n"), tar_entry("src/lib.rs", b'0', b"l")].concat();
    assert!(refused(Format::Tar, &hidden).contains("leads out of the archive"));
}

#[test]
fn sparse_members_are_refused_or_passed_over() {
    // What is said to be 7 GiB of zeros, in no block at all.
    let sparse = |name| made::sparse(name, 7 * 1024 * 1024 * 1024);
    let text = refused(Format::Tar, &sparse("src/lib.rs"));
    assert!(text.contains("which is no regular file") || text.contains("damaged"), "{text}");
    let elsewhere = [tar_entry("src/lib.rs", b'0', b"l"), made::sparse("docs/hole", 4096)].concat();
    assert!(read(Format::Tar, &elsewhere).expect("the archive is sound")[0].is_some());
}

#[cfg(unix)]
#[test]
fn an_archive_that_is_a_link_or_a_folder_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("ada.zip");
    std::os::unix::fs::symlink("/etc/passwd", &path).expect("a link");
    assert_eq!(refusal(find(&path, Format::Zip, &[])), "the submission is a symbolic link");
    assert_eq!(refusal(find(folder.path(), Format::Zip, &[])), "the submission is not a file");
}
