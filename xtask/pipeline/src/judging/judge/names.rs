//! Objects are called what the learner calls them: a condition variable that is put into the field `not_empty` is `not_empty`,
//! instead of `condvar#2`.

use std::collections::BTreeMap;

use verdict::{Location, Object, TestVerdict};

use crate::subject::sources::Files;

/// Renames the objects of the test's schedule, there and in its message, where these files say how they are called. What is named
/// by the type of what it holds keeps its name: an account in a list of `accounts` is an account.
pub(super) fn name_objects(test: &mut TestVerdict, files: &Files) {
    let Some(trace) = &mut test.trace else { return };
    let own = |object: &Object| {
        is_named_by_kind(object).then(|| variable(line(files, &object.made_at)?, object.made_at.column))?
    };
    let names: Vec<Option<String>> = trace.objects.iter().map(own).collect();
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    names.iter().flatten().for_each(|name| counts.entry(name).or_default().0 += 1);
    let mut renamed = Vec::new();
    for (object, name) in trace.objects.iter_mut().zip(&names) {
        let Some(name) = name else { continue };
        let (all, before) = counts.get_mut(&name[..]).expect("all are counted");
        *before += 1;
        let name = if *all == 1 { name.clone() } else { format!("{name}#{before}") };
        renamed.push((std::mem::replace(&mut object.name, name.clone()), name));
    }
    test.message = with_names(&test.message, &renamed);
}

/// Whether nothing is known of the object but its kind: `condvar#2`.
fn is_named_by_kind(object: &Object) -> bool {
    let letters = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let base = object.name.split('#').next().unwrap_or_default();
    matches!(base, "atomic" | "flag") || letters(base) == letters(&object.what)
}

/// The line of source, if it is in one of these files.
fn line<'a>(files: &'a Files, at: &Location) -> Option<&'a str> {
    let (_, path) = at.file.rsplit_once("src/")?;
    files.get(std::path::Path::new(path))?.lines().nth((at.line as usize).checked_sub(1)?)
}

/// The field, variable or static that is given what stands at a column: `not_empty` of `not_empty: Condvar::new(),`.
fn variable(line: &str, column: u32) -> Option<String> {
    let before: String = line.chars().take((column as usize).checked_sub(1)?).collect();
    // Paths have colons, too.
    let before = before.replace("::", "\u{0}");
    let (target, value) = match before.split_once(" = ") {
        Some((target, value)) if !value.contains(':') => (target.split(':').next()?, value),
        _ => before.rsplit_once(':')?,
    };
    let word = target.trim_end().rsplit(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    let is_name = word.starts_with(|c: char| c.is_alphabetic() || c == '_');
    // A later value of a pair or a list has no name of its own.
    (is_name && !value.contains(',')).then(|| word.to_string())
}

/// The text with names in the place of others. `condvar#1` is none where `condvar#12` stands.
fn with_names(text: &str, renamed: &[(String, String)]) -> String {
    let mut named = String::new();
    let mut rest = text;
    'text: while let Some(first) = rest.chars().next() {
        let begins = !named.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '#'));
        for (old, new) in renamed.iter().filter(|_| begins) {
            if let Some(after) = rest.strip_prefix(&old[..])
                && !after.starts_with(|c: char| c.is_ascii_digit())
            {
                named += new;
                rest = after;
                continue 'text;
            }
        }
        named.push(first);
        rest = &rest[first.len_utf8()..];
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str, made: &str) -> Option<String> {
        let place = line.find(made).expect("it is made there");
        variable(line, line[..place].chars().count() as u32 + 1)
    }

    #[test]
    fn a_thing_is_called_what_it_is_put_into() {
        let named = |line, made| of(line, made).unwrap_or_default();
        assert_eq!(named("            not_empty: Condvar::new(),", "Condvar"), "not_empty");
        assert_eq!(named("let (a, go_on) = (1, Condvar::new());", "Condvar"), "");
        assert_eq!(named("let pair = (1, Condvar::new());", "Condvar"), "");
        assert_eq!(named("    let ready = Arc::new(Condvar::new());", "Condvar"), "ready");
        assert_eq!(named("Inner { items: Mutex::new(Vec::new()), room: Condvar::new() }", "Condvar"), "room");
        assert_eq!(named("static TURN: Mutex<()> = Mutex::new(());", "Mutex::"), "TURN");
        assert_eq!(
            named("let flag: std::sync::atomic::AtomicBool = AtomicBool::new(false);", "AtomicBool::new"),
            "flag"
        );
        assert_eq!(named("    Condvar::new()", "Condvar"), "");
        assert_eq!(named("    .map(|_| Mutex::new(0))", "Mutex"), "");
    }

    #[test]
    fn a_message_names_them_alike() {
        let renamed = [("condvar#1".to_string(), "room".to_string())];
        assert_eq!(
            with_names("waits at condvar#1, not at condvar#12 or my-condvar#1", &renamed),
            "waits at room, not at condvar#12 or my-condvar#1"
        );
    }
}
