//! Who may know whom. An arrow in the wrong direction is how a simple design ends.

use crate::{files, manifest, names, sources};

/// The text without what is compiled for unit tests only, which may do what the code may not.
fn code(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(indent) = line.strip_suffix("#[cfg(test)]") else {
            code.push_str(line);
            code.push('\n');
            continue;
        };
        // An item ends where it began, or in the first line that is whole.
        let is_its = |line: &str| line.strip_prefix(indent).is_some_and(|rest| !rest.starts_with([' ', '#', '/']));
        let is_end = |line: &str| is_its(line) && line.ends_with(['}', ';', ',']);
        lines.find(|line| is_end(line));
    }
    code
}

#[test]
fn what_is_for_tests_only_is_no_code() {
    let text = "one();\n#[cfg(test)]\nmod tests {\n    two();\n}\nthree();\n#[cfg(test)]\nuse four;\n    #[cfg(test)]\n    \
                pub fn five() {\n        six();\n    }\n    seven();\n";
    assert_eq!(code(text), "one();\nthree();\n    seven();\n");
}

/// Crates of the workspace that a learner must never depend on.
const OURS: [&str; 5] = ["kata", "verdict", "explored_std", "explored", "xtask"];

/// Katas, solutions, wrong and right submissions are plain Rust: what a learner writes here runs anywhere.
#[test]
fn answers_use_nothing_of_ours() {
    for folder in ["solutions", "tests/stubs", "tests/wrong", "tests/right"] {
        for (path, text) in sources(folder).into_iter().chain(files(folder, ".patch")) {
            for ours in OURS {
                assert!(!text.contains(&format!("{ours}::")), "{path} uses {ours}");
            }
        }
    }
    for folder in ["katas", "solutions"] {
        for kata in names(folder) {
            let manifest = manifest(&format!("{folder}/{kata}/Cargo.toml"));
            let dependencies =
                manifest.get("dependencies").and_then(|table| table.as_table()).cloned().unwrap_or_default();
            for ours in ["kata", "verdict", "explored-std", "std", "xtask"] {
                assert!(!dependencies.contains_key(ours), "{folder}/{kata} depends on {ours}");
            }
        }
    }
}

/// The command line shares with the tests only what is exchanged between them.
#[test]
fn the_command_line_depends_on_no_crate_of_ours_but_its_own_and_the_verdicts() {
    // Learners build only the first two.
    for (package, ours) in [
        ("xtask", &["pipeline", "verdict"][..]),
        ("xtask/pipeline", &["verdict"]),
        ("xtask/grader", &["pipeline", "verdict"]),
    ] {
        for (name, _) in manifest(&format!("{package}/Cargo.toml"))["dependencies"].as_table().expect("dependencies") {
            let is_ours = ["kata", "explored-std", "grader", "pipeline", "verdict", "xtask"].contains(&name.as_str());
            assert!(!is_ours || ours.contains(&name.as_str()), "{package} depends on {name}");
        }
    }
    for package in ["tests/verdict", "tests/explored-std", "tests/support"] {
        let manifest = crate::manifest(&format!("{package}/Cargo.toml"));
        let dependencies = manifest.get("dependencies").and_then(|table| table.as_table()).cloned().unwrap_or_default();
        assert!(!dependencies.contains_key("xtask"), "{package} depends on xtask");
    }
}

/// Steps don't know commands, commands don't know each other: each can be read alone. The learner's screen is no step: it draws what
/// steps say. Neither is the grammar of a command line, whose help lists the reports, nor its end.
#[test]
fn steps_know_no_command_and_commands_not_each_other() {
    for (path, text) in sources("xtask") {
        let text = code(&text);
        if !path.ends_with("/src/main.rs") {
            let by_super = path.contains("/commands/") && text.contains("use super::");
            assert!(!text.contains("crate::commands") && !by_super, "{path} uses a command");
        }
        let draws = ["/commands/", "/render/", "/screen/"].iter().any(|folder| path.contains(folder));
        let around = ["/src/main.rs", "/src/cli.rs", "/src/exit.rs"].iter().any(|file| path.ends_with(file));
        let renders = text.contains("crate::render") || text.contains("pipeline::render");
        assert!(draws || around || !renders, "{path} is a step and renders");
        let reads = path.starts_with("xtask/pipeline/src/subject");
        assert!(!reads || !text.contains("crate::judging"), "{path} is about answers and knows how they are judged");
    }
}

