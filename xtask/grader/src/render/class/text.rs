//! Text of strangers. Names, output, messages and source lines are data in every report, never markup, formula or command.
//!
//! [`clean`] comes first, everywhere; each format adds its own. So what is harmless in one report is not live in the log of
//! the job that prints it.

pub(crate) use crate::plain::cut;
use crate::plain::plain;
use crate::render::svg;

/// Text without what could steer a terminal, a log or a reader's eye: escape sequences and control characters are gone, text
/// runs in one direction, and commands to a CI system are broken.
pub(crate) fn clean(text: &str) -> String {
    let mut text = plain(text);
    if text.contains("::") || text.contains("##") {
        text = text.split('\n').map(without_command).collect::<Vec<_>>().join("\n").into();
    }
    text.into_owned()
}

/// The same on one line.
pub(crate) fn line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A line of source: no longer than a person reads.
pub(crate) fn cut_line(text: &str) -> String {
    const MOST: usize = 160;
    let text = line(text);
    if text.chars().count() <= MOST { text } else { text.chars().take(MOST).chain(['…']).collect() }
}

/// As HTML takes it, in an element and in an attribute.
pub(crate) fn html(text: &str) -> String {
    svg::escape(&clean(text))
}

/// One line of text in Markdown, in a table too: no markup, no HTML, no mention, no link.
pub(crate) fn markdown(text: &str) -> String {
    let mut safe = String::new();
    for (at, c) in line(text).char_indices() {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            // A backslash would not stop @mentions, #123 and addresses: those are found in the finished page.
            '@' | '#' | ':' => {
                safe.push(c);
                safe.push(WORD_JOINER);
            }
            '.' => {
                safe.push(WORD_JOINER);
                safe.push(c);
            }
            // Only at the start do these make a list or a rule.
            '-' | '+' | '=' if at > 0 => safe.push(c),
            c if c.is_ascii_punctuation() && !",;/%'\"?".contains(c) => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}

/// A name of code in Markdown. What is no plain identifier is text.
pub(crate) fn markdown_code(name: &str) -> String {
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain { format!("`{name}`") } else { markdown(name) }
}

/// Lines of text in Markdown: a fenced block whose fence the text can't close.
pub(crate) fn markdown_block(text: &str) -> String {
    let text = clean(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", text.trim_end_matches('\n'))
}

/// A field of a spreadsheet, which reads text that begins like a formula as one; and so it does after a separator or a quote
/// where a program splits the line by its own idea.
pub(crate) fn spreadsheet(text: &str) -> String {
    const BEGINS_A_FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];
    let mut safe = String::new();
    let mut at_start = true;
    // Not `clean`ed before the look at the first character: what a tab or a return begins is a formula to some programs.
    let text: String = text.replace(['\n', '\r', '\t'], " ");
    for c in clean(&text).chars() {
        // Full-width signs are formulas in some languages' spreadsheets.
        let plain = match c {
            '＝' => '=',
            '＋' => '+',
            '－' => '-',
            '＠' => '@',
            c => c,
        };
        if at_start && BEGINS_A_FORMULA.contains(&plain) {
            safe.push('\'');
        }
        at_start = matches!(c, ',' | ';' | '"' | '|') || (at_start && c.is_whitespace());
        safe.push(c);
    }
    safe
}

/// Text that a CI system shows beside a test. Some fetch files for it: `[[ATTACHMENT|/etc/passwd]]`.
pub(crate) fn junit(text: &str) -> String {
    let text = clean(text);
    // Twice, since of three brackets the second is the first of another pair.
    text.replace("[[", "[ [").replace("[[", "[ [")
}

/// Text for learners: clean, and without paths of the machine that graded.
pub(crate) fn for_learners(text: &str) -> String {
    // Cleaned first, or an escape sequence would hide a path; and then, or a path's end could begin a command.
    clean(&without_paths(&clean(text)))
}

/// Text without absolute paths. Of a path to source the part from `src/` is left, of any other its
/// end.
fn without_paths(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(start) = absolute_path(rest) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| c.is_whitespace() || "\"'`<>()[]{},;|".contains(c)).unwrap_or(from.len());
        let (path, after) = from.split_at(end);
        shown += before;
        shown += &kept(&path.replace('\\', "/"));
        rest = after;
    }
    shown + rest
}

/// What a learner may see of an absolute path.
fn kept(path: &str) -> String {
    // The standard library's and other crates' sources must not look like the learner's own.
    if let Some((_, crates)) = path.split_once("/registry/src/") {
        return crates.split_once('/').map_or(crates, |(_, file)| file).to_string();
    }
    let from = [path.rfind("/library/"), path.rfind("/src/"), path.rfind('/')].into_iter().flatten();
    let kept = from.map(|at| &path[at + 1..]).next().unwrap_or(path);
    if kept.is_empty() { "…".to_string() } else { kept.to_string() }
}

