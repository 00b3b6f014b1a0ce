//! Calls of cargo.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    io::{self, BufRead, BufReader},
    iter,
    path::PathBuf,
    process::Stdio,
    thread,
};

use cargo_metadata::{Message, Metadata, MetadataCommand};

use super::{SOURCE_PREFIX, TARGET};
use crate::{
    process::Process,
    setup::Toolchain,
    suggest,
    terminal::{self, Coloured},
    workspace::Workspace,
};

/// Profile of everything that runs on the board.
const PROFILE: &str = "system";
/// The package of the start-up code: a binary of a package that depends on it is a program for a component.
const START: &str = "rtcr-start";
/// The package that every root task is made with.
const CORE: &str = "rtcr-core";

/// Why cargo built nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Cargo itself does not run.
    #[error("cannot run {cargo}: {source}; `cargo rtcr doctor` tells what is missing", cargo = cargo.display())]
    Start {
        /// The program.
        cargo: OsString,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Cargo cannot tell what the workspace holds; most often its registry cannot be reached.
    #[error("cargo cannot read the workspace; if a registry cannot be reached, try again with a network:\n{0}")]
    Metadata(String),
    /// A scenario names a program that does not exist.
    #[error(
        "there is no program `{name}` (no binary of that name in a package of the workspace that depends on \
         {library}); {hint}; a component can run another program by `binary = \"NAME\"` in its scenario"
    )]
    UnknownProgram {
        /// Its name.
        name: String,
        /// What its package would depend on.
        library: &'static str,
        /// What there is.
        hint: String,
    },
    /// Two programs of one name.
    #[error("there are two programs `{name}`, in the packages {one} and {other}; rename one of them")]
    Ambiguous {
        /// Their name.
        name: String,
        /// A package.
        one: String,
        /// Another one.
        other: String,
    },
    /// The compiler or the linker refused.
    #[error("{package} does not build:\n{output}")]
    Failed {
        /// The package.
        package: String,
        /// What cargo said.
        #[source]
        output: Coloured,
    },
    /// Cargo was content, but made no such program.
    #[error("package {package} has no binary `{binary}`; add it to its Cargo.toml")]
    NoBinary {
        /// The package.
        package: String,
        /// The binary.
        binary: String,
    },
}

/// Cargo in this workspace.
pub(super) struct Cargo<'a> {
    workspace: &'a Workspace,
    toolchain: &'a Toolchain,
    /// The packages that hold a program of that name.
    programs: BTreeMap<String, Vec<String>>,
    /// The packages with a root task of that name.
    root_tasks: BTreeMap<String, Vec<String>>,
    /// What is added to the flags in `.cargo/config.toml`, as an option of cargo.
    rustflags: String,
}

impl<'a> Cargo<'a> {
    /// Asks cargo what there is; dependencies are fetched if need be.
    pub(super) fn new(workspace: &'a Workspace, toolchain: &'a Toolchain) -> Result<Self, Error> {
        let _step = terminal::step("looking up the workspace's packages");
        let mut command = MetadataCommand::new();
        command.cargo_path(&toolchain.cargo).current_dir(workspace.root());
        command.other_options(["--filter-platform".into(), TARGET.into()]);
        toolchain.removed.iter().for_each(|name| _ = command.env_remove(name));
        toolchain.envs.iter().for_each(|(name, value)| _ = command.env(name, value));
        let metadata = command.exec().map_err(|error| match error {
            cargo_metadata::Error::Io(source) => Error::Start { cargo: toolchain.cargo.clone(), source },
            cargo_metadata::Error::CargoMetadata { stderr } => Error::Metadata(stderr.trim_end().into()),
            other => Error::Metadata(other.to_string()),
        })?;
        let rustflags = rustflags(workspace, &metadata);
        let (programs, root_tasks) = (binaries(&metadata, START), binaries(&metadata, CORE));
        Ok(Self { workspace, toolchain, programs, root_tasks, rustflags })
    }

    /// Where everything goes that is built here.
    pub(super) fn folder(&self) -> PathBuf {
        self.workspace.state().join("build").join(self.toolchain.folder)
    }

    /// The package that holds the program of that name.
    pub(super) fn package_of(&self, name: &str) -> Result<&str, Error> {
        only(&self.programs, name, START)
    }

    /// The package with the root task `name`.
    pub(super) fn root_task(&self, name: &str) -> Result<&str, Error> {
        only(&self.root_tasks, name, CORE)
    }

