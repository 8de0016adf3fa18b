//! What some tests of a kata need of its test files. Most of a compiler's time would go into the rest.

use std::collections::BTreeSet;
use std::ops::Range;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::{Ident, Item, TraitItem, Type, UseTree};

use crate::subject::sources::Files;

type Words = BTreeSet<String>;

/// The test files with the wanted tests, and with what these name, directly or not. The rest is blank: all lines and columns keep their
/// numbers. A name counts wherever it is, since to keep too much costs a moment and nothing else. So files that can't be read stay whole.
pub fn needed(files: &Files, wants: impl Fn(&str) -> bool) -> Files {
    let read: Option<Vec<Vec<Part>>> = files.values().map(|text| parts(text)).collect();
    let Some(parts) = read else { return files.clone() };
    if parts.iter().flatten().filter(|part| part.role == Role::Test).all(|part| part.names.iter().all(|it| wants(it))) {
        return files.clone();
    }
    let given = parts.iter().flatten().filter(|part| matches!(part.role, Role::Test | Role::Named));
    let own: Words = given.flat_map(|part| part.names.iter().cloned()).collect();
    let mut named = Words::new();
    let mut left: Vec<&Part> = parts.iter().flatten().collect();
    loop {
        let (needed, others): (Vec<_>, Vec<_>) = left.iter().partition(|part| part.is_needed(&own, &named, &wants));
        left = others;
        if needed.is_empty() {
            break;
        }
        named.extend(needed.into_iter().flat_map(|part| part.words.iter().cloned()));
    }
    let is_left = |part: &Part| left.iter().any(|other| std::ptr::eq(*other, part));
    let made = files.iter().zip(&parts).map(|((name, text), parts)| {
        let mut text = text.clone();
        for part in parts {
            match &part.role {
                _ if is_left(part) => blank(&mut text, part.place.clone()),
                Role::Use(imports) => {
                    for (_, place) in imports.iter().filter(|(name, _)| !is_there(name, &own, &named)) {
                        let comma = usize::from(text[place.end..].starts_with(','));
                        blank(&mut text, place.start..place.end + comma);
                    }
                }
                Role::Test | Role::Named | Role::Impl | Role::Always => {}
            }
        }
        (name.clone(), text)
    });
    made.collect()
}

/// An item of a test file.
struct Part {
    role: Role,
    /// By which names others can mean it; of an `impl`, which ones it is for.
    names: Vec<String>,
    /// All words in it.
    words: Words,
    /// Where it is.
    place: Range<usize>,
}

/// When an item is needed.
#[derive(PartialEq, Eq)]
enum Role {
    /// If it is wanted.
    Test,
    /// If one of its names is named.
    Named,
    /// If each of the names that the files give to something is named.
    Impl,
    /// As long as something is left of what it imports, each with its place.
    Use(Vec<(String, Range<usize>)>),
    /// Always.
    Always,
}

impl Part {
    fn is_needed(&self, own: &Words, named: &Words, wants: impl Fn(&str) -> bool) -> bool {
        let mut names = self.names.iter();
        match &self.role {
            Role::Test => names.any(|name| wants(name) || named.contains(name)),
            Role::Named => names.any(|name| named.contains(name)),
            Role::Impl => names.all(|name| is_there(name, own, named)),
            Role::Use(imports) => imports.iter().any(|(name, _)| is_there(name, own, named)),
            Role::Always => true,
        }
    }
}

/// Whether it is not the name of something in these files that nobody names.
fn is_there(name: &str, own: &Words, named: &Words) -> bool {
    named.contains(name) || !own.contains(name)
}

/// The items of a file, if it can be read.
fn parts(text: &str) -> Option<Vec<Part>> {
    let file = syn::parse_file(text).ok()?;
    file.items.iter().map(|item| part(text, item)).collect()
}

fn part(text: &str, item: &Item) -> Option<Part> {
    let place = item.span().byte_range();
    let tokens: TokenStream = text.get(place.clone())?.parse().ok()?;
    let mut words = Words::new();
    collect(tokens, &mut words);
    let name = |name: &Ident| vec![name.to_string()];
    let (role, names) = match item {
        Item::Fn(one) if one.attrs.iter().any(|mark| mark.path().is_ident("test")) => {
            (Role::Test, name(&one.sig.ident))
        }
        // Never called: it compiles with the right types only.
        Item::Fn(one) if one.sig.ident.to_string().starts_with('_') => (Role::Always, Vec::new()),
        Item::Fn(one) => (Role::Named, name(&one.sig.ident)),
        Item::Struct(one) => (Role::Named, name(&one.ident)),
        Item::Enum(one) => (Role::Named, name(&one.ident)),
        Item::Type(one) => (Role::Named, name(&one.ident)),
        Item::Const(one) if one.ident != "_" => (Role::Named, name(&one.ident)),
        Item::Static(one) => (Role::Named, name(&one.ident)),
        Item::Macro(one) if one.ident.is_some() => (Role::Named, one.ident.iter().map(Ident::to_string).collect()),
        // Who calls its methods need not name it.
        Item::Trait(one) => {
            let methods = one.items.iter().filter_map(|item| match item {
                TraitItem::Fn(method) => Some(method.sig.ident.to_string()),
                _ => None,
            });
            (Role::Named, methods.chain([one.ident.to_string()]).collect())
        }
        Item::Impl(one) => {
            let of = one.trait_.iter().filter_map(|(path, _)| path.segments.last());
            let who = match &*one.self_ty {
                Type::Path(path) => path.path.segments.last(),
                _ => None,
            };
            (Role::Impl, of.chain(who).map(|segment| segment.ident.to_string()).collect())
        }
        Item::Use(one) => {
            let mut imports = Vec::new();
            leaves(&one.tree, &mut imports);
            // What is imported is not yet used.
            words.clear();
            (Role::Use(imports), Vec::new())
        }
        _ => (Role::Always, Vec::new()),
    };
    Some(Part { role, names, words, place })
}

