//! A lesson in the terminal: enough of Markdown for READMEs and hints.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use textwrap::WordSplitter;

use crate::render::{FAINT, STRONG, shares, styled};

/// Renders Markdown in so many columns.
pub(crate) fn render(markdown: &str, width: usize) -> String {
    let mut page = Page { width, ..Page::default() };
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        page.take(event);
    }
    page.text.trim_matches('\n').to_string() + "\n"
}

#[derive(Default)]
struct Page {
    width: usize,
    text: String,
    /// The paragraph, heading or table row that is being read.
    line: String,
    /// A list we are in: the number of the next item, if it has numbers.
    lists: Vec<Option<u64>>,
    /// The mark of an item that has no text yet.
    mark: Option<String>,
    in_code: bool,
    heading: Option<HeadingLevel>,
    link: Option<String>,
    table: Vec<Vec<String>>,
}

impl Page {
    fn take(&mut self, event: Event) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.in_code => self.line += &text,
            Event::Text(text) => self.line += &text,
            // Backticks stay: without colour they are what tells code from prose.
            Event::Code(code) => self.line += &format!("`{code}`"),
            Event::SoftBreak => self.line.push(' '),
            Event::HardBreak => self.line.push('\n'),
            Event::Rule => self.text += &format!("{}\n\n", "─".repeat(self.width.min(60))),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag) {
        match tag {
            Tag::Heading { level, .. } => self.heading = Some(level),
            Tag::CodeBlock(_) => {
                self.flush();
                self.in_code = true;
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => {
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "• ".to_string(),
                };
                self.mark = Some(mark);
            }
            Tag::Link { dest_url, .. } => self.link = Some(dest_url.to_string()),
            Tag::TableHead | Tag::TableRow => self.table.push(Vec::new()),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => self.flush_heading(),
            TagEnd::Paragraph => {
                self.flush();
                if self.lists.is_empty() {
                    self.text.push('\n');
                }
            }
            TagEnd::CodeBlock => {
                self.in_code = false;
                let block = std::mem::take(&mut self.line);
                let lines = code(&block.lines().collect::<Vec<_>>(), self.width);
                self.text += &lines.iter().map(|line| line.trim_end().to_string() + "\n").collect::<String>();
                self.text.push('\n');
            }
            TagEnd::Item => self.flush(),
            TagEnd::List(_) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.text.push('\n');
                }
            }
            TagEnd::Link => {
                let url = self.link.take().unwrap_or_default();
                if url.starts_with("http") && !self.line.ends_with(&url) {
                    self.line += &format!(" <{url}>");
                }
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.line);
                self.table.last_mut().into_iter().for_each(|row| row.push(cell.clone()));
            }
            TagEnd::Table => self.flush_table(),
            _ => {}
        }
    }

    fn flush_heading(&mut self) {
        let title = std::mem::take(&mut self.line);
        let underline = if self.heading.take() == Some(HeadingLevel::H1) { "═" } else { "─" };
        self.text += &format!("\n{}\n", styled(STRONG, &title));
        self.text += &format!("{}\n\n", styled(FAINT, &underline.repeat(title.chars().count())));
    }

    /// Writes the paragraph that was read, indented as deep as the list it is in.
    fn flush(&mut self) {
        let line = std::mem::take(&mut self.line);
        if line.trim().is_empty() {
            return;
        }
        let depth = self.lists.len();
        let indent = "  ".repeat(depth);
        let mark = self.mark.take().unwrap_or_default();
        let first =
            if mark.is_empty() { indent.clone() } else { format!("{}{mark}", "  ".repeat(depth.saturating_sub(1))) };
        // An address that is cut can't be followed: too long ones stick out.
        let options = textwrap::Options::new(self.width)
            .initial_indent(&first)
            .subsequent_indent(&indent)
            .break_words(false)
            .word_splitter(WordSplitter::NoHyphenation);
        self.text += &line.lines().map(|line| textwrap::fill(line, &options) + "\n").collect::<String>();
    }

    /// Columns as wide as their longest cell; where the page is too narrow, the wide ones are wrapped.
    fn flush_table(&mut self) {
        let rows = std::mem::take(&mut self.table);
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let longest = |column: usize| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let needs: Vec<usize> = (0..columns).map(longest).collect();
        let widths = shares(&needs, self.width.saturating_sub(2 * columns.saturating_sub(1)));
        for (number, row) in rows.iter().enumerate() {
            let cells: Vec<Vec<String>> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| {
                    textwrap::wrap(cell, (*width).max(1)).into_iter().map(|line| line.into_owned()).collect()
                })
                .collect();
            for line in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
                let text: Vec<String> = cells
                    .iter()
                    .zip(&widths)
                    .map(|(cell, width)| format!("{:<width$}", cell.get(line).map_or("", String::as_str)))
                    .collect();
                self.text += &format!("{}\n", text.join("  ").trim_end());
            }
            if number == 0 {
                let lines: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
                self.text += &format!("{}\n", lines.join("  "));
            }
        }
        self.text.push('\n');
    }
}

