//! The rules: what no line of a submission may hold.
//!
//! A rule names a path (`std::sync::Barrier`) or a single name (`sleep`). Imports are followed, so an alias does not help:
//! `use std::process as p; p::exit(0)` is `std::process::exit`. Macro arguments are read token by token.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};

use crate::judging::inspect::made::Made;
use crate::judging::inspect::names::{Names, Namespace, possible};
use crate::judging::inspect::plain;
use crate::judging::inspect::tokens::{self, Named};
use crate::subject::catalog::Rules;

/// Paths that no submission may use, with the reason.
const PATHS: [(&str, &str); 12] = [
    ("std::process::exit", "it would end the test before its verdict"),
    ("std::process::abort", "it would end the test before its verdict"),
    ("std::intrinsics", "it goes behind the compiler's back"),
    ("std::panic::set_hook", "the tests listen to panics there"),
    ("std::panic::take_hook", "the tests listen to panics there"),
    ("std::panic::update_hook", "the tests listen to panics there"),
    ("std::any::type_name", "it would name the test that runs"),
    ("std::any::type_name_of_val", "it would name the test that runs"),
    ("std::backtrace", "it would name the test that runs"),
    ("std::panic::Location", "it would name the test that runs"),
    ("std::explored", "it belongs to the tests"),
    ("kata", "it belongs to the tests"),
];

/// Macros that no submission may use, with the reason.
const MACROS: [(&str, &str); 7] = [
    ("include", "it reads other files while compiling"),
    ("include_str", "it reads other files while compiling"),
    ("include_bytes", "it reads other files while compiling"),
    ("env", "it reads the environment while compiling"),
    ("option_env", "it reads the environment while compiling"),
    ("asm", "it is unsafe"),
    ("global_asm", "it is unsafe"),
];

/// Attributes that no submission may use, with the reason.
const ATTRIBUTES: [(&str, &str); 9] = [
    ("path", "it compiles other files"),
    ("no_mangle", "it is unsafe"),
    ("export_name", "it is unsafe"),
    ("link_section", "it is unsafe"),
    ("link", "it is unsafe"),
    ("feature", "only stable Rust is used here"),
    ("recursion_limit", "it lets the compiler run on"),
    ("type_length_limit", "it lets the compiler run on"),
    ("global_allocator", "it replaces what the tests rely on"),
];

/// What does the same as something else, or nearly: a rule on the first covers the other.
const TWINS: [(&str, &str); 4] =
    [("sleep", "sleep_ms"), ("park", "park_timeout"), ("park", "park_timeout_ms"), ("park_timeout", "park_timeout_ms")];

/// So many steps from alias to alias are followed.
const MOST_ALIASES: usize = 8;
/// So many meanings of one path are looked at, and so many of all paths of a file. The repository's own answers need a twentieth of it.
const MOST_MEANINGS: usize = 1_000;
const MOST_MEANINGS_IN_ALL: usize = 200_000;

/// The modules of a stub that have unsafe code: who keeps them as they are has written none.
pub(super) fn unsafe_modules(stub: &str) -> Vec<String> {
    let tokens: TokenStream = stub.parse().unwrap_or_default();
    modules(&tokens).map(|(_, body)| body).filter(|body| body.contains("unsafe")).collect()
}

/// Whether this module's body is at the top of a file.
pub(super) fn has_module(tokens: &TokenStream, body: &str) -> bool {
    modules(tokens).any(|(_, found)| found == body)
}

