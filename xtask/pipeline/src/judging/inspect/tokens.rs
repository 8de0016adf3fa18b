//! Reading tokens whose grammar nobody knows: those of macros, and those that the syntax tree leaves as they are.

use proc_macro2::{Ident, Spacing, Span, TokenStream, TokenTree};

use crate::judging::inspect::plain;

/// Nobody writes a path of more parts.
const LONGEST_PATH: usize = 32;

/// Something that tokens name.
pub(super) enum Named {
    /// `a::b`
    Path(Span, String),
    /// The path of an import, and the name that it gives; none for `*`.
    Import(Span, String, Option<String>),
    /// The path of a macro that is called.
    Macro(Span, String),
    /// The words of an attribute.
    Attribute(Span, Vec<String>),
    /// The beginning of a path that nobody follows.
    TooLong(Span),
}

/// All that the tokens name, in order.
pub(super) fn named(tokens: TokenStream) -> Vec<Named> {
    let mut reader = Reader { named: Vec::new() };
    reader.read(tokens, &[], None);
    reader.named
}

/// What an item imports.
#[derive(Clone, Copy, PartialEq)]
enum Importing {
    /// `use …;`
    Names,
    /// `extern crate …;`
    Crate,
}

struct Reader {
    named: Vec<Named>,
}

/// A path that is being read.
struct Path {
    span: Span,
    parts: Vec<String>,
}

impl Path {
    fn text(&self) -> String {
        self.parts.join("::")
    }
}

impl Reader {
    /// Reads the tokens of a group, each part of which goes on with the path that is `before`.
    fn read(&mut self, tokens: TokenStream, before: &[String], outside: Option<Importing>) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut importing = outside;
        let begin = |span| (!before.is_empty()).then(|| Path { span, parts: before.to_vec() });
        let mut path = trees.first().and_then(|first| begin(first.span()));
        let mut after_colons = path.is_some();
        let mut place = 0;
        while let Some(tree) = trees.get(place) {
            let next = trees.get(place + 1);
            match tree {
                TokenTree::Ident(word) if importing.is_some() && word == "as" && !after_colons && path.is_some() => {
                    if let Some(TokenTree::Ident(name)) = next {
                        let path = path.take().expect("there is one");
                        self.named.push(Named::Import(path.span, path.text(), Some(plain(name))));
                        place += 1;
                    }
                }
                TokenTree::Ident(word) if after_colons && path.is_some() => {
                    path = path.take().and_then(|path| self.go_on(path, word));
                    after_colons = false;
                }
                TokenTree::Ident(word) => {
                    self.finish(path.take(), importing);
                    let begins_crate = word == "crate"
                        && matches!(place.checked_sub(1).map(|last| &trees[last]), Some(TokenTree::Ident(last)) if last == "extern");
                    // `impl Trait + use<'a>` imports nothing.
                    if word == "use" && !next.is_some_and(|next| is_mark(next, '<')) {
                        importing = Some(Importing::Names);
                    } else if begins_crate {
                        importing = Some(Importing::Crate);
                    } else {
                        let is_itself = importing == Some(Importing::Crate) && word == "self";
                        let name = if is_itself { "crate".to_string() } else { plain(word) };
                        let outside = after_colons.then(String::new);
                        path = Some(Path { span: word.span(), parts: outside.into_iter().chain([name]).collect() });
                    }
                    after_colons = false;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' && is_colons(&trees, place) => {
                    after_colons = true;
                    place += 1;
                }
                TokenTree::Punct(mark) if mark.as_char() == '*' && importing.is_some() && after_colons => {
                    if let Some(path) = path.take() {
                        self.named.push(Named::Import(path.span, path.text(), None));
                    }
                    after_colons = false;
                }
                TokenTree::Punct(mark) if mark.as_char() == '!' && !is_unequal(&trees, place) => {
                    if let Some(path) = path.take() {
                        self.named.push(Named::Macro(path.span, path.text()));
                    }
                    after_colons = false;
                }
                TokenTree::Punct(mark) => {
                    self.finish(path.take(), importing);
                    after_colons = false;
                    match mark.as_char() {
                        ';' => importing = None,
                        ',' => {
                            path = next.and_then(|next| begin(next.span()));
                            after_colons = path.is_some();
                        }
                        '#' => self.read_attribute(&trees[place..]),
                        _ => {}
                    }
                }
                TokenTree::Group(group) => {
                    let (begun, inside) = match path.take() {
                        Some(path) if after_colons => (path.parts, importing),
                        None if after_colons => (vec![String::new()], importing),
                        None if importing.is_some() => (Vec::new(), importing),
                        other => {
                            self.finish(other, importing);
                            (Vec::new(), None)
                        }
                    };
                    after_colons = false;
                    self.read(group.stream(), &begun, inside);
                }
                TokenTree::Literal(_) => {
                    self.finish(path.take(), importing);
                    after_colons = false;
                }
            }
            place += 1;
        }
        if !after_colons || before.is_empty() {
            self.finish(path, importing);
        }
    }

    /// The path with another part. `self` at its end is what comes before.
    fn go_on(&mut self, mut path: Path, word: &Ident) -> Option<Path> {
        if path.parts.len() >= LONGEST_PATH {
            self.named.push(Named::TooLong(path.span));
            return None;
        }
        if word != "self" {
            path.parts.push(plain(word));
        }
        Some(path)
    }

    fn finish(&mut self, path: Option<Path>, importing: Option<Importing>) {
        self.named.extend(path.map(|path| match importing {
            Some(_) => Named::Import(path.span, path.text(), path.parts.last().cloned()),
            None => Named::Path(path.span, path.text()),
        }));
    }

    /// Reads the attribute that begins here, if it is one. What it is given is read with the other tokens.
    fn read_attribute(&mut self, trees: &[TokenTree]) {
        let (TokenTree::Group(group), span) = (match trees {
            [mark, TokenTree::Punct(inner), group, ..] if inner.as_char() == '!' => (group, mark.span()),
            [mark, group, ..] => (group, mark.span()),
            _ => return,
        }) else {
            return;
        };
        // A value is no name.
        let names = group.stream().into_iter().take_while(|tree| !is_mark(tree, '='));
        self.named.push(Named::Attribute(span, words(names.collect()).iter().map(plain).collect()));
    }
}

