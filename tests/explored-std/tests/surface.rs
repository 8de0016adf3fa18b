//! The table in `README.md` is complete and true, so that nothing of `std::{sync, thread, time, hint, panic, collections, hash}` is silently real.
//!
//! It is compared with the model's own source, and with std's documentation for the toolchain in use, where that is installed
//! (`rustup component add rust-docs`): its list of items is the only stable one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The modules that are modelled as a whole, and where.
const MODULES: [(&str, &str); 12] = [
    ("cell", "src/cell.rs"),
    ("collections", "src/collections/mod.rs"),
    ("collections::hash_map", "src/collections/hash_map.rs"),
    ("collections::hash_set", "src/collections/hash_set.rs"),
    ("hash", "src/hash.rs"),
    ("sync", "src/sync/mod.rs"),
    ("sync::atomic", "src/sync/atomic.rs"),
    ("sync::mpsc", "src/sync/mpsc.rs"),
    ("thread", "src/thread/mod.rs"),
    ("time", "src/time.rs"),
    ("hint", "src/hint.rs"),
    ("panic", "src/panic.rs"),
];

/// The types whose methods are compared, and where they are modelled.
const TYPES: [(&str, &str); 27] = [
    ("collections::HashMap", "src/collections/hash_map.rs src/collections/mod.rs"),
    ("collections::HashSet", "src/collections/hash_set.rs src/collections/mod.rs"),
    ("hash::RandomState", "src/hash.rs"),
    ("sync::Mutex", "src/sync/mutex.rs"),
    ("sync::RwLock", "src/sync/rwlock.rs"),
    ("sync::RwLockWriteGuard", "src/sync/rwlock.rs"),
    ("sync::Condvar", "src/sync/condvar.rs"),
    ("sync::WaitTimeoutResult", "src/sync/condvar.rs"),
    ("sync::Barrier", "src/sync/barrier.rs"),
    ("sync::BarrierWaitResult", "src/sync/barrier.rs"),
    ("sync::Once", "src/sync/once.rs"),
    ("sync::OnceState", "src/sync/once.rs"),
    ("sync::OnceLock", "src/sync/once_lock.rs"),
    ("sync::LazyLock", "src/sync/lazy_lock.rs"),
    ("sync::atomic::AtomicBool", "src/sync/atomic.rs"),
    ("sync::atomic::AtomicPtr", "src/sync/atomic.rs"),
    ("sync::atomic::AtomicUsize", "src/sync/atomic.rs"),
    ("sync::mpsc::Sender", "src/sync/mpsc.rs"),
    ("sync::mpsc::SyncSender", "src/sync/mpsc.rs"),
    ("sync::mpsc::Receiver", "src/sync/mpsc.rs"),
    ("thread::Builder", "src/thread/builder.rs"),
    ("thread::JoinHandle", "src/thread/builder.rs"),
    ("thread::ScopedJoinHandle", "src/thread/scoped.rs"),
    ("thread::Thread", "src/thread/handle.rs"),
    ("thread::LocalKey", "src/thread/local.rs"),
    ("time::Instant", "src/time.rs"),
    ("time::SystemTime", "src/time.rs"),
];

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names in backquotes in a table's cell.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_string).collect()
}

/// The rows of the table of items: how each is provided.
fn table() -> BTreeMap<String, String> {
    let readme = read("README.md");
    let section = readme.split("## What is modelled").nth(1).unwrap().split("### Methods").next().unwrap();
    let mut items = BTreeMap::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for item in quoted(cells[1]) {
            assert!(items.insert(item.clone(), cells[2].to_string()).is_none(), "{item} is in the table twice");
        }
    }
    items.retain(|item, _| item.contains("::"));
    items
}

/// The names of a source file that are std's own, from `pub use ::std::module::{…};`.
fn passed_through(source: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for statement in source.split("pub use ::std::").skip(1) {
        let list = statement.split(';').next().unwrap();
        assert!(!list.contains('*'), "a glob of std's: {list}");
        let list = list.split('{').nth(1).unwrap_or_else(|| list.rsplit("::").next().unwrap());
        names.extend(list.split([',', '}']).map(str::trim).filter(|name| !name.is_empty()).map(str::to_string));
    }
    names
}

fn has_word(source: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    source
        .match_indices(word)
        .any(|(at, _)| !source[..at].ends_with(is_part) && !source[at + word.len()..].starts_with(is_part))
}

