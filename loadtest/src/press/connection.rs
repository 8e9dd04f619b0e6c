//! HTTP/1.1 over connections that are kept: no more than posting bodies needs, since the client shares the machine with the server
//! that it measures.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

const MAX_HEAD_BYTES: usize = 32 << 10;
const MAX_ANSWER_BYTES: usize = 256 << 10;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Of `Retry-After`, in seconds.
    pub(crate) retry_after: Option<f64>,
    pub(crate) body: Vec<u8>,
    /// Since there was a connection to use, or room for one.
    pub(crate) took: Duration,
}

/// Connections of one thread to servers that share the load.
pub(crate) struct Pool {
    targets: Vec<Target>,
    next: Cell<usize>,
    idle: RefCell<Vec<Connection>>,
    places: Semaphore,
    /// Requests that were sent again since the server had closed an idle connection.
    pub(crate) reopened: Cell<u64>,
    timeout: Duration,
}

struct Target {
    address: SocketAddr,
    host: String,
}

struct Connection {
    stream: TcpStream,
    target: usize,
    received: Vec<u8>,
    used: bool,
}

impl Pool {
    /// `urls` are `http://host:port`; connections go to each in turn.
    pub(crate) async fn new(urls: &[String], connections: usize, timeout: Duration) -> anyhow::Result<Self> {
        let mut targets = Vec::new();
        for url in urls {
            let host = url
                .trim_end_matches('/')
                .strip_prefix("http://")
                .with_context(|| format!("{url} is not http://host:port"))?;
            let with_port = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
            let address = tokio::net::lookup_host(&with_port)
                .await?
                .next()
                .with_context(|| format!("{host} is nowhere"))?;
            targets.push(Target { address, host: host.to_owned() });
        }
        Ok(Self {
            targets,
            next: Cell::new(0),
            idle: RefCell::default(),
            places: Semaphore::new(connections),
            reopened: Cell::new(0),
            timeout,
        })
    }

    /// Posts a body given in pieces. `headers` are lines, each with its `\r\n`.
    pub(crate) async fn post(&self, path: &str, headers: &str, body: &[&[u8]]) -> io::Result<Answer> {
        let _place = self.places.acquire().await.map_err(io::Error::other)?;
        let begun = Instant::now();
        let mut answer = tokio::time::timeout(self.timeout, self.attempt(path, headers, body)).await??;
        answer.took = begun.elapsed();
        Ok(answer)
    }

