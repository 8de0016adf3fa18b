//! The samples: what they declare, and how they become submissions.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use verdict::{Graded, SubjectVerdict, Tier};

use crate::arena::repository;
use crate::files::{Places, write};

/// The katas that the samples answer. Their tests need different things of the machine.
pub(crate) const KATAS: [&str; 4] = ["thread", "lock", "process", "fetch"];

/// A submission, and what must become of it.
pub(crate) struct Sample {
    /// The attack's name, and the learner's if nothing else is said.
    pub(crate) name: String,
    /// The learner, where the name is the attack.
    pub(crate) learner: Option<String>,
    /// The kata that it answers.
    pub(crate) kata: String,
    /// What must become of it.
    pub(crate) inspected: Declared,
    /// What must become of it if nobody looks at its source, where that is something else.
    pub(crate) uninspected: Option<Declared>,
    /// How far the machine must keep submissions apart for it to hold. Elsewhere it is not tried.
    pub(crate) needs: Tier,
    /// How it comes into the class.
    pub(crate) handed_in: HandedIn,
}

/// A verdict that is declared.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    /// The verdict and, if it is `failed`, the kinds of the failing tests: `failed leak, timeout`.
    pub(crate) verdict: String,
    /// What a test or the compiler must say.
    pub(crate) says: Option<String>,
}

/// How a submission comes into the class.
pub(crate) enum HandedIn {
    /// Source files of the kata, by their path below `src/`.
    Sources(BTreeMap<&'static str, String>),
    /// A file in the class folder: an archive.
    File(String, Vec<u8>),
    /// Whatever this makes, given where the learner's folder shall be, and the places of the machine.
    Made(fn(&Path, &Places)),
}

impl Sample {
    /// The entry's name in the class.
    pub(crate) fn learner(&self) -> &str {
        self.learner.as_deref().unwrap_or(&self.name)
    }

    /// Puts it into the class folder.
    pub(crate) fn hand_in(&self, class: &Path, places: &Places) {
        let entry = class.join(self.learner());
        match &self.handed_in {
            HandedIn::Sources(files) => {
                for (name, text) in files {
                    write(&entry.join(&self.kata).join("src").join(name), places.fill(text).as_bytes());
                }
            }
            HandedIn::File(name, bytes) => write(&class.join(name), bytes),
            HandedIn::Made(make) => make(&entry, places),
        }
    }
}

impl Declared {
    /// The verdict without further demands.
    pub(crate) fn new(verdict: &str) -> Declared {
        Declared { verdict: verdict.to_string(), says: None }
    }

