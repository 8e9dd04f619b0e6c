//! What browser, system and device it was, and in which country.

use std::net::IpAddr;

use playhead_domain::row::Client;
use playhead_domain::session::fold::cut;
use playhead_proto::signal::Signal;
use serde_json::Value;

const MAX_TEXT_BYTES: usize = 200;
const MAX_USER_AGENT_BYTES: usize = 512;

/// Finds the country of an address.
pub trait CountryLookup: Send + Sync + 'static {
    /// ISO 3166-1 alpha-2, upper case; `None` when unknown.
    fn country(&self, address: IpAddr) -> Option<String>;
}

/// The address of a record's 4 or 16 bytes.
pub(crate) fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(|bytes| IpAddr::from(bytes).to_canonical()),
        _ => None,
    }
}

/// What a `User-Agent` tells.
pub(crate) fn of_user_agent(user_agent: &str) -> Client {
    let user_agent = cut(user_agent, MAX_USER_AGENT_BYTES);
    let mut client = Client { user_agent: user_agent.to_owned(), ..Client::default() };
    let Some(found) = woothee::parser::Parser::new().parse(user_agent) else { return client };
    let known = |text: &str| if text == "UNKNOWN" { String::new() } else { text.to_owned() };
    client.browser = known(found.name);
    client.browser_version = known(found.version);
    let (os, version) = system(found.os, &found.os_version);
    (client.os, client.os_version) = (known(os), known(version));
    client.device = device(found.category, found.os, user_agent).to_owned();
    client
}

fn system<'a>(os: &'a str, version: &'a str) -> (&'a str, &'a str) {
    match os {
        "Mac OSX" => ("macOS", version),
        "iPhone" | "iPad" | "iPod" => ("iOS", version),
        _ => match os.strip_prefix("Windows ") {
            Some(release) => ("Windows", release),
            None => (os, version),
        },
    }
}

fn device(category: &str, os: &str, user_agent: &str) -> &'static str {
    match category {
        "crawler" => "bot",
        "pc" => "desktop",
        "smartphone" if os == "iPad" => "tablet",
        "smartphone" if os == "Android" && !user_agent.contains("Mobile") => "tablet",
        "smartphone" | "mobilephone" => "mobile",
        _ => "",
    }
}

/// What a `page` signal tells, refined by its client hints.
pub(crate) fn of_page(page: &Signal, connection_user_agent: &str) -> Client {
    let user_agent = match page.text("user_agent") {
        "" => connection_user_agent,
        own => own,
    };
    let mut client = of_user_agent(user_agent);
    (client.screen_width, client.screen_height) = page.sizes("screen");
    cut(page.text("language"), MAX_TEXT_BYTES).clone_into(&mut client.language);
    cut(page.text("time_zone"), MAX_TEXT_BYTES).clone_into(&mut client.time_zone);
    client.sdk = match cut(page.text("sdk"), MAX_TEXT_BYTES) {
        "" => "unknown".to_owned(),
        sdk => sdk.to_owned(),
    };
    refine(&mut client, page);
    client
}

fn refine(client: &mut Client, page: &Signal) {
    if let Some((name, version)) = page.data.get("brands").and_then(brand) {
        // Brands tell the major version alone; the user agent may know more of the same.
        let is_same = client.browser == name && client.browser_version.split('.').next() == Some(version);
        if !is_same {
            cut(name, MAX_TEXT_BYTES).clone_into(&mut client.browser);
            cut(version, MAX_TEXT_BYTES).clone_into(&mut client.browser_version);
        }
    }
    match page.text("platform") {
        "" | "Unknown" => {}
        platform if platform == client.os => {}
        platform => {
            let os = if platform == "Chrome OS" || platform == "Chromium OS" { "ChromeOS" } else { platform };
            cut(os, MAX_TEXT_BYTES).clone_into(&mut client.os);
            client.os_version = String::new();
        }
    }
    match page.data.get("mobile") {
        Some(Value::Bool(true)) if client.device.is_empty() || client.device == "desktop" => {
            "mobile".clone_into(&mut client.device);
        }
        _ => {}
    }
}

/// The most telling brand: not the placeholder that browsers add, and Chromium only if there is no other.
fn brand(brands: &Value) -> Option<(&str, &str)> {
    let named = brands.as_array()?.iter().take(16).filter_map(|brand| {
        let pair = brand.as_array()?;
        Some((pair.first()?.as_str()?, pair.get(1)?.as_str()?))
    });
    let is_real = |&(name, _): &(&str, &str)| !(name.contains("Not") && name.contains("rand"));
    let real: Vec<_> = named.filter(is_real).collect();
    let best = real.iter().find(|(name, _)| *name != "Chromium").or_else(|| real.first())?;
    let name = match best.0 {
        "Google Chrome" | "HeadlessChrome" | "Chromium" => "Chrome",
        "Microsoft Edge" => "Edge",
        other => other,
    };
    Some((name, best.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC_CHROME: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) \
                              Chrome/131.0.6778.85 Safari/537.36";
    const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                          Version/17.5 Mobile/15E148 Safari/604.1";

    #[test]
    fn common_user_agents() {
        let client = of_user_agent(MAC_CHROME);
        assert_eq!((client.browser.as_str(), client.browser_version.as_str()), ("Chrome", "131.0.6778.85"));
        assert_eq!((client.os.as_str(), client.device.as_str()), ("macOS", "desktop"));
        let client = of_user_agent(IPHONE);
        assert_eq!(
            (client.browser.as_str(), client.os.as_str(), client.device.as_str()),
            ("Safari", "iOS", "mobile")
        );
        assert_eq!(of_user_agent("").browser, "");
    }

    #[test]
    fn client_hints_refine() {
        let page = |brands: &str| {
            let line = format!(r#"{{"k":"page","t":1,"url":"u","brands":{brands},"platform":"Windows"}}"#);
            of_page(&Signal::parse(line.as_bytes()).unwrap(), MAC_CHROME)
        };
        let edge = page(r#"[["Not A;Brand","99"],["Chromium","131"],["Microsoft Edge","131"]]"#);
        assert_eq!(
            (edge.browser.as_str(), edge.browser_version.as_str(), edge.os.as_str()),
            ("Edge", "131", "Windows")
        );
        let chrome = page(r#"[["Google Chrome","131"],["Not_A Brand","24"]]"#);
        assert_eq!(
            chrome.browser_version, "131.0.6778.85",
            "the user agent's is longer and of the same major version"
        );
    }

    #[test]
    fn addresses() {
        assert_eq!(address(&[192, 0, 2, 1]).unwrap().to_string(), "192.0.2.1");
        assert_eq!(address(&[0; 3]), None);
        let mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1];
        assert_eq!(address(&mapped).unwrap().to_string(), "192.0.2.1");
    }
}
