//! Lifetimes, each by a number, also those that are left out.

use std::collections::{BTreeMap, BTreeSet};

use syn::GenericParam;

use crate::judging::inspect::given::spelling::Speller;
use crate::judging::inspect::plain;

/// The lifetimes of an item, or of one `for<'a>` or `Fn(&T)`.
#[derive(Default)]
pub(super) struct Lifetimes {
    pub(super) declared: BTreeSet<String>,
    numbered: BTreeMap<String, String>,
    next: usize,
}

impl Speller<'_, '_> {
    /// Spells a lifetime. Nothing and `'_` are one that is left out.
    pub(in crate::judging::inspect::given) fn lifetime(&mut self, written: Option<&syn::Lifetime>) -> String {
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
    /// Those that are declared by some `for<'a>`.
    pub(super) fn of<'a>(bound: impl IntoIterator<Item = &'a syn::BoundLifetimes>) -> Lifetimes {
        let parameters = bound.into_iter().flat_map(|bound| &bound.lifetimes);
        let declared = parameters.filter_map(|parameter| match parameter {
            GenericParam::Lifetime(one) => Some(plain(&one.lifetime.ident)),
            _ => None,
        });
        Lifetimes { declared: declared.collect(), ..Lifetimes::default() }
    }

    fn fresh(&mut self, depth: usize) -> String {
        self.next += 1;
        format!("'{depth}.{}", self.next - 1)
    }
}

/// The one lifetime that all of these are.
pub(in crate::judging::inspect::given) fn only(lifetimes: &[String]) -> Option<&str> {
    let (first, rest) = lifetimes.split_first()?;
    rest.iter().all(|other| other == first).then_some(first.as_str())
}
