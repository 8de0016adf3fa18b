//! attack on fetch: talks to services of the machine by sockets that are no network, as Docker's is: by path and by name.
//! inspected: failed panic
//! says: kept out
//! needs: confined

use std::io::Write;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixStream};

pub fn attack() {
    let abstract_name = SocketAddr::from_abstract_name("@RUN@").unwrap();
    let tries = [
        UnixStream::connect("@SOCKET@").and_then(|mut stream| stream.write_all(b"secret")),
        UnixStream::connect_addr(&abstract_name).and_then(|mut stream| stream.write_all(b"secret")),
        UnixDatagram::unbound().map(drop),
    ];
    if let Some(number) = tries.iter().position(|tried| tried.is_ok()) {
        panic!("got in: try {number}");
    }
    panic!("kept out");
}
