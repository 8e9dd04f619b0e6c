//! Who is at the other end.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use ipnet::IpNet;
use playhead_proto::trace;

const MAX_USER_AGENT_BYTES: usize = 512;
/// How many addresses of `X-Forwarded-For` are looked at.
const MAX_HOPS: usize = 16;

/// What a request says about its sender beside the body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Client {
    /// Absent when the server does not tell the peer's address.
    pub(crate) address: Option<IpAddr>,
}

impl Client {
    pub(crate) fn of(parts: &Parts, trusted: &[IpNet]) -> Self {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
        Self { address: peer.map(|peer| resolve(peer, &parts.headers, trusted)) }
    }

    /// 4 or 16 bytes, or none when unknown.
    pub(crate) fn address_bytes(&self) -> Vec<u8> {
        match self.address {
            Some(IpAddr::V4(v4)) => v4.octets().to_vec(),
            Some(IpAddr::V6(v6)) => v6.octets().to_vec(),
            None => Vec::new(),
        }
    }
}

/// The rightmost address that no trusted proxy has: what is left of it is only the sender's claim.
fn resolve(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    if !is_trusted(&peer) {
        return peer;
    }
    let mut nearest = peer;
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let hops = lines.flat_map(|line| line.to_str().unwrap_or("").rsplit(',')).take(MAX_HOPS);
    for hop in hops {
        let Some(address) = read_address(hop.trim()) else {
            break;
        };
        nearest = address;
        if !is_trusted(&address) {
            break;
        }
    }
    nearest
}

/// An address, with or without a port.
fn read_address(text: &str) -> Option<IpAddr> {
    let address =
        text.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|with_port| with_port.ip()));
    Some(address.ok()?.to_canonical())
}

/// The browser's own words, cut to a limit.
pub(crate) fn user_agent(headers: &HeaderMap) -> String {
    let bytes = headers.get(header::USER_AGENT).map_or(&b""[..], |value| value.as_bytes());
    let text = String::from_utf8_lossy(bytes);
    let end = (0..=MAX_USER_AGENT_BYTES.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    text[..end.unwrap_or(0)].to_owned()
}

/// The W3C trace context, if it has the form of one.
pub(crate) fn traceparent(headers: &HeaderMap) -> String {
    let text = headers.get("traceparent").and_then(|value| value.to_str().ok()).unwrap_or("");
    if trace::parse(text).is_some() { text.to_owned() } else { String::new() }
}

/// The origin header, as it came.
pub(crate) fn origin(headers: &HeaderMap) -> Option<&axum::http::HeaderValue> {
    headers.get(header::ORIGIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        resolve(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let inside = &["10.0.0.0/8", "fd00::/8"][..];
        assert_eq!(resolved("203.0.113.9", &["1.2.3.4"], inside), "203.0.113.9");
        assert_eq!(resolved("10.0.0.1", &["1.2.3.4"], inside), "1.2.3.4");
        assert_eq!(
            resolved("10.0.0.1", &["6.6.6.6, 1.2.3.4, 10.0.0.7"], inside),
            "1.2.3.4",
            "a forged entry on the left"
        );
        assert_eq!(resolved("10.0.0.1", &["6.6.6.6", "1.2.3.4"], inside), "1.2.3.4", "several lines");
        assert_eq!(resolved("10.0.0.1", &["[2001:db8::1]:443"], inside), "2001:db8::1");
        assert_eq!(resolved("10.0.0.1", &["unknown, 10.0.0.7"], inside), "10.0.0.7");
        assert_eq!(resolved("10.0.0.1", &[], inside), "10.0.0.1");
        assert_eq!(resolved("10.0.0.1", &["1.2.3.4"], &[]), "10.0.0.1");
    }

    #[test]
    fn only_a_well_formed_trace_context_is_forwarded() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", text.parse().unwrap());
            traceparent(&headers)
        };
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(of(good), good);
        assert_eq!(of(&good.to_uppercase()), "");
        assert_eq!(of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"), "");
        assert_eq!(of(&good.replace('-', "a")), "");
    }

    #[test]
    fn a_long_user_agent_is_cut_between_characters() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::USER_AGENT,
            axum::http::HeaderValue::from_bytes("é".repeat(400).as_bytes()).unwrap(),
        );
        assert_eq!(user_agent(&headers).len(), 512);
        headers.insert(header::USER_AGENT, axum::http::HeaderValue::from_bytes(&[b'a', 0xff]).unwrap());
        assert_eq!(user_agent(&headers), "a\u{fffd}");
    }
}
