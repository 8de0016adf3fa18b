use std::collections::BTreeMap;
use std::path::PathBuf;

const STUB: &str = r#"
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub const LONGEST: usize = 16;

#[derive(Debug)]
pub struct Queue<T> {
    // Your fields.
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutError<T> {
    Full(T),
    Closed(T),
}

#[derive(Clone, Debug)]
pub struct Page {
    pub url: String,
    pub timeout: Duration,
}

#[derive(Clone, Copy, PartialEq)]
pub struct ShutDown;

pub struct Cells<'a> {
    words: &'a [u64],
}

pub type Answer = Result<String, Failure>;

#[derive(Debug)]
pub enum Failure {
    Status { code: u16 },
    Timeout,
}

pub trait Job: Send {
    fn run(&self, times: usize) -> bool;

    fn name(&self) -> String {
        String::new()
    }
}

impl<T: Send + 'static> Queue<T> {
    pub fn bounded(capacity: NonZeroUsize) -> Queue<T> {
        todo!()
    }

    pub fn put(&self, item: T) -> Result<(), PutError<T>> {
        todo!()
    }

    pub fn name(&self) -> &str {
        todo!()
    }

    pub fn read<R>(&self, read: impl FnOnce(&mut Cells<'_>) -> R) -> io::Result<R> {
        todo!()
    }

    pub fn join_timeout(self, limit: Duration) -> thread::Result<T> {
        todo!()
    }
}

impl<T> Iterator for Queue<T> {
    type Item = Option<T>;

    fn next(&mut self) -> Option<Option<T>> {
        todo!()
    }
}

impl<T> From<[T; 1]> for Queue<T> {
    fn from(_: [T; 1]) -> Queue<T> {
        todo!()
    }
}

impl<T> From<[T; 2]> for Queue<T> {
    fn from(_: [T; 2]) -> Queue<T> {
        todo!()
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        todo!()
    }
}

pub fn start<T: Send + 'static>(dish: String, cook: impl FnOnce(&str) -> T + Send + 'static) -> JoinHandle<T> {
    todo!()
}

pub fn in_chunks<T: Sync, R: Send>(items: &[T], workers: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    todo!()
}

pub fn send(writer: &mut impl Write, message: &[u8]) -> io::Result<()> {
    todo!()
}

pub async fn with_tasks(pages: &[Page], at_once: usize) -> Vec<Answer> {
    todo!()
}
"#;

/// What is said about these files, by file and line.
fn objections(files: &[(&str, &str)]) -> Vec<String> {
    let tree = |text: &str| syn::parse_file(text).unwrap_or_else(|error| panic!("{error} in {text}"));
    let files: BTreeMap<PathBuf, syn::File> =
        files.iter().map(|(name, text)| (PathBuf::from(name), tree(text))).collect();
    let found = super::objections(tree(STUB), &files);
    found.into_iter().map(|one| format!("{}:{} {}", one.file.display(), one.line, one.message)).collect()
}

/// The stub with changes: each text, and what it becomes.
fn changed(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(STUB.to_string(), |text, (from, to)| {
        assert!(text.contains(from), "the stub has no `{from}`");
        text.replacen(from, to, 1)
    })
}

#[track_caller]
fn accepts(changes: &[(&str, &str)]) {
    let text = changed(changes);
    assert_eq!(objections(&[("lib.rs", &text)]), [""; 0], "in {text}");
}

/// Something is objected to, and it says this.
#[track_caller]
fn objects(changes: &[(&str, &str)], says: &str) {
    let found = objections(&[("lib.rs", &changed(changes))]);
    assert!(found.iter().any(|one| one.contains(says)), "{says:?} is not in {found:#?}");
}