/// All words among the tokens, but for the names of a macro's variables, and what these are: `$name:path`.
pub(super) fn words(tokens: TokenStream) -> Vec<Ident> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut words = Vec::new();
    for (place, tree) in trees.iter().enumerate() {
        match (tree, &trees[..place]) {
            (TokenTree::Ident(_), [.., mark]) if is_mark(mark, '$') => {}
            (TokenTree::Ident(_), [.., mark, TokenTree::Ident(_), colon])
                if is_mark(mark, '$') && is_mark(colon, ':') => {}
            (TokenTree::Ident(word), _) => words.push(word.clone()),
            (TokenTree::Group(group), _) => words.extend(self::words(group.stream())),
            (TokenTree::Punct(_) | TokenTree::Literal(_), _) => {}
        }
    }
    words
}

/// Whether it is this mark.
pub(super) fn is_mark(tree: &TokenTree, mark: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == mark)
}

/// Whether these are two marks that belong together.
pub(super) fn are_marks(trees: &[TokenTree], place: usize, marks: [char; 2]) -> bool {
    let is_joint = matches!(&trees[place], TokenTree::Punct(mark) if mark.as_char() == marks[0] && mark.spacing() == Spacing::Joint);
    is_joint && trees.get(place + 1).is_some_and(|next| is_mark(next, marks[1]))
}

fn is_colons(trees: &[TokenTree], place: usize) -> bool {
    are_marks(trees, place, [':', ':'])
}

fn is_unequal(trees: &[TokenTree], place: usize) -> bool {
    are_marks(trees, place, ['!', '='])
}
