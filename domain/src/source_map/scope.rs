//! The functions of a bundle: which one is around a place, and how it is called.
//!
//! Maps name the places of names, not functions, so that the bundle itself has to be read. A parser of the whole language would build trees as
//! deep as the code, and what is deep enough ends the process. This reads tokens from the first to the last with a stack of brackets on
//! the heap: it always comes to an end, in linear time, and where the code is none that it understands a function has no name.

mod token;

use std::collections::HashMap;

use token::{Kind, Token, Tokens};

use crate::session::fold::cut;

/// Brackets within brackets; code of people and bundlers has some dozens.
const MAX_DEPTH: usize = 10_000;
const MAX_EDGES: usize = 1_000_000;
const MAX_NAME_BYTES: usize = 300;
/// Functions among the parameters of one, before its own beginning is put where its parameters begin.
const MAX_INNER: usize = 16;
const OUTSIDE: u32 = u32::MAX;

/// A place in the bundle, from 0; the column in UTF-16 units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

/// Which function is where.
#[derive(Debug, Default)]
pub struct Scopes {
    /// Ascending: from here on it is that one's code.
    edges: Vec<Edge>,
    names: Vec<Box<str>>,
}

#[derive(Debug, Clone, Copy)]
struct Edge {
    from: Position,
    name: u32,
}

impl Scopes {
    /// Reads a bundle. `name` is asked for the original name of what is called that way at that place.
    pub fn read(code: &str, name: impl FnMut(Position, &str) -> String) -> Self {
        let mut reader = Reader {
            tokens: Tokens::of(code),
            recent: [Token::default(); 5],
            open: Vec::new(),
            closed: None,
            arrow: None,
            classes: Vec::new(),
            ended_block: true,
            scope: OUTSIDE,
            scopes: Self::default(),
            known: HashMap::new(),
            name,
        };
        reader.run();
        reader.scopes
    }

    /// The name of the innermost function around a place, empty when it has none; `None` outside of all.
    #[must_use]
    pub fn at(&self, position: Position) -> Option<&str> {
        let behind = self.edges.partition_point(|edge| edge.from <= position);
        let edge = self.edges.get(behind.checked_sub(1)?)?;
        self.names.get(edge.name as usize).map(|name| &**name)
    }

    /// About how much memory it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let names: usize = self.names.iter().map(|name| name.len() + 16).sum();
        self.edges.len() * size_of::<Edge>() + names
    }
}

#[derive(Debug, Clone, Copy)]
struct Name<'a> {
    text: &'a str,
    at: Position,
}

/// What a pair of parentheses belongs to, as far as what stands before it tells.
#[derive(Debug, Clone, Copy)]
enum Head<'a> {
    /// `if (`, `for (`.
    Control,
    Function(Option<Name<'a>>),
    Method(Option<Name<'a>>),
    Other,
}

/// Parentheses that are over, or a name: what may turn out to be parameters.
#[derive(Debug, Clone, Copy)]
struct Parameters<'a> {
    head: Head<'a>,
    /// What an arrow function is assigned to.
    hint: Option<Name<'a>>,
    from: Position,
    /// How many edges there were.
    edges: usize,
}

#[derive(Debug, Clone, Copy)]
enum Brace {
    Block,
    Object,
    /// With the name of the class.
    Class(Option<u32>),
    Function,
}

#[derive(Debug, Clone, Copy)]
enum Open<'a> {
    Paren(Parameters<'a>),
    Bracket,
    /// With the scope around it, if it begins one.
    Brace(Brace, Option<u32>),
    /// Of a template.
    Expression,
    /// The body of an arrow function without braces, which ends with what cannot be in it.
    Arrow {
        outer: u32,
        questions: u32,
    },
}

struct Class<'a> {
    name: Option<Name<'a>>,
    is_named: bool,
    depth: usize,
}

