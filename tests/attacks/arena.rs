//! The arena: a checkout, a class, and the grader let loose on it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pipeline::repository::Repository;
use pipeline::subject::catalog;
use pipeline::subject::needed::needed;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use verdict::Tier;

use crate::files::{Places, all, differences, mirror, picture, write};
use crate::machine::{Machine, end_left_over};
use crate::samples::Sample;

/// What a secret looks like wherever one is planted.
const SECRET: &str = "the-secret-of-whoever-grades";
/// A grader that is not done by then is ended, and the test with it.
const PATIENCE: Duration = Duration::from_secs(900);

/// The tests with which these katas are attacked. Their others would say of each attack what they say of an honest answer, and take
/// minutes for it.
const TESTS: [(&str, &[&str]); 3] = [
    (
        "fetch",
        &[
            "a_page_that_is_there_is_answered_by_its_text",
            "calls_share_nothing",
            "places_are_for_all_sites_together",
            "a_page_that_comes_twice_has_two_answers",
        ],
    ),
    (
        "process",
        &[
            "a_process_gets_its_arguments_variables_and_folder",
            "processes_run_at_the_same_time",
            "a_process_writes_where_its_parent_writes",
        ],
    ),
    (
        "thread",
        &[
            "the_cook_gets_the_dish_and_join_gives_the_plate",
            "all_dishes_are_cooked_at_the_same_time",
            "a_cook_that_panics_takes_no_other_along",
            "calls_have_nothing_to_do_with_each_other",
            "what_holds_for_three_cooks_holds_for_70",
        ],
    ),
];

/// The checkout that these tests belong to.
pub(crate) fn repository() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().find(|folder| folder.join("katas").is_dir()).expect("a repository has katas").to_path_buf()
}

/// A checkout that attacks may try to change, and a folder for what is built in it. Both stay from one run to the next, so that
/// nothing is built twice.
pub(crate) struct Arena {
    checkout: PathBuf,
    target: PathBuf,
    tier: Tier,
    _lock: fs::File,
}

/// What came of grading a class.
pub(crate) struct Graded {
    /// The results.
    pub(crate) results: Vec<verdict::Graded>,
    /// What the attacks have achieved.
    pub(crate) harm: Vec<String>,
    /// Where the reports are.
    pub(crate) out: PathBuf,
    /// What the grader printed on both streams.
    pub(crate) printed: String,
    _folder: TempDir,
}

impl Arena {
    /// Ready for grading. Waits until no other run of this suite uses it.
    pub(crate) fn new() -> Arena {
        let shared = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (checkout, target) = (shared.join("attacked"), shared.join("workshop"));
        fs::create_dir_all(&checkout).expect("a folder");
        let lock = fs::File::create(shared.join("attacked.lock")).expect("a file");
        lock.lock().expect("nobody holds it for ever");
        for name in ["Cargo.toml", "Cargo.lock", "katas", "solutions", "tests", "xtask"] {
            mirror(&repository().join(name), &checkout.join(name), &with_few_tests);
        }
        let mut arena = Arena { checkout, target, tier: Tier::Limits, _lock: lock };
        arena.tier = arena.probe();
        arena
    }

    /// How far this machine keeps submissions apart.
    pub(crate) fn tier(&self) -> Tier {
        self.tier
    }

    /// The highest tier that the grader does not refuse. There is nothing to grade, so this takes no time.
    fn probe(&self) -> Tier {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir_all(folder.path().join("class/nobody")).expect("a folder");
        let given = |tier: &str| {
            let mut command = self.grader();
            command.arg("grade").arg(folder.path().join("class")).arg("--out").arg(folder.path().join("out"));
            command.args(["--kata", "thread", "--require-isolation", tier]);
            command.output().expect("the grader starts").status.success()
        };
        match () {
            () if given("isolated") => Tier::Isolated,
            () if given("confined") => Tier::Confined,
            () => Tier::Limits,
        }
    }

