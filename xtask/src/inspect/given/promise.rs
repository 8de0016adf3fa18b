//! Promises: what a crate's public items mean to whoever uses them, spelled in a way that doesn't depend on how it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::{Fields, FnArg, ImplItem, Item, ReceiverKind, ReturnType, Token, TraitItem, Type};

use crate::inspect::given::names::{Definition, Names, Namespace, is_public};
use crate::inspect::given::spelling::{Speller, only};
use crate::inspect::plain;
use crate::sources::printable;

/// Whoever writes a signature of more characters is not shown all of it.
const LONGEST_TEXT: usize = 400;

/// What one public item promises.
#[derive(Debug, Default)]
pub(super) struct Promise {
    /// What must be the same: fields, variants, the types of parameters, by their names.
    pub(super) parts: BTreeMap<String, String>,
    /// Whether there may be no other parts, and whether `offers` matter: all of it was given, nothing is the learner's own.
    pub(super) closed: bool,
    /// What it asks of its users: bounds. To ask for less is fine.
    pub(super) demands: BTreeSet<String>,
    /// What it offers beside its parts: derived traits, a returned `impl Trait`'s bounds. To offer more is fine.
    pub(super) offers: BTreeSet<String>,
    /// It in words, as it is written.
    pub(super) words: String,
    /// What is around it, as it is written: `impl<T> Queue<T>`.
    pub(super) around: String,
    pub(super) file: PathBuf,
    pub(super) line: u32,
}

/// The promises behind the names of public items, and behind what belongs to them: `Queue`, `Queue::put`, `Iterator for Queue`.
/// There are several of one name where a system chooses between them.
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
        ("trait".to_string(), speller.trait_path(path, Vec::new())),
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

fn of_enum<'a>(speller: &mut Speller<'_, 'a>, item: &'a syn::ItemEnum) -> Promise {
    speller.declare(&item.generics);
    let mut parts = BTreeMap::from([
        ("kind".to_string(), "enum".to_string()),
        ("generics".to_string(), speller.number_all(&item.generics)),
    ]);
    let mut written = Vec::new();
    for variant in &item.variants {
        let fields = variant.fields.iter().map(|field| {
            let name = field.ident.as_ref().map(|name| plain(name) + ": ").unwrap_or_default();
            name + &speller.ty(&field.ty)
        });
        let mut fields: Vec<String> = fields.collect();
        let end = match &variant.fields {
            Fields::Named(named) => {
                fields.sort();
                named.brace_token.span.close()
            }
            Fields::Unnamed(unnamed) => unnamed.paren_token.span.close(),
            Fields::Unit => variant.ident.span(),
        };
        written.push(quoted(text(variant.ident.span(), end)));
        // Variants have names of their own, apart from those of the parts above.
        parts.insert(format!("::{}", plain(&variant.ident)), format!("({})", fields.join(", ")));
    }
    Promise {
        parts,
        closed: true,
        demands: speller.demands(),
        offers: derived(speller, &item.attrs),
        words: format!("an enum with {}", listed(&written)),
        around: header(item.enum_token.span, &item.ident, &item.generics),
        ..Promise::default()
    }
}

fn of_struct<'a>(speller: &mut Speller<'_, 'a>, item: &'a syn::ItemStruct) -> Promise {
    speller.declare(&item.generics);
    let mut parts = BTreeMap::from([
        ("kind".to_string(), "struct".to_string()),
        ("generics".to_string(), speller.number_all(&item.generics)),
    ]);
    let mut written = Vec::new();
    for (number, field) in item.fields.iter().enumerate().filter(|(_, field)| is_public(&field.vis)) {
        let name = field.ident.as_ref().map_or_else(|| number.to_string(), plain);
        parts.insert(format!(".{name}"), speller.ty(&field.ty));
        written.push(quoted(name));
    }
    // Who sees all fields can make one and take it apart. `{}` is where a learner's fields belong.
    let closed = match &item.fields {
        Fields::Unit => true,
        fields => !fields.is_empty() && fields.iter().all(|field| is_public(&field.vis)),
    };
    if closed {
        parts.insert("fields".to_string(), format!("all of {}", written.len()));
    }
    Promise {
        parts,
        closed,
        demands: speller.demands(),
        offers: derived(speller, &item.attrs),
        words: match (&item.fields, written.is_empty()) {
            (Fields::Unit, _) => "a unit struct".to_string(),
            (_, true) => "a struct".to_string(),
            (_, false) => format!("a struct with the fields {}", listed(&written)),
        },
        around: header(item.struct_token.span, &item.ident, &item.generics),
        ..Promise::default()
    }
}

