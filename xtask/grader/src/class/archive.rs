//! A submission that is an archive. Nothing of it is ever written to the disk: its members are listed, the wanted ones read
//! through a cap, and the rest is not even unpacked where the format allows it.
//!
//! An archive that is built to be taken for something else is refused as a whole, whatever else it holds.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

use pipeline::subject::sources::handle::{Folder, Kind, Opened};
use pipeline::subject::sources::{
    DEEPEST, Files, Found, Gathered, Unreadable, Wanted, environment, is_module_name, is_noise, is_source_name,
    may_be_looked_through, places, printable,
};

use crate::class::{tarball, zipped};

/// A packed class project is small; what is larger holds build output, or is a trap. In MiB.
const LARGEST_MIB: u64 = 8;
/// Bytes that a compressed tar archive may unpack to, in MiB. It can't be read without being unpacked.
pub(super) const LARGEST_UNPACKED_MIB: u64 = 32;
/// Files and folders of an archive.
const MOST_MEMBERS: usize = 2_000;
/// Bytes of a member's name.
const LONGEST_MEMBER_NAME: usize = 1_024;
/// What helps when an archive is too large.
const PACK_LESS: &str = "Pack only your answer, without `target` and `.git`.";

/// The archives that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// `.zip`
    Zip,
    /// `.tar.gz`, `.tgz`
    TarGz,
    /// `.tar`
    Tar,
}

/// A member of an archive.
#[derive(Debug)]
pub(super) struct Member {
    /// Its name as the archive has it; once checked, its path with `/` between folders.
    pub(super) name: String,
    /// What it is; nothing if it is no file at all but a note of the format's.
    pub(super) kind: Option<Kind>,
}

/// An archive whose members are known. `read` calls back with the position of each chosen member and what is in it.
pub(super) trait Archive {
    /// Every member, in the order of the archive.
    fn list(&mut self, most: usize) -> Result<Option<Vec<Member>>, Unreadable>;

    /// Reads the members at these positions.
    fn read(
        &mut self,
        chosen: &BTreeMap<usize, Chosen>,
        each: &mut dyn FnMut(&Chosen, Vec<u8>),
    ) -> Result<(), Unreadable>;
}

/// A member that belongs to an answer.
#[derive(Debug)]
pub(super) struct Chosen {
    /// The position of the kata among the wanted ones.
    kata: usize,
    /// Its path below `src`.
    name: String,
}

impl Format {
    /// The format that an entry's name announces, and the name without it.
    pub(crate) fn of(name: &str) -> Option<(Format, &str)> {
        let endings =
            [(".zip", Format::Zip), (".tar.gz", Format::TarGz), (".tgz", Format::TarGz), (".tar", Format::Tar)];
        endings.into_iter().find_map(|(ending, format)| {
            let at = name.len().checked_sub(ending.len())?;
            let (stem, end) = name.split_at_checked(at)?;
            (!stem.is_empty() && end.eq_ignore_ascii_case(ending)).then_some((format, stem))
        })
    }
}

/// Looks for the katas in an archive.
///
/// # Errors
/// The archive is a symbolic link, or refused as a whole; or the machine's fault.
pub(crate) fn find(path: &Path, format: Format, wanted: &[Wanted]) -> Result<Vec<Found>, Unreadable> {
    let bytes = read_whole(path)?;
    let mut archive: Box<dyn Archive> = match format {
        Format::Zip => Box::new(zipped::open(bytes)?),
        Format::TarGz => Box::new(tarball::unpack(&bytes)?),
        Format::Tar => Box::new(tarball::open(bytes)),
    };
    let members = archive.list(MOST_MEMBERS)?.ok_or_else(|| {
        Unreadable::refused(format!("the archive holds more than {MOST_MEMBERS} files and folders"), PACK_LESS)
    })?;
    if members.is_empty() {
        return Err(Unreadable::refused("the archive is empty", "Pack your answer into it."));
    }
    let members = checked(members)?;
    let top = single_folder(&members);
    let places: Vec<Vec<String>> = wanted
        .iter()
        .map(|one| places(one, wanted, top.as_deref()).into_iter().map(|place| place.join("/")).collect())
        .collect();
    refuse_tricks(&members, &places)?;
    read_answers(archive.as_mut(), &members, &places)
}

