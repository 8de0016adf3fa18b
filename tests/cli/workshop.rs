//! A checkout in a temporary folder, and the command line run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;

use pipeline::subject::patch;

/// The checkout that these tests belong to.
fn repository() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().find(|folder| folder.join("katas").is_dir()).expect("a repository has katas").to_path_buf()
}

/// A checkout whose katas may be changed. Everything else is linked, their tests too, so that what was built for one test serves the
/// next.
pub(crate) struct Workshop {
    folder: TempDir,
    /// Whether what was built of an answer is there for the next test that judges it.
    keeps_builds: bool,
}

/// What a command did.
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output, with the checkout's path as `[root]`.
    pub(crate) stdout: String,
    /// Standard error, likewise.
    pub(crate) stderr: String,
}

impl Workshop {
    /// A pristine checkout: every kata is its stub.
    pub(crate) fn new() -> Workshop {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = repository();
        for kata in fs::read_dir(root.join("katas")).expect("katas/").filter_map(|entry| entry.ok()) {
            let name = kata.file_name();
            let home = folder.path().join("katas").join(&name);
            copy(&kata.path(), &home, &["tests"]);
            link(&kata.path().join("tests"), &home.join("tests"));
            let stub = root.join("tests/stubs").join(&name).with_extension("rs");
            fs::copy(stub, home.join("src/lib.rs")).expect("a stub");
        }
        fs::copy(root.join("Cargo.toml"), folder.path().join("Cargo.toml")).expect("Cargo.toml");
        fs::copy(root.join("Cargo.lock"), folder.path().join("Cargo.lock")).expect("Cargo.lock");
        for name in ["solutions", "tests", "xtask"] {
            link(&root.join(name), &folder.path().join(name));
        }
        Workshop { folder, keeps_builds: true }
    }

    /// The same, where each answer is built anew, as it is for everybody else.
    pub(crate) fn builds_anew(self) -> Workshop {
        Workshop { keeps_builds: false, ..self }
    }

