//! A submission that is a folder.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::handle::{Folder, Kind, Opened};
use super::{
    DEEPEST, Files, Found, Gathered, MOST_LOOKED_AT, Unreadable, Wanted, environment, is_module_name, is_noise,
    is_source_name, may_be_looked_through, places, printable, read_capped,
};

/// A walk through one `src`.
struct Walk<'a> {
    /// The `src` folder as the machine knows it, for its errors.
    real: &'a Path,
    gathered: Gathered,
    /// Files and folders seen so far.
    looked_at: usize,
}

/// Reads the source files of the folder `src`.
///
/// # Errors
/// It is a symbolic link or holds one, or what is there is no answer; or the machine's fault.
pub fn read(src: &Path) -> Result<Files, Unreadable> {
    match Folder::at(src).map_err(environment("read", src))? {
        Opened::Folder(folder) => walk(&folder, src, src),
        Opened::Not(Kind::Link) => Err(link(&src.display().to_string())),
        _ => Err(not_a_folder(&src.display().to_string())),
    }
}

/// Looks for the katas in a learner's folder, which is a checkout, a folder of kata folders, or a kata's folder.
///
/// # Errors
/// The learner's folder is a symbolic link or no folder, or can't be read.
pub fn find(root: &Path, wanted: &[Wanted]) -> Result<Vec<Found>, Unreadable> {
    let folder = match Folder::at(root).map_err(environment("read", root))? {
        Opened::Folder(folder) => folder,
        Opened::Not(Kind::Link) => return Err(link("the submission")),
        _ => return Err(not_a_folder("the submission")),
    };
    let top = single_folder(&folder, root)?;
    Ok(wanted
        .iter()
        .map(|one| {
            let places = places(one, wanted, top.as_deref());
            find_one(&folder, root, &places).transpose()
        })
        .collect())
}

fn find_one(root: &Folder, path: &Path, places: &[Vec<String>]) -> Result<Option<Files>, Unreadable> {
    for place in places {
        let Some(folder) = descend(root, path, place)? else { continue };
        let below: PathBuf = place.iter().collect();
        return walk(&folder, &path.join(&below), &below).map(Some);
    }
    Ok(None)
}

/// The folder at `place`, if it is there; every name on the way is opened without following it.
fn descend(root: &Folder, path: &Path, place: &[String]) -> Result<Option<Folder>, Unreadable> {
    let mut here: Option<Folder> = None;
    for (depth, name) in place.iter().enumerate() {
        let shown = place[..=depth].join("/");
        match here.as_ref().unwrap_or(root).open(OsStr::new(name)) {
            Ok(Opened::Folder(folder)) => here = Some(folder),
            Ok(Opened::Not(Kind::Link)) => return Err(link(&shown)),
            Ok(_) => return Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(environment("read", &path.join(shown))(error)),
        }
    }
    Ok(here)
}

/// The only folder at the top, if nothing else is there: the instructor unpacked a download.
fn single_folder(root: &Folder, path: &Path) -> Result<Option<String>, Unreadable> {
    let names = root.names(MOST_LOOKED_AT).map_err(environment("read", path))?.unwrap_or_default();
    let mut names = names.iter().filter(|name| !is_noise(&name.to_string_lossy()));
    let (Some(only), None) = (names.next(), names.next()) else { return Ok(None) };
    let kind = root.kind(only).map_err(environment("read", &path.join(only)))?;
    Ok(only.to_str().filter(|name| kind == Kind::Folder && may_be_looked_through(name)).map(str::to_string))
}

/// Reads the source files of an open folder; `shown` is what the learner calls it.
fn walk(folder: &Folder, real: &Path, shown: &Path) -> Result<Files, Unreadable> {
    let mut walk = Walk { real, gathered: Gathered::new(shown), looked_at: 0 };
    walk.folder(folder, &[])?;
    walk.gathered.finish()
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Folder, below: &[&str]) -> Result<(), Unreadable> {
        let here = below.iter().fold(self.real.to_path_buf(), |path, part| path.join(part));
        let names = folder.names(MOST_LOOKED_AT - self.looked_at).map_err(environment("read", &here))?;
        let names = names.ok_or_else(|| self.crowded())?;
        self.looked_at += names.len();
        for name in names {
            let path = here.join(&name);
            let kind = folder.kind(&name).map_err(environment("read", &path))?;
            if kind == Kind::Link {
                return Err(self.link(below, &name));
            }
            let Some(name) = name.to_str() else { continue };
            let below: Vec<&str> = below.iter().copied().chain([name]).collect();
            let wanted = match kind {
                Kind::Folder => is_module_name(name),
                Kind::File => is_source_name(name),
                Kind::Link | Kind::Other => false,
            };
            if !wanted {
                continue;
            }
            match folder.open(OsStr::new(name)).map_err(environment("read", &path))? {
                Opened::Folder(inner) if below.len() <= DEEPEST => self.folder(&inner, &below)?,
                Opened::Folder(_) => return Err(self.deep()),
                Opened::File(file) => {
                    let bytes = read_capped(file).map_err(environment("read", &path))?;
                    self.gathered.add(&below.join("/"), bytes)?;
                }
                Opened::Not(Kind::Link) => return Err(self.link(&below[..below.len() - 1], OsStr::new(name))),
                Opened::Not(_) => {}
            }
        }
        Ok(())
    }

    fn link(&self, below: &[&str], name: &OsStr) -> Unreadable {
        let name = printable(&name.to_string_lossy());
        let name = below.iter().copied().chain([name.as_str()]).collect::<Vec<_>>().join("/");
        link(&self.gathered.shown(&name))
    }

    fn crowded(&self) -> Unreadable {
        Unreadable::refused(
            format!("{} holds more than {MOST_LOOKED_AT} files and folders", self.gathered.src.display()),
            "Keep only your answer there; one file is enough for every kata.",
        )
    }

    fn deep(&self) -> Unreadable {
        Unreadable::refused(
            format!("{} has more than {DEEPEST} folders inside each other", self.gathered.src.display()),
            "Keep the answer in few folders; one is enough for every kata.",
        )
    }
}

fn link(shown: &str) -> Unreadable {
    Unreadable::refused(format!("{shown} is a symbolic link"), "Replace it by the file itself: links are not followed.")
}

fn not_a_folder(shown: &str) -> Unreadable {
    Unreadable::refused(format!("{shown} is not a folder"), "Put `lib.rs` into a folder `src`.")
}

#[cfg(test)]
mod tests;
