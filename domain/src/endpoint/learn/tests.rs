use super::*;
use crate::endpoint;

const PATHS: &str = include_str!("paths.txt");

fn corpus() -> Vec<String> {
    PATHS
        .lines()
        .filter(|line| line.starts_with('/'))
        .map(|path| format!("GET {}", endpoint::name(path)))
        .collect()
}

fn shown(names: &[String]) -> BTreeSet<String> {
    let learnt = learn(names.iter().map(String::as_str));
    names.iter().map(|name| learnt.get(name).unwrap_or(name).clone()).collect()
}

#[test]
fn real_paths_are_told_apart_by_what_they_are_of() {
    let names = corpus();
    assert!(names.len() > 80, "{}", names.len());
    let shown = shown(&names);
    for expected in [
        "GET /rest/api/{id}/issue/{id}",
        "GET /rest/api/{id}/issue/{id}/comment/{id}",
        "GET /rest/api/{id}/issue/{id}/watchers",
        "GET /rest/api/issue/{id}/remotelink/{id}",
        "GET /ex/jira/{uuid}/rest/api/{id}/issue/{id}",
        "GET /rest/api/{id}/status/{id}",
        "GET /rest/api/{id}/user",
        "GET /rest/api/{id}/project/search",
        "GET /oauth/token",
    ] {
        assert!(shown.contains(expected), "{expected} is not in {shown:#?}");
    }
    // What has an id is one endpoint, whichever it is.
    let issues: Vec<_> = shown.iter().filter(|name| name.starts_with("GET /rest/api/{id}/issue/")).collect();
    assert_eq!(issues.len(), 4, "{issues:?}");
}

#[test]
fn words_beside_slugs_stay_told_apart() {
    let mut names: Vec<String> = (0..=MOST_SLUGS).map(|number| format!("/my-post-no-{number}x")).collect();
    names.extend(["/checkout", "/login"].map(str::to_owned));
    let expected = ["/checkout", "/login", "/{}"].map(str::to_owned);
    assert_eq!(shown(&names), BTreeSet::from(expected));
}

#[test]
fn slugs_become_one_and_kinds_of_things_do_not() {
    let mut names = corpus();
    // The pages of documentation in the corpus, as the articles of one shop.
    let slugs: BTreeSet<String> = PATHS
        .lines()
        .filter(|line| line.starts_with('/'))
        .flat_map(|path| path.split('/'))
        .filter(|segment| segment.contains('-'))
        .map(str::to_owned)
        .collect();
    assert!(slugs.len() > MOST_SLUGS, "{}", slugs.len());
    names.extend(slugs.iter().map(|slug| format!("GET {}", endpoint::name(&format!("/articles/{slug}")))));
    names.extend(
        slugs.iter().map(|slug| format!("GET {}", endpoint::name(&format!("/articles/{slug}/prices")))),
    );
    let kinds = ["cart", "orders", "products", "users", "sessions", "search", "checkout", "invoices"];
    names.extend(kinds.map(|kind| format!("GET /api/{kind}")));
    let shown = shown(&names);
    let articles: Vec<_> = shown.iter().filter(|name| name.contains("/articles/")).collect();
    assert!(articles.iter().any(|name| *name == "GET /articles/{}"), "{articles:?}");
    assert!(articles.iter().any(|name| *name == "GET /articles/{}/prices"), "{articles:?}");
    assert!(articles.len() <= 6, "only what has a placeholder already may stand beside: {articles:?}");
    assert_eq!(shown.iter().filter(|name| name.starts_with("GET /api/")).count(), kinds.len());
}

#[test]
fn plain_words_become_one_when_no_api_has_so_many() {
    let word = |n: usize| ["ba", "ko", "li", "mu", "ne", "ru", "sa", "ti"].map(str::to_owned)[n % 8].clone();
    let words = |count: usize| -> Vec<String> {
        (0..count).map(|n| format!("GET /find/{}{}{}/hits", word(n), word(n / 8), word(n / 64))).collect()
    };
    assert_eq!(shown(&words(MOST_WORDS)).len(), MOST_WORDS);
    assert_eq!(shown(&words(MOST_WORDS + 1)), ["GET /find/{}/hits".to_owned()].into());
}

#[test]
fn operations_and_methods_stay_apart() {
    let mut names: Vec<String> = (0..40).map(|n| format!("POST /graphql Operation{n}")).collect();
    names.extend((0..40).map(|n| format!("GET other.example/tags/tag-{n}x")));
    names.extend((0..20).map(|n| format!("PUT other.example/tags/tag-{n}x")));
    let shown = shown(&names);
    assert_eq!(shown.iter().filter(|name| name.starts_with("POST /graphql ")).count(), 40);
    assert!(shown.contains("GET other.example/tags/{}"));
    assert_eq!(shown.iter().filter(|name| name.starts_with("PUT ")).count(), 20);
}

#[test]
fn the_order_does_not_matter_and_learning_again_changes_nothing() {
    let mut names = corpus();
    names.extend((0..60).map(|n| format!("GET /a/thing-{n}y/b/part-{}z", n * 7)));
    names.extend((0..60).map(|n| format!("GET /a/thing-one/b/part-{n}z")));
    let once = learn(names.iter().map(String::as_str));
    names.reverse();
    assert_eq!(learn(names.iter().map(String::as_str)), once);
    let shown: Vec<String> = shown(&names).into_iter().collect();
    assert_eq!(learn(shown.iter().map(String::as_str)), BTreeMap::new());
}

#[test]
fn several_segments_may_vary_at_once() {
    let names: Vec<String> =
        (0..20_000).map(|n| format!("GET /a{}/b-{}/c-{n}/likes", n % 7, n % 900)).collect();
    let expected: Vec<String> = (0..7).map(|n| format!("GET /a{n}/{{}}/{{}}/likes")).collect();
    assert_eq!(shown(&names).into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn what_a_project_says_comes_first() {
    let templates: Vec<String> = ["/shop/{article}", "/rpc/*"].map(str::to_owned).into();
    let mut names: Vec<String> = (0..40).map(|n| format!("GET /rpc/call-{n}x")).collect();
    names.extend((0..40).map(|n| format!("GET /tags/tag-{n}x")));
    names.push("GET shop.example/shop/red-shoes".to_owned());
    let shown = super::shown(&templates, names.iter().map(String::as_str));
    assert_eq!(shown["GET shop.example/shop/red-shoes"], "GET shop.example/shop/{article}");
    assert_eq!(shown["GET /tags/tag-7x"], "GET /tags/{}");
    assert_eq!(shown["GET /rpc/call-7x"], "GET /rpc/call-7x");
}