    /// Builds one binary, with features of its package; `progress` hears what cargo is at.
    pub(super) fn build(
        &self,
        package: &str,
        binary: &str,
        features: &[&str],
        progress: impl Fn(String),
    ) -> Result<PathBuf, Error> {
        let mut command = self.toolchain.command("build");
        command
            .current_dir(self.workspace.root())
            .args(["--package", package, "--bin", binary, "--profile", PROFILE])
            .args(features.iter().flat_map(|feature| ["--features", feature]))
            .arg("--target-dir")
            .arg(self.folder())
            .args(["--message-format", "json-render-diagnostics"])
            .args(["--color", if terminal::colour() { "always" } else { "never" }])
            .arg("--config")
            .arg(&self.rustflags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let start = |source| Error::Start { cargo: self.toolchain.cargo.clone(), source };
        let (process, (stdout, stderr)) =
            Process::start(&mut command, |child| (child.stdout.take(), child.stderr.take())).map_err(start)?;
        let artifacts = thread::spawn(move || {
            let messages = stdout.map(|stdout| Message::parse_stream(BufReader::new(stdout)));
            let artifacts = messages.into_iter().flatten().filter_map(|message| match message {
                Ok(Message::CompilerArtifact(artifact)) => artifact.executable,
                _ => None,
            });
            artifacts.map(PathBuf::from).collect::<Vec<_>>()
        });
        let mut output = String::new();
        for line in stderr.map(|stderr| BufReader::new(stderr).lines()).into_iter().flatten().map_while(Result::ok) {
            progress(line.trim().into());
            if !is_progress(&line) {
                output.push_str(&line);
                output.push('\n');
            }
        }
        let status = process.wait().map_err(start)?;
        let artifacts = artifacts.join().unwrap_or_default();
        if !status.success() {
            return Err(Error::Failed { package: package.into(), output: Coloured(output.trim_end().into()) });
        }
        let named = |path: &PathBuf| path.file_name().is_some_and(|name| name == binary);
        let missing = || Error::NoBinary { package: package.into(), binary: binary.into() };
        artifacts.into_iter().find(named).ok_or_else(missing)
    }
}

/// The one package that has a binary of that name.
fn only<'a>(packages: &'a BTreeMap<String, Vec<String>>, name: &str, library: &'static str) -> Result<&'a str, Error> {
    match packages.get(name).map(Vec::as_slice) {
        Some([package]) => Ok(package),
        Some([one, other, ..]) => Err(Error::Ambiguous { name: name.into(), one: one.clone(), other: other.clone() }),
        Some([]) | None => {
            let known: Vec<_> = packages.keys().map(String::as_str).collect();
            Err(Error::UnknownProgram { name: name.into(), library, hint: suggest::hint(name, &known) })
        }
    }
}

/// All binaries of the workspace that link `library`, each with the packages that hold one of its name.
fn binaries(metadata: &Metadata, library: &str) -> BTreeMap<String, Vec<String>> {
    let mut programs = BTreeMap::<String, Vec<String>>::new();
    for package in metadata.workspace_packages() {
        let links =
            *package.name == library || package.dependencies.iter().any(|dependency| dependency.name == library);
        for target in package.targets.iter().filter(|target| links && target.is_bin()) {
            programs.entry(target.name.clone()).or_default().push(package.name.to_string());
        }
    }
    programs
}

/// Whether a line only tells what cargo is doing: a word, indented to end in column 12, in front of its object.
fn is_progress(line: &str) -> bool {
    let words = ["Compiling", "Downloaded", "Downloading", "Updating", "Locking", "Adding", "Blocking", "Finished"];
    // In front of the word are spaces and, on terminals, a command that colours it.
    let padding = |text: &str| !text.is_empty() && text.chars().all(|c| " \x1b[;m".contains(c) || c.is_ascii_digit());
    words.iter().any(|word| line.split_once(word).is_some_and(|(before, _)| padding(before)))
}

/// The linker script, of which each crate that becomes an executable brings its own (see its build.rs), and the options
/// that hide where the checkout and cargo's folders lie.
///
/// The script is named here and not in `.cargo/config.toml`: given twice, as when a checkout lies in another one, it
/// would be followed twice.
///
/// Where a package of a registry lies depends on the registry's address too, so the folders are taken from where cargo
/// says that packages are, not guessed from its home.
fn rustflags(workspace: &Workspace, metadata: &Metadata) -> String {
    let outside = |package: &&cargo_metadata::Package| package.source.is_some();
    let folders: BTreeSet<_> = metadata
        .packages
        .iter()
        .filter(outside)
        .filter_map(|package| package.manifest_path.parent()?.parent())
        .map(|folder| folder.as_str().to_owned())
        .collect();
    let root = workspace.root().display().to_string();
    let state = workspace.state().display().to_string();
    // Later options win, so the checkout comes before what may lie inside it.
    let options = [(root, SOURCE_PREFIX), (state, "/target")]
        .into_iter()
        .chain(folders.into_iter().map(|folder| (folder, "/cargo")))
        .map(|(from, to)| format!("--remap-path-prefix={from}={to}"));
    let options = iter::once("-Clink-arg=-Tlink.ld".to_owned()).chain(options);
    let options = toml::Value::Array(options.map(toml::Value::String).collect());
    format!("target.{TARGET}.rustflags={options}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_from_errors() {
        for line in
            ["   Compiling serde v1.0.229", "\x1b[1m\x1b[92m    Finished\x1b[0m `system` profile", "     Adding x"]
        {
            assert!(is_progress(line), "{line}");
        }
        for line in ["error: no Compiling", "Compiling this is hard", "   |     Compiling", "warning: unused", ""] {
            assert!(!is_progress(line), "{line}");
        }
    }
}