#[test]
fn the_table_says_of_each_item_what_the_source_does() {
    let sources: BTreeMap<&str, String> = MODULES.iter().map(|(module, path)| (*module, read(path))).collect();
    let table = table();
    for (item, how) in &table {
        let (module, name) = item.rsplit_once("::").unwrap();
        let source = sources.get(module).unwrap_or_else(|| panic!("{item}: no such module"));
        let code: String =
            source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        let (is_std, is_here) = (passed_through(&code).contains(name), has_word(&code, name));
        let is = match (is_std, is_here) {
            (true, _) => "passed through",
            (false, true) => "modelled",
            (false, false) => "refused",
        };
        assert_eq!(how, is, "{item}");
    }
    for (module, source) in &sources {
        for name in passed_through(source) {
            assert!(table.contains_key(&format!("{module}::{name}")), "{module}::{name} is not in the table");
        }
    }
}

#[test]
fn the_traits_of_every_modelled_type_are_compared() {
    let compared = read("tests/traits.rs");
    for (item, _) in table().iter().filter(|(_, how)| *how == "modelled") {
        let name = item.rsplit("::").next().unwrap();
        let is_type = name.starts_with(char::is_uppercase) && !name.contains('_');
        // What a map's own module gives out again is compared by its other path.
        let again = item.starts_with("collections::hash_") || item == "hash::DefaultHasher";
        assert!(!is_type || again || compared.contains(&format!("::{item}")), "{item} is not in tests/traits.rs");
    }
}

/// The folder of std's documentation, if it is installed.
fn documentation() -> Option<PathBuf> {
    let rustc = std::env::var("RUSTC").unwrap_or("rustc".to_string());
    let output = Command::new(rustc).args(["--print", "sysroot"]).output().ok()?;
    let folder = Path::new(String::from_utf8(output.stdout).ok()?.trim()).join("share/doc/rust/html/std");
    folder.is_dir().then_some(folder)
}

/// The public items of a module, from the list that the documentation's side bar is made of.
fn documented(folder: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let file = files.into_iter().find(|path| path.to_string_lossy().contains("sidebar-items")).expect("a side bar");
    let text = fs::read_to_string(file).unwrap();
    // window.SIDEBAR_ITEMS = {"enum":["Ordering"],"fn":["fence"]};
    let lists = text.split(":[").skip(1).map(|rest| rest.split(']').next().unwrap());
    lists.flat_map(|list| list.split('"').skip(1).step_by(2).map(str::to_string).collect::<Vec<_>>()).collect()
}

#[test]
fn every_public_item_of_std_is_in_the_table() {
    let Some(documentation) = documentation() else { return };
    let table = table();
    for (module, _) in MODULES {
        for name in documented(&documentation.join(module.replace("::", "/"))) {
            let item = format!("{module}::{name}");
            assert!(table.contains_key(&item), "{item} is not in the table");
        }
    }
}

/// The stable methods of a type's own.
fn methods(page: &str) -> Vec<String> {
    let own = page.split("id=\"trait-implementations\"").next().unwrap().split("id=\"deref-methods").next().unwrap();
    let is_stable = |method: &&str| !method.split("<details").next().unwrap().contains("stab unstable");
    let name = |method: &str| method.split('"').next().unwrap().split('-').next().unwrap().to_string();
    own.split("<section id=\"method.").skip(1).filter(is_stable).map(name).collect()
}

#[test]
fn every_stable_method_is_modelled_or_named_as_left_out() {
    let Some(documentation) = documentation() else { return };
    let readme = read("README.md");
    let section = readme.split("### Methods that are left out").nth(1).unwrap().split("###").next().unwrap();
    let left_out: BTreeSet<String> = section.lines().filter(|line| line.starts_with("| `")).flat_map(quoted).collect();
    for (item, path) in TYPES {
        let (module, name) = item.rsplit_once("::").unwrap();
        let page = documentation.join(module.replace("::", "/")).join(format!("struct.{name}.html"));
        let source: String = path.split(' ').map(read).collect();
        let found = methods(&fs::read_to_string(&page).unwrap());
        assert!(!found.is_empty(), "{item} has no methods: has the documentation changed its form?");
        for method in found {
            let here = source.contains(&format!("fn {method}")) || source.contains(&format!("{method}("));
            assert!(here || left_out.contains(&method), "{item}::{method} is neither modelled nor named as left out");
        }
    }
}
