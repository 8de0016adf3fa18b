//! Locks held too short, too long, or in another order.

use syn::{BinOp, Block, Expr, Local, Pat, Stmt};

use super::statements::needs_no_lock;
use super::text::Change;
use super::walk::{Node, Place, all, contains};

/// `let _guard = …` → `let _ = …`: what was held to the end of the block is gone in the same line.
pub(super) fn unbound(place: &Place<'_>) -> Vec<Change> {
    let Node::Block(block) = place.node else { return Vec::new() };
    let named = block.stmts.iter().filter_map(|statement| match statement {
        Stmt::Local(Local { pat: Pat::Ident(name), .. }) if name.ident.to_string().starts_with('_') => Some(name),
        _ => None,
    });
    named.map(|name| Change::new(format!("{} → _", name.ident), place.source.replace(name, "_"))).collect()
}

/// A guard that is not used any more → dropped right there, not at the end of the block.
pub(super) fn dropped_early(place: &Place<'_>) -> Vec<Change> {
    let Node::Block(block) = place.node else { return Vec::new() };
    let mut changes = Vec::new();
    for (bound, name) in guards(block, place) {
        for later in bound + 1..block.stmts.len() {
            let rest = &block.stmts[later..];
            if rest.iter().all(|statement| !mentions(statement, &name)) && !rest.iter().all(needs_no_lock) {
                let what = format!("drop({name}) before {}", place.source.short(&block.stmts[later]));
                let edit = place.source.insert_before(&block.stmts[later], &format!("drop({name});"));
                changes.push(Change::new(what, edit));
            }
        }
    }
    changes
}

/// A guard that is used again → dropped and taken again in between: others come to the lock between the look and the act.
pub(super) fn split(place: &Place<'_>) -> Vec<Change> {
    let Node::Block(block) = place.node else { return Vec::new() };
    let mut changes = Vec::new();
    for (bound, statement) in block.stmts.iter().enumerate() {
        let Stmt::Local(Local { pat: Pat::Ident(name), init: Some(init), .. }) = statement else { continue };
        let held = name.ident.to_string();
        if !held.starts_with('_') && !is_guard(&init.expr, place.locks) {
            continue;
        }
        for (place_later, later) in block.stmts.iter().enumerate().skip(bound + 2) {
            let used = block.stmts[place_later..].iter().any(|statement| mentions(statement, &held));
            if used || held.starts_with('_') {
                let what = format!("{held} let go before {}", place.source.short(later));
                let text = format!("drop({held}); let mut {held} = {};", place.source.of(&*init.expr));
                changes.push(Change::new(what, place.source.insert_before(later, &text)));
            }
        }
    }
    changes
}

/// A guard that lives for one statement → has a name, and lives to the end of the block.
pub(super) fn kept(place: &Place<'_>) -> Vec<Change> {
    let (Node::Block(block), source) = (place.node, place.source) else { return Vec::new() };
    // After the last statement there is nothing left for which it could be kept.
    let before_others =
        block.stmts.iter().enumerate().take_while(|(number, _)| !block.stmts[number + 1..].iter().all(needs_no_lock));
    let one_of = |statement: &Stmt| {
        let whole = match statement {
            Stmt::Local(Local { init: Some(init), .. }) => &*init.expr,
            Stmt::Expr(expr, Some(_)) => expr,
            _ => return None,
        };
        let dropped = matches!(whole, Expr::Call(call) if source.of(&*call.func) == "drop");
        let inside = all(|finder| finder.visit_expr(whole), |expr| is_guard(expr, place.locks));
        let inner = inside.into_iter().find(|guard| !std::ptr::eq(*guard, whole))?;
        let deferred = contains(
            |finder| finder.visit_expr(whole),
            |expr| matches!(expr, Expr::Closure(_) | Expr::Block(_) | Expr::Async(_)),
        );
        if is_guard(whole, place.locks) || dropped || deferred {
            return None;
        }
        let what = format!("{} kept", source.short(inner));
        let edits = vec![
            source.insert_before(statement, &format!("let mut held = {};", source.of(inner))),
            source.replace(inner, "held"),
        ];
        Some(Change::of_all(what, edits))
    };
    before_others.filter_map(|(_, statement)| one_of(statement)).collect()
}