#[test]
fn the_stub_itself_is_as_given() {
    accepts(&[]);
    assert_eq!(objections(&[("lib.rs", &STUB.replace('\n', "\r\n"))]), [""; 0]);
    assert_eq!(objections(&[("lib.rs", &format!("\u{feff}{STUB}"))]), [""; 0]);
    let korean = [("item: T", "항목: T"), ("// Your fields.", "// 여기에 필드를 쓰세요.\n    대기열: Vec<T>,")];
    accepts(&korean);
    let other = [&korean[..], &[("Result<(), PutError<T>>", "Result<u8, PutError<T>>")]].concat();
    objects(&other, "here it is `fn put(&self, 항목: T) -> Result<u8, PutError<T>>`");
}

#[test]
fn names_of_parameters_and_lifetimes_do_not_matter() {
    accepts(&[("put(&self, item: T)", "put(&self, mut thing: T)"), ("dish: String", "_: String")]);
    accepts(&[("message: &[u8]", "[first, rest @ ..]: &[u8]")]);
    accepts(&[("fn name(&self) -> &str", "fn name<'a>(&'a self) -> &'a str")]);
    accepts(&[("pages: &[Page]", "pages: &'_ [Page]")]);
    accepts(&[(
        "send(writer: &mut impl Write, message: &[u8])",
        "send<'a, 'b>(writer: &'b mut impl Write, message: &'a [u8])",
    )]);
    accepts(&[("Cells<'a> {\n    words: &'a", "Cells<'words> {\n    words: &'words")]);
    accepts(&[("FnOnce(&mut Cells<'_>) -> R", "for<'b, 'c> FnOnce(&'c mut Cells<'b>) -> R")]);
    accepts(&[("FnOnce(&mut Cells<'_>) -> R", "FnOnce(&mut Cells) -> R")]);
    objects(&[("FnOnce(&mut Cells<'_>) -> R", "for<'b> FnOnce(&'b mut Cells<'b>) -> R")], "`Queue::read`");
    objects(&[("fn name(&self) -> &str", "fn name(&self) -> &'static str")], "`Queue::name`");
    objects(&[("pages: &[Page]", "pages: &'static [Page]")], "`with_tasks`");
}

#[test]
fn generic_parameters_may_be_written_in_any_way() {
    let start =
        "start<T: Send + 'static>(dish: String, cook: impl FnOnce(&str) -> T + Send + 'static) -> JoinHandle<T>";
    for same in [
        "start<T, F>(dish: String, cook: F) -> JoinHandle<T> where F: FnOnce(&str) -> T + Send + 'static, T: Send + 'static",
        "start<F: Send + 'static + FnOnce(&str) -> Plate, Plate>(dish: String, cook: F) -> JoinHandle<Plate>
         where Plate: 'static, Plate: Send",
        "start<T: Send + 'static, F>(dish: String, cook: F) -> JoinHandle<T>
         where for<'d> F: FnOnce(&'d str) -> T, F: Send + 'static",
        "start<T: Send + 'static + Sized>(dish: String, cook: impl Send + 'static + for<'a> FnOnce(&'a str) -> T)
         -> JoinHandle<T>",
        // To ask for less is fine.
        "start<T: Send + 'static>(dish: String, cook: impl FnOnce(&str) -> T + 'static) -> JoinHandle<T>",
    ] {
        accepts(&[(start, same)]);
    }
    for other in [
        "start<T: Send + Clone + 'static>(dish: String, cook: impl FnOnce(&str) -> T + Send + 'static) -> JoinHandle<T>",
        "start<T: Send + 'static>(dish: String, cook: impl Fn(&str) -> T + Send + 'static) -> JoinHandle<T>",
        "start<T: Send + 'static>(dish: String, cook: impl FnOnce(&'static str) -> T + Send + 'static) -> JoinHandle<T>",
        "start<T: Send + 'static>(dish: String, cook: impl FnOnce(String) -> T + Send + 'static) -> JoinHandle<T>",
        "start<T: Send + 'static>(dish: String, cook: impl FnOnce(&str) -> T + Send + 'static) -> JoinHandle<Option<T>>",
        "start<T: Send + 'static>(dish: String, cook: fn(&str) -> T) -> JoinHandle<T>",
        "start<T: Send + 'static>(dish: &str, cook: impl FnOnce(&str) -> T + Send + 'static) -> JoinHandle<T>",
        "start<T: Send + 'static>(cook: impl FnOnce(&str) -> T + Send + 'static, dish: String) -> JoinHandle<T>",
        "start<T: Send + 'static, U>(dish: String, cook: impl FnOnce(&str) -> T + Send + 'static) -> JoinHandle<T>",
    ] {
        objects(&[(start, other)], "the stub gives `start` as `fn start<T: Send + 'static>(dish: String, cook:");
    }
    // Which is which matters.
    objects(&[("work: impl Fn(&T) -> R + Sync) -> Vec<R>", "work: impl Fn(&R) -> T + Sync) -> Vec<R>")], "`in_chunks`");
}

