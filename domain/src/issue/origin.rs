//! Whose code a frame is: the page's own, or a framework's, a library's, an extension's, the engine's.

use super::stack::{Frame, Kind};

/// Hosts that serve other people's code, and services' own.
const HOSTS: &[&str] = &[
    "cdn.jsdelivr.net",
    "unpkg.com",
    "cdnjs.cloudflare.com",
    "ajax.googleapis.com",
    "ajax.aspnetcdn.com",
    "code.jquery.com",
    "esm.sh",
    "cdn.skypack.dev",
    "ga.jspm.io",
    "cdn.polyfill.io",
    "polyfill-fastly.io",
    "static.cloudflareinsights.com",
    "www.googletagmanager.com",
    "www.google-analytics.com",
    "www.gstatic.com",
    "apis.google.com",
    "maps.googleapis.com",
    "accounts.google.com",
    "connect.facebook.net",
    "platform.twitter.com",
    "snap.licdn.com",
    "bat.bing.com",
    "static.hotjar.com",
    "script.hotjar.com",
    "js.stripe.com",
    "www.paypal.com",
    "widget.intercom.io",
    "js.intercomcdn.com",
    "js.hs-scripts.com",
    "browser.sentry-cdn.com",
    "js.sentry-cdn.com",
];

/// Parts of paths.
const PATHS: &[&str] = &[
    "/node_modules/",
    "\\node_modules\\",
    "/bower_components/",
    "/.vite/deps/",
    "/@vite/",
    "webpack/runtime/",
    "webpack/bootstrap",
    "/webpack/",
    "/~/",
    "(webpack)",
    "/sdk/playhead",
];

/// How names of files begin, each followed by the end of a word.
const FILES: &[&str] = &[
    "react",
    "react-dom",
    "react-dom_client",
    "scheduler",
    "preact",
    "vue",
    "vue-router",
    "angular",
    "zone",
    "zone-evergreen",
    "core-js",
    "polyfill",
    "polyfills",
    "jquery",
    "lodash",
    "regenerator-runtime",
    "vendor",
    "vendors",
    "framework",
    "runtime-main",
    "webpack",
];

/// Glue that build tools and frameworks put between the page's own calls; some engines show it and others do not.
const FUNCTIONS: &[&str] = &[
    "__webpack_require__",
    "__awaiter",
    "__generator",
    "asyncGeneratorStep",
    "_asyncToGenerator",
    "callWithErrorHandling",
    "callWithAsyncErrorHandling",
    "invokeGuardedCallback",
    "invokeGuardedCallbackDev",
    "drainMicroTaskQueue",
    "onInvokeTask",
    "invokeTask",
    "promiseReactionJob",
];

/// Whether a source, as a source map names it, is the page's own code.
#[must_use]
pub fn is_of_page(source: &str) -> bool {
    is_in_app(&Frame { file: source.to_owned(), ..Frame::default() })
}

/// Whether a script's address is on the host of a page, or on one below or above it: `static.shop.example` beside `shop.example` and
/// `www.shop.example`. Where the page was is not always known: then every script may be its own.
#[must_use]
pub fn is_of_site(script: &str, page_url: &str) -> bool {
    let bare = |host: &'_ str| host.strip_prefix("www.").unwrap_or(host).to_ascii_lowercase();
    let (script, page) = (bare(parts(script).0), bare(parts(page_url).0));
    let is_below = |host: &str, other: &str| {
        other.contains('.') && host.strip_suffix(other).is_some_and(|rest| rest.ends_with('.'))
    };
    page.is_empty() || script == page || is_below(&script, &page) || is_below(&page, &script)
}

