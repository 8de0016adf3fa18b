//! attack on thread: the same without a connection.
//! inspected: failed panic
//! says: kept out
//! needs: confined

use std::net::UdpSocket;

pub fn attack() {
    for own in ["127.0.0.1:0", "[::1]:0"] {
        if let Ok(socket) = UdpSocket::bind(own) {
            let _ = socket.send_to(b"secret", "127.0.0.1:@UDP@");
            panic!("got in: {own}");
        }
    }
    panic!("kept out");
}
