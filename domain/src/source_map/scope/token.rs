//! JavaScript cut into tokens, with the places that source maps count in: lines and UTF-16 units, from 0.

use super::Position;

/// A slash that begins no regular expression was taken for one: so often the reading starts again behind it.
const MAX_RETRIES: u32 = 100;
/// The longest regular expression: what is longer is none, so that an unterminated one costs no more than this again.
const MAX_REGEX_BYTES: usize = 16 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    /// A name or a word of the language.
    Word,
    Text,
    Number,
    Regex,
    /// A template that is over.
    Template,
    /// A template up to an expression in it.
    TemplatePart,
    /// `=>`, `?.` and `??` are one; any other is a single character.
    #[default]
    Sign,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) from: Position,
    pub(super) to: Position,
}

impl Token<'_> {
    pub(super) fn is(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }
}

pub(super) struct Tokens<'a> {
    code: &'a str,
    at: usize,
    position: Position,
    retries: u32,
}

impl<'a> Tokens<'a> {
    pub(super) fn of(code: &'a str) -> Self {
        let mut tokens = Self { code, at: 0, position: Position::default(), retries: MAX_RETRIES };
        if code.starts_with("#!") {
            tokens.skip_line();
        }
        tokens
    }

    pub(super) const fn position(&self) -> Position {
        self.position
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.code.as_bytes().get(self.at + ahead).copied()
    }

    fn bump(&mut self) {
        let Some(byte) = self.byte(0) else { return };
        self.at += 1;
        let is_line_end = byte == b'\n' || (byte == b'\r' && self.byte(0) != Some(b'\n'));
        if is_line_end {
            self.position = Position { line: self.position.line + 1, column: 0 };
        } else if byte & 0xc0 != 0x80 {
            // Four bytes of UTF-8 are two units of UTF-16.
            self.position.column += 1 + u32::from(byte >= 0xf0);
        }
    }

    fn bump_by(&mut self, bytes: usize) {
        (0..bytes).for_each(|_| self.bump());
    }

    fn bump_while(&mut self, is: impl Fn(u8) -> bool) {
        while self.byte(0).is_some_and(&is) {
            self.bump();
        }
    }

    fn skip_line(&mut self) {
        self.bump_while(|byte| byte != b'\n' && byte != b'\r');
    }

    fn skip_blanks(&mut self) {
        loop {
            match (self.byte(0), self.byte(1)) {
                (Some(b'/'), Some(b'/')) => self.skip_line(),
                (Some(b'/'), Some(b'*')) => {
                    self.bump_by(2);
                    while self.byte(0).is_some() && (self.byte(0), self.byte(1)) != (Some(b'*'), Some(b'/')) {
                        self.bump();
                    }
                    self.bump_by(2);
                }
                (Some(byte), _) if byte <= b' ' => self.bump(),
                _ => return,
            }
        }
    }

    /// The next token. Only where it comes tells whether a slash divides.
    pub(super) fn next(&mut self, may_be_regex: bool) -> Option<Token<'a>> {
        self.skip_blanks();
        let (begin, from) = (self.at, self.position);
        let kind = match self.byte(0)? {
            byte if is_of_word(byte) && !byte.is_ascii_digit() => self.word(),
            byte if byte.is_ascii_digit() => self.number(),
            b'.' if self.byte(1).is_some_and(|byte| byte.is_ascii_digit()) => self.number(),
            quote @ (b'"' | b'\'') => self.text(quote),
            b'`' => {
                self.bump();
                self.template_text()
            }
            b'/' if may_be_regex => self.regex(),
            _ => self.sign(),
        };
        Some(Token { kind, text: self.code.get(begin..self.at).unwrap_or_default(), from, to: self.position })
    }

    /// Goes on with a template behind the `}` of an expression in it.
    pub(super) fn rest_of_template(&mut self) -> Token<'a> {
        let (begin, from) = (self.at, self.position);
        let kind = self.template_text();
        Token { kind, text: self.code.get(begin..self.at).unwrap_or_default(), from, to: self.position }
    }

    fn word(&mut self) -> Kind {
        self.bump();
        self.bump_while(is_of_word);
        Kind::Word
    }

    fn number(&mut self) -> Kind {
        self.bump();
        self.bump_while(|byte| byte == b'.' || byte.is_ascii_alphanumeric() || byte == b'_');
        Kind::Number
    }

    fn text(&mut self, quote: u8) -> Kind {
        self.bump();
        while let Some(byte) = self.byte(0) {
            match byte {
                b'\\' => self.bump_by(2),
                b'\n' => break,
                _ => self.bump(),
            }
            if byte == quote {
                break;
            }
        }
        Kind::Text
    }

    fn template_text(&mut self) -> Kind {
        loop {
            match (self.byte(0), self.byte(1)) {
                (None, _) => return Kind::Template,
                (Some(b'\\'), _) => self.bump_by(2),
                (Some(b'`'), _) => {
                    self.bump();
                    return Kind::Template;
                }
                (Some(b'$'), Some(b'{')) => {
                    self.bump_by(2);
                    return Kind::TemplatePart;
                }
                _ => self.bump(),
            }
        }
    }

    fn regex(&mut self) -> Kind {
        let (at, position) = (self.at, self.position);
        let mut is_in_class = false;
        self.bump();
        while let Some(byte) = self.byte(0).filter(|&byte| byte != b'\n' && self.at - at < MAX_REGEX_BYTES) {
            match byte {
                b'\\' => self.bump(),
                b'[' => is_in_class = true,
                b']' => is_in_class = false,
                b'/' if !is_in_class => {
                    self.bump();
                    self.bump_while(is_of_word);
                    return Kind::Regex;
                }
                _ => {}
            }
            self.bump();
        }
        if self.retries > 0 {
            self.retries -= 1;
            (self.at, self.position) = (at, position);
            return self.sign();
        }
        Kind::Regex
    }

    fn sign(&mut self) -> Kind {
        let is_pair = match (self.byte(0), self.byte(1)) {
            (Some(b'='), Some(b'>')) | (Some(b'?'), Some(b'?')) => true,
            (Some(b'?'), Some(b'.')) => !self.byte(2).is_some_and(|byte| byte.is_ascii_digit()),
            _ => false,
        };
        self.bump_by(1 + usize::from(is_pair));
        Kind::Sign
    }
}

/// Letters beyond ASCII are never anything else where code is, blanks of other scripts aside.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#' | b'\\') || byte >= 0x80
}