/// A block of code in so many columns. Two languages side by side are put one below the other if they don't fit; a line that is too
/// long even so goes on below, further in.
fn code(lines: &[&str], width: usize) -> Vec<String> {
    const INDENT: usize = 4;
    let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    if longest <= width {
        let indent = " ".repeat(INDENT.min(width - longest));
        return lines.iter().map(|line| format!("{indent}{line}")).collect();
    }
    if let Some(column) = side_by_side(lines, width) {
        let cut = |line: &str| line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
        let left: Vec<&str> = lines.iter().map(|line| line[..cut(line)].trim_end()).collect();
        let right: Vec<&str> = lines.iter().map(|line| &line[cut(line)..]).collect();
        return [code(&left, width), vec![String::new()], code(&right, width)].concat();
    }
    let folded = |line: &&str| {
        let indent = " ".repeat(line.len() - line.trim_start().len());
        let further = format!("{indent}    ");
        let options = textwrap::Options::new(width)
            .initial_indent(&indent)
            .subsequent_indent(&further)
            .word_splitter(WordSplitter::NoHyphenation);
        textwrap::wrap(line.trim_start(), options).into_iter().map(|line| line.into_owned()).collect::<Vec<_>>()
    };
    lines.iter().flat_map(folded).collect()
}

/// The column at which a second language begins: `# ` behind some blanks, in every line that reaches so far.
fn side_by_side(lines: &[&str], width: usize) -> Option<usize> {
    let letters: Vec<Vec<char>> = lines.iter().map(|line| line.chars().collect()).collect();
    let begins = |line: &Vec<char>, column: usize| {
        let blank = |at: usize| line.get(at).is_none_or(|letter| *letter == ' ');
        line.len() <= column || line[column] == '#' && blank(column - 1) && blank(column - 2) && blank(column + 1)
    };
    let columns = (3..width).filter(|column| letters.iter().all(|line| begins(line, *column)));
    let mut columns = columns.filter(|column| letters.iter().filter(|line| line.len() > *column).count() > 1);
    columns.next()
}

#[cfg(test)]
mod tests {
    use super::render;

    fn plain(markdown: &str) -> String {
        anstream::adapter::strip_str(&render(markdown, 40)).to_string()
    }

    #[test]
    fn headings_paragraphs_lists_and_code() {
        let page = plain(
            "# Title\n\nSome `code` in a paragraph that is longer than forty columns.\n\n- one\n- two\n\n```rust\nlet x = 1;\n```\n",
        );
        assert_eq!(
            page,
            "Title\n═════\n\nSome `code` in a paragraph that is\nlonger than forty columns.\n\n• one\n• two\n\n    let x = 1;\n"
        );
    }

    #[test]
    fn code_side_by_side_is_stacked_where_it_does_not_fit() {
        let fits = "with lock:      # {\n    x += 1      #     x += 1;\n";
        assert_eq!(
            plain(&format!("```python\n{fits}```\n")),
            "    with lock:      # {\n        x += 1      #     x += 1;\n"
        );
        let wide = "with lock:                # let mut x = lock.lock();\n    x += 1                # *x += 1;\n";
        let stacked = "    with lock:\n        x += 1\n\n    # let mut x = lock.lock();\n    # *x += 1;\n";
        assert_eq!(plain(&format!("```python\n{wide}```\n")), stacked);
    }

    #[test]
    fn diagrams_use_the_margin_and_long_lines_go_on_below() {
        assert_eq!(
            plain("```text\n│ a diagram of thirty-eight columns  │\n```\n"),
            "  │ a diagram of thirty-eight columns  │\n"
        );
        let long = plain("```rust\n  let sums = balanced(&[100, 1_000], workers, sum);\n```\n");
        assert_eq!(long, "  let sums = balanced(&[100, 1_000],\n      workers, sum);\n");
    }

    #[test]
    fn addresses_stay_whole() {
        let address = "https://doc.rust-lang.org/std/thread/fn.scope.html#a-long-one";
        assert!(plain(&format!("- see [`scope`]({address}), and more\n")).contains(&format!("<{address}>,")));
    }

    #[test]
    fn tables_stay_within_the_page() {
        let page = plain("| a | b |\n|---|---|\n| one | a cell with rather many words in it |\n");
        assert_eq!(
            page,
            "a    b\n───  ───────────────────────────────────\none  a cell with rather many words in it\n"
        );
    }
}
