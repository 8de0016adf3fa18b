//! Spelling: one way to write each type, however a source writes it. Two types that are spelled alike are the same
//! type.
//!
//! Names become places, aliases what they stand for. Generic parameters and lifetimes become numbers in the order in
//! which they are met (`$0`, `'0.0`), so their names don't matter, and neither does where their bounds stand. `impl
//! Trait` as a parameter's type is one more generic parameter, and a lifetime that is left out is one more lifetime.

mod lifetimes;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use syn::{BoundLifetimes, GenericParam, Type, TypeParamBound, WherePredicate};

use crate::judging::inspect::given::spelling::lifetimes::Lifetimes;
pub(super) use crate::judging::inspect::given::spelling::lifetimes::only;
use crate::judging::inspect::names::{Names, Namespace};
use crate::judging::inspect::plain;

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
    bounds: Vec<(&'a TypeParamBound, Option<&'a BoundLifetimes>)>,
    /// The type of a constant.
    constant: Option<&'a Type>,
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
                    self.lifetimes[0].declared.insert(plain(&one.lifetime.ident));
                    continue;
                }
                GenericParam::Type(one) => (&one.ident, one.bounds.iter().map(|bound| (bound, None)).collect(), None),
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
                    let bounds = clause.bounds.iter().map(|bound| (bound, clause.lifetimes.as_ref()));
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
            for (bound, clause) in bounds {
                let text = self.bound(bound, clause);
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
                let (bounded, lifetimes) = (self.ty(&clause.bounded_ty), clause.lifetimes.as_ref());
                clause.bounds.iter().map(|bound| format!("{bounded}: {}", self.bound(bound, lifetimes))).collect()
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
}
