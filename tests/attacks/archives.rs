//! Attacks by archives. All are made here: nothing hostile lies in the repository as a file that a tool might open.

// The grader's own unit tests make their archives the same way.
#[allow(dead_code, reason = "not every way of being wrong is an attack")]
#[path = "../../xtask/grader/src/class/archive/tests/made.rs"]
mod packed;

use verdict::Tier;

use crate::samples::{Declared, HandedIn, Sample, solution};
use packed::{Part, gzip, sparse, tar, tar_entry, zip};

/// The samples.
pub(crate) fn samples() -> Vec<Sample> {
    let answer = || Part::file("thread/src/lib.rs", &solution("thread"));
    let with = |part: Part| vec![answer(), part];
    let mut samples = vec![zipped("zip_that_is_fine", "passed", &[answer()])];
    for (name, hostile) in [
        ("parents", "../../evil.rs"),
        ("parents_within", "thread/src/../../../../evil.rs"),
        ("absolute", "/tmp/evil.rs"),
        ("drive", "C:/evil.rs"),
        ("backslashes", "thread\\src\\..\\..\\..\\evil.rs"),
        ("controls", "thread/src/\u{1b}[2J.rs"),
        ("twice", "thread/src/lib.rs"),
        ("capitals", "thread/src/LIB.rs"),
    ] {
        samples.push(zipped(&format!("zip_{name}"), "rejected", &with(Part::file(hostile, "evil"))));
        samples.push(tarred(&format!("tar_{name}"), "rejected", &with(Part::file(hostile, "evil"))));
    }
    let link = || with(Part::link("thread/src/more.rs", "/etc/passwd"));
    let device = || with(Part::device("thread/src/more.rs"));
    let bomb =
        || with(Part { data: vec![0; 48 * 1024 * 1024], deflated: true, ..Part::file("thread/src/more.rs", "") });
    let many: Vec<Part> = (0..3_000).map(|number| Part::file(&format!("thread/src/{number}.txt"), "")).collect();
    samples.extend([
        zipped("zip_link", "rejected", &link()),
        tarred("tar_link", "rejected", &link()),
        tarred("tar_device", "rejected", &device()),
        zipped("zip_bomb", "rejected", &bomb()),
        tarred("tar_bomb", "rejected", &bomb()),
        zipped("zip_lies_about_its_size", "rejected", &[Part { says: Some(10), deflated: true, ..answer() }]),
        zipped("zip_lies_about_its_checksum", "rejected", &[Part { checksum: Some(10), ..answer() }]),
        zipped("zip_encrypted", "rejected", &[Part { flags: 1, ..answer() }]),
        zipped("zip_of_an_unknown_method", "rejected", &[Part { method: Some(99), ..answer() }]),
        zipped("zip_of_many", "rejected", &[vec![answer()], many].concat()),
        file("zip_truncated", "zip", "rejected", zip(&[answer()])[..500].to_vec()),
        file("zip_of_nothing", "zip", "rejected", Vec::new()),
        file("tar_truncated", "tar.gz", "rejected", gzip(&tar(&[answer()]))[..500].to_vec()),
        file("tar_of_noise", "tar.gz", "rejected", gzip(&[7; 4096])),
        file(
            "tar_hard_link",
            "tar.gz",
            "rejected",
            gzip(&[tar_entry("thread/src/lib.rs", b'1', b""), tar(&[])].concat()),
        ),
        file("tar_sparse", "tar.gz", "rejected", gzip(&[sparse("thread/src/lib.rs", 1 << 32), tar(&[])].concat())),
    ]);
    samples
}

fn zipped(name: &str, verdict: &str, parts: &[Part]) -> Sample {
    file(name, "zip", verdict, zip(parts))
}

fn tarred(name: &str, verdict: &str, parts: &[Part]) -> Sample {
    file(name, "tar.gz", verdict, gzip(&tar(parts)))
}

fn file(name: &str, ending: &str, verdict: &str, bytes: Vec<u8>) -> Sample {
    Sample {
        name: name.to_string(),
        learner: None,
        kata: "thread".to_string(),
        inspected: Declared::new(verdict),
        uninspected: None,
        needs: Tier::Limits,
        handed_in: HandedIn::File(format!("{name}.{ending}"), bytes),
    }
}