/// `x.lock().y += z` → read under one guard, written under another one.
pub(super) fn read_and_write(place: &Place<'_>) -> Vec<Change> {
    let (Node::Expr(expr @ Expr::Binary(binary)), source) = (place.node, place.source) else { return Vec::new() };
    let sign = match binary.op {
        BinOp::AddAssign(_) => "+",
        BinOp::SubAssign(_) => "-",
        _ => return Vec::new(),
    };
    if !contains(|finder| finder.visit_expr(&binary.left), |inner| is_lock(inner, place.locks)) {
        return Vec::new();
    }
    let (left, right) = (source.of(&*binary.left), source.of(&*binary.right));
    let text = format!("{{ let seen = {left}; {left} = seen {sign} {right}; }}");
    vec![Change::new(format!("{} in two", source.short(expr)), source.replace(expr, text))]
}

/// Two locks taken one after the other → the other way round.
pub(super) fn swapped(place: &Place<'_>) -> Vec<Change> {
    let (Node::Block(block), source) = (place.node, place.source) else { return Vec::new() };
    let takes = |statement: &Stmt| match statement {
        Stmt::Local(Local { init: Some(init), .. }) => is_guard(&init.expr, place.locks),
        _ => false,
    };
    let pairs = block.stmts.windows(2).filter(|pair| pair.iter().all(takes));
    pairs
        .map(|pair| {
            let what = format!("{} before {}", source.short(&pair[1]), source.short(&pair[0]));
            let edits =
                vec![source.replace(&pair[0], source.of(&pair[1])), source.replace(&pair[1], source.of(&pair[0]))];
            Change::of_all(what, edits)
        })
        .collect()
}

/// The guards that have names in this block: the statement that binds each, and the name. What begins with `_` is held for
/// nothing but being held, and parts of a tuple that guards went into are guards.
fn guards(block: &Block, place: &Place<'_>) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for (bound, statement) in block.stmts.iter().enumerate() {
        let Stmt::Local(Local { pat, init: Some(init), .. }) = statement else { continue };
        match pat {
            Pat::Ident(name) if name.ident.to_string().starts_with('_') || is_guard(&init.expr, place.locks) => {
                found.push((bound, name.ident.to_string()));
            }
            Pat::Tuple(tuple) if found.iter().any(|(_, guard)| mentions(statement, guard)) => {
                let names = tuple.elems.iter().filter_map(|element| match element {
                    Pat::Ident(name) => Some((bound, name.ident.to_string())),
                    _ => None,
                });
                found.extend(names);
            }
            _ => {}
        }
    }
    found
}

/// Whether this gives a guard, unwrapped or not.
fn is_guard(expr: &Expr, locks: &[String]) -> bool {
    match expr {
        Expr::Try(inner) => is_guard(&inner.expr, locks),
        Expr::Await(inner) => is_guard(&inner.base, locks),
        Expr::MethodCall(call) if ["expect", "unwrap", "unwrap_or_else"].iter().any(|name| call.method == name) => {
            is_guard(&call.receiver, locks)
        }
        _ => is_lock(expr, locks),
    }
}

/// Whether this takes a lock.
fn is_lock(expr: &Expr, locks: &[String]) -> bool {
    let is_one = |name: &syn::Ident| locks.iter().any(|lock| name == lock);
    match expr {
        // With an argument, `read` and `write` are those of files.
        Expr::MethodCall(call) => {
            is_one(&call.method) && (call.args.is_empty() || call.method != "read" && call.method != "write")
        }
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => path.path.segments.last().is_some_and(|last| {
                is_one(&last.ident) && last.ident != "read" && last.ident != "write" && last.ident != "acquire"
            }),
            _ => false,
        },
        _ => false,
    }
}

fn mentions(statement: &Stmt, name: &str) -> bool {
    contains(|finder| finder.visit_stmt(statement), |expr| matches!(expr, Expr::Path(path) if path.path.is_ident(name)))
}

