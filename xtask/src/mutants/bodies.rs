//! Functions that do nothing and give any value of their type.

use syn::{GenericArgument, PathArguments, ReturnType, Type};

use super::text::Change;
use super::walk::{Node, Place};

/// A function's body → a plain value of its type, several if the type has several.
pub(super) fn body(place: &Place<'_>) -> Vec<Change> {
    let Node::Function(signature, block) = place.node else { return Vec::new() };
    if block.stmts.is_empty() {
        return Vec::new();
    }
    let change = |what: String, text: String| Change::new(what, place.source.replace(block, text));
    match &signature.output {
        ReturnType::Default => vec![change("body → nothing".to_string(), "{}".to_string())],
        ReturnType::Type(_, kind) => {
            let all = values(kind).into_iter();
            all.map(|value| change(format!("body → {value}"), format!("{{ {value} }}"))).collect()
        }
    }
}

/// Values of this type, as far as it says which it is.
fn values(kind: &Type) -> Vec<String> {
    match kind {
        Type::Tuple(tuple) => {
            let mut rows = vec![Vec::new()];
            for element in &tuple.elems {
                let values = values(element);
                let extended = |row: &Vec<String>| {
                    values.iter().map(|value| [row.clone(), vec![value.clone()]].concat()).collect::<Vec<_>>()
                };
                rows = rows.iter().flat_map(extended).collect();
            }
            rows.into_iter().map(|row| format!("({})", row.join(", "))).collect()
        }
        Type::Path(path) => path.path.segments.last().map(of_named).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// Values of a type with this name.
fn of_named(named: &syn::PathSegment) -> Vec<String> {
    let inner = || match &named.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::Type(kind) => Some(values(kind)),
            _ => None,
        }),
        _ => None,
    };
    let wrapped = |before: &str, after: &str| -> Vec<String> {
        inner().unwrap_or_default().iter().map(|value| format!("{before}{value}{after}")).collect()
    };
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_string()).collect::<Vec<_>>();
    match named.ident.to_string().as_str() {
        "bool" => texts(&["true", "false"]),
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => {
            texts(&["0", "1"])
        }
        "String" => texts(&["String::new()"]),
        "Vec" => [texts(&["Vec::new()"]), wrapped("vec![", "]")].concat(),
        "Option" => [texts(&["None"]), wrapped("Some(", ")")].concat(),
        "Result" => wrapped("Ok(", ")"),
        "Box" | "Arc" | "Rc" => wrapped(&format!("{}::new(", named.ident), ")"),
        _ => texts(&["Default::default()"]),
    }
}

#[cfg(test)]
mod tests {
    use crate::mutants::tests::made;

    fn bodies(output: &str) -> Vec<String> {
        let made = made("a function that does nothing", &format!("fn f(){output} {{\n    g()\n}}\n"));
        made.into_iter().map(|(what, _)| what.trim_start_matches("body → ").to_string()).collect()
    }

    #[test]
    fn a_body_becomes_a_value_of_its_type() {
        assert_eq!(bodies(""), ["nothing"]);
        assert_eq!(bodies(" -> bool"), ["true", "false"]);
        assert_eq!(bodies(" -> io::Result<Option<u64>>"), ["Ok(None)", "Ok(Some(0))", "Ok(Some(1))"]);
        assert_eq!(bodies(" -> Result<(), Refused>"), ["Ok(())"]);
        assert_eq!(bodies(" -> Vec<T>"), ["Vec::new()", "vec![Default::default()]"]);
        assert_eq!(bodies(" -> (bool, u8)"), ["(true, 0)", "(true, 1)", "(false, 0)", "(false, 1)"]);
        assert!(bodies(" -> &str").is_empty() && bodies(" -> impl Iterator<Item = u8>").is_empty());
    }
}
