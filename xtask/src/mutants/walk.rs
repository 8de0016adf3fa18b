//! The walk over a file: every place of its functions in which something could be written differently.

use std::collections::BTreeMap;

use syn::visit::{self, Visit};
use syn::{Block, Expr, Signature};

use super::text::Source;

/// A place in a function, and what is known of it.
pub(super) struct Place<'a> {
    /// What is there.
    pub(super) node: Node<'a>,
    /// The text that it is in.
    pub(super) source: Source<'a>,
    /// The names of functions that return a lock's guard.
    pub(super) locks: &'a [String],
}

/// What can be changed.
#[derive(Clone, Copy)]
pub(super) enum Node<'a> {
    /// A whole function.
    Function(&'a Signature, &'a Block),
    /// The statements between two braces.
    Block(&'a Block),
    /// An expression.
    Expr(&'a Expr),
}

/// A file's functions.
pub(super) struct Outline<'a> {
    source: Source<'a>,
    functions: Vec<Function<'a>>,
    locks: Vec<String>,
}

struct Function<'a> {
    /// With the names of what it is in: `memory::Memory::map`.
    name: String,
    signature: &'a Signature,
    block: &'a Block,
}

/// Methods that give a guard, whatever the library.
const LOCKS: [&str; 7] = ["lock", "read", "write", "try_lock", "try_lock_for", "try_lock_until", "acquire"];

impl<'a> Outline<'a> {
    /// The functions of a file with this text.
    pub(super) fn new(file: &'a syn::File, source: Source<'a>) -> Outline<'a> {
        let mut gathered = Functions { path: Vec::new(), found: Vec::new() };
        gathered.visit_file(file);
        let own = gathered.found.iter().filter(|function| match &function.signature.output {
            syn::ReturnType::Default => false,
            syn::ReturnType::Type(_, kind) => source.of(kind).contains("Guard"),
        });
        let own = own.map(|function| function.signature.ident.to_string());
        let locks = LOCKS.into_iter().map(String::from).chain(own).collect();
        Outline { source, functions: gathered.found, locks }
    }

    /// Shows `look` every place of every function, with the function's name; but not of those that `stub` has just so.
    pub(super) fn walk(&'a self, stub: &Outline<'_>, look: &mut dyn FnMut(&str, &Place<'a>)) {
        let given: BTreeMap<&str, String> =
            stub.functions.iter().map(|function| (function.name.as_str(), stub.body(function))).collect();
        for function in &self.functions {
            if given.get(function.name.as_str()) == Some(&self.body(function)) {
                continue;
            }
            let mut walker = Walker { outline: self, function: &function.name, look };
            walker.show(Node::Function(function.signature, function.block));
            walker.visit_block(function.block);
        }
    }

    /// A function's body, all spaces alike.
    fn body(&self, function: &Function<'_>) -> String {
        self.source.of(function.block).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Gathers functions. One inside of another is a part of that.
struct Functions<'a> {
    path: Vec<String>,
    found: Vec<Function<'a>>,
}

impl<'a> Functions<'a> {
    fn inside(&mut self, name: String, look: impl FnOnce(&mut Self)) {
        self.path.push(name);
        look(self);
        self.path.pop();
    }

    fn add(&mut self, signature: &'a Signature, block: &'a Block) {
        let path = self.path.iter().cloned().chain([signature.ident.to_string()]);
        self.found.push(Function { name: path.collect::<Vec<_>>().join("::"), signature, block });
    }
}

impl<'a> Visit<'a> for Functions<'a> {
    fn visit_item_mod(&mut self, module: &'a syn::ItemMod) {
        self.inside(module.ident.to_string(), |inside| visit::visit_item_mod(inside, module));
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        let name = match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
            _ => None,
        };
        self.inside(name.unwrap_or_default(), |inside| visit::visit_item_impl(inside, item));
    }

    fn visit_item_trait(&mut self, item: &'a syn::ItemTrait) {
        self.inside(item.ident.to_string(), |inside| visit::visit_item_trait(inside, item));
    }

    fn visit_item_fn(&mut self, function: &'a syn::ItemFn) {
        self.add(&function.sig, &function.block);
    }

    fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
        self.add(&function.sig, &function.block);
    }

    fn visit_trait_item_fn(&mut self, function: &'a syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.add(&function.sig, block);
        }
    }
}

struct Walker<'a, 'walk> {
    outline: &'a Outline<'a>,
    function: &'walk str,
    look: &'walk mut dyn FnMut(&str, &Place<'a>),
}

impl<'a> Walker<'a, '_> {
    fn show(&mut self, node: Node<'a>) {
        let place = Place { node, source: self.outline.source, locks: &self.outline.locks };
        (self.look)(self.function, &place);
    }
}

impl<'a> Visit<'a> for Walker<'a, '_> {
    fn visit_block(&mut self, block: &'a Block) {
        self.show(Node::Block(block));
        visit::visit_block(self, block);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        self.show(Node::Expr(expr));
        visit::visit_expr(self, expr);
    }
}

/// Whether this expression, or one in it, is what is looked for.
pub(super) fn contains<'a>(look_in: impl FnOnce(&mut dyn Visit<'a>), is_it: impl Fn(&'a Expr) -> bool) -> bool {
    let mut finder = Finder { is_it, found: Vec::new() };
    look_in(&mut finder);
    !finder.found.is_empty()
}

/// The expressions that are looked for, outermost first.
pub(super) fn all<'a>(look_in: impl FnOnce(&mut dyn Visit<'a>), is_it: impl Fn(&'a Expr) -> bool) -> Vec<&'a Expr> {
    let mut finder = Finder { is_it, found: Vec::new() };
    look_in(&mut finder);
    finder.found
}

struct Finder<'a, F> {
    is_it: F,
    found: Vec<&'a Expr>,
}

impl<'a, F: Fn(&'a Expr) -> bool> Visit<'a> for Finder<'a, F> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if (self.is_it)(expr) {
            self.found.push(expr);
        }
        visit::visit_expr(self, expr);
    }
}
