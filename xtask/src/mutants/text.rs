//! A text, what stands where in it, and how it is changed.

use std::ops::Range;

use syn::spanned::Spanned;

/// The text that a syntax tree was read from.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a>(pub(crate) &'a str);

/// One thing that is done to a text.
#[derive(Clone, Debug)]
pub(super) struct Change {
    /// In a few words, on one line.
    pub(super) what: String,
    /// How: in order, without overlaps.
    pub(super) edits: Vec<Edit>,
}

/// A text in the place of these bytes.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    at: Range<usize>,
    text: String,
}

/// As many characters of code are shown in a name.
const SHOWN: usize = 60;

impl<'a> Source<'a> {
    /// Where this stands.
    pub(super) fn range(self, node: &impl Spanned) -> Range<usize> {
        node.span().byte_range()
    }

    /// How this is written.
    pub(super) fn of(self, node: &impl Spanned) -> &'a str {
        &self.0[self.range(node)]
    }

    /// How this is written, on one line and not too long, for a name.
    pub(super) fn short(self, node: &impl Spanned) -> String {
        let uncommented = self.of(node).lines().map(|line| line.trim()).filter(|line| !line.starts_with("//"));
        let line = uncommented.collect::<Vec<_>>().join(" ");
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        let line = line.trim_end_matches(';');
        if line.chars().count() <= SHOWN {
            return line.to_string();
        }
        format!("{}…", line.chars().take(SHOWN).collect::<String>())
    }

    /// Writes something else in the place of this.
    pub(super) fn replace(self, node: &impl Spanned, text: impl Into<String>) -> Edit {
        Edit { at: self.range(node), text: text.into() }
    }

    /// Takes this away, and its line if nothing else is on it.
    pub(super) fn remove(self, node: &impl Spanned) -> Edit {
        let Range { start, end } = self.range(node);
        let line_start = self.0[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = self.0[end..].find('\n').map_or(self.0.len(), |newline| end + newline + 1);
        let alone = self.0[line_start..start].trim().is_empty() && self.0[end..line_end].trim().is_empty();
        Edit { at: if alone { line_start..line_end } else { start..end }, text: String::new() }
    }

    /// Writes lines before this, indented as it is.
    pub(super) fn insert_before(self, node: &impl Spanned, text: &str) -> Edit {
        let start = self.range(node).start;
        let line_start = self.0[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let indentation: String = self.0[line_start..start].chars().take_while(|char| char.is_whitespace()).collect();
        Edit { at: start..start, text: format!("{text}\n{indentation}") }
    }

    /// Writes one more statement at a block's end.
    pub(super) fn insert_at_end(self, block: &syn::Block, text: &str) -> Edit {
        let brace = self.range(block).end - 1;
        let line_start = self.0[..brace].rfind('\n').map_or(0, |newline| newline + 1);
        let indentation = &self.0[line_start..brace];
        if indentation.trim().is_empty() {
            return Edit { at: brace..brace, text: format!("    {text}\n{indentation}") };
        }
        Edit { at: brace..brace, text: format!("{text} ") }
    }

    /// Writes something in the place of the one and what follows it, up to the start of the other.
    pub(super) fn replace_from(self, from: &impl Spanned, to: &impl Spanned, text: impl Into<String>) -> Edit {
        Edit { at: self.range(from).start..self.range(to).start, text: text.into() }
    }

    /// Takes away what stands after the one, up to the end of the other.
    pub(super) fn cut(self, after: &impl Spanned, to: &impl Spanned) -> Edit {
        Edit { at: self.range(after).end..self.range(to).end, text: String::new() }
    }

    /// The text with these changes.
    pub(super) fn with(self, edits: &[Edit]) -> String {
        let (mut text, mut done) = (String::new(), 0);
        for edit in edits {
            text += &self.0[done..edit.at.start];
            text += &edit.text;
            done = edit.at.end;
        }
        text + &self.0[done..]
    }

    /// What differs in the other text: the lines taken away and put in, with two lines around them.
    pub(crate) fn diff(self, other: &str) -> String {
        const AROUND: usize = 2;
        let (old, new): (Vec<&str>, Vec<&str>) = (self.0.lines().collect(), other.lines().collect());
        let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
        let most = old.len().min(new.len()) - same;
        let same_below = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(old, new)| old == new).count();
        let (old_end, new_end) = (old.len() - same_below, new.len() - same_below);
        let (first, last) = (same.saturating_sub(AROUND), (old_end + AROUND).min(old.len()));
        let marked = |mark: char, lines: &[&str]| -> String {
            lines.iter().map(|line| format!("{mark} {line}").trim_end().to_string() + "\n").collect()
        };
        format!("@@ line {} @@\n", same + 1)
            + &marked(' ', &old[first..same])
            + &marked('-', &old[same..old_end])
            + &marked('+', &new[same..new_end])
            + &marked(' ', &old[old_end..last])
    }
}

impl Change {
    /// A change of one place.
    pub(super) fn new(what: impl Into<String>, edit: Edit) -> Change {
        Change { what: what.into(), edits: vec![edit] }
    }

    /// A change of several places.
    pub(super) fn of_all(what: impl Into<String>, mut edits: Vec<Edit>) -> Change {
        edits.sort_by_key(|edit| edit.at.start);
        Change { what: what.into(), edits }
    }

    /// Where it begins.
    pub(super) fn begins(&self) -> usize {
        self.edits.first().map_or(0, |edit| edit.at.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_shows_what_differs_and_two_lines_around_it() {
        let old = "a\nb\nc\nd\ne\nf\n";
        assert_eq!(Source(old).diff("a\nb\nc\nx\ne\nf\n"), "@@ line 4 @@\n  b\n  c\n- d\n+ x\n  e\n  f\n");
        assert_eq!(Source(old).diff("b\nc\nd\ne\nf\n"), "@@ line 1 @@\n- a\n  b\n  c\n");
        assert_eq!(Source(old).diff("a\nb\nc\nd\ne\nf\nf\n"), "@@ line 7 @@\n  e\n  f\n+ f\n");
        assert_eq!(Source("a\na\n").diff("a\n"), "@@ line 2 @@\n  a\n- a\n");
    }

    #[test]
    fn edits_are_made_by_bytes_where_letters_have_several() {
        let text = "fn f() {\n    // größer\n    g(\"ä\");\n    h();\n}\n";
        let file = syn::parse_file(text).expect("Rust");
        let syn::Item::Fn(function) = &file.items[0] else { panic!("a function") };
        let (source, [first, second]) = (Source(text), &function.block.stmts[..]) else { panic!("two statements") };
        assert_eq!(source.of(second), "h();");
        assert_eq!(source.with(&[source.remove(first)]), "fn f() {\n    // größer\n    h();\n}\n");
        let edits = [source.insert_before(first, "a();"), source.replace(second, "b();")];
        assert_eq!(source.with(&edits), "fn f() {\n    // größer\n    a();\n    g(\"ä\");\n    b();\n}\n");
    }

    #[test]
    fn names_are_short_and_without_comments() {
        let text = "fn f() {\n    if a {\n        // why\n        b();\n    }\n}\n";
        let file = syn::parse_file(text).expect("Rust");
        let syn::Item::Fn(function) = &file.items[0] else { panic!("a function") };
        assert_eq!(Source(text).short(&function.block.stmts[0]), "if a { b(); }");
        let long = format!("fn f() {{ {}() }}", "ä".repeat(80));
        let file = syn::parse_file(&long).expect("Rust");
        assert_eq!(Source(&long).short(&file.items[0]).chars().count(), SHOWN + 1);
    }
}
