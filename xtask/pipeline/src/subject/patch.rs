//! A submission as a patch: what differs from one that is proven, so that its mistake is all that one reads.
//!
//! The form is that of `git diff`. Its `--- a/PATH` line names the base; what comes before that is a head for people. It is
//! applied strictly: every line of a hunk must be in the base, where the hunk says or in one other place. Knows nothing of the
//! rest of the program: the tests of the command line apply patches too.

/// Lines that follow each other, and what takes their place.
struct Hunk {
    /// Its line in the patch.
    line: usize,
    /// The lines of the base that it begins with, counted from 0, and how many it says that there are before and after.
    place: usize,
    counts: (usize, usize),
    old: Vec<String>,
    new: Vec<String>,
}

/// The text that the patch makes. `base` gives the text of a base.
///
/// # Errors
/// What is wrong with the patch, to be said after its name: it is no patch, has no such base, or does not fit it.
pub fn apply(patch: &str, base: impl FnOnce(&str) -> Option<String>) -> Result<String, String> {
    let (path, hunks) = parse(patch)?;
    let text = base(&path).ok_or(format!("is against {path}, which is neither its solution nor a right submission"))?;
    let base: Vec<&str> = text.lines().collect();
    let (mut made, mut done): (Vec<&str>, usize) = (Vec::new(), 0);
    for hunk in &hunks {
        let place = find(hunk, &base, done)
            .map_err(|why| format!("does not fit {path} any more: its hunk at line {} is {why}", hunk.line))?;
        made.extend(&base[done..place]);
        made.extend(hunk.new.iter().map(String::as_str));
        done = place + hunk.old.len();
    }
    made.extend(&base[done..]);
    Ok(made.join("\n") + "\n")
}

fn parse(patch: &str) -> Result<(String, Vec<Hunk>), String> {
    let (mut base, mut hunks): (Option<String>, Vec<Hunk>) = (None, Vec::new());
    for (number, line) in (1..).zip(patch.lines()) {
        if line.starts_with("@@ ") {
            hunks.push(hunk(number, line).ok_or(format!("has no hunk at line {number}: `{line}`"))?);
        } else if let Some(hunk) = hunks.last_mut() {
            match (line.get(..1), line.get(1..).unwrap_or_default()) {
                (Some(" ") | None, text) => {
                    hunk.old.push(text.to_string());
                    hunk.new.push(text.to_string());
                }
                (Some("-"), text) => hunk.old.push(text.to_string()),
                (Some("+"), text) => hunk.new.push(text.to_string()),
                _ => return Err(format!("has a line {number} that begins with neither a space nor `+` nor `-`")),
            }
        } else if let Some(path) = line.strip_prefix("--- ") {
            let path = path.split('\t').next().unwrap_or_default();
            base = Some(path.strip_prefix("a/").unwrap_or(path).to_string());
        }
    }
    for hunk in &hunks {
        if (hunk.old.len(), hunk.new.len()) != hunk.counts {
            let (line, (old, new)) = (hunk.line, hunk.counts);
            let found = (hunk.old.len(), hunk.new.len());
            return Err(format!("says {old} and {new} lines at line {line}, but has {} and {}", found.0, found.1));
        }
    }
    match base {
        Some(base) if !hunks.is_empty() => Ok((base, hunks)),
        _ => Err("is no patch: it has no line `--- a/PATH` with hunks below".to_string()),
    }
}

/// The hunk that begins with this line: `@@ -71,7 +71,8 @@`.
fn hunk(line: usize, text: &str) -> Option<Hunk> {
    let (old, new) = text.strip_prefix("@@ -")?.split_once(" @@")?.0.split_once(" +")?;
    let numbers = |range: &str| -> Option<(usize, usize)> {
        let (start, count) = range.split_once(',').unwrap_or((range, "1"));
        Some((start.parse().ok()?, count.parse().ok()?))
    };
    let ((start, old), (_, new)) = (numbers(old)?, numbers(new)?);
    // A hunk without old lines says the line after which it comes.
    let place = if old == 0 { start } else { start.saturating_sub(1) };
    Some(Hunk { line, place, counts: (old, new), old: Vec::new(), new: Vec::new() })
}

