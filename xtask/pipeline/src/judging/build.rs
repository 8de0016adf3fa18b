//! Building: all staged subjects at once, in both modes.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use verdict::{Diagnostic, Mode};

use crate::console::Event;
use crate::error::{Error, Result};
use crate::judging::Session;
use crate::judging::group::{self, Program};
use crate::judging::sandbox::{Compiler, DIAGNOSTIC, Sandbox, TROUBLE};
use crate::judging::settings::Purpose;
use crate::judging::stage::{self, Loaded, Staged};
use crate::process;
use crate::repository::Repository;
use crate::subject::Source;
use crate::toolchain;

/// What the compiler made of one staged subject.
#[derive(Debug)]
pub struct Built {
    /// The subject.
    pub loaded: Loaded,
    /// The test programs by mode; a mode that did not compile is missing.
    pub programs: BTreeMap<Mode, Program>,
    /// What the compiler said, errors first, each once, with the subject's own paths.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether its tests could be built alone, and not in one program with those of others.
    pub(crate) only_alone: bool,
    /// Why the compiler could not be watched, if that is why a program is missing.
    pub(crate) trouble: Option<String>,
}

impl Built {
    /// Whether there is a program for every mode that needs one.
    pub fn compiled(&self) -> bool {
        let is_there = |mode: &Mode| self.programs.contains_key(mode);
        self.loaded.modes().iter().all(|mode| is_there(mode) || *mode == Mode::Schedules && self.is_not_modelled())
    }

    /// The modes in which its tests can be run, in the order of running.
    pub(crate) fn modes(&self) -> impl Iterator<Item = Mode> {
        self.loaded.modes().iter().copied().filter(|mode| self.programs.contains_key(mode))
    }

    /// Text of a test process, as [`with_own_paths`] gives it, also where its program has copies of the test files.
    pub fn with_own_paths(&self, repository: &Repository, mode: Mode, text: &str) -> String {
        let text = with_own_paths(repository, &self.loaded, text);
        let Some(part) = self.programs.get(&mode).and_then(|program| program.part.as_ref()) else { return text };
        let tests = self.loaded.subject.kata.folder.join("tests");
        renamed(&text, MAIN_SEPARATOR, &part.copies, &format!("{}/", repository.relative(&tests)))
    }

    /// Whether it compiles, but uses what the models lack, so that only threads can run it.
    pub(crate) fn is_not_modelled(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.level == NOT_MODELLED)
    }
}

