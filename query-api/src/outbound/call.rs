//! One call: bounded in time, in what it sends and in what it reads.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};

use super::allow::AllowList;
use super::connect::{Checked, Names, SystemNames};
use super::target::{self, Reach, Refused, Target};

/// Calls at once; more wait.
const MAX_CALLS: usize = 64;
/// The longest body that is sent: more than any channel takes.
const MAX_BODY_BYTES: usize = 512 << 10;
/// So much of an answer is read; the rest is left where it is.
const MAX_ANSWER_BYTES: usize = 16 << 10;
/// Nobody means a longer wait than a day.
const LONGEST_WAIT_S: u64 = 86_400;

/// How long a call may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) connect: Duration,
    /// From looking the name up to the answer's status.
    pub(crate) total: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), total: Duration::from_secs(15) }
    }
}

/// A POST of JSON.
pub(crate) struct Call<'a> {
    pub(crate) url: &'a str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

/// A call of any method whose whole answer is wanted.
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Vec<u8>>,
    /// A longer answer is an error.
    pub(crate) most_bytes: usize,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Seconds to wait, if the answer has them.
    pub(crate) retry_after_s: Option<u64>,
    /// The beginning of the body, or all of it where that was asked for.
    pub(crate) body: String,
}

/// Why there is no answer. No text has the address in it: it may be a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("the message is over {MAX_BODY_BYTES} bytes")]
    TooLarge,
    #[error("a header cannot be sent: {0}")]
    Header(String),
    #[error("no answer came within {} seconds", .0.as_secs())]
    TimedOut(Duration),
    #[error("the connection failed: {0}")]
    Failed(String),
    #[error("the answer is over {0} bytes")]
    LongAnswer(usize),
}

impl Error {
    /// Whether the same call may succeed later.
    pub(crate) const fn is_retryable(&self) -> bool {
        matches!(self, Self::TimedOut(_) | Self::Failed(_))
    }
}

/// Makes calls; cheap to clone.
#[derive(Clone)]
pub(crate) struct Outbound(Arc<Inner>);

struct Inner {
    allow: Arc<AllowList>,
    names: Arc<dyn Names>,
    limits: Limits,
    calls: Semaphore,
    /// Made when first needed: reading the system's certificates takes a while, and most processes never call anybody.
    public: OnceCell<Client>,
    allowed: OnceCell<Client>,
}

impl Outbound {
    pub(crate) fn new(allow: AllowList) -> Self {
        Self::with(allow, Arc::new(SystemNames), Limits::default())
    }

    pub(crate) fn with(allow: AllowList, names: Arc<dyn Names>, limits: Limits) -> Self {
        Self(Arc::new(Inner {
            allow: Arc::new(allow),
            names,
            limits,
            calls: Semaphore::new(MAX_CALLS),
            public: OnceCell::new(),
            allowed: OnceCell::new(),
        }))
    }

    pub(crate) fn allow(&self) -> &AllowList {
        &self.0.allow
    }