/// The words in the tokens, also in texts, since these can name what they print; but not in what explains an item.
fn collect(tokens: TokenStream, words: &mut Words) {
    let mut is_mark = false;
    for token in tokens {
        let mark = matches!(&token, TokenTree::Punct(sign) if sign.as_char() == '#');
        match token {
            TokenTree::Group(group)
                if is_mark && group.delimiter() == Delimiter::Bracket && explains(&group.stream()) => {}
            TokenTree::Group(group) => collect(group.stream(), words),
            TokenTree::Ident(word) => drop(words.insert(word.to_string().trim_start_matches("r#").to_string())),
            TokenTree::Literal(literal) => {
                let literal = literal.to_string();
                let of_text = literal.split(|sign: char| !sign.is_alphanumeric() && sign != '_');
                words.extend(of_text.filter(|word| !word.is_empty()).map(str::to_string));
            }
            TokenTree::Punct(_) => {}
        }
        is_mark = mark;
    }
}

fn explains(attribute: &TokenStream) -> bool {
    matches!(attribute.clone().into_iter().next(), Some(TokenTree::Ident(word)) if word == "doc")
}

/// What is imported, by its names in this file; a glob has none that could be missing.
fn leaves(tree: &UseTree, found: &mut Vec<(String, Range<usize>)>) {
    match tree {
        UseTree::Path(path) => leaves(&path.tree, found),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, found)),
        UseTree::Name(name) => found.push((name.ident.to_string(), tree.span().byte_range())),
        UseTree::Rename(rename) => found.push((rename.ident.to_string(), tree.span().byte_range())),
        UseTree::Glob(_) => found.push(("*".to_string(), tree.span().byte_range())),
    }
}

/// Puts spaces in the place of what is there, and leaves the ends of lines.
fn blank(text: &mut String, place: Range<usize>) {
    let spaces: String = text[place.clone()]
        .chars()
        .map(|sign| if sign == '\n' { "\n".to_string() } else { " ".repeat(sign.len_utf8()) })
        .collect();
    text.replace_range(place, &spaces);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(texts: &[(&str, &str)]) -> Files {
        texts.iter().map(|(name, text)| (name.into(), (*text).to_string())).collect()
    }

    #[test]
    fn a_test_is_there_with_what_it_names_and_the_rest_is_blank() {
        let main = "\
use std::fmt;
use a::{B, Cup};

mod contract;
use contract::{Case, cases, other_cases};

/// Never called.
fn _signatures() {}

/// As many as `other` needs.
#[test]
#[ignore = \"ä\"]
fn one() {
    for_each(\"{LIMIT}\");
}

const LIMIT: u8 = 1; // of one

#[test]
fn other() {
    for_all(other_cases(), Cup);
}

fn for_each(text: &str) {
    cases(text).all(|case| case.is_kept());
}

fn for_all() {}
";
        let contract = "\
struct Case;
impl fmt::Display for Case { fn fmt() {} }
trait Kept { fn is_kept(); }
impl Kept for Case { fn is_kept() { deep(); } }
fn cases() -> Case {}
fn deep() {}
fn other_cases() { Other; }
struct Other;
impl fmt::Display for Other {}
impl Kept for Other {}
thread_local! { static OTHER: u8 = 1 }
";
        let whole = files(&[("lock.rs", main), ("lock/contract.rs", contract)]);
        assert_eq!(needed(&whole, |_| true), whole);
        let one = needed(&whole, |test| test == "one");
        let left = |name: &str| one[std::path::Path::new(name)].clone();
        for (name, text) in [("lock.rs", main), ("lock/contract.rs", contract)] {
            let lines = |text: &str| text.lines().map(str::len).collect::<Vec<_>>();
            assert_eq!(lines(&left(name)), lines(text), "no place changes");
        }
        let gone = ["fn other()", "fn for_all", "other_cases", "struct Other", "for Other"];
        let kept = [
            "_signatures",
            "fn one()",
            "#[ignore",
            "LIMIT",
            "fn for_each",
            "use contract::{Case, cases,",
            "a::{B, Cup}",
        ];
        let both = left("lock.rs") + &left("lock/contract.rs");
        assert!(gone.iter().all(|text| !both.contains(text)), "{both}");
        assert!(kept.iter().all(|text| both.contains(text)), "{both}");
        for text in contract.lines().filter(|line| !line.to_lowercase().contains("other") || line.contains("OTHER")) {
            assert!(both.contains(text), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_stays_whole() {
        let whole = files(&[("lock.rs", "#[test]\nfn one() {}"), ("lock/contract.rs", "fn (")]);
        assert_eq!(needed(&whole, |_| false), whole);
    }
}