#[cfg(test)]
mod tests {
    use crate::mutants::tests::made;

    fn lines(mistake: &str, body: &str) -> Vec<String> {
        made(mistake, &format!("fn f() {{\n    {body}\n}}\n")).into_iter().map(|(_, lines)| lines).collect()
    }

    #[test]
    fn guards_are_not_kept() {
        let text = "let _turn = a.lock();\n    b()";
        assert_eq!(lines("a guard that is not kept", text), ["let _ = a.lock();"]);
        assert!(lines("a guard that is not kept", "let a = b.lock();\n    a.c()").is_empty());
    }

    #[test]
    fn guards_are_dropped_where_nothing_needs_them_any_more() {
        let early = |body: &str| lines("a guard dropped early", body);
        assert_eq!(early("let a = b.lock().unwrap();\n    a.c();\n    Ok(d())"), ["drop(a);"]);
        assert!(early("let a = b.lock();\n    d();\n    a.c()").is_empty());
        let tuple = "let a = lock(x)?;\n    let (mut b, mut c) = (a, y);\n    b.d();\n    c.d();";
        assert_eq!(early(tuple), ["drop(a);", "drop(a);", "drop(b);"]);
        assert!(
            early("let a = b.lock();\n    a.c();\n    d.notify_all();\n    Ok(e)").is_empty(),
            "nobody could notice"
        );
        assert!(early("let a = b.read(c);\n    d()").is_empty(), "a file's");
    }

    #[test]
    fn a_critical_section_is_cut_in_two() {
        let split = |body: &str| lines("a critical section in two", body);
        assert_eq!(
            split("let mut a = self.lock();\n    while a.b {\n        g();\n    }\n    a.c()"),
            ["drop(a); let mut a = self.lock();"]
        );
        assert!(split("let a = b.lock();\n    a.c()").is_empty(), "nothing is done before");
        assert_eq!(split("let _turn = a.turn()?;\n    b();\n    c()"), ["drop(_turn); let mut _turn = a.turn()?;"]);
    }

    #[test]
    fn own_functions_that_return_guards_are_locks() {
        let text = "fn mine() -> MutexGuard<'_, A> {\n    a.lock()\n}\nfn f() {\n    let a = mine();\n    b();\n    a.c()\n}\n";
        assert_eq!(made("a critical section in two", text).len(), 1);
    }

    #[test]
    fn a_guard_outlives_its_statement() {
        let kept = |body: &str| lines("a guard kept too long", body);
        assert_eq!(
            kept("let a = b.lock().unwrap().recv();\n    a()"),
            ["let mut held = b.lock().unwrap(); let a = held.recv();"]
        );
        assert_eq!(kept("*a.lock() = true;\n    b()"), ["let mut held = a.lock(); *held = true;"]);
        assert!(kept("let a = b.lock();\n    a()").is_empty(), "it is kept");
        assert!(kept("*a.lock() = true;\n    b.notify_all();").is_empty(), "nobody could notice");
        assert!(kept("drop(b.lock());\n    a()").is_empty() && kept("b.lock().recv();").is_empty());
    }

    #[test]
    fn changes_under_a_lock_are_made_in_two_steps() {
        assert_eq!(
            lines("a change under a lock in two", "a.lock().b += c;"),
            ["{ let seen = a.lock().b; a.lock().b = seen + c; };"]
        );
        assert!(lines("a change under a lock in two", "a.b += c;").is_empty());
    }

    #[test]
    fn locks_are_taken_in_another_order() {
        let text = "let a = lock(&x)?;\n    let b = lock(&y)?;\n    c(a, b)";
        let made = made("two locks swapped", &format!("fn f() {{\n    {text}\n}}\n"));
        assert_eq!(made[0].0, "let b = lock(&y)? before let a = lock(&x)?");
        assert!(lines("two locks swapped", "let a = lock(&x)?;\n    let b = c(&y)?;\n    d(a, b)").is_empty());
    }
}
