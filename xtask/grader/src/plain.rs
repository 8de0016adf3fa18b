//! Text of strangers as plain text: it only shows itself.

use std::borrow::Cow;
use std::fmt::Write;

/// Stands for what may not be shown.
const REPLACED: char = '\u{fffd}';

/// Text without what could steer a terminal or a reader's eye: escape sequences and control characters are gone, and it runs in
/// one direction.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    // Most text is plain, and a class has much of it.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t')) {
        return Cow::Borrowed(text);
    }
    let stripped = anstream::adapter::strip_str(text).to_string();
    Cow::Owned(stripped.replace("\r\n", "\n").chars().map(harmless).collect())
}

/// No more than so many bytes of a text, with a word on what is left out.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_string();
    }
    let end = text.floor_char_boundary(most);
    format!("{}\n… {} more bytes are left out.", &text[..end], text.len() - end)
}

/// A JSON document that means the same, in which whatever is not plain is spelled as `\u202e`. The document may have no line breaks
/// between its parts.
pub(crate) fn json(document: &str) -> String {
    let mut spelled = String::with_capacity(document.len());
    for c in document.chars() {
        if harmless(c) == c {
            spelled.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(spelled, "\\u{unit:04x}");
            }
        }
    }
    spelled
}

/// The character, if it only shows itself.
fn harmless(c: char) -> char {
    match c {
        '\n' | '\t' => c,
        // Line breaks by another name.
        '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => ' ',
        // Text that runs backwards can make a name, or a line of code, look like another.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => REPLACED,
        '\u{feff}' | '\u{fffe}' | '\u{ffff}' => REPLACED,
        // What shows nothing at all would make two names look alike. Two joiners are left, which words and emoji are made with.
        '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180e}' | '\u{200b}' => REPLACED,
        '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}' => {
            REPLACED
        }
        c if c.is_control() => REPLACED,
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_or_an_eye_is_gone() {
        assert_eq!(plain("\u{1b}[31mred\u{1b}[0m"), "red");
        assert_eq!(plain("\u{1b}]0;title\u{7}x"), "x");
        assert_eq!(plain("a\u{0}b\u{9b}31mc\rd\r\ne\u{7f}"), "ab\u{fffd}31mc d\ne");
        assert_eq!(plain("user\u{202e}nimda\u{61c}\u{2066}"), "user\u{fffd}nimda\u{fffd}\u{fffd}");
        assert_eq!(plain("one\u{2028}two"), "one two");
        assert_eq!(plain("a\u{200b}d\u{ad}a\u{3164}\u{2060}\u{e0041}"), "a\u{fffd}d\u{fffd}a\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(plain("می\u{200c}خواهم \u{1f469}\u{200d}\u{1f680}"), "می\u{200c}خواهم \u{1f469}\u{200d}\u{1f680}");
    }

    #[test]
    fn a_cut_is_said() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("ääää", 3), "ä\n… 6 more bytes are left out.");
    }

    #[test]
    fn a_document_means_the_same_in_plain_text() {
        let value = serde_json::json!({ "ada\u{202e}": "\u{7f}\u{85}\u{2028}\u{feff} ä\n\u{1f980}" });
        let document = json(&value.to_string());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&document).unwrap(), value);
        assert_eq!(document, "{\"ada\\u202e\":\"\\u007f\\u0085\\u2028\\ufeff ä\\n\u{1f980}\"}");
    }
}
