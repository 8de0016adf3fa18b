//! Statements left out or in another order.

use syn::{BinOp, Expr, Local, Pat, Stmt};

use super::text::Change;
use super::walk::{Node, Place};

/// A call, an assignment, a `break` or `continue`, `let _ = …`, or an `if` without an `else` → nothing. That drops a wakeup,
/// a close, a join, a look at a flag.
pub(super) fn left_out(place: &Place<'_>) -> Vec<Change> {
    let Node::Block(block) = place.node else { return Vec::new() };
    let at_the_end = |statement: &Stmt| block.stmts.last().is_some_and(|last| std::ptr::eq(last, statement));
    let statements = block.stmts.iter().filter(|statement| match statement {
        // What is dropped at a block's end is dropped there anyway.
        Stmt::Expr(Expr::Call(call), _) if at_the_end(statement) && drops(call) => false,
        Stmt::Expr(Expr::If(choice), _) => choice.else_branch.is_none(),
        Stmt::Expr(Expr::Break(_) | Expr::Continue(_), Some(_)) => true,
        Stmt::Local(Local { pat: Pat::Wild(_), .. }) => true,
        other => acts(other),
    });
    statements
        .map(|statement| {
            let what = format!("without {}", place.source.short(statement));
            Change::new(what, place.source.remove(statement))
        })
        .collect()
}

/// `x.f(a)` → `x`: no smaller one, no timeout, no flush of a builder. Most of these don't compile.
pub(super) fn link(place: &Place<'_>) -> Vec<Change> {
    let Node::Expr(expr @ Expr::MethodCall(call)) = place.node else { return Vec::new() };
    let of_self = matches!(&*call.receiver, Expr::Path(path) if path.path.is_ident("self"));
    // What only changes a type can't be left out.
    let needed = ["expect", "map", "map_err", "ok_or", "ok_or_else"].iter().any(|name| call.method == name);
    if call.args.is_empty() || of_self || needed {
        return Vec::new();
    }
    let arguments = call.args.iter().map(|argument| place.source.short(argument)).collect::<Vec<_>>().join(", ");
    let what = format!("without .{}({arguments})", call.method);
    vec![Change::new(what, place.source.cut(&*call.receiver, expr))]
}

/// Two statements that act, one after the other → the other way round: a wakeup before what it is about, for example.
pub(super) fn swapped(place: &Place<'_>) -> Vec<Change> {
    let Node::Block(block) = place.node else { return Vec::new() };
    let source = place.source;
    let pairs = block.stmts.windows(2).filter_map(|pair| <&[Stmt; 2]>::try_from(pair).ok());
    pairs
        .filter(|[first, second]| acts(first) && acts(second) && !(wakes(first) && wakes(second)))
        .map(|[first, second]| {
            let what = format!("{} before {}", source.short(second), source.short(first));
            let edits = vec![source.replace(first, source.of(second)), source.replace(second, source.of(first))];
            Change::of_all(what, edits)
        })
        .collect()
}

/// Whether this does something and gives nothing: a call or an assignment.
fn acts(statement: &Stmt) -> bool {
    match statement {
        Stmt::Macro(called) => called.semi_token.is_some() && !called.mac.path.is_ident("panic"),
        Stmt::Expr(expr, Some(_)) => does(expr),
        _ => false,
    }
}

fn does(expr: &Expr) -> bool {
    match expr {
        Expr::Call(_) | Expr::MethodCall(_) | Expr::Assign(_) => true,
        Expr::Try(inner) => does(&inner.expr) || matches!(&*inner.expr, Expr::Macro(_)),
        Expr::Await(inner) => does(&inner.base),
        Expr::Binary(binary) => matches!(
            binary.op,
            BinOp::AddAssign(_)
                | BinOp::SubAssign(_)
                | BinOp::MulAssign(_)
                | BinOp::DivAssign(_)
                | BinOp::BitAndAssign(_)
                | BinOp::BitOrAssign(_)
        ),
        _ => false,
    }
}

/// Whether this drops what has a name.
fn drops(call: &syn::ExprCall) -> bool {
    let of_name = matches!(call.args.first(), Some(Expr::Path(_)));
    of_name && matches!(&*call.func, Expr::Path(path) if path.path.is_ident("drop"))
}

/// Whether it does not matter if a lock is held meanwhile: this wakes somebody, or only says what is returned.
pub(super) fn needs_no_lock(statement: &Stmt) -> bool {
    wakes(statement) || matches!(statement, Stmt::Expr(expr, None) if is_value(expr))
}

/// Whether this is a value that is there already: `Ok(())`, `Some(job)`.
fn is_value(expr: &Expr) -> bool {
    match expr {
        Expr::Path(_) | Expr::Lit(_) => true,
        Expr::Tuple(tuple) => tuple.elems.iter().all(is_value),
        Expr::Call(call) => {
            let variant = matches!(&*call.func, Expr::Path(path) if path.path.segments.last().is_some_and(|last| {
                last.ident.to_string().starts_with(char::is_uppercase)
            }));
            variant && call.args.iter().all(is_value)
        }
        _ => false,
    }
}

/// Whether this wakes somebody. Then it does not matter whom first.
fn wakes(statement: &Stmt) -> bool {
    matches!(statement, Stmt::Expr(Expr::MethodCall(call), _) if call.method.to_string().starts_with("notify"))
}

#[cfg(test)]
mod tests {
    use crate::mutants::tests::made;

    fn names(mistake: &str, body: &str) -> Vec<String> {
        made(mistake, &format!("fn f() {{\n    {body}\n}}\n")).into_iter().map(|(what, _)| what).collect()
    }

    #[test]
    fn statements_that_act_are_left_out() {
        let left_out = |body: &str| names("a statement left out", body);
        assert_eq!(left_out("a.notify_one();\n    0"), ["without a.notify_one()"]);
        assert_eq!(left_out("a = b;\n    a += b;\n    0"), ["without a = b", "without a += b"]);
        assert_eq!(left_out("let _ = a.join();\n    0"), ["without let _ = a.join()"]);
        assert_eq!(left_out("if a { return 1; }\n    0"), ["without if a { return 1; }"]);
        assert_eq!(left_out("loop { break; }"), ["without break"]);
        assert_eq!(left_out("writeln!(a)?;\n    0"), ["without writeln!(a)?"]);
        assert!(left_out("let a = b();\n    if a { 1 } else { 2 }").is_empty());
        assert_eq!(left_out("drop(a);\n    drop(self.b.take());"), ["without drop(a)", "without drop(self.b.take())"]);
        assert!(left_out("a = b;\n    drop(c);") == ["without a = b"], "it is dropped at the end");
        assert!(left_out("panic!();\n    0").is_empty(), "it is what the code around it comes to");
    }

    #[test]
    fn steps_of_chains_are_left_out() {
        let links = |body: &str| names("a step of a chain left out", body);
        assert_eq!(links("a.min(b)"), ["without .min(b)"]);
        assert_eq!(links("a.timeout(b).send()"), ["without .timeout(b)"]);
        assert!(links("self.f(a)").is_empty() && links("a.expect(b)").is_empty() && links("a.b()").is_empty());
    }

    #[test]
    fn neighbours_that_act_are_swapped() {
        let swapped = |body: &str| made("two statements swapped", &format!("fn f() {{\n    {body}\n}}\n"));
        assert_eq!(
            swapped("*a = true; b.notify_all();"),
            [("b.notify_all() before *a = true".to_string(), "b.notify_all(); *a = true;".to_string())]
        );
        assert!(swapped("a.notify_all(); b.notify_one();").is_empty() && swapped("let a = b; c();").is_empty());
    }
}
