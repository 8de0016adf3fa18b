//! attack on fetch, which needs sockets: sends a secret to a listener of the machine. Its network is one of its own.
//! inspected: failed panic
//! says: kept out
//! needs: isolated

use std::io::{ErrorKind, Write};
use std::net::{TcpStream, UdpSocket};

pub fn attack() {
    // Nobody hears this, so it can't be known here that it did not arrive: the listener knows.
    if let Ok(socket) = UdpSocket::bind("127.0.0.1:0") {
        let _ = socket.send_to(b"secret", "127.0.0.1:@UDP@");
    }
    match TcpStream::connect("127.0.0.1:@PORT@") {
        Ok(mut stream) => {
            let _ = stream.write_all(b"secret");
            panic!("got in");
        }
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => panic!("kept out: {error}"),
        Err(error) => panic!("no attack: {error}"),
    }
}
