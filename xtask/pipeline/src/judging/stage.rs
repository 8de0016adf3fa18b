//! Staging: a pristine kata crate plus the subject's `src/`, and nothing else of the subject's.
//!
//! A staged subject is two crates over one `src` folder: `threads` links the real `std`, `schedules` has the model renamed
//! to `std` (and the models of parking_lot, crossbeam, tokio and reqwest to theirs). All subjects at hand are one cargo workspace, so that
//! one cargo invocation builds everything. The subject's own files are only read.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use toml::{Table, Value};
use verdict::{Diagnostic, Mode};

use crate::error::{Error, Result};
use crate::judging::group::Group;
use crate::judging::settings::Purpose;
use crate::repository::Repository;
use crate::subject::Subject;
use crate::subject::catalog::Kata;
use crate::subject::sources::{self, Files};

/// A workspace of staged subjects.
#[derive(Debug)]
pub(crate) struct Staged {
    /// The workspace's name.
    pub label: String,
    /// Its folder.
    pub folder: PathBuf,
    /// The subjects, with what was read of them.
    pub subjects: Vec<Loaded>,
}

/// A subject and its text.
#[derive(Debug)]
pub struct Loaded {
    /// Whose text it is.
    pub subject: Subject,
    /// Its source files, by their path below `src/`.
    pub files: Files,
    /// What it is built for.
    pub purpose: Purpose,
    /// What there is to say of files that could not be inspected. If it compiles nevertheless, it must not be run.
    pub(super) unread: Vec<Diagnostic>,
}

impl Loaded {
    /// The modes in which its tests run, in the order of running: a schedule that fails is shown at once and is the same
    /// every time, so threads only have to confirm what passed.
    pub(crate) fn modes(&self) -> &'static [Mode] {
        match self.purpose {
            Purpose::Tests if self.subject.kata.about.schedules => &[Mode::Schedules, Mode::Threads],
            Purpose::Schedules => &[Mode::Schedules],
            Purpose::Tests | Purpose::Threads | Purpose::Workload => &[Mode::Threads],
        }
    }

    /// The folder of its crate for this mode, below that of the workspace.
    pub(super) fn home(&self, mode: Mode) -> String {
        format!("{}/{mode}", self.subject.id)
    }

    /// The name of that crate's package in the workspace `label`.
    pub(super) fn package(&self, label: &str, mode: Mode) -> String {
        format!("{label}--{}-{mode}", self.subject.id)
    }
}

/// Reads the subjects' source files.
///
/// # Errors
/// A subject's files are not what a submission may hold.
pub(crate) fn load(subjects: Vec<Subject>, purpose: Purpose) -> Result<Vec<Loaded>> {
    let load =
        |subject: Subject| Ok(Loaded { files: sources::read(&subject.source)?, subject, purpose, unread: Vec::new() });
    subjects.into_iter().map(load).collect()
}

/// Writes the subjects as the workspace `label`.
///
/// # Errors
/// The workspace can't be written, or the repository's own manifests are broken.
pub(crate) fn stage(repository: &Repository, label: &str, subjects: Vec<Loaded>) -> Result<Staged> {
    let folder = repository.workshop().join(label);
    let staged = Staged { label: label.to_string(), folder, subjects };
    for one in &staged.subjects {
        let home = staged.folder.join(&one.subject.id);
        write_sources(&home.join("src"), &one.files)?;
        for mode in one.modes() {
            let mut manifest = crate_manifest(repository, label, one, *mode)?;
            note_content(&mut manifest, &one.files);
            write_if_changed(&home.join(mode.to_string()).join("Cargo.toml"), &manifest.to_string())?;
        }
    }
    write_libraries(repository, &staged)?;
    write_workspace(repository, &staged, &[])?;
    pin_versions(repository, &staged.folder)?;
    Ok(staged)
}

/// Lets cargo see what the crate's own files are, by the name of a feature that nobody asks for. Files it knows by their times alone:
/// where the clock was set back, or what was built comes from a machine whose clock is ahead, it would take another answer's program for
/// this one's. What is built has the same names whatever the feature's is, so nothing is left of earlier answers, unless [`KEEP`] is set.
pub(super) fn note_content(manifest: &mut Table, files: &Files) {
    let mut content = DefaultHasher::new();
    files.hash(&mut content);
    let feature = format!("made-of-{:016x}", content.finish());
    let features = table(manifest, "features");
    if keeps() {
        features.insert("default".to_string(), Value::Array(vec![Value::String(feature.clone())]));
    }
    features.insert(feature, Value::Array(Vec::new()));
}