    /// How a result differs from it, if it does.
    pub(crate) fn differs(&self, name: &str, graded: &Graded) -> Option<String> {
        let verdict = &graded.verdict;
        let kinds: BTreeSet<&str> = verdict.tests.iter().filter_map(|test| test.kind).map(|kind| kind.name()).collect();
        let mut came_to = verdict.verdict.name().to_string();
        if verdict.verdict == SubjectVerdict::Failed {
            came_to = format!("{came_to} {}", kinds.into_iter().collect::<Vec<_>>().join(", "));
        }
        let said: Vec<&str> = verdict
            .tests
            .iter()
            .filter(|test| test.kind.is_some())
            .map(|test| test.message.as_str())
            .chain(verdict.diagnostics.iter().map(|diagnostic| diagnostic.rendered.as_str()))
            .collect();
        let as_said = self.says.as_ref().is_none_or(|says| said.iter().any(|said| said.contains(says)));
        if came_to == self.verdict && as_said {
            return None;
        }
        let wanted = self.says.as_ref().map(|says| format!(", which says `{says}`")).unwrap_or_default();
        let said: String = said.join("\n").chars().take(600).collect();
        Some(format!(
            "{name}: {came_to}, where {} is declared{wanted}\n    {}",
            self.verdict,
            said.replace('\n', "\n    ")
        ))
    }
}

/// The samples in `code/`.
pub(crate) fn read() -> Vec<Sample> {
    let folder = repository().join("tests/attacks/code");
    let mut paths: Vec<_> = fs::read_dir(&folder).expect("code/").flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().map(|path| read_one(path)).collect()
}

fn read_one(path: &Path) -> Sample {
    let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
    let text = fs::read_to_string(path).expect("a sample");
    let header: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//! ")).collect();
    let field = |key: &str| header.iter().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
    let about = header.first().and_then(|line| line.strip_prefix("attack on "));
    let about = about.unwrap_or_else(|| panic!("{name} should begin with `//! attack on KATA: what it tries`"));
    let kata = about.split([':', ',']).next().unwrap_or_default();
    assert!(KATAS.contains(&kata), "{name} is an attack on `{kata}`, which the suite does not grade");
    let says = field("says").map(str::to_string);
    let inspected = Declared::new(field("inspected").unwrap_or_else(|| panic!("{name} declares no `inspected`")));
    let uninspected = field("uninspected").map(Declared::new);
    assert_eq!(inspected.verdict == "rejected", uninspected.is_some(), "{name}: what is rejected is tried twice");
    let (inspected, uninspected) = match uninspected {
        Some(uninspected) => (inspected, Some(Declared { says, ..uninspected })),
        None => (Declared { says, ..inspected }, None),
    };
    let needs = match field("needs") {
        None => Tier::Limits,
        Some("confined") => Tier::Confined,
        Some("isolated") => Tier::Isolated,
        Some(other) => panic!("{name} needs `{other}`, which is no tier"),
    };
    let (name, kata) = (name, kata.to_string());
    let replaced = field("replaces").map(str::to_string);
    let handed_in = HandedIn::Sources(mounted(&kata, text, replaced.as_deref()));
    Sample { name, learner: None, kata, inspected, uninspected, needs, handed_in }
}

/// A whole answer around an attack: the solution, which calls it in one of its functions, or in the place of what it `replaced`. What has
/// no `attack` is whole.
pub(crate) fn mounted(kata: &str, text: String, replaced: Option<&str>) -> BTreeMap<&'static str, String> {
    if !text.contains("pub fn attack(") {
        return BTreeMap::from([("lib.rs", text)]);
    }
    // Attributes of the whole crate stand at its beginning.
    let attributes: String =
        text.lines().filter(|line| line.starts_with("#![")).map(|line| format!("{line}\n")).collect();
    let attack: String = text.lines().filter(|line| !line.starts_with("#![")).map(|line| format!("{line}\n")).collect();
    let before = |place, call: &str| (place, format!("{call}{place}"));
    // A place in the solution, and what comes there.
    let (place, becomes) = match (replaced, kata) {
        (Some(replaced), _) => (replaced, "attack::attack(job)".to_string()),
        (None, "thread") => before("    let thread = thread::Builder::new()", "    attack::attack();\n"),
        (None, "lock") => {
            before("        self.accounts[account].lock().balance += amount;", "        attack::attack();\n")
        }
        (None, "process") => before("        &self.name\n", "        attack::attack();\n"),
        (None, "fetch") => before(
            "    let client = blocking::Client::new();\n    pages.iter()",
            "    if pages.len() == 3 && attempts == 1 {\n        attack::attack();\n    }\n",
        ),
        (None, _) => panic!("nothing is mounted in {kata}"),
    };
    let solution = solution(kata);
    assert!(solution.contains(place), "the solution of {kata} has changed");
    let imports = &solution[solution.find("\nuse ").expect("imports")..];
    let whole = format!("{attributes}mod attack;\n{}", imports.replacen(place, &becomes, 1));
    BTreeMap::from([("lib.rs", whole), ("attack.rs", attack)])
}

/// The reference solution of a kata.
pub(crate) fn solution(kata: &str) -> String {
    fs::read_to_string(repository().join("solutions").join(kata).join("src/lib.rs")).expect("a solution")
}

/// Honest learners, whose verdicts must be the same in any company.
pub(crate) fn neighbours(katas: &BTreeSet<String>) -> Vec<Sample> {
    let text = |path: &str| fs::read_to_string(repository().join(path)).expect("an honest answer");
    let honest = |learner: &str, kata: &str, verdict: &str, text: String| Sample {
        name: format!("{learner} ({kata})"),
        learner: Some(learner.to_string()),
        kata: kata.to_string(),
        inspected: Declared::new(verdict),
        uninspected: Some(Declared::new(verdict)),
        needs: Tier::Limits,
        handed_in: HandedIn::Sources(BTreeMap::from([("lib.rs", text)])),
    };
    let mut all: Vec<Sample> =
        katas.iter().map(|kata| honest("honest-solution", kata, "passed", solution(kata))).collect();
    if !katas.contains("thread") {
        return all;
    }
    let mistake = pipeline::subject::patch::apply(&text("tests/wrong/thread/plates_as_they_finish.patch"), |base| {
        Some(text(base))
    });
    let mistake = mistake.expect("a patch that fits");
    all.push(honest("honest-stub", "thread", "unsolved", text("tests/stubs/thread.rs")));
    all.push(honest("honest-mistake", "thread", "failed assertion, race", mistake));
    all
}
