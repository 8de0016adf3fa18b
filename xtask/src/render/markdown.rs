//! A lesson in the terminal: enough of Markdown for READMEs and hints.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::render::{FAINT, STRONG, styled};

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
            Event::Text(text) if self.in_code => {
                let shown: String = text.lines().map(|line| format!("    {line}\n")).collect();
                self.text += &shown;
            }
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
        let options = textwrap::Options::new(self.width).initial_indent(&first).subsequent_indent(&indent);
        self.text += &line.lines().map(|line| textwrap::fill(line, &options) + "\n").collect::<String>();
    }

    /// Columns as wide as their longest cell; the last one is wrapped if the page is too narrow.
    fn flush_table(&mut self) {
        let rows = std::mem::take(&mut self.table);
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let longest = |column: usize| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let share = self.width / columns.max(1);
        let widths: Vec<usize> = (0..columns).map(|column| longest(column).min(share.max(10))).collect();
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
    fn tables_stay_within_the_page() {
        let page = plain("| a | b |\n|---|---|\n| one | a cell with rather many words in it |\n");
        assert_eq!(page, "a    b\n───  ────────────────────\none  a cell with rather\n     many words in it\n");
    }
}
