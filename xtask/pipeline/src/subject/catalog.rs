//! The katas and what their manifests say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::repository::Repository;
use crate::subject::sources::Files;

/// A kata, as its folder describes it.
#[derive(Debug)]
pub struct Kata {
    /// The folder's name, and the crate's.
    pub name: String,
    /// The kata's folder.
    pub folder: PathBuf,
    /// What `[package.metadata.kata]` says.
    pub about: About,
    /// The names of its tests, in the order of the file, which is the contract's.
    pub tests: Vec<String>,
    /// The whole manifest: staged crates are made from it.
    pub manifest: toml::Table,
}

/// `[package.metadata.kata]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The title in the course map.
    pub title: String,
    /// The place in the course map.
    pub order: u32,
    /// The part of the course that it belongs to.
    pub part: Part,
    /// How hard it is, from 1 to 5.
    pub hard: Hard,
    /// About how many minutes it takes.
    pub minutes: u32,
    /// What the learner builds, in one line.
    pub summary: String,
    /// The Python that it translates.
    pub python: Vec<String>,
    /// Whether its tests also run on schedules. Real sockets and processes can't be scheduled.
    pub schedules: bool,
    /// What a submission must not do.
    #[serde(default)]
    pub rules: Rules,
    /// What its tests need of the machine. Whatever is not named here is kept from a stranger's submission.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// Points of tests that are not worth 1.
    #[serde(default)]
    pub points: BTreeMap<String, u32>,
    /// What `time` measures, if the kata has a workload.
    pub time: Option<Workload>,
    /// Seconds after which a test process is killed. The tests' own deadlines come first.
    #[serde(default = "default_deadline")]
    pub(crate) deadline_seconds: u64,
}

/// A part of the course: katas that follow each other in the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Threads that share something.
    Locks,
    /// Threads that work for others.
    Workers,
    /// Memory without locks.
    Atomics,
    /// Processes that talk to each other.
    Processes,
    /// Tasks that take turns.
    Async,
    /// All of it, on real work.
    Together,
}

impl Part {
    /// What the map calls it.
    pub fn title(self) -> &'static str {
        match self {
            Part::Locks => "Threads and locks",
            Part::Workers => "Workers and results",
            Part::Atomics => "Below the locks",
            Part::Processes => "Processes",
            Part::Async => "Async",
            Part::Together => "All together",
        }
    }
}

/// How hard a kata is: from 1, for the first evening, to 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "u32")]
pub struct Hard(u32);

impl Hard {
    /// The hardest.
    pub const MOST: u32 = 5;

    /// The number.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Hard {
    type Error = String;

    fn try_from(number: u32) -> std::result::Result<Hard, String> {
        let is_one = (1..=Hard::MOST).contains(&number);
        is_one.then_some(Hard(number)).ok_or(format!("how hard a kata is goes from 1 to {}", Hard::MOST))
    }
}

/// `[package.metadata.kata.time]`: what there is to time. The workload itself is `time/KATA.rs`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Whether it needs the mock site.
    #[serde(default)]
    pub site: bool,
    /// How much work there is.
    pub load: BTreeMap<String, Preset>,
    /// Points for speed; none unless a course wants them.
    #[serde(default)]
    pub speed: Vec<Speed>,
}

/// A value of a workload's load, if the command line says nothing else.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Preset {
    /// A number, 1 or more.
    Number(u64),
    /// One of these words: the first.
    Choice(Vec<String>),
}

/// Points for an approach that keeps up with the reference.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Speed {
    /// The approach's name.
    pub approach: String,
    /// How many times as long as the reference it may take.
    pub within: f64,
    /// What that is worth.
    pub points: u32,
}

/// Something that only some katas need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// Sockets on the loopback interface.
    Network,
    /// Child processes, and signals to them.
    Processes,
}

/// What a submission must not do, beyond what is always forbidden.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Paths (`std::sync::Barrier`) or names (`sleep`) that would go round the topic.
    #[serde(default)]
    pub forbid: Vec<String>,
    /// Whether the stub gives unsafe code: only where the topic cannot be taught without it. A submission keeps it as it is.
    #[serde(default)]
    pub(crate) allow_unsafe: bool,
}

fn default_deadline() -> u64 {
    60
}

impl Kata {
    /// Points of one test.
    pub fn points(&self, test: &str) -> u32 {
        self.about.points.get(test).copied().unwrap_or(1)
    }

