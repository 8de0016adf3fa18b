//! A file's text as tokens and as a tree, read as the compiler reads it.

use proc_macro2::{LexError, TokenStream};

use crate::judging::nesting;

/// What came of reading a file.
pub(super) enum Reading {
    /// It is Rust.
    Read(TokenStream, syn::File),
    /// Whoever reads it would need too much memory, from this line on.
    TooDeep(u32),
    /// It is no Rust that we know, at this line.
    Unread(u32),
}

/// Reads a text.
pub(super) fn read(text: &str) -> Reading {
    let tokens: TokenStream = match without_shebang(text).parse() {
        Ok(tokens) => tokens,
        Err(error) => return Reading::Unread(LexError::span(&error).start().line as u32),
    };
    if let Some(line) = nesting::too_deep(&tokens) {
        return Reading::TooDeep(line);
    }
    match syn::parse2(tokens.clone()) {
        Ok(tree) => Reading::Read(tokens, tree),
        Err(error) => Reading::Unread(error.span().start().line as u32),
    }
}

/// The text without a first line that is meant for a shell, by the compiler's own rule: it begins with `#!`, and that is not the
/// beginning of an attribute. The line's end stays, so that all lines keep their numbers.
fn without_shebang(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.strip_prefix("#!") {
        Some(rest) if !behind_blanks(rest).starts_with('[') => &text[text.find('\n').unwrap_or(text.len())..],
        _ => text,
    }
}

/// What comes after blanks and comments. A comment that documents something is none of them.
fn behind_blanks(text: &str) -> &str {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(is_blank);
        let documents_line = rest.starts_with("//!") || rest.starts_with("///") && !rest.starts_with("////");
        let documents_block = rest.starts_with("/*!")
            || rest.starts_with("/**") && !rest.starts_with("/***") && !rest.starts_with("/**/");
        if documents_line || documents_block {
            return rest;
        } else if rest.starts_with("//") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if rest.starts_with("/*") {
            rest = behind_block_comment(rest);
        } else {
            return rest;
        }
    }
}

/// What comes after the comment that the text begins with. There may be others in it.
fn behind_block_comment(text: &str) -> &str {
    let (mut depth, mut place) = (0_usize, 0);
    while place < text.len() {
        let rest = &text.as_bytes()[place..];
        if rest.starts_with(b"/*") {
            (depth, place) = (depth + 1, place + 2);
        } else if rest.starts_with(b"*/") {
            (depth, place) = (depth - 1, place + 2);
            if depth == 0 {
                return &text[place..];
            }
        } else {
            place += 1;
        }
    }
    ""
}

/// What the compiler takes for a blank.
fn is_blank(c: char) -> bool {
    matches!(c, '\t'..='\r' | ' ' | '\u{85}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
}
