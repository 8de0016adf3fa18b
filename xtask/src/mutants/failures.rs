//! Failures that get further than they should, and threads that don't overlap.

use syn::{Expr, Local, Pat, Stmt};

use super::text::Change;
use super::walk::{Node, Place};

/// `catch_unwind(f)` → `Ok(f())`.
pub(super) fn uncaught(place: &Place<'_>) -> Vec<Change> {
    let (Node::Expr(expr @ Expr::Call(call)), source) = (place.node, place.source) else { return Vec::new() };
    if !source.of(&*call.func).ends_with("catch_unwind") || call.args.len() != 1 {
        return Vec::new();
    }
    let code = match &call.args[0] {
        Expr::Call(wrapped) if source.of(&*wrapped.func).ends_with("AssertUnwindSafe") => wrapped.args.first(),
        other => Some(other),
    };
    let code = code.map_or("", |code| source.of(code));
    vec![Change::new("without catch_unwind", source.replace(expr, format!("Ok(({code})())")))]
}

/// `let _ = x;` → `x.unwrap();`, where `x` is a call.
pub(super) fn not_ignored(place: &Place<'_>) -> Vec<Change> {
    let (Node::Block(block), source) = (place.node, place.source) else { return Vec::new() };
    let ignored = block.stmts.iter().filter_map(|statement| match statement {
        Stmt::Local(Local { pat: Pat::Wild(_), init: Some(init), .. })
            if matches!(&*init.expr, Expr::Call(_) | Expr::MethodCall(_)) =>
        {
            Some((statement, &*init.expr))
        }
        _ => None,
    });
    let change = |(statement, call): (&Stmt, &Expr)| {
        let what = format!("{}.unwrap()", source.short(call));
        Change::new(what, source.replace(statement, format!("{}.unwrap();", source.of(call))))
    };
    ignored.map(change).collect()
}

/// `….unwrap_or_else(PoisonError::into_inner)` → `….unwrap()`.
pub(super) fn poison(place: &Place<'_>) -> Vec<Change> {
    let (Node::Expr(expr @ Expr::MethodCall(call)), source) = (place.node, place.source) else { return Vec::new() };
    let ignores = call.method == "unwrap_or_else"
        && call.args.len() == 1
        && source.of(&call.args[0]).ends_with("PoisonError::into_inner");
    if !ignores {
        return Vec::new();
    }
    let lock = source.of(&*call.receiver);
    vec![Change::new(format!("{lock}.unwrap()"), source.replace(expr, format!("{lock}.unwrap()")))]
}

/// `let x: Vec<_> = ….collect();` → `let x = …;`: what the iterator starts is started when it is asked for, one by one.
pub(super) fn one_by_one(place: &Place<'_>) -> Vec<Change> {
    let (Node::Block(block), source) = (place.node, place.source) else { return Vec::new() };
    let lazy = block.stmts.iter().filter_map(|statement| {
        let Stmt::Local(Local { pat: Pat::Type(typed), init: Some(init), .. }) = statement else { return None };
        let (Expr::MethodCall(call), Pat::Ident(name)) = (&*init.expr, &*typed.pat) else { return None };
        let edits = vec![source.replace(typed, name.ident.to_string()), source.cut(&*call.receiver, &*init.expr)];
        (call.method == "collect").then(|| Change::of_all(format!("{} not collected", name.ident), edits))
    });
    lazy.collect()
}

#[cfg(test)]
mod tests {
    use crate::mutants::tests::made;

    fn lines(mistake: &str, body: &str) -> Vec<String> {
        made(mistake, &format!("fn f() {{\n    {body}\n}}\n")).into_iter().map(|(_, lines)| lines).collect()
    }

    #[test]
    fn panics_are_not_caught() {
        let uncaught = |body: &str| lines("a panic that is not caught", body);
        assert_eq!(uncaught("panic::catch_unwind(AssertUnwindSafe(job))"), ["Ok((job)())"]);
        assert_eq!(uncaught("catch_unwind(|| job())"), ["Ok((|| job())())"]);
    }

    #[test]
    fn errors_are_not_ignored() {
        assert_eq!(lines("an error that is not ignored", "let _ = a.send(b);\n    0"), ["a.send(b).unwrap();"]);
        assert!(lines("an error that is not ignored", "let _ = a;\n    0").is_empty());
        assert_eq!(
            lines("poison that is not ignored", "a.lock().unwrap_or_else(PoisonError::into_inner).b()"),
            ["a.lock().unwrap().b()"]
        );
        assert!(lines("poison that is not ignored", "a.lock().unwrap_or_else(b)").is_empty());
    }

    #[test]
    fn threads_are_started_one_by_one() {
        assert_eq!(
            lines("threads one by one", "let a: Vec<_> = b.map(c).collect();\n    a.into_iter()"),
            ["let a = b.map(c);"]
        );
        assert!(lines("threads one by one", "let a: Vec<_> = b();\n    a").is_empty());
    }
}