/// Whether a frame is the page's own code.
pub(super) fn is_in_app(frame: &Frame) -> bool {
    let is_page = matches!(frame.kind, Kind::Script | Kind::Eval | Kind::Wasm | Kind::Blob | Kind::Data);
    if !is_page || (frame.file.is_empty() && frame.kind != Kind::Wasm) {
        return false;
    }
    let (host, path) = parts(&frame.file);
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let function = frame.function.rsplit(['.', '/']).next().unwrap_or_default();
    !HOSTS.contains(&host)
        && !PATHS.iter().any(|part| path.contains(part))
        && !FILES.iter().any(|file| begins_with_word(name, file))
        && !FUNCTIONS.contains(&function)
}

/// `vendors~main.js`, but not `vendor-list.js` of the page: what follows must end the word, or be one of the builds' own marks.
fn begins_with_word(name: &str, word: &str) -> bool {
    let Some(rest) = name.strip_prefix(word) else { return false };
    rest.starts_with(['.', '~', '@', '?'])
        || rest.is_empty()
        || rest.strip_prefix(['-', '_']).is_some_and(|rest| {
            let stem = rest.split('.').next().unwrap_or_default();
            super::name::is_hash(stem) || stem.bytes().all(|byte| byte.is_ascii_digit())
        })
}

/// Host (without port) and path (without query) of an address; the whole is the path when there is no host.
#[must_use]
pub fn parts(url: &str) -> (&str, &str) {
    let url = url.find(['?', '#']).map_or(url, |at| &url[..at]);
    let Some((scheme, rest)) = url.split_once("://") else { return ("", url) };
    // Of build tools: `webpack://name/./src/a.js` has no host.
    if scheme.starts_with("webpack") || scheme == "app" || scheme == "file" {
        return ("", rest);
    }
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let host = authority.rsplit('@').next().unwrap_or_default();
    (
        host.rsplit_once(':')
            .map_or(host, |(name, port)| if port.parse::<u16>().is_ok() { name } else { host }),
        path,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_ours(function: &str, file: &str) -> bool {
        is_in_app(&Frame { function: function.to_owned(), file: file.to_owned(), ..Frame::default() })
    }

    #[test]
    fn the_pages_own_code_is_told_apart() {
        for file in [
            "https://shop.example/assets/index-BxY12abc.js",
            "http://localhost:5173/src/Cart.tsx?t=1",
            "api.tsx",
        ] {
            assert!(is_ours("f", file), "{file}");
        }
        assert!(is_ours("f", "https://shop.example/vendor-list.js"));
        for file in [
            "https://cdn.jsdelivr.net/npm/p5@1.4/lib/p5.min.js",
            "https://shop.example/vendor.d1cae9cfc9917df88de7.js",
            "https://shop.example/assets/vendor-BxY12abc.js",
            "http://localhost:5173/node_modules/.vite/deps/chunk-ABC.js?v=1",
            "react-dom.development.js?f8c1",
            "webpack/runtime/jsonp chunk loading",
            "webpack:///./~/react-proxy/modules/createPrototypeProxy.js",
            "",
        ] {
            assert!(!is_ours("f", file), "{file}");
        }
        assert!(!is_ours("ZoneDelegate.invokeTask", "https://shop.example/main.js"));
    }

    #[test]
    fn hosts_of_one_site() {
        let page = "https://www.shop.example/cart";
        for ours in ["https://shop.example/a.js", "https://static.Shop.example:8080/a.js"] {
            assert!(is_of_site(ours, page) && is_of_site(ours, ""), "{ours}");
        }
        assert!(is_of_site("http://localhost:5173/a.js", "http://localhost:8080/"));
        for other in ["https://widget.example/a.js", "https://notshop.example/a.js", "https://example/a.js"] {
            assert!(!is_of_site(other, page), "{other}");
        }
    }

    #[test]
    fn hosts_and_paths() {
        assert_eq!(parts("http://a.b:8080/c?d#e"), ("a.b", "/c"));
        assert_eq!(parts("http://[::1]:80/"), ("[::1]", "/"));
        assert_eq!(parts("webpack://shop/./src/a.js"), ("", "shop/./src/a.js"));
        assert_eq!(parts("a.js?x"), ("", "a.js"));
    }
}