fn of_trait<'n, 'a: 'n>(new: impl Fn() -> Speller<'n, 'a>, item: &'a syn::ItemTrait) -> Promise {
    // The trait's parameters have the same numbers in each of its items.
    let speller = || {
        let mut speller = new();
        speller.own = Some("Self".to_string());
        speller.declare(&item.generics);
        let generics = speller.number_all(&item.generics);
        (speller, generics)
    };
    let (mut whole, generics) = speller();
    let mut promise = Promise {
        closed: true,
        words: quoted(text(item.trait_token.span, item.brace_token.span.open())),
        ..Promise::default()
    };
    promise.parts.insert("kind".to_string(), "trait".to_string());
    promise.parts.insert("generics".to_string(), generics);
    let supertraits = whole.bounds(&item.supertraits).into_iter().collect::<Vec<_>>();
    promise.parts.insert("supertraits".to_string(), supertraits.join(" + "));
    for item in &item.items {
        let (name, spelled, has_default) = match item {
            TraitItem::Fn(item) => {
                let function = of_function(&mut speller().0, &item.sig, String::new());
                let spelled = format!("{:?} {:?} {:?}", function.parts, function.demands, function.offers);
                (&item.sig.ident, spelled, item.default.is_some())
            }
            TraitItem::Type(item) => {
                let bounds = whole.bounds(&item.bounds).into_iter().collect::<Vec<_>>().join(" + ");
                (&item.ident, bounds, item.default.is_some())
            }
            TraitItem::Const(item) => (&item.ident, whole.ty(&item.ty), item.default.is_some()),
            _ => continue,
        };
        // Who implements the trait must know what he has to write, who uses it what he can call.
        if has_default {
            promise.offers.insert(format!("{} {spelled}", plain(name)));
        } else {
            promise.parts.insert(format!("::{}", plain(name)), spelled);
        }
    }
    promise.demands = whole.demands();
    promise
}

/// The traits that are derived. A trait that is written by hand may mean something else.
fn derived(speller: &Speller<'_, '_>, attributes: &[syn::Attribute]) -> BTreeSet<String> {
    let derives = attributes.iter().filter(|attribute| attribute.path().is_ident("derive"));
    let traits = derives
        .filter_map(|derive| derive.parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated).ok())
        .flatten();
    traits.map(|path| speller.place(&path, Namespace::Type)).collect()
}

/// A function without its body, in words.
fn signature(function: &syn::Signature, end: Span) -> String {
    let start = function.asyncness.as_ref().map_or(function.fn_token.span, |word| word.span);
    quoted(text(start, end))
}

/// The beginning of a type's definition, as it is written.
fn header(start: Span, name: &syn::Ident, generics: &syn::Generics) -> String {
    text(start, generics.gt_token.as_ref().map_or(name.span(), |end| end.span))
}

/// What is written from one token to another, in one line, without what begins a body or a value.
fn text(start: Span, end: Span) -> String {
    let written = start.join(end).and_then(|span| span.source_text()).unwrap_or_default();
    let line = written.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_end_matches([' ', '{', '=', ';', ',']);
    let line = line.replace("( ", "(").replace(", )", ")").replace(" )", ")");
    match line.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", printable(&line[..end])),
        None => printable(&line),
    }
}

fn quoted(text: String) -> String {
    format!("`{text}`")
}

/// `a`, `b` and `c`
fn listed(texts: &[String]) -> String {
    match texts {
        [] => "nothing".to_string(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}