struct Reader<'a, N> {
    tokens: Tokens<'a>,
    /// The newest last.
    recent: [Token<'a>; 5],
    open: Vec<Open<'a>>,
    /// The parentheses that the newest token closed.
    closed: Option<Parameters<'a>>,
    arrow: Option<Parameters<'a>>,
    /// Classes whose bodies have not begun.
    classes: Vec<Class<'a>>,
    /// The brace that was closed last ended a statement.
    ended_block: bool,
    scope: u32,
    scopes: Scopes,
    known: HashMap<String, u32>,
    name: N,
}

const CONTROL: &[&str] = &["if", "for", "while", "switch", "with", "catch", "await"];
/// Words that an expression follows.
const BEFORE_EXPRESSION: &[&str] = &[
    "return",
    "typeof",
    "case",
    "in",
    "of",
    "delete",
    "void",
    "throw",
    "new",
    "else",
    "do",
    "instanceof",
    "await",
    "yield",
    "default",
    "extends",
];
const STATEMENTS: &[&str] =
    &["const", "let", "var", "return", "if", "for", "while", "export", "import", "throw", "try", "switch"];

impl<'a, N: FnMut(Position, &str) -> String> Reader<'a, N> {
    fn run(&mut self) {
        while let Some(token) = self.tokens.next(self.may_be_regex()) {
            self.take(token);
            if self.open.len() > MAX_DEPTH || self.scopes.edges.len() > MAX_EDGES {
                self.scopes.edges.push(Edge { from: token.to, name: OUTSIDE });
                return;
            }
        }
    }

