//! Spelling: one way to write each type, however a source writes it. Two types that are spelled alike are the same type.
//!
//! Names become places, aliases what they stand for. Generic parameters and lifetimes become numbers in the order in which they are met
//! (`$0`, `'0.0`), so their names don't matter, and neither does where their bounds stand. `impl Trait` as a parameter's type is one
//! more generic parameter, and a lifetime that is left out is one more lifetime.

use std::collections::{BTreeMap, BTreeSet};

use syn::punctuated::Punctuated;
use syn::{GenericArgument, GenericParam, Item, PathArguments, Token, Type, TypeParamBound, WherePredicate};

use crate::inspect::given::names::{Definition, Names, Namespace};
use crate::inspect::plain;

/// No item of an honest answer takes so many bytes to spell. Aliases of aliases may double the length at each step.
const LONGEST: usize = 64 * 1024;
/// What is longer, or an alias of itself.
const ENDLESS: &str = "…";
/// So many aliases of aliases are followed.
const MOST_ALIASES: usize = 32;

type Bounds = Punctuated<TypeParamBound, Token![+]>;

/// One item's types on the way to be spelled: what its names stand for, and what was met of them.
pub(super) struct Speller<'n, 'a> {
    names: &'n Names<'a>,
    /// The module in which the text stands.
    module: String,
    /// What `Self` is.
    pub(super) own: Option<String>,
    parameters: Vec<Parameter<'a>>,
    /// The parameters that were met, in order: their numbers are their places here.
    met: Vec<usize>,
    /// `where` clauses about something else than a parameter.
    clauses: Vec<&'a WherePredicate>,
    /// Those of the item, and inside of them those of each `for<'a>` and `Fn(&T)`.
    lifetimes: Vec<Lifetimes>,
    /// What a lifetime stands for that is left out: nothing means one that was not met yet.
    elided: Option<String>,
    /// The lifetimes that were spelled, in order.
    seen: Vec<String>,
    /// Whether `impl Trait` is a parameter of its own here.
    pub(super) impl_is_parameter: bool,
    /// The lifetime of a `dyn Trait` that says none.
    object: String,
    /// Inside of aliases: what the parameters of the innermost one stand for.
    alias: Option<BTreeMap<String, String>>,
    aliases: usize,
    spent: usize,
}

struct Parameter<'a> {
    /// `impl Trait` has no name.
    name: Option<String>,
    number: Option<usize>,
    /// Each with the lifetimes of the `for<'a>` before it.
    bounds: Vec<(&'a TypeParamBound, Vec<String>)>,
    /// The type of a constant.
    constant: Option<&'a Type>,
}

#[derive(Default)]
struct Lifetimes {
    declared: Vec<String>,
    numbered: BTreeMap<String, String>,
    next: usize,
}

impl<'n, 'a> Speller<'n, 'a> {
    pub(super) fn new(names: &'n Names<'a>, module: &str) -> Speller<'n, 'a> {
        Speller {
            names,
            module: module.to_string(),
            own: None,
            parameters: Vec::new(),
            met: Vec::new(),
            clauses: Vec::new(),
            lifetimes: vec![Lifetimes::default()],
            elided: None,
            seen: Vec::new(),
            impl_is_parameter: false,
            object: "'static".to_string(),
            alias: None,
            aliases: 0,
            spent: 0,
        }
    }

    /// Makes an item's generic parameters known.
    pub(super) fn declare(&mut self, generics: &'a syn::Generics) {
        for parameter in &generics.params {
            let (name, bounds, constant) = match parameter {
                GenericParam::Lifetime(one) => {
                    self.lifetimes[0].declared.push(plain(&one.lifetime.ident));
                    continue;
                }
                GenericParam::Type(one) => {
                    (&one.ident, one.bounds.iter().map(|bound| (bound, Vec::new())).collect(), None)
                }
                GenericParam::Const(one) => (&one.ident, Vec::new(), Some(&one.ty)),
            };
            self.parameters.push(Parameter { name: Some(plain(name)), number: None, bounds, constant });
        }
        let clauses = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        for clause in clauses {
            let bounded = match clause {
                WherePredicate::Type(clause) => self.parameter(&clause.bounded_ty).map(|number| (clause, number)),
                _ => None,
            };
            match bounded {
                Some((clause, number)) => {
                    let lifetimes = for_lifetimes(clause.lifetimes.as_ref());
                    let bounds = clause.bounds.iter().map(|bound| (bound, lifetimes.clone()));
                    self.parameters[number].bounds.extend(bounds);
                }
                None => self.clauses.push(clause),
            }
        }
    }

    /// Numbers all parameters in the order in which they are written: that of a type's arguments.
    pub(super) fn number_all(&mut self, generics: &'a syn::Generics) -> String {
        let spelled = generics.params.iter().map(|parameter| match parameter {
            GenericParam::Lifetime(one) => self.lifetime(Some(&one.lifetime)),
            GenericParam::Type(one) => self.named(&plain(&one.ident)).unwrap_or_default(),
            GenericParam::Const(one) => self.named(&plain(&one.ident)).unwrap_or_default(),
        });
        spelled.collect::<Vec<_>>().join(", ")
    }

