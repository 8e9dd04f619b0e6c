//! Which services a process runs.

/// A process's part in an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything in one process.
    All,
    Gateway,
    StreamProcessor,
    QueryApi,
}

impl Role {
    const ALL: [Self; 4] = [Self::All, Self::Gateway, Self::StreamProcessor, Self::QueryApi];

    /// The one that this command runs.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|role| role.name() == name);
        found.ok_or_else(|| format!("one of {}", Self::ALL.map(Self::name).join(", ")))
    }

    /// The command that runs it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::All => "up",
            Self::Gateway => "gateway",
            Self::StreamProcessor => "stream-processor",
            Self::QueryApi => "query-api",
        }
    }

    /// What it is called in traces.
    pub(crate) const fn service(self) -> &'static str {
        match self {
            Self::All => "playhead",
            Self::Gateway => "playhead-gateway",
            Self::StreamProcessor => "playhead-stream-processor",
            Self::QueryApi => "playhead-query-api",
        }
    }

    pub(crate) const fn takes_batches(self) -> bool {
        matches!(self, Self::All | Self::Gateway)
    }

    pub(crate) const fn processes(self) -> bool {
        matches!(self, Self::All | Self::StreamProcessor)
    }

    pub(crate) const fn answers_queries(self) -> bool {
        matches!(self, Self::All | Self::QueryApi)
    }

    /// Gateways go on while the store is away, as they never ask it.
    pub(crate) const fn needs_store(self) -> bool {
        !matches!(self, Self::Gateway)
    }
}
