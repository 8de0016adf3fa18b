//! Whether a panic is a `todo!()`'s own. Its words could be anybody's; its place is not.

use proc_macro2::{TokenStream, TokenTree};

use crate::subject::sources::Files;

/// Whether the message names the place of a `todo!` in these files, as in `not yet implemented (lib.rs:12)`.
pub(super) fn is_of_a_todo(files: &Files, message: &str) -> bool {
    files.iter().any(|(path, text)| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut lines = Vec::new();
        add_lines(text.parse().unwrap_or_default(), &mut lines);
        lines.iter().any(|line| [')', ','].iter().any(|end| message.contains(&format!("({name}:{line}{end}"))))
    })
}

/// Adds the lines in which a `todo!` begins. What is in a comment or a text is none.
fn add_lines(tokens: TokenStream, lines: &mut Vec<usize>) {
    let mut before = None;
    for token in tokens {
        match token {
            TokenTree::Ident(name) => before = (name == "todo").then(|| name.span().start().line),
            TokenTree::Punct(mark) if mark.as_char() == '!' => lines.extend(before.take()),
            TokenTree::Group(group) => add_lines(group.stream(), lines),
            TokenTree::Punct(_) | TokenTree::Literal(_) => before = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_todo_is_known_by_its_place() {
        let text = "// todo!()\nfn open() {\n    std::todo!(\"later\")\n}\nfn other() {\n    panic!(\"not yet implemented\")\n}\n";
        let files = Files::from([("lib.rs".into(), text.to_string())]);
        assert!(is_of_a_todo(&files, "not yet implemented: later (lib.rs:3)"));
        assert!(is_of_a_todo(&files, "cook panicked: not yet implemented: later (lib.rs:3)"));
        assert!(is_of_a_todo(&files, "not yet implemented: later (lib.rs:3, in main)"));
        assert!(!is_of_a_todo(&files, "not yet implemented (lib.rs:6)"), "a panic in the same words");
        assert!(!is_of_a_todo(&files, "not yet implemented (lib.rs:1)"), "a comment");
        assert!(!is_of_a_todo(&files, "not yet implemented (lib.rs:33)"));
        assert!(!is_of_a_todo(&files, "not yet implemented"), "no place at all");
    }
}