/// The variable with which what was built of an answer stays beside what is built of others, for those who judge the same answers again and
/// again: our own tests. A learner's disk would fill with what came of each save.
const KEEP: &str = "INTERLEAVE_KEEP_BUILDS";

fn keeps() -> bool {
    std::env::var_os(KEEP).is_some()
}

/// The folder of the crate that needs all subjects' libraries.
const LIBRARIES: &str = "libraries";

/// The name of that crate's package in the workspace `label`.
pub(super) fn libraries(label: &str) -> String {
    format!("{label}--{LIBRARIES}")
}

/// Writes the crate that needs all subjects' libraries. They are built for it, and never asked for by themselves: what cargo is asked
/// for gets a second name without a hash, by a hard link. `liblock.rlib` would be that of every answer to `lock`; and where two of
/// them are ready in the same moment, linking fails for one, and cargo copies it over the other's file instead. One learner would get
/// another's verdict.
///
/// It also needs what the tests need. Cargo builds each crate with the features that all need together that it is asked for at once:
/// without this, tokio would have other features for the libraries than for the tests, and all that is made with it be built twice.
fn write_libraries(repository: &Repository, staged: &Staged) -> Result<()> {
    let home = staged.folder.join(LIBRARIES);
    let crates = staged.subjects.iter().flat_map(|one| one.modes().iter().map(move |mode| (one, *mode)));
    let answers = crates.enumerate().map(|(number, (one, mode))| {
        let path = Path::new("..").join(one.home(mode));
        (format!("answer_{number}"), Value::Table(dependency(&one.package(&staged.label, mode), &path)))
    });
    let mut dependencies: Table = answers.collect();
    let katas: BTreeMap<&str, &Loaded> =
        staged.subjects.iter().map(|one| (one.subject.kata.name.as_str(), one)).collect();
    for (name, one) in katas {
        for mode in [Mode::Schedules, Mode::Threads] {
            if mode == Mode::Threads || one.subject.kata.about.schedules {
                let needs = format!("needs-{name}-{mode}");
                let package = format!("{}--{needs}", staged.label);
                let manifest = needs_manifest(crate_manifest(repository, &staged.label, one, mode)?, &package);
                write_if_changed(&home.join(&needs).join("lib.rs"), "")?;
                write_if_changed(&home.join(&needs).join("Cargo.toml"), &manifest.to_string())?;
                dependencies.insert(needs.clone(), Value::Table(dependency(&package, Path::new(&needs))));
            }
        }
    }
    let manifest = Table::from_iter([
        (
            "package".to_string(),
            Value::Table(Table::from_iter([text("name", &libraries(&staged.label)), text("edition", "2024")])),
        ),
        ("lib".to_string(), Value::Table(without_tests())),
        ("dependencies".to_string(), Value::Table(dependencies)),
    ]);
    write_if_changed(&home.join("src/lib.rs"), "")?;
    write_if_changed(&home.join("Cargo.toml"), &manifest.to_string())
}

/// The manifest of an empty crate that needs all that a kata's library and its tests need.
fn needs_manifest(mut manifest: Table, package: &str) -> Table {
    table(&mut manifest, "package").insert("name".to_string(), Value::String(package.to_string()));
    manifest.remove("test");
    let mut library = without_tests();
    library.extend([text("path", "lib.rs")]);
    manifest.insert("lib".to_string(), Value::Table(library));
    let of_tests = std::mem::take(table(&mut manifest, "dev-dependencies"));
    let dependencies = table(&mut manifest, "dependencies");
    for (name, of_tests) in of_tests {
        let features = [dependencies.get(&name), Some(&of_tests)].into_iter().flat_map(features_of).collect();
        let entry = dependencies.entry(name).or_insert(of_tests);
        if let Some(fields) = entry.as_table_mut() {
            fields.insert("features".to_string(), Value::Array(features));
        }
    }
    manifest
}

/// A library whose own tests nobody builds.
fn without_tests() -> Table {
    ["test", "doctest"].into_iter().map(|kind| (kind.to_string(), Value::Boolean(false))).collect()
}

/// A dependency on a package in that folder.
pub(super) fn dependency(package: &str, folder: &Path) -> Table {
    Table::from_iter([text("package", package), text("path", &folder.display().to_string().replace('\\', "/"))])
}

fn text(key: &str, value: &str) -> (String, Value) {
    (key.to_string(), Value::String(value.to_string()))
}