#[test]
fn methods_may_stand_in_several_blocks_with_bounds_of_their_own() {
    accepts(&[("    pub fn name(", "}\nimpl<T> Queue<T> where T: 'static + Send {\n    pub fn name(")]);
    accepts(&[("impl<T: Send + 'static> Queue<T> {", "impl<T> Queue<T> {")]);
    accepts(&[("-> Queue<T> {", "-> Self {"), ("item: T", "self: &Self, item: T"), ("put(&self, ", "put(")]);
    accepts(&[(
        "capacity: NonZeroUsize) -> Queue<T> {\n        todo!()\n    }\n",
        "capacity: NonZeroUsize) -> Queue<T> {\n        impl<T> Queue<T> { pub fn more(&self) {} }\n        todo!()\n    }\n",
    )]);
    objects(
        &[("impl<T: Send + 'static> Queue<T> {", "impl<T: Send + Ord + 'static> Queue<T> {")],
        "the stub gives `Queue::bounded` in `impl<T: Send + 'static> Queue<T>`, and here it is in `impl<T: Send + Ord + 'static> Queue<T>`",
    );
    objects(
        &[(
            "impl<T: Send + 'static> Queue<T> {",
            "impl Queue<u8> {\n pub fn put(&self, item: u8) -> Result<(), PutError<u8>> { todo!() } }\nimpl<T: Send + 'static> Queue<T> {",
        )],
        "`Queue::put`",
    );
    objects(&[("put(&self,", "put(&mut self,")], "`Queue::put`");
    objects(&[("join_timeout(self,", "join_timeout(&self,")], "`Queue::join_timeout`");
    objects(&[("put(&self,", "put(queue: &Self,")], "`Queue::put`");
    objects(
        &[("pub fn put", "fn put")],
        "`Queue::put` as `fn put(&self, item: T) -> Result<(), PutError<T>>`, and here it is missing",
    );
}

#[test]
fn paths_may_be_written_in_any_way() {
    for import in [
        "use core::time::Duration;",
        "use std::time as clock;\nuse clock::Duration;",
        "use std::time::*;",
        "use std as s;\nuse s::time::{self as t};\nuse t::Duration;",
        "extern crate std as standard;\nuse standard::time::Duration;",
        "use crate::mine::*;\nmod mine { pub use super::deeper::Duration; }\nmod deeper { pub use std::time::Duration; }",
        "type Duration = std::time::Duration;",
        "type Duration = Second<std::time::Duration>;\ntype Second<T, U = T> = First<U, T>;\ntype First<T, U> = T;",
    ] {
        accepts(&[("use std::time::Duration;", import)]);
    }
    accepts(&[("join_timeout(self, limit: Duration)", "join_timeout(self, limit: ::core::time::Duration)")]);
    accepts(&[("-> thread::Result<T>", "-> Result<T, Box<dyn std::any::Any + Send + 'static>>")]);
    accepts(&[("-> io::Result<()>", "-> std::result::Result<(), io::Error>")]);
    accepts(&[("-> io::Result<()>", "-> Outcome"), ("pub const", "type Outcome<T = ()> = io::Result<T>;\npub const")]);
    accepts(&[("NonZeroUsize, work", "std::num::NonZero<usize>, work")]);
    accepts(&[("message: &[u8]", "message: &[core::primitive::u8]")]);
    accepts(&[("Vec<Answer>", "std::vec::Vec<Result<std::string::String, self::Failure>>")]);
    accepts(&[("use std::io::{self, Write};", "use std::io;\nuse std::io::prelude::*;")]);
    accepts(&[
        ("use std::io::{self, Write};", "use std::io::{self, *};"),
        ("pub type Answer = Result<", "pub type Answer = std::result::Result<"),
        ("Result<(), PutError<T>>", "core::result::Result<(), PutError<T>>"),
    ]);
    objects(
        &[("use std::time::Duration;", "use std::time::Instant as Duration;")],
        "which means `std::time::Duration`, and here it means `std::time::Instant`",
    );
    objects(&[("use std::time::Duration;", "type Duration = u64;")], "`Page`");
    objects(
        &[("use std::time::Duration;", "mod time { pub struct Duration; }\nuse time::*;")],
        "which means `std::time::Duration`, and here it means `crate::time::Duration`",
    );
    objects(
        &[(
            "use std::time::Duration;",
            "#[cfg(unix)]\nuse std::time::Duration;\n#[cfg(not(unix))]\nuse std::time::Instant as Duration;",
        )],
        "`Page`",
    );
}

