//! Mutants that are no mistakes: what differs is nothing that a caller could notice, and somebody has said why.

use std::collections::BTreeMap;
use std::fs;

use pipeline::error::{Error, Result};
use pipeline::repository::Repository;

use super::Mutant;

/// The mutants of a kata that are equivalent to its solution, each with the reason, as `equivalent.toml` among the kata's wrong
/// submissions lists them.
///
/// # Errors
/// The list is no table of names and reasons, or has a name that no mutant has.
pub(crate) fn list(repository: &Repository, kata: &str, mutants: &[Mutant]) -> Result<BTreeMap<String, String>> {
    let path = repository.wrong(kata).join("equivalent.toml");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(Error::io("read", &path)(error)),
    };
    parse(&text, mutants).map_err(|(what, next)| Error::new(format!("{} {what}", repository.relative(&path)), next))
}

/// The list, or what is wrong with it and what to do.
fn parse(text: &str, mutants: &[Mutant]) -> std::result::Result<BTreeMap<String, String>, (String, String)> {
    let list: BTreeMap<String, String> = toml::from_str(text).map_err(|error| {
        (format!("is broken: {}", error.message()), "Write `\"NAME\" = \"why no caller can notice it\"`.".to_string())
    })?;
    for (name, reason) in &list {
        if !mutants.iter().any(|mutant| mutant.name == *name) {
            let near = pipeline::subject::catalog::nearest(name, mutants.iter().map(|mutant| mutant.name.as_str()));
            let next = near.map_or(String::new(), |near| format!("Is it `{near}` now? "));
            return Err((
                format!("names `{name}`, which is no mutant any more"),
                next + "Otherwise take it from the list.",
            ));
        }
        if reason.trim().is_empty() {
            return Err((format!("gives no reason for `{name}`"), "Say why no caller can notice it.".to_string()));
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_mutants_and_reasons() {
        let mutants = super::super::of("fn f() {\n    g();\n    h();\n}\n", "", true).expect("Rust");
        let list = parse("\"f: without g()\" = \"g does nothing\"\n", &mutants).expect("a list");
        assert_eq!(list["f: without g()"], "g does nothing");
        let wrong = |text: &str| parse(text, &mutants).expect_err("it is wrong");
        assert_eq!(
            wrong("\"f: without gg()\" = \"…\"\n"),
            (
                "names `f: without gg()`, which is no mutant any more".to_string(),
                "Is it `f: without g()` now? Otherwise take it from the list.".to_string()
            )
        );
        assert_eq!(wrong("\"f: without g()\" = \" \"\n").0, "gives no reason for `f: without g()`");
        assert!(wrong("f = 1\n").0.starts_with("is broken: "));
    }
}
