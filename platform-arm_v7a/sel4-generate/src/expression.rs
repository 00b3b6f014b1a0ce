//! Integer expressions of C, as they occur in conditions and as values of enumerators.
//!
//! Known: decimal and hexadecimal literals with suffixes, names, `defined`, parentheses, and the operators
//! `! - + << < <= > >= == != && ||` with C's precedence and 64-bit arithmetic. Anything else is an error, never a guess.

/// Where the names of an expression get their values.
pub trait Names {
    /// Whether `defined(name)` holds.
    fn is_defined(&self, name: &str) -> bool;
    /// The value of a name; none makes the expression an error.
    fn value(&self, name: &str) -> Option<i64>;
}

/// The value of `text`.
///
/// # Errors
/// What was not understood.
pub fn evaluate(text: &str, names: &dyn Names) -> Result<i64, String> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, names };
    let value = parser.binary(0)?;
    match parser.tokens.get(parser.at) {
        None => Ok(value),
        Some(token) => Err(format!("`{token}` is not expected in `{text}`")),
    }
}

/// An integer literal of C; none if it is not one.
pub fn literal(text: &str) -> Option<i64> {
    let digits = text.trim_end_matches(['u', 'U', 'l', 'L']);
    match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => digits.parse().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit())),
    }
}

/// Operators of two operands, weakest first.
const LEVELS: [&[&str]; 6] = [&["||"], &["&&"], &["==", "!="], &["<=", ">=", "<", ">"], &["<<"], &["+", "-"]];

struct Parser<'a> {
    tokens: Vec<&'a str>,
    at: usize,
    names: &'a dyn Names,
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Result<&'a str, String> {
        let token = self.tokens.get(self.at).copied().ok_or("the expression ends too early")?;
        self.at += 1;
        Ok(token)
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        match self.next()? {
            found if found == token => Ok(()),
            found => Err(format!("`{token}` is expected, not `{found}`")),
        }
    }

    fn binary(&mut self, level: usize) -> Result<i64, String> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.tokens.get(self.at).copied().filter(|token| operators.contains(token)) {
            self.at += 1;
            let right = self.binary(level + 1)?;
            let value = match operator {
                "||" => Some((left != 0 || right != 0).into()),
                "&&" => Some((left != 0 && right != 0).into()),
                "==" => Some((left == right).into()),
                "!=" => Some((left != right).into()),
                "<=" => Some((left <= right).into()),
                ">=" => Some((left >= right).into()),
                "<" => Some((left < right).into()),
                ">" => Some((left > right).into()),
                "<<" => u32::try_from(right).ok().and_then(|bits| left.checked_mul(1i64.checked_shl(bits)?)),
                "+" => left.checked_add(right),
                "-" => left.checked_sub(right),
                _ => None,
            };
            left = value.ok_or_else(|| format!("{left} {operator} {right} cannot be computed"))?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<i64, String> {
        match self.next()? {
            "!" => Ok((self.unary()? == 0).into()),
            "-" => self.unary()?.checked_neg().ok_or_else(|| "a number is too large".to_owned()),
            "(" => {
                let value = self.binary(0)?;
                self.expect(")")?;
                Ok(value)
            }
            "defined" => {
                let name = self.next()?;
                if name != "(" {
                    return Ok(self.names.is_defined(name).into());
                }
                let name = self.next()?;
                self.expect(")")?;
                Ok(self.names.is_defined(name).into())
            }
            token if is_name(token) => self.names.value(token).ok_or_else(|| format!("`{token}` has no known value")),
            token => literal(token).ok_or_else(|| format!("`{token}` is no number")),
        }
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

fn tokens(text: &str) -> Result<Vec<&str>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let length = match word {
            0 => ["||", "&&", "==", "!=", "<=", ">=", "<<", "<", ">", "!", "+", "-", "(", ")"]
                .into_iter()
                .find(|operator| rest.starts_with(operator))
                .ok_or_else(|| format!("`{first}` is not known in `{text}`"))?
                .len(),
            length => length,
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Some42;
    impl Names for Some42 {
        fn is_defined(&self, name: &str) -> bool {
            name == "A"
        }
        fn value(&self, name: &str) -> Option<i64> {
            (name == "A").then_some(42)
        }
    }

    #[test]
    fn expressions_have_their_values() {
        for (text, value) in [
            ("12", 12),
            ("0x1F", 31),
            ("1ul << 4", 16),
            ("A - 1", 41),
            ("-1", -1),
            ("A > 1", 1),
            ("1 + 2 << 1 == 6 && 1", 1),
            ("defined(A) && !defined B", 1),
            ("defined(B) || (A == 41)", 0),
            ("10 - 3 - 2", 5),
            ("!A", 0),
        ] {
            assert_eq!(evaluate(text, &Some42), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        for text in ["", "B", "1 +", "(1", "1)", "sizeof(int)", "1 / 2", "defined", "1 2", "0x", "1 << 64", "9a"] {
            assert!(evaluate(text, &Some42).is_err(), "{text}");
        }
    }
}
