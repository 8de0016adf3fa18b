//! Several subjects in one test program. To compile and link the tests of one alone costs nearly as much as those of a few together,
//! and a class has hundreds.
//!
//! Each subject is a library of its own as ever, under a name of its own, and the kata's test files are there once for each, as a
//! module. A process still runs one test of one subject. What strangers' libraries contain can't be called from one to the other: a
//! subject names no other, all of them are without `unsafe`, and none of them may start processes.

use std::collections::BTreeMap;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::thread;

use toml::{Table, Value};
use verdict::Mode;

use crate::error::Result;
use crate::judging::sandbox::Trust;
use crate::judging::settings::Purpose;
use crate::judging::stage::{self, Loaded, Staged};
use crate::repository::Repository;
use crate::subject::catalog::{Kata, Need};
use crate::subject::needed::needed;
use crate::subject::sources::Files;

/// Subjects in one program at most. With more, the programs grow, and little more is spared.
const LARGEST: usize = 8;

/// Subjects of one kata whose tests in one mode are one program.
#[derive(Debug)]
pub(crate) struct Group {
    kata: String,
    pub(super) mode: Mode,
    purpose: Purpose,
    number: usize,
    /// The subjects' places among the staged ones.
    members: Vec<usize>,
}

/// A program with the tests of a subject.
#[derive(Clone, Debug)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// What of it is this subject's, if it has the tests of several.
    pub(crate) part: Option<Part>,
}

/// A subject's part of a program.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// The module with its tests.
    pub(crate) module: String,
    /// Where the copies of the test files are, as the compiler names them.
    pub(crate) copies: String,
}

impl Program {
    /// What the harness calls a test.
    pub(crate) fn test(&self, name: &str) -> String {
        self.part.as_ref().map_or(name.to_string(), |part| format!("{}::{name}", part.module))
    }
}

impl Group {
    /// The folder of its crate, below that of the workspace.
    pub(super) fn home(&self) -> String {
        format!("groups/{}", self.name())
    }

    /// The name of its package in the workspace `label`.
    pub(super) fn package(&self, label: &str) -> String {
        format!("{label}--group-{}", self.name())
    }

    /// Its name in the workspace. Groups for different purposes do not take each other's place: who verifies builds both, and the next
    /// time neither.
    fn name(&self) -> String {
        let only = if self.purpose == Purpose::Tests { "" } else { "only-" };
        format!("{}-{only}{}-{}", self.kata, self.mode, self.number)
    }

    /// The subjects' places, and what of the program is each one's.
    pub(super) fn parts(&self) -> impl Iterator<Item = (usize, Part)> {
        self.members.iter().enumerate().map(|(number, member)| {
            let module = module(number);
            (*member, Part { copies: format!("{}/tests/{module}/", self.home()), module })
        })
    }

    /// Whether the compiler's errors are about this part; about all, if they are about none.
    pub(super) fn blames(&self, part: &Part, errors: &str) -> bool {
        let errors = errors.replace(MAIN_SEPARATOR, "/");
        errors.contains(&part.copies) || !self.parts().any(|(_, other)| errors.contains(&other.copies))
    }
}

/// As long for each, like all that a submission can learn of its process's arguments.
fn module(number: usize) -> String {
    format!("s{number:02}")
}

/// Whether strangers' answers to this kata can be in one program. Where it can't be taught without `unsafe`, code could reach whatever is
/// there; and where it may start processes, it could start its program in a role that another answer plays better.
fn strangers_may_share(kata: &Kata) -> bool {
    !kata.about.rules.allow_unsafe && !kata.about.needs.contains(&Need::Processes)
}

