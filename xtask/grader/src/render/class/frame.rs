//! What every page of a class is put into. A page stands on its own: it loads nothing, sends nothing, and a browser runs only
//! the script whose hash its first lines name, whatever else might have slipped into it.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use crate::render::class::failure;
use crate::render::class::text::html;

const STYLE: &str = include_str!("class.css");
const SCRIPT: &str = include_str!("class.js");

/// What is the same on every page.
struct Parts {
    /// The policy, the style, and the patterns that pictures are drawn with.
    policy: String,
    style: String,
    patterns: String,
}

/// Made once: a class has hundreds of pages.
static PARTS: LazyLock<Parts> = LazyLock::new(|| {
    let (of_pictures, patterns) = failure::shared();
    let style = format!("{STYLE}{of_pictures}");
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(&style),
        hash(SCRIPT)
    );
    Parts { policy, style, patterns }
});

/// Puts a body into a page. `title` is plain text, `body` is HTML.
pub(crate) fn page(title: &str, body: &str) -> String {
    let Parts { policy, style, patterns } = &*PARTS;
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n<style>{style}</style>\n</head>\n<body>\n{patterns}\n{body}<script>{SCRIPT}</script>\n</body>\n</html>\n",
        html(title)
    )
}

/// The SHA-256 of a text in base64, as a content security policy spells it.
fn hash(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut base64 = String::new();
    for three in Sha256::digest(text.as_bytes()).chunks(3) {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..4 {
            let six = (bits >> (18 - 6 * digit)) & 63;
            base64.push(if digit <= three.len() { char::from(DIGITS[six as usize]) } else { '=' });
        }
    }
    base64
}

#[cfg(test)]
mod tests {
    use super::{hash, page};

    #[test]
    fn the_policy_names_the_style_and_the_script_of_the_page() {
        let page = page("title", "<main></main>");
        for element in ["style", "script"] {
            let (_, rest) = page.split_once(&format!("<{element}>")).unwrap();
            let (text, _) = rest.split_once(&format!("</{element}>")).unwrap();
            assert!(page.contains(&format!("{element}-src 'sha256-{}'", hash(text))), "{element}");
        }
    }

    #[test]
    fn a_hash_is_spelled_as_browsers_expect() {
        // As `printf 'alert(1)' | openssl dgst -sha256 -binary | base64` has it.
        assert_eq!(hash("alert(1)"), "bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI=");
    }
}