/// The archive's bytes: they fit into memory, and nobody can change them there.
fn read_whole(path: &Path) -> Result<Vec<u8>, Unreadable> {
    let file = match Folder::at(path).map_err(environment("read", path))? {
        Opened::File(file) => file,
        Opened::Not(Kind::Link) => {
            return Err(Unreadable::refused("the submission is a symbolic link", "Hand in the archive itself."));
        }
        _ => return Err(Unreadable::refused("the submission is not a file", "Hand in the archive itself.")),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST_MIB * 1024 * 1024 + 1).read_to_end(&mut bytes).map_err(environment("read", path))?;
    if bytes.len() as u64 > LARGEST_MIB * 1024 * 1024 {
        return Err(Unreadable::refused(format!("the archive is larger than {LARGEST_MIB} MiB"), PACK_LESS));
    }
    Ok(bytes)
}

/// An archive that can't be read to its end.
pub(super) fn damaged(error: impl std::fmt::Display) -> Unreadable {
    let why = printable(&error.to_string());
    Unreadable::refused(format!("the archive is damaged: {why}"), "Pack it again, and try whether it opens.")
}

/// An archive that unpacks to too much.
pub(super) fn too_large_unpacked() -> Unreadable {
    Unreadable::refused(format!("the archive unpacks to more than {LARGEST_UNPACKED_MIB} MiB"), PACK_LESS)
}

/// The archive is refused because of this member.
pub(super) fn refused_for(name: &str, why: &str) -> Unreadable {
    // A name may be as long as the archive; its beginning shows which one it is.
    let mut shown: String = printable(name).chars().take(200).collect();
    if name.len() > 200 {
        shown.push('…');
    }
    Unreadable::refused(
        format!("the archive holds `{shown}`, {why}"),
        "Pack the folder with your answer again, with an ordinary archiver.",
    )
}

/// The members with their names checked and brought to one form: no `./`, no doubled or final `/`.
fn checked(members: Vec<Member>) -> Result<Vec<Member>, Unreadable> {
    let mut seen: HashMap<String, bool> = HashMap::new();
    let mut sound = Vec::with_capacity(members.len());
    for mut member in members {
        let Some(mut kind) = member.kind else {
            sound.push(member);
            continue;
        };
        if let Some(why) = objection(&member.name) {
            return Err(refused_for(&member.name, why));
        }
        if member.name.ends_with('/') && kind == Kind::File {
            kind = Kind::Folder;
        }
        let parts: Vec<&str> = member.name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        let name = parts.join("/");
        let folder = kind == Kind::Folder;
        if seen.insert(name.clone(), folder).is_some_and(|before| !(before && folder)) {
            return Err(refused_for(&member.name, "more than once"));
        }
        member = Member { name, kind: Some(kind) };
        sound.push(member);
    }
    Ok(sound)
}

/// What is wrong with a member's name, wherever it is in the archive.
fn objection(name: &str) -> Option<&'static str> {
    if name.len() > LONGEST_MEMBER_NAME {
        Some("a name that is longer than any honest one")
    } else if name.chars().any(char::is_control) {
        Some("a name with control characters")
    } else if name.starts_with('/') {
        Some("an absolute name")
    } else if name.contains('\\') {
        Some("a name with a backslash, which means different places on different systems")
    } else if name.as_bytes().get(1) == Some(&b':') && name.as_bytes()[0].is_ascii_alphabetic() {
        Some("a name with a drive letter")
    } else if name.split('/').any(|part| part == "..") {
        Some("a name that leads out of the archive")
    } else {
        None
    }
}

/// The folder that everything is in, if there is one.
fn single_folder(members: &[Member]) -> Option<String> {
    let mut top = None;
    for member in members.iter().filter(|member| member.kind.is_some() && !member.name.is_empty()) {
        let first = member.name.split('/').next().unwrap_or_default();
        if is_noise(first) || top == Some(first) {
            continue;
        }
        if top.is_some() {
            return None;
        }
        top = Some(first);
    }
    top.filter(|name| may_be_looked_through(name)).map(str::to_string)
}

