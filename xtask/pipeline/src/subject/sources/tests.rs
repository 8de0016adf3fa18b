//! What a submission may hold, wherever it comes from.

use std::io::Read;
use std::path::Path;

use super::{
    Gathered, LONGEST_FILE, MOST_FILES, Unreadable, Wanted, is_device_name, is_source_name, places, printable,
    read_capped,
};
use crate::error::Error;

/// What the learner is told.
pub(super) fn refusal(result: Result<impl std::fmt::Debug, Unreadable>) -> String {
    match result {
        Err(Unreadable::Refused { what, .. }) => what,
        other => panic!("it was not refused: {other:?}"),
    }
}

#[test]
fn an_answer_is_its_text_by_path() {
    let mut gathered = Gathered::new("src");
    gathered.add("lib.rs", b"mod inner;".to_vec()).expect("it is fine");
    gathered.add("inner/mod.rs", Vec::new()).expect("it is fine");
    let files = gathered.finish().expect("there is a lib.rs");
    assert_eq!(files[Path::new("lib.rs")], "mod inner;");
    assert_eq!(files[Path::new("inner/mod.rs")], "");
    assert_eq!(refusal(Gathered::new("src").finish()), "src has no `lib.rs`");
}

#[test]
fn it_is_short() {
    let mut gathered = Gathered::new("src");
    let longest = usize::try_from(LONGEST_FILE).expect("small");
    gathered.add("a.rs", vec![b' '; longest]).expect("as long as it may be");
    assert_eq!(refusal(gathered.add("b.rs", vec![b' '; longest + 1])), "src/b.rs is longer than 256 KiB");
    for name in ["c.rs", "d.rs", "e.rs"] {
        gathered.add(name, vec![b' '; longest]).expect("1 MiB in all");
    }
    assert_eq!(refusal(gathered.add("f.rs", vec![b' '])), "src holds more than 1 MiB of source");
}

#[test]
fn nothing_is_read_to_its_end_to_see_that_it_is_long() {
    let bytes = read_capped(std::io::repeat(b' ').take(4 * LONGEST_FILE)).expect("it can be read");
    assert_eq!(bytes.len() as u64, LONGEST_FILE + 1);
}

#[test]
fn it_has_few_files() {
    let mut gathered = Gathered::new("src");
    for number in 0..MOST_FILES {
        gathered.add(&format!("m{number}.rs"), Vec::new()).expect("as many as there may be");
    }
    assert_eq!(refusal(gathered.add("lib.rs", Vec::new())), "src has more than 64 source files");
}

#[test]
fn it_is_text() {
    let mut gathered = Gathered::new("src");
    assert_eq!(refusal(gathered.add("lib.rs", b"// caf\xe9\n".to_vec())), "src/lib.rs is not UTF-8 (byte 7)");
}

#[test]
fn its_names_mean_the_same_everywhere() {
    let mut gathered = Gathered::new("src");
    gathered.add("lib.rs", Vec::new()).expect("it is fine");
    gathered.add("inner/a.rs", Vec::new()).expect("it is fine");
    assert_eq!(refusal(gathered.add("Lib.rs", Vec::new())), "src/lib.rs and src/Lib.rs differ only in capitals");
    assert_eq!(refusal(gathered.add("Inner/b.rs", Vec::new())), "src/inner and src/Inner differ only in capitals");
    assert_eq!(refusal(gathered.add("aux.rs", Vec::new())), "src/aux.rs: Windows keeps the name `aux.rs` for a device");
    let long = format!("{}.rs", "a".repeat(200));
    assert_eq!(refusal(gathered.add(&long, Vec::new())), "src holds a file with a name longer than 200 characters");
}

#[test]
fn only_names_that_a_module_can_have_are_sources() {
    for name in ["lib.rs", "bounded_queue.rs", "R2.rs"] {
        assert!(is_source_name(name), "{name}");
    }
    for name in
        [".rs", "lib.rs.bak", "lib copy.rs", "a.b.rs", "caf\u{e9}.rs", "..rs", "lib.RS", "build", "a/b.rs", "-.rs"]
    {
        assert!(!is_source_name(name), "{name}");
    }
}

#[test]
fn devices_have_names_with_any_ending() {
    for name in ["con", "NUL.txt", "Com1.rs", "lpt9", "aux .rs"] {
        assert!(is_device_name(name), "{name}");
    }
    for name in ["console", "com", "com10", "lock", "null", "lptx"] {
        assert!(!is_device_name(name), "{name}");
    }
}

#[test]
fn a_name_in_a_message_moves_no_cursor() {
    assert_eq!(printable("na\u{ef}ve 'a' \\ \u{65e5}"), "na\u{ef}ve 'a' \\ \u{65e5}");
    assert_eq!(printable("a\x1b[2Jb\n\u{202e}c"), r"a\u{1b}[2Jb\n\u{202e}c");
}

#[test]
fn a_kata_is_looked_for_in_every_layout() {
    let wanted = |kata: &str, bare| Wanted { kata: kata.to_string(), bare };
    let all = [wanted("lock", true), wanted("queue", false)];
    let places = |one: &Wanted, top| -> Vec<String> {
        places(one, &all, top).into_iter().map(|place| place.join("/")).collect()
    };
    assert_eq!(places(&all[0], None), ["katas/lock/src", "lock/src", "src"]);
    assert_eq!(places(&all[1], None), ["katas/queue/src", "queue/src"]);
    let inside = ["ada-main/katas/lock/src", "ada-main/lock/src", "ada-main/src"];
    assert_eq!(places(&all[0], Some("ada-main"))[3..], inside);
    // The only folder is another kata's: its `src` is no answer to this one.
    assert_eq!(places(&all[0], Some("queue"))[3..], ["queue/katas/lock/src", "queue/lock/src"]);
}

#[test]
fn only_the_machine_s_faults_are_errors_of_their_own() {
    let refused = Unreadable::refused("src is missing", "Add it.");
    assert_eq!(Error::from(refused).to_string(), "src is missing\nAdd it.");
    let fault = Unreadable::Environment(Error::new("the disk is full", ""));
    assert_eq!(Error::from(fault).to_string(), "the disk is full");
}
