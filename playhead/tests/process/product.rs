//! The product as a child process.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SESSION: &str = "00112233445566778899aabbccddeeff";

/// `playhead up` on a folder of its own.
pub(crate) struct Product {
    child: Child,
    address: String,
    key: String,
}

impl Drop for Product {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

impl Product {
    pub(crate) async fn start(folder: &Path, settings: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_playhead"))
            .args(["up", "--no-demo", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.join("data"))
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut address, mut key) = (None, None);
        for line in BufReader::new(child.stdout.as_mut().unwrap()).lines() {
            let line = line.unwrap();
            if let Some((_, url)) = line.split_once(" runs at http://") {
                address = Some(url.to_owned());
            }
            if let Some(at) = line.find("phk_") {
                key = line[at..].split('"').next().map(ToOwned::to_owned);
                break;
            }
        }
        let product = Self { child, address: address.unwrap(), key: key.unwrap() };
        while product.send("GET", "/readyz", "", "").await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        product
    }

    /// Status and body of the answer.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        traceparent: &str,
        body: &str,
    ) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let trace =
            if traceparent.is_empty() { String::new() } else { format!("traceparent: {traceparent}\r\n") };
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{trace}content-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    pub(crate) async fn send_batch(&self, seq: u32, traceparent: &str) -> u16 {
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let header = serde_json::json!({
            "v": 1, "key": self.key, "session": SESSION, "stream": "0011223344556677", "seq": seq, "tab": 1,
            "sent": now_ms as u64, "from": now_ms as u64, "to": now_ms as u64, "end": true,
        });
        self.send("POST", "/v1/batches", traceparent, &format!("{header}\n")).await.0
    }

    /// Ends it as a service manager does, and returns what it wrote to standard error.
    pub(crate) async fn stop(mut self) -> String {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let mut stderr = self.child.stderr.take().unwrap();
        let read = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            text
        });
        let text = read.await.unwrap();
        assert!(self.child.wait().unwrap().success(), "{text}");
        text
    }
}
