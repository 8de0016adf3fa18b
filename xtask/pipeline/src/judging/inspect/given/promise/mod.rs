//! Promises: what a crate's public items mean to whoever uses them, spelled in a way that doesn't depend on how it is
//! written.

mod types;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::Span;
use syn::{FnArg, ImplItem, Item, ReceiverKind, ReturnType, Type};

use crate::judging::inspect::given::promise::types::{of_enum, of_struct, of_trait};
use crate::judging::inspect::given::promise::words::{quoted, signature, text};
use crate::judging::inspect::given::spelling::{Speller, only};
use crate::judging::inspect::names::{Definition, Names, Namespace, is_public};
use crate::judging::inspect::plain;

/// What one public item promises.
#[derive(Debug, Default)]
pub(super) struct Promise {
    /// What must be the same: fields, variants, the types of parameters, by their names.
    pub(super) parts: BTreeMap<String, String>,
    /// Whether all of it was given, so that there may be no other parts.
    pub(super) closed: bool,
    /// What it asks of its users: bounds. To ask for less is fine.
    pub(super) demands: BTreeSet<String>,
    /// What it offers beside its parts: the bounds of a returned `impl Trait`. To offer more is fine.
    pub(super) offers: BTreeSet<String>,
    /// The traits that are derived. They matter where all of it was given: what is derived for fields of one's own is
    /// one's own.
    pub(super) derives: BTreeSet<String>,
    /// It in words, as it is written.
    pub(super) words: String,
    /// What is around it, as it is written: `impl<T> Queue<T>`.
    pub(super) around: String,
    pub(super) file: PathBuf,
    pub(super) line: u32,
}

impl Promise {
    /// Whether whoever relies on this may rely on the other one.
    pub(super) fn is_kept_by(&self, found: &Promise) -> bool {
        self.parts_are_kept_by(found)
            && found.demands.is_subset(&self.demands)
            && (!self.closed || self.derives.is_subset(&found.derives))
    }

    /// The same, but for bounds and derived traits.
    pub(super) fn parts_are_kept_by(&self, found: &Promise) -> bool {
        self.parts.iter().all(|(part, spelled)| found.parts.get(part) == Some(spelled))
            && (!self.closed || found.parts.len() == self.parts.len())
            && self.offers.is_subset(&found.offers)
    }
}

/// The promises behind the names of public items, and behind what belongs to them: `Queue`, `Queue::put`, `Iterator for
/// Queue`. There are several of one name where a system chooses between them.
pub(super) fn promises(names: &mut Names<'_>, wanted: &[(String, Namespace)]) -> BTreeMap<String, Vec<Promise>> {
    let places: Vec<(String, String, Namespace)> = wanted
        .iter()
        .filter_map(|(name, namespace)| Some((name.clone(), names.expose(name, *namespace)?, *namespace)))
        .collect();
    let names = &*names;
    let mut promises: BTreeMap<String, Vec<Promise>> = BTreeMap::new();
    for (name, place, namespace) in &places {
        let module = place.rsplit_once("::").map_or("", |(module, _)| module);
        let defined = names.definitions(place, *namespace).iter();
        let meant = defined.filter_map(|one| of_item(names, module, *one));
        promises.entry(name.clone()).or_default().extend(meant);
    }
    for (module, file, block) in names.impls() {
        let mut speller = Speller::new(names, module);
        speller.declare(&block.generics);
        let own = speller.ty(&block.self_ty);
        let name = own.split('<').next().and_then(|place| place.strip_prefix("crate::"));
        let Some(name) = name.filter(|name| wanted.iter().any(|(wanted, _)| wanted == name)) else { continue };
        for (key, promise) in of_block(names, module, file, block) {
            let key = if block.trait_.is_some() { format!("{key} for {name}") } else { format!("{name}::{key}") };
            promises.entry(key).or_default().push(promise);
        }
    }
    promises.retain(|_, promises| !promises.is_empty());
    promises
}

fn of_item<'a>(names: &Names<'a>, module: &str, defined: Definition<'a>) -> Option<Promise> {
    let mut speller = Speller::new(names, module);
    let (promise, at) = match defined.item {
        Item::Const(item) => {
            speller.elide_to("'static");
            let words = quoted(text(item.const_token.span, item.eq_token.span));
            (of_type_alone(&mut speller, "const", &item.ty, words), item.const_token.span)
        }
        Item::Static(item) => {
            speller.elide_to("'static");
            let words = quoted(text(item.static_token.span, item.eq_token.span));
            (of_type_alone(&mut speller, "static", &item.ty, words), item.static_token.span)
        }
        Item::Type(item) => {
            speller.declare(&item.generics);
            let generics = speller.number_all(&item.generics);
            let words = quoted(text(item.type_token.span, item.semi_token.span));
            let mut promise = of_type_alone(&mut speller, "type", &item.ty, words);
            promise.parts.insert("generics".to_string(), generics);
            (promise, item.type_token.span)
        }
        Item::Fn(item) => {
            let words = signature(&item.sig, item.block.brace_token.span.open());
            (of_function(&mut speller, &item.sig, words), item.sig.fn_token.span)
        }
        Item::Enum(item) => (of_enum(&mut speller, item), item.enum_token.span),
        Item::Struct(item) => (of_struct(&mut speller, item), item.struct_token.span),
        Item::Trait(item) => (of_trait(|| Speller::new(names, module), item), item.trait_token.span),
        Item::Union(item) => (Promise { words: "a union".to_string(), ..Promise::default() }, item.union_token.span),
        _ => return None,
    };
    Some(Promise { file: defined.file.to_path_buf(), line: at.start().line as u32, ..promise })
}

