//! How types and bounds are spelled.

use std::collections::{BTreeMap, BTreeSet};

use syn::punctuated::Punctuated;
use syn::{BoundLifetimes, GenericArgument, GenericParam, Item, PathArguments, Token, Type, TypeParamBound};

use crate::judging::inspect::given::spelling::lifetimes::{Lifetimes, only};
use crate::judging::inspect::given::spelling::{Parameter, Speller};
use crate::judging::inspect::names::{Definition, Namespace};
use crate::judging::inspect::plain;

/// No item of an honest answer takes so many bytes to spell. Aliases of aliases may double the length at each step.
const LONGEST: usize = 64 * 1024;
/// What is longer, or an alias of itself.
const ENDLESS: &str = "…";
/// So many aliases of aliases are followed.
const MOST_ALIASES: usize = 32;

type Bounds = Punctuated<TypeParamBound, Token![+]>;

impl<'a> Speller<'_, 'a> {
    /// Spells a type.
    pub(in crate::judging::inspect::given) fn ty(&mut self, ty: &'a Type) -> String {
        if self.spent > LONGEST {
            return ENDLESS.to_string();
        }
        let object = std::mem::replace(&mut self.object, "'static".to_string());
        let spelled = match ty {
            Type::Array(array) => format!("[{}; {}]", self.ty(&array.elem), self.constant(&array.len)),
            Type::FnPtr(pointer) => self.fn_pointer(pointer),
            Type::Group(group) => {
                self.object = object;
                self.ty(&group.elem)
            }
            Type::ImplTrait(one) if self.impl_is_parameter && self.alias.is_none() => {
                let bounds = one.bounds.iter().map(|bound| (bound, None)).collect();
                self.parameters.push(Parameter { name: None, number: None, bounds, constant: None });
                self.number(self.parameters.len() - 1)
            }
            Type::ImplTrait(one) => format!("impl {}", join(self.bounds(&one.bounds), " + ")),
            Type::Paren(inner) => {
                self.object = object;
                self.ty(&inner.elem)
            }
            Type::Path(path) => self.path_type(path),
            Type::Ptr(pointer) => {
                let kind = if matches!(pointer.mutability, syn::PointerMutability::Mut(_)) { "mut" } else { "const" };
                format!("*{kind} {}", self.ty(&pointer.elem))
            }
            Type::Reference(reference) => {
                let lifetime = self.lifetime(reference.lifetime.as_ref());
                self.object.clone_from(&lifetime);
                let mutability = if reference.mutability.is_some() { "mut " } else { "" };
                format!("&{lifetime} {mutability}{}", self.ty(&reference.elem))
            }
            Type::Slice(slice) => format!("[{}]", self.ty(&slice.elem)),
            Type::TraitObject(one) => {
                let mut bounds = self.bounds(&one.bounds);
                if !bounds.iter().any(|bound| bound.starts_with('\'')) {
                    bounds.insert(object);
                }
                format!("dyn {}", join(bounds, " + "))
            }
            Type::Tuple(tuple) => {
                format!("({})", tuple.elems.iter().map(|ty| self.ty(ty) + ",").collect::<Vec<_>>().join(" "))
            }
            Type::Never(_) => "!".to_string(),
            Type::Infer(_) => "_".to_string(),
            // What a macro makes can't be seen.
            _ => "a type that can't be seen".to_string(),
        };
        self.object = "'static".to_string();
        self.spent += spelled.len();
        spelled
    }

    /// Spells bounds, in an order of their own.
    pub(in crate::judging::inspect::given) fn bounds(&mut self, bounds: &'a Bounds) -> BTreeSet<String> {
        let mut bounds: Vec<&TypeParamBound> = bounds.iter().collect();
        bounds.sort_by_cached_key(|bound| self.order(bound));
        bounds.into_iter().map(|bound| self.bound(bound, None)).collect()
    }

    /// Bounds of one parameter are spelled in an order that doesn't depend on the text's.
    pub(super) fn order(&self, bound: &TypeParamBound) -> String {
        match bound {
            TypeParamBound::Trait(bound) => self.names.given_name(self.place(&bound.path, Namespace::Type)),
            _ => String::new(),
        }
    }

    /// Spells a bound of a clause with these lifetimes.
    pub(super) fn bound(&mut self, bound: &'a TypeParamBound, clause: Option<&'a BoundLifetimes>) -> String {
        match bound {
            _ if self.spent > LONGEST => ENDLESS.to_string(),
            TypeParamBound::Trait(bound) => {
                let maybe = if bound.maybe.is_some() { "?" } else { "" };
                let lifetimes = clause.into_iter().chain(&bound.lifetimes);
                format!("{maybe}{}", self.trait_path(&bound.path, lifetimes))
            }
            TypeParamBound::Lifetime(lifetime) => self.lifetime(Some(lifetime)),
            // Which lifetimes a returned `impl Trait` captures: all of them, if nothing is said.
            TypeParamBound::PreciseCapture(_) => "use".to_string(),
            _ => "something unknown".to_string(),
        }
    }

    /// Spells a trait. Lifetimes in `Fn(&T)` are its own, and so are these.
    pub(in crate::judging::inspect::given) fn trait_path(
        &mut self,
        path: &'a syn::Path,
        lifetimes: impl IntoIterator<Item = &'a BoundLifetimes>,
    ) -> String {
        let place = self.names.given_name(self.place(path, Namespace::Type));
        let own = Lifetimes::of(lifetimes);
        self.spent += own.declared.len();
        let spelled = match path.segments.last().map(|last| &last.arguments) {
            Some(PathArguments::Parenthesized(call)) => {
                self.call(own, call.inputs.iter().map(|input| &input.ty).collect(), &call.output)
            }
            Some(arguments) if own.declared.is_empty() => self.arguments(arguments, 0),
            Some(arguments) => {
                self.lifetimes.push(own);
                let spelled = self.arguments(arguments, 0);
                self.lifetimes.pop();
                spelled
            }
            None => String::new(),
        };
        place + &spelled
    }

    fn fn_pointer(&mut self, pointer: &'a syn::TypeFnPtr) -> String {
        let inputs = pointer.inputs.iter().map(|input| &input.ty).collect();
        let call = self.call(Lifetimes::of(&pointer.lifetimes), inputs, &pointer.output);
        let unsafety = if pointer.unsafety.is_some() { "unsafe " } else { "" };
        let extern_ = if pointer.abi.is_some() { "extern " } else { "" };
        format!("{unsafety}{extern_}fn{call}")
    }

    /// `(A, B) -> C`, whose lifetimes are its own where nothing else is said.
    fn call(&mut self, own: Lifetimes, inputs: Vec<&'a Type>, output: &'a syn::ReturnType) -> String {
        self.lifetimes.push(own);
        let outside = self.elided.take();
        let before = self.seen.len();
        let inputs: Vec<String> = inputs.into_iter().map(|ty| self.ty(ty)).collect();
        self.elide_to(only(&self.seen[before..]).unwrap_or("'_").to_string());
        let output = self.output(output);
        self.elided = outside;
        self.lifetimes.pop();
        format!("({}) -> {output}", inputs.join(", "))
    }

    /// Spells what is returned.
    pub(in crate::judging::inspect::given) fn output(&mut self, output: &'a syn::ReturnType) -> String {
        match output {
            syn::ReturnType::Default => "()".to_string(),
            syn::ReturnType::Type(_, ty) => self.ty(ty),
        }
    }

    fn path_type(&mut self, ty: &'a syn::TypePath) -> String {
        let words: Vec<String> = ty.path.segments.iter().map(|segment| plain(&segment.ident)).collect();
        if let Some(of) = &ty.qself {
            let of = self.ty(&of.ty);
            return format!("<{of} as {}>", self.place(&ty.path, Namespace::Type));
        }
        let (first, rest) = (&words[0], &words[1..]);
        let known = match first.as_str() {
            _ if ty.path.leading_colon.is_some() => None,
            "Self" => self.own.clone(),
            name => self.named(name),
        };
        if let Some(known) = known {
            return [&[known], rest].concat().join("::");
        }
        let place = self.place(&ty.path, Namespace::Type);
        let arguments = &ty.path.segments.last().expect("a path has parts").arguments;
        let defined = self.names.definitions(&place, Namespace::Type);
        let lifetimes = match defined {
            [Definition { item: Item::Type(alias), .. }] => return self.alias(&place, alias, arguments),
            [Definition { item: Item::Struct(item), .. }, ..] => item.generics.lifetimes().count(),
            [Definition { item: Item::Enum(item), .. }, ..] => item.generics.lifetimes().count(),
            _ => 0,
        };
        self.names.given_name(place) + &self.arguments(arguments, lifetimes)
    }

    /// Spells what an alias stands for.
    fn alias(&mut self, place: &str, alias: &'a syn::ItemType, arguments: &'a PathArguments) -> String {
        if self.aliases == MOST_ALIASES {
            return ENDLESS.to_string();
        }
        let lifetimes = alias.generics.lifetimes().count();
        let mut given = self.each_argument(arguments, lifetimes).into_iter();
        let module = place.rsplit_once("::").map_or("", |(module, _)| module).to_string();
        // Names in the alias are those of the place where it is defined, and of nothing else.
        let outside = (std::mem::replace(&mut self.module, module), self.alias.take(), self.own.take());
        self.aliases += 1;
        self.alias = Some(BTreeMap::new());
        for parameter in &alias.generics.params {
            let (name, default) = match parameter {
                GenericParam::Lifetime(one) => (format!("'{}", plain(&one.lifetime.ident)), None),
                GenericParam::Type(one) => (plain(&one.ident), one.default.as_ref().map(|(_, ty)| ty)),
                GenericParam::Const(one) => (plain(&one.ident), None),
            };
            let argument = given.next().or_else(|| default.map(|ty| self.ty(ty)));
            self.alias.get_or_insert_default().insert(name, argument.unwrap_or_else(|| "_".to_string()));
        }
        let spelled = self.ty(&alias.ty);
        self.aliases -= 1;
        (self.module, self.alias, self.own) = outside;
        spelled
    }

    fn arguments(&mut self, arguments: &'a PathArguments, lifetimes: usize) -> String {
        let each = self.each_argument(arguments, lifetimes);
        if each.is_empty() { String::new() } else { format!("<{}>", each.join(", ")) }
    }

    /// Spells the arguments of a type or trait with so many lifetimes.
    fn each_argument(&mut self, arguments: &'a PathArguments, lifetimes: usize) -> Vec<String> {
        let written = match arguments {
            PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
            _ => None,
        };
        let written = || written.into_iter().flatten();
        let left_out = !written().any(|argument| matches!(argument, GenericArgument::Lifetime(_)));
        let mut spelled: Vec<String> = (0..if left_out { lifetimes } else { 0 }).map(|_| self.lifetime(None)).collect();
        for argument in written() {
            spelled.push(match argument {
                GenericArgument::Lifetime(lifetime) => self.lifetime(Some(lifetime)),
                GenericArgument::Type(ty) => self.ty(ty),
                GenericArgument::Const(value) => self.constant(value),
                GenericArgument::AssocType(one) => format!("{} = {}", plain(&one.ident), self.ty(&one.ty)),
                GenericArgument::Constraint(one) => {
                    format!("{}: {}", plain(&one.ident), join(self.bounds(&one.bounds), " + "))
                }
                _ => "something unknown".to_string(),
            });
        }
        spelled
    }

    /// A constant in a type. Two that are computed are taken for the same: the types in a kata's tests tell them apart.
    fn constant(&mut self, value: &'a syn::Expr) -> String {
        match value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(number), .. }) => number.base10_digits().to_string(),
            syn::Expr::Path(path) => match path.path.get_ident().and_then(|name| self.named(&plain(name))) {
                Some(parameter) => parameter,
                None => self.place(&path.path, Namespace::Value),
            },
            _ => "a computed number".to_string(),
        }
    }
}

fn join(texts: BTreeSet<String>, between: &str) -> String {
    texts.into_iter().collect::<Vec<_>>().join(between)
}
