//! What is printed once everything runs.

/// What a person needs to go on.
pub(crate) struct Greeting<'a> {
    pub(crate) url: &'a str,
    pub(crate) sign_in_link: &'a str,
    pub(crate) demo_url: Option<&'a str>,
    pub(crate) project: &'a str,
    pub(crate) script_tag: &'a str,
    pub(crate) data: &'a str,
}

impl Greeting<'_> {
    /// The text, a line per thing.
    pub(crate) fn text(&self) -> String {
        let mut lines = vec![
            String::new(),
            format!("  Playhead {} runs at {}", env!("CARGO_PKG_VERSION"), self.url),
            String::new(),
            format!("  Sign in   {}", self.sign_in_link),
        ];
        if let Some(demo) = self.demo_url {
            lines.push(format!("  Demo      {}{demo}", self.url));
        }
        lines.push(format!("  Data      {}", self.data));
        lines.push(String::new());
        lines.push(format!("  To record “{}”, put this into the head of its pages:", self.project));
        lines.push(String::new());
        lines.push(format!("  {}", self.script_tag));
        lines.push(String::new());
        lines.push("  Ctrl-C stops it; the data stays.".to_owned());
        lines.push(String::new());
        lines.join("\n")
    }
}
