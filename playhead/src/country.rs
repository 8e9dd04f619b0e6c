//! In which country an address is: an open table, embedded, read in place.

use std::borrow::Cow;
use std::net::IpAddr;

use anyhow::Context;
use maxminddb::Reader;
use playhead_stream_processor::CountryLookup;
use rust_embed::RustEmbed;
use serde::Deserialize;

/// What `make build` puts here from the package `@ip-location-db/geo-whois-asn-country-mmdb` (CC0).
#[derive(RustEmbed)]
#[folder = "assets"]
#[allow_missing = true]
struct Assets;

/// The table. Its bytes are the binary's own pages: they cost memory only where they are read.
pub(crate) struct Countries(Reader<Cow<'static, [u8]>>);

#[derive(Deserialize)]
struct Entry<'a> {
    country_code: &'a str,
}

impl Countries {
    /// Opens the table. `None` in a development build made without it.
    ///
    /// # Errors
    /// When it is damaged.
    pub(crate) fn open() -> anyhow::Result<Option<Self>> {
        let Some(file) = Assets::get("country.mmdb") else { return Ok(None) };
        let reader =
            Reader::from_source(file.data).context("the table of countries is damaged; build again")?;
        Ok(Some(Self(reader)))
    }
}

impl CountryLookup for Countries {
    fn country(&self, address: IpAddr) -> Option<String> {
        let entry: Entry<'_> = self.0.lookup(address).ok()?.decode().ok()??;
        (entry.country_code.len() == 2).then(|| entry.country_code.to_ascii_uppercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_country_and_a_private_one_has_none() {
        let countries = Countries::open().unwrap().expect("scripts/country.sh fetches the table");
        assert_eq!(countries.country("193.136.0.1".parse().unwrap()).as_deref(), Some("PT"));
        assert_eq!(countries.country("2001:690::1".parse().unwrap()).as_deref(), Some("PT"));
        assert_eq!(countries.country("10.0.0.1".parse().unwrap()), None);
        assert_eq!(countries.country("::1".parse().unwrap()), None);
    }
}
