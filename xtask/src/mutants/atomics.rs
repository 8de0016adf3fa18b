//! Atomics that are less than that.

use syn::Expr;

use super::text::Change;
use super::walk::{Node, Place};

const ORDERING: &str = "std::sync::atomic::Ordering::SeqCst";

/// `fetch_add`, `fetch_sub`, `swap`, `compare_exchange` → a load, and then a store.
pub(super) fn split(place: &Place<'_>) -> Vec<Change> {
    let (Node::Expr(expr @ Expr::MethodCall(call)), source) = (place.node, place.source) else { return Vec::new() };
    let (atomic, arguments) = (source.of(&*call.receiver), &call.args);
    let argument = |number: usize| source.of(&arguments[number]);
    let (load, store) = (format!("{atomic}.load({ORDERING})"), format!("{atomic}.store"));
    let text = match (call.method.to_string().as_str(), arguments.len()) {
        ("fetch_add", 2) => {
            format!("{{ let loaded = {load}; {store}(loaded.wrapping_add({}), {ORDERING}); loaded }}", argument(0))
        }
        ("fetch_sub", 2) => {
            format!("{{ let loaded = {load}; {store}(loaded.wrapping_sub({}), {ORDERING}); loaded }}", argument(0))
        }
        ("swap", 2) => format!("{{ let loaded = {load}; {store}({}, {ORDERING}); loaded }}", argument(0)),
        ("compare_exchange" | "compare_exchange_weak", 4) => format!(
            "{{ let (expected, new) = ({}, {}); let loaded = {load}; \
             if loaded == expected {{ {store}(new, {ORDERING}); Ok(loaded) }} else {{ Err(loaded) }} }}",
            argument(0),
            argument(1)
        ),
        _ => return Vec::new(),
    };
    vec![Change::new(format!("{} in two", call.method), source.replace(expr, text))]
}

/// `SeqCst`, `AcqRel`, `Acquire`, `Release` → `Relaxed`; `AcqRel` → each half of it too.
pub(super) fn weaker(place: &Place<'_>) -> Vec<Change> {
    let Node::Expr(expr @ Expr::Path(path)) = place.node else { return Vec::new() };
    let segments: Vec<String> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let [.., kind, ordering] = &segments[..] else { return Vec::new() };
    let others: &[&str] = match (kind.as_str(), ordering.as_str()) {
        ("Ordering", "AcqRel") => &["Acquire", "Release", "Relaxed"],
        ("Ordering", "SeqCst" | "Acquire" | "Release") => &["Relaxed"],
        _ => &[],
    };
    let written = place.source.of(expr);
    let change = |other: &&str| {
        let text = format!("{}{other}", written.trim_end_matches(ordering.as_str()));
        Change::new(format!("{ordering} → {other}"), place.source.replace(expr, text))
    };
    others.iter().map(change).collect()
}

#[cfg(test)]
mod tests {
    use crate::mutants::tests::made;

    fn lines(mistake: &str, body: &str) -> Vec<String> {
        made(mistake, &format!("fn f() {{\n    {body}\n}}\n")).into_iter().map(|(_, lines)| lines).collect()
    }

    #[test]
    fn one_step_becomes_two() {
        let split = |body: &str| lines("an atomic step in two", body).join("").replace(super::ORDERING, "S");
        assert_eq!(
            split("a.fetch_add(1, Relaxed)"),
            "{ let loaded = a.load(S); a.store(loaded.wrapping_add(1), S); loaded }"
        );
        assert_eq!(split("a.swap(b, Relaxed)"), "{ let loaded = a.load(S); a.store(b, S); loaded }");
        assert!(split("a.compare_exchange(b, c, AcqRel, Acquire)").contains("(expected, new) = (b, c)"));
        assert_eq!(split("a.swap(b)"), "", "a slice's");
    }

    #[test]
    fn orderings_get_weaker() {
        let weaker = |body: &str| lines("a weaker ordering", body);
        assert_eq!(weaker("a.load(Ordering::Acquire)"), ["a.load(Ordering::Relaxed)"]);
        assert_eq!(weaker("a.swap(b, atomic::Ordering::AcqRel)").len(), 3);
        assert!(weaker("a.load(Ordering::Relaxed)").is_empty() && weaker("a.cmp(Ordering::Less)").is_empty());
    }
}