#[test]
fn types_of_ones_own_are_seen_under_any_name() {
    for own in [
        "pub struct Vec<T>(T);",
        "pub enum Vec<T> { A(T) }",
        "mod own { pub type Vec<T> = super::Many<T>; }\nuse own::Vec;\npub struct Many<T>(T);",
        "use mine::*;\nmod mine { pub struct Vec<T>(T); }",
    ] {
        objects(&[("use std::thread::", &format!("{own}\nuse std::thread::"))], "`in_chunks`");
    }
    objects(
        &[("use std::thread::", "pub struct str;\nuse std::thread::")],
        "which means `str`, and here it means `crate::str`",
    );
    objects(&[("use std::thread::", "trait Send {}\nuse std::thread::")], "`crate::Send`");
    objects(
        &[
            ("-> Vec<R> {", "-> <R as Mine>::Out {"),
            ("R: Send", "R: Send + Mine"),
            ("use std::thread::", "pub trait Mine { type Out; }\nuse std::thread::"),
        ],
        "`in_chunks`",
    );
    objects(
        &[
            ("-> Vec<R> {", "-> Of<R> {"),
            ("use std::thread::", "type Of<R> = <R as Mine>::Out;\npub trait Mine { type Out; }\nuse std::thread::"),
        ],
        "`in_chunks`",
    );
    objects(&[("-> Vec<R> {", "-> made!() {")], "and here it is `fn in_chunks");
    // Names that stand for each other, for ever.
    objects(
        &[
            ("-> Vec<R> {", "-> A<R> {"),
            ("use std::thread::", "type A<T> = B<T>;\ntype B<T> = A<T>;\nuse c::d;\nuse d::c;\nuse std::thread::"),
        ],
        "`in_chunks`",
    );
    let doubling: String = (1..60).map(|n| format!("type D{n} = (D{}, D{});\n", n - 1, n - 1)).collect();
    objects(
        &[("-> Vec<R> {", "-> D59 {"), ("use std::thread::", &format!("type D0 = u8;\n{doubling}use std::thread::"))],
        "`in_chunks`",
    );
}

