//! What others have written, made safe to show: what a component prints, and what a scenario file says.
//!
//! A component may print any bytes. What reaches a console are whole lines, each with the component's name before it, of
//! printable characters only: everything that could move a cursor, ring a bell, hide, or pretend to be somebody else's
//! line is shown as an escape: `\x1b` for ASCII, `\u{202e}` for other characters. Bytes that are no UTF-8 are shown as
//! `\xff`. A tab stays. [`show`] decides this for everybody, core and the host's tool.

use core::fmt::{self, Write};

use heapless::String;

/// Longest line in bytes; a longer one is broken.
pub const MAX_LINE: usize = 512;
/// Longest escape: `\u{10ffff}`.
const LONGEST_PIECE: usize = 10;

/// Writes a character as it may be shown: as itself, or as an escape. A line end is escaped too; whoever knows what a
/// line is handles it before.
///
/// # Errors
/// Those of `out`.
pub fn show(character: char, out: &mut impl Write) -> fmt::Result {
    match character {
        '\t' => out.write_char('\t'),
        _ if character.is_ascii_control() => show_byte(character as u8, out),
        _ if character.is_control() || is_unseen(character) => write!(out, "{}", character.escape_unicode()),
        _ => out.write_char(character),
    }
}

/// Writes a byte that belongs to no character, as an escape.
///
/// # Errors
/// Those of `out`.
pub fn show_byte(byte: u8, out: &mut impl Write) -> fmt::Result {
    write!(out, "\\x{byte:02x}")
}

/// Characters that show nothing of themselves but may change how others look, or in which order: those that Unicode lets
/// renderers ignore (the property Default_Ignorable_Code_Point, DerivedCoreProperties.txt of Unicode 16; it holds joiners,
/// directional overrides and tags), line and paragraph separators, and interlinear annotations.
fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

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
                Ok(text) => {
                    let character = text.chars().next();
                    self.partial.clear();
                    if let Some(character) = character {
                        self.character(character, complete);
                    }
                }
                Err(error) if error.error_len().is_none() => {}
                Err(_) => {
                    // The newest byte does not go on with the character: it starts afresh.
                    self.partial.pop();
                    let first_was_bad = self.partial.is_empty();
                    self.give_up_partial(complete);
                    match first_was_bad {
                        true => self.push(|out| show_byte(byte, out), complete),
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
            _ => self.character(char::from(byte), complete),
        }
    }

    fn give_up_partial(&mut self, complete: &mut impl FnMut(&str)) {
        let partial = core::mem::take(&mut self.partial);
        for byte in partial {
            self.push(|out| show_byte(byte, out), complete);
        }
    }

    fn character(&mut self, character: char, complete: &mut impl FnMut(&str)) {
        self.push(|out| show(character, out), complete);
    }

    /// Adds a piece that stays together.
    fn push(&mut self, write: impl FnOnce(&mut String<LONGEST_PIECE>) -> fmt::Result, complete: &mut impl FnMut(&str)) {
        let mut text = String::new();
        // It cannot fail: no character takes more.
        let _ = write(&mut text);
        if self.text.len() + text.len() > MAX_LINE {
            complete(&self.text);
            self.text.clear();
        }
        let _ = self.text.push_str(&text);
    }
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
    fn what_shows_nothing_is_shown() {
        let unseen = "a\u{61c}\u{200b}\u{200d}\u{ad}\u{feff}\u{2028}\u{2066}\u{fff9}\u{e0041}\u{10ffff}b";
        let shown = "a\\u{61c}\\u{200b}\\u{200d}\\u{ad}\\u{feff}\\u{2028}\\u{2066}\\u{fff9}\\u{e0041}\u{10ffff}b";
        assert_eq!(lines(&[unseen.as_bytes()]), [shown]);
        // Letters of other scripts and their marks are text.
        assert_eq!(lines(&["שלום مرحبا e\u{301} 🐑".as_bytes()]), ["שלום مرحبا e\u{301} 🐑"]);
    }

    #[test]
    fn no_escape_is_longer_than_a_piece() {
        for character in '\0'..=char::MAX {
            let mut piece = String::<LONGEST_PIECE>::new();
            assert_eq!(show(character, &mut piece), Ok(()), "{character:?}");
        }
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
                prop_assert!(line.chars().all(|c| c == '\t' || !c.is_control() && !is_unseen(c)));
            }
        }
    }
}
