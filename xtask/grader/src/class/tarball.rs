//! Tar archives, compressed or not. A compressed one is unpacked into memory as a whole, up to a cap: there is no other way
//! to see what is at its end, and so no way to be fooled by what is read first.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;
use pipeline::subject::sources::handle::Kind;
use pipeline::subject::sources::{Unreadable, read_capped};
use tar::EntryType;

use super::archive::{Archive, Chosen, LARGEST_UNPACKED_MIB, Member, damaged, too_large_unpacked};

/// A tar archive in memory.
pub(super) struct Tarball(Vec<u8>);

/// A plain tar archive.
pub(super) fn open(bytes: Vec<u8>) -> Tarball {
    Tarball(bytes)
}

/// A compressed tar archive.
///
/// # Errors
/// It is damaged, or unpacks to too much.
pub(super) fn unpack(bytes: &[u8]) -> Result<Tarball, Unreadable> {
    let most = LARGEST_UNPACKED_MIB * 1024 * 1024;
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(bytes).take(most + 1).read_to_end(&mut unpacked).map_err(damaged)?;
    if unpacked.len() as u64 > most {
        return Err(too_large_unpacked());
    }
    Ok(Tarball(unpacked))
}

impl Archive for Tarball {
    fn list(&mut self, most: usize) -> Result<Option<Vec<Member>>, Unreadable> {
        let mut archive = tar::Archive::new(Cursor::new(&self.0));
        let mut members = Vec::new();
        for entry in archive.entries().map_err(damaged)? {
            let mut entry = entry.map_err(damaged)?;
            // A note that can't be read would be skipped, and with it the name that other unpackers see.
            for note in entry.pax_extensions().map_err(damaged)?.into_iter().flatten() {
                note.map_err(damaged)?;
            }
            if members.len() == most {
                return Ok(None);
            }
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            members.push(Member { name, kind: kind(entry.header().entry_type()) });
        }
        Ok(Some(members))
    }

    fn read(
        &mut self,
        chosen: &BTreeMap<usize, Chosen>,
        each: &mut dyn FnMut(&Chosen, Vec<u8>),
    ) -> Result<(), Unreadable> {
        let mut archive = tar::Archive::new(Cursor::new(&self.0));
        for (position, entry) in archive.entries().map_err(damaged)?.enumerate() {
            let mut entry = entry.map_err(damaged)?;
            let Some(one) = chosen.get(&position) else { continue };
            each(one, read_capped(&mut entry).map_err(damaged)?);
        }
        Ok(())
    }
}

/// What a member is; nothing if it only describes others.
fn kind(entry: EntryType) -> Option<Kind> {
    match entry {
        EntryType::Regular | EntryType::Continuous => Some(Kind::File),
        EntryType::Directory => Some(Kind::Folder),
        EntryType::Link | EntryType::Symlink => Some(Kind::Link),
        EntryType::XGlobalHeader | EntryType::XHeader | EntryType::GNULongName | EntryType::GNULongLink => None,
        _ => Some(Kind::Other),
    }
}
