//! The operator's mail server.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::ExposeSecret;
use url::Url;

use super::{Receipt, SendError};
use crate::config::Smtp;

/// For each command.
const COMMAND_LIMIT: Duration = Duration::from_secs(15);
/// For a whole message.
const MESSAGE_LIMIT: Duration = Duration::from_secs(60);
/// Of what the server said, so much is shown.
const SHOWN: usize = 300;

/// It was not taken, or nobody knows.
#[derive(Debug)]
pub(crate) struct Unsent {
    pub(crate) error: SendError,
    /// The server refused it, for now or for good: of several recipients it may mean one.
    pub(crate) may_be_of_one: bool,
}

/// What a later try may change.
pub(crate) const fn for_now(sentence: String) -> SendError {
    SendError { sentence, status: None, retryable: true, not_before_ms: None, taken: Vec::new() }
}

/// Hands messages to the mail server.
pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    limit: Duration,
}

impl Mailer {
    /// Without an address there is none.
    ///
    /// # Errors
    /// A sentence that names the setting; it has no secret in it.
    pub(crate) fn new(settings: &Smtp) -> Result<Option<Self>, String> {
        if settings.url.expose_secret().is_empty() {
            return Ok(None);
        }
        let from: Mailbox = settings.from.parse().map_err(|error| {
            format!("smtp.from must be an address such as `Playhead <alerts@example.com>`: {error}")
        })?;
        let url = Url::parse(settings.url.expose_secret())
            .map_err(|error| format!("smtp.url cannot be read: {error}"))?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("smtp.url has no host")?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let tls = tls(&url, &host, &settings.ca_file)?;
        let default_port = if matches!(tls, Tls::Wrapper(_)) { 465 } else { 587 };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(url.port().unwrap_or(default_port))
            .hello_name(ClientId::Domain(from.email.domain().to_owned()))
            .timeout(Some(COMMAND_LIMIT))
            .tls(tls);
        if !url.username().is_empty() {
            builder = builder.credentials(credentials(&url)?);
        }
        Ok(Some(Self { transport: builder.build(), from, limit: MESSAGE_LIMIT }))
    }

    pub(crate) const fn from(&self) -> &Mailbox {
        &self.from
    }

    /// Hands one message over once.
    ///
    /// # Errors
    /// [`Unsent`].
    pub(crate) async fn send(&self, message: lettre::Message) -> Result<Receipt, Unsent> {
        match tokio::time::timeout(self.limit, self.transport.send(message)).await {
            Ok(Ok(response)) => {
                let said = response.message().collect::<Vec<_>>().join(" ");
                let said = super::text::line(&super::text::without_addresses(&said), SHOWN);
                Ok(Receipt { sentence: format!("the mail server took it: {said}"), status: None })
            }
            Ok(Err(error)) => Err(unsent(&error)),
            Err(_) => {
                let within = self.limit.as_secs();
                let sentence = format!("the mail server did not take it within {within} seconds");
                Err(Unsent { error: for_now(sentence), may_be_of_one: false })
            }
        }
    }
}

/// `smtps`: TLS from the first byte. `smtp`: STARTTLS, or nothing is sent; only `?tls=none` sends in the clear.
fn tls(url: &Url, host: &str, ca_file: &str) -> Result<Tls, String> {
    let option = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
    match (url.scheme(), option.as_deref()) {
        ("smtp", Some("none")) => Ok(Tls::None),
        ("smtp", None) => Ok(Tls::Required(parameters(host, ca_file)?)),
        ("smtps", None) => Ok(Tls::Wrapper(parameters(host, ca_file)?)),
        _ => Err("smtp.url must begin with smtps:// (TLS), or with smtp:// (STARTTLS; with ?tls=none none)"
            .to_owned()),
    }
}

fn parameters(host: &str, ca_file: &str) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if !ca_file.is_empty() {
        let pem = std::fs::read(ca_file).map_err(|error| format!("smtp.ca_file cannot be read: {error}"))?;
        let certificate = Certificate::from_pem(&pem);
        builder = builder.add_root_certificate(
            certificate.map_err(|error| format!("smtp.ca_file has no certificate: {error}"))?,
        );
    }
    builder.build().map_err(|error| format!("TLS cannot be set up for the mail server: {error}"))
}

fn credentials(url: &Url) -> Result<Credentials, String> {
    let decode = |text: &str| {
        let decoded: Vec<u8> = percent_decoded(text);
        String::from_utf8(decoded).map_err(|_| "smtp.url: user and password must be UTF-8".to_owned())
    };
    Ok(Credentials::new(decode(url.username())?, decode(url.password().unwrap_or_default())?))
}

/// A form's decoding would turn a plus sign into a space.
fn percent_decoded(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| byte == b'%') {
            Some(escaped) => {
                decoded.push(escaped);
                rest = &tail[2..];
            }
            None => {
                decoded.push(byte);
                rest = tail;
            }
        }
    }
    decoded
}

/// A wrong password is the operator's to mend, so the message waits for that.
const fn is_about_credentials(status: u16) -> bool {
    matches!(status, 530 | 534 | 535 | 538)
}

/// It closes: the next message would hear the same (RFC 5321, 4.2.3).
const CLOSING: u16 = 421;

fn unsent(error: &lettre::transport::smtp::Error) -> Unsent {
    let status = error.status().map(u16::from);
    let is_permanent = error.is_permanent() || error.is_client();
    // Servers repeat the address that they refuse.
    let said = super::text::line(&super::text::without_addresses(&with_causes(error)), SHOWN);
    let is_of_login = status.is_some_and(is_about_credentials);
    let retryable = !is_permanent || is_of_login;
    let error = SendError { retryable, ..for_now(format!("the mail server did not take it: {said}")) };
    Unsent {
        error,
        may_be_of_one: is_permanent && !is_of_login
            || status.is_some_and(|status| status != CLOSING && !is_of_login),
    }
}

/// Why a connection failed is in the cause.
fn with_causes(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        let next_text = next.to_string();
        if !text.contains(&next_text) {
            text = format!("{text}: {next_text}");
        }
        cause = next.source();
    }
    text
}
