//! Who is at the other end of a child's connection.
//!
//! The code under test starts the children, so it knows where their test listens, and could come in their stead: to meet at a rendezvous
//! where no child is, say. So a test looks who has come.

use std::fs;
use std::net::TcpStream;
use std::path::Path;

/// Whether another process of this same program has come. What the system doesn't tell counts as one.
pub(super) fn is_a_child(stream: &TcpStream) -> bool {
    let (Ok(here), Ok(there)) = (stream.local_addr(), stream.peer_addr()) else { return false };
    let Ok(table) = fs::read("/proc/self/net/tcp") else { return true };
    let Some(socket) = socket_of(&String::from_utf8_lossy(&table), there.port(), here.port()) else { return false };
    let Ok(program) = fs::read_link("/proc/self/exe") else { return true };
    let own = std::process::id();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
    processes.filter(|process| number(process).is_some_and(|number| number != own)).any(|process| {
        let is_ours = fs::read_link(process.join("exe")).is_ok_and(|exe| exe == program);
        is_ours && has_open(&process, &socket)
    })
}

/// The number of a process, whose folder in `/proc` this is.
fn number(process: &Path) -> Option<u32> {
    process.file_name()?.to_str()?.parse().ok()
}

/// What `/proc` calls the socket that is connected from one port to the other, in the text of `/proc/net/tcp`. Nothing if nobody has it
/// open any more.
fn socket_of(table: &str, from: u16, to: u16) -> Option<String> {
    let port = |address: &str| u16::from_str_radix(address.rsplit_once(':')?.1, 16).ok();
    let inode = table.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_it = port(fields.get(1)?) == Some(from) && port(fields.get(2)?) == Some(to);
        is_it.then(|| fields.get(9).copied()).flatten()
    });
    inode.filter(|inode| *inode != "0").map(|inode| format!("socket:[{inode}]"))
}

fn has_open(process: &Path, socket: &str) -> bool {
    let files = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    files.filter_map(|file| fs::read_link(file.path()).ok()).any(|file| file == Path::new(socket))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    #[test]
    fn a_socket_is_found_by_its_ports() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 11 1 0\n   \
            1: 0100007F:C001 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 12 1 0\n   \
            2: 0100007F:C002 0100007F:1F90 08 00000000:00000000 00:00000000 00000000     0        0 0 1 0\n";
        assert_eq!(socket_of(table, 0xc001, 0x1f90).as_deref(), Some("socket:[12]"));
        assert_eq!(socket_of(table, 0xc002, 0x1f90), None, "closed by all");
        assert_eq!(socket_of(table, 0xc003, 0x1f90), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn who_comes_from_the_test_itself_is_no_child() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let _impostor = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(!is_a_child(&listener.accept().unwrap().0));
    }
}
