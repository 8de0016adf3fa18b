//! Numbers and bounds that are a little different.

use syn::{BinOp, Expr, Lit, RangeLimits};

use super::text::Change;
use super::walk::{Node, Place};

/// `+` → `-`, `*`, and the other calculations likewise, with assignment or without.
pub(super) fn arithmetic(place: &Place<'_>) -> Vec<Change> {
    let Node::Expr(Expr::Binary(binary)) = place.node else { return Vec::new() };
    let others: &[&str] = match binary.op {
        BinOp::Add(_) => &["-", "*"],
        BinOp::Sub(_) => &["+", "/"],
        BinOp::Mul(_) => &["/", "+"],
        BinOp::Div(_) => &["*", "%"],
        BinOp::Rem(_) => &["/", "+"],
        BinOp::AddAssign(_) => &["-=", "*="],
        BinOp::SubAssign(_) => &["+=", "/="],
        BinOp::MulAssign(_) => &["/=", "+="],
        BinOp::DivAssign(_) => &["*=", "%="],
        _ => &[],
    };
    let written = place.source.of(&binary.op);
    let change = |other: &&str| Change::new(format!("{written} → {other}"), place.source.replace(&binary.op, *other));
    others.iter().map(change).collect()
}

/// A whole number → one more, and one less.
pub(super) fn literal(place: &Place<'_>) -> Vec<Change> {
    let Node::Expr(Expr::Lit(literal)) = place.node else { return Vec::new() };
    let Lit::Int(number) = &literal.lit else { return Vec::new() };
    let Ok(value) = number.base10_parse::<u64>() else { return Vec::new() };
    let others = [value.checked_add(1), value.checked_sub(1)].into_iter().flatten();
    let change = |other: u64| {
        let what = format!("{value} → {other}");
        Change::new(what, place.source.replace(literal, format!("{other}{}", number.suffix())))
    };
    others.map(change).collect()
}

/// `a..b` ↔ `a..=b`; `min` ↔ `max`; `x.get()`, `x.len()` → one more; `x.get()` → one less.
pub(super) fn bound(place: &Place<'_>) -> Vec<Change> {
    let source = place.source;
    match place.node {
        Node::Expr(Expr::Range(range)) if range.end.is_some() => {
            let (written, other) = match range.limits {
                RangeLimits::HalfOpen(_) => ("..", "..="),
                RangeLimits::Closed(_) => ("..=", ".."),
            };
            vec![Change::new(format!("{written} → {other}"), source.replace(&range.limits, other))]
        }
        Node::Expr(expr @ Expr::MethodCall(call)) => {
            let (name, arguments) = (call.method.to_string(), call.args.len());
            let others: &[&str] = match (name.as_str(), arguments) {
                ("min", 1) => return vec![Change::new("min → max", source.replace(&call.method, "max"))],
                ("max", 1) => return vec![Change::new("max → min", source.replace(&call.method, "min"))],
                ("get", 0) => &["+ 1", "- 1"],
                ("len", 0) => &["+ 1"],
                _ => &[],
            };
            let change = |other: &&str| {
                let what = format!("{} {other}", source.short(expr));
                Change::new(what, source.replace(expr, format!("({} {other})", source.of(expr))))
            };
            others.iter().map(change).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::mutants::tests::made;

    fn lines(mistake: &str, body: &str) -> Vec<String> {
        made(mistake, &format!("fn f() {{\n    {body}\n}}\n")).into_iter().map(|(_, lines)| lines).collect()
    }

    #[test]
    fn calculations_are_others() {
        assert_eq!(lines("another calculation", "a + b"), ["a - b", "a * b"]);
        let both = ["a -= b % c;", "a *= b % c;", "a += b / c;", "a += b + c;"];
        assert_eq!(lines("another calculation", "a += b % c;"), both);
        assert!(lines("another calculation", "a < b").is_empty());
    }

    #[test]
    fn numbers_are_off_by_one_in_both_directions() {
        assert_eq!(lines("a number off by one", "g(0, 7u64)"), ["g(1, 7u64)", "g(0, 8u64)", "g(0, 6u64)"]);
        assert!(lines("a number off by one", "g(\"1\", 1.5)").is_empty());
    }

    #[test]
    fn bounds_are_off_by_one() {
        let bounds = |body: &str| lines("a bound off by one", body);
        assert_eq!(bounds("for _ in 0..n {}"), ["for _ in 0..=n {}"]);
        assert_eq!(bounds("for _ in 1..=n {}"), ["for _ in 1..n {}"]);
        assert!(bounds("&a[1..]").is_empty());
        assert_eq!(bounds("a.min(b)"), ["a.max(b)"]);
        assert_eq!(
            bounds("a.len() >= b.get()"),
            ["(a.len() + 1) >= b.get()", "a.len() >= (b.get() + 1)", "a.len() >= (b.get() - 1)"]
        );
    }
}
