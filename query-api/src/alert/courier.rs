//! Messages go through the project's channels.

use futures::FutureExt;
use futures::future::BoxFuture;
use playhead_domain::id::ChannelId;
use playhead_domain::scope::Scope;

use super::deliver::{Courier, Undelivered};
use crate::channel::{self, Message};
use crate::state::Api;

/// Carries messages through channels.
pub struct Channels(Api);

impl Channels {
    #[must_use]
    pub const fn new(api: Api) -> Self {
        Self(api)
    }

    async fn send(&self, scope: Scope, id: &str, message: &Message) -> Result<String, Undelivered> {
        let gone = || Undelivered {
            is_retryable: false,
            after_ms: None,
            sentence: "the project has no such channel any more".to_owned(),
            taken: Vec::new(),
        };
        let id: ChannelId = id.parse().map_err(|_| gone())?;
        let found = channel::load(&self.0, scope, id).await.map_err(|error| Undelivered {
            is_retryable: error.is_retryable(),
            after_ms: None,
            sentence: format!("the channel could not be read: {error}"),
            taken: Vec::new(),
        })?;
        let channel = found.ok_or_else(gone)?;
        match channel::send(&self.0, scope, &channel, message).await {
            Ok(receipt) => Ok(receipt.sentence),
            Err(error) => Err(Undelivered {
                is_retryable: error.is_retryable(),
                after_ms: error.not_before_ms.map(|ms| ms - self.0.now_ms()),
                sentence: error.sentence,
                taken: error.taken,
            }),
        }
    }
}

impl Courier for Channels {
    fn carry<'a>(
        &'a self,
        scope: Scope,
        channel: &'a str,
        message: &'a Message,
    ) -> BoxFuture<'a, Result<String, Undelivered>> {
        self.send(scope, channel, message).boxed()
    }
}
