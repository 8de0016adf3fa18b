//! Zip archives. The list at the end of the file is what counts, as for every unpacker that can seek; what local headers
//! say beside it is not believed.

use std::collections::BTreeMap;
use std::io::Cursor;

use pipeline::subject::sources::handle::Kind;
use pipeline::subject::sources::{LONGEST_FILE, Unreadable, read_capped};
use zip::ZipArchive;

use super::archive::{Archive, Chosen, Member, damaged, refused_for};

/// The bits of a Unix mode that tell what kind of file it is, and those of a regular file and a folder.
const KIND_BITS: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;

/// A zip archive in memory.
pub(super) struct Zipped(ZipArchive<Cursor<Vec<u8>>>);

/// Opens an archive.
///
/// # Errors
/// It is damaged, or two members have one name.
pub(super) fn open(bytes: Vec<u8>) -> Result<Zipped, Unreadable> {
    let archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    if archive.has_duplicate_names() {
        return Err(Unreadable::refused(
            "the archive holds two files of one name",
            "Pack the folder with your answer again, with an ordinary archiver.",
        ));
    }
    Ok(Zipped(archive))
}

impl Archive for Zipped {
    fn list(&mut self, most: usize) -> Result<Option<Vec<Member>>, Unreadable> {
        if self.0.len() > most {
            return Ok(None);
        }
        let mut members = Vec::new();
        for position in 0..self.0.len() {
            let entry = self.0.by_index_data(position).map_err(damaged)?;
            let name = entry.name().map_err(damaged)?.into_owned();
            let kind = match entry.unix_mode().map(|mode| mode & KIND_BITS) {
                _ if entry.is_symlink() => Kind::Link,
                _ if entry.is_dir() => Kind::Folder,
                None | Some(0 | REGULAR) => Kind::File,
                Some(FOLDER) => Kind::Folder,
                Some(_) => Kind::Other,
            };
            members.push(Member { name, kind: Some(kind) });
        }
        Ok(Some(members))
    }

    fn read(
        &mut self,
        chosen: &BTreeMap<usize, Chosen>,
        each: &mut dyn FnMut(&Chosen, Vec<u8>),
    ) -> Result<(), Unreadable> {
        for (position, one) in chosen {
            let (name, size) = {
                let entry = self.0.by_index_data(*position).map_err(damaged)?;
                let name = entry.name().map_err(damaged)?.into_owned();
                if entry.encrypted() {
                    return Err(refused_for(&name, "which is encrypted"));
                }
                (name, entry.size())
            };
            let bytes = self.0.by_index(*position).map_err(damaged).and_then(|file| {
                read_capped(file).map_err(|error| refused_for(&name, &format!("which can't be unpacked: {error}")))
            })?;
            let length = bytes.len() as u64;
            if length != size && length <= LONGEST_FILE {
                return Err(refused_for(&name, "which is not as long as the archive says"));
            }
            each(one, bytes);
        }
        Ok(())
    }
}
