//! What remains of a file when comments are gone and conditions are decided.

use std::collections::BTreeMap;

use crate::{Malformed, Options, expression};

/// A line that remains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file that was given, counted from 1; for an included file that of the `#include`.
    pub number: u32,
    /// The text.
    pub text: String,
}

/// A preprocessed file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preprocessed {
    /// Every line in force.
    pub lines: Vec<Line>,
    /// Every `#define` without arguments in force: line, name, value.
    pub definitions: Vec<(u32, String, String)>,
}

/// Gives the text of an included file by the name in the `#include`; none for a file that is not known.
pub type Include<'a> = &'a dyn Fn(&str) -> Option<&'a str>;

/// Decides the conditions of `text` with what `options` and the text itself define.
///
/// # Errors
/// A directive that is not known, an unbalanced one, a condition that cannot be evaluated, an unknown include.
pub fn preprocess(text: &str, options: &Options, include: Include) -> Result<Preprocessed, Malformed> {
    let mut output = Preprocessed::default();
    let mut local = BTreeMap::new();
    run(text, None, options, include, &mut local, &mut output)?;
    Ok(output)
}

/// For files whose includes do not matter.
pub fn ignore_includes(_: &str) -> Option<&'static str> {
    Some("")
}

struct Names<'a> {
    options: &'a Options,
    local: &'a BTreeMap<String, String>,
}

impl expression::Names for Names<'_> {
    fn is_defined(&self, name: &str) -> bool {
        self.local.contains_key(name) || self.options.is_defined(name)
    }
    /// A name that is not defined is 0 in a condition, as in C.
    fn value(&self, name: &str) -> Option<i64> {
        match self.local.get(name).map(String::as_str).or_else(|| self.options.get(name)) {
            None => Some(0),
            Some(text) => expression::literal(text),
        }
    }
}

/// One level of `#if`.
struct Condition {
    /// Whether the lines of the branch being read are in force.
    active: bool,
    /// Whether a branch was in force already, so that `#else` is not.
    decided: bool,
    /// Whether the lines around it are in force.
    outer: bool,
}

fn run(
    text: &str,
    included_at: Option<u32>,
    options: &Options,
    include: Include,
    local: &mut BTreeMap<String, String>,
    output: &mut Preprocessed,
) -> Result<(), Malformed> {
    let text = without_comments(text);
    let mut conditions: Vec<Condition> = Vec::new();
    let mut last = 0;
    let mut lines = text.lines().zip(1u32..);
    while let Some((line, number)) = lines.next() {
        let number = included_at.unwrap_or(number);
        last = number;
        let active = conditions.last().is_none_or(|condition| condition.active);
        let Some(directive) = line.trim_start().strip_prefix('#') else {
            if active && !line.trim().is_empty() {
                output.lines.push(Line { number, text: line.to_owned() });
            }
            continue;
        };
        let mut directive = directive.trim().to_owned();
        while directive.ends_with('\\') {
            directive.pop();
            directive.push_str(lines.next().map_or("", |(line, _)| line));
        }
        let (keyword, rest) = directive.split_once(char::is_whitespace).unwrap_or((&directive, ""));
        let rest = rest.trim();
        let names = Names { options, local };
        let holds = |text: &str| {
            expression::evaluate(text, &names).map(|value| value != 0).map_err(|e| Malformed::new(number, e))
        };
        match keyword {
            "if" | "ifdef" | "ifndef" => {
                let active = active
                    && match keyword {
                        "if" => holds(rest)?,
                        "ifdef" => expression::Names::is_defined(&names, rest),
                        _ => !expression::Names::is_defined(&names, rest),
                    };
                let outer = conditions.last().is_none_or(|condition| condition.active);
                conditions.push(Condition { active, decided: active, outer });
            }
            "elif" | "else" => {
                let Some(condition) = conditions.last_mut() else {
                    return Err(Malformed::new(number, format!("#{keyword} without #if")));
                };
                condition.active = condition.outer && !condition.decided && (keyword == "else" || holds(rest)?);
                condition.decided |= condition.active;
            }
            "endif" => {
                if conditions.pop().is_none() {
                    return Err(Malformed::new(number, "#endif without #if"));
                }
            }
            _ if !active => {}
            "define" => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                let (name, value) = rest.split_at(end);
                // A macro with arguments is no number.
                if !value.starts_with('(') {
                    local.insert(name.to_owned(), value.trim().to_owned());
                    output.definitions.push((number, name.to_owned(), value.trim().to_owned()));
                }
            }
            "undef" => _ = local.remove(rest),
            "include" => {
                let name = rest.trim_matches(['<', '>', '"']);
                let text =
                    include(name).ok_or_else(|| Malformed::new(number, format!("`{name}` is no known include")))?;
                run(text, Some(number), options, include, local, output)?;
            }
            "pragma" => {}
            _ => return Err(Malformed::new(number, format!("#{keyword} is not known"))),
        }
    }
    match conditions.is_empty() {
        true => Ok(()),
        false => Err(Malformed::new(last, "#if without #endif")),
    }
}

