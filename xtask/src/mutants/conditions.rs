//! What is decided, decided otherwise.

use syn::{BinOp, Expr, Pat, UnOp};

use super::text::Change;
use super::walk::{Node, Place, contains};

/// `<` → `<=`, `>=`, `==`, `>`, and the other comparisons likewise: with the bound off by one, turned round, and mistaken.
pub(super) fn comparison(place: &Place<'_>) -> Vec<Change> {
    let Node::Expr(Expr::Binary(binary)) = place.node else { return Vec::new() };
    let others: &[&str] = match binary.op {
        BinOp::Eq(_) => &["!="],
        BinOp::Ne(_) => &["=="],
        BinOp::Lt(_) => &["<=", ">=", "==", ">"],
        BinOp::Le(_) => &["<", ">"],
        BinOp::Gt(_) => &[">=", "<=", "==", "<"],
        BinOp::Ge(_) => &[">", "<"],
        _ => &[],
    };
    let written = place.source.of(&binary.op);
    others
        .iter()
        .map(|other| Change::new(format!("{written} → {other}"), place.source.replace(&binary.op, *other)))
        .collect()
}

/// `!x` → `x`; `if x` → `if !x`, `while x` → `while !x`, where `x` has no operator that could be changed itself; `matches!(…)` →
/// `!matches!(…)`.
pub(super) fn negation(place: &Place<'_>) -> Vec<Change> {
    let Node::Expr(expr) = place.node else { return Vec::new() };
    let negated = |condition: &Expr| {
        let what = format!("not {}", place.source.short(condition));
        vec![Change::new(what, place.source.replace(condition, format!("!({})", place.source.of(condition))))]
    };
    let condition = match expr {
        Expr::If(syn::ExprIf { cond, .. }) | Expr::While(syn::ExprWhile { cond, .. }) => &**cond,
        Expr::Unary(syn::ExprUnary { op: UnOp::Not(_), expr: inner, .. }) => {
            let what = format!("{} without !", place.source.short(inner));
            return vec![Change::new(what, place.source.replace(expr, place.source.of(&**inner)))];
        }
        Expr::Macro(called) if called.mac.path.is_ident("matches") => return negated(expr),
        _ => return Vec::new(),
    };
    match condition {
        Expr::Binary(_) | Expr::Unary(_) | Expr::Let(_) => Vec::new(),
        _ => negated(condition),
    }
}

/// `&&` → `||` and back.
pub(super) fn connective(place: &Place<'_>) -> Vec<Change> {
    let Node::Expr(expr @ Expr::Binary(binary)) = place.node else { return Vec::new() };
    let other = match binary.op {
        BinOp::And(_) if !has_let(expr) => "||",
        BinOp::Or(_) => "&&",
        _ => return Vec::new(),
    };
    let what = format!("{} → {other}", place.source.of(&binary.op));
    vec![Change::new(what, place.source.replace(&binary.op, other))]
}

/// `a && b`, `a || b` → `a`, and `b`.
pub(super) fn half(place: &Place<'_>) -> Vec<Change> {
    let Node::Expr(expr @ Expr::Binary(binary)) = place.node else { return Vec::new() };
    if !matches!(binary.op, BinOp::And(_) | BinOp::Or(_)) {
        return Vec::new();
    }
    let halves = [(&binary.left, &binary.right), (&binary.right, &binary.left)];
    halves
        .into_iter()
        .map(|(left_out, kept)| {
            let what = format!("without {}", place.source.short(&**left_out));
            Change::new(what, place.source.replace(expr, place.source.of(&**kept)))
        })
        .collect()
}

/// A `match` with a case for all that is left → without one of its other cases. A case with a condition → with none, or never.
pub(super) fn arm(place: &Place<'_>) -> Vec<Change> {
    let Node::Expr(Expr::Match(choice)) = place.node else { return Vec::new() };
    let for_the_rest = |arm: &syn::Arm| match &arm.pat {
        Pat::Wild(_) => true,
        // A variant's name looks like this too, but begins with a capital letter.
        Pat::Ident(name) => name.ident.to_string().starts_with(char::is_lowercase),
        _ => false,
    };
    let covered = choice.arms.iter().any(for_the_rest);
    let mut changes = Vec::new();
    for arm in &choice.arms {
        let conditional = match &arm.pat {
            Pat::Guard(conditional) => Some(conditional),
            _ => None,
        };
        if covered && !for_the_rest(arm) || conditional.is_some() {
            let what = format!("without the case {}", place.source.short(&arm.pat));
            changes.push(Change::new(what, place.source.remove(arm)));
        }
        if let Some(conditional) = conditional {
            let what = format!("case {} without its if", place.source.short(&*conditional.pat));
            changes.push(Change::new(what, place.source.cut(&*conditional.pat, &*conditional.guard)));
        }
    }
    changes
}

fn has_let(expr: &Expr) -> bool {
    contains(|finder| finder.visit_expr(expr), |inner| matches!(inner, Expr::Let(_)))
}

#[cfg(test)]
mod tests {
    use crate::mutants::tests::made;

    fn lines(mistake: &str, body: &str) -> Vec<String> {
        made(mistake, &format!("fn f() {{\n    {body}\n}}\n")).into_iter().map(|(_, lines)| lines).collect()
    }

    #[test]
    fn comparisons_are_off_by_one_and_turned_round() {
        let comparison = |body: &str| lines("another comparison", body);
        assert_eq!(comparison("a < b"), ["a <= b", "a >= b", "a == b", "a > b"]);
        assert_eq!(comparison("a >= b"), ["a > b", "a < b"]);
        assert_eq!(comparison("a == b"), ["a != b"]);
        assert!(comparison("a + b").is_empty());
    }

    #[test]
    fn conditions_are_turned_round_once() {
        let negation = |body: &str| lines("a condition turned round", body);
        assert_eq!(negation("while !a { g(); }"), ["while a { g(); }"]);
        assert_eq!(negation("if a.is_zero() { g(); }"), ["if !(a.is_zero()) { g(); }"]);
        assert_eq!(negation("matches!(a, B)"), ["!(matches!(a, B))"]);
        assert!(negation("if a < b { g(); }").is_empty(), "that is another comparison");
        assert!(negation("if let Some(a) = b { g(); }").is_empty());
    }

    #[test]
    fn connectives_are_exchanged_and_halves_left_out() {
        assert_eq!(lines("and in the place of or", "a && b"), ["a || b"]);
        assert_eq!(lines("and in the place of or", "a || b"), ["a && b"]);
        assert!(lines("and in the place of or", "if let Some(a) = b && c { g(); }").is_empty());
        assert_eq!(lines("half a condition", "while !a && b { g(); }"), ["while b { g(); }", "while !a { g(); }"]);
    }

    #[test]
    fn cases_are_left_out_where_another_one_takes_over() {
        let arms = |body: &str| lines("a case left out", body);
        assert_eq!(
            arms("match a { A => 1, B => 2, _ => 3 }"),
            ["match a {  B => 2, _ => 3 }", "match a { A => 1,  _ => 3 }"]
        );
        assert!(arms("match a { A => 1, B => 2 }").is_empty());
        assert_eq!(
            arms("match a { A if b => 1, A => 2 }"),
            ["match a {  A => 2 }", "match a { A => 1, A => 2 }"],
            "a condition that never holds is the same as no such case"
        );
    }
}
