//! How deep a source file is nested. Reading a syntax tree takes a piece of stack for every level, in the grader and in the
//! compiler, so a file of nothing but brackets or `!` would crash either. This is found out without recursion on the tree.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// No answer comes near it: a long chain of calls has a few hundred tokens.
const DEEPEST: usize = 4_000;
/// Room for [`DEEPEST`] levels in a build without optimisation, in bytes. Only what is used of it is really taken.
pub(crate) const STACK: usize = 256 * 1024 * 1024;

/// The line at which the text is nested too deeply, if it is.
///
/// Every token of a statement may be a level (`!!!x`, `a = b = c`, `else if`), and a bracket is one on top of those before
/// it. A `;`, a `,` or the end of a block begins anew.
pub(crate) fn too_deep(tokens: &TokenStream) -> Option<u32> {
    below(tokens.clone(), 0)
}

fn below(tokens: TokenStream, outside: usize) -> Option<u32> {
    let mut level = outside;
    let mut trees = tokens.into_iter().peekable();
    while let Some(tree) = trees.next() {
        level += 1;
        if level > DEEPEST {
            return Some(tree.span().start().line as u32);
        }
        match tree {
            TokenTree::Group(group) => {
                if let Some(line) = below(group.stream(), level) {
                    return Some(line);
                }
                let goes_on = matches!(trees.peek(), Some(TokenTree::Ident(word)) if word == "else");
                if group.delimiter() == Delimiter::Brace && !goes_on {
                    level = outside;
                }
            }
            TokenTree::Punct(mark) if [';', ','].contains(&mark.as_char()) => level = outside,
            TokenTree::Punct(_) | TokenTree::Ident(_) | TokenTree::Literal(_) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Option<u32> {
        // On a stack as the grader uses it: tests have a small one.
        let text = text.to_string();
        let thread = std::thread::Builder::new().stack_size(STACK);
        thread.spawn(move || too_deep(&text.parse().unwrap())).unwrap().join().unwrap()
    }

    #[test]
    fn ordinary_code_is_not_deep() {
        assert_eq!(line(include_str!("inspect/rules.rs")), None);
        assert_eq!(line(&"fn f() { g(1, 2); }\n".repeat(10_000)), None);
        assert_eq!(line(&format!("const A: [u8; 50000] = [{}];", "1,".repeat(50_000))), None);
    }

    #[test]
    fn whatever_makes_a_level_counts() {
        let deep = 200_000;
        let body = |inside: &str| format!("fn f() {{\n{inside}\n}}");
        assert_eq!(line(&body(&format!("{}1{}", "(".repeat(deep), ")".repeat(deep)))), Some(2));
        assert_eq!(line(&body(&format!("{}1", "!".repeat(deep)))), Some(2));
        assert_eq!(line(&body(&"a = ".repeat(deep))), Some(2));
        assert_eq!(line(&body(&format!("if a {{}} {}", "else if a {} ".repeat(20_000)))), Some(2));
        let mixed = format!("{}1{}", "(!!!!!!!!!!".repeat(400), ")".repeat(400));
        assert_eq!(line(&body(&mixed)), Some(2), "brackets and operators add up");
    }
}