    /// Checks an address as far as that goes without looking it up.
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) fn check(&self, url: &str) -> Result<Target, Refused> {
        target::check(url, &self.0.allow)
    }

    /// Posts JSON once.
    ///
    /// # Errors
    /// [`Error`]; an answer that tells of a failure is none.
    pub(crate) async fn post(&self, call: Call<'_>) -> Result<Answer, Error> {
        if call.body.len() > MAX_BODY_BYTES {
            return Err(Error::TooLarge);
        }
        let Call { url, headers, body } = call;
        let request =
            Request { method: Method::POST, url, headers, body: Some(body), most_bytes: MAX_ANSWER_BYTES };
        let total = self.0.limits.total;
        let exchange = tokio::time::timeout(total, self.exchange(request));
        let (_permit, response) = exchange.await.map_err(|_| Error::TimedOut(total))??;
        let (status, retry_after_s) = (response.status().as_u16(), retry_after_s(response.headers()));
        // The status is the answer; a body that breaks off, or that never ends, does not take it back.
        let mut body = Vec::new();
        let read = read_beginning(response, &mut body);
        if tokio::time::timeout(self.0.limits.connect, read).await.is_err() {
            tracing::debug!("the rest of an answer did not come");
        }
        Ok(Answer { status, retry_after_s, body: String::from_utf8_lossy(&body).into_owned() })
    }

    /// Calls once, and reads the answer to its end.
    ///
    /// # Errors
    /// [`Error`]; an answer that tells of a failure is none.
    pub(crate) async fn fetch(&self, request: Request<'_>) -> Result<Answer, Error> {
        if request.body.as_ref().is_some_and(|body| body.len() > MAX_BODY_BYTES) {
            return Err(Error::TooLarge);
        }
        let (most_bytes, total) = (request.most_bytes, self.0.limits.total);
        let whole = async {
            let (_permit, mut response) = self.exchange(request).await?;
            let (status, retry_after_s) = (response.status().as_u16(), retry_after_s(response.headers()));
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(|error| self.failure(error))? {
                if body.len() + chunk.len() > most_bytes {
                    return Err(Error::LongAnswer(most_bytes));
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Answer { status, retry_after_s, body: String::from_utf8_lossy(&body).into_owned() })
        };
        tokio::time::timeout(total, whole).await.map_err(|_| Error::TimedOut(total))?
    }

    async fn exchange(&self, call: Request<'_>) -> Result<(SemaphorePermit<'_>, Response), Error> {
        let target = self.check(call.url)?;
        let permit = self.0.calls.acquire().await.map_err(|error| Error::Failed(error.to_string()))?;
        let mut request = self.client(target.reach).await?.request(call.method, target.url);
        if let Some(body) = call.body {
            request = request.header("content-type", "application/json").body(body);
        }
        for (name, value) in call.headers {
            let value = value.parse::<reqwest::header::HeaderValue>();
            request = request.header(name, value.map_err(|error| Error::Header(error.to_string()))?);
        }
        let response = request.send().await.map_err(|error| self.failure(error))?;
        Ok((permit, response))
    }

    async fn client(&self, reach: Reach) -> Result<&Client, Error> {
        let cell = match reach {
            Reach::Public => &self.0.public,
            Reach::Allowed => &self.0.allowed,
        };
        cell.get_or_try_init(|| async { self.build(reach) }).await
    }

    fn build(&self, reach: Reach) -> Result<Client, Error> {
        let (names, allow) = (Arc::clone(&self.0.names), Arc::clone(&self.0.allow));
        Client::builder()
            .dns_resolver(Arc::new(Checked { names, allow, reach }))
            .no_proxy()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            // A connection that is kept would be to an address that was checked some time ago.
            .pool_max_idle_per_host(0)
            .connect_timeout(self.0.limits.connect)
            .user_agent(concat!("Playhead/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::Failed(error.to_string()))
    }

    fn failure(&self, error: reqwest::Error) -> Error {
        if error.is_timeout() {
            return Error::TimedOut(if error.is_connect() {
                self.0.limits.connect
            } else {
                self.0.limits.total
            });
        }
        let error = error.without_url();
        let mut innermost: &(dyn StdError + 'static) = &error;
        while let Some(source) = innermost.source() {
            innermost = source;
            if let Some(refused) = innermost.downcast_ref::<Refused>() {
                return Error::Refused(refused.clone());
            }
        }
        Error::Failed(innermost.to_string())
    }
}

async fn read_beginning(mut response: Response, body: &mut Vec<u8>) {
    while body.len() < MAX_ANSWER_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                body.extend_from_slice(&chunk[..chunk.len().min(MAX_ANSWER_BYTES - body.len())])
            }
            Ok(None) | Err(_) => break,
        }
    }
}

/// Seconds, or a date (RFC 9110, 10.2.3).
fn retry_after_s(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait_s = match text.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let until = httpdate::parse_http_date(text).ok()?;
            until.duration_since(std::time::SystemTime::now()).map_or(0, |wait| wait.as_secs() + 1)
        }
    };
    Some(wait_s.min(LONGEST_WAIT_S))
}