#[test]
fn enums_keep_their_variants() {
    let full =
        "#[derive(Clone, Copy, Debug, PartialEq, Eq)]\npub enum PutError<T> {\n    Full(T),\n    Closed(T),\n}\n";
    for same in [
        "#[derive(Eq, PartialEq)]\n#[derive(Debug, Copy, Clone, Hash)]\n/// Why.\npub enum PutError<Item> { Full(Item), #[doc = \"x\"] Closed(Item) }",
        "mod errors {\n #[derive(core::fmt::Debug, Clone, Copy, std::cmp::PartialEq, Eq)]\n pub enum PutError<T> { Closed(T), Full(T) }\n}\npub use errors::*;",
        "pub mod errors {\n #[derive(Debug, Clone, Copy, PartialEq, Eq)]\n pub enum NotPut<T> { Full(T), Closed(T) }\n}\npub use crate::errors::NotPut as PutError;",
        "#[derive(Debug, Clone, Copy, PartialEq, Eq)]\npub enum r#PutError<T> { r#Full(T), Closed(T) }",
    ] {
        accepts(&[(full, same)]);
    }
    let given = "the stub gives `PutError` as an enum with `Full(T)` and `Closed(T)`, and here it is ";
    let derives = "#[derive(Clone, Copy, Debug, PartialEq, Eq)]\n";
    for (other, found) in [
        ("pub struct PutError<T>(T);", "a struct"),
        ("pub struct PutError;", "a unit struct"),
        ("pub enum PutError<T> { Full(T) }", "an enum with `Full(T)`"),
        ("pub enum PutError<T> { Full(T), Closed(T), Other }", "an enum with `Full(T)`, `Closed(T)` and `Other`"),
        ("pub enum PutError<T> { Full(T), Closed }", "an enum with `Full(T)` and `Closed`"),
        ("pub enum PutError<T> { Full(T), Closed { item: T } }", "an enum with `Full(T)` and `Closed { item: T }`"),
        ("pub enum PutError<T, U = T> { Full(T), Closed(U) }", "an enum with `Full(T)` and `Closed(U)`"),
        ("mod own { pub struct PutError<T>(pub T); }\npub use own::*;", "a struct with the fields `0`"),
    ] {
        objects(&[(full, &format!("{derives}{other}\n"))], &format!("{given}{found}: leave it as it is"));
    }
    objects(
        &[(full, "")],
        "lib.rs:1 the stub gives `PutError` as an enum with `Full(T)` and `Closed(T)`, and here it is missing: put it back",
    );
    objects(&[(full, &full.replace("pub enum", "pub(crate) enum"))], "and here it is missing");
    objects(
        &[
            (full, &full.replace("PartialEq, Eq", "Eq")),
            ("pub const", "impl<T> PartialEq for PutError<T> { fn eq(&self, _: &Self) -> bool { true } }\npub const"),
        ],
        "the stub derives `PartialEq` for `PutError`, and here it is not derived: leave it as it is",
    );
    objects(
        &[("use std::thread::", "use std::clone::Clone as PartialEq;\nuse std::thread::")],
        "the stub derives `PartialEq`",
    );
    // A type of that name is no derive of that name.
    accepts(&[(full, &format!("struct PartialEq;\nmod own {{ pub struct Eq; }}\nuse own::Eq;\n{full}"))]);
    objects(&[(full, &format!("#[cfg(any())]\n{full}#[cfg(not(any()))]\n{derives}pub struct PutError<T>(T);"))], given);
    objects(&[("Closed(T),", "Closed(u8),")], "an enum with `Full(T)` and `Closed(u8)`");
}

#[test]
fn structs_keep_what_is_public() {
    accepts(&[("pub struct Queue<T> {\n    // Your fields.\n}", "pub struct Queue<T>(std::sync::Mutex<Vec<T>>);")]);
    let queue = "#[derive(Debug)]\npub struct Queue<T> {\n";
    accepts(&[(queue, "pub struct Queue<Item> where Item: Sized {\n    items: Vec<Item>,\n    pub extra: u8,\n")]);
    objects(
        &[(queue, "pub struct Queue<T: Send> {\n")],
        "the stub gives `Queue` in `struct Queue<T>`, and here it is in `struct Queue<T: Send>`",
    );
    accepts(&[(
        "    pub url: String,\n    pub timeout: Duration,",
        "    pub timeout: std::time::Duration,\n    pub url: String,",
    )]);
    objects(
        &[("pub struct Queue<T> {\n    // Your fields.\n}", "pub enum Queue<T> { A(T) }")],
        "the stub gives `Queue` as a struct, and here it is an enum with `A(T)`",
    );
    objects(
        &[("pub struct Queue<T> {\n    // Your fields.\n}", "pub type Queue<T> = Inner<T>;\npub struct Inner<T>(T);")],
        "and here it is `type Queue<T> = Inner<T>`",
    );
    objects(
        &[("pub struct Queue<T>", "pub struct Queue<T, U = T>")],
        "the stub gives `Queue` in `struct Queue<T>`, and here it is in `struct Queue<T, U = T>`",
    );
    objects(
        &[("pub timeout: Duration", "timeout: Duration")],
        "as a struct with the fields `url` and `timeout`, and here it is a struct with the fields `url`",
    );
    objects(
        &[("pub timeout: Duration", "pub timeout: u64")],
        "which means `std::time::Duration`, and here it means `u64`",
    );
    objects(&[("pub timeout: Duration,", "pub timeout: Duration,\n    more: u8,")], "`Page`");
    objects(
        &[("pub struct ShutDown;", "pub struct ShutDown(u8);")],
        "the stub gives `ShutDown` as a unit struct, and here it is a struct",
    );
    objects(
        &[("#[derive(Clone, Debug)]\npub struct Page", "#[derive(Debug)]\npub struct Page")],
        "the stub derives `Clone` for `Page`",
    );
}