/// Lines of a file in which it gives a crate a name, and which name; none if a macro does, by a name that it is given.
///
/// A crate named in the root of another takes the place of one that was given to the compiler, in all modules. Nothing else there does: a
/// module or an import of that name is in the way of the root's own paths alone.
pub(super) fn named_crates(tokens: TokenStream) -> Vec<(u32, Option<String>)> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    for (place, tree) in trees.iter().enumerate() {
        match (tree, &trees[place + 1..]) {
            (TokenTree::Group(group), _) => found.extend(named_crates(group.stream())),
            (TokenTree::Ident(word), [TokenTree::Ident(next), item @ ..]) if word == "extern" && next == "crate" => {
                let name = match item {
                    [TokenTree::Ident(_), TokenTree::Ident(r#as), TokenTree::Ident(name), ..] if r#as == "as" => {
                        Some(plain(name))
                    }
                    [TokenTree::Ident(_), TokenTree::Ident(r#as), ..] if r#as == "as" => None,
                    // By its own name, it is what it was.
                    [TokenTree::Ident(_), ..] => continue,
                    _ => None,
                };
                found.push((word.span().start().line as u32, name));
            }
            _ => {}
        }
    }
    found
}

/// The modules at the top of a file: where each body stands among the tokens, and its text, with spaces as the parser has them.
fn modules(tokens: &TokenStream) -> impl Iterator<Item = (usize, String)> {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let bodies = trees.windows(3).enumerate().filter_map(|(place, trees)| match trees {
        [TokenTree::Ident(word), TokenTree::Ident(_), TokenTree::Group(body)] if word == "mod" => {
            Some((place + 2, body.stream().to_string()))
        }
        _ => None,
    });
    bodies.collect::<Vec<_>>().into_iter()
}

/// Paths and names that a submission to this kata may not use, with the reason.
pub(super) fn forbidden(rules: &Rules) -> Vec<(String, String)> {
    let always = PATHS.iter().map(|(path, why)| (path.to_string(), why.to_string()));
    let here = rules.forbid.iter().flat_map(|path| [path.clone()].into_iter().chain(twins(path)));
    let here = here.map(|path| (path, "this kata is about doing without it".to_string()));
    always.chain(here).collect()
}

/// What else does what this path's function does, in the same module.
fn twins(path: &str) -> impl Iterator<Item = String> {
    let (module, name) = path.rfind("::").map_or(("", path), |colons| path.split_at(colons + 2));
    TWINS.iter().filter(move |(first, _)| *first == name).map(move |(_, twin)| format!("{module}{twin}"))
}

/// Lines and objections to one of the crate's files, in order, each once. The modules are those that may stand as they were `given`,
/// unsafe code and all.
pub(super) fn objections(
    (file, tokens, tree): (&Path, TokenStream, &syn::File),
    names: &Names<'_>,
    made: Made,
    forbidden: &[(String, String)],
    given: &[String],
) -> Vec<(u32, String)> {
    let module = place_of(file);
    let imports = Imports::default();
    let mut inspector =
        Inspector { forbidden, names, made, module, imports, looked_at: 0, is_lost: false, found: Vec::new() };
    inspector.imports.visit_file(tree);
    inspector.visit_file(tree);
    let own: Vec<usize> = modules(&tokens).filter(|(_, body)| given.contains(body)).map(|(place, _)| place).collect();
    let rest = tokens.into_iter().enumerate().filter(|(place, _)| !own.contains(place)).map(|(_, token)| token);
    inspector.check_keywords(rest.collect());
    inspector.found.sort();
    inspector.found.dedup();
    inspector.found
}

/// What names stand for: `p` for `std::process` after `use std::process as p`. Imports of all scopes are taken together, so a name may
/// stand for several things.
#[derive(Default)]
struct Imports {
    names: BTreeMap<String, BTreeSet<String>>,
    globs: Vec<Glob>,
    /// The items of the scope that is read now.
    scope: Items,
}

/// `use std::sync::*`
struct Glob {
    prefix: String,
    /// What its scope has of its own: to the compiler, that comes before what it brings in.
    own: Items,
}

/// The names of a scope's items. What may not be there counts as not there.
#[derive(Clone, Default)]
struct Items {
    types: BTreeSet<String>,
    values: BTreeSet<String>,
}

impl Items {
    fn of<'tree>(items: impl Iterator<Item = &'tree syn::Item>) -> Items {
        let mut own = Items::default();
        for item in items {
            let (name, names, attributes) = match item {
                syn::Item::Struct(item) => (&item.ident, &mut own.types, &item.attrs),
                syn::Item::Enum(item) => (&item.ident, &mut own.types, &item.attrs),
                syn::Item::Trait(item) => (&item.ident, &mut own.types, &item.attrs),
                syn::Item::Type(item) => (&item.ident, &mut own.types, &item.attrs),
                syn::Item::Mod(item) => (&item.ident, &mut own.types, &item.attrs),
                syn::Item::Fn(item) => (&item.sig.ident, &mut own.values, &item.attrs),
                _ => continue,
            };
            let is_there = !attributes.iter().any(|one| one.path().is_ident("cfg") || one.path().is_ident("cfg_attr"));
            names.extend(is_there.then(|| plain(name)));
        }
        own
    }

    /// Whether a path begins with one of them. Forbidden types are told from forbidden functions by their first letter.
    fn have(&self, path: &str) -> bool {
        let (first, is_alone) = path.split_once("::").map_or((path, true), |(first, _)| (first, false));
        let is_function = is_alone && first.starts_with(char::is_lowercase);
        if is_function { self.values.contains(first) } else { self.types.contains(first) }
    }
}

impl Imports {
    fn add_name(&mut self, name: String, full: String) {
        self.names.entry(name).or_default().insert(full);
    }

    /// Reads what is in a scope with these items of its own.
    fn within(&mut self, own: Items, read: impl FnOnce(&mut Imports)) {
        let outer = std::mem::replace(&mut self.scope, own);
        read(self);
        self.scope = outer;
    }

    fn add(&mut self, prefix: &str, tree: &syn::UseTree) {
        let join =
            |name: &syn::Ident| if prefix.is_empty() { plain(name) } else { format!("{prefix}::{}", plain(name)) };
        match tree {
            syn::UseTree::Path(path) => self.add(&join(&path.ident), &path.tree),
            syn::UseTree::Name(name) if name.ident == "self" => {
                let last = prefix.rsplit("::").next().unwrap_or(prefix);
                self.add_name(last.to_string(), prefix.to_string());
            }
            syn::UseTree::Name(name) => {
                self.add_name(plain(&name.ident), join(&name.ident));
            }
            syn::UseTree::Rename(rename) => {
                let full = if rename.ident == "self" { prefix.to_string() } else { join(&rename.ident) };
                self.add_name(plain(&rename.rename), full);
            }
            syn::UseTree::Glob(_) => self.globs.push(Glob { prefix: prefix.to_string(), own: self.scope.clone() }),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.add(prefix, item)),
        }
    }

    /// What a path stands for if it begins with an alias.
    fn follow<'a>(&'a self, path: &'a str) -> impl Iterator<Item = String> + 'a {
        let (first, rest) = path.split_once("::").map_or((path, None), |(first, rest)| (first, Some(rest)));
        let meant = self.names.get(first).into_iter().flatten();
        // `use a::a` would go deeper with each step.
        let others = meant.filter(move |full| full.split("::").next() != Some(first));
        others.map(move |full| rest.map_or_else(|| full.clone(), |rest| format!("{full}::{rest}")))
    }

    /// Every full path that a written path may stand for; nothing if there are too many.
    fn expand(&self, written: &str) -> Option<Vec<String>> {
        let mut all = BTreeSet::from([written.trim_start_matches("::").to_string()]);
        let mut last = all.clone();
        // An alias of an alias is followed, but a name that stands for itself is not followed for ever.
        for _ in 0..MOST_ALIASES {
            last = last.iter().flat_map(|path| self.follow(path)).filter(|path| !all.contains(path)).collect();
            all.extend(last.iter().cloned());
            if last.is_empty() || all.len() > MOST_MEANINGS {
                break;
            }
        }
        if all.len() * (1 + self.globs.len()) > MOST_MEANINGS {
            return None;
        }
        let brought = |path: &String| {
            let globs = self.globs.iter().filter(|glob| !glob.own.have(path));
            globs.map(|glob| format!("{}::{path}", glob.prefix)).collect::<Vec<_>>()
        };
        let brought: Vec<String> = all.iter().flat_map(brought).collect();
        Some(all.into_iter().chain(brought).collect())
    }
}

