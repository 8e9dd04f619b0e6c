//! Ways to make us call what only this machine reaches, against a listener that counts who connects.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::call::{Answer, Call, Error, Limits, Outbound};
use super::{AllowList, Names};

/// Names as a test wants them: each look-up takes the next answer, and the last one stays.
#[derive(Default)]
struct FakeNames {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    look_ups: AtomicUsize,
}

impl FakeNames {
    fn set(&self, name: &str, answers: &[&[&str]]) {
        let parsed = answers.iter().map(|answer| answer.iter().map(|text| text.parse().unwrap()).collect());
        self.answers.lock().insert(name.to_owned(), parsed.collect());
    }
}

impl Names for FakeNames {
    fn look_up<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        self.look_ups.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock();
        let answer = answers.get_mut(name).map(|answers| match answers.len() {
            1 => answers[0].clone(),
            _ => answers.remove(0),
        });
        Box::pin(async move { answer.ok_or_else(|| io::Error::other("no such name")) })
    }
}

/// Counts connections on every address of this machine, IPv4 and IPv6, and answers each with `response`.
struct Listener {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Listener {
    async fn start(response: String) -> Self {
        let v4 = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = v4.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let mut listeners = vec![v4];
        listeners.extend(TcpListener::bind(("::1", port)).await.ok());
        for listener in listeners {
            let (connections, response) = (Arc::clone(&connections), response.clone());
            tokio::spawn(async move {
                while let Ok((mut socket, _)) = listener.accept().await {
                    connections.fetch_add(1, Ordering::SeqCst);
                    let response = response.clone();
                    tokio::spawn(async move {
                        let mut request = [0u8; 4_096];
                        let _ = socket.read(&mut request).await;
                        let _ = socket.write_all(response.as_bytes()).await;
                    });
                }
            });
        }
        Self { port, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn ok() -> String {
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok".to_owned()
}

fn limits() -> Limits {
    Limits { connect: Duration::from_secs(2), total: Duration::from_secs(5) }
}

fn outbound(allow: &[&str], names: &Arc<FakeNames>) -> Outbound {
    with_port(allow, names, 443)
}

/// With one port more on which public hosts may be called.
fn with_port(allow: &[&str], names: &Arc<FakeNames>, port: u16) -> Outbound {
    let allow: Vec<String> = allow.iter().map(|entry| (*entry).to_owned()).collect();
    let mut allow = AllowList::parse(&allow).unwrap();
    allow.add_public_port(port);
    Outbound::with(allow, Arc::clone(names) as Arc<dyn Names>, limits())
}

async fn post(outbound: &Outbound, url: &str) -> Result<Answer, Error> {
    outbound.post(Call { url, headers: Vec::new(), body: b"{}".to_vec() }).await
}

/// Hosts that mean this machine or its network, in every way that a parser of addresses or a resolver knows.
const HOSTS: [&str; 62] = [
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "0.0.0.0",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "127.0.0.1.",
    "2130706433",
    "0x7f000001",
    "017700000001",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7F.0x0.0x0.0x1",
    "127.1",
    "127.0.1",
    "0",
    "0x0",
    "00000177.0.0.01",
    "127.0x0.0.1",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "１２７.０.０.１",
    "127。0。0。1",
    "①②⑦.0.0.1",
    "0x7f.1",
    "0177.1",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fe80::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[ff01::1]",
    "[fec0::1]",
    "[100::1]",
    "10.0.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "192.168.0.1",
    "172.17.0.1",
    "192.0.0.192",
    "168.63.129.16",
    "224.0.0.1",
    "255.255.255.255",
    "metadata.google.internal",
    "printer.local",
    "router",
    "ｌｏｃａｌｈｏｓｔ",
    "user.localhost.localdomain",
];

/// Names of the public network that lead elsewhere.
const LEADING: [(&str, &[&str]); 12] = [
    ("a.example.com", &["127.0.0.1"]),
    ("b.example.com", &["::1"]),
    ("c.example.com", &["::ffff:127.0.0.1"]),
    ("d.example.com", &["0.0.0.0"]),
    ("e.example.com", &["3000::1", "127.0.0.1"]),
    ("f.example.com", &["127.0.0.1", "3000::1"]),
    ("g.example.com", &["169.254.169.254"]),
    ("h.example.com", &["64:ff9b::7f00:1"]),
    ("i.example.com", &["2002:7f00:1::"]),
    ("j.example.com", &["10.0.0.1"]),
    ("k.example.com", &["::"]),
    ("xn--bcher-kva.example", &["127.0.0.1"]),
];

#[tokio::test]
async fn nothing_but_the_public_network_is_reached() {
    let listener = Listener::start(ok()).await;
    let names = Arc::new(FakeNames::default());
    for name in
        ["localhost", "localhost.", "a.localhost", "printer.local", "router", "user.localhost.localdomain"]
    {
        names.set(name, &[&["127.0.0.1"]]);
    }
    names.set("metadata.google.internal", &[&["127.0.0.1"]]);
    LEADING.iter().for_each(|(name, addresses)| names.set(name, &[addresses]));
    // Somebody else's address is allowed: that must open nothing of ours. And the port keeps nobody out, so that the address has to.
    let port = listener.port;
    let guarded = [
        outbound(&[], &names),
        outbound(&["10.99.0.0/16", "hooks.corp.example"], &names),
        with_port(&[], &names, port),
        with_port(&["10.99.0.0/16", "hooks.corp.example"], &names, port),
    ];
    let mut tried = 0;
    for outbound in &guarded {
        for host in HOSTS.into_iter().chain(LEADING.map(|(name, _)| name)).chain(["bücher.example"]) {
            for url in [
                format!("http://{host}:{port}/"),
                format!("https://{host}:{port}/"),
                format!("https://{host}/"),
                format!("https://{host}:8443/"),
                format!("https://hooks.slack.com@{host}:{port}/"),
                format!("https:\\\\{host}:{port}\\"),
            ] {
                let refused = post(outbound, &url).await;
                assert!(matches!(refused, Err(Error::Refused(_))), "{url}: {refused:?}");
                tried += 1;
            }
        }
    }
    assert!(tried >= 40, "{tried}");
    assert_eq!(listener.connections(), 0);
}

#[tokio::test]
async fn odd_addresses_reach_nothing() {
    let listener = Listener::start(ok()).await;
    let names = Arc::new(FakeNames::default());
    names.set("hooks.example.com", &[&["127.0.0.1"]]);
    let outbound = outbound(&[], &names);
    let port = listener.port;
    for url in [
        format!("http://127.0.0.1:{port}#@hooks.slack.com/"),
        format!("https://127.0.0.1:{port}/#https://hooks.slack.com"),
        format!("https://127.0.0.1:{port}?.hooks.slack.com"),
        format!("https://127.0.0.1:{port}\\@hooks.slack.com/"),
        format!("https://hooks.slack.com:x@127.0.0.1:{port}/"),
        format!(" https://127.0.0.1:{port}/ "),
        format!("https://127.0.\t0.1:{port}/"),
        format!("ht\ntps://127.0.0.1:{port}/"),
        format!("https:127.0.0.1:{port}"),
        format!("https:///127.0.0.1:{port}/"),
        format!("//127.0.0.1:{port}/"),
        format!("HTTPS://127.0.0.1:{port}/"),
        format!("ftp://127.0.0.1:{port}/"),
        format!("file://127.0.0.1:{port}/etc/passwd"),
        format!("gopher://127.0.0.1:{port}/_POST"),
        format!("unix:///var/run/docker.sock:{port}"),
        format!("ws://127.0.0.1:{port}/"),
        format!("https://hooks..example.com:{port}/"),
        format!("https://hooks.example.com.:{port}/"),
        format!("https://[::1%25lo]:{port}/"),
        format!("https://[fe80::1%25eth0]:{port}/"),
        "https://hooks.example.com:22/".to_owned(),
        "https://hooks.example.com:25/".to_owned(),
        "https://hooks.example.com:6379/".to_owned(),
        "http://hooks.example.com/".to_owned(),
        "data:text/plain,x".to_owned(),
        "javascript:alert(1)".to_owned(),
        String::new(),
        format!("https://hooks.example.com/{}", "a".repeat(3_000)),
    ] {
        let refused = post(&outbound, &url).await;
        assert!(matches!(refused, Err(Error::Refused(_))), "{url}: {refused:?}");
    }
    assert_eq!(listener.connections(), 0);
}

/// The first answer is public (an address that nobody has), the next would be ours: there is no next within a call, and each call checks.
#[tokio::test]
async fn a_name_that_changes_its_mind_gains_nothing() {
    let listener = Listener::start(ok()).await;
    let names = Arc::new(FakeNames::default());
    names.set("rebind.example.com", &[&["3000::1"], &["127.0.0.1"]]);
    let outbound = outbound(&[], &names);
    let first = post(&outbound, "https://rebind.example.com/").await;
    assert!(matches!(first, Err(Error::Failed(_) | Error::TimedOut(_))), "{first:?}");
    assert_eq!(names.look_ups.load(Ordering::SeqCst), 1, "asked once");
    for calls in 2..5 {
        let next = post(&outbound, "https://rebind.example.com/").await;
        assert!(matches!(next, Err(Error::Refused(_))), "{next:?}");
        assert_eq!(names.look_ups.load(Ordering::SeqCst), calls, "asked once more");
    }
    assert_eq!(listener.connections(), 0);
}

#[tokio::test]
async fn what_the_operator_allows_is_reached_and_nothing_beside_it() {
    let listener = Listener::start(ok()).await;
    let port = listener.port;
    let names = Arc::new(FakeNames::default());
    names.set("hooks.test", &[&["127.0.0.1"]]);
    names.set("other.test", &[&["127.0.0.1"]]);
    let by_network = outbound(&["127.0.0.0/8"], &names);
    for url in [
        format!("http://127.0.0.1:{port}/x"),
        format!("http://hooks.test:{port}/"),
        format!("http://2130706433:{port}/"),
    ] {
        let answer = post(&by_network, &url).await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"), "{url}");
    }
    assert_eq!(listener.connections(), 3);
    assert!(matches!(post(&by_network, &format!("http://[::1]:{port}/")).await, Err(Error::Refused(_))));
    assert!(matches!(
        post(&by_network, &format!("http://[::ffff:127.0.0.1]:{port}/")).await,
        Err(Error::Refused(_))
    ));
    let by_name = outbound(&["hooks.test"], &names);
    assert_eq!(post(&by_name, &format!("http://hooks.test:{port}/")).await.unwrap().status, 200);
    for url in [
        format!("http://other.test:{port}/"),
        format!("http://127.0.0.1:{port}/"),
        format!("http://a.hooks.test:{port}/"),
    ] {
        assert!(post(&by_name, &url).await.is_err(), "{url}");
    }
    assert_eq!(listener.connections(), 4);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let behind = Listener::start(ok()).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("http://127.0.0.1:{}/", behind.port);
        let response = format!("HTTP/1.1 {status} x\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let front = Listener::start(response).await;
        let outbound = outbound(&["127.0.0.1"], &Arc::default());
        assert_eq!(
            post(&outbound, &format!("http://127.0.0.1:{}/", front.port)).await.unwrap().status,
            status
        );
        assert_eq!(front.connections(), 1);
    }
    assert_eq!(behind.connections(), 0);
}

#[tokio::test]
async fn answers_are_read_to_a_limit_and_waited_for_to_a_limit() {
    let huge = format!("HTTP/1.1 200 OK\r\ncontent-length: 50000000\r\n\r\n{}", "x".repeat(1 << 20));
    let listener = Listener::start(huge).await;
    let outbound = outbound(&["127.0.0.1"], &Arc::default());
    let answer = post(&outbound, &format!("http://127.0.0.1:{}/", listener.port)).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (200, 16 << 10));
    // It accepts and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let held = tokio::spawn(async move { silent.accept().await });
    let hanging = post(&outbound, &format!("http://{address}/")).await;
    assert!(matches!(hanging, Err(Error::TimedOut(_))), "{hanging:?}");
    held.abort();
    let too_large = Call { url: "http://127.0.0.1/", headers: Vec::new(), body: vec![b'x'; (512 << 10) + 1] };
    assert!(matches!(outbound.post(too_large).await, Err(Error::TooLarge)));
}

#[tokio::test]
async fn waits_that_are_asked_for_are_read() {
    let cases = [
        ("120", Some(120)),
        ("999999999", Some(86_400)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
        ("soon", None),
    ];
    for (value, expected) in cases {
        let response = format!("HTTP/1.1 429 x\r\nretry-after: {value}\r\ncontent-length: 0\r\n\r\n");
        let listener = Listener::start(response).await;
        let outbound = outbound(&["127.0.0.1"], &Arc::default());
        let answer = post(&outbound, &format!("http://127.0.0.1:{}/", listener.port)).await.unwrap();
        assert_eq!((answer.status, answer.retry_after_s), (429, expected), "{value}");
    }
}

const CHILD_URL: &str = "PLAYHEAD_TEST_HTTPS_URL";

/// Over TLS, with a certificate of its own: for `hooks.example.com`.
async fn start_https(certified: &rcgen::CertifiedKey<rcgen::KeyPair>) -> u16 {
    use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use tokio_rustls::rustls::{ServerConfig, crypto::aws_lc_rs};
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(socket).await else { continue };
            let _ = stream.read(&mut [0u8; 4_096]).await;
            let _ = stream.write_all(ok().as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    port
}

fn to_this_machine() -> Outbound {
    let names = Arc::new(FakeNames::default());
    names.set("hooks.example.com", &[&["127.0.0.1"]]);
    names.set("other.example.com", &[&["127.0.0.1"]]);
    outbound(&["127.0.0.1"], &names)
}

/// Which certificates a process trusts is decided when it starts, so one that trusts the server's is started.
#[tokio::test]
async fn https_is_spoken_with_whom_the_system_trusts() {
    let certified = rcgen::generate_simple_self_signed(vec!["hooks.example.com".to_owned()]).unwrap();
    let port = start_https(&certified).await;
    let url = format!("https://hooks.example.com:{port}/");
    let stranger = post(&to_this_machine(), &url).await;
    assert!(matches!(&stranger, Err(Error::Failed(why)) if why.contains("certificate")), "{stranger:?}");
    let trusted = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(trusted.path(), certified.cert.pem()).unwrap();
    let child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "outbound::tests::https_in_a_process_that_trusts_the_server"])
        .env("SSL_CERT_FILE", trusted.path())
        .env(CHILD_URL, &url)
        .output();
    let output = child.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "started by the test above"]
async fn https_in_a_process_that_trusts_the_server() {
    let url = std::env::var(CHILD_URL).expect("run the test above instead");
    assert_eq!(post(&to_this_machine(), &url).await.unwrap().status, 200);
    let other = post(&to_this_machine(), &url.replace("hooks", "other")).await;
    assert!(matches!(other, Err(Error::Failed(_))), "the certificate is of another name: {other:?}");
}