#[test]
fn constants_aliases_traits_and_implementations_stay() {
    objects(
        &[("LONGEST: usize", "LONGEST: u64")],
        "the stub gives `LONGEST` as `const LONGEST: usize`, and here it is `const LONGEST: u64`",
    );
    objects(&[("pub const LONGEST: usize", "pub static LONGEST: usize")], "here it is `static LONGEST: usize`");
    accepts(&[
        ("pub type Answer = Result<String, Failure>", "pub type Answer = Outcome<String>"),
        ("pub const", "type Outcome<T> = Result<T, Failure>;\npub const"),
    ]);
    objects(&[("pub type Answer = Result<String, Failure>", "pub type Answer = Result<String, String>")], "`Answer`");
    objects(
        &[("type Item = Option<T>", "type Item = Option<Option<T>>")],
        "the stub gives `Iterator for Queue` as `impl<T> Iterator for Queue<T>` with `type Item = Option<T>`",
    );
    objects(
        &[("impl<T> Iterator for", "impl<T: Copy> Iterator for")],
        "here it is `impl<T: Copy> Iterator for Queue<T>`",
    );
    objects(
        &[("impl<T> Iterator for Queue<T>", "impl<T> Iterator for Cells<T>")],
        "`Iterator for Queue` as `impl<T> Iterator for Queue<T>` with `type Item = Option<T>`, and here it is missing",
    );
    accepts(&[("pub const", "impl<T> From<u8> for Queue<T> { fn from(_: u8) -> Self { todo!() } }\npub const")]);
    objects(
        &[("impl<T> From<[T; 2]> for", "impl<T> From<[T; 3]> for")],
        "the stub gives `From for Queue` as `impl<T> From<[T; 2]> for Queue<T>`",
    );
    accepts(&[("impl<T> Drop for Queue<T>", "impl<T> Drop for Inner<T>")]);
    accepts(&[
        ("fn run(&self, times: usize)", "fn run(&self, n: usize)"),
        ("    fn name(&self) -> String {", "    fn more(&self) {}\n    fn name(&self) -> String {"),
    ]);
    objects(&[("fn run(&self, times: usize)", "fn run(&self, times: u8)")], "`Job`");
    objects(&[("    fn run(&self", "    fn more(&self);\n    fn run(&self")], "`Job`");
    objects(&[("pub trait Job: Send", "pub trait Job")], "`Job`");
}

#[test]
fn an_async_function_returns_a_future() {
    let with_tasks = "pub async fn with_tasks(pages: &[Page], at_once: usize) -> Vec<Answer>";
    accepts(&[(with_tasks, "pub fn with_tasks(pages: &[Page], at_once: usize) -> impl Future<Output = Vec<Answer>>")]);
    accepts(&[(
        with_tasks,
        "pub fn with_tasks<'a>(pages: &'a [Page], at_once: usize) -> impl Send + std::future::Future<Output = Vec<Answer>> + 'a",
    )]);
    objects(&[(with_tasks, "pub fn with_tasks(pages: &[Page], at_once: usize) -> Vec<Answer>")], "`with_tasks`");
    objects(&[(with_tasks, "pub async fn with_tasks(pages: &[Page], at_once: usize) -> Vec<String>")], "`with_tasks`");
    objects(&[("pub fn send", "pub async fn send")], "`send`");
    objects(&[("pub fn send", "pub unsafe fn send")], "`send`");
    accepts(&[("pub fn send", "pub const fn send")]);
}

