//! tokio's own documentation examples for the modules that are modelled, unmodified, each on its schedules. They are read from the
//! source that cargo has downloaded, and built as a package of their own below the target folder.
//!
//! `cargo test -p explored-tokio --test documentation -- --ignored --nocapture`; it takes some minutes, and downloads `futures`,
//! `tokio-stream`, `tokio-test` and `rand`, which some of the examples use.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is modelled: files and folders of tokio's source.
const MODELLED: &[&str] = &[
    "sync",
    "task",
    "time",
    "runtime/builder.rs",
    "runtime/runtime.rs",
    "runtime/handle.rs",
    "runtime/mod.rs",
    "runtime/task",
    "runtime/id.rs",
    "macros/select.rs",
    "macros/join.rs",
    "macros/try_join.rs",
    "macros/pin.rs",
];

/// How many examples must be judged rightly, at least, of tokio 1.54.1. Those that do not compile use input and output, what needs
/// `tokio_unstable`, or what the model's README names as left out.
const RIGHT: usize = 352;

/// An example in a comment.
struct Example {
    /// File and line.
    at: String,
    attributes: Vec<String>,
    code: String,
}

impl Example {
    fn is(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|known| known == attribute)
    }

    /// The example's code as a module with a function `main`, as rustdoc makes it. Where `main` is inside a block, which
    /// rustdoc never calls, it is called.
    fn module(&self) -> String {
        let lines: Vec<&str> = self.code.lines().collect();
        let main_at = |line: &&&str| line.trim_start().trim_start_matches("async ").starts_with("fn main(");
        let in_block = lines.contains(&"{");
        if lines.iter().any(|line| main_at(&line)) && !in_block {
            return self.code.replacen("async fn main(", "pub async fn main(", 1).replacen(
                "\nfn main(",
                "\npub fn main(",
                1,
            );
        }
        let (inner, body): (Vec<&str>, Vec<&str>) = lines.iter().partition(|line| line.starts_with("#!["));
        let mut body = body.join("\n").replacen("#[cfg(not(target_family = \"wasm\"))]", "", 1);
        if lines.iter().any(|line| main_at(&line))
            && let Some(end) = body.rfind('}')
        {
            body.insert_str(end, "crate::Judge::judge(main());\n");
        }
        match body.trim_end().strip_suffix("(())") {
            Some(result) if result.contains("Ok::<") => {
                format!(
                    "{}\npub fn main() {{ fn inner() -> Result<(), impl core::fmt::Debug> {{ {body} }} inner().unwrap(); }}",
                    inner.join("\n")
                )
            }
            _ => format!("{}\npub fn main() {{\n{body}\n}}", inner.join("\n")),
        }
    }

    /// A program that explores the example and prints how that ended. Threads that it leaves behind end with it.
    fn program(&self) -> String {
        format!(
            "// {}\n#![allow(warnings)]\nmod example {{\n{}\n}}\n{}",
            self.at,
            self.module(),
            r#"
trait Judge { fn judge(self); }
impl Judge for () { fn judge(self) {} }
impl<T, E: core::fmt::Debug> Judge for Result<T, E> { fn judge(self) { self.unwrap(); } }
fn main() {
    let config = std::explored::Config { schedules: 1_000, daemons: true, ..Default::default() };
    let found = std::explored::explore(&config, || Judge::judge(example::main()));
    ::std::real::println!("{:?}", found.outcome);
}
"#
        )
    }
}