/// Writes the workspace's own manifest: the subjects' crates, the one that needs their libraries, and those of these groups of them.
pub(super) fn write_workspace(repository: &Repository, staged: &Staged, groups: &[Group]) -> Result<()> {
    let subjects = staged.subjects.iter().flat_map(|one| one.modes().iter().map(|mode| one.home(*mode)));
    let members = subjects.chain([LIBRARIES.to_string()]).chain(groups.iter().map(Group::home));
    let members = members.map(Value::String).collect();
    write_if_changed(&staged.folder.join("Cargo.toml"), &with_members(workspace_manifest(repository)?, members))
}

/// Writes the files and removes what an earlier subject left there. Unchanged files keep their time, so that cargo has
/// nothing to do for them.
pub(super) fn write_sources(src: &Path, files: &Files) -> Result<()> {
    fs::create_dir_all(src).map_err(Error::io("create", src))?;
    // First: where capitals don't count, `Bank.rs` would be overwritten by `bank.rs`, and then removed.
    remove_others(src, Path::new(""), files)?;
    files.iter().try_for_each(|(name, text)| {
        let path = src.join(name);
        write_if_changed(&path, text)?;
        if keeps() { forget_time(&path) } else { Ok(()) }
    })
}

/// Lets cargo go by what is in the file, and not by when it was written.
fn forget_time(path: &Path) -> Result<()> {
    let file = fs::File::options().write(true).open(path);
    file.and_then(|file| file.set_modified(SystemTime::UNIX_EPOCH)).map_err(Error::io("change", path))
}

/// Removes what is not among the files; folders, too, in which nothing is left.
fn remove_others(folder: &Path, below: &Path, files: &Files) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::io("read", folder))?.filter_map(|entry| entry.ok()) {
        let (path, name) = (entry.path(), below.join(entry.file_name()));
        if path.is_dir() {
            remove_others(&path, &name, files)?;
            if !files.keys().any(|file| file != &name && file.starts_with(&name)) {
                fs::remove_dir(&path).map_err(Error::io("remove", &path))?;
            }
        } else if !files.contains_key(&name) {
            fs::remove_file(&path).map_err(Error::io("remove", &path))?;
        }
    }
    Ok(())
}

/// Writes the file, and the folder that it is in, if it is not as wanted: a file that stays keeps its time.
///
/// # Errors
/// It can't be written.
pub fn write_if_changed(path: &Path, text: &str) -> Result<()> {
    if fs::read(path).is_ok_and(|now| now == text.as_bytes()) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    }
    fs::write(path, text).map_err(Error::io("write", path))
}

/// The repository's manifest without its members: shared package fields, dependencies with absolute paths, profiles.
fn workspace_manifest(repository: &Repository) -> Result<Table> {
    let path = repository.root().join("Cargo.toml");
    let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    let mut manifest: Table = toml::from_str(&text).map_err(|error| {
        Error::new(
            format!("Cargo.toml is broken: {}", error.to_string().trim()),
            "`git checkout Cargo.toml` brings the delivered one back.",
        )
    })?;
    let workspace = table(&mut manifest, "workspace");
    workspace.remove("default-members");
    for (_, dependency) in table(workspace, "dependencies") {
        let Some(Value::String(path)) = dependency.get("path") else { continue };
        let absolute = absolute(repository, path)?;
        if let Some(fields) = dependency.as_table_mut() {
            fields.insert("path".to_string(), absolute);
        }
    }
    Ok(manifest)
}

fn with_members(mut manifest: Table, members: Vec<Value>) -> String {
    table(&mut manifest, "workspace").insert("members".to_string(), Value::Array(members));
    manifest.to_string()
}

