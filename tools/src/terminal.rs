//! What people see: progress on standard error, results on standard output, colour where it is wanted.

use std::{
    env, fmt,
    io::{self, IsTerminal, Write},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use base::text;
use indicatif::{ProgressBar, ProgressStyle};
use rustix::termios::{self, LocalModes, OptionalActions, Termios};

use crate::interrupt;

/// Steps shorter than this are not worth a word.
const WORTH_A_WORD: Duration = Duration::from_secs(1);
/// On a terminal a spinner may come sooner, since it goes away again.
const WORTH_A_SPINNER: Duration = Duration::from_millis(300);

/// Whether standard error wants colour: on a terminal, unless NO_COLOR is set or the terminal is dumb.
pub fn colour() -> bool {
    io::stderr().is_terminal() && wants_colour()
}

fn wants_colour() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Colours of a line on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Success.
    Good,
    /// Failure.
    Bad,
}

/// Prints to standard output, harmlessly. Whoever closes it early (`| head`) has seen enough: that is no error.
pub fn say(text: impl fmt::Display) {
    print(format_args!("{}", harmless(text)));
}

/// Prints a line whose colour says how things are.
pub fn say_in(tone: Tone, text: impl fmt::Display) {
    let code = match tone {
        Tone::Good => "1;32",
        Tone::Bad => "1;31",
    };
    match io::stdout().is_terminal() && wants_colour() {
        true => print(format_args!("\x1b[{code}m{}\x1b[0m", harmless(text))),
        false => say(text),
    }
}

fn print(text: fmt::Arguments<'_>) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Prints to standard error, harmlessly.
pub fn note(text: impl fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{}", harmless(text));
}

/// Prints an error to standard error, harmlessly; only what a compiler said ([`Coloured`]) keeps its colours.
pub fn error(error: &dyn std::error::Error) {
    let coloured = colour();
    let label = if coloured { "\x1b[1;31merror\x1b[0m" } else { "error" };
    let own_colours = coloured && error.source().is_some_and(|source| source.is::<Coloured>());
    let text = if own_colours { colours_only(&error.to_string()) } else { harmless(error) };
    let _ = writeln!(io::stderr().lock(), "{label}: {text}");
}

/// What a compiler said, perhaps in colours. An error whose source this is, is shown with them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Coloured(pub String);

/// Text as it may be shown, whoever wrote it: scenario files and debug information can hold anything. Line ends pass.
pub fn harmless(text: impl fmt::Display) -> String {
    let text = text.to_string();
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push('\n'),
            // A string takes everything.
            _ => _ = text::show(character, &mut shown),
        }
    }
    shown
}

/// Harmless text in which sequences pass that change nothing but how text looks (`ESC [ parameters m`, SGR of ECMA-48).
fn colours_only(text: &str) -> String {
    let mut pieces = text.split("\x1b[");
    let mut shown = harmless(pieces.next().unwrap_or_default());
    for piece in pieces {
        let parameters = piece.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(piece.len());
        let looks = piece[parameters..].starts_with('m');
        let (sequence, rest) = piece.split_at(if looks { parameters + 1 } else { 0 });
        match looks {
            true => shown.extend(["\x1b[", sequence]),
            false => shown.push_str(&harmless("\x1b[")),
        }
        shown.push_str(&harmless(rest));
    }
    shown
}

/// Something that takes time. While it lives, people see what is being done: a spinner on a terminal, elsewhere one
/// line, and only for what takes over a second.
#[derive(Debug)]
pub struct Step {
    messages: Option<Sender<String>>,
    shower: Option<JoinHandle<()>>,
}