#[test]
fn items_may_be_in_other_files_and_come_from_macros() {
    let (before, after) = STUB.split_once("#[derive(Clone, Copy, Debug, PartialEq, Eq)]\npub enum PutError").unwrap();
    let (item, after) = after.split_once("}\n").unwrap();
    let item = format!("#[derive(Clone, Copy, Debug, PartialEq, Eq)]\npub enum PutError{item}}}\n");
    let files = |root: &str, rest: &[(&str, &str)]| {
        let root = format!("{root}{before}{after}");
        let all: Vec<(&str, &str)> = [("lib.rs", root.as_str())].iter().chain(rest).copied().collect();
        objections(&all)
    };
    assert_eq!(files("mod errors;\npub use errors::PutError;", &[("errors.rs", &item)]), [""; 0]);
    let deep = [("a/mod.rs", "pub mod b { pub mod c; }"), ("a/b/c.rs", item.as_str())];
    assert_eq!(files("mod a;\npub use a::b::c::*;", &deep), [""; 0]);
    let other = item.replace("Full(T)", "Full");
    let found = files("mod errors;\npub use errors::*;", &[("errors.rs", &format!("\n\n{other}"))]);
    assert!(found[0].starts_with("errors.rs:4 the stub gives `PutError`"), "{found:#?}");

    let chosen = "#[cfg(any())]\npub use errors::PutError;\n#[cfg(not(any()))]\npub use other::PutError;\nmod errors;\nmod other;";
    let found = files(chosen, &[("errors.rs", &item), ("other.rs", &other)]);
    assert!(found[0].contains("and here it is missing"), "{found:#?}");

    // What a macro makes is left to the tests' types. A macro that never says the name can't have made it.
    let made = "macro_rules! make { ($name:ident) => { pub struct $name; } }\nmake!(PutError);";
    assert_eq!(files(made, &[]), [""; 0]);
    let made = "macro_rules! make { () => { pub enum PutError<T> { Full(T), Closed(T) } } }\nmake!();";
    assert_eq!(files(made, &[]), [""; 0]);
    let made = "mod e { macro_rules! make { ($name:ident) => { pub struct $name; } } make!(Why); }\npub use e::Why as PutError;";
    assert_eq!(files(made, &[]), [""; 0]);
    let made = "thread_local! { static PLACES: u8 = const { 0 }; }";
    assert!(
        files(made, &[])[0].contains("`PutError` as an enum with `Full(T)` and `Closed(T)`, and here it is missing")
    );
    // Nor can one see what is in a file that can't be read. What is seen is compared all the same.
    assert_eq!(files("mod errors;\npub use errors::PutError;", &[]), [""; 0]);
    let seen = "mod errors;\npub use errors::*;\npub struct PutError<T>(T);";
    assert!(files(seen, &[])[0].contains("here it is a struct"));
    let methods = changed(&[("    pub fn name(&self) -> &str {\n        todo!()\n    }\n", "    methods! { name }\n")]);
    assert_eq!(objections(&[("lib.rs", &methods)]), [""; 0]);
}

/// A hostile crate of modules that all import from each other.
#[test]
fn a_crate_of_circles_is_read_in_time() {
    let all: String = (0..200).map(|n| format!("use super::m{n}::*;")).collect();
    let modules: String = (0..200).map(|n| format!("mod m{n} {{ use super::*; {all} }}\npub use m{n}::*;\n")).collect();
    let found = objections(&[("lib.rs", &modules)]);
    assert!(found.iter().all(|one| one.contains("and here it is missing")), "{found:#?}");
    assert!(!found.is_empty());
}