/// Replaces C comments by spaces; line ends stay, so that lines keep their numbers.
fn without_comments(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("/*").into_iter().chain(rest.find("//")).min() {
        output.push_str(&rest[..start]);
        let (end, skip) = match rest[start..].starts_with("/*") {
            true => ("*/", 2),
            false => ("\n", 0),
        };
        let length = rest[start + 2..].find(end).map_or(rest.len() - start, |at| 2 + at + skip);
        output.extend(rest[start..start + length].chars().filter(|&c| c == '\n'));
        output.push(' ');
        rest = &rest[start + length..];
    }
    output.push_str(rest);
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Result<Vec<String>, Malformed> {
        let mut options = Options::default();
        options.define("CONFIG_A", "1");
        options.define("CONFIG_TEXT", "\"text\"");
        let include = |name: &str| (name == "known").then_some("included");
        preprocess(text, &options, &include).map(|p| p.lines.into_iter().map(|l| l.text.trim().to_owned()).collect())
    }

    #[test]
    fn branches_are_decided() {
        let text = "#ifdef CONFIG_A\na\n#ifdef CONFIG_B\nb\n#else\nc\n#endif\n#else\nd\n#endif\n\
                    #if CONFIG_B > 1\ne\n#elif defined(CONFIG_A)\nf\n#elif 1\ng\n#else\nh\n#endif\n\
                    #ifndef CONFIG_A\n#ifdef CONFIG_A\ni\n#else\nj\n#endif\n#error no\n#endif";
        assert_eq!(lines(text).unwrap(), ["a", "c", "f"]);
    }

    #[test]
    fn definitions_of_the_file_count() {
        let text = "#ifndef GUARD\n#define GUARD\n#define A 3\n#define F(x) x\n#if A == 3\na\n#endif\n#endif\n\
                    #undef GUARD\n#ifdef GUARD\nb\n#endif\n#ifdef F\nc\n#endif";
        assert_eq!(lines(text).unwrap(), ["a"]);
    }

    #[test]
    fn comments_vanish_and_lines_keep_their_numbers() {
        let text = "a /* x\n#if\n*/ b // y\n# include <known>\n#define X \\\n 1\nc";
        let output = preprocess(text, &Options::default(), &|_| Some("included")).unwrap();
        let lines: Vec<_> = output.lines.iter().map(|l| (l.number, l.text.trim())).collect();
        assert_eq!(lines, [(1, "a"), (3, "b"), (4, "included"), (7, "c")]);
        assert_eq!(output.definitions, [(5, "X".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn broken_files_are_told_with_their_line() {
        for (text, line) in [
            ("\n#endif", 2),
            ("#else", 1),
            ("#ifdef A\n\n", 2),
            ("#if CONFIG_TEXT", 1),
            ("#include <unknown>", 1),
            ("#warning", 1),
        ] {
            assert_eq!(lines(text).unwrap_err().line, line, "{text}");
        }
    }
}
