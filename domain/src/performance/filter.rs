//! Which requests and page loads are asked for.

/// By what is told apart of them; everything unless given.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Filter {
    pub release: Option<String>,
    pub environment: Option<String>,
    pub country: Option<String>,
}

impl Filter {
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.release.is_none() && self.environment.is_none() && self.country.is_none()
    }

    #[must_use]
    pub fn passes(&self, [release, environment, country]: [&str; 3]) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted == value);
        is(&self.release, release) && is(&self.environment, environment) && is(&self.country, country)
    }

    /// Bytes of its texts.
    #[must_use]
    pub fn bytes(&self) -> usize {
        [&self.release, &self.environment, &self.country].into_iter().flatten().map(String::len).sum()
    }
}