    fn last(&self, back: usize) -> &Token<'a> {
        &self.recent[4 - back.min(4)]
    }

    fn may_be_regex(&self) -> bool {
        let last = self.last(0);
        match (last.kind, last.text) {
            (Kind::Word, word) => BEFORE_EXPRESSION.contains(&word) && !self.last(1).is("."),
            (Kind::Sign, ")") => matches!(self.closed, Some(Parameters { head: Head::Control, .. })),
            (Kind::Sign, "]") => false,
            (Kind::Sign, "}") => self.ended_block,
            // `i++ / 2`
            (Kind::Sign, sign @ ("+" | "-")) => !(self.last(1).is(sign) && self.last(1).to == last.from),
            (Kind::Sign | Kind::TemplatePart, _) => true,
            _ => false,
        }
    }

    fn take(&mut self, token: Token<'a>) {
        self.name_class(&token);
        if let Some(arrow) = self.arrow.take() {
            let outer = self.enter(arrow.hint, &arrow);
            if token.is("{") {
                self.open.push(Open::Brace(Brace::Function, Some(outer)));
                return self.remember(token);
            }
            self.open.push(Open::Arrow { outer, questions: 0 });
        }
        match (token.kind, token.text) {
            (Kind::Sign, sign) => self.take_sign(sign, &token),
            (Kind::TemplatePart, _) => self.open.push(Open::Expression),
            (Kind::Word, "class") if !self.last(0).is(".") && !self.last(0).is("?.") => {
                self.classes.push(Class { name: self.hint(0), is_named: false, depth: self.open.len() });
            }
            (Kind::Word, word) if token.from.line > self.last(0).to.line && STATEMENTS.contains(&word) => {
                self.end_arrows(token.from);
            }
            _ => {}
        }
        self.remember(token);
    }

    fn remember(&mut self, token: Token<'a>) {
        self.recent.rotate_left(1);
        self.recent[4] = token;
        if !token.is(")") {
            self.closed = None;
        }
    }

    /// The word behind `class` is its name; anything but that or its body: it was none.
    fn name_class(&mut self, token: &Token<'a>) {
        if !self.last(0).is_word("class") {
            return;
        }
        let Some(class) = self.classes.last_mut().filter(|class| !class.is_named) else { return };
        class.is_named = true;
        match token.kind {
            Kind::Word if token.text == "extends" => {}
            Kind::Word => class.name = Some(Name { text: token.text, at: token.from }),
            _ if token.is("{") => {}
            _ => drop(self.classes.pop()),
        }
    }

    fn take_sign(&mut self, sign: &str, token: &Token<'a>) {
        match sign {
            "(" => {
                let (head, hint, edges) = (self.head(), self.hint(0), self.scopes.edges.len());
                self.open.push(Open::Paren(Parameters { head, hint, from: token.from, edges }));
            }
            "[" => self.open.push(Open::Bracket),
            "{" => self.open_brace(),
            ")" | "]" | "}" => self.close(sign, token),
            "=>" => self.arrow = Some(self.parameters()),
            "," | ";" => self.end_arrows(token.from),
            "?" => {
                if let Some(Open::Arrow { questions, .. }) = self.open.last_mut() {
                    *questions += 1;
                }
            }
            ":" => self.take_colon(token),
            _ => {}
        }
    }

    /// What is left of an arrow: what the parentheses hold, or one name.
    fn parameters(&self) -> Parameters<'a> {
        self.closed.unwrap_or_else(|| Parameters {
            head: Head::Other,
            hint: self.hint(1),
            from: self.last(0).from,
            edges: self.scopes.edges.len(),
        })
    }

    /// The second part of a choice belongs to the arrow function that has the first one; those between are over.
    fn take_colon(&mut self, token: &Token<'a>) {
        while let Some(Open::Arrow { outer, questions }) = self.open.last_mut() {
            if *questions > 0 {
                *questions -= 1;
                return;
            }
            let outer = *outer;
            self.open.pop();
            self.leave(outer, token.from);
        }
    }

    fn end_arrows(&mut self, at: Position) {
        while let Some(&Open::Arrow { outer, .. }) = self.open.last() {
            self.open.pop();
            self.leave(outer, at);
        }
    }

    fn close(&mut self, sign: &str, token: &Token<'a>) {
        self.end_arrows(token.from);
        match (sign, self.open.last().copied()) {
            (")", Some(Open::Paren(parameters))) => {
                self.open.pop();
                self.closed = Some(parameters);
            }
            ("]", Some(Open::Bracket)) => drop(self.open.pop()),
            ("}", Some(Open::Expression)) => {
                self.open.pop();
                let rest = self.tokens.rest_of_template();
                if rest.kind == Kind::TemplatePart {
                    self.open.push(Open::Expression);
                }
                self.remember(rest);
            }
            ("}", Some(Open::Brace(brace, outer))) => {
                self.open.pop();
                self.ended_block = matches!(brace, Brace::Block | Brace::Class(_));
                if let Some(outer) = outer {
                    self.leave(outer, token.to);
                }
            }
            _ => {}
        }
    }

    fn open_brace(&mut self) {
        if self.classes.last().is_some_and(|class| class.depth == self.open.len())
            && let Some(class) = self.classes.pop()
        {
            return self.open_class(class.name);
        }
        let brace = match self.closed.take() {
            Some(parameters) => match parameters.head {
                Head::Function(name) => {
                    let outer = self.enter(name, &parameters);
                    Open::Brace(Brace::Function, Some(outer))
                }
                Head::Method(name) => {
                    let outer = self.enter(name, &parameters);
                    Open::Brace(Brace::Function, Some(outer))
                }
                Head::Control | Head::Other => Open::Brace(Brace::Block, None),
            },
            None if self.is_expression() => Open::Brace(Brace::Object, None),
            None => Open::Brace(Brace::Block, None),
        };
        self.open.push(brace);
    }

    fn open_class(&mut self, name: Option<Name<'a>>) {
        let Some(name) = name else { return self.open.push(Open::Brace(Brace::Class(None), None)) };
        let name = self.resolve(name);
        let outer = self.begin(format!("new {name}"), self.tokens.position(), self.scopes.edges.len());
        let name = self.intern(name);
        self.open.push(Open::Brace(Brace::Class(Some(name)), Some(outer)));
    }

    /// Whether a brace here begins an object.
    fn is_expression(&self) -> bool {
        let last = self.last(0);
        match last.kind {
            Kind::Sign => !last.text.is_empty() && !matches!(last.text, ";" | "}" | "{" | ")" | "]" | "=>"),
            Kind::Word => BEFORE_EXPRESSION.contains(&last.text) && !matches!(last.text, "else" | "do"),
            Kind::TemplatePart => true,
            _ => false,
        }
    }

    fn brace(&self) -> Option<Brace> {
        match self.open.last() {
            Some(&Open::Brace(brace, _)) => Some(brace),
            _ => None,
        }
    }

    /// What a parenthesis after the newest tokens begins.
    fn head(&self) -> Head<'a> {
        let (last, before) = (self.last(0), self.last(1));
        if before.is(".") || before.is("?.") {
            return Head::Other;
        }
        let name = Some(Name { text: last.text, at: last.from });
        match last.kind {
            Kind::Word if last.text == "function" => Head::Function(self.hint(1)),
            Kind::Word if before.is_word("function") => Head::Function(name),
            Kind::Word if before.is("*") && self.last(2).is_word("function") => Head::Function(name),
            Kind::Word if CONTROL.contains(&last.text) => Head::Control,
            Kind::Word | Kind::Text | Kind::Number if self.is_method() => Head::Method(name),
            _ if last.is("*") && before.is_word("function") => Head::Function(self.hint(2)),
            _ if last.is("]") && matches!(self.brace(), Some(Brace::Class(_) | Brace::Object)) => {
                Head::Method(None)
            }
            _ => Head::Other,
        }
    }

    /// Whether the newest token is the name of a method, if a body follows.
    fn is_method(&self) -> bool {
        let before = self.last(1);
        let is_modifier = before.is("*")
            || (before.kind == Kind::Word && ["get", "set", "async", "static"].contains(&before.text));
        match self.brace() {
            Some(Brace::Object) => is_modifier || before.is("{") || before.is(","),
            Some(Brace::Class(_)) => is_modifier || before.is("{") || before.is("}") || before.is(";"),
            _ => false,
        }
    }

    /// What a function that begins behind so many of the newest tokens is assigned to.
    fn hint(&self, mut back: usize) -> Option<Name<'a>> {
        if self.last(back).is_word("async") {
            back += 1;
        }
        let (sign, name) = (self.last(back), self.last(back + 1));
        let is_name = match sign.text {
            "=" => name.kind == Kind::Word,
            ":" => {
                matches!(name.kind, Kind::Word | Kind::Text) && matches!(self.brace(), Some(Brace::Object))
            }
            _ => false,
        };
        (sign.kind == Kind::Sign && is_name).then_some(Name { text: name.text, at: name.from })
    }

    fn resolve(&mut self, name: Name<'a>) -> String {
        let text = name.text.trim_matches(['"', '\'']);
        cut(&(self.name)(name.at, text), MAX_NAME_BYTES).to_owned()
    }

    fn intern(&mut self, name: String) -> u32 {
        if let Some(&known) = self.known.get(&name) {
            return known;
        }
        let id = u32::try_from(self.scopes.names.len()).unwrap_or(OUTSIDE);
        self.scopes.names.push(name.as_str().into());
        self.known.insert(name, id);
        id
    }

    /// Begins a function. Returns the one around it.
    fn enter(&mut self, name: Option<Name<'a>>, parameters: &Parameters<'a>) -> u32 {
        let name = name.map(|name| self.resolve(name)).unwrap_or_default();
        let class = match self.brace() {
            Some(Brace::Class(Some(class))) => self.scopes.names.get(class as usize),
            _ => None,
        };
        let full = match class {
            Some(class) if name == "constructor" => format!("new {class}"),
            Some(class) if !name.is_empty() => format!("{class}.{name}"),
            _ => name,
        };
        self.begin(full, parameters.from, parameters.edges)
    }

    fn begin(&mut self, name: String, from: Position, edges: usize) -> u32 {
        let outer = std::mem::replace(&mut self.scope, OUTSIDE);
        self.scope = self.intern(name);
        let all = &mut self.scopes.edges;
        if all.len() - edges.min(all.len()) <= MAX_INNER {
            all.insert(edges.min(all.len()), Edge { from, name: self.scope });
        } else {
            all.push(Edge { from: self.tokens.position(), name: self.scope });
        }
        outer
    }

    fn leave(&mut self, outer: u32, at: Position) {
        self.scope = outer;
        self.scopes.edges.push(Edge { from: at, name: outer });
    }
}

#[cfg(test)]
mod tests;