/// In the explorer, the engine knows no search, no model and no harness, and the search knows the engine alone. So each can be read
/// without what stands on it.
#[test]
fn the_engine_knows_no_search_and_the_search_no_model() {
    for (layer, may_know) in [("engine", &["engine"][..]), ("search", &["engine", "search"])] {
        let sources = sources(&format!("tests/explored-std/src/{layer}"));
        assert!(sources.len() > 5, "{layer} has moved");
        for (path, text) in sources {
            for used in text.split("crate::").skip(1) {
                let module =
                    used.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap_or_default();
                assert!(may_know.contains(&module), "{path} uses crate::{module}");
            }
        }
    }
}

/// One place writes to standard output, so that `--json` can promise one document and nothing else.
#[test]
fn only_render_prints() {
    for (path, text) in sources("xtask") {
        let text = code(&text);
        let prints = ["println!", "print!("].iter().any(|word| text.replace("eprint", "").contains(word));
        assert!(!prints, "{path} prints");
        let writes = ["io::stdout", "anstream::stdout"].iter().any(|word| text.contains(word));
        assert!(
            !writes || ["xtask/pipeline/src/render/mod.rs", "xtask/src/render/mod.rs"].contains(&&*path),
            "{path} writes to standard output"
        );
    }
}

/// Whoever starts a process gives it its name, which is bytes. A reader who wants text is told nothing, and a limit that is
/// watched so does not hold for that process, nor for its children.
#[test]
fn what_is_read_of_proc_is_bytes() {
    let attacks = sources("tests/attacks").into_iter().filter(|(path, _)| !path.starts_with("tests/attacks/code/"));
    let folders = ["xtask", "tests/support/src", "tests/cli"].map(sources);
    for (path, text) in folders.into_iter().flatten().chain(attacks) {
        let both = text.contains("\"/proc") && text.contains("read_to_string(");
        assert!(!both, "{path} reads `/proc`, and something as text: use `fs::read`, or the grader's `kernel::told`");
    }
}

/// Each place with `unsafe` is one more to be read twice. These are all: the model of `std`, what a child process does before
/// `main`, the record's channel, the arguments that name a test, how a stuck thread is asked where it
/// stands, what confines a process between fork and exec, and the one given block of the kata on shared
/// memory.
#[test]
fn unsafe_code_is_in_few_places() {
    const SHARED: [&str; 4] = ["katas/shared/", "solutions/shared/", "tests/stubs/shared", "tests/right/shared/"];
    let allowed = |path: &str| {
        path.starts_with("tests/explored-std/")
            || path == "tests/support/src/child/inside.rs"
            || path == "tests/support/src/report/arguments.rs"
            || path == "tests/support/src/report/channel.rs"
            || path == "tests/support/src/stacks.rs"
            || path.starts_with("xtask/grader/src/sandbox/")
            || SHARED.iter().any(|own| path.starts_with(own))
            // Wrong and hostile submissions show what is refused.
            || path.starts_with("tests/wrong/")
            || path.starts_with("tests/attacks/")
    };
    for (path, text) in ["katas", "solutions", "tests", "xtask"].into_iter().flat_map(sources) {
        let Ok(tokens) = text.parse::<proc_macro2::TokenStream>() else { continue };
        assert!(!has_unsafe_block(tokens) || allowed(&path), "{path} has unsafe code");
    }
}

/// Whether there is an `unsafe { … }`, `unsafe fn`, `unsafe impl` or `unsafe extern` anywhere. A macro's argument of that name
/// (`#[ctor(unsafe)]`) is no block.
fn has_unsafe_block(tokens: proc_macro2::TokenStream) -> bool {
    use proc_macro2::TokenTree::{Group, Ident};

    let tokens: Vec<_> = tokens.into_iter().collect();
    let follows = |at: usize| matches!(tokens.get(at + 1), Some(Group(_) | Ident(_)));
    tokens.iter().enumerate().any(|(at, token)| match token {
        Ident(word) => word == "unsafe" && follows(at),
        Group(group) => has_unsafe_block(group.stream()),
        _ => false,
    })
}
