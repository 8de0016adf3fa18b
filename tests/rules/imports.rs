//! Who may know whom. An arrow in the wrong direction is how a simple design ends.

use crate::{manifest, names, sources};

/// The text without its unit tests, which may do what the code may not.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

/// Crates of the workspace that a learner must never depend on.
const OURS: [&str; 5] = ["kata", "verdict", "explored_std", "explored", "xtask"];

/// Katas, solutions, wrong and right submissions are plain Rust: what a learner writes here runs anywhere.
#[test]
fn answers_use_nothing_of_ours() {
    for folder in ["solutions", "tests/stubs", "tests/wrong", "tests/right"] {
        for (path, text) in sources(folder) {
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
fn xtask_depends_on_no_crate_of_ours_but_the_verdicts() {
    let manifest = manifest("xtask/Cargo.toml");
    for (name, _) in manifest["dependencies"].as_table().expect("dependencies") {
        assert!(!["kata", "explored-std"].contains(&name.as_str()), "xtask depends on {name}");
    }
    for package in ["tests/verdict", "tests/explored-std", "tests/support"] {
        let manifest = crate::manifest(&format!("{package}/Cargo.toml"));
        let dependencies = manifest.get("dependencies").and_then(|table| table.as_table()).cloned().unwrap_or_default();
        assert!(!dependencies.contains_key("xtask"), "{package} depends on xtask");
    }
}

/// Steps don't know commands, commands don't know each other: each can be read alone.
#[test]
fn steps_know_no_command_and_commands_not_each_other() {
    for (path, text) in sources("xtask/src") {
        let text = code(&text);
        if path != "xtask/src/main.rs" {
            assert!(!text.contains("crate::commands") && !text.contains("use super::"), "{path} uses a command");
        }
        let step = !path.contains("/commands/") && !path.contains("/render/") && path != "xtask/src/main.rs";
        assert!(!step || !text.contains("crate::render"), "{path} is a step and renders");
    }
}

/// One place writes to standard output, so that `--json` can promise one document and nothing else.
#[test]
fn only_render_prints() {
    for (path, text) in sources("xtask/src") {
        let text = code(&text);
        let prints = ["println!", "print!("].iter().any(|word| text.replace("eprint", "").contains(word));
        assert!(!prints, "{path} prints");
        let writes = ["io::stdout", "anstream::stdout"].iter().any(|word| text.contains(word));
        assert!(!writes || path == "xtask/src/render/mod.rs", "{path} writes to standard output");
    }
}