/// The examples of a file, but those that are not code to compile.
fn examples(file: &Path, source: &Path) -> Vec<Example> {
    let text = fs::read_to_string(file).expect("a source file");
    let (mut all, mut open): (Vec<Example>, Option<Example>) = (Vec::new(), None);
    for (number, line) in text.lines().enumerate() {
        let comment = line.trim_start().strip_prefix("///").or_else(|| line.trim_start().strip_prefix("//!"));
        let Some(comment) = comment else {
            open = None;
            continue;
        };
        let comment = comment.strip_prefix(' ').unwrap_or(comment);
        match (comment.trim_start().strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => all.extend(open.take()),
            (Some(attributes), None) => {
                let at = format!("{}:{}", file.strip_prefix(source).unwrap_or(file).display(), number + 1);
                let attributes = attributes.split([',', ' ']).filter(|word| !word.is_empty()).map(str::to_string);
                open = Some(Example { at, attributes: attributes.collect(), code: String::new() });
            }
            (None, Some(example)) => {
                let hidden = comment.trim_start().strip_prefix("# ").or((comment.trim() == "#").then_some(""));
                writeln!(example.code, "{}", hidden.unwrap_or(comment)).expect("text");
            }
            (None, None) => {}
        }
    }
    all.retain(|example| !["text", "ignore", "compile_fail", "toml"].iter().any(|no| example.is(no)));
    all
}

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let mut inside: Vec<_> = fs::read_dir(path).expect("a folder").filter_map(|entry| entry.ok()).collect();
        inside.sort_by_key(|entry| entry.file_name());
        inside.iter().filter(|entry| entry.file_name() != "tests").for_each(|entry| files(&entry.path(), found));
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        found.push(path.to_path_buf());
    }
}

/// Where the source of tokio is.
fn source() -> PathBuf {
    let metadata = Command::new(env!("CARGO")).args(["metadata", "--format-version", "1"]).output().expect("cargo");
    let text = String::from_utf8_lossy(&metadata.stdout).into_owned();
    let manifests = text.split("\"manifest_path\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut tokio = manifests.filter(|path| path.contains("/tokio-1.") && !path.contains("explored"));
    Path::new(tokio.next().expect("tokio is a dependency")).with_file_name("src")
}

#[test]
#[ignore = "builds some hundred programs"]
fn the_documentation_examples_of_tokio_are_judged_rightly() {
    let source = source();
    let mut found = Vec::new();
    MODELLED.iter().for_each(|part| files(&source.join(part), &mut found));
    let examples: Vec<Example> = found.iter().flat_map(|file| examples(file, &source)).collect();

    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("documentation");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    drop(fs::remove_dir_all(folder.join("examples")));
    fs::create_dir_all(folder.join("examples")).expect("a folder");
    for (number, example) in examples.iter().enumerate() {
        fs::write(folder.join(format!("examples/e{number}.rs")), example.program()).expect("a file");
    }
    let manifest = format!(
        r#"
[package]
name = "documentation"
version = "0.0.0"
edition = "2021"
[workspace]
[lib]
path = "lib.rs"
[dependencies]
tokio = {{ package = "explored-tokio", path = {here:?} }}
std = {{ package = "explored-std", path = {:?} }}
futures = "0.3"
tokio-stream = "0.1"
tokio-test = "0.4"
rand = "0.8"
[profile.dev]
debug = false
incremental = false
[profile.dev.package.explored-std]
opt-level = 2
"#,
        here.parent().expect("it is beside the model of std")
    );
    fs::write(folder.join("Cargo.toml"), manifest).expect("a file");
    fs::write(folder.join("lib.rs"), "").expect("a file");
    let target = folder.join("target");
    let build = ["build", "--examples", "--keep-going", "--quiet"];
    drop(Command::new(env!("CARGO")).args(build).current_dir(&folder).env("CARGO_TARGET_DIR", &target).output());

    let (mut compiled, mut run, mut right, mut wrong) = (0, 0, 0, BTreeSet::new());
    for (number, example) in examples.iter().enumerate() {
        let program = target.join(format!("debug/examples/e{number}"));
        if !program.is_file() {
            println!("does not compile: {}", example.at);
            continue;
        }
        compiled += 1;
        let panics = example.is("should_panic");
        if example.is("no_run") && !panics {
            continue;
        }
        run += 1;
        let output = Command::new(program).output().expect("a program");
        let outcome = String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_string();
        let fits = if panics { outcome.starts_with("Failed") } else { outcome == "Passed" };
        right += usize::from(fits);
        if !fits {
            wrong.insert(format!("{}: {outcome}", example.at));
        }
    }
    println!("{} examples, {compiled} compile, {run} are run, {right} are judged rightly", examples.len());
    println!("{wrong:#?}");
    assert!(right >= RIGHT && wrong.is_empty());
}
