//! "Did you mean …?"

/// Names that `wrong` may have been meant to be, nearest first, at most three.
pub fn near<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut ranked: Vec<_> = known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(wrong, name), name))
        .filter(|&(distance, name)| {
            let prefix = wrong.len() >= 2 && name.starts_with(wrong);
            prefix || distance <= (wrong.chars().count() / 3).max(1)
        })
        .collect();
    ranked.sort();
    ranked.truncate(3);
    ranked.into_iter().map(|(_, name)| name).collect()
}

/// What to say after naming the unknown `wrong`: the near names if there are any, else all of them.
pub fn hint(wrong: &str, known: &[&str]) -> String {
    let quoted = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match (near(wrong, known.iter().copied()).as_slice(), known) {
        ([], []) => "there is none".into(),
        ([], known) => format!("known: {}", quoted(known)),
        (near, _) => format!("did you mean {}?", quoted(near).replace(", ", " or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_come_first_and_far_ones_not_at_all() {
        let known = ["hello", "hello_native", "sheep_counter", "help"];
        assert_eq!(near("helo", known), ["hello", "help"]);
        assert_eq!(near("sheep", known), ["sheep_counter"]);
        assert!(near("migrate", known).is_empty());
    }

    #[test]
    fn hints_name_something_that_exists() {
        assert_eq!(hint("priorty", &["priority", "ram"]), "did you mean `priority`?");
        assert_eq!(hint("zzzz", &["priority", "ram"]), "known: `priority`, `ram`");
        assert_eq!(hint("zzzz", &[]), "there is none");
    }
}
