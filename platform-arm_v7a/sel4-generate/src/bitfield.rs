//! Words divided into fields: the `.bf` files.
//!
//! A block lists its fields from the highest bit of its last word down to the lowest bit of its first. A tagged union is
//! a set of blocks of one size that share one field, the tag, whose value tells them apart; such blocks have no type of
//! their own in C, and none here.

use crate::{
    Malformed, Options,
    preprocess::{self, Include},
};

/// Bits of a word.
pub const WORD: u32 = 32;

/// All blocks and unions of the interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bitfields {
    /// Every block, those of unions included.
    pub blocks: Vec<Block>,
    /// Every tagged union.
    pub unions: Vec<Union>,
}

/// A value of one or more words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its name, without the `_t` of its type.
    pub name: String,
    /// How many words it takes.
    pub words: u32,
    /// Its fields, in the order of the file.
    pub fields: Vec<Field>,
}

/// Some bits of one word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Which word.
    pub word: u32,
    /// Its lowest bit.
    pub shift: u32,
    /// How many bits, 1 to 32.
    pub width: u32,
}

impl Field {
    /// The largest value that fits.
    pub fn mask(&self) -> u32 {
        u32::MAX >> (WORD - self.width)
    }
}

/// A value that is one of several blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Union {
    /// Its name, without the `_t` of its type.
    pub name: String,
    /// The field that tells the blocks apart.
    pub tag: String,
    /// The blocks by name, each with its tag.
    pub members: Vec<(String, u32)>,
}

impl Bitfields {
    /// The block of a name.
    pub fn block(&self, name: &str) -> Option<&Block> {
        self.blocks.iter().find(|block| block.name == name)
    }

    /// Whether a block exists only inside unions.
    pub fn is_member(&self, block: &Block) -> bool {
        self.unions.iter().any(|union| union.members.iter().any(|(name, _)| *name == block.name))
    }

    /// Adds what a file declares.
    ///
    /// # Errors
    /// A declaration that is not known, a field that crosses words, a block that does not fill its words, a union whose
    /// blocks differ in size or tag.
    pub fn parse(&mut self, text: &str, options: &Options, include: Include) -> Result<(), Malformed> {
        let text = preprocess::preprocess(text, options, include)?;
        let mut tokens = Vec::new();
        for line in &text.lines {
            let text = line.text.split("--").next().unwrap_or_default();
            let spaced = text.replace('{', " { ").replace('}', " } ");
            tokens.extend(spaced.split_whitespace().map(|token| (line.number, token.to_owned())));
        }
        let mut parser = Parser { tokens: tokens.into_iter(), line: 1 };
        let first_union = self.unions.len();
        while let Some((line, keyword)) = parser.tokens.next() {
            parser.line = line;
            match keyword.as_str() {
                "base" => {
                    let bits = parser.number()?;
                    if bits != WORD {
                        return Err(parser.error(format!("a base of {bits} is not known, only {WORD}")));
                    }
                }
                "block" => self.blocks.push(parser.block()?),
                "tagged_union" => self.unions.push(parser.tagged_union()?),
                other => return Err(parser.error(format!("`{other}` is not known"))),
            }
        }
        for union in &self.unions[first_union..] {
            self.check(union).map_err(|detail| parser.error(format!("union {}: {detail}", union.name)))?;
        }
        Ok(())
    }

    fn check(&self, union: &Union) -> Result<(), String> {
        let mut common = None;
        for (name, value) in &union.members {
            let block = self.block(name).ok_or_else(|| format!("there is no block {name}"))?;
            let tag = block.fields.iter().find(|field| field.name == union.tag);
            let tag = tag.ok_or_else(|| format!("{name} has no field {}", union.tag))?;
            if *value > tag.mask() {
                return Err(format!("the tag {value} of {name} does not fit {} bits", tag.width));
            }
            let shape = (block.words, tag.word, tag.shift, tag.width);
            if *common.get_or_insert(shape) != shape {
                return Err(format!("{name} differs from the others in size or in the place of its tag"));
            }
        }
        Ok(())
    }
}

struct Parser<T> {
    tokens: T,
    line: u32,
}

impl<T: Iterator<Item = (u32, String)>> Parser<T> {
    fn error(&self, detail: impl Into<String>) -> Malformed {
        Malformed::new(self.line, detail)
    }

    fn next(&mut self) -> Result<String, Malformed> {
        let (line, token) = self.tokens.next().ok_or_else(|| self.error("the file ends too early"))?;
        self.line = line;
        Ok(token)
    }