    /// Makes sure that it has that test.
    ///
    /// # Errors
    /// It has none of that name.
    pub fn has_test(&self, test: &str) -> Result<()> {
        if self.tests.iter().any(|name| name == test) {
            return Ok(());
        }
        let next = match nearest(test, self.tests.iter().map(String::as_str)) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("Its tests are: {}.", self.tests.join(", ")),
        };
        Err(Error::new(format!("the kata `{}` has no test `{test}`", self.name), next))
    }

    /// The program that `time` builds with a subject as its library.
    pub(crate) fn workload_file(&self) -> PathBuf {
        self.folder.join("time").join(format!("{}.rs", self.name))
    }

    /// The name of its library, and of a submission's.
    pub fn library(&self) -> String {
        self.name.replace('-', "_")
    }

    /// The file with the kata's tests, the only copy of them.
    pub fn test_file(&self) -> PathBuf {
        self.folder.join("tests").join(format!("{}.rs", self.name))
    }

    /// That file and those that belong to it, by their paths below `tests/`.
    ///
    /// # Errors
    /// They can't be read.
    pub fn test_files(&self) -> Result<Files> {
        let mut files = Files::new();
        read_below(&self.folder.join("tests"), Path::new(""), &mut files)?;
        Ok(files)
    }
}

/// Every kata, in the order of the course.
///
/// # Errors
/// A kata's manifest or test file is broken.
pub fn all(repository: &Repository) -> Result<Vec<Arc<Kata>>> {
    let mut katas = Vec::new();
    for name in names(repository)? {
        katas.push(Arc::new(read(repository, &name)?));
    }
    katas.sort_by(|a, b| (a.about.order, &a.name).cmp(&(b.about.order, &b.name)));
    Ok(katas)
}

/// The katas of these names, in the given order; all of them if none is named.
///
/// # Errors
/// There is no such kata, or its manifest or test file is broken.
pub fn some(repository: &Repository, wanted: &[String]) -> Result<Vec<Arc<Kata>>> {
    if wanted.is_empty() {
        return all(repository);
    }
    let mut katas: Vec<Arc<Kata>> = Vec::new();
    for name in wanted {
        if !katas.iter().any(|kata| kata.name == *name) {
            katas.push(one(repository, name)?);
        }
    }
    Ok(katas)
}

/// The kata of that name.
///
/// # Errors
/// There is no such kata, or its manifest or test file is broken.
pub fn one(repository: &Repository, name: &str) -> Result<Arc<Kata>> {
    let names = names(repository)?;
    if names.iter().any(|known| known == name) {
        return Ok(Arc::new(read(repository, name)?));
    }
    let next = match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => format!("Did you mean `{near}`? `cargo xtask list` shows every kata."),
        None => "`cargo xtask list` shows every kata.".to_string(),
    };
    Err(Error::new(format!("there is no kata `{name}`"), next))
}

/// The name that the person probably meant.
pub fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (strsim::jaro_winkler(typed, name), name))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// The names of the folders in `katas/` that hold a crate.
fn names(repository: &Repository) -> Result<Vec<String>> {
    let folder = repository.katas();
    let entries = fs::read_dir(&folder).map_err(Error::io("read", &folder))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok())
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    Ok(names)
}

fn read(repository: &Repository, name: &str) -> Result<Kata> {
    let folder = repository.kata(name);
    let path = folder.join("Cargo.toml");
    let broken = |why: String| {
        Error::new(
            format!("{} is broken: {why}", repository.relative(&path)),
            "Fix the kata's manifest; `git checkout` brings the delivered one back.",
        )
    };
    let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    let manifest: toml::Table = toml::from_str(&text).map_err(|error| broken(error.to_string().trim().to_string()))?;
    let about: About = manifest
        .get("package")
        .and_then(|package| package.get("metadata"))
        .and_then(|metadata| metadata.get("kata"))
        .ok_or_else(|| broken("it has no [package.metadata.kata]".to_string()))?
        .clone()
        .try_into()
        .map_err(|error: toml::de::Error| broken(format!("[package.metadata.kata]: {}", error.message())))?;
    let mut kata = Kata { name: name.to_string(), folder, about, tests: Vec::new(), manifest };
    kata.tests = test_names(repository, &kata.test_file())?;
    if let Some(unknown) = kata.about.points.keys().find(|test| !kata.tests.contains(test)) {
        return Err(broken(format!("points for `{unknown}`, which is no test of it")));
    }
    Ok(kata)
}

/// Reads the source files in a folder and in those below it.
fn read_below(folder: &Path, below: &Path, files: &mut Files) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::io("read", folder))?.filter_map(|entry| entry.ok()) {
        let (path, name) = (entry.path(), below.join(entry.file_name()));
        if path.is_dir() {
            read_below(&path, &name, files)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.insert(name, fs::read_to_string(&path).map_err(Error::io("read", &path))?);
        }
    }
    Ok(())
}

/// The functions marked `#[test]`, in the order of the file.
fn test_names(repository: &Repository, path: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
    let file = syn::parse_file(&text).map_err(|error| {
        Error::new(
            format!("{}:{}: {error}", repository.relative(path), error.span().start().line),
            "Fix the kata's test file; `git checkout` brings the delivered one back.",
        )
    })?;
    let tests = file.items.iter().filter_map(|item| match item {
        syn::Item::Fn(function) if function.attrs.iter().any(|attribute| attribute.path().is_ident("test")) => {
            Some(function.sig.ident.to_string())
        }
        _ => None,
    });
    Ok(tests.collect())
}
