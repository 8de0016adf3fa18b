//! Attacks by what is in a learner's folder beside the answer, or in its place.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use verdict::Tier;

use crate::files::{Places, write};
use crate::samples::{Declared, HandedIn, Sample, solution};

/// The samples.
pub(crate) fn samples() -> Vec<Sample> {
    vec![
        made("own_manifest", "passed", own_manifest),
        made("own_tests_only", "missing", |entry, _| {
            write(&entry.join("thread/tests/thread.rs"), b"#[test] fn a() {}")
        }),
        made("source_folder_is_a_link", "rejected", |entry, places| {
            fs::create_dir_all(entry.join("thread")).expect("a folder");
            symlink(places.fill("@REPOSITORY@/solutions/thread/src"), entry.join("thread/src")).expect("a link");
        }),
        made("source_is_a_link", "rejected", |entry, places| {
            fs::create_dir_all(entry.join("thread/src")).expect("a folder");
            let target = places.fill("@REPOSITORY@/solutions/thread/src/lib.rs");
            symlink(target, entry.join("thread/src/lib.rs")).expect("a link");
        }),
        made("kata_is_a_link", "rejected", |entry, places| {
            fs::create_dir(entry).expect("a folder");
            symlink(places.fill("@CLASS@/honest-solution/thread"), entry.join("thread")).expect("a link");
        }),
        made("whole_entry_is_a_link", "rejected", |entry, places| {
            symlink(places.fill("@CLASS@/honest-solution"), entry).expect("a link");
        }),
        made("source_is_a_pipe", "rejected", |entry, _| {
            fs::create_dir_all(entry.join("thread/src")).expect("a folder");
            let made = Command::new("mkfifo").arg(entry.join("thread/src/lib.rs")).status().expect("mkfifo");
            assert!(made.success(), "a pipe");
        }),
        made("source_is_100_megabytes", "rejected", |entry, _| {
            write(&entry.join("thread/src/lib.rs"), b"");
            let file = fs::File::options().write(true).open(entry.join("thread/src/lib.rs")).expect("a file");
            file.set_len(100_000_000).expect("a hole");
        }),
        made("source_is_a_folder", "rejected", |entry, _| {
            fs::create_dir_all(entry.join("thread/src/lib.rs")).expect("a folder");
        }),
        made("source_is_no_text", "rejected", |entry, _| write(&entry.join("thread/src/lib.rs"), b"// \xff\xfe\n")),
        made("names_that_are_no_text", "passed", |entry, _| {
            write(&entry.join("thread/src/lib.rs"), solution("thread").as_bytes());
            write(&entry.join("thread/src").join(OsStr::from_bytes(b"\xff\n.rs")), b"");
        }),
        made("too_many_files", "rejected", |entry, _| {
            for number in 0..100 {
                write(&entry.join(format!("thread/src/file_{number}.rs")), b"");
            }
            write(&entry.join("thread/src/lib.rs"), b"");
        }),
        made("too_many_entries", "rejected", |entry, _| {
            for number in 0..3_000 {
                write(&entry.join(format!("thread/src/{number}.txt")), b"");
            }
            write(&entry.join("thread/src/lib.rs"), b"");
        }),
        made("too_deep_folders", "rejected", |entry, _| {
            write(&entry.join("thread/src").join("d/".repeat(200)).join("a.rs"), b"");
            write(&entry.join("thread/src/lib.rs"), b"");
        }),
    ]
}

fn made(name: &str, verdict: &str, make: fn(&Path, &Places)) -> Sample {
    Sample {
        name: name.to_string(),
        learner: None,
        kata: "thread".to_string(),
        inspected: Declared::new(verdict),
        uninspected: None,
        needs: Tier::Limits,
        handed_in: HandedIn::Made(make),
    }
}

/// A right answer, and everything that could decide how it is built and judged: none of it counts.
fn own_manifest(entry: &Path, places: &Places) {
    let kata = entry.join("thread");
    let touch = places.fill("touch @HOME@/owned");
    let script =
        format!("fn main() {{ std::process::Command::new(\"sh\").args([\"-c\", \"{touch}\"]).status().unwrap(); }}");
    write(&kata.join("src/lib.rs"), solution("thread").as_bytes());
    write(&kata.join("build.rs"), script.as_bytes());
    write(&kata.join("Cargo.toml"), b"[package]\nname = \"thread\"\nbuild = \"build.rs\"\n[lib]\nproc-macro = true\n");
    write(&kata.join("Cargo.lock"), b"no lock file");
    write(&kata.join("tests/thread.rs"), b"#[test] fn the_cook_gets_the_dish_and_join_gives_the_plate() {}");
    write(&kata.join("rust-toolchain.toml"), b"[toolchain]\nchannel = \"none-such\"\n");
    write(&kata.join(".config/nextest.toml"), b"[profile.default]\nretries = 100\n");
    let wrapper = kata.join("wrapper.sh");
    write(&wrapper, format!("#!/bin/sh\n{touch}\nexec \"$@\"\n").as_bytes());
    for folder in [&kata, entry, &kata.join("src")] {
        let config =
            format!("[build]\nrustc-wrapper = \"{0}\"\n[target.'cfg(all())']\nrunner = \"{0}\"\n", wrapper.display());
        write(&folder.join(".cargo/config.toml"), config.as_bytes());
    }
}
