//! Noise: steps that mean nothing, a great many of them, at the start of every public function. `verify --noise` shows that
//! they hide no mistake and break no right answer.

use pipeline::error::Result;
use pipeline::subject::sources;
use pipeline::subject::{Source, Subject};
use syn::visit::{self, Visit};

/// How often each step is repeated.
const ROUNDS: u32 = 2_000;

/// How many kinds of noise there are.
pub(crate) const KINDS: usize = 4;
/// What is done over and over: its name, and Rust for one round, after what comes before the first.
const NOISES: [(&str, &str, &str); KINDS] = [
    ("atomic", "", "NOISE.fetch_add(1, noise_std::sync::atomic::Ordering::SeqCst);"),
    ("lock", "", "drop(NOISE_LOCK.lock());"),
    ("yield", "", "noise_std::thread::yield_now();"),
    ("channel", "let noise = noise_std::sync::mpsc::channel();", "noise.0.send(()).unwrap(); noise.1.recv().unwrap();"),
];

/// What the crate's root needs besides.
const ROOT: &str = "
extern crate std as noise_std;
static NOISE: noise_std::sync::atomic::AtomicU32 = noise_std::sync::atomic::AtomicU32::new(0);
static NOISE_LOCK: noise_std::sync::Mutex<()> = noise_std::sync::Mutex::new(());
";

/// The subject with each kind of noise.
///
/// # Errors
/// Its files can't be read.
pub(crate) fn with_each(subject: &Subject) -> Result<Vec<Subject>> {
    let files = sources::read(&subject.source)?;
    let with = |(name, first, round): &(&str, &str, &str)| {
        let noise = format!(" {{ use crate::*; {first} for _ in 0..{ROUNDS} {{ {round} }} }}");
        let noisy = files.iter().map(|(file, text)| {
            let root = if file.as_os_str() == "lib.rs" { ROOT } else { "" };
            (file.clone(), at_the_start_of_public_functions(text, &noise) + root)
        });
        Subject {
            id: format!("{}-{name}-noise", subject.id),
            name: format!("{} + {name}", subject.name),
            source: Source::Given(noisy.collect()),
            ..subject.clone()
        }
    };
    Ok(NOISES.iter().map(with).collect())
}

/// The text with an addition behind the opening brace of every public function. What is no Rust stays as it is.
fn at_the_start_of_public_functions(text: &str, addition: &str) -> String {
    let Ok(tree) = syn::parse_file(text) else { return text.to_string() };
    let mut starts = Starts(Vec::new());
    starts.visit_file(&tree);
    let mut noisy = String::new();
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let mut columns: Vec<usize> = starts.0.iter().filter(|at| at.line == number + 1).map(|at| at.column).collect();
        columns.sort_unstable();
        for (column, letter) in line.chars().enumerate() {
            if columns.contains(&column) {
                noisy += addition;
            }
            noisy.push(letter);
        }
    }
    noisy
}

/// Where the bodies of public functions begin, behind their braces.
struct Starts(Vec<proc_macro2::LineColumn>);

impl Starts {
    fn note(&mut self, visibility: &syn::Visibility, signature: &syn::Signature, body: &syn::Block) {
        if matches!(visibility, syn::Visibility::Public(_)) && signature.constness.is_none() {
            self.0.push(body.brace_token.span.open().end());
        }
    }
}

impl<'tree> Visit<'tree> for Starts {
    fn visit_item_fn(&mut self, function: &'tree syn::ItemFn) {
        self.note(&function.vis, &function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'tree syn::ImplItemFn) {
        self.note(&function.vis, &function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_comes_first_in_every_public_function_and_nowhere_else() {
        let text =
            "impl A {\n    pub fn ä(&self) -> u8 { 1 }\n    fn b() {}\n}\npub const fn c() {}\npub fn d()\n{\n}\n";
        let noisy =
            "impl A {\n    pub fn ä(&self) -> u8 {+ 1 }\n    fn b() {}\n}\npub const fn c() {}\npub fn d()\n{+\n}\n";
        assert_eq!(at_the_start_of_public_functions(text, "+"), noisy);
        assert_eq!(at_the_start_of_public_functions("pub fn", "+"), "pub fn");
    }
}