/// Groups of those subjects that may be in one, by their place: in each mode, those of a kata. Whoever is alone is in none. Their
/// numbers begin with `first`.
pub(super) fn groups(
    subjects: &[Loaded],
    trust: &Trust,
    first: usize,
    may: impl Fn(usize, Mode) -> bool,
) -> Vec<Group> {
    // Where a file was not inspected, nobody knows what is in it.
    let may_share =
        |one: &Loaded| one.unread.is_empty() && (matches!(trust, Trust::Own) || strangers_may_share(&one.subject.kata));
    let mut together: BTreeMap<(&str, Mode), Vec<usize>> = BTreeMap::new();
    for (place, one) in subjects.iter().enumerate().filter(|(_, one)| may_share(one)) {
        for mode in one.modes().iter().filter(|mode| may(place, **mode)) {
            together.entry((&one.subject.kata.name, *mode)).or_default().push(place);
        }
    }
    let cores = thread::available_parallelism().map_or(2, usize::from);
    let mut groups = Vec::new();
    for ((kata, mode), places) in together {
        for chunk in places.chunks(size(places.len(), cores)).filter(|chunk| chunk.len() > 1) {
            let (kata, number, purpose) = (kata.to_string(), first + groups.len(), subjects[chunk[0]].purpose);
            groups.push(Group { kata, mode, purpose, number, members: chunk.to_vec() });
        }
    }
    groups
}

/// How large the groups of so many subjects are: nearly of one size, and so many that all cores have something to do.
fn size(subjects: usize, cores: usize) -> usize {
    let wanted = subjects.div_ceil(cores).clamp(2, LARGEST);
    subjects.div_ceil(subjects.div_ceil(wanted))
}

/// Writes the groups' crates.
pub(super) fn write(repository: &Repository, staged: &Staged, groups: &[Group]) -> Result<()> {
    for group in groups {
        let home = staged.folder.join(group.home());
        let members: Vec<&Loaded> = group.members.iter().map(|place| &staged.subjects[*place]).collect();
        let kata = &members[0].subject.kata;
        let sources = sources(kata, &members)?;
        stage::write_sources(&home.join("tests"), &sources)?;
        let mut manifest = stage::crate_manifest(repository, &staged.label, members[0], group.mode)?;
        manifest.remove("lib");
        stage::table(&mut manifest, "package").insert("name".to_string(), Value::String(group.package(&staged.label)));
        stage::note_content(&mut manifest, &sources);
        let test = [("name", Value::String(kata.name.clone())), ("path", Value::String("tests/main.rs".to_string()))];
        let test = Table::from_iter(test.map(|(key, value)| (key.to_string(), value)));
        manifest.insert("test".to_string(), Value::Array(vec![Value::Table(test)]));
        let dependencies = stage::table(&mut manifest, "dependencies");
        for (number, member) in members.iter().enumerate() {
            let home = Path::new("../..").join(member.home(group.mode));
            let library = stage::dependency(&member.package(&staged.label, group.mode), &home);
            dependencies.insert(format!("answer_{}", module(number)), Value::Table(library));
        }
        stage::write_if_changed(&home.join("Cargo.toml"), &manifest.to_string())?;
    }
    stage::write_workspace(repository, staged, groups)
}

/// The test files once for each subject, where the kata's name means that subject's library.
fn sources(kata: &Kata, subjects: &[&Loaded]) -> Result<Files> {
    let whole = kata.test_files()?;
    let (mut files, mut main) = (Files::new(), String::new());
    for (number, loaded) in subjects.iter().enumerate() {
        let module = module(number);
        main += &format!("#[path = \"{module}/{}.rs\"]\nmod {module};\n", kata.name);
        for (name, text) in needed(&whole, |test| loaded.subject.wants(test)) {
            files.insert(Path::new(&module).join(name), naming(&text, &kata.library(), &format!("answer_{module}")));
        }
    }
    files.insert("main.rs".into(), main);
    Ok(files)
}

