//! A project's own templates: `/products/{product}/reviews` is what every path is called that it fits.
//!
//! A segment in braces stands for any one, `*` for any one that stays as it is, and `**` at the end for all that follows. Other segments
//! are themselves.

/// Templates of a project.
pub const MAX_TEMPLATES: usize = 100;
const MAX_SEGMENTS: usize = 32;

/// Why it is no template; `None`: it is one.
#[must_use]
pub fn fault(template: &str) -> Option<&'static str> {
    let Some(path) = template.strip_prefix('/') else { return Some("must begin with a slash") };
    let segments: Vec<&str> = path.split('/').collect();
    if segments.len() > MAX_SEGMENTS {
        return Some("has too many segments");
    }
    let last = segments.len() - 1;
    let is_fit = |(at, segment): (usize, &&str)| match *segment {
        "*" => true,
        "**" => at == last,
        segment if is_placeholder(segment) => !segment[1..segment.len() - 1].contains(['{', '}', '*']),
        segment => !segment.contains(['{', '}', '*']),
    };
    (!segments.iter().enumerate().all(is_fit))
        .then_some("may have `{name}`, `*` and at the end `**` as whole segments")
}

fn is_placeholder(segment: &str) -> bool {
    segment.len() > 2 && segment.starts_with('{') && segment.ends_with('}')
}

/// What the first template that fits makes of a path.
#[must_use]
pub fn apply(templates: &[String], path: &str) -> Option<String> {
    templates.iter().find_map(|template| fitted(template, path))
}

fn fitted(template: &str, path: &str) -> Option<String> {
    let mut name = String::with_capacity(template.len());
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) if name.is_empty() => return Some("/".to_owned()),
            (None, None) => return Some(name),
            (Some("**"), Some(_)) => {
                name.push_str("/**");
                return Some(name);
            }
            (Some(wanted), Some(given)) => {
                let part = match wanted {
                    "*" => given,
                    wanted if wanted == given || is_placeholder(wanted) && !given.is_empty() => wanted,
                    _ => return None,
                };
                // Of what begins with a slash the first part is empty.
                if !(name.is_empty() && part.is_empty()) {
                    name.push('/');
                    name.push_str(part);
                }
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_template_that_fits_decides() {
        let templates: Vec<String> =
            ["/products/{product}", "/rpc/*", "/docs/{language}/**", "/products/{product}/reviews/{id}", "/"]
                .map(str::to_owned)
                .into();
        for (path, expected) in [
            ("/products/red-shoes", Some("/products/{product}")),
            ("/products", None),
            ("/products/", None),
            ("/products/a/b", None),
            ("/products/{id}/reviews/{id}", Some("/products/{product}/reviews/{id}")),
            ("/rpc/GetUser", Some("/rpc/GetUser")),
            ("/docs/en/a/b/c", Some("/docs/{language}/**")),
            ("/docs/en", None),
            ("/", Some("/")),
            ("", None),
        ] {
            assert_eq!(apply(&templates, path).as_deref(), expected, "{path}");
        }
        assert!(templates.iter().all(|template| fault(template).is_none()));
    }

    #[test]
    fn what_is_no_template_is_told() {
        for template in ["products", "/a/**/b", "/a{b}", "/{a}{b}", "/a*", "/{}", &"/a".repeat(40)] {
            assert!(fault(template).is_some(), "{template}");
        }
    }
}