/// Where the hunk's old lines are in the base, from `done` on: where it says, or in the only place.
fn find(hunk: &Hunk, base: &[&str], done: usize) -> Result<usize, String> {
    let is_here = |place: usize| {
        let lines = base.get(place..place + hunk.old.len());
        lines.is_some_and(|lines| place >= done && lines.iter().zip(&hunk.old).all(|(here, old)| here == old))
    };
    if is_here(hunk.place) {
        return Ok(hunk.place);
    }
    let places: Vec<usize> = (done..base.len()).filter(|place| is_here(*place)).collect();
    match places[..] {
        [place] if !hunk.old.is_empty() => Ok(place),
        [] => Err("nowhere in it".to_string()),
        _ => Err("not where it says, and in several other places".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "a\nb\nc\nd\ne\nb\nc\n";

    fn made(hunks: &str) -> Result<String, String> {
        let patch = format!("//! rejected: race\n//!\n//! Why.\n\n--- a/base.rs\n+++ b/base.rs\n{hunks}");
        apply(&patch, |path| (path == "base.rs").then(|| BASE.to_string()))
    }

    #[test]
    fn lines_are_taken_away_and_put_in() {
        assert_eq!(made("@@ -2,3 +2,3 @@ fn f()\n b\n-c\n+x\n d\n").as_deref(), Ok("a\nb\nx\nd\ne\nb\nc\n"));
        assert_eq!(made("@@ -1 +1 @@\n-a\n+x\n@@ -7 +7 @@\n-c\n+y\n").as_deref(), Ok("x\nb\nc\nd\ne\nb\ny\n"));
        assert_eq!(made("@@ -0,0 +1,1 @@\n+x\n").as_deref(), Ok("x\na\nb\nc\nd\ne\nb\nc\n"));
    }

    #[test]
    fn a_hunk_may_have_moved_if_there_is_only_one_place_for_it() {
        assert_eq!(made("@@ -9,2 +9,2 @@\n d\n-e\n+x\n").as_deref(), Ok("a\nb\nc\nd\nx\nb\nc\n"));
        let several = made("@@ -9,2 +9,2 @@\n b\n-c\n+x\n").expect_err("two places");
        assert_eq!(
            several,
            "does not fit base.rs any more: its hunk at line 7 is not where it says, and in several other places"
        );
        let here = made("@@ -6,2 +6,2 @@\n b\n-c\n+x\n");
        assert_eq!(here.as_deref(), Ok("a\nb\nc\nd\ne\nb\nx\n"), "it is where it says");
    }

    #[test]
    fn whatever_does_not_fit_is_an_error() {
        let error = |hunks: &str| made(hunks).expect_err("it does not fit");
        assert_eq!(
            error("@@ -2,2 +2,2 @@\n b\n-x\n+y\n"),
            "does not fit base.rs any more: its hunk at line 7 is nowhere in it"
        );
        assert!(error("@@ -6 +6 @@\n-b\n+x\n@@ -4 +4 @@\n-d\n+x\n").contains("line 10 is nowhere"), "in order");
        assert_eq!(error("@@ -2,3 +2,2 @@\n b\n-c\n+y\n"), "says 3 and 2 lines at line 7, but has 2 and 2");
        assert!(error("@@ -x +2 @@\n").starts_with("has no hunk at line 7"));
        assert!(error("@@ -2 +2 @@\nb\n").contains("line 8 that begins with neither"));
        assert!(error("").starts_with("is no patch"));
        let other = apply("--- a/other.rs\n@@ -1 +1 @@\n-a\n+b\n", |_| None);
        assert_eq!(other, Err("is against other.rs, which is neither its solution nor a right submission".to_string()));
    }
}
