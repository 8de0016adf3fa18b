//! Files: where things are on the machine, and whether they are what they were.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The places that samples name: `@CLASS@` in their text becomes the class folder.
pub(crate) struct Places(pub(crate) Vec<(&'static str, String)>);

impl Places {
    /// The text with the places in it.
    pub(crate) fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_string(), |text, (name, place)| text.replace(&format!("@{name}@"), place))
    }
}

/// Writes a file, and the folders that it needs.
pub(crate) fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
    fs::write(path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Everything below a folder that an attack could change: kind, mode, owner, time, content. A new or missing file shows, too.
pub(crate) fn picture(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut picture = BTreeMap::new();
    add(folder, &mut picture);
    picture
}

fn add(path: &Path, picture: &mut BTreeMap<PathBuf, String>) {
    let Ok(about) = fs::symlink_metadata(path) else { return };
    // Large files, pipes and devices are known by their numbers; what is in them is not read.
    let content =
        if about.is_file() && about.len() < 4 * 1024 * 1024 { fs::read(path).unwrap_or_default() } else { Vec::new() };
    let mut hash = DefaultHasher::new();
    (content, about.mode(), about.uid(), about.len(), about.mtime(), about.mtime_nsec()).hash(&mut hash);
    picture.insert(path.to_path_buf(), format!("{:o} {:x}", about.mode(), hash.finish()));
    if about.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            add(&entry.path(), picture);
        }
    }
}

/// In which way two pictures differ, in one line each.
pub(crate) fn differences(before: &BTreeMap<PathBuf, String>, after: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let mut found = Vec::new();
    for (path, now) in after {
        match before.get(path) {
            None => found.push(format!("{} is new", path.display())),
            Some(then) if then != now => found.push(format!("{} has changed", path.display())),
            Some(_) => {}
        }
    }
    found.extend(
        before.keys().filter(|path| !after.contains_key(*path)).map(|path| format!("{} is gone", path.display())),
    );
    found
}

/// Every regular file below a folder.
pub(crate) fn all(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(all(&entry.path())),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
    found.sort();
    found
}

/// Makes `to` a copy of `from`, in which files are as `change` makes them. What is the same already keeps its time, so that cargo has
/// nothing to do for it.
pub(crate) fn mirror(from: &Path, to: &Path, change: &dyn Fn(&Path, Vec<u8>) -> Vec<u8>) {
    if from.is_file() {
        let text = change(from, fs::read(from).expect("a file"));
        if fs::read(to).is_ok_and(|now| now == text) {
            return;
        }
        return write(to, &text);
    }
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(to).expect("a folder").flatten() {
        if !from.join(entry.file_name()).exists() {
            let path = entry.path();
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.expect("it is our own copy");
        }
    }
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        mirror(&entry.path(), &to.join(entry.file_name()), change);
    }
}
