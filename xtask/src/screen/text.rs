//! Lines of styled text, cut and folded to a width. Colours are all that may be in them beside text: what a learner's code prints does
//! not steer the terminal.

/// A piece of a line.
enum Piece<'a> {
    /// A sequence that sets colours.
    Style(&'a str),
    /// What is seen.
    Letter(char),
}

/// The columns that text takes.
pub(crate) fn length(line: &str) -> usize {
    pieces(line).map(|piece| columns(&piece)).sum()
}

fn columns(piece: &Piece) -> usize {
    match piece {
        Piece::Style(_) => 0,
        Piece::Letter(letter) => textwrap::core::display_width(letter.encode_utf8(&mut [0; 4])),
    }
}

/// The line in so many columns: cut with `…` if it is too long.
pub(crate) fn clip(line: &str, width: usize) -> String {
    if length(line) <= width {
        return folded(line, width).concat();
    }
    let first = folded(line, width.saturating_sub(1)).into_iter().next().unwrap_or_default();
    if width == 0 { String::new() } else { first + "…" }
}

/// The line as lines of at most so many columns. Each begins with the style in which the one before ended.
pub(crate) fn folded(line: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let (mut used, mut active) = (0, String::new());
    for piece in pieces(line) {
        let columns = columns(&piece);
        if columns > 0 && used + columns > width && used > 0 {
            if !active.is_empty() {
                *last(&mut lines) += RESET;
            }
            lines.push(active.clone());
            used = 0;
        }
        used += columns;
        match piece {
            Piece::Style(style) => {
                if style == RESET || style == "\u{1b}[m" {
                    active.clear();
                } else {
                    active += style;
                }
                *last(&mut lines) += style;
            }
            Piece::Letter(letter) if columns <= width => last(&mut lines).push(letter),
            Piece::Letter(_) => {}
        }
    }
    if !active.is_empty() {
        *last(&mut lines) += RESET;
    }
    lines
}

const RESET: &str = "\u{1b}[0m";

fn last(lines: &mut [String]) -> &mut String {
    lines.last_mut().expect("there is one from the beginning")
}

fn pieces(line: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = line;
    let mut blanks = 0;
    std::iter::from_fn(move || {
        if blanks > 0 {
            blanks -= 1;
            return Some(Piece::Letter(' '));
        }
        if let Some(length) = style(rest) {
            let (style, behind) = rest.split_at(length);
            rest = behind;
            return Some(Piece::Style(style));
        }
        let letter = rest.chars().next()?;
        rest = &rest[letter.len_utf8()..];
        Some(Piece::Letter(match letter {
            '\t' => {
                blanks = 3;
                ' '
            }
            letter if letter.is_control() => '\u{fffd}',
            letter => letter,
        }))
    })
}

/// The length of the sequence at the beginning that sets colours.
fn style(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix("\u{1b}[")?;
    let end = numbers.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    numbers[end..].starts_with('m').then_some(2 + end + 1)
}

/// The line in ASCII, a letter for a letter, for terminals that can show no more.
pub(crate) fn ascii(line: &str) -> String {
    let plain = |letter: char| match letter {
        '─' | '—' | '–' => '-',
        '│' => '|',
        '═' => '=',
        '▰' | '█' => '#',
        '▱' | '·' | '…' => '.',
        '✔' => '+',
        '✗' | '✘' => 'x',
        '▸' | '→' => '>',
        '◂' | '←' => '<',
        '↑' => '^',
        '↓' => 'v',
        '↻' => '!',
        '⏸' => '~',
        '•' => '*',
        letter if letter.is_ascii() => letter,
        _ => '?',
    };
    line.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_take_no_room_and_end_with_the_line() {
        let line = "\u{1b}[31mred and\u{1b}[0m plain";
        assert_eq!(length(line), 13);
        assert_eq!(clip(line, 13), line);
        assert_eq!(clip(line, 6), "\u{1b}[31mred a\u{1b}[0m…");
        assert_eq!(folded(line, 4), ["\u{1b}[31mred \u{1b}[0m", "\u{1b}[31mand\u{1b}[0m ", "plai", "n"]);
        assert_eq!(clip(line, 0), "");
    }

    #[test]
    fn wide_letters_take_two_columns() {
        assert_eq!(length("日本"), 4);
        assert_eq!(folded("日本", 3), ["日", "本"]);
        assert_eq!(folded("日", 1), [""], "there is no half of it");
    }

    #[test]
    fn nothing_but_colours_steers_the_terminal() {
        assert_eq!(clip("a\u{1b}[2Jb\rc\u{9b}1m\td", 80), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}1m    d");
    }

    #[test]
    fn ascii_keeps_every_column() {
        let line = "✔ · ↻ ▰▱ alice→bob é";
        assert_eq!(ascii(line), "+ . ! #. alice>bob ?");
        assert_eq!(length(&ascii(line)), length(line));
    }
}
