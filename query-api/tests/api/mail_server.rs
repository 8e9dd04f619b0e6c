//! A mail server that speaks as much SMTP as a client needs (RFC 5321, RFC 3207, RFC 4954), with TLS by a certificate of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

#[derive(Clone, Default)]
pub(crate) struct Mail {
    pub(crate) encrypted: bool,
    pub(crate) login: String,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) data: String,
}

pub(crate) struct MailServer {
    pub(crate) port: u16,
    got: Arc<Mutex<Vec<Mail>>>,
    ca_file: tempfile::NamedTempFile,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl MailServer {
    /// `wrapped`: TLS from the first byte, else by STARTTLS.
    pub(crate) async fn start(wrapped: bool) -> Self {
        let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let ca_file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(ca_file.path(), certified.cert.pem()).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, got) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
        let (kept, refused) = (Arc::clone(&got), Arc::new(AtomicUsize::new(0)));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(
                    socket,
                    acceptor.clone(),
                    wrapped,
                    (Arc::clone(&kept), Arc::clone(&refused)),
                ));
            }
        });
        Self { port, got, ca_file }
    }

    pub(crate) fn ca_file(&self) -> String {
        self.ca_file.path().to_str().unwrap().to_owned()
    }

    pub(crate) fn got(&self) -> Vec<Mail> {
        self.got.lock().unwrap().clone()
    }
}

async fn serve(
    socket: TcpStream,
    acceptor: TlsAcceptor,
    wrapped: bool,
    (got, refused): (Arc<Mutex<Vec<Mail>>>, Arc<AtomicUsize>),
) {
    if wrapped {
        let Ok(stream) = acceptor.accept(socket).await else { return };
        talk(Box::new(stream), true, true, (&got, &refused)).await;
        return;
    }
    let Some(socket) = talk(Box::new(socket), true, false, (&got, &refused)).await else { return };
    let Ok(stream) = acceptor.accept(socket).await else { return };
    talk(Box::new(stream), false, true, (&got, &refused)).await;
}

/// Until the client quits, or wants TLS: then the stream.
async fn talk(
    stream: Box<dyn Stream>,
    greet: bool,
    encrypted: bool,
    (got, refused): (&Mutex<Vec<Mail>>, &AtomicUsize),
) -> Option<Box<dyn Stream>> {
    let mut stream = BufReader::new(stream);
    if greet {
        stream.write_all(b"220 mail.test ESMTP\r\n").await.ok()?;
    }
    let mut mail = Mail { encrypted, ..Mail::default() };
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let (verb, rest) =
            line.trim_end().split_at(line.trim_end().find(' ').unwrap_or(line.trim_end().len()));
        let path = || {
            rest.split_once('<').and_then(|(_, path)| path.split_once('>')).map(|(path, _)| path.to_owned())
        };
        let reply = match verb.to_ascii_uppercase().as_str() {
            "EHLO" if encrypted => "250-mail.test\r\n250-8BITMIME\r\n250 AUTH PLAIN",
            "EHLO" => "250-mail.test\r\n250 STARTTLS",
            "STARTTLS" => {
                stream.write_all(b"220 go ahead\r\n").await.ok()?;
                return Some(stream.into_inner());
            }
            "AUTH" => {
                mail.login = decode(rest.trim().trim_start_matches("PLAIN "));
                if mail.login.ends_with("wrong") { "535 5.7.8 no" } else { "235 2.7.0 welcome" }
            }
            _ if !encrypted => "530 5.7.0 STARTTLS first",
            "MAIL" => {
                mail.from = path()?;
                "250 ok"
            }
            "RCPT" => match path()?.as_str() {
                "nobody@example.com" => "550 5.1.1 <nobody@example.com>: no such mail box",
                "later@example.com" => "451 4.3.0 come back later",
                // With all others, and by itself.
                "third@example.com" if refused.fetch_add(1, Ordering::SeqCst) < 2 => {
                    "451 4.3.0 come back later"
                }
                recipient => {
                    mail.to.push(recipient.to_owned());
                    "250 ok"
                }
            },
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await.ok()?;
                mail.data = read_data(&mut stream).await?;
                got.lock().unwrap().push(mail.clone());
                mail = Mail { data: String::new(), to: Vec::new(), ..mail };
                "250 2.0.0 queued as 1"
            }
            "RSET" => {
                mail.to.clear();
                "250 ok"
            }
            "QUIT" => {
                let _ = stream.write_all(b"221 bye\r\n").await;
                return None;
            }
            _ => "500 what",
        };
        stream.write_all(format!("{reply}\r\n").as_bytes()).await.ok()?;
    }
}

async fn read_data(stream: &mut BufReader<Box<dyn Stream>>) -> Option<String> {
    let mut data = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line == ".\r\n" {
            return Some(data);
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

fn decode(text: &str) -> String {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    String::from_utf8(bytes).unwrap()
}
