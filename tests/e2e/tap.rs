//! Stands between a gate and Flink, passes every byte on, and remembers what came: nothing reaches Flink unseen.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Result;

/// A tap on the way to Flink.
pub struct Tap {
    /// Where to send what is meant for Flink.
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    /// Opens one before `upstream`. It lasts as long as the test program.
    pub fn open(upstream: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (memory, upstream) = (Arc::clone(&seen), upstream.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&upstream) else { continue };
                let _ = serve(client, server, &memory);
            }
        });
        Ok(Self { address, seen })
    }

    /// What has come since this was asked last.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn serve(client: TcpStream, server: TcpStream, seen: &Arc<Mutex<Vec<u8>>>) -> Result<()> {
    let (from_client, to_client) = (client.try_clone()?, client);
    let (from_server, to_server) = (server.try_clone()?, server);
    let memory = Arc::clone(seen);
    thread::spawn(move || pass(from_client, to_server, Some(&memory)));
    thread::spawn(move || pass(from_server, to_client, None));
    Ok(())
}

fn pass(mut from: TcpStream, mut to: TcpStream, seen: Option<&Mutex<Vec<u8>>>) {
    let mut piece = [0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        let piece = piece.get(..length).unwrap_or_default();
        // Remembered before it goes on: who has an answer of Flink finds the question here.
        if let Some(seen) = seen {
            seen.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(piece);
        }
        if to.write_all(piece).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
