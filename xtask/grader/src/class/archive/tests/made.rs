//! Archives made byte by byte, so that they can be wrong in one place and right everywhere else.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};

/// A member to be packed.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) name: String,
    /// The Unix mode, which holds the kind of file.
    pub(super) mode: u32,
    pub(super) data: Vec<u8>,
    /// In a zip archive: whether it is compressed.
    pub(super) deflated: bool,
    /// In a zip archive: the size that it claims to have, if not its own.
    pub(super) says: Option<u32>,
    /// In a zip archive: the checksum that it claims to have, if not its own.
    pub(super) checksum: Option<u32>,
    /// In a zip archive: the general flags; 1 is encryption.
    pub(super) flags: u16,
    /// In a zip archive: the method that it claims to be compressed by.
    pub(super) method: Option<u16>,
}

impl Part {
    pub(super) fn file(name: &str, text: &str) -> Part {
        Part {
            name: name.to_string(),
            mode: 0o100_644,
            data: text.as_bytes().to_vec(),
            deflated: false,
            says: None,
            checksum: None,
            flags: 0,
            method: None,
        }
    }

    pub(super) fn folder(name: &str) -> Part {
        Part { mode: 0o040_755, ..Part::file(name, "") }
    }

    pub(super) fn link(name: &str, target: &str) -> Part {
        Part { mode: 0o120_777, ..Part::file(name, target) }
    }

    pub(super) fn device(name: &str) -> Part {
        Part { mode: 0o020_666, ..Part::file(name, "") }
    }

    /// The type of a tar entry.
    fn tar_type(&self) -> u8 {
        match self.mode & 0o170_000 {
            0o040_000 => b'5',
            0o120_000 => b'2',
            0o020_000 => b'3',
            _ => b'0',
        }
    }
}

/// A zip archive.
pub(super) fn zip(parts: &[Part]) -> Vec<u8> {
    let (mut bytes, mut list) = (Vec::new(), Vec::new());
    for part in parts {
        let mut crc = flate2::Crc::new();
        crc.update(&part.data);
        let data = if part.deflated { deflate(&part.data) } else { part.data.clone() };
        let size = part.says.unwrap_or(part.data.len() as u32);
        // From the version that is needed to the length of the name, a header and its copy in the list are the same.
        let mut same = Vec::new();
        for word in [20, part.flags | 0x800, part.method.unwrap_or(if part.deflated { 8 } else { 0 }), 0, 0x21] {
            same.extend(u16::to_le_bytes(word));
        }
        for long in [part.checksum.unwrap_or(crc.sum()), data.len() as u32, size] {
            same.extend(long.to_le_bytes());
        }
        same.extend((part.name.len() as u16).to_le_bytes());

        list.extend(b"PK\x01\x02\x14\x03");
        list.extend(&same);
        list.extend([0; 8]);
        list.extend((part.mode << 16).to_le_bytes());
        list.extend((bytes.len() as u32).to_le_bytes());
        list.extend(part.name.as_bytes());

        bytes.extend(b"PK\x03\x04");
        bytes.extend(&same);
        bytes.extend([0; 2]);
        bytes.extend(part.name.as_bytes());
        bytes.extend(data);
    }
    let (count, start) = (parts.len() as u16, bytes.len() as u32);
    bytes.extend(&list);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    bytes.extend([(list.len() as u32).to_le_bytes(), start.to_le_bytes()].concat());
    bytes.extend([0; 2]);
    bytes
}

/// A tar archive, with its end.
pub(super) fn tar(parts: &[Part]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        let data = if part.tar_type() == b'0' { part.data.as_slice() } else { &[] };
        if part.name.len() > 100 {
            bytes.extend(tar_entry("././@LongLink", b'L', part.name.as_bytes()));
        }
        bytes.extend(tar_entry(&part.name, part.tar_type(), data));
    }
    bytes.extend([0; 1024]);
    bytes
}

/// One entry of a tar archive. A name that is too long for the header is cut.
pub(super) fn tar_entry(name: &str, kind: u8, data: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    let cut = &name.as_bytes()[..name.len().min(100)];
    header.as_mut_bytes()[..cut.len()].copy_from_slice(cut);
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_size(data.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// A sparse member that is one hole of that length.
pub(super) fn sparse(name: &str, length: u64) -> Vec<u8> {
    let mut bytes = tar_entry(name, b'S', b"");
    let mut header = tar::Header::from_byte_slice(&bytes[..512]).clone();
    let gnu = header.as_gnu_mut().expect("it is one of GNU's");
    // The end of the hole, as a block of no bytes.
    gnu.sparse[0].offset.copy_from_slice(format!("{length:011o}\0").as_bytes());
    gnu.sparse[0].numbytes.copy_from_slice(b"00000000000\0");
    gnu.realsize.copy_from_slice(format!("{length:011o}\0").as_bytes());
    header.set_cksum();
    bytes[..512].copy_from_slice(header.as_bytes());
    bytes
}

/// The bytes, compressed as a gzip file.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("it is written to memory");
    encoder.finish().expect("it is written to memory")
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("it is written to memory");
    encoder.finish().expect("it is written to memory")
}