/// Refuses links and devices where answers are looked for, and names there that some systems take for the same.
fn refuse_tricks(members: &[Member], places: &[Vec<String>]) -> Result<(), Unreadable> {
    let places: Vec<&str> = places.iter().flatten().map(String::as_str).collect();
    let folded_places: Vec<String> = places.iter().map(|place| place.to_lowercase()).collect();
    let mut folded_names: HashMap<String, &str> = HashMap::new();
    for member in members {
        let (name, Some(kind)) = (member.name.as_str(), member.kind) else { continue };
        let inside = |place: &&str| below(name, place).is_some();
        let around = |place: &&str| name == *place || below(place, name).is_some();
        match kind {
            Kind::Link if places.iter().any(|place| inside(place) || around(place)) => {
                return Err(refused_for(name, "a link where an answer belongs"));
            }
            Kind::Other if places.iter().any(inside) => {
                return Err(refused_for(name, "which is no regular file"));
            }
            _ => {}
        }
        let folded = name.to_lowercase();
        if kind == Kind::File
            && folded_places.iter().any(|place| below(&folded, place).is_some())
            && let Some(other) = folded_names.insert(folded, name)
        {
            let why = format!("which differs from `{}` only in capitals", printable(other));
            return Err(refused_for(name, &why));
        }
    }
    Ok(())
}

/// The path below that folder.
fn below<'a>(name: &'a str, folder: &str) -> Option<&'a str> {
    name.strip_prefix(folder)?.strip_prefix('/')
}

/// Reads the answers to all wanted katas in one go through the archive.
fn read_answers(
    archive: &mut dyn Archive,
    members: &[Member],
    places: &[Vec<String>],
) -> Result<Vec<Found>, Unreadable> {
    let mut chosen = BTreeMap::new();
    let mut answers: Vec<Option<Result<Gathered, Unreadable>>> = Vec::new();
    for (kata, places) in places.iter().enumerate() {
        let mut answer = None;
        for place in places {
            let inside = |member: &Member| member.kind == Some(Kind::File) && below(&member.name, place).is_some();
            if members.iter().any(inside) {
                answer = Some(choose(members, kata, place, &mut chosen));
                break;
            }
        }
        answers.push(answer);
    }
    archive.read(&chosen, &mut |one, bytes| {
        let Some(Some(answer)) = answers.get_mut(one.kata) else { return };
        if let Ok(gathered) = answer
            && let Err(refused) = gathered.add(&one.name, bytes)
        {
            *answer = Err(refused);
        }
    })?;
    let finish = |answer: Result<Gathered, Unreadable>| -> Result<Files, Unreadable> { answer?.finish() };
    Ok(answers.into_iter().map(|answer| answer.map(finish)).collect())
}

/// Notes the source files below `place` as the kata's answer.
fn choose(
    members: &[Member],
    kata: usize,
    place: &str,
    chosen: &mut BTreeMap<usize, Chosen>,
) -> Result<Gathered, Unreadable> {
    for (position, member) in members.iter().enumerate() {
        let Some(name) = below(&member.name, place).filter(|_| member.kind == Some(Kind::File)) else { continue };
        let (folders, file) = name.rsplit_once('/').unwrap_or(("", name));
        let folders: Vec<&str> = folders.split('/').filter(|folder| !folder.is_empty()).collect();
        if !is_source_name(file) || !folders.iter().all(|folder| is_module_name(folder)) {
            continue;
        }
        if folders.len() > DEEPEST {
            return Err(Unreadable::refused(
                format!("{place} has more than {DEEPEST} folders inside each other"),
                "Keep the answer in few folders; one is enough for every kata.",
            ));
        }
        chosen.insert(position, Chosen { kata, name: name.to_string() });
    }
    Ok(Gathered::new(place.split('/').collect::<PathBuf>()))
}

#[cfg(test)]
mod tests;
