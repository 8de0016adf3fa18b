//! What names stand for in a crate: its modules, what they import, and what of `std` has two names.
//!
//! A place is where something is defined, as a path: `crate::errors::PutError`, `std::time::Duration`. Primitive types
//! and crates are places of one word: `u64`, `tokio`.

mod modules;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::Visit;
use syn::{Item, Visibility};

pub(super) use crate::judging::inspect::names::modules::{Definition, is_public};
use crate::judging::inspect::names::modules::{Import, Inside, Module};
use crate::judging::inspect::plain;

/// What of `std` has several names, or is known without any import, as Rust. All else there is where it is written.
pub(super) const STD: &str = include_str!("std.rs");

/// So many steps from name to name are the most that are followed: a name may stand for itself.
const FARTHEST: usize = 32;
/// So many bytes of names are looked up at most. The repository's own answers need some 2,000. Beyond, a name stands
/// for nothing.
const MOST_LOOKED_UP: usize = 1024 * 1024;

/// Types, traits and modules have names of their own, apart from those of functions and constants, and from those of what
/// `derive` makes: a crate can't define any of these itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Namespace {
    Type,
    Value,
    Derive,
}

/// In which module, seen from which one, is what name looked up, as what?
type Question = (String, String, String, Namespace);

/// A crate's modules beside those of `std`, by their places.
#[derive(Default)]
pub(super) struct Names<'a> {
    modules: BTreeMap<String, Module<'a>>,
    /// Places in other crates. `use std::time::*` brings in what is among them.
    known: BTreeSet<String>,
    /// The words of all macros that may make items. An item of another name can't come from them.
    macros: BTreeSet<String>,
    /// Whether the crate names a module whose file could not be read.
    has_unread: bool,
    /// The names by which strangers know places in this crate: `crate::PutError` for `crate::errors::PutError`.
    given: BTreeMap<String, String>,
    /// What strangers ask for and is out of sight, nobody knows in which module.
    unseen: BTreeSet<String>,
    /// What was looked up before.
    looked_up: RefCell<BTreeMap<Question, Option<String>>>,
    /// How many bytes of names that was.
    spent: Cell<usize>,
}

