//! Methods and system calls: the XML files.

use roxmltree::{Document, Node};

use crate::{Malformed, Options, expression};

/// A system call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemCall {
    /// Its name, such as `Call`.
    pub name: String,
    /// Its number, below zero.
    pub number: i32,
}

/// Methods and the structures that they pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interfaces {
    /// Every method, also those that are not in force.
    pub methods: Vec<Method>,
    /// Every structure.
    pub structures: Vec<Structure>,
}

/// Something that a capability can be asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// The interface, such as `seL4_TCB`; the name of the type of its capability.
    pub interface: String,
    /// Its name, such as `Configure`.
    pub name: String,
    /// The name of its label, such as `TCBConfigure`.
    pub id: String,
    /// Under which heading the manual's chapter 10 describes it.
    pub manual: String,
    /// What it does, in a sentence; empty where the file says nothing.
    pub brief: String,
    /// What goes in, in the order of the message.
    pub inputs: Vec<Parameter>,
    /// What comes out, in the order of the message.
    pub outputs: Vec<Parameter>,
    /// Whether the configuration has it.
    pub enabled: bool,
}

/// A value that goes in or out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// The C name of its type.
    pub kind: String,
    /// What it is for; empty where the file says nothing.
    pub description: String,
}

/// A structure of words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Structure {
    /// Its C name.
    pub name: String,
    /// Its members, a word each.
    pub members: Vec<String>,
}

impl Interfaces {
    /// Reads a file of interfaces.
    ///
    /// # Errors
    /// No XML, an unknown element, a missing attribute, a condition that cannot be evaluated.
    pub fn parse(text: &str, options: &Options) -> Result<Self, Malformed> {
        let document = document(text)?;
        let mut output = Self::default();
        for node in elements(document.root_element(), &document)? {
            match node.tag_name().name() {
                "struct" => {
                    let members = elements(node, &document)?;
                    let members =
                        members.iter().map(|member| attribute(*member, "name", &document)).collect::<Result<_, _>>()?;
                    output.structures.push(Structure { name: attribute(node, "name", &document)?, members });
                }
                "interface" => {
                    for method in elements(node, &document)? {
                        output.methods.push(parse_method(node, method, &document, options)?);
                    }
                }
                other => return Err(error(node, &document, format!("<{other}> is not known"))),
            }
        }
        Ok(output)
    }
}

fn parse_method(interface: Node, node: Node, document: &Document, options: &Options) -> Result<Method, Malformed> {
    let condition = node.attribute("condition").unwrap_or_default();
    let name = attribute(node, "name", document)?;
    let heading = interface.attribute("manual_name").or_else(|| interface.attribute("name")).unwrap_or_default();
    let mut method = Method {
        interface: attribute(interface, "name", document)?,
        id: attribute(node, "id", document)?,
        manual: format!("{heading} - {}", node.attribute("manual_name").unwrap_or(&name)),
        name,
        brief: String::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        enabled: holds(condition, options).map_err(|detail| error(node, document, detail))?,
    };
    for part in elements(node, document)? {
        match part.tag_name().name() {
            "brief" => method.brief = prose(part),
            "description" | "return" | "cap_param" => {}
            "param" => {
                let nested = part.children().find(|child| child.has_tag_name("description")).map(prose);
                let parameter = Parameter {
                    name: attribute(part, "name", document)?,
                    kind: attribute(part, "type", document)?,
                    description: part.attribute("description").map(str::to_owned).or(nested).unwrap_or_default(),
                };
                match attribute(part, "dir", document)?.as_str() {
                    "in" => method.inputs.push(parameter),
                    "out" => method.outputs.push(parameter),
                    other => return Err(error(part, document, format!("`{other}` is no direction"))),
                }
            }
            other => return Err(error(part, document, format!("<{other}> is not known in a method"))),
        }
    }
    Ok(method)
}

/// Reads the file of system calls. They are numbered from -1 down; one whose condition does not hold keeps its number to
/// itself, so that debug and benchmark options move no other call.
///
/// # Errors
/// No XML, an unknown element, a missing attribute, a condition that cannot be evaluated.
pub fn system_calls(text: &str, options: &Options) -> Result<Vec<SystemCall>, Malformed> {
    let document = document(text)?;
    let mut output = Vec::new();
    let mut number = 0;
    for group in elements(document.root_element(), &document)? {
        for config in elements(group, &document)? {
            let condition = config.attribute("condition").unwrap_or_default();
            let enabled = holds(condition, options).map_err(|detail| error(config, &document, detail))?;
            for call in elements(config, &document)? {
                number -= 1;
                let name = attribute(call, "name", &document)?;
                output.extend(enabled.then_some(SystemCall { name, number }));
            }
        }
    }
    Ok(output)
}

