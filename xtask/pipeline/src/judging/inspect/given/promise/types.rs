//! What types and traits promise.

use std::collections::{BTreeMap, BTreeSet};

use syn::punctuated::Punctuated;
use syn::{Fields, Token, TraitItem};

use crate::judging::inspect::given::promise::words::{header, listed, quoted, text};
use crate::judging::inspect::given::promise::{Promise, of_function};
use crate::judging::inspect::given::spelling::Speller;
use crate::judging::inspect::names::{Namespace, is_public};
use crate::judging::inspect::plain;

pub(super) fn of_enum<'a>(speller: &mut Speller<'_, 'a>, item: &'a syn::ItemEnum) -> Promise {
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
        derives: derived(speller, &item.attrs),
        words: format!("an enum with {}", listed(&written)),
        around: header(item.enum_token.span, &item.ident, &item.generics),
        ..Promise::default()
    }
}

pub(super) fn of_struct<'a>(speller: &mut Speller<'_, 'a>, item: &'a syn::ItemStruct) -> Promise {
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
        derives: derived(speller, &item.attrs),
        words: match (&item.fields, written.is_empty()) {
            (Fields::Unit, _) => "a unit struct".to_string(),
            (_, true) => "a struct".to_string(),
            (_, false) => format!("a struct with the fields {}", listed(&written)),
        },
        around: header(item.struct_token.span, &item.ident, &item.generics),
        ..Promise::default()
    }
}

pub(super) fn of_trait<'n, 'a: 'n>(new: impl Fn() -> Speller<'n, 'a>, item: &'a syn::ItemTrait) -> Promise {
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
    traits.map(|path| speller.place(&path, Namespace::Derive)).collect()
}