impl<'a> Names<'a> {
    /// The names of a crate whose files are given by their paths below `src/`, beginning at `lib.rs`. `std` is [`STD`].
    pub(super) fn new(
        files: &'a BTreeMap<PathBuf, syn::File>,
        std: &'a syn::File,
        known: BTreeSet<String>,
    ) -> Names<'a> {
        let mut names = Names { known, ..Names::default() };
        let nowhere = Path::new("");
        names.add_module("std", nowhere, nowhere, &std.items, files);
        if let Some((file, root)) = files.get_key_value(Path::new("lib.rs")) {
            names.add_module("crate", file, nowhere, &root.items, files);
        }
        names
    }

    /// `folder` is where the files of the modules inside are.
    fn add_module(
        &mut self,
        place: &str,
        file: &'a Path,
        folder: &Path,
        items: &'a [Item],
        files: &'a BTreeMap<PathBuf, syn::File>,
    ) {
        self.modules.entry(place.to_string()).or_default();
        for item in items {
            if let Item::Mod(module) = item {
                let name = plain(&module.ident);
                let (below, inside) = (format!("{place}::{name}"), folder.join(&name));
                let candidates = [folder.join(format!("{name}.rs")), inside.join("mod.rs")];
                match &module.content {
                    Some((_, items)) => self.add_module(&below, file, &inside, items, files),
                    None => {
                        let found = candidates.iter().find_map(|candidate| files.get_key_value(candidate));
                        match found {
                            Some((file, tree)) => self.add_module(&below, file, &inside, &tree.items, files),
                            None => self.has_unread = true,
                        }
                    }
                }
            }
            let module = self.modules.entry(place.to_string()).or_default();
            module.add(item, file);
            if !matches!(item, Item::Mod(_)) {
                let mut inside = Inside { file, impls: &mut module.impls, macros: &mut self.macros };
                inside.visit_item(item);
            }
        }
    }

    /// The definitions at a place. There may be several, for different systems.
    pub(super) fn definitions(&self, place: &str, namespace: Namespace) -> &[Definition<'a>] {
        let defined = place
            .rsplit_once("::")
            .and_then(|(module, name)| self.modules.get(module)?.items.get(&(namespace, name.to_string())));
        defined.map_or(&[], Vec::as_slice)
    }

    /// Whether the crate has modules beside its root.
    pub(super) fn has_modules(&self) -> bool {
        self.modules.keys().any(|place| place.starts_with("crate::"))
    }

    /// Every `impl` block of the crate: the module that it is in, its file, and itself.
    pub(super) fn impls(&self) -> impl Iterator<Item = (&str, &'a Path, &'a syn::ItemImpl)> {
        let own = self.modules.iter().filter(|(place, _)| root(place) == "crate");
        own.flat_map(|(place, module)| module.impls.iter().map(|(file, one)| (place.as_str(), *file, *one)))
    }

    /// The names of the crate's public items.
    pub(super) fn public(&self) -> Vec<(String, Namespace)> {
        let items = self.modules.get("crate").into_iter().flat_map(|module| &module.items);
        let public = items.filter(|(_, defined)| defined.iter().any(|one| is_public(one.visibility)));
        public.map(|((namespace, name), _)| (name.clone(), *namespace)).collect()
    }

    /// Whether there may be an item of that name although it is not found: a macro has made it, or it is in a file that
    /// is not read.
    pub(super) fn may_be_unseen(&self, name: &str) -> bool {
        self.has_unread || self.macros.contains(name) || self.unseen.contains(name)
    }

    /// The place that a stranger means with `crate::name`. From then on that is the place's name.
    pub(super) fn expose(&mut self, name: &str, namespace: Namespace) -> Option<String> {
        let place = self.look_up("crate", "", name, namespace, 0);
        if let Some(place) = &place {
            self.given.insert(place.clone(), format!("crate::{name}"));
        }
        let is_unseen = match &place {
            Some(place) => root(place) == "crate" && self.definitions(place, namespace).is_empty(),
            None => self.may_be_unseen(name),
        };
        if is_unseen {
            self.unseen.insert(name.to_string());
        }
        place
    }

    /// A place by the name that it was [exposed](Names::expose) by, if it was.
    pub(super) fn given_name(&self, place: String) -> String {
        self.given.get(&place).cloned().unwrap_or(place)
    }

    /// The place that a path means when it is written in that module. A path that begins with `::` has an empty first
    /// part.
    pub(super) fn resolve(&self, module: &str, path: &[String], namespace: Namespace) -> Option<String> {
        self.resolve_after(module, path, namespace, 0)
    }

    fn resolve_after(&self, module: &str, path: &[String], namespace: Namespace, steps: usize) -> Option<String> {
        let (first, rest) = path.split_first()?;
        let here = if rest.is_empty() { namespace } else { Namespace::Type };
        let (start, rest) = match first.as_str() {
            "" => (self.outside(rest.first()?), &rest[1..]),
            "crate" => (root(module).to_string(), rest),
            "self" => (module.to_string(), rest),
            "super" => (module.rsplit_once("::")?.0.to_string(), rest),
            name => {
                let meant = self.look_up(module, module, name, here, steps);
                let meant = meant.or_else(|| self.look_up("std::prelude", module, name, here, steps));
                (meant.or_else(|| self.unseen(name)).unwrap_or_else(|| self.outside(name)), rest)
            }
        };
        rest.iter().enumerate().try_fold(start, |place, (number, name)| {
            let here = if number + 1 == rest.len() { namespace } else { Namespace::Type };
            let inside: BTreeSet<String> =
                possible(&place).filter_map(|place| self.step(place, module, name, here, steps)).collect();
            (!inside.is_empty()).then(|| either(inside))
        })
    }

    /// What the next part of a path that is written in that module means behind a place.
    fn step(&self, place: &str, module: &str, name: &str, namespace: Namespace, steps: usize) -> Option<String> {
        match name {
            "self" => Some(place.to_string()),
            "super" => Some(place.rsplit_once("::")?.0.to_string()),
            _ if !self.modules.contains_key(place) => Some(format!("{place}::{name}")),
            _ => {
                let found = self.look_up(place, module, name, namespace, steps);
                let found = found.or_else(|| (root(place) == "std").then(|| format!("{place}::{name}")));
                let made = || self.macros.contains(name).then(|| format!("{place}::{name}"));
                found.or_else(|| self.unseen(name)).or_else(made)
            }
        }
    }

    /// A name that no module has: a primitive type, or another crate, under a name that this crate's root may have given it.
    fn outside(&self, name: &str) -> String {
        let given = self.modules.get("crate").and_then(|root| root.crates.get(name));
        outside(given.map_or(name, String::as_str))
    }

    fn unseen(&self, name: &str) -> Option<String> {
        self.unseen.contains(name).then(|| format!("crate::{name}"))
    }

    /// What a name means in a module, as far as it is visible from another one.
    fn look_up(&self, module: &str, from: &str, name: &str, namespace: Namespace, steps: usize) -> Option<String> {
        self.spent.set(self.spent.get() + module.len() + from.len() + name.len());
        if steps > FARTHEST || self.spent.get() > MOST_LOOKED_UP {
            return None;
        }
        let key = (module.to_string(), from.to_string(), name.to_string(), namespace);
        if let Some(known) = self.looked_up.borrow().get(&key) {
            return known.clone();
        }
        // While it is looked up, it is nothing: modules may import from each other.
        self.looked_up.borrow_mut().insert(key.clone(), None);
        let meant = self.look_up_anew(module, from, name, namespace, steps + 1);
        self.looked_up.borrow_mut().insert(key, meant.clone());
        meant
    }

    fn look_up_anew(&self, place: &str, from: &str, name: &str, namespace: Namespace, steps: usize) -> Option<String> {
        let module = self.modules.get(place)?;
        let seen = |visibility: &Visibility| match visibility {
            Visibility::Public(_) => true,
            Visibility::Restricted(_) => !from.is_empty(),
            Visibility::Inherited => from == place || from.starts_with(&format!("{place}::")),
        };
        let defined = module.items.get(&(namespace, name.to_string()));
        if defined.is_some_and(|defined| defined.iter().any(|one| seen(one.visibility))) {
            return Some(format!("{place}::{name}"));
        }
        let resolved = |import: &Import<'_>, namespace| {
            let outside = import.from_outside.then(String::new);
            let path: Vec<String> = outside.into_iter().chain(import.path.iter().cloned()).collect();
            self.resolve_after(place, &path, namespace, steps)
        };
        let seen = |import: &&Import<'_>| import.visibility.is_none_or(seen);
        let named = module.imports.get(name).into_iter().flatten().filter(seen);
        let named: BTreeSet<String> = named.filter_map(|import| resolved(import, namespace)).collect();
        if !named.is_empty() {
            return Some(either(named));
        }
        let globs = module.globs.iter().filter(seen);
        let sources: Vec<String> = globs.filter_map(|import| resolved(import, Namespace::Type)).collect();
        let found: BTreeSet<String> = sources
            .iter()
            .flat_map(|source| possible(source))
            .filter_map(|source| {
                let inside = self.look_up(source, place, name, namespace, steps);
                inside.or_else(|| Some(format!("{source}::{name}")).filter(|place| self.known.contains(place)))
            })
            .collect();
        (!found.is_empty()).then(|| either(found))
    }
}

/// The crate that a place is in.
fn root(place: &str) -> &str {
    place.split("::").next().unwrap_or(place)
}

/// A primitive type, or another crate. The core library's things are `std`'s.
fn outside(name: &str) -> String {
    if matches!(name, "core" | "alloc") { "std".to_string() } else { name.to_string() }
}

/// One place; or several that it may be, which together are none.
fn either(places: BTreeSet<String>) -> String {
    // Each of them may be several itself.
    let places: BTreeSet<&str> = places.iter().flat_map(|place| possible(place)).collect();
    let places: Vec<&str> = places.into_iter().collect();
    if let [place] = places[..] { place.to_string() } else { format!("{ONE_OF}{}", places.join(", ")) }
}

/// How a place begins that may be several.
const ONE_OF: &str = "one of ";

/// The places that a place may be: it alone, nearly always.
pub(super) fn possible(place: &str) -> impl Iterator<Item = &str> {
    place.strip_prefix(ONE_OF).unwrap_or(place).split(", ")
}