    /// The grader in the checkout, and all that was built before.
    fn grader(&self) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin!("grader"));
        command.current_dir(&self.checkout).env("CARGO_TARGET_DIR", &self.target).timeout(PATIENCE);
        command
    }

    /// Grades a class of these samples, and looks at the machine afterwards.
    pub(crate) fn grade(&self, samples: &[Sample], flags: &[&str]) -> Graded {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
        let [class, out, home, scratch] = ["class", "out", "home", "scratch"].map(|name| root.join(name));
        for place in [&class, &out, &home, &scratch] {
            fs::create_dir(place).expect("a folder");
        }
        write(&home.join(".ssh/id_ed25519"), SECRET.as_bytes());
        write(&home.join(".netrc"), SECRET.as_bytes());
        let run = root.file_name().expect("a name").to_string_lossy().into_owned();
        let socket = home.join("service");
        let mut machine = Machine::ready(&socket, &run);
        let places = self.places(&run, &machine, [&class, &out, &home, &scratch, &socket]);
        samples.iter().for_each(|sample| sample.hand_in(&class, &places));
        let before = [&class, &home, &self.checkout].map(|folder| picture(folder));

        let (code, printed) = self.run(samples, [&class, &out, &home, &scratch], flags);

        let mut harm = machine.harm();
        if code != Some(0) {
            harm.push(format!("the grader could not do everything (exit code {code:?}):\n{printed}"));
        }
        // The first of them say it all.
        harm.extend(end_left_over(root, &nap()).into_iter().take(5));
        for (folder, before) in [&class, &home, &self.checkout].into_iter().zip(before) {
            harm.extend(differences(&before, &picture(folder)));
        }
        for place in ["/tmp", "/var/tmp", "/dev/shm"].map(Path::new).into_iter().chain([self.target.as_path()]) {
            let trace = place.join(format!("{run}-was-here"));
            if fs::symlink_metadata(&trace).is_ok() {
                harm.push(format!("{} was made", trace.display()));
            }
        }
        let left: Vec<_> = fs::read_dir(&scratch).expect("a folder").flatten().map(|entry| entry.path()).collect();
        harm.extend(left.iter().map(|path| format!("{} is left", path.display())));
        let telling = all(&out).into_iter().filter(|file| contains(&fs::read(file).unwrap_or_default(), SECRET));
        harm.extend(telling.map(|file| format!("{} tells the secret", file.display())));
        if printed.contains(SECRET) {
            harm.push("the grader prints the secret".to_string());
        }
        let results = read_results(&out);
        Graded { results, harm, out, printed, _folder: folder }
    }

    /// What the samples' text names.
    fn places(&self, run: &str, machine: &Machine, folders: [&Path; 5]) -> Places {
        let [class, out, home, scratch, socket] = folders.map(|folder| folder.display().to_string());
        let [tcp, udp] = machine.ports();
        let staged = self.target.join("interleave/class").join(format!("thread-{}", short_hash("honest-solution")));
        Places(vec![
            ("RUN", run.to_string()),
            ("CLASS", class),
            ("OUT", out),
            ("HOME", home),
            ("SCRATCH", scratch),
            ("SOCKET", socket),
            ("REPOSITORY", self.checkout.display().to_string()),
            ("TARGET", self.target.display().to_string()),
            ("STAGED", staged.display().to_string()),
            ("NAP", nap()),
            ("VICTIM", machine.victim().to_string()),
            ("PORT", tcp.to_string()),
            ("UDP", udp.to_string()),
        ])
    }

    /// Runs the grader; its exit code, and what it printed.
    fn run(
        &self,
        samples: &[Sample],
        [class, out, home, scratch]: [&Path; 4],
        flags: &[&str],
    ) -> (Option<i32>, String) {
        let mut command = self.grader();
        command.arg("grade").arg(class).arg("--out").arg(out).args(flags);
        // A const loop, a spin and a stopped process are waited for to the end. Everything else takes a fraction of it.
        command.args(["--compile-seconds", "20", "--test-seconds", "20"]);
        let katas: BTreeSet<&str> = samples.iter().map(|sample| sample.kata.as_str()).collect();
        command.args(katas.iter().flat_map(|kata| ["--kata", kata]));
        // Cargo and rustup know their homes by these, or else by the home that is a trap here.
        let real_home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        for (name, below) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            command.env(name, std::env::var_os(name).map_or_else(|| real_home.join(below), PathBuf::from));
        }
        command
            .env("HOME", home)
            .env("TMPDIR", scratch)
            .env("INTERLEAVE_ATTACK_SECRET", SECRET)
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE");
        let ran = command.output().expect("the grader starts");
        let printed = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        (ran.status.code(), printed)
    }
}

/// What a file has to be in the checkout that is attacked.
fn with_few_tests(file: &Path, text: Vec<u8>) -> Vec<u8> {
    let of_tests = TESTS.iter().find_map(|(kata, wanted)| {
        let folder = repository().join("katas").join(kata).join("tests");
        Some((*kata, *wanted, file.strip_prefix(&folder).ok()?.to_path_buf()))
    });
    let Some((kata, wanted, name)) = of_tests else { return text };
    let here = Repository::find(&repository()).expect("this checkout");
    let kata = catalog::all(&here).expect("katas").into_iter().find(|one| one.name == kata).expect("a kata");
    assert!(wanted.iter().all(|test| kata.tests.iter().any(|other| other == test)), "{}: {wanted:?}", kata.name);
    let files = needed(&kata.test_files().expect("test files"), |test| wanted.contains(&test));
    files[&name].clone().into_bytes()
}

/// For how long attacks let a process sleep that they leave behind. Nobody else sleeps for just that time.
fn nap() -> String {
    format!("271.{}", std::process::id())
}

/// The results in the record.
fn read_results(out: &Path) -> Vec<verdict::Graded> {
    let text = fs::read_to_string(out.join("results.jsonl")).expect("a record");
    let documents = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("every line is a document"));
    let results = documents.filter_map(|mut document| document.get_mut("graded").map(Value::take));
    results.map(|result| serde_json::from_value(result).expect("a result")).collect()
}

/// The hash by which the grader calls a learner's folder.
fn short_hash(learner: &str) -> String {
    let hash = Sha256::new().chain_update((learner.len() as u64).to_be_bytes()).chain_update(learner).finalize();
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
