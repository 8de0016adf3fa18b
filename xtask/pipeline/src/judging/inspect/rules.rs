//! The rules: what no line of a submission may hold.
//!
//! A rule names a path (`std::sync::Barrier`) or a single name (`sleep`). Imports are followed, so an alias does not help:
//! `use std::process as p; p::exit(0)` is `std::process::exit`. Macro arguments are read token by token.

use std::collections::BTreeMap;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};

use crate::judging::inspect::plain;
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

/// The modules of a stub that have unsafe code: who keeps them as they are has written none.
pub(super) fn unsafe_modules(stub: &str) -> Vec<String> {
    let tokens: TokenStream = stub.parse().unwrap_or_default();
    modules(&tokens).map(|(_, body)| body).filter(|body| body.contains("unsafe")).collect()
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

/// Lines and objections, in order, each once. The modules are those that may stand as they were given, unsafe code and all.
pub(super) fn objections(tokens: TokenStream, tree: &syn::File, rules: &Rules, given: &[String]) -> Vec<(u32, String)> {
    let always = PATHS.iter().map(|(path, why)| (path.to_string(), why.to_string()));
    let here = rules.forbid.iter().map(|path| (path.clone(), "this kata is about doing without it".to_string()));
    let forbidden: Vec<(String, String)> = always.chain(here).collect();
    let mut inspector = Inspector { forbidden: &forbidden, imports: Imports::default(), found: Vec::new() };
    inspector.imports.visit_file(tree);
    inspector.visit_file(tree);
    let own: Vec<usize> = modules(&tokens).filter(|(_, body)| given.contains(body)).map(|(place, _)| place).collect();
    let rest = tokens.into_iter().enumerate().filter(|(place, _)| !own.contains(place)).map(|(_, token)| token);
    inspector.check_keywords(rest.collect());
    inspector.found.sort();
    inspector.found.dedup();
    inspector.found
}

/// What names stand for: `p` for `std::process` after `use std::process as p`.
#[derive(Default)]
struct Imports {
    names: BTreeMap<String, String>,
    globs: Vec<String>,
}

impl Imports {
    fn add(&mut self, prefix: &str, tree: &syn::UseTree) {
        let join =
            |name: &syn::Ident| if prefix.is_empty() { plain(name) } else { format!("{prefix}::{}", plain(name)) };
        match tree {
            syn::UseTree::Path(path) => self.add(&join(&path.ident), &path.tree),
            syn::UseTree::Name(name) if name.ident == "self" => {
                let last = prefix.rsplit("::").next().unwrap_or(prefix);
                self.names.insert(last.to_string(), prefix.to_string());
            }
            syn::UseTree::Name(name) => {
                self.names.insert(plain(&name.ident), join(&name.ident));
            }
            syn::UseTree::Rename(rename) => {
                let full = if rename.ident == "self" { prefix.to_string() } else { join(&rename.ident) };
                self.names.insert(plain(&rename.rename), full);
            }
            syn::UseTree::Glob(_) => self.globs.push(prefix.to_string()),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.add(prefix, item)),
        }
    }

    /// Every full path that a written path may stand for.
    fn expand(&self, written: &str) -> Vec<String> {
        let (mut path, mut all) = (written.trim_start_matches("::").to_string(), Vec::new());
        // An alias of an alias is followed, but a name that stands for itself is not followed for ever.
        for _ in 0..8 {
            let (first, rest) = path.split_once("::").map_or((path.as_str(), ""), |(first, rest)| (first, rest));
            let next = match self.names.get(first) {
                Some(full) if full != first && !full.starts_with(&format!("{first}::")) => {
                    if rest.is_empty() {
                        full.clone()
                    } else {
                        format!("{full}::{rest}")
                    }
                }
                _ => break,
            };
            all.push(std::mem::replace(&mut path, next));
        }
        all.extend(self.globs.iter().map(|glob| format!("{glob}::{path}")));
        all.push(path);
        all
    }
}

impl<'tree> Visit<'tree> for Imports {
    fn visit_item_use(&mut self, item: &'tree syn::ItemUse) {
        self.add("", &item.tree);
    }

    fn visit_item_extern_crate(&mut self, item: &'tree syn::ItemExternCrate) {
        let name = item.rename.as_ref().map_or(&item.ident, |(_, alias)| alias);
        self.names.insert(plain(name), plain(&item.ident));
    }
}

struct Inspector<'rules> {
    forbidden: &'rules [(String, String)],
    imports: Imports,
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

    fn check_path(&mut self, span: Span, written: &str) {
        for full in self.imports.expand(written) {
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
    }

    fn check_macro(&mut self, span: Span, name: &str) {
        let meant = self.imports.expand(name);
        let is_meant = |forbidden: &str| meant.iter().any(|full| full.rsplit("::").next() == Some(forbidden));
        if let Some((name, why)) = MACROS.iter().find(|(forbidden, _)| is_meant(forbidden)) {
            self.object(span, &format!("`{name}!`"), why);
        }
    }

    /// Reads tokens whose grammar is the macro's own.
    fn check_tokens(&mut self, tokens: TokenStream) {
        let mut path: Option<(Span, String)> = None;
        let mut after_colons = false;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    let name = plain(&name);
                    path = match path.take() {
                        Some((span, before)) if after_colons => Some((span, format!("{before}::{name}"))),
                        other => {
                            self.finish_path(other);
                            None
                        }
                    }
                    .or(Some((Span::call_site(), name)));
                    after_colons = false;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => after_colons = true,
                TokenTree::Punct(punct) if punct.as_char() == '!' => {
                    if let Some((span, name)) = path.take() {
                        self.check_macro(span, name.rsplit("::").next().unwrap_or(&name));
                    }
                }
                other => {
                    self.finish_path(path.take());
                    after_colons = false;
                    if let TokenTree::Group(group) = other {
                        self.check_tokens(group.stream());
                    }
                }
            }
        }
        self.finish_path(path);
    }

    fn finish_path(&mut self, path: Option<(Span, String)>) {
        if let Some((span, path)) = path {
            self.check_path(span, &path);
        }
    }
}

impl<'tree> Visit<'tree> for Inspector<'_> {
    fn visit_item_use(&mut self, item: &'tree syn::ItemUse) {
        // Each imported name is judged where it is written, used or not.
        let mut these = Imports::default();
        these.add("", &item.tree);
        for full in these.names.values() {
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
            self.check_macro(last.ident.span(), &plain(&last.ident));
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
        if let Some((name, why)) = ATTRIBUTES.iter().find(|(forbidden, _)| names.iter().any(|name| name == forbidden)) {
            self.object(span, &format!("`#[{name}]`"), why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inspect_file(text: &str, rules: &Rules, given: &[String]) -> Vec<(u32, String)> {
        let (Ok(tokens), Ok(tree)) = (text.parse(), syn::parse_file(text)) else { return Vec::new() };
        super::objections(tokens, &tree, rules, given)
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
}