fn of_type_alone<'a>(speller: &mut Speller<'_, 'a>, kind: &str, ty: &'a Type, words: String) -> Promise {
    let parts = BTreeMap::from([("kind".to_string(), kind.to_string()), ("type".to_string(), speller.ty(ty))]);
    Promise { parts, closed: true, words, ..Promise::default() }
}

/// Whatever stands in an `impl` block: methods and constants, or the implementation of a trait.
fn of_block<'a>(names: &Names<'a>, module: &str, file: &Path, block: &'a syn::ItemImpl) -> Vec<(String, Promise)> {
    let around = text(block.impl_token.span, block.brace_token.span.open());
    let place = |promise, at: Span| Promise {
        around: around.clone(),
        file: file.to_path_buf(),
        line: at.start().line as u32,
        ..promise
    };
    let speller = || {
        let mut speller = Speller::new(names, module);
        speller.declare(&block.generics);
        let own = speller.ty(&block.self_ty);
        speller.own = Some(own);
        speller
    };
    if let Some((path, _)) = &block.trait_ {
        let mut speller = speller();
        let name = names.given_name(speller.place(path, Namespace::Type));
        let promise = of_implementation(&mut speller, path, block, quoted(around.clone()));
        return vec![(name, Promise { around: String::new(), ..place(promise, block.impl_token.span) })];
    }
    let items = block.items.iter().filter_map(|item| match item {
        ImplItem::Fn(item) if is_public(&item.vis) => {
            let words = signature(&item.sig, item.block.brace_token.span.open());
            let promise = of_function(&mut speller(), &item.sig, words);
            Some((plain(&item.sig.ident), place(promise, item.sig.fn_token.span)))
        }
        ImplItem::Const(item) if is_public(&item.vis) => {
            let words = quoted(text(item.const_token.span, item.eq_token.span));
            let promise = of_type_alone(&mut speller(), "const", &item.ty, words);
            Some((plain(&item.ident), place(promise, item.const_token.span)))
        }
        _ => None,
    });
    items.collect()
}

/// Methods are the trait's affair. What is chosen here is for what it is implemented, and its types.
fn of_implementation<'a>(
    speller: &mut Speller<'_, 'a>,
    path: &'a syn::Path,
    block: &'a syn::ItemImpl,
    mut words: String,
) -> Promise {
    let mut parts = BTreeMap::from([
        ("for".to_string(), speller.own.clone().unwrap_or_default()),
        ("trait".to_string(), speller.trait_path(path, None)),
    ]);
    for item in &block.items {
        if let ImplItem::Type(item) = item {
            parts.insert(plain(&item.ident), speller.ty(&item.ty));
            words += &format!(" with {}", quoted(text(item.type_token.span, item.semi_token.span)));
        }
    }
    Promise { parts, demands: speller.demands(), words, ..Promise::default() }
}

fn of_function<'a>(speller: &mut Speller<'_, 'a>, function: &'a syn::Signature, words: String) -> Promise {
    let mut promise = Promise { closed: true, words, ..Promise::default() };
    let mut part = |name: &str, spelled: String| promise.parts.insert(name.to_string(), spelled);
    part("kind", "fn".to_string());
    part("type", speller.own.clone().unwrap_or_default());
    if matches!(function.safety, syn::Safety::Unsafe(_)) {
        part("unsafe", String::new());
    }
    if function.abi.is_some() {
        part("extern", String::new());
    }
    speller.declare(&function.generics);
    speller.impl_is_parameter = true;
    let (before, mut of_self) = (speller.seen().len(), None);
    for (number, input) in function.inputs.iter().enumerate() {
        match input {
            FnArg::Receiver(receiver) => {
                let spelled = of_receiver(speller, receiver);
                of_self = spelled.strip_prefix('&').and_then(|rest| rest.split(' ').next()).map(str::to_string);
                part("self", spelled);
            }
            FnArg::Typed(input) => {
                part(&number.to_string(), speller.ty(&input.ty));
            }
        }
    }
    speller.impl_is_parameter = false;
    let of_output = of_self.or_else(|| only(&speller.seen()[before..]).map(str::to_string));
    speller.elide_to(of_output.unwrap_or_else(|| "'_".to_string()));
    match &function.output {
        // An `async fn` is a function that returns a future.
        output if function.asyncness.is_some() => {
            part("returns", "impl".to_string());
            promise.offers.insert(format!("std::future::Future<Output = {}>", speller.output(output)));
        }
        ReturnType::Type(_, ty) if matches!(**ty, Type::ImplTrait(_)) => {
            part("returns", "impl".to_string());
            let Type::ImplTrait(ty) = &**ty else { unreachable!("it was looked at just now") };
            promise.offers.extend(speller.bounds(&ty.bounds).into_iter().filter(|bound| !bound.starts_with('\'')));
        }
        output => {
            part("returns", speller.output(output));
        }
    }
    if function.constness.is_some() {
        promise.offers.insert("const".to_string());
    }
    promise.demands = speller.demands();
    promise
}

fn of_receiver<'a>(speller: &mut Speller<'_, 'a>, receiver: &'a syn::Receiver) -> String {
    let own = speller.own.clone().unwrap_or_default();
    match &receiver.kind {
        ReceiverKind::Value => own,
        ReceiverKind::Reference(_, lifetime, mutability) => {
            let mutability = if mutability.is_some() { "mut " } else { "" };
            format!("&{} {mutability}{own}", speller.lifetime(lifetime.as_ref()))
        }
        ReceiverKind::Typed(_, ty) => speller.ty(ty),
        _ => "something unknown".to_string(),
    }
}
