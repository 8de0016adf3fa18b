//! Waiting and waking, done wrong.

use syn::Expr;

use super::text::Change;
use super::walk::{Node, Place, contains};

/// `notify_one` ↔ `notify_all`.
pub(super) fn notify(place: &Place<'_>) -> Vec<Change> {
    let Node::Expr(Expr::MethodCall(call)) = place.node else { return Vec::new() };
    let other = match call.method.to_string().as_str() {
        "notify_one" => "notify_all",
        "notify_all" => "notify_one",
        _ => return Vec::new(),
    };
    let what = format!("{}.{} → {other}", place.source.short(&*call.receiver), call.method);
    vec![Change::new(what, place.source.replace(&call.method, other))]
}

/// `while` around a wait → `if`; a wait that repeats by itself → one that does not.
pub(super) fn once(place: &Place<'_>) -> Vec<Change> {
    let source = place.source;
    match place.node {
        Node::Expr(Expr::While(repeat)) if waits(&repeat.body) => {
            let what = format!("while → if {}", source.short(&*repeat.cond));
            // In an `if` there is nothing to break out of.
            let leaves = |expr: &Expr| matches!(expr, Expr::Break(_) | Expr::Continue(_));
            if contains(|finder| finder.visit_block(&repeat.body), leaves) {
                return vec![Change::new(what, source.insert_at_end(&repeat.body, "break;"))];
            }
            vec![Change::new(what, source.replace(&repeat.while_token, "if"))]
        }
        Node::Expr(expr @ Expr::MethodCall(call)) => {
            let (other, kept) = match call.method.to_string().as_str() {
                "wait_while" => ("wait", 1),
                "wait_timeout_while" => ("wait_timeout", 2),
                _ => return Vec::new(),
            };
            let arguments: Vec<&str> = call.args.iter().take(kept).map(|argument| source.of(argument)).collect();
            let text = format!("{}.{other}({})", source.of(&*call.receiver), arguments.join(", "));
            vec![Change::new(format!("{} → {other}", call.method), source.replace(expr, text))]
        }
        _ => Vec::new(),
    }
}

/// `while c { wait }` → `loop { wait; if !c { break } }`: what came before the wait is not seen.
pub(super) fn before_the_look(place: &Place<'_>) -> Vec<Change> {
    let (Node::Expr(Expr::While(repeat)), source) = (place.node, place.source) else { return Vec::new() };
    if !waits(&repeat.body) || matches!(&*repeat.cond, Expr::Let(_)) {
        return Vec::new();
    }
    let condition = source.of(&*repeat.cond);
    let edits = vec![
        source.replace_from(&repeat.while_token, &repeat.body, "loop "),
        source.insert_at_end(&repeat.body, &format!("if !({condition}) {{ break; }}")),
    ];
    vec![Change::of_all(format!("waits before {}", source.short(&*repeat.cond)), edits)]
}

fn waits(block: &syn::Block) -> bool {
    contains(
        |finder| finder.visit_block(block),
        |expr| match expr {
            Expr::MethodCall(call) => call.method.to_string().starts_with("wait"),
            Expr::Call(call) => match &*call.func {
                Expr::Path(path) => {
                    path.path.segments.last().is_some_and(|last| last.ident.to_string().starts_with("park"))
                }
                _ => false,
            },
            _ => false,
        },
    )
}

#[cfg(test)]
mod tests {
    use crate::mutants::tests::made;

    fn lines(mistake: &str, body: &str) -> Vec<String> {
        made(mistake, &format!("fn f() {{\n    {body}\n}}\n")).into_iter().map(|(_, lines)| lines).collect()
    }

    #[test]
    fn one_is_woken_for_all_and_all_for_one() {
        assert_eq!(lines("another wakeup", "a.b.notify_one();"), ["a.b.notify_all();"]);
        assert_eq!(lines("another wakeup", "a.b.notify_all();"), ["a.b.notify_one();"]);
    }

    #[test]
    fn a_wait_is_not_repeated() {
        let once = |body: &str| lines("a wait that is not repeated", body);
        assert_eq!(once("while a {\n        b = c.wait(b);\n    }"), ["if a {"]);
        assert_eq!(
            once("while a {\n        if d { break; }\n        thread::park();\n    }"),
            ["break;"],
            "which ends the first round"
        );
        assert_eq!(once("a.wait_while(b, |c| *c)"), ["a.wait(b)"]);
        assert_eq!(once("a.wait_timeout_while(b, d, |c| *c)"), ["a.wait_timeout(b, d)"]);
        assert!(once("while a { b(); }").is_empty());
    }

    #[test]
    fn a_wait_comes_before_the_look() {
        let before = lines("a wait before the look", "while a {\n        b = c.wait(b);\n    }");
        assert_eq!(before, ["loop { if !(a) { break; }"]);
        assert!(lines("a wait before the look", "while a { b(); }").is_empty());
    }
}