impl<'tree> Visit<'tree> for Imports {
    /// Macros, and what the syntax tree leaves as tokens.
    fn visit_token_stream(&mut self, tokens: &'tree TokenStream) {
        for named in tokens::named(tokens.clone()) {
            match named {
                Named::Import(_, path, Some(name)) => self.add_name(name, path.trim_start_matches("::").to_string()),
                // Nobody knows what is beside it where it ends up.
                Named::Import(_, path, None) => {
                    let prefix = path.trim_start_matches("::").to_string();
                    self.globs.push(Glob { prefix, own: Items::default() });
                }
                Named::Path(..) | Named::Macro(..) | Named::Attribute(..) | Named::TooLong(_) => {}
            }
        }
    }

    fn visit_item_use(&mut self, item: &'tree syn::ItemUse) {
        self.add("", &item.tree);
    }

    fn visit_item_extern_crate(&mut self, item: &'tree syn::ItemExternCrate) {
        let name = item.rename.as_ref().map_or(&item.ident, |(_, alias)| alias);
        // It is this crate wherever that is written, and no module.
        let full = if item.ident == "self" { "crate".to_string() } else { plain(&item.ident) };
        self.add_name(plain(name), full);
    }

    fn visit_file(&mut self, file: &'tree syn::File) {
        self.within(Items::of(file.items.iter()), |imports| visit::visit_file(imports, file));
    }

    fn visit_item_mod(&mut self, module: &'tree syn::ItemMod) {
        let items = module.content.iter().flat_map(|(_, items)| items);
        self.within(Items::of(items), |imports| visit::visit_item_mod(imports, module));
    }

    fn visit_block(&mut self, block: &'tree syn::Block) {
        let items = block.stmts.iter().filter_map(|statement| match statement {
            syn::Stmt::Item(item) => Some(item),
            _ => None,
        });
        self.within(Items::of(items), |imports| visit::visit_block(imports, block));
    }
}

struct Inspector<'rules> {
    forbidden: &'rules [(String, String)],
    names: &'rules Names<'rules>,
    made: Made,
    /// The place of the module that is read now.
    module: String,
    imports: Imports,
    /// How many meanings of paths were looked at, and whether those of one were too many.
    looked_at: usize,
    is_lost: bool,
    found: Vec<(u32, String)>,
}

