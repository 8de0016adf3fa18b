//! What a crate's macros put together: paths, attributes and imports that stand nowhere as they will be.
//!
//! A path's `::` either stands in a macro's text, beside what the macro was given, or was given itself: as a token (`tt`), or at an end
//! of what was. The same goes for a macro's `!` and an attribute's `#`. Where none of that is seen, all stands as it will be.

use std::collections::BTreeMap;
use std::path::PathBuf;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;

use crate::judging::inspect::tokens::{self, Named, are_marks, is_mark};

/// Crates that a path may begin with behind `::`, as far as no rule is about others.
const CRATES: [&str; 3] = ["std", "core", "alloc"];

/// What the macros of a crate may put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Made {
    /// Paths, of words that they are given. So a word of theirs may be the last of any path.
    pub(super) paths: bool,
    /// Names of macros to be called.
    pub(super) macros: bool,
    /// Attributes.
    pub(super) attributes: bool,
    /// Imports, so that the first name of a path in any module may stand for anything.
    pub(super) imports: bool,
    /// Imports that are not known, so that any name may stand for anything.
    pub(super) names: bool,
}

impl Made {
    /// What the macros in these files may put together.
    pub(super) fn of(files: &BTreeMap<PathBuf, syn::File>) -> Made {
        let mut reader = Reader::default();
        files.values().for_each(|file| reader.visit_file(file));
        let Reader { mut made, takes_tokens, has_import_word } = reader;
        made.paths |= takes_tokens;
        made.macros |= takes_tokens;
        if takes_tokens && has_import_word {
            (made.imports, made.names) = (true, true);
        }
        made
    }
}

#[derive(Default)]
struct Reader {
    made: Made,
    /// Whether a macro may be given single tokens, `::` among them.
    takes_tokens: bool,
    has_import_word: bool,
}

impl<'tree> Visit<'tree> for Reader {
    fn visit_attribute(&mut self, _: &'tree syn::Attribute) {}

    fn visit_token_stream(&mut self, tokens: &'tree TokenStream) {
        for named in tokens::named(tokens.clone()) {
            if let Named::Import(_, _, name) = named {
                self.made.imports = true;
                self.made.names |= name.is_none();
            }
        }
        self.read(tokens.clone(), false, false);
    }
}

impl Reader {
    /// Reads the tokens, or those of a repetition, `$( … )*`, or of an import.
    fn read(&mut self, tokens: TokenStream, is_repeated: bool, is_import: bool) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut is_import = is_import;
        for (place, tree) in trees.iter().enumerate() {
            let (before, next) = trees.split_at(place);
            match tree {
                TokenTree::Ident(word) => {
                    self.takes_tokens |= word == "tt";
                    let begins_import = word == "use" || word == "extern";
                    self.has_import_word |= begins_import;
                    is_import |= begins_import;
                }
                TokenTree::Punct(mark) if mark.as_char() == ';' => is_import = false,
                TokenTree::Punct(mark) if mark.as_char() == '$' && is_import => {
                    let is_crate = matches!(next.get(1), Some(TokenTree::Ident(name)) if name == "crate");
                    self.made.imports |= !is_crate;
                    self.made.names |= !is_crate;
                }
                TokenTree::Punct(_) if are_marks(&trees, place, [':', ':']) => {
                    self.made.paths |= !begins_well(before, &next[2..]) || !goes_on_well(&next[2..]);
                }
                TokenTree::Punct(mark) if mark.as_char() == '!' && !are_marks(&trees, place, ['!', '=']) => {
                    let calls = matches!(next.get(1), Some(TokenTree::Group(_)));
                    self.made.macros |= ends_with_variable(before) || before.is_empty() && is_repeated && calls;
                }
                TokenTree::Punct(mark) if mark.as_char() == '#' => {
                    self.made.attributes |= !is_plain_attribute(&next[1..]);
                }
                TokenTree::Group(group) => {
                    self.read(group.stream(), before.last().is_some_and(|last| is_mark(last, '$')), is_import);
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
}

/// Whether what stands before and behind a `::` says how the path begins.
fn begins_well(before: &[TokenTree], next: &[TokenTree]) -> bool {
    match before.last() {
        _ if ends_with_variable(before) => false,
        // `Vec::<u8>::new`
        Some(TokenTree::Ident(_)) => true,
        Some(last) if is_mark(last, '>') => true,
        _ => matches!(next.first(), Some(TokenTree::Ident(name)) if CRATES.iter().any(|known| name == known)),
    }
}

/// Whether what stands behind a `::` says how the path goes on.
fn goes_on_well(next: &[TokenTree]) -> bool {
    match next.first() {
        Some(TokenTree::Ident(_) | TokenTree::Group(_)) => true,
        Some(next) => is_mark(next, '<') || is_mark(next, '*'),
        None => false,
    }
}

/// Whether the last token is a variable of a macro or ends a repetition.
fn ends_with_variable(before: &[TokenTree]) -> bool {
    match before {
        [.., mark, TokenTree::Ident(name)] => is_mark(mark, '$') && name != "crate",
        [.., mark, TokenTree::Group(_)] => is_mark(mark, '$'),
        // Between a repetition and its mark may be what stands between its parts, a mark of three characters at most.
        [rest @ .., last] if ['*', '+', '?'].iter().any(|mark| is_mark(last, *mark)) => {
            let near = &rest[rest.len().saturating_sub(5)..];
            near.windows(2).any(|two| is_mark(&two[0], '$') && matches!(two[1], TokenTree::Group(_)))
        }
        _ => false,
    }
}

/// Whether these tokens behind a `#` are an attribute that says its name.
fn is_plain_attribute(next: &[TokenTree]) -> bool {
    let next = if next.first().is_some_and(|first| is_mark(first, '!')) { &next[1..] } else { next };
    match next.first() {
        Some(TokenTree::Group(group)) => !group.stream().into_iter().next().is_none_or(|first| is_mark(&first, '$')),
        _ => false,
    }
}
