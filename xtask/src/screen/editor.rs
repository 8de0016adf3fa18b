//! The learner's editor, opened at a line.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::screen::terminal::Terminal;

/// Editors with a window of their own.
const WINDOWS: [&str; 13] = [
    "code",
    "code-insiders",
    "codium",
    "cursor",
    "windsurf",
    "zed",
    "subl",
    "gedit",
    "kate",
    "mate",
    "idea",
    "rustrover",
    "xed",
];

/// The editor that the learner's environment names, with its arguments: VS Code from its own terminal, and where none is named.
fn wanted(variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let in_code = variable("TERM_PROGRAM").is_some_and(|program| program == "vscode");
    let named = ["VISUAL", "EDITOR"].into_iter().filter_map(&variable).find(|named| !named.trim().is_empty());
    let named = named.filter(|_| !in_code).unwrap_or_else(|| "code".to_string());
    named.split_whitespace().map(str::to_string).collect()
}

/// The name of a program without its folder.
fn name(program: &str) -> &str {
    Path::new(program).file_name().and_then(OsStr::to_str).unwrap_or(program)
}

/// How that editor is told to open a file at a line.
fn arguments(program: &str, file: &str, line: u32) -> Vec<String> {
    match name(program) {
        "code" | "code-insiders" | "codium" | "cursor" | "windsurf" => {
            vec!["--goto".to_string(), format!("{file}:{line}")]
        }
        "hx" | "helix" | "zed" | "subl" => vec![format!("{file}:{line}")],
        "idea" | "rustrover" | "kate" | "mate" => vec!["--line".to_string(), line.to_string(), file.to_string()],
        "vi" | "vim" | "nvim" | "nano" | "emacs" | "emacsclient" | "micro" | "kak" | "joe" | "ne" | "mg" | "gedit"
        | "xed" => {
            vec![format!("+{line}"), file.to_string()]
        }
        _ => vec![file.to_string()],
    }
}

/// Opens the file at that line. An editor without a window has the terminal until it ends. Says what went wrong, if something did.
pub(crate) fn open(terminal: &mut Terminal, root: &Path, file: &str, line: u32) -> Option<String> {
    let words = wanted(|name| std::env::var(name).ok());
    let (program, given) = words.split_first()?;
    let mut command = Command::new(program);
    command.args(given).args(arguments(program, file, line)).current_dir(root);
    let has_window = WINDOWS.contains(&name(program));
    let ended = if has_window {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map(|mut child| {
            std::thread::spawn(move || child.wait());
            None
        })
    } else {
        terminal.leave();
        let ended = command.status();
        // Where the terminal is gone, the next look at its keys tells.
        let _ = terminal.enter();
        ended.map(Some)
    };
    match ended {
        Ok(Some(status)) if !status.success() => Some(format!("`{program}` ended with {status}.")),
        Ok(_) => None,
        Err(error) => {
            Some(format!("`{program}` can't be started ({error}): set $EDITOR, or open {file}:{line} yourself."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_editor_is_the_one_that_is_named() {
        let wanted = |variables: &[(&str, &str)]| {
            let value =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string());
            wanted(value).join(" ")
        };
        assert_eq!(wanted(&[("EDITOR", "emacs -nw")]), "emacs -nw");
        assert_eq!(wanted(&[("EDITOR", "vi"), ("VISUAL", "hx")]), "hx");
        assert_eq!(wanted(&[("EDITOR", " ")]), "code");
        assert_eq!(wanted(&[("EDITOR", "vi"), ("TERM_PROGRAM", "vscode")]), "code");
    }

    #[test]
    fn each_editor_has_its_own_way_to_name_a_line() {
        assert_eq!(arguments("/usr/bin/nvim", "lib.rs", 41), ["+41", "lib.rs"]);
        assert_eq!(arguments("code", "lib.rs", 41), ["--goto", "lib.rs:41"]);
        assert_eq!(arguments("hx", "lib.rs", 41), ["lib.rs:41"]);
        assert_eq!(arguments("unknown", "lib.rs", 41), ["lib.rs"]);
    }
}