impl Inspector<'_> {
    fn object(&mut self, span: Span, what: &str, why: &str) {
        self.found.push((span.start().line as u32, format!("{what} is not allowed here: {why}")));
    }

    /// Keywords that no submission may use, wherever they stand. `extern crate` only names a crate, as `use` does.
    fn check_keywords(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            let names_a_crate = matches!(tokens.peek(), Some(TokenTree::Ident(next)) if next == "crate");
            match token {
                TokenTree::Ident(word) if word == "unsafe" || word == "extern" && !names_a_crate => {
                    self.object(word.span(), &format!("`{word}`"), "this kata does without it");
                }
                TokenTree::Group(group) => self.check_keywords(group.stream()),
                _ => {}
            }
        }
    }

    /// What a path may stand for; nothing, and an objection, if it is too much to look at.
    fn meanings(&mut self, span: Span, written: &str) -> Vec<String> {
        let found = if self.looked_at > MOST_MEANINGS_IN_ALL { None } else { self.imports.expand(written) };
        self.looked_at += found.as_ref().map_or(0, Vec::len);
        if found.is_none() && !std::mem::replace(&mut self.is_lost, true) {
            self.object(span, "a name that may mean so many things", "nobody could follow it");
        }
        found.unwrap_or_default()
    }

    fn check_path(&mut self, span: Span, written: &str) {
        let mut all = self.meanings(span, written);
        let meant: Vec<String> = all.iter().flat_map(|path| self.resolve(path)).collect();
        all.extend(meant);
        for full in all {
            // The core library's spelling of a path is the same thing.
            let full = full.replacen("core::", "std::", usize::from(full.starts_with("core::")));
            let hit = self.forbidden.iter().find(|(rule, _)| {
                let name_only = !rule.contains("::");
                full == *rule
                    || full.starts_with(&format!("{rule}::"))
                    || name_only && full.rsplit("::").next() == Some(rule) && rule != "kata"
            });
            if let Some((rule, why)) = hit {
                let (rule, why) = (rule.clone(), why.clone());
                self.object(span, &format!("`{rule}`"), &why);
                return;
            }
        }
        if self.made.imports {
            let known = usize::from(!self.made.names);
            written.split("::").skip(known).for_each(|word| self.check_word(span, word));
        }
    }

    /// Objects to a word that would be the last of a forbidden path. One's own crate can't be told from a word: `kata` is free.
    fn check_word(&mut self, span: Span, word: &str) {
        let hit = self.forbidden.iter().find(|(rule, _)| rule != "kata" && rule.rsplit("::").next() == Some(word));
        if let Some((rule, why)) = hit.cloned() {
            self.object(span, &format!("`{rule}`"), &why);
        }
    }

    /// Looks at each word of a macro, where macros put together what they are given.
    fn check_words(&mut self, tokens: TokenStream) {
        for word in tokens::words(tokens) {
            let (span, name) = (word.span(), plain(&word));
            if self.made.paths {
                self.check_word(span, &name);
            }
            if self.made.macros || self.made.names {
                self.check_macro(span, &name);
            }
            if self.made.attributes {
                self.check_attribute(span, &[name]);
            }
        }
    }

    /// What a path means that goes through the crate's modules: they may pass on what they import.
    fn resolve(&self, path: &str) -> Vec<String> {
        if !self.names.has_modules() && !["crate::", "self::"].iter().any(|begin| path.starts_with(begin)) {
            return Vec::new();
        }
        let parts: Vec<String> = path.split("::").map(str::to_string).collect();
        let is_type = parts.last().is_some_and(|last| last.starts_with(char::is_uppercase));
        let namespace = if is_type { Namespace::Type } else { Namespace::Value };
        let meant = self.names.resolve(&self.module, &parts, namespace);
        meant.iter().flat_map(|meant| possible(meant)).map(str::to_string).collect()
    }

    fn check_macro(&mut self, span: Span, written: &str) {
        let mut meant = self.meanings(span, written);
        // Any part of the path may be what a module passes on, or the last be an import of this file's.
        meant.extend(self.meanings(span, written.rsplit("::").next().unwrap_or(written)));
        let passed_on: Vec<String> = meant.iter().flat_map(|path| self.resolve(path)).collect();
        meant.extend(passed_on);
        let is_meant = |forbidden: &str| meant.iter().any(|full| full.rsplit("::").next() == Some(forbidden));
        if let Some((name, why)) = MACROS.iter().find(|(forbidden, _)| is_meant(forbidden)) {
            self.object(span, &format!("`{name}!`"), why);
        }
    }

    fn check_attribute(&mut self, span: Span, names: &[String]) {
        if let Some((name, why)) = ATTRIBUTES.iter().find(|(forbidden, _)| names.iter().any(|name| name == forbidden)) {
            self.object(span, &format!("`#[{name}]`"), why);
        }
    }

    /// Reads tokens whose grammar is the macro's own.
    fn check_tokens(&mut self, tokens: TokenStream) {
        if self.made != Made::default() {
            self.check_words(tokens.clone());
        }
        for named in tokens::named(tokens) {
            match named {
                Named::Path(span, path) | Named::Import(span, path, Some(_)) => self.check_path(span, &path),
                // What it brings in is judged where it is used.
                Named::Import(_, _, None) => {}
                Named::Macro(span, name) => self.check_macro(span, &name),
                Named::Attribute(span, names) => self.check_attribute(span, &names),
                Named::TooLong(span) => self.object(span, "a path of so many parts", "nobody could follow it"),
            }
        }
    }
}

/// The place of the module that a file holds, by its path below `src/`.
fn place_of(file: &Path) -> String {
    let parts = file.with_extension("");
    let parts = parts.iter().map(|part| part.to_string_lossy());
    let named = parts.filter(|part| part != "mod" && part != "lib").map(|part| format!("::{part}"));
    format!("crate{}", named.collect::<String>())
}