struct Names<'a>(&'a Options);

impl expression::Names for Names<'_> {
    fn is_defined(&self, name: &str) -> bool {
        self.0.is_defined(name)
    }
    fn value(&self, name: &str) -> Option<i64> {
        if self.0.is_defined(name) { self.0.number(name) } else { Some(0) }
    }
}

/// Whether a condition holds; an empty one does.
fn holds(condition: &str, options: &Options) -> Result<bool, String> {
    if condition.trim().is_empty() {
        return Ok(true);
    }
    expression::evaluate(condition, &Names(options)).map(|value| value != 0)
}

fn document(text: &str) -> Result<Document<'_>, Malformed> {
    Document::parse(text).map_err(|error| Malformed::new(error.pos().row, error.to_string()))
}

fn error(node: Node, document: &Document, detail: impl Into<String>) -> Malformed {
    Malformed::new(document.text_pos_at(node.range().start).row, detail)
}

/// The children that are elements; text between them is an error.
fn elements<'a, 'd>(node: Node<'a, 'd>, document: &Document) -> Result<Vec<Node<'a, 'd>>, Malformed> {
    match node.children().find(|child| child.is_text() && child.text().is_some_and(|text| !text.trim().is_empty())) {
        Some(text) => Err(error(text, document, "text is not expected here")),
        None => Ok(node.children().filter(Node::is_element).collect()),
    }
}

fn attribute(node: Node, name: &str, document: &Document) -> Result<String, Malformed> {
    let value = node.attribute(name).filter(|value| !value.is_empty());
    value
        .map(str::to_owned)
        .ok_or_else(|| error(node, document, format!("<{}> lacks `{name}`", node.tag_name().name())))
}

/// The text of an element in one line; its elements are replaced by the text that they show.
fn prose(node: Node) -> String {
    let text: String = node
        .descendants()
        .filter_map(|part| match part.is_text() {
            true => part.text(),
            false => part.attribute("text").or_else(|| part.attribute("name")),
        })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"<api>
        <struct name="S"><member name="a"/><member name="b"/></struct>
        <interface name="seL4_X" manual_name="X">
            <method id="XDo" name="Do" manual_name="Do It">
                <brief> Does
                    <texttt text="it"/>. </brief>
                <param dir="in" name="a" type="seL4_Word" description="first"/>
                <param dir="out" name="b" type="S"><description>second</description></param>
            </method>
            <method id="XNo" name="No" condition="defined(CONFIG_NO)"/>
        </interface>
    </api>"#;

    #[test]
    fn methods_are_read() {
        let interfaces = Interfaces::parse(TEXT, &Options::default()).unwrap();
        assert_eq!(interfaces.structures, [Structure { name: "S".into(), members: vec!["a".into(), "b".into()] }]);
        let [method, other] = interfaces.methods.as_slice() else { panic!() };
        assert_eq!((method.interface.as_str(), method.manual.as_str()), ("seL4_X", "X - Do It"));
        assert_eq!(method.brief, "Does it.");
        assert_eq!((method.inputs[0].kind.as_str(), method.inputs[0].description.as_str()), ("seL4_Word", "first"));
        assert_eq!((method.outputs[0].kind.as_str(), method.outputs[0].description.as_str()), ("S", "second"));
        assert!(method.enabled && !other.enabled);
    }

    #[test]
    fn broken_files_are_told_with_their_line() {
        for (from, to, line) in [
            ("<struct", "<union", 2),
            ("</api>", "", 1),
            ("dir=\"in\"", "dir=\"up\"", 7),
            ("id=\"XDo\" ", "", 4),
            ("defined(CONFIG_NO)", "defined(", 10),
            ("<brief>", "words <brief>", 4),
        ] {
            let text = match to {
                "<union" => TEXT.replace("struct", "union"),
                _ => TEXT.replace(from, to),
            };
            assert_eq!(Interfaces::parse(&text, &Options::default()).unwrap_err().line, line, "{to}");
        }
    }

    #[test]
    fn system_calls_count_down() {
        let text = "<syscalls><api><config><syscall name='A'/><syscall name='B'/></config></api><debug>\
                    <config condition='defined CONFIG_D'><syscall name='C'/></config>\
                    <config condition='defined CONFIG_E'><syscall name='D'/></config></debug></syscalls>";
        let mut options = Options::default();
        options.define("CONFIG_E", "1");
        let calls = system_calls(text, &options).unwrap();
        let calls: Vec<_> = calls.iter().map(|call| (call.name.as_str(), call.number)).collect();
        assert_eq!(calls, [("A", -1), ("B", -2), ("D", -4)]);
    }
}
