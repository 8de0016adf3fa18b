//! Items in words, as they are written.

use proc_macro2::Span;

use crate::subject::sources::printable;

/// Whoever writes a signature of more characters is not shown all of it.
const LONGEST_TEXT: usize = 400;

/// A function without its body, in words.
pub(super) fn signature(function: &syn::Signature, end: Span) -> String {
    let start = function.asyncness.as_ref().map_or(function.fn_token.span, |word| word.span);
    quoted(text(start, end))
}

/// The beginning of a type's definition, as it is written.
pub(super) fn header(start: Span, name: &syn::Ident, generics: &syn::Generics) -> String {
    text(start, generics.gt_token.as_ref().map_or(name.span(), |end| end.span))
}

/// What is written from one token to another, in one line, without what begins a body or a value.
pub(super) fn text(start: Span, end: Span) -> String {
    let written = start.join(end).and_then(|span| span.source_text()).unwrap_or_default();
    let line = written.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_end_matches([' ', '{', '=', ';', ',']);
    let line = line.replace("( ", "(").replace(", )", ")").replace(" )", ")");
    match line.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", printable(&line[..end])),
        None => printable(&line),
    }
}

pub(super) fn quoted(text: String) -> String {
    format!("`{text}`")
}

/// `a`, `b` and `c`
pub(super) fn listed(texts: &[String]) -> String {
    match texts {
        [] => "nothing".to_string(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}