impl<'tree> Visit<'tree> for Inspector<'_> {
    fn visit_item_mod(&mut self, module: &'tree syn::ItemMod) {
        let outer = self.module.clone();
        self.module = format!("{outer}::{}", plain(&module.ident));
        visit::visit_item_mod(self, module);
        self.module = outer;
    }

    fn visit_item_use(&mut self, item: &'tree syn::ItemUse) {
        // Each imported name is judged where it is written, used or not.
        let mut these = Imports::default();
        these.add("", &item.tree);
        for full in these.names.values().flatten() {
            self.check_path(item.use_token.span, full);
        }
    }

    fn visit_item_extern_crate(&mut self, item: &'tree syn::ItemExternCrate) {
        self.check_path(item.ident.span(), &plain(&item.ident));
    }

    fn visit_path(&mut self, path: &'tree syn::Path) {
        let written: Vec<String> = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
        if let Some(first) = path.segments.first() {
            self.check_path(first.ident.span(), &written.join("::"));
        }
        visit::visit_path(self, path);
    }

    fn visit_expr_method_call(&mut self, call: &'tree syn::ExprMethodCall) {
        self.check_path(call.method.span(), &plain(&call.method));
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, called: &'tree syn::Macro) {
        if let Some(last) = called.path.segments.last() {
            let written: Vec<String> = called.path.segments.iter().map(|segment| plain(&segment.ident)).collect();
            self.check_macro(last.ident.span(), &written.join("::"));
            let before = self.found.len();
            self.check_tokens(called.tokens.clone());
            // Tokens of a macro are reported at the macro's line.
            let line = last.ident.span().start().line as u32;
            self.found[before..].iter_mut().for_each(|(at, _)| *at = line);
        }
    }

    fn visit_attribute(&mut self, attribute: &'tree syn::Attribute) {
        let Some(name) = attribute.path().segments.last() else { return };
        let span = name.ident.span();
        let mut names = vec![plain(&name.ident)];
        if let syn::Meta::List(list) = &attribute.meta {
            let inner = list.tokens.to_string();
            if inner.contains("long_running_const_eval") {
                self.object(span, "`long_running_const_eval`", "it lets the compiler run on");
            }
            // `#[unsafe(no_mangle)]` and `#[cfg_attr(all(), path = "…")]` hold another attribute.
            names.extend(inner.replace("r#", "").split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_string));
        }
        // `#[doc = include_str!("…")]`
        if let syn::Meta::NameValue(pair) = &attribute.meta {
            self.visit_expr(&pair.value);
        }
        self.check_attribute(span, &names);
    }

    /// What the syntax tree leaves as tokens beside macros: `use {::std::fs};`, say.
    fn visit_token_stream(&mut self, tokens: &'tree TokenStream) {
        self.check_tokens(tokens.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::judging::inspect::names::STD;

    fn inspect_file(text: &str, rules: &Rules, given: &[String]) -> Vec<(u32, String)> {
        inspect_files(&[("lib.rs", text)], rules, given).into_iter().map(|(_, found)| found).collect()
    }

    fn inspect_files<'a>(files: &[(&'a str, &str)], rules: &Rules, given: &[String]) -> Vec<(&'a str, (u32, String))> {
        let trees = files.iter().map(|(file, text)| (PathBuf::from(file), syn::parse_file(text).unwrap())).collect();
        let (std, forbidden) = (syn::parse_file(STD).unwrap(), forbidden(rules));
        let names = Names::new(&trees, &std, forbidden.iter().map(|(path, _)| path.clone()).collect());
        let made = Made::of(&trees);
        let found = files.iter().flat_map(|&(file, text)| {
            let path = Path::new(file);
            let found = super::objections((path, text.parse().unwrap(), &trees[path]), &names, made, &forbidden, given);
            found.into_iter().map(move |one| (file, one))
        });
        found.collect()
    }

    /// The objections to a file, without their reasons, when `std::sync::Barrier` and `sleep` are forbidden too.
    fn objections(text: &str) -> Vec<String> {
        let rules = Rules { forbid: vec!["std::sync::Barrier".to_string(), "sleep".to_string()], allow_unsafe: false };
        let shorten =
            |(line, message): (u32, String)| format!("{line} {}", message.split(" is not").next().unwrap_or_default());
        inspect_file(text, &rules, &[]).into_iter().map(shorten).collect()
    }

    #[test]
    fn plain_code_is_fine() {
        assert!(
            objections(
                "use std::sync::Mutex;\n#[derive(Debug)]\nstruct A(Mutex<u8>);\nfn exit() { println!(\"{}\", 1) }"
            )
            .is_empty()
        );
        assert!(objections("extern crate alloc;\nextern crate std as standard;\nuse alloc::vec::Vec;").is_empty());
    }

    #[test]
    fn forbidden_paths_are_found_however_they_are_written() {
        assert_eq!(objections("fn f() { std::process::exit(0) }"), ["1 `std::process::exit`"]);
        assert_eq!(objections("use std::process;\nfn f() { process::exit(0) }"), ["2 `std::process::exit`"]);
        assert_eq!(objections("use std::process as p;\nfn f() {\np::abort() }"), ["3 `std::process::abort`"]);
        assert_eq!(objections("use std::process::exit as quit;"), ["1 `std::process::exit`"]);
        assert_eq!(objections("use std::process::*;\nfn f() { exit(0) }"), ["2 `std::process::exit`"]);
        assert_eq!(
            objections("use std::{process as a};\nuse a as b;\nfn f() { b::exit(0) }"),
            ["3 `std::process::exit`"]
        );
        assert_eq!(objections("extern crate std as s;\nfn f() { s::process::exit(0) }"), ["2 `std::process::exit`"]);
        assert_eq!(objections("extern crate kata as k;"), ["1 `kata`"]);
        assert_eq!(objections("fn f<T>() { core::any::type_name::<T>(); }"), ["1 `std::any::type_name`"]);
        assert_eq!(objections("use std::panic::Location;"), ["1 `std::panic::Location`"]);
        assert_eq!(objections("fn f() { std::backtrace::Backtrace::force_capture(); }"), ["1 `std::backtrace`"]);
        assert_eq!(objections("fn f() { dbg!(vec![std::process::exit(0)]) }"), ["1 `std::process::exit`"]);
        assert_eq!(objections("fn f() { std::process::r#exit(0) }"), ["1 `std::process::exit`"]);
        assert_eq!(objections("use std::sync::{Arc, Barrier};"), ["1 `std::sync::Barrier`"]);
        assert_eq!(
            objections("use std::{thread, time::Duration};\nfn f(d: Duration) { thread::sleep(d) }"),
            ["2 `sleep`"]
        );
    }

    #[test]
    fn what_a_scope_has_of_its_own_comes_before_what_it_imports_as_a_whole() {
        let own =
            "use std::sync::*;\npub struct Barrier { a: u8 }\nimpl Barrier { fn f() -> Barrier { Barrier { a: 1 } } }";
        assert_eq!(objections(own), [""; 0]);
        assert_eq!(objections(&format!("mod a {{\n{own}\n}}\nfn f() {{\n{own}\n}}")), [""; 0]);
        // Not in another scope, and not where it may be something else, or nothing.
        for other in ["mod a { struct Barrier; }\n", "#[cfg(any())]\nstruct Barrier;\n", "fn Barrier() {}\n"] {
            let line = 1 + other.lines().count();
            let found = objections(&format!("{other}use std::sync::*; fn f() -> Barrier {{}}"));
            assert_eq!(found, [format!("{line} `std::sync::Barrier`")], "{other}");
        }
        let other = "fn f() {\nstruct Barrier;\n}\nmod a { use std::sync::*;\nfn f() -> Barrier {} }";
        assert_eq!(objections(other), ["5 `std::sync::Barrier`"]);
        assert_eq!(objections("use std::process::*;\nmod exit {}\nfn f() { exit(0) }"), ["3 `std::process::exit`"]);
        assert_eq!(objections("use std::process::*;\nfn exit(_: u8) {}\nfn f() { exit(0) }"), [""; 0]);
    }

    #[test]
    fn what_a_module_passes_on_is_what_it_imports() {
        for text in [
            "mod a { pub use std::process::*; }\nfn f() { a::exit(0) }",
            "mod a { pub use std::process as p; }\nfn f() { self::a::p::exit(0) }",
            "mod a { pub use std::process as p; }\nuse a::*; fn f() { p::exit(0) }",
            "mod a { pub use std::process::*; }\nfn f() { use crate::a as b; b::exit(0) }",
            "mod a { pub use std::process::*; }\nmod b { mod c { fn f() { super::super::a::exit(0) } } }",
            "mod a { pub use std::process::*; }\nuse a::exit as quit;",
        ] {
            assert_eq!(objections(text), ["2 `std::process::exit`"], "{text}");
        }
        let files = [
            ("lib.rs", "mod a;\nmod b { pub mod c; }\nfn f() { a::exit(0) }"),
            ("a.rs", "pub use std::process::*;"),
            ("b/c.rs", "use crate::a::*;\nfn f() { exit(0) }"),
        ];
        let found = inspect_files(&files, &Rules::default(), &[]);
        let places: Vec<(&str, u32)> = found.into_iter().map(|(file, (line, _))| (file, line)).collect();
        assert_eq!(places, [("lib.rs", 3), ("b/c.rs", 2)]);
        // Of one's own, wherever else there is another.
        let own = "mod prelude { pub use std::sync::*; }\nmod a { pub struct Barrier { a: u8 } }\npub use a::Barrier;\nuse prelude::*;\nfn f() -> a::Barrier { a::Barrier { a: 1 } }";
        assert_eq!(objections(own), [""; 0]);
    }

    #[test]
    fn a_name_with_several_meanings_has_all_of_them() {
        let text = "mod a { use std::process as p;\nfn f() { p::exit(0) } }\nmod b { use std::path as p; }";
        assert_eq!(objections(text), ["2 `std::process::exit`"]);
    }

    #[test]
    fn names_that_stand_for_themselves_are_not_followed_for_ever() {
        let own = "mod a { pub fn a() {} }\nuse a::a;\nfn f() { a() }";
        assert_eq!(objections(own), [""; 0]);
        let mut imports = Imports::default();
        imports.visit_file(&syn::parse_file("use a::a;\nuse b::c;\nuse c::b;\nuse std::process as c;").unwrap());
        assert_eq!(imports.expand("a").unwrap(), ["a"]);
        let meant = imports.expand("b::exit").unwrap();
        assert!(meant.len() < 20 && meant.contains(&"std::process::b::exit".to_string()), "{meant:?}");
    }

    #[test]
    fn what_nobody_could_follow_is_told_at_once() {
        let imports = |one: fn(u32) -> String, many| (0..many).map(one).collect::<String>();
        let lost = |text: &str| {
            let found = objections(text);
            found.iter().any(|one| one.ends_with("a name that may mean so many things"))
        };
        let (globs, aliases) = (|n| format!("use a{n}::*;\n"), |n| format!("use b{n} as a;\n"));
        assert!(lost(&format!("{}fn f() {{ g() }}", imports(globs, 2_000))));
        assert!(lost(&format!("{}fn f() {{ a() }}", imports(aliases, 2_000))));
        let often = format!("fn f() {{ {} }}", "a();".repeat(1_000));
        assert!(lost(&format!("{}{often}", imports(aliases, 400))));
        let seldom = format!("fn f() {{ {} }}", "a();".repeat(5_000));
        assert!(!lost(&format!("{}{}{seldom}", imports(globs, 5), imports(aliases, 2))));
    }

    #[test]
    fn unsafe_code_is_found_everywhere() {
        assert_eq!(objections("fn f() { unsafe {} }"), ["1 `unsafe`"]);
        assert_eq!(objections("unsafe fn f() {}"), ["1 `unsafe`"]);
        assert_eq!(objections("struct A;\nunsafe impl Send for A {}"), ["2 `unsafe`"]);
        assert_eq!(objections("unsafe trait A {}"), ["1 `unsafe`"]);
        assert_eq!(objections("fn f() { println!(\"{}\", unsafe { 1 }) }"), ["1 `unsafe`"]);
        assert_eq!(objections("extern \"C\" { fn f(); }"), ["1 `extern`"]);
        assert_eq!(objections("extern \"C\" fn f() {}"), ["1 `extern`"]);
    }

    #[test]
    fn unsafe_code_that_was_given_is_left_alone_where_it_stands() {
        let given = ["fn f () { unsafe { } }".parse::<TokenStream>().unwrap().to_string()];
        let lines = |text: &str| -> Vec<u32> {
            inspect_file(text, &Rules::default(), &given).into_iter().map(|(line, _)| line).collect()
        };
        assert!(lines("mod memory {\n    fn f() { unsafe {} }\n}\nfn g() {}").is_empty());
        assert_eq!(lines("mod memory {\n    fn f() { unsafe {} }\n}\nfn g() {\nunsafe {} }"), [5], "one more");
        assert_eq!(lines("mod memory {\n    fn f() { unsafe { g() } }\n}"), [2], "another");
        assert_eq!(lines("mod a { mod memory { fn f() { unsafe {} } } }"), [1], "where names mean something else");
        assert_eq!(lines("fn memory() { fn f() { unsafe {} } }"), [1], "in another place");
    }

    #[test]
    fn macros_and_attributes_that_reach_outside_are_found() {
        assert_eq!(objections("const A: &str = include_str!(\"/etc/passwd\");"), ["1 `include_str!`"]);
        assert_eq!(objections("fn f() { println!(\"{}\", env!(\"HOME\")) }"), ["1 `env!`"]);
        assert_eq!(objections("compile_error!(include_str!(\"/proc/self/environ\"));"), ["1 `include_str!`"]);
        assert_eq!(objections("use std::env as variable;\nfn f() { variable!(\"HOME\"); }"), ["2 `env!`"]);
        assert_eq!(objections("#[doc = include_str!(\"/etc/passwd\")]\nfn f() {}"), ["1 `include_str!`"]);
        assert_eq!(objections("#[path = \"/etc/passwd\"]\nmod a;"), ["1 `#[path]`"]);
        assert_eq!(objections("#[r#path = \"/etc/passwd\"]\nmod a;"), ["1 `#[path]`"]);
        assert_eq!(objections("#[cfg_attr(all(), path = \"x\")]\nmod a;"), ["1 `#[path]`"]);
        assert_eq!(objections("#[unsafe(no_mangle)]\nfn f() {}"), ["1 `#[no_mangle]`", "1 `unsafe`"]);
        assert_eq!(objections("#![feature(test)]"), ["1 `#[feature]`"]);
        assert_eq!(objections("#![allow(long_running_const_eval)]"), ["1 `long_running_const_eval`"]);
    }

    #[test]
    fn an_import_in_braces_that_begins_outside_is_one_like_any_other() {
        assert_eq!(objections("use {::std::sync::{Barrier as B, Mutex}};"), ["1 `std::sync::Barrier`"]);
        assert_eq!(objections("use {::std::process as p};\nfn f() { p::exit(0) }"), ["2 `std::process::exit`"]);
        assert_eq!(objections("use {::std::process::*};\nfn f() { exit(0) }"), ["2 `std::process::exit`"]);
        assert_eq!(
            objections("fn f() {\nuse {{::std::process::{self as p}}, std::fs};\np::exit(0) }"),
            ["3 `std::process::exit`"]
        );
        let passed_on =
            "mod a { pub use {::std::process as p, self::b::c}; mod b { pub fn c() {} } }\nfn f() { a::p::exit(0) }";
        assert_eq!(objections(passed_on), ["2 `std::process::exit`"]);
        assert_eq!(objections("use {::std::sync::Mutex, ::std::fs};\nfn f() -> Mutex<u8> { g() }"), [""; 0]);
    }

    #[test]
    fn what_the_syntax_tree_leaves_as_tokens_is_read_as_tokens() {
        assert_eq!(objections("#[cfg(any())]\nfn f() -> [u8; std::process::exit(0)];"), ["2 `std::process::exit`"]);
    }

    #[test]
    fn a_group_in_a_path_of_tokens_goes_on_with_it() {
        for text in [
            "m! { use std::process::{exit, id}; }",
            "m! { use std::{process::exit}; }",
            "m! { use std::{fs, process::{id, exit as quit}}; }",
            "m! { use {::std::process::exit}; }",
            "m! { use std::process::exit as quit; }",
            "macro_rules! m { () => { use std::{process::{exit}}; } }",
            "macro_rules! m { () => { use std::process as p; } } m!(); fn f() { p::exit(0) }",
            "macro_rules! m { () => { use std::{process::{self as p}, fs}; } } m!(); fn f() { p::exit(0) }",
            "macro_rules! m { () => { use std::process::*; } } m!(); fn f() { exit(0) }",
            "macro_rules! m { () => { extern crate std as s; } } m!(); fn f() { s::process::exit(0) }",
            "fn f() { m!(::std::process::exit(0)) }",
        ] {
            assert_eq!(objections(text), ["1 `std::process::exit`"], "{text}");
        }
        assert_eq!(objections("m! { use std::{thread::{self, spawn}, sync::Mutex as M}; }"), [""; 0]);
        assert_eq!(objections("fn f() { m!(a as usize, x: Barrier, b: std::fs) }"), [""; 0]);
    }

    #[test]
    fn where_macros_make_up_paths_their_words_are_looked_at_one_by_one() {
        for text in [
            "macro_rules! m { ($a:ident) => { use std::sync::$a as Hidden; } }\nm!(Barrier);",
            "macro_rules! m { ($a:ident) => { std::$a::Barrier::new(1) } }",
            "macro_rules! m { ($($a:ident)*) => { $($a)::* } }\nm!(std sync Barrier);",
            "macro_rules! m { ($($a:ident),*) => { x $(::$a)* } }\nm!(sync, Barrier);",
            "macro_rules! m { ($a:ident) => { $a $(::sync::Barrier)? } }",
            "macro_rules! m { ($($t:tt)*) => { f!($($t)*) } }\nm!([std::sync] [Barrier]);",
            "m!(std::sync:: [Barrier]);",
            "m!([std] [::sync::Barrier]);",
        ] {
            let found = objections(text);
            assert!(found.iter().any(|one| one.ends_with(" `std::sync::Barrier`")), "{text}: {found:?}");
        }
        let called = "macro_rules! m { ($a:ident, $b:expr) => { $a!($b) } }\nm!(include_str, \"x\");";
        assert_eq!(objections(called), ["2 `include_str!`"]);
        let marked = "macro_rules! m { ($a:ident) => { #[$a = \"x\"] mod y; } }\nm!(path);";
        assert_eq!(objections(marked), ["2 `#[path]`"]);
        assert_eq!(objections("m! { #[path = \"x\"] mod y; }"), ["1 `#[path]`"]);
        // Elsewhere, too, if what a name stands for is made up.
        let imported =
            "macro_rules! m { ($a:ident) => { use std::$a as hidden; } }\nm!(process);\nfn f() { hidden::exit(0) }";
        assert_eq!(objections(imported), ["3 `std::process::exit`"]);
        let whole =
            "macro_rules! m { ($a:path) => { use $a as hidden; } }\nm!(std::process);\nfn f() { hidden::exit(0) }";
        assert_eq!(objections(whole), ["3 `std::process::exit`"]);
        let files =
            [("lib.rs", "mod a;\nmacro_rules! m { ($a:ident) => { std::process::$a(0) } }"), ("a.rs", "m!(exit);")];
        assert_eq!(inspect_files(&files, &Rules::default(), &[]).len(), 1, "in all files");
    }

    #[test]
    fn where_macros_make_up_no_path_or_a_harmless_one_nothing_is_wrong() {
        for text in [
            "macro_rules! m { ($t:ty) => { <$t>::new() } }\nm!(Barrier); fn exit() { m!(exit) }",
            "macro_rules! m { ($t:ident) => { impl A for $t { fn f() { if 1 != 2 { $crate::g(Vec::<u8>::new()) } } } } }\nm!(Barrier);",
            "fn f() { println!(\"{}\", <Vec<u8>>::new().len() + ::std::mem::size_of::<u8>()); m!(exit, path) }",
            "macro_rules! m { ($t:ident) => { $t::new(1).path(); } }\nm!(Mutex);",
            "macro_rules! m { ($(#[$a:meta])* $p:path, $exit:expr, $t:ident) => { $t::new($exit); std::env::args() } }",
            "macro_rules! m { ($(#[$a:meta])* $n:ident) => { $(#[$a])* struct $n; } }\nm!(/// What.\n Name);",
        ] {
            assert_eq!(objections(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_name_that_may_be_one_of_several_is_followed_to_all_of_them() {
        let two = "#[cfg(a)] pub use crate::b as p; #[cfg(not(a))] pub use std::process as p;";
        for text in [
            format!("mod b {{ pub mod c {{}} }} mod a {{ {two} }}\nfn f() {{ a::p::exit(0) }}"),
            format!("mod b {{ pub mod c {{}} }} mod a {{ {two} pub use self::p::*; }}\nfn f() {{ a::exit(0) }}"),
            format!(
                "mod b {{ pub mod c {{}} }} mod a {{ {two} }} mod d {{ pub use crate::a::p as q; }}\nfn f() {{ d::q::exit(0) }}"
            ),
        ] {
            assert_eq!(objections(&text), ["2 `std::process::exit`"], "{text}");
        }
    }

    #[test]
    fn a_macro_by_another_name_is_found_in_other_files() {
        let files = [
            ("lib.rs", "pub(crate) use std::env as variable;\nmod a;"),
            ("a.rs", "fn f() { crate::variable!(\"HOME\") }\nuse crate::variable as v;\nfn g() { v!(\"HOME\") }"),
        ];
        let found = inspect_files(&files, &Rules::default(), &[]);
        let places: Vec<(&str, u32)> = found.into_iter().map(|(file, (line, _))| (file, line)).collect();
        assert_eq!(places, [("a.rs", 1), ("a.rs", 3)]);
    }

    #[test]
    fn the_crate_under_a_name_of_its_own_is_the_crate() {
        for text in [
            "extern crate self as me; mod a { pub use std::process as p; }\nmod b { fn f() { me::a::p::exit(0) } }",
            "mod a { pub use std::process as p; }\nmod b { extern crate self as me; fn f() { me::a::p::exit(0) } }",
            "use std::process as p;\nfn f() { crate::p::exit(0) }",
            "use std::process as p;\nfn f() { self::p::exit(0) }",
        ] {
            assert_eq!(objections(text), ["2 `std::process::exit`"], "{text}");
        }
        let files = [
            ("lib.rs", "extern crate self as me;\nextern crate std as s;\nmod a;\nmod b;"),
            ("a.rs", "pub use std::process as p;"),
            ("b.rs", "fn f() { me::a::p::exit(0) }\nfn g() { ::me::a::p::exit(0) }\nfn h() { s::process::exit(0) }"),
        ];
        let found = inspect_files(&files, &Rules::default(), &[]);
        let places: Vec<(&str, u32)> = found.into_iter().map(|(file, (line, _))| (file, line)).collect();
        assert_eq!(places, [("b.rs", 1), ("b.rs", 2), ("b.rs", 3)]);
    }

    #[test]
    fn a_rule_covers_what_is_the_same_under_an_older_name() {
        let forbid = ["std::thread::sleep", "std::thread::park", "sleep"].map(str::to_string);
        let found = |text: &str, rule: usize| {
            let rules = Rules { forbid: vec![forbid[rule].clone()], allow_unsafe: false };
            inspect_file(text, &rules, &[]).len()
        };
        assert_eq!(found("fn f() { std::thread::sleep_ms(1) }", 0), 1);
        assert_eq!(found("use std::thread::sleep_ms as s;", 0), 1);
        assert_eq!(found("fn f() { a::sleep_ms(1) }", 2), 1);
        assert_eq!(found("use std::thread;\nfn f() { thread::park_timeout(d) }", 1), 1);
        assert_eq!(found("use std::thread;\nfn f() { thread::park_timeout_ms(1) }", 1), 1);
        assert_eq!(found("fn f() { std::thread::park_timeout_ms(1) }", 0), 0);
    }
}
