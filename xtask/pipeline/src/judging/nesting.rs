//! How deep a source file is nested. Reading a syntax tree takes a piece of stack for every level, in the grader and in the
//! compiler, so a file of nothing but brackets or `!` would crash either. This is found out without recursion on the tree.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// No answer comes near it: a long chain of calls has a few hundred tokens.
const DEEPEST: usize = 4_000;
/// Room for [`DEEPEST`] levels in a build without optimisation, in bytes. Only what is used of it is really taken.
pub(crate) const STACK: usize = 256 * 1024 * 1024;

/// The line at which the text is nested too deeply, if it is.
///
/// Every token of a statement may be a level (`!!!x`, `a = b = c`, `else if`), and a bracket is one on top of those before it. All that
/// ends with a `;`, with the `=>` of a match, or with a block that nothing goes on behind. A `,` ends what began after the last `<` or `|`
/// that may still be open: what follows is another part of a list, which may itself be deep inside (`R<u8, R<u8, …`).
pub(crate) fn too_deep(tokens: &TokenStream) -> Option<u32> {
    below(tokens.clone(), 0)
}

fn below(tokens: TokenStream, outside: usize) -> Option<u32> {
    let mut level = outside;
    // Which lists may still be open that no bracket ends, and how deep each is.
    let mut open: Vec<(char, usize)> = Vec::new();
    let mut before = None;
    let mut trees = tokens.into_iter().peekable();
    while let Some(tree) = trees.next() {
        level += 1;
        if level > DEEPEST {
            return Some(tree.span().start().line as u32);
        }
        let mark = joined_mark(&tree);
        match tree {
            TokenTree::Group(group) => {
                if let Some(line) = below(group.stream(), level) {
                    return Some(line);
                }
                if group.delimiter() == Delimiter::Brace && !trees.peek().is_some_and(goes_on) {
                    level = outside;
                    open.clear();
                }
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                ';' => {
                    level = outside;
                    open.clear();
                }
                '>' if before == Some('=') => {
                    level = outside;
                    open.clear();
                }
                ',' => level = open.last().map_or(outside, |(_, level)| *level),
                // A comparison opens nothing.
                '<' if mark.is_some() && trees.peek().is_some_and(|next| is_mark(next, '=')) => {}
                opening @ ('<' | '|') => open.push((opening, level)),
                // No arrow.
                '>' if before != Some('-') => {
                    open.pop_if(|(opening, _)| *opening == '<');
                }
                _ => {}
            },
            TokenTree::Ident(_) | TokenTree::Literal(_) => {}
        }
        before = mark;
    }
    None
}

/// The mark, if another follows that may belong to it.
fn joined_mark(tree: &TokenTree) -> Option<char> {
    match tree {
        TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint => Some(punct.as_char()),
        _ => None,
    }
}

fn is_mark(tree: &TokenTree, mark: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == mark)
}

/// Whether what stands behind a block may belong to the same expression.
fn goes_on(next: &TokenTree) -> bool {
    match next {
        TokenTree::Ident(word) => word == "else" || word == "as",
        // An attribute or a label begins anew. All others may be an operator.
        TokenTree::Punct(_) => !is_mark(next, '#') && !is_mark(next, '\''),
        TokenTree::Group(_) => true,
        TokenTree::Literal(_) => false,
    }
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
        assert_eq!(line(&format!("const A: [u8; 5000] = [{}];", "1,".repeat(50_000))), None);
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

    #[test]
    fn long_lists_are_not_deep() {
        // More than may be deep.
        let many = 5_000;
        let body = |inside: &str| format!("fn f() {{\n{inside}\n}}");
        for text in [
            format!("const A: [u8; 5000] = [{}];", "1,".repeat(many)),
            format!("static A: [(R<u8, S<u8>>, u8); 5000] = [{}];", "(R::<u8, S<u8>>::new(), 1),".repeat(many)),
            body(&format!("match x {{ {} _ => 1 }}", "A | B if a < b => 1,".repeat(many))),
            body(&format!(
                "match x {{ {} _ => 1 }}",
                "(A, B) => {} [C] | D {} => {} E {} => f(|a| b, c),".repeat(many)
            )),
            format!("struct A {{ {} }}", "a: R<u8, fn(u8) -> S<u8>>,".repeat(many)),
            format!("enum A {{ {} }}", "B { a: R<u8> }, C(R<u8>),".repeat(many)),
            body(&format!("g({})", "a.b(|x, y| x > y), R::<u8, u8>(1),".repeat(many))),
            body(&"if a { 1 } #[b] c! {} 'd: loop {} while e {} f! {} let A {} = g else {};".repeat(many)),
            "impl A<u8, B> for C {} fn f<'a, T: D<E>>(x: &'a T) -> R<u8, u8> where T: E {} ".repeat(many),
        ] {
            assert_eq!(line(&text), None, "{}", &text[..60]);
        }
    }

    #[test]
    fn what_goes_on_behind_a_comma_or_a_block_is_a_level() {
        let deep = 20_000;
        let body = |inside: &str| format!("fn f() {{\n{inside}\n}}");
        for inside in [
            format!("type T = {};", "R<u8,".repeat(deep)),
            format!("type T = {};", "R<&&fn()->u8,S<u8>,".repeat(deep)),
            format!("{}x", "|a,|".repeat(deep)),
            format!("{}x", "a | |x,|".repeat(deep)),
            format!("{}x", "|a: R<u8>, b,|".repeat(deep)),
            format!("x = 1 {}", "+ {}".repeat(deep)),
            format!("x = {{}} {}", "as u8 + {}".repeat(deep)),
            format!("x = {{}} {}", "() + {}".repeat(deep)),
            format!("if {{}} {{}} {}", "else if {} {}".repeat(deep)),
        ] {
            assert_eq!(line(&body(&inside)), Some(2), "{}", &inside[..30]);
        }
    }
}
