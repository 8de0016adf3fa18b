//! Attacks by the learner's name, which is in every report. The answers break a rule, so that their paths are shown, too.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use verdict::Tier;

use crate::files::{Places, write};
use crate::samples::{Declared, HandedIn, Sample};

/// Names that are something else somewhere. No file's name can have a slash, so `../evil` comes as it may be written.
const NAMES: [&str; 24] = [
    "evil..",
    "%2e%2e%2fevil",
    "a..\\..\\evil",
    "=cmd|' ' C calc'!A0",
    "+1",
    "@SUM(1)",
    "-rf",
    "<script>alert(1)",
    "<img src=x onerror=alert(1)>",
    "\" onmouseover=\"alert(1)",
    "&lt;b&gt;",
    "::error file=a::owned",
    "##vso[task.complete result=Succeeded]",
    "two\n::stop-commands::lines",
    "carriage\rreturn",
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "\u{202e}reversed",
    "con",
    " ",
    "Honest-Solution",
    "a,b;\"c\"\td",
    "]]>",
    "`x` | [y](javascript:alert(1)) @everyone",
    "$(touch owned)",
];

/// The samples.
pub(crate) fn samples() -> Vec<Sample> {
    let mut samples: Vec<Sample> = NAMES.into_iter().map(named).collect();
    samples.push(named(&"long ".repeat(40)));
    samples.push(Sample {
        learner: Some(not_unicode()),
        handed_in: HandedIn::Made(|entry, _| answer(&entry.with_file_name(OsStr::from_bytes(b"\xffname\xfe")))),
        ..named("a name that is no text")
    });
    samples
}

fn named(name: &str) -> Sample {
    Sample {
        name: format!("name {name:?}"),
        learner: Some(name.to_string()),
        kata: "thread".to_string(),
        inspected: Declared::new("rejected"),
        uninspected: None,
        needs: Tier::Limits,
        handed_in: HandedIn::Made(|entry: &Path, _: &Places| answer(entry)),
    }
}

fn answer(entry: &Path) {
    write(&entry.join("thread/src/lib.rs"), b"pub fn attack() { unsafe {} }");
}

/// What becomes of bytes that are no text: what can be read of them, and a hash.
fn not_unicode() -> String {
    let hash = <sha2::Sha256 as sha2::Digest>::digest(b"\xffname\xfe");
    let hash: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("\u{fffd}name\u{fffd}-{hash}")
}