    /// What is asked of whoever uses the item: all bounds of all parameters.
    pub(super) fn demands(&mut self) -> BTreeSet<String> {
        let mut demands = BTreeSet::new();
        (self.impl_is_parameter, self.elided) = (false, None);
        let mut next = 0;
        // A bound may mention parameters that were not met before.
        while let Some(&place) = self.met.get(next) {
            let mut bounds = std::mem::take(&mut self.parameters[place].bounds);
            bounds.sort_by_cached_key(|(bound, _)| self.order(bound));
            let mut sized = true;
            for (bound, lifetimes) in bounds {
                let text = self.bound(bound, &lifetimes);
                sized &= text != "?std::marker::Sized";
                demands.insert(format!("${next}: {text}"));
            }
            match self.parameters[place].constant {
                Some(ty) => demands.insert(format!("${next} is a {}", self.ty(ty))),
                None => sized && demands.insert(format!("${next}: std::marker::Sized")),
            };
            demands.remove(&format!("${next}: ?std::marker::Sized"));
            next += 1;
        }
        for clause in std::mem::take(&mut self.clauses) {
            demands.extend(self.clause(clause));
        }
        if self.met.len() < self.parameters.len() {
            demands.insert("a parameter that nothing tells".to_string());
        }
        demands
    }

    fn clause(&mut self, clause: &'a WherePredicate) -> Vec<String> {
        match clause {
            WherePredicate::Type(clause) => {
                let lifetimes = for_lifetimes(clause.lifetimes.as_ref());
                let bounded = self.ty(&clause.bounded_ty);
                clause.bounds.iter().map(|bound| format!("{bounded}: {}", self.bound(bound, &lifetimes))).collect()
            }
            WherePredicate::Lifetime(clause) => {
                let bounded = self.lifetime(Some(&clause.lifetime));
                clause.bounds.iter().map(|bound| format!("{bounded}: {}", self.lifetime(Some(bound)))).collect()
            }
            _ => vec!["something unknown".to_string()],
        }
    }

    /// The lifetimes that were spelled so far.
    pub(super) fn seen(&self) -> &[String] {
        &self.seen
    }

    /// From here on, a lifetime that is left out is this one.
    pub(super) fn elide_to(&mut self, lifetime: impl Into<String>) {
        self.elided = Some(lifetime.into());
    }

