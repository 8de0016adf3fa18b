//! A module: what it defines, what it imports, and what its macros may make.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Item, UseTree, Visibility};

use crate::judging::inspect::names::Namespace;
use crate::judging::inspect::plain;
use crate::judging::inspect::tokens::{self, Named};

/// An import of more parts is left out.
const LONGEST_PATH: usize = 32;

/// What stands in a module, by the names that it has there.
#[derive(Default)]
pub(super) struct Module<'a> {
    pub(super) items: BTreeMap<(Namespace, String), Vec<Definition<'a>>>,
    pub(super) imports: BTreeMap<String, Vec<Import<'a>>>,
    /// `use …::*`
    pub(super) globs: Vec<Import<'a>>,
    pub(super) impls: Vec<(&'a Path, &'a syn::ItemImpl)>,
    /// `extern crate self as me;`: in a crate's root, that gives a name to all its modules.
    pub(super) crates: BTreeMap<String, String>,
}

/// An item, and where it stands.
#[derive(Clone, Copy)]
pub(in crate::judging::inspect) struct Definition<'a> {
    pub(in crate::judging::inspect) item: &'a Item,
    pub(in crate::judging::inspect) file: &'a Path,
    pub(super) visibility: &'a Visibility,
}

/// What is imported.
pub(super) struct Import<'a> {
    /// Whether it begins with `::`, outside of the crate.
    pub(super) from_outside: bool,
    pub(super) path: Vec<String>,
    /// Of what the syntax tree leaves as tokens, nobody says who sees it.
    pub(super) visibility: Option<&'a Visibility>,
}

impl<'a> Module<'a> {
    pub(super) fn add(&mut self, item: &'a Item, file: &'a Path) {
        let (name, visibility, namespace) = match item {
            Item::Const(item) => (&item.ident, &item.vis, Namespace::Value),
            Item::Fn(item) => (&item.sig.ident, &item.vis, Namespace::Value),
            Item::Static(item) => (&item.ident, &item.vis, Namespace::Value),
            Item::Enum(item) => (&item.ident, &item.vis, Namespace::Type),
            Item::Mod(item) => (&item.ident, &item.vis, Namespace::Type),
            Item::Struct(item) => (&item.ident, &item.vis, Namespace::Type),
            Item::Trait(item) => (&item.ident, &item.vis, Namespace::Type),
            Item::Type(item) => (&item.ident, &item.vis, Namespace::Type),
            Item::Union(item) => (&item.ident, &item.vis, Namespace::Type),
            Item::ExternCrate(item) => {
                let name = item.rename.as_ref().map_or(&item.ident, |(_, name)| name);
                let is_itself = item.ident == "self";
                let place = if is_itself { "crate".to_string() } else { plain(&item.ident) };
                self.crates.insert(plain(name), place.clone());
                let (from_outside, path) = (!is_itself, vec![place]);
                let import = Import { from_outside, path, visibility: Some(&item.vis) };
                return self.imports.entry(plain(name)).or_default().push(import);
            }
            Item::Use(item) => return self.import(item, &item.tree, &mut Vec::new()),
            // `use {::std::fs, …};`
            Item::Verbatim(tokens) => return self.import_tokens(tokens),
            _ => return,
        };
        self.items.entry((namespace, plain(name))).or_default().push(Definition { item, file, visibility });
    }

    fn import(&mut self, item: &'a syn::ItemUse, tree: &'a UseTree, path: &mut Vec<&'a syn::Ident>) {
        let (last, name) = match tree {
            _ if path.len() > LONGEST_PATH => return,
            UseTree::Path(step) => {
                path.push(&step.ident);
                self.import(item, &step.tree, path);
                path.pop();
                return;
            }
            UseTree::Group(group) => return group.items.iter().for_each(|tree| self.import(item, tree, path)),
            UseTree::Name(name) if name.ident == "self" => (None, path.last().copied()),
            UseTree::Name(name) => (Some(&name.ident), Some(&name.ident)),
            UseTree::Rename(rename) if rename.ident == "self" => (None, Some(&rename.rename)),
            UseTree::Rename(rename) => (Some(&rename.ident), Some(&rename.rename)),
            UseTree::Glob(_) => (None, None),
        };
        let path = path.iter().copied().chain(last).map(plain).collect();
        let import = Import { from_outside: item.leading_colon.is_some(), path, visibility: Some(&item.vis) };
        match name {
            Some(name) => self.imports.entry(plain(name)).or_default().push(import),
            None => self.globs.push(import),
        }
    }
}

impl Module<'_> {
    fn import_tokens(&mut self, tokens: &TokenStream) {
        for named in tokens::named(tokens.clone()) {
            let Named::Import(_, path, name) = named else { continue };
            let inside = path.strip_prefix("::");
            let path = inside.unwrap_or(&path).split("::").map(str::to_string).collect();
            let import = Import { from_outside: inside.is_some(), path, visibility: None };
            match name {
                Some(name) => self.imports.entry(name).or_default().push(import),
                None => self.globs.push(import),
            }
        }
    }
}

/// Finds the `impl` blocks in an item, also those in bodies of functions, and the words of its macros.
pub(super) struct Inside<'a, 'out> {
    pub(super) file: &'a Path,
    pub(super) impls: &'out mut Vec<(&'a Path, &'a syn::ItemImpl)>,
    pub(super) macros: &'out mut BTreeSet<String>,
}

impl Inside<'_, '_> {
    fn add_words(&mut self, tokens: &TokenStream) {
        for token in tokens.clone() {
            match token {
                TokenTree::Ident(word) => {
                    self.macros.insert(plain(&word));
                }
                TokenTree::Group(group) => self.add_words(&group.stream()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
}

impl<'a> Visit<'a> for Inside<'a, '_> {
    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        self.impls.push((self.file, item));
        visit::visit_item_impl(self, item);
    }

    fn visit_item_macro(&mut self, item: &'a syn::ItemMacro) {
        self.add_words(&item.mac.tokens);
    }

    fn visit_impl_item_macro(&mut self, item: &'a syn::ImplItemMacro) {
        self.add_words(&item.mac.tokens);
    }

    fn visit_trait_item_macro(&mut self, item: &'a syn::TraitItemMacro) {
        self.add_words(&item.mac.tokens);
    }
}

/// Whether everybody sees it.
pub(in crate::judging::inspect) fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}
