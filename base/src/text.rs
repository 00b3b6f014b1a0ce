//! What a component prints, made safe to show.
//!
//! A component may print any bytes. What reaches a console are whole lines, each with the component's name before it, of
//! printable characters only: everything that could move a cursor, ring a bell or pretend to be somebody else's line is
//! shown as an escape (`\x1b`). Bytes that are no UTF-8 are shown the same way. A tab stays.

use core::fmt::{self, Write};

use heapless::String;

/// Longest line in bytes; a longer one is broken.
pub const MAX_LINE: usize = 512;

/// The line that a component is printing.
#[derive(Debug, Default)]
pub struct Line {
    text: String<MAX_LINE>,
    /// The beginning of a character whose rest has not come yet.
    partial: heapless::Vec<u8, 4>,
}

impl Line {
    /// An empty line.
    pub const fn new() -> Self {
        Self { text: String::new(), partial: heapless::Vec::new() }
    }

    /// Takes bytes and hands over each line that they complete, without its end.
    pub fn write(&mut self, bytes: &[u8], mut complete: impl FnMut(&str)) {
        for &byte in bytes {
            self.byte(byte, &mut complete);
        }
    }

    /// Hands over what has come of a line that was never completed.
    pub fn finish(&mut self, mut complete: impl FnMut(&str)) {
        self.give_up_partial(&mut complete);
        if !self.text.is_empty() {
            complete(&self.text);
            self.text.clear();
        }
    }

    fn byte(&mut self, byte: u8, complete: &mut impl FnMut(&str)) {
        if !self.partial.is_empty() || byte >= 0x80 {
            if self.partial.push(byte).is_err() {
                self.give_up_partial(complete);
                return self.byte(byte, complete);
            }
            match core::str::from_utf8(&self.partial) {
                Ok(character) => {
                    let mut owned = String::<4>::new();
                    let _ = owned.push_str(character);
                    self.partial.clear();
                    // C1 controls (U+0080 to U+009F) and the bidirectional overrides act on terminals too.
                    match owned.chars().next() {
                        Some(c) if c.is_control() || is_directional(c) => {
                            self.push(format_args!("{}", c.escape_unicode()), complete)
                        }
                        _ => self.push(format_args!("{owned}"), complete),
                    }
                }
                Err(error) if error.error_len().is_none() => {}
                Err(_) => {
                    // The newest byte does not go on with the character: it starts afresh.
                    self.partial.pop();
                    let first_was_bad = self.partial.is_empty();
                    self.give_up_partial(complete);
                    match first_was_bad {
                        true => self.push(format_args!("\\x{byte:02x}"), complete),
                        false => self.byte(byte, complete),
                    }
                }
            }
            return;
        }
        match byte {
            b'\n' => {
                complete(&self.text);
                self.text.clear();
            }
            b'\t' | b' '..=b'~' => self.push(format_args!("{}", char::from(byte)), complete),
            _ => self.push(format_args!("\\x{byte:02x}"), complete),
        }
    }

    fn give_up_partial(&mut self, complete: &mut impl FnMut(&str)) {
        let partial = core::mem::take(&mut self.partial);
        for byte in partial {
            self.push(format_args!("\\x{byte:02x}"), complete);
        }
    }

    fn push(&mut self, piece: fmt::Arguments<'_>, complete: &mut impl FnMut(&str)) {
        let mut text = String::<16>::new();
        let _ = text.write_fmt(piece);
        if self.text.len() + text.len() > MAX_LINE {
            complete(&self.text);
            self.text.clear();
        }
        let _ = self.text.push_str(&text);
    }
}

fn is_directional(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;
    use std::{string::String as Text, vec::Vec};

    fn lines(parts: &[&[u8]]) -> Vec<Text> {
        let mut line = Line::new();
        let mut lines = Vec::new();
        for part in parts {
            line.write(part, |text| lines.push(text.into()));
        }
        line.finish(|text| lines.push(text.into()));
        lines
    }

    #[test]
    fn lines_are_put_together() {
        assert_eq!(lines(&[b"one\ntw", b"o\n", b"\nrest"]), ["one", "two", "", "rest"]);
    }

    #[test]
    fn nothing_acts_on_a_terminal() {
        assert_eq!(lines(&[b"\x1b[2J\x07\x02a\rb\x7f\0"]), ["\\x1b[2J\\x07\\x02a\\x0db\\x7f\\x00"]);
        assert_eq!(lines(&["\u{9b}2J \u{202e}x".as_bytes()]), ["\\u{9b}2J \\u{202e}x"]);
        assert_eq!(lines(&[b"\xff\xc3(\xc3"]), ["\\xff\\xc3(\\xc3"]);
        assert_eq!(lines(&[b"Gr\xc3", b"\xbc\xc3\x9fe\tok"]), ["Gr\u{fc}\u{df}e\tok"]);
    }

    #[test]
    fn a_long_line_is_broken() {
        let lines = lines(&[&[b'x'; MAX_LINE + 1]]);
        assert_eq!(lines.iter().map(Text::len).collect::<Vec<_>>(), [MAX_LINE, 1]);
    }

    proptest! {
        #[test]
        fn any_bytes_become_printable_lines(bytes in prop::collection::vec(any::<u8>(), 0..3000), at in 0usize..3000) {
            let (a, b) = bytes.split_at(at.min(bytes.len()));
            let whole = lines(&[&bytes]);
            prop_assert_eq!(&whole, &lines(&[a, b]));
            for line in whole {
                prop_assert!(line.len() <= MAX_LINE);
                prop_assert!(line.chars().all(|c| c == '\t' || !c.is_control()));
            }
        }
    }
}
