//! Attacks whose text is too long to be kept: it is made here.

use std::collections::BTreeMap;
use std::fmt::Write;

use verdict::Tier;

use crate::samples::{Declared, HandedIn, Sample, mounted, solution};

/// The samples.
pub(crate) fn samples() -> Vec<Sample> {
    let deep = |name: &str, text: String| attack(name, text, "rejected", Some("compile-error"));
    vec![
        deep("nested_parentheses", constant(&format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000)))),
        deep("nested_blocks", constant(&format!("{}1{}", "{".repeat(100_000), "}".repeat(100_000)))),
        deep("unary_operators", constant(&format!("{}1", "!".repeat(200_000)))),
        deep("references", constant(&format!("*{}&1", "*&".repeat(100_000)))),
        deep("long_sum", constant(&format!("{}1", "1+".repeat(100_000)))),
        deep(
            "nested_types",
            with_attack(&format!("pub type Deep = {}u8{};", "Box<".repeat(30_000), ">".repeat(30_000))),
        ),
        deep("nested_modules", with_attack(&format!("{}{}", "mod m{".repeat(20_000), "}".repeat(20_000)))),
        flood("warning_flood", warning_flood()),
        flood("error_flood_of_the_compiler", error_flood()),
        large(
            "file_too_long",
            BTreeMap::from([("lib.rs", format!("{}//{}", solution("thread"), "#".repeat(256 * 1024)))]),
        ),
    ]
}

/// An attack on `process`, which is built once, not twice.
fn attack(name: &str, text: String, inspected: &str, uninspected: Option<&str>) -> Sample {
    Sample {
        name: name.to_string(),
        learner: None,
        kata: "process".to_string(),
        inspected: Declared::new(inspected),
        uninspected: uninspected.map(Declared::new),
        needs: Tier::Limits,
        handed_in: HandedIn::Sources(mounted("process", text, None)),
    }
}

/// An attack that makes the compiler say more than it may.
fn flood(name: &str, text: String) -> Sample {
    let says = Some("more to say about this code than anybody would read".to_string());
    let inspected = Declared { says, ..Declared::new("compile-error") };
    Sample { inspected, ..attack(name, text, "compile-error", None) }
}

/// Files that are not even read.
fn large(name: &str, files: BTreeMap<&'static str, String>) -> Sample {
    Sample {
        kata: "thread".to_string(),
        handed_in: HandedIn::Sources(files),
        ..attack(name, String::new(), "rejected", None)
    }
}

fn with_attack(item: &str) -> String {
    format!("{item}\npub fn attack() {{}}\n")
}

fn constant(value: &str) -> String {
    with_attack(&format!("pub const VALUE: u64 = {value};"))
}

/// 500 warnings, each of which shows the same line of 200 kB: 100 MB in all.
fn warning_flood() -> String {
    let mut line = String::from("#![warn(unused_variables)]\npub fn attack() { ");
    for number in 0..500 {
        let _ = write!(line, "let unused_{number} = \"{}\"; ", "#".repeat(380));
    }
    line + "}"
}

/// The same with errors.
fn error_flood() -> String {
    let mut line = String::from("pub fn attack() { ");
    for number in 0..500 {
        let _ = write!(line, "missing_{number}(\"{}\"); ", "#".repeat(380));
    }
    line + "}"
}
