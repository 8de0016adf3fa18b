//! Times that are none, or never end, or begin again.

use syn::visit::{self, Visit};
use syn::{Expr, FnArg, GenericArgument, Local, Pat, PathArguments, Stmt, Type};

use super::text::Change;
use super::walk::{Node, Place};

/// Longer than any test.
const ENDLESS: &str = "std::time::Duration::from_secs(31_536_000)";
const NONE: &str = "std::time::Duration::ZERO";

/// `let end = … Instant::now() …` → computed again wherever `end` is used in a loop or a closure: a limit that starts anew with
/// every round.
pub(super) fn restarted(place: &Place<'_>) -> Vec<Change> {
    let (Node::Block(block), source) = (place.node, place.source) else { return Vec::new() };
    let again = block.stmts.iter().enumerate().filter_map(|(bound, statement)| {
        let Stmt::Local(Local { pat: Pat::Ident(name), init: Some(init), .. }) = statement else { return None };
        let (name, text) = (name.ident.to_string(), format!("({})", source.of(&*init.expr)));
        // A loop around this statement repeats it anyway.
        let mut uses = Uses { name: &name, repeated: 0, found: Vec::new() };
        block.stmts[bound + 1..].iter().for_each(|later| uses.visit_stmt(later));
        let edits: Vec<_> = uses.found.iter().map(|expr| source.replace(*expr, text.clone())).collect();
        let is_moment = text.contains("Instant::now()") && !edits.is_empty();
        is_moment.then(|| Change::of_all(format!("{name} anew each time"), edits))
    });
    again.collect()
}

/// A parameter that is a time → none, and a year; so too the argument of a call of `timeout`. An optional one → never, and at once.
pub(super) fn another(place: &Place<'_>) -> Vec<Change> {
    let source = place.source;
    let replaced = |argument: &Expr| {
        let what = |other: &str| format!("{} {other}", source.short(argument));
        vec![
            Change::new(what("is no time"), source.replace(argument, NONE)),
            Change::new(what("is endless"), source.replace(argument, ENDLESS)),
        ]
    };
    match place.node {
        Node::Function(signature, block) => {
            let Some(first) = block.stmts.first() else { return Vec::new() };
            let set = |name: &syn::Ident, what: &str, value: &str| {
                let text = format!("let {name} = {value};");
                Change::new(format!("{name} {what}"), source.insert_before(first, &text))
            };
            let mut changes = Vec::new();
            for input in &signature.inputs {
                let FnArg::Typed(parameter) = input else { continue };
                let Pat::Ident(syn::PatIdent { ident, .. }) = &*parameter.pat else { continue };
                if is_duration(&parameter.ty) {
                    changes.extend([set(ident, "is no time", NONE), set(ident, "is endless", ENDLESS)]);
                } else if is_maybe_duration(&parameter.ty) {
                    let none = format!("Some({NONE})");
                    let never = "None::<std::time::Duration>";
                    changes.extend([set(ident, "is no time", &none), set(ident, "is endless", never)]);
                }
            }
            changes
        }
        Node::Expr(Expr::MethodCall(call)) if call.method == "timeout" && call.args.len() == 1 => {
            replaced(&call.args[0])
        }
        Node::Expr(Expr::Call(call)) if source.of(&*call.func).ends_with("timeout") && call.args.len() == 2 => {
            replaced(&call.args[0])
        }
        _ => Vec::new(),
    }
}

fn is_duration(kind: &Type) -> bool {
    matches!(kind, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Duration"))
}

fn is_maybe_duration(kind: &Type) -> bool {
    let Type::Path(path) = kind else { return false };
    let Some(last) = path.path.segments.last() else { return false };
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return false };
    last.ident == "Option"
        && arguments.args.iter().any(|one| matches!(one, GenericArgument::Type(kind) if is_duration(kind)))
}

/// Where a local value is used in what may run several times.
struct Uses<'a, 'name> {
    name: &'name str,
    repeated: usize,
    found: Vec<&'a Expr>,
}

impl<'a> Visit<'a> for Uses<'a, '_> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        let repeats = matches!(expr, Expr::While(_) | Expr::Loop(_) | Expr::ForLoop(_) | Expr::Closure(_));
        self.repeated += usize::from(repeats);
        if self.repeated > 0 && matches!(expr, Expr::Path(path) if path.path.is_ident(self.name)) {
            self.found.push(expr);
        }
        visit::visit_expr(self, expr);
        self.repeated -= usize::from(repeats);
    }
}

#[cfg(test)]
mod tests {
    use crate::mutants::tests::made;

    #[test]
    fn a_limit_starts_anew_in_each_round() {
        let anew = |body: &str| made("a time that starts anew", &format!("fn f() {{\n    {body}\n}}\n"));
        let text = "let end = Instant::now() + limit;\n    while a {\n        wait(end);\n    }\n    b(end)";
        assert_eq!(anew(text), [("end anew each time".to_string(), "wait((Instant::now() + limit));".to_string())]);
        assert!(anew("let end = Instant::now();\n    wait(end);").is_empty(), "once");
        let inside = "while a {\n        let now = Instant::now();\n        wait(now);\n    }";
        assert!(anew(inside).is_empty(), "it is taken anew in each round as it is");
        assert!(anew("let end = limit;\n    while a { wait(end); }").is_empty());
        assert_eq!(
            anew("let end = Instant::now();\n    let wait = || until(end);").len(),
            1,
            "a closure may be called twice"
        );
    }

    #[test]
    fn times_are_none_or_endless() {
        let another = |text: &str| made("another time", text).into_iter().map(|(what, _)| what).collect::<Vec<_>>();
        assert_eq!(another("fn f(limit: Duration) {\n    a(limit)\n}\n"), ["limit is no time", "limit is endless"]);
        assert_eq!(
            another("fn f(limit: Option<time::Duration>) {\n    a(limit)\n}\n"),
            ["limit is no time", "limit is endless"]
        );
        assert_eq!(another("fn f(a: A) {\n    b.timeout(a.c)\n}\n"), ["a.c is no time", "a.c is endless"]);
        assert!(another("fn f(a: u64) {\n    b.wait(a)\n}\n").is_empty());
    }
}