    /// The checkout's root.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A path in the checkout.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root().join(below)
    }

    /// Writes a file, and the folders that it needs. What is linked becomes the checkout's own first.
    pub(crate) fn write(self, below: &str, text: impl AsRef<[u8]>) -> Workshop {
        let path = self.path(below);
        let linked = path.ancestors().take_while(|folder| *folder != self.root()).find(|folder| folder.is_symlink());
        linked.into_iter().for_each(copy_what_it_links);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
        self
    }

    /// Makes a folder that is a link one of the checkout's own, with all that is in it.
    pub(crate) fn own_all(self, below: &str) -> Workshop {
        copy_what_it_links(&self.path(below));
        self
    }

    /// Makes a folder that is a link one of the checkout's own, with only these things in it.
    pub(crate) fn own(self, below: &str, kept: &[&str]) -> Workshop {
        let folder = self.path(below);
        let real = unlink(&folder);
        fs::create_dir(&folder).expect("a folder");
        for name in kept {
            let (from, to) = (real.join(name), folder.join(name));
            if from.is_dir() {
                link(&from, &to);
            } else {
                fs::copy(from, to).expect("a file");
            }
        }
        self
    }

    /// Answers a kata with that text.
    pub(crate) fn answer(self, kata: &str, text: &str) -> Workshop {
        self.write(&format!("katas/{kata}/src/lib.rs"), text)
    }

    /// Answers a kata with its reference solution.
    pub(crate) fn solve(self, kata: &str) -> Workshop {
        let text = self.read(&format!("solutions/{kata}/src/lib.rs"));
        self.answer(kata, &text)
    }

    /// Answers a kata with a wrong submission of the repository.
    pub(crate) fn answer_wrongly(self, kata: &str, wrong: &str) -> Workshop {
        let text = self.wrong(kata, wrong);
        self.answer(kata, &text)
    }

    /// The text of a wrong submission of the repository, one that is a patch.
    pub(crate) fn wrong(&self, kata: &str, wrong: &str) -> String {
        let patch = format!("tests/wrong/{kata}/{wrong}.patch");
        patch::apply(&self.read(&patch), |base| Some(self.read(base))).unwrap_or_else(|error| panic!("{patch} {error}"))
    }

    /// The text of a file.
    pub(crate) fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap_or_else(|error| panic!("{below}: {error}"))
    }

    /// Runs `cargo xtask …` at the checkout's root.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_in(self.root(), arguments)
    }

    /// Runs `cargo xtask …` in that folder.
    pub(crate) fn run_in(&self, folder: &Path, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        command.current_dir(folder);
        self.ran(command)
    }

    /// Runs `cargo xtask …` at the checkout's root with these lines as its input.
    pub(crate) fn run_with(&self, arguments: &[&str], lines: &[&str]) -> Ran {
        let mut command = Command::from_std(self.command(arguments));
        let typed: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.redacted(command.write_stdin(typed).output())
    }

    /// Runs cargo itself at the checkout's root.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Ran {
        let mut command = std::process::Command::new(env!("CARGO"));
        command.args(arguments).current_dir(self.root()).env("CARGO_TARGET_DIR", target());
        self.ran(command)
    }

    /// What these commands say of themselves, none of it wider than 80 columns.
    pub(crate) fn helps(&self, commands: &[&str]) -> String {
        let mut text = String::new();
        for command in commands {
            let arguments: Vec<&str> =
                [command, "--help"].into_iter().filter(|argument| !argument.is_empty()).collect();
            let ran = self.run(&arguments).exits(0).without_complaint();
            let longest = ran.stdout.lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(80), "{command} --help is wider than 80 columns");
            text += &format!("$ cargo xtask {}\n{}\n", arguments.join(" "), ran.stdout);
        }
        text
    }

    fn ran(&self, command: std::process::Command) -> Ran {
        self.redacted(Command::from_std(command).output())
    }

    fn redacted(&self, output: std::io::Result<Output>) -> Ran {
        let Output { status, stdout, stderr } = output.expect("the command starts");
        Ran { code: status.code().expect("an exit code"), stdout: self.redact(&stdout), stderr: self.redact(&stderr) }
    }

    /// The command, for tests that look after its process themselves.
    pub(crate) fn command(&self, arguments: &[&str]) -> std::process::Command {
        // Both programs are tested in workshops, each by its own package.
        let program = option_env!("CARGO_BIN_EXE_grader").or(option_env!("CARGO_BIN_EXE_xtask"));
        let mut command = std::process::Command::new(program.expect("it is built with its tests"));
        command
            .args(arguments)
            .current_dir(self.root())
            .env("CARGO_TARGET_DIR", target())
            // Many tests judge the same few answers.
            .envs(self.keeps_builds.then_some(("INTERLEAVE_KEEP_BUILDS", "1")))
            // Inherited by everything that it starts, so that a test can find what it left behind.
            .env("INTERLEAVE_WORKSHOP", self.root())
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .env_remove("COLUMNS");
        command
    }

    fn redact(&self, bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).replace(&self.root().display().to_string(), "[root]")
    }
}

impl Ran {
    /// The same, having made sure of the exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "exit code\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// The same, having made sure that standard output says that.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Ran {
        assert!(
            self.stdout.contains(text),
            "not said: {text}\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// The same, having made sure that nothing was said on standard error.
    #[track_caller]
    pub(crate) fn without_complaint(self) -> Ran {
        assert_eq!(self.stderr, "", "standard error");
        self
    }

    /// Standard error, having made sure that it is one message, the exit code 2, and standard output empty.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (2, ""), "standard error: {}", self.stderr);
        self.stderr
    }
}

/// Where everything is built that workshops build: what one needs, the next one has.
pub(crate) fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("workshop")
}

/// Removes a link to a folder, and says where that is.
fn unlink(link: &Path) -> PathBuf {
    let real = fs::canonicalize(link).expect("it is there");
    fs::remove_file(link).or_else(|_| fs::remove_dir(link)).expect("it was a link");
    real
}

/// Puts a copy of the folder in the place of a link to it.
fn copy_what_it_links(link: &Path) {
    copy(&unlink(link), link, &[]);
}

fn copy(from: &Path, to: &Path, without: &[&str]) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").filter_map(|entry| entry.ok()) {
        let target = to.join(entry.file_name());
        if without.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if entry.path().is_dir() {
            copy(&entry.path(), &target, without);
        } else {
            fs::copy(entry.path(), target).expect("a file");
        }
    }
}

fn link(from: &Path, to: &Path) {
    #[cfg(unix)]
    std::os::unix::fs::symlink(from, to).expect("a link");
    #[cfg(windows)]
    std::os::windows::fs::symlink_dir(from, to).expect("a link");
}
