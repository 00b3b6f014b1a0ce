//! One Markdown file, taken apart.

use std::{collections::BTreeMap, mem};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// What matters of a Markdown file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The anchors of its headings, in order, as GitHub and mdbook make them.
    pub anchors: Vec<String>,
    /// Its links and pictures, in order.
    pub links: Vec<Link>,
    /// Its fenced code blocks, in order.
    pub blocks: Vec<CodeBlock>,
    /// Its tables, in order.
    pub tables: Vec<Table>,
    /// Its inline code, in order, that of headings and tables included.
    pub code: Vec<Code>,
}

/// A link or picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it leads.
    pub target: String,
    /// The line it stands on, counted from 1.
    pub line: usize,
}

/// A piece of inline code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Its text.
    pub text: String,
    /// The line it stands on, counted from 1.
    pub line: usize,
}

/// A fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeBlock {
    /// What stands behind the fence, such as `toml`.
    pub language: String,
    /// Its text.
    pub text: String,
    /// The anchor of the heading it stands below; empty above the first.
    pub below: String,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The anchor of the heading it stands below; empty above the first.
    pub below: String,
    /// Its rows, the head first; a cell is its text without markup.
    pub rows: Vec<Vec<String>>,
}

impl Page {
    /// Takes a file's text apart.
    pub fn parse(text: &str) -> Self {
        let mut page = Self::default();
        let mut used = BTreeMap::<String, usize>::new();
        let (mut heading, mut block, mut table) = (None::<String>, None::<CodeBlock>, None::<Table>);
        let mut cell = String::new();
        for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
            let line = text[..range.start].matches('\n').count() + 1;
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let anchor = anchor(&heading.take().unwrap_or_default());
                    let count = used.entry(anchor.clone()).or_default();
                    page.anchors.push(match *count {
                        0 => anchor,
                        n => format!("{anchor}-{n}"),
                    });
                    *count += 1;
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(Link { target: dest_url.into_string(), line });
                }
                Event::Start(Tag::CodeBlock(kind)) => {
                    let language = match kind {
                        CodeBlockKind::Fenced(language) => language.into_string(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    block = Some(CodeBlock { language, text: String::new(), below: page.below() });
                }
                Event::End(TagEnd::CodeBlock) => page.blocks.extend(block.take()),
                Event::Start(Tag::Table(_)) => table = Some(Table { below: page.below(), rows: Vec::new() }),
                Event::End(TagEnd::Table) => page.tables.extend(table.take()),
                Event::Start(Tag::TableHead | Tag::TableRow) => {
                    table.iter_mut().for_each(|table| table.rows.push(Vec::new()));
                }
                Event::End(TagEnd::TableCell) => {
                    let row = table.as_mut().and_then(|table| table.rows.last_mut());
                    row.into_iter().for_each(|row| row.push(mem::take(&mut cell)));
                }
                Event::Text(part) | Event::Code(part) if block.is_none() && is_code(text, &range) => {
                    page.code.push(Code { text: part.to_string(), line });
                    heading.iter_mut().for_each(|heading| heading.push_str(&part));
                    cell.push_str(if table.is_some() { &part } else { "" });
                }
                Event::Text(part) => match (&mut block, &mut heading) {
                    (Some(block), _) => block.text.push_str(&part),
                    (None, Some(heading)) => heading.push_str(&part),
                    (None, None) if table.is_some() => cell.push_str(&part),
                    (None, None) => {}
                },
                _ => {}
            }
        }
        page
    }

    /// The first table below a heading, by the heading's anchor.
    pub fn table(&self, below: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.below == below)
    }

    fn below(&self) -> String {
        self.anchors.last().cloned().unwrap_or_default()
    }
}

impl Table {
    /// The rows without the head.
    pub fn body(&self) -> &[Vec<String>] {
        self.rows.get(1..).unwrap_or_default()
    }
}

fn is_code(text: &str, range: &std::ops::Range<usize>) -> bool {
    text[range.clone()].starts_with('`')
}

/// The anchor of a heading: lower case, spaces as hyphens, punctuation left out.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_taken_apart() {
        let page = Page::parse(
            "# A `tool`, used\n\nSee [this](there.md#x) and ![a picture](p.svg).\n\n## Again\n## Again\n\n\
             | key | default |\n|---|---|\n| `limit` | 10 *s* |\n\n```toml\na = 1\n```\n",
        );
        assert_eq!(page.anchors, ["a-tool-used", "again", "again-1"]);
        assert_eq!(page.links.iter().map(|link| link.target.as_str()).collect::<Vec<_>>(), ["there.md#x", "p.svg"]);
        assert_eq!(page.links[0].line, 3);
        assert_eq!(
            page.code.iter().map(|code| (code.text.as_str(), code.line)).collect::<Vec<_>>(),
            [("tool", 1), ("limit", 10)]
        );
        assert_eq!(
            page.blocks,
            [CodeBlock { language: "toml".into(), text: "a = 1\n".into(), below: "again-1".into() }]
        );
        assert_eq!(page.table("again-1").unwrap().body(), [["limit", "10 s"]]);
        assert_eq!(page.table("again"), None);
    }
}