/// The text, in which the name of one library means another one. Its lines keep their numbers.
fn naming(text: &str, library: &str, other: &str) -> String {
    // So it is named where `std` has a module of that name, too.
    let absolute = format!("use ::{library}::");
    match text.contains(&absolute) {
        true => text.replace(&absolute, &format!("use ::{other}::")),
        false => format!("{text}\n#[allow(unused_imports)]\nuse {other} as {library};\n"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::subject::catalog;

    #[test]
    fn answers_whose_tests_start_their_own_program_are_alone() {
        let repository = Repository::find(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let katas = catalog::all(&repository).unwrap();
        let (sharing, alone): (Vec<_>, Vec<_>) = katas.iter().partition(|kata| strangers_may_share(kata));
        assert!(sharing.len() > 10 && alone.len() > 5, "{} and {}", sharing.len(), alone.len());
        for kata in sharing {
            let text = fs::read_to_string(kata.test_file()).unwrap();
            assert!(!text.contains("roles!"), "{}", kata.name);
        }
    }

    #[test]
    fn groups_are_nearly_of_one_size_and_keep_the_cores_busy() {
        let sizes = [(1, 2), (2, 2), (3, 2), (9, 2), (17, 2), (200, 2), (200, 64)].map(|(n, cores)| size(n, cores));
        assert_eq!(sizes, [1, 2, 2, 5, 6, 8, 4]);
    }

    #[test]
    fn a_copy_of_the_tests_names_another_library_on_the_same_lines() {
        assert_eq!(
            naming("use lock::Bank;\nuse std::thread;", "lock", "answer_s03"),
            "use lock::Bank;\nuse std::thread;\n#[allow(unused_imports)]\nuse answer_s03 as lock;\n"
        );
        assert_eq!(
            naming("use ::thread::start;\nuse std::thread;\n", "thread", "answer_s03"),
            "use ::answer_s03::start;\nuse std::thread;\n"
        );
    }

    #[test]
    fn what_could_not_be_inspected_is_in_no_program_with_others() {
        let repository = Repository::find(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let kata = catalog::all(&repository).unwrap().into_iter().find(|kata| strangers_may_share(kata)).unwrap();
        let subjects = (0..3).map(|_| crate::subject::solution(&repository, &kata)).collect();
        let mut subjects = stage::load(subjects, Purpose::Threads).unwrap();
        let members = |subjects: &[Loaded]| -> Vec<Vec<usize>> {
            groups(subjects, &Trust::Own, 0, |_, _| true).into_iter().map(|group| group.members).collect()
        };
        assert!(members(&subjects).concat().contains(&1));
        subjects[1].unread = vec![verdict::Diagnostic {
            level: "rule".to_string(),
            message: "`old.rs` can't be read as Rust".to_string(),
            file: None,
            line: None,
            rendered: String::new(),
        }];
        assert_eq!(members(&subjects), [[0, 2]]);
    }

    fn group(mode: Mode, purpose: Purpose) -> Group {
        Group { kata: "lock".to_string(), mode, purpose, number: 7, members: vec![4, 9] }
    }

    #[test]
    fn groups_for_different_purposes_have_different_names() {
        let names = [Purpose::Tests, Purpose::Schedules].map(|purpose| {
            let group = group(Mode::Schedules, purpose);
            assert!(group.package("verify").ends_with(&group.home()["groups/".len()..]));
            group.home()
        });
        assert_eq!(names, ["groups/lock-schedules-7", "groups/lock-only-schedules-7"]);
    }

    #[test]
    fn who_does_not_fit_is_known_by_the_copy_that_the_compiler_names() {
        let group = group(Mode::Threads, Purpose::Tests);
        let blamed = |errors: &str| -> Vec<usize> {
            group.parts().filter(|(_, part)| group.blames(part, errors)).map(|(member, _)| member).collect()
        };
        let error = "error[E0308]: mismatched types\n --> groups/lock-threads-7/tests/s01/lock.rs:3:9";
        assert_eq!(blamed(&error.replace('/', std::path::MAIN_SEPARATOR_STR)), [9]);
        assert_eq!(blamed("error: the compiler was not done in time"), [4, 9], "each may be at fault");
    }
}