/// The kata's manifest, for a staged crate: its package renamed, its targets found by absolute paths, and in
/// [`Mode::Schedules`] the models in the place of what they model.
pub(super) fn crate_manifest(repository: &Repository, label: &str, loaded: &Loaded, mode: Mode) -> Result<Table> {
    let subject = &loaded.subject;
    let kata: &Kata = &subject.kata;
    let mut manifest = kata.manifest.clone();
    let package = table(&mut manifest, "package");
    // Workspaces share one target folder, where cargo tells crates apart by name and path in the workspace: without the label,
    // one workspace's crate would pass for the other's.
    package.insert("name".to_string(), Value::String(loaded.package(label, mode)));
    package.insert("autotests".to_string(), Value::Boolean(false));
    package.remove("metadata");
    let library = table(&mut manifest, "lib");
    library.insert("name".to_string(), Value::String(kata.library()));
    library.insert("path".to_string(), Value::String("../src/lib.rs".to_string()));
    library.extend(without_tests());
    let file = match loaded.purpose {
        Purpose::Tests | Purpose::Schedules | Purpose::Threads => kata.test_file(),
        Purpose::Workload => kata.workload_file(),
    };
    let test = Table::from_iter([
        ("name".to_string(), Value::String(kata.name.clone())),
        ("path".to_string(), absolute(repository, &repository.relative(&file))?),
        ("harness".to_string(), Value::Boolean(loaded.purpose != Purpose::Workload)),
    ]);
    manifest.insert("test".to_string(), Value::Array(vec![Value::Table(test)]));
    let lints = table(&mut manifest, "lints");
    lints.remove("workspace");
    if !kata.about.rules.allow_unsafe {
        table(lints, "rust").insert("unsafe_code".to_string(), Value::String("deny".to_string()));
    }
    if loaded.purpose == Purpose::Workload {
        let needs_site = kata.about.time.as_ref().is_some_and(|time| time.site);
        use_support(&mut manifest, if needs_site { &["site", "time"] } else { &["time"] });
    }
    if mode == Mode::Schedules {
        let dependencies = table(&mut manifest, "dependencies");
        dependencies.insert("std".to_string(), Value::Table(model(repository, "explored-std", "tests/explored-std")?));
        let core = model(repository, "explored-core", "tests/explored-std/core")?;
        dependencies.insert("core".to_string(), Value::Table(core));
        for kind in ["dependencies", "dev-dependencies"] {
            use_models(repository, table(&mut manifest, kind))?;
        }
        let mut support = model(repository, "kata-explored", "tests/support/explored")?;
        let dependencies = table(&mut manifest, "dev-dependencies");
        // Its other features have no crates of their own, and it should not be built twice.
        if features_of(dependencies.get("kata")).contains(&Value::String("site".to_string())) {
            support.insert("features".to_string(), Value::Array(vec![Value::String("site".to_string())]));
        }
        dependencies.insert("kata".to_string(), Value::Table(support));
    }
    Ok(manifest)
}

/// Puts the models of other crates than `std` in their places, with the features that the kata asks for.
fn use_models(repository: &Repository, dependencies: &mut Table) -> Result<()> {
    for name in ["parking_lot", "crossbeam", "tokio", "reqwest"] {
        if let Some(real) = dependencies.get(name) {
            let package = format!("explored-{}", name.replace('_', "-"));
            let mut model = model(repository, &package, &format!("tests/explored-std/{name}"))?;
            model.insert("features".to_string(), Value::Array(features_of(Some(real))));
            dependencies.insert(name.to_string(), Value::Table(model));
        }
    }
    Ok(())
}

/// The features that a dependency is asked for.
fn features_of(dependency: Option<&Value>) -> Vec<Value> {
    let features = dependency.and_then(|dependency| dependency.get("features")?.as_array());
    features.cloned().unwrap_or_default()
}

/// Lets the crate use these features of the test support.
fn use_support(manifest: &mut Table, features: &[&str]) {
    let features = features.iter().map(|feature| Value::String(feature.to_string())).collect();
    let support = Table::from_iter([
        ("workspace".to_string(), Value::Boolean(true)),
        ("features".to_string(), Value::Array(features)),
    ]);
    table(manifest, "dev-dependencies").insert("kata".to_string(), Value::Table(support));
}

fn model(repository: &Repository, package: &str, path: &str) -> Result<Table> {
    Ok(Table::from_iter([text("package", package), ("path".to_string(), absolute(repository, path)?)]))
}