/// Where the next absolute path begins, if there is one: at a `/` or a drive's letter that no word, colon or slash precedes.
fn absolute_path(text: &str) -> Option<usize> {
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let after = &text[at + c.len_utf8()..];
        let begins = !(before.is_alphanumeric() || "/\\:_-.…*".contains(before));
        let unix = c == '/' && after.starts_with(|c: char| c.is_alphanumeric() || c == '.' || c == '_');
        // `/` alone divides; a path has a second one.
        let unix = unix && after.split(char::is_whitespace).next().is_some_and(|word| word.contains('/'));
        let windows = c.is_ascii_alphabetic()
            && (after.starts_with(":\\") || after.starts_with(":/") && !after.starts_with("://"));
        if begins && (unix || windows || (c == '\\' && is_of_the_network(after))) {
            return Some(at);
        }
        before = c;
    }
    None
}

/// Whether `\host\share` or `\?\C:` follows on a first backslash. Escaped characters of a source line look like its beginning only.
fn is_of_the_network(after: &str) -> bool {
    let mut parts = after.split('\\').skip(1);
    let begins = |c: char| c.is_alphanumeric() || matches!(c, '?' | '.');
    let mut is_name = || parts.next().is_some_and(|part| part.starts_with(begins));
    after.starts_with('\\') && is_name() && is_name()
}

/// Keeps addresses, mentions and numbers of issues from becoming links. It has no width and no meaning.
const WORD_JOINER: char = '\u{2060}';

/// A line that is no command to a CI system: `::error …` (at its start), `##[error]`, `##vso[…]`, `##teamcity[…]` (anywhere).
fn without_command(line: &str) -> String {
    let line = match line.trim_start().strip_prefix("::") {
        Some(rest) if !rest.starts_with(':') => line.replacen("::", ": :", 1),
        _ => line.to_string(),
    };
    let mut safe = String::new();
    for (at, c) in line.char_indices() {
        safe.push(c);
        let word =
            line[at..].strip_prefix("##").map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric()));
        if word.is_some_and(|after| after.starts_with('[')) {
            safe.push(' ');
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_to_a_ci_system_are_broken() {
        assert_eq!(clean("::error::x"), ": :error::x");
        assert_eq!(clean("fine\n  ::stop-commands::x"), "fine\n  : :stop-commands::x");
        assert_eq!(clean("std::sync is no command"), "std::sync is no command");
        assert_eq!(clean("##vso[task]x ##[error] ##teamcity[x"), "# #vso[task]x # #[error] # #teamcity[x");
        assert_eq!(clean("## heading, ###[x]"), "## heading, ## #[x]");
        // What is left when the escape sequence is gone must not be one.
        assert_eq!(clean("\u{1b}[1m::error::x"), ": :error::x");
        assert_eq!(clean(&clean("::error::x")), clean("::error::x"));
    }

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(line("  a\n\tb  "), "a b");
    }

    #[test]
    fn formulas_are_defused() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "＝1+1"] {
            assert!(spreadsheet(formula).trim_start().starts_with('\''), "{formula}");
        }
        assert_eq!(spreadsheet("\t=1\n"), " '=1 ");
        assert_eq!(spreadsheet("a,=1;-2\"+3"), "a,'=1;'-2\"'+3");
        assert_eq!(spreadsheet("Anne-Marie 1+1"), "Anne-Marie 1+1");
    }

    #[test]
    fn markdown_is_only_text() {
        assert_eq!(markdown("a|b`c*d"), "a\\|b\\`c\\*d");
        assert_eq!(markdown("<b>&"), "&lt;b&gt;&amp;");
        assert_eq!(markdown("@ada\n#1"), "@\u{2060}ada #\u{2060}1");
        assert_eq!(markdown_block("a\n````\nb"), "`````text\na\n````\nb\n`````\n");
    }

    #[test]
    fn no_file_is_fetched_for_a_test() {
        assert_eq!(junit("[[ATTACHMENT|/etc/passwd]]"), "[ [ATTACHMENT|/etc/passwd]]");
        assert_eq!(junit("[[[ATTACHMENT|x]]"), "[ [ [ATTACHMENT|x]]");
    }

    #[test]
    fn learners_see_no_path_of_the_machine() {
        assert_eq!(for_learners(" --> /home/x/class/ada/katas/lock/src/lib.rs:3:4"), " --> src/lib.rs:3:4");
        assert_eq!(for_learners("at `/tmp/a b`, /tmp/work/x.txt"), "at `a b`, x.txt");
        assert_eq!(for_learners(r"C:\Users\x\src\lib.rs:1 and \\host\share\y"), "src/lib.rs:1 and y");
        assert_eq!(for_learners(r"\\?\C:\Users\x\src\lib.rs:1"), "src/lib.rs:1");
        assert_eq!(for_learners("\u{1b}[1m/home/x/y"), "y");
        assert_eq!(for_learners("/rustc/59807/library/core/src/marker.rs:8"), "library/core/src/marker.rs:8");
        assert_eq!(for_learners("/root/.cargo/registry/src/index-1/rayon-1.12/src/lib.rs"), "rayon-1.12/src/lib.rs");
        assert_eq!(for_learners("/x/::error::y"), ": :error::y");
        for harmless in [
            "http://127.0.0.1:80/a/b",
            "1 / 2",
            "src/lib.rs",
            "a/b/c",
            "// comment",
            "/* a/b */",
            r"'\\'",
            r#""\\n\\t""#,
        ] {
            assert_eq!(for_learners(harmless), harmless);
        }
    }
}