/// The lines of cargo's `--message-format=json` that matter here.
#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Line {
    CompilerMessage {
        manifest_path: PathBuf,
        message: Message,
    },
    CompilerArtifact {
        manifest_path: PathBuf,
        target: Target,
        executable: Option<PathBuf>,
    },
    BuildFinished {
        success: bool,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Message {
    message: String,
    level: String,
    rendered: Option<String>,
    code: Option<Code>,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: u32,
    is_primary: bool,
}

/// What cargo said about one staged crate.
#[derive(Default)]
struct CrateBuild {
    /// Whether its library is there.
    library: bool,
    program: Option<Program>,
    /// Whether its tests could not be built in one program with those of others.
    is_apart: bool,
    messages: Vec<Message>,
}

impl CrateBuild {
    /// Whether its library is there, and no program with its tests.
    fn is_open(&self) -> bool {
        self.library && self.program.is_none()
    }

    /// What the compiler objected to, as one text.
    fn errors(&self) -> String {
        let errors = self.messages.iter().filter(|message| message.is_error());
        errors.filter_map(|message| message.rendered.as_deref()).collect()
    }
}

/// What cargo shall make of a workspace.
enum Wanted {
    /// The libraries and the test programs of all crates.
    All,
    /// The library of this package, and with it all libraries that it needs.
    Library(String),
    /// The test programs of these packages.
    Tests(Vec<String>),
}

impl Wanted {
    fn arguments(&self) -> Vec<&str> {
        match self {
            Wanted::All => vec!["--tests", "--workspace"],
            Wanted::Library(package) => vec!["--lib", "--package", package],
            Wanted::Tests(packages) => {
                ["--tests"].into_iter().chain(packages.iter().flat_map(|name| ["--package", name])).collect()
            }
        }
    }
}

/// Builds every staged subject. One that does not compile costs only itself.
///
/// # Errors
/// Cargo itself failed: no network for a first download, a broken repository, a full disk.
pub(crate) fn build(session: Session<'_>, staged: Staged) -> Result<Vec<Built>> {
    let mut crates = Crates::new();
    if session.settings.lean && staged.subjects.len() > 1 {
        compile(session, &staged, &Wanted::Library(stage::libraries(&staged.label)), &mut crates)?;
        build_groups(session, &staged, &mut crates)?;
        let all = staged.subjects.iter().flat_map(|one| one.modes().iter().map(move |mode| (one, *mode)));
        let open = all
            .filter(|(one, mode)| crates.get(&manifest(&staged.folder, one, *mode)).is_some_and(CrateBuild::is_open));
        let alone: Vec<String> = open.map(|(one, mode)| one.package(&staged.label, mode)).collect();
        if !alone.is_empty() {
            let packages = with_libraries(&staged, alone.into_iter());
            compile(session, &staged, &Wanted::Tests(packages), &mut crates)?;
        }
    } else {
        compile(session, &staged, &Wanted::All, &mut crates)?;
    }
    let Staged { folder, subjects, .. } = staged;
    Ok(subjects.into_iter().map(|subject| collect(session.repository, &folder, subject, &mut crates)).collect())
}

/// These packages, and the one that needs all libraries: it has no tests, and with it all crates have the features that they were built with
/// for it.
fn with_libraries(staged: &Staged, packages: impl Iterator<Item = String>) -> Vec<String> {
    packages.chain([stage::libraries(&staged.label)]).collect()
}

/// How often those are grouped anew who were together with one that does not fit the tests.
const ATTEMPTS: usize = 2;

/// Builds programs for several subjects each. Where one of them does not fit the tests, there is no program: it is left to be built
/// alone, for the compiler to say what is wrong with it, and the others are grouped anew.
fn build_groups(session: Session<'_>, staged: &Staged, crates: &mut Crates) -> Result<()> {
    let place = |member: usize, mode| manifest(&staged.folder, &staged.subjects[member], mode);
    let mut first = 0;
    for _ in 0..ATTEMPTS {
        let groups = group::groups(&staged.subjects, &session.settings.trust, first, |member, mode| {
            crates.get(&place(member, mode)).is_some_and(|one| one.is_open() && !one.is_apart)
        });
        if groups.is_empty() {
            break;
        }
        first += groups.len();
        group::write(session.repository, staged, &groups)?;
        let packages = groups.iter().map(|group| group.package(&staged.label));
        let packages = with_libraries(staged, packages);
        let mut said = Crates::new();
        compile(session, staged, &Wanted::Tests(packages), &mut said)?;
        for group in &groups {
            let together = said.remove(&staged.folder.join(group.home()).join("Cargo.toml")).unwrap_or_default();
            let errors = together.errors();
            for (member, part) in group.parts() {
                let one = crates.entry(place(member, group.mode)).or_default();
                match &together.program {
                    Some(Program { path, .. }) => one.program = Some(Program { path: path.clone(), part: Some(part) }),
                    None => one.is_apart = group.blames(&part, &errors),
                }
            }
        }
    }
    Ok(())
}

/// The manifest of a subject's crate for this mode, in the workspace in that folder.
fn manifest(workspace: &Path, subject: &Loaded, mode: Mode) -> PathBuf {
    workspace.join(subject.home(mode)).join("Cargo.toml")
}

type Crates = BTreeMap<PathBuf, CrateBuild>;

/// Has cargo make what is wanted, and adds what it said.
///
/// # Errors
/// Cargo itself failed.
fn compile(session: Session<'_>, staged: &Staged, wanted: &Wanted, crates: &mut Crates) -> Result<()> {
    // Without the network first: then a learner on a train is not kept waiting, and a newer release changes nothing.
    let (mut said, mut error, mut success) = cargo(session, staged, wanted, true)?;
    if !success && said.is_empty() && error.contains("--offline") {
        (said, error, success) = cargo(session, staged, wanted, false)?;
    }
    let ours = said.iter().filter(|(manifest, _)| !manifest.starts_with(&staged.folder));
    let mut broken = ours
        .flat_map(|(_, one)| &one.messages)
        .filter(|message| message.is_error())
        .filter_map(|message| message.rendered.clone());
    if let Some(rendered) = broken.next() {
        return Err(Error::new(
            format!(
                "one of the grader's own crates does not compile; the submission is not at fault:\n{}",
                rendered.trim_end()
            ),
            "`git status` shows what differs from the delivered repository.",
        ));
    }
    if !success && !said.values().flat_map(|one| &one.messages).any(Message::is_error) {
        return Err(Error::new(
            format!("cargo could not build the staged crates:\n{}", error.trim_end()),
            "If it is the network, connect once; otherwise `cargo clean` and a fresh checkout rule out leftovers.",
        ));
    }
    for (manifest, more) in said {
        let one = crates.entry(manifest).or_default();
        one.library |= more.library;
        one.program = more.program.or(one.program.take());
        one.messages.extend(more.messages);
    }
    Ok(())
}

fn cargo(session: Session<'_>, staged: &Staged, wanted: &Wanted, offline: bool) -> Result<(Crates, String, bool)> {
    let Session { repository, settings, console, cancel } = session;
    let sandbox = settings.trust.sandbox();
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["build", "--keep-going", "--message-format=json", "--color=never"])
        .args(wanted.arguments())
        .arg("--manifest-path")
        .arg(staged.folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(repository.workshop().join(if sandbox.is_some() { "target-guarded" } else { "target" }))
        .env("CARGO_TERM_PROGRESS_WHEN", "never")
        .env_remove("CARGO_BUILD_TARGET");
    if offline {
        command.arg("--offline");
    }
    if let Some(sandbox) = sandbox {
        command.envs(compile_environment(repository, staged, sandbox)?);
    }
    if settings.lean {
        // Less to compile, to link and to keep on the disk. Places in messages stay.
        command.env("CARGO_PROFILE_DEV_DEBUG", "false").env("CARGO_PROFILE_DEV_CODEGEN_UNITS", "1");
        command.env("CARGO_INCREMENTAL", "0");
    }
    if settings.purpose == Purpose::Workload {
        command.arg("--release");
    }
    let command = match sandbox {
        Some(sandbox) => sandbox.guarded(command),
        None => command,
    };
    let mut child = process::start(command)?;
    let (sender, lines) = mpsc::channel();
    if let Some(stdout) = child.stdout().take() {
        thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(|line| line.ok()).try_for_each(|line| sender.send(line))
        });
    }
    let stderr = child.stderr().take();
    let said = thread::spawn(move || {
        let mut text = String::new();
        let _ = stderr.map(|mut stderr| stderr.read_to_string(&mut text));
        text
    });

    let (mut crates, mut success) = (Crates::new(), false);
    loop {
        if cancel.is_raised() {
            process::end(&mut *child);
            return Err(Error::Interrupted);
        }
        match lines.recv_timeout(Duration::from_millis(20)) {
            Ok(line) => match serde_json::from_str(&line) {
                Ok(Line::CompilerMessage { manifest_path, message }) => {
                    crates.entry(manifest_path).or_default().messages.push(message);
                }
                Ok(Line::CompilerArtifact { manifest_path, target, executable }) => {
                    console.happened(Event::Compiled(&target.name));
                    let one = crates.entry(manifest_path).or_default();
                    match executable {
                        Some(path) => one.program = Some(Program { path, part: None }),
                        None => one.library = true,
                    }
                }
                Ok(Line::BuildFinished { success: finished }) => success = finished,
                Ok(Line::Other) | Err(_) => {}
            },
            Err(RecvTimeoutError::Timeout) => console.tick(),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let _ = child.wait();
    Ok((crates, said.join().unwrap_or_default(), success))
}

/// What cargo is told so that the compiler of strangers' code is confined: that of the staged crates, not of their
/// dependencies.
fn compile_environment(
    repository: &Repository,
    staged: &Staged,
    sandbox: &dyn Sandbox,
) -> Result<Vec<(OsString, OsString)>> {
    let katas = staged.subjects.iter().map(|loaded| &loaded.subject.kata);
    let unsafe_katas = katas.filter(|kata| kata.about.rules.allow_unsafe);
    let may_be_unsafe: BTreeSet<String> = unsafe_katas.map(|kata| kata.library()).collect();
    let compiler = Compiler { sysroot: toolchain::sysroot()?, may_be_unsafe: may_be_unsafe.into_iter().collect() };
    sandbox.compile_environment(&compiler, &repository.workshop().join("sandbox"))
}

/// Takes what cargo said about the crates of one subject.
fn collect(repository: &Repository, workspace: &Path, loaded: Loaded, crates: &mut Crates) -> Built {
    let mut built =
        Built { programs: BTreeMap::new(), diagnostics: Vec::new(), only_alone: false, trouble: None, loaded };
    // Threads first: where both modes object, the real `std` words it better than the model.
    let mut modes = built.loaded.modes().to_vec();
    modes.sort();
    // Of each error that only the models cause: whether it is about something that they lack.
    let mut lacks = Vec::new();
    for mode in modes {
        let Some(one) = crates.remove(&manifest(workspace, &built.loaded, mode)) else { continue };
        let objected = built.diagnostics.iter().any(|diagnostic| diagnostic.level == "error");
        for message in one.messages {
            if message.is_coded(TROUBLE) {
                // Another attempt may have made the program.
                built.trouble = built.trouble.or_else(|| one.program.is_none().then_some(message.message));
                continue;
            }
            // `aborting due to 2 previous errors` and its like have no place in the source and say nothing new; but that the
            // compiler itself was stopped has no place either.
            if message.spans.is_empty() && !message.is_coded(DIAGNOSTIC) || objected {
                continue;
            }
            let is_lacking = message.is_of_a_missing_item();
            let mut diagnostic = diagnostic(repository, &built.loaded, message);
            if diagnostic.level == "error" && built.programs.contains_key(&Mode::Threads) {
                diagnostic.rendered = format!("{}\n{COMPILES_OTHERWISE}", diagnostic.rendered.trim_end());
                lacks.push(is_lacking);
            }
            if !built.diagnostics.contains(&diagnostic) {
                built.diagnostics.push(diagnostic);
            }
        }
        if let Some(program) = one.program {
            built.only_alone |= one.is_apart;
            built.programs.insert(mode, program);
        }
    }
    if !lacks.is_empty() && lacks.iter().all(|lacking| *lacking) {
        let errors = built.diagnostics.iter_mut().filter(|diagnostic| diagnostic.level == "error");
        for diagnostic in errors {
            diagnostic.level = NOT_MODELLED.to_string();
            diagnostic.rendered = as_a_remark(&diagnostic.rendered);
        }
    }
    built.diagnostics.sort_by_key(|diagnostic| !["error", NOT_MODELLED].contains(&diagnostic.level.as_str()));
    built
}

/// The level of a diagnostic about something that the models of std and other crates lack: no error of the learner's. The tests are
/// run on threads only.
pub(crate) const NOT_MODELLED: &str = "not-modelled";

/// The compiler's error about something that only the models lack, in words that call it none.
fn as_a_remark(rendered: &str) -> String {
    let (_, text) = rendered.split_once(": ").unwrap_or(("", rendered));
    format!("not modelled: {}{JUDGED_ON_THREADS}", text.trim_end())
}

const JUDGED_ON_THREADS: &str = ".\n          So its tests run on threads only, and a pass is no proof";

/// What the compiler says of names that it does not find. Other errors, of sizes or traits, say, are no reason to run no schedules:
/// whoever wants to be judged on threads only could provoke them at will.
const MISSING: [&str; 7] = ["E0405", "E0412", "E0423", "E0425", "E0432", "E0433", "E0599"];

impl Message {
    fn is_coded(&self, code: &str) -> bool {
        self.code.as_ref().is_some_and(|its| its.code == code)
    }

    fn is_error(&self) -> bool {
        self.level.starts_with("error")
    }

    /// Whether something is not there. A model's macro says of itself that it is refused, without a code.
    fn is_of_a_missing_item(&self) -> bool {
        match &self.code {
            Some(code) => MISSING.contains(&code.code.as_str()),
            None => self.message.contains("is not modelled"),
        }
    }
}

/// What compiles with the real crates, but not with the models, is no mistake that the learner could see.
const COMPILES_OTHERWISE: &str = "  = note: this compiles with the real crates, but their models for explored runs don't have it;\n          tests/explored-std/README.md lists what they have, and what to use instead";

fn diagnostic(repository: &Repository, loaded: &Loaded, message: Message) -> Diagnostic {
    let span = message.spans.iter().find(|span| span.is_primary).or(message.spans.first());
    Diagnostic {
        level: message.level,
        message: message.message,
        file: span.map(|span| with_own_paths(repository, loaded, &span.file_name)),
        line: span.map(|span| span.line_start),
        rendered: with_own_paths(repository, loaded, &message.rendered.unwrap_or_default()),
    }
}

/// Stands for a staged `src/` while paths are replaced: a subject's own path may look like another's staged one.
const STAGED: &str = "\u{0}staged\u{0}";

/// Text of the compiler or of a test process with the subject's own paths in the place of the staged ones.
pub fn with_own_paths(repository: &Repository, loaded: &Loaded, text: &str) -> String {
    let subject = &loaded.subject;
    let id = &subject.id;
    let own = match &subject.source {
        Source::Folder(src) => format!("{}/", repository.relative(src)),
        Source::File(_) | Source::Made(_) => format!("{}#", subject.name),
        Source::Given(_) => format!("{}/{}/src/", subject.name, subject.kata.name),
    };
    let renamed = |text: &str, folder: &str, name: &str| renamed(text, MAIN_SEPARATOR, folder, name);
    let mut text = renamed(text, &format!("{}/", repository.root().display()), "");
    for spelled in [format!("{id}/threads/../src/"), format!("{id}/schedules/../src/"), format!("{id}/src/")] {
        text = renamed(&text, &spelled, STAGED);
    }
    text.replace(STAGED, &own).replace(&format!("{}#lib.rs", subject.name), &subject.name)
}

/// The text in which paths below that folder begin otherwise. They are written with `/` then, to their ends, whatever the system's
/// separator is. All else stays as it was: a backslash may be a learner's own.
fn renamed(text: &str, separator: char, folder: &str, name: &str) -> String {
    // Both separators have one byte, so that places in both texts are the same.
    let (slashed, folder) = (text.replace(separator, "/"), folder.replace(separator, "/"));
    let mut renamed = String::new();
    let mut rest = 0;
    while let Some(found) = slashed[rest..].find(&folder) {
        let (begin, below) = (rest + found, rest + found + folder.len());
        let ends = |c: char| c.is_whitespace() || "\"'`:,;()<>|".contains(c);
        let end = slashed[below..].find(ends).map_or(slashed.len(), |length| below + length);
        renamed += &text[rest..begin];
        renamed += name;
        renamed += &slashed[below..end];
        rest = end;
    }
    renamed + &text[rest..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_renamed_and_backslashes_of_the_text_stay() {
        let said = r#"error: a\b --> C:\repo\id\src\deep\lib.rs:3:4 "a\nb""#;
        assert_eq!(
            renamed(said, '\\', r"C:\repo\id/src/", "katas/lock/src/"),
            r#"error: a\b --> katas/lock/src/deep/lib.rs:3:4 "a\nb""#
        );
        let said = r#" --> /repo/id/src/lib.rs:3:4 | let x = "a\nb"; id/src/lib.rs"#;
        assert_eq!(renamed(said, '/', "/repo/", ""), r#" --> id/src/lib.rs:3:4 | let x = "a\nb"; id/src/lib.rs"#);
        assert_eq!(renamed("id/src/a.rs id/src/b.rs", '/', "id/src/", "x#"), "x#a.rs x#b.rs");
    }
}