/// The absolute path of something in the repository. Links are resolved, so that one crate is not built twice under two names.
fn absolute(repository: &Repository, path: &str) -> Result<Value> {
    let joined = repository.root().join(path);
    let real = fs::canonicalize(&joined).map_err(Error::io("find", &joined))?;
    Ok(Value::String(real.display().to_string().trim_start_matches(r"\\?\").to_string()))
}

/// The sub-table of that name, made if it is not there.
pub(super) fn table<'a>(parent: &'a mut Table, name: &str) -> &'a mut Table {
    let entry = parent.entry(name).or_insert_with(|| Value::Table(Table::new()));
    if !entry.is_table() {
        *entry = Value::Table(Table::new());
    }
    entry.as_table_mut().expect("it was made a table just now")
}

/// The staged workspace uses the versions that the repository's lock file names. Cargo adds the staged crates to the copy,
/// so it is only renewed when the original changes.
fn pin_versions(repository: &Repository, folder: &Path) -> Result<()> {
    let original = repository.root().join("Cargo.lock");
    let Ok(text) = fs::read_to_string(&original) else { return Ok(()) };
    let seen = folder.join("Cargo.lock.original");
    if fs::read_to_string(&seen).is_ok_and(|before| before == text) && folder.join("Cargo.lock").is_file() {
        return Ok(());
    }
    write_if_changed(&folder.join("Cargo.lock"), &text)?;
    write_if_changed(&seen, &text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::subject::{self, catalog};

    #[test]
    fn what_a_katas_tests_need_is_needed_with_all_features_beside_the_libraries() {
        let repository = Repository::find(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let katas = catalog::all(&repository).unwrap();
        let subjects = katas.iter().map(|kata| subject::solution(&repository, kata)).collect();
        let mut more = 0;
        for one in load(subjects, Purpose::Tests).unwrap() {
            for mode in one.modes() {
                let kata = crate_manifest(&repository, "label", &one, *mode).unwrap();
                let needs = needs_manifest(kata.clone(), "needs");
                assert!(!needs.contains_key("test") && needs["dev-dependencies"].as_table().unwrap().is_empty());
                for kind in ["dependencies", "dev-dependencies"] {
                    for (name, needed) in kata.get(kind).and_then(Value::as_table).into_iter().flatten() {
                        let there = needs["dependencies"].get(name).unwrap_or_else(|| panic!("{name} is not needed"));
                        let features = features_of(Some(there));
                        assert!(features_of(Some(needed)).iter().all(|feature| features.contains(feature)), "{name}");
                        more += usize::from(features.len() > features_of(Some(needed)).len());
                    }
                }
            }
        }
        assert!(more > 0, "some tests need more of a crate than the libraries do");
    }

    #[test]
    fn what_an_earlier_answer_left_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let src = folder.path().join("src");
        let files = |names: &[&str]| -> Files { names.iter().map(|name| (name.into(), (*name).to_string())).collect() };
        let mut earlier = files(&[]);
        // Where capitals don't count, the second of each two is the first by another name.
        for names in [&["Bank.rs", "lib.rs"][..], &["bank.rs"], &["Sub/a.rs"], &["sub/a.rs"], &["a.rs/b.rs"], &["a.rs"]]
        {
            let files = files(names);
            write_sources(&src, &files).unwrap();
            for name in names {
                assert_eq!(fs::read_to_string(src.join(name)).unwrap(), *name);
            }
            let is_left = |name: &&PathBuf| !files.contains_key(*name) && src.join(name).is_file();
            let left: Vec<_> = earlier.keys().filter(is_left).collect();
            assert!(left.is_empty() || cfg!(not(target_os = "linux")), "{left:?}");
            earlier = files;
        }
        let before = fs::metadata(src.join("a.rs")).unwrap().modified().unwrap();
        write_sources(&src, &earlier).unwrap();
        assert_eq!(fs::metadata(src.join("a.rs")).unwrap().modified().unwrap(), before, "it is as wanted");
    }

    /// Whoever has checked one kata does not wait for the explorer once more with the next one.
    #[test]
    fn the_explorer_and_the_test_support_are_made_of_the_same_crates_for_each_kata() {
        let repository = Repository::find(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let tree = |folder: &Path, more: &[&str]| -> Vec<String> {
            let mut cargo = std::process::Command::new(env!("CARGO"));
            cargo.args(["tree", "--offline", "--prefix=none", "--edges=all", "--format={p} {f}"]).args(more);
            let output = cargo.current_dir(folder).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let lines = String::from_utf8(output.stdout).unwrap();
            lines.lines().map(|line| line.trim_end_matches(" (*)").to_string()).collect()
        };
        let name = |line: &str| line.split(' ').next().map(str::to_string);
        let explorer: BTreeSet<_> =
            tree(repository.root(), &["--package=explored-std"]).iter().map(|line| name(line)).collect();
        assert!(explorer.contains(&Some("syn".to_string())), "{explorer:?}");
        let mut seen: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
        for kata in catalog::all(&repository).unwrap().iter().filter(|kata| kata.about.schedules) {
            let one = load(vec![subject::solution(&repository, kata)], Purpose::Tests).unwrap();
            let staged = stage(&repository, "crates-of-the-explorer", one).unwrap();
            let mut lines = tree(&staged.folder, &["--workspace"]);
            lines.retain(|line| explorer.contains(&name(line)));
            lines.sort();
            lines.dedup();
            seen.entry(lines).or_default().push(kata.name.clone());
        }
        assert_eq!(seen.len(), 1, "{seen:#?}");
    }
}