    fn name(&mut self) -> Result<String, Malformed> {
        let token = self.next()?;
        match token.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !token.starts_with(char::is_numeric) {
            true => Ok(token),
            false => Err(self.error(format!("`{token}` is no name"))),
        }
    }

    fn number(&mut self) -> Result<u32, Malformed> {
        let token = self.next()?;
        token.parse().map_err(|_| self.error(format!("`{token}` is no number")))
    }

    fn open(&mut self) -> Result<(), Malformed> {
        match self.next()?.as_str() {
            "{" => Ok(()),
            token => Err(self.error(format!("`{{` is expected, not `{token}`"))),
        }
    }

    fn block(&mut self) -> Result<Block, Malformed> {
        let name = self.name()?;
        self.open()?;
        let mut parts = Vec::new();
        let mut total: u32 = 0;
        loop {
            let part = match self.next()?.as_str() {
                "field" => (Some(self.name()?), self.number()?),
                "padding" => (None, self.number()?),
                "}" => break,
                other => return Err(self.error(format!("`{other}` is not known in a block"))),
            };
            total = total.checked_add(part.1).ok_or_else(|| self.error("the block is too large"))?;
            parts.push(part);
        }
        if total == 0 || !total.is_multiple_of(WORD) {
            return Err(self.error(format!("block {name} has {total} bits, which is no whole number of words")));
        }
        let mut top = total;
        let mut fields = Vec::new();
        for (field, width) in parts {
            let low = top - width;
            if let Some(field) = field {
                if width == 0 || low / WORD != (top - 1) / WORD {
                    return Err(self.error(format!("field {field} of {name} is empty or lies in two words")));
                }
                fields.push(Field { name: field, word: low / WORD, shift: low % WORD, width });
            }
            top = low;
        }
        Ok(Block { name, words: total / WORD, fields })
    }

    fn tagged_union(&mut self) -> Result<Union, Malformed> {
        let (name, tag) = (self.name()?, self.name()?);
        self.open()?;
        let mut members = Vec::new();
        loop {
            match self.next()?.as_str() {
                "tag" => members.push((self.name()?, self.number()?)),
                "}" => return Ok(Union { name, tag, members }),
                other => return Err(self.error(format!("`{other}` is not known in a union"))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Bitfields, Malformed> {
        let mut bitfields = Bitfields::default();
        bitfields.parse(text, &Options::default(), &|_| None)?;
        Ok(bitfields)
    }

    #[test]
    fn fields_lie_where_the_file_puts_them() {
        let text = "base 32 -- words\nblock A {\n field high 32\n padding 3\n field low 28 -- x\n field bit 1\n}\n\
                    #ifdef NO\nblock B { field a 1 }\n#endif";
        let bitfields = parse(text).unwrap();
        let [block] = bitfields.blocks.as_slice() else { panic!() };
        assert_eq!((block.name.as_str(), block.words), ("A", 2));
        let fields: Vec<_> = block.fields.iter().map(|f| (f.name.as_str(), f.word, f.shift, f.mask())).collect();
        assert_eq!(fields, [("high", 1, 0, !0), ("low", 0, 1, 0xfff_ffff), ("bit", 0, 0, 1)]);
    }

    const UNION: &str = "block A { field tag 2 padding 30 } block B { field tag 2 field x 30 }\n\
                         tagged_union U tag { tag A 0 tag B 3 }";

    #[test]
    fn unions_share_size_and_tag() {
        let bitfields = parse(UNION).unwrap();
        assert_eq!(bitfields.unions[0].members, [("A".to_owned(), 0), ("B".to_owned(), 3)]);
        assert!(bitfields.is_member(&bitfields.blocks[1]));
        for (from, to) in [
            ("B 3", "B 4"),
            ("tag B", "tag C"),
            ("field x 30", "field x 62"),
            ("field tag 2 padding", "field tug 2 padding"),
        ] {
            assert!(parse(&UNION.replace(from, to)).is_err(), "{to}");
        }
    }

    #[test]
    fn broken_files_are_told_with_their_line() {
        for (text, line) in [
            ("base 64", 1),
            ("\nblock A { field a 31 }", 2),
            ("block A { field a 16\nfield b 32 field c 16 }", 2),
            ("block A { field a 0 padding 32 }", 1),
            ("block A {\nfield_high a 32 }", 2),
            ("block A (a) { field a 32 }", 1),
            ("block A { field 1a 32 }", 1),
            ("block A { padding 4294967295 padding 33 }", 1),
            ("what", 1),
            ("block", 1),
        ] {
            assert_eq!(parse(text).unwrap_err().line, line, "{text}");
        }
    }
}