    async fn attempt(&self, path: &str, headers: &str, body: &[&[u8]]) -> io::Result<Answer> {
        loop {
            let idle = self.idle.borrow_mut().pop();
            let mut connection = match idle {
                Some(connection) => connection,
                None => self.connect().await?,
            };
            let host = &self.targets[connection.target].host;
            match connection.converse(host, path, headers, body).await {
                Ok((answer, keep)) => {
                    if keep {
                        connection.used = true;
                        self.idle.borrow_mut().push(connection);
                    }
                    return Ok(answer);
                }
                // An idle connection that the server closed in the meantime says nothing; browsers try again at once too.
                Err(error) if connection.used && connection.received.is_empty() && is_closed(&error) => {
                    self.reopened.set(self.reopened.get() + 1);
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn connect(&self) -> io::Result<Connection> {
        let target = self.next.get() % self.targets.len();
        self.next.set(target + 1);
        let stream = TcpStream::connect(self.targets[target].address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, target, received: Vec::with_capacity(1 << 10), used: false })
    }
}

fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

impl Connection {
    /// One request and its answer, and whether the connection may be used again.
    async fn converse(
        &mut self,
        host: &str,
        path: &str,
        headers: &str,
        body: &[&[u8]],
    ) -> io::Result<(Answer, bool)> {
        self.received.clear();
        let length: usize = body.iter().map(|piece| piece.len()).sum();
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n{headers}\r\n");
        let mut pieces = [IoSlice::new(&[]); 8];
        pieces[0] = IoSlice::new(head.as_bytes());
        for (slot, piece) in pieces[1..].iter_mut().zip(body) {
            *slot = IoSlice::new(piece);
        }
        let (wrote, read) = (self.write(&mut pieces[..=body.len().min(7)]).await, self.read().await);
        match (wrote, read) {
            // A server that refuses a body answers before it has read all of it.
            (wrote, Ok((answer, keep))) => Ok((answer, keep && wrote.is_ok())),
            (Err(error), Err(_)) | (Ok(()), Err(error)) => Err(error),
        }
    }

    async fn write(&mut self, mut pieces: &mut [IoSlice<'_>]) -> io::Result<()> {
        while !pieces.is_empty() {
            let written = self.stream.write_vectored(pieces).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            IoSlice::advance_slices(&mut pieces, written);
        }
        Ok(())
    }

    async fn read(&mut self) -> io::Result<(Answer, bool)> {
        loop {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some((mut answer, head, length, keep)) = parse(&self.received)? {
                let Some(length) = length else {
                    // Of unknown length: what came so far is enough, and the connection is not used again.
                    answer.body = self.received[head..].to_vec();
                    return Ok((answer, false));
                };
                while self.received.len() < head + length {
                    if self.stream.read_buf(&mut self.received).await? == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                answer.body = self.received[head..head + length].to_vec();
                return Ok((answer, keep));
            }
        }
    }
}

type Parsed = (Answer, usize, Option<usize>, bool);

/// The head of an answer: the answer without its body, the head's length, the body's, and whether the connection stays open.
fn parse(received: &[u8]) -> io::Result<Option<Parsed>> {
    let mut headers = [httparse::EMPTY_HEADER; 48];
    let mut response = httparse::Response::new(&mut headers);
    let invalid = |error: &str| io::Error::new(io::ErrorKind::InvalidData, error.to_owned());
    let head = match response.parse(received).map_err(|error| invalid(&error.to_string()))? {
        httparse::Status::Complete(head) => head,
        httparse::Status::Partial if received.len() > MAX_HEAD_BYTES => {
            return Err(invalid("the head is too long"));
        }
        httparse::Status::Partial => return Ok(None),
    };
    let header = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    let status = response.code.ok_or_else(|| invalid("no status"))?;
    let length = match header("content-length") {
        Some(length) => Some(length.parse().map_err(|_| invalid("not a length"))?),
        None if status == 204 => Some(0),
        None => None,
    };
    if length.is_some_and(|length| length > MAX_ANSWER_BYTES) {
        return Err(invalid("the answer is too long"));
    }
    let keep = !header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let retry_after = header("retry-after").and_then(|value| value.trim().parse().ok());
    Ok(Some((Answer { status, retry_after, body: Vec::new(), took: Duration::ZERO }, head, length, keep)))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// Answers each connection with its text, once it has read something, and closes it.
    async fn serve(answers: &'static [&'static str]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut buffer = [0; 4096];
                let _ = stream.read(&mut buffer).await.unwrap();
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        url
    }

    #[tokio::test]
    async fn answers_are_read_and_closed_connections_are_replaced() {
        let url = serve(&[
            "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 4\r\n\r\nbusy",
        ])
        .await;
        let pool = Pool::new(&[url], 4, Duration::from_secs(20)).await.unwrap();
        let first = pool.post("/v1/batches", "", &[b"a", b"b"]).await.unwrap();
        assert_eq!((first.status, first.body.len()), (202, 0));
        // The first connection was closed after its answer: the request goes out again on a new one.
        let second = pool.post("/v1/batches", "content-type: text/plain\r\n", &[b"c"]).await.unwrap();
        assert_eq!((second.status, second.retry_after, &second.body[..]), (503, Some(2.0), &b"busy"[..]));
        assert_eq!(pool.reopened.get(), 1);
    }
}
