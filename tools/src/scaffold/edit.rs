//! Lines that are added to files which people wrote, in their order, without touching anything else.

/// A file does not have the place where a line belongs.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path} has no {place}, where a line for the component belongs; nothing was changed")]
pub struct Unexpected {
    /// The file.
    pub path: &'static str,
    /// What was looked for.
    pub place: &'static str,
}

/// Cargo's manifest of the workspace, with the component in it.
pub(super) fn registered(path: &'static str, text: &str, name: &str) -> Result<String, Unexpected> {
    let unexpected = |place| Unexpected { path, place };
    let member = format!("    \"components/{name}\",");
    let text = inserted(text, "default-members = [", "]", &member).ok_or(unexpected("list `default-members`"))?;
    let dependency = format!("{name} = {{ path = \"components/{name}\" }}");
    inserted(&text, "# This project", "", &dependency).ok_or(unexpected("list below `# This project`"))
}

/// The list of scenarios, with this one at its end.
pub(super) fn listed(path: &'static str, text: &str, scenario: &str, about: &str) -> Result<String, Unexpected> {
    let unexpected = Unexpected { path, place: "table of scenarios" };
    let lines: Vec<_> = text.lines().collect();
    let head = lines.iter().position(|line| *line == "| scenario | shows |").ok_or(unexpected)?;
    let end = lines[head..].iter().position(|line| !line.starts_with('|')).map_or(lines.len(), |rows| head + rows);
    Ok(with_line(&lines, end, &format!("| `{scenario}` | {about} |")))
}

/// `text` with a new line in the sorted list between the line `begin` and the next line `end`.
fn inserted(text: &str, begin: &str, end: &str, new: &str) -> Option<String> {
    let lines: Vec<_> = text.lines().collect();
    let first = lines.iter().position(|line| *line == begin)? + 1;
    let last = first + lines[first..].iter().position(|line| *line == end)?;
    let place = lines[first..last].iter().position(|line| *line > new).map_or(last, |rows| first + rows);
    Some(with_line(&lines, place, new))
}

fn with_line(lines: &[&str], place: usize, new: &str) -> String {
    let (before, after) = lines.split_at(place);
    let lines = before.iter().copied().chain([new]).chain(after.iter().copied());
    lines.flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "\
[workspace]
default-members = [
    \"base\",
    \"components/hello\",
    \"tools\",
]
[workspace.dependencies]
# This project
base = { path = \"base\" }
wire = { path = \"wire\" }

# Crates of others
log = \"1\"
";

    #[test]
    fn lines_go_where_they_belong() {
        let text = registered("Cargo.toml", MANIFEST, "sheep").unwrap();
        let expected = MANIFEST
            .replace("hello\",\n", "hello\",\n    \"components/sheep\",\n")
            .replace("wire =", "sheep = { path = \"components/sheep\" }\nwire =");
        assert_eq!(text, expected);
        let last = registered("Cargo.toml", MANIFEST, "zebra").unwrap();
        assert!(last.contains("wire\" }\nzebra = { path = \"components/zebra\" }\n\n# Crates"), "{last}");
        let list = "# run\n\n| scenario | shows |\n|---|---|\n| `a` | b |\n\nEnd.\n";
        let expected = list.replace("b |\n", "b |\n| `x` | y |\n");
        assert_eq!(listed("README.md", list, "x", "y").unwrap(), expected);
    }

    #[test]
    fn a_file_without_the_place_is_named() {
        let error = registered("Cargo.toml", "[workspace]\n", "sheep").unwrap_err().to_string();
        assert!(error.starts_with("Cargo.toml has no list `default-members`"), "{error}");
        assert!(listed("run/README.md", "# run\n", "x", "y").is_err());
    }
}
