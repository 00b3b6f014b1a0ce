//! Numbers from C headers: enumerators, and `#define`s of integers.

use std::collections::BTreeMap;

use crate::{Malformed, Options, expression, preprocess};

/// A number with the name that C gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constant {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: i64,
    /// The header, below the kernel's top folder.
    pub header: &'static str,
}

struct Names<'a> {
    options: &'a Options,
    known: &'a BTreeMap<String, i64>,
}

impl expression::Names for Names<'_> {
    fn is_defined(&self, name: &str) -> bool {
        self.options.is_defined(name)
    }
    fn value(&self, name: &str) -> Option<i64> {
        self.known.get(name).copied().or_else(|| self.options.number(name))
    }
}

/// Adds the numbers of a header to `constants`, which may be referred to; with `only` those of one enumeration.
///
/// Of `#define`s only those named `seL4_…` whose value is an integer expression are numbers of the interface.
///
/// # Errors
/// An enumerator without a value that can be computed, an enumeration without an end, a missing `only`.
pub fn parse(
    constants: &mut Vec<Constant>,
    header: &'static str,
    text: &str,
    options: &Options,
    only: Option<&str>,
) -> Result<(), Malformed> {
    // Under __ASSEMBLER__ there are no enumerations; elsewhere the compiler's macros do not matter for numbers.
    let text = preprocess::preprocess(text, options, &preprocess::ignore_includes)?;
    let mut known: BTreeMap<String, i64> = constants.iter().map(|c| (c.name.clone(), c.value)).collect();
    let mut found = false;

    let mut body = None::<(u32, String)>;
    for line in &text.lines {
        let mut rest = line.text.as_str();
        loop {
            match &mut body {
                None => {
                    let Some(start) = enumeration(rest) else { break };
                    let (head, tail) = rest[start..].split_once('{').unwrap_or((&rest[start..], ""));
                    let name = head.trim_start_matches("enum").trim();
                    if only.is_none_or(|only| only == name) && rest[start..].contains('{') {
                        found = true;
                        body = Some((line.number, String::new()));
                    }
                    rest = tail;
                }
                Some((first, collected)) => {
                    let (inside, tail) = rest.split_once('}').map_or((rest, None), |(a, b)| (a, Some(b)));
                    collected.push_str(inside);
                    collected.push(' ');
                    let Some(tail) = tail else { break };
                    let enumerators = self::enumerators(collected, &known, options)
                        .map_err(|detail| Malformed::new(*first, detail))?;
                    for (name, value) in enumerators {
                        known.insert(name.clone(), value);
                        constants.push(Constant { name, value, header });
                    }
                    body = None;
                    rest = tail;
                }
            }
        }
    }
    if let Some((line, _)) = body {
        return Err(Malformed::new(line, "an enumeration has no end"));
    }
    if let Some(only) = only {
        return if found { Ok(()) } else { Err(Malformed::new(1, format!("there is no enumeration `{only}`"))) };
    }

    for (_, name, value) in text.definitions.iter().filter(|(_, name, _)| name.starts_with("seL4_")) {
        let names = Names { options, known: &known };
        if let Ok(value) = expression::evaluate(value, &names) {
            known.insert(name.clone(), value);
            constants.push(Constant { name: name.clone(), value, header });
        }
    }
    Ok(())
}

/// Where the keyword `enum` stands in a line.
fn enumeration(line: &str) -> Option<usize> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices("enum")
        .map(|(at, _)| at)
        .find(|&at| !line[..at].ends_with(is_part) && !line[at + 4..].starts_with(is_part))
}

fn enumerators(body: &str, known: &BTreeMap<String, i64>, options: &Options) -> Result<Vec<(String, i64)>, String> {
    let mut output = Vec::new();
    let mut known = known.clone();
    let mut next = 0;
    for item in body.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        // Pads the enumeration to the size of a word; no number of the interface.
        if item.starts_with("SEL4_FORCE_LONG_ENUM(") {
            continue;
        }
        let (name, value) = match item.split_once('=') {
            Some((name, text)) => (name.trim(), expression::evaluate(text, &Names { options, known: &known })?),
            None => (item, next),
        };
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(format!("`{item}` is no enumerator"));
        }
        next = value + 1;
        known.insert(name.to_owned(), value);
        output.push((name.to_owned(), value));
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_text(text: &str, only: Option<&str>) -> Result<Vec<(String, i64)>, Malformed> {
        let mut options = Options::default();
        options.define("CONFIG_N", "256");
        let mut constants = vec![Constant { name: "before".to_owned(), value: 7, header: "" }];
        parse(&mut constants, "h", text, &options, only)?;
        Ok(constants.into_iter().skip(1).map(|c| (c.name, c.value)).collect())
    }

    fn owned(pairs: &[(&str, i64)]) -> Vec<(String, i64)> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value)).collect()
    }

    #[test]
    fn enumerations_count_and_refer() {
        let text = "typedef enum { a, b = before, c, /* no */\n#ifdef X\n d,\n#endif\n e = -1, f = CONFIG_N - 1,\n\
                    SEL4_FORCE_LONG_ENUM(x), } name; enum tag { g = c };\nint enumerate(void);";
        let expected = [("a", 0), ("b", 7), ("c", 8), ("e", -1), ("f", 255), ("g", 8)];
        assert_eq!(parse_text(text, None).unwrap(), owned(&expected));
        assert_eq!(parse_text("enum a { x };\nenum b\n{ y };", Some("a")).unwrap(), owned(&[("x", 0)]));
    }

    #[test]
    fn definitions_of_integers_are_numbers() {
        let text =
            "#define seL4_A 12\n#define seL4_B (seL4_A + 1)\n#define OTHER 1\n#define seL4_C f(1)\n#define seL4_D";
        assert_eq!(parse_text(text, None).unwrap(), owned(&[("seL4_A", 12), ("seL4_B", 13)]));
    }

    #[test]
    fn what_cannot_be_computed_is_refused() {
        for text in ["enum { a = unknown };", "enum { a", "enum { a b };"] {
            assert!(parse_text(text, None).is_err(), "{text}");
        }
        assert!(parse_text("enum a { x };", Some("b")).is_err());
    }
}
