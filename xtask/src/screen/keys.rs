//! Keys, as terminals send them.

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Char(char),
    /// With the control key held.
    Ctrl(char),
    Enter,
    Esc,
    Backspace,
    Tab,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
}

/// No key is spelled with more bytes. What is longer is none of a keyboard's.
const LONGEST: usize = 32;

/// Bytes that came and are no whole key yet.
#[derive(Debug, Default)]
pub(crate) struct Keyboard {
    open: Vec<u8>,
    /// Text is being pasted: no keys, whatever is in it.
    pasting: bool,
}

/// What the beginning of some bytes is.
enum Found {
    /// A key, of so many bytes.
    Key(Key, usize),
    /// So many bytes that are no key here.
    Nothing(usize),
    /// A pasted text begins or ends, with so many bytes.
    Paste(bool, usize),
    /// Too little to tell.
    Open,
}

impl Keyboard {
    /// The keys that are whole now.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Vec<Key> {
        self.open.extend_from_slice(bytes);
        let mut keys = Vec::new();
        let mut begin = 0;
        loop {
            let length = match first(&self.open[begin..]) {
                Found::Key(key, length) => {
                    keys.extend((!self.pasting).then_some(key));
                    length
                }
                Found::Paste(begins, length) => {
                    self.pasting = begins;
                    length
                }
                Found::Nothing(length) => length,
                Found::Open => break,
            };
            begin += length;
        }
        self.open.drain(..begin);
        keys
    }

    /// Nothing more came: what looked like the beginning of a longer key was the escape key.
    pub(crate) fn pause(&mut self) -> Option<Key> {
        let escape = self.open.first() == Some(&0x1b);
        self.open.clear();
        (escape && !self.pasting).then_some(Key::Esc)
    }
}

fn first(bytes: &[u8]) -> Found {
    match bytes {
        [] => Found::Open,
        [b'\r' | b'\n', ..] => Found::Key(Key::Enter, 1),
        [b'\t', ..] => Found::Key(Key::Tab, 1),
        [0x7f | 8, ..] => Found::Key(Key::Backspace, 1),
        [0x1b] => Found::Open,
        [0x1b, b'[', rest @ ..] => sequence(rest, 2),
        [0x1b, b'O', letter, ..] => named(&[], *letter, 3),
        [0x1b, b'O'] => Found::Open,
        // What terminals answer when they are asked what they are: up to the string's end.
        [0x1b, b']' | b'P' | b'_' | b'^' | b'X', rest @ ..] => {
            let end = rest.windows(2).position(|two| two == [0x1b, b'\\']).map(|at| at + 2);
            let end = end.or(rest.iter().position(|byte| *byte == 7).map(|at| at + 1));
            match end {
                Some(end) => Found::Nothing(2 + end),
                None if rest.len() > 4096 => Found::Nothing(2),
                None => Found::Open,
            }
        }
        [0x1b, ..] => Found::Key(Key::Esc, 1),
        [control @ 1..0x20, ..] => Found::Key(Key::Ctrl(char::from(control | 0x60)), 1),
        [0, ..] => Found::Nothing(1),
        _ => {
            let some = &bytes[..bytes.len().min(4)];
            let text = match std::str::from_utf8(some) {
                Ok(text) => text,
                Err(error) if error.valid_up_to() > 0 => {
                    std::str::from_utf8(&some[..error.valid_up_to()]).unwrap_or("")
                }
                Err(error) if error.error_len().is_none() => return Found::Open,
                Err(_) => return Found::Nothing(1),
            };
            text.chars().next().map_or(Found::Nothing(1), |c| Found::Key(Key::Char(c), c.len_utf8()))
        }
    }
}

/// What follows `ESC [`: numbers, and a letter that ends it.
fn sequence(rest: &[u8], before: usize) -> Found {
    match rest.iter().position(|byte| (0x40..=0x7e).contains(byte)) {
        Some(end) => named(&rest[..end], rest[end], before + end + 1),
        None if rest.len() > LONGEST => Found::Nothing(before),
        None => Found::Open,
    }
}

fn named(numbers: &[u8], letter: u8, length: usize) -> Found {
    let key = match (letter, numbers) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', _) => Key::Right,
        (b'D', _) => Key::Left,
        (b'H', _) | (b'~', b"1" | b"7") => Key::Home,
        (b'F', _) | (b'~', b"4" | b"8") => Key::End,
        (b'~', b"5") => Key::PageUp,
        (b'~', b"6") => Key::PageDown,
        (b'~', b"200") => return Found::Paste(true, length),
        (b'~', b"201") => return Found::Paste(false, length),
        _ => return Found::Nothing(length),
    };
    Found::Key(key, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_their_bytes_however_they_are_cut() {
        let sent = "q\u{1b}[A\u{1b}OB\u{1b}[6~ä\r\u{3}\u{1b}[5;2~x";
        let expected = [
            Key::Char('q'),
            Key::Up,
            Key::Down,
            Key::PageDown,
            Key::Char('ä'),
            Key::Enter,
            Key::Ctrl('c'),
            Key::Char('x'),
        ];
        assert_eq!(Keyboard::default().take(sent.as_bytes()), expected);
        let mut keyboard = Keyboard::default();
        let one_by_one: Vec<Key> = sent.bytes().flat_map(|byte| keyboard.take(&[byte])).collect();
        assert_eq!(one_by_one, expected);
    }

    #[test]
    fn an_escape_alone_is_a_key_once_nothing_follows() {
        let mut keyboard = Keyboard::default();
        assert_eq!((keyboard.take(b"\x1b"), keyboard.pause(), keyboard.pause()), (vec![], Some(Key::Esc), None));
    }

    #[test]
    fn what_no_keyboard_sends_presses_no_key() {
        let mut keyboard = Keyboard::default();
        assert_eq!(keyboard.take(b"\x1b[24;80R\x1b]11;rgb:0/0/0\x07\x1bP>|term q\x1b\\\xff\0"), []);
        assert_eq!(keyboard.take(b"\x1b[200~q\rq\x1b[201~n"), [Key::Char('n')], "a pasted text is no key");
        assert_eq!(
            keyboard
                .take(&[b"\x1b[".as_slice(), &[b'1'; 10_000]].concat())
                .iter()
                .filter(|key| **key == Key::Esc)
                .count(),
            0
        );
    }
}