    /// Spells a type.
    pub(super) fn ty(&mut self, ty: &'a Type) -> String {
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
                let bounds = one.bounds.iter().map(|bound| (bound, Vec::new())).collect();
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
    pub(super) fn bounds(&mut self, bounds: &'a Bounds) -> BTreeSet<String> {
        let mut bounds: Vec<&TypeParamBound> = bounds.iter().collect();
        bounds.sort_by_cached_key(|bound| self.order(bound));
        bounds.into_iter().map(|bound| self.bound(bound, &[])).collect()
    }

    /// Bounds of one parameter are spelled in an order that doesn't depend on the text's.
    fn order(&self, bound: &TypeParamBound) -> String {
        match bound {
            TypeParamBound::Trait(bound) => self.names.given_name(self.place(&bound.path, Namespace::Type)),
            _ => String::new(),
        }
    }

    fn bound(&mut self, bound: &'a TypeParamBound, lifetimes: &[String]) -> String {
        match bound {
            TypeParamBound::Trait(bound) => {
                let mut declared = lifetimes.to_vec();
                declared.extend(for_lifetimes(bound.lifetimes.as_ref()));
                let maybe = if bound.maybe.is_some() { "?" } else { "" };
                format!("{maybe}{}", self.trait_path(&bound.path, declared))
            }
            TypeParamBound::Lifetime(lifetime) => self.lifetime(Some(lifetime)),
            // Which lifetimes a returned `impl Trait` captures: all of them, if nothing is said.
            TypeParamBound::PreciseCapture(_) => "use".to_string(),
            _ => "something unknown".to_string(),
        }
    }

    /// Spells a trait. Lifetimes in `Fn(&T)` are its own.
    pub(super) fn trait_path(&mut self, path: &'a syn::Path, declared: Vec<String>) -> String {
        let place = self.names.given_name(self.place(path, Namespace::Type));
        match path.segments.last().map(|last| &last.arguments) {
            Some(PathArguments::Parenthesized(call)) => {
                let inputs = call.inputs.iter().map(|input| &input.ty).collect();
                format!("{place}{}", self.call(declared, inputs, &call.output))
            }
            Some(arguments) if declared.is_empty() => format!("{place}{}", self.arguments(arguments, 0)),
            Some(arguments) => {
                self.lifetimes.push(Lifetimes { declared, ..Lifetimes::default() });
                let spelled = format!("{place}{}", self.arguments(arguments, 0));
                self.lifetimes.pop();
                spelled
            }
            None => place,
        }
    }

    fn fn_pointer(&mut self, pointer: &'a syn::TypeFnPtr) -> String {
        let inputs = pointer.inputs.iter().map(|input| &input.ty).collect();
        let call = self.call(for_lifetimes(pointer.lifetimes.as_ref()), inputs, &pointer.output);
        let unsafety = if pointer.unsafety.is_some() { "unsafe " } else { "" };
        let extern_ = if pointer.abi.is_some() { "extern " } else { "" };
        format!("{unsafety}{extern_}fn{call}")
    }

    /// `(A, B) -> C`, whose lifetimes are its own where nothing else is said.
    fn call(&mut self, declared: Vec<String>, inputs: Vec<&'a Type>, output: &'a syn::ReturnType) -> String {
        self.lifetimes.push(Lifetimes { declared, ..Lifetimes::default() });
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
    pub(super) fn output(&mut self, output: &'a syn::ReturnType) -> String {
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
        let mut meaning = BTreeMap::new();
        for parameter in &alias.generics.params {
            let (name, default) = match parameter {
                GenericParam::Lifetime(one) => (format!("'{}", plain(&one.lifetime.ident)), None),
                GenericParam::Type(one) => (plain(&one.ident), one.default.as_ref().map(|(_, ty)| ty)),
                GenericParam::Const(one) => (plain(&one.ident), None),
            };
            self.alias = Some(meaning.clone());
            let argument = given.next().or_else(|| default.map(|ty| self.ty(ty)));
            meaning.insert(name, argument.unwrap_or_else(|| "_".to_string()));
        }
        self.alias = Some(meaning);
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

    /// Where it is defined what a path means.
    pub(super) fn place(&self, path: &syn::Path, namespace: Namespace) -> String {
        let colons = path.leading_colon.iter().map(|_| String::new());
        let words: Vec<String> = colons.chain(path.segments.iter().map(|segment| plain(&segment.ident))).collect();
        let place = self.names.resolve(&self.module, &words, namespace);
        place.unwrap_or_else(|| format!("? {}", words.join("::")))
    }

    /// The parameter that a type is.
    fn parameter(&self, ty: &Type) -> Option<usize> {
        let Type::Path(path) = ty else { return None };
        let name = plain(path.path.get_ident().filter(|_| path.qself.is_none())?);
        self.parameters.iter().position(|parameter| parameter.name.as_ref() == Some(&name))
    }

    /// Spells a name, if it is a parameter's.
    fn named(&mut self, name: &str) -> Option<String> {
        if let Some(alias) = &self.alias {
            return alias.get(name).cloned();
        }
        let place = self.parameters.iter().position(|parameter| parameter.name.as_deref() == Some(name))?;
        Some(self.number(place))
    }

    fn number(&mut self, place: usize) -> String {
        let number = *self.parameters[place].number.get_or_insert_with(|| {
            self.met.push(place);
            self.met.len() - 1
        });
        format!("${number}")
    }

    /// Spells a lifetime. Nothing and `'_` are one that is left out.
    pub(super) fn lifetime(&mut self, written: Option<&syn::Lifetime>) -> String {
        let name = written.map(|lifetime| plain(&lifetime.ident)).filter(|name| name != "_");
        let spelled = match name {
            Some(name) if name == "static" => "'static".to_string(),
            Some(name) => {
                let of_alias = self.alias.as_ref().and_then(|alias| alias.get(&format!("'{name}")).cloned());
                of_alias.unwrap_or_else(|| self.declared_lifetime(name))
            }
            None => match &self.elided {
                Some(known) => known.clone(),
                None => {
                    let depth = self.lifetimes.len() - 1;
                    self.lifetimes[depth].fresh(depth)
                }
            },
        };
        self.seen.push(spelled.clone());
        spelled
    }

    fn declared_lifetime(&mut self, name: String) -> String {
        let depth = self.lifetimes.iter().rposition(|lifetimes| lifetimes.declared.contains(&name)).unwrap_or(0);
        let lifetimes = &mut self.lifetimes[depth];
        if let Some(known) = lifetimes.numbered.get(&name) {
            return known.clone();
        }
        let spelled = lifetimes.fresh(depth);
        lifetimes.numbered.insert(name, spelled.clone());
        spelled
    }
}

impl Lifetimes {
    fn fresh(&mut self, depth: usize) -> String {
        self.next += 1;
        format!("'{depth}.{}", self.next - 1)
    }
}

/// The lifetimes of a `for<'a>`.
fn for_lifetimes(bound: Option<&syn::BoundLifetimes>) -> Vec<String> {
    let parameters = bound.into_iter().flat_map(|bound| &bound.lifetimes);
    let lifetimes = parameters.filter_map(|parameter| match parameter {
        GenericParam::Lifetime(one) => Some(plain(&one.lifetime.ident)),
        _ => None,
    });
    lifetimes.collect()
}

/// The one lifetime that all of these are.
pub(super) fn only(lifetimes: &[String]) -> Option<&str> {
    let (first, rest) = lifetimes.split_first()?;
    rest.iter().all(|other| other == first).then_some(first.as_str())
}

fn join(texts: BTreeSet<String>, between: &str) -> String {
    texts.into_iter().collect::<Vec<_>>().join(between)
}
