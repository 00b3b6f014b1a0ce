//! `cargo rtcr run` of a scenario with several nodes.

use std::path::{Path, PathBuf};

use super::{Ending, Result};
use crate::{
    explain::Kind,
    file,
    nodes::{self, Said},
    run::Request,
    terminal::{self, Tone},
    workspace::Workspace,
};

/// Runs a scenario of several nodes; the console of each is kept in a file of its own.
pub(super) fn run(workspace: &Workspace, request: &Request, console: Option<&Path>) -> Result {
    let mut files = Vec::new();
    for name in request.loaded.scenario.nodes.keys().filter(|_| console.is_some()) {
        let path = console.map(|path| {
            let mut path = path.as_os_str().to_owned();
            path.push(format!(".{name}"));
            PathBuf::from(path)
        });
        files.extend(path.map(|path| file::Pending::create(&path)).transpose()?.map(|file| (name.clone(), file)));
    }
    let finished = nodes::run(workspace, request, |said| match said {
        Said::Line(line) => terminal::say(terminal::harmless(line)),
        Said::Note(note) => terminal::note(note),
    })?;
    for (name, mut file) in files {
        file.write(finished.consoles.get(&name).map_or(&[][..], Vec::as_slice))?;
        file.keep()?;
    }
    finished.details.iter().for_each(terminal::say);
    let (name, reason) = (&request.loaded.name, &finished.reason);
    let (tone, ending, said) = match finished.kind {
        Kind::Passed => (Tone::Good, Ending::Passed, format!("{name} passed")),
        Kind::Failed => (Tone::Bad, Ending::Failed, format!("{name} FAILED: {reason}")),
        Kind::TimedOut => (Tone::Bad, Ending::TimedOut, format!("{name} TIMED OUT: {reason}")),
    };
    terminal::say_in(tone, said);
    Ok(ending)
}