/// Starts a step; `what` is like "building hello".
pub fn step(what: impl Into<String>) -> Step {
    let what = what.into();
    let (messages, received) = mpsc::channel::<String>();
    let shower = thread::spawn(move || {
        let spins = io::stderr().is_terminal();
        let patience = if spins { WORTH_A_SPINNER } else { WORTH_A_WORD };
        let mut detail = None;
        let mut bar: Option<ProgressBar> = None;
        let started = std::time::Instant::now();
        loop {
            let wait =
                if bar.is_some() { Duration::from_secs(3600) } else { patience.saturating_sub(started.elapsed()) };
            match received.recv_timeout(wait) {
                Ok(message) => detail = Some(message),
                Err(RecvTimeoutError::Timeout) if spins => {
                    bar.get_or_insert_with(|| {
                        let style = ProgressStyle::with_template("{spinner:.cyan} {msg} {elapsed:.dim}");
                        let bar = ProgressBar::new_spinner().with_message(what.clone());
                        bar.enable_steady_tick(Duration::from_millis(120));
                        bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
                    });
                }
                Err(RecvTimeoutError::Timeout) => {
                    note(format_args!("{what}"));
                    // One line is enough; wait for the end.
                    while received.recv().is_ok() {}
                    return;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if let (Some(bar), Some(detail)) = (&bar, &detail) {
                bar.set_message(format!("{what}: {detail}"));
            }
        }
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
    });
    Step { messages: Some(messages), shower: Some(shower) }
}

impl Step {
    /// Says where the step has got to; shown by spinners only.
    pub fn detail(&self, text: impl Into<String>) {
        if let Some(messages) = &self.messages {
            let _ = messages.send(text.into());
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.messages = None;
        if let Some(shower) = self.shower.take() {
            let _ = shower.join();
        }
    }
}

/// While this lives, keys reach their reader one by one and unechoed; Ctrl-C still interrupts. Standard input that is no
/// terminal stays as it is.
#[derive(Debug)]
pub struct RawInput {
    before: Option<Termios>,
    _cleanup: Option<interrupt::Registration>,
}

impl RawInput {
    /// Changes the terminal.
    pub fn begin() -> Self {
        let Ok(before) = termios::tcgetattr(io::stdin()) else { return Self { before: None, _cleanup: None } };
        let mut raw = before.clone();
        raw.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &raw);
        let saved = before.clone();
        let restore = move || {
            let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &saved);
        };
        Self { before: Some(before), _cleanup: Some(interrupt::on_interrupt(restore)) }
    }
}

impl Drop for RawInput {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Makes console bytes safe to show, as [`base::text`] has it; line ends pass. Keeps an unfinished UTF-8 character until
/// its rest arrives.
#[derive(Debug, Default)]
pub struct Harmless {
    unfinished: Vec<u8>,
}

impl Harmless {
    /// The next piece.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        let mut input = std::mem::take(&mut self.unfinished);
        input.extend_from_slice(bytes);
        let mut output = String::with_capacity(input.len());
        let mut rest = input.as_slice();
        loop {
            match str::from_utf8(rest) {
                Ok(text) => {
                    show(text, &mut output);
                    return output;
                }
                Err(error) => {
                    let (good, bad) = rest.split_at(error.valid_up_to());
                    show(&String::from_utf8_lossy(good), &mut output);
                    match error.error_len() {
                        Some(length) => {
                            escape(&bad[..length], &mut output);
                            rest = &bad[length..];
                        }
                        None => {
                            self.unfinished = bad.to_vec();
                            return output;
                        }
                    }
                }
            }
        }
    }

    /// What was left unfinished at the end.
    pub fn finish(&mut self) -> String {
        let mut output = String::new();
        escape(&std::mem::take(&mut self.unfinished), &mut output);
        output
    }
}

fn show(text: &str, output: &mut String) {
    // Serial lines end with both characters.
    output.push_str(&harmless(text.replace('\r', "")));
}

fn escape(bytes: &[u8], output: &mut String) {
    for &byte in bytes {
        _ = text::show_byte(byte, output);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_passes_and_commands_do_not() {
        let mut harmless = Harmless::default();
        assert_eq!(harmless.push(b"sheep\r\n\tZZZ"), "sheep\n\tZZZ");
        assert_eq!(harmless.push(b"\x1b[2J\x07\x00"), "\\x1b[2J\\x07\\x00");
        assert_eq!(harmless.push("\u{9b}2J\u{202e}".as_bytes()), "\\u{9b}2J\\u{202e}");
        assert_eq!(harmless.push(b"\xff\xfe"), "\\xff\\xfe");
    }

    #[test]
    fn whatever_is_printed_is_harmless() {
        assert_eq!(
            harmless("about \x1b]0;title\x07\r\u{200b}\nnext\tline"),
            "about \\x1b]0;title\\x07\\x0d\\u{200b}\nnext\tline"
        );
    }

    #[test]
    fn compilers_keep_their_colours_and_nothing_else() {
        let colours = "\x1b[1m\x1b[38;5;9merror\x1b[0m: no\n";
        assert_eq!(colours_only(colours), colours);
        assert_eq!(colours_only("\x1b[2Ja\x1b[1;31\x1b]0;t\x07\x1b[m"), "\\x1b[2Ja\\x1b[1;31\\x1b]0;t\\x07\x1b[m");
    }

    #[test]
    fn characters_may_arrive_in_pieces() {
        let mut harmless = Harmless::default();
        let pieces: String = "é€𝄞".bytes().map(|byte| harmless.push(&[byte])).collect();
        assert_eq!(pieces, "é€𝄞");
        assert_eq!(harmless.push(b"\xe2\x82"), "");
        assert_eq!(harmless.finish(), "\\xe2\\x82");
    }
}
